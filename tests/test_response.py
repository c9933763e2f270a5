"""What Python alone can ask of a response; its answers are held to Express's in conformance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from miniexpress import express

Serve = Callable[..., str]


class Formats:
    def bound(self, req: Any, res: Any) -> None:
        res.send("bound")

    def __call__(self, req: Any, res: Any, next: Any) -> None:
        res.send("callable")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Formats().bound, "bound"),
        (Formats(), "callable"),
        (partial(lambda text, req, res: res.send(text), "partial"), "partial"),
        (lambda req, res, text="default": res.send(text), "default"),
    ],
)
def test_a_format_may_be_whatever_can_be_called(serve: Serve, answer: Any, expected: str) -> None:
    app = express()
    app.get("/", lambda req, res: res.format({"text": answer}))
    assert requests.get(serve(app)).text == expected


def test_a_download_and_an_attachment_take_paths(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    app = express()
    app.get("/download", lambda req, res: res.download(tmp_path / "a.txt", headers=None))
    app.get("/attachment", lambda req, res: res.attachment(tmp_path / "a.txt").send("text"))
    url = serve(app)
    for path in ("/download", "/attachment"):
        got = requests.get(url + path)
        assert (got.text, got.headers["Content-Disposition"]) == ("text", "attachment; filename=a.txt")
        assert got.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [((), "redirect"), ((301,), "takes a URL, or a status and a URL"), (("/a", "/b"), "'/a', '/b'")],
)
def test_a_redirect_to_nowhere_is_a_type_error(serve: Serve, arguments: tuple[Any, ...], told: str) -> None:
    raised = []

    def redirect(req: Any, res: Any) -> None:
        with pytest.raises(TypeError, match=told) as caught:
            res.redirect(*arguments)
        raised.append(caught.value)
        res.end()

    app = express()
    app.get("/", redirect)
    assert requests.get(serve(app)).status_code == 200
    assert len(raised) == 1


@pytest.mark.parametrize(("begin", "told"), [("write", "has begun to leave"), ("send", "was answered already")])
def test_a_second_answer_is_refused_in_words_that_say_why(serve: Serve, begin: str, told: str) -> None:
    messages = []

    def answer(req: Any, res: Any) -> None:
        getattr(res, begin)("x")
        with pytest.raises(RuntimeError) as caught:
            res.send("again")
        messages.append(str(caught.value))
        if begin == "write":
            res.end()

    app = express()
    app.get("/", answer)
    assert requests.get(serve(app)).text == "x"
    assert told in messages[0]


AGAIN: dict[str, Callable[[Any], object]] = {
    "status": lambda res: res.status(201),
    "set": lambda res: res.set("X-A", "a"),
    "remove_header": lambda res: res.remove_header("X-A"),
    "send": lambda res: res.send("again"),
    "write": lambda res: res.write("2"),
    "end": lambda res: res.end("3"),
}


@pytest.mark.parametrize(
    ("first", "how", "allowed", "text"),
    [
        (lambda res: res.send("1"), "was answered already", {"set", "remove_header"}, "1"),
        (lambda res: res.write("1"), "has an answer that has begun to leave", {"status", "write", "end"}, "123"),
    ],
)
def test_what_comes_too_late_is_an_error_that_names_the_request(
    serve: Serve, first: Callable[[Any], object], how: str, allowed: set[str], text: str
) -> None:
    refused: dict[str, str] = {}

    def answer(req: Any, res: Any) -> None:
        first(res)
        for name, call in AGAIN.items():
            try:
                call(res)
            except RuntimeError as error:
                refused[name] = str(error)

    app = express()
    app.get("/page", answer)
    assert requests.get(serve(app) + "/page?a=1").text == text
    message = f"Cannot set headers after they are sent to the client: GET /page?a=1 {how}"
    assert refused == dict.fromkeys({*AGAIN} - allowed, message)


def test_a_type_is_one(serve: Serve) -> None:
    app = express()
    app.get("/", lambda req, res: res.set("Content-Type", ["text/html", "text/plain"]))
    app.use(lambda error, req, res, next: res.send(str(error)))
    assert requests.get(serve(app)).text == "Content-Type cannot be set to a list: give it one type"
