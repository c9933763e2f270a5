"""What Python alone can ask of the body parsers; what they answer is held to body-parser's in conformance."""

from __future__ import annotations

from typing import Any

import pytest

from miniexpress import json
from miniexpress.bodies import parse_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [(10, 10), (10.5, 10.5), (0, 0), ("10", 10), ("1kb", 1024), ("1.5 KB", 1536), ("0.0001kb", 0), ("2gb", 2 * 2**30)],
)
def test_a_size_is_a_number_of_bytes_and_whole_where_it_was_written_as_text(size: Any, expected: float) -> None:
    assert (parse_size(size), type(parse_size(size))) == (expected, type(expected))


@pytest.mark.parametrize("size", [-1, True, None, "", "ten", "10 tons", "-1kb", "1e3", [10]])
def test_what_is_no_size_is_refused(size: Any) -> None:
    with pytest.raises(TypeError, match="the option 'limit' takes a number of bytes"):
        json(limit=size)


def test_what_verifies_is_a_function() -> None:
    with pytest.raises(TypeError, match="the option 'verify' takes a function"):
        json(verify="sha256")  # type: ignore[arg-type]
