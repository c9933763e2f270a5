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
from collections.abc import AsyncIterable, Coroutine, Iterator
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any

log = logging.getLogger("miniexpress")

EXIT_SECONDS = 2.0  # for the ``finally`` of coroutines that are cancelled when the process ends


class EventLoop:
    """An event loop that runs in a daemon thread until the process ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="miniexpress-event-loop", daemon=True)
        self._thread.start()
        atexit.register(self._cancel_all)

    def start(self, coroutine: Coroutine[Any, Any, None], context: Context) -> None:
        """Run a coroutine, which must not raise, as a task that sees ``context``. Returns at once.

        Raises ``RuntimeError`` in the loop's own thread: who waits there for a coroutine would wait for ever.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("an async function must not wait for another thread: await asyncio.to_thread(…) instead")
        self.call(self._start, coroutine, context)

    def call(self, function: Any, *arguments: Any) -> None:
        """Call a function in the loop's thread, soon."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def create_future(self) -> asyncio.Future[None]:
        """Return a future of the loop."""
        return self._loop.create_future()

    def _start(self, coroutine: Coroutine[Any, Any, None], context: Context) -> None:
        task = self._loop.create_task(coroutine, context=context)
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except BaseException:  # a task of the app's has raised SystemExit or the like: it must not end all others
                log.exception("a task of the event loop failed")

    def _cancel_all(self) -> None:
        """Cancel what still runs when the process ends, and give it ``EXIT_SECONDS`` for what it has to tidy up."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(_cancel(set(_TASKS)), self._loop).exception()


_TASKS: set[asyncio.Task[None]] = set()  # the loop itself refers to its tasks weakly
_loop: EventLoop | None = None
_lock = threading.Lock()


def event_loop() -> EventLoop:
    """Return the process's event loop, which is started by the first call."""
    global _loop
    if _loop is None:
        with _lock:
            if _loop is None:
                _loop = EventLoop()
    return _loop


def _forget() -> None:
    """Begin anew in a forked child, to which no thread of its parent's has come."""
    global _loop, _lock
    if _loop is not None:
        atexit.unregister(_loop._cancel_all)
    _loop, _lock = None, threading.Lock()
    _TASKS.clear()


os.register_at_fork(after_in_child=_forget)


def as_exception(error: BaseException, culprit: Any) -> Exception:
    """Return the error, or a ``RuntimeError`` in place of ``SystemExit``, ``CancelledError`` and others that would end
    more than one request."""
    if isinstance(error, Exception):
        return error
    exception = RuntimeError(f"{culprit} has raised {error!r}")
    exception.__cause__ = error
    return exception


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=EXIT_SECONDS)


class AsyncChunks(Iterator[Any]):
    """The items of an async iterable, for a thread: each is awaited when it is asked for.

    One task goes through the iterable from its beginning to its end, so that what it opens is closed where it was
    opened. ``close`` cancels it, and returns once its ``finally`` is done.
    """

    def __init__(self, iterable: AsyncIterable[Any]) -> None:
        self._iterable = iterable
        self._items: SimpleQueue[Any] = SimpleQueue()  # an item, an exception, or _END
        self._task: asyncio.Task[Any] | None = None
        self._wanted: asyncio.Event | None = None
        self._is_ended = False

    def __next__(self) -> Any:
        if self._is_ended:
            raise StopIteration
        if self._wanted is None:
            self._wanted = asyncio.Event()
            event_loop().start(self._put_items(self._wanted), copy_context())
        event_loop().call(self._wanted.set)
        item = self._items.get()
        if isinstance(item, _End):
            self._is_ended = True
            raise as_exception(item.error, self._iterable) if item.error else StopIteration
        return item

    def close(self) -> None:
        """Cancel the task that goes through the iterable, and wait until it has closed that."""
        if self._is_ended or self._wanted is None:
            return
        self._is_ended = True
        event_loop().call(self._cancel)
        while not isinstance(self._items.get(), _End):
            pass

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _put_items(self, wanted: asyncio.Event) -> None:
        self._task, error = asyncio.current_task(), None
        try:
            await wanted.wait()
            async for item in self._iterable:
                wanted.clear()
                self._items.put(item)
                await wanted.wait()
        except BaseException as raised:
            error = raised
        finally:
            self._items.put(_End(await self._closed(error)))

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
