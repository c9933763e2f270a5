"""Files as answers: ``static``, and what ``res.send_file`` and ``res.download`` share with it. After npm serve-static
2.2.1 and send 1.2.1."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..errors import HTTPError
from ..http.conditional import http_date, is_fresh, parse_http_date, stat_etag
from ..http.durations import parse_duration
from ..http.media_types import content_type
from ..http.ranges import parse_range
from ..keyword_options import suggests_keywords
from .file_finder import File, Finder, StringList, has_dot_dot

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Path = str | os.PathLike[str]
SetHeaders = Callable[["Response", str, os.stat_result], Any]


@suggests_keywords
def send_file(
    res: Response,
    path: Path,
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
) -> None:
    """Answer with the file at ``path``, which is absolute, or below ``root`` and then cannot leave it.

    ``headers`` go with the file only; ``start`` and ``end`` are the first and the last byte of it to send. The other
    options are those of ``static``; whether there is an ETag, the setting ``etag`` says.

    Raises ``TypeError`` for a path that is neither, or a wrong option; ``HTTPError`` 400 for a NUL in the path, 403 for
    ``..``, 404, 412, 416, 500 for what may not be read. That of a folder is a 404 whose ``code`` is ``'EISDIR'``.
    """
    text = _path_text("res.send_file()", path)
    if root is None and not text.startswith("/"):
        raise TypeError(f"res.send_file() takes an absolute path, not {text!r}: make it one, or give root=…")
    if root is None and has_dot_dot(text):
        raise HTTPError(403)
    folder = "/" if root is None else os.path.abspath(_path_text("res.send_file(root=…)", root))
    caching = _cache_control(max_age, immutable) if cache_control else None

    def set_headers(res: Response, path: str, stat: os.stat_result) -> None:
        for name, value in (headers or {}).items():
            res.set_header(name, value)

    delivery = _Delivery(accept_ranges, caching, last_modified, res.app.enabled("etag"), set_headers, start, end)
    file = Finder(dotfiles, extensions, index).find(folder, text, wants_index=text.endswith("/"))
    delivery.answer(res, file)


@dataclass(frozen=True)
class _Delivery:
    """How a file is sent: the options for that, checked."""

    accept_ranges: bool
    cache_control: str | None
    last_modified: bool
    etag: bool
    set_headers: SetHeaders | None
    start: int = 0
    end: int | None = None

    def answer(self, res: Response, file: File) -> None:
        """Answer with a file, and see to it that it is closed. Raises ``HTTPError`` 412 and 416."""
        body: bytes | Iterator[bytes] = b""
        try:
            if res.headers_sent:
                raise RuntimeError(f"{file.path} cannot be sent: the request was answered already")
            body = self.prepare(res, file)
        finally:
            if isinstance(body, bytes):
                os.close(file.fd)
        res.end(body)

    def prepare(self, res: Response, file: File) -> bytes | Iterator[bytes]:
        """Set status and header fields, as the request's conditions have it; the body that goes with them."""
        req = res.req
        self.describe(res, file)
        if _precondition_fails(req, res):
            raise HTTPError(412)
        if req.has_good_copy():
            res.status_code = 304
            res.remove_header(*_CONTENT_FIELDS)
            return b""
        offset, length = self.part(req, res, file.stat.st_size)
        res.set_header("Content-Length", str(length))
        if req.method == "HEAD":
            return b""
        if offset:
            os.lseek(file.fd, offset, os.SEEK_SET)
        return os.read(file.fd, length) if length <= _PIECE else _Pieces(io.FileIO(file.fd), length)

    def describe(self, res: Response, file: File) -> None:
        """Set the header fields that the answer does not have yet."""
        if self.set_headers:
            self.set_headers(res, file.path, file.stat)
        milliseconds = (file.stat.st_mtime_ns + 500_000) // 1_000_000  # Node rounds, too
        fields = {
            "Accept-Ranges": self.accept_ranges and "bytes",
            "Cache-Control": self.cache_control,
            "Last-Modified": self.last_modified and http_date(milliseconds // 1000),
            "ETag": self.etag and stat_etag(file.stat.st_size, milliseconds),
            "Content-Type": content_type(os.path.splitext(file.path)[1]) or "application/octet-stream",
        }
        for name, value in fields.items():
            if value and not res.get(name):
                res.set_header(name, value)

    def part(self, req: Request, res: Response, size: int) -> tuple[int, int]:
        """Where to begin in a file of ``size`` bytes, and how many of them to send (RFC 9110 section 14)."""
        offset, end = self.start, size - 1 if self.end is None else min(self.end, size - 1)
        length = max(0, end - offset + 1)
        header = req.get("Range")
        if not self.accept_ranges or not header or not header.lstrip(" ").startswith("bytes="):
            return offset, length
        ranges = parse_range(length, header, combine=True) if _is_range_fresh(req, res) else -2
        if ranges == -1:
            res.set_header("Content-Range", f"bytes */{length}")
            raise HTTPError(416, headers={"Content-Range": f"bytes */{length}"})
        if ranges == -2 or len(ranges) > 1:
            return offset, length
        first, last = ranges[0]
        res.status_code = 206
        res.set_header("Content-Range", f"bytes {first}-{last}/{length}")
        return offset + first, last - first + 1


_CONTENT_FIELDS = ("Content-Encoding", "Content-Language", "Content-Length", "Content-Range", "Content-Type")


class _Pieces(Iterator[bytes]):
    """A part of a file as a body, which is read while it leaves. To be closed, and the file with it: no generator,
    since one that nobody began to read closes nothing."""

    def __init__(self, handle: io.FileIO, length: int) -> None:
        self.left = length
        self.handle = handle
        self.close = handle.close

    def __next__(self) -> bytes:
        piece = self.handle.read(min(self.left, _PIECE))
        if not piece:
            raise StopIteration
        self.left -= len(piece)
        return piece


_PIECE = 64 * 1024
_MAX_AGE_LIMIT = 365 * 86_400_000


def _precondition_fails(req: Request, res: Response) -> bool:
    """By If-Match or, without it, If-Unmodified-Since."""
    if_match, etag = req.get("If-Match"), res.get("ETag")
    if if_match:
        return not etag or not is_fresh(if_match, None, None, etag, None)
    unmodified_since = req.get("If-Unmodified-Since")
    if not unmodified_since or parse_http_date(unmodified_since) is None:
        return False
    return not is_fresh(None, unmodified_since, None, None, res.get("Last-Modified"))


def _is_range_fresh(req: Request, res: Response) -> bool:
    if_range, etag = req.get("If-Range"), res.get("ETag")
    if not if_range:
        return True
    if '"' in if_range:
        return bool(etag) and etag in if_range
    return is_fresh(None, if_range, None, None, res.get("Last-Modified"))


def _path_text(taker: str, path: Any) -> str:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise TypeError(f"{taker} takes a path, as a str or an os.PathLike, not {path!r}")
    return text


def _cache_control(max_age: Any, immutable: bool) -> str:
    seconds = int(min(max(0.0, parse_duration("max_age", max_age)), _MAX_AGE_LIMIT) / 1000)
    return f"public, max-age={seconds}{', immutable' if immutable else ''}"
