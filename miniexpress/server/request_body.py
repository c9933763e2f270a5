"""TODO"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .client_socket import Client, Disconnected
from .request_parser import _TOKEN, FRAMING, LENGTH, TOKEN, Refused, lines_of, split_field

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

CHUNK = re.compile(rf'([0-9A-Fa-f]{{1,15}}+)(?:;{_TOKEN}(?:=(?:{_TOKEN}|"[^"\\]*+(?:\\.[^"\\]*+)*"))?)*')
SKIPPED_BODY = 256 * 1024  # bytes that are read and dropped, when the app left them, to keep the connection


def body_of(client: Client, environ: WSGIEnvironment) -> Body | None:
    """The body that follows a head; None for none."""
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    return Body(client, environ)


def body_size(environ: WSGIEnvironment) -> int | None:
    """In bytes; None for a chunked body. Raises Refused where RFC 9112 6.3 leaves the size in doubt."""
    length = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" not in environ:
        if length is None or LENGTH.fullmatch(length) is None:
            raise Refused(400, "malformed Content-Length")
        return int(length)
    if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise Refused(400, "ambiguous body")
    coding = environ["HTTP_TRANSFER_ENCODING"].lower()
    if coding != "chunked":
        *others, last = re.split("[ \t]*,[ \t]*", coding)
        has_end = last == "chunked" and all(TOKEN.fullmatch(other) and other != last for other in others)
        raise Refused(501 if has_end else 400, "unknown transfer coding")
    return None


class Body(io.RawIOBase):
    """A request's body, for wsgi.input: Content-Length bytes, or chunks (RFC 9112 7.1). Reading raises OSError."""

    def __init__(self, client: Client, environ: WSGIEnvironment) -> None:
        size = body_size(environ)
        self._client = client
        self._left = size or 0  # of the body, or of the chunk
        self._chunked = size is None
        self._awaited = size != 0 and "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._spare = client.limit  # bytes that the extensions and trailers of chunks may take
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
        if self._awaited:
            self._awaited = False
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked and not self._left:
            self._begin_chunk()
        if not self._left:
            return b""
        data = self._client.receive(min(size, self._left))
        self._left -= len(data)
        if self._chunked and not self._left and self._client.receive(1) + self._client.receive(1) != b"\r\n":
            raise Refused(400, "chunk longer than its size")
        return data

    def _begin_chunk(self) -> None:
        line = self._line()
        chunk = CHUNK.fullmatch(line)
        if chunk is None:
            raise Refused(400, "malformed chunk size")
        self._charge(len(line) - chunk.end(1))
        self._left = int(chunk[1], 16)
        self._chunked = self._left > 0
        while not self._chunked and (line := self._line()):
            self._charge(len(line))
            if split_field(line)[0] in FRAMING:
                raise Refused(400, "forbidden trailer")

    def _line(self) -> str:
        return lines_of(self._client.receive_line())[0]

    def _charge(self, size: int) -> None:
        self._spare -= size
        if self._spare < 0:
            raise Refused(431, "chunk extensions or trailers too long")

    def settle(self) -> bool:
        """Whether what the app leaves can be passed over; for when its answer begins, after which no 100 is sent."""
        awaited, self._awaited = self._awaited, False
        return not self._failed and not awaited and self._left <= SKIPPED_BODY

    def skip(self) -> bool:
        """Drop what the app left, and tell whether the next request begins behind it."""
        scratch, dropped = bytearray(8192), 0
        with suppress(Refused):
            while dropped <= SKIPPED_BODY and (count := self.readinto(scratch)):
                dropped += count
        return not self._failed and not self._left and not self._chunked
