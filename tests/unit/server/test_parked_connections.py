"""Connections between two requests: they have no thread, and none keeps another waiting in its turn."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest

from miniexpress.server import Server
from miniexpress.server.connection import log
from miniexpress.server.parked_connections import CAN_PARK
from miniexpress.server.request_parser import parse_head
from tests.support.waiting import wait_for
from tests.support.wire import CHUNKED, GET, LAST, POST, answering, connected, echo, received, seen, statuses

pytestmark = pytest.mark.skipif(not CAN_PARK, reason="each connection keeps its thread here")

HELLO = answering(b"hi")
LARGE = b"x" * 50_000_000  # more than the buffers of both ends hold
Parked = tuple[Server, list[socket.socket]]


@contextmanager
def parked(app: Any, count: int, **options: Any) -> Iterator[Parked]:
    """Serve ``app``, with ``count`` clients that have each had a response and are parked."""
    server = Server(app, **options)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        with ExitStack() as stack:
            clients = [stack.enter_context(connected(f"http://127.0.0.1:{server.server_port}")) for _ in range(count)]
            for client in clients:
                ask(client)
            wait_for(lambda: all_parked(server, count), "parked clients")
            yield server, clients
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


def all_parked(server: Server, count: int) -> bool:
    return sum(connection.is_parked for connection in list(server.connections)) == count


def ask(client: socket.socket, request: bytes = GET) -> bytes:
    client.sendall(request)
    response = client.recv(65536)
    assert response.startswith(b"HTTP/1.1 200 ")
    return response


def at(path: str) -> bytes:
    return GET.replace(b"/ ", f"/{path} ".encode())


def by_path(**apps: Any) -> Any:
    """Return an app that calls the one at the path of a request, or else ``HELLO``."""
    return lambda environ, start: apps.get(environ["PATH_INFO"][1:], HELLO)(environ, start)


def test_parked_connections_have_no_threads() -> None:
    before = threading.active_count()
    with parked(HELLO, 50) as (_, clients):
        wait_for(lambda: threading.active_count() <= before + 2, "no threads but the server's and the leader's")
        for client in clients:
            assert ask(client).endswith(b"hi")
        assert threading.active_count() <= before + 3  # and the one that watches the leader


def test_a_handler_that_blocks_in_its_turn_keeps_nobody_waiting() -> None:
    go_on = threading.Event()

    def blocking(environ: Any, start: Any) -> Any:
        assert go_on.wait(20)
        return HELLO(environ, start)

    with parked(by_path(block=blocking), 4) as (_, [blocked, also_blocked, *others]):
        for _ in range(3):
            blocked.sendall(at("block"))
            also_blocked.sendall(at("block"))
            for client in others:
                assert ask(client).endswith(b"hi")
            go_on.set()
            assert blocked.recv(65536).endswith(b"hi")
            assert also_blocked.recv(65536).endswith(b"hi")
            go_on.clear()


def test_all_parked_clients_can_be_in_a_handler_at_once() -> None:
    together = threading.Barrier(30, timeout=20)

    def meet(environ: Any, start: Any) -> Any:
        together.wait()
        return HELLO(environ, start)

    with parked(by_path(meet=meet), 30) as (_, clients), ThreadPoolExecutor(30) as pool:
        for _ in range(3):
            for response in pool.map(ask, clients, [at("meet")] * 30):
                assert response.endswith(b"hi")


@pytest.mark.parametrize("cut", [1, len(CHUNKED) - 2, len(CHUNKED), len(CHUNKED) + 5])
def test_a_request_that_comes_in_two_pieces_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr("miniexpress.server.parked_connections.TURN_SECONDS", 60)  # not even for as long as a turn
    request = CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"
    with parked(echo, 3) as (_, [slow, *others]):
        slow.sendall(request[:cut])
        for _ in range(2):
            for client in others:
                ask(client)
        slow.sendall(request[cut:])
        assert seen(slow.recv(65536))["body"] == "hello"
        assert seen(ask(slow, POST + b"Content-Length: 2\r\n\r\nhi"))["body"] == "hi"


def test_a_client_that_does_not_read_its_response_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniexpress.server.parked_connections.TURN_SECONDS", 60)  # not even for as long as a turn
    with parked(by_path(large=answering(LARGE)), 3) as (_, [slow, *others]):
        slow.sendall(at("large"))
        for _ in range(3):
            for client in others:
                assert ask(client).endswith(b"hi")
        response = b""
        while len(response) < len(LARGE):
            response += slow.recv(1 << 20)
        assert response.endswith(b"x" * 1000)


def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    with parked(echo, 2) as (_, [client, _other]):
        client.sendall(at("1") + at("2") + POST + b"Content-Length: 2\r\n\r\nhi" + LAST)
        responses = received(client)
    assert statuses(responses) == [200] * 4
    assert re.findall(rb'"REQUEST_URI": "(.*?)"', responses) == [b"/1", b"/2", b"/", b"/last"]


def test_a_parked_client_is_closed_after_the_keep_alive_timeout_whatever_is_no_request() -> None:
    with parked(HELLO, 3, keep_alive_timeout=1000) as (server, [silent, line_breaks, busy]):
        begun = monotonic()
        while len(server.connections) > 1 and monotonic() < begun + 10:
            ask(busy)
            line_breaks.sendall(b"\r\n")
        assert received(silent) == b""
        assert received(line_breaks) == b""
        assert ask(busy).endswith(b"hi")


def test_a_request_that_came_in_time_is_served_however_busy_the_server_was_meanwhile() -> None:
    go_on = threading.Event()

    def blocking(environ: Any, start: Any) -> Any:
        assert go_on.wait(20)
        return HELLO(environ, start)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("miniexpress.server.parked_connections.TURN_SECONDS", 60)
        with parked(by_path(block=blocking), 3, keep_alive_timeout=1000) as (_, [first, *others]):
            first.sendall(at("block"))
            for client in others:
                client.sendall(GET)
            sleep(1.2)  # longer than keep_alive_timeout
            go_on.set()
            for client in (first, *others):
                assert client.recv(65536).endswith(b"hi")


def test_a_malformed_request_of_a_parked_client_is_rejected() -> None:
    with parked(HELLO, 2) as (_, [client, other]):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert received(client) == b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
        assert ask(other).endswith(b"hi")


def test_a_parked_client_that_leaves_leaves_nothing_behind() -> None:
    with parked(HELLO, 20) as (server, clients):
        for client in clients[1:]:
            client.close()
        wait_for(lambda: len(server.connections) == 1, "one connection")
        assert ask(clients[0]).endswith(b"hi")


def test_stop_ends_parked_connections_and_finishes_a_request_in_its_turn() -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def blocking(environ: Any, start: Any) -> Any:
        arrived.set()
        assert go_on.wait(20)
        return HELLO(environ, start)

    with parked(by_path(block=blocking), 5) as (server, [busy, *idle]):
        busy.sendall(at("block"))
        assert arrived.wait(20)
        server.stop()
        assert [received(client) for client in idle] == [b""] * 4
        go_on.set()
        assert received(busy).endswith(b"Connection: close\r\nContent-Length: 2\r\n\r\nhi")


@contextmanager
def no_more_threads() -> Iterator[None]:
    """Let no thread start meanwhile."""
    size = threading.stack_size(1 << 48)  # more than there are addresses
    try:
        yield
    finally:
        threading.stack_size(size)


def test_parked_clients_are_served_where_there_can_be_no_more_threads() -> None:
    with parked(HELLO, 3) as (_, clients), no_more_threads():
        for client in clients * 3:
            assert ask(client).endswith(b"hi")


def test_a_request_does_not_see_the_context_variables_of_another() -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")

    def app(environ: Any, start: Any) -> Any:
        before = user.get()
        user.set(environ["PATH_INFO"])
        return answering(before.encode())(environ, start)

    with parked(app, 3) as (_, clients):
        for client in clients:
            assert ask(client, at("ada")).endswith(b"nobody")


def test_a_parked_unix_socket_client_is_served(tmp_path: Any) -> None:
    path = str(tmp_path / "app.sock")
    server = Server(HELLO, port=path)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
        for client in (one, other):
            client.connect(path)
            ask(client)
        wait_for(lambda: all_parked(server, 2), "parked clients")
        for client in (one, other):
            assert ask(client).endswith(b"hi")
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_keep_alive_timeout_of_months_is_waited_for() -> None:
    with parked(HELLO, 3, keep_alive_timeout=timedelta(days=60)) as (_, clients):
        for client in clients:
            assert ask(client).endswith(b"hi")


def test_turns_are_watched_again_after_there_could_be_no_threads_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miniexpress.server.parked_connections.QUIET_CHECKS", 20)
    go_on = threading.Event()

    def blocking(environ: Any, start: Any) -> Any:
        assert go_on.wait(20)
        return HELLO(environ, start)

    with parked(by_path(block=blocking), 3) as (server, [blocked, other, _]):
        ask(other)
        with monkeypatch.context() as without_threads:
            without_threads.setattr(server.parked, "_start_thread", lambda function: False)
            blocked.sendall(at("block"))
            sleep(0.5)  # longer than 20 checks take
            go_on.set()
            assert blocked.recv(65536).endswith(b"hi")
        go_on.clear()
        blocked.sendall(at("block"))
        assert ask(other).endswith(b"hi")
        go_on.set()


@pytest.mark.parametrize("error", [MemoryError, SystemExit])
def test_a_turn_that_fails_ends_its_connection_alone(monkeypatch: pytest.MonkeyPatch, error: type) -> None:
    def failing_parse_head(head: bytes, *arguments: Any) -> Any:
        if b"/fail" in head:
            raise error
        return parse_head(head, *arguments)

    def failing_filter(record: Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr("miniexpress.server.connection.parse_head", failing_parse_head)
    with parked(HELLO, 3) as (server, [client, *others]):
        monkeypatch.setattr(log, "filter", failing_filter)  # the program's logging fails, too
        client.sendall(at("fail"))
        assert received(client) == b""
        client.close()
        for other in others:
            assert ask(other).endswith(b"hi")
        wait_for(lambda: len(server.connections) == 2, "two connections")


def test_requests_that_wait_are_served_in_turn_where_there_can_be_no_more_threads() -> None:
    def waiting(environ: Any, start: Any) -> Any:
        sleep(0.001)
        return HELLO(environ, start)

    with parked(waiting, 3) as (server, clients):
        assert all(connection.needs_thread() for connection in server.connections)
        with no_more_threads():
            for client in clients * 3:
                assert ask(client).endswith(b"hi")
        for client in clients:
            assert ask(client).endswith(b"hi")


def test_a_connection_that_cannot_be_parked_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing_register(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")  # more sockets than a user may watch by epoll

    with parked(HELLO, 2) as (server, clients):
        monkeypatch.setattr(server.parked._selector, "register", failing_register)
        with connected(f"http://127.0.0.1:{server.server_port}") as another:
            assert ask(another).endswith(b"hi")
            assert received(another) == b""
        for client in clients:
            assert ask(client).endswith(b"hi")
        wait_for(lambda: len(server.connections) == 2, "two connections")
