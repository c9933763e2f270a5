"""Async handlers on the WSGI servers of others, with clients that are made at import and belong to one event loop."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from tests.support.documents import blocks
from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.programs import configured
from tests.support.waiting import wait_for

Deploy = Callable[..., App]

APP = """
import asyncio, os
import httpx
from miniexpress import compression, express
from pymongo import AsyncMongoClient

db = AsyncMongoClient(os.environ["MONGODB_URI"]).get_default_database()
client = httpx.AsyncClient()
app = express()


@app.use
async def outer(req, res, next):
    await next()
    if not res.started:
        res.set("X-Worker", f"{os.getpid()}")


@app.get("/user")
async def user(req, res):
    found, answer = await asyncio.gather(
        db.users.find_one({"email": "ada@example.com"}), client.get(os.environ["ELSEWHERE"])
    )
    res.send(f"{found['name']} {answer.text}")


app.use("/compressed", compression(threshold=0))


@app.get("/compressed")
@app.get("/stream")
async def stream(req, res):
    async def chunks():
        for number in range(3):
            await asyncio.sleep(0)
            yield b"%d " % number

    res.end(chunks())


@app.get("/for-ever")
async def for_ever(req, res):
    async def chunks():
        try:
            while True:
                await asyncio.sleep(0)
                yield b"x" * 10_000
        finally:
            await asyncio.sleep(0)
            print("closed", flush=True)

    res.end(chunks())


@app.get("/breaks")
async def breaks(req, res):
    async def chunks():
        yield b"x" * 10_000
        raise ValueError("it breaks")

    res.end(chunks())
"""
WARMED_UP = """  # the loop is started before the server forks

from tests.support.served_folder import call
from tests.support.waiting import wait_for_idle_threads

call(app, "/stream")
wait_for_idle_threads()  # uWSGI forks without a word to Python
"""

COMMANDS = [
    *blocks("sh", "Deployment")[0].text.splitlines(),
    "gunicorn --bind 127.0.0.1:8000 --workers 2 app:app",
    "uwsgi --http-socket 127.0.0.1:8000 --master --processes 2 --need-app --die-on-term"
    " --add-header Connection:close --module app:app",
]


@pytest.fixture
def elsewhere() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("is_warmed_up", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
def test_async_handlers_work_with_clients_made_at_import_on_each_wsgi_server(
    command: str, is_warmed_up: bool, deploy: Deploy, elsewhere: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(APP + WARMED_UP * is_warmed_up)
    app = deploy(command, cwd=tmp_path, ELSEWHERE=elsewhere, PYTHONPATH=str(tmp_path))
    check(app)
    app.terminate()
    output = app.output()
    assert output.count("Traceback") == output.count("ValueError: it breaks"), output
    assert "never" not in output, output
    assert "destroyed" not in output, output


def test_async_handlers_work_with_clients_made_at_import_on_apache_with_mod_wsgi(
    deploy: Deploy, elsewhere: str, public_folder: Path
) -> None:
    if not Path("/usr/lib/apache2/modules/mod_wsgi.so").exists():
        pytest.skip("Debian's libapache2-mod-wsgi-py3 is not installed")
    (public_folder / "app.py").write_text(APP)
    packages = ["pymongo", "bson", "gridfs", "dns", "httpx", "httpcore", "h11", "anyio", "idna", "certifi"]
    for package in ["miniexpress", *packages]:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations is not None
        shutil.copytree(spec.submodule_search_locations[0], public_folder / "lib" / package)
    spec = find_spec("typing_extensions")
    assert spec is not None
    assert spec.origin is not None
    shutil.copy(spec.origin, public_folder / "lib")
    port = free_port()
    site = blocks("apache", "Apache")[0].text.replace("/srv/app", str(public_folder))
    configuration = configured("apache.conf", public_folder, port=port, site=site)
    app = deploy(f"apache2 -DFOREGROUND -f {configuration}", port=port, ELSEWHERE=elsewhere)
    check(app)
    app.terminate()


def check(app: App) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.get(f"{app.url}/user", timeout=20), range(40)))
    assert {answer.text for answer in answers} == {"Ada hello"}
    assert all(answer.headers["X-Worker"] for answer in answers)
    for path in ("/stream", "/compressed"):
        assert requests.get(app.url + path, timeout=20).content == b"0 1 2 "
        assert requests.head(app.url + path, timeout=20).content == b""
    with suppress(requests.exceptions.RequestException):  # uWSGI ends the body as if that were all
        assert requests.get(f"{app.url}/breaks", timeout=20).content == b"x" * 10_000
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as connection:
        connection.sendall(b"GET /for-ever HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(10)
    wait_for(lambda: "closed" in app.output(), "the end of what the client does not read")
