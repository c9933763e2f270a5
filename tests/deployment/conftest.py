"""Fixtures of app.py in production: run by a WSGI server's own command, on a database with a user."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.login_flow import add_user
from tests.support.mongodb_servers import SecantusServer
from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.programs import program
from tests.support.project import ROOT


@pytest.fixture
def production(secantus_server: SecantusServer) -> dict[str, str]:
    """Return the environment of a deployed app.py, whose database has a user to log in as."""
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    return {
        "MINIEXPRESS_ENV": "production",
        "MONGODB_URI": secantus_server.uri,
        "SESSION_SECRET": "one that nobody knows",
    }


@pytest.fixture
def deploy(run_app: Callable[..., App], production: dict[str, str]) -> Callable[..., App]:
    """Run a command beside app.py, on a free port: ``deploy("gunicorn --bind 127.0.0.1:8000 app:app")``."""

    def start(command: str, cwd: Path = ROOT, port: int | None = None, **env: str) -> App:
        port = port or free_port()
        name, *arguments = command.replace("127.0.0.1:8000", f"127.0.0.1:{port}").split()
        return run_app(argv=[program(name), *arguments], env={**production, "PORT": str(port), **env}, cwd=cwd)

    return start


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Make a temporary folder that the user of a web server can read too, unlike ``tmp_path``."""
    folder = Path(tempfile.mkdtemp(prefix="miniexpress-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
