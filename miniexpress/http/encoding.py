"""Text escaped and encoded: for URLs, HTML and UTF-8, and percent-encoding decoded."""

from __future__ import annotations

import binascii
import html
import re
from functools import lru_cache, partial
from urllib.parse import quote

INVALID_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""A ``%`` that begins no percent-encoded byte (RFC 3986 section 2.1)."""

_NOT_IN_URL = re.compile(r"[^A-Za-z0-9!#$%&'()*+,/:;=?@\[\\\]^|_.~-]")
# For each byte, how it stands in a URL.
_IN_URL = [f"%{byte:02X}" if _NOT_IN_URL.match(chr(byte)) else chr(byte) for byte in range(256)]
_SURROGATE = re.compile("[\ud800-\udfff]")
_TO_ENCODE = re.compile(r"[^A-Za-z0-9_.!~*'()-]")


def error_page(message: str, title: str = "Error", head: str = "") -> str:
    """Return the HTML page of an error, or of a redirect, as npm finalhandler 2.1 and send 1.2 write it.

    ``head`` is HTML to add behind the title.
    """
    text = escape_html(message).replace("\n", "<br>").replace("  ", " &nbsp;")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n{head}</head>\n'
        f"<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
    )


def utf8(text: str) -> bytes:
    """Encode as UTF-8. Half of a surrogate pair, which UTF-8 cannot encode, becomes U+FFFD, as in Node."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def escape_html(text: str) -> str:
    """Escape text for HTML, between tags or in a quoted attribute: ``<`` → ``&lt;``. As npm escape-html 1.0.3."""
    return html.escape(text).replace("&#x27;", "&#39;")


def encode_url(url: str) -> str:
    """Percent-encode what is not allowed in a URL: ``/a b%20c%`` → ``/a%20b%20c%25``. As npm encodeurl 2.0.3."""
    url = escape_invalid_percents(url)
    return "".join(map(_IN_URL.__getitem__, utf8(url))) if _NOT_IN_URL.search(url) else url


def encode_uri_component(text: str) -> str:
    """Encode as JavaScript's ``encodeURIComponent``: ``a/ü`` → ``a%2F%C3%BC``.

    Raises ``ValueError`` for half of a surrogate pair.
    """
    return _TO_ENCODE.sub(lambda match: _percent_encoded(match[0]), text)


def decode_uri_component(text: str) -> str:
    """Decode as JavaScript's ``decodeURIComponent``: ``a%2F%C3%BC`` → ``a/ü``.

    Raises ``ValueError`` for invalid percent-encoding and for what is not UTF-8.
    """
    try:
        if not INVALID_PERCENT.search(text):
            return percent_decode(text.encode()).decode()
    except UnicodeError:
        pass
    raise ValueError(f"text {text[:60]!r} is malformed: a % takes two hexadecimal digits, the bytes must be UTF-8")


def escape_invalid_percents(text: str) -> str:
    """Encode each ``%`` that begins no percent-encoded byte: ``100%`` → ``100%25``, ``%20`` → ``%20``."""
    # Many in a row would be slow to match one by one: two replacements leave few of them.
    return INVALID_PERCENT.sub("%25", text.replace("%%", "%25%").replace("%%", "%25%")) if "%" in text else text


def percent_decode(data: bytes) -> bytes:
    """Decode percent-encoding, which must be valid: ``a%2F`` → ``a/``."""
    # Quoted-printable is percent-encoding with another sign, and the standard library decodes it in C.
    return binascii.a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))


_percent_encoded = lru_cache(maxsize=1024)(partial(quote, safe=""))
