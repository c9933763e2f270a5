"""Cookies: parsed, written and signed as npm cookie 0.7.2 and cookie-signature 1.2.2 do, so that Node can read them."""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import floor, isfinite
from typing import Any, Literal

from .conditional import http_date
from .encoding import decode_uri_component, encode_uri_component
from .headers import TOKEN
from .json_text import parse as parse_json

# Characters of a Cookie header that are parsed: as many as Node accepts in all headers.
_MAX_LENGTH = 16_384
# Half of a surrogate pair must neither raise nor be signed as another character is.
_UTF8 = "utf-8", "surrogatepass"
# For each part of a Set-Cookie header (RFC 6265 section 4.1.1; a domain may begin with a dot), its grammar, and what an
# error message suggests.
_GRAMMAR = {
    "argument name": (TOKEN, "letters, digits and !#$%&'*+-.^_`|~"),
    "argument value": (re.compile(r'("?)[!#-+\--:<-\[\]-~]*\1'), "an encode() that leaves no blanks, commas or ;"),
    "option domain": (re.compile(r"(?ai)(?:(?:^\.?|\.)(?!-)[a-z0-9-]{1,63}(?<!-))+"), "a host name: example.com"),
    "option path": (re.compile("[ -:=-~]*"), "printable ASCII without ; and <"),
    "option priority": (re.compile("(?ai)low|medium|high"), "'low', 'medium' or 'high'"),
    "option same_site": (re.compile("(?ai)strict|lax|none"), "True, 'strict', 'lax' or 'none'"),
}


def parse(header: str, decode: Callable[[str], str] | None = None) -> dict[str, str]:
    """Parse a Cookie header: ``'a=1; b=%20'`` → ``{'a': '1', 'b': ' '}``.

    The first cookie of a name counts. A value whose percent-encoding is invalid stays as it is. ``decode`` is called
    instead of percent-decoding; a value for which it raises stays as it is.
    """
    cookies: dict[str, str] = {}
    for pair in header[:_MAX_LENGTH].split(";") if len(header) > 1 else ():
        name, equals, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if equals and name not in cookies:
            cookies[name] = decode_value(value, decode)
    return cookies


def find(header: str, name: str) -> str | None:
    """Return the value of one cookie, not decoded: ``decode_value`` of it is ``parse(header)[name]``."""
    for pair in header[:_MAX_LENGTH].split(";"):
        if name in pair:
            key, equals, value = pair.partition("=")
            if equals and key.strip(" \t") == name:
                return value.strip(" \t")
    return None


def decode_value(value: str, decode: Callable[[str], str] | None = None) -> str:
    """Return a cookie's value without quotes around it, and decoded: ``'"a%20b"'`` → ``'a b'``."""
    if value[:1] == value[-1:] == '"':
        value = value[1:-1]
    if decode is not None:
        with suppress(Exception):
            return decode(value)
    elif "%" in value:
        try:
            return decode_uri_component(value)
        except ValueError:
            return value
    return value


def read_json(value: Any) -> Any:
    """Return what a cookie holds: ``'j:[1]'`` → ``[1]``, and all else as it is. As npm cookie-parser 1.4.7.

    JSON that JavaScript takes for false, such as ``j:0``, stays text.
    """
    if not isinstance(value, str) or not value.startswith("j:"):
        return value
    try:
        parsed = parse_json(value[2:])
    except ValueError:
        return value
    return parsed if parsed or isinstance(parsed, dict | list) else value  # JavaScript takes {} and [] for true


def take_signed(
    cookies: dict[str, str], secrets: str | bytes | Sequence[str | bytes]
) -> dict[str, str | Literal[False]]:
    """Take the signed values out of ``cookies``, and return them without their signature: ``False`` for a wrong one.

    A signed value begins with ``s:``. As npm cookie-parser 1.4.7.
    """
    names = [name for name, value in cookies.items() if isinstance(value, str) and value.startswith("s:")]
    return {name: unsign_any(cookies.pop(name)[2:], secrets) for name in names}


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
    """Write a Set-Cookie header: ``'a', '1', path='/'`` → ``'a=1; Path=/'``. Raises ``TypeError`` for invalid options.

    ``max_age`` is in seconds; ``expires`` without a zone is UTC; ``priority`` is ``'low'``, ``'medium'`` or ``'high'``;
    ``same_site`` is ``True`` (for strict), ``'strict'``, ``'lax'`` or ``'none'``.
    """
    if expires and not isinstance(expires, datetime):
        raise TypeError(f"option expires is invalid: {expires!r}. Use a datetime")
    if max_age is not None and not (isinstance(max_age, (int, float)) and isfinite(max_age)):
        raise TypeError(f"option max_age is invalid: {max_age!r}. Use a number of seconds, or leave it out")
    if not callable(encode):
        raise TypeError(f"option encode is invalid: {encode!r}. Use a function of the value's text")
    same_site = "strict" if same_site is True else same_site
    attributes = (
        f"{_check_grammar('argument name', name)}={_check_grammar('argument value', encode(value))}",
        None if max_age is None else f"Max-Age={floor(max_age)}",
        domain and f"Domain={_check_grammar('option domain', domain)}",
        path and f"Path={_check_grammar('option path', path)}",
        expires and f"Expires={_http_date(expires)}",
        http_only and "HttpOnly",
        secure and "Secure",
        partitioned and "Partitioned",
        priority and f"Priority={_check_grammar('option priority', priority).capitalize()}",
        same_site and f"SameSite={_check_grammar('option same_site', same_site).capitalize()}",
    )
    return "; ".join([attribute for attribute in attributes if attribute])


def _http_date(when: datetime) -> str:
    try:
        return http_date(int(when.replace(microsecond=0, tzinfo=when.tzinfo or UTC).timestamp()))
    except (ValueError, OverflowError):  # in UTC its year is 0 or 10000
        raise TypeError(f"option expires is invalid: {when!r}. Use a datetime from year 1 to 9999 in UTC") from None


def _check_grammar(what: str, text: str) -> str:
    """Return ``text``. Raises ``TypeError`` where it breaks the grammar of its part of a Set-Cookie header."""
    grammar, suggestion = _GRAMMAR[what]
    if not isinstance(text, str) or not grammar.fullmatch(text):
        raise TypeError(f"{what} is invalid: {text!r}. Use {suggestion}")
    return text


def lifetime(max_age: float | timedelta) -> tuple[int, datetime]:
    """Return the ``max_age`` in seconds and the ``expires`` of a cookie that lasts for ``max_age`` milliseconds.

    Raises ``TypeError`` for what is no number or timedelta, or goes beyond the year 9999.
    """
    try:
        if isinstance(max_age, bool):
            raise TypeError
        age = max_age if isinstance(max_age, timedelta) else timedelta(milliseconds=max_age)
    except (TypeError, ValueError, OverflowError):
        expected = "a number of milliseconds or a timedelta"
        raise TypeError(f"res.cookie(max_age=…) is {expected}, not {max_age!r}") from None
    try:
        return age // timedelta(seconds=1), datetime.now(UTC) + age
    except OverflowError:
        raise TypeError(f"res.cookie(max_age=…) ends beyond the year 9999: {age!r}. Use a shorter one") from None


def sign(value: str, secret: str | bytes) -> str:
    """Sign a value: the value, a dot, and its HMAC-SHA256 in base64 without padding. As npm cookie-signature 1.2.2."""
    if not isinstance(value, str):
        raise TypeError(f"value must be a string, not {value!r}: sign str(value)")
    return f"{value}.{_signature(value, secret).decode('ascii')}"


def unsign(signed: str, secret: str | bytes) -> str | None:
    """Return the value that ``sign`` signed with this secret, or ``None``. Compares in constant time."""
    value, dot, signature = signed.rpartition(".")
    is_right = hmac.compare_digest(_signature(value, secret), signature.encode(*_UTF8))
    return value if dot and is_right else None


def unsign_any(signed: str, secrets: str | bytes | Sequence[str | bytes]) -> str | Literal[False]:
    """Return what was signed with one of ``secrets``, or ``False``."""
    for secret in [secrets] if isinstance(secrets, str | bytes) else secrets:
        value = unsign(signed, secret)
        if value is not None:
            return value
    return False


def _signature(value: str, secret: str | bytes) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise TypeError(f"secret must be a string or bytes, not {type(secret).__name__}: give the key to sign with")
    code = _keyed_hmac(secret).copy()
    code.update(value.encode(*_UTF8))
    return b2a_base64(code.digest())[:43]


@lru_cache(maxsize=32)
def _keyed_hmac(secret: str | bytes) -> hmac.HMAC:
    """Return an HMAC that has its key and no message yet: a copy of it spares hashing the key again."""
    return hmac.new(secret.encode() if isinstance(secret, str) else secret, digestmod="sha256")
