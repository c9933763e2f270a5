"""Compare miniexpress with its peers, on this machine and in the same minutes:

    python -m tests.benchmarks                  all rows, in about 8 minutes
    python -m tests.benchmarks sessions view    some of them

prints a table of ratios in Markdown, and one of how costs grow. Rounds are interleaved: in each, every peer is measured
in turn, on one core and on all of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from . import figures, growth, peers
from .figures import Figure
from .growth import Growth
from .processes import PINNING
from .rows import ROWS

T = TypeVar("T")


def main() -> int:
    options = parse_arguments()
    if shutil.which("wrk") is None:
        print("skipped: wrk, which makes the load, is not installed (Debian has a package of that name)")
        return 0
    peers.install()
    begun = time.monotonic()
    measured: list[Figure | Growth] = []
    failed: list[str] = []
    with TemporaryDirectory() as folder:
        for name in options.rows or ROWS:
            place = Path(folder) / name
            place.mkdir()
            try:
                for row in ROWS[name](options.rounds, place):
                    print(row.row(), file=sys.stderr, flush=True)
                    measured.append(row)
            except (RuntimeError, AssertionError) as error:  # an app that fails, or a machine too busy to tell
                failed.append(name)
                print(f"{name} is not measured: {error}", file=sys.stderr, flush=True)
    minutes = (time.monotonic() - begun) / 60
    print(f"\n{machine()}\n{', '.join(peers.versions())}\n{options.rounds} rounds, {minutes:.1f} minutes; {PINNING}")
    compared = [row for row in measured if isinstance(row, Figure)]
    growing = [row for row in measured if isinstance(row, Growth)]
    print_table("with a ratio to reach", figures.table, [row for row in compared if row.goal])
    print_table("without one", figures.table, [row for row in compared if not row.goal])
    print_table("how costs grow", growth.table, growing)
    return 1 if failed else 0


def print_table(title: str, table: Callable[[list[T]], str], rows: list[T]) -> None:
    if rows:
        print(f"\n{title}\n\n{table(rows)}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="row", help=", ".join(ROWS))
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (5)")
    options = parser.parse_args()
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return options


def machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(": ")[2] if models else platform.processor()
    busy = os.getloadavg()[0]  # about 2 of it are ours
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; load average {busy:.1f}"


if __name__ == "__main__":
    sys.exit(main())
