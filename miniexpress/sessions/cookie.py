"""A session's cookie: its attributes and its clock. After express-session 1.19's ``session/cookie.js``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from ..keyword_options import suggestion, suggests_keywords
from .stored_cookie import ATTRIBUTES, from_document, in_utc, now, time_after, to_document

SameSite = Literal["lax", "strict", "none", "auto"] | bool | None
_MILLISECOND = timedelta(milliseconds=1)
_NAMES = ["max_age", *(attribute.name for attribute in ATTRIBUTES)]


class Cookie:
    """The attributes of a session's cookie. Times are in milliseconds; a ``timedelta`` is taken too.

    ``max_age`` runs: it is what is left until ``expires``, and setting either sets both, and ``original_max_age`` with
    them. A cookie without one (``None``, or ``False`` as express-session has it) ends with the browser, and none lasts
    longer than the year 9999. Raises ``TypeError`` for what is no time, and ``AttributeError`` for a name that is none.
    """

    original_max_age: float | None

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
        self.path, self.domain = path, domain
        self.http_only, self.secure, self.same_site = http_only, secure, same_site
        self.partitioned, self.priority = partitioned, priority
        self.max_age = max_age
        if expires is not None:
            self.expires = expires

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _NAMES:
            raise AttributeError(_no_attribute(name))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_no_attribute(name))

    @property
    def expires(self) -> datetime | Literal[False] | None:
        """The time at which the cookie expires, in UTC; ``None`` or ``False`` for one that ends with the browser."""
        expires: datetime | Literal[False] | None = vars(self)["expires"]
        return expires

    @expires.setter
    def expires(self, when: datetime | Literal[False] | None) -> None:
        if isinstance(when, datetime):
            when = in_utc(when)
        elif when is not None and when is not False:
            raise TypeError(f"a session cookie's expires is a datetime or None, or False, not {when!r}")
        vars(self)["expires"] = when
        self.original_max_age = self.max_age

    @property
    def max_age(self) -> float | None:
        """Milliseconds until the cookie ends; ``None`` or ``False`` for one that ends with the browser."""
        expires = self.expires
        return (expires - now()) // _MILLISECOND if isinstance(expires, datetime) else expires

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
        vars(self).update(expires=expires, original_max_age=milliseconds)

    def restart(self) -> None:
        """Let ``max_age`` run anew from ``original_max_age``."""
        age = self.original_max_age
        if age is None or age is False:
            vars(self)["expires"] = age
        else:
            self.max_age = age

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of Set-Cookie, as keyword arguments of ``cookies.serialize``."""
        attributes = {**vars(self)}
        del attributes["original_max_age"]
        return attributes

    def to_json(self) -> dict[str, Any]:
        """Return the cookie as all stores keep it: ``{"originalMaxAge", "expires", "httpOnly", "path", …}``.

        What was not set is left out, as ``undefined`` is in JavaScript.
        """
        return to_document(vars(self))

    @classmethod
    def from_json(cls, document: Any) -> Cookie:
        """Return the cookie that ``to_json``, or express-session, has written. ``expires`` may be a date or its text.

        An attribute has its default where the document has a value that no cookie can have.
        """
        cookie = cls.__new__(cls)
        has_defaults = document == _DEFAULT_DOCUMENT  # as a cookie has that nobody gave an end
        vars(cookie).update(_DEFAULTS if has_defaults else from_document(document, _DEFAULTS))
        return cookie


def _no_attribute(name: str) -> str:
    return f"a session's cookie has no attribute {name!r}: {suggestion(name, _NAMES)}"


_DEFAULTS = vars(Cookie())
_DEFAULT_DOCUMENT = to_document(_DEFAULTS)
