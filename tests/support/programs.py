"""The programs that app.py is deployed with: web servers, their configuration files and their child processes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from string import Template

import pytest

from tests.support.project import ROOT

CONFIGURATIONS = ROOT / "tests" / "deployment"
PLACES = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"


def program(name: str) -> str:
    """Return the path of a program. Skip the test where it is not installed."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def configured(file: str, folder: Path, **values: object) -> Path:
    """Copy a file of tests/deployment into ``folder`` with its ``${names}`` filled in, and return that."""
    copy = folder / file
    copy.write_text(Template((CONFIGURATIONS / file).read_text()).substitute(values, folder=folder))
    return copy


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started and that still run."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
