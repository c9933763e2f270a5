"""A handler that returns what it should have sent, as in Flask and FastAPI."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import HTTPError, express

Serve = Callable[..., str]
HERE = re.escape(__file__)


class Page:
    def __repr__(self) -> str:
        raise ValueError("no repr")


@pytest.mark.parametrize(
    ("value", "described", "mend"),
    [
        ("hello", "'hello'", "res.send('hello')"),
        ("", "''", "res.send('')"),
        (b"hello", "b'hello'", "res.send(b'hello')"),
        ({"a": 1}, "{'a': 1}", "res.json({'a': 1})"),
        ([1, 2], "[1, 2]", "res.json([1, 2])"),
        (("gone", 410), "('gone', 410)", "res.status(410).send('gone')"),
        (("a", "b"), "('a', 'b')", "res.json(('a', 'b'))"),
        (0, "0", "res.json(0)"),
        (HTTPError(404), "HTTPError(", "res.send(…), res.json(…) or res.render(…)"),
        (Page(), "<Page instance at ", "res.send(…), res.json(…) or res.render(…)"),
    ],
)
def test_a_handler_that_returns_its_answer_is_told_how_to_send_it(
    serve: Serve, caplog: pytest.LogCaptureFixture, value: Any, described: str, mend: str
) -> None:
    def home(req: Any, res: Any) -> Any:
        return value

    app = express()
    app.get("/", home)
    with caplog.at_level(logging.ERROR, "miniexpress"):
        assert requests.get(serve(app), timeout=5).status_code == 500
    place = rf"home \({HERE}:{home.__code__.co_firstlineno}\) returned {re.escape(described)}"
    assert re.search(rf"{place}.*, but what is returned is not sent: call {re.escape(mend)}", caplog.text)


def test_a_handler_that_returns_the_response_which_it_has_not_sent_is_told_what_sends_it(
    serve: Serve,
) -> None:
    app = express()
    app.get("/", lambda req, res: res.status(404))
    page = requests.get(serve(app), timeout=5)
    assert page.status_code == 404
    assert "returned the response, but what is returned is not sent: call res.send(…), res.end() or res." in page.text


def test_a_long_value_is_shortened_in_the_message(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = express()
    app.get("/", lambda req, res: "x" * 10_000)
    assert requests.get(serve(app), timeout=5).status_code == 500
    assert len(re.findall("x{100}", caplog.text)) == 0


def test_a_handler_that_has_answered_or_called_next_may_return_what_it_likes(serve: Serve) -> None:
    def calls_next(req: Any, res: Any, next: Any) -> Any:
        next()
        return "ignored"

    app = express()
    app.use(calls_next)
    app.get("/send", lambda req, res: (res.send("sent"), "ignored"))
    app.get("/status", lambda req, res: res.status(201).send("sent"))
    app.get("/response", lambda req, res: res.end("sent") or res)
    url = serve(app)
    for path in ("/send", "/status", "/response"):
        assert requests.get(url + path).text == "sent"
