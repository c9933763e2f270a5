"""Serve one client's connection: receive a request, call the WSGI app, send the response; repeat while kept alive."""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from .client_socket import BUFFER_SIZE, LINGER_SECONDS, ClientSocket, Disconnected
from .request_body import RequestBody, open_body
from .request_parser import BadRequest, parse_head, skip_blank_lines, wants_keep_alive
from .response_writer import CONNECTION_CLOSE, ResponseWriter

if TYPE_CHECKING:
    import socket
    from ssl import SSLContext
    from wsgiref.types import WSGIApplication, WSGIEnvironment

log = logging.getLogger("miniexpress.server")

GRACE_SECONDS = 0.5  # for a request that is on its way while the server stops
REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
}


class ConnectionServer(Protocol):
    """The part of a server that its connections need: the app, the options, and what both change when it stops.

    Timeouts are in seconds. ``idle`` has the clients without a request under way: those that may be disconnected.
    """

    app: WSGIApplication
    base_environ: WSGIEnvironment
    ssl_context: SSLContext | None
    headers_timeout: float
    request_timeout: float
    keep_alive_timeout: float
    max_header_size: int
    max_headers_count: int
    stopping: bool
    idle: set[ClientSocket]


class Connection:
    """One client's connection, from its first byte to its last."""

    def __init__(self, connection: socket.socket, client_address: Any, server: ConnectionServer) -> None:
        self.server = server
        self.client = ClientSocket(connection, server.max_header_size, server.ssl_context)
        self.idle = Idle(server.idle, self.client)
        self.keep_alive = True
        self.is_first = True  # no request was received yet
        self.keep_alive_headers = f"Connection: keep-alive\r\nKeep-Alive: timeout={int(server.keep_alive_timeout)}\r\n"
        self.base_environ = server.base_environ.copy()
        if isinstance(client_address, tuple):  # clients of a Unix socket have no address
            host, port = client_address[:2]
            self.base_environ.update(REMOTE_ADDR=host, REMOTE_PORT=str(port))

    def serve(self) -> None:
        """Serve requests until client, app or server ends the connection. Raises ``OSError`` for a failed handshake."""
        try:
            while self.keep_alive:
                environ, body = self._receive_request()
                self._respond(environ, body)
        except Disconnected:
            pass
        except BadRequest as error:
            self._send_error(error.status)
        finally:
            self._close()

    def _receive_request(self) -> tuple[WSGIEnvironment, RequestBody | None]:
        server, client = self.server, self.client
        with self.idle:
            if self.is_first:
                client.do_handshake(server.headers_timeout)
            self._await_request()
            begun = monotonic()
            client.deadline = begun + (GRACE_SECONDS if server.stopping else server.headers_timeout)
            head = client.receive_head()
        environ = parse_head(head, self.base_environ, server.max_headers_count)
        client.deadline = begun + server.request_timeout
        body = open_body(client, environ)
        environ["wsgi.input"] = io.BytesIO() if body is None else io.BufferedReader(body, BUFFER_SIZE)
        self.keep_alive = wants_keep_alive(environ["SERVER_PROTOCOL"], environ.get("HTTP_CONNECTION"))
        self.is_first = False
        return environ, body

    def _await_request(self) -> None:
        """Wait for the first byte of a request. Raises ``BadRequest`` 408 where a new client sends none in time."""
        server, client = self.server, self.client
        timeout = server.headers_timeout if self.is_first else server.keep_alive_timeout
        deadline = monotonic() + timeout
        remaining = timeout  # exactly the same for each request, so that the socket's timeout need not be set anew
        skip_blank_lines(client.buffer)
        try:
            while len(client.buffer) == 0 or client.buffer == b"\r":
                client.wait(min(remaining, GRACE_SECONDS) if server.stopping else remaining)
                remaining = deadline - monotonic()
                skip_blank_lines(client.buffer)
        except BadRequest:
            if self.is_first and not server.stopping:
                raise
            raise Disconnected("idle for too long") from None

    def _respond(self, environ: WSGIEnvironment, body: RequestBody | None) -> None:
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]  # the app may change its environ
        response = ResponseWriter(self.client, environ, body, self._wants_keep_alive, self.keep_alive_headers)
        try:
            self._run_app(environ, response)
        except Disconnected:
            raise
        except BadRequest as error:  # the app has read the body, and what came was malformed
            self._abort(response, error.status)
        except BaseException:  # SystemExit and the like, too: an app must not end a thread of the server's
            log_failure(method, target)
            self._abort(response, 500)
        else:
            self.keep_alive = response.keep_alive and (body is None or self._drain(body))
        finally:
            response.end()

    def _wants_keep_alive(self) -> bool:
        return self.keep_alive and not self.server.stopping

    def _run_app(self, environ: WSGIEnvironment, response: ResponseWriter) -> None:
        chunks = self.server.app(environ, response.start_response)
        try:
            response.write_all(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _abort(self, response: ResponseWriter, status: int) -> None:
        """End the connection; before that, send an error where the response has not started."""
        response.end()  # no other thread of the app's starts it now
        self.keep_alive = False
        if not response.headers_sent:
            self._send_error(status)

    def _send_error(self, status: int) -> None:
        with suppress(Disconnected):
            self.client.send(f"HTTP/1.1 {status} {REASONS[status]}\r\n{CONNECTION_CLOSE}\r\n".encode())

    def _drain(self, body: RequestBody) -> bool:
        """Drop what the app has not read of a body. Return whether the next request can be read."""
        with self.idle:
            if self.server.stopping:
                self.client.deadline = min(self.client.deadline, monotonic() + GRACE_SECONDS)
            return body.drain()

    def _close(self) -> None:
        with self.idle:
            self.client.close(GRACE_SECONDS if self.server.stopping else LINGER_SECONDS)


def log_failure(method: str, target: str) -> None:
    """Log the exception that is being handled, without its traceback where Python cannot print it."""
    try:
        log.exception("%s %s failed", method, target)
    except Exception:
        log.error("%s %s failed", method, target)


class Idle:
    """While it is entered, a client is among those without a request under way."""

    def __init__(self, clients: set[ClientSocket], client: ClientSocket) -> None:
        self.clients = clients
        self.client = client

    def __enter__(self) -> None:
        self.clients.add(self.client)

    def __exit__(self, *_: object) -> None:
        self.clients.discard(self.client)
