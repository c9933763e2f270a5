"""miniexpress answers as Express does, to the byte; and Express still answers as recorded."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .case import Case, Request, all_cases
from .differences import DIFFERENCES
from .express_side import Kept, recorded, recorded_answer
from .wire import Answer, shown

if TYPE_CHECKING:
    from .python_side import PythonSide

pytestmark = pytest.mark.filterwarnings("ignore:no request matches the path")

README = Path(__file__).parent / "README.md"
TABLE = all_cases()
PAIRS = [
    pytest.param(area, case, request, id=f"{area}-{case.name}-{request.name}")
    for area, cases in TABLE.items()
    for case in cases
    for request in case.requests
]


@pytest.mark.parametrize(("area", "case", "sent"), PAIRS)
def test_miniexpress_answers_as_express(
    area: str, case: Case, sent: Request, expected: dict[str, Kept], python_side: PythonSide
) -> None:
    express = recorded_answer(expected[area], case, sent)
    ours = python_side.ask(area, case, sent)
    if difference := DIFFERENCES.get(f"{area}-{case.name}-{sent.name}"):
        assert "\n".join(ours.lines()).strip() == difference.answer.strip()
        assert ours.lines() != express.lines(), "no difference any more: take it off the list"
        assert f"- {difference.because}" in README.read_text()
    elif ours.lines() != express.lines():
        pytest.fail(
            f"{area}-{case.name}\n\n"
            f"sent:\n{_indented(shown(sent.data).splitlines())}\n"
            f"Express answered:\n{_indented(express.lines())}\n"
            f"miniexpress answered:\n{_indented(ours.lines())}\n"
            f"the difference (- Express, + miniexpress):\n{_difference(express, ours)}",
            pytrace=False,
        )


def test_express_still_answers_as_recorded(fresh: dict[str, Kept] | None) -> None:
    if fresh is None:
        pytest.skip("asks Express itself: give --live")
    drifts = [drift for area, cases in TABLE.items() for drift in _drifts(area, cases, recorded(area), fresh[area])]
    if drifts:
        pytest.fail("\n".join(drifts), pytrace=False)


def _drifts(area: str, cases: list[Case], kept: Kept, fresh: Kept) -> list[str]:
    drifts = []
    for case in cases:
        for sent in case.requests:
            before, now = recorded_answer(kept, case, sent), recorded_answer(fresh, case, sent)
            if before.lines() != now.lines():
                title = f"{area}-{case.name}-{sent.name} (- recorded, + now):"
                drifts.append(f"{title}\n{_difference(before, now)}")
    changed = _changed_versions(kept, fresh) or "none"
    return [f"packages that changed since {area} was recorded: {changed}", *drifts] if drifts else []


def _difference(before: Answer, after: Answer) -> str:
    lines = difflib.unified_diff(before.lines(), after.lines(), lineterm="", n=0)
    return _indented([line for line in lines if not line.startswith(("---", "+++", "@@"))])


def _changed_versions(before: Kept, after: Kept) -> str:
    old, new = ({"node": kept["node"], **kept["packages"]} for kept in (before, after))
    return ", ".join(
        f"{name} {old.get(name)} -> {new.get(name)}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)
    )


def _indented(lines: list[str]) -> str:
    return "".join(f"    {line}\n" for line in lines)
