"""``async def`` handlers: made handlers like any other, when they are registered.

The coroutine runs on the process's event loop, and the request's own thread waits for it. Meanwhile that thread does
what is behind ``next()``, so that the order of things is that of plain handlers: ``await next()`` returns when all of
it is done.

    request's thread:  plain_handler ─┐         ┌─ what is behind next() ─┐            ┌─ returns
    event loop:                       └─ await next()                     └─ the rest ─┘
"""

from __future__ import annotations

import functools
import logging
import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..arguments import describe

if TYPE_CHECKING:
    from asyncio import Future, Task

    from ..event_loop import EventLoop

log = logging.getLogger("miniexpress")

Handler = Callable[..., Any]
SLOW_SECONDS = 0.1  # of the loop's time without an ``await``: all other async handlers wait meanwhile


def as_plain_handler(handler: Handler, next_index: int | None) -> Handler:
    """Return a plain handler that runs an async one on the process's event loop, and waits for it.

    ``next_index`` is where ``next`` stands among the arguments, ``None`` for a handler without. What the coroutine
    raises is raised here; what would end more than this request (``SystemExit``, ``CancelledError``) is a
    ``RuntimeError`` here.
    """
    from ..event_loop import as_exception, event_loop  # loads asyncio, which an app of plain handlers does without

    @functools.wraps(handler)
    def plain_handler(*arguments: Any) -> Any:
        call = AsyncCall(handler, arguments, next_index)
        call.run(event_loop())
        if call.error is not None:
            raise as_exception(call.error, describe(handler))
        return call.returned

    return plain_handler


class AsyncCall:
    """One call of an async handler. ``jobs`` are calls of ``next`` for the request's thread, then ``None``."""

    def __init__(self, handler: Handler, arguments: tuple[Any, ...], next_index: int | None) -> None:
        self.handler = handler
        self.req = arguments[1] if next_index == 3 else arguments[0]
        self.plain_next = self.req.next
        self.jobs: SimpleQueue[NextCall | None] = SimpleQueue()
        self.next_calls: list[NextCall] = []
        self.task: Task[Any] | None = None
        self.is_done = False
        self.error: BaseException | None = None
        self.returned: Any = None
        if next_index is not None:
            next = functools.partial(NextCall, self, arguments[next_index])
            arguments = (*arguments[:next_index], next, *arguments[next_index + 1 :])
        self.arguments = arguments

    def run(self, loop: EventLoop) -> None:
        """Run the coroutine on the loop, and do in this thread what it asks for.

        Meanwhile ``req.next`` is one for async handlers, too: ``res.send_file`` calls it for a folder.
        """
        loop.check_may_wait()
        self.loop, context = loop, copy_context()
        self.req.next = functools.partial(NextCall, self, self.plain_next)
        try:
            loop.start(self.run_coroutine, context)
            while (awaited := self.jobs.get()) is not None:
                context.copy().run(awaited.run)
        except BaseException:  # the stack is too deep, or a signal handler of the server's has raised
            loop.call(self.cancel)
            raise
        finally:
            self.req.next = self.plain_next
        for call in self.next_calls:
            if not call.is_begun:
                context.copy().run(call.run)
            elif call.raised is not None and not call.is_heard:
                raise call.raised

    async def run_coroutine(self) -> None:
        """Run the handler, whatever it raises: nothing of that is the event loop's."""
        try:
            self.task = self.loop.current_task()
            coroutine = self.handler(*self.arguments)
            is_in_development = self.req.trail is not None
            self.returned = await (log_slow_steps(coroutine, self.handler) if is_in_development else coroutine)
        except BaseException as error:
            self.error = error
        finally:
            self.is_done = True
            if not self.loop.is_ending:
                self.jobs.put(None)

    def cancel(self) -> None:
        """Cancel the coroutine, for which nobody waits any more."""
        if self.task is not None:
            self.task.cancel()


class NextCall:
    """A call of the ``next`` that an async handler is given: ``await next()`` returns when all behind it is done.

    One that is not awaited is made when the handler has returned. Raises ``RuntimeError`` for one from a task that
    outlives the handler.
    """

    def __init__(self, call: AsyncCall, next: Callable[..., None], error: Any = None) -> None:
        self.call, self.next, self.error = call, next, error
        self.waiters: list[Future[None]] = []  # one for each await, so that a cancelled one leaves the others alone
        self.is_begun = self.is_awaited = self.is_done = self.is_heard = False
        self.raised: BaseException | None = None
        self.check_in_time()
        call.next_calls.append(self)

    def check_in_time(self) -> None:
        if self.call.is_done:
            raise RuntimeError(f"next() was called after {describe(self.call.handler)} had returned: await it before")

    def __await__(self) -> Generator[Any, None, None]:
        if not self.is_begun:
            self.check_in_time()
            self.is_begun = self.is_awaited = True
            self.call.jobs.put(self)
        if not self.is_done:
            waiter = self.call.loop.create_future()
            self.waiters.append(waiter)
            yield from waiter
        if self.raised is not None:
            self.is_heard = True
            raise self.raised

    def run(self) -> None:
        """Call ``next``, in the request's thread. What it raises is raised where it is awaited; else by the handler."""
        self.is_begun = True
        req, call = self.call.req, self.call
        next_before, req.next = req.next, call.plain_next
        try:
            self.next(self.error)
        except BaseException as error:
            if not self.is_awaited:
                raise
            self.raised = error
        finally:
            req.next = next_before
        call.loop.call(self.settle)

    def settle(self) -> None:
        """Let the handler go on, unless it was cancelled meanwhile."""
        self.is_done = True
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


@types.coroutine
def log_slow_steps(coroutine: Coroutine[Any, Any, Any], handler: Handler) -> Generator[Any, Any, Any]:
    """Await a coroutine, and log each of its steps that has kept the event loop for ``SLOW_SECONDS`` or longer."""
    step = functools.partial(coroutine.send, None)
    while True:
        begun = monotonic()
        try:
            awaited = step()
        except StopIteration as end:
            return end.value
        finally:
            seconds = monotonic() - begun
            if seconds >= SLOW_SECONDS:
                advice = "await what takes long, or run it by asyncio.to_thread"
                log.warning("%s kept the event loop for %.1f s: %s", describe(handler), seconds, advice)
        try:
            step = functools.partial(coroutine.send, (yield awaited))
        except BaseException as error:
            step = functools.partial(coroutine.throw, error)
