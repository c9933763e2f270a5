"""The fingerprint of a session's data: the data as JSON, as in express-session 1.19.

Two of them tell whether a request has changed anything, at any depth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..http.json_text import compact_writer
from .values import MAX_DEPTH, storable, text_keys

_MAYBE_BEYOND_64_BITS = re.compile("[0-9]{19}")  # as many digits as 2**63 has


@dataclass(slots=True)
class Fingerprint:
    """The data of a session, without its cookie, as JSON: by this text two are compared."""

    text: str
    is_json: bool = field(compare=False)
    """Every value is of a type that JSON has."""

    def by_key(self) -> dict[str, str]:
        """Return each key with a text of its value: ``{"user": "{'name': 'Ada'}", "visits": "1"}``.

        The texts are Python's, which tell ``1``, ``1.0`` and ``True`` apart.
        """
        return {key: repr(value) for key, value in json.loads(self.text).items()}

    @property
    def is_storable(self) -> bool:
        """Return whether ``values.storable`` would change nothing: ``False`` also where only a long look could tell."""
        text = self.text
        is_shallow = text.count("{") + text.count("[") <= MAX_DEPTH
        return self.is_json and is_shallow and _is_text(text) and not _MAYBE_BEYOND_64_BITS.search(text)


EMPTY = Fingerprint("{}", is_json=True)


def take_fingerprint(data: dict[Any, Any]) -> Fingerprint:
    """Return the fingerprint of a session's data. Raises ``TypeError`` for what is nested too deep, with the key."""
    values = text_keys(data)
    values.pop("cookie", None)
    try:
        return _fingerprint(values)
    except RecursionError:
        storable({key: data[key] for key in data if key != "cookie"})  # raises a TypeError that names the key
        raise


def _fingerprint(values: dict[str, Any]) -> Fingerprint:
    try:
        return Fingerprint(_encode_json(values), is_json=True)
    except (TypeError, ValueError):  # a value that JSON does not have
        return Fingerprint(_encode_any({key: as_json(value) for key, value in values.items()}), is_json=False)


def as_json(value: Any) -> Any:
    """Return a value as JSON has it; its ``repr`` if its keys are odd. Raises ``RecursionError`` for a deep one."""
    try:
        return json.loads(_encode_any(value))
    except (TypeError, ValueError):
        return repr(value)


def _is_text(text: str) -> bool:
    """Return whether JSON has neither a NUL nor half of a surrogate pair."""
    try:
        return "\\u0000" not in text and (text.isascii() or bool(text.encode()))
    except UnicodeEncodeError:
        return False


def _json_default(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    return dict(value) if isinstance(value, Mapping) else repr(value)


def _refuse(value: Any) -> NoReturn:
    raise TypeError(f"JSON has no {type(value).__name__}")


_encode_json = compact_writer(_refuse)
_encode_any = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_json_default
).encode
