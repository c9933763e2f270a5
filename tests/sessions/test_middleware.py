"""`session(...)`: the cookie it reads and sets, and what it does where a store or a handler fails.

What answers with which cookie was recorded from the npm package express-session 1.19.0 on Express 5.3.0. Which store
calls a visit makes is in test_decisions.py.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from miniexpress import HTTPError
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.options import _verified_id
from miniexpress.sessions.store import Store
from tests.support.browser import SECRET, Browser, UpdatingStore, app_with_session, signed

Serve = Callable[..., str]


ID = "s%3Aa%2Fb%2Bc%3D.OyVZYhmv7ANeiXXMV9ifrowKlLNBkuXgkpdoNkBI9Qo"
SID = f"connect.sid={ID}"
HTTPS = {"X-Forwarded-Proto": "https"}
EXPIRES = re.compile(r"Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")

# Options, path, header fields, the app's trust proxy, and the cookie that express-session sets for the id `a/b+c=`.
COOKIES: dict[str, tuple[dict[str, Any], str, dict[str, str], bool, str | None]] = {
    "nothing": ({}, "/", {}, False, f"{SID}; Path=/; HttpOnly"),
    "another name": ({"name": "my-sid"}, "/", {}, False, f"my-sid={ID}; Path=/; HttpOnly"),
    "the first of several secrets": (
        {"secret": ["new", SECRET]}, "/", {}, False,
        "connect.sid=s%3Aa%2Fb%2Bc%3D.LdiiONTZm1293cJn40O5%2BIR%2FUQDcseM2vmJyWJGGES4; Path=/; HttpOnly",
    ),
    "a domain": (
        {"cookie": {"domain": "example.com"}}, "/", {}, False, f"{SID}; Domain=example.com; Path=/; HttpOnly",
    ),
    "a path": ({"cookie": {"path": "/admin"}}, "/admin/x", {}, False, f"{SID}; Path=/admin; HttpOnly"),
    "a path that begins alike": (
        {"cookie": {"path": "/admin"}}, "/administration", {}, False, f"{SID}; Path=/admin; HttpOnly",
    ),
    "another path": ({"cookie": {"path": "/admin"}}, "/", {}, False, None),
    "a path in another case": ({"cookie": {"path": "/admin"}}, "/Admin", {}, False, None),
    "the path in the query": ({"cookie": {"path": "/admin"}}, "/?x=/admin", {}, False, None),
    "no path": ({"cookie": {"path": None}}, "/", {}, False, f"{SID}; HttpOnly"),
    "scripts may read it": ({"cookie": {"http_only": False}}, "/", {}, False, f"{SID}; Path=/"),
    "partitioned": ({"cookie": {"partitioned": True}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; Partitioned"),
    "low priority": ({"cookie": {"priority": "low"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; Priority=Low"),
    "high priority": ({"cookie": {"priority": "high"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; Priority=High"),
    "same site": ({"cookie": {"same_site": True}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; SameSite=Strict"),
    "same site off": ({"cookie": {"same_site": False}}, "/", {}, False, f"{SID}; Path=/; HttpOnly"),
    "same site lax": ({"cookie": {"same_site": "lax"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; SameSite=Lax"),
    "same site none": ({"cookie": {"same_site": "none"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; SameSite=None"),
    "same site auto": ({"cookie": {"same_site": "auto"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly; SameSite=Lax"),
    "same site auto, https": (
        {"proxy": True, "cookie": {"same_site": "auto"}}, "/", HTTPS, False, f"{SID}; Path=/; HttpOnly; SameSite=None",
    ),
    "same site auto, as the app believes": (
        {"cookie": {"same_site": "auto"}}, "/", HTTPS, True, f"{SID}; Path=/; HttpOnly; SameSite=None",
    ),
    "secure, http": ({"cookie": {"secure": True}}, "/", {}, False, None),
    "secure, a proxy that is not believed": ({"cookie": {"secure": True}}, "/", HTTPS, False, None),
    "secure, a proxy that is": (
        {"proxy": True, "cookie": {"secure": True}}, "/", HTTPS, False, f"{SID}; Path=/; HttpOnly; Secure",
    ),
    "secure, two proxies": (
        {"proxy": True, "cookie": {"secure": True}}, "/", {"X-Forwarded-Proto": " HTTPS , http"}, False,
        f"{SID}; Path=/; HttpOnly; Secure",
    ),
    "secure, the farthest proxy without": (
        {"proxy": True, "cookie": {"secure": True}}, "/", {"X-Forwarded-Proto": "http,https"}, False, None,
    ),
    "secure, a proxy that says nothing": ({"proxy": True, "cookie": {"secure": True}}, "/", {}, False, None),
    "secure, believed by the app only": ({"proxy": False, "cookie": {"secure": True}}, "/", HTTPS, True, None),
    "secure, as the app believes": (
        {"cookie": {"secure": True}}, "/", HTTPS, True, f"{SID}; Path=/; HttpOnly; Secure",
    ),
    "secure auto, http": ({"cookie": {"secure": "auto"}}, "/", {}, False, f"{SID}; Path=/; HttpOnly"),
    "secure auto, https": (
        {"proxy": True, "cookie": {"secure": "auto"}}, "/", HTTPS, False, f"{SID}; Path=/; HttpOnly; Secure",
    ),
    "secure auto, as the app believes": (
        {"cookie": {"secure": "auto"}}, "/", HTTPS, True, f"{SID}; Path=/; HttpOnly; Secure",
    ),
    "a max age": ({"cookie": {"max_age": 60_000}}, "/", {}, False, f"{SID}; Path=/; Expires=then; HttpOnly"),
    "a max age as a timedelta": (
        {"cookie": {"max_age": timedelta(minutes=1)}}, "/", {}, False, f"{SID}; Path=/; Expires=then; HttpOnly",
    ),
    "a max age of nothing": ({"cookie": {"max_age": 0}}, "/", {}, False, f"{SID}; Path=/; Expires=then; HttpOnly"),
    "a max age that is over": (
        {"cookie": {"max_age": -1000}}, "/", {}, False, f"{SID}; Path=/; Expires=then; HttpOnly",
    ),
    "everything": (
        {"name": "x", "proxy": True, "cookie": {
            "path": "/a", "domain": "example.com", "max_age": 1000, "http_only": True, "secure": "auto",
            "same_site": "none", "partitioned": True, "priority": "medium",
        }},
        "/a", HTTPS, False,
        f"x={ID}; Domain=example.com; Path=/a; Expires=then; HttpOnly; Secure; Partitioned; Priority=Medium;"
        " SameSite=None",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COOKIES)
@pytest.mark.parametrize("as_function", [False, True], ids=["options", "a function of the request"])
def test_the_cookie_is_the_one_that_express_session_sets(serve: Serve, case: str, as_function: bool) -> None:
    options, path, fields, trusts, expected = COOKIES[case]
    if as_function and "cookie" in options:
        cookie = options["cookie"]
        options = {**options, "cookie": lambda req: cookie}
    app = app_with_session(**{"save_uninitialized": True, "genid": lambda req: "a/b+c=", **options})
    app.set("trust proxy", trusts)
    app.use(lambda req, res: res.end())
    answer = Browser(serve(app)).get(path, fields)
    assert answer.status == 200
    assert [EXPIRES.sub("Expires=then", line) for line in answer.set_cookie] == ([expected] if expected else [])


@pytest.mark.parametrize("proxy", [None, False, True])
@pytest.mark.parametrize("secure", [True, "auto"])
def test_a_connection_with_tls_is_secure_whatever_is_believed_of_proxies(serve: Serve, proxy: Any, secure: Any) -> None:
    app = app_with_session(save_uninitialized=True, proxy=proxy, cookie={"secure": secure})
    app.get("/", lambda req, res: res.end())

    def behind_tls(environ: dict[str, Any], start_response: Any) -> Any:
        return app({**environ, "wsgi.url_scheme": "https"}, start_response)

    assert [line.partition("; ")[2] for line in Browser(serve(behind_tls)).get().set_cookie] == [
        "Path=/; HttpOnly; Secure"
    ]


def test_the_session_s_cookie_comes_after_the_cookies_of_the_handler(serve: Serve) -> None:
    app = app_with_session(save_uninitialized=True, genid=lambda req: "a/b+c=")
    app.get("/", lambda req, res: res.cookie("a", "1").cookie("b", "2").end())
    answer = Browser(serve(app)).get()
    assert answer.set_cookie == ["a=1; Path=/", "b=2; Path=/", f"{SID}; Path=/; HttpOnly"]


@pytest.mark.parametrize("age", [2000, 5000, 3_000_000_000])
def test_the_cookie_ends_as_long_after_the_answer_as_its_max_age_says(serve: Serve, age: int) -> None:
    app = app_with_session(save_uninitialized=True, cookie={"max_age": 2000})
    app.get("/", lambda req, res: res.end())
    app.get("/changed", lambda req, res: (setattr(req.session.cookie, "max_age", age), res.end()))
    answer = Browser(serve(app)).get("/" if age == 2000 else "/changed")
    end = answer.set_cookie[0].partition("Expires=")[2].partition(";")[0]
    lasts = parsedate_to_datetime(end) - parsedate_to_datetime(answer.headers["Date"])
    assert abs(lasts - timedelta(milliseconds=age)) <= timedelta(seconds=1)  # both are in whole seconds


@pytest.mark.parametrize("cookie", [{"expires": datetime(9999, 12, 31, 23, 59, 59)}, {"max_age": 8.64e15}])
@pytest.mark.parametrize("options", [{}, {"rolling": True, "resave": True}], ids=["", "rolling"])
def test_a_cookie_that_ends_with_the_year_9999_is_set_with_every_answer(
    serve: Serve, cookie: dict[str, Any], options: dict[str, Any]
) -> None:
    app = app_with_session(cookie=cookie, **options)

    @app.get("/")
    def count(req: Any, res: Any) -> None:
        req.session.views = (req.session.views or 0) + 1
        res.json(req.session.views)

    browser = Browser(serve(app))
    for views in range(1, 4):
        answer = browser.get()
        assert (answer.status, answer.text) == (200, str(views))
        assert "Expires=Fri, 31 Dec 9999 23:59:59 GMT" in answer.set_cookie[0]


def test_a_misspelt_attribute_of_the_cookie_is_an_error_that_names_the_one_meant(serve: Serve) -> None:
    app = app_with_session()
    app.get("/", lambda req, res: (setattr(req.session.cookie, "maxAge", 1), res.end()))
    answer = Browser(serve(app)).get()
    assert answer.status == 500
    assert "no attribute &#39;maxAge&#39;: did you mean &#39;max_age&#39;?" in answer.text


def test_an_attribute_that_a_handler_spoils_is_an_error_answer_with_no_cookie(serve: Serve) -> None:
    app = app_with_session(save_uninitialized=True)
    app.get("/", lambda req, res: (setattr(req.session.cookie, "domain", "a\r\nX: y"), res.send("x")))
    answer = Browser(serve(app)).get()
    assert (answer.status, answer.set_cookie, answer.headers["X"]) == (500, [], None)
    assert "option domain is invalid" in answer.text


def known_app(serve: Serve, store: Store | None = None, **options: Any) -> str:
    """An app that has the session "known" and tells which one a request has."""
    store = store or MemoryStore()
    store.set("known", {"cookie": {"originalMaxAge": None, "expires": None}, "user": "tobi"})
    app = app_with_session(store=store, **options)
    app.get("/", lambda req, res: res.json([req.session_id, req.session.user]))
    return serve(app)


GOOD = signed("known")
NOT_OURS = {
    "unsigned": "connect.sid=known",
    "half signed": "connect.sid=s%3Aknown",
    "an empty signature": "connect.sid=s%3Aknown.",
    "nothing but the mark": "connect.sid=s%3A",
    "another secret's": f"connect.sid={signed('known', 'another secret')}",
    "an empty secret's": f"connect.sid={signed('known', '')}",
    "another id before the signature": f"connect.sid={GOOD.replace('known', 'knowm')}",
    "a signature in another case": f"connect.sid={GOOD.swapcase()}",
    "a signature that is cut": f"connect.sid={GOOD[:-1]}",
    "a signature with padding": f"connect.sid={GOOD}%3D",
    "a signature twice": f"connect.sid={GOOD}{GOOD}",
    "another cookie's name": f"connect.sidd={GOOD}",
    "its name in another case": f"Connect.sid={GOOD}",
    "a good one after a bad one": f"connect.sid=x; connect.sid={GOOD}",
    "broken percent-encoding": "connect.sid=s%3Aknown.%E0%A4%A",
    "not UTF-8": "connect.sid=s%3A%FF%FE.x",
    "a null byte": "connect.sid=s%3A%00known.x",
    "no value": "connect.sid",
    "an empty value": "connect.sid=",
    "only separators": "; ;;=; =;",
    "long": f"connect.sid=s%3A{'.' * 6000}",
    "an object": "connect.sid=j%3A%7B%22%24ne%22%3A1%7D",
}


@pytest.mark.parametrize("kind", NOT_OURS)
def test_a_cookie_that_no_secret_of_ours_has_signed_is_no_session_and_no_error(serve: Serve, kind: str) -> None:
    store = UpdatingStore()
    answer = Browser(known_app(serve, store, genid=lambda req: "fresh"), NOT_OURS[kind]).get()
    assert (answer.status, answer.text) == (200, '["fresh",null]')
    assert store.calls == ["set known"]  # which the app began with: nothing was looked up


def test_only_cookies_that_a_secret_has_signed_are_remembered(serve: Serve) -> None:
    url = known_app(serve)
    _verified_id.cache_clear()
    Browser(url, f"connect.sid={GOOD}").get()
    assert _verified_id.cache_info().currsize == 1
    for kind in NOT_OURS:
        Browser(url, NOT_OURS[kind]).get()
    assert _verified_id.cache_info().currsize == 1


@pytest.mark.parametrize(
    "cookie",
    [f"connect.sid={GOOD}", f'connect.sid="{GOOD}"', f"a=b;connect.sid={GOOD};c", f"connect.sid={GOOD}; connect.sid=x"],
)
def test_the_cookie_is_found_among_others_and_in_quotes(serve: Serve, cookie: str) -> None:
    assert Browser(known_app(serve), cookie).get().text == '["known","tobi"]'


def test_each_secret_of_a_list_is_accepted_and_the_first_signs(serve: Serve) -> None:
    url = known_app(serve, secret=["newest", "older", "oldest"], genid=lambda req: "fresh", rolling=True)
    for secret in ("newest", "older", "oldest"):
        answer = Browser(url, f"connect.sid={signed('known', secret)}").get()
        assert answer.text == '["known","tobi"]'
        assert answer.set_cookie == [f"connect.sid={signed('known', 'newest')}; Path=/; HttpOnly"]
    assert Browser(url, f"connect.sid={signed('known', 'retired')}").get().text == '["fresh",null]'


def test_a_secret_may_be_bytes(serve: Serve) -> None:
    url = known_app(serve, secret=SECRET.encode(), rolling=True)
    answer = Browser(url, f"connect.sid={GOOD}").get()
    assert (answer.text, answer.set_cookie) == ('["known","tobi"]', [f"connect.sid={GOOD}; Path=/; HttpOnly"])


def test_a_list_of_secrets_that_is_changed_afterwards_changes_nothing(serve: Serve) -> None:
    secrets = [SECRET]
    url = known_app(serve, secret=secrets)
    secrets.clear()
    assert Browser(url, f"connect.sid={GOOD}").get().text == '["known","tobi"]'


def test_ids_are_24_random_bytes_made_safe_for_urls(serve: Serve) -> None:
    app = app_with_session()
    app.get("/", lambda req, res: res.json(req.session.id))
    browser = Browser(serve(app))
    ids = {browser.get().text for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r'"[\w-]{32}"', sid) for sid in ids)


@pytest.mark.parametrize("nonsense", [None, False, 0, 17, 1.5, b"bytes", ["a"], {"a": 1}], ids=repr)
def test_a_genid_that_returns_no_string_leaves_the_session_unsaved_and_the_answer_alone(
    serve: Serve, nonsense: Any
) -> None:
    store = UpdatingStore()
    app = app_with_session(store=store, save_uninitialized=True, resave=True, genid=lambda req: nonsense)

    @app.get("/")
    def change(req: Any, res: Any) -> None:
        req.session.user = "tobi"
        res.send(req.session.user)

    answer = Browser(serve(app)).get()
    assert (answer.status, answer.text, answer.set_cookie) == (200, "tobi", [])
    assert store.calls == []


class Maker:
    def of_request(self, req: Any) -> str:
        return str(req.query.id)

    def __call__(self) -> str:
        return "called"


def decorated(function: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> str:
        return function(*args)

    return wrapper


@pytest.mark.parametrize(
    ("genid", "made"),
    [
        (lambda: "nothing", "nothing"),
        (lambda req: str(req.query.id), "asked"),
        (lambda prefix="default": prefix, "default"),
        (lambda req, prefix="a-": prefix + req.query.id, "a-asked"),
        (lambda *args: args[0].query.id, "asked"),
        (Maker(), "called"),
        (Maker().of_request, "asked"),
        (decorated(lambda req: str(req.query.id)), "asked"),
        (functools.partial(lambda prefix, req: prefix + req.query.id, "p-"), "p-asked"),
    ],
)
def test_a_genid_is_called_with_the_request_where_it_takes_it(serve: Serve, genid: Any, made: str) -> None:
    app = app_with_session(genid=genid, cookie=lambda: {"path": "/"})
    app.get("/", lambda req, res: res.send(req.session.id))
    assert Browser(serve(app)).get("/?id=asked").text == made


def test_secrets_token_urlsafe_is_a_genid(serve: Serve) -> None:
    app = app_with_session(genid=secrets.token_urlsafe)
    app.get("/", lambda req, res: res.send(req.session.id))
    browser = Browser(serve(app))
    assert len({browser.get().text for _ in range(5)}) == 5


def test_a_cookie_function_may_take_nothing(serve: Serve) -> None:
    app = app_with_session(save_uninitialized=True, genid=lambda: "a/b+c=", cookie=lambda: {"same_site": "lax"})
    app.get("/", lambda req, res: res.end())
    assert Browser(serve(app)).get().set_cookie == [f"{SID}; Path=/; HttpOnly; SameSite=Lax"]


def test_an_id_with_any_character_comes_back_as_it_was(serve: Serve) -> None:
    sid = 'é🦊 ;,="\\\r\nSet-Cookie: x=y%41\0'
    app = app_with_session(genid=lambda req: sid)

    @app.get("/")
    def count(req: Any, res: Any) -> None:
        req.session.views = (req.session.views or 0) + 1
        res.json([req.session.id == sid, req.session.views])

    browser = Browser(serve(app))
    assert [browser.get().text for _ in range(3)] == ["[true,1]", "[true,2]", "[true,3]"]


def test_a_genid_that_raises_is_an_error_answer_and_the_next_request_works(serve: Serve) -> None:
    ids = iter([HTTPError(503, "no entropy"), "fine"])

    def genid(req: Any) -> str:
        sid = next(ids)
        if isinstance(sid, Exception):
            raise sid
        return sid

    app = app_with_session(genid=genid)
    app.get("/", lambda req, res: res.send(req.session_id))
    browser = Browser(serve(app))
    assert browser.get().status == 503
    assert browser.get().text == "fine"


@pytest.mark.parametrize("bad", ["a string", {"maxAge": 1}, {"max_age": "1d"}, None])
def test_a_cookie_function_that_returns_no_options_is_an_error_that_says_so(serve: Serve, bad: Any) -> None:
    app = app_with_session(cookie=lambda req: bad)
    app.get("/", lambda req, res: res.end())
    answer = Browser(serve(app)).get()
    assert answer.status == 500
    assert "session(cookie=" in answer.text


def test_rotation_is_off_unless_it_is_asked_for(serve: Serve) -> None:
    app = app_with_session()

    @app.get("/:user")
    def login(req: Any, res: Any) -> None:
        req.session.user = req.params.user
        res.send(req.session.id)

    browser = Browser(serve(app))
    assert browser.get("/a").text == browser.get("/b").text
