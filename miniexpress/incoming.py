"""A request as it comes in on an HTTP/1.1 connection (RFC 9112), and as a WSGI app sees it (PEP 3333).

`read_head` makes an environ of a request's head, `Body` is what wsgi.input reads. Both are strict: what could be read
two ways raises Refused. Where the RFC leaves a choice, it is that of the http module of Node 20.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
TOKEN = re.compile(_TOKEN)
REQUEST_LINE = re.compile(
    rf"(?!CONNECT )({_TOKEN}) "
    r'((?:(?i:https?)://([^/?#\s]++))?+(/[!-"$->@-~]*+)?+(?:\?([!-"$-~]*+))?+|\*) (HTTP/1\.[01])'
)
# RFC 9110 7.2, but for the comma, which would make one host of two.
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]++\]|[0-9A-Za-z_.~!$&'()*+;=%-]*+)(?::[0-9]*+)?+")
CHUNK = re.compile(rf'([0-9A-Fa-f]{{1,15}}+)(?:;{_TOKEN}(?:=(?:{_TOKEN}|"(?:[^"\\]|\\.)*+"))?+)*+')
LENGTH = re.compile("[0-9]{1,18}")
CONTROLS = bytes(set(range(32)) - {0x09} | {0x7F})
# What shows that a head is wrong before all of it is there, so that its sender need not wait for the timeout.
MALFORMED = re.compile(
    rb"(?<!\r)\n|\r[^\n]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\A(?:\r\n)?+[^\r\n]++(?<! HTTP/1\.[01])\r\n"
)
FRAMING = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_HOST"}
FIRST_COUNTS = {
    "CONTENT_TYPE",
    "HTTP_AGE",
    "HTTP_AUTHORIZATION",
    "HTTP_ETAG",
    "HTTP_EXPIRES",
    "HTTP_FROM",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_LAST_MODIFIED",
    "HTTP_LOCATION",
    "HTTP_MAX_FORWARDS",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_REFERER",
    "HTTP_RETRY_AFTER",
    "HTTP_SERVER",
    "HTTP_USER_AGENT",
}
SKIPPED_BODY = 256 * 1024  # bytes that are read and dropped, when the app left them, to keep the connection


class Refused(OSError):
    """A request that is not served: `status` is what its sender is told. Reading wsgi.input raises it, too."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Disconnected(Refused):
    """The client is gone, or was idle for too long."""

    def __init__(self) -> None:
        super().__init__(400, "request aborted")


def read_head(head: bytes, base: WSGIEnvironment) -> WSGIEnvironment:
    """The environ of the request with this `head`, which comes without the empty line at its end. Raises Refused.

    REQUEST_URI is the target exactly as it was sent.
    """
    line, *fields = lines_of(head)
    if not line and fields:  # RFC 9112 2.2: an empty line ahead of a request is passed over
        line, *fields = fields
    request = REQUEST_LINE.fullmatch(line)
    if request is None:
        raise Refused(400, "malformed request line")
    method, target, authority, path, query, version = request.groups()
    if path is None and authority is None and (method, target) != ("OPTIONS", "*"):
        raise Refused(400, "malformed request target")
    environ = base.copy()
    environ["REQUEST_METHOD"] = method
    environ["REQUEST_URI"] = target
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if path and "%" in path else path or ""
    environ["QUERY_STRING"] = query or ""
    environ["SERVER_PROTOCOL"] = version
    add_fields(fields, environ)
    host = environ.get("HTTP_HOST")
    if not is_host(host) and (host is not None or version == "HTTP/1.1"):
        raise Refused(400, "missing or malformed host")
    if authority is not None:
        if not is_host(authority):
            raise Refused(400, "malformed host in the target")
        environ["HTTP_HOST"] = authority  # RFC 9112 3.2.2: the target's host is the one that counts
    if "HTTP_EXPECT" in environ and environ["HTTP_EXPECT"].lower() != "100-continue" and version == "HTTP/1.1":
        raise Refused(417, "unknown expectation")
    return environ


def lines_of(raw: bytes) -> list[str]:
    """The lines of `raw`. Raises Refused for a control character that is not part of the CRLF between two lines."""
    lines = raw.decode("latin-1").split("\r\n")
    if len(raw.translate(None, CONTROLS)) + 2 * len(lines) - 2 != len(raw):
        raise Refused(400, "control character")
    return lines


def add_fields(fields: Iterable[str], environ: dict[str, Any]) -> None:
    for field in fields:
        name, colon, value = field.partition(":")
        key = environ_key(name)
        if not colon:
            raise Refused(400, "header without colon")
        if key is None:
            continue
        value = value.strip(" \t")
        environ[key] = joined(key, environ[key], value) if key in environ else value


@lru_cache(maxsize=256)
def environ_key(name: str) -> str | None:
    """None for a name with an underscore: in an environ it would pass for the same name with a hyphen."""
    if TOKEN.fullmatch(name) is None:
        raise Refused(400, "malformed header name")
    if "_" in name:
        return None
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def joined(key: str, first: str, second: str) -> str:
    if key in FRAMING:
        raise Refused(400, "repeated header")
    if key in FIRST_COUNTS:
        return first
    return f"{first}{'; ' if key == 'HTTP_COOKIE' else ', '}{second}"


@lru_cache(maxsize=256)
def is_host(text: str | None) -> bool:
    return text is not None and HOST.fullmatch(text) is not None


@lru_cache(maxsize=256)
def wants_keep_alive(version: str, connection: str | None) -> bool:
    """Whether a request's version and Connection header ask to keep the connection (RFC 9112 9.3)."""
    options = {option.strip(" \t") for option in (connection or "").lower().split(",")}
    return "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)


def body_of(environ: WSGIEnvironment, source: Source, spare: int, seconds: float) -> Body | None:
    """The body that follows the head of `environ`, None for none. See Body for `spare`; it may take `seconds`."""
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    awaited = "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    return Body(source, body_size(environ), awaited, spare, monotonic() + seconds)


def body_size(environ: WSGIEnvironment) -> int | None:
    """In bytes; None for a chunked body. Raises Refused where RFC 9112 6.3 leaves the size in doubt."""
    coding, length = environ.get("HTTP_TRANSFER_ENCODING"), environ.get("CONTENT_LENGTH")
    if coding is None:
        if length is None or LENGTH.fullmatch(length) is None:
            raise Refused(400, "malformed Content-Length")
        return int(length)
    if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise Refused(400, "ambiguous body")
    if coding.lower() != "chunked":
        known_end = coding.lower().count("chunked") == 1 and re.search("[ ,]chunked$", coding.lower())
        raise Refused(501 if known_end else 400, "unknown transfer coding")
    return None


class Source(Protocol):
    """Where a body comes from; each method raises Refused, also when `deadline` (of time.monotonic) is over."""

    def receive(self, size: int, deadline: float) -> bytes: ...
    def receive_line(self, deadline: float) -> bytes: ...
    def send(self, data: bytes) -> None: ...


class Body(io.RawIOBase):
    """A request's body: `size` bytes or, where that is None, chunks (RFC 9112 7.1).

    `awaited` tells that the client waits for a 100 before it sends; `spare` is how many bytes the extensions and
    trailers of chunks may take. Reading raises Refused: 400 for malformed chunks, 408 after the deadline.
    """

    def __init__(self, source: Source, size: int | None, awaited: bool, spare: int, deadline: float) -> None:
        self._source = source
        self._left = size or 0
        self._chunked = size is None
        self._in_chunk = False
        self._awaited = awaited and size != 0
        self._spare = spare
        self._deadline = deadline
        self._failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._failed:
            raise Disconnected
        try:
            data = self._read(len(target))
        except Refused:
            self._failed = True
            raise
        target[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        if self._awaited:
            self._awaited = False
            self._source.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked and not self._left:
            self._next_chunk()
        if not self._left:
            return b""
        data = self._source.receive(min(size, self._left), self._deadline)
        self._left -= len(data)
        return data

    def _next_chunk(self) -> None:
        if self._in_chunk and self._source.receive_line(self._deadline):
            raise Refused(400, "chunk longer than its size")
        self._in_chunk = True
        [line] = lines_of(self._source.receive_line(self._deadline))
        chunk = CHUNK.fullmatch(line)
        if chunk is None:
            raise Refused(400, "malformed chunk size")
        self._charge(len(line) - chunk.end(1))
        self._left = int(chunk[1], 16)
        if not self._left:
            self._read_trailers()
            self._chunked = False

    def _read_trailers(self) -> None:
        trailers: dict[str, Any] = {}
        while line := self._source.receive_line(self._deadline):
            self._charge(len(line))
            add_fields(lines_of(line), trailers)
        if FRAMING & trailers.keys():
            raise Refused(400, "forbidden trailer")

    def _charge(self, size: int) -> None:
        self._spare -= size
        if self._spare < 0:
            raise Refused(431, "chunk extensions or trailers too long")

    def is_skippable(self) -> bool:
        return not self._failed and not self._awaited and self._left <= SKIPPED_BODY

    def skip(self) -> bool:
        """Drop what the app left, and tell whether the next request begins behind it."""
        scratch, dropped = bytearray(8192), 0
        with suppress(Refused):
            while dropped <= SKIPPED_BODY and (count := self.readinto(scratch)):
                dropped += count
        return not self._failed and not self._left and not self._chunked
