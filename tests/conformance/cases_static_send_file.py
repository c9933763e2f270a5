"""``res.send_file`` and ``res.download``."""

from __future__ import annotations

from .case import Case, get, gets, head, post
from .cases_static import BEFORE, ETAG

CASES = [
    Case(
        "send_file",
        js="""
        app.all('/absolute', (req, res) => res.sendFile(path.join(FILES, 'hello.txt')))
        app.get('/root/*name', (req, res) => res.sendFile(req.params.name.join('/'), { root: FILES }))
        app.get('/digits', (req, res) => res.sendFile('digits.txt', { root: FILES }))
        app.get('/typed', (req, res) => res.type('text/x-own').sendFile('hello.txt', { root: FILES }))
        app.get('/status', (req, res) => res.status(404).sendFile('hello.txt', { root: FILES }))
        app.get('/directory', (req, res) => res.sendFile(path.join(FILES, 'docs')))
        app.get('/directory-slash', (req, res) => res.sendFile('docs/', { root: FILES }))
        app.get('/spaces', (req, res) => res.sendFile(path.join(FILES, 'name with spaces.txt')))
        app.get('/accents', (req, res) => res.sendFile(path.join(FILES, '\\u00e9t\\u00e9.txt')))
        app.get('/percent', (req, res) => res.sendFile(path.join(FILES, '100%.txt')))
        app.get('/up', (req, res) => res.sendFile(FILES + '/docs/../hello.txt'))
        app.get('/relative', (req, res) => res.sendFile('hello.txt'))
        app.get('/empty-path', (req, res) => res.sendFile(''))
        app.get('/missing', (req, res) => res.sendFile(path.join(FILES, 'nope.txt')))
        """,
        py="""
        app.all('/absolute', lambda req, res: res.send_file(FILES + '/hello.txt'))
        app.get('/root/*name', lambda req, res: res.send_file('/'.join(req.params.name), root=FILES))
        app.get('/digits', lambda req, res: res.send_file('digits.txt', root=FILES))
        app.get('/typed', lambda req, res: res.type('text/x-own').send_file('hello.txt', root=FILES))
        app.get('/status', lambda req, res: res.status(404).send_file('hello.txt', root=FILES))
        app.get('/directory', lambda req, res: res.send_file(FILES + '/docs'))
        app.get('/directory-slash', lambda req, res: res.send_file('docs/', root=FILES))
        app.get('/spaces', lambda req, res: res.send_file(FILES + '/name with spaces.txt'))
        app.get('/accents', lambda req, res: res.send_file(FILES + '/\\u00e9t\\u00e9.txt'))
        app.get('/percent', lambda req, res: res.send_file(FILES + '/100%.txt'))
        app.get('/up', lambda req, res: res.send_file(FILES + '/docs/../hello.txt'))
        app.get('/relative', lambda req, res: res.send_file('hello.txt'))
        app.get('/empty-path', lambda req, res: res.send_file(''))
        app.get('/missing', lambda req, res: res.send_file(FILES + '/nope.txt'))
        """,
        requests=[
            get("/absolute"),
            head("/absolute"),
            post("/absolute"),
            *(
                get(f"/root/{name}")
                for name in (
                    "hello.txt",
                    "plain/file.txt",
                    "data.json",
                    "nope.txt",
                    "..%2fcase.py",
                    "%2e%2e%2fcase.py",
                    "docs%2f..%2fhello.txt",
                    ".dotfile",
                    ".dotdir/inner.txt",
                    "100%25.txt",
                    "%C3%A9t%C3%A9.txt",
                    "a%23b.txt",
                    "hello.txt%00",
                    "docs",
                    "plain",
                    "empty.txt",
                    "bytes.bin",
                    "hello.txt/",
                )
            ),
            get("/digits", {"Range": "bytes=2-4"}),
            get("/digits", {"Range": "bytes=50-"}),
            get("/digits", {"If-None-Match": ETAG}),
            get("/digits", {"If-Modified-Since": BEFORE}),
            get("/digits", {"If-Match": '"other"'}),
            head("/digits", {"Range": "bytes=2-4"}),
            *gets(
                "/typed /status /directory /directory-slash /spaces /accents /percent /up /relative "
                "/empty-path /missing"
            ),
        ],
    ),
    Case(
        "send_file options",
        js="""
        const send = (route, options) => app.get(route, (req, res) =>
          res.sendFile('digits.txt', { root: FILES, ...options }))
        send('/max-age', { maxAge: 60000 })
        send('/max-age-text', { maxAge: '2 hours' })
        send('/immutable', { maxAge: 60000, immutable: true })
        send('/no-cache-control', { cacheControl: false })
        send('/no-last-modified', { lastModified: false })
        send('/no-ranges', { acceptRanges: false })
        send('/headers', { headers: { 'X-Extra': 'yes', 'Content-Type': 'text/x-own', 'Cache-Control': 'no-store' } })
        send('/part', { start: 2, end: 5 })
        app.get('/dotfile', (req, res) => res.sendFile('.dotfile', { root: FILES, dotfiles: 'allow' }))
        app.get('/dotfile-denied', (req, res) => res.sendFile('.dotfile', { root: FILES, dotfiles: 'deny' }))
        app.get('/extensions', (req, res) => res.sendFile('hello', { root: FILES, extensions: ['txt'] }))
        """,
        py="""
        def send(route, **options):
            app.get(route, lambda req, res: res.send_file('digits.txt', root=FILES, **options))
        send('/max-age', max_age=60000)
        send('/max-age-text', max_age='2 hours')
        send('/immutable', max_age=60000, immutable=True)
        send('/no-cache-control', cache_control=False)
        send('/no-last-modified', last_modified=False)
        send('/no-ranges', accept_ranges=False)
        send('/headers', headers={'X-Extra': 'yes', 'Content-Type': 'text/x-own', 'Cache-Control': 'no-store'})
        send('/part', start=2, end=5)
        app.get('/dotfile', lambda req, res: res.send_file('.dotfile', root=FILES, dotfiles='allow'))
        app.get('/dotfile-denied', lambda req, res: res.send_file('.dotfile', root=FILES, dotfiles='deny'))
        app.get('/extensions', lambda req, res: res.send_file('hello', root=FILES, extensions=['txt']))
        """,
        requests=[
            *gets(
                "/max-age /max-age-text /immutable /no-cache-control /no-last-modified /no-ranges "
                "/headers /part /dotfile /dotfile-denied /extensions"
            ),
            get("/no-ranges", {"Range": "bytes=0-1"}),
            get("/part", {"Range": "bytes=1-2"}),
            get("/headers", {"If-None-Match": "*"}),
        ],
    ),
    Case(
        "send_file without ETag",
        js="app.disable('etag'); app.get('/', (req, res) => res.sendFile('hello.txt', { root: FILES }))",
        py="app.disable('etag'); app.get('/', lambda req, res: res.send_file('hello.txt', root=FILES))",
        requests=[get("/")],
    ),
    Case(
        "send_file's errors",
        js="""
        app.get('/missing', (req, res) => res.sendFile('nope.txt', { root: FILES }))
        app.get('/up', (req, res) => res.sendFile('../case.py', { root: FILES }))
        app.get('/directory', (req, res) => res.sendFile('docs', { root: FILES }))
        app.get('/range', (req, res) => res.sendFile('digits.txt', { root: FILES }))
        app.get('/directory', (req, res) => res.send('next'))
        app.use((err, req, res, next) => res.status(err.status || 500).json([err.status, err.status < 500]))
        """,
        py="""
        app.get('/missing', lambda req, res: res.send_file('nope.txt', root=FILES))
        app.get('/up', lambda req, res: res.send_file('../case.py', root=FILES))
        app.get('/directory', lambda req, res: res.send_file('docs', root=FILES))
        app.get('/range', lambda req, res: res.send_file('digits.txt', root=FILES))
        app.get('/directory', lambda req, res: res.send('next'))
        app.use(lambda err, req, res, next: res.status(err.status).json([err.status, err.status < 500]))
        """,
        requests=[get("/missing"), get("/up"), get("/directory"), get("/range", {"Range": "bytes=50-"})],
    ),
    Case(
        "download",
        js="""
        app.get('/', (req, res) => res.download(path.join(FILES, 'hello.txt')))
        app.get('/named', (req, res) => res.download(path.join(FILES, 'hello.txt'), 'greeting.md'))
        app.get('/accents', (req, res) => res.download(path.join(FILES, 'hello.txt'), 'caf\\u00e9.txt'))
        app.get('/own-name', (req, res) => res.download(path.join(FILES, '\\u00e9t\\u00e9.txt')))
        app.get('/path-name', (req, res) => res.download(path.join(FILES, 'hello.txt'), '/a/b/c.txt'))
        app.get('/root', (req, res) => res.download('plain/file.txt', { root: FILES }))
        app.get('/options', (req, res) => res.download(path.join(FILES, 'hello.txt'), 'x.txt', {
          maxAge: '1h', headers: { 'X-Extra': '1', 'Content-Disposition': 'inline' } }))
        app.get('/missing', (req, res) => res.download(path.join(FILES, 'nope.txt')))
        app.get('/dotfile', (req, res) => res.download('.dotfile', { root: FILES }))
        """,
        py="""
        app.get('/', lambda req, res: res.download(FILES + '/hello.txt'))
        app.get('/named', lambda req, res: res.download(FILES + '/hello.txt', 'greeting.md'))
        app.get('/accents', lambda req, res: res.download(FILES + '/hello.txt', 'caf\\u00e9.txt'))
        app.get('/own-name', lambda req, res: res.download(FILES + '/\\u00e9t\\u00e9.txt'))
        app.get('/path-name', lambda req, res: res.download(FILES + '/hello.txt', '/a/b/c.txt'))
        app.get('/root', lambda req, res: res.download('plain/file.txt', root=FILES))
        app.get('/options', lambda req, res: res.download(FILES + '/hello.txt', 'x.txt', max_age='1h', headers={
            'X-Extra': '1', 'Content-Disposition': 'inline'}))
        app.get('/missing', lambda req, res: res.download(FILES + '/nope.txt'))
        app.get('/dotfile', lambda req, res: res.download('.dotfile', root=FILES))
        """,
        requests=[
            *(get(f"/{r}") for r in ("", "named", "accents", "own-name", "path-name", "root", "options", "missing")),
            get("/dotfile"),
            head("/named"),
            get("/", {"Range": "bytes=0-4"}),
            get("/", {"If-None-Match": "*"}),
        ],
    ),
]
