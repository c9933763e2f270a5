"""``res.transform_body``: middleware that changes the body of a response on its way out, however that is given."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from miniexpress import express
from miniexpress.http.response_body import BodyTransform, TransformedBody
from tests.support.wire import connected, talk
from tests.unit.test_response import ask_by_wsgi

Serve = Callable[..., str]
Calls = list[tuple[bytes, bool]]

UPPER: BodyTransform = lambda chunk, is_last: chunk.upper()  # noqa: E731
GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def adding(text: bytes) -> BodyTransform:
    """A transform that adds ``text`` to each piece that is not empty, and ``.`` to the last."""
    return lambda chunk, is_last: chunk + (text if chunk else b"") + (b"." if is_last else b"")


def recording(calls: Calls) -> BodyTransform:
    """A transform that changes nothing, and tells how it was called."""
    return lambda chunk, is_last: calls.append((chunk, is_last)) or chunk  # type: ignore[func-returns-value]


def transforming(*transforms: BodyTransform) -> Any:
    """An app whose responses go through ``transforms``, each added by a middleware."""
    app = express().set("env", "test")
    for transform in transforms:
        app.use(lambda req, res, next, transform=transform: (res.transform_body(transform), next()))
    return app


class Deflate:
    """A transform as compression has it: it holds back until it is flushed."""

    def __init__(self) -> None:
        self.compressor = zlib.compressobj()

    def __call__(self, chunk: bytes, is_last: bool) -> bytes:
        return self.compressor.compress(chunk) + (self.compressor.flush() if is_last else b"")

    def flush(self) -> bytes:
        return self.compressor.flush(zlib.Z_SYNC_FLUSH)


def deflate(req: Any, res: Any, next: Any) -> None:
    def decide() -> None:
        res.set("Content-Encoding", "deflate").transform_body(Deflate())

    res.on_headers(decide)
    next()


def write_in_pieces(req: Any, res: Any) -> None:
    res.write("one ")
    res.write(b"two ")
    res.end("three")


def written_then_iterated(req: Any, res: Any) -> None:
    res.write("one ")
    res.end(iter([b"two ", b"three"]))


SENT: dict[str, tuple[Callable[[Any, Any], Any], Calls]] = {
    "send": (lambda req, res: res.send("text"), [(b"text", True)]),
    "json": (lambda req, res: res.json({"a": 1}), [(b'{"a":1}', True)]),
    "redirect": (lambda req, res: res.redirect("/x"), [(b"Found. Redirecting to /x", True)]),
    "end": (lambda req, res: res.end(b"bytes"), [(b"bytes", True)]),
    "end with nothing": (lambda req, res: res.end(), [(b"", True)]),
    "end with a list": (lambda req, res: res.end([b"a", b"", b"b"]), [(b"a", False), (b"b", False), (b"", True)]),
    "end with an iterator": (lambda req, res: res.end(iter([b"a", b"b"])), [(b"a", False), (b"b", False), (b"", True)]),
    "write": (write_in_pieces, [(b"one ", False), (b"two ", False), (b"three", False), (b"", True)]),
    "write, then an iterator": (
        written_then_iterated,
        [(b"one ", False), (b"two ", False), (b"three", False), (b"", True)],
    ),
}


@pytest.mark.parametrize("sent", SENT)
def test_a_transform_gets_every_piece_and_the_end_once(serve: Serve, sent: str) -> None:
    calls: Calls = []
    handler, expected = SENT[sent]
    app = transforming(recording(calls), UPPER)
    app.get("/", handler)
    got = requests.get(serve(app), allow_redirects=False, headers={"Accept": "text/plain"})
    assert calls == [(chunk.upper(), is_last) for chunk, is_last in expected]
    assert got.content == b"".join(chunk for chunk, _ in expected).upper()


def test_a_view_a_small_and_a_large_file_and_the_error_page_are_transformed(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "hello.html").write_text("<p>{{ name }}</p>")
    (tmp_path / "small").write_text("small")
    (tmp_path / "large").write_bytes(b"0123456789" * 20_000)
    app = transforming(lambda chunk, is_last: chunk.swapcase() + (b"!" if is_last else b"")).set("views", str(tmp_path))
    app.get("/view", lambda req, res: res.render("hello", {"name": "Ada"}))
    app.get("/file/:name", lambda req, res: res.send_file(req.params.name, root=tmp_path))
    url = serve(app)
    assert requests.get(f"{url}/view").text == "<P>aDA</P>!"
    small, large = requests.get(f"{url}/file/small"), requests.get(f"{url}/file/large")
    assert (small.text, small.headers["Content-Length"]) == ("SMALL!", "6")
    assert (large.content, "Content-Length" in large.headers) == (b"0123456789" * 20_000 + b"!", False)
    page = requests.get(f"{url}/missing")
    assert (page.status_code, "<PRE>cANNOT get" in page.text, page.text[-1]) == (404, True, "!")


def test_a_complete_body_gets_the_length_that_is_sent_and_any_other_none() -> None:
    app = transforming(adding(b"12345"))
    app.get("/send", lambda req, res: res.send("text"))
    app.get("/list", lambda req, res: res.set("Content-Length", 4).end([b"te", b"xt"]))
    _, headers, body = ask_by_wsgi(app, PATH_INFO="/send")
    assert (dict(headers)["Content-Length"], body) == ("10", b"text12345.")
    _, headers, body = ask_by_wsgi(app, PATH_INFO="/list")
    assert ("Content-Length" in dict(headers), body) == (False, b"te12345xt12345.")


def test_a_started_response_loses_a_content_length_that_would_be_wrong(serve: Serve) -> None:
    app = transforming(adding(b"+"))
    app.get("/", lambda req, res: (res.set("Content-Length", 4), res.write("te"), res.end("xt")))
    head, _, body = talk(serve(app), GET).partition(b"\r\n\r\n")
    assert (b"Content-Length" in head, body) == (False, b"3\r\nte+\r\n3\r\nxt+\r\n1\r\n.\r\n0\r\n\r\n")


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
@pytest.mark.parametrize("body", [b"text", [b"te", b"xt"]])
def test_a_response_without_body_is_not_transformed_and_tells_no_length(method: str, status: int, body: Any) -> None:
    calls: Calls = []
    app = transforming(recording(calls))
    app.get("/", lambda req, res: res.status(status).set("Content-Length", 4).end(body))
    app.get("/send", lambda req, res: res.status(status).send("text"))
    app.get("/write", lambda req, res: (res.status(status).write("te"), res.end("xt")))
    for path in ("/", "/send", "/write"):
        _, headers, sent = ask_by_wsgi(app, REQUEST_METHOD=method, PATH_INFO=path)
        assert (calls, sent, "Content-Length" in dict(headers)) == ([], b"", False)


def test_the_middleware_that_was_added_last_sees_the_bytes_of_the_handler_first() -> None:
    """As in Node, where the wrapper of ``res.write`` that was made last is called first, whenever it decides."""
    app = express()

    def adds(name: bytes, when: str) -> Any:
        def middleware(req: Any, res: Any, next: Any) -> None:
            if when == "now":
                res.transform_body(adding(name))
            else:
                res.on_headers(lambda: (res.transform_body(adding(name)), res.transform_body(adding(name.lower()))))
            next()

        return middleware

    app.use(adds(b"A", "now"), adds(b"B", "late"), adds(b"C", "now"), adds(b"D", "late"), adds(b"E", "now"))
    app.get("/", lambda req, res: res.end("x"))
    assert ask_by_wsgi(app)[2].replace(b".", b"") == b"xEdDCbBA"


def test_a_transform_may_be_added_once_the_response_is_ended_and_not_once_it_is_started(serve: Serve) -> None:
    app = express().set("env", "test")
    refused: list[str] = []

    @app.use("/")
    def add_late(req: Any, res: Any, next: Any) -> None:
        next()
        try:
            res.transform_body(UPPER)
        except RuntimeError as error:
            refused.append(str(error))

    app.get("/ended", lambda req, res: res.send("text"))
    app.get("/started", lambda req, res: (res.write("te"), res.end("xt")))
    url = serve(app)
    assert (requests.get(f"{url}/ended").text, refused) == ("TEXT", [])
    assert requests.get(f"{url}/started").text == "text"
    assert "the response to GET /started was ended already" in refused[0]


@pytest.mark.parametrize("transform", [None, "x", lambda: b"", lambda chunk: chunk, lambda chunk, is_last, more: chunk])
def test_what_is_no_transform_is_refused_where_it_is_added(transform: Any) -> None:
    app = transforming(transform)
    app.use(lambda err, req, res, next: res.send(str(err)))
    assert b"res.transform_body() takes a function (chunk, is_last) -> bytes" in ask_by_wsgi(app)[2]


@pytest.mark.parametrize("returned", [None, "text", 5, bytearray(b"x")])
def test_a_transform_that_returns_no_bytes_is_named(returned: Any) -> None:
    app = transforming(lambda chunk, is_last: returned).set("env", "development")
    app.get("/", lambda req, res: res.send("text"))
    status, _, body = ask_by_wsgi(app)
    assert (status, b"a transform of res.transform_body() returns bytes, not " in body) == (
        "500 Internal Server Error",
        True,
    )


# Compression


def test_a_coding_that_a_listener_chooses_is_on_all_that_is_sent(serve: Serve) -> None:
    app = express()
    app.use(deflate)
    app.get("/send", lambda req, res: res.send("text" * 1000))
    app.get("/write", write_in_pieces)
    url = serve(app)
    sent = requests.get(f"{url}/send")
    assert (sent.text, int(sent.headers["Content-Length"]) < 100) == ("text" * 1000, True)
    assert requests.get(f"{url}/write").text == "one two three"
    missing = requests.get(f"{url}/missing")
    assert (missing.status_code, missing.headers["Content-Encoding"]) == (404, "deflate")
    assert "Cannot GET /missing" in missing.text


def test_flush_sends_what_a_transform_holds_back(serve: Serve) -> None:
    app = express()
    asked = threading.Event()
    app.use(deflate)

    @app.get("/")
    def handler(req: Any, res: Any) -> None:
        res.flush()
        res.write("event")
        res.flush()
        assert asked.wait(10)
        res.end(" end")
        res.flush()

    with connected(serve(app)) as connection:
        connection.sendall(GET)
        stream = connection.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        decompressor, events = zlib.decompressobj(), b""
        while not events:  # the first chunk is the head of zlib's format alone
            events += decompressor.decompress(stream.read(int(stream.readline(), 16)))
            stream.readline()
        assert events == b"event"
        asked.set()
        assert stream.read().endswith(b"0\r\n\r\n")


def test_flush_passes_what_one_transform_held_back_through_those_behind_it() -> None:
    written: list[bytes] = []
    app = transforming(UPPER, Deflate(), adding(b"+"))  # UPPER is behind Deflate

    def handler(req: Any, res: Any) -> None:
        res.write("a")
        res.flush()
        res.end()

    app.get("/", handler)
    ask_by_wsgi(app, written.append)
    plain = Deflate()
    assert written[:2] == [plain(b"a+", False).upper(), plain.flush().upper()]


def test_flush_does_nothing_for_a_response_without_transform_and_one_without_body() -> None:
    written: list[bytes] = []
    app = express()
    app.get("/", lambda req, res: (res.flush(), res.write("a"), res.flush(), res.end(), res.flush()))
    ask_by_wsgi(app, written.append)
    assert written == [b"a"]
    written.clear()
    app = transforming(Deflate())
    app.get("/", lambda req, res: (res.write("a"), res.flush(), res.end()))
    ask_by_wsgi(app, written.append, REQUEST_METHOD="HEAD")
    assert written == []


# Failures


def raises(chunk: bytes, is_last: bool) -> bytes:
    raise ValueError("no")


def test_what_a_transform_raises_before_the_start_is_answered_by_the_error_page_untransformed(serve: Serve) -> None:
    app = transforming(UPPER, raises)
    app.get("/", lambda req, res: res.set("Content-Encoding", "br").send("text"))
    got = requests.get(serve(app))
    assert (got.status_code, "<pre>" in got.text, "Content-Encoding" in got.headers) == (500, True, False)


@pytest.mark.parametrize(
    "handler", [lambda req, res: (res.write("te"), res.end("xt")), lambda req, res: res.end(iter([b"text"]))]
)
def test_what_a_transform_raises_after_the_start_aborts_the_connection(serve: Serve, handler: Any) -> None:
    def fails_at_the_end(chunk: bytes, is_last: bool) -> bytes:
        return raises(chunk, is_last) if is_last else chunk

    app = transforming(fails_at_the_end)
    app.get("/", handler)
    got = talk(serve(app), GET)
    assert got.startswith(b"HTTP/1.1 200 OK")
    assert not got.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("failure", ["a listener", "the status"])
@pytest.mark.parametrize("handler", [lambda req, res: res.send("text"), lambda req, res: res.end(iter([b"text"]))])
def test_a_coding_chosen_by_a_listener_is_dropped_where_the_head_cannot_be_sent(
    serve: Serve, failure: str, handler: Any
) -> None:
    """The error page is not deflated, nor said to be; the transforms of other middleware are applied to it."""
    app = transforming(UPPER)

    def fail(req: Any, res: Any, next: Any) -> None:
        res.on_headers(
            lambda: 1 / 0 if failure == "a listener" else res.status_code == setattr(res, "status_code", 150)
        )
        next()

    app.use(fail, deflate)  # deflate's listener is called first
    app.get("/", handler)
    got = requests.get(serve(app))
    assert (got.status_code, "Content-Encoding" in got.headers, "<PRE>" in got.text) == (500, False, True)


def test_an_error_handler_responds_without_the_coding_of_a_write_whose_listener_failed(serve: Serve) -> None:
    app = express()
    app.use(lambda req, res, next: (res.on_headers(lambda: 1 / 0), next()))
    app.use(deflate)
    app.get("/", lambda req, res: res.write("x"))
    app.use(lambda err, req, res, next: res.send(type(err).__name__))
    got = requests.get(serve(app))
    assert (got.text, "Content-Encoding" in got.headers) == ("ZeroDivisionError", False)


def test_a_listener_and_then_a_transform_may_fail() -> None:
    app = transforming(raises)
    app.use(lambda req, res, next: (res.on_headers(lambda: 1 / 0), next()))
    app.get("/", lambda req, res: res.send("text"))
    status, _, body = ask_by_wsgi(app)
    assert (status, b"<pre>" in body) == ("500 Internal Server Error", True)


# Iterables


def test_an_iterable_is_read_while_it_is_sent_and_closed(serve: Serve) -> None:
    events: list[str] = []

    def chunks() -> Iterator[bytes]:
        try:
            for name in (b"a", b"b"):
                events.append(f"read {name.decode()}")
                yield name
        finally:
            events.append("closed")

    app = transforming(lambda chunk, is_last: events.append("transformed") or chunk)  # type: ignore[func-returns-value]
    app.get("/", lambda req, res: res.on("close", lambda: events.append("close")).end(chunks()))
    assert requests.get(serve(app)).text == "ab"
    assert events[:6] == ["read a", "transformed", "read b", "transformed", "closed", "transformed"]


def test_an_iterable_that_yields_no_bytes_is_refused_and_one_that_was_not_read_is_closed(tmp_path: Path) -> None:
    for chunk in ("text", None):
        body = TransformedBody(iter([chunk]), [UPPER])  # type: ignore[list-item]
        with pytest.raises(TypeError, match=f"an iterable of bytes, not {chunk!r}"):
            next(body)
    with (tmp_path / "file").open("wb+") as file:
        TransformedBody(file, [UPPER]).close()
        assert file.closed


def test_a_transform_of_a_mounted_app_sees_the_request_as_it_was_there() -> None:
    app, sub, seen = express(), express(), []

    @sub.get("/:id")
    def handler(req: Any, res: Any) -> None:
        res.transform_body(lambda chunk, is_last: seen.append((req.base_url, req.params.id)) or chunk)  # type: ignore[func-returns-value]
        res.send("x")

    app.use("/api", sub)
    ask_by_wsgi(app, PATH_INFO="/api/7")
    assert seen == [("/api", "7")]
