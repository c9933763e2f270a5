"""Which methods of a response call which others: what middleware that puts its own in their place gets to see."""

from __future__ import annotations

from .case import Case, get, gets, head

CASES = [
    Case(
        "methods that middleware has wrapped",
        js="""
        const wrapped = ['json', 'jsonp', 'send', 'sendStatus', 'redirect', 'render', 'format', 'status', 'vary',
          'location', 'cookie', 'clearCookie', 'append', 'download', 'sendFile', 'end']
        app.set('views', FILES).engine('md', (file, options, callback) => callback(null, 'view'))
        app.use((req, res, next) => {
          const calls = []
          for (const name of wrapped) {
            const method = res[name]
            res[name] = function (...given) {
              calls.push(name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase()))
              if (name === 'send') calls.push(typeof given[0] === 'string' ? given[0] || 'empty' : 'an object')
              if (name === 'end') calls.push(given[0]?.length ? 'a body' : 'nothing')
              if (name === 'end' && !res.headersSent) res.set('X-Calls', calls.join(' '))
              return method.apply(res, given)
            }
          }
          next()
        })
        app.get('/json', (req, res) => res.json({ a: 1 }))
        app.get('/send-object', (req, res) => res.send({ a: 1 }))
        app.get('/send-text', (req, res) => res.send('text'))
        app.get('/send-nothing', (req, res) => res.send(''))
        app.get('/jsonp', (req, res) => res.jsonp([1]))
        app.get('/render', (req, res) => res.render('readme.md'))
        app.get('/status', (req, res) => res.sendStatus(404))
        app.get('/redirect', (req, res) => res.redirect('/a'))
        app.get('/cookie', (req, res) => res.cookie('a', 'b').clearCookie('c').end())
        app.get('/no-content', (req, res) => res.status(204).send('x'))
        """,
        py="""
        wrapped = ['json', 'jsonp', 'send', 'send_status', 'redirect', 'render', 'format', 'status', 'vary',
                   'location', 'cookie', 'clear_cookie', 'append', 'download', 'send_file', 'end']
        app.set('views', FILES).engine('md', lambda file, options: 'view')
        @app.use
        def wrap(req, res, next):
            calls = []
            def put_in_place(name):
                method = getattr(res, name)
                def called(*given, **options):
                    calls.append(name)
                    if name == 'send':
                        calls.append((given[0] or 'empty') if isinstance(given[0], str) else 'an object')
                    if name == 'end':
                        calls.append('a body' if given and given[0] else 'nothing')
                        res.set('X-Calls', ' '.join(calls))
                    return method(*given, **options)
                setattr(res, name, called)
            for name in wrapped:
                put_in_place(name)
            next()
        app.get('/json', lambda req, res: res.json({'a': 1}))
        app.get('/send-object', lambda req, res: res.send({'a': 1}))
        app.get('/send-text', lambda req, res: res.send('text'))
        app.get('/send-nothing', lambda req, res: res.send(''))
        app.get('/jsonp', lambda req, res: res.jsonp([1]))
        app.get('/render', lambda req, res: res.render('readme.md'))
        app.get('/status', lambda req, res: res.send_status(404))
        app.get('/redirect', lambda req, res: res.redirect('/a'))
        app.get('/cookie', lambda req, res: res.cookie('a', 'b').clear_cookie('c').end())
        app.get('/no-content', lambda req, res: res.status(204).send('x'))
        """,
        requests=[
            *gets("/json /send-object /send-text /send-nothing /jsonp /render /status /redirect"),
            get("/jsonp?callback=f"),
            get("/redirect", {"Accept": "text/html"}),
            get("/redirect", {"Accept": "image/png"}),
            get("/cookie"),
            get("/no-content"),
            get("/json", {"If-None-Match": "*"}, name="a copy that is fresh"),
            head("/json"),
            head("/redirect"),
        ],
    ),
    Case(
        "a send that middleware has put in its place",
        js="""
        app.use((req, res, next) => {
          const send = res.send
          res.send = (body) => { res.set('X-Length', String(body.length)); return send.call(res, body + '!') }
          next()
        })
        app.get('/json', (req, res) => res.json([1]))
        app.get('/status', (req, res) => res.sendStatus(202))
        app.get('/own-type', (req, res) => res.type('application/vnd.example+json').json([1]))
        """,
        py="""
        @app.use
        def shout(req, res, next):
            send = res.send
            res.send = lambda body: res.set('X-Length', str(len(body))) and send(body + '!')
            next()
        app.get('/json', lambda req, res: res.json([1]))
        app.get('/status', lambda req, res: res.send_status(202))
        app.get('/own-type', lambda req, res: res.type('application/vnd.example+json').json([1]))
        """,
        requests=[get("/json"), get("/status"), get("/own-type")],
    ),
    Case(
        "a set and a setHeader that middleware has put in their place",
        js="""
        const seen = []
        app.use((req, res, next) => {
          const { set, setHeader, end } = res
          if (req.path.startsWith('/set/')) {
            res.set = (...args) => { seen.push(args[0]); return set.apply(res, args) }
          } else {
            res.setHeader = (...args) => { seen.push(args.join(': ')); return setHeader.apply(res, args) }
          }
          res.end = (...args) => {
            setHeader.call(res, 'X-Seen', seen.splice(0).join(', '))
            return end.apply(res, args)
          }
          next()
        })
        for (const path of ['/set', '/set-header']) {
          app.get(path + '/text', (req, res) => res.send('x'))
          app.get(path + '/bytes', (req, res) => res.send(Buffer.from('x')))
          app.get(path + '/typed', (req, res) => res.type('txt').send('x'))
          app.get(path + '/etag', (req, res) => res.set('ETag', '"1"').send('x'))
          app.get(path + '/nothing', (req, res) => res.send())
          app.get(path + '/null', (req, res) => res.send(null))
          app.get(path + '/json', (req, res) => res.json([1]))
          app.get(path + '/jsonp', (req, res) => res.jsonp([1]))
          app.get(path + '/status', (req, res) => res.sendStatus(205))
          app.get(path + '/redirect', (req, res) => res.redirect('/x'))
        }
        """,
        py="""
        seen = []
        @app.use
        def watch(req, res, next):
            set, set_header, end = res.set, res.set_header, res.end
            def watched_set(field, value=None):
                seen.append(field)
                return set(field, value)
            def watched_set_header(name, value):
                seen.append(f'{name}: {value}')
                return set_header(name, value)
            def watched_end(*body):
                set_header('X-Seen', ', '.join(seen))
                seen.clear()
                end(*body)
            if req.path.startswith('/set/'):
                res.set = watched_set
            else:
                res.set_header = watched_set_header
            res.end = watched_end
            next()
        for path in ['/set', '/set-header']:
            app.get(path + '/text', lambda req, res: res.send('x'))
            app.get(path + '/bytes', lambda req, res: res.send(b'x'))
            app.get(path + '/typed', lambda req, res: res.type('txt').send('x'))
            app.get(path + '/etag', lambda req, res: res.set('ETag', '"1"').send('x'))
            app.get(path + '/nothing', lambda req, res: res.send())
            app.get(path + '/null', lambda req, res: res.send(None))
            app.get(path + '/json', lambda req, res: res.json([1]))
            app.get(path + '/jsonp', lambda req, res: res.jsonp([1]))
            app.get(path + '/status', lambda req, res: res.send_status(205))
            app.get(path + '/redirect', lambda req, res: res.redirect('/x'))
        """,
        requests=[
            get(f"/{replaced}/{sent}?callback=f")
            for replaced in ("set", "set-header")
            for sent in ["text", "bytes", "typed", "etag", "nothing", "null", "json", "jsonp", "status", "redirect"]
        ],
    ),
    Case(
        "Node's own methods",
        js="""
        const fields = { 'X-A': ['1', '2'], 'Content-Length': 1 }
        app.get('/head', (req, res) => res.writeHead(404, 'Nowhere', fields).end('x'))
        app.get('/head-no-message', (req, res) => res.set('X-A', '0').writeHead(404, fields).end('x'))
        app.get('/head-nothing', (req, res) => res.writeHead(204).end())
        app.get('/headers', (req, res) => {
          res.set('X-A', '1').set('X-B', ['2', '3'])
          res.json([res.getHeaders(), res.getHeaderNames(), res.hasHeader('x-a'), res.hasHeader('x-c'),
            res.getHeader('X-B'), res.getHeader('x-c') ?? null])
        })
        app.get('/flush', (req, res) => {
          res.set('X-A', '1').flushHeaders()
          res.end(String(res.headersSent))
        })
        const told = []
        app.get('/events', (req, res) => {
          res.on('finish', () => told.push('finish ' + res.statusCode)).once('close', () => told.push('close'))
          if (req.query.write) res.write('x')
          res.end('y')
        })
        app.get('/told', (req, res) => res.send(told.splice(0).join()))
        """,
        py="""
        fields = {'X-A': ['1', '2'], 'Content-Length': 1}
        app.get('/head', lambda req, res: res.write_head(404, 'Nowhere', fields).end('x'))
        app.get('/head-no-message', lambda req, res: res.set('X-A', '0').write_head(404, fields).end('x'))
        app.get('/head-nothing', lambda req, res: res.write_head(204).end())
        @app.get('/headers')
        def headers(req, res):
            res.set('X-A', '1').set('X-B', ['2', '3'])
            res.json([res.get_headers(), res.get_header_names(), res.has_header('x-a'), res.has_header('x-c'),
                      res.get_header('X-B'), res.get_header('x-c')])
        @app.get('/flush')
        def flush(req, res):
            res.set('X-A', '1').flush_headers()
            res.end('true' if res.headers_sent else 'false')
        told = []
        @app.get('/events')
        def events(req, res):
            res.on('finish', lambda: told.append(f'finish {res.status_code}'))
            res.once('close', lambda: told.append('close'))
            if req.query.write:
                res.write('x')
            res.end('y')
        @app.get('/told')
        def tell(req, res):
            res.send(','.join(told))
            told.clear()
        """,
        requests=[
            get("/head"),
            get("/head-no-message"),
            get("/head-nothing"),
            get("/headers"),
            get("/flush"),
            get("/events"),
            get("/told", name="told of an answer"),
            get("/events?write=1"),
            get("/told", name="told of an answer in pieces"),
            head("/events"),
            get("/told", name="told of an answer to HEAD"),
        ],
    ),
]
