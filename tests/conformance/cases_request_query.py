"""``req.query``: simple, extended, off, and a parser of one's own."""

from __future__ import annotations

from .case import Case, get, gets

PLAIN = [
    "",
    "?",
    "?a=b",
    "?a=b&c=d",
    "?a=1&a=2&a=3",
    "?a",
    "?a=",
    "?=b",
    "?=",
    "?&",
    "?&&a=b&&",
    "?a=b=c",
    "?a==",
    "?a=b+c",
    "?a+b=c",
    "?a=%20b%26c%3Dd",
    "?a%20b=c",
    "?a=%E2%9C%93",
    "?%E2%9C%93=a",
    "?a=%",
    "?a=%zz",
    "?a=%E0%A4",
    "?a=%FF",
    "?a=b;c=d",
    "?a=?b",
    "?a=b/c:d@e",
    "?__proto__=x",
    "?hasOwnProperty=x&toString=y",
    "?a.b=c",
    "?items=1&get=2&keys=3",
    "?a=b&A=c",
    "?0=a&1=b",
    "?a=caf\xe9",
]
NESTED = [
    "?a[b]=c",
    "?a[b][c]=d&a[b][e]=f",
    "?a[]=1&a[]=2",
    "?a[]=1",
    "?a[0]=x&a[1]=y",
    "?a[1]=y&a[0]=x",
    "?a[5]=x",
    "?a[20]=x",
    "?a[21]=x",
    "?a[b]=1&a=2",
    "?a=1&a[b]=2",
    "?a=1&a[]=2",
    "?a[]=1&a=2",
    "?a[]=b&a[c]=d",
    "?a[0]=b&a[c]=d",
    "?a[][b]=c&a[][b]=d",
    "?a[0][b]=c&a[1][b]=d",
    "?a[]",
    "?a[]=",
    "?a[b",
    "?a]=b",
    "?[a]=b",
    "?[]=b",
    "?[]=a&[]=b",
    "?a[[b]]=c",
    "?a%5Bb%5D=c",
    "?a[b%20c]=d",
    "?a[b]c=d",
    "?a[%5Bx%5D]=y",
    "?a[b][c][d][e][f][g][h]=deep",
    "?a[-1]=x",
    "?a[01]=x",
    "?a[b]=1&a[b]=2",
    "?__proto__[a]=b",
    "?a[__proto__]=b",
    "?constructor[prototype][a]=b",
    "?a[hasOwnProperty]=b",
    "?a[][]=b",
    "?a[0]=&a[1]=x",
    "?a=1,2",
    "?a[b]=%zz",
    "?a[b]=1&a=",
    "?a[0]=x&a[b]=y&a[]=",
    "?a=&a[99]=x",
    "?a[99]=x&a=y",
    "?a[0]=5&a[99]=x&a[]=y",
]

# Queries of more than the limits of qs: 20 items in a list, 5 brackets in a key.
TIMES_20 = "&".join(["a[]=y"] * 20)
BEYOND = {
    "a list past its limit, then a text": "a[b]=1&a[25]=2&a=3",
    "a text, then a list past its limit": "a=x&a=x&" + TIMES_20,
    "a list past its limit, then names": f"{TIMES_20}&a[]=y&a[b]=1&a=z",
    "names, then a list past its limit": f"a[b]=1&{TIMES_20}&a[]=y&a=z",
    "a text ahead of index 20": "a=x&a[20]=y&a=z",
    "an index that leaves a hole of 20": "a=x&a[19]=y",
    "a list of lists past its limit": "&".join(f"a[{n}][]=x" for n in range(22)) + "&a[0][]=y&a[21]=z",
    "two texts for one object": "a[b]=1&a=2&a[c]=3&a=4&a[30]=5&a=6",
    "an object within an object that met a text": "a[b][c]=1&a[b]=2&a[b][25]=3&a[b]=4&a=5",
    "a number, with and without brackets": "0[a]=1&0=2&[0]=3&[]=4&0[]=5",
    "nothing for a list past its limit": "a[25]=x&a=&a[]=&a=y",
    "brackets in brackets beyond the depth": "a[b[c]][d][e][f][g[h]][i]=1&a[b[c]]=2",
    "brackets within brackets, 12 deep": "a" + "[" * 12 + "b" + "]" * 12 + "[c]=1",
    "a bracket never closed beyond the depth": "a[b][c][d][e][f][g=1&a[b]=2&a[b][c=3",
}
# JavaScript's objects have numbers first, so both show their keys sorted.
SORTED_JS = """
const show = (value) => Array.isArray(value) ? value.map(show) : typeof value === 'string' ? value
  : Object.keys(value).sort().map((key) => [key, show(value[key])])
"""
SORTED_PY = """
def show(value):
    if isinstance(value, list):
        return [show(each) for each in value]
    return value if isinstance(value, str) else [[key, show(value[key])] for key in sorted(value)]
"""

SHOW_JS = "app.get('/', (req, res) => res.json(req.query))"
SHOW_PY = "app.get('/', lambda req, res: res.json(req.query))"

DIGITS = "9" * 5_000

CASES = [
    Case(
        "keys of more digits than a number has",
        js="app.set('query parser', 'extended'); app.get('/', (req, res) => res.json(req.query))",
        py="app.set('query parser', 'extended'); app.get('/', lambda req, res: res.json(req.query))",
        requests=[
            get(f"/?a[{DIGITS}]=1", name="one"),
            get(f"/?a[x]=1&a[{DIGITS}]=1", name="beside a word"),
            get(f"/?a[b]=1&{DIGITS}=1", name="outside"),
        ],
    ),
    Case(
        "a target in absolute form without a path",
        js="app.use((req, res) => res.json([req.path, req.query]))",
        py="app.use(lambda req, res: res.json([req.path, req.query]))",
        requests=gets("http://test.example?u=/admin http://test.example?x=1 http://test.example"),
    ),
    Case(
        "a parser of one's own",
        js="""
        app.set('query parser', (text) => text === 'null' ? null : text)
        app.get('/', (req, res) => res.json([req.query]))
        app.get('/jsonp', (req, res) => res.jsonp([1]))
        """,
        py="""
        app.set('query parser', lambda text: None if text == 'null' else text)
        app.get('/', lambda req, res: res.json([req.query]))
        app.get('/jsonp', lambda req, res: res.jsonp([1]))
        """,
        requests=gets("/? /?null /?a=b /jsonp?callback=a"),
    ),
    Case("simple", js=SHOW_JS, py=SHOW_PY, requests=[get(f"/{query}") for query in [*PLAIN, *NESTED[:12]]]),
    Case(
        "extended",
        js="app.set('query parser', 'extended'); " + SHOW_JS,
        py="app.set('query parser', 'extended'); " + SHOW_PY,
        requests=[get(f"/{query}") for query in [*PLAIN, *NESTED]],
    ),
    Case(
        "beyond the limits",
        js=SORTED_JS + "app.set('query parser', 'extended'); app.get('/', (req, res) => res.json(show(req.query)))",
        py=SORTED_PY + "app.set('query parser', 'extended'); app.get('/', lambda req, res: res.json(show(req.query)))",
        requests=[get(f"/?{query}", name=name) for name, query in BEYOND.items()],
    ),
    Case(
        "malformed UTF-8 beside raw bytes",
        js=SHOW_JS,
        py=SHOW_PY,
        requests=[get("/?a=\xe9%E9&\xe9%E9=b&c=\xe9%C3%A9", name="simple")],
    ),
    Case(
        "limits",
        js="app.set('query parser', 'extended'); app.get('/', (req, res) => "
        "res.json([Object.keys(req.query).length, Array.isArray(req.query.a), (req.query.a ?? []).length ?? 0]))",
        py="app.set('query parser', 'extended'); app.get('/', lambda req, res: res.json([len(req.query), "
        "isinstance(req.query.a, list), len(req.query.a) if isinstance(req.query.a, (list, str)) else 0]))",
        requests=[
            get("/?" + "&".join(f"k{n}=v" for n in range(999)), name="999 keys"),
            get("/?" + "&".join(f"k{n}=v" for n in range(1001)), name="1001 keys"),
            get("/?" + "&".join("a[]=1" for _ in range(20)), name="20 times the same key"),
            get("/?" + "&".join("a[]=1" for _ in range(21)), name="21 times the same key"),
            get("/?" + "&".join("a=1" for _ in range(30)), name="30 times the same plain key"),
        ],
    ),
    Case(
        "limits of the simple parser",
        js="app.get('/', (req, res) => res.json([Object.keys(req.query).length, (req.query.a ?? []).length]))",
        py="app.get('/', lambda req, res: res.json([len(req.query), len(req.query.a or [])]))",
        requests=[
            get("/?" + "&".join(f"k{n}=v" for n in range(1001)), name="1001 keys"),
            get("/?" + "&".join("a=1" for _ in range(1001)), name="1001 times the same key"),
        ],
    ),
    Case(
        "off",
        js="app.set('query parser', false); " + SHOW_JS,
        py="app.set('query parser', False); " + SHOW_PY,
        requests=[get("/"), get("/?a=b")],
    ),
    Case(
        "on",
        js="app.set('query parser', true); " + SHOW_JS,
        py="app.set('query parser', True); " + SHOW_PY,
        requests=[get("/?a[b]=c")],
    ),
    Case(
        "a function",
        js="app.set('query parser', (text) => ({ text: text ?? null })); " + SHOW_JS,
        py="app.set('query parser', lambda text: {'text': text or None}); " + SHOW_PY,
        requests=[get("/"), get("/?a=b&c=%20")],
    ),
    Case(
        "below a mount",
        js="const r = express.Router(); r.get('/x', (req, res) => res.json([req.query, req.url])); app.use('/m', r)",
        py="r = Router(); r.get('/x', lambda req, res: res.json([req.query, req.url])); app.use('/m', r)",
        requests=[get("/m/x?a=1&b=2"), get("/m/x")],
    ),
]
