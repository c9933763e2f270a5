"""A session's cookie: its attributes and its clock. After express-session 1.19's ``session/cookie.js``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ..options import checks_options

SameSite = Literal["lax", "strict", "none", "auto"] | bool | None


class Cookie:
    """What the session's cookie is set with. Times are in milliseconds; a ``timedelta`` is taken too.

    ``max_age`` runs: it is what is left until ``expires``, and setting either sets both, and ``original_max_age`` with
    them. Without one the cookie ends with the browser. Raises ``TypeError`` for what is no time.
    """

    @checks_options
    def __init__(
        self,
        *,
        path: str | None = "/",
        max_age: float | timedelta | None = None,
        expires: datetime | None = None,
        http_only: bool | None = True,
        secure: bool | Literal["auto"] | None = None,
        domain: str | None = None,
        same_site: SameSite = None,
        partitioned: bool | None = None,
        priority: str | None = None,
    ) -> None:
        if secure not in (True, False, None, "auto"):
            raise TypeError(f"a session cookie's secure is True, False or 'auto', not {secure!r}")
        self.path = path
        self.http_only = http_only
        self.secure = secure
        self.domain = domain
        self.same_site = same_site
        self.partitioned = partitioned
        self.priority = priority
        self.original_max_age: float | None = None
        self.max_age = max_age
        if expires is not None:
            self.expires = expires

    @property
    def expires(self) -> datetime | None:
        """When the cookie ends, in UTC; ``None`` for one that ends with the browser."""
        return self._expires

    @expires.setter
    def expires(self, when: datetime | None) -> None:
        if when is not None and not isinstance(when, datetime):
            raise TypeError(f"a session cookie's expires is a datetime or None, not {when!r}")
        if when is not None:
            when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        self._expires = when
        self.original_max_age = self.max_age

    @property
    def max_age(self) -> float | None:
        """Milliseconds until the cookie ends; ``None`` for one that ends with the browser."""
        if self._expires is None:
            return None
        return (self._expires - _now()) // _MILLISECOND

    @max_age.setter
    def max_age(self, age: float | timedelta | None) -> None:
        if isinstance(age, timedelta):
            age = age // _MILLISECOND
        try:
            self._expires = None if age is None else _now() + timedelta(milliseconds=age)
            if isinstance(age, bool):
                raise TypeError
        except (OverflowError, ValueError, TypeError):
            taken = "a number of milliseconds, a timedelta or None"
            raise TypeError(f"a session cookie's max_age is {taken}, not {age!r}") from None
        self.original_max_age = age

    def attributes(self) -> dict[str, Any]:
        """What the Set-Cookie line says, as keyword arguments of ``cookies.serialize``."""
        return {name: getattr(self, name) for name in _KEYS if name != "original_max_age"}

    def to_json(self) -> dict[str, Any]:
        """The cookie as every express-session store keeps it; what was not set is left out, as ``undefined`` is."""
        document = {key: getattr(self, name) for name, key in _KEYS.items()}
        return {key: value for key, value in document.items() if value is not None or key in _NULL_WHEN_UNSET}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Cookie:
        """The cookie that ``to_json``, or express-session, has written; ``expires`` may be a datetime or ISO 8601."""
        options = {name: document[key] for name, key in _KEYS.items() if key in document}
        expires, original_max_age = options.pop("expires", None), options.pop("original_max_age", None)
        cookie = cls(**options)
        cookie.expires = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
        cookie.original_max_age = original_max_age
        return cookie


def _now() -> datetime:
    """Now, in whole milliseconds as in Node: what ``max_age`` makes of an ``expires`` and back is never before it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


_MILLISECOND = timedelta(milliseconds=1)
# What the attributes are called in a stored session, and in which order they stand there.
_KEYS = {
    "original_max_age": "originalMaxAge",
    "partitioned": "partitioned",
    "priority": "priority",
    "expires": "expires",
    "secure": "secure",
    "http_only": "httpOnly",
    "domain": "domain",
    "path": "path",
    "same_site": "sameSite",
}
_NULL_WHEN_UNSET = ("originalMaxAge", "expires", "httpOnly", "path")
