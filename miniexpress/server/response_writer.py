"""Write the response of a WSGI app (PEP 3333) to an HTTP/1.1 connection (RFC 9112).

When the head is sent, three steps follow each other: choose the framing, decide on keep-alive, write. The headers added
to those of the app, and their order, are those of Node 20's http module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from enum import Enum
from functools import lru_cache
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .client_socket import ClientSocket
from .grammar import CONTENT_LENGTH, CONTROL_CHARACTERS, STATUS, TOKEN
from .request_body import RequestBody

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

FRAMING_HEADERS = {"content-length", "transfer-encoding"}
INTERPRETED_HEADERS = FRAMING_HEADERS | {"connection", "date"}
CONNECTION_CLOSE = "Connection: close\r\n"


class Framing(Enum):
    """How the client finds the end of a response's body (RFC 9112 section 6.3)."""

    NO_BODY = "no body"
    CONTENT_LENGTH = "content-length"
    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"


class ResponseWriter:
    """Write one response to ``client``.

    The app is given ``start_response``; ``write_all`` takes what it returns. ``wants_keep_alive`` is called when the
    head is sent: do the request and the server want to keep the connection? ``keep_alive`` is then what was decided.
    """

    def __init__(
        self,
        client: ClientSocket,
        environ: WSGIEnvironment,
        body: RequestBody | None,
        wants_keep_alive: Callable[[], bool],
        keep_alive_headers: str,
    ) -> None:
        self.headers_sent = False
        self.keep_alive = False
        self._client = client
        self._request_body = body
        self._wants_keep_alive = wants_keep_alive
        self._keep_alive_headers = keep_alive_headers
        self._method: str = environ["REQUEST_METHOD"]
        self._version: str = environ["SERVER_PROTOCOL"]
        self._head: ResponseHead | None = None
        self._framing = Framing.NO_BODY
        self._remaining = 0  # bytes that Content-Length still announces
        self._ended = False
        self._lock = Lock()  # the app may hand `write` to another thread

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Take the head, as PEP 3333 has it. Nothing is sent before the first byte of the body.

        Raises ``ValueError`` for a head that would not arrive as it is meant, and ``RuntimeError`` for a second call
        without ``exc_info``. With it, raises that exception where the head was sent already.
        """
        if exc_info is not None:
            try:
                if self.headers_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # else the traceback and this frame would hold each other
        elif self._head is not None:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        self._head = parse_response_head(status, headers)
        return self.write

    def write_all(self, chunks: Iterable[bytes]) -> None:
        """Send the body that the app returned, and end the response."""
        parts: Sequence[bytes] = ()
        if isinstance(chunks, (list, tuple)):  # its size is known
            parts = [to_bytes(chunk) for chunk in chunks]
        else:
            for chunk in chunks:
                self.write(chunk)
        with self._lock:
            self._ended = True
            if not self.headers_sent:
                self._send_head(parts, total=sum(map(len, parts)))
            elif any(parts):
                self._send(parts)
            self._send_end()

    def write(self, data: bytes) -> None:
        """Send a part of the body: the ``write`` that PEP 3333's ``start_response`` returns.

        Raises ``RuntimeError`` once the response has ended, as the client would take ``data`` for the next one, and
        ``Disconnected``, a ``ConnectionError``, once the client is gone.
        """
        data = to_bytes(data)
        with self._lock:
            if self._ended:
                raise RuntimeError("write() was called after its response had ended")
            if data:
                self._send([data])

    def end(self) -> None:
        """Refuse further writes, however the app has ended."""
        with self._lock:
            self._ended = True

    def _send(self, parts: Sequence[bytes]) -> None:
        if not self.headers_sent:
            self._send_head(parts)
        elif self._framing is not Framing.NO_BODY:
            self._client.send(*self._frame(parts))

    def _send_head(self, parts: Sequence[bytes], total: int | None = None) -> None:
        """Send the head with the first ``parts`` of the body; ``total`` is the body's size in bytes, where known."""
        head, body = self._head, self._request_body
        if head is None:
            raise RuntimeError("the app returned without calling start_response")

        self._framing = choose_framing(self._method, head, self._version, total)
        payload = self._frame_first(parts, head.content_length, total)

        self.keep_alive = (
            self._wants_keep_alive()
            and not head.says_close
            and self._framing is not Framing.UNTIL_CLOSE
            and (body is None or body.can_drain())
        )
        if body is not None:
            body.withhold_continue()

        date = "" if head.has_date else date_line(int(time()))
        added = f"{date}{self._connection_headers(head)}{self._framing_header(head, total)}\r\n"
        self.headers_sent = True
        self._client.send(head.lines + added.encode("latin-1"), *payload)

    def _frame_first(self, parts: Sequence[bytes], announced: int | None, total: int | None) -> Sequence[bytes]:
        if self._framing is Framing.NO_BODY:
            return ()
        if self._framing is Framing.CONTENT_LENGTH:
            if announced is not None and total is not None and announced != total:
                raise ValueError(f"the response has {total} bytes, and a Content-Length of {announced}")
            self._remaining = announced if announced is not None else total or 0
        return self._frame(parts)

    def _frame(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        """Return ``parts`` as they are sent; chunked: ``[b"ab", b"c"]`` → ``[b"3\\r\\n", b"ab", b"c", b"\\r\\n"]``."""
        size = sum(map(len, parts))
        if self._framing is Framing.CHUNKED:
            return [b"%x\r\n" % size, *parts, b"\r\n"]
        if self._framing is Framing.CONTENT_LENGTH:
            self._remaining -= size
            if self._remaining < 0:
                raise ValueError(f"the response is {-self._remaining} bytes longer than its Content-Length")
        return parts

    def _connection_headers(self, head: ResponseHead) -> str:
        if head.says_close:
            return ""  # the app's own header is among head.lines
        if not self.keep_alive:
            return CONNECTION_CLOSE
        if head.connection is not None:
            return f"Connection: {head.connection}\r\n"
        return self._keep_alive_headers

    def _framing_header(self, head: ResponseHead, total: int | None) -> str:
        if self._framing is Framing.CHUNKED:
            return "Transfer-Encoding: chunked\r\n"
        if self._framing is Framing.CONTENT_LENGTH and head.content_length is None:
            return f"Content-Length: {total}\r\n"
        return ""

    def _send_end(self) -> None:
        if self._framing is Framing.CHUNKED:
            self._client.send(b"0\r\n\r\n")
        elif self._framing is Framing.CONTENT_LENGTH and self._remaining > 0:
            raise ValueError(f"the response lacks {self._remaining} bytes of its Content-Length")


class ResponseHead(NamedTuple):
    """What the app gave to ``start_response``, checked and encoded."""

    status: str
    lines: bytes  # status line and headers, each with its CRLF, without those that the server writes itself
    content_length: int | None
    connection: str | None
    has_date: bool

    @property
    def says_close(self) -> bool:
        return self.connection is not None and "close" in self.connection.lower()


def choose_framing(method: str, head: ResponseHead, version: str, total: int | None) -> Framing:
    """Choose how the client finds the end of the body; ``total`` is the body's size in bytes, where known."""
    if method == "HEAD" or head.status.startswith(("204", "304")):
        return Framing.NO_BODY
    if head.content_length is not None or total is not None:
        return Framing.CONTENT_LENGTH
    if version == "HTTP/1.1":
        return Framing.CHUNKED
    return Framing.UNTIL_CLOSE


def parse_response_head(status: str, headers: list[tuple[str, str]]) -> ResponseHead:
    """Check and encode a head. Raises ``ValueError`` for one that would not arrive as it is meant."""
    if STATUS.fullmatch(status) is None:
        raise ValueError(f"a status must be a string such as '200 OK', from 200 on, not {status!r}")
    fields = interpreted_fields(headers)
    lines = encode_head(status, headers)
    dropped = set()
    if "transfer-encoding" in fields or status.startswith("204"):  # 204: RFC 9110 section 8.6
        dropped |= FRAMING_HEADERS
        fields.pop("content-length", None)
    connection = fields.get("connection")
    if connection is not None and "close" not in connection.lower():
        dropped.add("connection")  # written once keep-alive is decided
    if dropped:
        lines = encode_head(status, [field for field in headers if header_key(field[0]) not in dropped])
    length = fields.get("content-length")
    return ResponseHead(
        status, lines, None if length is None else parse_content_length(length), connection, "date" in fields
    )


def interpreted_fields(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Return ``INTERPRETED_HEADERS`` by their names in lower case. Raises ``ValueError`` for a repeated one."""
    fields: dict[str, str] = {}
    for name, value in headers:
        key = header_key(name)
        if key in INTERPRETED_HEADERS:
            if key in fields:
                raise ValueError(f"{name} is given twice: {fields[key]!r} and {value!r}")
            fields[key] = value
    return fields


@lru_cache(maxsize=256)
def header_key(name: str) -> str:
    """Return ``name`` in lower case. Raises ``ValueError`` where it is no token."""
    if TOKEN.fullmatch(name) is None:
        raise ValueError(f"a header name must be a token such as X-Name, not {name!r}")
    return name.lower()


def encode_head(status: str, headers: list[tuple[str, str]]) -> bytes:
    """Encode status line and headers: ``"200 OK", [("A", "b")]`` → ``b"HTTP/1.1 200 OK\\r\\nA: b\\r\\n"``.

    Raises ``ValueError`` for characters beyond latin-1, and for control characters, which could end a line.
    """
    try:
        lines = "\r\n".join([f"HTTP/1.1 {status}", *map(": ".join, headers), ""]).encode("latin-1")
    except (TypeError, UnicodeEncodeError) as error:
        raise ValueError(f"a header must be two strings of latin-1 characters: {headers!r}") from error
    line_ends_size = 2 * (len(headers) + 1)
    if len(lines.translate(None, CONTROL_CHARACTERS)) + line_ends_size != len(lines):
        raise ValueError(f"a header must not hold control characters: {headers!r}")
    return lines


@lru_cache(maxsize=256)
def parse_content_length(text: str) -> int:
    if CONTENT_LENGTH.fullmatch(text) is None:
        raise ValueError(f"Content-Length must be a number of bytes, not {text!r}")
    return int(text)


def to_bytes(data: bytes) -> bytes:
    """Return ``data``, or a copy of another buffer. Raises ``TypeError`` for what is no buffer."""
    return data if isinstance(data, bytes) else bytes(memoryview(data))


@lru_cache(maxsize=1)
def date_line(timestamp: int) -> str:
    return f"Date: {formatdate(timestamp, usegmt=True)}\r\n"
