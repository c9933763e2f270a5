"""The embedded server: starting, sharing, taking over and ending, each with real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from miniexpress import embedded
from tests.support.ports import free_port, is_listening
from tests.support.processes import Process, is_alive, start_process, user_environment
from tests.support.project import ROOT
from tests.support.waiting import wait_for

pytest.importorskip("nx_27017")

# An app: it starts the server, prints the URI, and runs until its standard input is closed.
STARTER = """
import sys
from miniexpress import embedded
print(embedded.start(sys.argv[1], int(sys.argv[2])), flush=True)
sys.stdin.read()
"""

Client = MongoClient[dict[str, Any]]
Start = Callable[[], Process]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "app" / ".data"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def begin(data: Path, port: int, tmp_path: Path) -> Iterator[Start]:
    """Start a process that calls ``embedded.start``."""
    begun: list[Process] = []

    def start() -> Process:
        argv = [sys.executable, "-c", STARTER, str(data), str(port)]
        log = tmp_path / f"starter-{len(begun)}.log"
        begun.append(start_process(argv, user_environment(), cwd=tmp_path, log=log))
        return begun[-1]

    yield start
    for process in begun:
        process.close()
    wait_for(lambda: not is_listening(port), "the end of every server")


@pytest.fixture
def start(begin: Start, port: int) -> Start:
    """Start one, and wait until ``embedded.start`` has returned."""
    return lambda: until_started(begin(), port)


@pytest.fixture
def connect(port: int) -> Iterator[Callable[[], Client]]:
    with ExitStack() as clients:
        yield lambda: clients.enter_context(MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=5000))


def until_started(process: Process, port: int) -> Process:
    def has_printed_uri() -> bool:
        assert process.status is None, process.output()
        return process.output() == f"mongodb://127.0.0.1:{port}/test\n"

    wait_for(has_printed_uri, "embedded.start")
    return process


def server_pid(data: Path) -> int:
    return int((data / "embedded.pid").read_text())


def test_the_directory_is_made_and_holds_the_data_the_log_and_the_pid(
    start: Start, connect: Callable[[], Client], data: Path
) -> None:
    start()
    connect().test.notes.insert_one({"_id": 1})
    assert {"test.db", "embedded.log", "embedded.pid"} <= {path.name for path in data.iterdir()}
    assert is_alive(server_pid(data))


def test_every_acknowledged_write_survives_a_kill_of_the_parent_and_a_restart(
    start: Start, connect: Callable[[], Client]
) -> None:
    starter = start()
    acknowledged: list[int] = []
    enough = threading.Event()

    def write() -> None:
        notes = connect().test.notes
        for number in count():
            if enough.is_set():
                return
            with suppress(ConnectionFailure):
                notes.insert_one({"_id": number})
                acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: len(acknowledged) > 50, "writes to the first server")
    starter.kill()
    start()
    before = len(acknowledged)
    wait_for(lambda: len(acknowledged) > before + 50, "writes to the second server")
    enough.set()
    writer.join()
    kept = {note["_id"] for note in connect().test.notes.find()}
    assert kept >= set(acknowledged)


def test_the_server_exits_when_its_parent_is_killed(start: Start, data: Path, port: int) -> None:
    starter = start()
    server = server_pid(data)
    starter.kill()
    wait_for(lambda: not is_alive(server), "the end of the server")
    assert not is_listening(port)


def test_the_server_is_gone_when_its_parent_has_exited(start: Start, data: Path, port: int) -> None:
    starter = start()
    server = server_pid(data)
    assert starter.close_input() == 0
    assert not is_alive(server)
    assert not is_listening(port)


def test_the_server_is_in_a_process_group_that_ctrl_c_does_not_reach(start: Start, data: Path) -> None:
    starter = start()
    assert os.getpgid(server_pid(data)) != os.getpgid(starter.pid)


def test_two_processes_share_one_server(start: Start, connect: Callable[[], Client], data: Path) -> None:
    start()
    server = server_pid(data)
    connect().test.notes.insert_one({"_id": "from the first"})
    second = start()
    assert connect().test.notes.find_one() == {"_id": "from the first"}
    second.kill()
    assert is_alive(server)
    assert server_pid(data) == server
    assert connect().test.notes.count_documents({}) == 1


def test_a_server_of_another_folder_is_shared_with_a_warning(start: Start, port: int, tmp_path: Path) -> None:
    first, same = start(), start()
    argv = [sys.executable, "-c", STARTER, str(tmp_path / "elsewhere"), str(port)]
    other = start_process(argv, user_environment(), cwd=tmp_path, log=tmp_path / "other.log")
    try:
        wait_for(lambda: f"mongodb://127.0.0.1:{port}/test\n" in other.output(), "embedded.start")
        assert f"whose data is not in {tmp_path / 'elsewhere'}: it is shared" in other.output()
        assert "is shared" not in first.output() + same.output()
        assert other.close_input() == 0
    finally:
        other.close()


def test_another_server_takes_over_when_the_first_parent_is_killed(
    start: Start, connect: Callable[[], Client], data: Path
) -> None:
    first, second = start(), start()
    server = server_pid(data)
    client = connect()
    client.test.notes.insert_one({"_id": 1})
    first.kill()
    wait_for(lambda: server_pid(data) != server, "another server")
    assert connect().test.notes.find_one() == {"_id": 1}
    assert second.status is None


def test_processes_that_start_at_the_same_time_share_one_server(
    begin: Start, connect: Callable[[], Client], data: Path, port: int
) -> None:
    starters = [begin() for _ in range(4)]
    for starter in starters:
        until_started(starter, port)
    connect().test.notes.insert_one({"_id": 1})
    assert is_alive(server_pid(data))
    assert "Traceback" not in (data / "embedded.log").read_text()


def test_an_update_keeps_the_types_of_booleans_and_dates(start: Start, connect: Callable[[], Client]) -> None:
    start()
    sessions = connect().test.sessions
    moment = datetime(2024, 1, 2, 3, 4, 5, 678000)
    sessions.insert_one({"_id": 1, "expires": datetime(2000, 1, 1), "session": {"old": 1}})
    update = {"$set": {"expires": moment, "session.seen": True, "session.when": moment}, "$unset": {"session.old": ""}}
    assert sessions.update_one({"_id": 1}, update).modified_count == 1
    [document] = sessions.find()
    assert document == {"_id": 1, "expires": moment, "session": {"seen": True, "when": moment}}
    assert document["session"]["seen"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_the_server_listens_on_one_loopback_address_only(start: Start, port: int) -> None:
    start()
    socket.create_server(("127.0.0.2", port)).close()


def test_another_kind_of_service_on_the_port_is_an_error(data: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:

        def greet() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].sendall(b"220 mail.example.com ESMTP ready\r\n")

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(embedded.EmbeddedUnavailable, match=f"127.0.0.1:{port} is not a MongoDB server"):
            embedded.start(data, port)
        listener.shutdown(socket.SHUT_RDWR)
    assert not (data / "embedded.pid").exists()


def test_a_silent_service_on_the_port_is_an_error(data: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "CONNECT_TIMEOUT", 0.3)
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(embedded.EmbeddedUnavailable, match="is not a MongoDB server"),
    ):
        embedded.start(data, port)


def test_a_server_that_does_not_come_up_raises_with_its_log(data: Path, port: int) -> None:
    data.mkdir(parents=True)
    (data / "embedded.log").write_text("from an earlier start\n")
    (data / "admin.db").write_text("This is no SQLite file. " * 100)
    with pytest.raises(embedded.EmbeddedUnavailable, match="file is not a database") as raised:
        embedded.start(data, port)
    assert "from an earlier start" not in str(raised.value)
    assert not is_listening(port)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path, port: int) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedUnavailable, match=f"cannot keep its data in {tmp_path}/file/.data: "):
        embedded.start(tmp_path / "file" / ".data", port)


def test_without_the_package_the_message_names_both_ways_out(tmp_path: Path) -> None:
    # -S and -I leave the interpreter with the standard library alone.
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from miniexpress import embedded; embedded.start()"
    command = [sys.executable, "-S", "-I", "-c", program]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "EmbeddedUnavailable: there is no MongoDB to talk to" in ended.stderr
    assert "pip install '.[embedded]'" in ended.stderr
    assert "set MONGODB_URI" in ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("uri", ["", "mongodb://127.0.0.1/test"])
def test_app_py_without_any_package_ends_with_that_message(uri: str) -> None:
    without_packages = [sys.executable, "-S", "app.py"]
    env = {**os.environ, "MONGODB_URI": uri, "PYTHONPATH": "", "MINIEXPRESS_ENV": "development"}
    ended = subprocess.run(without_packages, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == embedded.NOT_INSTALLED + "\n"
    assert "pip install" in embedded.NOT_INSTALLED
    assert "MONGODB_URI" in embedded.NOT_INSTALLED
