"""CPython 3.14, in WebAssembly (npm pyodide 314.0.7): no threads and no sockets, so that apps are called in process."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import ROOT

PYODIDE = "pyodide@314.0.7"
# Pyodide itself warns when it starts, so that ``-W error`` is what follows.
PROGRAM = """
import json
import sys
import warnings
from wsgiref.util import setup_testing_defaults

warnings.simplefilter("error")
sys.dont_write_bytecode = True
sys.path.insert(0, "/project")

from miniexpress import express, session

app = express()
app.set("views", "/project/views")
app.use(session(secret="keyboard cat", resave=False, save_uninitialized=False))


@app.get("/count/:step")
def count(req, res):
    req.session.count = (req.session.count or 0) + int(req.params.step)
    res.json({"count": req.session.count})


@app.get("/page")
def page(req, res):
    res.render("index", {})


@app.get("/file")
def file(req, res):
    res.send_file("/project/LICENSE")


def call(path, cookie=""):
    environ = {"PATH_INFO": path, "HTTP_COOKIE": cookie}
    setup_testing_defaults(environ)
    started = []
    body = app(environ, lambda status, headers, exc_info=None: started.extend([status, dict(headers)]))
    text = b"".join(body).decode()
    getattr(body, "close", lambda: None)()
    return *started, text


status, headers, first = call("/count/2")
responses = [call("/count/3", headers["Set-Cookie"].partition(";")[0]), call("/page"), call("/file"), call("/missing")]
print(json.dumps({
    "version": sys.version_info[:2],
    "first": first,
    "statuses": [status, *(response[0] for response in responses)],
    "texts": [response[2] for response in responses],
}))
"""


@pytest.fixture
def pyodide(tmp_path: Path) -> Path:
    """Install Pyodide from npm; return its folder."""
    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    command = ["npm", "install", "--prefix", str(tmp_path), "--no-package-lock", "--no-audit", "--no-fund", PYODIDE]
    try:
        npm = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{PYODIDE} is missing: npm install took more than 60 seconds")
    if npm.returncode:
        pytest.skip(f"{PYODIDE} is missing: {npm.stderr.strip()[-500:]}")
    return tmp_path / "node_modules" / "pyodide"


def test_python_3_14_imports_the_package_and_calls_an_app_in_process_with_warnings_as_errors(
    pyodide: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = ["node", str(Path(__file__).with_name("pyodide.mjs")), str(pyodide), str(ROOT), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-5000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["version"] == [3, 14]
    assert seen["statuses"] == ["200 OK", "200 OK", "200 OK", "200 OK", "404 Not Found"]
    assert json.loads(seen["first"]) == {"count": 2}
    count, page, license_, _ = seen["texts"]
    assert json.loads(count) == {"count": 5}
    assert "</html>" in page
    assert license_ == (ROOT / "LICENSE").read_text()
