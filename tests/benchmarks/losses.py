"""What sessions lose in Express, and in miniexpress: each stack in turn, on one MongoDB-compatible server (SecantusDB).

    python tests/benchmarks/losses.py

Prints the table of miniexpress/sessions/README.md. It needs the extra `test`, Node and npm, and takes a minute.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS.parent))

from tests.support.browser import Browser  # noqa: E402
from tests.support.mongodb_servers import SecantusServer  # noqa: E402
from tests.support.npm_reference import installed_reference  # noqa: E402
from tests.support.ports import free_port, responds  # noqa: E402
from tests.support.processes import App, user_environment, wait_until_ready  # noqa: E402

PATIENCE = 6.0  # seconds that a client waits for an answer


class Stack:
    """An app of one of the two, in a process of its own."""

    def __init__(self, name: str, argv: list[str], folder: Path, server: SecantusServer) -> None:
        self.name, self.argv, self.folder, self.server = name, argv, folder, server

    @contextmanager
    def running(self, **options: Any) -> Iterator[App]:
        environment = {"PORT": str(free_port()), "MONGODB_URI": self.server.uri, "OPTIONS": json.dumps(options)}
        app = App(self.argv, user_environment(**environment), self.folder, self.server.data.with_suffix(".app.log"))
        try:
            wait_until_ready(app, lambda: responds(f"{app.url}/read"))
            yield app
        finally:
            app.close()


def ask(browser: Browser, path: str, **query: Any) -> str:
    return browser.get(f"/{path}?{urlencode(query)}").text


def logged_in(app: App) -> Browser:
    browser = Browser(app.url)
    ask(browser, "login", user="tobi")
    return browser


def session_of(browser: Browser) -> dict[str, Any]:
    session: dict[str, Any] = json.loads(ask(browser, "read"))
    return session


def timed(browser: Browser, path: str) -> str:
    """What a client sees, and when."""
    begun = time.monotonic()
    try:
        seen = str(browser.get(path).status)
    except (TimeoutError, OSError):
        return f"no response in {PATIENCE:.0f} s"
    return f"{seen} after {time.monotonic() - begun:.2f} s"


# The rows of the table


def updates(count: int) -> Callable[[Stack], str]:
    def measure(stack: Stack) -> str:
        with stack.running() as app, ThreadPoolExecutor(20) as pool:
            browser = logged_in(app)
            list(pool.map(lambda n: ask(browser.with_same_cookie(), "slow", key=f"key{n}", value=n), range(count)))
            return f"{sum(key.startswith('key') for key in session_of(browser))} of {count}"

    return measure


def logout(how: str, late_key: str = "views", late_value: Any = 1) -> Callable[[Stack], str]:
    """Whether a session is logged in after a logout that a slow request outlasts, which had begun before it."""

    def measure(stack: Stack) -> str:
        with stack.running() as app, ThreadPoolExecutor(1) as pool:
            browser = logged_in(app)
            stolen = browser.with_same_cookie()
            late = pool.submit(ask, browser.with_same_cookie(), "slow", key=late_key, value=json.dumps(late_value))
            time.sleep(0.15)  # in the middle of the slow one
            ask(browser, *how.split("?")[:1], **dict(pair.split("=") for pair in how.split("?")[1:]))
            late.result()
            return "logged in again" if "user" in session_of(stolen) else "logged out"

    return measure


def lasting(**options: Any) -> Callable[[Stack], str]:
    """How long somebody who comes twice a second stays logged in, where a session lasts for two seconds."""

    def measure(stack: Stack) -> str:
        with stack.running(maxAge=2000, **options) as app:
            browser = logged_in(app)
            begun = time.monotonic()
            while time.monotonic() - begun < 5:
                time.sleep(0.5)
                if "user" not in session_of(browser):
                    return f"logged out after {time.monotonic() - begun:.1f} s"
            return "logged in after 5 s"

    return measure


def expired_by_another_key(stack: Stack) -> str:
    with stack.running(expiresKey="until", expiresAfterSeconds=3600, maxAge=600) as app:
        browser = logged_in(app)
        time.sleep(1)
        return "logged in" if "user" in session_of(browser) else "logged out"


def failing_save(stack: Stack) -> str:
    with stack.running() as app:
        browser = logged_in(app)
        with stack.server.failing("update", errorCode=14031):  # OutOfDiskSpace
            return timed(browser, "/set?key=order&value=1").partition(" ")[0]


def outage(stack: Stack) -> str:
    with stack.running() as app:
        browser = logged_in(app)
        stack.server.kill()
        try:
            first, second = timed(browser, "/read"), timed(browser, "/read")
        finally:
            stack.server.start()
        return f"{first}, then {second}"


def listing(stack: Stack) -> str:
    with stack.running() as app:
        logged_in(app)
        answer = timed(Browser(app.url), "/all")
        return answer if answer.startswith("no") else "the sessions"


ROWS: dict[str, Callable[[Stack], str]] = {
    "20 requests at once, each sets a key: keys kept": updates(20),
    "200 requests, 20 at once: keys kept": updates(200),
    "`destroy()`, while a slow request sets another key": logout("logout"),
    "`regenerate()`, the same": logout("login?user=other"),
    "`delete req.session.user`, the same": logout("delete?key=user"),
    "`delete req.session.user`, while a slow request changes `user`": logout("delete?key=user", "user", {"name": "x"}),
    "a session of 2 s, read twice a second": lasting(),
    "the same with `rolling`": lasting(rolling=True),
    "a session that ended, by a field that `expiresKey` names": expired_by_another_key,
    "a session that cannot be saved: the client sees": failing_save,
    "MongoDB is gone: the client sees": outage,
    "`store.all()`": listing,
}


def main() -> None:
    socket.setdefaulttimeout(PATIENCE)
    reference = installed_reference()
    with tempfile.TemporaryDirectory() as folder:
        server = SecantusServer(Path(folder) / "data")
        try:
            express = Stack("Express", ["node", "sessions.js"], reference, server)
            ours = Stack("miniexpress", [sys.executable, "session_app.py"], TESTS / "support", server)
            print("| | express-session, connect-mongodb-session | miniexpress |\n| --- | --- | --- |")
            for name, measure in ROWS.items():
                print(f"| {name} | {measure(express)} | {measure(ours)} |", flush=True)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
