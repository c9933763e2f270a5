"""Options and fixtures of the Rosetta table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .case import all_cases
from .express_side import Kept, ask_express, record, recorded
from .served_files import prepare

if TYPE_CHECKING:
    from .python_side import PythonSide


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--live", action="store_true", help="ask Express again, and fail where its answers drifted")
    group.addoption("--record", action="store_true", help="record anew what Express answers")


@pytest.fixture(scope="session", autouse=True)
def served_files() -> None:
    prepare()


@pytest.fixture(scope="session")
def fresh(request: pytest.FixtureRequest, served_files: None) -> dict[str, Kept] | None:
    """Return what Express answers now, by area; None unless asked for with --live or --record."""
    recording = request.config.getoption("--record", default=False)
    if not recording and not request.config.getoption("--live", default=False):
        return None
    answers = ask_express(all_cases(), request.getfixturevalue("node_reference"))
    if recording:
        record(answers)
    return answers


@pytest.fixture(scope="session")
def expected(fresh: dict[str, Kept] | None) -> dict[str, Kept]:
    """Return what miniexpress is held to, by area."""
    return fresh or {area: recorded(area) for area in all_cases()}


@pytest.fixture(scope="session")
def python_side(served_files: None) -> Iterator[PythonSide]:
    from .python_side import PythonSide

    side = PythonSide()
    yield side
    side.close()
