"""JSON as JavaScript writes it (``JSON.stringify``) and as it reads it (``JSON.parse``)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from types import NoneType
from typing import Any, NoReturn

from .attrdict import AttrDict

Replacer = Callable[[str, Any], Any] | Sequence[str] | None
Reviver = Callable[[str, Any], Any] | None


def stringify(value: Any, replacer: Replacer = None, spaces: int | str | None = None, escape: bool = False) -> str:
    """``value`` as JSON text: no blanks, not-a-number as null, a datetime as ISO 8601 in UTC with milliseconds.

    ``replacer`` is a function ``(key, value) -> value`` or a list of the keys to keep; ``spaces`` (at most 10) or a
    string indents; ``escape`` writes ``<``, ``>`` and ``&`` as escapes, so that no browser takes the text for HTML.
    An object's own ``to_json()`` is asked. Raises ``TypeError`` for what JSON cannot hold.
    """
    replacer = replacer if callable(replacer) or isinstance(replacer, (list, tuple)) else None
    indent = _indent(spaces)
    encoder = _INDENTING(indent=indent) if indent else _COMPACT
    try:
        text = _encoded(encoder, value, replacer)
    except RecursionError as error:
        raise TypeError(f"JSON cannot hold this {type(value).__name__}: it contains itself, or is too deep") from error
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair as its escape
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") if escape else text


def parse(text: str, reviver: Reviver = None) -> Any:
    """The value of a JSON text, its objects as AttrDicts; ``reviver(key, value)`` may change each value, from within.

    Raises ``ValueError``, also for text nested too deep.
    """
    try:
        value = _DECODER.decode(text)
        return value if reviver is None else _revived("", value, reviver)
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None


def _encoded(encoder: json.JSONEncoder, value: Any, replacer: Replacer) -> str:
    if replacer is None:
        try:
            return encoder.encode(value)
        except ValueError:
            pass  # a number that JSON has not, or a circle
    return encoder.encode(_plain("", value, replacer))


def _indent(spaces: int | str | None) -> str:
    if isinstance(spaces, str):
        return spaces[:10]
    return " " * int(min(spaces, 10)) if isinstance(spaces, (int, float)) and spaces is not True else ""


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    if hasattr(value, "to_json"):
        return value.to_json()
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold: {value!r}")


def _plain(key: str, value: Any, replacer: Any) -> Any:
    """What JSON has, of a value that is replaced, or that has numbers in it which JSON has not."""
    if not isinstance(value, _PLAIN):
        return _plain(key, _to_json(value), replacer)
    if callable(replacer):
        value = replacer(key, value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        if isinstance(replacer, (list, tuple)):
            value = {name: value[name] for name in map(str, replacer) if name in value}
        return {k: _plain(str(k), v, replacer) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(str(i), v, replacer) for i, v in enumerate(value)]
    return value


def _revived(key: str, value: Any, reviver: Callable[[str, Any], Any]) -> Any:
    for name in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        value[name] = _revived(str(name), value[name], reviver)
    return reviver(key, value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_PLAIN = (str, int, float, dict, list, tuple, NoneType)
_INDENTING = partial(json.JSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ": "), default=_to_json)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_to_json)
_DECODER = json.JSONDecoder(object_hook=AttrDict, parse_constant=_refuse_constant)
