"""The deliberate differences of miniexpress: each request is in ``differences.py``, with the answer that it gets."""

from __future__ import annotations

from .case import Case, get, gets, post, raw, send
from .cases_response_cookies import EXPIRES
from .cases_sessions import signed

CASES = [
    Case(
        "headers of the answer",
        js="""
        app.get('/null', (req, res) => res.set('X-Null', null).end())
        app.get('/unknown-type', (req, res) => res.set('Content-Type', 'unknown').end())
        app.get('/latin', (req, res) => res.set('X-Latin', 'caf\\u00e9').end('text'))
        app.get('/no-content', (req, res) => res.redirect(204, '/'))
        app.get('/unknown-status', (req, res) => res.redirect(299, '/'))
        app.get('/rare-extension', (req, res) => res.type('abw').end())
        """,
        py="""
        app.get('/null', lambda req, res: res.set('X-Null', None).end())
        app.get('/unknown-type', lambda req, res: res.set('Content-Type', 'unknown').end())
        app.get('/latin', lambda req, res: res.set('X-Latin', 'caf\\u00e9').end('text'))
        app.get('/no-content', lambda req, res: res.redirect(204, '/'))
        app.get('/unknown-status', lambda req, res: res.redirect(299, '/'))
        app.get('/rare-extension', lambda req, res: res.type('abw').end())
        """,
        requests=gets("/null /unknown-type /latin /no-content /unknown-status /rare-extension"),
    ),
    Case(
        "what the helpers of a response take",
        js="""
        app.get('/links', (req, res) => res.links({ next: '/2' }).links({}).end())
        app.get('/half', (req, res) => res.attachment('\\ud800.txt').end())
        app.get('/max-age', (req, res) => res.cookie('a', 'b', { maxAge: '1000' }).end())
        app.get('/location', (req, res) => res.location(undefined).end())
        app.get('/bytes', (req, res) => res.json([Buffer.from('x')]))
        app.get('/hung', (req, res) => res.json(Object.assign(new Error('x'), { code: 1 })))
        """,
        py="""
        app.get('/links', lambda req, res: res.links({'next': '/2'}).links({}).end())
        app.get('/half', lambda req, res: res.attachment('\\ud800.txt').end())
        app.get('/max-age', lambda req, res: res.cookie('a', 'b', max_age='1000').end())
        app.get('/location', lambda req, res: res.location(None).end())
        app.get('/bytes', lambda req, res: res.json([b'x']))
        @app.get('/hung')
        def hung(req, res):
            error = ValueError('x')
            error.code = 1
            res.json(error)
        """,
        requests=[*gets("/links /half /location /bytes /hung"), get("/max-age", mask=EXPIRES)],
    ),
    Case(
        "headers of the request",
        js="""
        app.get('/underscore', (req, res) => res.json([req.get('x_y') ?? null]))
        app.get('/accept', (req, res) => res.json([req.accepts('html')]))
        app.get('/date', (req, res) => res.set('Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT').send('x'))
        app.set('query parser', (query) => ({ query }))
        app.get('/query', (req, res) => res.json(req.query))
        """,
        py="""
        app.get('/underscore', lambda req, res: res.json([req.get('x_y')]))
        app.get('/accept', lambda req, res: res.json([req.accepts('html')]))
        app.get('/date', lambda req, res: res.set('Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT').send('x'))
        app.set('query parser', lambda query: {'query': query})
        app.get('/query', lambda req, res: res.json(req.query))
        """,
        requests=[
            get("/underscore", {"X_Y": "1"}),
            get("/accept", {"Accept": "a/b," * 1024 + "text/html"}, name="a long Accept"),
            get("/date", {"If-Modified-Since": "2024-01-03"}),
            get("/query"),
        ],
    ),
    Case(
        "options of a view that are named as settings",
        js="""
        app.engine('tpl', (file, options, callback) => callback(null, String(options.cache ?? null)))
        app.set('views', path.join(FILES, 'views')).set('view engine', 'tpl').disable('view cache')
        app.get('/', (req, res) => res.render('greeting'))
        app.get('/cache', (req, res) => res.render('greeting', { cache: 'yes' }))
        app.get('/move', (req, res) => res.send(String(app.set('views', '/nowhere') === app)))
        """,
        py="""
        app.engine('tpl', lambda file, options: str(options.get('cache', 'null')))
        app.set('views', FILES + '/views').set('view engine', 'tpl').disable('view cache')
        app.get('/', lambda req, res: res.render('greeting'))
        app.get('/cache', lambda req, res: res.render('greeting', {'cache': 'yes'}))
        app.get('/move', lambda req, res: res.send(str(app.set('views', '/nowhere') is app).lower()))
        """,
        requests=[get("/"), get("/cache"), get("/move"), get("/cache", name="moved")],
    ),
    Case(
        "names that are numbers",
        js="app.set('query parser', 'extended'); app.get('/', (req, res) => res.json(req.query))",
        py="app.set('query parser', 'extended'); app.get('/', lambda req, res: res.json(req.query))",
        requests=gets("/?b=x&2=y&1=z"),
    ),
    Case(
        "bodies",
        js="""
        app.post('/json', express.json(), (req, res) => res.json(req.body.length))
        app.post('/', express.text({ type: '*/*' }), (req, res) => res.json([req.body]))
        """,
        py="""
        app.post('/json', json(), lambda req, res: res.json(len(req.body)))
        app.post('/', text(type='*/*'), lambda req, res: res.json([req.body]))
        """,
        requests=[
            post(
                "/", bytes.fromhex("8b03807b2261223a20317d03"), "text/plain", {"Content-Encoding": "br"}, name="brotli"
            ),
            post("/", b"a\0b", "text/plain; charset=utf-16le", name="half a character"),
            post("/json", "[" * 20_000 + "]" * 20_000, "application/json", name="nested 20,000 deep"),
        ],
    ),
    Case(
        "limits of a body that are none",
        js="""
        const taken = (limit) => { try { express.json({ limit }); return true } catch (error) { return error.name } }
        app.get('/', (req, res) => res.json([-1, '-1kb', '10 tons', '1e3', ' 1kb', 'ten', true, ''].map(taken)))
        """,
        py="""
        def taken(limit):
            try:
                return bool(json(limit=limit))
            except TypeError as error:
                return type(error).__name__
        app.get('/', lambda req, res: res.json([taken(limit) for limit in
                                                (-1, '-1kb', '10 tons', '1e3', ' 1kb', 'ten', True, '')]))
        """,
        requests=gets("/"),
    ),
    Case(
        "what Node's parser makes of a request",
        js="app.use((req, res) => res.send([req.method, req.url, req.headers.host].join(' ')))",
        py="app.use(lambda req, res: res.send(' '.join([req.method, req.url, req.headers['host']])))",
        requests=[
            raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", name="a second Host"),
            raw(b"GET /a#b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", name="a fragment"),
            raw(b"GET  /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", name="two blanks"),
            get("*"),
            send("BREW", "/pot"),
        ],
    ),
    Case(
        "the page of an error in development",
        js="""
        app.set('env', 'development')
        app.get('/object', (req, res, next) => next({ status: 404 }))
        """,
        py="""
        app.set('env', 'development')
        app.get('/object', lambda req, res, next: next({'status': 404}))
        """,
        requests=[
            get("/object"),
        ],
    ),
    Case(
        "sessions",
        js="""
        const store = new session.MemoryStore()
        const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' }
        store.sessions.known = JSON.stringify({ cookie, save: 'data', a: 1 })
        const options = { secret: 'keyboard cat', resave: false, saveUninitialized: false, store, genid: () => 'made' }
        app.use('/bad-path', session({ ...options, cookie: () => ({ path: '/bad;path' }) }))
        app.use('/bad-domain', session(options))
        app.use('/data', session(options))
        app.get('/bad-path', (req, res) => res.json(req.session ?? null))
        app.get('/bad-domain', (req, res) => { req.session.a = 1; req.session.cookie.domain = 'a b'; res.send('x') })
        app.get('/data/unset', (req, res) => { req.session.a = 1; res.write('x'); req.session = null; res.end() })
        app.get('/data', (req, res) => res.json(Object.keys(req.session).filter((key) => key !== 'cookie')))
        """,
        py="""
        from miniexpress.sessions.memory import MemoryStore
        store = MemoryStore()
        cookie = {'originalMaxAge': None, 'expires': None, 'httpOnly': True, 'path': '/'}
        store.set('known', {'cookie': cookie, 'save': 'data', 'a': 1})
        options = dict(secret='keyboard cat', resave=False, save_uninitialized=False, store=store, genid=lambda: 'made')
        app.use('/bad-path', session(**options, cookie=lambda: {'path': '/bad;path'}))
        app.use('/bad-domain', session(**options))
        app.use('/data', session(**options))
        app.get('/bad-path', lambda req, res: res.json(req.session))
        def bad_domain(req, res):
            req.session.a = 1
            req.session.cookie.domain = 'a b'
            res.send('x')
        app.get('/bad-domain', bad_domain)
        def unset(req, res):
            req.session.a = 1
            res.write('x')
            req.session = None
            res.end()
        app.get('/data/unset', unset)
        app.get('/data', lambda req, res: res.json([key for key in req.session if key != 'cookie']))
        """,
        requests=[
            get("/bad-path"),
            get("/data/unset"),
            get("/data", {"Cookie": f"connect.sid={signed('made')}"}, name="after unset"),
            get("/data", {"Cookie": f"connect.sid={signed('known')}"}, name="a key that is a method's name"),
            get("/bad-domain"),
        ],
    ),
]
