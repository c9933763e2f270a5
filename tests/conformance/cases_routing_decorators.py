"""Middleware before the last handler: arguments in Express, a decorator here; and what ``express`` has itself."""

from __future__ import annotations

from .case import Case, gets, post, send

CASES = [
    Case(
        "express's own middleware and router, and middleware before a handler",
        js="""
        const onlyAdmins = (req, res, next) => req.query.admin ? next() : res.sendStatus(403)
        app.use(express.json(), express.urlencoded(), express.text(), express.raw(), express.static(FILES))
        const router = express.Router()
        router.post('/echo', [onlyAdmins], (req, res) => res.json(req.body))
        router.route('/echo').put(onlyAdmins, (req, res) => res.send('put'))
        app.use('/api', onlyAdmins, router)
        app.get('/secrets', onlyAdmins, (req, res) => res.send('the secret'))
        app.use('/last', onlyAdmins, (req, res) => res.send(req.url))
        """,
        py="""
        def only_admins(req, res, next):
            next() if req.query.admin else res.send_status(403)
        app.use(express.json(), express.urlencoded(), express.text(), express.raw(), express.static(FILES))
        router = express.Router()
        @router.post('/echo', [only_admins])
        def echo(req, res): res.json(req.body)
        @router.route('/echo').put(only_admins)
        def put(req, res): res.send('put')
        @app.use('/api', only_admins)
        def api(req, res, next): next()
        app.use('/api', router)
        @app.get('/secrets', only_admins)
        def secrets(req, res): res.send('the secret')
        @app.use('/last', only_admins)
        def last(req, res): res.send(req.url)
        """,
        requests=[
            *gets("/secrets /secrets?admin=1 /last/x /last/x?admin=1 /api/echo?admin=1 /hello.txt"),
            post("/api/echo", '{"a": [1]}', "application/json"),
            post("/api/echo?admin=1", '{"a": [1]}', "application/json", name="json"),
            post("/api/echo?admin=1", "a=1", "application/x-www-form-urlencoded", name="form"),
            post("/api/echo?admin=1", "text", "text/plain", name="text"),
            send("PUT", "/api/echo?admin=1"),
        ],
    ),
]
