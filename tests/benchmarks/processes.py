"""The servers under test, and the load: each server on one core and on all of them, the load always on one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.npm_reference import REFERENCE
from tests.support.ports import free_port, responds
from tests.support.processes import App, Process, user_environment, wait_until_ready

from . import peers

APPS = Path(__file__).parent / "apps"
ATTEMPTS = 5  # to measure an app under load without an error


def _cores() -> list[int]:
    """The cores that this process may use; none where it cannot be bound to one of them."""
    can_bind = shutil.which("taskset") is not None and hasattr(os, "sched_getaffinity")
    return sorted(os.sched_getaffinity(0)) if can_bind else []


CORES = _cores()
BOUND = len(CORES) > 1
ON_SERVER_CORE = ["taskset", "-c", str(CORES[0])] if BOUND else []
ON_LOAD_CORE = ["taskset", "-c", str(CORES[-1])] if BOUND else []
PINNED = {"pinned": ON_SERVER_CORE} if BOUND else {"unpinned": []}
PLACES = {**PINNED, "unpinned": []}
"""Where a server runs: for each place the command that starts it there."""
PINNING = (
    "pinned: the server on one core, the load and MongoDB on another; unpinned: the server on all cores"
    if BOUND
    else "nothing can be pinned to a core here"
)


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
def running(
    *servers: Server, logs: Path, path: str = "/", places: Mapping[str, list[str]] = PLACES, **environment: str
) -> Iterator[dict[str, list[App]]]:
    """Run all servers in each place at once, waiting for requests: an idle one costs the one under load nothing."""
    with ExitStack() as stack:
        apps = {place: [launch(server, at, logs, **environment) for server in servers] for place, at in places.items()}
        started = [app for placed in apps.values() for app in placed]
        for app in started:
            stack.enter_context(closing(app))
        for app in started:
            wait_until_ready(app, partial(responds, app.url + path))
        yield apps


def launch(server: Server, place: list[str], logs: Path, **environment: str) -> App:
    """Start a server, and do not wait for it."""
    port = str(free_port())
    production = {"NODE_ENV": "production", "MINIEXPRESS_ENV": "production", "SESSION_SECRET": "known to nobody"}
    paths = {"NODE_PATH": str(REFERENCE / "node_modules"), "GUNICORN_CMD_ARGS": f"--bind=127.0.0.1:{port}"}
    env = user_environment(PORT=port, **production, **paths, **environment)
    return App([*place, *server.argv], env, server.cwd, logs / f"{port}.log")


class Load(NamedTuple):
    """What one run of wrk measured."""

    requests: int
    a_second: float
    cpu: float  # seconds of CPU time that the server, with its children, took for one
    strangers: float  # the part of all cores that went to processes of nobody here


def load(app: App, path: str, connections: int = 16, seconds: int = 1, cookie: str = "", script: str = "") -> Load:
    """Ask an app for ``path`` as fast as it answers.

    ``script`` is a file of ``apps/`` that says what wrk sends, in Lua; without one it sends GET. On a busy machine a
    server may get no turn at all, and a database may miss its deadline: then the app is asked again. Raises
    RuntimeError where that does not help.
    """
    argv = [*ON_LOAD_CORE, "wrk", "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    argv += [f"--header=Cookie: {cookie}"] if cookie else []
    argv += [f"--script={script}"] if script else []
    argv += [app.url + path]
    for _ in range(ATTEMPTS):
        cpu, strange, begun = cpu_seconds(app.pid), strangers_seconds(), time.monotonic()
        output = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=seconds + 60, cwd=APPS).stdout
        cpu, strange, wall = cpu_seconds(app.pid) - cpu, strangers_seconds() - strange, time.monotonic() - begun
        requests, rate = re.search(r"([1-9]\d*) requests in", output), re.search(r"Requests/sec: +([\d.]+)", output)
        if requests and rate and "Non-2xx" not in output and "Socket errors" not in output:
            answered, strangers = int(requests[1]), max(0, strange) / wall / max(1, len(CORES))
            return Load(answered, float(rate[1]), cpu / answered, strangers)
    raise RuntimeError(f"{' '.join(argv)} had errors or no answers, {ATTEMPTS} times:\n{output}")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children have taken."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(each.user + each.system for each in times))


def strangers_seconds() -> float:
    """Return how long all cores have been busy for processes of others; 0 where nothing can be pinned to a core."""
    cores = [psutil.cpu_times(percpu=True)[core] for core in CORES]
    busy = sum(sum(times) - times.idle - getattr(times, "iowait", 0) for times in cores)
    ended = psutil.Process().cpu_times()
    return busy - cpu_seconds(os.getpid()) - ended.children_user - ended.children_system if cores else 0


def resident(process: Process) -> float:
    """Return the megabytes of memory that a process holds."""
    size: int = psutil.Process(process.pid).memory_info().rss
    return size / 1e6


def most_resident(process: Process) -> float:
    """Return the most megabytes of memory that a process has held so far."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None, status
    return int(peak[1]) * 1024 / 1e6
