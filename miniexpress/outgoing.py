"""An answer on its way out: what a WSGI app returned (PEP 3333), framed for an HTTP/1.1 connection (RFC 9112).

The order of the headers that are added, and when they are, is that of the http module of Node 20.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from time import time
from typing import Any, Protocol

from miniexpress.incoming import CONTROLS, LENGTH, TOKEN

STATUS = re.compile("[1-9][0-9][0-9] [^\r\n]*")
FRAMING_HEADERS = {"content-length", "transfer-encoding"}
OWN_HEADERS = {"connection", "date"} | FRAMING_HEADERS  # those that an Answer looks into
REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    414: "URI Too Long",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
}


class Channel(Protocol):
    """Where an answer goes. `life_lines` settles whether the connection lives on, and words it."""

    def send(self, data: bytes) -> None: ...
    def life_lines(self, keep_alive: bool) -> str: ...


class Answer:
    """One answer: `start` is WSGI's start_response, `send_all` takes what the app returned."""

    def __init__(self, connection: Channel, method: str, version: str) -> None:
        self.begun = False
        self._connection = connection
        self._method = method
        self._version = version
        self._head = b""
        self._own: dict[str, str] = {}
        self._bodyless = False
        self._chunked = False
        self._left: int | None = None

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        if exc_info is not None:
            try:
                if self.begun:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        code = status_code(status)
        bodyless = code in (204, 304) or code < 200
        self._bodyless = bodyless or self._method == "HEAD"
        own = self._own = {}
        for name, value in headers:
            if (key := header_key(name)) in OWN_HEADERS:
                if key in own:
                    raise ValueError(f"{name} is given twice: {own[key]!r} and {value!r}")
                own[key] = value
        if "transfer-encoding" in own or (bodyless and code != 304):  # the first is ours, the second is RFC 9110 8.6
            headers = [field for field in headers if header_key(field[0]) not in FRAMING_HEADERS]
            own.pop("content-length", None)
        length = own.get("content-length")
        self._left = None if length is None else byte_count(length)
        self._head = encoded_head(status, headers)
        return self.write

    def send_all(self, chunks: Iterable[bytes]) -> None:
        if isinstance(chunks, (list, tuple)):
            body = b"".join(chunks)
            self._send(body, None if self.begun else len(body))
        else:
            for chunk in chunks:
                self._send(chunk, None)
        if not self.begun:
            self._send_first(b"", 0)
        elif self._chunked:
            self._connection.send(b"0\r\n\r\n")
        elif self._left and not self._bodyless:
            raise ValueError(f"the answer lacks {self._left} bytes of its Content-Length")

    def write(self, data: bytes) -> None:
        self._send(data, None)

    def _send(self, data: bytes, total: int | None) -> None:
        if not data:
            return
        if not self.begun:
            self._send_first(data, total)
        elif not self._bodyless:
            self._connection.send(self._framed(data))
        if self._left is not None and self._left < 0 and not self._bodyless:
            raise ValueError(f"the answer is {-self._left} bytes longer than its Content-Length")

    def _send_first(self, data: bytes, total: int | None) -> None:
        """Send the head with the first `data`; `total` is the size of the body where that is known."""
        if not self._head:
            raise RuntimeError("the app answered without calling start_response")
        connection, own, framing, keep = self._connection, self._own, "", True
        if self._left is not None:
            keep = total is None or total == self._left or self._bodyless
        elif not self._bodyless and total is not None:
            framing = f"Content-Length: {total}\r\n"
        elif not self._bodyless and self._version == "HTTP/1.1":
            self._chunked, framing = True, "Transfer-Encoding: chunked\r\n"
        elif not self._bodyless:
            keep = False
        life = connection.life_lines(keep and ("connection" not in own or "close" not in own["connection"].lower()))
        date = "" if "date" in own else date_line(int(time()))
        added = f"{date}{'' if 'connection' in own else life}{framing}"
        payload = b"" if self._bodyless else self._framed(data)
        payload = b"%b%b\r\n%b" % (self._head, added.encode(), payload)
        self.begun = True
        connection.send(payload)

    def _framed(self, data: bytes) -> bytes:
        if self._chunked:
            return b"%x\r\n%b\r\n" % (len(data), data)
        if self._left is not None:
            allowed = max(self._left, 0)
            self._left -= len(data)
            return data[:allowed]
        return data


def refusal(status: int) -> bytes:
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}\r\nConnection: close\r\n\r\n".encode()


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
def status_code(status: str) -> int:
    """Raises ValueError when `status` is not like '200 OK'."""
    if STATUS.fullmatch(status) is None:
        raise ValueError(f"a status must be a string such as '200 OK', not {status!r}")
    return int(status[:3])


@lru_cache(maxsize=256)
def byte_count(length: str) -> int:
    """Raises ValueError when `length` is no value for Content-Length."""
    if LENGTH.fullmatch(length) is None:
        raise ValueError(f"Content-Length must be a number of bytes, not {length!r}")
    return int(length)
