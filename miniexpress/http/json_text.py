"""JSON as JavaScript writes it (``JSON.stringify``) and as it reads it (``JSON.parse``).

One rule for values that are not JSON, in responses, cookies and sessions:

1. A value that is no dict, list, text, number or ``None`` is converted by its class's ``to_json()``. A datetime becomes
   ISO 8601 in UTC with milliseconds, a date and a UUID their text, a type of MongoDB (ObjectId, Decimal128, Binary …)
   what npm bson makes of it, and any other ``Mapping`` a dict.
2. The replacer, if there is one, is called with the result.
3. A number that is not finite becomes null, an exception its own properties; a key whose value is ``undefined`` is left
   out. Anything else raises ``TypeError``.
"""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import lru_cache, partial
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]
from types import NoneType
from typing import Any, NoReturn

from ..attrdict import AttrDict

Replacer = Callable[[str, Any], Any] | Sequence[str] | None
Reviver = Callable[[str, Any], Any] | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_400_YEARS = 146_097 * 86_400_000  # milliseconds, after which the calendar repeats
_MAX_DATE = 8_640_000_000_000_000  # milliseconds from 1970, of a JavaScript ``Date``
_NOT_IN_CALLBACKS = re.compile(r"[^\[\]\w$.]", re.ASCII)
_JSON_TYPES = (str, int, float, dict, list, tuple, NoneType)


class _Undefined(Enum):
    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return "undefined"


undefined = _Undefined.UNDEFINED
"""JavaScript's ``undefined``: no value. A replacer or a reviver that returns it removes the key."""


def stringify(value: Any, replacer: Replacer = None, spaces: int | str | None = None, escape: bool = False) -> str:
    """Write ``value`` as JSON, by the rule above: ``{'a': [1, None]}`` → ``{"a":[1,null]}``, ``undefined`` → ``''``.

    ``replacer`` is a function ``(key, value) -> value`` or a list of the keys to keep. ``spaces`` (at most 10) or a
    string indents. ``escape`` writes ``<``, ``>`` and ``&`` as ``\\u003c`` …, so that it is safe in HTML.
    Raises ``TypeError`` for a value that is not JSON.
    """
    indent = _indent(spaces) if spaces else ""
    write = _INDENTING(indent=indent).encode if indent else _write_compact
    try:
        text = _write(write, value, replacer)
    except RecursionError as error:
        raise TypeError(f"JSON cannot hold this {type(value).__name__}: it contains itself, or is too deep") from error
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()  # half of a surrogate pair is escaped
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") if escape else text


def jsonp_script(callback: str, text: str) -> str:
    """Write a script that calls a function of the page's with JSON: ``'show', '[1]'`` → ``… show([1]);``. As Express.

    Of ``callback``, which the client chose, what no name of a function holds is left out.
    """
    name = _NOT_IN_CALLBACKS.sub("", callback)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")  # line ends, to older JavaScript
    # The comment keeps the script from beginning with what the client chose (Rosetta Flash).
    return f"/**/ typeof {name} === 'function' && {name}({text});"


def parse(text: str, reviver: Reviver = None) -> Any:
    """Parse JSON, objects as AttrDicts. Raises ``ValueError`` for malformed text, and for text that is nested too deep.

    ``reviver(key, value)`` may change each value, the inner ones first. If it returns ``undefined``, a key is removed,
    an item of a list becomes ``None``.
    """
    try:
        value = _DECODER.decode(text)
        revived = value if reviver is None else _apply_reviver("", value, reviver)
        return None if revived is undefined else revived
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None


def compact_writer(default: Callable[[Any], Any]) -> Callable[[Any], str]:
    """Return a function that writes a value as JSON without blanks. ``default`` converts what JSON does not have.

    Raises ``ValueError`` for a number that is not finite, and ``RecursionError`` for a value that contains itself.
    """
    # The C encoder of ``json.JSONEncoder``, made once: its ``encode`` makes one for each value, which takes longer than
    # to write a small value. The first argument would be where it notes what it is writing.
    encode = c_make_encoder(None, default, encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


def _write(write: Callable[[Any], str], value: Any, replacer: Replacer) -> str:
    if not (callable(replacer) or isinstance(replacer, (list, tuple))):
        replacer = None
        try:
            return write(value)
        except (TypeError, ValueError):
            pass  # a value that the encoder writes unlike JavaScript, or refuses
    plain = _to_plain("", value, replacer)
    return "" if plain is undefined else write(plain)


def _indent(spaces: int | str | None) -> str:
    if isinstance(spaces, str):
        return spaces[:10]
    return " " * int(max(0, min(spaces, 10))) if isinstance(spaces, (int, float)) and spaces is not True else ""


def _to_plain(key: str, value: Any, replacer: Any) -> Any:
    """Convert the value at ``key`` into JSON types. As ECMAScript's ``SerializeJSONProperty``."""
    value = _json_of(value)
    if callable(replacer):
        value = _json_of(replacer(key, value))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        plain = {}
        for name, each in _items(value, replacer):
            item = _to_plain(name, each, replacer)
            if item is not undefined:
                plain[name] = item
        return plain
    if isinstance(value, (list, tuple)):
        items = []
        for index, each in enumerate(value):
            item = _to_plain(str(index), each, replacer)
            items.append(None if item is undefined else item)
        return items
    return value if isinstance(value, _JSON_TYPES) or value is undefined else _refuse(value)


def _items(value: dict[Any, Any], replacer: Any) -> Iterable[tuple[str, Any]]:
    items = {_key(name): each for name, each in value.items()}
    if isinstance(replacer, (list, tuple)):
        items = {name: items[name] for name in map(str, replacer) if name in items}
    return items.items()


def _key(name: Any) -> str:
    """Write a dict's key as text: ``True`` → ``'true'``, ``1`` → ``'1'``. Raises ``TypeError`` for other types."""
    if isinstance(name, str):
        return name
    if not isinstance(name, _JSON_TYPES):
        name = _json_of(name)
    if isinstance(name, (dict, list, tuple)) or not isinstance(name, _JSON_TYPES):
        raise TypeError(f"a key of JSON is a text, not {name!r}")
    return name if isinstance(name, str) else json.dumps(name)


def _json_of(value: Any) -> Any:
    """Convert by the value's ``to_json()`` or by ``_WRITERS``; return it as it is if there is neither."""
    write = None if isinstance(value, _JSON_TYPES) else _writer(value.__class__)
    return value if write is None else _json_of(write(value))


def _default(value: Any) -> Any:
    """Convert as ``_json_of``, for the standard library's encoder, which is faster than ``_to_plain``."""
    if value is undefined:
        raise ValueError("the encoder leaves nothing out")
    write = _writer(value.__class__)
    return _refuse(value) if write is None else write(value)


def _refuse(value: Any) -> Any:
    if isinstance(value, BaseException):
        return _error_json(value)
    hint = "convert it, by a 'json replacer' for instance, or give its class a to_json()"
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold: {value!r}: {hint}")


def _error_json(error: BaseException) -> Any:
    """Return an exception's ``to_json()``, or its own properties that are JSON: not its message, as in JavaScript."""
    if callable(getattr(type(error), "to_json", None)):
        properties = error.to_json()  # type: ignore[attr-defined]
    else:
        try:
            properties = {name: each for name, each in vars(error).items() if not name.startswith("_")}
        except Exception:  # its class hides them
            properties = {}
    if not isinstance(properties, dict):
        return properties
    return {name: each for name, each in properties.items() if _is_json(each)}


def _is_json(value: Any) -> bool:
    try:
        _write_compact(value)
    except Exception:
        return False
    return True


@lru_cache(maxsize=256)
def _writer(kind: type) -> Callable[[Any], Any] | None:
    """Return the function that converts values of a class into JSON types, or ``None``."""
    if callable(getattr(kind, "to_json", None)):
        return _error_json if issubclass(kind, BaseException) else lambda value: value.to_json()
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    return next((_WRITERS[name] for name in names if name in _WRITERS), dict if issubclass(kind, Mapping) else None)


def date_json(when: datetime) -> str | None:
    """Write a datetime as JavaScript's ``Date.prototype.toJSON``; without a zone it is UTC. See ``_iso_date``."""
    if when.tzinfo is UTC:
        return when.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return _iso_date(((when if when.tzinfo else when.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1))


def _iso_date(milliseconds: int) -> str | None:
    """Write milliseconds since 1970 as JavaScript's ``Date.prototype.toJSON``: ``0`` → ``1970-01-01T00:00:00.000Z``.

    A year beyond 9999 has a sign and six digits. ``None`` if JavaScript has no such date.
    """
    if abs(milliseconds) > _MAX_DATE:
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


# How values of other classes are written. By name, since bson is only imported where MongoDB is used.
_WRITERS: dict[str, Callable[[Any], Any]] = {
    "datetime.datetime": date_json,
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
_INDENTING = partial(json.JSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ": "), default=_default)
_write_compact = compact_writer(_default)
_DECODER = json.JSONDecoder(object_hook=AttrDict, parse_constant=_refuse_constant)
