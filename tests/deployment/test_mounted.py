"""An app that a WSGI server of others has below a path: what it sees there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.programs import configured, program
from tests.support.project import ROOT

MOUNTED = """
from miniexpress import express

app = express()


@app.get("/{*rest}")
def show(req, res):
    res.json([req.base_url, req.url, req.original_url, req.query.a])
"""
MOUNT = "/caf%C3%A9"
SEEN = {
    MOUNT: [MOUNT, "/", MOUNT, None],
    f"{MOUNT}?a=1": [MOUNT, "/?a=1", f"{MOUNT}?a=1", "1"],
    f"{MOUNT}/": [MOUNT, "/", f"{MOUNT}/", None],
    f"{MOUNT}/%C3%BC%2Fx?a=%20": [MOUNT, "/%C3%BC%2Fx?a=%20", f"{MOUNT}/%C3%BC%2Fx?a=%20", " "],
}
ABSOLUTE = {f"http://x{MOUNT}/y": [MOUNT, "http://x/y", f"http://x{MOUNT}/y", None]}  # uWSGI finds no mount in it


def check(app: App, expected: dict[str, Any]) -> None:
    assert {target: seen(app, target) for target in expected} == expected


def seen(app: App, target: str) -> Any:
    with closing(HTTPConnection("127.0.0.1", app.port, timeout=10)) as connection:
        connection.request("GET", target)
        return json.loads(connection.getresponse().read())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mounted.py").write_text(MOUNTED)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn --bind 127.0.0.1:{port} mounted:app",
        "uwsgi --http-socket 127.0.0.1:{port} --need-app --die-on-term --manage-script-name --mount /café=mounted:app",
    ],
)
def test_an_app_below_a_path_sees_it_as_its_base_url_on(
    command: str, folder: Path, run_app: Callable[..., App]
) -> None:
    port = free_port()
    name, *arguments = command.format(port=port).split()
    app = run_app(
        argv=[program(name), *arguments],
        env={"PORT": str(port), **({"SCRIPT_NAME": MOUNT} if name == "gunicorn" else {})},
        cwd=folder,
        path=MOUNT,
    )
    check(app, SEEN if name == "uwsgi" else SEEN | ABSOLUTE)


def test_an_app_below_a_path_sees_it_as_its_base_url_on_apache_with_mod_wsgi(
    run_app: Callable[..., App], public_folder: Path
) -> None:
    if not Path("/usr/lib/apache2/modules/mod_wsgi.so").exists():
        pytest.skip("Debian's libapache2-mod-wsgi-py3 is not installed")
    (public_folder / "mounted.py").write_text(MOUNTED)
    shutil.copytree(ROOT / "miniexpress", public_folder / "miniexpress")
    site = (
        "AllowEncodedSlashes NoDecode\nWSGICallableObject app\n"
        f'WSGIDaemonProcess app python-path="{public_folder}"\nWSGIProcessGroup app\nWSGIApplicationGroup %{{GLOBAL}}\n'
        f'WSGIScriptAlias "/café" "{public_folder}/mounted.py"\n'
        f"<Directory {public_folder}>\n    Require all granted\n</Directory>"
    )
    port = free_port()
    configuration = configured("apache.conf", public_folder, port=port, site=site)
    app = run_app(
        argv=[program("apache2"), "-DFOREGROUND", "-f", str(configuration)],
        env={"PORT": str(port)},
        cwd=public_folder,
        path=MOUNT,
    )
    check(app, SEEN | ABSOLUTE)
