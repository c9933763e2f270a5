"""``cors``: npm cors 2.8.6.

A preflight request is answered with 204 by default, and Node sends a Content-Length with that: see differences.py. The
other cases set another status.
"""

from __future__ import annotations

from .case import Case, Request, get, head, send

A, B = "http://a.example", "http://b.example"


def preflight(path: str, origin: str | None = A, asked: str | None = None) -> Request:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": asked}
    return send("OPTIONS", path, None, headers, name=f"preflight {path} from {origin} for {asked}")


def from_each(paths: str) -> list[Request]:
    """A GET of each path from two origins and without one, and a preflight request."""
    return [
        request
        for path in paths.split()
        for request in (get(path, {"Origin": A}), get(path, {"Origin": B}), get(path), preflight(path))
    ]


def by_headers(paths: str) -> list[Request]:
    """Two preflight requests of each path, which ask for no header and for some, and a GET."""
    return [
        request
        for path in paths.split()
        for request in (preflight(path), preflight(path, A, "X-Asked,x-for"), get(path, {"Origin": A}))
    ]


CASES = [
    Case(
        "defaults",
        js="""
        app.use(require('cors')())
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        app.use(cors())
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=[
            get("/", {"Origin": A}),
            get("/"),
            head("/", {"Origin": A}),
            send("PUT", "/", "body", {"Origin": A}),
            send("DELETE", "/", None, {"Origin": A}),
            preflight("/"),
            preflight("/", A, "X-One, X-Two"),
            send("OPTIONS", "/", name="no preflight request"),
        ],
    ),
    Case(
        "origins",
        js="""
        const cors = require('cors')
        const origins = {
          star: '*', one: 'http://a.example', odd: 'no origin at all', true: true, false: false, empty: '', null: null,
          pattern: /^http:\\/\\/[ac]\\.example$/, middle: /xampl/,
          list: ['http://a.example', /\\.example2$/], none: [], others: ['http://x.example', /^x/],
          nested: [['http://x.example', ['http://a.example']]], 'star-in-list': ['*'], 'true-in-list': [false, true],
          'false-in-list': [false], 'empty-in-list': ['']
        }
        for (const name in origins) {
          app.use('/' + name, cors({ origin: origins[name], optionsSuccessStatus: 200 }))
        }
        app.use('/undefined', cors({ origin: undefined, optionsSuccessStatus: 200 }))
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        import re
        origins = {
            'star': '*', 'one': 'http://a.example', 'odd': 'no origin at all', 'true': True, 'false': False,
            'empty': '', 'null': None,
            'pattern': re.compile(r'^http://[ac]\\.example$'), 'middle': re.compile('xampl'),
            'list': ['http://a.example', re.compile(r'\\.example2$')], 'none': [],
            'others': ['http://x.example', re.compile('^x')], 'nested': [['http://x.example', ['http://a.example']]],
            'star-in-list': ['*'], 'true-in-list': [False, True], 'false-in-list': [False], 'empty-in-list': [''],
            'undefined': None,
        }
        for name, origin in origins.items():
            app.use(f'/{name}', cors(origin=origin, options_success_status=200))
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=[
            *from_each("/star /one /odd /true /false /empty /null /undefined /pattern /middle /list /none /others"),
            *from_each("/nested /star-in-list /true-in-list /false-in-list /empty-in-list"),
            get("/true", {"Origin": ""}),
            get("/true", {"Origin": "null"}),
            get("/pattern", {"Origin": "undefined"}),
            get("/list", {"Origin": "https://www.example2"}),
            get("/one", {"Origin": "HTTP://A.EXAMPLE"}),
        ],
    ),
    Case(
        "origin is a function",
        js="""
        const cors = require('cors')
        const returned = {
          true: true, false: false, null: null, empty: '', star: '*', one: 'http://a.example', pattern: /a\\.example/,
          list: ['http://b.example', /^http:..c/], none: []
        }
        for (const name in returned) {
          app.use('/' + name, cors({ origin: (origin, cb) => cb(null, returned[name]), optionsSuccessStatus: 200 }))
        }
        app.use('/sees', cors({ origin: (origin, cb) => cb(null, `x-${origin === undefined ? 'none' : origin}`) }))
        app.use('/error', cors({ origin: (origin, cb) => cb(new Error('no')) }))
        app.use('/thrown', cors({ origin: (origin, cb) => { throw new Error('no') } }))
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        import re
        returned = {
            'true': True, 'false': False, 'null': None, 'empty': '', 'star': '*', 'one': 'http://a.example',
            'pattern': re.compile(r'a\\.example'), 'list': ['http://b.example', re.compile('^http:..c')], 'none': [],
        }
        for name, value in returned.items():
            app.use(f'/{name}', cors(origin=lambda origin, value=value: value, options_success_status=200))
        app.use('/sees', cors(origin=lambda origin: f"x-{'none' if origin is None else origin}"))
        def fail(origin):
            raise ValueError('no')
        app.use('/error', cors(origin=fail))
        app.use('/thrown', cors(origin=fail))
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=[
            *from_each("/true /false /null /empty /star /one /pattern /list /none"),
            get("/sees", {"Origin": A}),
            get("/sees", {"Origin": ""}),
            get("/sees"),
            get("/error", {"Origin": A}),
            preflight("/error"),
            get("/thrown", {"Origin": A}),
        ],
    ),
    Case(
        "options of preflight responses",
        js="""
        const cors = require('cors')
        const options = {
          'methods-list': { methods: ['METHOD1', 'METHOD2'] }, 'methods-text': { methods: 'PUT, POST' },
          'methods-none': { methods: [] }, 'methods-empty': { methods: '' },
          'allowed-list': { allowedHeaders: ['header1', 'header2'] }, 'allowed-text': { allowedHeaders: 'h1, h2' },
          'allowed-none': { allowedHeaders: [] }, 'allowed-empty': { allowedHeaders: '' },
          'exposed-list': { exposedHeaders: ['X-One', 'X-Two'] }, 'exposed-text': { exposedHeaders: 'X-One,X-Two' },
          'exposed-none': { exposedHeaders: [] }, 'exposed-empty': { exposedHeaders: '' },
          credentials: { credentials: true, origin: 'http://a.example' }, 'no-credentials': { credentials: false },
          'max-age': { maxAge: 456 }, 'max-age-zero': { maxAge: 0 }, 'max-age-negative': { maxAge: -1 },
          status: { optionsSuccessStatus: 299 },
          all: { origin: true, methods: ['PUT'], allowedHeaders: ['X-A'], exposedHeaders: ['X-B'], credentials: true,
            maxAge: 1, optionsSuccessStatus: 202 }
        }
        for (const name in options) app.use('/' + name, cors({ optionsSuccessStatus: 200, ...options[name] }))
        app.use('/continue', cors({ preflightContinue: true, optionsSuccessStatus: 299, maxAge: 5 }))
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        options = {
            'methods-list': {'methods': ['METHOD1', 'METHOD2']}, 'methods-text': {'methods': 'PUT, POST'},
            'methods-none': {'methods': []}, 'methods-empty': {'methods': ''},
            'allowed-list': {'allowed_headers': ['header1', 'header2']}, 'allowed-text': {'allowed_headers': 'h1, h2'},
            'allowed-none': {'allowed_headers': []}, 'allowed-empty': {'allowed_headers': ''},
            'exposed-list': {'exposed_headers': ['X-One', 'X-Two']},
            'exposed-text': {'exposed_headers': 'X-One,X-Two'},
            'exposed-none': {'exposed_headers': []}, 'exposed-empty': {'exposed_headers': ''},
            'credentials': {'credentials': True, 'origin': 'http://a.example'},
            'no-credentials': {'credentials': False},
            'max-age': {'max_age': 456}, 'max-age-zero': {'max_age': 0}, 'max-age-negative': {'max_age': -1},
            'status': {'options_success_status': 299},
            'all': {'origin': True, 'methods': ['PUT'], 'allowed_headers': ['X-A'], 'exposed_headers': ['X-B'],
                    'credentials': True, 'max_age': 1, 'options_success_status': 202},
        }
        for name, given in options.items():
            app.use(f'/{name}', cors(**{'options_success_status': 200, **given}))
        app.use('/continue', cors(preflight_continue=True, options_success_status=299, max_age=5))
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=[
            *by_headers("/methods-list /methods-text /methods-none /methods-empty /allowed-list /allowed-text"),
            *by_headers("/allowed-none /allowed-empty /exposed-list /exposed-text /exposed-none /exposed-empty"),
            *by_headers("/credentials /no-credentials /max-age /max-age-zero /max-age-negative /status /all /continue"),
        ],
    ),
    Case(
        "Vary that is set already",
        js="""
        const cors = require('cors')
        const before = { other: 'Foo', same: 'origin', all: '*', list: ['Accept', 'Foo'], among: 'Accept, Origin' }
        for (const name in before) {
          app.use('/' + name, (req, res, next) => { res.setHeader('Vary', before[name]); next() })
        }
        app.use(cors({ origin: 'http://a.example', optionsSuccessStatus: 200 }))
        app.use('/after', (req, res, next) => { res.vary('Accept'); next() })
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        before = {'other': 'Foo', 'same': 'origin', 'all': '*', 'list': ['Accept', 'Foo'], 'among': 'Accept, Origin'}
        def setting(value):
            def set_vary(req, res, next):
                res.set_header('Vary', value)
                next()
            return set_vary
        for name, value in before.items():
            app.use(f'/{name}', setting(value))
        app.use(cors(origin='http://a.example', options_success_status=200))
        def vary(req, res, next):
            res.vary('Accept')
            next()
        app.use('/after', vary)
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=by_headers("/other /same /all /list /among /after"),
    ),
    Case(
        "options by request",
        js="""
        const cors = require('cors')
        app.use(cors((req, cb) => {
          if (req.path === '/error') return cb(new Error('no'))
          if (req.path === '/thrown') throw new Error('no')
          if (req.path === '/null') return cb(null, null)
          if (req.path === '/empty') return cb(null, {})
          if (req.path === '/none') return cb(null, { origin: false })
          const isA = (origin, done) => done(null, origin === 'http://a.example')
          if (req.path === '/function') return cb(null, { origin: isA })
          cb(null, { origin: req.get('X-Allow') || 'http://b.example', methods: ['PUT'], maxAge: 9, credentials: true,
            optionsSuccessStatus: 200 })
        }))
        app.use((req, res) => res.send(req.method))
        """,
        py="""
        def options(req):
            if req.path in ('/error', '/thrown'):
                raise ValueError('no')
            if req.path == '/null':
                return None
            if req.path == '/empty':
                return {}
            if req.path == '/none':
                return {'origin': False}
            if req.path == '/function':
                return {'origin': lambda origin: origin == 'http://a.example'}
            return {'origin': req.get('X-Allow') or 'http://b.example', 'methods': ['PUT'], 'max_age': 9,
                    'credentials': True, 'options_success_status': 200}
        app.use(cors(options))
        app.use(lambda req, res: res.send(req.method))
        """,
        requests=[
            *[get(f"/{path}", {"Origin": A}) for path in ("", "error", "thrown", "null", "empty", "none", "function")],
            get("/function", {"Origin": B}),
            get("/", {"Origin": A, "X-Allow": A}),
            preflight("/"),
            preflight("/none"),
        ],
    ),
    Case(
        "one route, and errors",
        js="""
        const cors = require('cors')
        app.options('/products/:id', cors({ methods: 'DELETE', optionsSuccessStatus: 200 }))
        app.delete('/products/:id', cors(), (req, res) => res.send(req.params.id))
        app.get('/products/:id', (req, res) => res.send('without'))
        app.get('/broken', cors({ origin: 'http://a.example', credentials: true }), () => { throw new Error('no') })
        app.get('/missing', cors())
        """,
        py="""
        app.options('/products/:id', cors(methods='DELETE', options_success_status=200))
        app.delete('/products/:id', cors(), lambda req, res: res.send(req.params.id))
        app.get('/products/:id', lambda req, res: res.send('without'))
        def fail(req, res):
            raise ValueError('no')
        app.get('/broken', cors(origin='http://a.example', credentials=True), fail)
        app.get('/missing', cors())
        """,
        requests=[
            preflight("/products/5"),
            send("DELETE", "/products/5", None, {"Origin": A}),
            get("/products/5", {"Origin": A}),
            get("/broken", {"Origin": A}),
            get("/missing", {"Origin": A}),
        ],
    ),
]
