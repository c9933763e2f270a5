"""An HTTP/1.1 server for any WSGI app (PEP 3333).

`listen(app, 3000)` serves until it is told to stop. Each connection has a thread of its own, in which
`Connection.handle` reads a request, calls the app and sends its answer. Sockets and threads are the standard library's
ThreadingHTTPServer; limits, answers and the order of their headers are those of the http module of Node 20.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread, current_thread, main_thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from miniexpress.incoming import MALFORMED, Body, Disconnected, Refused, body_of, read_head, wants_keep_alive
from miniexpress.outgoing import Answer, refusal

if TYPE_CHECKING:
    from ssl import SSLContext
    from wsgiref.types import WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

PIECE = 64 * 1024  # bytes that one call on a socket takes
SEND_SECONDS = 120.0  # for a client to take one piece
LINGER_SECONDS = 1.0  # for a client to read what was sent before the connection is closed


class Connection(BaseHTTPRequestHandler):
    """One client's connection, from its first byte to its last."""

    server: Server
    body: Body | None

    def handle(self) -> None:
        try:
            self._open()
            while self.keep_alive:
                self._answer(self._receive_request())
        except Disconnected:
            pass
        except Refused as refused:
            with suppress(Disconnected):
                self.send(refusal(refused.status))
        except OSError:  # a failed TLS handshake, or a client that left before its first byte
            logger.debug("connection from %s failed", self.client_address, exc_info=True)

    def _receive_request(self) -> WSGIEnvironment:
        environ = read_head(self._receive_head(), self._base)
        self.keep_alive = wants_keep_alive(environ["SERVER_PROTOCOL"], environ.get("HTTP_CONNECTION"))
        self.body = body_of(environ, self, self.server.max_header_size, self.server.request_timeout)
        environ["wsgi.input"] = io.BytesIO() if self.body is None else io.BufferedReader(self.body, PIECE)
        return environ

    def _answer(self, environ: WSGIEnvironment) -> None:
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        answer = Answer(self, method, environ["SERVER_PROTOCOL"])
        try:
            chunks = self.server.app(environ, answer.start)
            try:
                answer.send_all(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except Refused as refused:
            raise Disconnected if answer.begun else refused from None
        except (Exception, SystemExit):
            logger.exception("%s %s failed", method, target)
            raise Disconnected if answer.begun else Refused(500, "the app failed") from None
        self.keep_alive = self.keep_alive and (self.body is None or self.body.skip())

    def life_lines(self, keep_alive: bool) -> str:
        if self.server.stopping or (self.body is not None and not self.body.is_skippable()):
            keep_alive = False
        self.keep_alive = self.keep_alive and keep_alive
        return self.server.life_lines[self.keep_alive]

    def setup(self) -> None:
        self.connection = self.request
        self.body = None
        self.keep_alive = True
        self._buffer = bytearray()
        self._seconds = 0.0
        self._served = False

    def _open(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.connection.settimeout(None)
        self._set_timeout(self.server.headers_timeout)
        if self.server.ssl_context is not None:  # here, where a slow handshake keeps nobody else waiting
            self.connection = self.server.ssl_context.wrap_socket(self.connection, server_side=True)
        host, port = self.client_address[:2]
        self._base = {**self.server.environ, "REMOTE_ADDR": host, "REMOTE_PORT": str(port)}

    def _receive_head(self) -> bytes:
        buffer, limit = self._buffer, self.server.max_header_size
        if not buffer:
            self._await_request()
        end, deadline = buffer.find(b"\r\n\r\n"), None
        while end < 0 and len(buffer) <= limit:
            if MALFORMED.search(buffer):
                raise Refused(400, "malformed head")
            deadline = deadline or monotonic() + self.server.headers_timeout
            self._fill(deadline - monotonic())
            end = buffer.find(b"\r\n\r\n")
        if not 0 <= end <= limit:
            raise Refused(431 if b"\r\n" in buffer[:limit] else 414, "head too long")
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        return head

    def _await_request(self) -> None:
        server = self.server
        server.idle.add(self.connection)
        if server.stopping:
            hang_up(self.connection)
        try:
            self._fill(server.keep_alive_timeout if self._served else server.headers_timeout)
        except Refused as refused:
            raise Disconnected if self._served else refused from None
        finally:
            server.idle.discard(self.connection)

    def receive(self, size: int, deadline: float) -> bytes:
        """From 1 to `size` bytes. Raises Refused when none come before `deadline`."""
        if not self._buffer:
            self._fill(deadline - monotonic())
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def receive_line(self, deadline: float) -> bytes:
        """A line without its CRLF. Raises Refused."""
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) <= self.server.max_header_size:
            self._fill(deadline - monotonic())
        line = self.receive(end + 1, deadline)
        if not line.endswith(b"\r\n"):
            raise Refused(400, "malformed line")
        return line[:-2]

    def _fill(self, seconds: float) -> None:
        """Take what the client has sent. Raises Refused when nothing comes in time, Disconnected when nothing will."""
        if seconds <= 0:
            raise Refused(408, "request timeout")
        try:
            self._set_timeout(seconds)
            data = self.connection.recv(PIECE)
        except (TimeoutError, BlockingIOError):
            raise Refused(408, "request timeout") from None
        except OSError:
            raise Disconnected from None
        if not data:
            raise Disconnected
        self._buffer += data

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises Disconnected."""
        self._served = True
        try:
            if len(data) <= PIECE and self._seconds >= 1:
                self.connection.sendall(data)
                return
            self._set_timeout(SEND_SECONDS)
            for start in range(0, len(data), PIECE):
                self.connection.sendall(memoryview(data)[start : start + PIECE])
        except OSError:
            raise Disconnected from None

    def _set_timeout(self, seconds: float) -> None:
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self.server.ssl_context is None and os.name == "posix":
            # The kernel's own timeouts spare the poll() ahead of every call, and with it a hand-over between threads.
            timeval = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        else:
            self.connection.settimeout(seconds)

    def finish(self) -> None:
        """Close so that what was sent arrives: unread input would make TCP take it back (RFC 9112 9.6)."""
        deadline = monotonic() + LINGER_SECONDS
        with suppress(OSError, ValueError), self.connection as connection:
            connection.settimeout(LINGER_SECONDS)
            if hasattr(connection, "unwrap"):
                connection.unwrap()
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(PIECE) and monotonic() < deadline:
                pass


class Server(ThreadingHTTPServer):
    """Serves `app` on `host` and `port` (0 for any free one; then see `server_address`), once it is told to.

    Timeouts are in milliseconds or timedeltas: for a request's head, for the whole request, between two requests, and
    for requests under way when the server stops. `max_header_size` is in bytes. With `ssl_context` it speaks HTTPS.
    Raises ValueError, TypeError, and OSError when the port cannot be had.
    """

    request_queue_size = 511
    allow_reuse_port = False  # newer Pythons share the port, and a second server would start unnoticed

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int | str = 3000,
        *,
        ssl_context: SSLContext | None = None,
        headers_timeout: float | timedelta = 60_000,
        request_timeout: float | timedelta = 300_000,
        keep_alive_timeout: float | timedelta = 5_000,
        stop_timeout: float | timedelta = 10_000,
        max_header_size: int = 16 * 1024,
        max_connections: int | None = None,
    ) -> None:
        self.app = app
        self.ssl_context = ssl_context
        self.headers_timeout = seconds("headers_timeout", headers_timeout)
        self.request_timeout = seconds("request_timeout", request_timeout)
        self.keep_alive_timeout = seconds("keep_alive_timeout", keep_alive_timeout)
        self.stop_timeout = seconds("stop_timeout", stop_timeout)
        self.max_header_size = max_header_size
        self.max_connections = max_connections
        self.stopping = False
        self.idle: set[socket.socket] = set()
        self._handlers: set[Thread] = set()
        keep_alive = f"Connection: keep-alive\r\nKeep-Alive: timeout={int(self.keep_alive_timeout)}\r\n"
        self.life_lines = {True: keep_alive, False: "Connection: close\r\n"}
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        number = port_number(port)
        try:
            super().__init__((host, number), Connection)
        except OSError as error:
            raise OSError(error.errno, explain(error, host, number)) from error

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # not HTTPServer's, which asks the DNS for a name that nobody needs
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
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

    def serve_until_stopped(self) -> None:
        """Serve, until `stop` is called; then finish the requests that are under way, and close."""
        with self:
            self.serve_forever(poll_interval=0.1)
            self.socket.settimeout(0)
            with suppress(OSError):  # BlockingIOError, once all who connected in time are let in
                while True:
                    self.process_request(*self.get_request())
        for connection in list(self.idle):
            hang_up(connection)
        deadline = monotonic() + self.stop_timeout
        for thread in list(self._handlers):
            thread.join(max(0, deadline - monotonic()))
        if self._handlers:
            logger.warning("stopped with %d connections still open", len(self._handlers))

    def stop(self) -> None:
        """Make `serve_until_stopped` return. Returns at once; may be called from any thread, and more than once."""
        self.stopping = True
        Thread(target=self.shutdown, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        if self.max_connections is not None and len(self._handlers) >= self.max_connections:
            self.shutdown_request(request)
            return
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._handlers.add(thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads
            self._handlers.discard(thread)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._handlers.discard(current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.exception("connection from %s failed", client_address)


def listen(
    app: WSGIApplication,
    port: int | str = 3000,
    host: str = "127.0.0.1",
    callback: Callable[[], object] | None = None,
    **options: Any,
) -> None:
    """Serve `app` until the process is told to stop; `callback` is called once connections are accepted.

    In the main thread, SIGINT and SIGTERM stop it: requests under way are finished, and `listen` returns. A second
    signal ends the process at once. For `options` and exceptions see `Server`.
    """
    server = Server(app, host, port, **options)
    with server, stopped_by_signals(server):
        if callback is not None:
            callback()
        server.serve_until_stopped()


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


def hang_up(connection: socket.socket) -> None:
    """End the wait for a next request. What has come in already can still be read."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RD)  # an SSLSocket's own would forget its keys


def seconds(name: str, value: float | timedelta) -> float:
    milliseconds = value / timedelta(milliseconds=1) if isinstance(value, timedelta) else value
    if isinstance(value, bool) or not isinstance(milliseconds, (int, float)) or not 0 < milliseconds < 1e12:
        raise ValueError(f"{name} must be a positive number of milliseconds or a timedelta, not {value!r}")
    return milliseconds / 1000


def port_number(port: int | str) -> int:
    if isinstance(port, bool) or not isinstance(port, (int, str)):
        raise TypeError(f"port must be a number such as 3000, not {port!r}")
    if not re.fullmatch("[0-9]{1,5}", str(port)) or int(port) > 65535:
        raise ValueError(f"port must be from 0 to 65535, not {port!r}")
    return int(port)


def explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = f"PORT={port + 1 if port < 65535 else 3000}"
        return f"port {port} on {host} is already in use: stop the other process or choose another port, {other}"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port} of {host}: choose a port above 1023, PORT=3000"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
