"""``req.headers``: a dict by names in any case; that what reads headers reads it, conformance holds to Express's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import express, session
from miniexpress.http.request_headers import Headers, from_environ, read_field, with_headers
from miniexpress.wsgi import wsgi

Serve = Callable[..., str]
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "",
    "HTTP_X_USER": "Ada",
    "HTTP_X_EMPTY": "",
}


def test_the_headers_of_an_environ_are_its_fields_in_lower_case() -> None:
    assert from_environ(ENVIRON) == {"content-type": "text/plain", "x-user": "Ada", "x-empty": ""}


@pytest.mark.parametrize("name", ["content-type", "content-length", "x-user", "x-empty", "x_user", "host", ""])
def test_one_field_of_an_environ_is_read_as_all_of_them_are(name: str) -> None:
    assert read_field(ENVIRON, name) == from_environ(ENVIRON).get(name)


def test_names_are_in_any_case_however_they_are_used() -> None:
    headers = Headers({"Host": "a"})
    headers["X-User"] = "Ada"
    assert headers["x-USER"] == headers.get("X-user") == headers.setdefault("X-USER", "Bob") == "Ada"
    assert "x-User" in headers
    headers.update({"x-user": "Bob"}, ETag="x")
    headers |= {"X-User": "Eve"}
    assert headers.setdefault("Accept", "*/*") == "*/*"
    del headers["ACCEPT"]
    assert headers.pop("Etag") == "x"
    assert headers.pop("Etag", None) is headers.get("Etag") is None
    assert list(headers.items()) == [("host", "a"), ("x-user", "Eve")]
    with pytest.raises(KeyError):
        headers.pop("Etag")


@pytest.mark.parametrize("duplicate", [Headers.copy, copy.copy, lambda headers: pickle.loads(pickle.dumps(headers))])
def test_a_copy_has_names_in_any_case_too(duplicate: Callable[[Headers], Headers]) -> None:
    headers = Headers({"Host": "a"})
    copied = duplicate(headers)
    copied["HOST"] = "b"
    assert (copied, headers) == ({"host": "b"}, {"host": "a"})


@pytest.mark.parametrize("value", [None, 5, b"x", ["a"]])
def test_a_value_that_is_no_text_is_refused_with_the_name_of_the_field(value: Any) -> None:
    headers = Headers({"x-user": "Ada"})
    for set_it in (headers.__setitem__, lambda name, value: headers.update({name: value})):
        with pytest.raises(TypeError, match=r"req\.headers\['X-User'\] takes a str, not .*; del .* removes it"):
            set_it("X-User", value)
    assert headers == {"x-user": "Ada"}


@pytest.mark.parametrize("name", [None, 5])
def test_what_is_no_name_is_not_there_and_cannot_be_set(name: Any) -> None:
    headers = Headers()
    assert name not in headers
    assert headers.get(name) is headers.pop(name, None) is None
    with pytest.raises(TypeError, match="the name of a header field is a str, not"):
        headers[name] = "x"


def test_an_environ_with_other_headers_keeps_the_length_of_its_body_and_all_that_is_no_header() -> None:
    environ = {**ENVIRON, "CONTENT_LENGTH": "5"}
    changed = with_headers(environ, Headers({"Content-Length": "9", "X-Role": "b", "x_role": "c"}))
    assert changed == {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "5", "HTTP_X_ROLE": "b"}


def told(serve: Serve, change: Callable[[Any], Any], tell: Callable[[Any], Any], **headers: str) -> Any:
    """Return what ``tell(req)`` says behind a middleware that does ``change(req)``."""
    app = express()

    @app.use
    def middleware(req: Any, res: Any, next: Any) -> None:
        change(req)
        next()

    app.get("/", lambda req, res: res.json([tell(req)]))
    return requests.get(serve(app), headers=headers, timeout=10).json()[0]


def test_a_header_set_by_a_name_in_capitals_counts(serve: Serve) -> None:
    def change(req: Any) -> None:
        req.headers["X-User"] = "Bob"

    assert (
        told(serve, change, lambda req: [req.get("x-user"), dict(req.headers)["x-user"]], x_user="Ada") == ["Bob"] * 2
    )


def test_headers_that_were_replaced_count(serve: Serve) -> None:
    def change(req: Any) -> None:
        req.headers = {"Accept": "text/html"}

    assert told(serve, change, lambda req: [req.accepts("json", "html"), req.get("Host")]) == ["html", None]


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(serve: Serve) -> None:
    def tell(req: Any) -> Any:
        return [req.get("x_user"), len(req.headers) > 0, req.get("x_user"), req.get("x-user")]

    assert told(serve, lambda req: None, tell, **{"X-User": "Ada"}) == [None, True, None, "Ada"]


def test_cookies_are_those_of_the_headers_at_the_first_look(serve: Serve) -> None:
    def change(req: Any) -> None:
        req.headers["cookie"] = "a=2"

    assert told(serve, change, lambda req: req.cookies, Cookie="a=1") == {"a": "2"}


def test_a_session_whose_cookie_was_deleted_is_a_new_one(serve: Serve) -> None:
    app = express()

    @app.use
    def forget(req: Any, res: Any, next: Any) -> None:
        if req.get("X-Forget"):
            del req.headers["cookie"]
        next()

    app.use(session(secret="s", resave=False, save_uninitialized=True))
    app.get("/", lambda req, res: res.send(req.session_id))
    url = serve(app)
    with requests.Session() as client:
        first = client.get(url, timeout=10).text
        assert client.get(url, timeout=10).text == first
        assert client.get(url, headers={"X-Forget": "1"}, timeout=10).text != first


def test_a_wsgi_app_that_is_mounted_sees_changed_headers_and_reads_its_body(serve: Serve) -> None:
    def old(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        said = [environ.get(key) for key in ("HTTP_X_USER", "HTTP_X_ROLE", "CONTENT_TYPE")]
        return [repr([*said, environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]).encode()]

    app = express()

    @app.use
    def change(req: Any, res: Any, next: Any) -> None:
        del req.headers["x-user"]
        req.headers["x-role"] = "guest"
        req.headers["content-type"] = "text/x"
        req.headers["content-length"] = "1"
        next()

    app.use("/old", wsgi(old))
    answer = requests.post(serve(app) + "/old", b"body", headers={"X-User": "Ada"}, timeout=10)
    assert answer.text == "[None, 'guest', 'text/x', b'body']"
