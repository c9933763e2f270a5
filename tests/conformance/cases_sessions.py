"""The cookie that express-session sends or does not, and the session that handlers see.

Each case of the test files of express-session 1.19.0 (160) and connect-mongodb-session 5.0.0 (25) has its counterpart
in the modules cases_sessions here or in tests/sessions, but for 12 of the first and 2 of the second:

- Four read the id from ``req.cookies`` and ``req.signedCookies``, and one the secret from ``req.secret``, which
  cookie-parser leaves there. Upstream deprecates both; here the header counts, and a secret must be given.
- Two are of older spellings, the option ``key`` for ``name``, and a ``Date`` as ``maxAge``: here each has one name, and
  ``max_age`` takes a ``timedelta``, ``expires`` a ``datetime``.
- One passes over a cookie option ``data``: here every unknown option is refused.
- One has a request without a path, one a ``Host`` that is a URL: the server refuses both with 400.
- One sets a cookie with ``writeHead``: here that is ``res.set``.
- Two look for constructors on the function ``session``, or on Express 3: in Python they are imported.
- One waits for the store's event ``connected``: a store connects when the first request needs it.

Where upstream answers as if nothing were wrong and tells of the error afterwards (a store that fails, a cookie that
cannot be set), or complains at the first request (no secret), the counterpart holds what is done here instead: an error
answer, and a ``TypeError`` from ``session(...)``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

from .case import Case, Request, get
from .cases_response_cookies import EXPIRES

SECRET = "keyboard cat"


def signed(sid: str, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), sid.encode(), hashlib.sha256).digest()
    return quote(f"s:{sid}.{base64.b64encode(digest).decode().rstrip('=')}", safe="")


# Every request finds the store with the one session "known".
APP_JS = """
const store = new session.MemoryStore()
app.use((req, res, next) => {
  store.sessions = Object.create(null)
  store.sessions.known = JSON.stringify({ cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
    user: { name: 'tobi' }, views: 1 })
  next()
})
app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store,
  genid: () => 'made', ...OPTIONS }))
const show = (req, res) => {
  const { cookie, ...data } = req.session ?? {}
  res.json([req.sessionID ?? null, data])
}
app.get('/read', show)
app.get('/write', (req, res) => { req.session.views = (req.session.views ?? 0) + 1; show(req, res) })
app.get('/deep', (req, res) => { req.session.user = { ...req.session.user, deep: true }; show(req, res) })
app.get('/same', (req, res) => { req.session.views = 1; show(req, res) })
app.get('/delete', (req, res) => { delete req.session.views; show(req, res) })
app.get('/unset', (req, res) => { req.session = null; res.json('unset') })
app.get('/destroy', (req, res) => req.session.destroy(() => res.json([req.session === undefined])))
app.get('/regenerate', (req, res) => req.session.regenerate(() => show(req, res)))
app.get('/regenerate-write', (req, res) => req.session.regenerate(() => { req.session.a = 1; show(req, res) }))
app.get('/reload', (req, res) => { req.session.views = 9
  req.session.reload((error) => error ? res.json('not there') : show(req, res)) })
app.get('/save', (req, res) => { req.session.views = 9; req.session.save(() => show(req, res)) })
app.get('/max-age', (req, res) => { req.session.cookie.maxAge = 60000; show(req, res) })
app.get('/insecure', (req, res) => { req.session.cookie.secure = false; req.session.a = 1; show(req, res) })
app.get('/error', (req, res, next) => { req.session.views = 9; next(new Error('x')) })
app.get('/cookie', (req, res) => res.json([req.session.cookie.path, req.session.cookie.httpOnly,
  req.session.cookie.originalMaxAge ?? null, req.session.id]))
"""
APP_PY = """
from miniexpress.sessions.memory import MemoryStore
store = MemoryStore()
def prepare(req, res, next):
    store.clear()
    store.set('known', {'cookie': {'originalMaxAge': None, 'expires': None, 'httpOnly': True, 'path': '/'},
                        'user': {'name': 'tobi'}, 'views': 1})
    next()
app.use(prepare)
app.use(session(**{'secret': 'keyboard cat', 'resave': False, 'save_uninitialized': False, 'store': store,
                   'genid': lambda req: 'made', **OPTIONS}))
def show(req, res):
    data = {key: value for key, value in (req.session or {}).items() if key != 'cookie'}
    res.json([req.session_id, data])
app.get('/read', show)
def write(req, res):
    req.session.views = (req.session.views or 0) + 1
    show(req, res)
app.get('/write', write)
def deep(req, res):
    req.session.user = {**(req.session.user or {}), 'deep': True}
    show(req, res)
app.get('/deep', deep)
def same(req, res):
    req.session.views = 1
    show(req, res)
app.get('/same', same)
def delete(req, res):
    del req.session.views
    show(req, res)
app.get('/delete', delete)
def unset(req, res):
    req.session = None
    res.json('unset')
app.get('/unset', unset)
def destroy(req, res):
    req.session.destroy()
    res.json([req.session is None])
app.get('/destroy', destroy)
def regenerate(req, res):
    req.session.regenerate()
    show(req, res)
app.get('/regenerate', regenerate)
def regenerate_write(req, res):
    req.session.regenerate()
    req.session.a = 1
    show(req, res)
app.get('/regenerate-write', regenerate_write)
def reload(req, res):
    req.session.views = 9
    try:
        req.session.reload()
    except Exception:
        return res.json('not there')
    show(req, res)
app.get('/reload', reload)
def save(req, res):
    req.session.views = 9
    req.session.save()
    show(req, res)
app.get('/save', save)
def max_age(req, res):
    req.session.cookie.max_age = 60000
    show(req, res)
app.get('/max-age', max_age)
def insecure(req, res):
    req.session.cookie.secure = False
    req.session.a = 1
    show(req, res)
app.get('/insecure', insecure)
def error(req, res, next):
    req.session.views = 9
    next(Exception('x'))
app.get('/error', error)
app.get('/cookie', lambda req, res: res.json([req.session.cookie.path, req.session.cookie.http_only,
                                              req.session.cookie.original_max_age, req.session.id]))
"""

COOKIES = {
    "no cookie": None,
    "known": f"connect.sid={signed('known')}",
    "unknown": f"connect.sid={signed('gone')}",
}
PATHS = (
    *("read", "write", "deep", "same", "delete", "unset", "destroy", "regenerate", "regenerate-write", "reload"),
    *("save", "max-age", "error", "cookie", "nope"),
)


def asked(path: str, cookie_name: str, cookie: str | None, **headers: str) -> Request:
    return get(f"/{path}", {"Cookie": cookie, **headers}, name=f"{path}, {cookie_name}", mask=EXPIRES)


def case(name: str, js: str, py: str, requests: list[Request] | None = None) -> Case:
    every = [asked(path, cookie_name, cookie) for path in PATHS for cookie_name, cookie in COOKIES.items()]
    few = [request for request in every if request.name.startswith(("read", "write", "unset"))]
    return Case(
        name,
        js=f"const OPTIONS = {js}\n{APP_JS}",
        py=f"OPTIONS = {py}\n{APP_PY}",
        requests=few if requests is None else requests or every,
    )


CASES = [
    case("saved when changed", "{}", "{}", []),
    case(
        "saved always", "{ saveUninitialized: true, resave: true }", "{'save_uninitialized': True, 'resave': True}", []
    ),
    case("rolling", "{ rolling: true }", "{'rolling': True}"),
    case(
        "rolling, saved always",
        "{ rolling: true, saveUninitialized: true }",
        "{'rolling': True, 'save_uninitialized': True}",
    ),
    case("unset destroys", "{ unset: 'destroy' }", "{'unset': 'destroy'}"),
    case("a name", "{ name: 'sid' }", "{'name': 'sid'}"),
    case("max_age", "{ cookie: { maxAge: 60000 } }", "{'cookie': {'max_age': 60000}}", []),
    case(
        "rolling with max_age",
        "{ rolling: true, cookie: { maxAge: 60000 } }",
        "{'rolling': True, 'cookie': {'max_age': 60000}}",
    ),
    case(
        "every attribute",
        "{ cookie: { path: '/', domain: 'x.example', httpOnly: false, sameSite: 'strict', priority: 'high',\n"
        "  partitioned: true } }",
        "{'cookie': {'path': '/', 'domain': 'x.example', 'http_only': False, 'same_site': 'strict',\n"
        "            'priority': 'high', 'partitioned': True}}",
    ),
    case(
        "another path",
        "{ cookie: { path: '/admin' } }",
        "{'cookie': {'path': '/admin'}}",
        [asked("nope", "none", None)],
    ),
    case(
        "cookie by a function",
        "{ cookie: (req) => ({ path: '/', maxAge: req.query.long ? 3600000 : 1000 }) }",
        "{'cookie': lambda req: {'path': '/', 'max_age': 3600000 if req.query.long else 1000}}",
        [asked("write", "short", None), asked("write?long=1", "long", None)],
    ),
    *(
        case(
            f"secure {py_secure}, same_site auto, proxy {py_proxy}",
            f"{{ cookie: {{ secure: {js_secure}, sameSite: 'auto' }}, proxy: {js_proxy} }}",
            f"{{'cookie': {{'secure': {py_secure}, 'same_site': 'auto'}}, 'proxy': {py_proxy}}}",
            [
                asked("write", "http", None),
                asked("write", "https before the proxy", None, **{"X-Forwarded-Proto": "https"}),
                asked("write", "https, http before the proxy", None, **{"X-Forwarded-Proto": "https, http"}),
                asked("read", "known", COOKIES["known"], **{"X-Forwarded-Proto": "https"}),
                asked("insecure", "http", None),
            ],
        )
        for js_secure, py_secure in (("true", "True"), ("'auto'", "'auto'"), ("false", "False"))
        for js_proxy, py_proxy in (("true", "True"), ("false", "False"), ("undefined", "None"))
    ),
    case(
        "several secrets",
        "{ secret: ['new', 'keyboard cat'] }",
        "{'secret': ['new', 'keyboard cat']}",
        [
            asked(path, cookie_name, cookie)
            for path in ("read", "write", "regenerate-write")
            for cookie_name, cookie in {
                "of the old": COOKIES["known"],
                "of the new": f"connect.sid={signed('known', 'new')}",
                "of another": f"connect.sid={signed('known', 'other')}",
            }.items()
        ],
    ),
    case(
        "cookies that are none of ours",
        "{}",
        "{}",
        [
            asked("read", cookie_name, cookie)
            for cookie_name, cookie in {
                "unsigned": "connect.sid=known",
                "tampered": f"connect.sid={signed('known').replace('known', 'other')}",
                "without its signature": "connect.sid=s%3Aknown",
                "empty": "connect.sid=",
                "of another name": f"sid={signed('known')}",
                "quoted": f'connect.sid="{signed("known")}"',
                "not encoded": f"connect.sid=s:{signed('known')[4:]}",
                "among others": f"a=b; connect.sid={signed('known')}; c=d",
                "twice": f"connect.sid={signed('gone')}; connect.sid={signed('known')}",
                "malformed encoding": "connect.sid=s%3Aknown.%zz",
            }.items()
        ],
    ),
    Case(
        "a session that is somebody else's",
        js="""
        app.use((req, res, next) => { req.session = { theirs: true }; next() })
        app.use(session({ secret: 'keyboard cat', resave: true, saveUninitialized: true }))
        app.get('/', (req, res) => res.json([req.session, req.sessionID === undefined]))
        """,
        py="""
        def theirs(req, res, next):
            req.session = {'theirs': True}
            next()
        app.use(theirs)
        app.use(session(secret='keyboard cat', resave=True, save_uninitialized=True))
        app.get('/', lambda req, res: res.json([req.session, req.session_id is None]))
        """,
        requests=[get("/")],
    ),
]
