"""An answer on its way out: what a WSGI app returned (PEP 3333), framed for an HTTP/1.1 connection (RFC 9112).

The order of the headers that are added, and when they are, is that of the http module of Node 20.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any

from .client_socket import ClientSocket
from .request_parser import CONTROLS, LENGTH, TOKEN

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

STATUS = re.compile("[2-9][0-9][0-9] .*")  # after a 1xx, clients would wait for the answer
CLOSE = "Connection: close\r\n"
FRAMING_HEADERS = {"content-length", "transfer-encoding"}
INTERPRETED_HEADERS = {"connection", "date"} | FRAMING_HEADERS  # those that a ResponseWriter looks into


class ResponseWriter:
    """One answer to `client`: `start_response` is WSGI's start_response, `write_all` takes what the app returned.

    `connection_header` is called once, when the head is sent, for the header that says whether the connection is kept;
    its argument is whether this response allows that.
    """

    def __init__(
        self, client: ClientSocket, environ: WSGIEnvironment, connection_header: Callable[[bool], str]
    ) -> None:
        self.headers_sent = False
        self._client = client
        self._connection_header = connection_header
        self._is_head = environ["REQUEST_METHOD"] == "HEAD"
        self._may_chunk = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._head = b""
        self._chunked = False
        self._ended = False
        self._lock = Lock()  # the app may have given `write` to another thread

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if exc_info is not None:
            try:
                if self.headers_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        if STATUS.fullmatch(status) is None:
            raise ValueError(f"a status must be a string such as '200 OK', from 200 on, not {status!r}")
        framing_fields: dict[str, str] = {}
        for name, value in headers:
            if (key := header_key(name)) in INTERPRETED_HEADERS:
                if key in framing_fields:
                    raise ValueError(f"{name} is given twice: {framing_fields[key]!r} and {value!r}")
                framing_fields[key] = value
        head = encoded_head(status, headers)
        has_no_body = status.startswith(("204", "304"))
        dropped: set[str] = set()
        if "transfer-encoding" in framing_fields or status.startswith("204"):  # RFC 9110 8.6
            dropped |= FRAMING_HEADERS
            framing_fields.pop("content-length", None)
        self._says_close = "close" in framing_fields.get("connection", "").lower()
        if "connection" in framing_fields and not self._says_close:  # decided when the head is sent
            dropped.add("connection")
        if dropped:
            head = encoded_head(status, [field for field in headers if header_key(field[0]) not in dropped])
        self._framing_fields = framing_fields
        self._bodyless = has_no_body or self._is_head
        self._remaining = byte_count(framing_fields["content-length"]) if "content-length" in framing_fields else None
        self._head = head
        return self.write

    def write_all(self, chunks: Iterable[bytes]) -> None:
        parts: Sequence[bytes] = ()
        if isinstance(chunks, (list, tuple)):
            parts = [as_bytes(chunk) for chunk in chunks]
        else:
            for chunk in chunks:
                self.write(chunk)
        with self._lock:
            self._ended = True
            if not self.headers_sent:
                self._send_head(parts, sum(map(len, parts)))
            elif any(parts):
                self._send(parts)
            if self._chunked:
                self._client.send(b"0\r\n\r\n")
            elif self._remaining and not self._bodyless:
                raise ValueError(f"the answer lacks {self._remaining} bytes of its Content-Length")

    def write(self, data: bytes) -> None:
        """Send `data`, as WSGI's write does.

        Raises RuntimeError once the answer has ended, as the client would take `data` for the next one; Disconnected, a
        ConnectionError, once the client is gone.
        """
        data = as_bytes(data)
        with self._lock:
            if self._ended:
                raise RuntimeError("write() was called after its answer had ended")
            if data:
                self._send([data])

    def end(self) -> None:
        """Let nothing more be written, however the app has ended."""
        with self._lock:
            self._ended = True

    def _send(self, parts: Sequence[bytes]) -> None:
        if not self.headers_sent:
            self._send_head(parts)
        elif not self._bodyless:
            self._client.send(*self._framed(parts))

    def _send_head(self, parts: Sequence[bytes], total: int | None = None) -> None:
        """Send the head with the first `parts`; `total` is the size of the body where that is known."""
        if not self._head:
            raise RuntimeError("the app answered without calling start_response")
        framing_fields, framing, has_length = self._framing_fields, "", True
        if self._bodyless:
            parts = ()
        elif self._remaining is not None:
            if total is not None and total != self._remaining:
                raise ValueError(f"the answer has {total} bytes, and a Content-Length of {self._remaining}")
        elif total is not None:
            framing = f"Content-Length: {total}\r\n"
        elif self._may_chunk:
            self._chunked, framing = True, "Transfer-Encoding: chunked\r\n"
        else:
            has_length = False
        payload = self._framed(parts)
        connection_header = self._connection_header(has_length and not self._says_close)
        if self._says_close:
            connection_header = ""
        elif connection_header != CLOSE and "connection" in framing_fields:
            connection_header = f"Connection: {framing_fields['connection']}\r\n"
        date = "" if "date" in framing_fields else date_line(int(time()))
        added = f"{date}{connection_header}{framing}\r\n"
        self.headers_sent = True
        self._client.send(self._head + added.encode("latin-1"), *payload)

    def _framed(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        size = sum(map(len, parts))
        if self._chunked:
            return [b"%x\r\n" % size, *parts, b"\r\n"]
        if self._remaining is not None:
            self._remaining -= size
            if self._remaining < 0:
                raise ValueError(f"the answer is {-self._remaining} bytes longer than its Content-Length")
        return parts


def as_bytes(data: bytes) -> bytes:
    """`data`, unless it is another buffer, which is copied. Raises TypeError for what is none."""
    return data if isinstance(data, bytes) else bytes(memoryview(data))


@lru_cache(maxsize=1)
def date_line(seconds: int) -> str:
    return f"Date: {formatdate(seconds, usegmt=True)}\r\n"


def encoded_head(status: str, headers: list[tuple[str, str]]) -> bytes:
    """Status line and header lines, each with its CRLF. Raises ValueError for what would not arrive as it is meant."""
    try:
        head = "\r\n".join([f"HTTP/1.1 {status}", *map(": ".join, headers), ""]).encode("latin-1")
    except (TypeError, UnicodeEncodeError) as error:
        raise ValueError(f"a header must be two strings of latin-1 characters: {headers!r}") from error
    if len(head.translate(None, CONTROLS)) + 2 * len(headers) + 2 != len(head):
        raise ValueError(f"a header must not hold control characters: {headers!r}")
    return head


@lru_cache(maxsize=256)
def header_key(name: str) -> str:
    """`name` in lower case. Raises ValueError when it is not a token."""
    if TOKEN.fullmatch(name) is None:
        raise ValueError(f"a header name must be a token such as X-Name, not {name!r}")
    return name.lower()


@lru_cache(maxsize=256)
def byte_count(length: str) -> int:
    """Raises ValueError when `length` is no value for Content-Length."""
    if LENGTH.fullmatch(length) is None:
        raise ValueError(f"Content-Length must be a number of bytes, not {length!r}")
    return int(length)
