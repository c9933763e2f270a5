"""Values of header fields that requests and responses share (RFC 9110), and those that are composed of parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


# Characters; browsers send some 150. Longer headers are ignored, to bound time and memory.
MAX_HEADER_LENGTH = 4096
