"""The package built as wheel and sdist, and the wheel installed into an empty virtual environment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import ROOT

NO_INDEX = ("Failed to establish a new connection", "Temporary failure in name resolution", "ConnectTimeoutError")


@dataclass(frozen=True)
class Installed:
    """The environment's ``python``, the names of all ``packages`` in it, and the files that were built."""

    python: Path
    packages: set[str]
    wheel: Path
    sdist: Path


def build_and_install(folder: Path) -> Installed:
    """Build and install into ``folder``, which the processes of a test run share: only the first one does the work."""
    python, packages = folder / "venv" / "bin" / "python", folder / "packages.txt"
    if not packages.exists():
        _build_and_install(folder, python)
        packages.write_text(pip(python, "list", "--format=freeze").stdout)
    (wheel,), (sdist,) = ((folder / "dist").glob(pattern) for pattern in ("*.whl", "*.tar.gz"))
    listed = packages.read_text().split()
    return Installed(python, {line.partition("==")[0].lower() for line in listed}, wheel, sdist)


def _build_and_install(folder: Path, python: Path) -> None:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert built.returncode == 0, built.stdout + built.stderr
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    install(python, *map(str, (folder / "dist").glob("*.whl")))


def install(python: Path, *packages: str) -> None:
    """Install packages by pip. Skip the test where no package index can be reached."""
    done = pip(python, "install", "--quiet", *packages)
    if any(sign in done.stderr for sign in NO_INDEX):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr


def pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--python", str(python), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110)
