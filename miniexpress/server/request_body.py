"""TODO"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .client_socket import ClientSocket, Disconnected
from .request_parser import _TOKEN, FRAMING, LENGTH, TOKEN, BadRequest, split_field, split_lines

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

CHUNK = re.compile(rf'([0-9A-Fa-f]{{1,15}}+)(?:;{_TOKEN}(?:=(?:{_TOKEN}|"[^"\\]*+(?:\\.[^"\\]*+)*"))?)*')
MAX_DRAINED_BODY = 256 * 1024  # bytes that are read and dropped, when the app left them, to keep the connection


def open_body(client: ClientSocket, environ: WSGIEnvironment) -> Body | None:
    """The body that follows a head; None for none."""
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    return Body(client, environ)


def body_size(environ: WSGIEnvironment) -> int | None:
    """In bytes; None for a chunked body. Raises BadRequest where RFC 9112 6.3 leaves the size in doubt."""
    length = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" not in environ:
        if length is None or LENGTH.fullmatch(length) is None:
            raise BadRequest(400, "malformed Content-Length")
        return int(length)
    if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise BadRequest(400, "ambiguous body")
    coding = environ["HTTP_TRANSFER_ENCODING"].lower()
    if coding != "chunked":
        *others, last = re.split("[ \t]*,[ \t]*", coding)
        has_end = last == "chunked" and all(TOKEN.fullmatch(other) and other != last for other in others)
        raise BadRequest(501 if has_end else 400, "unknown transfer coding")
    return None


class Body(io.RawIOBase):
    """A request's body, for wsgi.input: Content-Length bytes, or chunks (RFC 9112 7.1). Reading raises OSError."""

    def __init__(self, client: ClientSocket, environ: WSGIEnvironment) -> None:
        size = body_size(environ)
        self._client = client
        self._remaining = size or 0  # of the body, or of the chunk
        self._chunked = size is None
        self._expects_continue = size != 0 and "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._overhead_left = client.limit  # bytes that the extensions and trailers of chunks may take
        self._failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._failed:
            raise Disconnected("request aborted")
        self._failed = True
        data = self._read(len(target))
        self._failed = False
        target[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        if self._expects_continue:
            self._expects_continue = False
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked and not self._remaining:
            self._begin_chunk()
        if not self._remaining:
            return b""
        data = self._client.receive(min(size, self._remaining))
        self._remaining -= len(data)
        if self._chunked and not self._remaining and self._client.receive(1) + self._client.receive(1) != b"\r\n":
            raise BadRequest(400, "chunk longer than its size")
        return data

    def _begin_chunk(self) -> None:
        line = self._line()
        chunk = CHUNK.fullmatch(line)
        if chunk is None:
            raise BadRequest(400, "malformed chunk size")
        self._count_overhead(len(line) - chunk.end(1))
        self._remaining = int(chunk[1], 16)
        self._chunked = self._remaining > 0
        while not self._chunked and (line := self._line()):
            self._count_overhead(len(line))
            if split_field(line)[0] in FRAMING:
                raise BadRequest(400, "forbidden trailer")

    def _line(self) -> str:
        return split_lines(self._client.receive_line())[0]

    def _count_overhead(self, size: int) -> None:
        self._overhead_left -= size
        if self._overhead_left < 0:
            raise BadRequest(431, "chunk extensions or trailers too long")

    def can_drain(self) -> bool:
        """Whether what the app leaves can be passed over; for when its answer begins, after which no 100 is sent."""
        awaited, self._expects_continue = self._expects_continue, False
        return not self._failed and not awaited and self._remaining <= MAX_DRAINED_BODY

    def drain(self) -> bool:
        """Drop what the app left, and tell whether the next request begins behind it."""
        scratch, dropped = bytearray(8192), 0
        with suppress(BadRequest):
            while dropped <= MAX_DRAINED_BODY and (count := self.readinto(scratch)):
                dropped += count
        return not self._failed and not self._remaining and not self._chunked
