"""Measure how long the requests of a connection wait: for a database, another server, a lock, a file."""

from __future__ import annotations

import time  # whose thread_time WebAssembly lacks, where this is only imported

HANDOVER_SECONDS = 50e-6  # that it takes to pass a request on to another thread, about
WEIGHT = 1 / 4  # of the last measured request in the mean


class WaitMeter:
    """The mean of how long the measured requests waited: the time that passed, less the processor time of their thread.

    A request that waits for longer than a hand-over takes is served better in a thread of its own:
    ``is_worth_a_thread``.
    """

    def __init__(self) -> None:
        self.is_worth_a_thread = False
        self._mean_wait = 0.0  # seconds
        self._waited_before = 0.0  # seconds, from an arbitrary start: both clocks have their own

    def start(self) -> None:
        """Start the clocks for a request."""
        self._waited_before = time.monotonic() - time.thread_time()

    def stop(self) -> None:
        """Count the request that ``start`` was called for, in the same thread."""
        self.count(time.monotonic() - time.thread_time() - self._waited_before)

    def count(self, wait: float) -> None:
        """Count a request that waited for ``wait`` seconds."""
        self._mean_wait += (wait - self._mean_wait) * WEIGHT
        self.is_worth_a_thread = self._mean_wait > HANDOVER_SECONDS
