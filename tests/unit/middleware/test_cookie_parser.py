"""``cookie_parser``: what Python alone can ask of it. That cookies are read as npm's are, tests/conformance holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import App, cookie_parser, express
from miniexpress.http.cookies import sign

Serve = Callable[..., str]


def app_with(*middleware: Any) -> App:
    """An app whose /set signs two cookies, and whose / sends what it reads of the request's."""
    app = express()
    app.use(*middleware)
    app.get("/set", lambda req, res: res.cookie("u", "ada", signed=True).cookie("o", {"a": [1]}, signed=True).end())
    app.get("/", lambda req, res: res.json([req.cookies, req.signed_cookies]))
    return app


@pytest.mark.parametrize("secret", ["s3cret", b"s3cret", ["s3cret", "older"], ("s3cret", b"older")])
def test_what_is_signed_is_read_back_apart_from_the_others(serve: Serve, secret: Any) -> None:
    url = serve(app_with(cookie_parser(secret)))
    browser = requests.Session()
    browser.get(f"{url}/set")
    browser.cookies.set("plain", "x")
    assert browser.get(url).json() == [{"plain": "x"}, {"u": "ada", "o": {"a": [1]}}]


def test_an_older_secret_is_accepted_and_the_newest_signs(serve: Serve) -> None:
    url = serve(app_with(cookie_parser(["new", "old"])))
    assert requests.get(url, headers={"Cookie": f"u=s:{sign('ada', 'old')}"}).json() == [{}, {"u": "ada"}]
    assert sign("ada", "new").replace("/", "%2F").split(".")[1][:10] in requests.get(f"{url}/set").headers["Set-Cookie"]


def test_what_json_cookies_hold_is_read_by_attribute_too(serve: Serve) -> None:
    app = express()
    app.use(cookie_parser("s3cret"))
    app.get("/", lambda req, res: res.json([req.cookies.a.b, req.signed_cookies.missing]))
    assert requests.get(serve(app), headers={"Cookie": 'a=j:{"b":5}'}).json() == [5, None]


def test_cookies_that_a_handler_has_read_before_are_parsed_anew(serve: Serve) -> None:
    def read(req: Any, res: Any, next: Any) -> None:
        assert req.cookies and not req.signed_cookies
        next()

    url = serve(app_with(read, cookie_parser("s3cret"), cookie_parser("another")))
    got = requests.get(url, headers={"Cookie": f"u=s:{sign('ada', 's3cret')}; plain=x"})
    assert got.json() == [{"plain": "x"}, {"u": "ada"}]


def test_what_decode_returns_is_kept_whatever_it_is(serve: Serve) -> None:
    app = app_with(cookie_parser("s3cret", decode=lambda value: len(value)))  # type: ignore[arg-type,return-value]
    assert requests.get(serve(app), headers={"Cookie": "a=s:xyz"}).json() == [{"a": 5}, {}]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (("",), {}, r"takes a string that is not empty, or a list of them, not ''"),
        (([],), {}, r"not \[\]"),
        ((["a", ""],), {}, r"not \['a', ''\]"),
        ((5,), {}, "not 5"),
        ((False,), {}, "not False"),
        (({"secret": "x"},), {}, r"takes options as keywords, secret=…, not as \{'secret': 'x'\}"),
        ((), {"decoder": str}, r"cookie_parser\(\) has no option 'decoder': did you mean 'decode'\?"),
        ((), {"decode": "utf-8"}, r"the option 'decode' takes a function \(value\), not 'utf-8'"),
    ],
)
def test_a_wrong_option_raises_a_type_error_that_names_what_is_right(
    arguments: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        cookie_parser(*arguments, **options)
