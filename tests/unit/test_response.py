"""The members of a response that Express does not have; the others are compared with it in tests/conformance."""

from __future__ import annotations

import collections
import io
import logging
import math
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import Enum
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
import requests

from miniexpress import Response, express
from tests.support.waiting import wait_for

Serve = Callable[..., str]
Answer = tuple[str, list[tuple[str, str]], bytes]


def ask_by_wsgi(app: Any, write: Callable[[bytes], Any] = lambda data: None, **environ: str) -> Answer:
    """Return what ``app`` hands to a WSGI server that looks at nothing: status, header fields, and the body."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
        heads.append((status, headers))
        return write

    setup_testing_defaults(environ)
    body = app(environ, start_response)
    chunks = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return *heads[-1], chunks


def handled(handler: Callable[[Any, Any], Any]) -> Any:
    """An app in which ``handler`` answers, and an error handler tells what it raised, with the status 500."""
    app = express()
    app.get("/", lambda req, res: handler(req, res) and None)
    app.use(lambda error, req, res, next: res.status(500).send(f"{type(error).__name__}: {error}"))
    return app


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


@pytest.mark.parametrize(("begin", "told"), [("write", "was started already"), ("send", "was ended already")])
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
        (lambda res: res.send("1"), "was ended already", {"set", "remove_header"}, "1"),
        (lambda res: res.write("1"), "was started already", {"status", "write", "end"}, "123"),
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
    message = f"Cannot set headers after they are sent to the client: the response to GET /page?a=1 {how}"
    assert refused == dict.fromkeys({*AGAIN} - allowed, message)


def test_a_type_is_one(serve: Serve) -> None:
    app = express()
    app.get("/", lambda req, res: res.set("Content-Type", ["text/html", "text/plain"]))
    app.use(lambda error, req, res, next: res.send(str(error)))
    assert requests.get(serve(app)).text == "Content-Type cannot be set to a list: give it one type"


# What leaves is checked by the response, whichever WSGI server stands below


def set_message(res: Any, message: Any) -> None:
    res.status_message = message


def set_code(res: Any, code: Any) -> None:
    res.status_code = code


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a status message with a line break": (
        lambda res: set_message(res, "x\r\nSet-Cookie: evil=1"),
        "ValueError: Invalid character in statusMessage",
    ),
    "a status message beyond Latin-1": (lambda res: set_message(res, "日"), "ValueError: Invalid character in statusM"),
    "a status message that is no text": (lambda res: set_message(res, b"x"), "TypeError: res.status_message is a str"),
    "a status message by write_head": (lambda res: res.write_head(200, "a\nb"), "ValueError: Invalid character in st"),
    "a status code that is text": (lambda res: set_code(res, "200"), "TypeError: Invalid status code: '200'"),
    "a status code that is a fraction": (lambda res: set_code(res, 200.0), "TypeError: Invalid status code: 200.0"),
    "a status code out of range": (lambda res: set_code(res, 99), "ValueError: Invalid status code: 99"),
    "a header name that is no text": (lambda res: res.set_header(5, "x"), "TypeError: a header field takes a name"),
    "a header value by write_head": (lambda res: res.write_head(200, {"X": "a\nb"}), "ValueError: Invalid character"),
    "two lengths": (lambda res: res.set("Content-Length", ["1", "2"]), "ValueError: Content-Length is one line"),
    "a second length": (lambda res: res.set("Content-Length", 1).append("Content-Length", 2), "ValueError: Content-L"),
    "a length that is no number": (lambda res: res.set("Content-Length", "abc"), "ValueError: Content-Length is a num"),
    "a length below zero": (lambda res: res.set("Content-Length", -1), "ValueError: Content-Length is a number"),
    "two Transfer-Encodings": (lambda res: res.set("Transfer-Encoding", ["a", "b"]), "ValueError: Transfer-Encoding"),
}


@pytest.mark.parametrize(("mistake", "told"), REFUSED.values(), ids=REFUSED)
def test_what_no_head_may_hold_is_refused_where_it_is_set(mistake: Callable[[Any], Any], told: str) -> None:
    status, _, body = ask_by_wsgi(handled(lambda req, res: mistake(res)))
    assert status == "500 Internal Server Error"
    assert body.decode().startswith(told)


class Text(str, Enum):  # noqa: UP042
    NAME = "X-Name"
    VALUE = "value"
    PHRASE = "Fine"


def test_what_is_handed_to_a_wsgi_server_is_str_itself_and_no_class_derived_from_it() -> None:
    def answer(req: Any, res: Any) -> None:
        res.set(Text.NAME, Text.VALUE).append("X-List", [Text.VALUE, "b"]).cookie("a", Text.VALUE)
        res.status(HTTPStatus.CREATED).status_message = Text.PHRASE
        res.send("x")

    status, headers, _ = ask_by_wsgi(handled(answer))
    assert (type(status), status) == (str, "201 Fine")
    assert {type(text) for line in headers for text in line} == {str}
    assert {("X-Name", "value"), ("X-List", "value"), ("Set-Cookie", "a=value; Path=/")} <= set(headers)


def test_framing_is_left_to_the_server_and_a_204_has_no_length() -> None:
    app = express()
    app.get("/chunked", lambda req, res: res.set("Transfer-Encoding", "chunked").set("Content-Length", 9).send("abc"))
    app.get("/204", lambda req, res: res.redirect(204, "/"))
    app.get("/wrong", lambda req, res: res.set("Content-Length", 9).end("abc"))
    for path, framing in {"/chunked": [], "/204": [], "/wrong": [("Content-Length", "3")]}.items():
        _, headers, _ = ask_by_wsgi(app, PATH_INFO=path)
        assert [line for line in headers if line[0] in ("Content-Length", "Transfer-Encoding")] == framing


def test_a_status_below_200_is_no_answer_to_any_server() -> None:
    assert ask_by_wsgi(handled(lambda req, res: res.status(101).end()))[0] == "500 Internal Server Error"


NAMED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "location of None": (lambda res: res.location(None), "TypeError: res.location() takes a URL as a str, not None"),
    "type of None": (lambda res: res.type(None), "TypeError: res.type() takes a media type or an extension"),
    "vary of None": (lambda res: res.vary(None), "TypeError: res.vary() takes the names of header fields"),
    "vary of numbers": (lambda res: res.vary([1]), "TypeError: field contains an invalid header name: 1"),
    "links of None": (lambda res: res.links(None), "TypeError: res.links() takes a dict"),
    "set of None": (lambda res: res.set(None), "TypeError: res.set() takes the name of a header field, or a dict"),
    "on_headers of a text": (lambda res: res.on_headers("x"), "TypeError: res.on_headers() takes a function"),
    "on of a text": (lambda res: res.on("finish", "x"), "TypeError: res.on('finish', …) takes a function"),
    "on of another event": (lambda res: res.on("data", print), "ValueError: a response tells of 'finish' and 'close'"),
    "a cookie's name": (lambda res: res.cookie(5, "x"), "TypeError: argument name is invalid: 5"),
    "a cookie of bytes": (lambda res: res.cookie("a", b"x"), "TypeError: bytes is nothing that JSON can hold"),
    **{
        f"a cookie's max_age of {age}": (
            partial(lambda age, res: res.cookie("a", "b", max_age=age), age),
            f"TypeError: res.cookie(max_age=…) {told}",
        )
        for age, told in {
            "1000": "is a number of milliseconds or a timedelta, not '1000'",
            math.nan: "is a number of milliseconds or a timedelta, not nan",
            math.inf: "is a number of milliseconds or a timedelta, not inf",
            True: "is a number of milliseconds or a timedelta, not True",
            1e15: "ends beyond the year 9999",
            timedelta.max: "ends beyond the year 9999",
        }.items()
    },
}


@pytest.mark.parametrize(("mistake", "told"), NAMED.values(), ids=NAMED)
def test_a_wrong_argument_is_named_with_its_value(mistake: Callable[[Any], Any], told: str) -> None:
    assert ask_by_wsgi(handled(lambda req, res: mistake(res)))[2].decode().startswith(told)


# Bodies


@pytest.mark.parametrize("chunk", [5, 30_000_000, None, True, 1.5, {"a": 1}, ["a"], [b"a"], object()])
def test_a_write_of_no_text_and_no_bytes_is_a_type_error_before_anything_leaves(chunk: Any) -> None:
    status, _, body = ask_by_wsgi(handled(lambda req, res: res.write(chunk)))
    assert status == "500 Internal Server Error"
    assert body.startswith(b"TypeError: res.write() takes a str or bytes, not ")


NO_BODIES = [123, True, 1.5, {"a": 1}, {b"a"}, ["a", "b"], ("a",), [b"a", "b"], [1], [None], object()]


@pytest.mark.parametrize("chunk", NO_BODIES)
@pytest.mark.parametrize("has_begun", [False, True])
def test_an_end_with_no_body_is_a_type_error_at_the_call_whatever_came_before(chunk: Any, has_begun: bool) -> None:
    def answer(req: Any, res: Any) -> None:
        if has_begun:
            res.write("begun")
        with pytest.raises(TypeError, match=r"res\.end\(\) takes a str, bytes or an iterable of bytes, not "):
            res.end(chunk)
        res.end("ended")

    written: list[bytes] = []
    status, _, body = ask_by_wsgi(handled(answer), write=written.append)
    assert status == "200 OK"
    assert b"".join(written) + body == (b"begunended" if has_begun else b"ended")


def test_pieces_of_bytes_are_a_body_whatever_came_before() -> None:
    for pieces in ([b"a", b"b"], (b"a", b"b"), iter([b"a", b"b"]), (piece for piece in (b"a", b"b"))):
        assert ask_by_wsgi(handled(partial(lambda pieces, req, res: res.end(pieces), pieces)))[2] == b"ab"
    written: list[bytes] = []
    ask_by_wsgi(handled(lambda req, res: [res.write("x"), res.end([b"a", b"", b"b"])]), write=written.append)
    assert written == [b"x", b"a", b"b"]


# A client that leaves


class ClientDisconnected(Exception):
    """The error that waitress raises, which is no OSError."""


@pytest.mark.parametrize("failure", [BrokenPipeError(), ClientDisconnected()])
@pytest.mark.parametrize("by_end", [False, True])
def test_what_the_server_raises_while_a_handler_writes_is_the_servers_and_no_handlers(
    failure: Exception, by_end: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    app = express()

    def log_time(req: Any, res: Any, next: Any) -> None:
        res.on("finish", lambda: told.append("finish")).on("close", lambda: told.append("close"))
        next()
        told.append("behind")

    def answer(req: Any, res: Any) -> None:
        if by_end:
            res.flush_headers()
            res.end("x")
        else:
            res.write("x")
        told.append("written")

    def write(data: bytes) -> None:
        raise failure

    app.use(log_time)
    app.get("/", answer)
    app.use(lambda error, req, res, next: told.append("error"))
    with pytest.raises(type(failure)):
        ask_by_wsgi(app, write)
    assert told == ["behind", "close"]
    assert not caplog.records


def test_a_client_that_leaves_while_a_handler_writes_is_no_error(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    told: list[str] = []
    has_left, is_over = threading.Event(), threading.Event()

    def stream(req: Any, res: Any) -> None:
        res.on("close", is_over.set)
        res.write("x")
        has_left.wait(10)
        while not is_over.is_set():
            res.write("x" * 20_000)

    app = express()
    app.get("/", stream)
    app.use(lambda error, req, res, next: told.append("error"))
    address = urlsplit(serve(app))
    with socket.create_connection((str(address.hostname), address.port or 80)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    has_left.set()
    assert is_over.wait(10)
    assert not told
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


# Listeners of the end


class Pieces(Iterator[bytes]):
    def __init__(self, told: list[str], fails: bool = False) -> None:
        self.told, self.fails, self.left = told, fails, 2

    def __next__(self) -> bytes:
        if not self.left:
            raise StopIteration
        if self.fails and self.left == 1:
            raise OSError("the disk is gone")
        self.left -= 1
        return b"x"

    def close(self) -> None:
        self.told.append("closed")


def test_finish_and_close_are_told_once_the_body_was_taken_and_closed() -> None:
    told: list[str] = []

    def answer(req: Any, res: Any) -> None:
        res.on("close", lambda: told.append("close")).on("finish", lambda: told.append("finish"))
        res.type("txt").end(Pieces(told))

    assert ask_by_wsgi(validator(handled(answer)), QUERY_STRING="")[2] == b"xx"
    assert told == ["closed", "finish", "close"]


def test_a_body_that_fails_tells_of_close_alone(serve: Serve) -> None:
    told: list[str] = []

    def answer(req: Any, res: Any) -> None:
        res.on("close", lambda: told.append("close")).on("finish", lambda: told.append("finish"))
        res.end(Pieces(told, fails=True))

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(serve(handled(answer)))
    wait_for(lambda: "close" in told, "the listener called")
    assert told == ["closed", "close"]


def test_a_listener_that_fails_is_logged_and_keeps_no_other_from_being_called(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    called = threading.Event()
    app = handled(lambda req, res: res.on("finish", lambda: 1 / 0).on("finish", called.set).send("x"))
    assert requests.get(serve(app)).text == "x"
    assert called.wait(10)
    assert "a listener of res.on('finish') failed: GET /" in caplog.text


def test_a_set_header_of_the_app_or_of_middleware_sees_what_describes_a_body(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    names: list[str] = []
    app = express()

    def watched(res: Any, name: str, value: Any) -> Any:
        names.append(name)
        return Response.set_header(res, name, value)

    @app.use("/middleware")
    def replace(req: Any, res: Any, next: Any) -> None:
        res.set_header = partial(watched, res)
        next()

    for path in ("/middleware", "/app"):
        app.get(path, lambda req, res: res.send("x"))
        app.get(f"{path}/file", lambda req, res: res.send_file("a.txt", root=tmp_path))
    of_file = ["Accept-Ranges", "Cache-Control", "Last-Modified", "ETag", "Content-Type", "Content-Length"]
    for path in ("/middleware", "/app"):
        if path == "/app":
            app.response.set_header = watched
        for sent, expected in (("", ["Content-Type", "Content-Length", "ETag"]), ("/file", of_file)):
            names.clear()
            ask_by_wsgi(app, PATH_INFO=path + sent)
            assert [name for name in names if name != "X-Powered-By"] == expected


# Found by attack


@pytest.mark.parametrize(
    "body", [range(3), collections.deque(["a"]), collections.UserList(["a"]), io.StringIO("a"), {1: "a"}.values()]
)
def test_end_refuses_what_yields_no_bytes_at_the_call(serve: Serve, body: Any) -> None:
    app = express()
    app.get("/", lambda req, res: res.end(body))
    app.use(lambda err, req, res, next: res.status(500).json(type(err).__name__))
    assert requests.get(serve(app)).json() == "TypeError"


@pytest.mark.parametrize("take", ["on_headers", "on"])
def test_a_listener_with_a_parameter_is_refused_when_it_is_given(serve: Serve, take: str) -> None:
    app = express()
    arguments = ["finish"] if take == "on" else []
    app.get("/", lambda req, res: getattr(res, take)(*arguments, lambda res: None))
    app.use(lambda err, req, res, next: res.status(500).json(str(err)))
    assert "takes a function without parameters" in requests.get(serve(app)).json()


def test_a_listener_of_a_mounted_response_sees_the_request_as_it_was_there(serve: Serve) -> None:
    app, sub = express(), express()
    seen: list[Any] = []

    @sub.get("/u/:id")
    def stream(req: Any, res: Any) -> None:
        res.on("finish", lambda: seen.append((dict(req.params), req.url, req.base_url, req.app is sub)))
        res.write("x")
        res.end("y")

    app.use("/api", sub)
    assert requests.get(serve(app) + "/api/u/7").text == "xy"
    wait_for(lambda: seen, "the listener")  # it is called once the server has sent all
    assert seen == [({"id": "7"}, "/u/7", "/api", True)]


def test_an_error_raised_because_the_client_left_asks_no_error_handler(caplog: pytest.LogCaptureFixture) -> None:
    app, asked = express(), []

    @app.get("/")
    def stream(req: Any, res: Any) -> None:
        try:
            res.write("x")
        except OSError as error:
            raise ValueError("cleaning up") from error

    app.use(lambda err, req, res, next: asked.append(err))

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            raise BrokenPipeError

        return write

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "", "SCRIPT_NAME": "", "wsgi.url_scheme": "http"}
    with caplog.at_level(logging.INFO), pytest.raises(BrokenPipeError):
        app(environ, start_response)
    assert (asked, caplog.records) == ([], [])
