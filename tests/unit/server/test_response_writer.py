"""Responses of the server, over raw sockets. Those of Node were recorded with the http module of Node v20.20.2."""

from __future__ import annotations

import logging
import re
import ssl
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from miniexpress import express
from tests.support.wire import GET, LAST, answering, connected, dateless, echo, received, statuses, talk

Serve = Callable[..., str]


def test_the_headers_of_a_response_are_nodes_in_nodes_order(serve: Serve) -> None:
    url = serve(answering(b"hi", headers=(("X-A", "1"),)))
    with connected(url) as connection:
        connection.sendall(GET)
        one = connection.recv(65536)  # head and body leave in one piece
        assert dateless(one) == (
            b"HTTP/1.1 200 OK\r\nX-A: 1\r\nDate: now\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
            b"Content-Length: 2\r\n\r\nhi"
        )
        connection.sendall(LAST)
        last = received(connection)
    assert dateless(last) == (
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nDate: now\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    )


def test_headers_of_the_app_come_before_those_of_the_server(serve: Serve) -> None:
    own = (("Content-Length", "2"), ("Connection", "close"), ("Date", "x"))
    assert talk(serve(answering(b"hi", headers=own)), GET) == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nDate: x\r\n\r\nhi"
    )


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (LAST, b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
        (b"GET / HTTP/1.0\r\n\r\n", b"Connection: close\r\n\r\nabc"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"Connection: close\r\n\r\nabc"),
        (LAST.replace(b"GET", b"HEAD"), b"Connection: close\r\n\r\n"),
    ],
)
def test_a_response_of_unknown_size_is_chunked_or_ends_with_the_connection(
    serve: Serve, request_: bytes, response: bytes
) -> None:
    url = serve(answering(b"a", b"", b"bc"))
    assert dateless(talk(url, request_)) == b"HTTP/1.1 200 OK\r\nDate: now\r\n" + response


def test_an_app_can_end_the_connection_but_not_keep_it(serve: Serve) -> None:
    kept = talk(serve(answering(b"hi", headers=(("connection", "keep-alive"), ("X-A", "1")))), GET + LAST)
    assert re.findall(rb"(?i)connection: .*\r\n", kept) == [b"Connection: keep-alive\r\n", b"Connection: close\r\n"]
    ended = talk(serve(answering(b"hi", headers=(("Connection", "x, close"),))), GET + LAST)
    assert re.findall(rb"(?i)connection: .*\r\n", ended) == [b"Connection: x, close\r\n"]


def test_http_1_0_keeps_the_connection_only_when_asked(serve: Serve) -> None:
    kept = b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"
    response = talk(serve(echo), kept + b"GET / HTTP/1.0\r\n\r\n" + GET)
    assert statuses(response) == [200, 200]
    assert re.findall(rb"Connection: (.*)\r\n", response) == [b"keep-alive", b"close"]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_response_without_body_has_none_whatever_the_app_returns(serve: Serve, status: str) -> None:
    for chunks in ((b"body",), (b"bo", b"dy")):
        url = serve(answering(*chunks, status=status))
        assert dateless(talk(url, LAST)) == (f"HTTP/1.1 {status}\r\nDate: now\r\nConnection: close\r\n\r\n".encode())


def test_head_tells_the_length_and_sends_no_body(serve: Serve) -> None:
    url = serve(answering(b"hello", headers=(("Content-Length", "5"),)))
    response = talk(url, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + LAST)
    assert statuses(response) == [200, 200]
    assert response.count(b"Content-Length: 5") == 2
    assert response.count(b"hello") == 1


@pytest.mark.parametrize("length", ["3", "9"])
def test_a_wrong_content_length_is_a_500_where_it_is_seen_in_time(
    serve: Serve, caplog: pytest.LogCaptureFixture, length: str
) -> None:
    response = talk(serve(answering(b"hello", headers=(("Content-Length", length),))), GET + GET)
    assert response == b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
    assert f"the response has 5 bytes, and a Content-Length of {length}" in caplog.text


@pytest.mark.parametrize(("length", "body"), [("3", b"he"), ("9", b"hello")])
def test_a_wrong_content_length_ends_the_connection_once_the_response_has_started(
    serve: Serve, caplog: pytest.LogCaptureFixture, length: str, body: bytes
) -> None:
    response = talk(serve(answering(b"he", b"llo", headers=(("Content-Length", length),))), GET + GET)
    assert statuses(response) == [200]
    assert response.endswith(b"\r\n\r\n" + body)
    assert "Content-Length" in caplog.text


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", [("X-A", "b\r\nSet-Cookie: evil=1")]),
        ("200 OK", [("X-A", "b\nc")]),
        ("200 OK", [("X-A", "b\x00c")]),
        ("200 OK", [("X-A", "\u20ac")]),
        ("200 OK", [("X-A", 5)]),
        ("200 OK", [("X A", "b")]),
        ("200 OK", [("X-A\r\nX-B", "b")]),
        ("200 OK", [("", "b")]),
        ("200 OK", [("Content-Length", "-1")]),
        ("200 OK", [("Content-Length", "1"), ("content-length", "2")]),
        ("200 OK\r\nX-A: b", []),
        ("100 Continue", []),
        ("OK", []),
        (200, []),
    ],
)
def test_a_head_that_would_not_arrive_as_meant_is_never_sent(
    serve: Serve, caplog: pytest.LogCaptureFixture, status: Any, headers: Any
) -> None:
    response = talk(serve(answering(b"hi", status=status, headers=headers)), GET)
    assert response == b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
    assert [(record.name, record.levelno) for record in caplog.records] == [("miniexpress.server", logging.ERROR)]


def test_an_app_that_fails_after_its_first_byte_ends_the_connection_unfinished(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        raise ZeroDivisionError

    response = talk(serve(app), GET + GET)
    assert response.endswith(b"\r\n\r\n5\r\nbegun\r\n")
    assert "ZeroDivisionError" in caplog.text


class Closing:
    """An iterable that notes that it was closed."""

    def __init__(self, chunks: Any) -> None:
        self.chunks = chunks
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("chunks", [[b"a", b"b"], [b"a", "not bytes"], ["not bytes"], []])
def test_what_the_app_returned_is_always_closed(serve: Serve, chunks: list[Any]) -> None:
    returned = Closing(chunks)

    def app(environ: Any, start_response: Any) -> Closing:
        start_response("200 OK", [])
        return returned

    talk(serve(app), LAST)
    assert returned.closed.is_set()


def test_write_sends_before_what_the_app_returns(serve: Serve) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"first")
        return [b"second"]

    assert talk(serve(app), LAST).endswith(b"chunked\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


def test_start_response_may_be_called_again_only_with_exc_info(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("X-A", "1")])
        if environ["PATH_INFO"] == "/twice":
            start_response("500 Failed", [])
        if environ["PATH_INFO"] == "/late":
            write(b"begun")
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            start_response("503 Sorry", [("X-B", "2")], sys.exc_info())
        return [b"sorry"]

    url = serve(app)
    response = talk(url, LAST)
    assert response.startswith(b"HTTP/1.1 503 Sorry\r\nX-B: 2\r\n")
    assert b"X-A" not in response
    assert statuses(talk(url, LAST.replace(b"/last", b"/twice"))) == [500]
    assert talk(url, LAST.replace(b"/last", b"/late")).endswith(b"\r\n\r\n5\r\nbegun\r\n")
    assert "called twice" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_an_app_that_forgets_start_response_gets_a_500(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(talk(serve(lambda environ, start_response: [b"hi"]), LAST)) == [500]
    assert "without calling start_response" in caplog.text


def test_a_large_response_arrives_whole(serve: Serve) -> None:
    body = bytes(range(256)) * 40_000
    url = serve(answering(body))
    assert requests.get(url, timeout=30).content == body


LARGE = b"x" * 10_000_000
STREAM = express()
STREAM.get("/", lambda req, res: (res.write(LARGE), res.end()))
WHOLE = express()
WHOLE.get("/", lambda req, res: res.send(LARGE))


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    "app",
    [answering(LARGE), lambda *wsgi: [*answering(LARGE, LARGE)(*wsgi)], answering(LARGE, LARGE), WHOLE, STREAM],
    ids=["a body", "a body in parts", "pieces", "send", "write"],
)
def test_a_large_response_is_not_copied_for_a_client_that_does_not_read_it(
    serve: Serve, tls: ssl.SSLContext, app: Any, encrypted: bool
) -> None:
    url = serve(app, **({"ssl_context": tls} if encrypted else {}))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as stack:
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        for _ in range(3):
            client = stack.enter_context(connected(url))
            if encrypted:
                client = stack.enter_context(trusting.wrap_socket(client))
            client.sendall(GET)
            assert client.recv(1)  # so what is to be sent is there
        assert tracemalloc.get_traced_memory()[1] < 5_000_000


@pytest.mark.parametrize("ending", ["returns", "fails", "is closed"])
def test_write_is_refused_once_its_response_has_ended_and_leaves_the_next_one_alone(
    serve: Serve, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    kept: list[Any] = []
    refusals: list[str] = []

    def write_late() -> None:
        with pytest.raises(RuntimeError, match="write\\(\\) was called after its response had ended") as refused:
            kept[0](b"HTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n")
        refusals.append(str(refused.value))

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        if not kept:
            kept.append(write)
            if ending == "fails":
                raise ZeroDivisionError
            first = Closing([b"first"])
            if ending == "is closed":
                first.close = write_late  # type: ignore[method-assign]
            return first
        late = threading.Thread(target=write_late)
        late.start()
        late.join()
        return [b"second"]

    url = serve(app)
    responses = talk(url, GET + LAST) if ending != "fails" else talk(url, GET) + talk(url, LAST)
    assert statuses(responses) == ([500, 200] if ending == "fails" else [200, 200])
    assert responses.endswith(b"\r\n\r\nsecond")
    assert b"X-Evil" not in responses
    assert refusals


def test_write_takes_bytes_only_and_says_so(serve: Serve) -> None:
    errors: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        for data in ("text", 5, None):
            with pytest.raises(TypeError) as error:
                write(data)
            errors.append(str(error.value))
        return [b"hi"]

    assert talk(serve(app), LAST).endswith(b"Content-Length: 2\r\n\r\nhi")
    assert len(errors) == 3
