"""``compression``: its options, and bodies that are sent piece by piece. That it answers as npm compression does
tests/conformance holds."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from miniexpress import compression, express, static
from tests.support.served_folder import ask, call
from tests.support.waiting import wait_for
from tests.support.wire import connected

Serve = Callable[..., str]

GZIP = {"Accept-Encoding": "gzip"}
GET = b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
TEXT = "hello, world " * 1000


def app_with(handler: Any, **options: Any) -> Any:
    app = express().set("env", "test")
    app.use(compression(**options))
    app.get("/", handler)
    return app


class Client:
    """A client that decompresses what it has received so far."""

    def __init__(self, connection: Any) -> None:
        self.stream = connection.makefile("rb")
        self.inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        connection.sendall(GET)
        self.head = b"".join(iter(self.stream.readline, b"\r\n")).decode().lower()

    def read_chunk(self) -> bytes | None:
        """Return the text of the next chunk (RFC 9112 section 7.1), ``None`` at the end of the response."""
        size = int(self.stream.readline(), 16)
        chunk = self.stream.read(size)
        self.stream.readline()
        return self.inflater.decompress(chunk) if size else None

    def read_until(self, text: bytes) -> None:
        received = b""
        while text not in received:
            chunk = self.read_chunk()
            assert chunk is not None
            received += chunk
        assert received == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"threshold": "1 fortnight"},
            "the option 'threshold' takes a number of bytes, or one like '100kb', not '1 fort",
        ),
        ({"threshold": -1}, "the option 'threshold' takes a number of bytes"),
        ({"threshold": None}, "the option 'threshold' takes a number of bytes, or one like '100kb', not None"),
        ({"level": 10}, r"compression\(level=…\) takes a number from -1 to 9, not 10"),
        ({"level": "9"}, r"compression\(level=…\) takes a number from -1 to 9, not '9'"),
        ({"level": True}, "takes a number from -1 to 9, not True"),
        ({"mem_level": 0}, r"compression\(mem_level=…\) takes a number from 1 to 9, not 0"),
        ({"strategy": 5}, r"compression\(strategy=…\) takes a number from 0 to 4, not 5"),
        ({"window_bits": 31}, r"compression\(window_bits=…\) takes a number from 9 to 15, not 31"),
        ({"filter": "text/*"}, r"the option 'filter' takes a function \(req, res\), not 'text/\*'"),
        ({"filter": lambda a, b, c: True}, "takes 3 parameters: the option 'filter' takes a function"),
        (
            {"enforce_encoding": "br"},
            r"compression\(enforce_encoding=…\) takes one of \('gzip', 'deflate', 'identity'\)",
        ),
        ({"enforce_encoding": None}, "takes one of"),
        ({"enforceEncoding": "gzip"}, "no option 'enforceEncoding': did you mean 'enforce_encoding'"),
        ({"windowBits": 9}, "no option 'windowBits': did you mean 'window_bits'"),
        ({"brotli": {}}, "no option 'brotli': it has enforce_encoding, filter, level"),
    ],
)
def test_a_wrong_option_is_refused_when_the_middleware_is_made(options: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        compression(**options)


def test_options_are_no_positional_arguments() -> None:
    with pytest.raises(TypeError, match=r"positional|as keywords"):
        compression({"level": 9})  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"level": level, "mem_level": mem_level, "strategy": strategy, "window_bits": bits}
        for level, mem_level, strategy, bits in (
            (-1, 1, 0, 9),
            (0, 9, 4, 15),
            (9, 8, 3, 12),
            (1, 5, 1, 10),
            (6, 2, 2, 15),
        )
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_each_choice_of_zlib_can_be_decompressed(options: Any, encoding: str, serve: Serve) -> None:
    url = serve(app_with(lambda req, res: res.send(TEXT), **options))
    response = ask(url, "/", {"Accept-Encoding": encoding})
    assert response.headers["content-encoding"] == encoding
    assert int(response.headers["content-length"]) == len(response.body)
    assert zlib.decompress(response.body, 47).decode() == TEXT


def test_the_level_decides_on_the_size() -> None:
    sizes = [len(call_accepting(app_with(lambda req, res: res.send(TEXT), level=level), "gzip")) for level in (0, 1, 9)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > len(TEXT) > sizes[1]


def call_accepting(app: Any, encoding: str) -> bytes:
    """Call the app as a WSGI server does, for a client that accepts an encoding."""

    def accepting(environ: Any, start_response: Any) -> Any:
        return app({**environ, "HTTP_ACCEPT_ENCODING": encoding}, start_response)

    return call(accepting, "/").body


def test_a_piece_is_with_the_client_once_it_is_flushed(serve: Serve) -> None:
    is_read = threading.Event()

    def pieces(req: Any, res: Any) -> None:
        res.type("text/event-stream")
        for piece in ("data: one\n\n", "data: two\n\n"):
            res.write(piece)
            res.flush()
            assert is_read.wait(10)
            is_read.clear()
        res.end("data: three\n\n")

    with connected(serve(app_with(pieces))) as connection:
        client = Client(connection)
        assert "content-encoding: gzip" in client.head
        assert "transfer-encoding: chunked" in client.head
        for piece in (b"data: one\n\n", b"data: two\n\n"):
            client.read_until(piece)
            is_read.set()
        client.read_until(b"data: three\n\n")
        assert client.inflater.eof


def test_a_piece_is_held_back_until_there_is_enough_to_compress(serve: Serve) -> None:
    has_written, is_read = threading.Event(), threading.Event()

    def pieces(req: Any, res: Any) -> None:
        res.type("text").write("one, ")
        has_written.set()
        assert is_read.wait(10)
        res.write("two, ")
        res.flush()
        res.end("three")

    with connected(serve(app_with(pieces))) as connection:
        connection.settimeout(10)
        client = Client(connection)
        assert has_written.wait(10)
        assert client.read_chunk() == b""  # gzip's header alone
        is_read.set()
        client.read_until(b"one, two, ")
        client.read_until(b"three")


def test_a_flush_without_compression_does_nothing(serve: Serve) -> None:
    def pieces(req: Any, res: Any) -> None:
        res.flush()
        res.type("png").write(b"one, ")
        res.flush()
        res.end(b"two")

    assert ask(serve(app_with(pieces)), "/", GZIP).body == b"one, two"


def test_a_generated_body_is_compressed_while_it_is_sent_and_closed(serve: Serve) -> None:
    closed = []

    def body() -> Iterator[bytes]:
        try:
            for number in range(1000):
                yield b"%d, " % number
        finally:
            closed.append(True)

    def generated(req: Any, res: Any) -> None:
        res.type("text").set("Content-Length", sum(len(f"{number}, ") for number in range(1000))).end(body())

    response = ask(serve(app_with(generated)), "/", GZIP)
    assert gzip.decompress(response.body) == b"".join(b"%d, " % number for number in range(1000))
    assert "content-length" not in response.headers
    assert wait_for(lambda: closed, "the end of the generator") == [True]


def test_a_large_file_is_compressed_and_a_part_of_it_is_not(serve: Serve, tmp_path: Path) -> None:
    content = b"".join(b"line %d\n" % number for number in range(200_000))
    (tmp_path / "large.txt").write_bytes(content)
    app = express()
    app.use(compression(), static(tmp_path))
    app.get("/sent", lambda req, res: res.send_file("large.txt", root=str(tmp_path)))
    url = serve(app)
    for target in ("/large.txt", "/sent"):
        response = ask(url, target, GZIP)
        assert gzip.decompress(response.body) == content
        assert len(response.body) < len(content) / 2
        assert not {"accept-ranges", "content-length"} & set(response.headers)
        again = ask(url, target, {**GZIP, "If-None-Match": response.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        part = ask(url, target, {**GZIP, "Range": "bytes=7-2000"})
        assert (part.status, part.body) == (206, content[7:2001])
        assert "content-encoding" not in part.headers
    whole = ask(url, "/large.txt", {"Accept-Encoding": "identity"})
    assert (whole.body, whole.headers["accept-ranges"]) == (content, "bytes")


def test_a_205_which_has_no_content_gets_none_by_being_compressed(serve: Serve) -> None:
    app = express().use(compression(threshold=0))
    app.get("/", lambda req, res: res.status(205).type("text").send("hello"))
    answer = ask(serve(app), "/", GZIP)
    assert (answer.headers["content-length"], answer.headers.get("content-encoding")) == ("0", None)


def test_a_strong_etag_is_weak_where_the_body_is_compressed(serve: Serve) -> None:
    app = app_with(lambda req, res: res.set("ETag", '"1"').send(TEXT))
    url = serve(app)
    assert ask(url, "/", GZIP).headers["etag"] == 'W/"1"'
    assert ask(url, "/").headers["etag"] == '"1"'
    assert ask(url, "/", {**GZIP, "If-None-Match": 'W/"1"'}).status == 304


def test_an_http_1_0_client_reads_until_the_connection_ends(serve: Serve) -> None:
    with connected(serve(app_with(lambda req, res: (res.type("text").write(TEXT), res.end())))) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(body).decode() == TEXT


def test_a_body_that_fails_midway_is_seen_to_be_incomplete(serve: Serve) -> None:
    def failing(req: Any, res: Any) -> None:
        res.type("text").write(TEXT)
        raise ValueError("failed midway")

    with connected(serve(app_with(failing))) as connection:
        connection.sendall(GET)
        received = connection.makefile("rb").read()
    assert b"Content-Encoding: gzip" in received
    assert not received.endswith(b"0\r\n\r\n")


def test_what_a_filter_raises_is_answered_as_an_error(serve: Serve) -> None:
    def broken(req: Any, res: Any) -> bool:
        raise ValueError("no filter")

    response = ask(serve(app_with(lambda req, res: res.send(TEXT), filter=broken)), "/", GZIP)
    assert response.status == 500
    assert "content-encoding" not in response.headers


def test_the_error_page_of_a_compressed_route_is_compressed_once(serve: Serve) -> None:
    def failing(req: Any, res: Any) -> None:
        res.set("Content-Encoding", "gzip")
        raise ValueError("failed")

    response = ask(serve(app_with(failing, threshold=0)), "/", GZIP)
    assert response.status == 500
    assert b"<!DOCTYPE html>" in gzip.decompress(response.body)


def test_requests_at_once_have_a_compressor_each(serve: Serve) -> None:
    def pieces(req: Any, res: Any) -> None:
        res.type("text")
        for number in range(50):
            res.write(f"{req.query.name} {number}\n")
            res.flush()
        res.end()

    url = serve(app_with(pieces))

    def read(name: int) -> str:
        return gzip.decompress(ask(url, f"/?name={name}", GZIP).body).decode()

    with ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(read, range(24)))
    assert bodies == ["".join(f"{name} {number}\n" for number in range(50)) for name in range(24)]
