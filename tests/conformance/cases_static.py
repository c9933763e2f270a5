"""``static``."""

from __future__ import annotations

from .case import Case, get, gets, head, post, send

ETAG = 'W/"a-18cc820d888"'
THEN = "Tue, 02 Jan 2024 03:04:05 GMT"
BEFORE = "Mon, 01 Jan 2024 03:04:05 GMT"
AFTER = "Wed, 03 Jan 2024 03:04:05 GMT"


def served(name: str, options_js: str, options_py: str, targets: str) -> Case:
    return Case(
        name,
        js=f"app.use(express.static(FILES{', ' if options_js else ''}{options_js}))",
        py=f"app.use(static(FILES{', ' if options_py else ''}{options_py}))",
        requests=gets(targets),
    )


CASES = [
    served(
        "files",
        "",
        "",
        "/hello.txt /index.html / /empty.txt /data.json /style.css /script.js /image.svg "
        "/pixel.png /noextension /unknown.zzz /UPPER.TXT /upper.txt /readme.md "
        "/archive.tar.gz /bytes.bin /name%20with%20spaces.txt /name+with+spaces.txt "
        "/%C3%A9t%C3%A9.txt /100%25.txt /100%.txt /a%23b.txt /hello.txt?query=1 /hello%2Etxt "
        "/plain/file.txt /plain%2Ffile.txt /nope.txt /nope/nope.txt /hello.txt/ /hello.txt/x "
        "//hello.txt /plain//file.txt /./hello.txt /plain/./file.txt"
        " /" + "x" * 300,
    ),
    served(
        "directories",
        "",
        "",
        "/docs /docs/ /docs/index.html /docs?a=b /docs/?a=b /plain /plain/ //docs /docs// "
        "/%64ocs /docs%2F http://test.example/docs",
    ),
    served(
        "directories asked for in absolute form",
        "",
        "",
        "http://test.example//docs http://test.example///docs http://test.example:80//docs?next=//docs "
        "https://test.example//docs http://test.example//%64ocs http://test.example//docs/. http://test.example//docs/",
    ),
    served(
        "traversal and other tricks",
        "",
        "",
        "/../conformance/case.py /%2e%2e/case.py /%2e%2e%2fcase.py /..%2fcase.py "
        "/docs/../hello.txt /docs/%2e%2e/hello.txt /docs/..%2f..%2fcase.py "
        "/docs/../../case.py /.. /%2e%2e /../ /..%5ccase.py /hello.txt%00 /%00 "
        "/hello.txt%00.html /% /%zz /%FF /... /..hello.txt /%252e%252e/case.py //../case.py "
        "/docs/.../x /~root",
    ),
    served("dotfiles", "", "", "/.dotfile /.dotdir/inner.txt /.dotdir/ /.dotdir /.nope /%2edotfile"),
    served(
        "dotfiles allowed",
        "{ dotfiles: 'allow' }",
        "dotfiles='allow'",
        "/.dotfile /.dotdir/inner.txt /.dotdir /.nope /.. /%2e%2e/case.py",
    ),
    served(
        "dotfiles denied",
        "{ dotfiles: 'deny' }",
        "dotfiles='deny'",
        "/.dotfile /.dotdir/inner.txt /.dotdir/ /.nope /hello.txt",
    ),
    served(
        "without fallthrough",
        "{ fallthrough: false }",
        "fallthrough=False",
        "/hello.txt /nope.txt /%zz /../case.py /plain/ /plain /.dotfile /%00 /hello.txt/",
    ),
    served("without redirect", "{ redirect: false }", "redirect=False", "/docs /docs/ /plain /plain/"),
    served("without index", "{ index: false }", "index=False", "/ /docs/ /docs /docs/index.html"),
    served("another index", "{ index: 'other.txt' }", "index='other.txt'", "/docs/ / /docs/index.html"),
    served(
        "several indexes",
        "{ index: ['nope.html', 'other.txt', 'index.html'] }",
        "index=['nope.html', 'other.txt', 'index.html']",
        "/docs/ / /plain/",
    ),
    served(
        "extensions",
        "{ extensions: ['htm', 'html', 'txt'] }",
        "extensions=['htm', 'html', 'txt']",
        "/docs/page /hello /index /plain /plain/file /nope /hello.txt /docs/page/ /noextension",
    ),
    served("max_age", "{ maxAge: 3600000 }", "max_age=3600000", "/hello.txt"),
    served("max_age as text", "{ maxAge: '1d' }", "max_age='1d'", "/hello.txt"),
    served("max_age beyond a year", "{ maxAge: Infinity }", "max_age=float('inf')", "/hello.txt"),
    served("max_age with a part", "{ maxAge: 1500 }", "max_age=1500", "/hello.txt"),
    served("immutable", "{ maxAge: '1y', immutable: true }", "max_age='1y', immutable=True", "/hello.txt /docs"),
    served(
        "nothing to validate with",
        "{ etag: false, lastModified: false, cacheControl: false, acceptRanges: false }",
        "etag=False, last_modified=False, cache_control=False, accept_ranges=False",
        "/hello.txt",
    ),
    Case(
        "set_headers",
        js="""
        app.use(express.static(FILES, { setHeaders: (res, file, stat) => {
          res.set('X-File', path.basename(file) + ' ' + stat.size)
          if (file.endsWith('.md')) res.set('Content-Type', 'text/x-markdown')
          if (file.endsWith('.css')) res.set('Cache-Control', 'no-store')
        } }))
        """,
        py="""
        import os
        def set_headers(res, file, stat):
            res.set('X-File', os.path.basename(file) + ' ' + str(stat.st_size))
            if str(file).endswith('.md'):
                res.set('Content-Type', 'text/x-markdown')
            if str(file).endswith('.css'):
                res.set('Cache-Control', 'no-store')
        app.use(static(FILES, set_headers=set_headers))
        """,
        requests=[
            *gets("/hello.txt /readme.md /style.css /nope /docs"),
            head("/hello.txt"),
        ],
    ),
    Case(
        "methods",
        js="app.use(express.static(FILES)); app.use('/strict', express.static(FILES, { fallthrough: false }))",
        py="app.use(static(FILES)); app.use('/strict', static(FILES, fallthrough=False))",
        requests=[
            head("/hello.txt"),
            head("/docs"),
            head("/nope"),
            head("/empty.txt"),
            post("/hello.txt"),
            send("OPTIONS", "/hello.txt"),
            send("PUT", "/strict/hello.txt"),
            post("/strict/hello.txt", "x", "text/plain"),
            send("OPTIONS", "/strict/nope"),
        ],
    ),
    Case(
        "mounted",
        js="""
        app.use('/assets', express.static(FILES))
        app.use('/:any/deep', express.static(FILES))
        const router = express.Router()
        router.use(express.static(FILES))
        app.use('/router', router)
        app.use((req, res) => res.status(404).send('fell through ' + req.url))
        """,
        py="""
        app.use('/assets', static(FILES))
        app.use('/:any/deep', static(FILES))
        router = Router()
        router.use(static(FILES))
        app.use('/router', router)
        app.use(lambda req, res: res.status(404).send('fell through ' + req.url))
        """,
        requests=[
            get(target)
            for target in (
                "/assets",
                "/assets/",
                "/assets?x=1",
                "/assets/hello.txt",
                "/assets/docs",
                "/assets/docs?x=%20y",
                "/assets/nope",
                "/assets/../case.py",
                "/assetshello.txt",
                "/a%20b/deep/docs",
                "/x/deep",
                "/router",
                "/router/docs",
                "/router/hello.txt",
            )
        ],
    ),
    Case(
        "several roots",
        js="""
        app.use(express.static(path.join(FILES, 'plain')), express.static(path.join(FILES, 'docs')))
        app.use('/file', express.static(path.join(FILES, 'hello.txt')))
        app.use('/nowhere', express.static(path.join(FILES, 'nowhere')))
        """,
        py="""
        app.use(static(FILES + '/plain'), static(FILES + '/docs'))
        app.use('/file', static(FILES + '/hello.txt'))
        app.use('/nowhere', static(FILES + '/nowhere'))
        """,
        requests=[
            get(t) for t in ("/file.txt", "/page.html", "/", "/file", "/file/", "/file/x", "/nowhere/x", "/nope")
        ],
    ),
    Case(
        "what the answer had already",
        js="""
        app.use((req, res, next) => {
          res.set({ 'X-Kept': '1', 'Cache-Control': 'private', 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
            ETag: '"own"', 'Content-Type': 'text/x-own', 'Accept-Ranges': 'none' })
          if (req.query.status) res.status(Number(req.query.status))
          next()
        }, express.static(FILES))
        """,
        py="""
        def before(req, res, next):
            res.set({'X-Kept': '1', 'Cache-Control': 'private', 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
                     'ETag': '"own"', 'Content-Type': 'text/x-own', 'Accept-Ranges': 'none'})
            if req.query.status:
                res.status(int(req.query.status))
            next()
        app.use(before)
        app.use(static(FILES))
        """,
        requests=[
            get("/digits.txt"),
            get("/digits.txt", {"If-None-Match": '"own"'}),
            get("/digits.txt?status=404"),
            get("/digits.txt?status=404", {"If-None-Match": '"own"'}, name="404 is not fresh"),
            get("/digits.txt", {"Range": "bytes=0-1"}),
            get("/digits.txt", {"Range": "bytes=50-"}),
            get("/docs"),
            get("/nope"),
        ],
    ),
    Case(
        "ranges",
        js="app.use(express.static(FILES)); app.use('/none', express.static(FILES, { acceptRanges: false }))",
        py="app.use(static(FILES)); app.use('/none', static(FILES, accept_ranges=False))",
        requests=[
            *(
                get("/digits.txt", {"Range": value})
                for value in (
                    "bytes=0-4",
                    "bytes=5-",
                    "bytes=-3",
                    "bytes=0-0",
                    "bytes=9-9",
                    "bytes=0-",
                    "bytes=0-100",
                    "bytes=-100",
                    "bytes=10-",
                    "bytes=50-60",
                    "bytes=-0",
                    "bytes=5-2",
                    "bytes=0-1,4-5",
                    "bytes=0-1,2-3",
                    "bytes=0-4,3-6",
                    "bytes=0-1,50-",
                    "bytes=a-b",
                    "bytes=",
                    "items=0-4",
                    " bytes=0-4",
                    "bytes= 0-4",
                    "BYTES=0-4",
                    "0-4",
                    "bytes=0-4;x",
                    "bytes=0-1-2",
                    "bytes=99999999999999999999-",
                )
            ),
            head("/digits.txt", {"Range": "bytes=0-4"}),
            head("/digits.txt", {"Range": "bytes=50-"}),
            get("/empty.txt", {"Range": "bytes=0-0"}),
            get("/empty.txt", {"Range": "bytes=-1"}),
            get("/none/digits.txt", {"Range": "bytes=0-4"}),
            *(
                get("/digits.txt", {"Range": "bytes=0-4", "If-Range": value})
                for value in (
                    ETAG,
                    '"other"',
                    f'"x", {ETAG}',
                    THEN,
                    BEFORE,
                    AFTER,
                    "nonsense",
                    ETAG.removeprefix("W/"),
                    "",
                )
            ),
        ],
    ),
    Case(
        "conditionals",
        js="app.use(express.static(FILES))",
        py="app.use(static(FILES))",
        requests=[
            get("/digits.txt", headers)
            for headers in (
                {"If-None-Match": ETAG},
                {"If-None-Match": ETAG.removeprefix("W/")},
                {"If-None-Match": "*"},
                {"If-None-Match": '"other"'},
                {"If-None-Match": f'"other", {ETAG}'},
                {"If-None-Match": ETAG, "Cache-Control": "no-cache"},
                {"If-Modified-Since": THEN},
                {"If-Modified-Since": AFTER},
                {"If-Modified-Since": BEFORE},
                {"If-Modified-Since": "nonsense"},
                {"If-Modified-Since": "Tuesday, 02-Jan-24 03:04:05 GMT"},
                {"If-Modified-Since": AFTER, "If-None-Match": '"other"'},
                {"If-Modified-Since": BEFORE, "If-None-Match": ETAG},
                {"If-Match": ETAG},
                {"If-Match": ETAG.removeprefix("W/")},
                {"If-Match": "*"},
                {"If-Match": '"other"'},
                {"If-Match": f'"other" , {ETAG}'},
                {"If-Match": '"other"', "If-None-Match": ETAG},
                {"If-Unmodified-Since": THEN},
                {"If-Unmodified-Since": AFTER},
                {"If-Unmodified-Since": BEFORE},
                {"If-Unmodified-Since": "nonsense"},
                {"If-None-Match": ETAG, "Range": "bytes=0-1"},
                {"If-Match": '"other"', "Range": "bytes=0-1"},
            )
        ]
        + [
            head("/digits.txt", {"If-None-Match": ETAG}),
            head("/digits.txt", {"If-Match": '"other"'}),
            get("/", {"If-None-Match": "*"}),
            get("/docs", {"If-None-Match": "*"}),
        ],
    ),
    Case(
        "errors reach the error handlers",
        js="""
        app.use(express.static(FILES))
        app.use('/strict', express.static(FILES, { fallthrough: false }))
        app.use((err, req, res, next) => res.status(err.status).json([err.status, err.message, req.baseUrl, req.url]))
        """,
        py="""
        app.use(static(FILES))
        app.use('/strict', static(FILES, fallthrough=False))
        app.use(lambda err, req, res, next: res.status(err.status).json([err.status, err.message, req.base_url,
                                                                         req.url]))
        """,
        requests=[
            get("/digits.txt", {"Range": "bytes=50-"}),
            get("/digits.txt", {"If-Match": '"other"'}),
            get("/strict/%zz"),
            get("/strict/../case.py"),
            get("/strict/.dotfile"),
        ],
    ),
]
