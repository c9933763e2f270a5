"""How the cost of a WSGI call grows with routes, with sessions in memory, and with keys in a session:

    python -m tests.benchmarks growth

Each size is measured in turn in each round, in one interpreter. The table has the medians, and says whether the cost
grows no faster than the work. Run as a script it prints the growths as JSON.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import thread_time
from typing import Any
from wsgiref.util import setup_testing_defaults

import psutil

from miniexpress import App, Router, express, session

CALLS = 100  # in one round, of each size in turn
NOISE = 1.25  # times as much may be the caches of the processor, or chance
ROUTERS = (1, 10, 100)
ROUTES = 100  # of each router
SESSIONS = (1, 100, 1000)
ITEMS = [{"name": f"item {number}", "price": 4.5, "count": 2} for number in range(420)]  # 20 KB as JSON
KEYS = (10, 100, 1000)


@dataclass(frozen=True)
class Growth:
    """What something costs at each of its sizes. ``work`` is in proportion to what has to be done at that size."""

    cost: str
    sizes: str
    unit: str
    work: Sequence[float]
    measured: Sequence[float]

    @property
    def follows_the_work(self) -> bool:
        """True if from no size to the next the cost grows faster than the work, but for noise."""
        steps = zip(pairwise(self.work), pairwise(self.measured), strict=True)
        return all(
            cost / cost_before <= work / work_before * NOISE for (work_before, work), (cost_before, cost) in steps
        )

    def row(self) -> str:
        costs = " / ".join(f"{cost:,.0f}" if cost >= 10 else f"{cost:.2g}" for cost in self.measured)
        times = f"{self.measured[-1] / self.measured[0]:.2f} | {self.work[-1] / self.work[0]:.2f}"
        verdict = "yes" if self.follows_the_work else "no"
        return f"| {self.cost} | {self.sizes} | {costs} {self.unit} | {times} | {verdict} |"


def table(growths: Iterable[Growth]) -> str:
    """Return Markdown: the cost and the work at the last size are given as multiples of those at the first."""
    head = [
        "| cost | sizes | measured | cost, times | work, times | grows no faster |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(growth.row() for growth in growths)])


def measure_growth(rounds: int, root: Path) -> list[Growth]:
    """Measure all in an interpreter of its own, whose memory nothing else has used before."""
    argv = [sys.executable, "-m", "tests.benchmarks.growth", str(rounds)]
    output = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300, cwd=root).stdout
    return [Growth(**growth) for growth in json.loads(output)]


def main(rounds: int) -> Iterator[Growth]:
    yield from sessions(rounds)  # first, as memory that is freed and used again is not seen to grow
    yield from keys(rounds)
    yield from routes(rounds)


def sessions(rounds: int) -> Iterator[Growth]:
    clients: dict[int, Clients] = {}
    megabytes = []
    for count in SESSIONS:
        before = resident_megabytes()
        clients[count] = Clients({"items": ITEMS}, count)
        megabytes.append(resident_megabytes() - before)
    size = f"{numbers(SESSIONS)} sessions of 20 KB in the store"
    # One of them is asked for at a time, so that a call has as much to do whatever their number is.
    for action in ("read", "change"):
        costs = microseconds(rounds, [clients[count].calls(action) for count in SESSIONS])
        yield Growth(f"{action} one session, CPU time", size, "us", [1, 1, 1], costs)
    size = f"{numbers(SESSIONS[1:])} sessions of 20 KB in the store"
    yield Growth("resident memory of the sessions", size, "MB", SESSIONS[1:], megabytes[1:])


def keys(rounds: int) -> Iterator[Growth]:
    clients = [Clients({f"key{number}": f"value {number}" for number in range(count)}, 1) for count in KEYS]
    for action in ("read", "change"):
        costs = microseconds(rounds, [each.calls(action) for each in clients])
        yield Growth(f"{action} one key, CPU time", f"a session of {numbers(KEYS)} keys", "us", KEYS, costs)


def routes(rounds: int) -> Iterator[Growth]:
    begun = [thread_time()]
    apps = []
    for count in ROUTERS:
        apps.append(app_of_routers(count))
        begun.append(thread_time())
    size = f"{numbers([count * ROUTES for count in ROUTERS])} routes in {numbers(ROUTERS)} routers"
    last = [
        [(app, environ_of(f"/router-{count - 1}/route-{ROUTES - 1}/1"))]
        for app, count in zip(apps, ROUTERS, strict=True)
    ]
    # Express tries one layer after the other: the routers, and then the routes of the last.
    layers = [count + ROUTES for count in ROUTERS]
    yield Growth("a call to the last route, CPU time", size, "us", layers, microseconds(rounds, last))
    seconds = [after - before for before, after in pairwise(begun)]
    yield Growth("to register them, CPU time", size, "ms", ROUTERS, [each * 1000 for each in seconds])


Call = tuple[App, dict[str, Any]]


class Clients:
    """An app with a session of ``data`` for each of ``count`` clients, in memory."""

    def __init__(self, data: dict[str, Any], count: int) -> None:
        self.app = express()
        self.app.set("env", "production")
        self.app.use(session(secret="secret token", resave=False, save_uninitialized=False))
        self.app.get("/fill", lambda req, res: res.send(str(req.session.update(data, count=0))))
        self.app.get("/read", lambda req, res: res.send(str(req.session.count)))
        self.app.get("/change", change)
        self.cookies = [self.new_cookie() for _ in range(count)]

    def new_cookie(self) -> str:
        sent: dict[str, str] = {}
        list(self.app(environ_of("/fill"), lambda status, headers: sent.update(headers)))
        return sent["Set-Cookie"].partition(";")[0]

    def calls(self, action: str) -> list[Call]:
        """Return a call of each client."""
        return [(self.app, environ_of(f"/{action}", cookie)) for cookie in self.cookies]


def change(req: Any, res: Any) -> None:
    req.session.count += 1
    res.send(str(req.session.count))


def app_of_routers(count: int) -> App:
    app = express()
    app.set("env", "production")
    for number in range(count):
        router = Router()
        for route in range(ROUTES):
            router.get(f"/route-{route}/:id", lambda req, res: res.send("Hello World"))
        app.use(f"/router-{number}", router)
    return app


def environ_of(path: str, cookie: str = "") -> dict[str, Any]:
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_URI": path, "HTTP_COOKIE": cookie}
    setup_testing_defaults(environ)
    return environ


def microseconds(rounds: int, calls_of_sizes: Sequence[Sequence[Call]]) -> list[float]:
    """Return the CPU time of one call at each size, the median of the rounds: its calls in turn."""
    for calls in calls_of_sizes:
        microseconds_of_a_call(calls)
    by_round = [[microseconds_of_a_call(calls) for calls in calls_of_sizes] for _ in range(rounds)]
    return [median(each) for each in zip(*by_round, strict=True)]


def microseconds_of_a_call(calls: Sequence[Call]) -> float:
    statuses = []
    begun = thread_time()
    for number in range(CALLS):
        app, environ = calls[number % len(calls)]
        for _ in app(environ.copy(), lambda status, headers: statuses.append(status)):
            pass
    spent = thread_time() - begun
    assert {status[:3] for status in statuses} == {"200"} and len(statuses) == CALLS, statuses[:1]
    return spent / CALLS * 1e6


def resident_megabytes() -> float:
    gc.collect()
    size: int = psutil.Process().memory_info().rss
    return size / 1e6


def numbers(values: Iterable[int]) -> str:
    """``[1, 1000]`` → ``"1 / 1,000"``."""
    return " / ".join(f"{value:,}" for value in values)


if __name__ == "__main__":
    print(json.dumps([asdict(growth) for growth in main(int(sys.argv[1]))]))
