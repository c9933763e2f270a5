"""A task of the event loop, and the thread that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from queue import SimpleQueue
from threading import get_ident
from typing import Any, NamedTuple

from .loop import EventLoop


class WaitedTask:
    """A task, and a thread that waits for the items that it puts, and does what each of them asks for.

    A visitor's task is run by the thread itself, while it waits: nothing is handed over. A step that becomes due while
    the thread is busy with an item is run by the loop's thread, and so are all that follow.
    """

    def __init__(
        self, loop: EventLoop, function: Callable[[], Coroutine[Any, Any, None]], is_visitor: bool = False
    ) -> None:
        self.context = copy_context()
        """The context of the task, a copy of the thread's."""
        self.has_waited = False
        """True of a visitor's task that has waited for more than its own thread: another has resumed it."""
        self._loop, self._function, self._is_visitor = loop, function, is_visitor
        self._thread = get_ident()
        self._queue: SimpleQueue[Any] = SimpleQueue()  # items, and steps for a visitor
        self._unfinished_items = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task. The function must not raise."""
        self._call(self._start)

    def get(self) -> Any:
        """Wait for the next item, and run the task meanwhile if it is a visitor's."""
        while isinstance(item := self._queue.get(), Step):
            self._loop.visit(self.context.run, item.callback, *item.arguments)
        return item

    def item_done(self, function: Callable[[], Any]) -> None:
        """Tell that the thread has done what the last item asked for, and call a function on the loop."""
        self._call(self._item_done, function)

    def leave(self) -> None:
        """Wait no longer. What is left of the task is run by the loop's thread."""
        self._loop.visiting.pop(id(self.context), None)

    def cancel(self) -> None:
        """Cancel the task, soon."""
        self._loop.call(self._cancel)

    def put(self, item: Any) -> None:
        """Hand the thread an item. To be called on the loop; nobody is woken any more when the process ends."""
        self._unfinished_items += 1
        if not self._loop.is_ending:
            self._queue.put(item)

    def takes_step(self, callback: Callable[..., Any], *arguments: Any) -> bool:
        """Have the thread run the next step, and return True; return False if it is busy with an item."""
        self.has_waited = self.has_waited or get_ident() != self._thread
        if self._unfinished_items:
            self._is_visitor = False
            self._loop.visiting.pop(id(self.context), None)
            return False
        self._queue.put(Step(callback, arguments))
        return True

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        run = self._loop.visit if self._is_visitor else self._loop.call
        run(function, *arguments)

    def _start(self) -> None:
        if self._is_visitor:
            self._loop.visiting[id(self.context)] = self.takes_step
            self._task = self._loop.create_task(self._function(), context=self.context)
        else:
            self._task = self._loop.start(self._function, self.context)

    def _item_done(self, function: Callable[[], Any]) -> None:
        self._unfinished_items -= 1
        function()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class Step(NamedTuple):
    """A step of a task, as the loop is asked to run it."""

    callback: Callable[..., Any]
    arguments: tuple[Any, ...]
