"""Which paths a route matches, and the params it reads from them."""

from __future__ import annotations

from .case import Case, get, gets, raw

CASES = [
    Case(
        "plain paths",
        js="""
        app.get('/', (req, res) => res.send('root'))
        app.get('/about', (req, res) => res.send('about'))
        app.get('/about/us', (req, res) => res.send('us'))
        app.get('/with.dot-and_dash~', (req, res) => res.send('signs'))
        app.get('/caf\\u00e9', (req, res) => res.send('never'))
        app.get('/caf%C3%A9', (req, res) => res.send('cafe'))
        app.get('/a b', (req, res) => res.send('never'))
        """,
        py="""
        @app.get('/')
        def root(req, res): res.send('root')
        @app.get('/about')
        def about(req, res): res.send('about')
        @app.get('/about/us')
        def us(req, res): res.send('us')
        @app.get('/with.dot-and_dash~')
        def signs(req, res): res.send('signs')
        @app.get('/caf\\u00e9')
        def accent(req, res): res.send('never')
        @app.get('/caf%C3%A9')
        def cafe(req, res): res.send('cafe')
        @app.get('/a b')
        def blank(req, res): res.send('never')
        """,
        requests=gets(
            "/ /?a=b /about /about/ /about// //about /ABOUT /About/Us/ /about/us?x=1 /about? "
            "/about%2Fus /%61bout /with.dot-and_dash~ /caf%C3%A9 /caf%c3%a9 /a%20b /aboutus /abou "
            "/about/us/too /./about /about/.. /about;x=1"
        ),
    ),
    Case(
        "paths in the habits of other frameworks",
        js="""
        const paths = ['/hello/<name>', '/users/<int:id>', '/files/<path:p>', '/hi/{name}', '/{id}.json', 'bare', ':id']
        paths.forEach((path) => app.get(path, (req, res) => res.json([path, req.params])))
        """,
        py="""
        for path in ['/hello/<name>', '/users/<int:id>', '/files/<path:p>', '/hi/{name}', '/{id}.json', 'bare', ':id']:
            app.get(path, lambda req, res, path=path: res.json([path, req.params]))
        """,
        requests=gets(
            "/hello/ada /hello/<name> /users/7 /users/<int7> /files/a/b /files/<pathx> /hi/ada /hi/name /hi/ /hi "
            "/7.json /id.json /.json /bare /bare/ bare /ada"
        ),
    ),
    Case(
        "targets that are not a path",
        js="""
        app.get('/a', (req, res) => res.json([req.url, req.path, req.originalUrl, req.query]))
        app.use((req, res) => res.json(['other', req.url, req.path ?? null]))
        """,
        py="""
        @app.get('/a')
        def a(req, res): res.json([req.url, req.path, req.original_url, req.query])
        def other(req, res): res.json(['other', req.url, req.path])
        app.use(other)
        """,
        requests=[
            *gets(
                "http://test.example/a http://test.example/a?x=1 http://other.example:8080/a "
                "http://test.example/b /http://test.example/a /a?x=/b?y /a/?x=1 /?/a"
            ),
            raw(b"OPTIONS * HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n"),
        ],
    ),
    Case(
        "params",
        js="""
        app.get('/users/:id', (req, res) => res.json(req.params))
        app.get('/flights/:from-:to', (req, res) => res.json(req.params))
        app.get('/files/:name.:ext', (req, res) => res.json(req.params))
        app.get('/plants/:genus/:species', (req, res) => res.json(req.params))
        app.get('/v:major.:minor/x', (req, res) => res.json(req.params))
        app.get('/quoted/:"a b"', (req, res) => res.json(req.params))
        app.get('/under/:_name1', (req, res) => res.json(req.params))
        app.get('/:a/:b/:c/:d', (req, res) => res.json(req.params))
        """,
        py="""
        def show(req, res): res.json(req.params)
        app.get('/users/:id', show)
        app.get('/flights/:from-:to', show)
        app.get('/files/:name.:ext', show)
        app.get('/plants/:genus/:species', show)
        app.get('/v:major.:minor/x', show)
        app.get('/quoted/:"a b"', show)
        app.get('/under/:_name1', show)
        app.get('/:a/:b/:c/:d', show)
        """,
        requests=gets(
            "/users/42 /users/42/ /users/ /users /users// /users/tj%20holowaychuk /users/a%2Fb "
            "/users/%E2%9C%93 /users/a+b /users/a@b.example /users/%25 /users/%2525 /users/a:b "
            "/users/a;b,c=d /users/. /users/.. /users/__proto__ /flights/LAX-SFO "
            "/flights/LAX-SFO-JFK /flights/LAX /flights/-SFO /files/report.pdf /files/a.b.c "
            "/files/.c /plants/Prunus/persica /plants/Prunus/persica/x /v1.20/x /quoted/z "
            "/under/score /1/2/3/4 /1//3/4"
        ),
    ),
    Case(
        "params that cannot be decoded",
        js="""
        app.get('/users/:id', (req, res) => res.json(req.params))
        app.get('/*rest', (req, res) => res.json(req.params))
        """,
        py="""
        @app.get('/users/:id')
        def user(req, res): res.json(req.params)
        @app.get('/*rest')
        def rest(req, res): res.json(req.params)
        """,
        requests=gets("/users/% /users/%zz /users/%E0%A4%A /users/%C3 /users/%FF /users/%ED%A0%80 /a/%C3/b /users/%00"),
    ),
    Case(
        "an error handler reads the decode error",
        js="""
        app.get('/users/:id', (req, res) => res.send('never'))
        app.use((err, req, res, next) => res.status(err.status).send(err.message))
        """,
        py="""
        @app.get('/users/:id')
        def user(req, res): res.send('never')
        def failed(err, req, res, next): res.status(err.status).send(str(err))
        app.use(failed)
        """,
        requests=[get("/users/%zz"), get("/users/%C3%28")],
    ),
    Case(
        "a param that cannot be decoded is an error for later error handlers alone",
        js="""
        app.get('/:id', (req, res) => res.send('never'))
        app.get('/%zz', (req, res) => res.send('skipped, as an error is pending'))
        app.use((req, res) => res.send('skipped too'))
        """,
        py="""
        @app.get('/:id')
        def one(req, res): res.send('never')
        @app.get('/%zz')
        def two(req, res): res.send('skipped, as an error is pending')
        def three(req, res): res.send('skipped too')
        app.use(three)
        """,
        requests=[get("/%zz"), get("/fine")],
    ),
    Case(
        "wildcards",
        js="""
        app.get('/files/*path', (req, res) => res.json(req.params))
        app.get('/img/*path.png', (req, res) => res.json(req.params))
        app.get('/between/*middle/end', (req, res) => res.json(req.params))
        app.get('/two/*a/and/*b', (req, res) => res.json(req.params))
        app.get('/opt{/*rest}', (req, res) => res.json(req.params))
        """,
        py="""
        def show(req, res): res.json(req.params)
        app.get('/files/*path', show)
        app.get('/img/*path.png', show)
        app.get('/between/*middle/end', show)
        app.get('/two/*a/and/*b', show)
        app.get('/opt{/*rest}', show)
        """,
        requests=gets(
            "/files/a /files/a/b/c.txt /files/ /files /files/a//b /files/a/ /files// /files//a "
            "/files/a%2Fb/c /files/%2e%2e/etc /files/../etc /img/x/y.png /img/.png "
            "/between/a/b/end /between/end /two/1/2/and/3/4 /two/1/and/2/and/3 /opt /opt/ "
            "/opt/a/b"
        ),
    ),
    Case(
        "optional groups",
        js="""
        app.get('/users/:id{/:tab}', (req, res) => res.json(req.params))
        app.get('/file{.:ext}', (req, res) => res.json(req.params))
        app.get('/a{/b}{/c}', (req, res) => res.json(req.params))
        app.get('/deep{/:one{/:two{/:three}}}', (req, res) => res.json(req.params))
        app.get('/date/:y{-:m{-:d}}', (req, res) => res.json(req.params))
        """,
        py="""
        def show(req, res): res.json(req.params)
        app.get('/users/:id{/:tab}', show)
        app.get('/file{.:ext}', show)
        app.get('/a{/b}{/c}', show)
        app.get('/deep{/:one{/:two{/:three}}}', show)
        app.get('/date/:y{-:m{-:d}}', show)
        """,
        requests=gets(
            "/users/1 /users/1/ /users/1/photos /users/1/photos/2 /file /file.json /file. /a /a/b "
            "/a/c /a/b/c /a/c/b /deep /deep/1 /deep/1/2 /deep/1/2/3 /deep/1/2/3/4 /date/2024 "
            "/date/2024-05 /date/2024-05-06"
        ),
    ),
    Case(
        "signs taken literally",
        js=r"""
        app.get('/a\\:b', (req, res) => res.json(['colon', req.params]))
        app.get('/c\\*', (req, res) => res.json(['star', req.params]))
        app.get('/d\\{e\\}', (req, res) => res.json(['braces', req.params]))
        app.get('/f\\(g\\)', (req, res) => res.json(['parentheses', req.params]))
        app.get('/h$i^', (req, res) => res.json(['anchors', req.params]))
        app.get('/j|k', (req, res) => res.json(['bar', req.params]))
        """,
        py=r"""
        app.get('/a\\:b', lambda req, res: res.json(['colon', req.params]))
        app.get('/c\\*', lambda req, res: res.json(['star', req.params]))
        app.get('/d\\{e\\}', lambda req, res: res.json(['braces', req.params]))
        app.get('/f\\(g\\)', lambda req, res: res.json(['parentheses', req.params]))
        app.get('/h$i^', lambda req, res: res.json(['anchors', req.params]))
        app.get('/j|k', lambda req, res: res.json(['bar', req.params]))
        """,
        requests=gets("/a:b /c* /d{e} /f(g) /h$i^ /h /j|k /j"),
    ),
    Case(
        "lists of paths",
        js="""
        app.get(['/one', '/two/:n'], (req, res) => res.json([req.params, req.path]))
        app.get(['/x/:a', '/:b/y'], (req, res) => res.json(req.params))
        app.use(['/api', '/v1'], (req, res) => res.json([req.baseUrl, req.url]))
        """,
        py="""
        app.get(['/one', '/two/:n'], lambda req, res: res.json([req.params, req.path]))
        app.get(['/x/:a', '/:b/y'], lambda req, res: res.json(req.params))
        app.use(['/api', '/v1'], lambda req, res: res.json([req.base_url, req.url]))
        """,
        requests=gets("/one /two/2 /three /x/y /z/y /api/users /v1 /v2"),
    ),
    Case(
        "regular expressions",
        js=r"""
        app.get(/^\/commits\/(\w+)(?:\.\.(\w+))?$/, (req, res) => res.json(req.params))
        app.get(/^\/named\/(?<first>\w+)-(?<second>\w+)$/, (req, res) => res.json(req.params))
        app.get(/fly$/, (req, res) => res.send('flies'))
        app.use(/^\/prefix\/(\d+)/, (req, res) => res.json([req.params, req.baseUrl, req.url]))
        """,
        py=r"""
        import re
        app.get(re.compile(r'^/commits/(\w+)(?:\.\.(\w+))?$', re.A), lambda req, res: res.json(req.params))
        app.get(re.compile(r'^/named/(?P<first>\w+)-(?P<second>\w+)$', re.A), lambda req, res: res.json(req.params))
        app.get(re.compile('fly$'), lambda req, res: res.send('flies'))
        app.use(re.compile(r'^/prefix/(\d+)', re.A), lambda req, res: res.json([req.params, req.base_url, req.url]))
        """,
        requests=gets(
            "/commits/abc /commits/abc..def /commits/abc..def/ /commits/ /named/a-b /butterfly "
            "/butterflyman /prefix/12/rest /prefix/12 /prefix/12rest /commits/%zz"
        ),
    ),
    Case(
        "case sensitive routing",
        js="""
        app.enable('case sensitive routing')
        app.get('/About', (req, res) => res.send('About'))
        app.use('/Api', (req, res) => res.send('Api'))
        const router = express.Router({ caseSensitive: true })
        router.get('/Inner', (req, res) => res.send('Inner'))
        app.use('/r', router)
        const loose = express.Router()
        loose.get('/Inner', (req, res) => res.send('loose Inner'))
        app.use('/l', loose)
        """,
        py="""
        app.enable('case sensitive routing')
        app.get('/About', lambda req, res: res.send('About'))
        app.use('/Api', lambda req, res: res.send('Api'))
        router = Router(case_sensitive=True)
        router.get('/Inner', lambda req, res: res.send('Inner'))
        app.use('/r', router)
        loose = Router()
        loose.get('/Inner', lambda req, res: res.send('loose Inner'))
        app.use('/l', loose)
        """,
        requests=gets("/About /about /Api/x /api/x /r/Inner /r/inner /l/inner /L/inner"),
    ),
    Case(
        "settings for paths that are set after the first route",
        js="""
        app.get('/A', (req, res) => res.send('a'))
        app.enable('case sensitive routing').enable('strict routing')
        app.get('/B', (req, res) => res.send('b'))
        const sub = express()
        sub.use((req, res, next) => next())
        app.use('/sub', sub)
        sub.get('/C', (req, res) => res.send('c'))
        const late = express()
        app.use('/late', late)
        late.get('/D', (req, res) => res.send('d'))
        """,
        py="""
        app.get('/A', lambda req, res: res.send('a'))
        app.enable('case sensitive routing').enable('strict routing')
        app.get('/B', lambda req, res: res.send('b'))
        sub = express()
        sub.use(lambda req, res, next: next())
        app.use('/sub', sub)
        sub.get('/C', lambda req, res: res.send('c'))
        late = express()
        app.use('/late', late)
        late.get('/D', lambda req, res: res.send('d'))
        """,
        requests=gets("/a /b /B /b/ /SUB/c /sub/C/ /late/d /late/D /late/D/"),
    ),
    Case(
        "strict routing",
        js="""
        app.enable('strict routing')
        app.get('/a', (req, res) => res.send('a'))
        app.get('/b/', (req, res) => res.send('b'))
        app.get('/c/:id', (req, res) => res.json(req.params))
        app.use('/used/', (req, res) => res.json([req.baseUrl, req.url]))
        const router = express.Router({ strict: true })
        router.get('/', (req, res) => res.send('router root'))
        router.get('/x', (req, res) => res.send('router x'))
        app.use('/r', router)
        """,
        py="""
        app.enable('strict routing')
        app.get('/a', lambda req, res: res.send('a'))
        app.get('/b/', lambda req, res: res.send('b'))
        app.get('/c/:id', lambda req, res: res.json(req.params))
        app.use('/used/', lambda req, res: res.json([req.base_url, req.url]))
        router = Router(strict=True)
        router.get('/', lambda req, res: res.send('router root'))
        router.get('/x', lambda req, res: res.send('router x'))
        app.use('/r', router)
        """,
        requests=gets("/a /a/ /b /b/ /c/1 /c/1/ /used /used/ /used/x /r /r/ /r/x /r/x/"),
    ),
    Case(
        "paths written with a slash at the end",
        js="""
        app.get('/a/', (req, res) => res.send('a'))
        app.get('/b//', (req, res) => res.send('b'))
        app.get('/p/:x/', (req, res) => res.json(req.params))
        """,
        py="""
        app.get('/a/', lambda req, res: res.send('a'))
        app.get('/b//', lambda req, res: res.send('b'))
        app.get('/p/:x/', lambda req, res: res.json(req.params))
        """,
        requests=[get("/a"), get("/a/"), get("/a//"), get("/b"), get("/b/"), get("/b//"), get("/p/1"), get("/p/1/")],
    ),
    Case(
        "paths that cannot be compiled",
        js="""
        for (const path of ['/:', '/*', '/a{', '/a}', '/(x)', '/a?', '/a+', '/[b]', '/:a:b', '/!x']) {
          let refused = false
          try { app.get(path, () => {}) } catch (error) { refused = true }
          app.set(path, refused)
        }
        app.use((req, res) => res.json(
          Object.fromEntries(['/:', '/*', '/a{', '/a}', '/(x)', '/a?', '/a+', '/[b]', '/:a:b', '/!x']
            .map((path) => [path, app.set(path)]))))
        """,
        py="""
        refused = {}
        for path in ['/:', '/*', '/a{', '/a}', '/(x)', '/a?', '/a+', '/[b]', '/:a:b', '/!x']:
            try:
                app.get(path, lambda req, res: None)
            except (TypeError, ValueError):
                refused[path] = True
            else:
                refused[path] = False
        app.use(lambda req, res: res.json(refused))
        """,
        requests=[get("/which/are/refused")],
    ),
]
