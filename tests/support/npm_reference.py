"""Express and its middleware from npm, in the folder tests/reference: what miniexpress is compared with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.project import ROOT, locked

REFERENCE = ROOT / "tests" / "reference"


def installed_reference() -> Path:
    """Return tests/reference, with the packages that its package.json pins; install them where they are missing.

    Raises LookupError with the reason why they cannot be had.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise LookupError("node is not installed")
    pins: dict[str, str] = json.loads((REFERENCE / "package.json").read_text())["dependencies"]
    with locked("npm-reference"):
        if any(_installed_version(name) != version for name, version in pins.items()):
            _install_reference()
    return REFERENCE


def _install_reference() -> None:
    command = ["npm", "install", "--no-package-lock"]
    try:
        npm = subprocess.run(command, cwd=REFERENCE, capture_output=True, text=True, timeout=100)
    except subprocess.TimeoutExpired as error:
        raise LookupError("npm install failed: it took more than 100 seconds") from error
    if npm.returncode:
        raise LookupError(f"npm install failed: {npm.stderr.strip()[-500:]}")


def _installed_version(name: str) -> str | None:
    manifest = REFERENCE / "node_modules" / name / "package.json"
    version: str | None = json.loads(manifest.read_text())["version"] if manifest.exists() else None
    return version
