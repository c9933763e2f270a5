"""Reading a request and its body, over real sockets; malformed ones are in tests/http/test_wire.py."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from miniexpress.server import Server
from miniexpress.server.request_parser import BadRequest, parse_head
from tests.support.waiting import processor_time
from tests.support.wire import CHUNKED, LAST, connected, echo, received, seen, statuses, talk

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
        with suppress(BadRequest):
            parse_head(hostile, {}, 2000)

    hostile = hostile[:16_384]  # more than that never gets here
    assert processor_time(read) < 0.01
