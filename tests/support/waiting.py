"""Waiting for a condition, and measuring the processor time of a function."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WAITING = {"select", "wait"}  # the functions of the standard library in which a thread waits


def wait_for(look: Callable[[], T], what: str, seconds: float = 20.0) -> T:
    """Call ``look`` until it returns something true, and return that. Raises AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not in {seconds:.0f} seconds"
        time.sleep(0.02)
    return seen


def wait_for_idle_threads() -> None:
    """Wait until each other thread waits for something, without Python's lock.

    Before a fork that Python is not told of: where a thread wants the lock just then, nobody in the child can have it.
    """
    wait_for(lambda: all(name in WAITING for name in _functions_of_other_threads()), "all other threads wait")


def _functions_of_other_threads() -> list[str]:
    frames = sys._current_frames()
    return [frame.f_code.co_name for thread, frame in frames.items() if thread != threading.get_ident()]


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
