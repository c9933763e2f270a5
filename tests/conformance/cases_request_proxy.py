"""The client's address and the host: with and without a trusted proxy."""

from __future__ import annotations

from .case import Case, get, raw

SHOW_JS = """
app.get('/', (req, res) => res.json([req.ip, req.ips, req.protocol, req.secure, req.host ?? null, req.hostname ?? null,
  req.subdomains]))
"""
SHOW_PY = """
app.get('/', lambda req, res: res.json([req.ip, req.ips, req.protocol, req.secure, req.host, req.hostname,
                                        req.subdomains]))
"""
FORWARDED = {
    "X-Forwarded-For": "203.0.113.7, 10.0.0.2, 10.0.0.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "public.example:8443",
}


def trust(js: str, py: str) -> Case:
    return Case(
        f"trust proxy {py}",
        js=f"app.set('trust proxy', {js})\n{SHOW_JS}",
        py=f"app.set('trust proxy', {py})\n{SHOW_PY}",
        requests=[
            get("/"),
            get("/", FORWARDED, name="forwarded"),
            get("/", {**FORWARDED, "X-Forwarded-For": "203.0.113.7"}, name="forwarded once"),
            get("/", {**FORWARDED, "X-Forwarded-For": "203.0.113.7, 8.8.8.8"}, name="through a stranger"),
        ],
    )


CASES = [
    Case(
        "no trust",
        js=SHOW_JS,
        py=SHOW_PY,
        requests=[
            get("/"),
            get("/", FORWARDED, name="forwarded"),
            *(
                get("/", {"Host": host})
                for host in (
                    "example.com",
                    "example.com:3000",
                    "a.b.c.example.com",
                    "TOBI.Example.com",
                    "127.0.0.1",
                    "127.0.0.1:80",
                    "[::1]",
                    "[::1]:3000",
                    "localhost",
                    "",
                    "tobi.ferrets.example.com:8080",
                    "www..example.com",
                )
            ),
            raw(b"GET / HTTP/1.0\r\n\r\n"),
        ],
    ),
    *(
        trust(js, py)
        for js, py in (
            ("true", "True"),
            ("false", "False"),
            ("1", "1"),
            ("2", "2"),
            ("0", "0"),
            ("'loopback'", "'loopback'"),
            ("'loopback, 10.0.0.0/8'", "'loopback, 10.0.0.0/8'"),
            ("['127.0.0.1', '10.0.0.1']", "['127.0.0.1', '10.0.0.1']"),
            ("'uniquelocal'", "'uniquelocal'"),
            ("'127.0.0.1/255.0.0.0, uniquelocal'", "'127.0.0.1/255.0.0.0, uniquelocal'"),
        )
    ),
    Case(
        "trust proxy by a function",
        js="app.set('trust proxy', (address, hop) => address.startsWith('127.') || hop === 1)" + SHOW_JS,
        py="app.set('trust proxy', lambda address, hop: address.startswith('127.') or hop == 1)" + SHOW_PY,
        requests=[get("/", FORWARDED, name="forwarded")],
    ),
    Case(
        "odd forwarded headers",
        js="app.set('trust proxy', true)" + SHOW_JS,
        py="app.set('trust proxy', True)" + SHOW_PY,
        requests=[
            get("/", {"X-Forwarded-For": ""}),
            get("/", {"X-Forwarded-For": " , ,"}),
            get("/", {"X-Forwarded-For": "nonsense"}),
            get("/", {"X-Forwarded-For": "::1, 2001:db8::1"}),
            get("/", {"X-Forwarded-For": "203.0.113.7:1234"}),
            get("/", {"X-Forwarded-For": ["203.0.113.1", "203.0.113.2"]}),
            get("/", {"X-Forwarded-Proto": "https, http"}),
            get("/", {"X-Forwarded-Proto": " https "}),
            get("/", {"X-Forwarded-Proto": "HTTPS"}),
            get("/", {"X-Forwarded-Proto": ""}),
            get("/", {"X-Forwarded-Proto": "spdy"}),
            get("/", {"X-Forwarded-Host": "a.example, b.example"}),
            get("/", {"X-Forwarded-Host": "a.example , b.example"}),
            get("/", {"X-Forwarded-Host": "[::1]:80"}),
            get("/", {"X-Forwarded-Host": ""}),
            get("/", {"X-Forwarded-Host": " , b.example"}),
            get("/", {"X-Forwarded-Host": ["a.example", "b.example"]}),
        ],
    ),
    Case(
        "subdomain offset",
        js="""
        app.set('subdomain offset', 0)
        app.get('/', (req, res) => res.json(req.subdomains))
        const one = express()
        one.set('subdomain offset', 1)
        one.get('/', (req, res) => res.json(req.subdomains))
        app.use('/one', one)
        const many = express()
        many.set('subdomain offset', 9)
        many.get('/', (req, res) => res.json(req.subdomains))
        app.use('/many', many)
        """,
        py="""
        app.set('subdomain offset', 0)
        app.get('/', lambda req, res: res.json(req.subdomains))
        one = express()
        one.set('subdomain offset', 1)
        one.get('/', lambda req, res: res.json(req.subdomains))
        app.use('/one', one)
        many = express()
        many.set('subdomain offset', 9)
        many.get('/', lambda req, res: res.json(req.subdomains))
        app.use('/many', many)
        """,
        requests=[
            get(path, {"Host": host})
            for path in ("/", "/one", "/many")
            for host in ("tobi.ferrets.example.com", "localhost", "127.0.0.1")
        ],
    ),
]
