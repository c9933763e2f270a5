"""The page of an error, and the stack as a tree, as a developer sees them."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from miniexpress import App, HTTPError, Request, Router, express, json
from miniexpress.development.error_page import describe_error
from miniexpress.wsgi import wsgi

Serve = Callable[..., str]


@pytest.fixture
def app() -> App:
    app, api = express(), Router()

    @app.use("/")
    def log_time(req, res, next):
        next()

    app.use(json())

    def secret_price(text):
        return int(text)

    @api.get("/items/:id")
    def item(req, res):
        res.json(secret_price("<b>" + req.params.id))

    @api.get(re.compile("/pattern"))
    def pattern(req, res, next):
        next(HTTPError(418, "short & stout"))

    app.use("/api", api)
    app.get("/dead-end", lambda req, res: None)
    app.get("/text", lambda req, res, next: next("just <text>"))
    app.get("/deep", lambda req, res: deeper(0))
    app.use("/sub", express())
    app.use("/old", wsgi(old))

    @app.use("/")
    def on_error(err, req, res, next):
        next(err)

    return app


def old(environ: Any, start_response: Any) -> Any:
    raise AssertionError("nobody asks for it")


def deeper(depth: int) -> int:
    return deeper(depth + 1)


def page(url: str, status: int = 500) -> str:
    """Return what the page says, as a reader sees it."""
    answer = requests.get(url)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    found = re.fullmatch(r"(?s)<!DOCTYPE html>.*<pre>(.*)</pre>\n</body>\n</html>\n", answer.text)
    assert found, answer.text
    assert "<b>" not in answer.text
    return html.unescape(found[1].replace("<br>", "\n").replace("&nbsp;", " "))


def test_the_page_begins_with_the_apps_own_lines(app: App, serve: Serve) -> None:
    said = page(f"{serve(app)}/api/items/7?x=<b>")
    own, _, whole = said.partition("Traceback (most recent call last)")
    assert own.startswith("ValueError: invalid literal for int() with base 10: '<b>7'\n")
    places = re.findall(r"\n(\S+):(\d+) in (\S+)\n", own)
    assert [place[2].rpartition(".")[2] for place in places] == ["secret_price", "item"]
    source = Path(__file__).read_text().splitlines()
    for file, line, _name in places:
        assert file == __file__
        assert f">{int(line):6} {source[int(line) - 1]}\n" in own
    assert whole.endswith("ValueError: invalid literal for int() with base 10: '<b>7'\n")


def test_the_page_says_what_the_request_passed(app: App, serve: Serve) -> None:
    said = page(f"{serve(app)}/api/items/7?x=<b>")
    asked = said[said.index("Request: ") : said.index("\n\nTraceback")].splitlines()
    assert asked[:3] == ["Request: GET /api/items/7?x=%3Cb%3E", "Route:   /api/items/:id", "Passed:"]
    passed = [re.sub(r"app\.<locals>\.|:\d+\)", "", line.replace(__file__, "here")) for line in asked[3:]]
    assert [line for line in passed if "body_parser.py" not in line] == [
        "  * /  log_time (here",
        "  * /api  Router",
        "  GET /items/:id  item (here",
        "  * /  on_error (here, for errors",
    ]
    assert len(passed) == 5


def test_the_route_is_told_from_the_top(serve: Serve) -> None:
    app, sub, other, inner = express(), express(), Router(), Router()
    inner.get("/items/:id", lambda req, res: 1 / 0)
    inner.get("/dead-end", lambda req, res: None)
    inner.get(re.compile("/pattern"), lambda req, res: 1 / 0)
    inner.get("/deep", lambda req, res: deeper(0))
    other.use("/elsewhere", inner)
    sub.use("/:tenant", inner)
    app.use("/sub", other)
    app.use(["/sub/", "/bus"], sub)
    url = serve(lambda environ, start_response: app({**environ, "SCRIPT_NAME": "/at"}, start_response))

    def route(path: str) -> str:
        return page(url + path).partition("Route:   ")[2].partition("\n")[0]

    assert route("/sub/7/items/1") == "/at/sub/7/items/:id"
    assert route("/bus/7/dead-end") == "/at/bus/7/dead-end"
    assert route("/sub/elsewhere/items/1") == "/at/sub/elsewhere/items/:id"
    assert route("/sub/7/pattern") == "/at/sub/7re.compile('/pattern')"
    assert route("/sub/7/deep") == "/at/sub/7/deep"


def test_errors_of_every_kind_have_a_page(app: App, serve: Serve) -> None:
    url = serve(app)
    assert page(f"{url}/api/pattern", 418).startswith("miniexpress.errors.HTTPError: short & stout\n")
    assert "returned, but neither responded nor called next()" in page(f"{url}/dead-end")
    assert page(f"{url}/text") == "just <text>"
    deep = page(f"{url}/deep")
    assert deep.startswith("RecursionError: ")
    assert deep.count(" in deeper\n") < 20
    assert page(f"{url}/nope", 404) == "Cannot GET /nope"


def test_production_shows_none_of_it(app: App, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app.set("env", "production")
    with caplog.at_level(logging.ERROR):
        assert page(f"{serve(app)}/api/items/7") == "Internal Server Error"
    assert "secret_price" in caplog.text


def test_routes_is_the_stack_as_a_tree(app: App) -> None:
    lines = [re.sub(r"app\.<locals>\.|\(/\S*/|:\d+\)", "", line) for line in app.routes().splitlines()]
    assert lines == [
        "* /  log_time test_error_page.py",
        "* /  BodyParser.handle body_parser.py",
        "* /api  Router",
        "    GET /items/:id  item test_error_page.py",
        "    GET re.compile('/pattern')  pattern test_error_page.py",
        "GET /dead-end  <lambda> test_error_page.py",
        "GET /text  <lambda> test_error_page.py",
        "GET /deep  <lambda> test_error_page.py",
        "* /sub  App",
        "* /old  wsgi(old) wsgi.py",
        "* /  on_error test_error_page.py, for errors",
    ]


def test_the_tree_of_an_empty_app_is_empty() -> None:
    assert express().routes() == ""


def test_what_is_called_with_several_methods_has_a_line_for_each() -> None:
    app: Any = express()
    app.route("/both").get(lambda req, res: None).post(lambda req, res: None, lambda req, res: None).all(
        lambda req, res: None
    )
    assert [line.split()[0] for line in app.routes().splitlines()] == ["GET", "POST", "POST", "*"]


def described(error: Any) -> str:
    """The description of an error that a GET / met."""
    return describe_error(error, Request({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, express()))


def test_an_exception_is_described_with_its_traceback_and_causes() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        text = described(error)
    assert "KeyError: 'inner'" in text
    assert "direct cause" in text
    assert text.endswith("ValueError: outer\n")
    assert __file__ in text


def test_what_is_no_exception_is_described_as_text() -> None:
    assert described("went wrong") == "went wrong"
    assert described({"status": 404}) == "{'status': 404}"


def test_an_exception_that_cannot_be_told_is_described_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    assert "Mute" in described(Mute())
