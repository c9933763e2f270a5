"""An HTTP/1.1 server for any WSGI app (PEP 3333).

`listen(app, 3000)` serves until it is told to stop. Each connection has a thread of its own, in which
`Connection.handle` reads a request, calls the app and sends its answer. It stands on the standard library's
http.server; limits, answers and the order of their headers are those of the http module of Node 20.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import Lock, Thread, current_thread, main_thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from .client_socket import ClientSocket
from .connection import GRACE_SECONDS, Connection, log

if TYPE_CHECKING:
    from ssl import SSLContext
    from wsgiref.types import WSGIApplication, WSGIEnvironment

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]
ACCEPT_RETRY_SECONDS = 0.5  # until the next connection is tried for, when there are too many
DISCONNECT_BURST = 10  # clients that leave between two looks
BURST_SWITCH_INTERVAL = 0.1


class Server(ThreadingHTTPServer):
    """Serves `app`, once it is told to: on `host` and `port` (0 for any free one; then see `server_port`), or, where
    `port` is a path (a str with a slash, or a pathlib.Path), on the Unix socket there, which is removed at the end.

    Timeouts are in milliseconds or timedeltas: for a request's head, for the whole request, between two requests, and
    for requests under way when the server stops. A head may have `max_header_size` bytes and `max_headers_count` lines.
    A connection beyond `max_connections` (None for any number) is dropped. With `ssl_context` it speaks HTTPS, and its
    ALPN protocols become HTTP/1.1 alone. Raises ValueError, TypeError, and OSError when the port cannot be had.
    """

    timeout = 0.1  # seconds until it looks whether it should stop
    request_queue_size = 511
    allow_reuse_port = False  # newer Pythons share the port, and a second server would start unnoticed
    _socket_file: str | None = None

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int | str | os.PathLike[str] = 0,
        *,
        ssl_context: SSLContext | None = None,
        headers_timeout: float | timedelta = 60_000,
        request_timeout: float | timedelta = 300_000,
        keep_alive_timeout: float | timedelta = 5_000,
        stop_timeout: float | timedelta = 10_000,
        max_header_size: int = 16 * 1024,
        max_headers_count: int = 2000,
        max_connections: int | None = None,
    ) -> None:
        self.app = app
        self.ssl_context = ssl_context
        self.headers_timeout = seconds("headers_timeout", headers_timeout)
        self.request_timeout = seconds("request_timeout", request_timeout)
        self.keep_alive_timeout = seconds("keep_alive_timeout", keep_alive_timeout)
        self.stop_timeout = seconds("stop_timeout", stop_timeout)
        self.max_header_size = whole_number("max_header_size", max_header_size)
        self.max_headers_count = whole_number("max_headers_count", max_headers_count)
        self.max_connections = None if max_connections is None else whole_number("max_connections", max_connections)
        self.stopping = False
        self.idle: set[ClientSocket] = set()  # who has no request under way: not all of a head has come
        self._serving: set[Thread] = set()
        self._disconnects = 0
        self._is_over = False
        timeout = int(self.keep_alive_timeout)
        self.keep_alive_lines = f"Connection: keep-alive\r\nKeep-Alive: timeout={timeout}\r\n"
        if ssl_context is not None:
            if not hasattr(ssl_context, "set_alpn_protocols"):
                raise TypeError(f"ssl_context must be an ssl.SSLContext, not {ssl_context!r}")
            ssl_context.set_alpn_protocols(["http/1.1"])
        self.address_family, address = listen_address(host, port)
        try:
            super().__init__(address, Connection)
        except OSError as error:
            raise OSError(error.errno, bind_error_message(error, address)) from error

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # not HTTPServer's, which asks the DNS for a name that nobody needs
        if isinstance(self.server_address, tuple):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # for every connection from it
            self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        else:
            self._socket_file = str(self.server_address)
            self.server_name, self.server_port = "localhost", 80 if self.ssl_context is None else 443
        self.environ: WSGIEnvironment = {
            "SCRIPT_NAME": "",
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": str(self.server_port),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http" if self.ssl_context is None else "https",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }

    def server_close(self) -> None:
        super().server_close()
        if self._socket_file is not None:
            with suppress(OSError):
                os.unlink(self._socket_file)
            self._socket_file = None  # by the next call there may be another's

    def serve_until_stopped(self) -> None:
        """Serve, until `stop` is called; then finish the requests that are under way, and close."""
        with self:
            while not self.stopping:
                self.handle_request()
                self._check_disconnects()
            self.socket.listen(0)  # nearly no new ones come in, while those that wait are let in
            self.socket.settimeout(0)
            with suppress(OSError):  # BlockingIOError, once all who connected in time are there
                for _ in range(self.request_queue_size + 1):
                    self.process_request(*self.get_request())
        grace = monotonic() + GRACE_SECONDS
        while self.idle and monotonic() < grace:
            sleep(0.01)
        with suppress(KeyError):  # once there are no more; one may leave at any time
            while True:
                self.idle.pop().shutdown_read()
        deadline = monotonic() + self.stop_timeout
        for thread in list(self._serving):
            thread.join(max(0, deadline - monotonic()))
        self._is_over = True
        SWITCH_INTERVAL.shorten()
        if self._serving:
            log.warning("stopped with %d connections still open", len(self._serving))

    def stop(self) -> None:
        """Make `serve_until_stopped` return. Returns at once; may be called from any thread, and more than once."""
        self.stopping = True

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                log.warning("cannot accept a connection: %s", error.strerror)
                sleep(ACCEPT_RETRY_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.max_connections is not None and len(self._serving) >= self.max_connections:
            self.shutdown_request(request)
            return
        thread = Thread(target=self._serve_client, args=(request, client_address), daemon=True)
        self._serving.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            log.warning("cannot serve a connection: %s", error)  # can't start new thread
            self._serving.discard(thread)
            self.shutdown_request(request)

    def _serve_client(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:  # a failed TLS handshake, or a client that left before its first byte
            log.debug("connection from %s failed", client_address, exc_info=True)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)
            self._count_disconnect()
            self._serving.discard(current_thread())

    def _count_disconnect(self) -> None:
        self._disconnects += 1
        if self._disconnects >= DISCONNECT_BURST and not self._is_over:
            SWITCH_INTERVAL.lengthen()

    def _check_disconnects(self) -> None:
        if self._disconnects < DISCONNECT_BURST:
            SWITCH_INTERVAL.shorten()
        self._disconnects = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.exception("connection from %s failed", client_address)


class SwitchInterval:
    """How long a thread of this process runs Python while others wait for it: longer while a crowd of clients leaves.

    When thousands leave at once, their threads all wait for a turn, and each wakes up whenever that of another might
    have ended. Were turns as short as usual, the processor would do nothing else for seconds.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._usual: float | None = None

    def lengthen(self) -> None:
        with self._lock:
            if self._usual is None:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(BURST_SWITCH_INTERVAL)

    def shorten(self) -> None:
        with self._lock:
            if self._usual is not None:
                sys.setswitchinterval(self._usual)
                self._usual = None


SWITCH_INTERVAL = SwitchInterval()


def listen(
    app: WSGIApplication,
    port: int | str | os.PathLike[str] = 0,
    host: str = "127.0.0.1",
    callback: Callable[[], object] | None = None,
    **options: Any,
) -> None:
    """Serve `app` until the process is told to stop; `callback` is called once connections are accepted.

    With a `port` of 0 it is any free one; where it listens is logged at the level INFO. For `options`, exceptions, and
    the path of a Unix socket as `port` see `Server`. In the main thread, SIGINT and SIGTERM stop it: requests under way
    are finished, and `listen` returns. A second signal ends the process at once.
    """
    raise_file_limit()
    server = Server(app, host, port, **options)
    with server, stopped_by_signals(server):
        log.info("listening on %s", server.server_address)
        if callback is not None:
            callback()
        server.serve_until_stopped()


def raise_file_limit() -> None:
    """Raise the limit of open files as far as may be, as Node does: each connection is one."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # a system that allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def stopped_by_signals(server: Server) -> Iterator[None]:
    if current_thread() is not main_thread():  # Python handles signals nowhere else
        yield
        return

    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        server.stop()

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def seconds(name: str, value: float | timedelta) -> float:
    milliseconds = value / timedelta(milliseconds=1) if isinstance(value, timedelta) else value
    if isinstance(value, bool) or not isinstance(milliseconds, (int, float)) or not 0 < milliseconds < 1e12:
        raise ValueError(f"{name} must be a positive number of milliseconds or a timedelta, not {value!r}")
    return milliseconds / 1000


def whole_number(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")
    return value


def listen_address(host: str, port: int | str | os.PathLike[str]) -> tuple[socket.AddressFamily, Any]:
    """The family and address of the socket to listen on. Raises ValueError and TypeError for a port that is none."""
    if isinstance(port, os.PathLike) or (isinstance(port, str) and "/" in port):
        return socket.AF_UNIX, os.fspath(port)
    return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port_number(port))


def port_number(port: int | str) -> int:
    if isinstance(port, bool) or not isinstance(port, (int, str)):
        raise TypeError(f"port must be a number such as 3000, or the path of a Unix socket, not {port!r}")
    if not re.fullmatch("[0-9]{1,5}", str(port)) or int(port) > 65535:
        raise ValueError(f"port must be from 0 to 65535, or the path of a Unix socket with a slash in it, not {port!r}")
    return int(port)


def bind_error_message(error: OSError, address: str | tuple[str, int]) -> str:
    if isinstance(address, str):
        if error.errno == errno.EADDRINUSE:
            return f"{address} is there already: stop the process that listens on it, or remove the file"
        return f"cannot listen on {address}: {error.strerror or error}"
    host, port = address
    if error.errno == errno.EADDRINUSE:
        other = f"PORT={port + 1 if port < 65535 else 3000}"
        return f"port {port} on {host} is already in use: stop the other process or choose another port, {other}"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port} of {host}: choose a port above 1023, PORT=3000"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
