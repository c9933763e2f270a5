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


def frame_whole(
    method: str, status: str, fields: dict[str, str], parts: Sequence[bytes]
) -> tuple[str, Sequence[bytes]]:
    """Frame a body that is complete: return the line that announces its size, as a ``Framing.header``, and its parts.

    ``method`` is that of the request; ``fields`` are header fields of the app by their names in lower case. Raises
    ``ValueError`` where the size is not the ``Content-Length`` of the app.
    """
    if has_no_body(method, status):
        return "", ()
    size = sum(map(len, parts))
    if "content-length" not in fields:
        return f"Content-Length: {size}\r\n", parts
    length = parse_content_length(fields["content-length"])
    if size != length:
        raise ValueError(f"the response has {size} bytes, and a Content-Length of {length}")
    return "", parts


def choose_framing(method: str, status: str, fields: dict[str, str], version: str) -> Framing:
    """Choose the framing of a body whose size only the app may know; ``version`` is that of the request."""
    if has_no_body(method, status):
        return NO_BODY
    if "content-length" in fields:
        return ContentLength(parse_content_length(fields["content-length"]))
    return CHUNKED if version == "HTTP/1.1" else UNTIL_CLOSE


def has_no_body(method: str, status: str) -> bool:
    """Return whether a response ends with its head (RFC 9110 section 6.4.1)."""
    return method == "HEAD" or status.startswith(("204", "304"))


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
    """A body of ``length`` bytes, as the app's head says. Raises ``ValueError`` when it gives more, or fewer."""

    header = ""

    def __init__(self, length: int) -> None:
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
