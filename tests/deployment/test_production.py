"""MINIEXPRESS_ENV=production: what app.py refuses, and what it hides."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.support.ports import free_port
from tests.support.processes import App, user_environment
from tests.support.project import ROOT

Deploy = Callable[..., App]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"MONGODB_URI": "mongodb://127.0.0.1/test"}, "set SESSION_SECRET, since everybody knows the tutorial's"),
        ({"MONGODB_URI": "mongodb://127.0.0.1/test", "SESSION_SECRET": "secret token"}, "set SESSION_SECRET, since"),
        ({"MONGODB_URI": "mongodb://127.0.0.1/test", "SESSION_SECRET": ""}, "set SESSION_SECRET, since"),
        ({"SESSION_SECRET": "ours"}, "set MONGODB_URI, since the embedded database is for development"),
        ({"SESSION_SECRET": "ours", "MONGODB_URI": ""}, "set MONGODB_URI, since"),
    ],
)
def test_app_py_in_production_refuses_to_start_with_settings_for_development(
    env: dict[str, str], message: str, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    env = user_environment(MINIEXPRESS_ENV="production", PORT=str(free_port()), **env)
    app = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=30)
    assert (app.returncode, app.stdout) == (1, "")
    assert app.stderr.startswith(f"MINIEXPRESS_ENV=production: {message}")
    assert app.stderr.count("\n") == 1
    assert not (tmp_path / ".data").exists()


def test_app_py_in_production_caches_views_and_hides_tracebacks(deploy: Deploy, tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    shutil.copytree(ROOT / "views", tmp_path / "views")
    app = deploy("python app.py", cwd=tmp_path)
    before = requests.get(f"{app.url}/login").text
    (tmp_path / "views" / "login.html").write_text("{{ changed")
    (tmp_path / "views" / "index.html").write_text("{{ changed")
    assert requests.get(f"{app.url}/login").text == before
    (tmp_path / "views" / "account.html").write_text("{{ broken")
    browser = requests.Session()
    browser.post(f"{app.url}/login", {"email": "ada@example.com"}, allow_redirects=False)
    broken = browser.get(f"{app.url}/account")
    assert broken.status_code == 500
    assert "<pre>Internal Server Error</pre>" in broken.text
    assert "account.html, line 1" in app.output()
