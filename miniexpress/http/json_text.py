"""JSON as JavaScript writes it (``JSON.stringify``) and as it reads it (``JSON.parse``).

One rule for what JSON lacks, wherever a value becomes text: in answers, in cookies, in the sessions of a store.

1. Of a value that is no dict, list, text, number or ``None``, the class's ``to_json()`` is asked. A datetime is ISO
   8601 in UTC with milliseconds, a date and a UUID are their text; what MongoDB has (ObjectId, Decimal128, Binary …)
   is what npm bson makes of it.
2. The replacer, where there is one, sees what came of that.
3. A number that is not finite is null, an exception its own properties, and ``undefined`` leaves its key out. All else
   is refused.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache, partial
from types import NoneType
from typing import Any, NoReturn

from ..attrdict import AttrDict

Replacer = Callable[[str, Any], Any] | Sequence[str] | None
Reviver = Callable[[str, Any], Any] | None


class _Undefined(Enum):
    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return "undefined"


undefined = _Undefined.UNDEFINED
"""JavaScript's ``undefined``: no value at all. A replacer or a reviver that returns it drops the key."""


def stringify(value: Any, replacer: Replacer = None, spaces: int | str | None = None, escape: bool = False) -> str:
    """``value`` as JSON text without blanks, by the rule above; ``''`` where nothing is left of it.

    ``replacer`` is a function ``(key, value) -> value`` or a list of the keys to keep; ``spaces`` (at most 10) or a
    string indents; ``escape`` writes ``<``, ``>`` and ``&`` as escapes, so that no browser takes the text for HTML.
    Raises ``TypeError`` for what JSON cannot hold.
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

    What it makes ``undefined`` is dropped: a key with its value, an item of a list to ``None``. Raises ``ValueError``,
    also for text nested too deep.
    """
    try:
        value = _DECODER.decode(text)
        revived = value if reviver is None else _apply_reviver("", value, reviver)
        return None if revived is undefined else revived
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None


def _encoded(encoder: json.JSONEncoder, value: Any, replacer: Replacer) -> str:
    if replacer is None:
        try:
            return encoder.encode(value)
        except (TypeError, ValueError):
            pass  # something in it that the encoder does not write as JavaScript does, or that nothing writes
    plain = _plain("", value, replacer)
    return "" if plain is undefined else encoder.encode(plain)


def _indent(spaces: int | str | None) -> str:
    if isinstance(spaces, str):
        return spaces[:10]
    return " " * int(min(spaces, 10)) if isinstance(spaces, (int, float)) and spaces is not True else ""


def _plain(key: str, value: Any, replacer: Any) -> Any:
    """What JSON has, of a value at ``key``. As ECMAScript's ``SerializeJSONProperty``."""
    value = _json_of(value)
    if callable(replacer):
        value = _json_of(replacer(key, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        plain = {}
        for name, each in _items(value, replacer):
            item = _plain(name, each, replacer)
            if item is not undefined:
                plain[name] = item
        return plain
    if isinstance(value, (list, tuple)):
        items = []
        for index, each in enumerate(value):
            item = _plain(str(index), each, replacer)
            items.append(None if item is undefined else item)
        return items
    return value if isinstance(value, _PLAIN) or value is undefined else _without_json(value)


def _items(value: dict[Any, Any], replacer: Any) -> Iterable[tuple[str, Any]]:
    items = {_key(name): each for name, each in value.items()}
    if isinstance(replacer, (list, tuple)):
        items = {name: items[name] for name in map(str, replacer) if name in items}
    return items.items()


def _key(name: Any) -> str:
    """The text of a dict's key, as the encoder of the standard library has it for those that it takes."""
    if isinstance(name, str):
        return name
    if not isinstance(name, _PLAIN):
        name = _json_of(name)
    if isinstance(name, (dict, list, tuple)) or not isinstance(name, _PLAIN):
        raise TypeError(f"a key of JSON is a text, not {name!r}")
    return name if isinstance(name, str) else json.dumps(name)


def _json_of(value: Any) -> Any:
    """``value`` as its ``to_json()``, or the table below, has it; itself where it has neither."""
    write = None if isinstance(value, _PLAIN) else _writer(value.__class__)
    return value if write is None else _json_of(write(value))


def _default(value: Any) -> Any:
    """As ``_json_of``, for the encoder of the standard library, which is faster than ``_plain``."""
    if value is undefined:
        raise ValueError("the encoder leaves nothing out")
    write = _writer(value.__class__)
    return _without_json(value) if write is None else write(value)


def _without_json(value: Any) -> Any:
    if isinstance(value, BaseException):
        return _error_json(value)
    mend = "convert it, by a 'json replacer' for instance, or give its class a to_json()"
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold: {value!r}: {mend}")


def _error_json(error: BaseException) -> Any:
    """An exception's own properties that JSON can hold, without its message, as in JavaScript; or its ``to_json()``."""
    if callable(getattr(type(error), "to_json", None)):
        properties = error.to_json()  # type: ignore[attr-defined]
    else:
        properties = {name: each for name, each in vars(error).items() if not name.startswith("_")}
    if not isinstance(properties, dict):
        return properties
    return {name: each for name, each in properties.items() if _is_json(each)}


def _is_json(value: Any) -> bool:
    try:
        _COMPACT.encode(value)
    except Exception:
        return False
    return True


@lru_cache(maxsize=256)
def _writer(kind: type) -> Callable[[Any], Any] | None:
    """What writes the values of a class that JSON lacks."""
    if callable(getattr(kind, "to_json", None)):
        return _error_json if issubclass(kind, BaseException) else lambda value: value.to_json()
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    return next((_WRITERS[name] for name in names if name in _WRITERS), None)


def _date_json(when: datetime) -> str | None:
    return _iso_date(((when if when.tzinfo else when.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1))


def _iso_date(milliseconds: int) -> str | None:
    """Milliseconds since 1970 as JavaScript's ``Date.prototype.toJSON`` writes them: years beyond 9999 have a sign."""
    if abs(milliseconds) > 8_640_000_000_000_000:
        return None
    cycles, rest = divmod(milliseconds, _400_YEARS)
    when = _EPOCH + timedelta(milliseconds=rest)
    year = when.year + 400 * cycles
    return (f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}") + when.isoformat(timespec="milliseconds")[4:-6] + "Z"


def _apply_reviver(key: str, value: Any, reviver: Callable[[str, Any], Any]) -> Any:
    for name in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        revived = _apply_reviver(str(name), value[name], reviver)
        if revived is not undefined:
            value[name] = revived
        elif isinstance(value, list):
            value[name] = None
        else:
            del value[name]
    return reviver(key, value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_400_YEARS = 146_097 * 86_400_000  # milliseconds, after which the calendar begins anew
# Classes by their full names, since bson is not here to be imported where nobody uses MongoDB.
_WRITERS: dict[str, Callable[[Any], Any]] = {
    "datetime.datetime": _date_json,
    "datetime.date": date.isoformat,
    "uuid.UUID": str,
    "bson.objectid.ObjectId": str,
    "bson.decimal128.Decimal128": lambda value: {"$numberDecimal": str(value)},
    "bson.binary.Binary": lambda value: str(value.as_uuid()) if value.subtype == 4 else b64encode(value).decode(),
    "bson.datetime_ms.DatetimeMS": lambda value: _iso_date(int(value)),
    "bson.timestamp.Timestamp": lambda value: {"$timestamp": str((value.time << 32) + value.inc)},
    "bson.dbref.DBRef": lambda value: value.as_doc(),
    **dict.fromkeys(("bson.regex.Regex", "bson.min_key.MinKey", "bson.max_key.MaxKey"), lambda value: {}),
}
_PLAIN = (str, int, float, dict, list, tuple, NoneType)
_INDENTING = partial(json.JSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ": "), default=_default)
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default)
_DECODER = json.JSONDecoder(object_hook=AttrDict, parse_constant=_refuse_constant)
