"""Text made fit for where it goes: into URLs, HTML, header fields and bytes; and out of URLs again."""

from __future__ import annotations

import binascii
import html
import re
from functools import lru_cache, partial
from urllib.parse import quote


def error_page(message: str, title: str = "Error") -> str:
    """The HTML that an unhandled error and a 404 are answered with, as npm finalhandler 2.1 and send 1.2 write it."""
    text = escape_html(message).replace("\n", "<br>").replace("  ", " &nbsp;")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n'
        f"<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
    )


INVALID_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def utf8(text: str) -> bytes:
    """A text as UTF-8; half of a surrogate pair, which that cannot hold, becomes U+FFFD, as in Node."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def escape_html(text: str) -> str:
    """Text safe to stand in HTML, between tags or in a quoted attribute. As npm escape-html 1.0.3."""
    return html.escape(text).replace("&#x27;", "&#39;")


def encode_url(url: str) -> str:
    """A URL with what may not stand in one percent-encoded, what is encoded left as it is. As npm encodeurl 2.0.3."""
    url = escape_invalid_percents(url)
    return "".join(map(_IN_URL.__getitem__, utf8(url))) if _NOT_IN_URL.search(url) else url


def encode_uri_component(text: str) -> str:
    """What JavaScript's ``encodeURIComponent`` makes of it. Raises ``ValueError`` for half a surrogate pair."""
    return _TO_ENCODE.sub(lambda match: _percent_encoded(match[0]), text)


def decode_uri_component(text: str) -> str:
    """What JavaScript's ``decodeURIComponent`` makes of it. Raises ``ValueError`` where that is a ``URIError``."""
    try:
        if not INVALID_PERCENT.search(text):
            return percent_decoded(text.encode()).decode()
    except UnicodeError:
        pass
    raise ValueError(f"text {text[:60]!r} is malformed: a % takes two hexadecimal digits, the bytes must be UTF-8")


def escape_invalid_percents(text: str) -> str:
    """A text with each ``%`` that begins no escape made the escape of itself."""
    # The first two make short work of many in a row, which would keep the pattern busy for long.
    return INVALID_PERCENT.sub("%25", text.replace("%%", "%25%").replace("%%", "%25%")) if "%" in text else text


def percent_decoded(data: bytes) -> bytes:
    """Bytes with their percent-encoding, none of it malformed, undone."""
    # Quoted-printable is percent-encoding with another sign, and the standard library decodes it in C.
    return binascii.a2b_qp(data.replace(b"=", b"=3D").replace(b"%", b"="))


_NOT_IN_URL = re.compile(r"[^A-Za-z0-9!#$%&'()*+,/:;=?@\[\\\]^|_.~-]")
_IN_URL = [f"%{byte:02X}" if _NOT_IN_URL.match(chr(byte)) else chr(byte) for byte in range(256)]
_SURROGATE = re.compile("[\ud800-\udfff]")
_TO_ENCODE = re.compile(r"[^A-Za-z0-9_.!~*'()-]")
_percent_encoded = lru_cache(maxsize=1024)(partial(quote, safe=""))
