"""Header helpers of the response: set, append, vary, links, type, attachment, location, redirect, format."""

from __future__ import annotations

from .case import Case, get, gets, head, post

CASES = [
    Case(
        "set, get, append, remove",
        js="""
        app.get('/set', (req, res) => res.set('X-One', 'a').set({ 'X-Two': 'b', 'x-lower': 'c' }).header('X-Three', 'd')
          .end())
        app.get('/number', (req, res) => res.set('X-Number', 42).set('X-True', true).end())
        app.get('/list', (req, res) => res.set('X-List', ['a', 'b', 3]).end())
        app.get('/replace', (req, res) => res.set('X-One', 'a').set('x-one', 'b').end())
        app.get('/get', (req, res) =>
          res.set('X-One', 'a').send(res.get('x-one') + ' ' + (res.get('X-None') ?? 'none')))
        app.get('/append', (req, res) => res.append('X-A', '1').append('x-a', '2').append('X-A', ['3', '4'])
          .append('X-B', ['1']).append('X-B', '2').end())
        app.get('/set-append', (req, res) => res.set('X-A', '1').append('X-A', '2').set('X-A', '3').end())
        app.get('/append-link', (req, res) => res.append('Link', ['<a>', '<b>']).append('Warning', '199 x').end())
        app.get('/remove', (req, res) => {
          res.set('X-A', '1'); res.removeHeader('x-a'); res.removeHeader('X-Powered-By'); res.end() })
        app.get('/type', (req, res) => res.set('Content-Type', 'text/html').set('content-type', 'text/plain').send('x'))
        app.get('/type-short', (req, res) => res.set('Content-Type', 'html').end())
        app.get('/empty', (req, res) => res.set('X-Empty', '').end())
        app.get('/latin', (req, res) => res.set('X-Latin', 'caf\\u00e9').end())
        app.get('/powered', (req, res) => res.set('X-Powered-By', 'me').end())
        app.get('/length', (req, res) => res.set('Content-Length', '1').send('four'))
        """,
        py="""
        app.get('/set', lambda req, res: (
            res.set('X-One', 'a').set({'X-Two': 'b', 'x-lower': 'c'}).header('X-Three', 'd').end()))
        app.get('/number', lambda req, res: res.set('X-Number', 42).set('X-True', 'true').end())
        app.get('/list', lambda req, res: res.set('X-List', ['a', 'b', 3]).end())
        app.get('/replace', lambda req, res: res.set('X-One', 'a').set('x-one', 'b').end())
        app.get('/get', lambda req, res: (
            res.set('X-One', 'a').send(res.get('x-one') + ' ' + (res.get('X-None') or 'none'))))
        app.get('/append', lambda req, res: (
            res.append('X-A', '1').append('x-a', '2').append('X-A', ['3', '4'])
            .append('X-B', ['1']).append('X-B', '2').end()))
        app.get('/set-append', lambda req, res: res.set('X-A', '1').append('X-A', '2').set('X-A', '3').end())
        app.get('/append-link', lambda req, res: res.append('Link', ['<a>', '<b>']).append('Warning', '199 x').end())
        @app.get('/remove')
        def remove(req, res):
            res.set('X-A', '1')
            res.remove_header('x-a')
            res.remove_header('X-Powered-By')
            res.end()
        app.get('/type', lambda req, res: (
            res.set('Content-Type', 'text/html').set('content-type', 'text/plain').send('x')))
        app.get('/type-short', lambda req, res: res.set('Content-Type', 'html').end())
        app.get('/empty', lambda req, res: res.set('X-Empty', '').end())
        app.get('/latin', lambda req, res: res.set('X-Latin', 'caf\\u00e9').end())
        app.get('/powered', lambda req, res: res.set('X-Powered-By', 'me').end())
        app.get('/length', lambda req, res: res.set('Content-Length', '1').send('four'))
        """,
        requests=gets(
            "/set /number /list /replace /get /append /set-append /append-link /remove /type "
            "/type-short /empty /latin /powered /length"
        ),
    ),
    Case(
        "type",
        js="""
        app.get('/', (req, res) => res.type(req.query.t).end())
        app.get('/content-type', (req, res) => res.contentType('json').end())
        """,
        py="""
        app.get('/', lambda req, res: res.type(req.query.t).end())
        app.get('/content-type', lambda req, res: res.content_type('json').end())
        """,
        requests=[
            *gets(
                "/?t=html /?t=json /?t=txt /?t=text /?t=css /?t=js /?t=mjs /?t=xml /?t=svg /?t=png "
                "/?t=jpg /?t=jpeg /?t=gif /?t=webp /?t=avif /?t=ico /?t=woff2 /?t=pdf /?t=zip /?t=gz "
                "/?t=csv /?t=md /?t=yaml /?t=bin /?t=wasm /?t=mp4 /?t=mp3 /?t=webmanifest /?t=map "
                "/?t=tsv /?t=rss /?t=atom /?t=ics /?t=jsonld /?t=toml /?t=rtf /?t=doc /?t=docx "
                "/?t=xlsx /?t=.html /?t=file.html /?t=HTML /?t=unknown /?t=text/html /?t=text/plain "
                "/?t=application/json /?t=image/png /?t=text/x-own /?t=application/vnd.api%2Bjson "
                "/?t=text/html;%20charset=latin1 /?t=multipart/form-data /?t=a/b"
            ),
            get("/content-type"),
        ],
    ),
    Case(
        "vary",
        js="""
        app.get('/one', (req, res) => res.vary('Accept').end())
        app.get('/twice', (req, res) => res.vary('Accept').vary('accept').vary('Origin').end())
        app.get('/list', (req, res) => res.vary(['Accept', 'Cookie']).end())
        app.get('/comma', (req, res) => res.vary('Accept, Cookie').vary('Cookie, Origin').end())
        app.get('/star', (req, res) => res.vary('Accept').vary('*').vary('Origin').end())
        app.get('/set', (req, res) => res.set('Vary', 'Origin').vary('User-Agent').end())
        app.get('/set-list', (req, res) => res.set('Vary', ['Origin', 'Accept']).vary('User-Agent').end())
        """,
        py="""
        app.get('/one', lambda req, res: res.vary('Accept').end())
        app.get('/twice', lambda req, res: res.vary('Accept').vary('accept').vary('Origin').end())
        app.get('/list', lambda req, res: res.vary(['Accept', 'Cookie']).end())
        app.get('/comma', lambda req, res: res.vary('Accept, Cookie').vary('Cookie, Origin').end())
        app.get('/star', lambda req, res: res.vary('Accept').vary('*').vary('Origin').end())
        app.get('/set', lambda req, res: res.set('Vary', 'Origin').vary('User-Agent').end())
        app.get('/set-list', lambda req, res: res.set('Vary', ['Origin', 'Accept']).vary('User-Agent').end())
        """,
        requests=gets("/one /twice /list /comma /star /set /set-list"),
    ),
    Case(
        "links",
        js="""
        app.get('/', (req, res) => res.links({ next: '/?page=2', last: '/?page=5' }).end())
        app.get('/twice', (req, res) => res.links({ next: '/2' }).links({ prev: '/1' }).end())
        app.get('/list', (req, res) => res.links({ next: ['/2', '/3'], last: '/9' }).end())
        app.get('/appended', (req, res) => res.append('Link', '</1>; rel="a"').append('Link', '</2>; rel="b"')
          .links({ next: '/3' }).end())
        """,
        py="""
        app.get('/', lambda req, res: res.links({'next': '/?page=2', 'last': '/?page=5'}).end())
        app.get('/twice', lambda req, res: res.links({'next': '/2'}).links({'prev': '/1'}).end())
        app.get('/list', lambda req, res: res.links({'next': ['/2', '/3'], 'last': '/9'}).end())
        app.get('/appended', lambda req, res: res.append('Link', '</1>; rel="a"').append('Link', '</2>; rel="b"')
                .links({'next': '/3'}).end())
        """,
        requests=gets("/ /twice /list /appended"),
    ),
    Case(
        "attachment",
        js="""
        app.get('/none', (req, res) => res.attachment().send('x'))
        app.get('/', (req, res) => res.attachment(req.query.name).send('x'))
        """,
        py="""
        app.get('/none', lambda req, res: res.attachment().send('x'))
        app.get('/', lambda req, res: res.attachment(req.query.name).send('x'))
        """,
        requests=[
            get("/none"),
            *(
                get(f"/?name={name}")
                for name in (
                    "report.pdf",
                    "/path/to/logo.png",
                    "a%20b.txt",
                    "a%22b.txt",
                    "a%5Cb.txt",
                    "%C3%A9t%C3%A9.txt",
                    "%E2%82%AC%20rates.txt",
                    "na%C3%AFve.html",
                    "a%25b.txt",
                    "the%2520plans.pdf",
                    "a'b.txt",
                    "a*b(c).txt",
                    "a;b,c=d.txt",
                    "noextension",
                    "unknown.zzz",
                    "%F0%9F%98%80.png",
                    "%E4%B8%AD%E6%96%87.tar.gz",
                    "-.txt",
                    "a%09b.txt",
                )
            ),
        ],
    ),
    Case(
        "location",
        js="app.get('/', (req, res) => res.location(req.query.to).end())",
        py="app.get('/', lambda req, res: res.location(req.query.to).end())",
        requests=[
            get(f"/?to={to}")
            for to in (
                "/login",
                "http://google.com/?q=a%20b",
                "https://example.com/%E2%98%83",
                "/a%20b",
                "/a%2520b",
                "/a%25zz",
                "/caf%C3%A9?x=%C3%A9%23frag",
                "back",
                "../up",
                "//host/path",
                "/a%7Cb%5Ec%60d%22e%3Cf%3E",
                "/%5B%5D%7B%7D%5C",
                "http://ex%C3%A4mple.com/",
                "/a%0d%0aX-Evil:%201",
                "/%F0%9F%98%80",
                "",
                "%5C%5Cevil.example/",
                "javascript:alert(1)",
            )
        ],
    ),
    Case(
        "redirect",
        js="""
        app.get('/', (req, res) => res.redirect('/there'))
        app.get('/status/:code', (req, res) => res.redirect(Number(req.params.code), '/there?a=1&b=2'))
        app.get('/to', (req, res) => res.redirect(req.query.url))
        app.post('/', (req, res) => res.redirect(303, '/there'))
        app.get('/chained', (req, res) => { res.cookie('a', 'b').set('X-A', '1'); res.redirect('../x') })
        const router = express.Router()
        router.get('/', (req, res) => res.redirect('inner'))
        app.use('/mounted', router)
        """,
        py="""
        app.get('/', lambda req, res: res.redirect('/there'))
        app.get('/status/:code', lambda req, res: res.redirect(int(req.params.code), '/there?a=1&b=2'))
        app.get('/to', lambda req, res: res.redirect(req.query.url))
        app.post('/', lambda req, res: res.redirect(303, '/there'))
        app.get('/chained', lambda req, res: res.cookie('a', 'b').set('X-A', '1').redirect('../x'))
        router = Router()
        router.get('/', lambda req, res: res.redirect('inner'))
        app.use('/mounted', router)
        """,
        requests=[
            get("/"),
            *(
                get("/", {"Accept": accept})
                for accept in (
                    "text/html",
                    "text/plain",
                    "application/json",
                    "text/plain, text/html",
                    "text/html;q=0.5, text/plain",
                    "*/*",
                    "text/*",
                    "",
                    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                    "image/png, */*;q=0.1",
                )
            ),
            head("/"),
            head("/", {"Accept": "text/html"}),
            post("/"),
            *(
                get(f"/status/{code}", {"Accept": "text/html"})
                for code in (300, 301, 302, 303, 304, 305, 307, 308, 201, 404)
            ),
            get("/status/301", {"Accept": "application/json"}),
            get("/to?url=http://example.com/%3Cscript%3E%26%22'", {"Accept": "text/html"}),
            get("/to?url=http://example.com/%3Cscript%3E%26%22'", {"Accept": "text/plain"}),
            get("/to?url=/caf%C3%A9", {"Accept": "text/html"}),
            get("/to?url=%0d%0aX-Evil:1", {"Accept": "text/plain"}),
            get("/chained"),
            get("/mounted"),
            get("/mounted/"),
        ],
    ),
    Case(
        "format",
        js="""
        app.get('/', (req, res) => res.format({
          'text/plain': () => res.send('plain'),
          'text/html': () => res.send('<p>html</p>'),
          'application/json': () => res.send({ a: 1 }),
        }))
        app.get('/short', (req, res) => res.format({
          html: () => res.send('html'), json: (req, res) => res.json([1]), text: () => res.send('text') }))
        app.get('/default', (req, res) => res.format({
          xml: () => res.send('<x/>'), default: () => res.status(200).send('default') }))
        app.get('/only-default', (req, res) => res.format({ default: () => res.send('default') }))
        app.get('/none', (req, res) => res.format({}))
        app.get('/parameters', (req, res) => res.format({
          'text/html; level=1': () => res.send('1'), 'application/vnd.x+json; charset=utf-8': () => res.send('2') }))
        app.get('/unknown', (req, res) => res.format({ 'no-such': () => res.send('x'), html: () => res.send('html') }))
        app.get('/next', (req, res) => res.format({ html: (req, res, next) => next() }))
        app.get('/next', (req, res) => res.send('next'))
        app.get('/handled', (req, res) => res.format({ 'text/plain': () => res.send('x') }))
        app.use((err, req, res, next) => req.path === '/handled'
          ? res.status(err.status).send(err.message + ' ' + err.types.join(',')) : next(err))
        """,
        py="""
        app.get('/', lambda req, res: res.format({
            'text/plain': lambda req, res: res.send('plain'),
            'text/html': lambda req, res: res.send('<p>html</p>'),
            'application/json': lambda req, res: res.send({'a': 1}),
        }))
        app.get('/short', lambda req, res: res.format({
            'html': lambda req, res: res.send('html'),
            'json': lambda req, res: res.json([1]),
            'text': lambda req, res: res.send('text')}))
        app.get('/default', lambda req, res: res.format({
            'xml': lambda req, res: res.send('<x/>'),
            'default': lambda req, res: res.status(200).send('default')}))
        app.get('/only-default', lambda req, res: res.format({'default': lambda req, res: res.send('default')}))
        app.get('/none', lambda req, res: res.format({}))
        app.get('/parameters', lambda req, res: res.format({
            'text/html; level=1': lambda req, res: res.send('1'),
            'application/vnd.x+json; charset=utf-8': lambda req, res: res.send('2')}))
        app.get('/unknown', lambda req, res: res.format({
            'no-such': lambda: res.send('x'), 'html': lambda: res.send('html')}))
        app.get('/next', lambda req, res: res.format({'html': lambda req, res, next: next()}))
        app.get('/next', lambda req, res: res.send('next'))
        app.get('/handled', lambda req, res: res.format({'text/plain': lambda req, res: res.send('x')}))
        def failed(err, req, res, next):
            if req.path != '/handled':
                return next(err)
            res.status(err.status).send(err.message + ' ' + ','.join(err.types))
        app.use(failed)
        """,
        requests=[
            *(
                get("/", {"Accept": accept})
                for accept in (
                    "text/html",
                    "application/json",
                    "text/*",
                    "*/*",
                    "image/png",
                    "text/html;q=.5, application/json",
                    "application/*;q=.2, text/html;q=.1",
                    "",
                    "nonsense",
                )
            ),
            get("/"),
            head("/", {"Accept": "application/json"}),
            get("/short", {"Accept": "application/json"}),
            get("/short", {"Accept": "text/plain, text/html;q=0.5"}),
            get("/default", {"Accept": "text/html"}),
            get("/default", {"Accept": "application/xml"}),
            get("/only-default", {"Accept": "text/html"}),
            get("/none"),
            get("/parameters", {"Accept": "text/html"}),
            get("/parameters", {"Accept": "text/html;level=1"}),
            get("/parameters", {"Accept": "application/vnd.x+json"}),
            get("/unknown"),
            get("/unknown", {"Accept": "text/html"}),
            get("/unknown", {"Accept": "image/png"}),
            get("/next", {"Accept": "text/html"}),
            get("/handled", {"Accept": "image/*"}),
        ],
    ),
    Case(
        "headers of nothing",
        js="""
        app.get('/vary', (req, res) => res.vary([]).send('x'))
        app.get('/vary-more', (req, res) => res.vary('Accept').vary([]).send('x'))
        app.get('/etag', (req, res) => res.set('ETag', '').send('x'))
        app.get('/append', (req, res) => res.set('X-A', '').append('X-A', '1').send('x'))
        app.get('/list', (req, res) => res.set('X-A', []).send('x'))
        app.get('/links', (req, res) => res.links({}).send('x'))
        """,
        py="""
        app.get('/vary', lambda req, res: res.vary([]).send('x'))
        app.get('/vary-more', lambda req, res: res.vary('Accept').vary([]).send('x'))
        app.get('/etag', lambda req, res: res.set('ETag', '').send('x'))
        app.get('/append', lambda req, res: res.set('X-A', '').append('X-A', '1').send('x'))
        app.get('/list', lambda req, res: res.set('X-A', []).send('x'))
        app.get('/links', lambda req, res: res.links({}).send('x'))
        """,
        requests=gets("/vary /vary-more /etag /append /list /links"),
    ),
]
