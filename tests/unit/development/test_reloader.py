"""Reload on change: a real program, its files edited under it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.ports import free_port, is_listening
from tests.support.processes import App, is_alive, user_environment
from tests.support.waiting import wait_for

RunApp = Callable[..., App]

PROGRAM = """
import os, time
from miniexpress import express
from helper import TEXT

app = express()
app.get("/", lambda req, res: res.send(f"{TEXT} {os.getpid()}"))

@app.get("/slow")
def slow(req, res):
    open("slow", "w").close()
    time.sleep(1)
    res.send(TEXT)

app.listen(os.environ["PORT"], lambda: print("listening", flush=True)%s)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "views").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "main.py").write_text(PROGRAM % "")
    (folder / "helper.py").write_text('TEXT = "first"')
    (folder / "views" / "index.html").write_text("a view")
    return folder


@pytest.fixture
def app(folder: Path, run_app: RunApp) -> App:
    argv = [sys.executable, str(folder / "main.py")]
    return run_app(argv=argv, cwd=folder, env={"MINIEXPRESS_RELOAD": "1"})


def get_index(app: App) -> list[str]:
    """Return the text and the pid that the app sends, or two empty ones while it does not listen."""
    try:
        return requests.get(app.url, timeout=5).text.split()
    except requests.ConnectionError:
        return ["", ""]


def write(file: Path, text: str) -> None:
    """Replace a file as an editor does: at once, with another mtime even where the clock is coarse."""
    later = file.stat().st_mtime + 2 if file.exists() else None
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    if later:
        os.utime(new, (later, later))
    new.replace(file)


def test_a_changed_module_restarts_the_app(app: App, folder: Path) -> None:
    text, pid = get_index(app)
    assert text == "first"
    assert int(pid) != app.pid
    write(folder / "helper.py", 'TEXT = "second"')
    wait_for(lambda: get_index(app)[0] == "second", "the changed module")
    assert not is_alive(int(pid))
    assert app.output().count("listening") == 2


def test_a_changed_or_new_view_restarts_the_app_and_other_files_do_not(app: App, folder: Path) -> None:
    for number, name in enumerate(("index.html", "new.html"), 2):
        write(folder / "notes.txt", name)
        write(folder / ".hidden" / "x.py", name)
        write(folder / "views" / name, f"view {number}")
        wait_for(lambda number=number: app.output().count("listening") == number, name)  # type: ignore[misc]
    assert app.output().count("reloading") == 2


def test_an_app_that_failed_is_restarted_when_it_is_corrected(app: App, folder: Path) -> None:
    write(folder / "helper.py", "TEXT = ")
    wait_for(lambda: "SyntaxError" in app.output(), "the failure")
    assert app.status is None
    write(folder / "helper.py", 'TEXT = "corrected"')
    wait_for(lambda: get_index(app)[0] == "corrected", "the corrected module")


def test_a_request_under_way_is_finished_before_the_restart(app: App, folder: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(requests.get, f"{app.url}/slow")
        wait_for((folder / "slow").exists, "the slow request")
        write(folder / "helper.py", 'TEXT = "second"')
        assert slow.result(20).text == "first"
    wait_for(lambda: get_index(app)[0] == "second", "the changed module")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_watcher_and_child_with_status_0(app: App, number: signal.Signals) -> None:
    pid = int(get_index(app)[1])
    assert (app.interrupt() if number is signal.SIGINT else app.terminate()) == 0
    assert not is_alive(pid)
    assert not is_listening(app.port)


def test_ctrl_c_in_both_processes_ends_them_with_status_0(app: App) -> None:
    pid = int(get_index(app)[1])
    os.kill(pid, signal.SIGINT)
    assert app.interrupt() == 0
    assert not is_alive(pid)


def test_the_app_does_not_outlive_a_watcher_that_is_killed(app: App) -> None:
    pid = int(get_index(app)[1])
    app.kill()
    wait_for(lambda: not is_alive(pid), "the end of the app")
    assert not is_listening(app.port)


def test_an_app_that_exits_with_status_0_is_not_restarted(folder: Path) -> None:
    (folder / "main.py").write_text(PROGRAM.replace('print("listening", flush=True)', "os._exit(0)") % ", reload=True")
    environment = user_environment(PORT=str(free_port()))
    assert subprocess.run([sys.executable, "main.py"], cwd=folder, env=environment, timeout=30).returncode == 0


def test_without_the_option_the_app_runs_in_the_started_process(folder: Path, run_app: RunApp) -> None:
    app = run_app(argv=[sys.executable, str(folder / "main.py")], cwd=folder)
    assert int(get_index(app)[1]) == app.pid
