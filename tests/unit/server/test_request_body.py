"""Reading a request's body, over real sockets; malformed bodies are in tests/http/test_wire.py."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from wsgiref.validate import validator

import pytest
import requests

from miniexpress.server.request_parser import BadRequest
from tests.support.wire import CHUNKED, GET, LAST, POST, answering, connected, echo, received, seen, statuses, talk

Serve = Callable[..., str]


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


def test_100_continue_is_sent_when_the_app_reads(serve: Serve) -> None:
    with connected(serve(echo)) as connection:
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
        with pytest.raises(BadRequest, match="chunk"):
            environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"fine"]

    response = talk(serve(app), CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n" + GET)
    assert statuses(response) == [200]
    assert b"\r\nConnection: close\r\n" in response


def test_without_100_continue_the_connection_ends_since_the_body_may_or_may_not_come(serve: Serve) -> None:
    url = serve(answering(b"no", status="403 Forbidden"))
    response = talk(url, POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert statuses(response) == [403]
    assert b"\r\nConnection: close\r\n" in response


def test_once_the_response_has_started_no_100_is_sent(serve: Serve) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"begun")
        return [environ["wsgi.input"].read()]

    with connected(serve(app)) as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        begun = connection.recv(65536)
        connection.sendall(b"hello")
        response = begun + received(connection)
    assert statuses(response) == [200]
    assert response.endswith(b"\r\n\r\n5\r\nbegun\r\n5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "responses"), [(100_000, 2), (1_000_000, 1)])
def test_a_small_body_that_the_app_left_is_passed_over(serve: Serve, chunked: bool, size: int, responses: int) -> None:
    url = serve(answering(b"GET /smuggled HTTP/1.1\r\n\r\n"))
    if chunked:
        request = CHUNKED + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * (size // 1000) + b"0\r\n\r\n"
    else:
        request = POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    assert statuses(talk(url, request + LAST)) == [200] * responses
