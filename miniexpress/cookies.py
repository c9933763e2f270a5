"""Cookies: the formats of npm cookie 0.7.2 and cookie-signature 1.2.2, so that Node reads what is written here."""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from math import floor, isfinite
from urllib.parse import quote, unquote_to_bytes


def parse(header: str) -> dict[str, str]:
    """A Cookie header's cookies by name. Never raises.

    Of two cookies of a name the first counts. A value in quotes loses them; one that is percent-encoded is decoded, or
    left as it came where that cannot be done. As npm cookie 0.7.2.
    """
    cookies: dict[str, str] = {}
    for pair in header.split(";") if len(header) > 1 else ():
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        if equals and name not in cookies:
            cookies[name] = _decoded(value.strip(" \t"))
    return cookies


def _decoded(value: str) -> str:
    if value[:1] == value[-1:] == '"':
        value = value[1:-1]
    if "%" not in value:
        return value
    try:
        return decode_uri_component(value)
    except ValueError:
        return value


def decode_uri_component(text: str) -> str:
    """What JavaScript's ``decodeURIComponent`` makes of it. Raises ``ValueError`` where that is a ``URIError``."""
    if _STRAY_PERCENT.search(text):
        raise ValueError(f"text {_shown(text)} is malformed: a % must have two hexadecimal digits after it")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        raise ValueError(f"text {_shown(text)} is malformed: its percent-encoded bytes must be UTF-8") from None


_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_uri_component(text: str) -> str:
    """What JavaScript's ``encodeURIComponent`` makes of it. Raises ``ValueError`` for half a surrogate pair."""
    try:
        return _TO_ENCODE.sub(lambda match: _percent_encoded(match[0]), text)
    except UnicodeEncodeError:
        raise ValueError(f"text {_shown(text)} holds half a surrogate pair: give well-formed Unicode") from None


_TO_ENCODE = re.compile(r"[^A-Za-z0-9_.!~*'()-]")


@lru_cache(maxsize=1024)
def _percent_encoded(character: str) -> str:
    return quote(character, safe="")


def serialize(
    name: str,
    value: str,
    *,
    max_age: float | None = None,
    domain: str | None = None,
    path: str | None = None,
    expires: datetime | None = None,
    http_only: bool = False,
    secure: bool = False,
    partitioned: bool = False,
    priority: str | None = None,
    same_site: bool | str | None = None,
    encode: Callable[[str], str] = encode_uri_component,
) -> str:
    """A Set-Cookie header's value. As npm cookie 0.7.2 ``serialize``.

    ``max_age`` is in seconds; ``expires`` without a zone is UTC; ``priority`` is ``'low'``, ``'medium'`` or ``'high'``;
    ``same_site`` is ``True`` (for strict), ``'strict'``, ``'lax'`` or ``'none'``; ``encode`` makes a cookie's text of
    the value. Raises ``TypeError`` for a name, a value or an option that would not survive in the header.
    """
    encoded = encode(value)
    if not _NAME.fullmatch(name):
        raise TypeError(f"argument name is invalid: {name!r}. Use letters, digits and !#$%&'*+-.^_`|~")
    if not _VALUE.fullmatch(encoded):
        raise TypeError(f"argument value is invalid: {encoded!r}. Let encode() leave no blanks, commas, semicolons")
    cookie = f"{name}={encoded}"
    if max_age is not None:
        cookie += f"; Max-Age={_seconds(max_age)}"
    if domain:
        cookie += f"; Domain={_checked('domain', domain, _DOMAIN, 'a host name such as example.com')}"
    if path:
        cookie += f"; Path={_checked('path', path, _PATH, 'printable ASCII without ; and <')}"
    if expires:
        cookie += f"; Expires={_utc(expires)}"
    if http_only:
        cookie += "; HttpOnly"
    if secure:
        cookie += "; Secure"
    if partitioned:
        cookie += "; Partitioned"
    if priority:
        cookie += f"; Priority={_chosen('priority', priority, _PRIORITIES)}"
    if same_site:
        cookie += f"; SameSite={'Strict' if same_site is True else _chosen('same_site', same_site, _SAME_SITES)}"
    return cookie


def _seconds(max_age: float) -> int:
    if not isfinite(max_age):
        raise TypeError(f"option max_age is invalid: {max_age!r}. Use a number of seconds, or leave it out")
    return floor(max_age)


def _checked(option: str, text: str, allowed: re.Pattern[str], mend: str) -> str:
    if not allowed.fullmatch(text):
        raise TypeError(f"option {option} is invalid: {text!r}. Use {mend}")
    return text


def _utc(moment: datetime) -> str:
    if not isinstance(moment, datetime):
        raise TypeError(f"option expires is invalid: {moment!r}. Use a datetime")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return format_datetime(aware.astimezone(UTC), usegmt=True)


def _chosen(option: str, choice: str, choices: tuple[str, ...]) -> str:
    spelling = str(choice).capitalize()
    if spelling not in choices:
        raise TypeError(f"option {option} is invalid: {choice!r}. Use one of {', '.join(choices).lower()}")
    return spelling


# RFC 6265 section 4.1.1; a domain may begin with a dot.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r'("?)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\1')
_PATH = re.compile(r"[\x20-\x3a\x3d-\x7e]*")
_DOMAIN = re.compile(r"\.?{0}(?:\.{0})*".format("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"), re.IGNORECASE | re.ASCII)
_PRIORITIES = ("Low", "Medium", "High")
_SAME_SITES = ("Strict", "Lax", "None")


def sign(value: str, secret: str | bytes) -> str:
    """The value, a dot, and its HMAC-SHA256 in base64 without padding. As npm cookie-signature 1.2.2.

    Raises ``TypeError`` when the value is no string or the secret is neither string nor bytes.
    """
    if not isinstance(value, str):
        raise TypeError(f"value must be a string, not {value!r}: sign str(value)")
    if not isinstance(secret, (str, bytes)):
        raise TypeError(f"secret must be a string or bytes, not {type(secret).__name__}: give the key to sign with")
    key = secret.encode() if isinstance(secret, str) else secret
    digest = b2a_base64(hmac.digest(key, _utf8(value), "sha256"), newline=False)
    return f"{value}.{digest.rstrip(b'=').decode('ascii')}"


def unsign(signed: str, secret: str | bytes) -> str | None:
    """The value that ``sign`` signed with this secret, or ``None``. Takes the same time wherever a forgery goes wrong.

    Nothing that a client may send makes it raise; a secret that is neither string nor bytes does, ``TypeError``.
    """
    value = signed.rpartition(".")[0]
    return value if hmac.compare_digest(_utf8(sign(value, secret)), _utf8(signed)) else None


def _utf8(text: str) -> bytes:
    # Half a surrogate pair, which is no valid text, must neither raise nor pass for another character.
    return text.encode("utf-8", "surrogatepass")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
