"""TODO"""

from __future__ import annotations

from typing import Literal

from .headers import MAX_HEADER_LENGTH


class Ranges(list[tuple[int, int]]):
    """The ranges that were asked for, each ``(first, last)``, both included; ``type`` is their unit."""

    type = "bytes"


def parse_range(size: int, header: str, combine: bool = False) -> Ranges | Literal[-1, -2]:
    """The ranges of a Range header that lie within ``size`` bytes; -1 if none does, -2 if malformed or over 4 KiB.

    ``combine`` merges those that overlap or touch. As npm range-parser 1.3.0, but for the limit (RFC 9110, 17.15).
    """
    unit, equals, specs = header.partition("=")
    if not equals or len(header) > MAX_HEADER_LENGTH:
        return -2
    ranges = Ranges()
    ranges.type = unit
    for spec in specs.split(","):
        first, dash, last = (part.strip() for part in spec.partition("-"))
        if not dash or not (first or last).isdecimal() or not (last or first).isdecimal():
            return -2
        start = int(first) if first else size - int(last)
        end = min(int(last), size - 1) if first and last else size - 1
        if 0 <= start <= end:
            ranges.append((start, end))
    if combine:
        ranges[:] = _combined(ranges)
    return ranges or -1


def _combined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and adjacent ranges as one, in the order in which they were asked for."""
    merged: list[tuple[int, int, int]] = []
    for place, (start, end) in sorted(enumerate(ranges), key=lambda numbered: numbered[1][0]):
        if not merged or start > merged[-1][2] + 1:
            merged.append((place, start, end))
        elif end > merged[-1][2]:
            merged[-1] = (min(merged[-1][0], place), merged[-1][1], end)
    return [(start, end) for _, start, end in sorted(merged)]
