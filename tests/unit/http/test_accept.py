"""Negotiation. The tables are what npm accepts 2.0.0 and negotiator 1.1.0 returned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http.accept import CHARSETS, ENCODINGS, LANGUAGES, TYPES, AcceptHeader

ACCEPTS_TYPES = [
    ("text/html, text/plain, text/html", ["html", "text"], "text"),
    ("*/html;q=0.1, text/*;q=0.5, text/plain;q=0.3", ["text", "html"], "html"),
    (None, ["html", "json"], "html"),
    ("", ["json", "html"], "json"),
    ("*/*", ["json", "html"], "json"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", ["json", "html"], "html"),
    ("text/plain", ["html", "json"], False),
    ("application/json", ["html", "json"], "json"),
    ("text/*;q=.5, application/json", ["html", "json"], "json"),
    ("text/*", ["image/png", "html"], "html"),
    ("text/html;q=0, */*", ["html", "json"], "json"),
    ("text/html;q=0", ["html"], False),
    ("text/html;level=1", ["html"], False),
    ("text/html;level=1", ["text/html;level=1"], "text/html;level=1"),
    ("text/html;level=*", ["text/html;level=2"], "text/html;level=2"),
    ("text/html, text/html;level=1;q=0.3", ["text/html;level=1", "text/plain"], "text/html;level=1"),
    ("TEXT/HTML", ["html"], "html"),
    ("*/*", ["nope"], False),
    ("text/html;q=abc", ["html"], False),
    ("text/html;q=", ["html"], "html"),
    ('text/html;q="0.5", text/plain;q=0.4', ["text", "html"], "html"),
    ('a/b;x="1,2", text/plain;q=0.1', ["text", "html"], "text"),
    ("text/plain, application/json;q=0.5, text/html, */*;q=0.1", ["png", "json", "html", "text"], "text"),
    ("html", ["html"], False),
    ("*", ["html"], False),
    ('a/b;x="unclosed, text/html', ["html"], False),
]

ACCEPTS_ENCODINGS = [
    ("gzip;q=0", ["identity"], "identity"),
    (None, ["gzip", "identity"], "identity"),
    (None, ["gzip"], False),
    ("gzip, deflate, br", ["br", "gzip"], "gzip"),
    ("gzip;q=0.5, br", ["gzip", "br"], "br"),
    ("gzip", ["br", "identity"], "identity"),
    ("gzip;q=0.5", ["identity", "gzip"], "gzip"),
    ("*;q=0", ["gzip", "identity"], False),
    ("identity;q=0, gzip", ["identity"], False),
    ("gzip, *;q=0", ["identity", "gzip"], "gzip"),
    ("gzip;q=0, *", ["gzip", "br"], "br"),
]

ACCEPTS_CHARSETS = [
    ("utf-8, utf-8;q=abc", ["utf-8"], False),
    ("utf-8;q=abc, utf-8", ["utf-8"], "utf-8"),
    (None, ["utf-8"], "utf-8"),
    ("", ["utf-8"], False),
    ("utf-8, iso-8859-1;q=0.2", ["iso-8859-1", "utf-8"], "utf-8"),
    ("UTF-8", ["utf-8"], "utf-8"),
    ("utf-8;q=0, *", ["utf-8", "ascii"], "ascii"),
    ("*;q=0.5, utf-8;q=0.1", ["utf-8", "ascii"], "ascii"),
]

ACCEPTS_LANGUAGES = [
    (None, ["en", "fr"], "en"),
    ("en-US,en;q=0.9,fr;q=0.8", ["fr", "en"], "en"),
    ("en", ["en-GB"], "en-GB"),
    ("en-GB", ["en"], "en"),
    ("en-GB", ["en-US"], False),
    ("fr;q=0.9, en", ["fr-CA", "en-GB"], "en-GB"),
    ("*", ["de"], "de"),
    ("de;q=0, *", ["de", "fr"], "fr"),
    ("EN-us", ["en-US"], "en-US"),
    ("zh-Hans", ["zh-Hant", "zh"], "zh"),
    ("en, en-US;q=0", ["en-US", "en-GB"], "en-GB"),
]

PREFERRED_TYPES = [
    ("", []),
    ("text/*;q=0.5, application/json, text/html;level=1;q=0", ["application/json", "text/*"]),
    ("*", []),
    ("TEXT/HTML; q=1, a/b/c;q=2", ["a/b/c", "TEXT/HTML"]),
    ('a/b;x=",", c/d;q=.5, e/f', ["a/b", "e/f", "c/d"]),
    ("text/html,text/xml;q=0.9,image/webp,*/*;q=0.8", ["text/html", "image/webp", "text/xml", "*/*"]),
]

PREFERRED_ENCODINGS = [
    (None, ["identity"]),
    ("gzip, deflate;q=0.5", ["gzip", "deflate", "identity"]),
    ("gzip;q=0.2, br", ["br", "gzip", "identity"]),
    ("identity;q=0, *;q=0.5", ["*"]),
    ("*;q=0", []),
]

PREFERRED_CHARSETS = [
    (None, ["*"]),
    ("", []),
    ("utf-8;q=0.5, iso-8859-1, *;q=0.1, x;q=0", ["iso-8859-1", "utf-8", "*"]),
]

PREFERRED_LANGUAGES = [
    (None, ["*"]),
    ("", []),
    ("en;q=0.8, es, pt-BR;q=0.9, *;q=0", ["es", "pt-BR", "en"]),
]

HEADERS = st.text(st.sampled_from(list('abqz*/;=,-+." \t\\019é')) | st.characters(max_codepoint=255), max_size=60)
CHOICES = [
    *((TYPES, *row) for row in ACCEPTS_TYPES),
    *((ENCODINGS, *row) for row in ACCEPTS_ENCODINGS),
    *((CHARSETS, *row) for row in ACCEPTS_CHARSETS),
    *((LANGUAGES, *row) for row in ACCEPTS_LANGUAGES),
]
PREFERRED = [
    *((TYPES, *row) for row in PREFERRED_TYPES),
    *((ENCODINGS, *row) for row in PREFERRED_ENCODINGS),
    *((CHARSETS, *row) for row in PREFERRED_CHARSETS),
    *((LANGUAGES, *row) for row in PREFERRED_LANGUAGES),
]


@pytest.mark.parametrize(("accept", "header", "offers", "expected"), CHOICES)
def test_choose_returns_the_offer_that_the_npm_package_returns(
    accept: AcceptHeader, header: str | None, offers: list[str], expected: Any
) -> None:
    choice = accept.choose(header, offers)
    assert choice == expected
    assert (choice is False) == (expected is False)


@pytest.mark.parametrize(("accept", "header", "expected"), PREFERRED)
def test_choose_without_offers_returns_what_is_accepted_most_preferred_first(
    accept: AcceptHeader, header: str | None, expected: list[str]
) -> None:
    assert accept.choose(header, ()) == expected


@given(HEADERS, st.lists(HEADERS, max_size=4))
def test_choose_never_raises_and_returns_one_of_the_offers_or_false(header: str, offers: list[str]) -> None:
    for accept in (TYPES, ENCODINGS, CHARSETS, LANGUAGES):
        choice = accept.choose(header, offers)
        assert choice is False or choice in offers or not offers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip, deflate", "gzip"),
        ("deflate, gzip", "gzip"),
        ("deflate;q=0.5, gzip;q=0.5", "gzip"),
        ("deflate, gzip;q=0.9", "deflate"),
        ("deflate, *", "gzip"),
        ("*", "gzip"),
        ("deflate", "deflate"),
        ("identity, gzip;q=0.1", "identity"),
        ("gzip;q=0, *", "deflate"),
    ],
)
def test_of_encodings_that_are_accepted_alike_a_preferred_one_is_chosen(header: str, expected: str) -> None:
    """As negotiator 0.6.4, which npm compression 1.8 asks."""
    assert ENCODINGS.choose(header, ["gzip", "deflate", "identity"], ("gzip",)) == expected
