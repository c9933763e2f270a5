"""Files as answers: ``static``, and what ``res.send_file`` and ``res.download`` share with it.

After npm serve-static 2.2.1 and send 1.2.1, and stricter in one point: what a link in a root leads to outside of it is
not there.
"""
# ruff: noqa: PTH - a pathlib.Path loses the slash at the end of a path, and costs more than the file.

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from .cookies import decode_uri_component
from .errors import HTTPError
from .mediatypes import content_type
from .negotiation import encode_url, escape_html, http_date, is_fresh, parse_http_date, parse_range, stat_etag
from .options import checks_options

if TYPE_CHECKING:
    from .request import Request
    from .response import Response

Middleware = Callable[["Request", "Response", Callable[..., None]], None]
Path = str | os.PathLike[str]
Names = str | list[str] | tuple[str, ...]
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
    and another method is answered with 405. Raises ``TypeError`` for options that are none of these.
    """
    folder = _folder(os.path.abspath(_path_text("static()", root)))
    names = _Names(dotfiles, extensions, index)
    caching = _cache_control(max_age, immutable) if cache_control else None
    if set_headers is not None and not callable(set_headers):
        raise TypeError(f"the option 'set_headers' takes a function (res, path, stat), not {set_headers!r}")
    delivery = _Delivery(accept_ranges, caching, last_modified, etag, set_headers)

    def serve_static(req: Request, res: Response, next: Callable[..., None]) -> None:
        if req.method not in ("GET", "HEAD"):
            return next() if fallthrough else _refuse_method(res)
        path = req.path
        if path == "/" and not req.original_path.endswith("/"):
            path = ""
        try:
            file = names.find(folder, _decoded(path), is_folder=path.endswith("/"))
        except HTTPError as error:
            if redirect and isinstance(error, _FolderFound) and not path.endswith("/"):
                return _redirect(req, res)
            if error.status >= 500 or not fallthrough:
                raise
            file = None
        return next() if file is None else delivery.answer(res, file)

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
    if root is None and not os.path.isabs(text):
        raise TypeError(f"res.send_file() takes an absolute path, not {text!r}: make it one, or give root=…")
    if root is None and _UP.search(text):
        raise HTTPError(403)
    folder = _folder("/" if root is None else os.path.abspath(_path_text("res.send_file(root=…)", root)))
    caching = _cache_control(max_age, immutable) if cache_control else None
    extra = headers or {}
    delivery = _Delivery(
        accept_ranges, caching, last_modified, res.app.enabled("etag"),
        lambda res, path, stat: [res.set_header(name, value) for name, value in extra.items()],
        _position("start", start), None if end is None else _position("end", end),
    )  # fmt: skip
    delivery.answer(res, _Names(dotfiles, extensions, index).find(folder, text, is_folder=text.endswith("/")))


class _Names:
    """Which names lead to a file: the options for that, checked."""

    def __init__(self, dotfiles: str, extensions: Names, index: Names | bool) -> None:
        if dotfiles not in ("allow", "deny", "ignore"):
            raise TypeError(f"the option 'dotfiles' is 'allow', 'deny' or 'ignore', not {dotfiles!r}")
        self.dotfiles = dotfiles
        self.extensions = _name_list("extensions", extensions)
        self.index = _name_list("index", index)

    def find(self, folder: _Folder, path: str, *, is_folder: bool) -> _File:
        """The file at ``path`` below ``folder``. Raises ``HTTPError``, for a folder a ``_FolderFound``."""
        place = self.locate(folder, path)
        if is_folder and self.index:
            return _open_first(folder, [os.path.join(place, name) for name in self.index])
        try:
            return _open(folder, place)
        except HTTPError as error:
            if not self.extensions or getattr(error, "code", "") != "ENOENT" or os.path.splitext(place)[1]:
                raise
        return _open_first(folder, [f"{place}.{extension}" for extension in self.extensions])

    def locate(self, folder: _Folder, path: str) -> str:
        if "\0" in path:
            raise HTTPError(400)
        inner = os.path.normpath(f"./{path}")
        if _UP.search(inner):
            raise HTTPError(403)
        if self.dotfiles != "allow" and inner != "." and "/." in f"/{inner}":
            raise HTTPError(403 if self.dotfiles == "deny" else 404)
        place = folder.path if inner == "." else os.path.join(folder.path, inner)
        return os.path.join(place, "") if path.endswith("/") else place


# What is left of ".." in a normal path leads out of the root; "\" might be taken for "/" further on.
_UP = re.compile(r"(?:^|[\\/])\.\.(?:[\\/]|$)")


class _Folder(NamedTuple):
    """A root: its absolute path, and what that is without links."""

    path: str
    real_path: str

    def holds(self, real_path: str) -> bool:
        # The second look is for a root that was not there at first, or that is a link and has been turned.
        return _is_within(self.real_path, real_path) or _is_within(os.path.realpath(self.path), real_path)


@lru_cache(maxsize=64)
def _folder(path: str) -> _Folder:
    return _Folder(path, os.path.realpath(path))


def _is_within(folder: str, path: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


class _File(NamedTuple):
    """A regular file, open for reading; ``stat`` is that of the open file, whatever its path leads to by now."""

    path: str
    stat: os.stat_result
    handle: io.FileIO


class _FolderFound(HTTPError):
    """A folder is where a file was asked for."""


def _open_first(folder: _Folder, places: Iterable[str]) -> _File:
    failure = HTTPError(404)
    for place in places:
        try:
            return _open(folder, place)
        except HTTPError as error:
            failure = HTTPError(404) if isinstance(error, _FolderFound) else error
    raise failure


def _open(folder: _Folder, place: str) -> _File:
    """The file at ``place``, which is looked at before, since to open a FIFO is to take part in it, and after: what
    was checked may have been replaced."""
    try:
        mode = os.stat(place).st_mode
        if stat.S_ISDIR(mode) and folder.holds(os.path.realpath(place)):
            raise _FolderFound(404, code="EISDIR")
        if not stat.S_ISREG(mode):
            raise HTTPError(404)
        handle = io.FileIO(place, opener=lambda path, flags: os.open(path, flags | _WITHOUT_WAITING))
    except (OSError, UnicodeEncodeError) as error:
        raise _failure(error, place) from error
    status = os.fstat(handle.fileno())
    real_path = _real_path(handle)
    if stat.S_ISREG(status.st_mode) and folder.holds(real_path):
        return _File(place, status, handle)
    handle.close()
    message = f"{place} leads to {real_path}, which is no file in {folder.path}: serve the folder that it is in"
    raise HTTPError(404, message, expose=False)


_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def _real_path(handle: io.FileIO) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{handle.fileno()}")
    except OSError:  # a system other than Linux
        return os.path.realpath(str(handle.name))


def _failure(error: OSError | UnicodeEncodeError, place: str) -> HTTPError:
    """What an error of the system is to a client, 404 or 500, and, in Node's words, to the log."""
    number = (error.errno if isinstance(error, OSError) else None) or errno.ENOENT
    code = errno.errorcode.get(number, str(number))
    status = 404 if number in (errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR) else 500
    message = f"{code}: {os.strerror(number).lower()}, open {place!r}"
    return HTTPError(status, message, expose=False, code=code, path=place)


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

    def answer(self, res: Response, file: _File) -> None:
        """Answer with a file, and see to it that it is closed. Raises ``HTTPError`` 412 and 416."""
        body: bytes | Iterator[bytes] = b""
        try:
            if res.headers_sent:
                raise RuntimeError(f"{file.path} cannot be sent: the request was answered already")
            body = self.prepare(res, file)
        finally:
            if isinstance(body, bytes):
                file.handle.close()
        res.end(body)

    def prepare(self, res: Response, file: _File) -> bytes | Iterator[bytes]:
        """Set status and header fields, as the request's conditions have it; the body that goes with them."""
        req = res.req
        self.describe(res, file)
        if _precondition_fails(req, res):
            raise HTTPError(412)
        if _is_fresh(req, res):
            res.status_code = 304
            res.remove_header(*_CONTENT_FIELDS)
            return b""
        offset, length = self.part(req, res, file.stat.st_size)
        res.set_header("Content-Length", str(length))
        if req.method == "HEAD":
            return b""
        file.handle.seek(offset)
        return file.handle.read(length) if length <= _PIECE else _Pieces(file.handle, length)

    def describe(self, res: Response, file: _File) -> None:
        """Set the header fields that the answer does not have yet."""
        if self.set_headers:
            self.set_headers(res, file.path, file.stat)
        milliseconds = (file.stat.st_mtime_ns + 500_000) // 1_000_000
        if self.accept_ranges and not res.get("Accept-Ranges"):
            res.set_header("Accept-Ranges", "bytes")
        if self.cache_control and not res.get("Cache-Control"):
            res.set_header("Cache-Control", self.cache_control)
        if self.last_modified and not res.get("Last-Modified"):
            res.set_header("Last-Modified", http_date(milliseconds // 1000))
        if self.etag and not res.get("ETag"):
            res.set_header("ETag", stat_etag(file.stat.st_size, milliseconds))
        if not res.get("Content-Type"):
            extension = os.path.splitext(file.path)[1]
            res.set_header("Content-Type", content_type(extension) or "application/octet-stream")

    def part(self, req: Request, res: Response, size: int) -> tuple[int, int]:
        """Where to begin in a file of ``size`` bytes, and how many of them to send (RFC 9110 section 14)."""
        offset, end = self.start, size - 1 if self.end is None else min(self.end, size - 1)
        length = max(0, end - offset + 1)
        header = req.get("Range")
        if not (self.accept_ranges and header and header.lstrip(" ").startswith("bytes=") and _is_range_fresh(req, res)):
            return offset, length
        ranges = parse_range(length, header, combine=True)
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
    """A part of a file as a body, which is read while it leaves. To be closed, and the file with it."""

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


def _is_fresh(req: Request, res: Response) -> bool:
    """By If-None-Match or, without it, If-Modified-Since; unlike ``req.fresh``, whatever the method."""
    if not (200 <= res.status_code < 300 or res.status_code == 304):
        return False
    none_match, modified_since = req.get("If-None-Match"), req.get("If-Modified-Since")
    return is_fresh(none_match, modified_since, req.get("Cache-Control"), res.get("ETag"), res.get("Last-Modified"))


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
    path, mark, query = req.original_url.partition("#")[0].partition("?")
    if path.startswith("/"):
        path = "/" + path.lstrip("/\\")  # "//host" and, to browsers, "/\host" would be another host
    location = encode_url(f"{path}/{mark}{query}")
    body = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Redirecting</title>\n</head>\n'
        f"<body>\n<pre>Redirecting to {escape_html(location)}</pre>\n</body>\n</html>\n"
    )
    res.status(301).set_header("Content-Type", "text/html; charset=UTF-8").set_header("Content-Length", str(len(body)))
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Location", location).end(body)


def _path_text(taker: str, path: Any) -> str:
    text = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text:
        raise TypeError(f"{taker} takes a path, as a str or an os.PathLike, not {path!r}")
    return text


def _name_list(option: str, names: Any) -> tuple[str, ...]:
    listed = (names,) if isinstance(names, str) else names or ()
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise TypeError(f"the option {option!r} is a name, a list of names or False, not {names!r}")
    return tuple(listed)


def _position(option: str, position: Any) -> int:
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise TypeError(f"the option {option!r} is the number of a byte, 0 or more, not {position!r}")
    return position


def _cache_control(max_age: Any, immutable: bool) -> str:
    seconds = int(min(max(0.0, _milliseconds(max_age)), _YEAR) / 1000)
    return f"public, max-age={seconds}{', immutable' if immutable else ''}"


def _milliseconds(duration: Any) -> float:
    """A duration in milliseconds, given as such, as a timedelta, or in words: ``'2 hours'``. As npm ms 2.1."""
    if isinstance(duration, timedelta):
        return duration / timedelta(milliseconds=1)
    if isinstance(duration, int | float) and not isinstance(duration, bool) and duration == duration:
        return float(duration)
    found = _DURATION.fullmatch(duration.lower()) if isinstance(duration, str) and len(duration) <= 100 else None
    if not found or (found[2] or "ms") not in _UNITS:
        raise TypeError(f"the option 'max_age' is milliseconds, a timedelta or words like '2 hours', not {duration!r}")
    return float(found[1]) * _UNITS[found[2] or "ms"]


_DURATION = re.compile(r"(-?[0-9]*\.?[0-9]+) *([a-z]*)")
_YEAR = 365 * 86_400_000
_UNITS = {
    name: milliseconds
    for names, milliseconds in (
        ("ms msec msecs millisecond milliseconds", 1),
        ("s sec secs second seconds", 1000),
        ("m min mins minute minutes", 60_000),
        ("h hr hrs hour hours", 3_600_000),
        ("d day days", 86_400_000),
        ("w week weeks", 604_800_000),
        ("y yr yrs year years", 31_557_600_000),
    )
    for name in names.split()
}


def content_disposition(filename: str | None = None, type: str = "attachment") -> str:
    """A Content-Disposition header (RFC 6266): what to save a body as. As npm content-disposition 2.0.1 ``create``.

    A name that is not ASCII is given twice, with question marks and as RFC 8187 has it. Raises ``TypeError`` for a
    name that is no string, and a type that is no token.
    """
    if not isinstance(type, str) or not _TOKEN.fullmatch(type):
        raise TypeError(f"Invalid type: {type!r}. Use 'attachment' or 'inline'")
    if filename is None:
        return type
    if not isinstance(filename, str):
        raise TypeError(f"filename must be a string, not {filename!r}")
    # A character beyond the 16-bit ones is two to JavaScript.
    ascii_name = _NOT_PRINTABLE.sub(lambda found: "??" if found[0] > "\uffff" else "?", filename)
    quoted = '"' + ascii_name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    header = f"{type}; filename={ascii_name if _TOKEN.fullmatch(ascii_name) else quoted}"
    if ascii_name == filename and not _PERCENT_ENCODED.search(filename):
        return header
    return f"{header}; filename*=UTF-8''{quote(filename, safe='!', errors='replace')}"


_TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z|~-]+")
_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
