"""The body of a response: what ``res.write`` and ``res.end`` take, and what a WSGI server is given (PEP 3333).

``TransformedBody`` is a body that ``res.transform_body`` changes, ``ObservedBody`` one that emits ``finish`` and
``close``.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, MappingView, Sequence, Set
from io import TextIOBase
from typing import Any

from .encoding import utf8

CHUNK_TYPES = (str, bytes, bytearray, memoryview)
BINARY_TYPES = (bytes, bytearray, memoryview)

BodyTransform = Callable[[bytes, bool], bytes]
"""``transform(chunk, is_last)`` returns what is sent instead of ``chunk``. It may have a ``flush() -> bytes``, which
returns what it has held back so far."""


def check_body(chunk: Any) -> bytes | Iterable[bytes]:
    """Return what ``end`` was given, as bytes or an iterable of them. A list or tuple is checked before it is sent."""
    if chunk is None:
        return b""
    if isinstance(chunk, CHUNK_TYPES):
        return to_bytes(chunk)
    if isinstance(chunk, AsyncIterable):
        from ..event_loop import AsyncChunks  # loads asyncio, which an app without anything async does without

        return AsyncChunks(chunk)
    if not isinstance(chunk, Iterable) or isinstance(chunk, (Mapping, MappingView, Set, TextIOBase)):
        raise no_body_error(chunk)
    if isinstance(chunk, (Sequence, deque, array)) and not all(isinstance(piece, bytes) for piece in chunk):
        raise no_body_error(chunk)
    return chunk


def no_body_error(chunk: Any) -> TypeError:
    """Return the error for what is no body."""
    return TypeError(f"res.end() takes a str, bytes or an iterable of bytes, not {chunk!r}: res.send() takes all else")


def to_bytes(chunk: str | bytes | bytearray | memoryview) -> bytes:
    """Return a chunk as bytes; a str is UTF-8."""
    return utf8(chunk) if isinstance(chunk, str) else bytes(chunk)


def transformed(chunk: bytes, is_last: bool, transforms: Sequence[BodyTransform]) -> bytes:
    """Return ``chunk`` as all ``transforms`` leave it; the last of them sees it first.

    A transform is given an empty chunk only as the last one. Raises ``TypeError`` where one returns no bytes.
    """
    for transform in reversed(transforms):
        if chunk or is_last:
            chunk = _bytes_of(transform, transform(chunk, is_last))
    return chunk


def flushed(transforms: Sequence[BodyTransform]) -> bytes:
    """Return what ``transforms`` have held back, each one's as those behind it leave it."""
    chunk = b""
    for transform in reversed(transforms):
        if chunk:
            chunk = _bytes_of(transform, transform(chunk, False))
        if hasattr(transform, "flush"):
            chunk += _bytes_of(transform, transform.flush())
    return chunk


def _bytes_of(transform: BodyTransform, chunk: Any) -> bytes:
    if not isinstance(chunk, bytes):
        raise TypeError(f"a transform of res.transform_body() returns bytes, not {chunk!r} as {transform!r} did")
    return chunk


class TransformedBody(Iterator[bytes]):
    """An iterable body, transformed while it is read. ``close()`` closes it."""

    def __init__(self, body: Iterable[bytes], transforms: Sequence[BodyTransform]) -> None:
        self._body, self._chunks, self._transforms = body, iter(body), transforms
        self._is_finished = False

    def __next__(self) -> bytes:
        for chunk in self._chunks:
            if not isinstance(chunk, BINARY_TYPES):
                raise no_body_error(chunk)
            sent = transformed(bytes(chunk), False, self._transforms)
            if sent:
                return sent
        if self._is_finished:
            raise StopIteration
        self._is_finished = True
        return transformed(b"", True, self._transforms)

    def close(self) -> None:
        """Close the body, read to its end or not."""
        if hasattr(self._body, "close"):
            self._body.close()


class ObservedBody(Iterator[bytes]):
    """A body that calls ``on_close(is_finished)`` when the WSGI server closes it."""

    def __init__(self, body: Iterable[bytes], on_close: Callable[[bool], None]) -> None:
        self._body, self._chunks, self._on_close = body, iter(body), on_close
        self._is_finished = False

    def __next__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        self._is_finished = True
        raise StopIteration

    def close(self) -> None:
        """Close the body, which is finished if the server has asked for a chunk after the last one."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._on_close(self._is_finished)
