"""What client and server agree on: Accept*, ETag, freshness, ranges, Vary and dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import nan
from typing import Literal, NamedTuple

from .headers import MAX_HEADER_LENGTH
from .media_types import lookup, parse_content_type, split_parameters


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
        text = self.absent if header is None else header[:MAX_HEADER_LENGTH]
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
# A comma within a quoted parameter does not end an element.
_ELEMENT = re.compile(r"""(?sx)( [^,;]* (?: ;[^,;=]* (?: =[ \t]* (?: "(?:[^"\\]|\\.)*"? )? [^,;]* )? )* ) (?:,|$)""")
# What JavaScript's parseFloat reads.
_NUMBER = re.compile(r"\s*[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
