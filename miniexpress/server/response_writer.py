"""Write the response of a WSGI app (PEP 3333) to an HTTP/1.1 connection (RFC 9112).

The head is sent with the first part of the body. Only then is the framing chosen, and decided whether the connection is
kept. The headers added to those of the app, and their order, are those of Node 20's http module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any

from .client_socket import ClientSocket
from .grammar import CONTROL_CHARACTERS, STATUS, TOKEN
from .request_body import RequestBody
from .response_framing import NO_BODY, UNTIL_CLOSE, Framing, choose_framing, frame_whole, parse_content_length

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

FRAMING_HEADERS = {"content-length", "transfer-encoding"}
INTERPRETED_HEADERS = FRAMING_HEADERS | {"connection", "date"}
CONNECTION_CLOSE = "Connection: close\r\n"


class ResponseWriter:
    """Write one response to ``client``.

    The app is given ``start_response``; ``write_chunks`` and ``finish`` take what it returns. ``wants_keep_alive`` is
    called when the head is sent: do the request and the server want to keep the connection? ``keep_alive`` is then what
    was decided.
    """

    def __init__(
        self,
        client: ClientSocket,
        environ: WSGIEnvironment,
        body: RequestBody | None,
        wants_keep_alive: Callable[[], bool],
        keep_alive_headers: str,
    ) -> None:
        self.head_sent = False
        self.keep_alive = False
        self._client = client
        self._request_body = body
        self._wants_keep_alive = wants_keep_alive
        self._keep_alive_headers = keep_alive_headers
        self._method: str = environ["REQUEST_METHOD"]
        self._version: str = environ["SERVER_PROTOCOL"]
        self._status = ""
        self._head = b""  # status line and headers of the app; empty before start_response
        self._fields: dict[str, str] = {}  # its INTERPRETED_HEADERS
        self._framing: Framing = NO_BODY  # until the head is sent
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
                if self.head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # else the traceback and this frame would hold each other
        elif self._head:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        self._head, self._fields = encode_response_head(status, headers)
        self._status = status
        return self.write

    def write_chunks(self, chunks: Iterable[bytes]) -> Sequence[bytes]:
        """Send what the app returned, chunk by chunk. What is complete is returned, for ``finish``."""
        if isinstance(chunks, (list, tuple)):  # its size is known
            return [chunk if isinstance(chunk, bytes) else to_bytes(chunk) for chunk in chunks]
        for chunk in chunks:
            self.write(chunk)
        return ()

    def finish(self, parts: Sequence[bytes]) -> None:
        """Send the last ``parts`` of the body, and end the response."""
        with self._lock:
            self._ended = True
            if not self.head_sent:
                header, payload = frame_whole(self._method, self._status, self._fields, parts)
                self._send_head(header, payload)
                return
            if any(parts):
                self._send(parts)
            if end := self._framing.end():
                self._client.send(end)

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
        """Send a part of a body, of which more may follow."""
        if not self.head_sent:
            framing = choose_framing(self._method, self._status, self._fields, self._version)
            payload = framing.frame(parts)
            self._framing = framing
            self._send_head(framing.header, payload, has_end=framing is not UNTIL_CLOSE)
        elif self._framing is not NO_BODY:
            self._client.send(*self._framing.frame(parts))

    def _send_head(self, framing_header: str, payload: Sequence[bytes], has_end: bool = True) -> None:
        """Send the head, and a ``payload`` that is framed already. Without ``has_end`` the connection's end ends it."""
        if not self._head:
            raise RuntimeError("the app returned without calling start_response")
        date = "" if "date" in self._fields else date_line(int(time()))
        added = f"{date}{self._decide_keep_alive(has_end)}{framing_header}\r\n"
        if self._request_body is not None:
            self._request_body.withhold_continue()
        self.head_sent = True
        self._client.send(self._head + added.encode("latin-1"), *payload)

    def _decide_keep_alive(self, has_end: bool) -> str:
        """Decide whether the connection is kept. Return the header that says so, unless the app's head does.

        It is kept where app, client and server want it, and both bodies have an end on it.
        """
        own = self._fields.get("connection")
        if own is not None and says_close(own):
            return ""  # keep_alive is False from the start
        body = self._request_body
        self.keep_alive = has_end and self._wants_keep_alive() and (body is None or body.can_drain())
        if not self.keep_alive:
            return CONNECTION_CLOSE
        return self._keep_alive_headers if own is None else f"Connection: {own}\r\n"


def encode_response_head(status: str, headers: list[tuple[str, str]]) -> tuple[bytes, dict[str, str]]:
    """Return the head as it is sent, without the headers that the server writes itself, and the interpreted headers.

    ``"200 OK", [("A", "b"), ("Date", "x")]`` → ``b"HTTP/1.1 200 OK\\r\\nA: b\\r\\nDate: x\\r\\n", {"date": "x"}``.
    Raises ``ValueError`` for a head that would not arrive as it is meant.
    """
    if STATUS.fullmatch(status) is None:
        raise ValueError(f"a status must be a string such as '200 OK', from 200 on, not {status!r}")
    fields = interpreted_fields(headers)
    head = encode_head(status, headers)
    sent = headers
    if "transfer-encoding" in fields or status.startswith("204"):  # 204: RFC 9110 section 8.6
        sent = without(FRAMING_HEADERS, sent)
        fields.pop("content-length", None)
    elif "content-length" in fields:
        parse_content_length(fields["content-length"])  # refuses a malformed one
    if "connection" in fields and not says_close(fields["connection"]):
        sent = without({"connection"}, sent)  # written once keep-alive is decided
    if sent is not headers:
        head = encode_head(status, sent)
    return head, fields


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


def says_close(connection: str) -> bool:
    """Return whether the app closes the connection by a ``Connection`` header of its own."""
    return "close" in connection.lower()


def without(keys: set[str], headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [field for field in headers if header_key(field[0]) not in keys]


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


def to_bytes(data: bytes) -> bytes:
    """Return ``data``, or a copy of another buffer. Raises ``TypeError`` for what is no buffer."""
    return data if isinstance(data, bytes) else bytes(memoryview(data))


@lru_cache(maxsize=1)
def date_line(timestamp: int) -> str:
    return f"Date: {formatdate(timestamp, usegmt=True)}\r\n"
