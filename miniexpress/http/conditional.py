"""Conditional requests (RFC 9110 section 13): entity tags, dates, and whether a client's cached copy is current."""

from __future__ import annotations

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha1

from .headers import MAX_HEADER_LENGTH

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?ai)([a-z]+)\s+(\d\d?)\s+([\d:]+)\s+(\d{4})")
_TIME = r"(\d\d?):(\d\d)(?::(\d\d))?(?:\s+(?:GMT|UTC))?\s*"
_DATE = re.compile(rf"(?ai)\s*(?:[a-z]+(?:,\s*|\s+))?(\d\d?)[\s-]+([a-z]{{3}})[a-z]*[\s-]+(\d{{4}}|\d\d)\s+{_TIME}")
_MAX_DATE_LENGTH = 64


def weak_etag(body: bytes) -> str:
    """Return the weak entity tag of a body, made of its length and its SHA-1: ``b""`` → ``W/"0-2jmj7l5rSw0yVb/…"``.

    As npm etag 1.8.1.
    """
    digest = b2a_base64(sha1(body, usedforsecurity=False).digest())[:27].decode()
    return f'W/"{len(body):x}-{digest}"'


def strong_etag(body: bytes) -> str:
    """Return the entity tag of a body that is strong, and otherwise the weak one: ``"0-2jmj7l5rSw0yVb/…"``."""
    return weak_etag(body).removeprefix("W/")


def stat_etag(size: int, mtime_ms: int) -> str:
    """Return the weak entity tag of a file, made of its size in bytes and its modification time in milliseconds since
    1970. As npm etag 1.8.1."""
    return f'W/"{size:x}-{mtime_ms:x}"'


def is_fresh(
    if_none_match: str | None,
    if_modified_since: str | None,
    cache_control: str | None,
    etag: str | None,
    last_modified: str | None,
) -> bool:
    """Return whether 304 is the right response, by three headers of the request and two of the response.

    As npm fresh 2.0.0.
    """
    if cache_control and "no-cache" in _split(cache_control):
        return False
    if if_none_match:
        return names_etag(if_none_match, etag)
    return is_unmodified_since(if_modified_since, last_modified)


def names_etag(header: str, etag: str | None) -> bool:
    """Return whether If-Match or If-None-Match names an entity tag, be it weak or not: ``'"a", W/"b"', '"b"'`` → True.

    ``*`` names every one.
    """
    same_tags = (etag, f"W/{etag}", etag.removeprefix("W/")) if etag else ()
    return header == "*" or any(tag in same_tags for tag in _split(header))


def is_unmodified_since(header: str | None, last_modified: str | None) -> bool:
    """Return whether the date in ``last_modified`` is not after the one in ``header``; False if either is none."""
    modified, since = parse_http_date(last_modified or ""), parse_http_date(header or "")
    return modified is not None and since is not None and modified <= since


def _split(header: str) -> list[str]:
    return [element.strip(" ") for element in header[:MAX_HEADER_LENGTH].split(",")]


@lru_cache(maxsize=256)
def http_date(timestamp: int) -> str:
    """Format seconds since 1970 as headers have them (RFC 9110 section 5.6.7): ``Sun, 06 Nov 1994 08:49:37 GMT``.

    Raises ``ValueError`` beyond year 9999.
    """
    return formatdate(timestamp, usegmt=True)


def parse_http_date(text: str) -> float | None:
    """Parse a date (RFC 9110 section 5.6.7) into seconds since 1970, ``None`` if it is malformed.

    It is as lenient as JavaScript's ``Date.parse``: all three formats of the RFC, and neither the weekday nor the zone
    is required.
    """
    if len(text) > _MAX_DATE_LENGTH:
        return None
    found = _DATE.fullmatch(_MONTH_FIRST.sub(r"\2 \1 \4 \3", text, count=1))
    if not found or (month := found[2].lower()) not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(number or 0) for number in found.group(1, 3, 4, 5, 6))
    if len(found[3]) == 2:
        year += 2000 if year < 50 else 1900
    try:
        return datetime(year, _MONTHS.index(month) + 1, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
