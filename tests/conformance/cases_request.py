"""The members of a request that a handler reads."""

from __future__ import annotations

from .case import Case, get, gets, head, post, raw, send

ACCEPTS = [
    None,
    "",
    "*/*",
    "text/html",
    "text/*",
    "application/json",
    "text/html, application/json",
    "application/json;q=0.5, text/html",
    "text/html;q=0, */*",
    "text/plain;q=0.3, text/html;q=0.7, text/html;level=1, */*;q=0.5",
    "image/*,*/*;q=0.1",
    "TEXT/HTML",
    "text/html;level=1",
    "nonsense",
    "text/html;q=nonsense",
    "text/html;q=2",
    "text/html ; q=0.1 , application/json",
    'text/html;a="b,c";q=0.2, application/json;q=0.1',
    ",,,",
    "application/vnd.x+json",
    "text/html;q=0.001, application/json;q=0.0001",
]

CASES = [
    Case(
        "the parts of the request line",
        js="""
        app.use((req, res) => res.json([req.method, req.url, req.originalUrl, req.path, req.baseUrl, req.query]))
        """,
        py="""
        app.use(lambda req, res: res.json([req.method, req.url, req.original_url, req.path, req.base_url, req.query]))
        """,
        requests=[
            *gets("/ /a/b?c=d /a%20b?c=%20 //a//b// /a;b=c /? /a?b?c /café /a/../b /%2e%2e%2f"),
            send("PUT", "/x"),
            raw(b"GET /old HTTP/1.0\r\n\r\n"),
            raw(b"GET /old HTTP/1.0\r\nHost: test.example\r\n\r\n", name="HTTP/1.0 with Host"),
        ],
    ),
    Case(
        "headers",
        js="""
        app.get('/', (req, res) => {
          const { host, connection, ...rest } = req.headers
          res.json(rest)
        })
        app.get('/get', (req, res) => res.json([req.get('X-Custom') ?? null, req.get('x-custom') ?? null,
          req.header('X-CUSTOM') ?? null, req.get('Referrer') ?? null, req.get('Referer') ?? null,
          req.get('Content-Type') ?? null, req.get('Host')]))
        """,
        py="""
        @app.get('/')
        def headers(req, res):
            res.json({name: value for name, value in req.headers.items() if name not in ('host', 'connection')})
        app.get('/get', lambda req, res: res.json([req.get('X-Custom'), req.get('x-custom'), req.header('X-CUSTOM'),
                                                   req.get('Referrer'), req.get('Referer'), req.get('Content-Type'),
                                                   req.get('Host')]))
        """,
        requests=[
            get("/"),
            get("/", {"X-Custom": "a"}),
            get("/", {"X-Custom": ["a", "b"]}),
            get("/", {"X-Custom": ""}),
            get("/", {"X-Custom": "  padded \t"}),
            get("/", {"X-Custom": "caf\xe9"}),
            get("/", {"Cookie": ["a=1", "b=2"]}),
            get("/", {"User-Agent": ["one", "two"]}),
            get("/", {"Accept": ["text/html", "text/plain"]}),
            get("/", {"Content-Type": "text/plain"}),
            get("/", {"X-Forwarded-For": ["1.1.1.1", "2.2.2.2"]}),
            get("/", {"Referer": ["http://a/", "http://b/"]}),
            get("/", {"Authorization": "Basic dTpw"}),
            get("/", {"If-None-Match": ['"a"', '"b"']}),
            get("/", {"Etag": ["a", "b"]}),
            get("/get"),
            get("/get", {"X-Custom": "v", "Referer": "http://a/", "Content-Type": "text/plain"}),
            get("/get", {"Referrer": "http://r/", "Referer": "http://a/"}),
            get("/get", {"Referrer": "http://r/"}),
        ],
    ),
    Case(
        "accepts",
        js="""
        app.get('/', (req, res) => res.json([req.accepts('html', 'json'), req.accepts(['json', 'html']),
          req.accepts('text/html'), req.accepts('png'), req.accepts('text/plain', 'html'), req.accepts()]))
        """,
        py="""
        app.get('/', lambda req, res: res.json([req.accepts('html', 'json'), req.accepts(['json', 'html']),
                                                req.accepts('text/html'), req.accepts('png'),
                                                req.accepts('text/plain', 'html'), req.accepts()]))
        """,
        requests=[get("/", {"Accept": accept}) for accept in ACCEPTS],
    ),
    Case(
        "accepts_encodings",
        js="""
        app.get('/', (req, res) => res.json([req.acceptsEncodings('gzip', 'deflate', 'br'),
          req.acceptsEncodings('identity'), req.acceptsEncodings(['br', 'gzip']), req.acceptsEncodings()]))
        """,
        py="""
        app.get('/', lambda req, res: res.json([req.accepts_encodings('gzip', 'deflate', 'br'),
                                                req.accepts_encodings('identity'),
                                                req.accepts_encodings(['br', 'gzip']), req.accepts_encodings()]))
        """,
        requests=[
            get("/", {"Accept-Encoding": value})
            for value in (
                None,
                "",
                "gzip",
                "gzip, deflate",
                "gzip;q=0.5, deflate",
                "*",
                "*;q=0",
                "identity;q=0, gzip",
                "br;q=0, *",
                "GZIP",
                "gzip, br;q=0.9, *;q=0.1",
            )
        ],
    ),
    Case(
        "accepts_charsets",
        js="""
        app.get('/', (req, res) => res.json([req.acceptsCharsets('utf-8', 'iso-8859-1'), req.acceptsCharsets('utf-8'),
          req.acceptsCharsets()]))
        """,
        py="""
        app.get('/', lambda req, res: res.json([req.accepts_charsets('utf-8', 'iso-8859-1'),
                                                req.accepts_charsets('utf-8'), req.accepts_charsets()]))
        """,
        requests=[
            get("/", {"Accept-Charset": value})
            for value in (None, "", "utf-8", "UTF-8", "iso-8859-1, utf-8;q=0.5", "*", "utf-8;q=0, *", "us-ascii")
        ],
    ),
    Case(
        "accepts_languages",
        js="""
        app.get('/', (req, res) => res.json([req.acceptsLanguages('en', 'fr'), req.acceptsLanguages(['fr', 'en']),
          req.acceptsLanguages('en-US'), req.acceptsLanguages()]))
        """,
        py="""
        app.get('/', lambda req, res: res.json([req.accepts_languages('en', 'fr'), req.accepts_languages(['fr', 'en']),
                                                req.accepts_languages('en-US'), req.accepts_languages()]))
        """,
        requests=[
            get("/", {"Accept-Language": value})
            for value in (
                None,
                "",
                "en",
                "en-US",
                "fr;q=0.8, en",
                "en-US,en;q=0.9,fr;q=0.8",
                "*",
                "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5",
                "en;q=0, *",
                "EN-us",
                "de",
            )
        ],
    ),
    Case(
        "is_",
        js="""
        app.post('/', (req, res) => res.json([req.is('html'), req.is('json'), req.is('text/*'), req.is('*/*'),
          req.is(['json', 'urlencoded', 'multipart']), req.is('+json'), req.is('application/*'), req.is('*/json'),
          req.is(), req.is('text/html', 'text/plain')]))
        """,
        py="""
        app.post('/', lambda req, res: res.json([
            req.is_('html'), req.is_('json'), req.is_('text/*'), req.is_('*/*'),
            req.is_(['json', 'urlencoded', 'multipart']), req.is_('+json'), req.is_('application/*'),
            req.is_('*/json'), req.is_(), req.is_('text/html', 'text/plain')]))
        """,
        requests=[
            *(
                post("/", "x", content_type)
                for content_type in (
                    "text/html",
                    "text/html; charset=utf-8",
                    "TEXT/HTML",
                    "text/plain",
                    "application/json",
                    "application/vnd.api+json",
                    "application/x-www-form-urlencoded",
                    "multipart/form-data; boundary=x",
                    "image/png",
                    "nonsense",
                    "text/html;;",
                    None,
                )
            ),
            post("/", None, "text/html", name="POST / without a body"),
            post("/", "", "text/html", name="POST / with an empty body"),
            post(
                "/",
                "0\r\n\r\n",
                "text/html",
                {"Content-Length": None, "Transfer-Encoding": "chunked"},
                name="POST / chunked",
            ),
        ],
    ),
    Case(
        "range",
        js="""
        const plain = (ranges) => typeof ranges === 'number' ? ranges
          : ranges === undefined ? null : [ranges.type, ranges.map(({ start, end }) => [start, end])]
        app.get('/', (req, res) => res.json([plain(req.range(100)), plain(req.range(100, { combine: true }))]))
        """,
        py="""
        def plain(ranges):
            if ranges is None or isinstance(ranges, int):
                return ranges
            return [ranges.type, [[start, end] for start, end in ranges]]
        app.get('/', lambda req, res: res.json([plain(req.range(100)), plain(req.range(100, combine=True))]))
        """,
        requests=[
            get("/", {"Range": value})
            for value in (
                None,
                "",
                "bytes=0-49",
                "bytes=50-",
                "bytes=-10",
                "bytes=0-0",
                "bytes=0-999",
                "bytes=100-",
                "bytes=-0",
                "bytes=-200",
                "bytes=0-9,20-29",
                "bytes=0-9,5-20,90-",
                "bytes=20-29,0-9",
                "bytes=0-9,200-",
                "bytes=5-1",
                "bytes=a-b",
                "bytes=",
                "bytes",
                "items=0-5",
                "bytes= 0 - 9 ",
                "bytes=0-9, 10-19",
                "bytes=1.5-3",
                "bytes=0x1-3",
                "nonsense=",
            )
        ],
    ),
    Case(
        "xhr",
        js="app.get('/', (req, res) => res.json(req.xhr))",
        py="app.get('/', lambda req, res: res.json(req.xhr))",
        requests=[
            get("/"),
            get("/", {"X-Requested-With": "XMLHttpRequest"}),
            get("/", {"X-Requested-With": "xmlhttprequest"}),
            get("/", {"X-Requested-With": "fetch"}),
        ],
    ),
    Case(
        "fresh and stale",
        js="""
        app.all('/', (req, res) => {
          res.set({ ETag: '"v1"', 'Last-Modified': 'Tue, 02 Jan 2024 03:04:05 GMT' })
          if (req.query.status) res.status(Number(req.query.status))
          const answer = JSON.stringify([req.fresh, req.stale])
          res.removeHeader('ETag')
          res.removeHeader('Last-Modified')
          res.end(answer)
        })
        """,
        py="""
        @app.all('/')
        def show(req, res):
            res.set({'ETag': '"v1"', 'Last-Modified': 'Tue, 02 Jan 2024 03:04:05 GMT'})
            if req.query.status:
                res.status(int(req.query.status))
            answer = '[' + ','.join(str(value).lower() for value in (req.fresh, req.stale)) + ']'
            res.remove_header('ETag')
            res.remove_header('Last-Modified')
            res.end(answer)
        """,
        requests=[
            get("/"),
            get("/", {"If-None-Match": '"v1"'}),
            get("/", {"If-None-Match": 'W/"v1"'}),
            get("/", {"If-None-Match": '"v2"'}),
            get("/", {"If-None-Match": "*"}),
            get("/", {"If-None-Match": ' "a" , "v1" '}),
            get("/", {"If-None-Match": ""}),
            get("/", {"If-Modified-Since": "Tue, 02 Jan 2024 03:04:05 GMT"}),
            get("/", {"If-Modified-Since": "Tue, 02 Jan 2024 03:04:04 GMT"}),
            get("/", {"If-Modified-Since": "Tuesday, 02-Jan-24 03:04:05 GMT"}),
            get("/", {"If-Modified-Since": "never"}),
            get("/", {"If-None-Match": '"v1"', "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}),
            get("/", {"If-None-Match": '"v1"', "Cache-Control": "no-cache"}),
            get("/", {"If-None-Match": '"v1"', "Cache-Control": "max-age=0"}),
            get("/", {"If-None-Match": '"v1"', "Cache-Control": "max-age=0,no-cache"}),
            get("/", {"If-None-Match": '"v1"', "Cache-Control": "no-cachex"}),
            get("/?status=404", {"If-None-Match": '"v1"'}),
            get("/?status=201", {"If-None-Match": '"v1"'}),
            send("PUT", "/", None, {"If-None-Match": '"v1"'}),
            head("/", {"If-None-Match": '"v1"'}),
        ],
    ),
    Case(
        "cookies without cookie-parser",
        js="app.get('/', (req, res) => res.json([req.get('Cookie') ?? null, res.get('Set-Cookie') ?? null]))",
        py="app.get('/', lambda req, res: res.json([req.get('Cookie'), res.get('Set-Cookie')]))",
        requests=[get("/"), get("/", {"Cookie": "a=b; c=d"})],
    ),
    Case(
        "app, res and locals",
        js="""
        app.locals.title = 'My App'
        app.get('/', (req, res) => res.json([req.app === app, res.app === app, req.res === res, res.req === req,
          req.app.locals.title, res.locals, app.get('env'), app.enabled('x-powered-by'), app.disabled('etag'),
          app.get('none') ?? null, app.mountpath, app.path()]))
        """,
        py="""
        app.locals.title = 'My App'
        app.get('/', lambda req, res: res.json([
            req.app is app, res.app is app, req.res is res, res.req is req,
            req.app.locals.title, res.locals, app.get('env'), app.enabled('x-powered-by'), app.disabled('etag'),
            app.get('none'), app.mountpath, app.path()]))
        """,
        requests=[get("/")],
    ),
]
