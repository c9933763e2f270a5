"""The process's one event loop, for ``async def`` handlers and async iterables.

There is one, so that a client that belongs to a loop (``pymongo.AsyncMongoClient``, ``httpx.AsyncClient``) serves many
requests. It is started when it is first needed, and anew in a forked child. The package imports this file only when
something async is registered or sent: an app without it loads no asyncio and starts no thread.

The loop has a thread of its own. A request's thread that waits for a task there has handed it over, and is handed the
result: each time a sleeping core is woken, which on a virtual machine takes 100 us. So a task that is likely to wait
for nothing is run by the request's thread itself, as a visitor of the loop, under the loop's lock. As everywhere in
asyncio, one function of the loop runs at a time, each in its turn, and a task stays in the thread in which it has
begun: when the turn of a visitor's step comes, the loop's thread waits until the request's thread has run it.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import selectors
import sys
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from threading import get_ident
from typing import Any, TypeVarTuple

from .daemon_threads import DaemonThreads

Args = TypeVarTuple("Args")

log = logging.getLogger("miniexpress")

EXIT_SECONDS = 2.0  # for the ``finally`` of coroutines that are cancelled when the process ends
DEEP_STACK = 200  # frames, of the 1,000 that Python allows: a task there might have too few

# A file can be added to these in one thread while another waits. Windows has none of them.
SHARED_SELECTORS = ("EpollSelector", "KqueueSelector")

_loop: EventLoop | None = None
_lock = threading.Lock()


def event_loop() -> EventLoop:
    """Return the process's event loop, which is started by the first call.

    It asks for the process itself, since a server in C (uWSGI) forks without telling Python.
    """
    global _loop
    if _loop is None or _loop.pid != os.getpid():
        with _lock:
            if _loop is None or _loop.pid != os.getpid():
                _loop = EventLoop()
    return _loop


def _renew_lock() -> None:
    """Make a new lock in a forked child: the old one may be held by a thread that is not in it."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class EventLoop(asyncio.SelectorEventLoop):
    """An event loop that runs in a daemon thread until the process ends. Other threads may visit it meanwhile."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.is_ending = False
        """True once the process ends. No thread that waits for a task is woken then: its server is gone."""
        self.visiting: dict[int, Callable[..., bool]] = {}
        """The ``takes_step`` of each visitor's task, by the ``id`` of the task's context."""
        self._lock = FairLock()
        self._ready: deque[asyncio.Handle]  # asyncio's own: what is called soon, in its order
        self._visitor: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # asyncio itself refers to its tasks weakly
        super().__init__(UnlockingSelector(self._lock))
        self.set_default_executor(DaemonThreads())
        self._thread = threading.Thread(target=self._run, name="miniexpress-event-loop", daemon=True)
        self._thread.start()
        atexit.register(self._cancel_all)

    def is_current(self) -> bool:
        """Return whether the calling thread runs the loop, and would keep it from running if it waited for a task."""
        return asyncio._get_running_loop() is self

    def check_may_wait(self) -> None:
        """Raise ``RuntimeError`` in a function that the loop runs."""
        if self.is_current():
            raise RuntimeError("an async function must not wait for another thread: await asyncio.to_thread(…) instead")

    def may_be_visited(self) -> bool:
        """Return whether the calling thread may run tasks of the loop itself.

        Not where another loop runs, not in the main thread, where the server's signal handlers raise, and not on a deep
        stack. In asyncio's debug mode all is run by one thread, as that wants it.
        """
        if asyncio._get_running_loop() is not None or get_ident() == threading.main_thread().ident:
            return False
        return UnlockingSelector.is_shared and not self.get_debug() and not is_stack_deep()

    def visit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the calling thread, as one of the loop. ``may_be_visited`` has to be true."""
        with self._lock:
            self.act(function, *arguments)

    def act(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the calling thread, as one of the loop, whose lock is held for this thread."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._close_generator)
        asyncio._set_running_loop(self)
        self._visitor = get_ident()
        try:
            function(*arguments)
        finally:
            self._visitor = None
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def is_next(self) -> bool:
        """Return whether what a visitor calls soon would be the next to run: nothing else waits for its turn."""
        return self._visitor == get_ident() and not self._ready

    def start(self, function: Callable[..., Coroutine[Any, Any, None]], context: Context) -> asyncio.Task[None]:
        """Run an async function, which must not raise, as a task that sees ``context``. To be called on the loop."""
        task = self.create_task(function(), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the loop's thread, soon."""
        self.call_soon_threadsafe(function, *arguments)

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Call a function soon: where it is the next step of a visitor's task by that thread, else by the loop's own.

        asyncio runs each step of a task by this method, and with the task's own context. A step takes its turn behind
        all that was called soon before it, as in any loop.
        """
        take_step = self.visiting.get(id(context))
        if take_step is not None and take_step(callback, *args):
            return asyncio.Handle(callback, args, self, context)
        if self._visitor == get_ident():
            return self.call_soon_threadsafe(callback, *args, context=context)
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call a function at a time of the loop's clock."""
        timer = super().call_at(when, callback, *args, context=context)
        if self._visitor == get_ident():
            self._write_to_self()  # type: ignore[attr-defined]  # the loop may wait for a later timer
        return timer

    def _close_generator(self, generator: Any) -> None:
        """Close an async generator that nobody refers to any more, as ``run_forever`` has it done."""
        self.call_soon_threadsafe(self.create_task, generator.aclose())

    def _run(self) -> None:
        self._lock.acquire()  # and the selector releases it while it waits
        while True:
            try:
                self.run_forever()
            except BaseException:  # a task of the app's has raised SystemExit or the like: it must not end all others
                log.exception("a task of the event loop failed")

    def _cancel_all(self) -> None:
        """Cancel all that still runs when the process ends, and give it ``EXIT_SECONDS`` for what it has to tidy up."""
        if self.pid != os.getpid() or not self._thread.is_alive():
            return
        finished, self.is_ending = threading.Event(), True
        self.call(self._cancel_tasks, finished)
        if not finished.wait(EXIT_SECONDS):
            log.warning("the process ends, although a coroutine still runs %s s after it was cancelled", EXIT_SECONDS)

    def _cancel_tasks(self, finished: threading.Event) -> None:
        self.visiting.clear()  # their threads may be busy with what is behind next()
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        asyncio.gather(*tasks, return_exceptions=True).add_done_callback(lambda results: finished.set())


class FairLock:
    """A lock that goes to a thread that waits for it, and not at once back to the one that has released it."""

    def __init__(self) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self.release = self._lock.release

    def acquire(self) -> None:
        with self._turn:  # held by the one that is next
            self._lock.acquire()

    def is_wanted(self) -> bool:
        """Return whether a thread waits for it."""
        return self._turn.locked()

    __enter__ = acquire

    def __exit__(self, *error: object) -> None:
        self._lock.release()


class UnlockingSelector(selectors.DefaultSelector):
    """The loop's selector: it releases the loop's lock while it waits, so that the loop can be visited."""

    is_shared = selectors.DefaultSelector.__name__ in SHARED_SELECTORS

    def __init__(self, lock: FairLock) -> None:
        super().__init__()
        self._lock = lock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait until something is ready, for ``timeout`` seconds at most, and return it.

        What a visitor has registered anew meanwhile is left for the next time: it may be another file of that number.
        """
        if not self.is_shared or (timeout == 0 and not self._lock.is_wanted()):
            return super().select(timeout)
        self._lock.release()
        try:
            ready = super().select(timeout)
        finally:
            self._lock.acquire()
        keys = self.get_map()
        return [(key, events) for key, events in ready if keys.get(key.fileobj) is key]


def is_stack_deep() -> bool:
    """Return whether the calling thread has used ``DEEP_STACK`` frames."""
    try:
        sys._getframe(DEEP_STACK)
    except ValueError:
        return False
    return True
