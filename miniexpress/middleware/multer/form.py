"""One request's form: its parts read in their order, fields into ``req.body``, files into a storage."""

from __future__ import annotations

import io
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...attrdict import AttrDict
from ...errors import HTTPError, text_of
from ...http.form_data import PartHeader, append_field, base_name, decode, largest_index, parse_part_header
from ...http.media_types import parse_content_type
from ..body_parser import read_stream
from .limits import Limits, MulterError
from .storage import File, Storage

if TYPE_CHECKING:
    from ...request import Request

_MAX_HEADER_SIZE = 16 * 1024  # bytes of one line, as many as npm busboy takes in all

log = logging.getLogger("miniexpress")


@dataclass(frozen=True)
class FormOptions:
    """The options of ``multer``, checked, and those of the method that made the middleware.

    ``counts`` is how many files each field may have, ``None`` for any; ``set_files(req, files)`` sets ``req.file`` or
    ``req.files``; ``multipart`` is the package that parses.
    """

    multipart: Any
    storage: Storage
    file_filter: Callable[[Request, File], Any] | None
    preserve_path: bool
    param_charset: str
    charset: str
    counts: dict[str, float] | None
    set_files: Callable[[Request, list[File]], None]


class Form:
    """The form that a request brings."""

    def __init__(self, options: FormOptions, limits: Limits, req: Request) -> None:
        self.options, self.limits, self.req = options, limits, req
        self.stored: list[File] = []
        self.parts_seen = self.fields_seen = self.files_seen = 0
        self.field_bytes = self.file_bytes = 0
        self.taken: Counter[str] = Counter()  # files, by the names of their fields

    def receive(self) -> None:
        """Read the form. Whatever is raised, the files that were stored are removed before."""
        self.req.body = AttrDict()
        self.options.set_files(self.req, [])
        try:
            self._read_parts(self._events(_boundary(self.req)))
        except BaseException:
            self._remove_files()
            raise

    def _events(self, boundary: str) -> Iterator[Any]:
        """Yield what the parser finds: the header of a part, its content in pieces, ``None`` at its end; the next …"""
        multipart = self.options.multipart
        try:
            parser = multipart.PushMultipartParser(
                boundary.encode("latin-1"),
                max_header_size=_MAX_HEADER_SIZE,
                max_header_count=self.limits.header_pairs,
                header_charset="latin-1",
            )
            for chunk in read_stream(self.req, math.inf):
                yield from parser.parse(chunk)
            parser.close()
        except multipart.MultipartError as error:
            raise _malformed(text_of(error)) from error

    def _read_parts(self, events: Iterator[Any]) -> None:
        for segment in events:
            content = iter(lambda: next(events), None)
            try:
                header = parse_part_header(segment.headerlist, self.options.param_charset)
            except ValueError as error:
                raise _malformed(text_of(error)) from error
            if header.is_file:
                self._read_file(header, content)
            else:
                self._read_field(header, content)
            for _ in content:  # of a part that is left out
                pass
            self.parts_seen += 1
            if self.parts_seen > self.limits.parts:
                raise MulterError("LIMIT_PART_COUNT")

    # Fields

    def _read_field(self, header: PartHeader, content: Iterator[bytes]) -> None:
        limits, name = self.limits, header.name
        self.fields_seen += 1
        if self.fields_seen > limits.fields:
            raise MulterError("LIMIT_FIELD_COUNT")
        if name is None:
            raise MulterError("MISSING_FIELD_NAME")
        value = bytearray()
        for piece in content:
            value += piece
            self.field_bytes += len(piece)
            if len(value) > limits.field_size or self.field_bytes > limits.total_field_size:
                raise MulterError("LIMIT_FIELD_VALUE", name)
        self._check_name(header)
        if name.count("[") > limits.field_nesting_depth:
            raise MulterError("LIMIT_FIELD_NESTING", name)
        if largest_index(name) > limits.field_array_index_limit:
            raise MulterError("LIMIT_FIELD_ARRAY_INDEX", name)
        append_field(self.req.body, name, self._decode(bytes(value), header.charset or self.options.charset))

    def _check_name(self, header: PartHeader) -> None:
        if header.name_size > self.limits.field_name_size:
            raise MulterError("LIMIT_FIELD_KEY")

    def _decode(self, value: bytes, charset: str) -> str:
        try:
            return decode(value, charset)
        except LookupError:
            message = f'unsupported charset "{charset.upper()}"'
            raise HTTPError(415, message, type="charset.unsupported", charset=charset.lower()) from None

    # Files

    def _read_file(self, header: PartHeader, content: Iterator[bytes]) -> None:
        self.files_seen += 1
        if self.files_seen > self.limits.files:
            raise MulterError("LIMIT_FILE_COUNT")
        if header.name is None:
            raise MulterError("MISSING_FIELD_NAME")
        sent = header.filename or ""
        original_name = sent if self.options.preserve_path else base_name(sent)
        if not original_name:  # 'docs/..' has no name
            return
        self._check_name(header)
        file = File(header.name, original_name, header.encoding, header.mimetype)
        if self._is_wanted(file):
            self.taken[file.fieldname] += 1
            self._store(file, FileStream(self._limited(file, content)))

    def _is_wanted(self, file: File) -> bool:
        counts, wants = self.options.counts, self.options.file_filter
        if counts is not None and self.taken[file.fieldname] >= counts.get(file.fieldname, 0):
            raise MulterError("LIMIT_UNEXPECTED_FILE", file.fieldname, file.originalname)
        if wants is None:
            return True
        wanted = wants(self.req, file)
        if wanted is None:
            raise TypeError("the option 'file_filter' returned None: it returns True for a file to take, or False")
        return bool(wanted)

    def _store(self, file: File, stream: FileStream) -> None:
        """Hand the file to the storage, and read what it has left. An error counts also where the storage caught it."""
        file.stream = stream
        try:
            attributes = self.options.storage.handle_file(self.req, file)
            self.stored.append(file)
            for name, value in (attributes or {}).items():
                setattr(file, name, value)
            stream.finish()
        finally:
            file.stream = None
        self.options.set_files(self.req, list(self.stored))

    def _limited(self, file: File, content: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in content:
            size += len(piece)
            self.file_bytes += len(piece)
            if size > self.limits.file_size or self.file_bytes > self.limits.total_file_size:
                raise MulterError("LIMIT_FILE_SIZE", file.fieldname, file.originalname)
            yield piece

    def _remove_files(self) -> None:
        self.options.set_files(self.req, [])
        for file in self.stored:
            try:
                self.options.storage.remove_file(self.req, file)
            except Exception:
                log.exception("cannot remove an uploaded file, %s", file.path or file.originalname)


class FileStream(io.RawIOBase):
    """The content of a file that is being received, as a stream that can be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self._error: BaseException | None = None

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def readinto(self, target: Any) -> int:
        """Read into a buffer, as much as is there. Return the number of bytes, 0 at the end."""
        if not self._piece:
            self._piece = memoryview(self._next_piece())
        count = min(len(target), len(self._piece))
        target[:count], self._piece = self._piece[:count], self._piece[count:]
        return count

    def finish(self) -> None:
        """Read what is left. Raise what a read has raised, also where the storage has caught it."""
        while self._error is None and self._next_piece():
            pass
        if self._error is not None:
            raise self._error

    def _next_piece(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except BaseException as error:
            self._error = error
            raise


def _boundary(req: Request) -> str:
    """Return the boundary between parts. Raises ``HTTPError``: 415 for another type of form, 400 without a boundary."""
    media_type, parameters = parse_content_type(req.get("Content-Type") or "")
    if media_type != "multipart/form-data":
        raise HTTPError(415, f"Unsupported content type: {media_type}", type="type.unsupported")
    boundary = parameters.get("boundary")
    if not boundary:
        raise HTTPError(400, "Multipart: Boundary not found", type="entity.parse.failed")
    return boundary


def _malformed(reason: str) -> HTTPError:
    return HTTPError(400, f"Malformed form: {reason}", type="entity.parse.failed")
