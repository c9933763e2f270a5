"""Sessions that several processes share: workers forked from one app, and an Express app beside."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.browser import ODD_KEYS, Browser, all_at_once
from tests.support.mongodb_servers import MongoDBServer
from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.waiting import wait_for

RunApp = Callable[..., App]
APPS = Path(__file__).parents[1] / "support"


def call(browser: Browser, path: str, **query: Any) -> str:
    answer = browser.get(f"/{path}?{urlencode(query)}")
    assert answer.status == 200, answer.text
    return answer.text


# Workers that are forked from one app


@pytest.fixture
def workers(run_app: RunApp, mongodb: MongoDBServer) -> App:
    """gunicorn with four workers of four threads each, which have all been forked from one loaded app."""
    pytest.importorskip("gunicorn")
    port = str(free_port())
    options = ["--preload", "--workers", "4", "--threads", "4", "--bind", f"127.0.0.1:{port}", "session_app:app"]
    return run_app(
        argv=[sys.executable, "-W", "always", "-m", "gunicorn", *options],
        env={"MONGODB_URI": mongodb.uri, "PORT": port},
        cwd=APPS,
        path="/read",
    )


def sockets_to(port: int, pid: int) -> set[str]:
    """The sockets of a process that are connected to a port of this machine, by the names that Linux gives them."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    there = {f"socket:[{fields[9]}]" for fields in lines if fields[2].endswith(f":{port:04X}")}
    return there & {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.mark.usefixtures("whole_machine")
@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs Linux's /proc")
def test_two_hundred_requests_on_one_session_over_four_forked_workers_lose_no_key_and_share_no_socket(
    workers: App, mongodb: MongoDBServer
) -> None:
    browser = Browser(workers.url)
    pids = {call(browser, "set", key="begun", value=0)}
    keys = [f"{ODD_KEYS[number % len(ODD_KEYS)]}{number}" for number in range(200)]
    # SecantusDB may let one of 16 writes to a single document wait for longer than a request does.
    threads = 8 if mongodb.kind == "SecantusDB" else 16
    answers = all_at_once(browser, [f"/set?{urlencode({'key': key, 'value': 1})}" for key in keys], threads)
    assert {answer.status for answer in answers} == {200}, workers.output()
    assert json.loads(call(browser, "read")) == {"begun": 0, **dict.fromkeys(keys, 1)}

    pids.update(answer.text for answer in answers)

    def all_have_served() -> bool:
        pids.update(answer.text for answer in all_at_once(browser, ["/set?key=begun&value=0"] * 16))
        return len(pids) == 4

    wait_for(all_have_served, "an answer of each of the four workers")
    sockets = [sockets_to(mongodb.port, int(pid)) for pid in pids]
    assert all(sockets)
    assert len(set.union(*sockets)) == sum(map(len, sockets)), "workers share a socket"
    assert "fork" not in workers.output()


# Two languages, one login


@pytest.mark.usefixtures("whole_machine")
@pytest.mark.parametrize(
    ("server", "store", "requests"),
    [
        ("nx_server", "connect-mongodb-session", 1000),
        ("secantus_server", "connect-mongodb-session", 200),
        ("secantus_server", "connect-mongo", 200),
    ],
)
def test_express_and_miniexpress_share_sessions_under_load(
    run_app: RunApp, request: pytest.FixtureRequest, node_reference: Path, server: str, store: str, requests: int
) -> None:
    env = {"MONGODB_URI": request.getfixturevalue(server).uri, "STORE": store}
    theirs = run_app(argv=["node", "sessions.js"], env=env, cwd=node_reference, path="/read")
    ours = run_app("tests/support/session_app.py", env, path="/read")
    people = [Person(random.Random(seed), ours.url, theirs.url) for seed in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda person: person.live(requests // len(people)), people))


class Person:
    """Somebody who uses both apps in turn, and knows what each must show."""

    def __init__(self, chance: random.Random, ours: str, theirs: str) -> None:
        self.chance, self.ours, self.theirs = chance, ours, theirs
        self.browser = Browser(ours)
        self.session: dict[str, Any] = {}

    def live(self, requests: int) -> None:
        made = 0
        while made < requests:
            made += self.chance.choice([self.set, self.set, self.set_date, self.delete, self.read, self.set_at_once,
                                        self.log_in, self.log_out, self.compare_cookies])()  # fmt: skip
        self.read()

    def elsewhere(self) -> Browser:
        """The browser, now at either of the two apps."""
        self.browser.url = self.chance.choice([self.ours, self.theirs])
        return self.browser

    def key(self) -> str:
        # To assign to `__proto__` sets no key in JavaScript.
        return self.chance.choice([key for key in (*ODD_KEYS, "a", "b", "c") if key != "__proto__"])

    def set(self) -> int:
        key, value = (
            self.key(),
            self.chance.choice([1, 1.5, True, None, "", "Zoë 🦊", [], [[1, {"a.b": None}]], {"$x": {}}]),
        )
        call(self.elsewhere(), "set", key=key, value=json.dumps(value))
        self.session[key] = value
        return 1

    def set_date(self) -> int:
        key, value = self.key(), self.chance.randrange(10**12)
        call(self.elsewhere(), "date", key=key, value=value)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value)
        self.session[key] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return 1

    def set_at_once(self) -> int:
        """Several requests at the same time, which in Express would leave one of the keys."""
        self.browser.url = self.ours
        if not self.session:
            return 0
        keys = [f"{self.key()}{number}" for number in range(4)]
        answers = all_at_once(self.browser, [f"/set?{urlencode({'key': key, 'value': 1})}" for key in keys], threads=4)
        # SecantusDB lets a write wait for longer than a request does; who is told so tries again.
        assert {answer.status for answer in answers} <= {200, 503}
        for key, answer in zip(keys, answers, strict=True):
            if answer.status == 503:
                call(self.browser, "set", key=key, value=1)
        self.session.update(dict.fromkeys(keys, 1))
        return 4

    def delete(self) -> int:
        key = self.key()
        call(self.elsewhere(), "delete", key=key)
        self.session.pop(key, None)
        return 1

    def log_in(self) -> int:
        call(self.elsewhere(), "login", user="tobi")
        self.session = {"user": {"name": "tobi", "roles": ["reader", {"deep": None}]}}
        return 1

    def log_out(self) -> int:
        call(self.elsewhere(), "logout")
        self.session = {}
        return 1

    def read(self) -> int:
        for url in (self.ours, self.theirs):
            self.browser.url = url
            assert json.loads(call(self.browser, "read")) == self.session, url
        return 2

    def compare_cookies(self) -> int:
        for url in (self.ours, self.theirs):
            self.browser.url = url
            # express-session takes a new cookie's max age from its clock, which may have moved by some milliseconds.
            cookie = re.sub(r"^\[35999\d\d", "[3600000", call(self.browser, "cookie"))
            assert cookie == '[3600000,true,"/",null,null,"lax",null,"high",true]', url
        return 2
