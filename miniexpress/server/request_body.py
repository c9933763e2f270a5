"""Read the body of a request: ``Content-Length`` bytes, or chunks (RFC 9112 sections 6 and 7).

A body is a raw stream, which the connection hands to the app in ``wsgi.input``.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .client_socket import BUFFER_SIZE, ClientSocket, Disconnected
from .grammar import CHUNK_HEADER, CONTENT_LENGTH, TOKEN
from .request_parser import FRAMING_KEYS, BadRequest, parse_headers, split_lines

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

MAX_DRAINED_BODY = 256 * 1024  # bytes of a body the app did not read that are dropped, to keep the connection
DRAIN_BUFFER_SIZE = 8192


def open_body(client: ClientSocket, environ: WSGIEnvironment) -> tuple[io.BufferedIOBase, RequestBody | None]:
    """Return ``wsgi.input`` for the body that follows a head, and the body that is still to be received, if any is.

    Raises ``BadRequest`` where the body's size is in doubt (RFC 9112 section 6.3).
    """
    length = environ.get("CONTENT_LENGTH")
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if length is None and coding is None:
        return io.BytesIO(), None
    expects_continue = "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    if coding is None:
        size = parse_content_length(length)
        if size <= len(client.buffer) and not expects_continue:  # all of it came with the head
            return io.BytesIO(client.receive(size) if size else b""), None
        return buffered(ContentLengthBody(client, size, expects_continue))
    if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise BadRequest(400, "ambiguous body")
    check_transfer_coding(coding.lower())
    return buffered(ChunkedBody(client, expects_continue))


def buffered(body: RequestBody) -> tuple[io.BufferedIOBase, RequestBody]:
    """Return ``wsgi.input`` that reads ``body``, and ``body``, as ``open_body`` does."""
    return io.BufferedReader(body, BUFFER_SIZE), body


def parse_content_length(text: str | None) -> int:
    if text is None or CONTENT_LENGTH.fullmatch(text) is None:
        raise BadRequest(400, "malformed Content-Length")
    return int(text)


def check_transfer_coding(coding: str) -> None:
    """Raise ``BadRequest`` for all but ``chunked``: 501 where it is valid, as ``gzip, chunked`` is, else 400."""
    if coding == "chunked":
        return
    *others, last = re.split("[ \t]*,[ \t]*", coding)
    is_valid = last == "chunked" and all(TOKEN.fullmatch(other) and other != last for other in others)
    raise BadRequest(501 if is_valid else 400, "unknown transfer coding")


class RequestBody(io.RawIOBase):
    """A request's body as a raw stream.

    Reading raises ``BadRequest`` or ``Disconnected``, both ``OSError``; from then on the body is of no use.
    With ``expects_continue``, the first read sends ``100 Continue``.
    """

    def __init__(self, client: ClientSocket, expects_continue: bool) -> None:
        self._client = client
        self._expects_continue = expects_continue
        self._remaining = 0  # bytes of the body, or of the chunk
        self._failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._failed:
            raise Disconnected("request aborted")
        try:
            if self._expects_continue:
                self._send_continue()
            data = self._read(len(target))
        except BaseException:
            self._failed = True
            raise
        target[: len(data)] = data
        return len(data)

    def _send_continue(self) -> None:
        self._expects_continue = False
        self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read(self, size: int) -> bytes:
        """Return from 1 to ``size`` bytes; none at the end of the body."""
        raise NotImplementedError

    def can_drain(self) -> bool:
        """Return whether the unread body may be drained to keep the connection.

        Not where the client waits for ``100 Continue``: it may send the body, or the next request instead.
        """
        return not self._failed and not self._expects_continue and self._remaining <= MAX_DRAINED_BODY

    def withhold_continue(self) -> None:
        """Send no ``100 Continue`` any more: the response has started."""
        self._expects_continue = False

    def drain(self) -> bool:
        """Read and drop the rest of the body. Return whether its end was reached, where the next request begins."""
        if self._is_complete():
            return not self._failed
        buffer = bytearray(DRAIN_BUFFER_SIZE)
        drained = 0
        with suppress(BadRequest):
            while drained <= MAX_DRAINED_BODY and (count := self.readinto(buffer)):
                drained += count
        return not self._failed and self._is_complete()

    def _is_complete(self) -> bool:
        return self._remaining == 0


class ContentLengthBody(RequestBody):
    """A body of ``size`` bytes."""

    def __init__(self, client: ClientSocket, size: int, expects_continue: bool) -> None:
        super().__init__(client, expects_continue and size > 0)
        self._remaining = size

    def _read(self, size: int) -> bytes:
        if self._remaining == 0:
            return b""
        data = self._client.receive(min(size, self._remaining))
        self._remaining -= len(data)
        return data


class ChunkedBody(RequestBody):
    """A body in chunks (RFC 9112 section 7.1): ``b"5\\r\\nhello\\r\\n0\\r\\n\\r\\n"`` → ``b"hello"``.

    Extensions and trailers are dropped. Together they may be as long as a head.
    """

    def __init__(self, client: ClientSocket, expects_continue: bool) -> None:
        super().__init__(client, expects_continue)
        self._overhead_left = client.limit  # bytes
        self._last_chunk_seen = False

    def _read(self, size: int) -> bytes:
        if self._remaining == 0:
            if self._last_chunk_seen:
                return b""
            self._remaining = self._receive_chunk_size()
            if self._remaining == 0:
                self._last_chunk_seen = True
                self._receive_trailers()
                return b""
        data = self._client.receive(min(size, self._remaining))
        self._remaining -= len(data)
        if self._remaining == 0 and self._client.receive(1) + self._client.receive(1) != b"\r\n":
            raise BadRequest(400, "chunk longer than its size")
        return data

    def _receive_chunk_size(self) -> int:
        line = self._receive_line()
        match = CHUNK_HEADER.fullmatch(line)
        if match is None:
            raise BadRequest(400, "malformed chunk size")
        extensions_size = len(line) - match.end("size")
        self._count_overhead(extensions_size)
        return int(match["size"], 16)

    def _receive_trailers(self) -> None:
        while line := self._receive_line():
            self._count_overhead(len(line))
            trailer: dict[str, str] = {}  # one for each line: trailers are dropped, and may repeat
            parse_headers([line], trailer)
            if not FRAMING_KEYS.isdisjoint(trailer):
                raise BadRequest(400, "forbidden trailer")

    def _receive_line(self) -> str:
        [line] = split_lines(self._client.receive_line())
        return line

    def _count_overhead(self, size: int) -> None:
        self._overhead_left -= size
        if self._overhead_left < 0:
            raise BadRequest(431, "chunk extensions or trailers too long")

    def _is_complete(self) -> bool:
        return self._last_chunk_seen
