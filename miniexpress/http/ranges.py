"""The Range header: the byte ranges of a body that a request asks for (RFC 9110 section 14)."""

from __future__ import annotations

from typing import Final, Literal

from .headers import MAX_HEADER_LENGTH

UNSATISFIABLE: Final = -1
"""No range of the header begins within the body. ``req.range`` returns these numbers, as in Express."""
MALFORMED: Final = -2
"""The header cannot be read: all of the body is sent."""


class Ranges(list[tuple[int, int]]):
    """Requested ranges, each ``(first, last)``, both inclusive; ``type`` is their unit."""

    type = "bytes"


def parse_range(size: int, header: str, combine: bool = False) -> Ranges | Literal[-1, -2]:
    """Parse a Range header for a body of ``size`` bytes: ``1000, 'bytes=0-4,-100'`` → ``[(0, 4), (900, 999)]``.

    Return ``UNSATISFIABLE`` or ``MALFORMED``, which a header of more than 4 KiB counts as (RFC 9110 section 17.15).
    ``combine`` merges ranges that overlap or touch. As npm range-parser 1.3.0, but for that limit.
    """
    unit, equals, specs = header.partition("=")
    if not equals or len(header) > MAX_HEADER_LENGTH:
        return MALFORMED
    ranges = Ranges()
    ranges.type = unit
    for spec in specs.split(","):
        first, dash, last = (part.strip() for part in spec.partition("-"))
        if not dash or not (first or last).isdecimal() or not (last or first).isdecimal():
            return MALFORMED
        start = int(first) if first else size - int(last)
        end = min(int(last), size - 1) if first and last else size - 1
        if 0 <= start <= end:
            ranges.append((start, end))
    if combine:
        ranges[:] = _merge_ranges(ranges)
    return ranges or UNSATISFIABLE


def _merge_ranges(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge ranges that overlap or touch, in order of request: ``(5, 9), (20, 29), (0, 4)`` → ``(0, 9), (20, 29)``."""
    merged: list[tuple[int, int, int]] = []  # (index in the header, first, last)
    for index, (start, end) in sorted(enumerate(ranges), key=lambda numbered: numbered[1][0]):
        if not merged or start > merged[-1][2] + 1:
            merged.append((index, start, end))
        elif end > merged[-1][2]:
            merged[-1] = (min(merged[-1][0], index), merged[-1][1], end)
    return [(start, end) for _, start, end in sorted(merged)]
