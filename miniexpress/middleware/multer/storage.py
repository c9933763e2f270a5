"""Storages, which keep the files of forms: in memory, in a folder, or wherever an app's own does."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ...files.send import Path, path_text
from ...keyword_options import suggests_keywords
from ...usage.arguments import fit_callback
from .limits import MulterError

if TYPE_CHECKING:
    from ...request import Request

_CHUNK_SIZE = 65536
_NOT_IN_NAMES = ("/", "\\", "\0", *([":"] if os.name == "nt" else []))  # "C:a" is on another drive
_ERRORS_OF_NAMES = (errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ)


@dataclass
class File:
    """A file of a form. ``originalname`` and ``mimetype`` are what the client says: not to be trusted.

    ``size`` is in bytes. On disk it has ``destination``, ``filename`` and ``path``, in memory a ``buffer``.
    """

    fieldname: str
    originalname: str
    encoding: str
    mimetype: str
    size: int = 0
    destination: str | None = None
    filename: str | None = None
    path: str | None = None
    buffer: bytes | None = field(default=None, repr=False)
    stream: Any = field(default=None, repr=False)
    """The content, to be read, while a storage's ``handle_file`` runs."""

    def to_json(self) -> dict[str, Any]:
        """Return what a client may see of it: all that it has, without its content."""
        return {name: value for name, value in vars(self).items() if value is not None and name not in _CONTENT}


_CONTENT = ("buffer", "stream")


class Storage(Protocol):
    """The methods of a storage: ``multer.memory_storage()``, ``multer.disk_storage(…)``, or an app's own."""

    def handle_file(self, req: Request, file: File) -> Mapping[str, Any] | None:
        """Read ``file.stream`` to its end, and return attributes to set on the file. On an error, leave nothing."""

    def remove_file(self, req: Request, file: File) -> None:
        """Remove a file that was stored: its request has failed."""


class MemoryStorage:
    """Keep files in memory: ``file.buffer``. Without limits, 32 MiB a request at most."""

    def handle_file(self, req: Request, file: File) -> Mapping[str, Any]:
        """Read the file into its ``buffer``."""
        content = b"".join(iter(partial(file.stream.read, _CHUNK_SIZE), b""))
        return {"buffer": content, "size": len(content)}

    def remove_file(self, req: Request, file: File) -> None:
        """Forget the content."""
        file.buffer = None


class DiskStorage:
    """Write files into a folder while they arrive.

    ``destination`` is the folder, which is made, or a function ``(req, file)`` that returns one that is there; by
    default the system's for temporary files. ``filename`` is a function ``(req, file)`` that returns the name, by
    default 32 random hexadecimal digits. A name with a folder in it is a ``MulterError``: none can lead elsewhere. A
    file that has the name already is replaced once the new one is complete.
    """

    @partial(suggests_keywords, title="multer.disk_storage")
    def __init__(
        self,
        *,
        destination: Path | Callable[[Request, File], Path] | None = None,
        filename: Callable[[Request, File], str] | None = None,
    ) -> None:
        if callable(destination):
            self._destination = fit_callback(destination, "the option 'destination'", "(req, file)")
        else:
            given = tempfile.gettempdir() if destination is None else destination
            folder = path_text("multer.disk_storage(destination=…)", given)
            os.makedirs(folder, exist_ok=True)
            self._destination = lambda req, file: folder
        named = fit_callback(filename, "the option 'filename'", "(req, file)") if filename is not None else None
        self._filename = named or (lambda req, file: secrets.token_hex(16))

    def handle_file(self, req: Request, file: File) -> Mapping[str, Any]:
        """Write the file beside its place, and rename it when it is complete. One that fails leaves nothing."""
        folder = os.fspath(self._destination(req, file))
        name = _checked_name(self._filename(req, file), file)
        path, unfinished = os.path.join(folder, name), os.path.join(folder, f".{secrets.token_hex(16)}.part")
        try:
            with open(unfinished, "xb") as target:
                shutil.copyfileobj(file.stream, target, _CHUNK_SIZE)
                size = target.tell()
            _rename(unfinished, path, file)
        except BaseException:
            with suppress(FileNotFoundError):  # the folder is not there
                os.unlink(unfinished)
            raise
        return {"destination": folder, "filename": name, "path": path, "size": size}

    def remove_file(self, req: Request, file: File) -> None:
        """Remove the file from its folder."""
        if file.path is not None:
            os.unlink(file.path)
        file.destination = file.filename = file.path = None


def _checked_name(name: Any, file: File) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the option 'filename' returned {name!r}: it returns the name of the file, a str")
    if name in ("", ".", "..") or any(character in name for character in _NOT_IN_NAMES):
        raise MulterError("INVALID_FILE_NAME", file.fieldname, file.originalname)
    return name


def _rename(unfinished: str, path: str, file: File) -> None:
    try:
        os.replace(unfinished, path)
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno in _ERRORS_OF_NAMES:
            raise MulterError("INVALID_FILE_NAME", file.fieldname, file.originalname) from error
        raise
