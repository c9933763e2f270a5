"""How the server reads a request and its body, over real sockets; what it takes and refuses is in test_wire.py."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from wsgiref.validate import validator

import pytest
import requests

from miniexpress.server import Server
from miniexpress.server.request_parser import Refused, read_head
from tests.support.waiting import processor_time
from tests.support.wire import CHUNKED, GET, LAST, POST, connected, echo, received, seen, statuses, talk

Serve = Callable[..., str]


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    server = Server(echo, port=0)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.stop()
    thread.join()


def test_repeated_headers_are_joined_or_the_first_counts_as_in_node(echo_url: str) -> None:
    fields = b"A: 1\r\na: 2\r\nCookie: c\r\nCookie: d\r\nAccept:\r\nAccept: b\r\n"
    single = b"User-Agent: 1\r\nUser-Agent: 2\r\nContent-Type: 1\r\nContent-Type: 2\r\nReferer:\r\nReferer: 2\r\n"
    environ = seen(talk(echo_url, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + single + b"\r\n"))
    assert (environ["HTTP_A"], environ["HTTP_COOKIE"], environ["HTTP_ACCEPT"]) == ("1, 2", "c; d", ", b")
    assert (environ["HTTP_USER_AGENT"], environ["CONTENT_TYPE"], environ["HTTP_REFERER"]) == ("1", "1", "")


def test_a_name_with_an_underscore_cannot_pass_for_one_with_a_hyphen(echo_url: str) -> None:
    fields = b"Connection: close\r\nX_User: admin\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n"
    environ = seen(talk(echo_url, b"GET / HTTP/1.1\r\nHost: x\r\n" + fields))
    assert not {"HTTP_X_USER", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_LENGTH"} & environ.keys()


def test_the_validator_finds_nothing_in_how_a_body_is_read(serve: Serve) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"]
        parts = [body.read(3), body.readline(), *body.readlines(1), *body, body.read(9)]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [repr(parts).encode()]

    body = b"one two\nthree\nfour\nfive"
    expected = repr([b"one", b" two\n", b"three\n", b"four\n", b"five", b""]).encode()
    url = serve(validator(app))
    assert requests.post(url, data=body, timeout=10).content == expected
    assert requests.post(url, data=iter([body[:9], body[9:]]), timeout=10).content == expected


def test_the_environ_names_both_ends(echo_url: str) -> None:
    with connected(echo_url) as connection:
        connection.sendall(LAST)
        environ = seen(received(connection))
        assert (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"])) == connection.getsockname()
        assert (environ["SERVER_NAME"], int(environ["SERVER_PORT"])) == connection.getpeername()
    assert (environ["wsgi.url_scheme"], environ["SCRIPT_NAME"], environ["SERVER_PROTOCOL"]) == ("http", "", "HTTP/1.1")


def test_a_request_may_come_byte_by_byte(echo_url: str) -> None:
    with connected(echo_url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n" + LAST
        for index in range(len(request)):
            connection.sendall(request[index : index + 1])
        assert seen(received(connection))["body"] == "hello"


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /\r\n",
        b"\r\nGET /\r\n",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nA: b\0",
        b"GET / HTTP/1.1\r\nA: b\rc",
        b"\x16\x03\x01",
        CHUNKED + b"5\n",
        CHUNKED + b"5\r\nhelloXX",
    ],
)
def test_what_is_wrong_already_is_refused_before_it_is_complete(echo_url: str, begin: bytes) -> None:
    assert statuses(talk(echo_url, begin)) == [400]


def test_100_continue_is_sent_when_the_app_reads(echo_url: str) -> None:
    with connected(echo_url) as connection:
        connection.sendall(POST + b"Connection: close\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert seen(received(connection))["body"] == "hello"


def test_a_line_end_left_behind_by_a_body_is_no_request_begun(serve: Serve) -> None:
    posted = POST + b"Content-Length: 1\r\n\r\na\r\n"
    assert statuses(talk(serve(echo, keep_alive_timeout=100), posted)) == [200]
    assert statuses(talk(serve(echo), posted + LAST)) == [200, 200]


def test_a_body_that_breaks_off_is_an_error_to_the_app(serve: Serve) -> None:
    errors: list[Any] = []
    done = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            errors.append(error)
        done.set()
        return echo({"wsgi.input": environ["wsgi.input"]}, start_response)

    with connected(serve(app)) as connection:
        connection.sendall(POST + b"Content-Length: 5\r\n\r\nhel")
    assert done.wait(10)
    assert [error.status for error in errors] == [400]


def test_an_app_that_swallows_a_malformed_body_does_not_keep_the_connection(serve: Serve) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        with pytest.raises(Refused, match="chunk"):
            environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"fine"]

    answer = talk(serve(app), CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n" + GET)
    assert statuses(answer) == [200]
    assert b"\r\nConnection: close\r\n" in answer


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET /" + b"a" * 100_000,
        b"GET / HTTP/1.1\r\nHost: " + b"a." * 50_000 + b"!@",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A:\r\n" * 25_000,
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: " + b"," * 100_000,
        b"G" * 100_000,
        b"GET http://" + b"a" * 100_000,
    ],
    ids=["target", "host", "headers", "connection", "method", "authority"],
)
def test_a_hostile_head_takes_next_to_no_time(hostile: bytes) -> None:
    def read() -> None:
        with suppress(Refused):
            read_head(hostile, {}, 2000)

    hostile = hostile[:16_384]  # more than that never gets here
    assert processor_time(read) < 0.01
