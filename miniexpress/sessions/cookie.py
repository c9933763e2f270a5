"""A session's cookie: its attributes and its clock. After express-session 1.19's ``session/cookie.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import NoneType
from typing import Any, Literal

from ..http import cookies
from ..keyword_options import suggestion, suggests_keywords

SameSite = Literal["lax", "strict", "none", "auto"] | bool | None


class Cookie:
    """The attributes of a session's cookie. Times are in milliseconds; a ``timedelta`` is taken too.

    ``max_age`` runs: it is what is left until ``expires``, and setting either sets both, and ``original_max_age`` with
    them. A cookie without one (``None``, or ``False`` as express-session has it) ends with the browser, and none lasts
    longer than the year 9999. Raises ``TypeError`` for what is no time, and ``AttributeError`` for a name that is none.
    """

    path: str | None
    http_only: bool | None
    secure: bool | Literal["auto"] | None
    domain: str | None
    same_site: SameSite
    partitioned: bool | None
    priority: str | None
    original_max_age: float | None
    _expires: datetime | Literal[False] | None

    @suggests_keywords
    def __init__(
        self,
        *,
        path: str | None = "/",
        max_age: float | timedelta | None = None,
        expires: datetime | Literal[False] | None = None,
        http_only: bool | None = True,
        secure: bool | Literal["auto"] | None = None,
        domain: str | None = None,
        same_site: SameSite = None,
        partitioned: bool | None = None,
        priority: str | None = None,
    ) -> None:
        if secure not in (True, False, None, "auto"):
            raise TypeError(f"a session cookie's secure is True, False or 'auto', not {secure!r}")
        vars(self).update(
            path=path, http_only=http_only, secure=secure, domain=domain, same_site=same_site,
            partitioned=partitioned, priority=priority,
        )  # fmt: skip
        self.max_age = max_age
        if expires is not None:
            self.expires = expires

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _ATTRIBUTES:
            raise AttributeError(_no_attribute(name))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_no_attribute(name))

    @property
    def expires(self) -> datetime | Literal[False] | None:
        """When the cookie expires, in UTC; ``None`` or ``False`` for one that ends with the browser."""
        return self._expires

    @expires.setter
    def expires(self, when: datetime | Literal[False] | None) -> None:
        if isinstance(when, datetime):
            when = _in_utc(when)
        elif when is not None and when is not False:
            raise TypeError(f"a session cookie's expires is a datetime or None, or False, not {when!r}")
        self._expires = when
        self.original_max_age = self.max_age

    @property
    def max_age(self) -> float | None:
        """Milliseconds until the cookie ends; ``None`` or ``False`` for one that ends with the browser."""
        if not isinstance(self._expires, datetime):
            return self._expires
        return (self._expires - _now()) // _MILLISECOND

    @max_age.setter
    def max_age(self, age: float | timedelta | None) -> None:
        milliseconds = age // _MILLISECOND if isinstance(age, timedelta) else age
        try:
            if milliseconds is True:
                raise TypeError
            expires = milliseconds if milliseconds is None or milliseconds is False else time_after(milliseconds)
        except (OverflowError, ValueError, TypeError):
            taken = "a number of milliseconds, a timedelta or None"
            raise TypeError(f"a session cookie's max_age is {taken}, not {age!r}") from None
        vars(self).update(_expires=expires, original_max_age=milliseconds)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of Set-Cookie, as keyword arguments of ``cookies.serialize``."""
        return {name: getattr(self, name) for name in _FIELDS if name != "original_max_age"}

    def to_json(self) -> dict[str, Any]:
        """Return the cookie as all stores keep it: ``{"originalMaxAge", "expires", "httpOnly", "path", …}``.

        What was not set is left out, as ``undefined`` is in JavaScript.
        """
        attributes = vars(self)
        return {
            key: value
            for key, (name, _) in _READERS.items()
            if (value := attributes[name]) is not None or key in _NULL_WHEN_UNSET
        }

    @classmethod
    def from_json(cls, document: Any) -> Cookie:
        """Return the cookie that ``to_json``, or express-session, has written. ``expires`` may be a date or its text.

        An attribute has its default where the document has a value that no cookie can have.
        """
        cookie = cls.__new__(cls)
        attributes = vars(cookie)
        attributes.update(_DEFAULTS)
        if isinstance(document, (dict, Mapping)):  # nearly always a dict, which is told faster
            for key, (name, read) in _READERS.items():
                if key in document:
                    value = document[key]
                    attributes[name] = None if value is None else read(value)
        return cookie


def read_expires(stored: Any) -> datetime | Literal[False] | None:
    """Read the ``expires`` of a stored cookie: a date, a text in ISO 8601 or HTTP's form, or milliseconds since 1970.

    ``False`` stays, and what else is no time is ``None``.
    """
    try:
        if isinstance(stored, str):
            stored = _parse_date(stored)
        elif isinstance(stored, (int, float)) and not isinstance(stored, bool):
            stored = time_after(stored, since=_EPOCH)
    except (ValueError, OverflowError, TypeError):
        return None
    if isinstance(stored, datetime):
        return _in_utc(stored)
    return False if stored is False else None


def read_max_age(stored: Any) -> float | None:
    """Read the ``originalMaxAge`` of a stored cookie: milliseconds or ``False``; what else is no number is ``None``."""
    if isinstance(stored, bool):
        return None if stored else False
    return stored if isinstance(stored, (int, float)) and abs(stored) <= LONGEST else None


def time_after(age: float | timedelta, since: datetime | None = None) -> datetime:
    """Return the time ``age`` (in milliseconds) after ``since``, or after now, from 1970 to the end of the year 9999.

    Raises ``ValueError``, ``OverflowError`` or ``TypeError`` for what is no number, or longer than JavaScript counts.
    """
    age = age if isinstance(age, timedelta) else timedelta(milliseconds=age)
    if abs(age) > _LONGEST:
        raise OverflowError(f"{age} is too long")
    try:
        return max(_EPOCH, min((since or _now()) + age, _LATEST))
    except OverflowError:
        return _EPOCH if age < timedelta(0) else _LATEST


def _parse_date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def _in_utc(when: datetime) -> datetime:
    """Return a time in UTC, where it is taken to be if it has no zone, and in whole milliseconds as in JavaScript."""
    try:
        utc = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except OverflowError:  # by its zone it is beyond what a datetime can be
        return _EPOCH if when.year < _EPOCH.year else _LATEST
    beyond = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - beyond) if beyond else utc


def _now() -> datetime:
    """Return now, in whole milliseconds: what ``max_age`` makes of an ``expires`` and back is never before it."""
    return _in_utc(datetime.now(UTC))


def _as_it_is(value: Any) -> Any:
    return value


def _read_secure(stored: Any) -> Any:
    is_one = isinstance(stored, bool) or stored is None or stored == "auto"
    return stored if is_one else bool(stored)  # as JavaScript takes it


def _reader_of_text(name: str) -> Callable[[Any], Any]:
    """Return a function of a stored text of a cookie: it returns the text if it can be sent, and else the default."""

    def read(stored: Any) -> Any:
        if type(stored) not in (str, bool, NoneType):  # BSON's Code is a str too
            return _DEFAULTS[name]
        return stored if not stored or _can_be_sent(name, stored) else _DEFAULTS[name]

    return read


@lru_cache
def _can_be_sent(name: str, text: str | bool) -> bool:
    with suppress(TypeError):
        return bool(cookies.serialize("name", "value", **{name: text}))  # type: ignore[arg-type]
    return False


def _no_attribute(name: str) -> str:
    return f"a session's cookie has no attribute {name!r}: {suggestion(name, _ATTRIBUTES)}"


_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)  # the last millisecond that a datetime has
LONGEST = 8.64e15  # milliseconds: as far as JavaScript's dates reach (ECMA-262, Time Values), beyond datetime's
_LONGEST = timedelta(milliseconds=LONGEST)
# Each attribute's key in a stored session, in the order of those there, and the function that reads its value.
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "original_max_age": ("originalMaxAge", read_max_age),
    "partitioned": ("partitioned", _as_it_is),
    "priority": ("priority", _reader_of_text("priority")),
    "expires": ("expires", read_expires),
    "secure": ("secure", _read_secure),
    "http_only": ("httpOnly", _as_it_is),
    "domain": ("domain", _reader_of_text("domain")),
    "path": ("path", _reader_of_text("path")),
    "same_site": ("sameSite", _reader_of_text("same_site")),
}
COOKIE_KEYS = tuple(key for key, _ in _FIELDS.values())
"""The keys of a stored cookie, in their order."""
_NULL_WHEN_UNSET = ("originalMaxAge", "expires", "httpOnly", "path")
_READERS = {key: ("_expires" if name == "expires" else name, read) for name, (key, read) in _FIELDS.items()}
_ATTRIBUTES = [*_FIELDS, "max_age", "_expires"]
_DEFAULTS = vars(Cookie())
