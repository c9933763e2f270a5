"""What client and server agree on: Accept*, ETag, freshness, ranges, Vary and dates."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha1
from math import nan
from typing import Literal, NamedTuple

from .escaping import TOKEN
from .mediatypes import lookup, parse_content_type, split_parameters


class _Range(NamedTuple):
    """One element of an Accept header: ``text/*;level=1;q=0.5``."""

    given: str
    value: str
    parameters: dict[str, str]
    quality: float


class _Header(NamedTuple):
    """One of the Accept headers, read as npm accepts 2.0.0 and negotiator 1.1.0 do; all four stand below."""

    absent: str  # what it means to send none
    fit_to: Callable[[str], Callable[[str], int | None]]  # how specifically a range speaks for an offer, if at all
    contained: str = ""  # what no range is without, where a range's parameters matter
    implied: str = ""  # what is acceptable as long as no range speaks of it

    def answer(self, header: str | None, offers: Sequence[str]) -> str | list[str] | Literal[False]:
        """The one of ``offers`` that the header likes best, as it was given, or ``False``; or, where nothing is
        offered, all that the header takes, the most wanted first."""
        text = self.absent if header is None else header[:_MOST_READ]
        if not offers:
            wanted = [range_ for range_ in _ranges(self, text) if range_.quality > 0]
            return [range_.given for range_ in sorted(wanted, key=lambda range_: -range_.quality)]
        if self is TYPES and not header:
            return offers[0]  # even what is no media type
        return _best(self, text, tuple(offers))


@lru_cache(maxsize=512)
def _best(header: _Header, text: str, offers: tuple[str, ...]) -> str | Literal[False]:
    ranges, ranked = _ranges(header, text), []
    for place, offer in enumerate(offers):
        fit, offered = header.fit_to(offer), parse_content_type(offer)[1]
        # The range that speaks for an offer: the most specific, of those the best, of those the last.
        quality, specific, order = 0.0, 0, -1
        for position, (_, value, asked, weight) in enumerate(ranges):
            unmet = [name for name, text in asked.items() if text.lower() not in ("*", offered.get(name, "").lower())]
            fits = None if unmet else fit(value)
            if fits is not None:
                fits += bool(asked)
                # "not worse" rather than "better or equal": a weight that is no number is neither, and counts.
                if fits > specific or (fits == specific and not weight < quality):
                    quality, specific, order = weight, fits, position
        if quality > 0:
            ranked.append((-quality, -specific, order, place, offer))
    return min(ranked)[-1] if ranked else False


def _ranges(header: _Header, text: str) -> list[_Range]:
    ranges = []
    for element in _ELEMENT.findall(text) if '"' in text else text.split(","):
        given, parameters = split_parameters(element)
        if given and header.contained in given:
            number = _NUMBER.match(parameters.pop("q", "") or "1")
            asked = parameters if header.contained else {}
            ranges.append(_Range(given, given.lower(), asked, float(number[0]) if number else nan))
    if header.implied and not any(range_.value in (header.implied, "*") for range_ in ranges):
        quality = min([1.0, *(range_.quality or 1.0 for range_ in ranges)])
        ranges.append(_Range(header.implied, header.implied, {}, quality))
    return ranges


def _type_fit(offer: str) -> Callable[[str], int | None]:
    media_type = parse_content_type(offer if "/" in offer else lookup(offer) or "")[0]
    kind, slash, subtype = media_type.partition("/")
    fits = {"*/*": 0, f"*/{subtype}": 2, f"{kind}/*": 4, media_type: 6} if slash else {}
    return fits.get


def _name_fit(offer: str) -> Callable[[str], int | None]:
    return {"*": 0, offer.lower(): 1}.get


def _language_fit(offer: str) -> Callable[[str], int | None]:
    language = parse_content_type(offer)[0]
    fits = {"*": 0, language.partition("-")[0]: 1, language: 4} if language else {}
    return lambda value: fits.get(value, 2 if language and language == value.partition("-")[0] else None)


TYPES = _Header("*/*", _type_fit, contained="/")
ENCODINGS = _Header("", _name_fit, implied="identity")
CHARSETS = _Header("*", _name_fit)
LANGUAGES = _Header("*", _language_fit)


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
    if cache_control and "no-cache" in [directive.strip() for directive in cache_control[:_MOST_READ].split(",")]:
        return False
    if if_none_match:
        tags = [tag.strip(" ") for tag in if_none_match[:_MOST_READ].split(",")]
        alike = (etag, f"W/{etag}", etag.removeprefix("W/")) if etag else ()
        return if_none_match == "*" or any(tag in alike for tag in tags)
    modified, since = parse_http_date(last_modified or ""), parse_http_date(if_modified_since or "")
    return modified is not None and since is not None and modified <= since


class Ranges(list[tuple[int, int]]):
    """The ranges that were asked for, each ``(first, last)``, both included; ``type`` is their unit."""

    type = "bytes"


def parse_range(size: int, header: str, combine: bool = False) -> Ranges | Literal[-1, -2]:
    """The ranges of a Range header that lie within ``size`` bytes; -1 if none does, -2 if malformed or over 4 KiB.

    ``combine`` merges those that overlap or touch. As npm range-parser 1.3.0, but for the limit (RFC 9110, 17.15).
    """
    unit, equals, specs = header.partition("=")
    if not equals or len(header) > _MOST_READ:
        return -2
    ranges = Ranges()
    ranges.type = unit
    for spec in specs.split(","):
        first, dash, last = (part.strip() for part in spec.partition("-"))
        if not dash or not (first or last).isdecimal() or not (last or first).isdecimal():
            return -2
        start = int(first) if first else size - int(last)
        end = min(int(last), size - 1) if first and last else size - 1
        if 0 <= start <= end:
            ranges.append((start, end))
    if combine:
        ranges[:] = _combined(ranges)
    return ranges or -1


def _combined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and adjacent ranges as one, in the order in which they were asked for."""
    merged: list[tuple[int, int, int]] = []
    for place, (start, end) in sorted(enumerate(ranges), key=lambda numbered: numbered[1][0]):
        if not merged or start > merged[-1][2] + 1:
            merged.append((place, start, end))
        elif end > merged[-1][2]:
            merged[-1] = (min(merged[-1][0], place), merged[-1][1], end)
    return [(start, end) for _, start, end in sorted(merged)]


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


# Characters. Browsers send some 150; what goes beyond this is no wish but a load, on the processor and on the caches.
_MOST_READ = 4096
# A comma within a quoted parameter does not end an element.
_ELEMENT = re.compile(r"""(?sx)( [^,;]* (?: ;[^,;=]* (?: =[ \t]* (?: "(?:[^"\\]|\\.)*"? )? [^,;]* )? )* ) (?:,|$)""")
# What JavaScript's parseFloat reads.
_NUMBER = re.compile(r"\s*[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_FIRST = re.compile(r"(?ai)([a-z]+)\s+(\d\d?)\s+([\d:]+)\s+(\d{4})")
_TIME = r"(\d\d?):(\d\d)(?::(\d\d))?(?:\s+(?:GMT|UTC))?\s*"
_DATE = re.compile(rf"(?ai)\s*(?:[a-z]+(?:,\s*|\s+))?(\d\d?)[\s-]+([a-z]{{3}})[a-z]*[\s-]+(\d{{4}}|\d\d)\s+{_TIME}")
