"""Find the file that a path names, below a folder that the path cannot leave.

After npm send 1.2.1, and stricter in one point: a symbolic link that leads out of the folder is a 404.
"""

from __future__ import annotations

import errno
import os
import posixpath
import re
import stat
from collections.abc import Iterable
from io import FileIO
from typing import Any, NamedTuple

from ..errors import HTTPError

StringList = str | list[str] | tuple[str, ...]

_DOT_DOT = re.compile(r"(?:^|[\\/])\.\.(?:[\\/]|$)")  # "\" could be taken for "/" later on
# What the path leads to can be replaced before it is opened: opening a FIFO or a terminal must not block.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class File(NamedTuple):
    """A regular file, open for reading. ``stat`` is the open file's, even if another has its path by now."""

    path: str
    stat: os.stat_result
    handle: FileIO


class IsDirectory(HTTPError):
    """The path names a folder, not a file: a 404 whose ``code`` is ``'EISDIR'``."""


class Finder:
    """Finds files by these options.

    ``dotfiles`` is ``'ignore'`` (404), ``'allow'`` or ``'deny'`` (403); ``extensions`` are tried on a name that has
    none; ``index`` names the files that are sent for a folder. Raises ``TypeError`` for other values.
    """

    def __init__(self, dotfiles: str, extensions: StringList, index: StringList | bool) -> None:
        if dotfiles not in ("allow", "deny", "ignore"):
            raise TypeError(f"the option 'dotfiles' is 'allow', 'deny' or 'ignore', not {dotfiles!r}")
        self.dotfiles = dotfiles
        self.extensions = _name_tuple("extensions", extensions)
        self.index = _name_tuple("index", index)

    def find(self, folder: str, path: str, *, wants_index: bool) -> File:
        """Open the file at ``path`` below ``folder``, which is absolute. The caller closes it.

        With ``wants_index``, open the first index file of the folder at ``path`` instead.

        Raises ``HTTPError``: 400 for a NUL, 403 for a path that leaves the folder, 404 for no file, 500 for one that
        may not be read; ``IsDirectory`` for a folder.
        """
        full_path = self.resolve(folder, path)
        if wants_index and self.index:
            return _open_first(folder, [posixpath.join(full_path, name) for name in self.index])
        has_extension = posixpath.splitext(full_path)[1] or full_path.endswith("/")
        try:
            return _open(folder, full_path)
        except HTTPError as error:
            if not self.extensions or has_extension or getattr(error, "code", "") != "ENOENT":
                raise
        return _open_first(folder, [f"{full_path}.{extension}" for extension in self.extensions])

    def resolve(self, folder: str, path: str) -> str:
        """Join ``folder`` and ``path``: ``'/srv', '/docs/./a.txt'`` → ``'/srv/docs/a.txt'``. Raises as ``find``."""
        if "\0" in path:
            raise HTTPError(400)
        relative = posixpath.normpath(f"./{path}")
        if has_dot_dot(relative):
            raise HTTPError(403)
        if self.dotfiles != "allow" and relative != "." and "/." in f"/{relative}":
            raise HTTPError(403 if self.dotfiles == "deny" else 404)
        full_path = folder if relative == "." else posixpath.join(folder, relative)
        return posixpath.join(full_path, "") if path.endswith("/") else full_path


def has_dot_dot(path: str) -> bool:
    """Return whether a path has a ``..`` segment. If it is still there in a normalized path, that leaves the folder."""
    return _DOT_DOT.search(path) is not None


def _name_tuple(option: str, names: Any) -> tuple[str, ...]:
    """``'html'`` → ``('html',)``, ``False`` → ``()``."""
    sequence = (names,) if isinstance(names, str) else names or ()
    if not isinstance(sequence, list | tuple) or not all(isinstance(name, str) for name in sequence):
        raise TypeError(f"the option {option!r} is a name, a list of names or False, not {names!r}")
    return tuple(sequence)


def _open_first(folder: str, paths: Iterable[str]) -> File:
    last_error = HTTPError(404)
    for path in paths:
        try:
            return _open(folder, path)
        except HTTPError as error:
            last_error = HTTPError(404) if isinstance(error, IsDirectory) else error
    raise last_error


def _open(folder: str, path: str) -> File:
    """Open the regular file at ``path``.

    Its kind is checked before, since opening a FIFO would end the wait of who writes to it, and after, since it can
    have been replaced meanwhile.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode) and _contains(folder, posixpath.realpath(path)):
            raise IsDirectory(404, code="EISDIR")
        if not stat.S_ISREG(mode):
            raise HTTPError(404)
        descriptor = os.open(path, _OPEN_FLAGS)
    except (OSError, UnicodeEncodeError) as error:
        raise _to_http_error(error, path) from error
    status = os.fstat(descriptor)
    real_path = _real_path(descriptor, path)
    if stat.S_ISREG(status.st_mode) and _contains(folder, real_path):
        return File(path, status, FileIO(descriptor))
    os.close(descriptor)
    message = f"{path} leads to {real_path}, which is no file in {folder}: serve the folder that it is in"
    raise HTTPError(404, message, expose=False)


def _contains(folder: str, real_path: str) -> bool:
    """Return whether a path without symbolic links is ``folder`` or below it.

    Where it begins with ``folder`` as that is written, ``folder`` has no links either, and need not be resolved.
    """
    return _is_within(folder, real_path) or _is_within(posixpath.realpath(folder), real_path)


def _is_within(folder: str, path: str) -> bool:
    return path == folder or path.startswith(posixpath.join(folder, ""))


def _real_path(descriptor: int, path: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # a system other than Linux
        return posixpath.realpath(path)


def _to_http_error(error: OSError | UnicodeEncodeError, path: str) -> HTTPError:
    """Make an error of the system a 404 or a 500, whose message, as Node words it, is for the log only."""
    number = (error.errno if isinstance(error, OSError) else None) or errno.ENOENT
    code = errno.errorcode.get(number, str(number))
    status = 404 if number in (errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR) else 500
    message = f"{code}: {os.strerror(number).lower()}, open {path!r}"
    return HTTPError(status, message, expose=False, code=code, path=path)
