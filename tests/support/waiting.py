"""Waiting for a condition, and measuring the processor time of a function."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 20.0) -> T:
    """Call ``look`` until it returns something true, and return that. Raises AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not in {seconds:.0f} seconds"
        time.sleep(0.02)
    return seen


def processor_time(work: Callable[[], object], fine: float = 0.008) -> float:
    """Return the processor time of ``work()`` in seconds: of the first run below ``fine``, else of the best of 100.

    Many runs, since other load on the machine comes in waves that last longer than one. Tracing, for coverage, is off
    meanwhile: it would take several times as long as the work itself.
    """
    best, trace = 1.0, sys.gettrace()
    sys.settrace(None)
    try:
        for _ in range(100):
            start = time.thread_time()
            work()
            best = min(best, time.thread_time() - start)
            if best < fine:
                break
    finally:
        sys.settrace(trace)
    return best
