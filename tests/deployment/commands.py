"""Finding the programs that a deployment needs, and writing their configuration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from string import Template

import pytest

HERE = Path(__file__).parent
PLACES = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"


def program(name: str) -> str:
    """The path of a program; skips where it is not installed."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def configured(file: str, folder: Path, **values: object) -> Path:
    """A configuration file beside this one, copied into `folder` with its ${names} filled in."""
    copy = folder / file
    copy.write_text(Template((HERE / file).read_text()).substitute(values, folder=folder))
    return copy


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
