"""The process's one event loop, in a thread of its own, for ``async def`` handlers and async iterables.

There is one, so that a client that belongs to a loop (``pymongo.AsyncMongoClient``, ``httpx.AsyncClient``) serves many
requests. It is started when it is first needed, and anew in a forked child. The package imports this file only when
something async is registered or sent: an app without it loads no asyncio and starts no thread.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import AsyncIterable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any

log = logging.getLogger("miniexpress")

EXIT_SECONDS = 2.0  # for the ``finally`` of coroutines that are cancelled when the process ends


class EventLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.is_ending = False
        """Whether the process ends. Who waits for a coroutine is not woken any more: its server is gone."""
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonThreads())
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself refers to its tasks weakly
        self._thread = threading.Thread(target=self._run, name="miniexpress-event-loop", daemon=True)
        self._thread.start()
        atexit.register(self._cancel_all)

    def is_current(self) -> bool:
        """Return whether this is the loop's own thread, where who waited for a coroutine would keep it from running."""
        return threading.current_thread() is self._thread

    def check_may_wait(self) -> None:
        """Raise ``RuntimeError`` in the loop's own thread."""
        if self.is_current():
            raise RuntimeError("an async function must not wait for another thread: await asyncio.to_thread(…) instead")

    def start(self, function: Callable[..., Coroutine[Any, Any, None]], context: Context) -> None:
        """Run an async function, which must not raise, as a task that sees ``context``. Returns at once."""
        self.call(self._start, function, context)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the loop's thread, soon."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def create_future(self) -> asyncio.Future[None]:
        """Return a future of the loop."""
        return self._loop.create_future()

    def current_task(self) -> asyncio.Task[Any] | None:
        """Return the task that runs in the loop now."""
        return asyncio.current_task(self._loop)

    def _start(self, function: Callable[..., Coroutine[Any, Any, None]], context: Context) -> None:
        task = self._loop.create_task(function(), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
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
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        asyncio.gather(*tasks, return_exceptions=True).add_done_callback(lambda results: finished.set())


class DaemonThreads(ThreadPoolExecutor):
    """Has each function of ``asyncio.to_thread`` run in a daemon thread of its own.

    So it need not wait for one that another occupies, which may itself wait for it; and one that does not end does not
    keep the process from ending, which waits for the threads of other executors.
    """

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Call a function in a thread, and return a future of what it returns."""
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*arguments, **keywords))
            except BaseException as error:
                # asyncio's futures take no StopIteration: who awaits one would wait for ever.
                future.set_exception(as_exception(error, function) if isinstance(error, StopIteration) else error)

        threading.Thread(target=run, daemon=True).start()
        return future


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


def as_exception(error: BaseException, culprit: Any) -> Exception:
    """Return an error that ends one request only, in place of ``SystemExit``, ``CancelledError`` and their kin, and
    of ``StopIteration``, which would end the loop that it is raised in."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    exception = RuntimeError(f"{culprit} has raised {error!r}")
    exception.__cause__ = error
    return exception


class AsyncChunks(Iterator[Any]):
    """The items of an async iterable, for a thread: each is awaited when it is asked for.

    One task goes through the iterable from its beginning to its end, so that what it opens is closed where it was
    opened.
    """

    def __init__(self, iterable: AsyncIterable[Any]) -> None:
        self._iterable = iterable
        self._items: SimpleQueue[Any] = SimpleQueue()  # items, then an _End
        self._task: asyncio.Task[Any] | None = None
        self._wanted = asyncio.Event()
        self._is_begun = self._is_ended = False

    def __next__(self) -> Any:
        if self._is_ended:
            raise StopIteration
        loop = event_loop()
        loop.check_may_wait()
        self._begin(loop)
        loop.call(self._wanted.set)
        item = self._items.get()
        if isinstance(item, _End):
            self._is_ended = True
            raise as_exception(item.error, self._iterable) if item.error else StopIteration
        return item

    def close(self) -> None:
        """Have the iterable closed, wherever it is, and return once its ``finally`` is done; on the event loop itself,
        which has to run that, at once."""
        if self._is_ended:
            return
        self._is_ended = True
        if not self._is_begun and not hasattr(self._iterable, "aclose"):
            return
        loop = event_loop()
        self._begin(loop)
        loop.call(self._interrupt)
        while not loop.is_current() and not isinstance(self._items.get(), _End):
            pass

    def _begin(self, loop: EventLoop) -> None:
        if not self._is_begun:
            loop.start(self._put_items, copy_context())
            self._is_begun = True

    def _interrupt(self) -> None:
        self._wanted.set()
        if self._task is not None:
            self._task.cancel()

    async def _put_items(self) -> None:
        self._task, error = asyncio.current_task(), None
        try:
            await self._wanted.wait()
            if not self._is_ended:
                await self._put_each()
        except BaseException as raised:
            error = raised
        finally:
            error = await self._closed(error)
            if not event_loop().is_ending:
                self._items.put(_End(error))

    async def _put_each(self) -> None:
        """Put each item when it is wanted, until they end, or until ``close`` is called: an iterable may ignore that it
        is cancelled."""
        async for item in self._iterable:
            if self._is_ended:
                break
            self._wanted.clear()
            self._items.put(item)
            await self._wanted.wait()

    async def _closed(self, error: BaseException | None) -> BaseException | None:
        """Close the iterable, as a generator has to be that was left early; return what it or this has raised."""
        try:
            if hasattr(self._iterable, "aclose"):
                await self._iterable.aclose()
        except BaseException as raised:
            return error or raised
        return error


class _End:
    """The end of an async iterable, by an error or not."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
