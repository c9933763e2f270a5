"""The command of the benchmarks, and that what it compares does the same work. Nothing here is timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.benchmarks import calls, growth
from tests.benchmarks.processes import EXPRESS, OURS, PINNED, running
from tests.benchmarks.rows import ROWS
from tests.support.processes import App
from tests.support.project import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.benchmarks", *arguments]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_the_command_without_wrk_says_what_is_missing() -> None:
    done = run(PATH="")
    assert (done.returncode, done.stdout.startswith("skipped: wrk")) == (0, True), done


def test_the_command_with_a_row_that_is_not_there_names_those_that_are() -> None:
    done = run("speed", PATH="")
    assert done.returncode == 2
    assert f"no such row: speed; there are {', '.join(ROWS)}" in done.stderr


def test_the_apps_in_both_languages_send_the_same(node_reference: Path, tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(1000))
    with running(OURS, EXPRESS, logs=tmp_path, places=PINNED, FILES=str(tmp_path)) as placed:
        ((ours, express),) = placed.values()
        assert responses(ours) == responses(express)


def responses(app: App) -> list[str]:
    """Return the texts of all responses, a view's without its blanks."""
    with httpx.Client(base_url=app.url) as client:
        got = [client.get(path) for path in ("/", "/async", "/session/change", "/session/read", "/files/large.bin")]
        got.append(client.post("/order", json={"customer": "Ada"}))
        view = client.get("/view")
    assert {each.status_code for each in (*got, view)} == {200}
    return [*(each.text for each in got), "".join(view.text.split())]


@pytest.mark.parametrize("work", calls.SESSION_WORKS)
def test_a_session_in_process_is_that_of_the_cookie(work: str) -> None:
    app, environ = calls.ours_with_session(work)
    sent: dict[str, str] = {}
    assert list(app(environ, lambda status, headers: sent.update(headers, status=status))) == [b"Hello World"]
    assert sent["status"] == "200 OK"
    assert "Set-Cookie" not in sent


def test_each_client_has_a_session_of_its_own_that_a_change_changes() -> None:
    clients = growth.Clients({"items": growth.ITEMS}, 2)
    counts = {
        action: [b"".join(app(environ, lambda status, headers: None)) for app, environ in clients.calls(action)]
        for action in ("change", "read")
    }
    assert len(set(clients.cookies)) == 2
    assert counts == {"change": [b"1", b"1"], "read": [b"1", b"1"]}


def test_the_cost_of_a_call_is_measured_at_each_size() -> None:
    sizes = [[(growth.app_of_routers(count), growth.environ_of(f"/router-{count - 1}/route-99/1"))] for count in (1, 2)]
    assert all(cost > 0 for cost in growth.microseconds(1, sizes))
