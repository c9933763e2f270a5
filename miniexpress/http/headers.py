"""The grammar of header fields (RFC 9110), and how Vary and Content-Disposition are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""``token`` of RFC 9110 section 5.6.2: methods, field names, names of parameters."""

HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""``field-value`` of RFC 9110 section 5.5: Latin-1 without control characters."""

MAX_HEADER_LENGTH = 4096
"""Characters of a request's header that are parsed. Longer headers are ignored, or read as far as this, to bound time
and memory; those of browsers have some 150."""

_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_PERCENT_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_PRINTABLE = bytes(byte if 0x20 <= byte <= 0x7E else ord("?") for byte in range(256))


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
