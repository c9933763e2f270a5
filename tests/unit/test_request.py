"""The members of a request that Express does not have; the others are compared with it in tests/conformance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import App, express, json, session

Serve = Callable[..., str]


@pytest.mark.parametrize("name", [None, "", 3])
def test_what_is_no_name_of_a_header_is_refused(serve: Serve, name: Any) -> None:
    said: list[str] = []

    def ask(req: Any, res: Any) -> None:
        with pytest.raises(TypeError) as raised:
            req.get(name)
        said.append(str(raised.value))
        res.end()

    assert requests.get(serve(express().get("/", ask))).ok
    assert said == [f"req.get() takes the name of a header, not {name!r}"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("j%3A%7B%22user%22%3A%7B%22name%22%3A%22Ada%22%7D%7D", {"user": {"name": "Ada"}}),
        ("j%3A%5B1%2Cnull%5D", [1, None]),
        ("j%3A%7B", "j:{"),
        ("j%3A" + "%5B" * 5000, "j:" + "[" * 5000),
        ("j", "j"),
        ("j%3ANaN", "j:NaN"),
        ("j%3A-Infinity", "j:-Infinity"),
        ("j%3Anull", "j:null"),
        ("j%3A0", "j:0"),
        ("j%3A-0", "j:-0"),
        ("j%3Afalse", "j:false"),
        ("j%3A%22%22", 'j:""'),
        ("j%3A1", 1),
        ("j%3Atrue", True),
        ("j%3A%22a%22", "a"),
        ("j%3A%7B%7D", {}),
        ("j%3A%5B%5D", []),
    ],
)
def test_a_cookie_that_holds_json_is_read_and_what_cookie_parser_takes_for_none_is_a_text(
    serve: Serve, sent: str, read: Any
) -> None:
    app = express()
    app.get("/", lambda req, res: res.json([req.cookies.a, getattr(req.cookies.a, "user", None)]))
    value, user = requests.get(serve(app, max_header_size=65536), headers={"Cookie": f"a={sent}"}).json()
    assert value == read
    assert user == (read.get("user") if isinstance(read, dict) else None)


# Signed cookies


def signing_app(secret: Any) -> App:
    """An app whose /set signs two cookies with ``secret``, and whose / sends what it reads of the request's."""
    app = express()

    def set_secret(req: Any, res: Any, next: Any) -> None:
        req.secret = secret
        next()

    app.use(set_secret)
    app.get("/set", lambda req, res: res.cookie("u", "ada", signed=True).cookie("o", {"a": 1}, signed=True).end())
    app.get("/", lambda req, res: res.json([req.cookies, req.signed_cookies]))
    return app


def test_a_signed_cookie_is_read_back_apart_from_the_others(serve: Serve) -> None:
    url = serve(signing_app("s3cret"))
    browser = requests.Session()
    browser.get(f"{url}/set")
    browser.cookies.set("plain", "x")
    assert browser.get(url).json() == [{"plain": "x"}, {"u": "ada", "o": {"a": 1}}]


@pytest.mark.parametrize("value", ["s:bob.WAUmykoLSrxXMn", "s:bob", "s:", "s%3Abob."])
def test_a_cookie_with_a_wrong_signature_is_false(serve: Serve, value: str) -> None:
    got = requests.get(serve(signing_app("s3cret")), headers={"Cookie": f"u={value}"})
    assert got.json() == [{}, {"u": False}]


def test_a_cookie_that_an_older_secret_signed_is_accepted(serve: Serve) -> None:
    set_cookie = requests.get(serve(signing_app("old")) + "/set").headers["Set-Cookie"]
    header = {"Cookie": set_cookie.partition(";")[0]}
    assert requests.get(serve(signing_app(["new", "old"])), headers=header).json()[1]["u"] == "ada"
    assert requests.get(serve(signing_app(["new"])), headers=header).json()[1]["u"] is False


def test_without_a_secret_no_cookie_is_a_signed_one(serve: Serve) -> None:
    got = requests.get(serve(signing_app(None)), headers={"Cookie": "u=s:bob.x"})
    assert got.json() == [{"u": "s:bob.x"}, {}]


def test_an_option_of_a_cookie_in_javascripts_spelling_is_refused_with_the_one_meant(serve: Serve) -> None:
    app = express()
    app.get("/", lambda req, res: res.cookie("a", "b", httpOnly=True))
    app.use(lambda err, req, res, next: res.status(500).json(str(err)))
    assert requests.get(serve(app)).json() == "res.cookie() has no option 'httpOnly': did you mean 'http_only'?"


@pytest.mark.parametrize(
    "read",
    [
        lambda req: req.body.items,
        lambda req: req.body.nested.values,
        lambda req: req.query.copy,
        lambda req: req.params.get,
        lambda req: req.cookies.keys,
        lambda req: req.session.values,
    ],
    ids=["body", "nested", "query", "params", "cookies", "session"],
)
def test_a_field_that_is_called_like_a_method_of_dict_is_no_text_that_is_sent(serve: Serve, read: Any) -> None:
    app = express()
    app.use(json(), session(secret="s", resave=False, save_uninitialized=False))
    app.post("/:get", lambda req, res: res.send(f"You ordered {read(req)}"))
    body = {"items": ["tea"], "nested": {"values": 1}}
    answer = requests.post(f"{serve(app)}/x?copy=1", json=body, cookies={"keys": "1"}, timeout=10)
    assert answer.status_code == 500
    assert "is a method of dict here: read a field of that name as an item, [&#39;" in answer.text
