"""The wheel and the sdist: what is in them, and that they run with pymongo alone."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import requests

from tests.support.documents import blocks
from tests.support.installed import Installed
from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.project import ROOT


def test_the_wheel_installs_pymongo_and_nothing_else(installed: Installed) -> None:
    assert installed.packages == {"miniexpress", "pymongo", "dnspython"}  # the last is pymongo's own


def test_the_wheel_is_the_package_and_nothing_else(installed: Installed) -> None:
    names = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "miniexpress").rglob("*.py")}
    assert names == {*files, "miniexpress/py.typed"}


def test_the_sdist_has_all_that_a_clone_has(installed: Installed) -> None:
    with tarfile.open(installed.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "pyproject.toml", "app.py", "views/login.html", "tests/http/test_app.py"} <= names
    assert {"miniexpress/README.md", "miniexpress/sessions/README.md", "tests/conformance/README.md"} <= names
    assert not [name for name in names if ".venv" in name or "node_modules" in name or ".data" in name]


def test_the_readmes_first_app_runs(installed: Installed, run_app: Callable[..., App], tmp_path: Path) -> None:
    port = free_port()
    source = blocks("python", "miniexpress")[0].text
    assert "app.listen(3000)" in source
    (tmp_path / "hello.py").write_text(source.replace("app.listen(3000)", f"app.listen({port})"))
    app = run_app(argv=[str(installed.python), "hello.py"], cwd=tmp_path, env={"PORT": str(port), "PYTHONPATH": ""})
    assert requests.get(f"{app.url}/hello/W%C3%B6rld").json() == {"hello": "Wörld"}
    assert app.interrupt() == 0


def test_importing_the_installed_package_loads_neither_pymongo_nor_asyncio(
    installed: Installed, tmp_path: Path
) -> None:
    code = (
        "import sys, miniexpress; print(sorted({'pymongo', 'bson', 'asyncio', 'pytest', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([installed.python, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
