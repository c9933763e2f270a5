"""A figure, ours over a peer's, and the table of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MOST_STRANGERS = 0.1


@dataclass(frozen=True)
class Figure:
    """What was measured in each round, ours and a peer's; the ratio of each round is of two moments next to each other.

    ``least`` or ``most`` is the ratio to reach, None for one that is there to compare. ``strangers`` is the part of the
    cores that processes of others had. Beside them the scheduler gives a server of many threads more turns than one
    of a single thread, and each turn costs that one more: neither rates nor CPU time then tell for certain what is
    reached. ``remark`` is for the reader of the verdict.
    """

    work: str
    peer: str
    measure: str
    ours: Sequence[float]
    theirs: Sequence[float]
    least: float | None = None
    most: float | None = None
    strangers: float = 0
    remark: str = ""

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def goal(self) -> str:
        return f"at least {self.least:g}" if self.least else f"at most {self.most:g}" if self.most else ""

    @property
    def verdict(self) -> str:
        reached = self.ratio >= self.least if self.least else self.ratio <= self.most if self.most else None
        answer = {True: "yes", False: "no", None: ""}[reached]
        noise = f"unclear: others had {self.strangers:.0%} of the cores" if self.strangers > MOST_STRANGERS else ""
        return "; ".join(part for part in (answer, self.remark, noise) if part)

    def row(self) -> str:
        spread = f"{self.ratio:.2f} ({min(self.ratios):.2f} to {max(self.ratios):.2f})"
        cells = [self.work, self.peer, self.measure, number(median(self.ours)), number(median(self.theirs)), spread]
        return f"| {' | '.join([*cells, self.goal, self.verdict])} |"


def number(value: float) -> str:
    """Return three digits of a number: 12345.6 → "12,346", 0.98765 → "0.988"."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Markdown; each ratio is the median of the rounds, with the lowest and the highest behind it."""
    head = [
        "| work | peer | of | ours | theirs | ratio | to reach | reached |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(figure.row() for figure in figures)])
