"""``json()``."""

from __future__ import annotations

import zlib

from .case import Case, Headers, Request, chunked, get, gzipped, post, send

JSON = "application/json"

# An error's message is JSON.parse's own where the text cannot be parsed: that is V8's wording, and not compared.
SHOW_JS = """
app.post('/', (req, res) => res.json({ body: req.body ?? null, defined: req.body !== undefined }))
app.use((err, req, res, next) => res.status(err.status || 500).json(
  err.type === 'entity.parse.failed' ? { type: err.type, body: err.body }
    : { type: err.type ?? null, message: err.message, code: err.code ?? null }))
"""
SHOW_PY = """
app.post('/', lambda req, res: res.json({'body': req.body, 'defined': req.body is not None}))
def failed(err, req, res, next):
    kind = getattr(err, 'type', None)
    res.status(err.status).json({'type': kind, 'body': getattr(err, 'body', None)} if kind == 'entity.parse.failed'
                                else {'type': kind, 'message': err.message, 'code': getattr(err, 'code', None)})
app.use(failed)
"""

REACH_JS = """
app.use(express.json(), express.urlencoded({ extended: true }))
app.post('/', (req, res) => res.json([req.body.admin ?? null, ({}).admin ?? null, req.body]))
"""
REACH_PY = """
app.use(json(), urlencoded(extended=True))
app.post('/', lambda req, res: res.json([getattr(req.body, 'admin', None), None, req.body]))
"""

# Large bodies are answered with their length.
LENGTH_JS = "app.post('/', (req, res, next) => req.body?.a ? res.json(req.body.a.length) : next())\n" + SHOW_JS
LENGTH_PY = (
    """
@app.post('/')
def length(req, res, next):
    return res.json(len(req.body['a'])) if req.body else next()
"""
    + SHOW_PY
)


def case(
    name: str, options_js: str, options_py: str, requests: list[Request], js: str = SHOW_JS, py: str = SHOW_PY
) -> Case:
    return Case(
        name,
        js=f"app.use(express.json({options_js}))\n{js}",
        py=f"app.use(json({options_py}))\n{py}",
        requests=requests,
    )


def encoded(coding: str, data: bytes, name: str | None = None) -> Request:
    headers: Headers = {"Content-Encoding": coding}
    return post("/", data, JSON, headers, name=name or coding)


CASES = [
    case(
        "bodies",
        "",
        "",
        [
            post("/", '{"a": 1, "b": [true, null, 1.5, "x"], "c": {"d": "\\u00e9\\n"}}', JSON, name="object"),
            post("/", "[1, 2]", JSON, name="array"),
            post("/", ' \r\n\t{"a": 1}\n ', JSON, name="white space around"),
            post("/", '{"caf\u00e9": "\u2713 \U0001f600"}', JSON, name="utf-8"),
            post("/", '{"a": 1, "a": 2}', JSON, name="the same key twice"),
            post("/", '{"__proto__": 1, "items": 2}', JSON, name="names of methods"),
            post("/", '{"a": 1, "b": -2.5, "c": 1e21, "d": 0.1}', JSON, name="numbers"),
            post("/", '{"a": -0, "b": 1.0, "c": 1E3}', JSON, name="numbers that JavaScript writes otherwise"),
            post("/", "{}", JSON, name="empty object"),
            post("/", "", JSON, name="empty body"),
            post("/", None, JSON, name="no body"),
            post("/", '{"a": 1}', None, name="no content type"),
            post("/", '{"a": 1}', "text/plain", name="another content type"),
            post("/", '{"a": 1}', "application/vnd.api+json", name="+json"),
            post("/", '{"a": 1}', "APPLICATION/JSON", name="upper case type"),
            post("/", '{"a": 1}', "application/json; charset=utf-8", name="charset utf-8"),
            post("/", '{"a": 1}', 'application/json; charset="UTF-8"', name="charset quoted"),
            post("/", '{"a": 1}', "application/json; boundary=x", name="other parameter"),
            post("/", '{"a": 1}', "nonsense", name="nonsense type"),
            post(
                "/",
                chunked(b'{"a"', b": 1}"),
                JSON,
                {"Content-Length": None, "Transfer-Encoding": "chunked"},
                name="chunked",
            ),
            post(
                "/", chunked(), JSON, {"Content-Length": None, "Transfer-Encoding": "chunked"}, name="chunked and empty"
            ),
            send("POST", "/", '{"a": 1}', {"Content-Type": JSON, "Expect": "100-continue"}, name="Expect"),
        ],
    ),
    Case(
        "bodies that are to reach more than themselves",
        js=REACH_JS,
        py=REACH_PY,
        requests=[
            *[
                post("/", text, JSON, name=text)
                for text in (
                    '{"__proto__":{"admin":true}}',
                    '{"constructor":{"prototype":{"admin":true}}}',
                    '{"a":{"__proto__":{"admin":true}},"hasOwnProperty":1,"toString":2,"toJSON":3,"length":4}',
                    '{"__class__":{"admin":true},"__dict__":1,"__init__":2,"get":3,"keys":4,"to_json":5}',
                    '{"admin":false,"admin":0}',
                    '{"":1,"\\u0000":2,"\\ud800":3}',
                    '{"a":1e400,"b":-1e400,"c":[1e999]}',
                )
            ],
            post("/", "[" * 100 + "]" * 100, JSON, name="nested 100 deep"),
            *[
                post("/", text, "application/x-www-form-urlencoded", name=text)
                for text in (
                    "__proto__[admin]=1&a=2",
                    "constructor[prototype][admin]=1&a[__proto__][admin]=2",
                    "[__proto__][admin]=1&a[][__proto__]=2",
                    "hasOwnProperty=1&toString=2&a[toJSON]=3&a[length]=4&__class__=5&keys=6",
                )
            ],
        ],
    ),
    case(
        "what cannot be parsed",
        "",
        "",
        [
            post("/", text, JSON, name=name)
            for name, text in {
                "half": '{"a": 1',
                "single quotes": "{'a': 1}",
                "trailing comma": "[1, 2,]",
                "trailing text": '{"a": 1} x',
                "a string": '"a"',
                "a number": "42",
                "true": "true",
                "null": "null",
                "a word": "hello",
                "only blanks": "  \n",
                "NaN": '{"a": NaN}',
                "Infinity": "[Infinity]",
                "leading zero": "[01]",
                "plus": "[+1]",
                "hex": "[0x1]",
                "control character": '["a\nb"]',
                "bad escape": '["\\x"]',
                "lone surrogate is fine": '["\\ud800"]',
                "byte order mark": '\ufeff{"a": 1}',
                "comment": '/* x */ {"a": 1}',
                "unquoted key": "{a: 1}",
                "nul": '{"a": 1}\0',
                "no-break space": '\u00a0{"a": 1}',
                "form feed": '\f{"a": 1}',
            }.items()
        ]
        + [post("/", b'{"a": "\xff\xfe"}', JSON, name="not utf-8")],
    ),
    case(
        "charsets",
        "",
        "",
        [
            post("/", '{"a": "\u00e9"}'.encode("utf-16"), "application/json; charset=utf-16", name="utf-16"),
            post("/", '{"a": "\u00e9"}'.encode("utf-16-le"), "application/json; charset=utf-16le", name="utf-16le"),
            post("/", '{"a": "\u00e9"}'.encode("utf-16-be"), "application/json; charset=utf-16be", name="utf-16be"),
            post("/", '{"a": "\u00e9"}'.encode("utf-32"), "application/json; charset=utf-32", name="utf-32"),
            post("/", '{"a": "\u00e9"}'.encode("latin-1"), "application/json; charset=iso-8859-1", name="latin"),
            post("/", '{"a": 1}', "application/json; charset=x-made-up", name="made up"),
            post("/", '{"a": 1}', "application/json; charset=utf-bogus", name="utf-bogus"),
            post("/", '{"a": 1}', "application/json; charset=", name="empty"),
        ],
    ),
    case(
        "content codings",
        "",
        "",
        [
            encoded("gzip", gzipped(b'{"a": 1}')),
            encoded("deflate", zlib.compress(b'{"a": 1}')),
            encoded("identity", b'{"a": 1}'),
            encoded("GZIP", gzipped(b'{"a": 1}')),
            encoded("compress", b'{"a": 1}'),
            encoded("gzip, deflate", b'{"a": 1}'),
            encoded("nulls", b'{"a": 1}'),
            encoded("gzip", b'{"a": 1}', "gzip that is none"),
            encoded("gzip", gzipped(b'{"a": 1}')[:-8], "gzip cut short"),
            encoded("deflate", b"nonsense", "deflate that is none"),
            encoded("gzip", gzipped(b'{"a": "' + b"x" * 200_000 + b'"}'), "gzip that grows too large"),
            encoded("gzip", gzipped(b""), "gzip of nothing"),
            encoded("gzip", gzipped(b'{"a":') + gzipped(b"1}"), "gzip in two members"),
            encoded("gzip", gzipped(b'{"a": 1}') + b"\0\0\0", "gzip and zeros"),
            encoded("gzip", gzipped(b'{"a": 1}') + b"more", "gzip and more"),
            encoded("deflate", zlib.compress(b'{"a": 1}') + b"more", "deflate and more"),
        ],
    ),
    case(
        "without inflate",
        "{ inflate: false }",
        "inflate=False",
        [encoded("gzip", gzipped(b'{"a": 1}')), encoded("identity", b'{"a": 1}'), encoded("br", b"x")],
    ),
    case(
        "the default limit",
        "",
        "",
        [
            post("/", '{"a":"' + "x" * (102400 - 8) + '"}', JSON, name="100kb"),
            post("/", '{"a":"' + "x" * (102401 - 8) + '"}', JSON, name="100kb and a byte"),
            post(
                "/",
                chunked(b'{"a":"' + b"x" * 60_000, b"y" * 60_000, b'"}'),
                JSON,
                {"Content-Length": None, "Transfer-Encoding": "chunked"},
                name="chunked beyond",
            ),
            post("/", "x" * 200_000, "text/plain", name="of another type"),
        ],
        LENGTH_JS,
        LENGTH_PY,
    ),
    *(
        case(
            f"limit {limit}",
            f"{{ limit: {limit} }}",
            f"limit={limit}",
            [
                post("/", '{"a":"' + "x" * (size - 8) + '"}', JSON, name=f"{size} bytes")
                for size in (10, 1024, 1025, 2000)
            ],
            LENGTH_JS,
            LENGTH_PY,
        )
        for limit in ("'1kb'", "1024", "'1.5KB'", "'1024'", "'1 kb'", "'10b'", "0", "'+1kb'", "1024.5")
    ),
    case(
        "not strict",
        "{ strict: false }",
        "strict=False",
        [
            post("/", text, JSON, name=text or "empty")
            for text in ("true", "42", '"a"', '{"a":1}', "", "hello", "  1  ", "[]")
        ],
    ),
    case(
        "type as text",
        "{ type: 'application/*+json' }",
        "type='application/*+json'",
        [post("/", '{"a": 1}', JSON, name="plain"), post("/", '{"a": 1}', "application/vnd.x+json", name="+json")],
    ),
    case(
        "types",
        "{ type: ['json', 'text/plain'] }",
        "type=['json', 'text/plain']",
        [
            post("/", '{"a": 1}', content_type, name=content_type)
            for content_type in (JSON, "text/plain", "text/html", "text/plain; charset=utf-8")
        ],
    ),
    case(
        "type as a function",
        "{ type: (req) => req.get('X-Json') === 'yes' }",
        "type=lambda req: req.get('X-Json') == 'yes'",
        [
            post("/", '{"a": 1}', JSON, name="no"),
            post("/", '{"a": 1}', "text/plain", {"X-Json": "yes"}, name="yes"),
            post("/", '{"a": 1}', None, {"X-Json": "yes"}, name="yes, without a type"),
        ],
    ),
    case(
        "any type",
        "{ type: '*/*' }",
        "type='*/*'",
        [post("/", '{"a": 1}', "text/html", name="html"), post("/", '{"a": 1}', None, name="none")],
    ),
    case(
        "reviver",
        "{ reviver: (key, value) => typeof value === 'number' ? value + 1 : value }",
        "reviver=lambda key, value: value + 1 if isinstance(value, int) else value",
        [post("/", '{"a": 1, "b": [2, {"c": 3}]}', JSON, name="numbers")],
    ),
    Case(
        "verify",
        js="""
        app.use(express.json({ verify: (req, res, body, encoding) => {
          req.seen = [body.length, encoding]
          if (body[0] === 0x5b) throw new Error('no arrays')
          if (body[0] === 0x20) throw Object.assign(new Error('no blanks'), { status: 401, type: 'blanks' })
        } }))
        app.post('/', (req, res) => res.json([req.seen ?? null, req.body ?? null]))
        app.use((err, req, res, next) => res.status(err.status).json([err.type, err.body?.toString() ?? null]))
        """,
        py="""
        def verify(req, res, body, encoding):
            req.seen = [len(body), encoding]
            if body[:1] == b'[':
                raise Exception('no arrays')
            if body[:1] == b' ':
                error = Exception('no blanks')
                error.status, error.type = 401, 'blanks'
                raise error
        app.use(json(verify=verify))
        app.post('/', lambda req, res: res.json([getattr(req, 'seen', None), req.body]))
        def failed(err, req, res, next):
            body = getattr(err, 'body', None)
            res.status(err.status).json([err.type, body.decode() if isinstance(body, bytes) else body])
        app.use(failed)
        """,
        requests=[
            post("/", '{"a": "\u00e9"}', JSON, name="fine"),
            post("/", "[1]", JSON, name="refused"),
            post("/", ' {"a":1}', JSON, name="refused with a status"),
            post("/", "{", JSON, name="cannot be parsed"),
            post("/", "x", "text/plain", name="of another type"),
            post("/", "{}", "application/json; charset=utf-bogus", name="charset"),
        ],
    ),
    Case(
        "errors nobody takes",
        js="app.use(express.json({ limit: 10 })); app.post('/', (req, res) => res.send('x'))",
        py="app.use(json(limit=10)); app.post('/', lambda req, res: res.send('x'))",
        requests=[
            post("/", "{", JSON, name="400"),
            post("/", '{"a": 1234567}', JSON, name="413"),
            post("/", "{}", "application/json; charset=latin1", name="415"),
            encoded("nonsense", b"{}", "415 coding"),
        ],
    ),
    Case(
        "no parser, and two parsers",
        js="""
        app.post('/none', (req, res) => res.json(req.body ?? null))
        app.use('/two', express.json(), express.json({ limit: 1 }))
        app.use('/both', express.json(), express.urlencoded({ extended: false }))
        app.use((req, res) => res.json(req.body ?? null))
        """,
        py="""
        app.post('/none', lambda req, res: res.json(req.body))
        app.use('/two', json(), json(limit=1))
        app.use('/both', json(), urlencoded(extended=False))
        app.use(lambda req, res: res.json(req.body))
        """,
        requests=[
            post("/none", "{}", JSON),
            post("/two", '{"a": 1}', JSON),
            post("/both", '{"a": 1}', JSON, name="both, json"),
            post("/both", "a=1", "application/x-www-form-urlencoded", name="both, form"),
            post("/both", "a=1", "text/plain", name="both, neither"),
            get("/both", {"Content-Type": JSON}, name="GET"),
            send("GET", "/both", '{"a": 1}', {"Content-Type": JSON}, name="GET with a body"),
            send("DELETE", "/both", '{"a": 1}', {"Content-Type": JSON}, name="DELETE with a body"),
        ],
    ),
]
