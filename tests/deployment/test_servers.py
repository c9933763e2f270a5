"""app:app on the WSGI servers of others, each with the tutorial's whole flow."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from tests.support.documents import blocks
from tests.support.login_flow import is_logged_in, walk_through_login
from tests.support.ports import free_port
from tests.support.processes import App, is_alive
from tests.support.programs import children, configured
from tests.support.project import ROOT
from tests.support.waiting import wait_for

Deploy = Callable[..., App]
COMMANDS = blocks("sh", "Deployment")[0].text.splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_login_and_logout_work_on_each_wsgi_server_of_the_deployment_document(command: str, deploy: Deploy) -> None:
    app = deploy(command)
    check_the_flow(app)
    app.terminate()
    assert "Traceback" not in app.output()


def test_login_and_logout_work_on_apache_with_mod_wsgi(deploy: Deploy, public_folder: Path) -> None:
    if not Path("/usr/lib/apache2/modules/mod_wsgi.so").exists():
        pytest.skip("Debian's libapache2-mod-wsgi-py3 is not installed")
    shutil.copy(ROOT / "app.py", public_folder)
    shutil.copytree(ROOT / "views", public_folder / "views")
    for package in ("miniexpress", "pymongo", "bson", "gridfs", "dns"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        shutil.copytree(spec.submodule_search_locations[0], public_folder / "lib" / package)
    port = free_port()
    site = blocks("apache", "Apache")[0].text.replace("/srv/app", str(public_folder))
    configuration = configured("apache.conf", public_folder, port=port, site=site)
    app = deploy(f"apache2 -DFOREGROUND -f {configuration}", port=port)
    check_the_flow(app)
    app.terminate()
    assert "Traceback" not in app.output()


def check_the_flow(app: App) -> None:
    walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    odd = requests.get(f"{app.url}/%C3%BC%2F..%2Fx?a=%20", headers={"Connection": "close"})
    assert (odd.status_code, "Cannot GET /%C3%BC%2F..%2Fx" in odd.text) == (404, True), odd.text
    assert requests.head(f"{app.url}/login").status_code == 200


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(("gunicorn", "uwsgi"))])
def test_workers_share_the_embedded_database(command: str, deploy: Deploy, tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    shutil.copytree(ROOT / "views", tmp_path / "views")
    env = {"MONGODB_URI": "", "MINIEXPRESS_ENV": "development"}
    app = deploy(command, cwd=tmp_path, **env)
    browser = walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    browser.close()  # no connection to a worker that will be killed
    browser.headers["Connection"] = "close"
    lock = tmp_path / ".data" / "embedded.lock"
    database = int(lock.read_text().split()[1])  # of a master that loads the app itself
    for worker in {*children(app.pid)} - {database}:
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda worker=worker: not is_alive(worker), "the end of a worker")  # type: ignore[misc]
        wait_for(lambda: browser.get(app.url).ok, "the database, taken over where it was a worker's child")
        assert is_logged_in(browser, app.url)
    app.terminate()
