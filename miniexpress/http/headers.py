"""Header fields of responses: what their names and values may be, and how Vary and Content-Disposition are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""``token`` of RFC 9110 section 5.6.2: methods, field names, names of parameters."""

HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""``field-value`` of RFC 9110 section 5.5: Latin-1 without control characters."""

DIGITS = re.compile("[0-9]+")
"""``Content-Length`` of RFC 9110 section 8.6."""

SINGLE_LINE = {"connection", "content-length", "date", "transfer-encoding"}
"""Fields that WSGI servers read or add themselves: with more than one line, framing would depend on the server."""

MAX_HEADER_LENGTH = 4096
"""Characters of a request's header that are parsed. Longer headers are ignored, or read as far as this, to bound time
and memory; those of browsers have some 150."""

_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_PRINTABLE = bytes(byte if 0x20 <= byte <= 0x7E else ord("?") for byte in range(256))


def check_status(code: Any) -> None:
    """Raise ``TypeError`` unless ``code`` is an integer, ``ValueError`` unless it is from 100 to 999."""
    if not isinstance(code, int) or isinstance(code, bool):
        raise TypeError(f"Invalid status code: {code!r}. Status code must be an integer.")
    if not 100 <= code <= 999:
        raise ValueError(f"Invalid status code: {code}. Status code must be greater than 99 and less than 1000.")


def check_text(function: str, text: Any, expected: str) -> None:
    """Raise ``TypeError`` unless ``text`` is a ``str``: "res.type() takes a media type, not 5"."""
    if not isinstance(text, str):
        raise TypeError(f"{function} takes {expected}, not {text!r}")


@lru_cache(1024)
def check_field_name(name: str) -> tuple[str, str]:
    """Return a field name in lower case, and as it is: ``'ETag'`` → ``('etag', 'ETag')``.

    Raises ``TypeError`` unless it is a ``str``, ``ValueError`` unless it is a token.
    """
    check_text("a header field", name, "a name as a str")
    if not TOKEN.fullmatch(name):
        raise ValueError(f"Header name must be a valid HTTP token [{name!r}]")
    return name.lower(), str.__str__(name)


def check_field_value(name: str, value: Any) -> str:
    """Return the value of the field ``name`` as a ``str``.

    Raises ``TypeError`` for ``None``, ``ValueError`` for control characters and what is not Latin-1.
    """
    text = value if type(value) is str else value_text(value)
    if not (text.isascii() and text.isprintable()) and not HEADER_TEXT.fullmatch(text):
        raise ValueError(f"Invalid character in header content [{name!r}]: {text!r}")
    return text


def value_text(value: Any) -> str:
    """Convert the value of a header or a cookie to ``str``: ``True`` → ``'true'``, ``5`` → ``'5'``.

    It is never of a subclass of ``str``, which WSGI servers refuse (PEP 3333). Raises ``TypeError`` for ``None``.
    """
    if value is None:
        raise TypeError("a header or cookie cannot be set to None: remove it, or give it a value")
    if isinstance(value, str):
        return str.__str__(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def quote_if_needed(text: str) -> str:
    """Write a parameter's value: a token as it is, else in quotes (RFC 9110 section 5.6.4): ``a b`` → ``"a b"``."""
    return text if TOKEN.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def vary(existing: str | None, field: str | Sequence[str]) -> str:
    """Add field names, with commas or in a list, to a Vary header: ``'Accept', 'Origin'`` → ``'Accept, Origin'``.

    Raises ``TypeError`` for a name that is no token. As npm vary 1.1.2.
    """
    if not isinstance(field, (str, list, tuple)):
        raise TypeError(f"res.vary() takes the names of header fields, as 'Accept', not {field!r}")
    value = existing or ""
    present = {name.strip(" ") for name in value.lower().split(",")}
    for name in [name.strip(" ") for name in field.split(",")] if isinstance(field, str) else field:
        if not isinstance(name, str) or not TOKEN.fullmatch(name):
            raise TypeError(f"field contains an invalid header name: {name!r}. Use names such as 'Accept'")
        if name.lower() not in present:
            present.add(name.lower())
            value = f"{value}, {name}" if value else name
    return "*" if "*" in present else value


def content_disposition(filename: str | None = None) -> str:
    """Write a Content-Disposition header (RFC 6266) that has the client save the body as ``filename``.

    ``'plans.pdf'`` → ``attachment; filename=plans.pdf``. A name that is not ASCII is given twice, with question marks
    and as RFC 8187 has it: ``'£.txt'`` → ``attachment; filename="?.txt"; filename*=UTF-8''%C2%A3.txt``.

    Raises ``TypeError`` for a name that is no ``str``. As ``create`` of npm content-disposition 2.0.1.
    """
    if filename is None:
        return "attachment"
    if not isinstance(filename, str):
        raise TypeError(f"filename must be a string, not {filename!r}")
    # A character beyond the 16-bit ones is two in JavaScript.
    ascii_name = _BEYOND_16_BITS.sub("??", filename).encode("ascii", "replace").translate(_PRINTABLE).decode()
    header = f"attachment; filename={quote_if_needed(ascii_name)}"
    if ascii_name == filename and not _PERCENT_ENCODED.search(filename):
        return header
    return f"{header}; filename*=UTF-8''{quote(filename, safe='!', errors='replace')}"
