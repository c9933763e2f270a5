"""Errors: where they go, and what is answered when nobody takes them."""

from __future__ import annotations

from .case import Case, get, gets, head, post, send

CASES = [
    Case(
        "a status that is none",
        js="""
        app.get('/42', (req, res) => { res.statusCode = 42; res.end('x') })
        app.get('/1000', (req, res) => { res.statusCode = 1000; res.end('x') })
        app.get('/299', (req, res) => { res.statusCode = 299; res.end('x') })
        """,
        py="""
        def answer(req, res):
            res.status_code = int(req.params.code)
            res.end('x')
        app.get('/:code', answer)
        """,
        requests=gets("/42 /1000 /299"),
    ),
    Case(
        "errors nobody takes",
        js="""
        app.get('/throw', () => { throw new Error('secret') })
        app.get('/reject', async () => { throw new Error('secret') })
        app.get('/next', (req, res, next) => next(new Error('secret')))
        app.get('/string', (req, res, next) => next('secret'))
        app.get('/status/:status', (req, res, next) =>
          next(Object.assign(new Error('secret'), { status: Number(req.params.status) })))
        app.get('/status-code', (req, res, next) => next(Object.assign(new Error('secret'), { statusCode: 418 })))
        app.get('/both', (req, res, next) => next(Object.assign(new Error('x'), { status: 404, statusCode: 418 })))
        app.get('/invalid-then-valid', (req, res, next) =>
          next(Object.assign(new Error('x'), { status: 200, statusCode: 418 })))
        app.get('/text-status', (req, res, next) => next(Object.assign(new Error('x'), { status: '404' })))
        app.get('/res-status', (req, res, next) => { res.status(503); next(new Error('secret')) })
        app.get('/res-status-ok', (req, res, next) => { res.status(201); next(new Error('secret')) })
        app.get('/both-statuses', (req, res, next) => {
          res.status(503); next(Object.assign(new Error('x'), { status: 404 })) })
        """,
        py="""
        def failure(message='secret', **attributes):
            error = Exception(message)
            error.__dict__.update(attributes)
            return error
        def throw(req, res): raise Exception('secret')
        app.get('/throw', throw)
        app.get('/reject', throw)
        app.get('/next', lambda req, res, next: next(failure()))
        app.get('/string', lambda req, res, next: next('secret'))
        app.get('/status/:status', lambda req, res, next: next(failure(status=int(req.params.status))))
        app.get('/status-code', lambda req, res, next: next(failure(status_code=418)))
        app.get('/both', lambda req, res, next: next(failure(status=404, status_code=418)))
        app.get('/invalid-then-valid', lambda req, res, next: next(failure(status=200, status_code=418)))
        app.get('/text-status', lambda req, res, next: next(failure(status='404')))
        @app.get('/res-status')
        def res_status(req, res, next):
            res.status(503)
            next(failure())
        @app.get('/res-status-ok')
        def res_status_ok(req, res, next):
            res.status(201)
            next(failure())
        @app.get('/both-statuses')
        def both_statuses(req, res, next):
            res.status(503)
            next(failure(status=404))
        """,
        requests=[
            get("/throw"),
            head("/throw"),
            post("/throw", "body", "text/plain"),
            get("/reject"),
            get("/next"),
            get("/string"),
            *(get(f"/status/{status}") for status in (400, 401, 403, 418, 422, 429, 431, 451, 500, 503, 511)),
            *(get(f"/status/{status}") for status in (200, 302, 399, 600, 0)),
            *gets("/status-code /both /invalid-then-valid /text-status /res-status /res-status-ok /both-statuses"),
        ],
    ),
    Case(
        "errors with a status of their own",
        js="""
        const createError = require('http-errors')
        app.get('/404', () => { throw createError(404) })
        app.get('/404-message', () => { throw createError(404, 'No such user') })
        app.get('/500-message', () => { throw createError(500, 'secret') })
        app.get('/headers', () => { throw createError(401, 'x', {
          headers: { 'WWW-Authenticate': 'Basic realm="x"', 'X-Extra': '1' } }) })
        app.get('/default-message', () => { throw createError(404) })
        app.get('/message', () => { throw createError(503, 'secret') })
        app.use((err, req, res, next) => {
          if (!req.path.includes('message')) return next(err)
          res.status(err.status).json({ message: err.message, expose: err.expose })
        })
        """,
        py="""
        def fail(*arguments, **options):
            def handler(req, res):
                raise HTTPError(*arguments, **options)
            return handler
        app.get('/404', fail(404))
        app.get('/404-message', fail(404, 'No such user'))
        app.get('/500-message', fail(500, 'secret'))
        app.get('/headers', fail(401, 'x', headers={'WWW-Authenticate': 'Basic realm="x"', 'X-Extra': '1'}))
        app.get('/default-message', fail(404))
        app.get('/message', fail(503, 'secret'))
        def failed(err, req, res, next):
            if 'message' not in req.path:
                return next(err)
            res.status(err.status).json({'message': err.message, 'expose': err.expose})
        app.use(failed)
        """,
        requests=gets("/404 /404-message /500-message /headers /default-message /message"),
    ),
    Case(
        "what had been set is sent with the error page, but for the content's own headers",
        js="""
        app.get('/', (req, res, next) => {
          res.set({ 'X-Kept': '1', 'Content-Encoding': 'gzip', 'Content-Language': 'fr', 'Content-Range': 'bytes 0-1/2',
            'Content-Type': 'application/json', ETag: '"1"', 'Cache-Control': 'max-age=60',
            'Content-Security-Policy': "script-src 'self'", 'Last-Modified': 'Tue, 02 Jan 2024 03:04:05 GMT' })
          res.cookie('a', 'b')
          next(new Error('secret'))
        })
        app.get('/404', (req, res, next) => { res.set('X-Kept', '1').type('json').status(201); next() })
        app.get('/overridden', (req, res, next) => {
          res.set('X-Extra', 'from the answer')
          next(Object.assign(new Error('x'), { status: 403, headers: { 'X-Extra': 'from the error' } }))
        })
        app.get('/headers-without-status', (req, res, next) =>
          next(Object.assign(new Error('x'), { headers: { 'X-Extra': '1' } })))
        app.get('/content-type', (req, res, next) =>
          next(Object.assign(new Error('x'), { status: 403, headers: { 'Content-Type': 'text/plain' } })))
        """,
        py="""
        def failure(**attributes):
            error = Exception('secret')
            error.__dict__.update(attributes)
            return error
        @app.get('/')
        def index(req, res, next):
            res.set({'X-Kept': '1', 'Content-Encoding': 'gzip', 'Content-Language': 'fr',
                     'Content-Range': 'bytes 0-1/2', 'Content-Type': 'application/json', 'ETag': '"1"',
                     'Cache-Control': 'max-age=60', 'Content-Security-Policy': "script-src 'self'",
                     'Last-Modified': 'Tue, 02 Jan 2024 03:04:05 GMT'})
            res.cookie('a', 'b')
            next(failure())
        @app.get('/404')
        def missing(req, res, next):
            res.set('X-Kept', '1').type('json').status(201)
            next()
        @app.get('/overridden')
        def overridden(req, res, next):
            res.set('X-Extra', 'from the answer')
            next(failure(status=403, headers={'X-Extra': 'from the error'}))
        app.get('/headers-without-status', lambda req, res, next: next(failure(headers={'X-Extra': '1'})))
        app.get('/content-type', lambda req, res, next: (
            next(failure(status=403, headers={'Content-Type': 'text/plain'}))))
        """,
        requests=[get(p) for p in ("/", "/404", "/overridden", "/headers-without-status", "/content-type")],
    ),
    Case(
        "error handlers",
        js="""
        app.get('/a', (req, res, next) => next(Object.assign(new Error('first'), { status: 400 })),
          (req, res) => res.send('never'),
          (err, req, res, next) => { res.append('X-Seen', 'route: ' + err.message); next(err) })
        app.use((err, req, res, next) => { res.append('X-Seen', 'before'); next(err) })
        app.get('/b', (req, res, next) => next(new Error('first')))
        app.get('/c', (req, res, next) => next(new Error('c')),
          (err, req, res, next) => { res.append('X-Seen', 'taken'); next() }, (req, res) => res.send('went on'))
        app.get('/d', (req, res, next) => next(new Error('d')), (err, req, res, next) => next('route'))
        app.get('/d', (req, res) => res.send('next route'))
        app.use((req, res, next) => { res.append('X-Seen', 'plain use'); next() })
        app.use('/elsewhere', (err, req, res, next) => res.send('never'))
        app.use((err, req, res, next) => { res.append('X-Seen', err.message); next(new Error('second')) })
        app.use((err, req, res, next) => { throw new Error(err.message + ' third') })
        app.use((err, req, res, next) => res.status(err.status || 500).send(err.message))
        app.use((err, req, res, next) => res.send('never'))
        app.use((req, res) => res.send('end'))
        """,
        py="""
        def fail(message, **attributes):
            def handler(req, res, next):
                error = Exception(message)
                error.__dict__.update(attributes)
                next(error)
            return handler
        def route_handler(err, req, res, next):
            res.append('X-Seen', 'route: ' + str(err))
            next(err)
        app.get('/a', fail('first', status=400), lambda req, res: res.send('never'), route_handler)
        def before(err, req, res, next):
            res.append('X-Seen', 'before')
            next(err)
        app.use(before)
        app.get('/b', fail('first'))
        def taken(err, req, res, next):
            res.append('X-Seen', 'taken')
            next()
        app.get('/c', fail('c'), taken, lambda req, res: res.send('went on'))
        app.get('/d', fail('d'), lambda err, req, res, next: next('route'))
        app.get('/d', lambda req, res: res.send('next route'))
        def plain(req, res, next):
            res.append('X-Seen', 'plain use')
            next()
        app.use(plain)
        app.use('/elsewhere', lambda err, req, res, next: res.send('never'))
        def second(err, req, res, next):
            res.append('X-Seen', str(err))
            next(Exception('second'))
        app.use(second)
        def third(err, req, res, next):
            raise Exception(str(err) + ' third')
        app.use(third)
        app.use(lambda err, req, res, next: res.status(getattr(err, 'status', 500)).send(str(err)))
        app.use(lambda err, req, res, next: res.send('never'))
        app.use(lambda req, res: res.send('end'))
        """,
        requests=[get("/a"), get("/b"), get("/c"), get("/d"), get("/e"), get("/elsewhere")],
    ),
    Case(
        "an error as JSON",
        js="""
        app.get('/plain', (req, res, next) => next(new Error('secret')))
        app.get('/own', (req, res, next) => next(Object.assign(new Error('x'), { code: 'E', fields: ['a'], n: null })))
        app.get('/sent', (req, res) => res.send(new TypeError('x')))
        app.use((err, req, res, next) => res.status(404).json({ message: err.message, error: err }))
        """,
        py="""
        class Own(Exception):
            def __init__(self, *args):
                super().__init__(*args)
                self.code, self.fields, self.n = 'E', ['a'], None
        app.get('/plain', lambda req, res, next: next(Exception('secret')))
        app.get('/own', lambda req, res, next: next(Own('x')))
        app.get('/sent', lambda req, res: res.send(TypeError('x')))
        app.use(lambda err, req, res, next: res.status(404).json({'message': str(err), 'error': err}))
        """,
        requests=gets("/plain /own /sent"),
    ),
    Case(
        "errors leave routers and sub-apps",
        js="""
        const router = express.Router()
        router.get('/fail', (req, res, next) => next(new Error('from the router')))
        router.get('/inside', (req, res, next) => next(new Error('taken inside')))
        router.use((err, req, res, next) => {
          if (req.path !== '/inside') return next(err)
          res.send(err.message + ' ' + req.baseUrl + ' ' + req.url)
        })
        const sub = express()
        sub.get('/fail', () => { throw new Error('from the sub-app') })
        app.use('/router', router)
        app.use('/sub', sub)
        app.use((err, req, res, next) => res.status(500).send(err.message + ' ' + req.baseUrl + ' ' + req.url))
        """,
        py="""
        def fail(message):
            def handler(req, res):
                raise Exception(message)
            return handler
        router = Router()
        router.get('/fail', fail('from the router'))
        router.get('/inside', fail('taken inside'))
        def inside(err, req, res, next):
            if req.path != '/inside':
                return next(err)
            res.send(str(err) + ' ' + req.base_url + ' ' + req.url)
        router.use(inside)
        sub = express()
        sub.get('/fail', fail('from the sub-app'))
        app.use('/router', router)
        app.use('/sub', sub)
        app.use(lambda err, req, res, next: res.status(500).send(str(err) + ' ' + req.base_url + ' ' + req.url))
        """,
        requests=[get("/router/fail"), get("/router/inside"), get("/sub/fail")],
    ),
    Case(
        "falsy values are no errors",
        js="""
        app.get('/null', (req, res, next) => next(null))
        app.get('/empty', (req, res, next) => next(''))
        app.get('/zero', (req, res, next) => next(0))
        app.get('/false', (req, res, next) => next(false))
        app.use((req, res) => res.send('no error'))
        """,
        py="""
        app.get('/null', lambda req, res, next: next(None))
        app.get('/empty', lambda req, res, next: next(''))
        app.get('/zero', lambda req, res, next: next(0))
        app.get('/false', lambda req, res, next: next(False))
        app.use(lambda req, res: res.send('no error'))
        """,
        requests=[get("/null"), get("/empty"), get("/zero"), get("/false")],
    ),
    Case(
        "an error after the answer began",
        js="""
        app.get('/write', (req, res, next) => {
          res.write('partial')
          setTimeout(() => next(new Error('late')), 50)
        })
        app.get('/sized', (req, res, next) => {
          res.set('Content-Length', '100')
          res.write('partial')
          setTimeout(() => next(new Error('late')), 50)
        })
        app.get('/next', (req, res, next) => { res.write('whole'); res.end(); next() })
        app.get('/send-next', (req, res, next) => { res.send('whole'); next() })
        """,
        py="""
        @app.get('/write')
        def write(req, res, next):
            res.write('partial')
            next(Exception('late'))
        @app.get('/sized')
        def sized(req, res, next):
            res.set('Content-Length', '100')
            res.write('partial')
            next(Exception('late'))
        @app.get('/next')
        def write_next(req, res, next):
            res.write('whole')
            res.end()
            next()
        @app.get('/send-next')
        def send_next(req, res, next):
            res.send('whole')
            next()
        """,
        requests=[get("/write"), get("/sized"), get("/next"), get("/send-next")],
    ),
    Case(
        "headers_sent",
        js="""
        app.get('/', (req, res) => {
          const before = res.headersSent
          res.write(String(before))
          res.end(' ' + res.headersSent)
        })
        """,
        py="""
        @app.get('/')
        def index(req, res):
            before = res.headers_sent
            res.write(str(before).lower())
            res.end(' ' + str(res.headers_sent).lower())
        """,
        requests=[get("/")],
    ),
    Case(
        "in development the page shows the error, but not for what has a page of its own",
        env="development",
        js="""
        app.get('/string', (req, res, next) => next('a <string>  with\\n a line'))
        """,
        py="""
        app.get('/string', lambda req, res, next: next('a <string>  with\\n a line'))
        """,
        requests=[get("/string"), get("/nope"), send("OPTIONS", "/nope")],
    ),
    Case(
        "what handlers refuse",
        js="""
        const tried = (fn) => { try { fn(); return 'fine' } catch (error) { return 'refused' } }
        app.get('/status', (req, res) => res.json(['200', 200.5, 99, 1000, null, 0, -1, 999, 100]
          .map((status) => tried(() => res.status(status))).concat(String(res.status(200).statusCode))))
        app.get('/headers', (req, res) => res.json(
          [['X-A', 'a\\r\\nX-B: b'], ['X-A', 'a\\nb'], ['X A', 'b'], ['', 'b'], ['X-A:', 'b'], ['X-A', 'b\\u0000'],
            ['X-A', 'caf\\u00e9'], ['X-A', '\\u2713'], ['X-A', 'a\\tb']]
            .map(([name, value]) => { const answer = tried(() => res.set(name, value)); res.removeHeader('X-A')
              return answer })))
        app.get('/cookies', (req, res) => res.json(
          [['a b', 'x'], ['a;b', 'x'], ['', 'x'], ['a=b', 'x'], ['caf\\u00e9', 'x']]
            .map(([name, value]) => { const answer = tried(() => res.cookie(name, value))
              res.removeHeader('Set-Cookie'); return answer })))
        app.get('/cookie-options', (req, res) => res.json(
          [{ path: 'a;b' }, { path: '/\\n' }, { domain: 'a;b' }, { domain: 'a b' }, { sameSite: 'other' },
            { priority: 'other' }]
            .map((options) => { const answer = tried(() => res.cookie('a', 'b', options))
              res.removeHeader('Set-Cookie'); return answer })))
        """,
        py="""
        def tried(call, *arguments, **options):
            try:
                call(*arguments, **options)
            except (TypeError, ValueError):
                return 'refused'
            return 'fine'
        @app.get('/status')
        def status(req, res):
            answers = [tried(res.status, status) for status in ['200', 200.5, 99, 1000, None, 0, -1, 999, 100]]
            res.json([*answers, str(res.status(200).status_code)])
        @app.get('/headers')
        def headers(req, res):
            answers = []
            for name, value in [('X-A', 'a\\r\\nX-B: b'), ('X-A', 'a\\nb'), ('X A', 'b'), ('', 'b'), ('X-A:', 'b'),
                                ('X-A', 'b\\u0000'), ('X-A', 'caf\\u00e9'), ('X-A', '\\u2713'), ('X-A', 'a\\tb')]:
                answers.append(tried(res.set, name, value))
                res.remove_header('X-A')
            res.json(answers)
        @app.get('/cookies')
        def cookies(req, res):
            answers = []
            for name, value in [('a b', 'x'), ('a;b', 'x'), ('', 'x'), ('a=b', 'x'), ('caf\\u00e9', 'x')]:
                answers.append(tried(res.cookie, name, value))
                res.remove_header('Set-Cookie')
            res.json(answers)
        @app.get('/cookie-options')
        def cookie_options(req, res):
            answers = []
            for options in [{'path': 'a;b'}, {'path': '/\\n'}, {'domain': 'a;b'}, {'domain': 'a b'},
                            {'same_site': 'other'}, {'priority': 'other'}]:
                answers.append(tried(res.cookie, 'a', 'b', **options))
                res.remove_header('Set-Cookie')
            res.json(answers)
        """,
        requests=[get("/status"), get("/headers"), get("/cookies"), get("/cookie-options")],
    ),
]
