"""``morgan``: each response here is what was logged of the same request, which an app within the app has answered."""

from __future__ import annotations

import base64

from .case import Case, Request, get, gets, head, post, send

# ``inner`` is the app that logs to ``stream``. Times are masked.
_JS = r"""
const http = require('node:http')
const morgan = require('morgan')
const inner = express()
const lines = []
const stream = { write: (line) => lines.push(line) }
const mask = (text) => text.replace(/\b\d+\.\d{3} ms/g, '#.### ms').replace(/\b\d+\.\d ms/g, '#.# ms')
  .replace(/\b\d+ ms/g, '# ms').replace(/\w{3}, \d\d \w{3} \d{4}/g, 'D, d M Y').replace(/\d\d\/\w{3}\/\d{4}/g, 'd/M/Y')
  .replace(/\d{4}-\d\d-\d\d/g, 'Y-m-d').replace(/\d\d:\d\d:\d\d/g, 'h:m:s').replace(/\.\d{3}Z/g, '.###Z')
  .replace(/pid \d+/g, 'pid #')
app.use((req, res) => {
  const server = http.createServer(inner).listen(0, '127.0.0.1', () => {
    const { method, url: path, headers } = req
    const options = { port: server.address().port, method, path, headers, agent: false }
    req.pipe(http.request(options, (answer) => answer.resume()))
  })
  server.once('connection', () => server.close(() => res.type('text').send(mask(lines.splice(0).join('')))))
})
"""
_PY = r"""
import re
inner = express()
lines = []
class stream:
    write = lines.append

def mask(text):
    for pattern, masked in (
        (r'\b\d+\.\d{3} ms', '#.### ms'), (r'\b\d+\.\d ms', '#.# ms'), (r'\b\d+ ms', '# ms'),
        (r'\w{3}, \d\d \w{3} \d{4}', 'D, d M Y'), (r'\d\d/\w{3}/\d{4}', 'd/M/Y'), (r'\d{4}-\d\d-\d\d', 'Y-m-d'),
        (r'\d\d:\d\d:\d\d', 'h:m:s'), (r'\.\d{3}Z', '.###Z'), (r'pid \d+', 'pid #'),
    ):
        text = re.sub(pattern, masked, text)
    return text

@app.use('/')
def ask_inner(req, res):
    body = inner(req.environ, lambda status, headers: lambda chunk: None)
    for chunk in body:
        pass
    if hasattr(body, 'close'):
        body.close()
    text = ''.join(lines)
    lines.clear()
    res.type('text').send(mask(text))
"""
_ROUTES_JS = """
inner.get('/text', (req, res) => res.send('hello'))
inner.get('/empty', (req, res) => res.status(204).end())
inner.get('/moved', (req, res) => res.redirect('/text'))
inner.get('/cookies', (req, res) => { res.append('Set-Cookie', ['a=1', 'b=2']); res.send('') })
inner.get('/pieces', (req, res) => { res.write('one'); res.end('two') })
inner.get('/failed', (req, res) => { res.status(503).send('failed') })
inner.post('/text', (req, res) => res.status(201).send('made'))
"""
_ROUTES_PY = """
inner.get('/text', lambda req, res: res.send('hello'))
inner.get('/empty', lambda req, res: res.status(204).end())
inner.get('/moved', lambda req, res: res.redirect('/text'))
inner.get('/cookies', lambda req, res: res.append('Set-Cookie', ['a=1', 'b=2']).send(''))
inner.get('/pieces', lambda req, res: (res.write('one'), res.end('two')))
inner.get('/failed', lambda req, res: res.status(503).send('failed'))
inner.post('/text', lambda req, res: res.status(201).send('made'))
"""


def logged(name: str, js: str, py: str, requests: list[Request]) -> Case:
    return Case(name, js=f"{_JS}{js}{_ROUTES_JS}", py=f"{_PY}\n{py}{_ROUTES_PY}", requests=requests)


def formatted(name: str, format: str, requests: list[Request]) -> Case:
    """The name of a format or its text; JavaScript and Python write it alike."""
    return logged(
        name, f"inner.use(morgan({format!r}, {{ stream }}))", f"inner.use(morgan({format!r}, stream=stream))", requests
    )


def basic(credentials: bytes) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


VISIT = {"Referer": "http://a.example/?q=1", "User-Agent": "test/1.0", **basic(b"ada:secret")}
OF_EACH_KIND = [
    *gets("/text /text?a=b&c=%20 /empty /moved /failed /missing"),
    get("/text", VISIT, name="visit"),
    head("/text"),
    post("/text", "a body", "text/plain"),
]

CASES = [
    *(
        formatted(f"format {name}", name, OF_EACH_KIND)
        for name in ("combined", "common", "default", "dev", "short", "tiny")
    ),
    logged("no format", "inner.use(morgan(undefined, { stream }))", "inner.use(morgan(stream=stream))", OF_EACH_KIND),
    logged(
        "an empty format", "inner.use(morgan('', { stream }))", "inner.use(morgan('', stream=stream))", gets("/text")
    ),
    formatted(
        "every token",
        ":method :url :status :http-version :remote-addr :remote-user :referrer :user-agent "
        "res=:res[content-type] :res[Set-Cookie] :res[x-none] req=:req[Host] :req[x-none] :req[referrer] pid :pid",
        [
            *OF_EACH_KIND,
            get("/cookies"),
            get("/text", {"Referrer": "/two-r", "X-Forwarded-For": "9.9.9.9"}, name="two r"),
        ],
    ),
    formatted("dates", ":date [:date[web]] [:date[clf]] [:date[iso]] [:date[other]]", gets("/text")),
    formatted(
        "times",
        ":response-time ms, :response-time[0] ms, :response-time[1] ms, :total-time ms, :total-time[0] ms, "
        ":total-time[1] ms, :response-time[x] ms",
        gets("/text /pieces"),
    ),
    formatted("text around tokens", 'a "b" \\ c: :method::url :: [:method] :method[x] :m', gets("/text")),
    formatted(
        "users",
        ":remote-user",
        [
            get("/text", basic(credentials), name=name)
            for name, credentials in {
                "user": b"ada:secret",
                "no colon": b"ada",
                "no user": b":secret",
                "no password": b"ada:",
                "colons": b"ada:a:b",
                "umlaut": "jörg:x".encode(),
                "not UTF-8": b"j\xf6rg:x",
                "a line of its own": b'x\n127.0.0.1 - - "GET / HTTP/1.1" 200 -\r\x1b[31m:x',
                "a password of two lines": b"ada:a\nb",
                "separators": "\u2028\u2029\x85\x7f\x00\t\b\f\\".encode() + b":x",
            }.items()
        ]
        + [
            get("/text", {"Authorization": value}, name=value)
            for value in (
                "basic YWRhOnNlY3JldA==",
                "BASIC   YWRhOnNlY3JldA",
                "Basic YWRhOnNlY3JldA== x",
                "Basic",
                "Basic ***",
                "Bearer YWRhOnNlY3JldA==",
                "Basic YWRh.OnNl~Y3JldA",
                "Basic YWRhOg",
                "Basic YWRhOn",
                "Basic YWRhOnN",
            )
        ],
    ),
    formatted(
        "what a client sends that a line cannot hold",
        ':url ":user-agent" ":req[x-text]" ":referrer"',
        [
            get(
                "/text", {"User-Agent": 'a "quoted" \\ agent', "X-Text": "\xe9\x80\xa0\xff"}, name="quotes and Latin-1"
            ),
            get("/text?\xe9=%0a%1b", {"User-Agent": "a\tb", "Referer": '"'}, name="Latin-1 in the URL"),
            get("/text?'\"\\", {"User-Agent": "'"}, name="quotes in the URL"),
        ],
    ),
    logged(
        "skip",
        "inner.use(morgan('tiny', { stream, skip: (req, res) => res.statusCode < 400 || req.query.quiet }))",
        "inner.use(morgan('tiny', stream=stream, skip=lambda req, res: res.status_code < 400 or req.query.quiet))",
        gets("/text /missing /failed /failed?quiet=1"),
    ),
    logged(
        "immediate",
        "inner.use(morgan('dev', { stream, immediate: true })); "
        "inner.use(morgan(':status :res[x] :response-time :total-time :url', { stream, immediate: true }))",
        "inner.use(morgan('dev', stream=stream, immediate=True))\n"
        "inner.use(morgan(':status :res[x] :response-time :total-time :url', stream=stream, immediate=True))",
        gets("/text /missing"),
    ),
    logged(
        "immediate behind another logger",
        "inner.use(morgan('tiny', { stream })); inner.use(morgan('tiny', { stream, immediate: true }))",
        "inner.use(morgan('tiny', stream=stream))\ninner.use(morgan('tiny', stream=stream, immediate=True))",
        gets("/text /missing"),
    ),
    logged(
        "immediate and skip",
        "inner.use(morgan('dev', { stream, immediate: true, skip: (req) => req.query.quiet }))",
        "inner.use(morgan('dev', stream=stream, immediate=True, skip=lambda req: req.query.quiet))",
        gets("/text /text?quiet=1"),
    ),
    logged(
        "a function",
        """inner.use(morgan((tokens, req, res) => req.query.quiet ? null : [
             tokens.method(req, res), tokens.url(req, res), tokens.status(req, res),
             tokens.res(req, res, 'content-length'), tokens['http-version'](req, res),
             tokens['user-agent'](req, res)].join(' '), { stream }))""",
        """inner.use(morgan(lambda tokens, req, res: None if req.query.quiet else ' '.join([
             tokens.method(req, res),
             tokens.url(req, res), tokens.status(req, res), tokens.res(req, res, 'content-length'),
             tokens['http-version'](req, res), tokens.user_agent(req, res)]), stream=stream))""",
        [get("/text", VISIT, name="visit"), get("/text", {"User-Agent": '"a"'}, name="quotes"), get("/text?quiet=1")],
    ),
    logged(
        "tokens and formats of one's own",
        """morgan.token('kind', (req, res, argument) => req.query[argument] || req.query.kind)
           morgan.token('two-words', () => 2).format('mine', ':method :kind :kind[other] :two-words')
           morgan.format('ours', (tokens, req, res) => 'ours ' + tokens.kind(req, res, 'other'))
           inner.use(morgan('mine', { stream }))
           inner.use(morgan('ours', { stream }))
           inner.use(morgan(morgan.compile('compiled :kind'), { stream }))""",
        """morgan.token('kind', lambda req, res, argument: req.query.get(argument) or req.query.kind)
morgan.token('two-words', lambda: 2).format('mine', ':method :kind[kind] :kind[other] :two-words')
morgan.format('ours', lambda tokens, req, res: 'ours ' + tokens.kind(req, res, 'other'))
inner.use(morgan('mine', stream=stream))
inner.use(morgan('ours', stream=stream))
inner.use(morgan(morgan.compile('compiled :kind'), stream=stream))""",
        gets("/text?kind=a&other=b /text?kind=%0a%22&other=%5c /text?kind=&other=c"),
    ),
    logged(
        "several loggers and what the handlers do",
        """inner.use(morgan('tiny', { stream }))
           inner.use('/mount', morgan(':url :method', { stream }), (req, res) => { res.status(418).send('tea') })
           inner.use('/ended', (req, res) => res.end('length'))""",
        """inner.use(morgan('tiny', stream=stream))
inner.use('/mount', morgan(':url :method', stream=stream), lambda req, res: res.status(418).send('tea'))
inner.use('/ended', lambda req, res: res.end('length'))""",
        [*gets("/mount/inner?a=b /ended /pieces /text"), send("DELETE", "/mount/x")],
    ),
]
