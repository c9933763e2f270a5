"""Conditional requests. The tables are what npm etag 1.8.1, fresh 2.0.0 and Node 20's Date returned."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http.conditional import http_date, is_fresh, parse_http_date, stat_etag, strong_etag, weak_etag

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
    ("Mon, 31 Feb 2020 00:00:00 GMT", None),
    ("Mon, 01 Foo 2020 00:00 GMT", None),
    ("1994", None),
    ("٣ Nov 1994", None),
]

HEADERS = st.text(st.sampled_from(list('abqz*/;=,-+." \t\\019é')) | st.characters(max_codepoint=255), max_size=60)


@pytest.mark.parametrize(("body", "weak", "expected"), ETAG)
def test_etag_is_that_of_the_npm_package(body: bytes, weak: bool, expected: str) -> None:
    assert (weak_etag if weak else strong_etag)(body) == expected


@pytest.mark.parametrize(("milliseconds", "expected"), [(1700000000123, 'W/"400-18bcfe5687b"'), (0, 'W/"400-0"')])
def test_stat_etag_is_size_and_time_in_milliseconds(milliseconds: int, expected: str) -> None:
    assert stat_etag(1024, milliseconds) == expected


@pytest.mark.parametrize(("none_match", "since", "cache_control", "etag", "modified", "expected"), IS_FRESH)
def test_is_fresh_as_the_npm_package(
    none_match: str | None,
    since: str | None,
    cache_control: str | None,
    etag: str | None,
    modified: str | None,
    expected: bool,
) -> None:
    assert is_fresh(none_match, since, cache_control, etag, modified) is expected


@given(HEADERS, HEADERS, HEADERS, HEADERS)
def test_is_fresh_never_raises(none_match: str, since: str, cache_control: str, modified: str) -> None:
    assert is_fresh(none_match, since, cache_control, '"a"', modified) in (True, False)
    assert is_fresh(None, since, None, None, modified) in (True, False)


@pytest.mark.parametrize(("timestamp", "expected"), HTTP_DATE)
def test_http_date(timestamp: int, expected: str) -> None:
    assert http_date(timestamp) == expected


def test_http_date_beyond_year_9999_raises_value_error() -> None:
    with pytest.raises(ValueError):
        http_date(10**15)


@pytest.mark.parametrize(("text", "expected"), PARSE_HTTP_DATE)
def test_parse_http_date_as_node_and_none_for_a_malformed_date(text: str, expected: float | None) -> None:
    assert parse_http_date(text) == expected


@given(st.integers(-62135596800, 253402300799))
def test_parse_http_date_reads_what_http_date_writes(seconds: int) -> None:
    assert parse_http_date(http_date(seconds)) == seconds
