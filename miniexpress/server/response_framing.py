"""Frame the body of a response, so that the client finds its end (RFC 9112 section 6.3): by its size, in chunks, or by
the end of the connection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from .grammar import CONTENT_LENGTH


class Framing(Protocol):
    """A framing. ``header`` is the line that announces it, with its CRLF; empty for none, or where the app gave it."""

    header: str

    def frame(self, parts: Sequence[bytes], /) -> Sequence[bytes]:
        """Return ``parts`` of the body as they are sent."""

    def end(self) -> bytes:
        """Return what is sent behind the last part."""


def choose_framing(method: str, status: str, fields: dict[str, str], version: str, total: int | None) -> Framing:
    """Choose the framing for the response to a request of ``method`` and ``version``.

    ``fields`` are header fields of the app by their names in lower case; ``total`` is the body's size in bytes, where
    known. Raises ``ValueError`` where it is not the ``Content-Length`` of the app.
    """
    if method == "HEAD" or status.startswith(("204", "304")):
        return NO_BODY
    if "content-length" in fields:
        length = parse_content_length(fields["content-length"])
        if total is not None and total != length:
            raise ValueError(f"the response has {total} bytes, and a Content-Length of {length}")
        return ContentLength(length, header="")
    if total is not None:
        return ContentLength(total, header=f"Content-Length: {total}\r\n")
    if version == "HTTP/1.1":
        return CHUNKED
    return UNTIL_CLOSE


@lru_cache(maxsize=256)
def parse_content_length(text: str) -> int:
    """Parse a ``Content-Length`` of the app. Raises ``ValueError`` for what is no number of bytes."""
    if CONTENT_LENGTH.fullmatch(text) is None:
        raise ValueError(f"Content-Length must be a number of bytes, not {text!r}")
    return int(text)


class NoBody:
    """A response that ends with its head, whatever body the app returns."""

    header = ""

    def frame(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        return ()

    def end(self) -> bytes:
        return b""


class ContentLength:
    """A body of ``length`` bytes. Raises ``ValueError`` when the app gives more, or fewer."""

    def __init__(self, length: int, header: str) -> None:
        self.header = header
        self._remaining = length

    def frame(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        self._remaining -= sum(map(len, parts))
        if self._remaining < 0:
            raise ValueError(f"the response is {-self._remaining} bytes longer than its Content-Length")
        return parts

    def end(self) -> bytes:
        if self._remaining > 0:
            raise ValueError(f"the response lacks {self._remaining} bytes of its Content-Length")
        return b""


class Chunked:
    """A body of unknown size in chunks: ``[b"ab", b"c"]`` → ``[b"3\\r\\n", b"ab", b"c", b"\\r\\n"]``."""

    header = "Transfer-Encoding: chunked\r\n"

    def frame(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        size = sum(map(len, parts))
        return [b"%x\r\n" % size, *parts, b"\r\n"]

    def end(self) -> bytes:
        return b"0\r\n\r\n"


class UntilClose:
    """A body of unknown size for an HTTP/1.0 client: it ends with the connection."""

    header = ""

    def frame(self, parts: Sequence[bytes]) -> Sequence[bytes]:
        return parts

    def end(self) -> bytes:
        return b""


NO_BODY = NoBody()
CHUNKED = Chunked()
UNTIL_CLOSE = UntilClose()
