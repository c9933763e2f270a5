"""The Range header. The table is what npm range-parser 1.3.0 returned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http.ranges import Ranges, parse_range

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


@pytest.mark.parametrize(("size", "header", "combine", "expected"), PARSE_RANGE)
def test_parse_range_as_the_npm_package(size: int, header: str, combine: bool, expected: Any) -> None:
    assert parse_range(size, header, combine) == expected


def test_ranges_know_their_unit() -> None:
    found = parse_range(10, "items=0-2,1-4", combine=True)
    assert isinstance(found, Ranges)
    assert (found.type, list(found)) == ("items", [(0, 4)])


def test_a_header_of_more_than_4096_characters_is_malformed() -> None:
    assert parse_range(100, "bytes=" + "0-0," * 1022 + "0") == -2
    assert len(parse_range(100, "bytes=" + "0-0," * 1021 + "0-0") or ()) == 1022  # type: ignore[arg-type]
    assert parse_range(100, "bytes=" + "0-0," * 1023 + "0-0") == -2


@given(st.integers(0, 200), st.text(st.sampled_from(list("0123456789-, x=")), max_size=30), st.booleans())
def test_every_range_is_within_the_size(size: int, specs: str, combine: bool) -> None:
    found = parse_range(size, f"bytes={specs}", combine)
    if isinstance(found, int):
        assert found in (-1, -2)
    else:
        assert found
        assert all(0 <= start <= end < size for start, end in found)
