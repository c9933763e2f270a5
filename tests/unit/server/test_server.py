"""The life of the server and of its connections."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from select import select
from typing import Any
from wsgiref.validate import validator

import pytest
import requests

from miniexpress import express
from miniexpress.server import Server, listen, serving
from tests.support.project import ROOT
from tests.support.waiting import wait_for
from tests.support.wire import (
    CHUNKED,
    GET,
    LAST,
    POST,
    answering,
    connected,
    echo,
    listening,
    received,
    seen,
    statuses,
    talk,
)

Serve = Callable[..., str]


def test_the_environ_is_what_pep_3333_asks_for(serve: Serve) -> None:
    url = serve(validator(answering(b"hi", headers=(("Content-Type", "text/plain"), ("Content-Length", "2")))))

    for method in ("GET", "POST", "HEAD", "OPTIONS"):
        response = requests.request(method, f"{url}/a%20b?c", data=b"body", timeout=10)
        assert (response.status_code, response.text) == (200, "" if method == "HEAD" else "hi")


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), SystemExit("secret"), ConnectionError("secret")])
def test_a_failing_app_costs_its_request_only_and_tells_the_client_nothing(
    serve: Serve, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/fail":
            raise error
        return echo(environ, start_response)

    url = serve(app)
    response = talk(url, b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n")
    assert response == b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
    assert "GET /fail failed" in caplog.text
    assert "secret" in caplog.text
    assert statuses(talk(url, LAST)) == [200]


@pytest.mark.parametrize("base", [Exception, BaseException])
def test_an_error_that_python_cannot_print_is_a_500_as_any_other(
    serve: Serve, caplog: pytest.LogCaptureFixture, base: type[BaseException]
) -> None:
    def no_attribute(error: Any, name: str) -> Any:
        raise RuntimeError(name)

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        raise type("Hostile", (base,), {"__getattr__": no_attribute})
        yield b""

    answer = talk(serve(app), GET)
    assert answer == b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n"
    assert "GET / failed" in caplog.messages


TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "begin", [b"", b"GET / HT", POST + b"Content-Length: 5\r\n\r\nhe", CHUNKED + b"5\r\nhe", CHUNKED]
)
def test_a_request_that_does_not_come_in_time_gets_a_408(serve: Serve, begin: bytes) -> None:
    url = serve(echo, headers_timeout=100, request_timeout=timedelta(milliseconds=100))
    assert talk(url, begin) == TIMEOUT


def test_a_body_that_trickles_in_for_too_long_gets_a_408(serve: Serve) -> None:
    with connected(serve(echo, request_timeout=100)) as connection:
        connection.sendall(CHUNKED)
        while not select([connection], [], [], 0)[0]:
            connection.sendall(b"1\r\nx\r\n")
        assert received(connection) == TIMEOUT


def test_an_idle_connection_is_closed_without_a_word(serve: Serve) -> None:
    response = talk(serve(echo, keep_alive_timeout=100), GET)
    assert statuses(response) == [200]
    assert b"Keep-Alive: timeout=0\r\n" in response


def test_a_line_break_on_an_idle_connection_begins_no_request(serve: Serve) -> None:
    with connected(serve(echo, keep_alive_timeout=300)) as connection:
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        assert received(connection) == b""


@pytest.mark.parametrize("drop", [b"\r\n", b"\r"])
def test_line_breaks_that_trickle_in_do_not_prolong_the_wait(serve: Serve, drop: bytes) -> None:
    with connected(serve(echo, keep_alive_timeout=300, headers_timeout=300)) as connection:
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(drop)
        begun = time.monotonic()
        while not select([connection], [], [], 0.05)[0]:
            assert time.monotonic() < begun + 10, "it goes on for ever"
            if drop == b"\r\n":
                connection.sendall(drop)
        assert received(connection) == b""


@pytest.mark.parametrize("cut", range(1, 9))
def test_line_breaks_ahead_of_a_request_are_passed_over_however_they_arrive(serve: Serve, cut: int) -> None:
    sent = b"\r\n\r\n\r\n" + LAST
    with connected(serve(echo)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        connection.sendall(sent[:cut])
        assert not select([connection], [], [], 0.02)[0]
        connection.sendall(sent[cut:])
        assert statuses(received(connection)) == [200]


def test_the_limits_are_those_of_node_20() -> None:
    with Server(echo, port=0) as server:
        assert (server.headers_timeout, server.request_timeout, server.keep_alive_timeout) == (60, 300, 5)
        assert (server.max_header_size, server.max_headers_count, server.max_connections) == (16384, 2000, None)


def test_it_speaks_tls(serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext) -> None:
    url = serve(echo, ssl_context=tls)
    with requests.Session() as session:
        for body in (b"one", b"two" * 100_000):
            environ = session.post(url, data=body, timeout=10, verify=certificate[0]).json()
            assert (environ["wsgi.url_scheme"], environ["body"]) == ("https", body.decode())


@pytest.mark.parametrize("begin", [b"", b"\x16\x03\x01\x02\x00\x01", GET, b"\x16\x03\x01" + b"\xff" * 100])
def test_what_is_no_tls_handshake_keeps_nobody_waiting_and_ends_in_time(
    serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext, begin: bytes
) -> None:
    url = serve(echo, ssl_context=tls, headers_timeout=500)
    with connected(url) as connection:
        connection.sendall(begin)
        assert requests.get(url, timeout=10, verify=certificate[0]).status_code == 200
        with suppress(ConnectionError):
            assert b"HTTP/" not in received(connection)
    assert requests.get(url, timeout=10, verify=certificate[0]).status_code == 200


def test_a_tls_connection_ends_with_a_close_notify(
    serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext
) -> None:
    client = ssl.create_default_context(cafile=certificate[0])
    with (
        connected(serve(answering(b"a", b"b"), ssl_context=tls)) as plain,
        client.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert received(connection).endswith(b"\r\n\r\nab")


def test_stop_ends_an_idle_tls_connection(certificate: tuple[str, str], tls: ssl.SSLContext) -> None:
    server = Server(echo, port=0, ssl_context=tls)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    client = ssl.create_default_context(cafile=certificate[0])
    with (
        connected(f"http://127.0.0.1:{server.server_port}") as plain,
        client.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as connection,
    ):
        connection.sendall(GET)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        server.stop()
        assert received(connection) == b""
    thread.join(10)
    assert not thread.is_alive()


def test_alpn_chooses_http_1_1(serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext) -> None:
    client = ssl.create_default_context(cafile=certificate[0])
    client.set_alpn_protocols(["h2", "http/1.1"])
    with (
        connected(serve(echo, ssl_context=tls)) as plain,
        client.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_an_ssl_context_that_is_none_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"ssl_context must be an ssl\.SSLContext, not \('cert', 'key'\)"):
        Server(echo, ssl_context=("cert", "key"))  # type: ignore[arg-type]


# --- A response that comes before the request's body is read ---------------------------------------------------------

EARLY = answering(b"no", status="413 Content Too Large")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("chunked", [False, True], ids=["of known length", "chunked"])
def test_an_early_response_to_a_large_body_reaches_a_client_that_sends_all_of_it_first(
    serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext, encrypted: bool, chunked: bool
) -> None:
    url = serve(EARLY, ssl_context=tls if encrypted else None)
    body: Any = iter([b"x" * 100_000] * 50) if chunked else b"x" * 5_000_000
    response = requests.post(url, data=body, timeout=20, verify=certificate[0])
    assert (response.status_code, response.text) == (413, "no")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_an_early_response_reaches_a_client_whose_upload_takes_its_time(
    serve: Serve, certificate: tuple[str, str], tls: ssl.SSLContext, encrypted: bool
) -> None:
    with ExitStack() as stack:
        connection = stack.enter_context(connected(serve(EARLY, ssl_context=tls if encrypted else None)))
        if encrypted:
            context = ssl.create_default_context(cafile=certificate[0])
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname="127.0.0.1"))
        connection.sendall(POST + b"Content-Length: 3000000\r\n\r\n")
        for _ in range(30):  # for 3 seconds
            connection.sendall(b"x" * 100_000)
            time.sleep(0.1)
        assert received(connection).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_on_sending_after_its_response_is_cut_off_in_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miniexpress.server.connection.LINGER_SECONDS", 0.3)
    with connected(serve(EARLY)) as connection:
        connection.sendall(POST + b"Content-Length: 100000000000\r\n\r\n")
        begun = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() < begun + 10:
                connection.sendall(b"x")
                time.sleep(0.01)


def test_a_client_that_goes_on_sending_after_its_response_is_cut_off_at_last(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miniexpress.server.client_socket.LINGER_BYTES", 10_000_000)
    with connected(serve(EARLY)) as connection:
        connection.sendall(POST + b"Content-Length: 100000000000\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(5000):
                connection.sendall(b"x" * 100_000)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "TLS"])
def test_stop_does_not_wait_for_a_client_that_goes_on_sending_after_its_response(
    certificate: tuple[str, str], tls: ssl.SSLContext, encrypted: bool
) -> None:
    server = Server(EARLY, stop_timeout=60_000, ssl_context=tls if encrypted else None)
    with stopping(server) as url, ExitStack() as stack:
        connection = stack.enter_context(connected(url))
        if encrypted:
            context = ssl.create_default_context(cafile=certificate[0])
            connection = stack.enter_context(context.wrap_socket(connection, server_hostname="127.0.0.1"))
        connection.sendall(POST + b"Content-Length: 100000000000\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")
        server.stop()
        begun = time.monotonic()
        with suppress(OSError):
            while time.monotonic() < begun + 10:
                connection.sendall(b"x")
                time.sleep(0.01)
        assert time.monotonic() < begun + 5


# --- Where it listens -----------------------------------------------------------------------------------------------


def test_without_a_port_it_takes_any_free_one_and_the_log_names_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "miniexpress.server")
    listening = threading.Event()
    app = express()
    app.get("/", lambda req, res: res.send("hi"))
    threading.Thread(target=app.listen, args=(listening.set,), daemon=True).start()
    assert listening.wait(10)
    port = re.search(r"listening on \('127\.0\.0\.1', (\d+)\)", caplog.text)[1]  # type: ignore[index]
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "hi"


@pytest.mark.parametrize("as_path", [str, Path])
def test_it_listens_on_a_unix_socket_and_removes_it(tmp_path: Path, as_path: Any) -> None:
    path = as_path(tmp_path / "app.sock")
    server = Server(validator(answering(b"hi", headers=(("Content-Type", "text/plain"),))), port=path)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(LAST)
        assert b"\r\n\r\n2\r\nhi\r\n" in received(connection)
    server.stop()
    thread.join(10)
    assert not Path(path).exists()


def test_a_client_of_a_unix_socket_has_no_address(tmp_path: Path) -> None:
    app, path = express(), str(tmp_path / "app.sock")
    app.set("trust proxy", "loopback")
    app.get("/", lambda req, res: res.json([req.ip, req.hostname, req.protocol, req.environ["SERVER_NAME"]]))
    server = Server(app, port=path)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(LAST.replace(b"/last", b"/").replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"))
        assert received(connection).endswith(b'\r\n\r\n["","x","http","localhost"]')
    server.stop()
    thread.join(10)


def test_a_unix_socket_that_is_taken_is_told_and_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with Server(echo, port=path):
        with pytest.raises(OSError, match="is there already: stop the process that listens on it, or remove the file"):
            listen(echo, path)
        assert Path(path).exists()
    with Server(echo, port=path) as next_one:
        pass
    Path(path).write_text("another's")
    next_one.server_close()
    assert Path(path).exists()


@pytest.mark.parametrize("path", ["/nonexistent/app.sock", "/tmp/" + "a" * 200])
def test_a_unix_socket_that_cannot_be_had_is_told(path: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on {path}: (No such file|AF_UNIX path too long)"):
        listen(echo, path)


def test_it_listens_on_ipv6() -> None:
    try:
        server = Server(answering(b"hi"), "::1", 0)
    except OSError:
        pytest.skip("no IPv6 here")
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        assert requests.get(f"http://[::1]:{server.server_port}/", timeout=10).text == "hi"
    finally:
        server.stop()
        thread.join()


def test_stop_ends_idle_connections_and_finishes_requests_under_way() -> None:
    server = Server(echo, port=0)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    with connected(url) as idle, connected(url) as fresh, connected(url) as busy:
        idle.sendall(GET)
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        busy.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert busy.recv(65536).startswith(b"HTTP/1.1 100")  # so the app is at work
        server.stop()
        assert received(idle) == received(fresh) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.server_port))
        assert thread.is_alive()
        busy.sendall(b"hello")
        response = received(busy)
    assert seen(response)["body"] == "hello"
    assert b"\r\nConnection: close\r\n" in response
    thread.join(10)
    assert not thread.is_alive()


@contextmanager
def stopping(server: Server) -> Iterator[str]:
    """Its URL; inside of the `with` it is to be stopped, and behind it, it has."""
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("begin", [b"\r\n", b"GET / HT", POST + b"Content-Length: 5\r\n"])
def test_stop_does_not_wait_for_half_a_head(begin: bytes) -> None:
    server = Server(echo, port=0, stop_timeout=60_000)
    with stopping(server) as url, connected(url) as half:
        half.sendall(begin)
        server.stop()
        assert statuses(received(half)) in ([], [408])


def test_stop_does_not_wait_for_a_body_that_nobody_asked_for() -> None:
    server = Server(answering(b"hi"), port=0, stop_timeout=60_000)
    with stopping(server) as url, connected(url) as half:
        half.sendall(POST + b"Content-Length: 5\r\n\r\nab")
        assert half.recv(65536).endswith(b"hi")
        server.stop()
        assert received(half) == b""


def test_stop_does_not_wait_for_a_handshake_that_never_comes(tls: ssl.SSLContext) -> None:
    server = Server(echo, port=0, ssl_context=tls, stop_timeout=60_000)
    with stopping(server) as url, connected(url) as silent:
        wait_for(lambda: server.idle, "a connection")
        server.stop()
        assert received(silent)[:1] in (b"", b"\x15")  # nothing but an alert


def test_stop_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(echo, port=0, stop_timeout=100)
    with stopping(server) as url, connected(url) as busy:
        busy.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert busy.recv(65536).startswith(b"HTTP/1.1 100")
        server.stop()
        wait_for(lambda: "1 connections still open" in caplog.text, "a line in the log")


SCRIPT = """
import signal, sys
from miniexpress.server import listen

def app(environ, start_response):
    body = environ['wsgi.input'].read()
    start_response('200 OK', [])
    return [body]

before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
listen(app, sys.argv[1], callback=lambda: print('ready', flush=True))
assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
print('returned')
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_listen_without_dropping_the_request_under_way(number: signal.Signals) -> None:
    with listening(SCRIPT) as (process, url), connected(url) as idle, connected(url) as busy:
        busy.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert busy.recv(65536).startswith(b"HTTP/1.1 100")
        process.send_signal(number)
        assert received(idle) == b""  # so the signal has arrived
        busy.sendall(b"hello")
        assert received(busy).endswith(b"\r\n\r\nhello")
        assert process.communicate(timeout=10) == ("returned\n", "")
        assert process.returncode == 0


def test_a_second_signal_ends_the_process_at_once() -> None:
    with listening(SCRIPT) as (process, url), connected(url) as idle, connected(url) as busy:
        busy.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert busy.recv(65536).startswith(b"HTTP/1.1 100")
        process.send_signal(signal.SIGINT)
        assert received(idle) == b""
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == -signal.SIGINT


def test_listen_works_in_any_thread() -> None:
    listening = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {"port": port, "callback": listening.set}
    threading.Thread(target=listen, args=(answering(b"hi"),), kwargs=options, daemon=True).start()
    assert listening.wait(10)
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "hi"


def test_a_callback_that_fails_frees_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ZeroDivisionError):
        listen(echo, port, callback=lambda: 1 / 0)
    Server(echo, port=port).server_close()


def test_a_port_that_is_taken_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = f"port {port} on 127.0.0.1 is already in use: stop the other process or choose another port, such as "
        with pytest.raises(OSError, match=message) as caught:
            listen(echo, port)
    assert caught.value.errno == errno.EADDRINUSE
    assert str(caught.value) == caught.value.strerror  # for a program that prints the error that it catches


PROGRAM = """
import os, sys
from miniexpress import express
app = express()
{listen}
"""


@pytest.mark.parametrize(
    ("call", "other"),
    [
        ('app.listen(int(os.environ.get("PORT") or 3000))', "PORT="),
        ("app.listen(os.environ['PORT'])", "PORT="),
        ("app.listen(int(sys.argv[1]))", "such as "),
        ("app.listen(sys.argv[1])", "such as "),
    ],
)
def test_a_program_whose_port_is_taken_ends_with_one_line(tmp_path: Path, call: str, other: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAM.format(listen=call))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = {**os.environ, "PORT": str(port), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(tmp_path / "app.py"), str(port)]
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    said = f"port {port} on 127.0.0.1 is already in use: stop the other process or choose another port, {other}"
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(f"{re.escape(said)}[0-9]+\n", ended.stderr), ended.stderr


@pytest.mark.parametrize(
    ("in_thread", "said"),
    [
        ("app.listen(int(sys.argv[1]))", r"port \d+ on 127\.0\.0\.1 is already in use: .*\n"),
        ("1 / 0", r"(?s)Exception in thread .*\nZeroDivisionError: division by zero\n"),
    ],
)
def test_a_thread_whose_port_is_taken_ends_with_one_line_and_another_error_has_its_traceback(
    tmp_path: Path, in_thread: str, said: str
) -> None:
    threads = "from threading import Thread\n" + "".join(
        f"thread = Thread(target=lambda: {call})\nthread.start()\nthread.join()\n"
        for call in ("app.listen(int(sys.argv[1]))", in_thread)
    )
    (tmp_path / "app.py").write_text(PROGRAM.format(listen=threads))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, str(tmp_path / "app.py"), str(taken.getsockname()[1])]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    first, rest = ended.stderr.split("\n", 1)
    assert first.startswith("port "), ended.stderr
    assert re.fullmatch(said, rest), ended.stderr


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("try:\n    app.listen(port)\nexcept OSError as error:\n    print('caught', error.errno)", r"caught \d+\n"),
        ("app.listen(0, callback=lambda: 1 / 0)", r"(?s)Traceback .*\nZeroDivisionError: division by zero\n"),
    ],
)
def test_a_program_catches_that_its_port_is_taken_and_other_errors_have_their_traceback(
    tmp_path: Path, call: str, said: str
) -> None:
    (tmp_path / "app.py").write_text(PROGRAM.format(listen=f"port = int(sys.argv[1])\n{call}"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, str(tmp_path / "app.py"), str(taken.getsockname()[1])]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert re.fullmatch(said, ended.stdout + ended.stderr), ended.stdout + ended.stderr


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(OSError, match=r"cannot listen on port 0 of 192\.0\.2\.1: "):
        listen(echo, 0, "192.0.2.1")


@pytest.mark.parametrize("port", [-1, 65536, "", "http", "80a", "+80", "\u0668\u0660"])
def test_a_port_out_of_range_is_a_value_error(port: Any) -> None:
    with pytest.raises(ValueError, match="port must be from 0 to 65535, or the path of a Unix socket with a slash"):
        listen(echo, port)


@pytest.mark.parametrize("port", [None, 3000.0, True, b"80"])
def test_a_port_that_is_no_number_is_a_type_error(port: Any) -> None:
    with pytest.raises(TypeError, match="port must be a number such as 3000, or the path of a Unix socket, not "):
        listen(echo, port)


@pytest.mark.parametrize("value", [0, -5, "soon", None, True, timedelta(0), float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="keep_alive_timeout must be a positive number of milliseconds"):
        Server(echo, port=0, keep_alive_timeout=value)


@pytest.mark.parametrize("name", ["max_header_size", "max_headers_count", "max_connections"])
@pytest.mark.parametrize("value", [0, -5, "many", 1.5, True])
def test_a_limit_that_is_none_is_a_value_error(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a positive whole number, not {value!r}"):
        Server(echo, port=0, **{name: value})


# serving()


def test_serving_serves_on_a_free_port_while_its_block_runs() -> None:
    with serving(answering(b"one")) as one, serving(answering(b"other")) as other:
        assert one != other
        assert (requests.get(one).text, requests.get(other).text) == ("one", "other")
    with pytest.raises(requests.ConnectionError):
        requests.get(one)


def test_serving_finishes_a_request_under_way_and_stops_when_its_block_raises() -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        arrived.set()
        assert go_on.wait(10)
        return answering(b"finished")(environ, start_response)

    responses: list[bytes] = []
    with pytest.raises(ZeroDivisionError), serving(slow) as url:
        client = threading.Thread(target=lambda: responses.append(talk(url, LAST)))
        client.start()
        assert arrived.wait(10)
        threading.Timer(0.2, go_on.set).start()
        raise ZeroDivisionError
    client.join()
    assert responses[0].endswith(b"finished")


def test_serving_takes_a_host_and_the_servers_options() -> None:
    try:
        with serving(echo, "::1", max_header_size=200) as url:
            assert url.startswith("http://[::1]:")
            assert requests.get(url).ok is True
            assert requests.get(f"{url}/{'a' * 300}").status_code in (414, 431)
    except OSError:
        pytest.skip("no IPv6")
    with pytest.raises(ValueError, match="port must be from 0 to 65535"), serving(echo, port=70_000):
        pass
