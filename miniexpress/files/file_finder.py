"""Which file a path leads to, below a folder that it cannot leave. After npm send 1.2.1, and stricter in one point:
what a link leads to outside of the folder is not there."""

from __future__ import annotations

import errno
import os
import posixpath as paths
import re
import stat
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..errors import HTTPError

StringList = str | list[str] | tuple[str, ...]


class File(NamedTuple):
    """A regular file, open for reading as the descriptor ``fd``; ``stat`` is the open file's, whatever its path leads
    to by now."""

    path: str
    stat: os.stat_result
    fd: int


class IsDirectory(HTTPError):
    """A folder is where a file was asked for."""


class Finder:
    """Finds files: the options for that, checked.

    ``dotfiles`` is ``'ignore'`` (404), ``'allow'`` or ``'deny'`` (403); ``extensions`` are tried on a name that has
    none; ``index`` is what a folder is answered with. Raises ``TypeError`` for what is none of these.
    """

    def __init__(self, dotfiles: str, extensions: StringList, index: StringList | bool) -> None:
        if dotfiles not in ("allow", "deny", "ignore"):
            raise TypeError(f"the option 'dotfiles' is 'allow', 'deny' or 'ignore', not {dotfiles!r}")
        self.dotfiles = dotfiles
        self.extensions = _listed("extensions", extensions)
        self.index = _listed("index", index)

    def find(self, folder: str, path: str, *, wants_index: bool) -> File:
        """The file at ``path`` below ``folder``, an absolute path; the caller closes it.

        Raises ``HTTPError``: 400 for a NUL, 403 for what leaves the folder, 404, 500 for what may not be read; where
        there is a folder, ``IsDirectory``.
        """
        place = self.locate(folder, path)
        if wants_index and self.index:
            return _open_first(folder, [paths.join(place, name) for name in self.index])
        has_extension = paths.splitext(place)[1] or place.endswith("/")
        try:
            return _open(folder, place)
        except HTTPError as error:
            if not self.extensions or has_extension or getattr(error, "code", "") != "ENOENT":
                raise
        return _open_first(folder, [f"{place}.{extension}" for extension in self.extensions])

    def locate(self, folder: str, path: str) -> str:
        if "\0" in path:
            raise HTTPError(400)
        inner = paths.normpath(f"./{path}")
        if has_dot_dot(inner):
            raise HTTPError(403)
        if self.dotfiles != "allow" and inner != "." and "/." in f"/{inner}":
            raise HTTPError(403 if self.dotfiles == "deny" else 404)
        place = folder if inner == "." else paths.join(folder, inner)
        return paths.join(place, "") if path.endswith("/") else place


def has_dot_dot(path: str) -> bool:
    """Whether a path has a ``..`` in it; one that is left in a normal path leads out of the folder."""
    return _UP.search(path) is not None


_UP = re.compile(r"(?:^|[\\/])\.\.(?:[\\/]|$)")  # "\" might be taken for "/" further on


def _holds(folder: str, real_path: str) -> bool:
    """Whether a path without links is that of the folder, or of something in it, whatever links lead there."""
    real_folder = paths.realpath(folder)
    return real_path == real_folder or real_path.startswith(paths.join(real_folder, ""))


def _open_first(folder: str, places: Iterable[str]) -> File:
    failure = HTTPError(404)
    for place in places:
        try:
            return _open(folder, place)
        except HTTPError as error:
            failure = HTTPError(404) if isinstance(error, IsDirectory) else error
    raise failure


def _open(folder: str, place: str) -> File:
    """The file at ``place``, looked at before it is opened, since to open a FIFO is to take part in it, and after,
    since what was looked at may have been replaced."""
    try:
        mode = os.stat(place).st_mode
        if stat.S_ISDIR(mode) and _holds(folder, paths.realpath(place)):
            raise IsDirectory(404, code="EISDIR")
        if not stat.S_ISREG(mode):
            raise HTTPError(404)
        fd = os.open(place, _READ_ONLY)
    except (OSError, UnicodeEncodeError) as error:
        raise _failure(error, place) from error
    status = os.fstat(fd)
    real_path = _real_path(fd, place)
    if stat.S_ISREG(status.st_mode) and _holds(folder, real_path):
        return File(place, status, fd)
    os.close(fd)
    message = f"{place} leads to {real_path}, which is no file in {folder}: serve the folder that it is in"
    raise HTTPError(404, message, expose=False)


# What else than a file it may be by now is not to keep anybody waiting.
_READ_ONLY = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def _real_path(fd: int, place: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:  # a system other than Linux
        return paths.realpath(place)


def _failure(error: OSError | UnicodeEncodeError, place: str) -> HTTPError:
    """What an error of the system is to a client, 404 or 500, and, in Node's words, to the log."""
    number = (error.errno if isinstance(error, OSError) else None) or errno.ENOENT
    code = errno.errorcode.get(number, str(number))
    status = 404 if number in (errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR) else 500
    message = f"{code}: {os.strerror(number).lower()}, open {place!r}"
    return HTTPError(status, message, expose=False, code=code, path=place)


def _listed(option: str, names: Any) -> tuple[str, ...]:
    listed = (names,) if isinstance(names, str) else names or ()
    if not isinstance(listed, list | tuple) or not all(isinstance(name, str) for name in listed):
        raise TypeError(f"the option {option!r} is a name, a list of names or False, not {names!r}")
    return tuple(listed)
