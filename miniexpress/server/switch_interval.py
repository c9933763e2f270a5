"""Lengthen the interpreter's switch interval while very many clients disconnect at once.

This is the one place where the server changes the interpreter for the whole process. When thousands of clients leave at
once, their threads all wait for the GIL, and each wakes up every 5 ms (``sys.getswitchinterval()``) to ask for it. The
processors then do little else for seconds.

Measured with 2,000 idle connections that closed at once beside 64 busy ones, on 2 processors with Python 3.11
(``tests/benchmarks/idle.py``): another client waited for up to 2.9 s with the usual interval, and for up to 0.3 s with
this one.
"""

from __future__ import annotations

import sys
from threading import Lock

BURST_SWITCH_INTERVAL = 0.1  # seconds


class SwitchInterval:
    """The interpreter's switch interval, which can be lengthened, and restored to what the app had made it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._usual: float | None = None  # seconds; None while it is not lengthened

    def lengthen(self) -> None:
        """Set it to ``BURST_SWITCH_INTERVAL``, unless it is so already."""
        with self._lock:
            if self._usual is None:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(BURST_SWITCH_INTERVAL)

    def restore(self) -> None:
        """Set it to what it was before ``lengthen``, if that was called."""
        with self._lock:
            if self._usual is not None:
                sys.setswitchinterval(self._usual)
                self._usual = None


SWITCH_INTERVAL = SwitchInterval()  # one for all servers of the process
