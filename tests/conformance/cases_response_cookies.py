"""``res.cookie`` and ``res.clear_cookie``."""

from __future__ import annotations

from .case import Case, get, gets

# A max-age cookie expires that long after now: the clock's part of the line cannot be the same twice.
EXPIRES = ((r"Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "Expires=(then)"),)

CASES = [
    Case(
        "values",
        js="""
        app.get('/plain', (req, res) => res.cookie('name', 'value').end())
        app.get('/encoded', (req, res) => res.cookie('a', 'x y;z,"=\\\\ caf\\u00e9 %').end())
        app.get('/signs', (req, res) => res.cookie('a', "!'()*-._~/?:@&+$#[]").end())
        app.get('/empty', (req, res) => res.cookie('a', '').end())
        app.get('/number', (req, res) => res.cookie('a', 42).end())
        app.get('/object', (req, res) => res.cookie('a', { b: [1, 'x'] }).end())
        app.get('/list', (req, res) => res.cookie('a', [1, 2]).end())
        app.get('/several', (req, res) => res.cookie('a', '1').cookie('b', '2').cookie('a', '3').end())
        app.get('/names', (req, res) => res.cookie('__Host-a', '1').cookie("!#$%&'*+-.^_`|~", '2').end())
        app.get('/encode', (req, res) => res.cookie('a', 'b c', { encode: (v) => v.replace(' ', '_') }).end())
        app.get('/with-set', (req, res) => res.set('Set-Cookie', 'x=1').cookie('a', '1').end())
        app.get('/body', (req, res) => res.cookie('a', '1').send('x'))
        """,
        py="""
        app.get('/plain', lambda req, res: res.cookie('name', 'value').end())
        app.get('/encoded', lambda req, res: res.cookie('a', 'x y;z,"=\\\\ caf\\u00e9 %').end())
        app.get('/signs', lambda req, res: res.cookie('a', "!'()*-._~/?:@&+$#[]").end())
        app.get('/empty', lambda req, res: res.cookie('a', '').end())
        app.get('/number', lambda req, res: res.cookie('a', 42).end())
        app.get('/object', lambda req, res: res.cookie('a', {'b': [1, 'x']}).end())
        app.get('/list', lambda req, res: res.cookie('a', [1, 2]).end())
        app.get('/several', lambda req, res: res.cookie('a', '1').cookie('b', '2').cookie('a', '3').end())
        app.get('/names', lambda req, res: res.cookie('__Host-a', '1').cookie("!#$%&'*+-.^_`|~", '2').end())
        app.get('/encode', lambda req, res: res.cookie('a', 'b c', encode=lambda v: v.replace(' ', '_')).end())
        app.get('/with-set', lambda req, res: res.set('Set-Cookie', 'x=1').cookie('a', '1').end())
        app.get('/body', lambda req, res: res.cookie('a', '1').send('x'))
        """,
        requests=gets("/plain /encoded /signs /empty /number /object /list /several /names /encode /with-set /body"),
    ),
    Case(
        "attributes",
        js="""
        const cookie = (route, options) => app.get(route, (req, res) => res.cookie('a', 'b', options).end())
        cookie('/path', { path: '/admin' })
        cookie('/no-path', { path: '' })
        cookie('/domain', { domain: 'example.com' })
        cookie('/dot-domain', { domain: '.example.com' })
        cookie('/secure', { secure: true })
        cookie('/http-only', { httpOnly: true })
        cookie('/partitioned', { partitioned: true })
        cookie('/false', { secure: false, httpOnly: false, partitioned: false })
        cookie('/same-site-true', { sameSite: true })
        cookie('/same-site-false', { sameSite: false })
        cookie('/same-site-lax', { sameSite: 'lax' })
        cookie('/same-site-strict', { sameSite: 'Strict' })
        cookie('/same-site-none', { sameSite: 'none' })
        cookie('/priority-low', { priority: 'low' })
        cookie('/priority-medium', { priority: 'medium' })
        cookie('/priority-high', { priority: 'High' })
        cookie('/expires', { expires: new Date(Date.UTC(2030, 4, 6, 7, 8, 9)) })
        cookie('/all', { path: '/p', domain: 'd.example', secure: true, httpOnly: true, sameSite: 'lax',
          priority: 'high', partitioned: true, expires: new Date(Date.UTC(2030, 4, 6, 7, 8, 9)) })
        """,
        py="""
        from datetime import datetime, timezone
        def cookie(route, **options):
            app.get(route, lambda req, res: res.cookie('a', 'b', **options).end())
        moment = datetime(2030, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
        cookie('/path', path='/admin')
        cookie('/no-path', path='')
        cookie('/domain', domain='example.com')
        cookie('/dot-domain', domain='.example.com')
        cookie('/secure', secure=True)
        cookie('/http-only', http_only=True)
        cookie('/partitioned', partitioned=True)
        cookie('/false', secure=False, http_only=False, partitioned=False)
        cookie('/same-site-true', same_site=True)
        cookie('/same-site-false', same_site=False)
        cookie('/same-site-lax', same_site='lax')
        cookie('/same-site-strict', same_site='Strict')
        cookie('/same-site-none', same_site='none')
        cookie('/priority-low', priority='low')
        cookie('/priority-medium', priority='medium')
        cookie('/priority-high', priority='High')
        cookie('/expires', expires=moment)
        cookie('/all', path='/p', domain='d.example', secure=True, http_only=True, same_site='lax',
               priority='high', partitioned=True, expires=moment)
        """,
        requests=gets(
            "/path /no-path /domain /dot-domain /secure /http-only /partitioned /false /same-site-true "
            "/same-site-false /same-site-lax /same-site-strict /same-site-none /priority-low "
            "/priority-medium /priority-high /expires /all"
        ),
    ),
    Case(
        "max_age",
        js="""
        const cookie = (route, options) => app.get(route, (req, res) => res.cookie('a', 'b', options).end())
        cookie('/', { maxAge: 3600000 })
        cookie('/part', { maxAge: 1999 })
        cookie('/zero', { maxAge: 0 })
        cookie('/negative', { maxAge: -1000 })
        cookie('/null', { maxAge: null })
        cookie('/wins', { maxAge: 1000, expires: new Date(0) })
        """,
        py="""
        from datetime import datetime, timezone
        def cookie(route, **options):
            app.get(route, lambda req, res: res.cookie('a', 'b', **options).end())
        cookie('/', max_age=3600000)
        cookie('/part', max_age=1999)
        cookie('/zero', max_age=0)
        cookie('/negative', max_age=-1000)
        cookie('/null', max_age=None)
        cookie('/wins', max_age=1000, expires=datetime(1970, 1, 1, tzinfo=timezone.utc))
        """,
        requests=[get(path, mask=EXPIRES) for path in ("/", "/part", "/zero", "/negative", "/null", "/wins")],
    ),
    Case(
        "clear_cookie",
        js="""
        app.get('/', (req, res) => res.clearCookie('a').end())
        app.get('/path', (req, res) => res.clearCookie('a', { path: '/admin', domain: 'x.example', secure: true })
          .end())
        app.get('/max-age', (req, res) => res.clearCookie('a', { maxAge: 1000, expires: new Date(1e12) }).end())
        """,
        py="""
        from datetime import datetime, timezone
        app.get('/', lambda req, res: res.clear_cookie('a').end())
        app.get('/path', lambda req, res: res.clear_cookie('a', path='/admin', domain='x.example', secure=True).end())
        app.get('/max-age', lambda req, res: (
            res.clear_cookie('a', max_age=1000, expires=datetime.fromtimestamp(1e9, timezone.utc)).end()))
        """,
        requests=[get("/"), get("/path"), get("/max-age")],
    ),
    Case(
        "signed cookies",
        js="""
        app.use((req, res, next) => { if (req.query.secret) req.secret = req.query.secret; next() })
        app.get('/', (req, res) => res.cookie('a', 'value', { signed: true }).end())
        app.get('/object', (req, res) => res.cookie('a', { b: 1 }, { signed: true }).end())
        """,
        py="""
        def secret(req, res, next):
            if req.query.secret:
                req.secret = req.query.secret
            next()
        app.use(secret)
        app.get('/', lambda req, res: res.cookie('a', 'value', signed=True).end())
        app.get('/object', lambda req, res: res.cookie('a', {'b': 1}, signed=True).end())
        """,
        requests=[get("/?secret=keyboard%20cat"), get("/object?secret=keyboard%20cat"), get("/")],
    ),
    Case(
        "values that are objects",
        js="""
        app.get('/date', (req, res) => res.cookie('a', new Date(0)).end())
        app.get('/tells', (req, res) => res.cookie('a', { toJSON: () => ({ b: 1 }) }).end())
        app.get('/null', (req, res) => res.cookie('a', null).end())
        app.get('/true', (req, res) => res.cookie('a', true).end())
        app.get('/error', (req, res) => res.cookie('a', new Error('x')).end())
        """,
        py="""
        from datetime import datetime, timezone
        class Tells:
            def to_json(self):
                return {'b': 1}
        app.get('/date', lambda req, res: res.cookie('a', datetime.fromtimestamp(0, timezone.utc)).end())
        app.get('/tells', lambda req, res: res.cookie('a', Tells()).end())
        app.get('/null', lambda req, res: res.cookie('a', None).end())
        app.get('/true', lambda req, res: res.cookie('a', True).end())
        app.get('/error', lambda req, res: res.cookie('a', ValueError('x')).end())
        """,
        requests=gets("/date /tells /null /true /error"),
    ),
]
