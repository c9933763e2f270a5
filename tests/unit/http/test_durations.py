"""Durations in words. The table is what npm ms 2.1.3 returned, in milliseconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from miniexpress.http.durations import parse_duration


@pytest.mark.parametrize(
    ("words", "milliseconds"),
    [
        ("1d", 86400000),
        ("2 hours", 7200000),
        ("10h", 36000000),
        ("2.5 hrs", 9000000),
        ("1m", 60000),
        ("5s", 5000),
        ("100000", 100000),
        (".5m", 30000),
        ("1 D", 86400000),
        ("1 w", 604800000),
        ("9000 msec", 9000),
    ],
)
def test_words_as_the_npm_package(words: str, milliseconds: int) -> None:
    assert parse_duration("max_age", words) == milliseconds


@pytest.mark.parametrize(("duration", "milliseconds"), [(1500, 1500), (0.5, 0.5), (timedelta(hours=2), 7_200_000)])
def test_a_number_is_milliseconds_and_a_timedelta_is_taken(duration: Any, milliseconds: float) -> None:
    assert parse_duration("max_age", duration) == milliseconds


@pytest.mark.parametrize("words", ["", " 1d", "1d ", "1e3", "1 month", "\u0663", "-", None, []])
def test_anything_else_raises_a_type_error_that_names_the_option(words: Any) -> None:
    with pytest.raises(TypeError, match="the option 'max_age' is milliseconds, a timedelta or words like '2 hours'"):
        parse_duration("max_age", words)
