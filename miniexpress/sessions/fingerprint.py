"""The fingerprint of a session's data. Comparing two tells what a request has changed, at any depth.

It is each key with a text of its value as JSON has it: ``{"user": {"name": "Ada"}, "visits": 1}`` →
``{"user": "{'name': 'Ada'}", "visits": "1"}``. The texts are Python's, which tell ``1``, ``1.0`` and ``True`` apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any

from ..attrdict import AttrDict
from .values import MAX_DEPTH, storable, text_keys

Fingerprint = Mapping[str, str]
EMPTY: Fingerprint = {}

_SCALARS = frozenset({str, int, float, bool, NoneType})
_TEXT = frozenset({str})


def fingerprint_of_json(data: dict[str, Any]) -> Fingerprint:
    """Return the fingerprint of data that come from JSON: their own texts are those of JSON's values."""
    return {key: repr(value) for key, value in dict.items(data) if key != "cookie"}


def take_fingerprint(data: dict[Any, Any]) -> Fingerprint:
    """Return the fingerprint of a session's data.

    A value of JSON's own types is asked for its text; others are written as JSON before that, since the text of another
    class may leave out what is stored. Raises ``TypeError`` for what is nested too deep, with the key.
    """
    values = text_keys(data)
    values.pop("cookie", None)
    try:
        return {
            key: repr(value if type(value) in _SCALARS or _is_plain(value) else as_json(value))
            for key, value in values.items()
        }
    except RecursionError:
        storable(values)  # raises a TypeError that names the key
        raise


def as_json(value: Any) -> Any:
    """Return a value as JSON has it; its ``repr`` if its keys are odd, or if it contains itself."""
    try:
        return json.loads(_ENCODER.encode(value))
    except (TypeError, ValueError):
        return repr(value)


def _is_plain(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Return whether a value, and all that is in it, is of a type whose text shows all of it. No deep one is."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if levels == 0:
        return False
    if kind is list:
        values = value
    elif (kind is AttrDict or kind is dict) and _TEXT.issuperset(map(type, value)):
        values = dict.values(value)
    else:
        return False
    return _SCALARS.issuperset(map(type, values)) or all(_is_plain(each, levels - 1) for each in values)


def _json_default(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    return dict(value) if isinstance(value, Mapping) else repr(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_default)
