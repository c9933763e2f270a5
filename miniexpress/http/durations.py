"""Durations: milliseconds, ``timedelta`` and words like ``'2 hours'``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

_WORDS = re.compile(r"(-?[0-9]*\.?[0-9]+) *([a-z]*)")
_MILLISECONDS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
    **dict.fromkeys(("w", "week", "weeks"), 604_800_000),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_557_600_000),
}


def parse_duration(option: str, duration: Any) -> float:
    """Parse the value of an option into milliseconds: ``'2 hours'`` → ``7200000``, ``timedelta(seconds=1)`` → ``1000``.

    A number is milliseconds already. Raises ``TypeError`` for anything else. As npm ms 2.1.
    """
    if isinstance(duration, timedelta):
        return duration / timedelta(milliseconds=1)
    if isinstance(duration, int | float):
        return duration
    found = _WORDS.fullmatch(duration.lower()) if isinstance(duration, str) else None
    unit = (found[2] or "ms") if found else ""
    if not found or unit not in _MILLISECONDS:
        raise TypeError(f"the option {option!r} is milliseconds, a timedelta or words like '2 hours', not {duration!r}")
    return float(found[1]) * _MILLISECONDS[unit]
