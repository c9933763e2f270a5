"""Content negotiation: which offer an Accept, Accept-Encoding, Accept-Charset or Accept-Language header prefers.

As npm accepts 2.0.0 and negotiator 1.1.0 do it (RFC 9110 section 12.5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import nan
from typing import Literal, NamedTuple

from .headers import MAX_HEADER_LENGTH
from .media_types import lookup, parse_content_type, split_parameters

# One element of a list. A comma within a quoted parameter does not end it.
_ELEMENT = re.compile(r"""(?sx)( [^,;]* (?: ;[^,;=]* (?: =[ \t]* (?: "(?:[^"\\]|\\.)*"? )? [^,;]* )? )* ) (?:,|$)""")
# A number as JavaScript's ``parseFloat`` reads it.
_NUMBER = re.compile(r"\s*[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


class AcceptHeader(NamedTuple):
    """The rules of one of the four header fields: ``TYPES``, ``ENCODINGS``, ``CHARSETS`` and ``LANGUAGES``."""

    when_missing: str
    """The value that a request without the header field stands for."""
    specificity: Callable[[str], Callable[[str], int | None]]
    """Called with an offer, then with a range: how specifically the range names the offer, ``None`` if it does not."""
    required_in_range: str = ""
    """Ranges without this character are ignored. Where it is set, the parameters of a range matter, too."""
    default_value: str = ""
    """The value that is acceptable unless the header says otherwise."""

    def choose(
        self, header: str | None, offers: Sequence[str], preferred: tuple[str, ...] = ()
    ) -> str | list[str] | Literal[False]:
        """Return the offer that the header prefers, ``False`` if it accepts none of them. Of those with the same
        quality, ``preferred`` ones come first.

        ``TYPES.choose('text/*;q=0.5, application/json', ['html', 'json'])`` → ``'json'``. Without offers, return a list
        of all that the header accepts, the most preferred first: ``['application/json', 'text/*']``.
        """
        text = self.when_missing if header is None else header[:MAX_HEADER_LENGTH]
        if not offers:
            accepted = [preference for preference in _parse(self, text) if preference.quality > 0]
            return [preference.text for preference in sorted(accepted, key=lambda preference: -preference.quality)]
        if self is TYPES and not header:
            return offers[0]  # even one that is no media type
        return _choose_offer(self, text, tuple(offers), preferred)


def _type_specificity(offer: str) -> Callable[[str], int | None]:
    """For ``'html'``: ``text/html`` → 6, ``text/*`` → 4, ``*/html`` → 2, ``*/*`` → 0."""
    media_type = parse_content_type(offer if "/" in offer else lookup(offer) or "")[0]
    kind, slash, subtype = media_type.partition("/")
    return {"*/*": 0, f"*/{subtype}": 2, f"{kind}/*": 4, media_type: 6}.get if slash else _matches_nothing


def _name_specificity(offer: str) -> Callable[[str], int | None]:
    """For ``'gzip'``: ``gzip`` → 1, ``*`` → 0."""
    return {"*": 0, offer.lower(): 1}.get


def _language_specificity(offer: str) -> Callable[[str], int | None]:
    """For ``'en-GB'``: ``en-gb`` → 4, ``en`` → 1, ``*`` → 0. For ``'en'``: ``en`` → 4, ``en-gb`` → 2, ``*`` → 0."""
    language = parse_content_type(offer)[0]
    if not language:
        return _matches_nothing
    known = {"*": 0, language.partition("-")[0]: 1, language: 4}
    return lambda range_: known.get(range_, 2 if range_.partition("-")[0] == language else None)


def _matches_nothing(range_: str) -> None:
    return None


TYPES = AcceptHeader("*/*", _type_specificity, required_in_range="/")
ENCODINGS = AcceptHeader("", _name_specificity, default_value="identity")
CHARSETS = AcceptHeader("*", _name_specificity)
LANGUAGES = AcceptHeader("*", _language_specificity)


class Preference(NamedTuple):
    """One element of a header: ``Text/*;Level=1;q=0.5`` → ``('Text/*', 'text/*', {'level': '1'}, 0.5)``."""

    text: str
    range_: str
    parameters: dict[str, str]
    quality: float


class _Match(NamedTuple):
    """The preference that applies to an offer; ``order`` is its index in the header."""

    quality: float
    specificity: int
    order: int


@lru_cache(maxsize=512)
def _choose_offer(
    accept: AcceptHeader, text: str, offers: tuple[str, ...], preferred: tuple[str, ...]
) -> str | Literal[False]:
    preferences = _parse(accept, text)
    ranked = []
    for position, offer in enumerate(offers):
        quality, specificity, order = _find_match(accept, preferences, offer)
        if quality > 0:
            rank = preferred.index(offer) if offer in preferred else len(preferred)
            ranked.append((-quality, rank, -specificity, order, position, offer))
    return min(ranked)[-1] if ranked else False


def _find_match(accept: AcceptHeader, preferences: list[Preference], offer: str) -> _Match:
    """Find the preference for an offer: the most specific one, of those the one of best quality, of those the last."""
    specificity_of = accept.specificity(offer)
    parameters = parse_content_type(offer)[1]
    best = _Match(0.0, 0, -1)
    for order, preference in enumerate(preferences):
        specificity = specificity_of(preference.range_)
        if specificity is None or not _has_parameters(parameters, preference.parameters):
            continue
        specificity += bool(preference.parameters)
        # ``not <`` instead of ``>=``: as in JavaScript, a quality that is no number (NaN) replaces the one before.
        is_better = specificity == best.specificity and not preference.quality < best.quality
        if specificity > best.specificity or is_better:
            best = _Match(preference.quality, specificity, order)
    return best


def _has_parameters(parameters: dict[str, str], required: dict[str, str]) -> bool:
    """Return whether an offer's parameters include the ones of a range, where ``*`` is any value."""
    return all(text.lower() in ("*", parameters.get(name, "").lower()) for name, text in required.items())


def _parse(accept: AcceptHeader, text: str) -> list[Preference]:
    preferences = []
    for element in _ELEMENT.findall(text) if '"' in text else text.split(","):
        value, parameters = split_parameters(element)
        if value and accept.required_in_range in value:
            number = _NUMBER.match(parameters.pop("q", "") or "1")
            required = parameters if accept.required_in_range else {}
            preferences.append(Preference(value, value.lower(), required, float(number[0]) if number else nan))
    default = accept.default_value
    if default and not any(preference.range_ in (default, "*") for preference in preferences):
        quality = min([1.0, *(preference.quality or 1.0 for preference in preferences)])
        preferences.append(Preference(default, default, {}, quality))
    return preferences
