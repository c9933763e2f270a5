"""TODO"""

from __future__ import annotations

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha1

from .headers import MAX_HEADER_LENGTH


def etag(body: bytes, weak: bool) -> str:
    """The entity tag of a body, made of its length and its SHA-1. As npm etag 1.8.1, which Express 5 uses weak."""
    digest = b2a_base64(sha1(body, usedforsecurity=False).digest())[:27].decode("ascii")
    return f'{"W/" if weak else ""}"{len(body):x}-{digest}"'


def stat_etag(size: int, mtime_ms: int) -> str:
    """The weak entity tag of a file: its size in bytes and its time in milliseconds since 1970. As npm etag 1.8.1."""
    return f'W/"{size:x}-{mtime_ms:x}"'


def is_fresh(
    if_none_match: str | None,
    if_modified_since: str | None,
    cache_control: str | None,
    etag: str | None,
    last_modified: str | None,
) -> bool:
    """Whether 304 will do, by three headers of the request and two of the answer. As npm fresh 2.0.0."""
    if cache_control and "no-cache" in [
        directive.strip() for directive in cache_control[:MAX_HEADER_LENGTH].split(",")
    ]:
        return False
    if if_none_match:
        tags = [tag.strip(" ") for tag in if_none_match[:MAX_HEADER_LENGTH].split(",")]
        alike = (etag, f"W/{etag}", etag.removeprefix("W/")) if etag else ()
        return if_none_match == "*" or any(tag in alike for tag in tags)
    modified, since = parse_http_date(last_modified or ""), parse_http_date(if_modified_since or "")
    return modified is not None and since is not None and modified <= since


@lru_cache(maxsize=256)
def http_date(timestamp: int) -> str:
    """Seconds since 1970 as headers have them (RFC 9110 section 5.6.7). Raises ``ValueError`` beyond year 9999."""
    return formatdate(timestamp, usegmt=True)


def parse_http_date(text: str) -> float | None:
    """The seconds since 1970 of a date of RFC 9110 section 5.6.7, read as kindly as by ``Date.parse``, or ``None``."""
    found = _DATE.fullmatch(_MONTH_FIRST.sub(r"\2 \1 \4 \3", text, count=1)) if len(text) <= 64 else None
    if not found or (month := found[2].lower()) not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(number or 0) for number in found.group(1, 3, 4, 5, 6))
    if len(found[3]) == 2:
        year += 2000 if year < 50 else 1900
    try:
        return datetime(year, _MONTHS.index(month) + 1, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?ai)([a-z]+)\s+(\d\d?)\s+([\d:]+)\s+(\d{4})")
_TIME = r"(\d\d?):(\d\d)(?::(\d\d))?(?:\s+(?:GMT|UTC))?\s*"
_DATE = re.compile(rf"(?ai)\s*(?:[a-z]+(?:,\s*|\s+))?(\d\d?)[\s-]+([a-z]{{3}})[a-z]*[\s-]+(\d{{4}}|\d\d)\s+{_TIME}")
