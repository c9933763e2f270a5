"""Abuse by clients, apps and the system, over real sockets: it costs themselves, and the others nothing."""

from __future__ import annotations

import logging
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from miniexpress import express
from tests.support.waiting import wait_for
from tests.support.wire import CHUNKED, GET, LAST, POST, answering, connected, echo, listening, received, statuses, talk

Serve = Callable[..., str]
LARGE = b"x" * 50_000_000  # more than the buffers of both ends hold


def is_served(url: str) -> bool:
    """Return whether somebody else's request is served, without a wait that a test would notice."""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=3) as connection:
        connection.sendall(LAST)
        return connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def vanish(connection: socket.socket) -> None:
    """Leave as a process that is killed does, with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_threads(count: int) -> None:
    wait_for(lambda: threading.active_count() <= count, f"no more than {count} threads")


# --- Clients --------------------------------------------------------------------------------------------------------


def test_slow_loris_is_cut_off_and_keeps_nobody_waiting(serve: Serve) -> None:
    url = serve(answering(b"hi"), headers_timeout=1000)
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(url)) for _ in range(100)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert is_served(url)
        assert [statuses(received(connection)) for connection in slow] == [[408]] * 100


def test_what_trickles_in_does_not_prolong_the_time_for_a_head(serve: Serve) -> None:
    with connected(serve(answering(b"hi"), headers_timeout=300)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        connection.settimeout(0.05)

        def trickle() -> bytes:
            with suppress(TimeoutError):
                return connection.recv(65536)
            connection.sendall(b"A: b\r\n")
            return b""

        assert statuses(wait_for(trickle, "a response", 3)) == [408]


def test_a_client_that_never_reads_keeps_nobody_waiting(serve: Serve) -> None:
    url = serve(lambda environ, start: answering(b"hi" if environ["PATH_INFO"] == "/last" else LARGE)(environ, start))
    before = threading.active_count()
    with connected(url) as connection:
        connection.sendall(GET)
        assert connection.recv(1)
        assert is_served(url)
        vanish(connection)
    wait_for_threads(before)


@pytest.mark.parametrize(
    "begin",
    [b"", b"GET / HT", POST + b"Content-Length: 5\r\n\r\nhe", CHUNKED + b"5\r\nhe", GET, GET * 50],
    ids=["at once", "in the head", "in the body", "in a chunk", "before the response", "with requests under way"],
)
def test_a_client_that_vanishes_leaves_nothing_behind(
    serve: Serve, caplog: pytest.LogCaptureFixture, begin: bytes
) -> None:
    url = serve(echo)
    before = threading.active_count()
    for _ in range(20):
        with connected(url) as connection:
            connection.sendall(begin)
            vanish(connection)
    assert is_served(url)
    wait_for_threads(before)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_response_that_nobody_takes_ends_its_app(serve: Serve) -> None:
    ended = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.set()

    with connected(serve(app)) as connection:
        connection.sendall(GET)
        assert connection.recv(1)
        vanish(connection)
    assert ended.wait(10)


def test_beyond_the_cap_new_connections_are_dropped_and_the_others_are_served(serve: Serve) -> None:
    url = serve(answering(b"hi"), max_connections=10)
    with ExitStack() as stack:
        held = [stack.enter_context(connected(url)) for _ in range(10)]
        for connection in held:
            connection.sendall(GET)
            assert connection.recv(65536).endswith(b"hi")
        for _ in range(20):
            with connected(url) as dropped, suppress(ConnectionError):
                dropped.sendall(GET)
                assert received(dropped) == b""
        for connection in held:
            connection.sendall(LAST)
            assert received(connection).endswith(b"hi")
    wait_for(lambda: statuses(talk(url, LAST)) == [200], "a place that is free again")


def test_many_disconnects_at_once_keep_nobody_waiting(serve: Serve) -> None:
    url = serve(answering(b"hi"))
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(400):
            connection = stack.enter_context(connected(url))
            connection.sendall(GET)
            assert connection.recv(65536).endswith(b"hi")
    for _ in range(5):
        assert is_served(url)
    wait_for_threads(before)


# --- Apps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_a_handler_that_ends_its_thread_ends_its_own_request_and_the_log_names_it(
    serve: Serve, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    app = express()

    @app.get("/fail")
    def failing_handler(req: Any, res: Any) -> None:
        raise error

    app.get("/last", lambda req, res: res.send("hi"))
    url = serve(app)
    assert statuses(talk(url, GET.replace(b"/ ", b"/fail ") + LAST))[0] == 500
    assert "GET /fail" in caplog.text
    assert "failing_handler" in caplog.text
    assert is_served(url)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", [("X-A", "b\r\nSet-Cookie: c=d")]),
        ("200 OK", [("Connection", "x\r\nSet-Cookie: c=d\r\n\r\n<script>")]),
        ("200 OK", [("Connection", "é€")]),
        ("200 OK", [("Transfer-Encoding", "chunked\r\nX-A: b")]),
        ("200 OK", [("X-A", None)]),
        ("200 OK", ["X-A: b"]),
        ("200 OK", [("A", "b", "c")]),
        ("200 OK", None),
        ("", []),
        (None, []),
        ("200 OK\r\nX-A: b\r\n\r\n", []),
        ("200 OK", [("Content-Length", "five")]),
    ],
)
def test_an_invalid_status_or_header_ends_its_own_request_and_is_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, status: Any, headers: Any
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        nonsense = environ["PATH_INFO"] == "/nonsense"
        start_response(status if nonsense else "200 OK", headers if nonsense else [])
        return [b"hi"]

    url = serve(app)
    response = talk(url, GET.replace(b"/ ", b"/nonsense "))
    assert response == b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
    assert "GET /nonsense failed" in caplog.text
    assert is_served(url)


@pytest.mark.parametrize("returned", [None, 5, b"bytes", "text", ["text"], [None], object()])
def test_an_invalid_response_body_ends_its_own_request(
    serve: Serve, caplog: pytest.LogCaptureFixture, returned: Any
) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return returned if environ["PATH_INFO"] == "/nonsense" else [b"hi"]

    url = serve(app)
    assert statuses(talk(url, GET.replace(b"/ ", b"/nonsense "))) == [500]
    assert "GET /nonsense failed" in caplog.text
    assert is_served(url)


# --- The system -----------------------------------------------------------------------------------------------------

SCRIPT = """
import resource, sys, time
from miniexpress.server import listen

def app(environ, start_response):
    time.sleep(float(environ['QUERY_STRING'] or 0))
    body = b'hi' if environ['REQUEST_METHOD'] == 'GET' else environ['wsgi.input'].read()
    start_response('200 OK', [])
    return [body]

if sys.argv[2:]:
    soft, hard = map(int, sys.argv[2:])
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
listen(app, sys.argv[1], callback=lambda: print('ready', flush=True))
"""


def processor_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see a process's time")
def test_without_files_for_more_connections_it_neither_ends_nor_spins() -> None:
    with listening(SCRIPT, "30", "30") as (process, url), ExitStack() as stack:
        held = [stack.enter_context(connected(url)) for _ in range(40)]
        held[0].sendall(GET)
        assert held[0].recv(65536).endswith(b"hi")
        begun = processor_seconds(process.pid)
        held[-1].sendall(GET)
        held[-1].settimeout(1.5)
        with pytest.raises(TimeoutError):  # it waits its turn
            held[-1].recv(65536)
        assert processor_seconds(process.pid) - begun < 0.5
        for connection in held[:-1]:
            connection.close()
        held[-1].settimeout(10)
        assert held[-1].recv(65536).endswith(b"hi")
        process.send_signal(signal.SIGTERM)
        assert "cannot accept a connection" in process.communicate(timeout=10)[1]
        assert process.returncode == 0


def test_without_threads_for_more_connections_it_drops_them_and_goes_on(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    url = serve(answering(b"hi"))
    with connected(url) as held:
        held.sendall(GET)
        assert held.recv(65536).endswith(b"hi")
        size = threading.stack_size(1 << 48)  # more than there are addresses
        try:
            with suppress(ConnectionError):
                assert talk(url, GET) == b""
        finally:
            threading.stack_size(size)
        assert "cannot serve a connection" in caplog.text
        held.sendall(LAST)
        assert received(held).endswith(b"hi")
    assert is_served(url)


def test_the_server_raises_its_file_limit_to_the_hard_limit() -> None:
    with listening(SCRIPT, "30", "100") as (_, url), ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(connected(url))
            connection.sendall(GET)
            assert connection.recv(65536).endswith(b"hi")


# --- Its end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept alive", "one each"])
def test_a_signal_under_load_drops_no_request_that_was_accepted(number: signal.Signals, keep_alive: bool) -> None:
    request = GET.replace(b"/ ", b"/?0.002 ")
    if not keep_alive:
        request = LAST.replace(b"/last", b"/?0.002")
    answered = [0] * 16

    def ask_until_it_is_gone(client: int, port: int) -> list[str]:
        """Return what went wrong: nothing where, in the end, nobody listens."""
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            except ConnectionRefusedError:
                return []
            with connection:
                life = b"keep-alive"
                while life == b"keep-alive":
                    try:
                        connection.sendall(request)
                        response = connection.recv(65536)
                    except ConnectionError as error:
                        return [repr(error)]
                    if not response.endswith(b"\r\n\r\nhi"):
                        return [repr(response)]
                    answered[client] += 1
                    life = response.partition(b"Connection: ")[2].partition(b"\r\n")[0]
                    sleep(0.15)  # as a client does that looks at its response, while its connection is idle

    with listening(SCRIPT) as (process, url), ThreadPoolExecutor(16) as clients:
        port = int(url.rpartition(":")[2])
        asking = [clients.submit(ask_until_it_is_gone, client, port) for client in range(16)]
        wait_for(lambda: min(answered) > 2, "every client at work")
        process.send_signal(number)
        assert [wrong for future in asking for wrong in future.result(20)] == []
        assert process.wait(10) == 0
