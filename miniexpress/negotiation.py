"""What client and server agree on: Accept*, ETag, freshness, ranges, Vary and dates; and text safe in URLs and HTML."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha1
from math import floor, nan
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import quote

from .mediatypes import lookup, parse_content_type, split_parameters

Offer = TypeVar("Offer")


def accepts_types(header: str | None, types: Sequence[str]) -> str | Literal[False]:
    """The one of ``types`` that an Accept header likes best, as it was given, or ``False``.

    A type is a media type or an extension (``'html'``). No header accepts everything. As npm accepts 2.0.0 and
    negotiator 1.1.0, as are the three below.
    """
    if not header or not types:
        return types[0] if types else False
    return _best_type(header[:_MOST_READ], tuple(types))


def accepts_encodings(header: str | None, encodings: Sequence[str]) -> str | Literal[False]:
    """The one of ``encodings`` that Accept-Encoding likes best; ``'identity'`` is acceptable unless it is refused."""
    return _best_encoding((header or "")[:_MOST_READ], tuple(encodings))


def accepts_charsets(header: str | None, charsets: Sequence[str]) -> str | Literal[False]:
    """The one of ``charsets`` that Accept-Charset likes best. No header accepts everything."""
    return _best_charset("*" if header is None else header[:_MOST_READ], tuple(charsets))


def accepts_languages(header: str | None, languages: Sequence[str]) -> str | Literal[False]:
    """The one of ``languages`` that Accept-Language likes best; ``en`` and ``en-GB`` will do for one another."""
    return _best_language("*" if header is None else header[:_MOST_READ], tuple(languages))


def preferred_types(header: str | None) -> list[str]:
    """All the media types that an Accept header takes, the most wanted first."""
    return _preferred(_type_ranges("*/*" if header is None else header[:_MOST_READ]))


def preferred_encodings(header: str | None) -> list[str]:
    """All the encodings that Accept-Encoding takes, the most wanted first."""
    return _preferred(_encoding_ranges((header or "")[:_MOST_READ]))


def preferred_charsets(header: str | None) -> list[str]:
    """All the charsets that Accept-Charset takes, the most wanted first."""
    return _preferred(_ranges("*" if header is None else header[:_MOST_READ]))


def preferred_languages(header: str | None) -> list[str]:
    """All the languages that Accept-Language takes, the most wanted first."""
    return _preferred(_ranges("*" if header is None else header[:_MOST_READ]))


# Characters. Browsers send some 150; what goes beyond this is no wish but a load, on the processor and on the caches.
_MOST_READ = 4096


class _Range(NamedTuple):
    """One element of an Accept header: ``text/*;level=1;q=0.5``."""

    given: str
    value: str
    parameters: dict[str, str]
    quality: float


@lru_cache(maxsize=256)
def _best_type(header: str, types: tuple[str, ...]) -> str | Literal[False]:
    media_types = [(given, given if "/" in given else lookup(given)) for given in types]
    offers = [(given, parse_content_type(media_type)) for given, media_type in media_types if media_type]
    return _best(_type_ranges(header), offers, _type_specificity)


@lru_cache(maxsize=256)
def _best_encoding(header: str, encodings: tuple[str, ...]) -> str | Literal[False]:
    return _best(_encoding_ranges(header), [(given, given.lower()) for given in encodings], _name_specificity)


@lru_cache(maxsize=256)
def _best_charset(header: str, charsets: tuple[str, ...]) -> str | Literal[False]:
    return _best(_ranges(header), [(given, given.lower()) for given in charsets], _name_specificity)


@lru_cache(maxsize=256)
def _best_language(header: str, languages: tuple[str, ...]) -> str | Literal[False]:
    offers = [(given, parse_content_type(given)[0]) for given in languages]
    return _best(_ranges(header), offers, _language_specificity)


def _best(
    ranges: list[_Range], offers: Iterable[tuple[str, Offer]], specificity: Callable[[_Range, Offer], int | None]
) -> str | Literal[False]:
    ranked = []
    for place, (given, offer) in enumerate(offers):
        quality, specific, order = _weight(ranges, offer, specificity)
        if quality > 0:
            ranked.append((-quality, -specific, order, place, given))
    return min(ranked)[-1] if ranked else False


def _weight(
    ranges: list[_Range], offer: Offer, specificity: Callable[[_Range, Offer], int | None]
) -> tuple[float, int, int]:
    """Quality, specificity and place of the range that speaks for an offer: the most specific, the best, the last."""
    quality, specific, order = 0.0, 0, -1
    for place, range_ in enumerate(ranges):
        fit = specificity(range_, offer)
        # "not worse" rather than "better or equal": a quality that is no number is neither, and counts.
        if fit is not None and (fit > specific or (fit == specific and not range_.quality < quality)):
            quality, specific, order = range_.quality, fit, place
    return quality, specific, order


def _preferred(ranges: list[_Range]) -> list[str]:
    wanted = [range_ for range_ in ranges if range_.quality > 0]
    return [range_.given for range_ in sorted(wanted, key=lambda range_: -range_.quality)]


def _type_specificity(range_: _Range, offer: tuple[str, dict[str, str]]) -> int | None:
    offered, offered_parameters = offer
    kind, _, subtype = range_.value.partition("/")
    offered_kind, slash, offered_subtype = offered.partition("/")
    if not slash or kind not in ("*", offered_kind) or subtype not in ("*", offered_subtype):
        return None
    for name, text in range_.parameters.items():
        if text != "*" and text.lower() != offered_parameters.get(name, "").lower():
            return None
    return 4 * (kind == offered_kind) + 2 * (subtype == offered_subtype) + bool(range_.parameters)


def _name_specificity(range_: _Range, offered: str) -> int | None:
    if range_.value == offered:
        return 1
    return 0 if range_.value == "*" else None


def _language_specificity(range_: _Range, offered: str) -> int | None:
    if not offered:
        return None
    if range_.value == offered:
        return 4
    if range_.value.partition("-")[0] == offered:
        return 2
    if range_.value == offered.partition("-")[0]:
        return 1
    return 0 if range_.value == "*" else None


def _type_ranges(header: str) -> list[_Range]:
    return [range_ for range_ in _ranges(header) if "/" in range_.value]


def _encoding_ranges(header: str) -> list[_Range]:
    ranges = _ranges(header)
    if not any(range_.value in ("identity", "*") for range_ in ranges):
        quality = min([1.0, *(range_.quality or 1.0 for range_ in ranges)])
        ranges.append(_Range("identity", "identity", {}, quality))
    return ranges


def _ranges(header: str) -> list[_Range]:
    ranges = []
    for element in _ELEMENT.findall(header) if '"' in header else header.split(","):
        given, parameters = split_parameters(element)
        if given:
            quality = _quality(parameters.pop("q", ""))
            ranges.append(_Range(given, given.lower(), parameters, quality))
    return ranges


# A comma within a quoted parameter does not end an element.
_ELEMENT = re.compile(
    r"""( [^,;]* (?: ;[^,;=]* (?: =[ \t]* (?: "(?:[^"\\]|\\.)*"? )? [^,;]* )? )* ) (?:,|$)""", re.DOTALL | re.VERBOSE
)


def _quality(text: str) -> float:
    if not text:
        return 1.0
    number = _NUMBER.match(text)
    return float(number[0]) if number else nan


# What JavaScript's parseFloat reads.
_NUMBER = re.compile(r"\s*[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


def etag(body: bytes, weak: bool) -> str:
    """The entity tag of a body, made of its length and its SHA-1. As npm etag 1.8.1, which Express 5 uses weak."""
    digest = b2a_base64(sha1(body, usedforsecurity=False).digest())[:27].decode("ascii")
    return f'W/"{len(body):x}-{digest}"' if weak else f'"{len(body):x}-{digest}"'


def stat_etag(size: int, mtime_ms: float) -> str:
    """The weak entity tag of a file: its size in bytes and its time in milliseconds since 1970. As npm etag 1.8.1."""
    return f'W/"{size:x}-{floor(mtime_ms + 0.5):x}"'


def is_fresh(
    if_none_match: str | None,
    if_modified_since: str | None,
    cache_control: str | None,
    etag: str | None,
    last_modified: str | None,
) -> bool:
    """Whether a client's copy still is what would be sent, so that 304 will do. As npm fresh 2.0.0.

    Takes the request's If-None-Match, If-Modified-Since and Cache-Control, and the answer's ETag and Last-Modified.
    """
    if not if_none_match and not if_modified_since:
        return False
    if cache_control and any(directive.strip() == "no-cache" for directive in cache_control.split(",")):
        return False
    if if_none_match:
        return if_none_match == "*" or _lists_etag(if_none_match, etag)
    modified, since = parse_http_date(last_modified or ""), parse_http_date(if_modified_since or "")
    return modified is not None and since is not None and modified <= since


def _lists_etag(if_none_match: str, etag: str | None) -> bool:
    if not etag:
        return False
    alike = {etag, f"W/{etag}", etag.removeprefix("W/")}
    return not alike.isdisjoint(tag.strip(" ") for tag in if_none_match.split(","))


class Ranges(list[tuple[int, int]]):
    """The ranges that were asked for, each ``(first, last)``, both included; ``type`` is their unit, ``'bytes'``."""

    def __init__(self, type: str, ranges: Iterable[tuple[int, int]]) -> None:
        super().__init__(ranges)
        self.type = type


def parse_range(size: int, header: str, combine: bool = False) -> Ranges | Literal[-1, -2]:
    """The ranges of a Range header that lie within ``size`` bytes, or -1 if none does, -2 if it is malformed.

    ``combine`` merges those that overlap or touch. As npm range-parser 1.3.0; besides, a header of more than 4,096
    characters counts as malformed, which is to say that it is ignored (RFC 9110 section 17.15).
    """
    unit, equals, specs = header.partition("=")
    if not equals or len(header) > _MOST_READ:
        return -2
    ranges = []
    for spec in specs.split(","):
        first, dash, last = (part.strip() for part in spec.partition("-"))
        if not dash or not _DIGITS.fullmatch(first or last) or not _DIGITS.fullmatch(last or first):
            return -2
        start = int(first) if first else size - int(last)
        end = min(int(last), size - 1) if first and last else size - 1
        if 0 <= start <= end:
            ranges.append((start, end))
    if not ranges:
        return -1
    return Ranges(unit, _combined(ranges) if combine else ranges)


_DIGITS = re.compile(r"[0-9]+")


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
    """A Vary header's value with ``field`` added: a field name, several with commas, or a list of names.

    As npm vary 1.1.2. Raises ``TypeError`` for what is no field name.
    """
    return _extended(existing or "", field if isinstance(field, str) else tuple(field))


@lru_cache(maxsize=256)
def _extended(value: str, field: str | tuple[str, ...]) -> str:
    fields = [name.strip(" ") for name in field.split(",")] if isinstance(field, str) else field
    for name in fields:
        if not _FIELD_NAME.fullmatch(name):
            raise TypeError(f"field contains an invalid header name: {name!r}. Use names such as 'Accept'")
    present = {name.strip(" ") for name in value.lower().split(",")}
    if "*" in present or "*" in fields:
        return "*"
    for name in fields:
        if name.lower() not in present:
            present.add(name.lower())
            value = f"{value}, {name}" if value else name
    return value


_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@lru_cache(maxsize=256)
def http_date(timestamp: float) -> str:
    """Seconds since 1970 as headers write them: ``'Sun, 06 Nov 1994 08:49:37 GMT'`` (RFC 9110 section 5.6.7).

    Raises ``OverflowError`` outside the years 1 to 9999.
    """
    return format_datetime(_EPOCH + timedelta(seconds=floor(timestamp)), usegmt=True)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_http_date(text: str) -> float | None:
    """The seconds since 1970 of a date in one of the three formats of RFC 9110 section 5.6.7, or ``None``.

    Letter case, the weekday and a missing zone do not matter; a year of two digits lies between 1950 and 2049, as
    JavaScript's ``Date.parse`` has it.
    """
    return _seconds(text) if len(text) <= _LONGEST_DATE else None


_LONGEST_DATE = 64


@lru_cache(maxsize=256)
def _seconds(text: str) -> float | None:
    found = _DAY_FIRST.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    month = _MONTHS.get(found["month"].lower()) if found else None
    if not found or not month:
        return None
    year, day, hour, minute, second = (int(found[part] or 0) for part in ("year", "day", "hour", "minute", "second"))
    if len(found["year"]) == 2:
        year += 2000 if year < 50 else 1900
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


_WEEKDAY, _MONTH, _DAY = r"\s*(?:[a-z]+(?:,\s*|\s+))?", r"(?P<month>[a-z]{3})[a-z]*", r"(?P<day>\d\d?)"
_TIME, _ZONE = r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d))?", r"(?:\s+(?:GMT|UTC))?\s*"
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}{_DAY}[\s-]+{_MONTH}[\s-]+(?P<year>\d{{4}}|\d\d)\s+{_TIME}{_ZONE}", re.ASCII | re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_TIME}\s+(?P<year>\d{{4}}){_ZONE}", re.ASCII | re.IGNORECASE
)
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}


def encode_url(url: str) -> str:
    """A URL with what may not stand in one percent-encoded, and what is encoded already left alone.

    As npm encodeurl 2.0.3: for ``Location`` and the like. Half a surrogate pair becomes U+FFFD.
    """
    if not url.isascii():
        url = _SURROGATE.sub("\ufffd", url)
    return quote(_STRAY_PERCENT.sub("%25", url), safe=_URL_CHARACTERS)


_SURROGATE = re.compile("[\ud800-\udfff]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[\\]^|"


def escape_html(text: str) -> str:
    """Text safe to stand in HTML, between tags or in a quoted attribute. As npm escape-html 1.0.3."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")
