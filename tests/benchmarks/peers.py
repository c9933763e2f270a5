"""The peers: installed into a folder of the benchmark's own, which git ignores, and into tests/reference for Node's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.npm_reference import REFERENCE, installed_reference

HERE = Path(__file__).parent
FOLDER = HERE / ".peers"
PYTHON = FOLDER / "bin" / "python"
GUNICORN = FOLDER / "bin" / "gunicorn"
REQUIREMENTS = HERE / "requirements.txt"


def install() -> None:
    """Have the pinned packages there. Raises LookupError for no Node, CalledProcessError where an install fails."""
    installed_reference()
    noted = FOLDER / "installed.txt"
    if noted.exists() and noted.read_text() == REQUIREMENTS.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True, timeout=100)
    subprocess.run([str(PYTHON), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS)], check=True, timeout=300)
    noted.write_text(REQUIREMENTS.read_text())


def versions() -> list[str]:
    """What is compared, each with its version."""
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    npm = json.loads((REFERENCE / "package.json").read_text())["dependencies"]
    python = REQUIREMENTS.read_text().split()
    return [f"Python {sys.version.split()[0]}", f"Node {node}", *map(" ".join, npm.items()), *python]
