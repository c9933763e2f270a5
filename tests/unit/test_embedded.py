"""The embedded server: starting, sharing, taking over and ending, each with real processes."""

from __future__ import annotations

import os
import re
import shutil
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
from tests.support.mongodb_servers import MongoDBServer
from tests.support.ports import free_port, is_listening
from tests.support.processes import Process, is_alive, start_process, user_environment
from tests.support.project import ROOT
from tests.support.waiting import wait_for

pytest.importorskip("nx_27017")

# An app: it starts the server, prints the URI, and runs until its standard input is closed.
STARTER = """
import sys
from miniexpress import embedded
print(embedded.start(sys.argv[1]), flush=True)
sys.stdin.read()
"""

Client = MongoClient[dict[str, Any]]
Connect = Callable[[], Client]
Begin = Callable[..., Process]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "app" / ".data"


@pytest.fixture
def begin(data: Path, tmp_path: Path) -> Iterator[Begin]:
    """Start a process that calls ``embedded.start``, for the folder ``data`` or another one."""
    begun: list[Process] = []
    folders = {data}

    def start(folder: Path = data) -> Process:
        folders.add(folder)
        argv = [sys.executable, "-c", STARTER, str(folder)]
        log = tmp_path / f"starter-{len(begun)}.log"
        begun.append(start_process(argv, user_environment(), cwd=tmp_path, log=log))
        return begun[-1]

    yield start
    for process in begun:
        process.close()
    for folder in folders:
        wait_for(lambda folder=folder: not is_served(folder), "the end of every server")  # type: ignore[misc]


@pytest.fixture
def start(begin: Begin) -> Begin:
    """Start one, and wait until ``embedded.start`` has returned."""
    return lambda *folder: until_started(begin(*folder))


@pytest.fixture
def connect(data: Path) -> Iterator[Connect]:
    """Connect to the server of ``data``."""
    with ExitStack() as clients:
        yield lambda: clients.enter_context(MongoClient("127.0.0.1", server_port(data), serverSelectionTimeoutMS=5000))


def until_started(process: Process) -> Process:
    def has_printed_uri() -> bool:
        assert process.status is None, process.output()
        return re.fullmatch(r"mongodb://127\.0\.0\.1:\d+/test\n", process.output()) is not None

    wait_for(has_printed_uri, "embedded.start")
    return process


def server_port(data: Path) -> int:
    return int((data / "embedded.lock").read_text().split()[0])


def server_pid(data: Path) -> int:
    return int((data / "embedded.lock").read_text().split()[1])


def is_served(data: Path) -> bool:
    lock = data / "embedded.lock"
    return lock.exists() and len(lock.read_text().split()) == 2 and is_alive(server_pid(data))


def test_the_directory_is_made_and_holds_the_data_the_log_and_the_lock(
    start: Begin, connect: Connect, data: Path
) -> None:
    start()
    connect().test.notes.insert_one({"_id": 1})
    assert {"test.db", "embedded.log", "embedded.lock"} <= {path.name for path in data.iterdir()}
    assert is_served(data)


def test_every_acknowledged_write_survives_a_kill_of_the_parent_and_a_restart(start: Begin, connect: Connect) -> None:
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


def test_the_server_exits_when_its_parent_is_killed(start: Begin, data: Path) -> None:
    starter = start()
    server, port = server_pid(data), server_port(data)
    starter.kill()
    wait_for(lambda: not is_alive(server), "the end of the server")
    assert not is_listening(port)


def test_the_server_is_gone_when_its_parent_has_exited(start: Begin, data: Path) -> None:
    starter = start()
    server, port = server_pid(data), server_port(data)
    assert starter.close_input() == 0
    assert not is_alive(server)
    assert not is_listening(port)


def test_the_server_is_in_a_process_group_that_ctrl_c_does_not_reach(start: Begin, data: Path) -> None:
    starter = start()
    assert os.getpgid(server_pid(data)) != os.getpgid(starter.pid)


def test_two_processes_share_one_server(start: Begin, connect: Connect, data: Path) -> None:
    start()
    server = server_pid(data)
    connect().test.notes.insert_one({"_id": "from the first"})
    second = start()
    assert connect().test.notes.find_one() == {"_id": "from the first"}
    second.kill()
    assert is_alive(server)
    assert server_pid(data) == server
    assert connect().test.notes.count_documents({}) == 1


def test_two_folders_have_a_server_each_and_neither_ends_with_the_other(
    start: Begin, connect: Connect, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    other = start(elsewhere)
    start()
    connect().test.users.insert_one({"_id": "of this folder"})
    with MongoClient[dict[str, Any]]("127.0.0.1", server_port(elsewhere)) as client:
        assert client.test.users.count_documents({}) == 0
    other.kill()
    assert [user["_id"] for user in connect().test.users.find()] == ["of this folder"]


def test_a_copy_of_a_folder_that_is_served_has_its_own_server(
    start: Begin, connect: Connect, data: Path, tmp_path: Path
) -> None:
    start()
    connect().test.users.insert_one({"_id": "before the copy"})
    shutil.copytree(data, tmp_path / "copy")
    start(tmp_path / "copy")
    assert server_port(tmp_path / "copy") != server_port(data)
    with MongoClient[dict[str, Any]]("127.0.0.1", server_port(tmp_path / "copy")) as client:
        client.test.users.insert_one({"_id": "after the copy"})
    assert [user["_id"] for user in connect().test.users.find()] == ["before the copy"]


def test_a_folder_is_the_same_through_a_symbolic_link(start: Begin, data: Path, tmp_path: Path) -> None:
    first = start()
    (tmp_path / "link").symlink_to(data)
    assert start(tmp_path / "link").output() == first.output()


def test_a_folder_that_was_deleted_while_it_was_served_is_begun_anew(
    start: Begin, connect: Connect, data: Path
) -> None:
    start()
    connect().test.users.insert_one({"_id": 1})
    port = server_port(data)
    shutil.rmtree(data)
    start()
    assert server_port(data) != port
    assert connect().test.users.count_documents({}) == 0


def test_the_port_stays_the_same_from_one_start_to_the_next(start: Begin, data: Path) -> None:
    first = start()
    first.kill()
    assert start().output() == first.output()


@pytest.mark.parametrize("pid", [os.getpid(), 1, 2**22 + 1], ids=["of the test", "of another user", "of none"])
def test_what_the_lock_file_says_counts_for_nothing_when_nobody_has_the_lock(
    start: Begin, data: Path, nx_server: MongoDBServer, pid: int
) -> None:
    """As after a crash, where the port and the process id are those of strangers by now."""
    data.mkdir(parents=True)
    (data / "embedded.lock").write_text(f"{nx_server.port} {pid}\n")
    start()
    assert server_port(data) != nx_server.port
    assert is_served(data)


@pytest.mark.parametrize(
    "text",
    ["", "0 0\n", "27127\n", "99999\n", "99999 1\n", f"22222 {'9' * 30}\n", "port\n", "\0" * 12, "\udc80", "1" * 5000],
    ids=lambda text: repr(text)[:20],
)
def test_a_lock_file_that_says_nothing_is_written_anew(start: Begin, data: Path, text: str) -> None:
    data.mkdir(parents=True)
    (data / "embedded.lock").write_text(text, errors="surrogateescape")
    start()
    assert is_served(data)


def test_another_server_takes_over_when_the_first_parent_is_killed(start: Begin, connect: Connect, data: Path) -> None:
    first, second = start(), start()
    server = server_pid(data)
    client, port = connect(), server_port(data)
    client.test.notes.insert_one({"_id": 1})
    first.kill()
    wait_for(lambda: is_served(data) and server_pid(data) != server, "another server")
    assert server_port(data) == port
    assert connect().test.notes.find_one() == {"_id": 1}
    assert second.status is None


def test_processes_that_start_at_the_same_time_share_one_server(begin: Begin, connect: Connect, data: Path) -> None:
    starters = [begin() for _ in range(4)]
    for starter in starters:
        until_started(starter)
    assert len({starter.output() for starter in starters}) == 1
    connect().test.notes.insert_one({"_id": 1})
    assert is_served(data)
    assert "Traceback" not in (data / "embedded.log").read_text()


def test_an_update_keeps_the_types_of_booleans_and_dates(start: Begin, connect: Connect) -> None:
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
def test_the_server_listens_on_one_loopback_address_only(start: Begin, data: Path) -> None:
    start()
    socket.create_server(("127.0.0.2", server_port(data))).close()


@pytest.mark.parametrize("port", [-1, 65_536, "21000", None])
def test_what_is_no_port_is_refused_before_a_server_is_started(data: Path, port: Any) -> None:
    with pytest.raises(TypeError, match="takes a port from 0 to 65535"):
        embedded.start(data, port)
    assert not data.exists()


def test_a_port_of_ones_own_is_taken_and_one_in_use_is_an_error(data: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(embedded.EmbeddedUnavailable, match=f"port {port} of 127.0.0.1 is in use: end what"):
            embedded.start(data, port)
        assert not is_served(data)
    program = f"from miniexpress import embedded; print(embedded.start({str(data)!r}, {port}))"
    ended = subprocess.run([sys.executable, "-c", program], env=user_environment(), capture_output=True, text=True)
    assert ended.stdout == f"mongodb://127.0.0.1:{port}/test\n"


def test_a_server_that_does_not_come_up_raises_with_its_log(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "embedded.log").write_text("from an earlier start\n")
    (data / "admin.db").write_text("This is no SQLite file. " * 100)
    with pytest.raises(embedded.EmbeddedUnavailable, match="file is not a database") as raised:
        embedded.start(data)
    assert f"the embedded server of {data} did not come up:" in str(raised.value)
    assert "from an earlier start" not in str(raised.value)
    assert not is_served(data)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(embedded.EmbeddedUnavailable, match=f"cannot keep its data in {tmp_path}/file/.data: "):
        embedded.start(tmp_path / "file" / ".data")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that root cannot write to either")
def test_a_directory_that_cannot_be_written_to_is_named() -> None:
    with pytest.raises(embedded.EmbeddedUnavailable, match="cannot keep its data in /sys/kernel: "):
        embedded.start("/sys/kernel")


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
