"""``req.headers``, changed by middleware: what reads a header reads the change."""

from __future__ import annotations

from .case import Case, get, gzipped, post

CHANGE_JS = """
app.use((req, res, next) => {
  const { drop, set, to } = req.query
  if (drop) delete req.headers[drop]
  if (set) req.headers[set] = to
  next()
})
"""
CHANGE_PY = """
@app.use
def change(req, res, next):
    drop, set, to = req.query.drop, req.query.set, req.query.to
    if drop:
        req.headers.pop(drop, None)
    if set:
        req.headers[set] = to
    next()
"""
SHOW_JS = """
app.set('trust proxy', true)
app.get('/', (req, res) => res.json([
  Object.keys(req.headers).filter((name) => !['host', 'connection'].includes(name)).sort(),
  req.get('X-User') ?? null, req.get('Referrer') ?? null, req.get('Authorization') ?? null, req.xhr,
  req.accepts('html', 'json'), req.acceptsEncodings('gzip', 'br'), req.acceptsCharsets('utf-8', 'latin1'),
  req.acceptsLanguages('en', 'de'), req.protocol, req.secure, req.ip === '203.0.113.1', req.ips, req.host ?? null,
  req.hostname ?? null, req.subdomains, req.range(100) ?? null]))
"""
SHOW_PY = """
app.set('trust proxy', True)
app.get('/', lambda req, res: res.json([
    sorted(name for name in req.headers if name not in ('host', 'connection')),
    req.get('X-User'), req.get('Referrer'), req.get('Authorization'), req.xhr,
    req.accepts('html', 'json'), req.accepts_encodings('gzip', 'br'), req.accepts_charsets('utf-8', 'latin1'),
    req.accepts_languages('en', 'de'), req.protocol, req.secure, req.ip == '203.0.113.1', req.ips, req.host,
    req.hostname, req.subdomains, [{'start': a, 'end': b} for a, b in req.range(100)] if req.range(100) else None]))
"""
PARSE_JS = """
app.use(express.json({ limit: 20 }), express.urlencoded())
app.post('/', (req, res) => res.json([req.body ?? null, req.is('json'), req.is('urlencoded')]))
app.use((err, req, res, next) => res.status(err.status).json(err.type))
"""
PARSE_PY = """
app.use(json(limit=20), urlencoded())
app.post('/', lambda req, res: res.json([req.body, req.is_('json'), req.is_('urlencoded')]))
app.use(lambda err, req, res, next: res.status(err.status).json(err.type))
"""
SENT = {
    "X-User": "Ada",
    "Referer": "http://a/",
    "Authorization": "Basic dTpw",
    "X-Requested-With": "XMLHttpRequest",
    "Accept": "application/json",
    "Accept-Encoding": "br",
    "Accept-Charset": "latin1",
    "Accept-Language": "de",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "203.0.113.1, 203.0.113.2",
    "X-Forwarded-Host": "a.b.example.com",
    "Range": "bytes=0-9",
}
CHANGED = {
    "x-user": "Bob",
    "referrer": "http%3A%2F%2Fb%2F",
    "authorization": "Bearer%20x",
    "x-requested-with": "fetch",
    "accept": "text%2Fhtml",
    "accept-encoding": "gzip",
    "accept-charset": "utf-8",
    "accept-language": "en",
    "x-forwarded-proto": "http",
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-host": "c.example.com:81",
    "host": "other.example",
    "range": "bytes%3D5-",
}

DATE = "Tue, 02 Jan 2024 03:04:05 GMT"

CASES = [
    Case(
        "a field that was changed, added or deleted",
        js=CHANGE_JS + SHOW_JS,
        py=CHANGE_PY + SHOW_PY,
        requests=[
            *[get(f"/?set={name}&to={value}", SENT, name=f"{name} changed") for name, value in CHANGED.items()],
            *[get(f"/?set={name}&to={value}", name=f"{name} added") for name, value in CHANGED.items()],
            *[get(f"/?drop={name.lower()}", SENT, name=f"{name} deleted") for name in (*SENT, "Host", "Nothing")],
            get("/?set=x_user&to=x", SENT, name="a name with an underscore"),
        ],
    ),
    Case(
        "conditions that were changed, added or deleted",
        js=CHANGE_JS + f"app.get('/', (req, res) => res.set('Last-Modified', '{DATE}').send('x'))",
        py=CHANGE_PY + f"app.get('/', lambda req, res: res.set('Last-Modified', '{DATE}').send('x'))",
        requests=[
            get("/?set=if-none-match&to=*", name="If-None-Match added"),
            get("/?drop=if-none-match", {"If-None-Match": "*"}, name="If-None-Match deleted"),
            get("/?set=if-none-match&to=no", {"If-None-Match": "*"}, name="If-None-Match changed"),
            get("/?drop=if-modified-since", {"If-Modified-Since": DATE}, name="If-Modified-Since deleted"),
            get("/?set=cache-control&to=no-cache", {"If-None-Match": "*"}, name="Cache-Control added"),
        ],
    ),
    Case(
        "a file, with a condition or a range that was changed",
        js=CHANGE_JS + "app.use(express.static(FILES, { etag: false, lastModified: false }))",
        py=CHANGE_PY + "app.use(static(FILES, etag=False, last_modified=False))",
        requests=[
            get("/hello.txt?set=range&to=bytes%3D0-1", name="Range added"),
            get("/hello.txt?drop=range", {"Range": "bytes=0-1"}, name="Range deleted"),
            get("/hello.txt?set=if-match&to=x", name="If-Match added"),
            get("/hello.txt?drop=if-match", {"If-Match": "x"}, name="If-Match deleted"),
        ],
    ),
    Case(
        "a body whose description was changed",
        js=CHANGE_JS + PARSE_JS,
        py=CHANGE_PY + PARSE_PY,
        requests=[
            post("/?set=content-type&to=application%2Fjson", '{"a":1}', "text/plain", name="Content-Type changed"),
            post("/?set=content-type&to=application%2Fjson", '{"a":1}', name="Content-Type added"),
            post("/?drop=content-type", '{"a":1}', "application/json", name="Content-Type deleted"),
            post(
                "/?set=content-type&to=application%2Fjson%3B%20charset%3Dx",
                '{"a":1}',
                "application/json",
                name="charset changed",
            ),
            post(
                "/?set=content-encoding&to=gzip", gzipped(b'{"a":1}'), "application/json", name="Content-Encoding added"
            ),
            post(
                "/?drop=content-encoding",
                '{"a":1}',
                "application/json",
                {"Content-Encoding": "gzip"},
                name="Content-Encoding deleted",
            ),
            post("/?drop=content-length", '{"a":1}', "application/json", name="Content-Length deleted"),
            post("/?set=content-length&to=x", '{"a":1}', "application/json", name="Content-Length no number"),
            post("/?set=content-length&to=3", '{"a":1}', "application/json", name="Content-Length too small"),
            post("/?set=content-length&to=9", '{"a":1}', "application/json", name="Content-Length too large"),
            post("/?set=content-length&to=21", '{"a":1}', "application/json", name="Content-Length above the limit"),
            post(
                "/?set=transfer-encoding&to=chunked&drop=content-length",
                '{"a":1}',
                "application/json",
                name="Transfer-Encoding in its place",
            ),
        ],
    ),
]
