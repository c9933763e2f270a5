"""A figure, ours over a peer's, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MOST_STRANGERS = 0.1


@dataclass(frozen=True)
class Figure:
    """What was measured in each round, ours and a peer's; the ratio of each round is of two moments next to each other.

    `least` or `most` is the ratio to reach, None for one that is there to compare. `strangers` is the part of the
    server's core that other processes had. Beside them the scheduler gives a server of many threads more turns than one
    of a single thread, and each turn costs that one more: neither rates nor CPU time then tell what is reached.
    """

    work: str
    peer: str
    measure: str
    ours: Sequence[float]
    theirs: Sequence[float]
    least: float | None = None
    most: float | None = None
    strangers: float = 0

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    def row(self) -> str:
        goal = f"at least {self.least:g}" if self.least else f"under {self.most:g}" if self.most else ""
        reached = self.ratio >= self.least if self.least else self.ratio < self.most if self.most else None
        verdict = {True: "yes", False: "no", None: ""}[reached]
        if self.strangers > MOST_STRANGERS:
            verdict = f"not measured: others had {self.strangers:.0%} of the core"
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        return f"| {self.work} | {self.peer} | {self.measure} | {self.ratio:.2f} ({spread}) | {goal} | {verdict} |"


def table(figures: Iterable[Figure]) -> str:
    """Markdown; each ratio is the median of the rounds, with the lowest and the highest behind it."""
    head = ["| work | peer | ratio of | ratio | to reach | reached |", "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(figure.row() for figure in figures)])
