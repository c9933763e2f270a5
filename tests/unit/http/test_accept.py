"""The tables are what the npm packages answered: accepts 2.0.0, negotiator 1.1.0, etag 1.8.1, fresh 2.0.0,
range-parser 1.3.0, vary 1.1.2, and Node 20's Date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http import accept, conditional, headers, ranges

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

ETAG = [
    (b"", True, 'W/"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk"'),
    (b"", False, '"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk"'),
    (b"Hello World", True, 'W/"b-Ck1VqNd45QIvq3AZd8XYQLvEhtA"'),
    (b'{"a":1}', False, '"7-n4nHQM60bXQYySSnisV5QdXpZSA"'),
    (b"\xc3\xa9\xe2\x82\xac", True, 'W/"5-8pmndkK2Q3QxraVsBkP3uOmbViI"'),
    (b"x" * 65, True, 'W/"41-eMdB3cSC5M34xHSgh2NHoJBbYjM"'),
]

# If-None-Match, If-Modified-Since, Cache-Control, ETag, Last-Modified
IS_FRESH = [
    (None, None, None, '"a"', None, False),
    ('"a"', None, None, '"a"', None, True),
    ('"a"', None, None, '"b"', None, False),
    ('W/"a"', None, None, '"a"', None, True),
    ('"a"', None, None, 'W/"a"', None, True),
    ('"x", "a" ,"z"', None, None, '"a"', None, True),
    ("*", None, None, None, None, True),
    ('*, "b"', None, None, '"a"', None, False),
    ('"a"', None, None, None, None, False),
    ('"a"', None, "no-cache", '"a"', None, False),
    ('"a"', None, "max-age=0, no-cache", '"a"', None, False),
    ('"a"', None, "xno-cache", '"a"', None, True),
    (None, "Sun, 06 Nov 1994 08:49:37 GMT", None, None, "Sun, 06 Nov 1994 08:49:37 GMT", True),
    (None, "Sun, 06 Nov 1994 08:49:36 GMT", None, None, "Sun, 06 Nov 1994 08:49:37 GMT", False),
    (None, "Sun, 06 Nov 1994 08:49:38 GMT", None, None, "Sunday, 06-Nov-94 08:49:37 GMT", True),
    (None, "Sun, 06 Nov 1994 08:49:37 GMT", None, None, None, False),
    ('"b"', "Sun, 06 Nov 1994 08:49:38 GMT", None, '"a"', "Sun, 06 Nov 1994 08:49:37 GMT", False),
]

PARSE_RANGE = [
    (1000, "bytes=0-499", False, [(0, 499)]),
    (1000, "bytes=-400", False, [(600, 999)]),
    (1000, "bytes=400-", False, [(400, 999)]),
    (1000, "bytes=0-0", False, [(0, 0)]),
    (1000, "bytes=-1", False, [(999, 999)]),
    (1000, "bytes=40-80,-1", False, [(40, 80), (999, 999)]),
    (200, "bytes=0-499,1000-,500-999", False, [(0, 199)]),
    (200, "bytes=500-20", False, -1),
    (200, "bytes=-201", False, -1),
    (200, "bytes=-0", False, -1),
    (0, "bytes=0-", False, -1),
    (200, "malformed", False, -2),
    (200, "bytes", False, -2),
    (200, "bytes=x-100", False, -2),
    (200, "bytes=-", False, -2),
    (200, "bytes=1-2-3", False, -2),
    (200, "bytes=0-1,x", False, -2),
    (200, "bytes= 0 - 4 , 5 - 9 ", False, [(0, 4), (5, 9)]),
    (1000, "items=0-5", False, [(0, 5)]),
    (150, "bytes=0-4,90-99,5-75,100-199,101-102", True, [(0, 75), (90, 149)]),
    (150, "bytes=-1,20-100,0-1,101-120", True, [(149, 149), (20, 120), (0, 1)]),
    (1000000, "bytes=0-999999999999999999999999999999", False, [(0, 999999)]),
    (1000000, "bytes=999999999999999999999999999999-", False, -1),
    (200, "bytes=+1-5", False, -2),
]

VARY = [
    (None, "Accept", "Accept"),
    ("Accept", "accept", "Accept"),
    ("Accept", "Origin, Accept", "Accept, Origin"),
    ("Accept", "*", "*"),
    ("Accept, *", "Origin", "*"),
    ("accept, Origin", ["Accept-Encoding", "ORIGIN"], "accept, Origin, Accept-Encoding"),
    ("Accept", [], "Accept"),
    (None, ["Accept", "Accept"], "Accept"),
]

VARY_REFUSED = [
    (None, ""),
    (None, "bad header"),
    (None, "a,,b"),
    (None, "a\nb"),
    ("*", "a:b"),
    (None, ["a,b"]),
]

HTTP_DATE = [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    (784111777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (1700000000, "Tue, 14 Nov 2023 22:13:20 GMT"),
    (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    (253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"),
]

PARSE_HTTP_DATE = [
    ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
    ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
    ("Sun Nov  6 08:49:37 1994", 784111777),
    ("6 Nov 1994 08:49:37 GMT", 784111777),
    ("sun, 6 nov 1994 08:49 gmt", 784111740),
    ("Mon, 06 Nov 1994 08:49:37 GMT", 784111777),
    ("Sun, 06 Nov 49 00:00:00 GMT", 2519769600),
    ("Sun, 06 Nov 50 00:00:00 GMT", -604454400),
    ("Sun, 32 Jan 2020 00:00:00 GMT", None),
    ("Sun, 06 Nov 1994 08:60:37 GMT", None),
    ("Sun, 06 Nov 1994 08:49:37 GMT; length=5", None),
    ("yesterday", None),
    ("", None),
]

TABLES: dict[str, list[Any]] = {
    "TYPES.choose": [*ACCEPTS_TYPES, *((header, (), wanted) for header, wanted in PREFERRED_TYPES)],
    "ENCODINGS.choose": [*ACCEPTS_ENCODINGS, *((header, (), wanted) for header, wanted in PREFERRED_ENCODINGS)],
    "CHARSETS.choose": [*ACCEPTS_CHARSETS, *((header, (), wanted) for header, wanted in PREFERRED_CHARSETS)],
    "LANGUAGES.choose": [*ACCEPTS_LANGUAGES, *((header, (), wanted) for header, wanted in PREFERRED_LANGUAGES)],
    "etag": ETAG,
    "is_fresh": IS_FRESH,
    "parse_range": PARSE_RANGE,
    "vary": VARY,
    "http_date": HTTP_DATE,
    "parse_http_date": PARSE_HTTP_DATE,
}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "TYPES.choose": accept.TYPES.choose,
    "ENCODINGS.choose": accept.ENCODINGS.choose,
    "CHARSETS.choose": accept.CHARSETS.choose,
    "LANGUAGES.choose": accept.LANGUAGES.choose,
    "etag": conditional.etag,
    "is_fresh": conditional.is_fresh,
    "parse_range": ranges.parse_range,
    "vary": headers.vary,
    "http_date": conditional.http_date,
    "parse_http_date": conditional.parse_http_date,
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_every_function_answers_as_its_npm_package_does(name: str, row: tuple[Any, ...]) -> None:
    *arguments, expected = row
    answer = FUNCTIONS[name](*arguments)
    assert answer == expected
    assert (answer is False) == (expected is False)


@pytest.mark.parametrize(("existing", "field"), VARY_REFUSED)
def test_vary_refuses_what_is_no_field_name_and_says_which(existing: str | None, field: str | list[str]) -> None:
    with pytest.raises(TypeError, match="invalid header name: '"):
        headers.vary(existing, field)


def test_a_range_knows_its_unit() -> None:
    found = ranges.parse_range(10, "items=0-2,1-4", combine=True)
    assert isinstance(found, ranges.Ranges)
    assert (found.type, list(found)) == ("items", [(0, 4)])


def test_a_range_header_of_more_than_4096_characters_is_ignored() -> None:
    assert ranges.parse_range(100, "bytes=" + "0-0," * 1022 + "0") == -2
    assert len(ranges.parse_range(100, "bytes=" + "0-0," * 1021 + "0-0") or ()) == 1022  # type: ignore[arg-type]
    assert ranges.parse_range(100, "bytes=" + "0-0," * 1023 + "0-0") == -2


@pytest.mark.parametrize(("milliseconds", "expected"), [(1700000000123, 'W/"400-18bcfe5687b"'), (0, 'W/"400-0"')])
def test_the_tag_of_a_file_is_its_size_and_its_time_in_milliseconds(milliseconds: int, expected: str) -> None:
    assert conditional.stat_etag(1024, milliseconds) == expected


@pytest.mark.parametrize("text", ["Mon, 31 Feb 2020 00:00:00 GMT", "Mon, 01 Foo 2020 00:00 GMT", "1994", "٣ Nov 1994"])
def test_a_date_that_is_none_is_none(text: str) -> None:
    assert conditional.parse_http_date(text) is None


def test_a_date_outside_the_calendar_is_refused() -> None:
    with pytest.raises(ValueError):
        conditional.http_date(10**15)


@given(st.integers(-62135596800, 253402300799))
def test_a_date_survives_being_written_and_read(seconds: int) -> None:
    assert conditional.parse_http_date(conditional.http_date(seconds)) == seconds


HEADERS = st.text(st.sampled_from(list('abqz*/;=,-+." \t\\019é')) | st.characters(max_codepoint=255), max_size=60)


@given(HEADERS, st.lists(HEADERS, max_size=4))
def test_no_header_makes_negotiation_raise_and_the_answer_is_one_of_the_offers(header: str, offers: list[str]) -> None:
    for choose in (
        accept.TYPES.choose,
        accept.ENCODINGS.choose,
        accept.CHARSETS.choose,
        accept.LANGUAGES.choose,
    ):
        choice = choose(header, offers)
        assert choice is False or choice in offers or not offers


@given(HEADERS, HEADERS, HEADERS, HEADERS)
def test_no_header_makes_freshness_raise(none_match: str, since: str, cache_control: str, modified: str) -> None:
    assert conditional.is_fresh(none_match, since, cache_control, '"a"', modified) in (True, False)
    assert conditional.is_fresh(None, since, None, None, modified) in (True, False)


@given(st.integers(0, 200), st.text(st.sampled_from(list("0123456789-, x=")), max_size=30), st.booleans())
def test_every_range_lies_within_the_size(size: int, specs: str, combine: bool) -> None:
    found = ranges.parse_range(size, f"bytes={specs}", combine)
    if isinstance(found, int):
        assert found in (-1, -2)
    else:
        assert found
        assert all(0 <= start <= end < size for start, end in found)
