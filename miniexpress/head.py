"""The head of an answer: its status and its header fields. After Express 5.3's ``lib/response.js``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from numbers import Number
from typing import TYPE_CHECKING, Any, Self

from . import cookies
from .escaping import HEADER_TEXT, TOKEN, encode_url
from .handlers import flat
from .jsontext import stringify
from .mediatypes import content_type
from .negotiation import vary

if TYPE_CHECKING:
    from .application import App
    from .request import Request

Milliseconds = int | float | timedelta


class Head:
    """Status and header fields, which can change until they leave. What sets something returns the response.

    ``answered`` says whether an answer is marked to be sent, ``has_left`` whether the head has left. All that can be in
    the head is checked when it is set, since not every WSGI server looks at what it sends.
    """

    req: Request
    _status_code = 200
    _status_message: str | None = None
    answered = False
    has_left = False
    _headers: dict[str, tuple[str, str | list[str]]]

    @property
    def app(self) -> App:
        """The app that answers."""
        return self.req.app

    @property
    def status_code(self) -> int:
        """The status, at first 200. Raises ``TypeError`` for no integer, ``ValueError`` for one not from 100 to 999."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        check_status(code)
        self._status_code = int(code)  # an HTTPStatus is one, too

    @property
    def status_message(self) -> str | None:
        """The reason phrase, ``None`` for the standard one. Raises ``TypeError`` or ``ValueError`` for what is none."""
        return self._status_message

    @status_message.setter
    def status_message(self, message: str | None) -> None:
        if message is not None and not isinstance(message, str):
            raise TypeError(f"res.status_message is a str or None, not {message!r}")
        if message and not HEADER_TEXT.fullmatch(message):
            raise ValueError(f"Invalid character in statusMessage: {message!r}. A phrase is Latin-1 without controls")
        self._status_message = message and str.__str__(message)

    def status(self, code: int) -> Self:
        """Set ``status_code``. Raises ``RuntimeError`` when the request has been answered already."""
        if self.answered:
            raise self._too_late()
        self.status_code = code
        return self

    def write_head(
        self,
        status: int,
        message: str | Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> Self:
        """``write_head(status, [message], [headers])``: set all of them, as Node's ``writeHead``."""
        if self.answered or self.has_left:
            raise self._too_late()
        if isinstance(message, Mapping):
            message, headers = None, message
        self.status(status)
        if message is not None:
            self.status_message = message
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        return self

    def set(self, field: str | Mapping[str, Any], value: Any = None) -> Self:
        """Set a header field, or all of a dict; a Content-Type gets its charset where one belongs to it.

        A list makes as many lines. Raises ``TypeError`` and ``ValueError`` for what no header may hold.
        """
        if isinstance(field, Mapping):
            for name, each in field.items():
                self.set(name, each)
            return self
        _check_text("res.set()", field, "the name of a header field, or a dict of them")
        if field.lower() == "content-type":
            if isinstance(value, (list, tuple)):
                raise TypeError("Content-Type cannot be set to a list: give it one type")
            given, value = value, content_type(_text(value))
            if not value:
                raise TypeError(f"Content-Type cannot be {given!r}: give it a type like 'text/html'")
        return self.set_header(field, value)

    header = set

    def get(self, field: str) -> Any:
        """What a header field is set to: str, list of str, or ``None``."""
        found = self._headers.get(field.lower())
        return found[1] if found else None

    get_header = get

    def has_header(self, name: str) -> bool:
        """Whether a header field is set."""
        return name.lower() in self._headers

    def get_headers(self) -> dict[str, str | list[str]]:
        """A copy of all header fields by their names in lower case."""
        return {key: value for key, (_, value) in self._headers.items()}

    def get_header_names(self) -> list[str]:
        """The names of the header fields that are set, in lower case."""
        return list(self._headers)

    def set_header(self, name: str, value: Any) -> Self:
        """Set a header field to just this, as Node's ``setHeader``; a list makes as many lines.

        Raises ``TypeError`` and ``ValueError`` for what no header field may be.
        """
        if self.has_left:
            raise self._too_late()
        key, name = _field_name(name)
        if isinstance(value, (list, tuple)):
            if key in _ONE_LINE:
                raise ValueError(f"{name} is one line: give it one value, not the list {value!r}")
            checked: str | list[str] = [_field_value(name, each) for each in value]
        else:
            checked = _field_value(name, value)
            if key == "content-length" and not _DIGITS.fullmatch(checked):
                raise ValueError(f"Content-Length is a number of bytes, not {value!r}")
        self._headers[key] = (name, checked)
        return self

    def _put(self, name: str, value: str) -> None:
        """Set a header field without a look at it, which would take longer: for what is known to be one."""
        self._headers[name.lower()] = (name, value)

    def remove_header(self, *names: str) -> Self:
        """Remove header fields, set or not. Raises ``RuntimeError`` when they have left."""
        if self.has_left:
            raise self._too_late()
        for name in names:
            self._headers.pop(name.lower(), None)
        return self

    def append(self, field: str, value: Any) -> Self:
        """Add a value, or a list of them, to what a header field has."""
        before = self.get(field)
        return self.set(field, flat([before, value]) if before else value)

    def type(self, type: str) -> Self:
        """Set Content-Type, from a type or from a file extension: ``html``, ``.png``, ``application/json``."""
        _check_text("res.type()", type, "a media type or an extension, like 'text/html' or 'png'")
        return self.set("Content-Type", type if "/" in type else content_type(type) or "application/octet-stream")

    content_type = type

    def vary(self, field: str | Sequence[str]) -> Self:
        """Add to Vary what is not in it yet: names with commas between them, or a list. Raises ``TypeError``."""
        value = vary(", ".join(flat([self.get("Vary") or ""])), field)
        return self.set_header("Vary", value) if value else self

    def location(self, url: str) -> Self:
        """Set Location, percent-encoded where it must be (npm encodeurl 2). Raises ``TypeError`` for no text."""
        _check_text("res.location()", url, "a URL as a str")
        return self.set("Location", encode_url(url))

    def links(self, links: Mapping[str, str | Sequence[str]]) -> Self:
        """Add to Link: ``{"next": url, "pages": [url, url]}`` (RFC 8288). Raises ``TypeError`` for no dict."""
        if not isinstance(links, Mapping):
            raise TypeError(f'res.links() takes a dict like {{"next": url}}, not {links!r}')
        before = ",".join(flat([self.get("Link") or []]))  # so does JavaScript join several
        new = [f'<{url}>; rel="{relation}"' for relation, urls in links.items() for url in flat([urls])]
        return self.set("Link", ", ".join([before, *new] if before else new))

    def cookie(
        self,
        name: str,
        value: Any,
        *,
        max_age: Milliseconds | None = None,
        signed: bool = False,
        path: str | None = "/",
        **options: Any,
    ) -> Self:
        """Set a cookie. ``max_age`` in milliseconds; ``domain``, ``expires`` (a datetime), ``http_only``, ``secure``,
        ``partitioned``, ``priority`` and ``same_site`` as npm cookie 0.7 has them. All but a str and a number is sent
        as JSON, as ``res.json`` writes it.

        ``signed`` needs ``req.secret``. Raises ``TypeError`` for what no cookie may hold.
        """
        text = _text(value) if isinstance(value, (str, Number)) else f"j:{stringify(value)}"
        if signed:
            if not self.req.secret:
                raise TypeError("res.cookie(signed=True) needs a secret: set req.secret in a middleware before it")
            text = f"s:{cookies.sign(text, self.req.secret)}"
        if max_age is not None:
            age = _duration(max_age)
            options["max_age"] = age // timedelta(seconds=1)
            options["expires"] = _after(age)
        return self.append("Set-Cookie", cookies.serialize(name, text, path="/" if path is None else path, **options))

    def clear_cookie(self, name: str, **options: Any) -> Self:
        """Make the client drop a cookie; ``path`` and ``domain`` must be those that it was set with."""
        return self.cookie(name, "", **{**options, "max_age": None, "expires": datetime.fromtimestamp(0.001, UTC)})

    def _lines(self) -> list[tuple[str, str]]:
        """The header fields, a line for each value."""
        lines: list[tuple[str, str]] = []
        for field in self._headers.values():
            name, value = field
            if isinstance(value, str):
                lines.append(field)  # type: ignore[arg-type]
            else:
                lines += [(name, each) for each in value]
        return lines

    def _too_late(self) -> RuntimeError:
        how = "was answered already" if self.answered else "has an answer that has begun to leave"
        request = f"{self.req.method} {self.req.original_url}"
        return RuntimeError(f"Cannot set headers after they are sent to the client: {request} {how}")


def check_status(code: Any) -> None:
    """Raises ``TypeError`` for no integer, ``ValueError`` for one that is not 100 to 999."""
    if not isinstance(code, int) or isinstance(code, bool):
        raise TypeError(f"Invalid status code: {code!r}. Status code must be an integer.")
    if not 100 <= code <= 999:
        raise ValueError(f"Invalid status code: {code}. Status code must be greater than 99 and less than 1000.")


def _check_text(taker: str, text: Any, taken: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{taker} takes {taken}, not {text!r}")


def _text(value: Any) -> str:
    """A value of a header or a cookie as a ``str``, which alone WSGI takes, and no class derived from it."""
    if value is None:
        raise TypeError("a header or cookie cannot be set to None: remove it, or give it a value")
    if isinstance(value, str):
        return str.__str__(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(milliseconds: Any) -> timedelta:
    if isinstance(milliseconds, timedelta):
        return milliseconds
    try:
        if not isinstance(milliseconds, bool):
            return timedelta(milliseconds=milliseconds)
    except (TypeError, ValueError, OverflowError):
        pass
    raise TypeError(f"res.cookie(max_age=…) is a number of milliseconds or a timedelta, not {milliseconds!r}")


def _after(age: timedelta) -> datetime:
    try:
        return datetime.now(UTC) + age
    except OverflowError:
        raise TypeError(f"res.cookie(max_age=…) ends beyond the year 9999: {age!r}. Use a shorter one") from None


@lru_cache(1024)
def _field_name(name: str) -> tuple[str, str]:
    """A name of a header field in lower case, and as it is."""
    _check_text("a header field", name, "a name as a str")
    if not TOKEN.fullmatch(name):
        raise ValueError(f"Header name must be a valid HTTP token [{name!r}]")
    return name.lower(), str.__str__(name)


def _field_value(name: str, value: Any) -> str:
    text = value if type(value) is str else _text(value)
    if not (text.isascii() and text.isprintable()) and not HEADER_TEXT.fullmatch(text):
        raise ValueError(f"Invalid character in header content [{name!r}]: {text!r}")
    return text


# What WSGI servers add or look at themselves: more than one line would leave the framing of the answer to chance.
_ONE_LINE = {"connection", "content-length", "date", "transfer-encoding"}
_DIGITS = re.compile("[0-9]+")
