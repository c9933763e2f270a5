"""The fingerprint of a session's data, by which it is told what a request has changed, at any depth.

It is each key with a text of its value as JSON has it: ``{"user": {"name": "Ada"}, "visits": 1}`` →
``{"user": "{'name': 'Ada'}", "visits": "1"}``. The texts are Python's, which tell ``1``, ``1.0`` and ``True`` apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any

from .values import storable, text_keys

Fingerprint = Mapping[str, str]
EMPTY: Fingerprint = {}

_SCALARS = (str, int, float, bool, NoneType)


def fingerprint_of_json(data: Mapping[str, Any]) -> Fingerprint:
    """Return the fingerprint of data that come from JSON: their own texts are those of JSON's values."""
    return {key: repr(data[key]) for key in data if key != "cookie"}


def take_fingerprint(data: Mapping[Any, Any], before: Fingerprint) -> Fingerprint:
    """Return the fingerprint of a session's data.

    ``before`` is the one of the stored session: a value whose own text stands there need not be written as JSON, which
    is so for all that a request has left alone. Raises ``TypeError`` for what is nested too deep, with the key.
    """
    texts, others = {}, {}
    try:
        for key in data:
            if key in before and before[key] == repr(data[key]):
                texts[key] = before[key]
            elif key != "cookie":
                others[key] = data[key]
        texts.update({key: text_as_json(value) for key, value in text_keys(others).items()} if others else ())
        return texts
    except RecursionError:
        storable({key: data[key] for key in data if key != "cookie"})  # raises a TypeError that names the key
        raise


def text_as_json(value: Any) -> str:
    """Return the text of a value as JSON has it; of its own text if its keys are odd, or if it contains itself."""
    try:
        return repr(value if type(value) in _SCALARS else json.loads(_ENCODER.encode(value)))
    except (TypeError, ValueError):
        return repr(repr(value))


def _json_default(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    return dict(value) if isinstance(value, Mapping) else repr(value)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_default)
