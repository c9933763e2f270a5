"""What an async handler that awaits nothing costs more than a plain one, in process and without a server:

python -m tests.benchmarks.async_cost
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter
from typing import Any
from wsgiref.util import setup_testing_defaults

from miniexpress import App, express

CALLS = 1000  # in one round, of each in turn


def app_with(handler: Callable[..., Any]) -> App:
    app = express()
    app.set("env", "production")
    app.get("/", handler)
    return app


def plain(req: Any, res: Any) -> None:
    res.send("Hello World")


async def asynchronous(req: Any, res: Any) -> None:
    res.send("Hello World")


def measure(rounds: int) -> tuple[list[float], list[float]]:
    """Return the median seconds of a call in each round: of the async handler, and of the plain one.

    The calls are interleaved, so that what else the machine does is the same for both. They are made in one thread, as
    the server makes those of one connection, and not in the main one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(measure_in_this_thread, rounds).result()


def measure_in_this_thread(rounds: int) -> tuple[list[float], list[float]]:
    apps = app_with(asynchronous), app_with(plain)
    for app in apps:
        seconds_of(app)
    medians: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        seconds = [[seconds_of(app) for app in apps] for _ in range(CALLS)]
        for each, of_round in zip(medians, zip(*seconds, strict=True), strict=True):
            each.append(median(of_round))
    return medians


def seconds_of(app: App) -> float:
    environ: dict[str, Any] = {"REQUEST_URI": "/", "PATH_INFO": "/"}
    setup_testing_defaults(environ)
    begun = perf_counter()
    assert b"".join(app(environ, lambda status, headers: None)) == b"Hello World"
    return perf_counter() - begun


if __name__ == "__main__":
    slower, faster = (median(each) * 1e6 for each in measure(10))
    print(f"async {slower:.0f} us, plain {faster:.0f} us: {slower - faster:.0f} us more")
