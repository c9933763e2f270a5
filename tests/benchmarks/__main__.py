"""Compare miniexpress with its peers, on this machine and in the same minutes:

    python -m tests.benchmarks            all rows, in about 3 minutes
    python -m tests.benchmarks hello      one of them

prints a table of ratios in Markdown. Rounds are interleaved: in each, every peer is measured in turn.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from . import peers
from .figures import Figure, table
from .processes import PINNING
from .rows import ROWS


def main() -> int:
    options = parse_arguments()
    if shutil.which("wrk") is None:
        print("skipped: wrk, which makes the load, is not installed (Debian has a package of that name)")
        return 0
    peers.install()
    figures: list[Figure] = []
    with TemporaryDirectory() as folder:
        for name in options.rows or ROWS:
            place = Path(folder) / name
            place.mkdir()
            for figure in ROWS[name](options.rounds, place):
                print(figure.row(), file=sys.stderr, flush=True)
                figures.append(figure)
    print(f"\n{machine()}\n{', '.join(peers.versions())}\n{options.rounds} rounds; {PINNING}\n\n{table(figures)}")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
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
