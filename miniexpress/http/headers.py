"""TODO"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 section 5.6.2: what a method, a field name and most of what has a name there is made of."""

HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""What a header field may hold: Latin-1 without controls."""


def token_or_quoted(text: str) -> str:
    """A text as a parameter of a header field has it: in quotes where it is no token (RFC 9110 section 5.6.4)."""
    return text if TOKEN.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def content_disposition(filename: str | None = None) -> str:
    """A Content-Disposition header (RFC 6266): what to save a body as. As npm content-disposition 2.0.1 ``create``.

    A name that is not ASCII is given twice, with question marks and as RFC 8187 has it. Raises ``TypeError`` for a
    name that is no string.
    """
    if filename is None:
        return "attachment"
    if not isinstance(filename, str):
        raise TypeError(f"filename must be a string, not {filename!r}")
    # A character beyond the 16-bit ones is two to JavaScript.
    ascii_name = _BEYOND_16_BITS.sub("??", filename).encode("ascii", "replace").translate(_PRINTABLE).decode()
    header = f"attachment; filename={token_or_quoted(ascii_name)}"
    if ascii_name == filename and not _PERCENT_ENCODED.search(filename):
        return header
    return f"{header}; filename*=UTF-8''{quote(filename, safe='!', errors='replace')}"


_PRINTABLE = bytes(byte if 0x20 <= byte <= 0x7E else ord("?") for byte in range(256))
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


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


def vary(existing: str | None, field: str | Sequence[str]) -> str:
    """A Vary header with a field name, or several with commas or as a list. As npm vary 1.1.2. Raises ``TypeError``."""
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


# Characters. Browsers send some 150; what goes beyond this is no wish but a load, on the processor and on the caches.
_MOST_READ = 4096
