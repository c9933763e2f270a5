"""The chain: methods, order, next."""

from __future__ import annotations

from .case import Case, get, gets, head, post, raw, send

# What http.METHODS lists, but for CONNECT, which Node hands to no app.
METHODS = [
    *("ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "M-SEARCH", "MERGE", "MKACTIVITY"),
    *("MKCALENDAR", "MKCOL", "MOVE", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH", "PURGE", "PUT"),
    *(
        "QUERY",
        "REBIND",
        "REPORT",
        "SEARCH",
        "SOURCE",
        "SUBSCRIBE",
        "TRACE",
        "UNBIND",
        "UNLINK",
        "UNLOCK",
        "UNSUBSCRIBE",
    ),
]

CASES = [
    Case(
        "every method",
        js="""
        for (const method of require('node:http').METHODS) {
          app[method.toLowerCase()]('/m', (req, res) => res.send(method + ' ' + req.method))
        }
        """,
        py=f"""
        for method in {METHODS}:
            register = getattr(app, method.lower().replace('-', '_'))
            register('/m', lambda req, res, method=method: res.send(method + ' ' + req.method))
        """,
        requests=[send(method, "/m") for method in METHODS],
    ),
    Case(
        "methods",
        js="""
        for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options', 'propfind', 'report', 'search',
          'lock', 'unlock', 'copy', 'move', 'mkcol', 'purge', 'link', 'unlink', 'subscribe', 'notify']) {
          app[method]('/m', (req, res) => res.send(method + ' ' + req.method))
        }
        app['m-search']('/m', (req, res) => res.send('m-search ' + req.method))
        app.all('/all', (req, res) => res.send('all ' + req.method))
        """,
        py="""
        for method in ['get', 'post', 'put', 'delete', 'patch', 'options', 'propfind', 'report', 'search',
                       'lock', 'unlock', 'copy', 'move', 'mkcol', 'purge', 'link', 'unlink', 'subscribe', 'notify']:
            getattr(app, method)('/m', lambda req, res, method=method: res.send(method + ' ' + req.method))
        app.m_search('/m', lambda req, res: res.send('m-search ' + req.method))
        app.all('/all', lambda req, res: res.send('all ' + req.method))
        """,
        requests=[
            *(
                send(method, "/m")
                for method in [
                    "GET",
                    "POST",
                    "PUT",
                    "DELETE",
                    "PATCH",
                    "OPTIONS",
                    "PROPFIND",
                    "REPORT",
                    "SEARCH",
                    "LOCK",
                    "PURGE",
                    "M-SEARCH",
                ]
            ),
            send("TRACE", "/m"),
            send("QUERY", "/m"),
            *(send(method, "/all") for method in ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND"]),
        ],
    ),
    Case(
        "callbacks that take fewer parameters than they are given",
        js="""
        app.set('etag', (body, encoding) => `"${body.length} ${encoding ?? 'none'}"`)
        app.set('trust proxy', (ip) => ip.endsWith('127.0.0.1'))
        app.set('json replacer', (key) => key === '' ? { a: 1 } : key)
        app.get('/etag', (req, res) => res.send('hello'))
        app.get('/ip', (req, res) => res.send(req.ip))
        app.get('/replaced', (req, res) => res.json({}))
        const sub = express()
        sub.on('mount', () => sub.set('title', 'mounted')).set('etag', () => '"constant"')
        sub.set('query parser', () => ({ a: 1 }))
        sub.get('/', (req, res) => res.send([sub.get('title'), req.query.a].join()))
        app.use('/sub', sub)
        const verify = (req, res, buf) => { req.raw = buf.length }
        app.post('/verify', express.json({ verify, reviver: (key) => key || 'all' , type: () => true }),
          (req, res) => res.send([req.raw, req.body].join()))
        app.post('/text', express.text({ verify: (req) => { req.raw = 'verified' }, type: (req) => req.get('X-Text') }),
          (req, res) => res.send([req.raw, req.body].join()))
        app.use('/static', express.static(FILES, { setHeaders: (res, path) => res.set('X-A', 'b') }))
        """,
        py="""
        app.set('etag', lambda body, encoding: f'"{len(body)} {encoding or "none"}"')
        app.set('trust proxy', lambda ip: ip.endswith('127.0.0.1'))
        app.set('json replacer', lambda key: {'a': 1} if key == '' else key)
        app.get('/etag', lambda req, res: res.send('hello'))
        app.get('/ip', lambda req, res: res.send(req.ip))
        app.get('/replaced', lambda req, res: res.json({}))
        sub = express()
        sub.on('mount', lambda: sub.set('title', 'mounted')).set('etag', lambda: '"constant"')
        sub.set('query parser', lambda: {'a': 1})
        sub.get('/', lambda req, res: res.send(f"{sub.get('title')},{req.query.a}"))
        app.use('/sub', sub)
        def verify(req, res, buf): req.raw = len(buf)
        app.post('/verify', json(verify=verify, reviver=lambda key: key or 'all', type=lambda: True),
                 lambda req, res: res.send(f'{req.raw},{req.body}'))
        def verified(req): req.raw = 'verified'
        app.post('/text', text(verify=verified, type=lambda req: req.get('X-Text')),
                 lambda req, res: res.send(f'{req.raw},{req.body}'))
        app.use('/static', static(FILES, set_headers=lambda res, path: res.set('X-A', 'b')))
        """,
        requests=[
            *gets("/etag /replaced /sub"),
            get("/ip", {"X-Forwarded-For": "9.9.9.9"}),
            post("/verify", '{"a": [1]}', "application/json"),
            post("/text", "text", "text/plain", {"X-Text": "yes"}),
            get("/static/hello.txt"),
        ],
    ),
    Case(
        "decorators",
        js="""
        const withConfig = (fn) => (req, res, next) => fn(req, res, next, 'key')
        const passingOn = (fn) => (...args) => fn(...args)
        const guard = (req, res, next, key) => req.get('X-Key') === key ? next() : res.sendStatus(403)
        app.use('/fixed', withConfig(guard))
        app.use('/any', passingOn(withConfig(guard)))
        app.use((req, res) => res.send('in'))
        """,
        py="""
        import functools
        def with_config(fn):
            return functools.wraps(fn)(lambda req, res, next: fn(req, res, next, 'key'))
        def passing_on(fn):
            return functools.wraps(fn)(lambda *args: fn(*args))
        def guard(req, res, next, key):
            next() if req.get('X-Key') == key else res.send_status(403)
        app.use('/fixed', with_config(guard))
        app.use('/any', passing_on(with_config(guard)))
        app.use(lambda req, res: res.send('in'))
        """,
        requests=[
            *gets("/fixed /any"),
            get("/fixed", {"X-Key": "key"}, name="fixed, let in"),
            get("/any", {"X-Key": "key"}, name="any, let in"),
        ],
    ),
    Case(
        "nothing matches",
        js="app.get('/there', (req, res) => res.send('here'))",
        py="app.get('/there', lambda req, res: res.send('here'))",
        requests=[
            *gets(
                "/ /nope /nope?query=1 /a%20b/%C3%A9 /%zz /<script>alert(1)</script> /a\"b'c&d "
                "/double//slash /café /[a]|b^c`d{e}\\f"
            ),
            post("/there"),
            post("/nope", "a=b", "application/x-www-form-urlencoded"),
            send("DELETE", "/nope"),
            head("/nope"),
            send("OPTIONS", "/nope"),
            send("PROPFIND", "/nope"),
            get("http://test.example/nope?x"),
        ],
    ),
    Case(
        "nothing matches, in development",
        env="development",
        js="app.get('/there', (req, res) => res.send('here'))",
        py="app.get('/there', lambda req, res: res.send('here'))",
        requests=[get("/nope"), post("/there"), head("/nope")],
    ),
    Case(
        "HEAD",
        js="""
        app.get('/get', (req, res) => res.send('from get, ' + req.method))
        app.head('/head', (req, res) => res.set('X-Head', 'yes').send('from head'))
        app.get('/head', (req, res) => res.send('from get'))
        app.get('/head-after', (req, res) => res.send('from get'))
        app.head('/head-after', (req, res) => res.send('never'))
        app.post('/post', (req, res) => res.send('from post'))
        app.get('/json', (req, res) => res.json({ a: 1 }))
        app.get('/end', (req, res) => res.end('ended'))
        app.get('/write', (req, res) => { res.write('a'); res.write('b'); res.end() })
        app.get('/status', (req, res) => res.sendStatus(404))
        app.route('/route').get((req, res) => res.send('get')).head((req, res) => res.send('head route'))
        """,
        py="""
        app.get('/get', lambda req, res: res.send('from get, ' + req.method))
        app.head('/head', lambda req, res: res.set('X-Head', 'yes').send('from head'))
        app.get('/head', lambda req, res: res.send('from get'))
        app.get('/head-after', lambda req, res: res.send('from get'))
        app.head('/head-after', lambda req, res: res.send('never'))
        app.post('/post', lambda req, res: res.send('from post'))
        app.get('/json', lambda req, res: res.json({'a': 1}))
        app.get('/end', lambda req, res: res.end('ended'))
        @app.get('/write')
        def write(req, res):
            res.write('a')
            res.write('b')
            res.end()
        app.get('/status', lambda req, res: res.send_status(404))
        app.route('/route').get(lambda req, res: res.send('get')).head(lambda req, res: res.send('head route'))
        """,
        requests=[
            head("/get"),
            head("/head"),
            head("/head-after"),
            head("/post"),
            head("/json"),
            head("/end"),
            head("/write"),
            head("/status"),
            head("/route"),
            get("/get"),
            get("/end"),
            get("/write"),
        ],
    ),
    Case(
        "OPTIONS",
        js="""
        app.get('/get', (req, res) => res.send('x'))
        app.post('/both', (req, res) => res.send('x'))
        app.get('/both', (req, res) => res.send('x'))
        app.route('/route').put((req, res) => res.send('x')).delete((req, res) => res.send('x'))
        app.options('/own', (req, res) => res.set('Allow', 'WHATEVER').send('own'))
        app.get('/own', (req, res) => res.send('x'))
        app.get('/:any/param', (req, res) => res.send('x'))
        app.all('/all', (req, res) => res.send('all'))
        const router = express.Router()
        router.get('/inner', (req, res) => res.send('x'))
        router.post('/inner', (req, res) => res.send('x'))
        app.use('/router', router)
        app.patch('/router/inner', (req, res) => res.send('x'))
        app.get('/then-use', (req, res) => res.send('x'))
        app.use('/then-use', (req, res) => res.send('used'))
        app.get('/next', (req, res) => res.send('x'))
        app.options('/next', (req, res, next) => next())
        app.get('/fails', (req, res) => res.send('x'))
        app.options('/fails', (req, res, next) => next(new Error('no')))
        """,
        py="""
        def x(req, res): res.send('x')
        app.get('/get', x)
        app.post('/both', x)
        app.get('/both', x)
        app.route('/route').put(x).delete(x)
        app.options('/own', lambda req, res: res.set('Allow', 'WHATEVER').send('own'))
        app.get('/own', x)
        app.get('/:any/param', x)
        app.all('/all', lambda req, res: res.send('all'))
        router = Router()
        router.get('/inner', x)
        router.post('/inner', x)
        app.use('/router', router)
        app.patch('/router/inner', x)
        app.get('/then-use', x)
        app.use('/then-use', lambda req, res: res.send('used'))
        app.get('/next', x)
        app.options('/next', lambda req, res, next: next())
        app.get('/fails', x)
        app.options('/fails', lambda req, res, next: next(Exception('no')))
        """,
        requests=[
            *(
                send("OPTIONS", path)
                for path in (
                    "/get",
                    "/both",
                    "/route",
                    "/own",
                    "/a/param",
                    "/all",
                    "/router/inner",
                    "/router/nope",
                    "/then-use",
                    "/next",
                    "/fails",
                    "/nope",
                    "/get/",
                    "/GET",
                )
            ),
            raw(b"OPTIONS * HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n"),
        ],
    ),
    Case(
        "order and next",
        js="""
        app.use((req, res, next) => { res.append('X-Order', 'use 1'); next() })
        app.get('/a', (req, res, next) => { res.append('X-Order', 'get 1'); next() },
          (req, res, next) => { res.append('X-Order', 'get 2'); next() })
        app.use('/a', (req, res, next) => { res.append('X-Order', 'use 2'); next() })
        app.all('/a', [(req, res, next) => { res.append('X-Order', 'all 1'); next() },
          [(req, res, next) => { res.append('X-Order', 'all 2'); next() }]])
        app.get('/a', (req, res) => { res.append('X-Order', 'get 3').send('end') })
        app.get('/a', (req, res) => { res.send('never') })
        app.use((req, res) => { res.status(404).send('fell through') })
        """,
        py="""
        def mark(text):
            def handler(req, res, next):
                res.append('X-Order', text)
                next()
            return handler
        app.use(mark('use 1'))
        app.get('/a', mark('get 1'), mark('get 2'))
        app.use('/a', mark('use 2'))
        app.all('/a', [mark('all 1'), [mark('all 2')]])
        app.get('/a', lambda req, res: res.append('X-Order', 'get 3').send('end'))
        app.get('/a', lambda req, res: res.send('never'))
        app.use(lambda req, res: res.status(404).send('fell through'))
        """,
        requests=[get("/a"), get("/a/b"), post("/a"), get("/ab"), head("/a")],
    ),
    Case(
        "next('route')",
        js="""
        app.get('/user/:id', (req, res, next) => { req.params.id === '0' ? next('route') : next() },
          (req, res) => res.send('regular'))
        app.get('/user/:id', (req, res) => res.send('special'))
        app.use('/used', (req, res, next) => next('route'))
        app.use('/used', (req, res) => res.send('after use'))
        app.get('/last', (req, res, next) => next('route'), (req, res) => res.send('never'))
        """,
        py="""
        app.get('/user/:id', lambda req, res, next: next('route') if req.params.id == '0' else next(),
                lambda req, res: res.send('regular'))
        app.get('/user/:id', lambda req, res: res.send('special'))
        app.use('/used', lambda req, res, next: next('route'))
        app.use('/used', lambda req, res: res.send('after use'))
        app.get('/last', lambda req, res, next: next('route'), lambda req, res: res.send('never'))
        """,
        requests=[get("/user/5"), get("/user/0"), get("/used"), get("/last")],
    ),
    Case(
        "next('router')",
        js="""
        const router = express.Router()
        router.use((req, res, next) => { req.query.leave ? next('router') : next() })
        router.get('/in-route', (req, res, next) => next('router'), (req, res) => res.send('never'))
        router.get('/in-route', (req, res) => res.send('never'))
        router.get('/', (req, res) => res.send('in the router'))
        app.use('/admin', router, (req, res) => res.status(401).send('left ' + req.baseUrl + ' ' + req.url))
        app.get('/top', (req, res, next) => next('router'))
        app.get('/top', (req, res) => res.send('never'))
        """,
        py="""
        router = Router()
        router.use(lambda req, res, next: next('router') if req.query.leave else next())
        router.get('/in-route', lambda req, res, next: next('router'), lambda req, res: res.send('never'))
        router.get('/in-route', lambda req, res: res.send('never'))
        router.get('/', lambda req, res: res.send('in the router'))
        app.use('/admin', router, lambda req, res: res.status(401).send('left ' + req.base_url + ' ' + req.url))
        app.get('/top', lambda req, res, next: next('router'))
        app.get('/top', lambda req, res: res.send('never'))
        """,
        requests=[get("/admin"), get("/admin?leave=1"), get("/admin/in-route"), get("/admin/nope"), get("/top")],
    ),
    Case(
        "req.url rewritten",
        js="""
        app.use('/old', (req, res, next) => { req.url = '/new' + req.url; next() })
        app.use('/other', (req, res, next) => { req.url = '/new'; next() })
        app.get(/^\\/other/, (req, res) => res.json(['under other', req.url]))
        app.get('/old/new/page', (req, res) => res.json(['under old', req.url, req.originalUrl]))
        app.use((req, res, next) => { if (req.url === '/alias?x=1') req.url = '/target?y=2'; next() })
        app.get('/target', (req, res) => res.json([req.url, req.originalUrl, req.path, req.query]))
        app.use((req, res, next) => { if (req.query.verb) req.method = req.query.verb; next() })
        app.put('/verb', (req, res) => res.send('put ' + req.method))
        """,
        py="""
        def under(req, res, next):
            req.url = '/new' + req.url
            next()
        app.use('/old', under)
        def other(req, res, next):
            req.url = '/new'
            next()
        app.use('/other', other)
        import re
        app.get(re.compile('^/other'), lambda req, res: res.json(['under other', req.url]))
        app.get('/old/new/page', lambda req, res: res.json(['under old', req.url, req.original_url]))
        def alias(req, res, next):
            if req.url == '/alias?x=1':
                req.url = '/target?y=2'
            next()
        app.use(alias)
        app.get('/target', lambda req, res: res.json([req.url, req.original_url, req.path, req.query]))
        def verb(req, res, next):
            if req.query.verb:
                req.method = req.query.verb
            next()
        app.use(verb)
        app.put('/verb', lambda req, res: res.send('put ' + req.method))
        """,
        requests=gets("/old/page /other /other/ /other/x /other?x /alias?x=1 /verb?verb=PUT /target?z=3"),
    ),
    Case(
        "many handlers",
        js="""
        let count = 0
        for (let i = 0; i < 60; i++) app.use((req, res, next) => { count++; next() })
        for (let i = 0; i < 60; i++) app.get('/many', (req, res, next) => { count++; next() })
        app.get('/many', (req, res) => { res.send(String(count)); count = 0 })
        """,
        py="""
        count = [0]
        def step(req, res, next):
            count[0] += 1
            next()
        for _ in range(60):
            app.use(step)
        for _ in range(60):
            app.get('/many', step)
        @app.get('/many')
        def total(req, res):
            res.send(str(count[0]))
            count[0] = 0
        """,
        requests=[get("/many")],
    ),
    Case(
        "a disabled X-Powered-By",
        js="app.disable('x-powered-by'); app.get('/', (req, res) => res.send('x'))",
        py="app.disable('x-powered-by'); app.get('/', lambda req, res: res.send('x'))",
        requests=[get("/"), get("/nope")],
    ),
]
