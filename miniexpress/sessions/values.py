"""The values that every session store keeps alike: those of JSON, as Express's stores keep them.

Stores write sessions as JSON or as BSON, and neither holds all that the other does. What comes from a client's JSON is
made, before any store sees it, what both can hold; the rest is refused by the name of its key.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

MAX_DEPTH = 100  # levels, as MongoDB's manual has it
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # of a whole number in BSON
_TEXT = frozenset({str})


def storable(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the items of a session as stores keep them.

    Keys become text, as JSON writes them (``1`` is ``"1"``, ``None`` is ``"null"``). An object becomes what its
    ``to_json()`` returns, any mapping a dict, a tuple a list, a date its text in ISO 8601. Half of a surrogate pair
    becomes U+FFFD, and a whole number beyond 64 bits a double, as in Node's driver of MongoDB. A number that is
    infinite or none becomes ``None``, as in JSON. What else JSON lacks is for the store to write, or to refuse:
    datetimes, and BSON's types, are kept in MongoDB and are text in JSON, as in Express.

    Raises ``TypeError``, which names the key, for what is nested deeper than 100 levels, for exceptions, and for keys
    that are no text or hold a NUL.
    """
    kept = {}
    for key, value in values.items():
        try:
            kept[_key(key)] = _value(value, MAX_DEPTH)
        except TypeError as error:
            raise _refusal(key, error) from None
    return kept


def text_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the items of a session with their keys as text. Raises ``TypeError``, as ``storable``, for what is none.

    A key that only some stores keep, as it holds a NUL, stays: it is refused where it is written.
    """
    if _TEXT.issuperset(map(type, values)) and "".join(values).isascii():  # nearly all keys are, and stay as they are
        return {**values}
    kept = {}
    for key in values:
        try:
            kept[key_text(key)] = values[key]
        except TypeError as error:
            raise _refusal(key, error) from None
    return kept


class naming_key:
    """Raise a ``TypeError`` with the key of the value that ``encode`` fails for, if a store's write of them fails."""

    def __init__(self, values: Mapping[Any, Any], encode: Callable[[Any], Any]) -> None:
        self.values, self.encode = values, encode

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, Exception):
            raise_naming_key(error, self.values, self.encode)


def raise_naming_key(error: Exception, values: Mapping[Any, Any], encode: Callable[[Any], Any]) -> None:
    """Raise a ``TypeError`` from ``error`` with the key of the value that ``encode`` fails for, if it does for one."""
    for key, value in values.items():
        try:
            encode(value)
        except Exception as reason:
            raise _refusal(key, reason) from error


def _refusal(key: Any, reason: Exception) -> TypeError:
    return TypeError(f"req.session[{key!r}] cannot be stored: {reason}")


def key_text(key: Any) -> str:
    """Return a key as stores keep it. Raises ``TypeError`` for what is no text, nor what JSON makes a text of."""
    if isinstance(key, str):
        return key if key.isascii() else _text(key)
    if key is not None and not isinstance(key, bool | int | float):
        raise TypeError(f"the key {key!r} is no text")
    return json.dumps(key)


def _key(key: Any) -> str:
    text = key if type(key) is str and key.isascii() else key_text(key)
    if "\0" in text:
        raise TypeError(f"the key {key!r} holds a NUL")
    return text


def _value(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if value is None or value is True or value is False:
        return value
    if isinstance(value, (int, float)):  # a tuple is faster here than a union
        return _number(value)
    if isinstance(value, dict):
        _check_depth(levels)
        return {_key(key): _value(each, levels - 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        _check_depth(levels)
        return [_value(each, levels - 1) for each in value]
    return _converted(value, levels)


def _converted(value: Any, levels: int) -> Any:
    """Return a value of a type that JSON does not have as one that it has, if every store is to keep it so."""
    if isinstance(value, BaseException):
        raise TypeError(f"{value!r} is an exception: store its text, str(error)")
    if callable(getattr(type(value), "to_json", None)):
        _check_depth(levels)
        return _value(value.to_json(), levels - 1)
    if isinstance(value, Mapping):
        return _value(dict(value), levels)
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _number(value: Any) -> Any:
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        value = _double(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_depth(levels: int) -> None:
    if levels == 0:
        raise TypeError(f"it contains itself, or is nested deeper than {MAX_DEPTH} levels")


def _text(text: str) -> str:
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
