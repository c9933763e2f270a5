"""``compression``. Bodies are compared decompressed, and without their framing: npm's have no Content-Length."""

from __future__ import annotations

import re
from dataclasses import replace

from .case import Case, Headers, Request, get, head, post

_FRAMING = (r"(?i)^(content-length: .*|transfer-encoding: .*)$", "(framing)")
_ENDED = re.compile("GET /(type|ended|no-type)")

_ROUTES_JS = """
const text = 'hello, world '.repeat(100)
app.get('/text', (req, res) => res.type('text').send(text))
app.get('/small', (req, res) => res.type('text').send('small'))
app.get('/empty', (req, res) => res.type('text').send(''))
app.get('/sized/:size', (req, res) => res.type('text').send('x'.repeat(Number(req.params.size))))
app.get('/json', (req, res) => res.json({ list: Array(500).fill('item') }))
app.get('/ended', (req, res) => { res.setHeader('Content-Type', 'text/plain'); res.end(text) })
app.get('/ended-small', (req, res) => { res.setHeader('Content-Type', 'text/plain'); res.end('small') })
app.get('/no-type', (req, res) => res.end(text))
app.get('/type', (req, res) => { res.setHeader('Content-Type', req.query.is); res.end(text) })
app.get('/written', (req, res) => {
  res.type('text'); res.write('one, '); res.write(''); res.write('two, '); res.end('three')
})
app.get('/written-only', (req, res) => { res.type('text'); res.write('one'); res.end() })
app.get('/sized-pieces', (req, res) => {
  res.type('text').set('Content-Length', '8'); res.write('one, '); res.end('two')
})
app.get('/flushed', (req, res) => {
  res.type('text'); res.flush(); res.write('one, '); res.flush(); res.flush(); res.write('two'); res.end()
})
app.get('/buffer', (req, res) => res.send(Buffer.alloc(2000, 1)))
app.get('/encoded', (req, res) => res.type('text').set('Content-Encoding', req.query.as).send(text))
app.get('/cached', (req, res) => res.type('text').set('Cache-Control', req.query.as).send(text))
app.get('/vary', (req, res) => res.type('text').set('Vary', req.query.as).send(text))
app.get('/etag', (req, res) => res.type('text').set('ETag', req.query.is).send(text))
app.get('/no-content', (req, res) => res.status(204).type('text').end())
app.get('/broken', (req, res) => res.status(500).type('text').send(text))
app.post('/text', (req, res) => res.status(201).type('text').send(text))
app.use('/ranges', express.static(FILES))
app.use(express.static(FILES, { acceptRanges: false }))
"""
_ROUTES_PY = """
text = 'hello, world ' * 100
app.get('/text', lambda req, res: res.type('text').send(text))
app.get('/small', lambda req, res: res.type('text').send('small'))
app.get('/empty', lambda req, res: res.type('text').send(''))
app.get('/sized/:size', lambda req, res: res.type('text').send('x' * int(req.params.size)))
app.get('/json', lambda req, res: res.json({'list': ['item'] * 500}))
app.get('/ended', lambda req, res: res.set_header('Content-Type', 'text/plain').end(text))
app.get('/ended-small', lambda req, res: res.set_header('Content-Type', 'text/plain').end('small'))
app.get('/no-type', lambda req, res: res.end(text))
app.get('/type', lambda req, res: res.set_header('Content-Type', req.query['is']).end(text))
@app.get('/written')
def written(req, res):
    res.type('text')
    for piece in ('one, ', '', 'two, '):
        res.write(piece)
    res.end('three')
app.get('/written-only', lambda req, res: (res.type('text').write('one'), res.end()))
app.get('/sized-pieces', lambda req, res: (res.type('text').set('Content-Length', '8').write('one, '), res.end('two')))
@app.get('/flushed')
def flushed(req, res):
    res.type('text').flush()
    res.write('one, ')
    res.flush()
    res.flush()
    res.write('two')
    res.end()
app.get('/buffer', lambda req, res: res.send(bytes([1]) * 2000))
app.get('/encoded', lambda req, res: res.type('text').set('Content-Encoding', req.query['as']).send(text))
app.get('/cached', lambda req, res: res.type('text').set('Cache-Control', req.query['as']).send(text))
app.get('/vary', lambda req, res: res.type('text').set('Vary', req.query['as']).send(text))
app.get('/etag', lambda req, res: res.type('text').set('ETag', req.query['is']).send(text))
app.get('/no-content', lambda req, res: res.status(204).type('text').end())
app.get('/broken', lambda req, res: res.status(500).type('text').send(text))
app.post('/text', lambda req, res: res.status(201).type('text').send(text))
app.use('/ranges', static(FILES))
app.use(static(FILES, accept_ranges=False))
"""


def compressed(name: str, js: str, py: str, requests: list[Request]) -> Case:
    """The routes behind ``compression`` with these options."""
    return Case(
        name,
        js=f"const compression = require('compression')\napp.use(compression({js}))\n{_ROUTES_JS}",
        py=f"app.use(compression({py}))\n{_ROUTES_PY}",
        requests=requests,
    )


def asking(
    targets: str, accepted: str | None = "gzip, deflate", headers: Headers | None = None, *, is_compressed: bool = True
) -> list[Request]:
    """A GET of each target with an Accept-Encoding."""
    sent = [get(target, {"Accept-Encoding": accepted, **(headers or {})}) for target in targets.split()]
    return [replace(each, decompressed=True, mask=(_FRAMING,)) if is_compressed else each for each in sent]


def left(targets: str, accepted: str | None = "gzip, deflate", headers: Headers | None = None) -> list[Request]:
    """As ``asking``, for what stays as it was: with its Content-Length, which npm's ``res.end`` alone leaves out."""
    sent = asking(targets, accepted, headers, is_compressed=False)
    return [replace(each, mask=(_FRAMING,)) if _ENDED.match(each.name) else each for each in sent]


def accepting(*values: str) -> list[Request]:
    return [request for value in values for request in asking("/text", value)]


CASES = [
    compressed(
        "no options",
        "",
        "",
        [
            *asking("/text /json /ended /sized/1024 /buffer /broken /hello.txt /missing /large.txt"),
            *left("/small /empty /ended-small /no-type /sized/1023 /no-content /pixel.png /image.svg /docs"),
            *asking("/written /written-only /flushed"),
            *left("/sized-pieces"),
            replace(post("/text", "", None, {"Accept-Encoding": "gzip"}), decompressed=True, mask=(_FRAMING,)),
            head("/text", {"Accept-Encoding": "gzip"}),
            head("/small", {"Accept-Encoding": "gzip"}),
            head("/hello.txt", {"Accept-Encoding": "gzip"}),
            *left("/written /written-only", None),
        ],
    ),
    compressed(
        "the encoding that a client prefers",
        "",
        "",
        [
            *accepting(
                "gzip",
                "deflate",
                "gzip, deflate",
                "deflate, gzip",
                "deflate;q=0.5, gzip;q=0.1",
                "gzip;q=0.5, deflate;q=0.5",
                "GZIP",
                "Deflate",
                "gzip;q=0.001",
                "deflate;q=1, gzip;q=0.999",
                "gzip , deflate",
                "x, deflate",
                "gzip;level=9",
                "gzip;q=x, deflate;q=0.1",
            ),
            *left("/text", None),
            *[
                request
                for value in (
                    "",
                    "identity",
                    "gzip;q=0",
                    "gzip;q=0, deflate;q=0",
                    "*;q=0",
                    "x",
                    "identity, gzip;q=0.5",
                    "x-gzip",
                    "compress",
                    "identity;q=0",
                )
                for request in left("/text", value)
            ],
            *asking("/text", "identity;q=0.5, gzip;q=0.4, deflate;q=0.6"),
        ],
    ),
    compressed(
        "Brotli",
        "{ threshold: 0 }",
        "threshold=0",
        [request for accepted in ("br, gzip", "br", "*") for request in asking("/small", accepted)],
    ),
    compressed(
        "types",
        "",
        "",
        [
            *asking(
                "/type?is=text/plain /type?is=TEXT/HTML;charset=utf-8 /type?is=application/json "
                "/type?is=image/svg%2Bxml "
                "/type?is=application/x-own%2Bjson /type?is=application/octet-stream /type?is=font/ttf "
                "/type?is=x/y%2Btext "
                "/type?is=text/event-stream /type?is=%20text/plain /type?is=application/wasm /type?is=text/x-own"
            ),
            *left(
                "/type?is=image/png /type?is=video/mp4 /type?is=application/zip /type?is=application/x-own "
                "/type?is=text "
                "/type?is=font/woff2 /type?is=audio/mpeg /type?is=x/y%2Bzip /type?is=application/pdf "
                "/type?is=;text/plain"
            ),
        ],
    ),
    compressed(
        "what the handler has set",
        "",
        "",
        [
            *left(
                "/encoded?as=gzip /encoded?as=br /encoded?as=x /cached?as=no-transform /cached?as=public,no-transform "
                "/cached?as=No-Transform /cached?as=max-age=1,%20no-transform%20,private"
            ),
            *asking(
                "/encoded?as=identity /cached?as=no-transformers /cached?as=public /cached?as=x-no-transform "
                "/vary?as=Cookie "
                "/vary?as=* /vary?as=accept-encoding /vary?as=Accept,Accept-Encoding /etag?is=W/%22weak%22"
            ),
        ],
    ),
    compressed(
        "copies that are fresh, and ranges",
        "",
        "",
        [
            *left("/etag?is=W/%22a%22", "gzip", {"If-None-Match": 'W/"a"'}),
            *left("/hello.txt", "gzip", {"If-None-Match": "*"}),
            *left("/hello.txt", "gzip", {"Range": "bytes=0-3"}),
        ],
    ),
    compressed(
        "no threshold",
        "{ threshold: 0 }",
        "threshold=0",
        [
            *asking("/small /hello.txt /index.html /style.css /ended-small"),
            *asking("/empty"),
            *left("/no-content /pixel.png"),
            *asking("/sized-pieces"),
            *asking("/ranges/hello.txt"),
            *asking("/ranges/hello.txt", "gzip", {"Range": "bytes=0-3"}),
        ],
    ),
    compressed(
        "a threshold in text",
        "{ threshold: '1.5kb' }",
        "threshold='1.5kb'",
        [*left("/sized/1535"), *asking("/sized/1536")],
    ),
    compressed(
        "a filter of one's own",
        "{ filter: (req, res) => !req.get('X-No-Compression') && (req.query.force || compression.filter(req, res)) }",
        "filter=lambda req, res: not req.get('X-No-Compression') and (req.query.force or compression.filter(req, res))",
        [
            *asking("/text /no-type?force=1 /type?is=image/png&force=1"),
            *left("/no-type /type?is=image/png"),
            *left("/text", "gzip", {"X-No-Compression": "1"}),
        ],
    ),
    compressed(
        "zlib's options",
        "{ level: 9, memLevel: 1, strategy: 2, windowBits: 9 }",
        "level=9, mem_level=1, strategy=2, window_bits=9",
        [*asking("/text /written", "gzip"), *asking("/text", "deflate")],
    ),
    compressed("no level", "{ level: 0 }", "level=0", asking("/text /json /flushed", "gzip")),
    *(
        compressed(
            f"{encoding} for who names none",
            f"{{ enforceEncoding: '{encoding}' }}",
            f"enforce_encoding='{encoding}'",
            [
                *asking("/text /written", None),
                *asking("/text", ""),
                *left("/small", None),
                *left("/text", "identity"),
                *asking("/text", "deflate"),
                head("/text"),
            ],
        )
        for encoding in ("gzip", "deflate", "identity")
    ),
    Case(
        "strong ETags of an app",
        js="app.set('etag', 'strong'); app.use(require('compression')({ threshold: 0 })); "
        "app.get('/', (req, res) => res.send('text'))",
        py="app.set('etag', 'strong')\napp.use(compression(threshold=0))\n"
        "app.get('/', lambda req, res: res.send('text'))",
        requests=[*asking("/"), *left("/", None)],
    ),
    Case(
        "two of them, and middleware that ends the response",
        js="""const compression = require('compression')
              app.use(compression({ threshold: 0 }), compression({ threshold: 0 }))
              app.use((req, res, next) => req.query.early ? res.send('early') : next())
              app.get('/', (req, res) => { res.set('X-Late', String(res.headersSent)); res.send('late') })
              app.get('/throws', (req, res) => { throw Object.assign(new Error('thrown'), { status: 418 }) })""",
        py="""
app.use(compression(threshold=0), compression(threshold=0))
app.use('/', lambda req, res, next: res.send('early') if req.query.early else next())
app.get('/', lambda req, res: res.set('X-Late', res.headers_sent).send('late'))
def throws(req, res):
    from miniexpress import HTTPError
    raise HTTPError(418, 'thrown')
app.get('/throws', throws)
""",
        requests=asking("/ /?early=1 /throws /missing"),
    ),
]
