"""``send``, ``json``, ``jsonp``, ``end`` and ``write``, on the wire."""

from __future__ import annotations

from .case import Case, get, gets, head, post, send

CASES = [
    Case(
        "send",
        js="""
        app.get('/text', (req, res) => res.send('caf\\u00e9 \\u2713'))
        app.get('/empty', (req, res) => res.send(''))
        app.get('/nothing', (req, res) => res.send())
        app.get('/null', (req, res) => res.send(null))
        app.get('/bytes', (req, res) => res.send(Buffer.from([0, 1, 254, 255])))
        app.get('/empty-bytes', (req, res) => res.send(Buffer.alloc(0)))
        app.get('/typed-array', (req, res) => res.send(new Uint8Array([104, 105])))
        app.get('/object', (req, res) => res.send({ b: 1, a: [true, null, 'x'] }))
        app.get('/array', (req, res) => res.send([1, 2]))
        app.get('/true', (req, res) => res.send(true))
        app.get('/false', (req, res) => res.send(false))
        app.get('/number', (req, res) => res.send(42))
        app.get('/float', (req, res) => res.send(1.5))
        app.get('/long', (req, res) => res.send('x'.repeat(5000)))
        app.get('/html', (req, res) => res.send('<p>&</p>'))
        app.get('/half-pairs', (req, res) => res.send('\\ud800 \\udc00\\ud800x'))
        """,
        py="""
        app.get('/text', lambda req, res: res.send('caf\\u00e9 \\u2713'))
        app.get('/empty', lambda req, res: res.send(''))
        app.get('/nothing', lambda req, res: res.send())
        app.get('/null', lambda req, res: res.send(None))
        app.get('/bytes', lambda req, res: res.send(bytes([0, 1, 254, 255])))
        app.get('/empty-bytes', lambda req, res: res.send(b''))
        app.get('/typed-array', lambda req, res: res.send(bytearray(b'hi')))
        app.get('/object', lambda req, res: res.send({'b': 1, 'a': [True, None, 'x']}))
        app.get('/array', lambda req, res: res.send([1, 2]))
        app.get('/true', lambda req, res: res.send(True))
        app.get('/false', lambda req, res: res.send(False))
        app.get('/number', lambda req, res: res.send(42))
        app.get('/float', lambda req, res: res.send(1.5))
        app.get('/long', lambda req, res: res.send('x' * 5000))
        app.get('/html', lambda req, res: res.send('<p>&</p>'))
        app.get('/half-pairs', lambda req, res: res.send('\\ud800 \\udc00\\ud800x'))
        """,
        requests=[
            *gets(
                "/text /empty /nothing /null /bytes /empty-bytes /typed-array /object /array /true "
                "/false /number /float /long /html /half-pairs"
            ),
            head("/text"),
            head("/bytes"),
            head("/empty"),
            head("/nothing"),
            head("/object"),
            head("/long"),
        ],
    ),
    Case(
        "the content type of what is sent",
        js="""
        app.get('/text-plain', (req, res) => res.type('text/plain').send('x'))
        app.get('/charset-kept', (req, res) => res.set('Content-Type', 'text/plain; charset=iso-8859-1').send('x'))
        app.get('/parameters', (req, res) => res.type('text/html; level=1; charset=ascii').send('x'))
        app.get('/json-string', (req, res) => res.type('json').send('{"a":1}'))
        app.get('/json-own-type', (req, res) => res.type('application/vnd.example+json').json({ a: 1 }))
        app.get('/bytes-own-type', (req, res) => res.type('png').send(Buffer.from('x')))
        app.get('/bytes-text', (req, res) => res.type('txt').send(Buffer.from('x')))
        app.get('/svg', (req, res) => res.type('svg').send('<svg/>'))
        app.get('/unknown', (req, res) => res.type('unknown-thing').send('x'))
        """,
        py="""
        app.get('/text-plain', lambda req, res: res.type('text/plain').send('x'))
        app.get('/charset-kept', lambda req, res: res.set('Content-Type', 'text/plain; charset=iso-8859-1').send('x'))
        app.get('/parameters', lambda req, res: res.type('text/html; level=1; charset=ascii').send('x'))
        app.get('/json-string', lambda req, res: res.type('json').send('{"a":1}'))
        app.get('/json-own-type', lambda req, res: res.type('application/vnd.example+json').json({'a': 1}))
        app.get('/bytes-own-type', lambda req, res: res.type('png').send(b'x'))
        app.get('/bytes-text', lambda req, res: res.type('txt').send(b'x'))
        app.get('/svg', lambda req, res: res.type('svg').send('<svg/>'))
        app.get('/unknown', lambda req, res: res.type('unknown-thing').send('x'))
        """,
        requests=gets(
            "/text-plain /charset-kept /parameters /json-string /json-own-type /bytes-own-type "
            "/bytes-text /svg /unknown"
        ),
    ),
    Case(
        "json",
        js="""
        app.get('/object', (req, res) => res.json({
          name: 'caf\\u00e9', list: [], empty: {}, deep: { a: [1, { b: 2 }] } }))
        app.get('/null', (req, res) => res.json(null))
        app.get('/string', (req, res) => res.json('a "quoted" \\\\ \\n\\t\\u0001 \\u007f string'))
        app.get('/emoji', (req, res) => res.json('\\u{1f600}'))
        app.get('/lone-surrogate', (req, res) => res.json('\\ud800'))
        app.get('/separators', (req, res) => res.json('\\u2028\\u2029'))
        app.get('/html', (req, res) => res.json('</script><!-- & -->'))
        app.get('/number', (req, res) => res.json(0))
        app.get('/numbers', (req, res) => res.json([1, -1, 1.5, 0.1, 1e21, 123456789012]))
        app.get('/numbers-otherwise', (req, res) => res.json([1e-7, 1.0, 100.0, -0.0, 1e20]))
        app.get('/not-finite', (req, res) => res.json([NaN, Infinity, -Infinity]))
        app.get('/true', (req, res) => res.json(true))
        app.get('/keys', (req, res) => res.json({ b: 1, a: 2, '': 3, 'x y': 4 }))
        app.get('/status', (req, res) => res.status(201).json({ created: true }))
        app.get('/date', (req, res) => res.json(new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6))))
        """,
        py="""
        from datetime import datetime, timezone
        app.get('/object', lambda req, res: res.json({'name': 'caf\\u00e9', 'list': [], 'empty': {},
                                                      'deep': {'a': [1, {'b': 2}]}}))
        app.get('/null', lambda req, res: res.json(None))
        app.get('/string', lambda req, res: res.json('a "quoted" \\\\ \\n\\t\\u0001 \\u007f string'))
        app.get('/emoji', lambda req, res: res.json('\\U0001f600'))
        app.get('/lone-surrogate', lambda req, res: res.json('\\ud800'))
        app.get('/separators', lambda req, res: res.json('\\u2028\\u2029'))
        app.get('/html', lambda req, res: res.json('</script><!-- & -->'))
        app.get('/number', lambda req, res: res.json(0))
        app.get('/numbers', lambda req, res: res.json([1, -1, 1.5, 0.1, 1e21, 123456789012]))
        app.get('/numbers-otherwise', lambda req, res: res.json([1e-7, 1.0, 100.0, -0.0, 1e20]))
        app.get('/not-finite', lambda req, res: res.json([float('nan'), float('inf'), float('-inf')]))
        app.get('/true', lambda req, res: res.json(True))
        app.get('/keys', lambda req, res: res.json({'b': 1, 'a': 2, '': 3, 'x y': 4}))
        app.get('/status', lambda req, res: res.status(201).json({'created': True}))
        app.get('/date', lambda req, res: res.json(datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=timezone.utc)))
        """,
        requests=gets(
            "/object /null /string /emoji /lone-surrogate /separators /html /number /numbers /numbers-otherwise "
            "/not-finite /true /keys /status /date"
        ),
    ),
    Case(
        "json settings",
        js="""
        app.set('json spaces', 2)
        app.set('json escape', true)
        app.get('/', (req, res) => res.json({ a: [1, { b: '<&>' }], empty: [], none: {} }))
        app.get('/jsonp', (req, res) => res.jsonp({ a: '<' }))
        app.get('/send', (req, res) => res.send({ a: 1 }))
        """,
        py="""
        app.set('json spaces', 2)
        app.set('json escape', True)
        app.get('/', lambda req, res: res.json({'a': [1, {'b': '<&>'}], 'empty': [], 'none': {}}))
        app.get('/jsonp', lambda req, res: res.jsonp({'a': '<'}))
        app.get('/send', lambda req, res: res.send({'a': 1}))
        """,
        requests=[get("/"), get("/jsonp?callback=f"), get("/jsonp"), get("/send")],
    ),
    Case(
        "json replacer",
        js="""
        app.set('json replacer', (key, value) => typeof value === 'number' ? value * 2 : value)
        app.get('/', (req, res) => res.json({ a: 1, b: [2, { c: 3 }], d: 'x' }))
        """,
        py="""
        app.set('json replacer',
                lambda key, value: value * 2 if isinstance(value, int) else value)
        app.get('/', lambda req, res: res.json({'a': 1, 'b': [2, {'c': 3}], 'd': 'x'}))
        """,
        requests=[get("/")],
    ),
    Case(
        "json spaces as text",
        js="app.set('json spaces', '\\t'); app.get('/', (req, res) => res.json({ a: [1, 2], b: {} }))",
        py="app.set('json spaces', '\\t'); app.get('/', lambda req, res: res.json({'a': [1, 2], 'b': {}}))",
        requests=[get("/")],
    ),
    Case(
        "jsonp",
        js="""
        app.get('/', (req, res) => res.jsonp({ count: 1 }))
        app.get('/separators', (req, res) => res.jsonp({ s: '\\u2028\\u2029 caf\\u00e9' }))
        app.get('/null', (req, res) => res.jsonp(null))
        app.get('/string', (req, res) => res.jsonp('x'))
        app.get('/typed', (req, res) => res.type('application/vnd.example+json').jsonp({ a: 1 }))
        app.get('/status', (req, res) => res.status(404).jsonp({ a: 1 }))
        """,
        py="""
        app.get('/', lambda req, res: res.jsonp({'count': 1}))
        app.get('/separators', lambda req, res: res.jsonp({'s': '\\u2028\\u2029 caf\\u00e9'}))
        app.get('/null', lambda req, res: res.jsonp(None))
        app.get('/string', lambda req, res: res.jsonp('x'))
        app.get('/typed', lambda req, res: res.type('application/vnd.example+json').jsonp({'a': 1}))
        app.get('/status', lambda req, res: res.status(404).jsonp({'a': 1}))
        """,
        requests=[
            *gets(
                "/ /?callback=fn /?callback=a.b[0].$c /?callback=alert(1)//<script> /?callback=%2F%2F "
                "/?callback= /?callback=a&callback=b /?callback[x]=a /?cb=fn /separators?callback=fn "
                "/separators /null?callback=fn /string?callback=fn /typed /typed?callback=fn "
                "/status?callback=fn"
            ),
            head("/?callback=fn"),
        ],
    ),
    Case(
        "jsonp callback name",
        js="app.set('jsonp callback name', 'clb'); app.get('/', (req, res) => res.jsonp({ a: 1 }))",
        py="app.set('jsonp callback name', 'clb'); app.get('/', lambda req, res: res.jsonp({'a': 1}))",
        requests=[get("/?clb=x"), get("/?callback=x")],
    ),
    Case(
        "statuses",
        js="""
        app.all('/status/:code', (req, res) => res.status(Number(req.params.code)).send('body'))
        app.all('/send/:code', (req, res) => res.sendStatus(Number(req.params.code)))
        app.all('/end/:code', (req, res) => res.status(Number(req.params.code)).end())
        app.all('/json/:code', (req, res) => res.status(Number(req.params.code)).json({ a: 1 }))
        app.all('/property/:code', (req, res) => { res.statusCode = Number(req.params.code); res.send('x') })
        """,
        py="""
        app.all('/status/:code', lambda req, res: res.status(int(req.params.code)).send('body'))
        app.all('/send/:code', lambda req, res: res.send_status(int(req.params.code)))
        app.all('/end/:code', lambda req, res: res.status(int(req.params.code)).end())
        app.all('/json/:code', lambda req, res: res.status(int(req.params.code)).json({'a': 1}))
        @app.all('/property/:code')
        def assign(req, res):
            res.status_code = int(req.params.code)
            res.send('x')
        """,
        requests=[
            *(
                get(f"/status/{code}")
                for code in (200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 304, 305, 308)
            ),
            *(
                get(f"/status/{code}")
                for code in (400, 402, 404, 405, 410, 413, 414, 416, 418, 421, 422, 425, 426, 428)
            ),
            *(
                get(f"/status/{code}")
                for code in (429, 431, 451, 499, 500, 501, 502, 504, 505, 507, 509, 511, 599, 999)
            ),
            *(get(f"/send/{code}") for code in (200, 201, 204, 205, 302, 304, 404, 413, 418, 422, 500, 599)),
            *(get(f"/end/{code}") for code in (200, 204, 205, 304, 404)),
            *(get(f"/json/{code}") for code in (201, 204, 205, 304, 422)),
            get("/property/404"),
            head("/status/204"),
            head("/send/404"),
            head("/end/200"),
            post("/status/304"),
            send("PUT", "/status/205"),
        ],
    ),
    Case(
        "ETag and freshness",
        js="""
        app.get('/text', (req, res) => res.send('tagged'))
        app.get('/json', (req, res) => res.json({ a: 1 }))
        app.get('/bytes', (req, res) => res.send(Buffer.from('tagged')))
        app.get('/own', (req, res) => res.set('ETag', '"mine"').send('x'))
        app.get('/modified', (req, res) => res.set('Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT').send('x'))
        app.get('/error', (req, res) => res.status(404).send('tagged'))
        app.get('/created', (req, res) => res.status(201).send('tagged'))
        app.post('/text', (req, res) => res.send('tagged'))
        app.get('/headers', (req, res) =>
          res.set({ 'X-Kept': 1, 'Content-Language': 'fr' }).cookie('a', 'b').send('tagged'))
        app.get('/fresh', (req, res) => { res.set('ETag', '"1"'); res.send(String([req.fresh, req.stale])) })
        app.get('/end', (req, res) => res.set('ETag', '"mine"').end('x'))
        """,
        py="""
        app.get('/text', lambda req, res: res.send('tagged'))
        app.get('/json', lambda req, res: res.json({'a': 1}))
        app.get('/bytes', lambda req, res: res.send(b'tagged'))
        app.get('/own', lambda req, res: res.set('ETag', '"mine"').send('x'))
        app.get('/modified', lambda req, res: res.set('Last-Modified', 'Tue, 02 Jan 2024 03:04:05 GMT').send('x'))
        app.get('/error', lambda req, res: res.status(404).send('tagged'))
        app.get('/created', lambda req, res: res.status(201).send('tagged'))
        app.post('/text', lambda req, res: res.send('tagged'))
        app.get('/headers', lambda req, res: (
            res.set({'X-Kept': 1, 'Content-Language': 'fr'}).cookie('a', 'b').send('tagged')))
        @app.get('/fresh')
        def fresh(req, res):
            res.set('ETag', '"1"')
            res.send(','.join(str(value).lower() for value in (req.fresh, req.stale)))
        app.get('/end', lambda req, res: res.set('ETag', '"mine"').end('x'))
        """,
        requests=[
            get("/text"),
            get("/text", {"If-None-Match": 'W/"6-jh7CGNx+yq3WU4j7qbZyPOEUJoo"'}),
            get("/text", {"If-None-Match": "*"}),
            get("/text", {"If-None-Match": '"other"'}),
            head("/text", {"If-None-Match": "*"}),
            get("/text", {"If-None-Match": "*", "Cache-Control": "no-cache"}),
            get("/text", {"If-None-Match": "*", "Cache-Control": "max-age=0, no-cache"}),
            post("/text", None, None, {"If-None-Match": "*"}),
            get("/json", {"If-None-Match": "*"}),
            get("/bytes"),
            get("/bytes", {"If-None-Match": "*"}),
            get("/own", {"If-None-Match": '"mine"'}),
            get("/own", {"If-None-Match": 'W/"mine"'}),
            get("/own", {"If-None-Match": '"a", "mine", "b"'}),
            get("/own", {"If-None-Match": '"a","mine"'}),
            get("/own", {"If-None-Match": '"min"'}),
            get("/modified", {"If-Modified-Since": "Tue, 02 Jan 2024 03:04:05 GMT"}),
            get("/modified", {"If-Modified-Since": "Wed, 03 Jan 2024 03:04:05 GMT"}),
            get("/modified", {"If-Modified-Since": "Mon, 01 Jan 2024 03:04:05 GMT"}),
            get("/modified", {"If-Modified-Since": "nonsense"}),
            get("/modified", {"If-Modified-Since": "Wed, 03 Jan 2024 03:04:05 GMT", "If-None-Match": '"x"'}),
            get("/error", {"If-None-Match": "*"}),
            get("/created", {"If-None-Match": "*"}),
            get("/headers", {"If-None-Match": "*"}),
            get("/fresh"),
            get("/fresh", {"If-None-Match": '"1"'}),
            get("/end", {"If-None-Match": '"mine"'}),
        ],
    ),
    *(
        Case(
            f"ETag {value}",
            js=f"app.set('etag', {value}); app.get('/', (req, res) => res.send('x'))",
            py=f"app.set('etag', {value.capitalize()}); app.get('/', lambda req, res: res.send('x'))",
            requests=[get("/"), get("/", {"If-None-Match": 'W/"1-EfatjsUqKYSnqvRzJkt8VE4BV/M"'})],
        )
        for value in ("true", "false")
    ),
    Case(
        "no ETag",
        js="""
        app.disable('etag')
        app.get('/', (req, res) => res.send('x'))
        app.get('/b', (req, res) => res.send(Buffer.from('x')))
        """,
        py="""
        app.disable('etag')
        app.get('/', lambda req, res: res.send('x'))
        app.get('/b', lambda req, res: res.send(b'x'))
        """,
        requests=[get("/"), get("/b"), get("/", {"If-None-Match": "*"})],
    ),
    Case(
        "strong ETag",
        js="app.set('etag', 'strong'); app.get('/', (req, res) => res.send('x'))",
        py="app.set('etag', 'strong'); app.get('/', lambda req, res: res.send('x'))",
        requests=[get("/"), get("/", {"If-None-Match": "*"})],
    ),
    Case(
        "an ETag function",
        js="""
        app.set('etag', (body) => body.length > 3 ? '"long ' + body.toString() + '"' : undefined)
        app.get('/:text', (req, res) => res.send(req.params.text))
        """,
        py="""
        app.set('etag', lambda body, *rest: '"long ' + bytes(body).decode() + '"' if len(body) > 3 else None)
        app.get('/:text', lambda req, res: res.send(req.params.text))
        """,
        requests=[get("/ab"), get("/abcd")],
    ),
    Case(
        "an ETag function that fails: the type that was set stays, for the error handler",
        js="""
        app.set('etag', (body) => { if (body.length < 5) throw new Error('short'); return '"long"' })
        app.get('/', (req, res) => res.send('abc'))
        app.use((err, req, res, next) => res.status(500).json({ type: res.get('Content-Type'), error: err.message }))
        """,
        py="""
        def tag(body):
            if len(body) < 5:
                raise ValueError('short')
            return '"long"'
        app.set('etag', tag)
        app.get('/', lambda req, res: res.send('abc'))
        app.use(lambda err, req, res, next: res.status(500).json({'type': res.get('Content-Type'), 'error': str(err)}))
        """,
        requests=[get("/")],
    ),
    Case(
        "write and end",
        js="""
        app.get('/end', (req, res) => res.end())
        app.get('/end-text', (req, res) => res.end('caf\\u00e9'))
        app.get('/end-bytes', (req, res) => res.end(Buffer.from([0, 255])))
        app.get('/write', (req, res) => { res.write('a'); res.write(Buffer.from('b')); res.end('c') })
        app.get('/typed', (req, res) => { res.type('txt'); res.write('a'); res.end() })
        app.get('/sized', (req, res) => { res.set('Content-Length', '2'); res.write('a'); res.end('b') })
        app.get('/204', (req, res) => { res.status(204); res.end() })
        app.get('/304', (req, res) => { res.status(304).set('ETag', '"a"'); res.end() })
        app.get('/message', (req, res) => { res.statusMessage = 'Very Fine'; res.send('x') })
        """,
        py="""
        app.get('/end', lambda req, res: res.end())
        app.get('/end-text', lambda req, res: res.end('caf\\u00e9'))
        app.get('/end-bytes', lambda req, res: res.end(bytes([0, 255])))
        @app.get('/write')
        def write(req, res):
            res.write('a')
            res.write(b'b')
            res.end('c')
        @app.get('/typed')
        def typed(req, res):
            res.type('txt')
            res.write('a')
            res.end()
        @app.get('/sized')
        def sized(req, res):
            res.set('Content-Length', '2')
            res.write('a')
            res.end('b')
        app.get('/204', lambda req, res: res.status(204).end())
        app.get('/304', lambda req, res: res.status(304).set('ETag', '"a"').end())
        @app.get('/message')
        def message(req, res):
            res.status_message = 'Very Fine'
            res.send('x')
        """,
        requests=[
            *gets("/end /end-text /end-bytes /write /typed /sized /204 /304 /message"),
            head("/write"),
            head("/end-text"),
            head("/sized"),
        ],
    ),
]
