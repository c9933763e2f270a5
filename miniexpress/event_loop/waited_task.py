"""A task of the event loop, and the thread that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Event, get_ident
from typing import Any

from .loop import EventLoop

ABANDONED = object()  # the last item for a thread that no longer waits


class WaitedTask:
    """A task, and a thread that waits for the items that it puts, and does what each of them asks for.

    A visitor's task is run by the thread itself, while it waits: nothing is handed over, unless others have to run
    before its next step. A step that becomes due while the thread is busy with an item is run by the loop's thread, and
    so are all that follow.
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
        self._turn: TurnStep | None = None  # the last one that the loop's thread has waited for
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task. The function must not raise."""
        self._call(self._start)

    def get(self) -> Any:
        """Wait for the next item, and run the task meanwhile if it is a visitor's."""
        while isinstance(item := self._queue.get(), Step):
            item.run(self._loop, self.context)
        return item

    def item_done(self, function: Callable[[], Any]) -> None:
        """Tell that the thread has done what the last item asked for, and call a function on the loop."""
        self._call(self._item_done, function)

    def leave(self) -> None:
        """Wait no longer. What is left of the task is run by the loop's thread."""
        self._loop.visiting.pop(id(self.context), None)

    def abandon(self) -> None:
        """Cancel the task, for a thread that no longer waits for it, and run its steps until that is done."""
        is_visitor = self._is_visitor
        if self._turn is not None:
            self._turn.run(self._loop, self.context)  # the error may have come when it was taken from the queue
        self._loop.call(self._abandon)
        while is_visitor and self.get() is not ABANDONED:
            pass

    def put(self, item: Any) -> None:
        """Hand the thread an item. To be called on the loop; nobody is woken any more when the process ends."""
        self._unfinished_items += 1
        if not self._loop.is_ending:
            self._queue.put(item)

    def takes_step(self, callback: Callable[..., Any], *arguments: Any) -> bool:
        """Have the thread run the next step when its turn comes, and return True; return False if it is busy."""
        self.has_waited = self.has_waited or get_ident() != self._thread
        if self._unfinished_items:
            self._stay_on_loop()
            return False
        if self._loop.is_next():
            self._queue.put(Step(callback, arguments))
        else:
            self._loop.call(self._take_turn, callback, arguments)
        return True

    def _take_turn(self, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Wait, in the loop's thread, until the request's thread has run a step; run it here if that is busy."""
        if self._unfinished_items or self._loop.is_ending or not self._is_visitor:
            self._stay_on_loop()
            self.context.run(callback, *arguments)
            return
        self._turn = TurnStep(callback, arguments)
        self._queue.put(self._turn)
        self._turn.is_done.wait()

    def _stay_on_loop(self) -> None:
        self._is_visitor = False
        self._loop.visiting.pop(id(self.context), None)

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

    def _abandon(self) -> None:
        self._stay_on_loop()
        self._queue.put(ABANDONED)
        if self._task is not None:
            self._task.cancel()


class Step:
    """A step of a task, as the loop is asked to run it."""

    def __init__(self, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._callback, self._arguments = callback, arguments

    def run(self, loop: EventLoop, context: Context) -> None:
        """Run the step in the calling thread, as a visitor of the loop."""
        loop.visit(context.run, self._callback, *self._arguments)


class TurnStep(Step):
    """A step that the loop's thread waits for. It holds the loop's lock meanwhile."""

    def __init__(self, callback: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__(callback, arguments)
        self.is_done = Event()

    def run(self, loop: EventLoop, context: Context) -> None:
        """Run the step in the calling thread, unless it was run."""
        if self.is_done.is_set():
            return
        try:
            loop.act(context.run, self._callback, *self._arguments)
        finally:
            self.is_done.set()
