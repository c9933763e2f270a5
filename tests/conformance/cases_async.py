"""Handlers that are ``async``: what they reject, and when, reaches the error handlers as in Express 5."""

from __future__ import annotations

from .case import Case, get

CASES = [
    Case(
        "an async handler that responds, before and behind an await",
        js="""
        const later = () => new Promise((resolve) => setTimeout(resolve, 2))
        app.get('/now', async (req, res) => { res.send('now') })
        app.get('/later', async (req, res) => { await later(); res.status(201).set('X-A', 'b').send('later') })
        app.get('/json', async (req, res) => { await later(); res.json({ path: req.path }) })
        """,
        py="""
        import asyncio
        @app.get('/now')
        async def now(req, res):
            res.send('now')
        @app.get('/later')
        async def later(req, res):
            await asyncio.sleep(0.002)
            res.status(201).set('X-A', 'b').send('later')
        @app.get('/json')
        async def json(req, res):
            await asyncio.sleep(0.002)
            res.json({'path': req.path})
        """,
        requests=[get("/now"), get("/later"), get("/json")],
    ),
    Case(
        "an async handler that throws, with no error handler",
        js="""
        app.get('/before', async (req, res) => { throw new Error('secret') })
        app.get('/behind', async (req, res) => { await null; throw Object.assign(new Error('no'), { status: 403 }) })
        app.get('/responded', async (req, res) => { res.send('responded'); throw new Error('secret') })
        """,
        py="""
        import asyncio
        from miniexpress import HTTPError
        @app.get('/before')
        async def before(req, res):
            raise Exception('secret')
        @app.get('/behind')
        async def behind(req, res):
            await asyncio.sleep(0)
            raise HTTPError(403, 'no')
        @app.get('/responded')
        async def responded(req, res):
            res.send('responded')
            raise Exception('secret')
        """,
        requests=[get("/before"), get("/behind"), get("/responded")],
    ),
    Case(
        "async handlers of a route: what one throws skips the others",
        js="""
        app.get('/x', async (req, res, next) => { throw new Error('boom') },
          async (req, res) => { res.send('skipped') },
          async (err, req, res, next) => { res.send('caught ' + err.message) },
          async (req, res) => { res.send('not reached') })
        """,
        py="""
        async def throws(req, res, next):
            raise Exception('boom')
        async def skipped(req, res):
            res.send('skipped')
        async def catches(err, req, res, next):
            res.send('caught ' + str(err))
        async def not_reached(req, res):
            res.send('not reached')
        app.get('/x', throws, skipped, catches, not_reached)
        """,
        requests=[get("/x")],
    ),
    Case(
        "an async handler that throws an error without a message",
        js="""
        app.get('/x', async (req, res) => { throw new Error() })
        app.get('/nothing', (req, res) => Promise.reject())
        app.use(async (err, req, res, next) => { res.send(err instanceof Error ? 'an error' : 'no error') })
        """,
        py="""
        @app.get('/x')
        async def throws(req, res):
            raise Exception
        @app.get('/nothing')
        async def rejects(req, res):
            raise Exception
        @app.use
        async def catches(err, req, res, next):
            res.send('an error' if isinstance(err, Exception) else 'no error')
        """,
        requests=[get("/x"), get("/nothing")],
    ),
    Case(
        "an async middleware that calls next() and then throws",
        js="""
        app.use('/sent', async (req, res, next) => { next(); throw new Error('boom') })
        app.get('/sent', (req, res) => { res.send('sent') })
        app.use(async (err, req, res, next) => { if (!res.headersSent) res.status(500).send('caught ' + err.message) })
        """,
        py="""
        @app.use('/sent')
        async def throws_late(req, res, next):
            next()
            raise Exception('boom')
        app.get('/sent', lambda req, res: res.send('sent'))
        @app.use
        async def catches(err, req, res, next):
            if not res.headers_sent:
                res.status(500).send('caught ' + str(err))
        """,
        requests=[get("/sent")],
    ),
    Case(
        "next(error), next('route') and next('router') of async handlers",
        js="""
        const router = new express.Router()
        router.get('/error', async (req, res, next) => { next(new Error('told')) }, (req, res) => res.send('skipped'))
        router.get('/route', async (req, res, next) => { next('route') }, (req, res) => res.send('skipped'))
        router.get('/route', async (req, res) => { res.send('next route') })
        router.get('/router', async (req, res, next) => { next('router') }, (req, res) => res.send('skipped'))
        router.get('/router', async (req, res) => { res.send('skipped, too') })
        app.use('/r', router)
        app.get('/r/router', async (req, res) => { res.send('behind the router ' + req.baseUrl) })
        app.use(async (err, req, res, next) => { res.send('caught ' + err.message) })
        """,
        py="""
        from miniexpress import Router
        router = Router()
        async def gives_error(req, res, next):
            next(Exception('told'))
        async def leaves_route(req, res, next):
            next('route')
        async def leaves_router(req, res, next):
            next('router')
        def skipped(req, res):
            res.send('skipped')
        router.get('/error', gives_error, skipped)
        router.get('/route', leaves_route, skipped)
        @router.get('/route')
        async def next_route(req, res):
            res.send('next route')
        router.get('/router', leaves_router, skipped)
        @router.get('/router')
        async def skipped_too(req, res):
            res.send('skipped, too')
        app.use('/r', router)
        @app.get('/r/router')
        async def behind(req, res):
            res.send('behind the router ' + req.base_url)
        @app.use
        async def catches(err, req, res, next):
            res.send('caught ' + str(err))
        """,
        requests=[get("/r/error"), get("/r/route"), get("/r/router")],
    ),
    Case(
        "an async error handler that throws, or goes on with another error",
        js="""
        app.get('/throws', async () => { throw new Error('first') })
        app.get('/goes-on', async () => { throw new Error('first') })
        app.use('/throws', async (err, req, res, next) => { throw new Error(err.message + ', second') })
        app.use('/goes-on', async (err, req, res, next) => { next(new Error(err.message + ', other')) })
        app.use(async (err, req, res, next) => { res.send('caught ' + err.message) })
        """,
        py="""
        @app.get('/throws')
        async def throws(req, res):
            raise Exception('first')
        app.get('/goes-on', throws)
        @app.use('/throws')
        async def throws_again(err, req, res, next):
            raise Exception(f'{err}, second')
        @app.use('/goes-on')
        async def goes_on(err, req, res, next):
            next(Exception(f'{err}, other'))
        @app.use
        async def catches(err, req, res, next):
            res.send(f'caught {err}')
        """,
        requests=[get("/throws"), get("/goes-on")],
    ),
    Case(
        "async param callbacks",
        js="""
        app.param('user', async (req, res, next, id) => {
          await null
          if (id === 'bad') throw new Error('no user ' + id)
          req.user = 'user ' + id
          next()
        })
        app.param('other', async (req, res, next, id) => { next(id === 'route' ? 'route' : new Error('no ' + id)) })
        app.get('/u/:user', async (req, res) => { res.send(req.user) })
        app.get('/u/:user/again/:user2', async (req, res) => { res.send(req.user + ' ' + req.params.user2) })
        app.get('/o/:other', (req, res) => res.send('skipped'))
        app.get('/o/*rest', (req, res) => res.send('next route'))
        app.use(async (err, req, res, next) => { res.send('caught ' + err.message) })
        """,
        py="""
        import asyncio
        async def load_user(req, res, next, id):
            await asyncio.sleep(0)
            if id == 'bad':
                raise Exception('no user ' + id)
            req.user = 'user ' + id
            next()
        app.param('user', load_user)
        async def load_other(req, res, next, id):
            next('route' if id == 'route' else Exception('no ' + id))
        app.param('other', load_other)
        @app.get('/u/:user')
        async def show(req, res):
            res.send(req.user)
        @app.get('/u/:user/again/:user2')
        async def show_both(req, res):
            res.send(req.user + ' ' + req.params.user2)
        app.get('/o/:other', lambda req, res: res.send('skipped'))
        app.get('/o/*rest', lambda req, res: res.send('next route'))
        @app.use
        async def catches(err, req, res, next):
            res.send(f'caught {err}')
        """,
        requests=[get("/u/5"), get("/u/bad"), get("/u/5/again/6"), get("/o/route"), get("/o/x")],
    ),
    Case(
        "async and plain handlers in turn, in a mounted app",
        js="""
        const inner = express()
        inner.use((req, res, next) => { req.seen = ['plain ' + req.url]; next() })
        inner.use(async (req, res, next) => { req.seen.push('async ' + req.baseUrl); next() })
        inner.get('/x', [(req, res, next) => { req.seen.push('plain'); next() }],
          async (req, res) => { res.json(req.seen) })
        app.use('/in', inner)
        app.use(async (req, res) => { res.status(404).send('nothing at ' + req.url) })
        """,
        py="""
        from miniexpress import express
        inner = express()
        @inner.use
        def plain(req, res, next):
            req.seen = ['plain ' + req.url]
            next()
        @inner.use
        async def asynchronous(req, res, next):
            req.seen.append('async ' + req.base_url)
            next()
        def plain_again(req, res, next):
            req.seen.append('plain')
            next()
        async def last(req, res):
            res.json(req.seen)
        inner.get('/x', [plain_again], last)
        app.use('/in', inner)
        @app.use
        async def nothing(req, res):
            res.status(404).send('nothing at ' + req.url)
        """,
        requests=[get("/in/x"), get("/in/y?z=1")],
    ),
]
