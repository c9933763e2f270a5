"""JSON as JavaScript writes it (``JSON.stringify``) and as it reads it (``JSON.parse``)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from .attrdict import AttrDict

Replacer = Callable[[str, Any], Any] | Sequence[str] | None


def stringify(value: Any, replacer: Replacer = None, spaces: int | str | None = None, escape: bool = False) -> str:
    """``value`` as JSON text: no blanks, not-a-number as null, a datetime as ISO 8601 in UTC with milliseconds.

    ``replacer`` is a function ``(key, value) -> value`` or a list of the keys to keep; ``spaces`` (at most 10) or a
    string indents; ``escape`` writes ``<``, ``>`` and ``&`` as escapes, so that no browser takes the text for HTML.
    An object's own ``to_json()`` is asked. Raises ``TypeError`` for what JSON cannot hold.
    """
    if replacer:
        value = _replaced("", value, replacer)
    try:
        text = _encode(value, spaces)
    except ValueError:  # a circle, or a number that JSON has not
        text = _encode(_without_nan(value), spaces)
    if not text.isascii() and _SURROGATE.search(text):
        text = _SURROGATE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", text)
    return text.translate(_HTML) if escape else text


def parse(text: str) -> Any:
    """The value of a JSON text, its objects as AttrDicts. Raises ``ValueError``, also for text nested too deep."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None


def _encode(value: Any, spaces: int | str | None) -> str:
    if not spaces:
        return _COMPACT.encode(value)
    indent = spaces[:10] if isinstance(spaces, str) else min(int(spaces), 10)
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ": "), indent=indent, default=_to_json
    )


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    if hasattr(value, "to_json"):
        return value.to_json()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold: {value!r}")


def _replaced(key: str, value: Any, replacer: Any) -> Any:
    if callable(replacer):
        value = replacer(key, value)
    if isinstance(value, dict):
        kept = value.items() if callable(replacer) else ((k, v) for k, v in value.items() if str(k) in replacer)
        return {k: _replaced(str(k), v, replacer) for k, v in kept}
    if isinstance(value, list | tuple):
        return [_replaced(str(i), v, replacer) for i, v in enumerate(value)]
    return value


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_to_json)
_DECODER = json.JSONDecoder(object_hook=AttrDict, parse_constant=_refuse_constant)
_SURROGATE = re.compile("[\ud800-\udfff]")
_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}
