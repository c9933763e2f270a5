"""A file as a response, as a value: status, headers and body. For ``res.send_file``, ``res.download`` and ``static``.

``open_file`` finds the file and checks the options; ``FileOptions.response_for`` makes a ``FileResponse`` of both and
of the request's conditions (RFC 9110 sections 13 and 14); ``Response.apply`` sends it. After npm send 1.2.1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from io import FileIO
from typing import Any, Literal, NamedTuple

from ..errors import HTTPError
from ..http.conditional import http_date, stat_etag
from ..http.durations import parse_duration
from ..http.media_types import content_type
from ..http.ranges import MALFORMED, UNSATISFIABLE, Ranges, parse_range
from ..keyword_options import suggests_keywords
from .conditions import Conditions
from .file_finder import File, Finder, StringList, has_dot_dot

Path = str | os.PathLike[str]
SetHeaders = Callable[[Any, str, os.stat_result], Any]
"""``set_headers(res, path, stat)``: sets header fields of the response for a file that was found."""

_CHUNK_SIZE = 64 * 1024
_MAX_AGE_LIMIT = 365 * 86_400_000  # milliseconds
_CONTENT_FIELDS = ("Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Content-Type")


class FileResponse(NamedTuple):
    """The response for a file. With an ``error`` (412, 416), that is raised once the headers are set."""

    status: int
    headers: dict[str, str]
    body: bytes | FileChunks = b""
    removed_headers: tuple[str, ...] = ()
    error: HTTPError | None = None


@partial(suggests_keywords, title="res.send_file")
def open_file(
    path: Path,
    etag: bool,
    /,
    *,
    root: Path | None = None,
    accept_ranges: bool = True,
    cache_control: bool = True,
    dotfiles: str = "ignore",
    end: int | None = None,
    extensions: StringList = (),
    headers: Mapping[str, Any] | None = None,
    immutable: bool = False,
    index: StringList | bool = "index.html",
    last_modified: bool = True,
    max_age: float | str | timedelta = 0,
    start: int = 0,
) -> tuple[File, FileOptions]:
    """Open the file at ``path`` for ``res.send_file``. ``path`` is absolute, or below ``root``, which it cannot leave.

    ``headers`` are set only if the file is sent; ``start`` and ``end`` are the first and the last byte of it to send.
    The other options are those of ``static``. ``etag`` is the app's setting.

    Raises ``TypeError`` for a relative path without ``root`` and for a wrong option; ``HTTPError`` 400 for a NUL in the
    path, 403 for ``..``, 404 for no file, 500 for one that may not be read; ``IsDirectory`` for a folder.
    """
    text = path_text("res.send_file()", path)
    if root is None and not text.startswith("/"):
        raise TypeError(f"res.send_file() takes an absolute path, not {text!r}: make it one, or give root=…")
    if root is None and has_dot_dot(text):
        raise HTTPError(403)
    folder = "/" if root is None else os.path.abspath(path_text("res.send_file(root=…)", root))
    caching = cache_control_value(max_age, immutable) if cache_control else None

    def set_headers(res: Any, path: str, stat: os.stat_result) -> None:
        for name, value in (headers or {}).items():
            res.set_header(name, value)

    options = FileOptions(accept_ranges, caching, last_modified, etag, set_headers, start, end)
    file = Finder(dotfiles, extensions, index).find(folder, text, wants_index=text.endswith("/"))
    return file, options


def path_text(function: str, path: Any) -> str:
    """Return a path as ``str``. Raises ``TypeError``, which names the ``function``, for what is none or is empty."""
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise TypeError(f"{function} takes a path, as a str or an os.PathLike, not {path!r}")
    return text


def cache_control_value(max_age: Any, immutable: bool) -> str:
    """Write Cache-Control: ``'1 day', True`` → ``'public, max-age=86400, immutable'``; a year at most."""
    seconds = int(min(max(0.0, parse_duration("max_age", max_age)), _MAX_AGE_LIMIT) / 1000)
    return f"public, max-age={seconds}{', immutable' if immutable else ''}"


@dataclass(frozen=True)
class FileOptions:
    """The options for sending a file, already checked. ``set_headers(res, path, stat)`` runs before
    ``response_for``."""

    accept_ranges: bool
    cache_control: str | None
    last_modified: bool
    etag: bool
    set_headers: SetHeaders | None
    start: int = 0
    end: int | None = None

    def response_for(self, file: File, conditions: Conditions) -> FileResponse:
        """Build the response for an open file. The caller closes the file, unless ``FileChunks`` of it are sent."""
        headers = self.missing_headers(file, conditions.response_header)
        conditions = conditions.after(headers)
        if conditions.precondition_fails():
            return FileResponse(412, headers, error=HTTPError(412))
        if conditions.is_not_modified():
            return FileResponse(304, headers, removed_headers=_CONTENT_FIELDS)
        status, offset, length = conditions.status, self.start, self.selected_length(file.stat.st_size)
        ranges = self.requested_ranges(length, conditions)
        if ranges == UNSATISFIABLE:
            headers["Content-Range"] = f"bytes */{length}"
            error = HTTPError(416, headers={"Content-Range": headers["Content-Range"]})
            return FileResponse(416, headers, error=error)
        if ranges is not None and len(ranges) == 1:  # for several, all of the file is sent
            [(first, last)] = ranges
            headers["Content-Range"] = f"bytes {first}-{last}/{length}"
            status, offset, length = 206, offset + first, last - first + 1
        headers["Content-Length"] = str(length)
        body = b"" if conditions.method == "HEAD" else _read_part(file.handle, offset, length)
        return FileResponse(status, headers, body)

    def missing_headers(self, file: File, response_header: Callable[[str], Any]) -> dict[str, str]:
        """Return the file's own header fields that the response does not have yet."""
        milliseconds = (file.stat.st_mtime_ns + 500_000) // 1_000_000  # rounded, as in Node
        own = {
            "Accept-Ranges": self.accept_ranges and "bytes",
            "Cache-Control": self.cache_control,
            "Last-Modified": self.last_modified and http_date(milliseconds // 1000),
            "ETag": self.etag and stat_etag(file.stat.st_size, milliseconds),
            "Content-Type": content_type(os.path.splitext(file.path)[1]) or "application/octet-stream",
        }
        return {name: value for name, value in own.items() if value and not response_header(name)}

    def selected_length(self, size: int) -> int:
        """Return how many bytes the options ``start`` and ``end`` select in a file of ``size`` bytes."""
        end = size - 1 if self.end is None else min(self.end, size - 1)
        return max(0, end - self.start + 1)

    def requested_ranges(self, length: int, conditions: Conditions) -> Ranges | Literal[-1] | None:
        """Return the ranges that the request asks for, or ``UNSATISFIABLE``; ``None`` if all is to be sent."""
        header = conditions.request_header("Range")
        if not self.accept_ranges or not header or not header.lstrip(" ").startswith("bytes="):
            return None
        if not conditions.allow_range():
            return None
        ranges = parse_range(length, header, combine=True)
        return None if ranges == MALFORMED else ranges


class FileChunks(Iterator[bytes]):
    """A part of a file as a response body, read while it is sent.

    ``close()`` closes the file. It is no generator, since one that was never iterated over closes nothing.
    """

    def __init__(self, handle: FileIO, length: int) -> None:
        self.remaining = length
        self.handle = handle
        self.close = handle.close

    def __next__(self) -> bytes:
        chunk = self.handle.read(min(self.remaining, _CHUNK_SIZE))
        if not chunk:
            raise StopIteration
        self.remaining -= len(chunk)
        return chunk


def _read_part(handle: FileIO, offset: int, length: int) -> bytes | FileChunks:
    """Return a part of a file: the bytes of a small one, chunks of a large one."""
    if offset:
        handle.seek(offset)
    return handle.read(length) if length <= _CHUNK_SIZE else FileChunks(handle, length)
