"""An HTTP/1.1 server for any WSGI app (PEP 3333): accept connections, serve them in threads, stop without losing any.

``listen(app, 3000)`` serves until a signal stops it. Each new connection has a thread, in which ``Connection.serve``
receives requests, calls the app and sends its responses. A connection whose requests do not wait for anything is parked
after that: the ``ParkedConnections`` share a thread. Built on the standard library's ``socketserver``; the limits are
those of Node 20's http module.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from socketserver import BaseRequestHandler, TCPServer
from threading import Thread, current_thread, main_thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from .address import ListenError, bind_error_message, listen_address, port_number, print_listen_errors_as_a_line
from .client_socket import ClientSocket
from .connection import GRACE_SECONDS, Connection, log
from .parked_connections import ParkedConnections

if TYPE_CHECKING:
    from ssl import SSLContext
    from wsgiref.types import WSGIApplication, WSGIEnvironment

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

POLL_SECONDS = 0.1  # between two checks whether to stop
ACCEPT_RETRY_SECONDS = 0.5  # before the next accept, when the process has too many files open


def listen(
    app: WSGIApplication,
    port: int | str | os.PathLike[str] = 0,
    host: str = "127.0.0.1",
    callback: Callable[[], object] | None = None,
    **options: Any,
) -> None:
    """Serve ``app`` until the process is told to stop.

    ``callback`` is called without arguments once connections are accepted. With port 0, any free one is taken; the
    address is logged at the level INFO. For ``options``, exceptions, and the path of a Unix socket as ``port``, see
    ``Server``. In the main thread, SIGINT and SIGTERM stop the server: requests under way are finished, and ``listen``
    returns. A second signal ends the process at once.
    """
    raise_file_limit()
    try:
        server = Server(app, host, port, **options)
    except ListenError:
        print_listen_errors_as_a_line()
        raise
    with server, stopped_by_signals(server):
        log.info("listening on %s", server.server_address)
        if callback is not None:
            callback()
        server.serve_until_stopped()


@contextmanager
def serving(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[str]:
    """Serve ``app`` in a thread while a ``with`` block runs: ``with serving(app) as url:``. For tests.

    The URL has the port that was free: ``http://127.0.0.1:49152``. At the end of the block, requests under way are
    finished. For ``options`` and exceptions see ``Server``.
    """
    server = Server(app, host, port_number(port), **options)
    thread = Thread(target=server.serve_until_stopped, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()


class Server(TCPServer):
    """A server for ``app``. It listens at once, and serves while ``serve_until_stopped`` runs.

    ``port`` 0 takes any free port; ``server_port`` is which. Where ``port`` is a path (a str with a slash, or a
    ``pathlib.Path``), it listens on the Unix socket there, and removes it at the end.

    Timeouts are in milliseconds or timedeltas: to receive a request's head, to receive all of a request, between two
    requests, and for requests under way when the server stops. A head may have ``max_header_size`` bytes and
    ``max_headers_count`` lines. Connections beyond ``max_connections`` (None for any number) are closed at once. With
    ``ssl_context`` it speaks HTTPS; the context's ALPN protocols become HTTP/1.1 alone. Raises ``ValueError`` and
    ``TypeError`` for wrong options, and ``OSError`` when it cannot listen there.
    """

    timeout = POLL_SECONDS
    request_queue_size = 511  # as in Node
    allow_reuse_address = True
    allow_reuse_port = False  # else a second server could start on the same port unnoticed
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
        if not callable(app):
            raise TypeError(f"the server takes a WSGI app first, not {app!r}: listen(app, 3000)")
        self.app = app
        self.ssl_context = ssl_context
        self.headers_timeout = to_seconds("headers_timeout", headers_timeout)
        self.request_timeout = to_seconds("request_timeout", request_timeout)
        self.keep_alive_timeout = to_seconds("keep_alive_timeout", keep_alive_timeout)
        self.stop_timeout = to_seconds("stop_timeout", stop_timeout)
        self.max_header_size = check_positive("max_header_size", max_header_size)
        self.max_headers_count = check_positive("max_headers_count", max_headers_count)
        self.max_connections = None if max_connections is None else check_positive("max_connections", max_connections)
        self.stopping = False
        self.idle: set[ClientSocket] = set()  # clients without a request under way, who may be disconnected
        self.connections: set[Connection] = set()  # all that are open
        self.parked = ParkedConnections(self.start_thread)
        if ssl_context is not None:
            if not hasattr(ssl_context, "set_alpn_protocols"):
                raise TypeError(f"ssl_context must be an ssl.SSLContext, not {ssl_context!r}")
            ssl_context.set_alpn_protocols(["http/1.1"])
        self.address_family, address = listen_address(host, port)
        try:
            super().__init__(address, BaseRequestHandler)  # process_request makes a Connection instead
        except OSError as error:
            raise ListenError(error.errno, bind_error_message(error, address)) from error

    @property
    def url(self) -> str:
        """Return the address as a URL: ``http://127.0.0.1:3000``."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"{self.base_environ['wsgi.url_scheme']}://{host}:{self.server_port}"

    def serve_until_stopped(self) -> None:
        """Serve until ``stop`` is called; then finish the requests under way, and close."""
        with self:
            while not self.stopping:
                self.handle_request()
            self._accept_waiting()
        self._disconnect_idle()
        self._await_connections()
        if self.connections:
            log.warning("stopped with %d connections still open", len(self.connections))

    def stop(self) -> None:
        """Make ``serve_until_stopped`` return. Returns at once; may be called in any thread, and more than once."""
        self.stopping = True

    # --- What socketserver calls ------------------------------------------------------------------------------------

    def server_bind(self) -> None:
        """Bind the socket, and make the part of the environ that all requests share."""
        super().server_bind()
        if isinstance(self.server_address, tuple):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # connections inherit it
            self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        else:
            self._socket_file = str(self.server_address)
            self.server_name, self.server_port = "localhost", 80 if self.ssl_context is None else 443
        self.base_environ: WSGIEnvironment = {
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
        """Close the listening socket, and remove its file where it is a Unix socket."""
        super().server_close()
        if self._socket_file is not None:
            with suppress(OSError):
                os.unlink(self._socket_file)
            self._socket_file = None  # a later call must not remove the file of another server

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Wait a little where the system has no room for one, instead of spinning."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                log.warning("cannot accept a connection: %s", error.strerror)
                sleep(ACCEPT_RETRY_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve an accepted connection in a thread of its own, or close it where there are too many."""
        if self.max_connections is not None and len(self.connections) >= self.max_connections:
            self.shutdown_request(request)
            return
        try:
            connection = Connection(request, client_address, self)
        except OSError:  # the client has left already
            log.debug("connection from %s failed", client_address, exc_info=True)
            self.shutdown_request(request)
            return
        self.connections.add(connection)
        if not self.start_thread(connection.serve):
            connection.close(linger_seconds=0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the exception for which a connection was not accepted."""
        log.exception("connection from %s failed", client_address)

    # --- Connections ------------------------------------------------------------------------------------------------

    def start_thread(self, function: Callable[[], None]) -> bool:
        """Call a function in a new thread. Return whether there could be one."""
        try:
            Thread(target=function, daemon=True).start()
        except (RuntimeError, MemoryError) as error:  # can't start new thread
            with suppress(Exception):  # a log that fails must not end the thread that asks
                log.warning("cannot serve a connection: %s", error)
            return False
        return True

    # --- Stopping ---------------------------------------------------------------------------------------------------

    def _accept_waiting(self) -> None:
        """Accept the clients that connected before the server was told to stop."""
        self.socket.listen(0)  # nearly no new ones are let in from here on
        self.socket.settimeout(0)
        with suppress(OSError):  # BlockingIOError, once none waits any more
            for _ in range(self.request_queue_size + 1):
                self.process_request(*self.get_request())

    def _disconnect_idle(self) -> None:
        """Give requests that are on their way a moment to arrive, then disconnect the clients without one."""
        deadline = monotonic() + GRACE_SECONDS
        while self.idle and monotonic() < deadline:
            sleep(0.01)
        with suppress(KeyError):  # pop from an empty set; other threads remove clients too
            while True:
                self.idle.pop().shutdown_read()

    def _await_connections(self) -> None:
        deadline = monotonic() + self.stop_timeout
        while self.connections and monotonic() < deadline:
            sleep(0.01)


def to_seconds(name: str, value: float | timedelta) -> float:
    """Convert milliseconds or a timedelta to seconds. Raises ``ValueError`` for what is not a positive time."""
    milliseconds = value / timedelta(milliseconds=1) if isinstance(value, timedelta) else value
    if isinstance(value, bool) or not isinstance(milliseconds, (int, float)) or not 0 < milliseconds < 1e12:
        raise ValueError(f"{name} must be a positive number of milliseconds or a timedelta, not {value!r}")
    return milliseconds / 1000


def check_positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")
    return value


def raise_file_limit() -> None:
    """Raise the limit of open files as far as allowed, as Node does: each connection is one."""
    if resource is not None:
        _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):  # a system that allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


@contextmanager
def stopped_by_signals(server: Server) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the server, in the main thread; a second signal has its default effect."""
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
