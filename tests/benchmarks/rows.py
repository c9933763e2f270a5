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
from typing import Any, NamedTuple, TypeVar

from pymongo import MongoClient

from tests.support.mongodb_servers import NxServer
from tests.support.processes import App
from tests.support.project import ROOT
from tests.support.waiting import wait_for

from . import async_cost, calls, peers
from .figures import Figure
from .growth import Growth, measure_growth
from .processes import (
    APP_PY,
    BOTTLE_ON_GUNICORN,
    BOTTLE_ON_WAITRESS,
    EXPRESS,
    FLASK,
    ON_LOAD_CORE,
    ON_SERVER_CORE,
    OURS,
    PINNED,
    TUTORIAL_JS,
    Load,
    Server,
    cpu_seconds,
    launch,
    load,
    most_resident,
    resident,
    running,
)

T = TypeVar("T")

LARGE_FILE = 1_000_000  # bytes
BUSY = 0.7  # of a core; a process that has had less of it has waited for others


def hello(rounds: int, folder: Path) -> Iterator[Figure]:
    """`res.send('Hello World')` over a socket."""
    servers = [OURS, EXPRESS, BOTTLE_ON_WAITRESS, BOTTLE_ON_GUNICORN]
    goals = {EXPRESS.name: 1.8, BOTTLE_ON_WAITRESS.name: 2.0}
    with running(*servers, logs=folder) as apps:
        for connections in (16, 64):
            measured = in_each_place(rounds, apps, partial(load, path="/", connections=connections))
            for place, (ours, *others) in measured.items():
                work = f"`res.send('Hello World')`, {connections} connections, {place}"
                for server, theirs in zip(servers[1:], others, strict=True):
                    yield from compared(work, server.name, ours, theirs, least=goals.get(server.name))


def async_handlers(rounds: int, folder: Path) -> Iterator[Figure]:
    """`res.send('Hello World')` in an async handler, over a socket, and in process beside a plain one."""
    servers = [OURS, EXPRESS, FLASK]
    with running(*servers, logs=folder, path="/async") as apps:
        measured = in_each_place(rounds, apps, partial(load, path="/async"))
    for place, (ours, *others) in measured.items():
        work = f"`res.send('Hello World')` in an async handler, 16 connections, {place}"
        for server, theirs in zip(servers[1:], others, strict=True):
            yield from compared(work, server.name, ours, theirs, least=1 if server is FLASK else None)
    asynchronous, plain = async_cost.measure(rounds)
    us = [[seconds * 1e6 for seconds in each] for each in (asynchronous, plain)]
    yield Figure("WSGI call, `send` in an async handler", "a plain handler", "us", us[0], us[1])


def sessions(rounds: int, folder: Path) -> Iterator[Figure]:
    """A session in memory, read and changed."""
    with running(OURS, EXPRESS, logs=folder) as apps:
        cookies = {app: session_cookie(app.url + "/session/change") for placed in apps.values() for app in placed}
        for path, done in (("/session/read", "read"), ("/session/change", "changed")):
            measured = in_each_place(rounds, apps, partial(visit_with_cookie, path=path, cookies=cookies))
            for place, (ours, theirs) in measured.items():
                work = f"a session {done}, MemoryStore, 16 connections, {place}"
                yield from compared(work, "express-session on Node", ours, theirs, least=2)


def visit_with_cookie(app: App, path: str, cookies: dict[App, str]) -> Load:
    return load(app, path, cookie=cookies[app])


class Visit(NamedTuple):
    """What one run of wrk measured, and how much of a core the app's process and the database had meanwhile."""

    load: Load
    app_cores: float
    database_cores: float


def account(rounds: int, folder: Path) -> Iterator[Figure]:
    """GET /account of app.py and of tutorial.js, logged in, on one MongoDB-compatible server."""
    with mongodb(folder) as database, running(APP_PY, TUTORIAL_JS, logs=folder, MONGODB_URI=database.uri) as apps:
        cookies = {app: log_in(app) for placed in apps.values() for app in placed}
        measured = in_each_place(rounds, apps, lambda app: visit_account(app, cookies[app], database))
    for place, (ours, theirs) in measured.items():
        our_loads, their_loads = ([visit.load for visit in visits] for visits in (ours, theirs))
        bounds = f"{bound(APP_PY.name, ours)}; {bound(TUTORIAL_JS.name, theirs)}"
        work = f"GET /account, 16 connections, {place}"
        yield from compared(work, TUTORIAL_JS.name, our_loads, their_loads, least=1.5, most_cpu=0.5, remark=bounds)


def visit_account(app: App, cookie: str, database: NxServer) -> Visit:
    before, begun = cpu_seconds(database.pid), time.monotonic()
    measured = load(app, "/account", seconds=2, cookie=cookie)
    database_seconds, wall = cpu_seconds(database.pid) - before, time.monotonic() - begun
    return Visit(measured, measured.cpu * measured.requests / wall, database_seconds / wall)


def bound(name: str, visits: list[Visit]) -> str:
    """Say what bounds the requests a second: the app or its database, whichever had most of its core; or neither."""
    app, database = median(visit.app_cores for visit in visits), median(visit.database_cores for visit in visits)
    slower = "itself" if app > database else "its database"
    if max(app, database) < BUSY:
        slower = "neither, but by waiting"
    return f"{name} is bound by {slower}: {app:.2f} of a core, the database {database:.2f}"


def json_body(rounds: int, folder: Path) -> Iterator[Figure]:
    """POST of 1 KB of JSON, and a field of it as the answer."""
    with running(OURS, EXPRESS, logs=folder) as apps:
        measured = in_each_place(rounds, apps, partial(load, path="/order", script="post_json.lua"))
    for place, (ours, theirs) in measured.items():
        yield from compared(f"POST of 1 KB of JSON, 16 connections, {place}", EXPRESS.name, ours, theirs, least=1.5)


def static_file(rounds: int, folder: Path) -> Iterator[Figure]:
    """A large file by `static`."""
    (folder / "large.bin").write_bytes(bytes(LARGE_FILE))
    with running(OURS, EXPRESS, logs=folder, FILES=str(folder)) as apps:
        measured = in_each_place(rounds, apps, partial(load, path="/files/large.bin"))
        peaks = {place: [most_resident(app) for app in placed] for place, placed in apps.items()}
    for place, (ours, theirs) in measured.items():
        work = f"a file of 1 MB by `static`, 16 connections, {place}"
        yield from compared(work, EXPRESS.name, ours, theirs, least=1)
        our_peak, their_peak = peaks[place]
        yield Figure(work, EXPRESS.name, "MB of memory at most", [our_peak], [their_peak], most=0.5)


def view(rounds: int, folder: Path) -> Iterator[Figure]:
    """A view with a table of 100 rows."""
    with running(OURS, EXPRESS, logs=folder) as apps:
        measured = in_each_place(rounds, apps, partial(load, path="/view"))
    for place, (ours, theirs) in measured.items():
        work = f"a view of 100 rows, 16 connections, {place}"
        yield from compared(work, "Express with ejs", ours, theirs, least=1.5)


def compared(
    work: str,
    peer: str,
    ours: list[Load],
    theirs: list[Load],
    least: float | None,
    most_cpu: float | None = None,
    remark: str = "",
) -> Iterator[Figure]:
    strangers = median(each.strangers for each in [*ours, *theirs])
    rate, their_rate = ([each.a_second for each in loads] for loads in (ours, theirs))
    yield Figure(work, peer, "requests a second", rate, their_rate, least=least, strangers=strangers, remark=remark)
    cpu, their_cpu = ([each.cpu * 1e6 for each in loads] for loads in (ours, theirs))
    yield Figure(work, peer, "us of CPU a request", cpu, their_cpu, most=most_cpu, strangers=strangers)


def in_process(rounds: int, folder: Path) -> Iterator[Figure]:
    """A WSGI call without a server."""
    times = calls.measure(peers.PYTHON, 12 * rounds, ROOT)
    ours = {work: by_framework.pop("miniexpress") for work, by_framework in times.items()}
    goals = {"`send`": 0.9, "`json`": 0.9, "5 middlewares": 1.2, "last of 10 routes": 0.9, "last of 1,000 routes": 0.9}
    for work, by_framework in times.items():
        for name, theirs in by_framework.items():
            most = goals[work] if name == "Bottle" else None
            yield Figure(f"WSGI call, {work}", name, "us of CPU", ours[work], theirs, most=most)
    for work, other, most in (
        ("last of 1,000 routes", "last of 10 routes", 2),
        ("a session read", "`send`", 4),
        ("a session changed", "`send`", 5),
    ):
        yield Figure(f"WSGI call, {work}", other, "us of CPU", ours[work], ours[other], most=most)


def growth(rounds: int, folder: Path) -> Iterator[Growth]:
    """How the cost of a WSGI call grows with routes, sessions and keys."""
    yield from measure_growth(rounds, ROOT)


def start(rounds: int, folder: Path) -> Iterator[Figure]:
    """From the command to the first response."""
    with mongodb(folder) as database:
        servers = (APP_PY, TUTORIAL_JS)
        measures = [partial(seconds_to_answer, server, folder, database.uri) for server in servers]
        ours, theirs = interleaved(rounds, measures)
    yield Figure("start to first response, MongoDB running", TUTORIAL_JS.name, "seconds", ours, theirs, most=1)


def memory(rounds: int, folder: Path) -> Iterator[Figure]:
    """Resident memory of the app's process, which is a figure of one round: it hardly varies."""
    servers = (APP_PY, TUTORIAL_JS)
    with (
        mongodb(folder) as database,
        running(*servers, logs=folder, path="/login", places=PINNED, MONGODB_URI=database.uri) as placed,
    ):
        (apps,) = placed.values()
        idle = [resident(app) for app in apps]
        cookies = [log_in(app) for app in apps]
        warm = [resident_after(10_000, app, cookie) for app, cookie in zip(apps, cookies, strict=True)]
        later = resident_after(10_000, apps[0], cookies[0])
    peer, measure = TUTORIAL_JS.name, "MB"
    yield Figure("resident memory, idle", peer, measure, idle[:1], idle[1:], most=1)
    yield Figure("resident memory, after 10,000 requests", peer, measure, warm[:1], warm[1:], most=1)
    yield Figure("resident memory, after 20,000", "itself after 10,000", measure, [later], warm[:1], most=1.05)


_FIGURES = (hello, async_handlers, sessions, account, json_body, static_file, view, in_process, start, memory)
ROWS: dict[str, Callable[[int, Path], Iterator[Figure | Growth]]] = {row.__name__: row for row in (*_FIGURES, growth)}


def resident_after(requests: int, app: App, cookie: str) -> float:
    """Return the megabytes once so many more requests have been answered.

    Raises AssertionError where that takes minutes.
    """
    deadline = time.monotonic() + 120
    while requests > 0:
        assert time.monotonic() < deadline, f"{app.argv}: {requests} requests are left after 2 minutes"
        requests -= load(app, "/account", cookie=cookie).requests
    return resident(app)


def in_each_place(rounds: int, apps: dict[str, list[App]], visit: Callable[[App], T]) -> dict[str, list[list[T]]]:
    """Return what visits measure: for each place and app a value of each round; all apps are visited in each round."""
    places = [(place, app) for place, placed in apps.items() for app in placed]
    measured = interleaved(rounds, [partial(visit, app) for _, app in places])
    by_place: dict[str, list[list[T]]] = {place: [] for place in apps}
    for (place, _), values in zip(places, measured, strict=True):
        by_place[place].append(values)
    return by_place


def interleaved(rounds: int, measures: Sequence[Callable[[], T]]) -> list[list[T]]:
    """Return what each measures in each round, one after the other in turn, after a round that only warms up."""
    for measure in measures:
        measure()
    by_round = [[measure() for measure in measures] for _ in range(rounds)]
    return [list(each) for each in zip(*by_round, strict=True)]


@contextmanager
def mongodb(folder: Path) -> Iterator[NxServer]:
    """Run a server that knows one user, on the core that the load is on."""
    server = PinnedServer(folder / "mongodb")
    try:
        with MongoClient[dict[str, Any]](server.uri) as client:
            client.test.users.update_one({"_id": "demo"}, {"$set": {"email": "ada@example.com", "name": "Ada"}}, True)
        yield server
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
    with closing(launch(server, ON_SERVER_CORE, folder, MONGODB_URI=uri)) as app:
        wait_for(lambda: answers(f"{app.url}/account"), f"{server.name} answers")
        return time.perf_counter() - begun


def answers(url: str) -> bool:
    try:
        return bool(session_cookie(url))
    except OSError:
        return False
