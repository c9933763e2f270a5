"""The rows of the table: each is a function of the number of rounds, and of a folder for logs and data."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil
from pymongo import MongoClient

from tests.support.mongodb_servers import NxServer
from tests.support.processes import App
from tests.support.project import ROOT
from tests.support.waiting import wait_for

from . import async_cost, calls, peers
from .figures import Figure
from .processes import (
    APP_PY,
    BOTTLE_ON_GUNICORN,
    BOTTLE_ON_WAITRESS,
    EXPRESS,
    FLASK,
    ON_LOAD_CORE,
    OURS,
    TUTORIAL_JS,
    Load,
    Server,
    launch,
    load,
    running,
)

T = TypeVar("T")

SECONDS = 1  # of load in one round


def hello(rounds: int, folder: Path) -> Iterator[Figure]:
    """`res.send('Hello World')` over a socket."""
    servers = [OURS, EXPRESS, BOTTLE_ON_WAITRESS, BOTTLE_ON_GUNICORN, FLASK]
    with running(*servers, logs=folder) as apps:
        for connections in (16, 64):
            loads = interleaved(rounds, [partial(load, app, "/", connections, SECONDS) for app in apps])
            work = f"`res.send('Hello World')`, {connections} connections"
            yield from compared(work, EXPRESS.name, loads[0], loads[1], least=1.5)
            ours, others = loads[0], loads[2:]
            best = max(others, key=lambda theirs: median(rates(theirs)))
            for server, theirs in zip(servers[2:], others, strict=True):
                yield from compared(work, server.name, ours, theirs, least=3 if theirs is best else None)


def async_handlers(rounds: int, folder: Path) -> Iterator[Figure]:
    """`res.send('Hello World')` in an async handler, over a socket, and in process beside a plain one."""
    servers = [OURS, EXPRESS, FLASK]
    with running(*servers, logs=folder, path="/async") as apps:
        loads = interleaved(rounds, [partial(load, app, "/async", 16, SECONDS) for app in apps])
    for server, theirs in zip(servers[1:], loads[1:], strict=True):
        work = "`res.send('Hello World')` in an async handler, 16 connections"
        yield from compared(work, server.name, loads[0], theirs, least=1 if server is FLASK else None)
    ours, plain = async_cost.measure(rounds)
    yield Figure("WSGI call, `send` in an async handler", "a plain handler", "time", ours, plain)


def sessions(rounds: int, folder: Path) -> Iterator[Figure]:
    """A session in memory, read and changed."""
    with running(OURS, EXPRESS, logs=folder) as apps:
        cookies = [session_cookie(app.url + "/session/change") for app in apps]
        for path, done in (("/session/read", "read"), ("/session/change", "changed")):
            visits = [partial(load, app, path, 16, SECONDS, cookie) for app, cookie in zip(apps, cookies, strict=True)]
            work = f"a session {done}, MemoryStore, 16 connections"
            yield from compared(work, "express-session on Node", *interleaved(rounds, visits), least=1.5)


def account(rounds: int, folder: Path) -> Iterator[Figure]:
    """GET /account of app.py and of tutorial.js, logged in, on one MongoDB-compatible server."""
    with mongodb(folder) as uri, running(APP_PY, TUTORIAL_JS, logs=folder, MONGODB_URI=uri) as apps:
        visits = [partial(load, app, "/account", 16, 2 * SECONDS, log_in(app)) for app in apps]
        loads = interleaved(rounds, visits)
    yield from compared("GET /account, 16 connections", TUTORIAL_JS.name, *loads, least=1.5, most_cpu=0.5)


def compared(
    work: str, peer: str, ours: list[Load], theirs: list[Load], least: float | None, most_cpu: float | None = None
) -> Iterator[Figure]:
    strangers = median(each.strangers for each in [*ours, *theirs])
    yield Figure(work, peer, "requests a second", rates(ours), rates(theirs), least=least, strangers=strangers)
    cpu = [[each.cpu for each in loads] for loads in (ours, theirs)]
    yield Figure(work, peer, "CPU time a request", cpu[0], cpu[1], most=most_cpu, strangers=strangers)


def rates(loads: list[Load]) -> list[float]:
    return [each.a_second for each in loads]


def in_process(rounds: int, folder: Path) -> Iterator[Figure]:
    """A WSGI call without a server."""
    times = calls.measure(peers.PYTHON, 3 * rounds, ROOT)
    for work, by_framework in times.items():
        for name in ("Bottle", "Flask", "Falcon"):
            most = 1 if name == "Bottle" else None
            yield Figure(
                f"WSGI call, {work}", name, "CPU time", by_framework["miniexpress"], by_framework[name], most=most
            )
    ten, thousand = (times[f"last of {count} routes"]["miniexpress"] for count in ("10", "1,000"))
    yield Figure("WSGI call, last of 1,000 routes", "last of 10 routes", "CPU time", thousand, ten, most=2)


def start(rounds: int, folder: Path) -> Iterator[Figure]:
    """From the command to the first response."""
    with mongodb(folder) as uri:
        servers = (APP_PY, TUTORIAL_JS)
        ours, theirs = interleaved(rounds, [partial(seconds_to_answer, server, folder, uri) for server in servers])
    yield Figure("start to first response, MongoDB running", TUTORIAL_JS.name, "time", ours, theirs, most=1)


def memory(rounds: int, folder: Path) -> Iterator[Figure]:
    """Resident memory of the app's process, which is a figure of one round: it hardly varies."""
    with mongodb(folder) as uri, running(APP_PY, TUTORIAL_JS, logs=folder, path="/login", MONGODB_URI=uri) as apps:
        idle = [resident(app) for app in apps]
        cookies = [log_in(app) for app in apps]
        warm = [resident_after(10_000, app, cookie) for app, cookie in zip(apps, cookies, strict=True)]
        later = resident_after(10_000, apps[0], cookies[0])
    yield Figure("resident memory, idle", TUTORIAL_JS.name, "bytes", idle[:1], idle[1:], most=1)
    yield Figure("resident memory, after 10,000 requests", TUTORIAL_JS.name, "bytes", warm[:1], warm[1:], most=1)
    yield Figure("resident memory, after 20,000", "itself after 10,000", "bytes", [later], warm[:1], most=1.05)


ROWS = {row.__name__: row for row in (hello, async_handlers, sessions, account, in_process, start, memory)}


def resident(app: App) -> int:
    """Bytes."""
    size: int = psutil.Process(app.pid).memory_info().rss
    return size


def resident_after(requests: int, app: App, cookie: str) -> int:
    """Bytes, once so many more requests have been answered. Raises AssertionError where that takes minutes."""
    deadline = time.monotonic() + 120
    while requests > 0:
        assert time.monotonic() < deadline, f"{app.argv}: {requests} requests are left after 2 minutes"
        requests -= load(app, "/account", 16, SECONDS, cookie).requests
    return resident(app)


def interleaved(rounds: int, measures: Sequence[Callable[[], T]]) -> list[list[T]]:
    """What each measures in each round, one after the other in turn, after a round that only warms up."""
    for measure in measures:
        measure()
    by_round = [[measure() for measure in measures] for _ in range(rounds)]
    return [list(each) for each in zip(*by_round, strict=True)]


@contextmanager
def mongodb(folder: Path) -> Iterator[str]:
    """The URI of a server that knows one user, and runs on the core that the load is on."""
    server = PinnedServer(folder / "mongodb")
    try:
        with MongoClient(server.uri) as client:
            client.test.users.update_one({"_id": "demo"}, {"$set": {"email": "ada@example.com", "name": "Ada"}}, True)
        yield server.uri
    finally:
        server.kill()


class PinnedServer(NxServer):
    def argv(self) -> list[str]:
        return [*ON_LOAD_CORE, *super().argv()]


def log_in(app: App) -> str:
    return session_cookie(f"{app.url}/login", b"email=ada@example.com")


def session_cookie(url: str, form: bytes | None = None) -> str:
    """The session cookie that an answer sets, as a Cookie header has it."""
    try:
        with urllib.request.build_opener(NoRedirects).open(url, form, timeout=10) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as redirect:
        headers = redirect.headers
    cookie: str = headers["Set-Cookie"].partition(";")[0]
    return cookie


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


def seconds_to_answer(server: Server, folder: Path, uri: str) -> float:
    """Until GET /account is answered, for which the session store must have been reached."""
    begun = time.perf_counter()
    with closing(launch(server, folder, MONGODB_URI=uri)) as app:
        wait_for(lambda: answers(f"{app.url}/account"), f"{server.name} answers")
        return time.perf_counter() - begun


def answers(url: str) -> bool:
    try:
        return bool(session_cookie(url))
    except OSError:
        return False
