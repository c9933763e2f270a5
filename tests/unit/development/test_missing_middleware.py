"""A handler reads ``req.body`` or ``req.session`` while it is ``None``: the note says which middleware is missing."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import App, express, json, raw, session, text, urlencoded
from miniexpress.development.missing_middleware import note_for

Serve = Callable[..., str]
FORM = "application/x-www-form-urlencoded"


def read_attribute(req, res):
    res.send(req.body.name)


def read_item(req, res):
    res.send(req.body["name"])


def call_method(req, res):
    res.send(req.body.get("name"))


def ask_for_a_key(req, res):
    res.send("name" in req.body)


def loop(req, res):
    for name in req.body:
        res.send(name)


def set_an_item(request, response):
    request.body["name"] = 1


def set_an_attribute(req, res):
    req.body.name = 1


def unpack(req, res):
    res.send(dict(**req.body))


def over_lines(req, res):
    name = (
        req
        .body
        .name
    )  # fmt: skip
    res.send(name)


def by_a_variable(req, res):
    form = req.body
    res.send("ä" + form.name)


def by_a_typed_variable(req, res):
    data: Any = req.body
    res.send(data["name"])


def in_a_function_of_its_own(req, res):
    res.send(name_in(req.body))


def name_in(form):
    return form.name


HANDLERS = [
    read_attribute, read_item, call_method, ask_for_a_key, loop, set_an_item, set_an_attribute, unpack, over_lines,
    by_a_variable, by_a_typed_variable, in_a_function_of_its_own,
]  # fmt: skip


@pytest.fixture
def app() -> App:
    return express()


def told(url: str, **request: Any) -> str:
    """The note of the page that a POST gets, or its first line where there is none."""
    answer = requests.post(url, timeout=10, **request)
    assert answer.status_code == 500
    page = html.unescape(answer.text.partition("<pre>")[2].replace("<br>", "\n").replace("&nbsp;", " "))
    first, second = page.splitlines()[:2]
    return second or first


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_a_body_that_no_parser_has_read_is_told_however_it_is_read(app: App, serve: Serve, handler: Any) -> None:
    app.post("/", handler)
    note = "req.body is None: the body is application/json, and no parser has read it. Before this handler: "
    assert told(serve(app), json={"name": "Ada"}) == f"{note}app.use(json())"


@pytest.mark.parametrize(
    ("parsers", "content_type", "note"),
    [
        ([], FORM, f"{FORM}, and no parser has read it. Before this handler: app.use(urlencoded())"),
        (
            [],
            "text/plain; charset=utf-8",
            "and no parser has read it. Before this handler: app.use(text())",
        ),
        (
            [],
            "application/octet-stream",
            "and no parser has read it. Before this handler: app.use(raw())",
        ),
        ([], "image/png", 'image/png, and no parser has read it. Before this handler: app.use(raw(type="image/png"))'),
        ([], "multipart/form-data; boundary=x", "multer, as json() and urlencoded() read no such forms"),
        (
            [json()],
            FORM,
            "; json() reads application/json. Before this handler: app.use(urlencoded())",
        ),
        ([urlencoded()], "application/json", f"; urlencoded() reads {FORM}. Before this handler: app.use(json())"),
        ([json()], "application/ld+json", 'Before this handler: app.use(json(type="application/ld+json"))'),
        (
            [json(type="a/b")],
            "application/json",
            '; json() reads a/b. Before this handler: app.use(json(type="app',
        ),
        ([text(type=lambda req: False)], "text/plain", "; text() reads what its function selects. Before this handler"),
        ([raw(type=["a/b", "c/d"])], "a/e", "; raw() reads ['a/b', 'c/d']. Before this handler"),
        ([json()], None, "the body has no Content-Type by which a parser would read it"),
        ([json()], "x\x85<b>y", "the body has no Content-Type by which a parser would read it"),
        ([json(strict=False)], "application/json", "it was null in the body, or a handler has set it so"),
    ],
)
def test_the_note_names_the_parser_for_the_content_type(
    app: App, serve: Serve, parsers: list[Any], content_type: str | None, note: str
) -> None:
    app.use(*parsers or [lambda req, res, next: next()])
    app.post("/", read_attribute)
    headers = {"Content-Type": content_type.encode("latin-1")} if content_type else {}
    said = told(serve(app), data=b"null", headers=headers)
    assert said.startswith("req.body is None: ")
    assert note in said


def test_a_request_without_a_body_is_told_as_one(app: App, serve: Serve) -> None:
    app.use(json())
    app.all("/", read_attribute)
    page = requests.get(serve(app)).text
    assert "req.body is None: the request came without a body" in page


def test_no_session_is_told(app: App, serve: Serve) -> None:
    app.post("/", lambda req, res: res.send(req.session.user))
    note = "req.session is None: no session middleware has run. Before this handler: app.use(session(secret=…))"
    assert told(serve(app)) == note


def test_a_session_that_was_destroyed_is_told(app: App, serve: Serve) -> None:
    app.use(session(secret="s", resave=False, save_uninitialized=False))

    @app.post("/")
    def logout(req, res):
        req.session.destroy()
        res.send(req.session.user)

    assert told(serve(app)).startswith("req.session is None: it was destroyed, or set to None")


def test_a_session_for_another_path_is_told(app: App, serve: Serve) -> None:
    app.use(session(secret="s", resave=False, save_uninitialized=False, cookie={"path": "/admin"}))
    app.post("/", lambda req, res: res.send(req.session.user))
    assert told(serve(app)).startswith("req.session is None: session() has left this request alone")


def other_none(req, res):
    nothing = None
    if not req.body:
        res.send(nothing.name)


def none_of_another(req, res):
    mail = App()
    mail.body = None
    res.send(mail.body.name)


def missing_field(req, res):
    res.send(req.query.user.name)


@pytest.mark.parametrize("handler", [other_none, none_of_another, missing_field], ids=lambda handler: handler.__name__)
def test_another_none_is_no_missing_middleware(app: App, serve: Serve, handler: Any) -> None:
    app.post("/", handler)
    assert told(serve(app), json=1).startswith("AttributeError: 'NoneType' object has no attribute 'name'")


def test_the_log_tells_it_too_and_production_neither(app: App, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app.post("/", read_attribute)
    url = serve(app)
    with caplog.at_level(logging.ERROR):
        requests.post(url, json={})
        assert caplog.text.count("req.body is None: the body is application/json") == 1
        caplog.clear()
        app.set("env", "production")
        assert requests.post(url, json={}).status_code == 500
        assert "AttributeError" in caplog.text
        assert "req.body is None" not in caplog.text


def test_a_note_is_only_for_what_python_says_of_none() -> None:
    req: Any = None
    for error in (ValueError("NoneType"), AttributeError("x"), "NoneType", None):
        assert note_for(error, req) is None


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/json", "req.file is None: the request has no form with files: <form"),
        (
            "multipart/form-data; boundary=b",
            "req.file is None: no multer has read the form. Before this handler: multer(",
        ),
    ],
)
def test_a_file_that_is_none_is_told_what_reads_it(serve: Serve, content_type: str, told: str) -> None:
    def read_file(req, res):
        res.send(req.file.originalname)

    app = express()
    app.post("/", read_file)
    page = requests.post(serve(app), data=b"--b--", headers={"Content-Type": content_type}, timeout=5)
    assert page.status_code == 500
    assert told in html.unescape(page.text)
