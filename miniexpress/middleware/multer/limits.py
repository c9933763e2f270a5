"""The limits of a form, and the error of one that is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...errors import HTTPError
from ...keyword_options import suggestion

_MESSAGES = {
    "INVALID_FILE_NAME": "Invalid file name",
    "LIMIT_FIELD_ARRAY_INDEX": "Field name array index too large",
    "LIMIT_FIELD_COUNT": "Too many fields",
    "LIMIT_FIELD_KEY": "Field name too long",
    "LIMIT_FIELD_NESTING": "Field name nesting too deep",
    "LIMIT_FIELD_VALUE": "Field value too long",
    "LIMIT_FILE_COUNT": "Too many files",
    "LIMIT_FILE_SIZE": "File too large",
    "LIMIT_PART_COUNT": "Too many parts",
    "LIMIT_UNEXPECTED_FILE": "Unexpected file field",
    "MISSING_FIELD_NAME": "Field name missing",
}

MEMORY_LIMIT = 32 * 2**20
"""Bytes of all files of a request that are kept in memory, where no limit of ``limits`` says otherwise."""


class MulterError(HTTPError):
    """A form that is refused: 400, with npm multer's ``code``, such as ``'LIMIT_FILE_SIZE'``.

    ``field`` names the form's field and ``filename`` the client's file, where the error is about one.
    """

    code: str
    field: str | None = None
    filename: str | None = None

    def __init__(self, code: str, field: str | None = None, filename: str | None = None) -> None:
        super().__init__(400, _MESSAGES.get(code, f"Unknown error: {code}"), code=code)
        if field is not None:
            self.field = field
        if filename is not None:
            self.filename = filename

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.field, self.filename), self.__dict__


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a form, with their defaults; npm multer has fewer of these, and most without a number.

    Sizes are in bytes. ``total_field_size`` and ``total_file_size`` are those of all values, and of all files.
    """

    field_name_size: float = math.inf
    field_size: float = 2**20
    total_field_size: float = 10 * 2**20
    fields: float = 1000
    file_size: float = math.inf
    total_file_size: float = math.inf
    files: float = 100
    parts: float = math.inf
    header_pairs: float = 32
    field_nesting_depth: float = 32
    field_array_index_limit: float = 100


def check_limits(limits: Mapping[str, Any], in_memory: bool) -> Limits:
    """Return the limits, with defaults for those that are missing. Raises ``TypeError`` for a wrong one."""
    if not isinstance(limits, Mapping):
        raise TypeError(f"multer(limits=…) takes a dict of limits, or a function that returns one, not {limits!r}")
    names = [each.name for each in fields(Limits)]
    given = {name: value for name, value in limits.items() if value is not None}
    for name, value in given.items():
        if name not in names:
            raise TypeError(f"multer(limits=…) has no limit {name!r}: {suggestion(name, names)}")
        is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_whole and (value != math.inf or name == "field_array_index_limit"):
            raise TypeError(f"multer(limits={{{name!r}: …}}) takes a whole number, 0 or more, not {value!r}")
    if in_memory:
        given.setdefault("total_file_size", max(MEMORY_LIMIT, given.get("file_size", 0)))
    return Limits(**given)
