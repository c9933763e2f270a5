"""The items of an async iterable, for a thread that sends them as the body of a response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from .loop import EventLoop, event_loop
from .terminal_errors import as_exception


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
            loop.call(loop.start, self._put_items, copy_context())
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
