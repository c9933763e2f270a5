"""What the server reads, over raw sockets. What Node takes was recorded with the http module of Node v20.20.2."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import perf_counter
from typing import Any
from wsgiref.validate import validator

import pytest
import requests
from wire import CHUNKED, GET, LAST, POST, connected, echo, received, seen, statuses, talk

from miniexpress.incoming import Refused, read_head
from miniexpress.server import Server

Serve = Callable[..., str]

REFUSED = {
    # The request line.
    "a blank before the method": (400, b" GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method that is no token": (400, b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "no method": (400, b"/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "two blanks before the target": (400, b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "two blanks before the version": (400, b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a tab for a blank": (400, b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a tab in the target": (400, b"GET /\tx HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a blank in the target": (400, b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a blank after the version": (400, b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
    "no version": (400, b"GET /\r\nHost: x\r\n\r\n"),
    "version 0.9": (400, b"GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
    "version 1.2": (400, b"GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
    "version 2.0": (400, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    "version 1.10": (400, b"GET / HTTP/1.10\r\nHost: x\r\n\r\n"),
    "version 11": (400, b"GET / HTTP/11\r\nHost: x\r\n\r\n"),
    "version 1.1x": (400, b"GET / HTTP/1.1x\r\nHost: x\r\n\r\n"),
    "a version in lower case": (400, b"GET / http/1.1\r\nHost: x\r\n\r\n"),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a target without slash": (400, b"GET foo HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a query without path": (400, b"GET ?a=b HTTP/1.1\r\nHost: x\r\n\r\n"),
    "an asterisk but for OPTIONS": (400, b"GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a scheme that is not ours": (400, b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a fragment": (400, b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a user in the target": (400, b"GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a byte above 127 in the target": (400, b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a NUL in the target": (400, b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a DEL in the target": (400, b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT": (400, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "CONNECT with a path": (400, b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a line too long": (414, b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "two empty lines ahead": (400, b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "the start of TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    # The ends of lines.
    "LF after the request line": (400, b"GET / HTTP/1.1\nHost: x\r\n\r\n"),
    "LF after a header": (400, b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
    "LF for the empty line": (400, b"GET / HTTP/1.1\r\nHost: x\r\n\n"),
    "LF everywhere": (400, b"GET / HTTP/1.1\nHost: x\n\n"),
    "LF ahead": (400, b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a bare CR": (400, b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"),
    "CR CR LF": (400, b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"),
    # Headers.
    "a folded header": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: a\r\n b\r\n\r\n"),
    "a folded first header": (400, b"GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
    "a blank before the colon": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"),
    "a header without colon": (400, b"GET / HTTP/1.1\r\nHost: x\r\nAccept\r\n\r\n"),
    "a header without name": (400, b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"),
    "a name that is no token": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA(b: c\r\n\r\n"),
    "a byte above 127 in a name": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA\xff: b\r\n\r\n"),
    "a NUL in a name": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA\x00: b\r\n\r\n"),
    "a NUL in a value": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n"),
    "a control character in a value": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x01c\r\n\r\n"),
    "a DEL in a value": (400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n"),
    "headers too long": (431, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 17000 + b"\r\n\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    "the same Host twice": (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
    "a list of Hosts": (400, b"GET / HTTP/1.1\r\nHost: x,y\r\n\r\n"),
    "a Host with a blank": (400, b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n"),
    "a Host with a path": (400, b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
    "a Host with a user": (400, b"GET / HTTP/1.1\r\nHost: u@x\r\n\r\n"),
    "a Host with a port that is none": (400, b"GET / HTTP/1.1\r\nHost: x:y\r\n\r\n"),
    "a malformed Host in HTTP/1.0": (400, b"GET / HTTP/1.0\r\nHost: x y\r\n\r\n"),
    "an unknown expectation": (417, POST + b"Expect: tea\r\nContent-Length: 5\r\n\r\nhello"),
    # The size of the body.
    "a signed length": (400, POST + b"Content-Length: +5\r\n\r\nhello"),
    "a negative length": (400, POST + b"Content-Length: -5\r\n\r\nhello"),
    "a hexadecimal length": (400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\n"),
    "a length with letters": (400, POST + b"Content-Length: 5a\r\n\r\nhello"),
    "a length with an underscore": (400, POST + b"Content-Length: 0_5\r\n\r\nhello"),
    "a length with a point": (400, POST + b"Content-Length: 5.0\r\n\r\nhello"),
    "a length in superscript": (400, POST + b"Content-Length: \xb2\r\n\r\nhello"),
    "a list of lengths": (400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
    "the same length twice": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "two lengths": (400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    "a length beyond all": (400, POST + b"Content-Length: 99999999999999999999999\r\n\r\nhello"),
    "a length and chunks": (400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "chunks and a length": (400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "gzip, then chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked, then gzip": (400, POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "chunked, then chunked": (400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked twice": (400, POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "identity": (400, POST + b"Transfer-Encoding: identity\r\n\r\n"),
    "xchunked": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "an empty coding": (400, POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    "a coding with a vertical tab": (400, POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    "a coding in quotes": (400, POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n'),
    "a coding with a parameter": (400, POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"),
    # Chunks.
    "a size with 0x": (400, CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a size with a sign": (400, CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n"),
    "a size with an underscore": (400, CHUNKED + b"0_5\r\nhello\r\n0\r\n\r\n"),
    "no size": (400, CHUNKED + b"\r\nhello\r\n0\r\n\r\n"),
    "a blank before a size": (400, CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n"),
    "a blank after a size": (400, CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    "a size that is no number": (400, CHUNKED + b"g\r\nhello\r\n0\r\n\r\n"),
    "a size beyond all": (400, CHUNKED + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "an empty extension": (400, CHUNKED + b"5;\r\nhello\r\n0\r\n\r\n"),
    "LF in an extension": (400, CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    "CR in an extension": (400, CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    "a NUL in an extension": (400, CHUNKED + b'5;a="\x00"\r\nhello\r\n0\r\n\r\n'),
    "extensions too long": (431, CHUNKED + (b"1;a=" + b"a" * 9000 + b"\r\nh\r\n") * 2 + b"0\r\n\r\n"),
    "LF after a size": (400, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
    "LF after a chunk": (400, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    "nothing after a chunk": (400, CHUNKED + b"5\r\nhello0\r\n\r\n"),
    "a chunk longer than its size": (400, CHUNKED + b"5\r\nhelloXX\r\n0\r\n\r\n"),
    "LF after the last chunk": (400, CHUNKED + b"5\r\nhello\r\n0\r\n\n"),
    "a trailer without colon": (400, CHUNKED + b"0\r\nAb\r\n\r\n"),
    "a folded trailer": (400, CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n"),
    "a NUL in a trailer": (400, CHUNKED + b"0\r\nA: \x00\r\n\r\n"),
    "a length in a trailer": (400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
    "a coding in a trailer": (400, CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "trailers too long": (431, CHUNKED + b"0\r\n" + (b"A: " + b"b" * 1000 + b"\r\n") * 17 + b"\r\n"),
}


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    server = Server(echo, port=0)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.stop()
    thread.join()


@pytest.mark.parametrize(("status", "request_"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_be_read_two_ways_is_refused_and_nothing_behind_it_is_a_request(
    echo_url: str, status: int, request_: bytes
) -> None:
    answer = talk(echo_url, request_ + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert re.fullmatch(rb"HTTP/1\.1 %d [A-Z][\w -]+\r\nConnection: close\r\n\r\n" % status, answer)


@pytest.mark.parametrize(
    ('request_', 'expected'),
    [
        (b'\r\n' + GET, {'REQUEST_URI': '/'}),
        (b'purge / HTTP/1.1\r\nHost: x\r\n\r\n', {'REQUEST_METHOD': 'purge'}),
        (b'GET //a?b=c?d&%20 HTTP/1.1\r\nHost: x\r\n\r\n', {'PATH_INFO': '//a', 'QUERY_STRING': 'b=c?d&%20'}),
        (b'GET /%C3%A9%2f HTTP/1.1\r\nHost: x\r\n\r\n', {'PATH_INFO': '/\xc3\xa9/', 'REQUEST_URI': '/%C3%A9%2f'}),
        (b'GET /"<>\\^`{|} HTTP/1.1\r\nHost: x\r\n\r\n', {'REQUEST_URI': '/"<>\\^`{|}'}),
        (b'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', {'REQUEST_URI': '*', 'PATH_INFO': ''}),
        (
            b'GET http://h:8/p?q HTTP/1.1\r\nHost: x\r\n\r\n',
            {'REQUEST_URI': 'http://h:8/p?q', 'PATH_INFO': '/p', 'QUERY_STRING': 'q', 'HTTP_HOST': 'h:8'},
        ),
        (b'GET / HTTP/1.1\r\nHost:\r\n\r\n', {'HTTP_HOST': ''}),
        (b'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', {'HTTP_HOST': '[::1]:80'}),
        (b'GET / HTTP/1.1\r\nHost:x\r\nA: \t b\tc \t\r\nB:\r\n\r\n', {'HTTP_A': 'b\tc', 'HTTP_B': ''}),
        (b'GET / HTTP/1.1\r\nHost: x\r\nA: \xff\r\n\r\n', {'HTTP_A': '\xff'}),
        (POST + b'Content-Length: 0005\r\n\r\nhello', {'body': 'hello', 'CONTENT_LENGTH': '0005'}),
        (b'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello', {'body': 'hello'}),
        (POST + b'Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n', {'body': 'hello'}),
        (
            CHUNKED + b'005;a;b=c;d="e;\\"f"\r\nhello\r\nA\r\n, and more\r\n000\r\nA: b\r\n\r\n',
            {'body': 'hello, and more'},
        ),
        (b'POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: tea\r\nContent-Length: 2\r\n\r\nhi', {'body': 'hi'}),
    ],
)  # fmt: skip
def test_what_is_well_formed_is_read_to_its_end(echo_url: str, request_: bytes, expected: dict[str, str]) -> None:
    answer = talk(echo_url, request_ + LAST)
    assert statuses(answer) == [200, 200]
    assert b'"REQUEST_URI": "/last"' in answer
    environ = seen(answer)
    assert {key: environ[key] for key in expected} == expected


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


def test_pipelined_requests_are_answered_in_order(echo_url: str) -> None:
    answer = talk(echo_url, GET + CHUNKED.replace(b"/ ", b"/two ") + b"1\r\n2\r\n0\r\n\r\n" + GET + LAST)
    assert re.findall(rb'"REQUEST_URI": "(.*?)"', answer) == [b"/", b"/two", b"/", b"/last"]


def test_a_request_may_come_byte_by_byte(echo_url: str) -> None:
    with connected(echo_url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n" + LAST
        for index in range(len(request)):
            connection.sendall(request[index : index + 1])
        assert seen(received(connection))["body"] == "hello"


def test_100_continue_is_sent_when_the_app_reads(echo_url: str) -> None:
    with connected(echo_url) as connection:
        connection.sendall(POST + b"Connection: close\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert seen(received(connection))["body"] == "hello"


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
    def once() -> float:
        begun = perf_counter()
        with suppress(Refused):
            read_head(hostile, {}, 2000)
        return perf_counter() - begun

    hostile = hostile[:16_384]  # more than that never gets here
    assert min(once() for _ in range(5)) < 0.01
