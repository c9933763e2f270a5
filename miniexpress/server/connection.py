"""TODO"""

from __future__ import annotations

import io
import logging
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from time import monotonic
from typing import TYPE_CHECKING

from .client_socket import LINGER_SECONDS, PIECE, Client, Disconnected
from .request_body import Body, body_of
from .request_parser import Refused, has_begun, read_head, wants_keep_alive
from .response_writer import CLOSE, Answer

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from .server import Server

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


class Connection(BaseHTTPRequestHandler):
    """One client's connection, from its first byte to its last."""

    server: Server
    base: WSGIEnvironment
    body: Body | None

    def handle(self) -> None:
        try:
            while self.keep_alive:
                self._answer(self._receive_request())
        except Disconnected:
            pass
        except Refused as refused:
            with suppress(Disconnected):
                self.client.send(f"HTTP/1.1 {refused.status} {REASONS[refused.status]}\r\n{CLOSE}\r\n".encode())

    def _receive_request(self) -> WSGIEnvironment:
        server, client = self.server, self.client
        server.idle.add(client)
        try:
            if not self.served:
                client.shake_hands(server.headers_timeout)
            self._await_request()
            begun = monotonic()
            client.deadline = begun + (GRACE_SECONDS if server.stopping else server.headers_timeout)
            head = client.receive_head()
        finally:
            server.idle.discard(client)
        environ = read_head(head, self.base, server.max_headers_count)
        client.deadline = begun + server.request_timeout
        self.keep_alive = wants_keep_alive(environ["SERVER_PROTOCOL"], environ.get("HTTP_CONNECTION"))
        self.body = body_of(client, environ)
        environ["wsgi.input"] = io.BytesIO() if self.body is None else io.BufferedReader(self.body, PIECE)
        return environ

    def _await_request(self) -> None:
        server, client = self.server, self.client
        seconds = server.keep_alive_timeout if self.served else server.headers_timeout
        deadline = monotonic() + seconds
        try:
            while not has_begun(client.buffer):
                client.wait(min(seconds, GRACE_SECONDS) if server.stopping else seconds)
                seconds = deadline - monotonic()
        except Refused as refused:
            raise Disconnected if self.served or server.stopping else refused from None

    def _answer(self, environ: WSGIEnvironment) -> None:
        self.served = True
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        answer = Answer(self.client, environ, self._life)
        try:
            chunks = self.server.app(environ, answer.start)
            try:
                answer.send_all(chunks)
            finally:
                if hasattr(chunks, "close"):
                    chunks.close()
        except (Refused, Disconnected) as error:
            raise Disconnected if answer.begun else error from None
        except BaseException:  # the app's own SystemExit and the like, too: they are no reason to end a thread of ours
            try:
                log.exception("%s %s failed", method, target)
            except Exception:  # Python cannot print it
                log.error("%s %s failed", method, target)
            raise Disconnected if answer.begun else Refused(500, "the app failed") from None
        finally:
            answer.end()
        self.keep_alive = self.keep_alive and (self.body is None or self._skip(self.body))

    def _skip(self, body: Body) -> bool:
        """Pass over what the app has left of a body; whether the next request can be read behind it."""
        self.server.idle.add(self.client)
        try:
            if self.server.stopping:
                self.client.deadline = min(self.client.deadline, monotonic() + GRACE_SECONDS)
            return body.skip()
        finally:
            self.server.idle.discard(self.client)

    def _life(self, keep_alive: bool) -> str:
        if self.body is not None and not self.body.settle():
            keep_alive = False
        self.keep_alive = self.keep_alive and keep_alive and not self.server.stopping
        return self.server.keep_alive_lines if self.keep_alive else CLOSE

    def setup(self) -> None:
        server = self.server
        self.client = Client(self.request, server.max_header_size, server.ssl_context)
        self.keep_alive = True
        self.served = False
        self.base = server.environ.copy()
        if isinstance(self.client_address, tuple):  # clients of a Unix socket have no address
            host, port = self.client_address[:2]
            self.base.update(REMOTE_ADDR=host, REMOTE_PORT=str(port))

    def finish(self) -> None:
        self.server.idle.add(self.client)  # so that stopping ends the wait
        try:
            self.client.close(GRACE_SECONDS if self.server.stopping else LINGER_SECONDS)
        finally:
            self.server.idle.discard(self.client)
