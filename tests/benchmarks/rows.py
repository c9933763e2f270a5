"""The rows of the table: each is a function of the number of rounds, and of a folder for logs and data."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import psutil
from pymongo import MongoClient

from tests.support import ROOT, App, NxServer, wait_for

from . import calls, peers
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
    Server,
    launch,
    load,
    running,
)

SECONDS = 1  # of load in one round
REQUESTS = "requests a second"


def hello(rounds: int, folder: Path) -> Iterator[Figure]:
    """`res.send('Hello World')` over a socket."""
    servers = [OURS, EXPRESS, BOTTLE_ON_WAITRESS, BOTTLE_ON_GUNICORN, FLASK]
    with running(*servers, logs=folder) as apps:
        for connections in (16, 64):
            ours, express, *others = interleaved(rounds, [partial(rate, app.url, connections) for app in apps])
            work = f"`res.send('Hello World')`, {connections} connections"
            yield Figure(work, EXPRESS.name, REQUESTS, ours, express, least=1.5)
            best = max(map(median, others))
            for server, theirs in zip(servers[2:], others, strict=True):
                yield Figure(work, server.name, REQUESTS, ours, theirs, least=3 if median(theirs) == best else None)


def sessions(rounds: int, folder: Path) -> Iterator[Figure]:
    """A session in memory, read and changed."""
    with running(OURS, EXPRESS, logs=folder) as apps:
        cookies = [session_cookie(app.url + "/session/change") for app in apps]
        for verb, done in (("read", "read"), ("change", "changed")):
            urls = [f"{app.url}/session/{verb}" for app in apps]
            ours, theirs = interleaved(
                rounds, [partial(rate, url, 16, cookie) for url, cookie in zip(urls, cookies, strict=True)]
            )
            work = f"a session {done}, MemoryStore, 16 connections"
            yield Figure(work, "express-session on Node", REQUESTS, ours, theirs, least=1.5)


def account(rounds: int, folder: Path) -> Iterator[Figure]:
    """GET /account of app.py and of tutorial.js, logged in, on one MongoDB-compatible server."""
    with mongodb(folder) as uri, running(APP_PY, TUTORIAL_JS, logs=folder, MONGODB_URI=uri) as apps:
        visits = [Visits(app) for app in apps]
        rates = interleaved(rounds, [visit.rate for visit in visits])
        work, ours, theirs = "GET /account, 16 connections", *visits
        yield Figure(work, TUTORIAL_JS.name, REQUESTS, rates[0], rates[1], least=1.5)
        yield Figure(work, TUTORIAL_JS.name, "CPU time a request of the app's process", ours.cpu, theirs.cpu, most=0.5)


class Visits:
    """Visits to an app's account page by somebody who is logged in, and the CPU time that each round of them took."""

    def __init__(self, app: App) -> None:
        self.url = f"{app.url}/account"
        self.cookie = session_cookie(f"{app.url}/login", b"email=ada@example.com")
        self.process = psutil.Process(app.pid)
        self.cpu: list[float] = []

    def rate(self) -> float:
        before = self.process.cpu_times()
        done = load(self.url, 16, 2 * SECONDS, self.cookie)
        after = self.process.cpu_times()
        self.cpu.append((after.user + after.system - before.user - before.system) / done.requests)
        return done.a_second

    def memory_after(self, requests: int) -> int:
        """Resident bytes, once so many more have been answered. Raises AssertionError where that takes minutes."""
        deadline = time.monotonic() + 120
        while requests > 0:
            assert time.monotonic() < deadline, f"{self.url}: {requests} requests are left after 2 minutes"
            requests -= load(self.url, 16, SECONDS, self.cookie).requests
        return self.process.memory_info().rss


def in_process(rounds: int, folder: Path) -> Iterator[Figure]:
    """A WSGI call without a server."""
    times = calls.measure(peers.PYTHON, 3 * rounds, ROOT)
    for work, by_framework in times.items():
        for name in ("Bottle", "Flask", "Falcon"):
            most = 1 if name == "Bottle" else None
            yield Figure(f"WSGI call, {work}", name, "time", by_framework["miniexpress"], by_framework[name], most=most)
    ten, thousand = (times[f"last of {count} routes"]["miniexpress"] for count in ("10", "1,000"))
    yield Figure("WSGI call, last of 1,000 routes", "last of 10 routes", "time", thousand, ten, most=2)


def start(rounds: int, folder: Path) -> Iterator[Figure]:
    """From the command to the first answer."""
    with mongodb(folder) as uri:
        servers = (APP_PY, TUTORIAL_JS)
        ours, theirs = interleaved(rounds, [partial(seconds_to_answer, server, folder, uri) for server in servers])
    yield Figure("start to first answer, MongoDB running", TUTORIAL_JS.name, "time", ours, theirs, most=1)


def memory(rounds: int, folder: Path) -> Iterator[Figure]:
    """Resident memory of the app's process, which is a figure of one round: it hardly varies."""
    with mongodb(folder) as uri, running(APP_PY, TUTORIAL_JS, logs=folder, path="/login", MONGODB_URI=uri) as apps:
        visits = [Visits(app) for app in apps]
        idle, warm = ([visit.memory_after(count) for visit in visits] for count in (0, 10_000))
        later = visits[0].memory_after(10_000)
    yield Figure("resident memory, idle", TUTORIAL_JS.name, "bytes", idle[:1], idle[1:], most=1)
    yield Figure("resident memory, after 10,000 requests", TUTORIAL_JS.name, "bytes", warm[:1], warm[1:], most=1)
    yield Figure("resident memory, after 20,000", "itself after 10,000", "bytes", [later], warm[:1], most=1.05)


ROWS = {row.__name__: row for row in (hello, sessions, account, in_process, start, memory)}


def interleaved(rounds: int, measures: list[Callable[[], float]]) -> list[list[float]]:
    """What each measures in each round, one after the other in turn, after a round that only warms up."""
    for measure in measures:
        measure()
    by_round = [[measure() for measure in measures] for _ in range(rounds)]
    return [list(each) for each in zip(*by_round, strict=True)]


def rate(url: str, connections: int, cookie: str = "") -> float:
    return load(url, connections, SECONDS, cookie).a_second


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
