"""``urlencoded()``, ``text()`` and ``raw()``."""

from __future__ import annotations

from .case import Case, Request, get, gzipped, post, send
from .cases_request_query import BEYOND, NESTED, PLAIN, SORTED_JS, SORTED_PY

FORM = "application/x-www-form-urlencoded"

SHOW_JS = """
app.post('/', (req, res) => res.json({ body: req.body ?? null, defined: req.body !== undefined }))
app.use((err, req, res, next) => res.status(err.status || 500).json({ type: err.type, message: err.message }))
"""
SHOW_PY = """
app.post('/', lambda req, res: res.json({'body': req.body, 'defined': req.body is not None}))
app.use(lambda err, req, res, next: res.status(err.status).json({'type': err.type, 'message': err.message}))
"""


def case(name: str, parser: str, options_js: str, options_py: str, requests: list[Request]) -> Case:
    return Case(
        name,
        js=f"app.use(express.{parser}({options_js}))\n{SHOW_JS}",
        py=f"app.use({parser}({options_py}))\n{SHOW_PY}",
        requests=requests,
    )


def forms(queries: list[str]) -> list[Request]:
    return [post("/", query.removeprefix("?"), FORM, name=query.removeprefix("?") or "empty") for query in queries]


TEXTS = [*PLAIN[1:], *NESTED]

CASES = [
    case(
        "keys that begin and end in brackets",
        "urlencoded",
        "",
        "",
        forms(["[21][c][21]=1", "[a]a[b]=1", "[19][b[1]a[]=1"]),
    ),
    case(
        "charsets that are Python's own",
        "text",
        "",
        "",
        [
            post("/", "x", f"text/plain; charset={name}", name=name)
            for name in ("undefined", "idna", "punycode", "unicode_escape", "raw_unicode_escape")
        ],
    ),
    case("urlencoded", "urlencoded", "", "", forms([*TEXTS, "?a=b#c", "?caf\u00e9=\u2713"])),
    case("urlencoded, extended", "urlencoded", "{ extended: true }", "extended=True", forms(TEXTS)),
    case(
        "urlencoded types",
        "urlencoded",
        "",
        "",
        [
            post("/", "a=b", content_type, name=str(content_type))
            for content_type in (
                None,
                "text/plain",
                f"{FORM}; charset=utf-8",
                f"{FORM}; charset=UTF-8",
                f"{FORM}; charset=utf-16",
                f"{FORM}; charset=x-made-up",
                "application/x-WWW-form-urlencoded",
                "multipart/form-data; boundary=x",
            )
        ]
        + [
            post("/", None, FORM, name="no body"),
            post("/", b"a=%E9&caf\xe9=x", f"{FORM}; charset=iso-8859-1", name="latin"),
            post("/", b"a=\xff\xfe", FORM, name="not utf-8"),
            get("/"),
        ],
    ),
    case(
        "urlencoded limits",
        "urlencoded",
        "{ limit: '2kb', parameterLimit: 5 }",
        "limit='2kb', parameter_limit=5",
        [
            post("/", "a=1&a=2&a=3&a=4&a=5", FORM, name="5 parameters"),
            post("/", "a=1&a=2&a=3&a=4&a=5&a=6", FORM, name="6 parameters"),
            post("/", "&&&&&&", FORM, name="6 signs"),
            post("/", "a=" + "x" * 2046, FORM, name="2kb"),
            post("/", "a=" + "x" * 2047, FORM, name="2kb and a byte"),
        ],
    ),
    case(
        "urlencoded default limits",
        "urlencoded",
        "",
        "",
        [
            post("/", "&".join(["a=1"] * 1000), FORM, name="1000 parameters"),
            post("/", "&".join(["a=1"] * 1001), FORM, name="1001 parameters"),
            post("/", "a=" + "x" * 102399, FORM, name="100kb and a byte"),
            post("/", "a" + "[b]" * 40 + "=c", FORM, name="deep"),
        ],
    ),
    case(
        "urlencoded, extended, limits",
        "urlencoded",
        "{ extended: true }",
        "extended=True",
        [
            post("/", "a" + "[b]" * 32 + "=c", FORM, name="32 levels"),
            post("/", "a" + "[b]" * 33 + "=c", FORM, name="33 levels"),
            post("/", "&".join(f"a[{n}]=x" for n in range(99)), FORM, name="99 items"),
            post("/", "&".join("a[]=x" for n in range(150)), FORM, name="150 items"),
            post("/", "a[100]=x", FORM, name="item 100"),
            post("/", "a[101]=x", FORM, name="item 101"),
        ],
    ),
    Case(
        "urlencoded, extended, beyond the limits",
        js=SORTED_JS + "app.post('/', express.urlencoded({ extended: true }), (req, res) => res.json(show(req.body)))",
        py=SORTED_PY + "app.post('/', urlencoded(extended=True), lambda req, res: res.json(show(req.body)))",
        requests=[
            *[post("/", query, FORM, name=name) for name, query in BEYOND.items()],
            post("/", "a[b]=1&a[100]=2&a=3", FORM, name="index 100, then a text"),
            post("/", "a=1&a[100]=2&a=3", FORM, name="a text, then index 100"),
            post("/", "&".join(["a=1"] * 99) + "&a[]=2&a[]=3&a[b]=4&a=5", FORM, name="103 items and a name"),
        ],
    ),
    Case(
        "urlencoded, Latin-1 beside what it has not",
        js="app.post('/', express.urlencoded({ charsetSentinel: true }), (req, res) => res.json(req.body))",
        py="app.post('/', urlencoded(charset_sentinel=True), lambda req, res: res.json(req.body))",
        requests=[post("/", "utf8=%26%2310003%3B&a=\u263a%E9", FORM, name="a smile")],
    ),
    case(
        "urlencoded, extended, depth",
        "urlencoded",
        "{ extended: true, depth: 1 }",
        "extended=True, depth=1",
        [post("/", "a[b]=c", FORM, name="1 level"), post("/", "a[b][c]=d", FORM, name="2 levels")],
    ),
    case(
        "urlencoded, extended, any depth",
        "urlencoded",
        "{ extended: true, depth: Infinity }",
        "extended=True, depth=float('inf')",
        [post("/", "a" + "[b]" * 40 + "=c", FORM, name="40 levels")],
    ),
    case(
        "urlencoded, gzip",
        "urlencoded",
        "",
        "",
        [
            post("/", gzipped(b"a=b"), FORM, {"Content-Encoding": "gzip"}, name="gzip"),
            post("/", b"a=b", FORM, {"Content-Encoding": "x"}, name="unknown"),
        ],
    ),
    case(
        "urlencoded, told its charset",
        "urlencoded",
        "{ charsetSentinel: true, interpretNumericEntities: true, defaultCharset: 'iso-8859-1' }",
        "charset_sentinel=True, interpret_numeric_entities=True, default_charset='iso-8859-1'",
        [
            post("/", "utf8=%E2%9C%93&a=%C3%A9", FORM, name="a check mark in UTF-8"),
            post("/", "utf8=%26%2310003%3B&a=%E9&b=%26%239786%3B", FORM, name="a check mark as an entity"),
            post("/", "a=%E9&b=%26%239786%3B", FORM, name="none"),
            post("/", "utf8=x&a=%E9", FORM, name="another mark"),
        ],
    ),
    case(
        "urlencoded in latin-1",
        "urlencoded",
        "{ defaultCharset: 'iso-8859-1' }",
        "default_charset='iso-8859-1'",
        [post("/", "a=%E9", FORM, name="latin"), post("/", "a=%C3%A9", f"{FORM}; charset=utf-8", name="utf-8")],
    ),
    case(
        "text",
        "text",
        "",
        "",
        [
            post("/", "caf\u00e9 \u2713", "text/plain", name="utf-8"),
            post("/", b"caf\xe9", "text/plain; charset=iso-8859-1", name="latin"),
            post("/", b"\x80", "text/plain; charset=windows-1252", name="windows"),
            post("/", "x".encode("utf-16"), "text/plain; charset=utf-16", name="utf-16"),
            post("/", b"caf\xe9", "text/plain", name="not utf-8"),
            post("/", "\ufeffx", "text/plain", name="byte order mark"),
            post("/", "x", "text/plain; charset=x-made-up", name="made up"),
            post("/", "x", "text/html", name="html"),
            post("/", "", "text/plain", name="empty"),
            post("/", None, "text/plain", name="no body"),
            post("/", "x" * 102401, "text/plain", name="too large"),
            post("/", gzipped(b"zipped"), "text/plain", {"Content-Encoding": "gzip"}, name="gzip"),
        ],
    ),
    case(
        "text options",
        "text",
        "{ type: 'text/*', defaultCharset: 'iso-8859-1', limit: 3 }",
        "type='text/*', default_charset='iso-8859-1', limit=3",
        [
            post("/", b"\xe9", "text/html", name="latin by default"),
            post("/", b"\xc3\xa9", "text/html; charset=utf-8", name="utf-8"),
            post("/", b"1234", "text/plain", name="too large"),
        ],
    ),
    Case(
        "raw",
        js="""
        app.use(express.raw())
        app.post('/', (req, res) => res.json([Buffer.isBuffer(req.body), req.body?.toString('hex') ?? null]))
        app.use((err, req, res, next) => res.status(err.status || 500).json({ type: err.type, message: err.message }))
        """,
        py="""
        app.use(raw())
        app.post('/', lambda req, res: res.json([isinstance(req.body, bytes), req.body.hex() if req.body is not None
                                                 else None]))
        app.use(lambda err, req, res, next: res.status(err.status).json({'type': err.type, 'message': err.message}))
        """,
        requests=[
            post("/", b"\x00\xff", "application/octet-stream", name="bytes"),
            post("/", b"", "application/octet-stream", name="empty"),
            post("/", None, "application/octet-stream", name="no body"),
            post("/", b"x", "text/plain", name="text"),
            post("/", b"x" * 102401, "application/octet-stream", name="too large"),
            post("/", b"x", "application/octet-stream; charset=x-made-up", name="charset"),
            post(
                "/",
                gzipped(b"zipped"),
                "application/octet-stream",
                {"Content-Encoding": "gzip"},
                name="gzip",
            ),
        ],
    ),
    Case(
        "options that are refused",
        js="""
        const tried = (fn) => { try { fn(); return 'fine' } catch (error) { return 'refused' } }
        const answers = [
          () => express.json({ limit: 'much' }), () => express.json({ verify: 'no' }),
          () => express.urlencoded({ extended: true, parameterLimit: 0 }),
          () => express.urlencoded({ extended: true, parameterLimit: 'x' }),
          () => express.urlencoded({ extended: true, depth: -1 }),
          () => express.urlencoded({ defaultCharset: 'utf-16' }), () => express.static(''), () => express.static(42),
          () => app.set('etag', 'medium'), () => app.set('query parser', 'other'), () => app.set('trust proxy', 'home'),
          () => app.use(), () => app.get('/x', 'handler'), () => app.use('/x', null),
          () => app.engine('x', 'y'), () => app.param('id', 'x'),
        ].map(tried)
        app.use((req, res) => res.json(answers))
        """,
        py="""
        def tried(call, *arguments, **options):
            try:
                call(*arguments, **options)
            except (TypeError, ValueError):
                return 'refused'
            return 'fine'
        answers = [
            tried(json, limit='much'), tried(json, verify='no'),
            tried(urlencoded, extended=True, parameter_limit=0),
            tried(urlencoded, extended=True, parameter_limit='x'),
            tried(urlencoded, extended=True, depth=-1),
            tried(urlencoded, default_charset='utf-16'), tried(static, ''), tried(static, 42),
            tried(app.set, 'etag', 'medium'), tried(app.set, 'query parser', 'other'),
            tried(app.set, 'trust proxy', 'home'),
            tried(app.use), tried(app.get, '/x', 'handler'), tried(app.use, '/x', None),
            tried(app.engine, 'x', 'y'), tried(app.param, 'id', 'x'),
        ]
        app.use(lambda req, res: res.json(answers))
        """,
        requests=[get("/"), send("POST", "/")],
    ),
]
