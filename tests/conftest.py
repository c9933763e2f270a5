"""Fixtures of all tests: databases, apps in processes of their own, WSGI apps on a server, the installed package."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.installed import Installed, build_and_install
from tests.support.mongodb_servers import MongoDBServer, NxServer, SecantusServer
from tests.support.npm_reference import installed_reference
from tests.support.ports import free_port, responds
from tests.support.processes import App, user_environment, wait_until_ready
from tests.support.project import ROOT, locked

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

UNIT_TESTS = ROOT / "tests" / "unit"
OF_PROCESSES = [UNIT_TESTS / "development", UNIT_TESTS / "server", UNIT_TESTS / "test_embedded.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the unit tests as ``language``, but those of whole processes; in other folders, modules mark themselves."""
    for item in items:
        if item.path.is_relative_to(UNIT_TESTS) and not any(map(item.path.is_relative_to, OF_PROCESSES)):
            item.add_marker(pytest.mark.language)


@pytest.fixture(scope="session")
def running_nx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NxServer]:
    pytest.importorskip("nx_27017")
    server = NxServer(tmp_path_factory.mktemp("nx") / "data")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def running_secantus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecantusServer]:
    pytest.importorskip("secantus")
    server = SecantusServer(tmp_path_factory.mktemp("secantus") / "data")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def running_secantus_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecantusServer]:
    pytest.importorskip("secantus")
    server = SecantusServer(tmp_path_factory.mktemp("secantus-auth") / "data")
    try:
        server.require_password()
        yield server
    finally:
        server.kill()


@pytest.fixture
def nx_server(running_nx: NxServer) -> MongoDBServer:
    """Return nx-27017, with an empty database at ``.uri``. A test may kill it."""
    return running_nx.emptied()


@pytest.fixture
def secantus_server(running_secantus: SecantusServer) -> SecantusServer:
    """Return SecantusDB, with an empty database at ``.uri``. A test may kill it."""
    return running_secantus.emptied()


@pytest.fixture
def secantus_auth_server(running_secantus_auth: SecantusServer) -> SecantusServer:
    """Return SecantusDB with a password; ``.uri`` has it: ``mongodb://username:password@…`` (SCRAM-SHA-256)."""
    return running_secantus_auth.emptied()


@pytest.fixture(params=["nx_server", "secantus_server"], ids=["nx-27017", "SecantusDB"])
def mongodb(request: pytest.FixtureRequest) -> MongoDBServer:
    """Run the test on nx-27017, and again on SecantusDB."""
    server: MongoDBServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def node_reference() -> Path:
    """Return tests/reference, with the npm packages that its package.json pins installed."""
    try:
        return installed_reference()
    except LookupError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def whole_machine() -> Iterator[None]:
    """Run a test that loads all processors, or has deadlines under load, while no other such test runs."""
    with locked("whole-machine"):
        yield


@pytest.fixture
def run_app(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Start an app in a process, and wait until it responds at ``.url``; it is killed after the test.

    ``run_app("app.py", {"MONGODB_URI": uri})`` starts a Python script, as a user does, in a temporary folder.
    ``run_app(argv=["node", "tutorial.js"], cwd=node_reference)`` starts any command that reads PORT.
    """

    with ExitStack() as apps:

        def run(
            script: str | Path = "app.py",
            env: Mapping[str, str] | None = None,
            *,
            argv: list[str] | None = None,
            cwd: Path | None = None,
            path: str = "/",
        ) -> App:
            env = user_environment(**{"PORT": str(free_port()), **(env or {})})
            log = tmp_path / f"app-{len(list(tmp_path.glob('app-*.log')))}.log"
            app = App(argv or [sys.executable, str(ROOT / script)], env, cwd or tmp_path, log)
            apps.enter_context(closing(app))
            wait_until_ready(app, lambda: responds(app.url + path))
            return app

        yield run


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve a WSGI app until the test is over: ``serve(app)`` returns its URL, ``http://127.0.0.1:12345``."""
    from miniexpress.server import serving

    with ExitStack() as servers:

        def start(app: WSGIApplication, **options: Any) -> str:
            return servers.enter_context(serving(app, **options))

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the file of a certificate for 127.0.0.1, and that of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return cert, key


@pytest.fixture
def tls(certificate: tuple[str, str]) -> ssl.SSLContext:
    """Return the TLS context of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the package, and install it where nothing else is: once in a run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all processes of this run
    with locked("installed"):
        return build_and_install(folder / "installed")
