"""TODO"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any


def _milliseconds(duration: Any) -> float:
    """A duration in milliseconds, given as such, as a timedelta, or in words: ``'2 hours'``. As npm ms 2.1."""
    if isinstance(duration, timedelta):
        return duration / timedelta(milliseconds=1)
    if isinstance(duration, int | float):
        return duration
    found = _DURATION.fullmatch(duration.lower()) if isinstance(duration, str) else None
    if not found or (found[2] or "ms") not in _UNITS:
        raise TypeError(f"the option 'max_age' is milliseconds, a timedelta or words like '2 hours', not {duration!r}")
    return float(found[1]) * _UNITS[found[2] or "ms"]


_DURATION = re.compile(r"(-?[0-9]*\.?[0-9]+) *([a-z]*)")
_YEAR = 365 * 86_400_000
_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
    **dict.fromkeys(("w", "week", "weeks"), 604_800_000),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_557_600_000),
}
