"""Header fields of a response. All that is in them is checked when it is set, since not every WSGI server looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..errors import reason_phrase
from .headers import HEADER_TEXT, TOKEN

# WSGI servers look into these or add them: a second line would leave the framing of the response to chance.
SINGLE_VALUED = {"connection", "content-length", "date", "transfer-encoding"}
_DIGITS = re.compile("[0-9]+")


HeaderFields = Mapping[str, tuple[str, str | list[str]]]
"""The name of each field as it was given, and its value, by its name in lower case."""
NO_FIELDS: HeaderFields = {}
NO_FIELD: tuple[str, Any] = "", None


class ResponseHeaders(dict[str, tuple[str, str | list[str]]]):
    """Header fields by name, in any case (RFC 9110 section 5.1). They are sent in the order they were set in."""

    has_lists = False
    """True once the value of a field may be a list."""

    def value(self, name: str) -> str | list[str] | None:
        """Return the value of a field: a ``str``, a list for several lines, or ``None``."""
        found = self.get(name.lower())
        return found[1] if found else None

    def set(self, name: str, value: Any) -> None:
        """Set a field; a list makes as many lines. Raises ``TypeError`` and ``ValueError`` for what none may be."""
        key, name = field_name(name)
        if type(value) is str and key != "content-length" and value.isascii() and value.isprintable():  # nearly all
            self[key] = (name, value)
        elif isinstance(value, (list, tuple)):
            if key in SINGLE_VALUED:
                raise ValueError(f"{name} is one line: give it one value, not the list {value!r}")
            self[key] = (name, [field_value(name, each) for each in value])
            self.has_lists = True
        else:
            text = field_value(name, value)
            if key == "content-length" and not _DIGITS.fullmatch(text):
                raise ValueError(f"Content-Length is a number of bytes, not {value!r}")
            self[key] = (name, text)

    def remove(self, name: str) -> None:
        """Remove a field, if it is set."""
        self.pop(name.lower(), None)

    def lines(self) -> list[tuple[str, str]]:
        """Return ``(name, value)`` for each line, as ``start_response`` takes them (PEP 3333)."""
        fields: list[Any] = list(self.values())
        if not self.has_lists:
            return fields
        return [(name, line) for name, value in fields for line in (value if isinstance(value, list) else [value])]


@lru_cache(1024)
def field_name(name: str) -> tuple[str, str]:
    """Return the name of a field in lower case, and as given. Raises ``ValueError`` when it is no token."""
    check_text("a header field", name, "a name as a str")
    if not TOKEN.fullmatch(name):
        raise ValueError(f"Header name must be a valid HTTP token [{name!r}]")
    return name.lower(), str.__str__(name)


def field_value(name: str, value: Any) -> str:
    """Return the value of the field ``name`` as text. Raises ``ValueError`` where no header field may hold it."""
    text = value if type(value) is str else field_text(value)
    if not (text.isascii() and text.isprintable()) and not HEADER_TEXT.fullmatch(text):
        raise ValueError(f"Invalid character in header content [{name!r}]: {text!r}")
    return text


def field_text(value: Any) -> str:
    """Return a value of a field or a cookie as text, as JavaScript has it. Raises ``TypeError`` for ``None``."""
    if value is None:
        raise TypeError("a header or cookie cannot be set to None: remove it, or give it a value")
    if isinstance(value, str):
        return str.__str__(value)  # WSGI takes no class derived from str.
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_text(taker: str, text: Any, taken: str) -> None:
    """Raise ``TypeError`` for what is no ``str``: ``res.type() takes a media type, not 5``."""
    if not isinstance(text, str):
        raise TypeError(f"{taker} takes {taken}, not {text!r}")


@lru_cache
def status_line(code: int, phrase: str | None) -> str:
    """Return the status as ``start_response`` takes it: ``404, None`` → ``404 Not Found``."""
    return f"{code} {phrase or reason_phrase(code) or 'unknown'}"


def check_status(code: Any) -> None:
    """Raise ``TypeError`` for no integer, ``ValueError`` for one that is not 100 to 999."""
    if not isinstance(code, int) or isinstance(code, bool):
        raise TypeError(f"Invalid status code: {code!r}. Status code must be an integer.")
    if not 100 <= code <= 999:
        raise ValueError(f"Invalid status code: {code}. Status code must be greater than 99 and less than 1000.")
