"""Serve one client's connection: receive a request, call the WSGI app, send the response; repeat while kept alive."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from .client_socket import LINGER_SECONDS, ClientSocket, Disconnected
from .parked_connections import CAN_PARK, ParkedConnections
from .request_body import RequestBody, open_body
from .request_parser import BadRequest, parse_head, wants_keep_alive
from .response_writer import CONNECTION_CLOSE, ResponseWriter
from .wait_meter import WaitMeter

if TYPE_CHECKING:
    import socket
    from ssl import SSLContext
    from wsgiref.types import WSGIApplication, WSGIEnvironment

log = logging.getLogger("miniexpress.server")

MEASURED_EVERY = 7  # requests: clocks take time; an odd number, as requests may alternate
GRACE_SECONDS = 0.5  # for a request that is on its way while the server stops
HOLD_SECONDS = 0.5 if CAN_PARK else float("inf")  # that a thread waits for another request, before it parks its client
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
    connections: set[Connection]
    parked: ParkedConnections
    idle: set[ClientSocket]


class Connection:
    """One client's connection, from its first byte to its last.

    A thread serves it. Between two requests it may be parked, without a thread of its own, until ``idle_until``, a time
    of ``time.monotonic()``.
    """

    def __init__(self, connection: socket.socket, client_address: Any, server: ConnectionServer) -> None:
        self.server = server
        self.client = ClientSocket(connection, server.max_header_size, server.ssl_context)
        self.keep_alive = True
        self.request_count = 0  # received so far
        self.is_parked = False
        self.idle_until = 0.0
        self.wait_meter = WaitMeter()
        self.keep_alive_headers = f"Connection: keep-alive\r\nKeep-Alive: timeout={int(server.keep_alive_timeout)}\r\n"
        self.base_environ = server.base_environ.copy()
        if isinstance(client_address, tuple):  # clients of a Unix socket have no address
            host, port = client_address[:2]
            self.base_environ.update(REMOTE_ADDR=host, REMOTE_PORT=str(port))

    def serve(self) -> None:
        """Serve the connection in this thread, until it ends or is parked."""
        self.serve_requests()
        if self.keep_alive:
            self.server.parked.park(self)
        else:
            self.close(LINGER_SECONDS)

    def serve_requests(self) -> None:
        """Serve the requests that have arrived; and where the connection needs a thread, those that follow soon.

        Then ``keep_alive`` tells whether the connection goes on.
        """
        try:
            while self.keep_alive and self._await_request():
                environ, body = self._receive_request()
                self._respond(environ, body)
        except Disconnected:
            self.keep_alive = False
        except BadRequest as error:
            self.keep_alive = False
            self._send_error(error.status)
        except BaseException as error:  # all of them: the thread serves other clients, too
            self.keep_alive = False
            level = logging.DEBUG if isinstance(error, OSError) else logging.ERROR  # OSError: a failed TLS handshake
            log_failure(level, "connection from %s failed", self.base_environ.get("REMOTE_ADDR"))

    def needs_thread(self) -> bool:
        """Return whether a thread of its own serves this connection better than a turn among others."""
        is_alone = len(self.server.connections) == 1  # there is nobody to share a thread with
        return self.wait_meter.is_worth_a_thread or is_alone or self.server.ssl_context is not None or not CAN_PARK

    def close(self, linger_seconds: float) -> None:
        """Close the connection, so that what was sent arrives."""
        server = self.server
        server.idle.add(self.client)
        self.client.close(min(linger_seconds, GRACE_SECONDS) if server.stopping else linger_seconds)
        server.idle.discard(self.client)
        server.connections.discard(self)

    def _await_request(self) -> bool:
        """Wait for the first byte of a request. Return False where none comes for as long as this thread may wait.

        Raises ``BadRequest`` 408 where a new client sends none in time.
        """
        client, server = self.client, self.server
        if client.has_request():
            return True
        if self.is_parked:
            return False
        if self.request_count == 0:
            server.idle.add(client)
            client.do_handshake(server.headers_timeout)
            self._wait_for_request(server.headers_timeout)
        elif self.needs_thread():
            with suppress(BadRequest):  # none came so far
                self._wait_for_request(min(HOLD_SECONDS, server.keep_alive_timeout))
        return client.has_request()

    def _wait_for_request(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        remaining = seconds  # exactly the same for each request, so that the socket's timeout need not be set anew
        try:
            while not self.client.has_request():
                self.client.wait(min(remaining, GRACE_SECONDS) if self.server.stopping else remaining)
                remaining = deadline - monotonic()
        except BadRequest:
            if self.server.stopping:
                raise Disconnected("idle for too long") from None
            raise

    def _receive_request(self) -> tuple[WSGIEnvironment, RequestBody | None]:
        server, client = self.server, self.client
        begun = monotonic()
        client.deadline = begun + (GRACE_SECONDS if server.stopping else server.headers_timeout)
        head = client.receive_head()
        server.idle.discard(client)
        environ = parse_head(head, self.base_environ, server.max_headers_count)
        client.deadline = begun + server.request_timeout
        environ["wsgi.input"], body = open_body(client, environ)
        self.keep_alive = wants_keep_alive(environ["SERVER_PROTOCOL"], environ.get("HTTP_CONNECTION"))
        self.request_count += 1
        return environ, body

    def _respond(self, environ: WSGIEnvironment, body: RequestBody | None) -> None:
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]  # the app may change its environ
        response = ResponseWriter(self.client, environ, body, self._wants_keep_alive, self.keep_alive_headers)
        try:
            Context().run(self._run_app, environ, response)  # the thread serves other clients, too
        except Disconnected:
            response.end()  # no other thread of the app's writes to it now
            raise
        except BadRequest as error:  # the app has read the body, and what came was malformed
            self._abort(response, error.status)
        except BaseException:  # SystemExit and the like, too: an app must not end a thread of the server's
            log_failure(logging.ERROR, "%s %s failed", method, target)
            self._abort(response, 500)
        else:
            self.server.idle.add(self.client)  # a server that stops need not wait for it any more
            self.keep_alive = response.keep_alive and (body is None or self._drain(body))
            self.idle_until = monotonic() + (GRACE_SECONDS if self.server.stopping else self.server.keep_alive_timeout)

    def _wants_keep_alive(self) -> bool:
        return self.keep_alive and not self.server.stopping

    def _run_app(self, environ: WSGIEnvironment, response: ResponseWriter) -> None:
        is_measured = self.request_count % MEASURED_EVERY == 1  # the first one, too
        if is_measured:
            self.wait_meter.start()
        chunks = self.server.app(environ, response.start_response)
        try:
            last_parts = response.write_chunks(chunks)
            if is_measured:
                self.wait_meter.stop()
            response.finish(last_parts)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()

    def _abort(self, response: ResponseWriter, status: int) -> None:
        """End the connection; before that, send an error where the response has not started."""
        response.end()  # no other thread of the app's starts it now
        self.keep_alive = False
        if not response.head_sent:
            self._send_error(status)

    def _send_error(self, status: int) -> None:
        """Send the only response that is not the app's."""
        with suppress(Disconnected):
            self.client.send(f"HTTP/1.1 {status} {REASONS[status]}\r\n{CONNECTION_CLOSE}\r\n".encode())

    def _drain(self, body: RequestBody) -> bool:
        """Drop what the app has not read of a body. Return whether the next request can be read."""
        if self.server.stopping:
            self.client.deadline = min(self.client.deadline, monotonic() + GRACE_SECONDS)
        return body.drain()


def log_failure(level: int, message: str, *arguments: object) -> None:
    """Log the exception that is being handled, without its traceback where Python cannot print it.

    Where the program's logging fails, that is printed instead: it must not end a thread that serves clients.
    """
    try:
        log.log(level, message, *arguments, exc_info=True)
    except Exception:
        try:
            log.log(level, message, *arguments)
        except Exception:
            with suppress(Exception):
                traceback.print_exc()
