"""A WSGI call in process, without a server: its time in each framework, side by side in one interpreter.

Run as a script by the peers' Python, it prints the microseconds of each round as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from time import thread_time_ns
from typing import Any
from wsgiref.util import setup_testing_defaults

CALLS = 250  # in one round, of each framework in turn
WORKS = {
    "`send`": ("text", 1, 0),
    "`json`": ("json", 1, 0),
    "5 middlewares": ("text", 1, 5),
    "last of 10 routes": ("text", 10, 0),
    "last of 1,000 routes": ("text", 1000, 0),
}
"""For each work: what is answered, how many routes there are, of which the last is asked for, and how many
middlewares."""
SESSION_WORKS = ("a session read", "a session changed")  # in miniexpress alone, beside its own `send`
VALUE = {"name": "Ada", "roles": ["reader", "writer"], "age": 36}

App = Callable[[dict[str, Any], Callable[..., Any]], Any]


def measure(python: Path, rounds: int, root: Path) -> dict[str, dict[str, list[float]]]:
    """Return the microseconds of CPU time of one call, for each work, framework and round."""
    env = {"PYTHONPATH": str(root), "MINIEXPRESS_ENV": "production"}
    argv = [str(python), "-m", "tests.benchmarks.calls", str(rounds)]
    output = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=200, env=env, cwd=root).stdout
    times: dict[str, dict[str, list[float]]] = json.loads(output)
    return times


def ours(kind: str, routes: int, middlewares: int) -> App:
    from miniexpress import express

    app = express()
    for _ in range(middlewares):
        app.use(lambda req, res, next: next())
    answer = (lambda req, res: res.json(VALUE)) if kind == "json" else (lambda req, res: res.send("Hello World"))
    for number in range(routes):
        app.get(f"/route-{number}/:id", answer)
    return app


def ours_with_session(work: str) -> tuple[App, dict[str, Any]]:
    """Return the app of a session work, and a request with the cookie of a session that is there."""
    from miniexpress import express, session

    app = express()
    app.use(session(secret="secret token", resave=False, save_uninitialized=False))

    @app.get("/route-0/:id")
    def visit(req: Any, res: Any) -> None:
        if work == "a session changed" or req.session.user is None:
            req.session.user = {"email": "ada@example.com", "name": "Ada"}
            req.session.count = (req.session.count or 0) + 1
        assert req.session.user.name == "Ada"
        res.send("Hello World")

    sent: dict[str, str] = {}
    list(app(request(1), lambda status, headers: sent.update(headers)))
    return app, {**request(1), "HTTP_COOKIE": sent["Set-Cookie"].partition(";")[0]}


def bottle(kind: str, routes: int, middlewares: int) -> App:
    import bottle

    def middleware(callback: Any) -> Any:
        return lambda *args, **kwargs: callback(*args, **kwargs)

    app = bottle.Bottle()
    for _ in range(middlewares):
        app.install(middleware)
    for number in range(routes):
        app.get(f"/route-{number}/<id>", callback=lambda id: VALUE if kind == "json" else "Hello World")
    return app


def flask(kind: str, routes: int, middlewares: int) -> App:
    import flask

    app = flask.Flask("flask")
    for _ in range(middlewares):
        app.before_request(lambda: None)
    for number in range(routes):
        answer = (lambda id: VALUE) if kind == "json" else (lambda id: "Hello World")
        app.get(f"/route-{number}/<id>", endpoint=str(number))(answer)
    return app


def falcon(kind: str, routes: int, middlewares: int) -> App:
    import falcon

    class Middleware:
        def process_request(self, req: Any, resp: Any) -> None:
            pass

    class Resource:
        def on_get(self, req: Any, resp: Any, id: str) -> None:
            if kind == "json":
                resp.media = VALUE
            else:
                resp.text = "Hello World"

    app = falcon.App(middleware=[Middleware() for _ in range(middlewares)])
    for number in range(routes):
        app.add_route(f"/route-{number}/{{id}}", Resource())
    return app


FRAMEWORKS = {"miniexpress": ours, "Bottle": bottle, "Flask": flask, "Falcon": falcon}


def request(routes: int) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "PATH_INFO": f"/route-{routes - 1}/1",
        "REQUEST_URI": f"/route-{routes - 1}/1",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_ACCEPT": "*/*",
    }
    setup_testing_defaults(environ)
    return environ


def time_of(app: App, environ: dict[str, Any], calls: int) -> float:
    """Return the microseconds of CPU time, so that what else runs does not count.

    Raises AssertionError for answers but 200.
    """
    statuses = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)
        return None

    begun = thread_time_ns()
    for _ in repeat(None, calls):
        for _ in app(environ.copy(), start_response):
            pass
    spent = thread_time_ns() - begun
    assert {status[:3] for status in statuses} == {"200"} and len(statuses) == calls, statuses[:1]
    return spent / 1000 / calls


def main(rounds: int) -> dict[str, dict[str, list[float]]]:
    measured = {
        work: {name: (make(*shape), request(shape[1])) for name, make in FRAMEWORKS.items()}
        for work, shape in WORKS.items()
    }
    measured |= {work: {"miniexpress": ours_with_session(work)} for work in SESSION_WORKS}
    for apps in measured.values():
        for app, environ in apps.values():
            time_of(app, environ, 100)  # compiles what is compiled at the first request
    times: dict[str, dict[str, list[float]]] = {work: {name: [] for name in apps} for work, apps in measured.items()}
    for _ in range(rounds):
        for work, apps in measured.items():
            for name, (app, environ) in apps.items():
                times[work][name].append(time_of(app, environ, CALLS))
    return times


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
