"""Handlers that change a session, its cookie or its response by more than reading and writing it."""

from __future__ import annotations

from .case import Case, Request, get
from .cases_response_cookies import EXPIRES
from .cases_sessions import COOKIES as SENT
from .cases_sessions import signed

# With a max age the cookie is set again whenever the session has changed. Every request finds the session "known".
APP_JS = """
const store = new session.MemoryStore()
app.use((req, res, next) => {
  store.sessions = Object.create(null)
  const cookie = { originalMaxAge: 60000, expires: new Date(Date.now() + 60000), httpOnly: true, path: '/' }
  store.sessions.known = JSON.stringify({ cookie, user: { cookie: 1 } })
  const ended = { ...cookie, expires: new Date(Date.now() - 1) }
  store.sessions.over = JSON.stringify({ cookie: ended, user: { cookie: 2 } })
  store.sessions.two = JSON.stringify({ cookie, user: 1, visits: 2 })
  store.sessions.methods = JSON.stringify({ cookie, save: 'no', touch: 1, reload: null })
  next()
})
app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store, proxy: true,
  genid: (req) => req.query.id ?? 'made', cookie: { maxAge: 60000 } }))
app.get('/keys', (req, res) => { req.session.b = 2; req.session.a = 'x'
  res.json(Object.keys(req.session).filter((key) => key.length < 2 || key === 'cookie')) })
app.get('/methods', (req, res) => { req.session.a = 1; req.session.save(() => res.send('saved')) })
app.get('/nested', (req, res) => { req.session.user = { cookie: (req.session.user?.cookie ?? 0) + 1 }
  res.json(req.session.user) })
app.get('/nested-same', (req, res) => { req.session.user = { cookie: 1 }; res.json(req.session.user) })
app.get('/removed-and-set-again', (req, res) => { const user = req.session.user; delete req.session.user
  req.session.user = user; res.json(Object.keys(req.session).filter((key) => key !== 'cookie')) })
app.get('/bogus-id', (req, res) => { req.sessionID = 17; req.session.a = 1; res.send('x') })
app.get('/id', (req, res) => { req.session.a = 1; res.send(req.session.id) })
app.get('/attributes', (req, res) => { req.session.cookie.httpOnly = false; req.session.cookie.secure = true
  req.session.cookie.sameSite = 'none'; req.session.cookie.path = '/x'; req.session.a = 1; res.send('x') })
app.get('/expired', (req, res) => { req.session.cookie.expires = new Date(0); req.session.a = 1; res.send('x') })
app.get('/for-ever', (req, res) => { req.session.cookie.expires = new Date(Date.UTC(2100, 0, 1)); req.session.a = 1
  res.send('x') })
app.get('/browser-session', (req, res) => { req.session.cookie.expires = null; req.session.a = 1; res.send('x') })
app.get('/browser-session-unchanged', (req, res) => { req.session.cookie.expires = null; res.send('x') })
app.get('/max-age-null', (req, res) => { req.session.cookie.maxAge = null; req.session.a = 1; res.send('x') })
app.get('/length', (req, res) => { req.session.a = 1; res.set('Content-Length', '12'); res.write('hello, ')
  res.end('world') })
app.get('/length-at-once', (req, res) => { req.session.a = 1; res.set('Content-Length', '5'); res.end('world') })
app.get('/length-0', (req, res) => { req.session.a = 1; res.set('Content-Length', '0'); res.end() })
app.get('/end-twice', (req, res) => { req.session.a = 1; res.set('Content-Length', '5'); res.end('world'); res.end() })
app.get('/end-null', (req, res) => { req.session.a = 1; res.set('Content-Length', '0'); res.end(null) })
app.get('/original-max-age', (req, res) => res.json(req.session.cookie.originalMaxAge > 59000))
app.get('/cookies', (req, res) => { req.session.a = 1; res.set('Set-Cookie', 'b=1')
  res.cookie('c', '2').send('x') })
app.get('/redirect', (req, res) => { req.session.a = 1; res.redirect('/') })
app.get('/not-modified', (req, res) => { req.session.a = 1; res.set('ETag', '"x"').send('x') })
app.get('/next', (req, res, next) => { req.session.a = 1; next() })
app.get('/reload', (req, res) => { store.sessions.known = store.sessions.known.replace('"cookie":1', '"cookie":7')
  req.session.a = 1; req.session.reload(() => res.json(['a' in req.session, req.session.user ?? null])) })
app.get('/reload-again', (req, res) => { store.clear(); let failed = 0
  const again = (error) => { failed += error ? 1 : 0; failed < 20 ? req.session.reload(again) : res.json(failed) }
  again() })
app.get('/reload-save', (req, res) => { req.session.a = 1
  req.session.reload(() => req.session.save(() => res.json(Object.keys(req.session)))) })
app.get('/destroy-twice', (req, res) => { const it = req.session
  it.destroy(() => it.destroy(() => res.json(req.session === undefined))) })
app.get('/regenerate-twice', (req, res) => { req.session.a = 1
  req.session.regenerate(() => req.session.regenerate(() => res.json(Object.keys(req.session)))) })
"""
APP_PY = """
from datetime import UTC, datetime, timedelta
from miniexpress.sessions.memory import MemoryStore
store = MemoryStore()
def keep(sid, lasts=timedelta(minutes=1), **data):
    expires = datetime.now(UTC) + lasts
    store.set(sid, {'cookie': {'originalMaxAge': 60000, 'expires': expires, 'httpOnly': True, 'path': '/'}, **data})
def prepare(req, res, next):
    store.clear()
    keep('known', user={'cookie': 1})
    keep('over', timedelta(milliseconds=-1), user={'cookie': 2})
    keep('two', user=1, visits=2)
    keep('methods', save='no', touch=1, reload=None)
    next()
app.use(prepare)
app.use(session(secret='keyboard cat', resave=False, save_uninitialized=False, store=store, proxy=True,
                genid=lambda req: req.query.id or 'made', cookie={'max_age': 60000}))
def keys(req, res):
    req.session.b = 2
    req.session.a = 'x'
    res.json([key for key in req.session if len(key) < 2 or key == 'cookie'])
app.get('/keys', keys)
def methods(req, res):
    req.session.a = 1
    req.session.save()
    res.send('saved')
app.get('/methods', methods)
def nested(req, res):
    user = req.session.user or {}
    req.session.user = {'cookie': user.get('cookie', 0) + 1}
    res.json(req.session.user)
app.get('/nested', nested)
def nested_same(req, res):
    req.session.user = {'cookie': 1}
    res.json(req.session.user)
app.get('/nested-same', nested_same)
def removed_and_set_again(req, res):
    user = req.session.user
    del req.session.user
    req.session.user = user
    res.json([key for key in req.session if key != 'cookie'])
app.get('/removed-and-set-again', removed_and_set_again)
def bogus_id(req, res):
    req.session_id = 17
    req.session.a = 1
    res.send('x')
app.get('/bogus-id', bogus_id)
def changed(path, change=lambda cookie: None, answer=lambda req, res: res.send('x')):
    def handler(req, res):
        change(req.session.cookie)
        req.session.a = 1
        answer(req, res)
    app.get(path, handler)
changed('/id', answer=lambda req, res: res.send(req.session.id))
def attributes(cookie):
    cookie.http_only, cookie.secure, cookie.same_site, cookie.path = False, True, 'none', '/x'
changed('/attributes', attributes)
changed('/expired', lambda cookie: setattr(cookie, 'expires', datetime(1970, 1, 1, tzinfo=UTC)))
changed('/for-ever', lambda cookie: setattr(cookie, 'expires', datetime(2100, 1, 1, tzinfo=UTC)))
changed('/browser-session', lambda cookie: setattr(cookie, 'expires', None))
def browser_session_unchanged(req, res):
    req.session.cookie.expires = None
    res.send('x')
app.get('/browser-session-unchanged', browser_session_unchanged)
changed('/max-age-null', lambda cookie: setattr(cookie, 'max_age', None))
def length(req, res):
    res.set('Content-Length', '12')
    res.write('hello, ')
    res.end('world')
changed('/length', answer=length)
changed('/length-at-once', answer=lambda req, res: res.set('Content-Length', '5').end('world'))
changed('/length-0', answer=lambda req, res: res.set('Content-Length', '0').end())
def end_twice(req, res):
    res.set('Content-Length', '5').end('world')
    res.end()
changed('/end-twice', answer=end_twice)
changed('/end-null', answer=lambda req, res: res.set('Content-Length', '0').end(None))
app.get('/original-max-age', lambda req, res: res.json(req.session.cookie.original_max_age > 59000))
changed('/cookies', answer=lambda req, res: res.set('Set-Cookie', 'b=1').cookie('c', '2').send('x'))
changed('/redirect', answer=lambda req, res: res.redirect('/'))
changed('/not-modified', answer=lambda req, res: res.set('ETag', '"x"').send('x'))
def go_on(req, res, next):
    req.session.a = 1
    next()
app.get('/next', go_on)
def reload(req, res):
    keep('known', user={'cookie': 7})
    req.session.a = 1
    try:
        req.session.reload()
    except LookupError:
        pass
    res.json(['a' in req.session, req.session.user])
app.get('/reload', reload)
def reload_again(req, res):
    store.clear()
    failed = 0
    while failed < 20:
        try:
            req.session.reload()
        except LookupError:
            failed += 1
    res.json(failed)
app.get('/reload-again', reload_again)
def reload_save(req, res):
    req.session.a = 1
    try:
        req.session.reload()
    except LookupError:
        pass
    req.session.save()
    res.json(list(req.session))
app.get('/reload-save', reload_save)
def destroy_twice(req, res):
    it = req.session
    it.destroy()
    it.destroy()
    res.json(req.session is None)
app.get('/destroy-twice', destroy_twice)
def regenerate_twice(req, res):
    req.session.a = 1
    req.session.regenerate()
    req.session.regenerate()
    res.json(list(req.session))
app.get('/regenerate-twice', regenerate_twice)
"""

PATHS = (
    "keys", "nested", "nested-same", "bogus-id", "id", "id?id=%25", "id?id=%2Ffoo", "id?id=%C3%A9",
    "attributes", "expired", "for-ever", "browser-session", "browser-session-unchanged", "max-age-null", "length",
    "length-at-once", "length-0", "end-twice", "end-null", "original-max-age", "cookies", "redirect", "next",
    "reload", "reload-again", "reload-save", "destroy-twice", "regenerate-twice",
)  # fmt: skip


COOKIES = {**SENT, **{sid: f"connect.sid={signed(sid)}" for sid in ("methods", "over", "two")}}


def asked(path: str, cookie_name: str, **headers: str) -> Request:
    fields = {"Cookie": COOKIES[cookie_name], **headers}
    mask = () if path in ("expired", "for-ever") else EXPIRES  # those two end at a moment of their own
    return get(f"/{path}", fields, name=", ".join([path, cookie_name, *headers]), mask=mask)


# What express-session's documentation says of the cookie's end, and what a session does with what it is given.
ENDS_JS = """
const store = new session.MemoryStore()
app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store, genid: () => 'made',
  cookie: () => ({ path: '/', maxAge: 60000 }) }))
const stored = (req, res) => req.session.save(() => res.send(store.sessions.made.replace(/\\d{4}-[^"]*Z/, 'then')))
app.get('/expires-false', (req, res) => { req.session.cookie.expires = false; req.session.a = 1; stored(req, res) })
app.get('/max-age-false', (req, res) => { req.session.cookie.maxAge = false; req.session.a = 1; stored(req, res) })
app.get('/expires-false-again', (req, res) => { req.session.cookie.expires = false; req.session.touch()
  req.session.a = 2; res.json([req.session.cookie.expires, req.session.cookie.maxAge]) })
app.get('/the-last-second', (req, res) => { req.session.cookie.expires = new Date(Date.UTC(9999, 11, 31, 23, 59, 59))
  req.session.a = 3; res.send('x') })
app.get('/plain', (req, res) => { const user = { name: 'Ada', at: { city: 'London' } }; req.session.user = user
  user.age = 36; req.session.user.at.zip = 1; req.session._id = 'mine'
  res.json([req.session.user.name, req.session.user.age, user.at, req.session._id, req.session._store ?? null]) })
app.get('/to-json', (req, res) => { const items = []; req.session.cart = { toJSON: () => ({ items }) }
  req.session.save(() => { items.push('tea'); res.send('x') }) })
app.get('/kept', (req, res) => res.json([req.session.user ?? null, req.session._id ?? null, req.session.cart ?? null]))
"""
ENDS_PY = """
import re
from datetime import UTC, datetime
from miniexpress.http.json_text import stringify
from miniexpress.sessions.memory import MemoryStore
store = MemoryStore()
app.use(session(secret='keyboard cat', resave=False, save_uninitialized=False, store=store, genid=lambda: 'made',
                cookie=lambda: {'path': '/', 'max_age': 60000}))
def stored(req, res):
    req.session.save()
    document = store.get('made')
    text = stringify({'cookie': document.pop('cookie'), **document})
    res.send(re.sub('[0-9]{4}-[^"]*Z', 'then', text))
def expires_false(req, res):
    req.session.cookie.expires = False
    req.session.a = 1
    stored(req, res)
app.get('/expires-false', expires_false)
def max_age_false(req, res):
    req.session.cookie.max_age = False
    req.session.a = 1
    stored(req, res)
app.get('/max-age-false', max_age_false)
def expires_false_again(req, res):
    req.session.cookie.expires = False
    req.session.touch()
    req.session.a = 2
    res.json([req.session.cookie.expires, req.session.cookie.max_age])
app.get('/expires-false-again', expires_false_again)
def the_last_second(req, res):
    req.session.cookie.expires = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    req.session.a = 3
    res.send('x')
app.get('/the-last-second', the_last_second)
def plain(req, res):
    user = {'name': 'Ada', 'at': {'city': 'London'}}
    req.session.user = user
    user['age'] = 36
    req.session.user.at.zip = 1
    req.session._id = 'mine'
    res.json([req.session.user.name, req.session.user.age, user['at'], req.session._id, req.session._store])
app.get('/plain', plain)
class Cart:
    def __init__(self):
        self.items = []
    def __repr__(self):
        return 'Cart'
    def to_json(self):
        return {'items': self.items}
def to_json(req, res):
    cart = req.session.cart = Cart()
    req.session.save()
    cart.items.append('tea')
    res.send('x')
app.get('/to-json', to_json)
app.get('/kept', lambda req, res: res.json([req.session.user, req.session._id, req.session.cart]))
"""
MADE = {"Cookie": f"connect.sid={signed('made')}"}

CASES = [
    Case(
        "the cookie's end, and what is assigned",
        js=ENDS_JS,
        py=ENDS_PY,
        requests=[
            get("/expires-false", name="expires false, no cookie", mask=EXPIRES),
            get("/expires-false", MADE, name="expires false", mask=EXPIRES),
            get("/max-age-false", name="max age false", mask=EXPIRES),
            get("/expires-false-again", MADE, name="expires false, touched", mask=EXPIRES),
            get("/the-last-second", MADE, name="the last second"),
            get("/kept", MADE, name="after the last second"),
            get("/plain", MADE, name="a plain object"),
            get("/kept", MADE, name="after a plain object"),
            get("/to-json", MADE, name="an object with toJSON that changes after save"),
            get("/kept", MADE, name="after an object with toJSON"),
        ],
    ),
    Case(
        "handlers",
        js=APP_JS,
        py=APP_PY,
        requests=[
            *(asked(path, cookie_name) for path in PATHS for cookie_name in ("no cookie", "known")),
            asked("methods", "methods"),
            asked("id", "over"),
            asked("nested", "over"),
            asked("removed-and-set-again", "two"),
            *(asked("attributes", cookie_name, **{"X-Forwarded-Proto": "https"}) for cookie_name in SENT),
            *(asked("not-modified", cookie_name, **{"If-None-Match": '"x"'}) for cookie_name in SENT),
        ],
    ),
]
