"""A process that is forked while other threads use the stores: the locks that they hold are free there."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event, Lock
from typing import Any

import pytest

from miniexpress.sessions import forks
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb.session_lock import THREAD_LOCKS, SessionLock
from miniexpress.sessions.mongodb.shared_reads import SharedReads
from miniexpress.sessions.store import Store
from tests.support.browser import NO_COOKIE, changes

pytestmark = [
    pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork"),
    pytest.mark.skipif(sys.platform == "darwin", reason="macOS's own libraries do not survive a fork"),
    pytest.mark.filterwarnings("ignore"),  # Python's, of forking a process that has threads
]


class Collection:
    """A collection that has each session, and no lock on any."""

    def find_one(self, query: Any) -> Any:
        return query

    def update_one(self, query: Any, update: Any) -> Any:
        return type("Result", (), {"matched_count": 1})


class Unhashable(MemoryStore):
    __hash__ = None  # type: ignore[assignment]


def exit_code_of_fork(work: Callable[[], Any], held: AbstractContextManager[Any]) -> int | None:
    """Return how a forked process ends that does ``work`` while another thread of this one holds a lock."""
    is_held, is_done = Event(), Event()

    def hold() -> None:
        with held:
            is_held.set()
            assert is_done.wait(20)

    with ThreadPoolExecutor() as pool:
        holding = pool.submit(hold)
        assert is_held.wait(5)
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join(5)
        code = child.exitcode
        child.kill()
        is_done.set()
        holding.result(5)
    return code


@pytest.mark.parametrize("kind", [MemoryStore, Unhashable])
def test_a_store_whose_lock_was_held_is_written_in_a_fork(kind: type[MemoryStore]) -> None:
    store = kind()
    store.set("a", {"cookie": NO_COOKIE})
    assert exit_code_of_fork(lambda: store.update("a", changes(added={"x": 1})), store.transaction()) == 0


def test_a_lock_of_a_store_s_own_stays_in_a_fork() -> None:
    store = MemoryStore()
    store._lock = own = Lock()  # type: ignore[assignment]

    def is_kept() -> None:
        assert store.transaction() is own

    assert exit_code_of_fork(is_kept, Lock()) == 0


def test_a_session_whose_lock_was_held_is_locked_in_a_fork() -> None:
    lock = SessionLock(Collection(), "_id", "expires")
    held = lock._thread_locks[hash("a") % THREAD_LOCKS]

    def lock_it() -> None:
        assert lock.while_locked("a", lambda found, unchanged: True)

    assert exit_code_of_fork(lock_it, held) == 0


def test_sessions_are_read_in_a_fork_where_the_lock_of_shared_reads_was_held() -> None:
    reads = SharedReads(Collection(), "_id")
    reads._find = lambda batch: None  # type: ignore[method-assign]
    assert exit_code_of_fork(lambda: reads.find_one("a"), reads._lock) == 0


def test_a_store_that_is_used_no_more_is_forgotten() -> None:
    before = len(forks._owners)
    stores: list[Store] = [MemoryStore() for _ in range(5)]
    assert len(forks._owners) == before + 5
    stores.clear()
    assert len(forks._owners) == before
