"""A session's cookie in a document: read, whoever has written it, and written as npm express-session 1.19 does.

``ATTRIBUTES`` is the one list of what is stored. An attribute of a cookie's own needs a line there, a parameter of
``Cookie``, which sets it, and one of ``http.cookies.serialize``. MongoDB stores null for one that is not set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from ..http import cookies

_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)  # the last millisecond that a datetime has
LONGEST = 8.64e15  # milliseconds: as far as JavaScript's dates reach (ECMA-262, Time Values), beyond datetime's
_LONGEST = timedelta(milliseconds=LONGEST)


def read_expires(stored: Any) -> datetime | Literal[False] | None:
    """Read the ``expires`` of a stored cookie: a date, a text in ISO 8601 or HTTP's form, or milliseconds since 1970.

    ``False`` stays, and what else is no time is ``None``.
    """
    if isinstance(stored, datetime):
        return in_utc(stored)
    if isinstance(stored, bool) or not isinstance(stored, (str, int, float)):
        return False if stored is False else None
    try:
        return in_utc(_parse_date(stored) if isinstance(stored, str) else time_after(stored, since=_EPOCH))
    except (ValueError, OverflowError, TypeError):
        return None


def read_max_age(stored: Any) -> float | None:
    """Read the ``originalMaxAge`` of a stored cookie: milliseconds or ``False``; what else is no number is ``None``."""
    if isinstance(stored, bool):
        return None if stored else False
    return stored if isinstance(stored, (int, float)) and abs(stored) <= LONGEST else None


def time_after(age: float | timedelta, since: datetime | None = None) -> datetime:
    """Return the time ``age`` (in milliseconds) after ``since``, or after now, from 1970 to the end of the year 9999.

    Raises ``ValueError``, ``OverflowError`` or ``TypeError`` for what is no number, or longer than JavaScript counts.
    """
    age = age if isinstance(age, timedelta) else age * _MILLISECOND
    if abs(age) > _LONGEST:
        raise OverflowError(f"{age} is too long")
    try:
        return max(_EPOCH, min((since or now()) + age, _LATEST))
    except OverflowError:
        return _EPOCH if age < timedelta(0) else _LATEST


def now() -> datetime:
    """Return now, in whole milliseconds: what ``max_age`` makes of an ``expires`` and back is never before it."""
    return in_utc(datetime.now(UTC))


def in_utc(when: datetime) -> datetime:
    """Return a time in UTC, where it is taken to be if it has no zone, and in whole milliseconds as in JavaScript."""
    if when.tzinfo is not UTC:
        try:
            when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        except OverflowError:  # by its zone it is beyond what a datetime can be
            return _EPOCH if when.year < _EPOCH.year else _LATEST
    beyond = when.microsecond % 1000
    return when - beyond * _MICROSECOND if beyond else when


def _parse_date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _read_flag(stored: Any) -> Any:
    return stored


def _read_secure(stored: Any) -> Any:
    is_one = isinstance(stored, bool) or stored == "auto"
    return stored if is_one else bool(stored)  # as JavaScript takes it


def _text_reader(name: str, default: str | None = None) -> Callable[[Any], Any]:
    """Return a function of a stored text of a cookie: it returns the text if it can be sent, and else the default."""

    def read(stored: Any) -> Any:
        if type(stored) not in (str, bool):  # BSON's Code is a str too
            return default
        return stored if not stored or _can_be_sent(name, stored) else default

    return read


@lru_cache
def _can_be_sent(name: str, text: str | bool) -> bool:
    with suppress(TypeError):
        return bool(cookies.serialize("name", "value", **{name: text}))  # type: ignore[arg-type]
    return False


class StoredAttribute(NamedTuple):
    """An attribute of a session's cookie: its name here, its key in a document, and the reader of what stands there.

    One that was not set is left out of a document, as ``undefined`` is in JavaScript, or is ``None`` there.
    """

    name: str
    key: str
    read: Callable[[Any], Any]
    is_null_when_unset: bool = False


ATTRIBUTES = (
    StoredAttribute("original_max_age", "originalMaxAge", read_max_age, is_null_when_unset=True),
    StoredAttribute("partitioned", "partitioned", _read_flag),
    StoredAttribute("priority", "priority", _text_reader("priority")),
    StoredAttribute("expires", "expires", read_expires, is_null_when_unset=True),
    StoredAttribute("secure", "secure", _read_secure),
    StoredAttribute("http_only", "httpOnly", _read_flag, is_null_when_unset=True),
    StoredAttribute("domain", "domain", _text_reader("domain")),
    StoredAttribute("path", "path", _text_reader("path", default="/"), is_null_when_unset=True),
    StoredAttribute("same_site", "sameSite", _text_reader("same_site")),
)
"""In the order of express-session's documents."""
COOKIE_KEYS = tuple(attribute.key for attribute in ATTRIBUTES)
"""The keys of a stored cookie, in their order."""
_BY_KEY = {attribute.key: attribute for attribute in ATTRIBUTES}
_LEFT_OUT_WHEN_UNSET = tuple(attribute.key for attribute in ATTRIBUTES if not attribute.is_null_when_unset)
_in_order = itemgetter(*(attribute.name for attribute in ATTRIBUTES))


def to_document(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Write a cookie's attributes, by name, as stores keep them: ``{"originalMaxAge", "expires", "httpOnly", …}``."""
    document = dict(zip(COOKIE_KEYS, _in_order(attributes), strict=True))
    for key in _LEFT_OUT_WHEN_UNSET:
        if document[key] is None:
            del document[key]
    return document


def from_document(document: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Read the attributes of a stored cookie, by name; those that the document does not have are as in ``defaults``."""
    attributes = {**defaults}
    if isinstance(document, (dict, Mapping)):  # mostly a dict, which is recognised faster
        for key in document:
            if key in _BY_KEY:
                name, _, read, _ = _BY_KEY[key]
                value = document[key]
                if value is not attributes[name]:  # a default need not be read
                    attributes[name] = None if value is None else read(value)
    return attributes
