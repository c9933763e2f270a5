"""`MongoDBStore` under many requests at one time: one command reads the sessions of several, and nobody notices."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pymongo
import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent, CommandSucceededEvent

from miniexpress.sessions.mongodb import MongoDBStore, availability, shared_reads
from tests.support.browser import NO_COOKIE
from tests.support.mongodb_servers import MongoDBServer, SecantusServer
from tests.support.waiting import wait_for


class Finds(CommandListener):
    """Record the filters of the command ``find``, and hold back the answer of the next one when told to."""

    def __init__(self) -> None:
        self.commands: list[Mapping[str, Any]] = []
        self.answered = threading.Event()
        self.go_on = threading.Event()
        self.holds_next = False

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.commands.append(event.command)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == "find" and self.holds_next:
            self.holds_next = False
            self.answered.set()
            assert self.go_on.wait(20)

    def failed(self, event: Any) -> None:
        pass

    @contextmanager
    def one_held(self, store: MongoDBStore, sid: str, pool: ThreadPoolExecutor) -> Iterator[Future[Any]]:
        """Read a session, and hold back the answer until the end of the ``with``."""
        self.commands.clear()
        self.holds_next = True
        held = pool.submit(store.get, sid)
        assert self.answered.wait(20)
        try:
            yield held
        finally:
            self.go_on.set()


@pytest.fixture
def finds() -> Finds:
    return Finds()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


@pytest.fixture
def open_store(mongodb: MongoDBServer, finds: Finds) -> Iterator[Callable[..., MongoDBStore]]:
    with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[finds]) as client:
        yield lambda **options: MongoDBStore(client=client, **options)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests gather for as long as one command is held back."""
    monkeypatch.setattr(shared_reads, "LONGEST_GATHERING", 20)
    monkeypatch.setattr(shared_reads, "LONGEST_WAIT", 20)
    monkeypatch.setattr(availability, "_CALL_TIMEOUT", 40)


def session_of(user: str) -> dict[str, Any]:
    return {"cookie": NO_COOKIE, "user": user}


def gather(store: MongoDBStore, sids: list[str], pool: ThreadPoolExecutor) -> list[Future[Any]]:
    """Read sessions in a thread each, which wait for the command that is under way."""
    reads = store._reads
    futures = [pool.submit(store.get, sid) for sid in sids]
    wait_for(lambda: reads._gathering is not None and reads._gathering.ids == set(sids), "the requests to gather")
    return futures


def users(futures: list[Future[Any]]) -> list[str | None]:
    return [document and document["user"] for document in (future.result(20) for future in futures)]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("id_field", ["_id", "sid"])
def test_requests_that_wait_for_one_command_are_served_by_the_next_each_with_its_own_session(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor, id_field: str
) -> None:
    store = open_store(id_field=id_field)
    names = [f"user{number}" for number in range(12)]
    for name in names:
        store.set(name, session_of(name))
    with finds.one_held(store, names[0], pool) as first:
        rest = [*gather(store, names[1:], pool), pool.submit(store.get, names[1])]
    assert users([first, *rest]) == [*names, names[1]]
    first_filter, shared_filter, *others = [command["filter"][id_field] for command in finds.commands]
    assert (first_filter, sorted(shared_filter["$in"])) == (names[0], sorted(names[1:]))
    assert others in ([], [names[1]])  # whoever came too late for the second command


@pytest.mark.usefixtures("patient")
def test_a_request_sees_what_was_written_before_it_asked_though_another_has_asked_before(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor
) -> None:
    store = open_store()
    store.set("known", session_of("before"))
    with finds.one_held(store, "known", pool) as first:
        store.set("known", session_of("after"))
        later = gather(store, ["known"], pool)
    assert users([first, *later]) == ["before", "after"]


@pytest.mark.usefixtures("patient")
def test_among_others_an_id_without_session_finds_none_and_a_document_that_is_none_harms_nobody(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor
) -> None:
    store = open_store(id_field="sid")
    store.set("known", session_of("tobi"))
    store.set("double", session_of("tobi"))
    store.collection.insert_many([
        {"sid": ["listed"], "session": session_of("nobody")},
        {"sid": "odd", "session": 1},
        {"sid": "double", "session": session_of("another")},
    ])  # fmt: skip
    alone = {sid: store.get(sid) for sid in ("known", "double", "listed", "odd", "unknown")}
    with finds.one_held(store, "known", pool):
        together = gather(store, list(alone), pool)
    assert [future.result(20) for future in together] == list(alone.values())
    assert alone["unknown"] is None and alone["odd"] is None and alone["double"] is not None


@pytest.mark.usefixtures("patient")
def test_documents_that_two_requests_share_are_not_the_same_objects(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor
) -> None:
    store = open_store()
    store.set("known", session_of("tobi"))
    with finds.one_held(store, "known", pool):
        futures = gather(store, ["known"], pool)
        futures.append(pool.submit(store.get, "known"))
    one, another = (future.result(20) for future in futures)
    one["user"] = "changed"
    assert another["user"] == "tobi"


def test_a_command_that_is_not_answered_for_long_keeps_nobody_else_waiting(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor
) -> None:
    store = open_store()
    for name in ("slow", "a", "b"):
        store.set(name, session_of(name))
    with finds.one_held(store, "slow", pool) as slow:
        assert users([pool.submit(store.get, name) for name in "abab"]) == ["a", "b", "a", "b"]
        assert not slow.done()
    assert users([slow]) == ["slow"]


@pytest.mark.usefixtures("whole_machine")
def test_a_thousand_reads_of_sixteen_threads_find_each_session_as_it_was_last_written(
    nx_server: MongoDBServer,
) -> None:
    store = MongoDBStore(uri=nx_server.uri)

    def visit(name: str) -> None:
        for turn in range(64):
            store.set(name, session_of(f"{name}: {turn}"))
            assert (store.get(name) or {})["user"] == f"{name}: {turn}"
            assert store.get(f"not {name}") is None

    with ThreadPoolExecutor(16) as threads:
        for visitor in [threads.submit(visit, str(number)) for number in range(16)]:
            visitor.result()
    store.client.close()


def test_the_read_concern_of_the_uri_is_kept(mongodb: MongoDBServer, finds: Finds) -> None:
    uri = f"{mongodb.uri}?readConcernLevel=majority"
    with pymongo.MongoClient[Any](uri, event_listeners=[finds]) as client:
        store = MongoDBStore(client=client)
        store.set("known", session_of("tobi"))
        finds.commands.clear()
        assert store.get("known") is not None
    assert [command["readConcern"]["level"] for command in finds.commands] == ["majority"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("how", [{"closeConnection": True}, {"errorCode": 8}], ids=["broken off", "refused"])
def test_all_who_share_a_command_that_fails_are_served_by_others(
    secantus_server: SecantusServer, finds: Finds, pool: ThreadPoolExecutor, how: dict[str, Any]
) -> None:
    with pymongo.MongoClient[Any](secantus_server.uri, event_listeners=[finds]) as client:
        store = MongoDBStore(client=client)
        for name in "abcd":
            store.set(name, session_of(name))
        with ExitStack() as at_the_end:
            with finds.one_held(store, "a", pool) as first:
                rest = gather(store, ["b", "c", "d"], pool)
                at_the_end.enter_context(secantus_server.failing("find", mode={"times": 1}, **how))
            assert users([first, *rest]) == ["a", "b", "c", "d"]


def test_reads_go_on_after_a_restart_of_the_server_though_all_connections_are_broken(
    mongodb: MongoDBServer, open_store: Callable[..., MongoDBStore], pool: ThreadPoolExecutor
) -> None:
    store = open_store()
    store.set("known", session_of("tobi"))
    for threads in (1, 16):
        assert set(users([pool.submit(store.get, "known") for _ in range(16)])) == {"tobi"}  # connections to break
        mongodb.restart()
        assert set(users([pool.submit(store.get, "known") for _ in range(threads)])) == {"tobi"}


@pytest.mark.usefixtures("patient")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore")  # pymongo's, and Python's: of forking a process that has threads
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS's own libraries do not survive a fork")
def test_a_process_that_is_forked_while_requests_wait_for_a_command_reads_sessions(
    open_store: Callable[..., MongoDBStore], finds: Finds, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    for name in "ab":
        store.set(name, session_of(name))

    def read_in_child() -> None:
        monkeypatch.undo()
        assert [(store.get(name) or {})["user"] for name in "ab"] == ["a", "b"]

    with finds.one_held(store, "a", pool) as first:
        gathered = gather(store, ["b"], pool)
        child = multiprocessing.get_context("fork").Process(target=read_in_child)
        child.start()
        child.join(20)
        assert child.exitcode == 0
    assert users([first, *gathered]) == ["a", "b"]
