"""Routers, sub-apps and params."""

from __future__ import annotations

from .case import Case, get, gets, head, post, send

CASES = [
    Case(
        "what app.request and app.response have is on every request and answer of the app",
        js="""
        const sub = express(), deeper = express(), show = (req, res) => res.tell(req.who())
        app.request.who = function () { return 'app ' + this.url }
        app.response.tell = function (text) { this.set('X-Tell', 'app').send(text) }
        sub.response.tell = function (text) { this.set('X-Tell', 'sub').send('told by sub: ' + text) }
        deeper.request.who = function () { return 'deeper ' + this.url }
        sub.response.send = function (text) { this.set('X-Send', 'sub').end(text) }
        sub.get('/show', show)
        sub.get('/status', (req, res) => res.sendStatus(404))
        sub.use('/deeper', deeper)
        deeper.get('/show', show)
        app.use('/sub', sub)
        sub.request.late = 'set late'
        deeper.get('/late', (req, res) => res.tell(req.late))
        app.use((req, res) => res.tell(req.who() + ' ' + req.late))
        """,
        py="""
        sub, deeper = express(), express()
        def show(req, res): res.tell(req.who())
        app.request.who = lambda req: 'app ' + req.url
        app.response.tell = lambda res, text: res.set('X-Tell', 'app').send(text)
        sub.response.tell = lambda res, text: res.set('X-Tell', 'sub').send('told by sub: ' + text)
        deeper.request.who = lambda req: 'deeper ' + req.url
        sub.response.send = lambda res, text: res.set('X-Send', 'sub').end(text)
        sub.get('/show', show)
        sub.get('/status', lambda req, res: res.send_status(404))
        sub.use('/deeper', deeper)
        deeper.get('/show', show)
        app.use('/sub', sub)
        sub.request.late = 'set late'
        deeper.get('/late', lambda req, res: res.tell(req.late))
        app.use(lambda req, res: res.tell(f"{req.who()} {getattr(req, 'late', 'undefined')}"))
        """,
        requests=gets("/sub/show /sub/status /sub/deeper/show /sub/deeper/late /sub/nope /show"),
    ),
    Case(
        "app.router is the app without its settings",
        js="""
        const sub = express()
        sub.set('title', 'sub')
        app.set('title', 'app')
        sub.router.get('/x', (req, res) => res.json([req.app.get('title'), req.baseUrl, req.url]))
        sub.get('/stack', (req, res) => res.json(sub.router.stack.map((layer) => layer.route.path)))
        app.use('/router', sub.router)
        app.use('/app', sub)
        app.use('/by-hand', (req, res, next) => sub.router(req, res, next))
        """,
        py="""
        sub = express()
        sub.set('title', 'sub')
        app.set('title', 'app')
        sub.router.get('/x', lambda req, res: res.json([req.app.get('title'), req.base_url, req.url]))
        sub.get('/stack', lambda req, res: res.json([layer.route.path for layer in sub.router.stack]))
        app.use('/router', sub.router)
        app.use('/app', sub)
        app.use('/by-hand', lambda req, res, next: sub.router(req, res, next))
        """,
        requests=gets("/router/x /app/x /by-hand/x /router/stack /app/nope"),
    ),
    Case(
        "what leaves late sees the request as the handler had it",
        js="""
        const onHeaders = require('on-headers'), router = express.Router(), sub = express()
        const show = (req) => JSON.stringify([req.url, req.baseUrl, req.params, req.app.get('title')])
        app.use((req, res, next) => { onHeaders(res, () => res.setHeader('X-Late', show(req))); next() })
        app.set('title', 'app')
        sub.set('title', 'sub')
        router.get('/send/:id', (req, res) => res.send('x'))
        router.get('/body/:id', (req, res) => setImmediate(() => { res.write(show(req)); res.end() }))
        sub.use('/users', router)
        app.use('/api', sub)
        app.get('/top/:id', (req, res) => res.send('x'))
        """,
        py="""
        import json as encoder
        router, sub = Router(), express()
        def show(req):
            place = [req.url, req.base_url, req.params, req.app.get('title')]
            return encoder.dumps(place, separators=(',', ':'))
        @app.use('/')
        def note(req, res, next):
            res.on_headers(lambda: res.set_header('X-Late', show(req)))
            next()
        app.set('title', 'app')
        sub.set('title', 'sub')
        def body(req):
            yield show(req).encode()
        router.get('/send/:id', lambda req, res: res.send('x'))
        router.get('/body/:id', lambda req, res: res.end(body(req)))
        sub.use('/users', router)
        app.use('/api', sub)
        app.get('/top/:id', lambda req, res: res.send('x'))
        """,
        requests=gets("/api/users/send/1?q /api/users/body/2?q /top/3"),
    ),
    Case(
        "mounting",
        js="""
        const show = (req, res) => res.json([req.baseUrl, req.url, req.path, req.originalUrl, req.params])
        const inner = express.Router()
        inner.get('/deep/:b', show)
        inner.use('/rest', show)
        const router = express.Router()
        router.get('/', show)
        router.get('/x', show)
        router.use('/inner/:a', inner)
        app.use('/r', router)
        app.use('/slash/', show)
        app.use('/p/:id', show)
        app.use('/opt{/:maybe}', show)
        app.use('/wild/*rest', show)
        app.use((req, res) => res.json(['top', req.baseUrl, req.url]))
        """,
        py="""
        def show(req, res): res.json([req.base_url, req.url, req.path, req.original_url, req.params])
        inner = Router()
        inner.get('/deep/:b', show)
        inner.use('/rest', show)
        router = Router()
        router.get('/', show)
        router.get('/x', show)
        router.use('/inner/:a', inner)
        app.use('/r', router)
        app.use('/slash/', show)
        app.use('/p/:id', show)
        app.use('/opt{/:maybe}', show)
        app.use('/wild/*rest', show)
        app.use(lambda req, res: res.json(['top', req.base_url, req.url]))
        """,
        requests=gets(
            "/r /r/ /r?x=1 /r/?x=1 /R/x /r/x/ /r//x /r/inner/1/deep/2 /r/inner/1/rest "
            "/r/inner/1/rest/of/it?q=1 /r/inner/1 /rx /slash /slash/ /slash/x /p/1 /p/1/2/3?x "
            "/p/a%20b/c /p/ /p /opt /opt/1/2 /wild/a/b http://test.example/r/x?y=1 "
            "http://test.example/r"
        ),
    ),
    Case(
        "merged params",
        js="""
        const show = (req, res) => res.json(req.params)
        const plain = express.Router()
        plain.get('/:b', show)
        const merged = express.Router({ mergeParams: true })
        merged.get('/:b', show)
        merged.get('/same/:a', show)
        merged.get('/none/here', show)
        merged.use('/use/:c', show)
        const below = express.Router({ mergeParams: true })
        below.use('/x/:b', merged)
        app.use('/plain/:a', plain)
        app.use('/merged/:a', merged)
        app.use('/below/:a', below)
        """,
        py="""
        def show(req, res): res.json(req.params)
        plain = Router()
        plain.get('/:b', show)
        merged = Router(merge_params=True)
        merged.get('/:b', show)
        merged.get('/same/:a', show)
        merged.get('/none/here', show)
        merged.use('/use/:c', show)
        below = Router(merge_params=True)
        below.use('/x/:b', merged)
        app.use('/plain/:a', plain)
        app.use('/merged/:a', merged)
        app.use('/below/:a', below)
        """,
        requests=gets(
            "/plain/1/2 /merged/1/2 /merged/1/same/2 /merged/1/none/here /merged/1/use/2/3 "
            "/below/1/x/2/3 /below/1/x/2/same/3"
        ),
    ),
    Case(
        "params are the layer's own",
        js="""
        app.use('/:a', (req, res, next) => { res.append('X-Params', JSON.stringify(req.params)); next() })
        app.get('/:b/:c', (req, res, next) => { res.append('X-Params', JSON.stringify(req.params)); next() })
        app.use((req, res) => res.json(req.params))
        """,
        py="""
        import json as encoder
        def note(req, res, next):
            res.append('X-Params', encoder.dumps(req.params, separators=(',', ':')))
            next()
        app.use('/:a', note)
        app.get('/:b/:c', note)
        app.use(lambda req, res: res.json(req.params))
        """,
        requests=[get("/1/2"), get("/1")],
    ),
    Case(
        "one sub-app at two places and called by hand",
        js="""
        const sub = express()
        sub.get('/', (req, res) => res.json([req.baseUrl, req.app === sub]))
        app.use('/a', sub)
        app.use(['/b', '/c'], sub)
        app.use('/by-hand', (req, res, next) => sub(req, res, next))
        app.use((req, res) => res.json(['not found', req.url]))
        """,
        py="""
        sub = express()
        sub.get('/', lambda req, res: res.json([req.base_url, req.app is sub]))
        app.use('/a', sub)
        app.use(['/b', '/c'], sub)
        app.use('/by-hand', lambda req, res, next: sub(req, res, next))
        app.use(lambda req, res: res.json(['not found', req.url]))
        """,
        requests=gets("/a /b /c /by-hand /by-hand/x /a/x"),
    ),
    Case(
        "sub-apps",
        js="""
        const sub = express()
        sub.disable('x-powered-by')
        sub.set('sub setting', 'own')
        sub.get('/', (req, res) => res.json([req.baseUrl, req.app.path(), req.app.mountpath, sub.get('title'),
          sub.get('sub setting')]))
        sub.get('/locals', (req, res) => res.json([req.app === sub, res.app === sub, res.locals]))
        const deeper = express()
        deeper.get('/where', (req, res) => res.send(deeper.path()))
        sub.use('/deeper', deeper)
        app.set('title', 'parent title')
        app.use((req, res, next) => { res.locals.seen = true; next() })
        app.use('/sub', sub, (req, res) => res.json(['after', req.app === app]))
        """,
        py="""
        sub = express()
        sub.disable('x-powered-by')
        sub.set('sub setting', 'own')
        sub.get('/', lambda req, res: res.json([req.base_url, req.app.path(), req.app.mountpath, sub.get('title'),
                                                sub.get('sub setting')]))
        sub.get('/locals', lambda req, res: res.json([req.app is sub, res.app is sub, res.locals]))
        deeper = express()
        deeper.get('/where', lambda req, res: res.send(deeper.path()))
        sub.use('/deeper', deeper)
        app.set('title', 'parent title')
        def seen(req, res, next):
            res.locals.seen = True
            next()
        app.use(seen)
        app.use('/sub', sub, lambda req, res: res.json(['after', req.app is app]))
        """,
        requests=[get("/sub"), get("/sub/"), get("/sub/locals"), get("/sub/deeper/where"), get("/sub/nope"), get("/")],
    ),
    Case(
        "mount",
        js="""
        const sub = express(), leaf = express(), told = []
        leaf.on('mount', (parent) => told.push(['leaf', parent === sub]))
        sub.on('mount', (parent) => told.push(['sub', parent === app]))
        sub.use('/leaf', leaf)
        app.use(['/sub', '/other'], sub)
        leaf.get('/', (req, res) => res.json([told, sub.mountpath, leaf.mountpath, leaf.path(), app.path()]))
        """,
        py="""
        sub, leaf, told = express(), express(), []
        leaf.on('mount', lambda parent: told.append(['leaf', parent is sub]))
        sub.on('mount', lambda parent: told.append(['sub', parent is app]))
        sub.use('/leaf', leaf)
        app.use(['/sub', '/other'], sub)
        leaf.get('/', lambda req, res: res.json([told, sub.mountpath, leaf.mountpath, leaf.path(), app.path()]))
        """,
        requests=gets("/sub/leaf /other/leaf"),
    ),
    Case(
        "a sub-app has settings of its own, and inherits the rest",
        js="""
        const sub = express()
        sub.set('json spaces', 2)
        sub.get('/json', (req, res) => res.json({ a: 1 }))
        app.get('/json', (req, res) => res.json({ a: 1 }))
        const inheriting = express()
        inheriting.get('/json', (req, res) => res.jsonp({ a: '<' }))
        app.set('json escape', true)
        app.set('jsonp callback name', 'cb')
        app.set('trust proxy', true)
        app.use('/sub', sub)
        app.use('/inheriting', inheriting)
        inheriting.get('/ip', (req, res) => res.send(req.ip))
        """,
        py="""
        sub = express()
        sub.set('json spaces', 2)
        sub.get('/json', lambda req, res: res.json({'a': 1}))
        app.get('/json', lambda req, res: res.json({'a': 1}))
        inheriting = express()
        inheriting.get('/json', lambda req, res: res.jsonp({'a': '<'}))
        app.set('json escape', True)
        app.set('jsonp callback name', 'cb')
        app.set('trust proxy', True)
        app.use('/sub', sub)
        app.use('/inheriting', inheriting)
        inheriting.get('/ip', lambda req, res: res.send(req.ip))
        """,
        requests=[
            get("/sub/json"),
            get("/json"),
            get("/inheriting/json?cb=f"),
            get("/inheriting/json?callback=f"),
            get("/inheriting/ip", {"X-Forwarded-For": "203.0.113.9"}),
        ],
    ),
    Case(
        "param callbacks",
        js="""
        app.param('id', (req, res, next, id, name) => {
          res.append('X-Param', name + '=' + id)
          if (id === 'bad') return next(new Error('bad id'))
          if (id === 'skip') return next('route')
          if (id === 'throw') throw Object.assign(new Error('thrown'), { status: 400 })
          req.params.id = id.toUpperCase()
          next()
        })
        app.param(['x', 'y'], (req, res, next, value, name) => { res.append('X-Param', name + ':' + value); next() })
        app.get('/u/:id', (req, res, next) => { res.append('X-Seen', req.params.id); next() })
        app.get('/u/:id', (req, res) => res.send(req.params.id))
        app.get('/:first/:id', (req, res) => res.send('other ' + req.params.id))
        app.get('/xy/:x/:y/:z', (req, res) => res.json(req.params))
        app.post('/p/:id', (req, res) => res.send('x'))
        app.use('/e', (req, res, next) => next(new Error('e')))
        app.use('/:id/f', (req, res) => res.send('passed by'))
        const router = express.Router()
        router.get('/:id', (req, res) => res.send('router does not inherit ' + req.params.id))
        app.use('/r/r', router)
        """,
        py="""
        def load(req, res, next, id, name):
            res.append('X-Param', name + '=' + id)
            if id == 'bad':
                return next(Exception('bad id'))
            if id == 'skip':
                return next('route')
            if id == 'throw':
                raise HTTPError(400, 'thrown')
            req.params.id = id.upper()
            next()
        app.param('id', load)
        def note(req, res, next, value, name):
            res.append('X-Param', name + ':' + value)
            next()
        app.param(['x', 'y'], note)
        @app.get('/u/:id')
        def seen(req, res, next):
            res.append('X-Seen', req.params.id)
            next()
        app.get('/u/:id', lambda req, res: res.send(req.params.id))
        app.get('/:first/:id', lambda req, res: res.send('other ' + req.params.id))
        app.get('/xy/:x/:y/:z', lambda req, res: res.json(req.params))
        app.post('/p/:id', lambda req, res: res.send('x'))
        app.use('/e', lambda req, res, next: next(Exception('e')))
        app.use('/:id/f', lambda req, res: res.send('passed by'))
        router = Router()
        router.get('/:id', lambda req, res: res.send('router does not inherit ' + req.params.id))
        app.use('/r/r', router)
        """,
        requests=[
            *gets("/u/abc /u/bad /u/skip /u/throw /v/abc /xy/1/2/3 /r/r/abc /e/f /g/f"),
            post("/u/abc"),
            head("/p/abc"),
            get("/nope"),
        ],
    ),
    Case(
        "a param callback runs once for a value, again for another",
        js="""
        app.param('a', (req, res, next, value) => { res.append('X-Param', value); next() })
        app.get('/:a/:b', (req, res, next) => next())
        app.get('/:b/:a', (req, res, next) => next())
        app.use('/:a', (req, res, next) => next())
        app.get('/:a{/:b}', (req, res) => res.json(req.params))
        """,
        py="""
        def note(req, res, next, value):
            res.append('X-Param', value)
            next()
        app.param('a', note)
        app.get('/:a/:b', lambda req, res, next: next())
        app.get('/:b/:a', lambda req, res, next: next())
        app.use('/:a', lambda req, res, next: next())
        app.get('/:a{/:b}', lambda req, res: res.json(req.params))
        """,
        requests=[get("/1/2"), get("/1/1"), get("/1")],
    ),
    Case(
        "route()",
        js="""
        app.route('/book/:id')
          .all((req, res, next) => { res.set('X-All', req.method); next() })
          .get((req, res) => res.send('get ' + req.params.id))
          .post((req, res) => res.send('post'), (req, res) => res.send('never'))
        app.get('/path', (req, res) => res.send(req.route.path))
        """,
        py="""
        def note(req, res, next):
            res.set('X-All', req.method)
            next()
        (app.route('/book/:id')
            .all(note)
            .get(lambda req, res: res.send('get ' + req.params.id))
            .post(lambda req, res: res.send('post'), lambda req, res: res.send('never')))
        app.get('/path', lambda req, res: res.send(req.route.path))
        """,
        requests=[
            get("/book/1"),
            post("/book/1"),
            head("/book/1"),
            send("PUT", "/book/1"),
            send("OPTIONS", "/book/1"),
            get("/path"),
        ],
    ),
]
