"""Files as answers: ``static``, and what ``res.send_file`` and ``res.download`` share with it. After npm serve-static
2.2.1 and send 1.2.1."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import HTTPError, error_page
from .escaping import decode_uri_component, encode_url, token_or_quoted
from .folders import File, Finder, FolderFound, Names, climbs
from .handlers import Middleware, Next, fitted
from .mediatypes import content_type
from .negotiation import http_date, is_fresh, parse_http_date, parse_range, stat_etag
from .options import checks_options

if TYPE_CHECKING:
    from .request import Request
    from .response import Response

Path = str | os.PathLike[str]
SetHeaders = Callable[["Response", str, os.stat_result], Any]


@checks_options
def static(
    root: Path,
    *,
    accept_ranges: bool = True,
    cache_control: bool = True,
    dotfiles: str = "ignore",
    etag: bool = True,
    extensions: Names = (),
    fallthrough: bool = True,
    immutable: bool = False,
    index: Names | bool = "index.html",
    last_modified: bool = True,
    max_age: float | str | timedelta = 0,
    redirect: bool = True,
    set_headers: SetHeaders | None = None,
) -> Middleware:
    """Middleware that answers GET and HEAD with the files below the folder ``root``.

    ``max_age`` in milliseconds, as a timedelta or as ``'2 hours'``, a year at most; it shows in Cache-Control, as does
    ``immutable``. ``dotfiles`` is ``'ignore'`` (as if not there), ``'allow'`` or ``'deny'`` (403). ``extensions`` are
    tried on a name that has none. ``index`` names what a folder is answered with, ``False`` nothing; ``redirect`` sends
    a client from ``/folder`` to ``/folder/``. ``set_headers(res, path, stat)`` runs before the answer's own header
    fields are set. With ``fallthrough`` what is not there is left to the next handler; without, it is an ``HTTPError``,
    and another method is answered with 405. ``accept_ranges``, ``cache_control``, ``etag`` and ``last_modified`` say
    whether the answer has them. Raises ``TypeError`` for options that are none of these. After npm serve-static 2.
    """
    folder = os.path.abspath(_path_text("static()", root))
    finder = Finder(dotfiles, extensions, index)
    caching = _cache_control(max_age, immutable) if cache_control else None
    if set_headers is not None:
        set_headers = fitted(set_headers, "the option 'set_headers'", "(res, path, stat)")
    delivery = _Delivery(accept_ranges, caching, last_modified, etag, set_headers)

    def serve_static(req: Request, res: Response, next: Next) -> None:
        if req.method not in ("GET", "HEAD"):
            return next() if fallthrough else _refuse_method(res)
        path = req.path
        if path == "/" and not req.original_path.endswith("/"):
            path = ""
        try:
            file = finder.find(folder, _decoded(path), wants_index=path.endswith("/"))
        except FolderFound:
            if redirect and not path.endswith("/"):
                return _redirect(req, res)
            if not fallthrough:
                raise HTTPError(404) from None
        except HTTPError as error:
            if error.status >= 500 or not fallthrough:
                raise
        else:
            return delivery.answer(res, file)
        return next()

    serve_static.__qualname__ = f"static({root!r})"
    return serve_static


@checks_options
def send_file(
    res: Response,
    path: Path,
    *,
    root: Path | None = None,
    accept_ranges: bool = True,
    cache_control: bool = True,
    dotfiles: str = "ignore",
    end: int | None = None,
    extensions: Names = (),
    headers: Mapping[str, Any] | None = None,
    immutable: bool = False,
    index: Names | bool = "index.html",
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
    if root is None and climbs(text):
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


def _decoded(path: str) -> str:
    try:
        return decode_uri_component(path)
    except ValueError:
        raise HTTPError(400) from None


def _refuse_method(res: Response) -> None:
    res.status(405).set_header("Allow", "GET, HEAD").set_header("Content-Length", "0").end()


def _redirect(req: Request, res: Response) -> None:
    """Send a client to the folder's own URL, which ends with a slash."""
    target, mark, query = req.original_url.partition("#")[0].partition("?")
    path = req.original_path
    origin = target.removesuffix(path)  # of a target in absolute form (RFC 9112 section 3.2.2)
    path = "/" + path.lstrip("/\\")  # "//host" and, to browsers, "/\host" would be another host
    location = encode_url(f"{origin}{path}/{mark}{query}")
    body = error_page(f"Redirecting to {location}", title="Redirecting")
    res.status(301).set_header("Content-Type", "text/html; charset=UTF-8").set_header("Content-Length", str(len(body)))
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Location", location).end(body)


def _path_text(taker: str, path: Any) -> str:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise TypeError(f"{taker} takes a path, as a str or an os.PathLike, not {path!r}")
    return text


def _cache_control(max_age: Any, immutable: bool) -> str:
    seconds = int(min(max(0.0, _milliseconds(max_age)), _YEAR) / 1000)
    return f"public, max-age={seconds}{', immutable' if immutable else ''}"


def _milliseconds(duration: Any) -> float:
    """A duration in milliseconds, given as such, as a timedelta, or in words: ``'2 hours'``. As npm ms 2.1."""
    if isinstance(duration, timedelta):
        return duration / timedelta(milliseconds=1)
    if isinstance(duration, int | float):
        return duration
    found = _DURATION.fullmatch(duration.lower()) if isinstance(duration, str) else None
    if not found or (found[2] or "ms") not in _UNITS:
        raise TypeError(f"the option 'max_age' is milliseconds, a timedelta or words like '2 hours', not {duration!r}")
    return float(found[1]) * _UNITS[found[2] or "ms"]


_DURATION = re.compile(r"(-?[0-9]*\.?[0-9]+) *([a-z]*)")
_YEAR = 365 * 86_400_000
_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
    **dict.fromkeys(("w", "week", "weeks"), 604_800_000),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_557_600_000),
}


def content_disposition(filename: str | None = None) -> str:
    """A Content-Disposition header (RFC 6266): what to save a body as. As npm content-disposition 2.0.1 ``create``.

    A name that is not ASCII is given twice, with question marks and as RFC 8187 has it. Raises ``TypeError`` for a
    name that is no string.
    """
    if filename is None:
        return "attachment"
    if not isinstance(filename, str):
        raise TypeError(f"filename must be a string, not {filename!r}")
    # A character beyond the 16-bit ones is two to JavaScript.
    ascii_name = _BEYOND_16_BITS.sub("??", filename).encode("ascii", "replace").translate(_PRINTABLE).decode()
    header = f"attachment; filename={token_or_quoted(ascii_name)}"
    if ascii_name == filename and not _PERCENT_ENCODED.search(filename):
        return header
    return f"{header}; filename*=UTF-8''{quote(filename, safe='!', errors='replace')}"


_PRINTABLE = bytes(byte if 0x20 <= byte <= 0x7E else ord("?") for byte in range(256))
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
