"""``cookie_parser``: npm cookie-parser 1.4.7, on cookie 0.7.2 and cookie-signature 1.0.6."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote

from .case import Case, Request, get


def signed(value: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), value.encode(), hashlib.sha256).digest()
    return f"s:{value}.{base64.b64encode(digest).decode().rstrip('=')}"


def with_cookies(name: str, *cookies: str, target: str = "/") -> Request:
    return get(target, {"Cookie": "; ".join(cookies)}, name=name)


CAT, NYAN = signed("value", "keyboard cat"), signed("value", "nyan cat")
JS_SHOW = "app.get('/', (req, res) => res.json([req.cookies, req.signedCookies, req.secret || null]))"
PY_SHOW = "app.get('/', lambda req, res: res.json([req.cookies, req.signed_cookies, req.secret]))"

REQUESTS = [
    get("/", name="none"),
    with_cookies("empty", ""),
    with_cookies("plain", "foo=bar", "bar=baz"),
    with_cookies("the first of a name counts", "a=1", "a=2"),
    with_cookies("quoted, encoded and malformed", 'a="b c"', "c=%20x", "d=%", "e=%E0%A4%A", "nothing", "=x", "f="),
    with_cookies("JSON", 'a=j:{"foo":"bar"}', "b=j:[1,null]", "c=j%3A%7B%22d%22%3A1%7D", 'e=j:"text"', "f=j:true"),
    with_cookies("JSON that is false", "a=j:0", "b=j:null", "c=j:false", 'd=j:""', "e=j:"),
    with_cookies("no JSON", 'a=j:{"foo":', "b=j", "c=J:{}", "d= j:1"),
    with_cookies("signed", f"a={CAT}", f"b={quote(CAT)}", "c=plain"),
    with_cookies("signed by another", f"a={NYAN}"),
    with_cookies("signed by one and another", f"a={CAT}", f"b={NYAN}"),
    with_cookies(
        "tampered", f"a={CAT}x", f"b={CAT[:-1]}", f"c={CAT.replace('value', 'other')}", "d=s:", "e=s:x", "f=s:."
    ),
    with_cookies("without the s:", f"a={CAT[2:]}"),
    with_cookies(
        "signed JSON", f"a={quote(signed('j:' + chr(123) + chr(34) + 'b' + chr(34) + ':1}', 'keyboard cat'))}"
    ),
    with_cookies("signed JSON that is false", f"a={quote(signed('j:0', 'keyboard cat'))}"),
    with_cookies("signed nothing", f"a={quote(signed('', 'keyboard cat'))}"),
    with_cookies("signed twice", f"a={quote('s:' + signed(CAT, 'keyboard cat')[2:])}"),
    with_cookies("beyond ASCII", f"a={quote(signed('ü€', 'keyboard cat'))}", "b=%C3%BC"),
]

CASES = [
    Case(
        "without a secret",
        f"app.use(require('cookie-parser')())\n{JS_SHOW}",
        f"app.use(cookie_parser())\n{PY_SHOW}",
        REQUESTS,
    ),
    Case(
        "a secret",
        f"app.use(require('cookie-parser')('keyboard cat'))\n{JS_SHOW}",
        f"app.use(cookie_parser('keyboard cat'))\n{PY_SHOW}",
        REQUESTS,
    ),
    Case(
        "several secrets",
        f"app.use(require('cookie-parser')(['keyboard cat', 'nyan cat']))\n{JS_SHOW}",
        f"app.use(cookie_parser(['keyboard cat', 'nyan cat']))\n{PY_SHOW}",
        REQUESTS,
    ),
    Case(
        "decode",
        js="""
        const cookieParser = require('cookie-parser')
        const decode = (value) => { if (value === 'bad') throw new Error('no'); return value.toUpperCase() }
        app.use(cookieParser(undefined, { decode }))
        app.get('/', (req, res) => res.json(req.cookies))
        """,
        py="""
        def decode(value):
            if value == 'bad':
                raise KeyError('no')
            return value.upper()
        app.use(cookie_parser(decode=decode))
        app.get('/', lambda req, res: res.json(req.cookies))
        """,
        requests=[with_cookies("some", "a=x%20y", 'b="q"', "c=bad", "d=", "e=j:[1]")],
    ),
    Case(
        "cookies that are there already",
        js="""
        const cookieParser = require('cookie-parser')
        app.use('/own', (req, res, next) => { req.cookies = { fizz: 'buzz' }; next() })
        app.use('/empty', (req, res, next) => { req.cookies = {}; next() })
        app.use('/null', (req, res, next) => { req.cookies = null; next() })
        app.use('/twice', cookieParser('first'))
        app.use(cookieParser('keyboard cat'))
        app.use((req, res) => res.json([req.cookies, req.signedCookies || {}, req.secret || null]))
        """,
        py="""
        def setting(cookies):
            def set_cookies(req, res, next):
                req.cookies = cookies
                next()
            return set_cookies
        app.use('/own', setting({'fizz': 'buzz'}))
        app.use('/empty', setting({}))
        app.use('/null', setting(None))
        app.use('/twice', cookie_parser('first'))
        app.use(cookie_parser('keyboard cat'))
        app.use(lambda req, res: res.json([req.cookies, req.signed_cookies, req.secret]))
        """,
        requests=[
            request
            for path in ("/own", "/empty", "/null", "/twice")
            for request in (with_cookies(f"{path} with", "a=b", f"c={CAT}", target=path), get(path))
        ],
    ),
    Case(
        "what is set is signed by the first secret",
        js="""
        app.use(require('cookie-parser')(['nyan cat', 'keyboard cat']))
        app.get('/', (req, res) =>
          res.cookie('a', 'value', { signed: true }).cookie('b', { c: 1 }, { signed: true }).end())
        """,
        py="""
        app.use(cookie_parser(['nyan cat', 'keyboard cat']))
        app.get('/', lambda req, res: (
            res.cookie('a', 'value', signed=True).cookie('b', {'c': 1}, signed=True).end()))
        """,
        requests=[get("/")],
    ),
    Case(
        "signed without a secret",
        js="""
        app.use(require('cookie-parser')())
        app.get('/', (req, res) => res.cookie('a', 'value', { signed: true }).end())
        """,
        py="""
        app.use(cookie_parser())
        app.get('/', lambda req, res: res.cookie('a', 'value', signed=True).end())
        """,
        requests=[get("/")],
    ),
    Case(
        "a name that JavaScript's objects have",
        js="""
        app.use(require('cookie-parser')())
        app.get('/', (req, res) => res.json(req.cookies))
        """,
        py="""
        app.use(cookie_parser())
        app.get('/', lambda req, res: res.json(req.cookies))
        """,
        requests=[with_cookies("own", "toString=a", "constructor=b"), with_cookies("proto", "__proto__=x")],
    ),
]
