"""`python -m tests.fuzz MINUTES` runs the targets in turn, at random, and ends with status 1 when one was broken."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from time import monotonic, thread_time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .targets import TARGETS


class Tally:
    """Counts of a target's inputs and failures."""

    inputs = 0
    failures = 0
    slowest = 0.0  # seconds of processor time

    def run(self, values: st.SearchStrategy[tuple[Any, ...]], check: Callable[..., None]) -> None:
        """Check a thousand inputs, and print the one that breaks it."""

        @settings(max_examples=1000, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(values)
        def run(drawn: tuple[Any, ...]) -> None:
            begun = thread_time()
            check(*drawn)
            self.inputs += 1
            self.slowest = max(self.slowest, thread_time() - begun)

        try:
            run()
        except Exception:
            self.failures += 1
            traceback.print_exc()


def main(minutes: float) -> int:
    tallies = {name: Tally() for name in TARGETS}
    end = monotonic() + minutes * 60
    while monotonic() < end:
        for name, target in TARGETS.items():
            tallies[name].run(*target)
    for name, tally in tallies.items():
        print(f"{name}: {tally.inputs:,} inputs, {tally.failures} failures, the slowest {tally.slowest * 1000:.0f} ms")
    return 1 if any(tally.failures for tally in tallies.values()) else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
