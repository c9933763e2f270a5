"""The servers under test, and the load: each on a core of its own, the same for every peer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.npm_reference import REFERENCE
from tests.support.ports import free_port, responds
from tests.support.processes import App, user_environment, wait_until_ready

from . import peers

APPS = Path(__file__).parent / "apps"


def _cores() -> list[int]:
    """The cores that this process may use; none where it cannot be bound to one of them."""
    can_bind = shutil.which("taskset") is not None and hasattr(os, "sched_getaffinity")
    return sorted(os.sched_getaffinity(0)) if can_bind else []


CORES = _cores()
BOUND = len(CORES) > 1
ON_SERVER_CORE = ["taskset", "-c", str(CORES[0])] if BOUND else []
ON_LOAD_CORE = ["taskset", "-c", str(CORES[-1])] if BOUND else []
PINNING = "the server on one core, the load on another" if BOUND else "not pinned to cores"


class Server(NamedTuple):
    """How to start a peer; PORT in the environment says where it is to listen."""

    name: str
    argv: list[str]
    cwd: Path = APPS


OURS = Server("miniexpress", [sys.executable, "ours.py"])
EXPRESS = Server("Express on Node", ["node", "express_app.js"])
BOTTLE_ON_WAITRESS = Server("Bottle on waitress", [str(peers.PYTHON), "bottle_app.py"])
BOTTLE_ON_GUNICORN = Server(
    "Bottle on gunicorn gthread",
    [str(peers.GUNICORN), "--worker-class=gthread", "--threads=16", "--log-level=error", "bottle_app:app"],
)
FLASK = Server("Flask on its own server", [str(peers.PYTHON), "flask_app.py"])
APP_PY = Server("app.py", [sys.executable, "../../../app.py"])
TUTORIAL_JS = Server("tutorial.js on Node", ["node", "tutorial.js"], REFERENCE)


@contextmanager
def running(*servers: Server, logs: Path, path: str = "/", **environment: str) -> Iterator[list[App]]:
    """All of them at once, waiting for requests: an idle one costs the one under load nothing."""
    with ExitStack() as stack:
        apps = [launch(server, logs, **environment) for server in servers]
        for app in apps:
            stack.enter_context(closing(app))
        for app in apps:
            wait_until_ready(app, partial(responds, app.url + path))
        yield apps


def launch(server: Server, logs: Path, **environment: str) -> App:
    """Start a server, and do not wait for it."""
    port = str(free_port())
    production = {"NODE_ENV": "production", "MINIEXPRESS_ENV": "production", "SESSION_SECRET": "known to nobody"}
    paths = {"NODE_PATH": str(REFERENCE / "node_modules"), "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{port}"}
    env = user_environment(PORT=port, **production, **paths, **environment)
    return App([*ON_SERVER_CORE, *server.argv], env, server.cwd, logs / f"{port}.log")


class Load(NamedTuple):
    """What one run of wrk measured."""

    requests: int
    a_second: float
    cpu: float  # seconds of CPU time that the server, with its children, took for one
    strangers: float  # the part of the server's core that went to processes of nobody here


def load(app: App, path: str, connections: int, seconds: int, cookie: str = "") -> Load:
    """Ask an app for `path` as fast as it answers. Raises RuntimeError where an answer was an error."""
    argv = [*ON_LOAD_CORE, "wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    argv += [f"--header=Cookie: {cookie}"] if cookie else []
    cpu, busy, begun = cpu_seconds(app), core_seconds(), time.monotonic()
    output = subprocess.run(
        [*argv, app.url + path], check=True, capture_output=True, text=True, timeout=seconds + 60
    ).stdout
    cpu, busy, wall = cpu_seconds(app) - cpu, core_seconds() - busy, time.monotonic() - begun
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{' '.join(argv)} had errors:\n{output}")
    requests, rate = re.search(r"(\d+) requests in", output), re.search(r"Requests/sec: +([\d.]+)", output)
    assert requests is not None and rate is not None, output
    return Load(int(requests[1]), float(rate[1]), cpu / int(requests[1]), max(0, busy - cpu) / wall)


def cpu_seconds(app: App) -> float:
    process = psutil.Process(app.pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def core_seconds() -> float:
    """How long the server's core has been busy, for whomever; 0 where the server has no core of its own."""
    times = psutil.cpu_times(percpu=True)[CORES[0]] if BOUND else None
    return sum(times) - times.idle - getattr(times, "iowait", 0) if times else 0
