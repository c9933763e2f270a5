"""``async def`` handlers: made handlers like any other, when they are registered.

The coroutine runs on the process's event loop, and the request's own thread waits for it. Meanwhile that thread does
what is behind ``next()``, so that the order of things is that of plain handlers: ``await next()`` returns when all of
it is done.

    request's thread:  plain_handler ─┐         ┌─ what is behind next() ─┐            ┌─ returns
    event loop:                       └─ await next()                     └─ the rest ─┘

A handler that waits for nothing else, such as a database, is run on the loop by the request's thread itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from ..usage.arguments import describe
from .slow_steps import log_slow_steps

if TYPE_CHECKING:
    from asyncio import Future

    from ..event_loop import EventLoop, WaitedTask

Handler = Callable[..., Any]


def as_plain_handler(handler: Handler, next_index: int | None) -> Handler:
    """Return a plain handler that runs an async one on the process's event loop, and waits for it.

    ``next_index`` is where ``next`` stands among the arguments, ``None`` for a handler without. What the coroutine
    raises is raised here; what would end more than this request (``SystemExit``, ``CancelledError``) is a
    ``RuntimeError`` here.
    """
    # It loads asyncio, which an app of plain handlers does without.
    from ..event_loop import WaitedTask, as_exception, event_loop

    has_waited = False  # True once a call has waited for more than next(): then the next call probably will, too

    @functools.wraps(handler)
    def plain_handler(*arguments: Any) -> Any:
        nonlocal has_waited
        loop = event_loop()
        loop.check_may_wait()
        call = AsyncCall(handler, arguments, next_index)
        task = WaitedTask(loop, call.run_coroutine, is_visitor=not has_waited and loop.may_be_visited())
        call.run(loop, task)
        has_waited = has_waited or task.has_waited
        if call.error is not None:
            raise as_exception(call.error, describe(handler))
        return call.returned

    return plain_handler


class AsyncCall:
    """One call of an async handler. Its task puts the calls of ``next`` for the request's thread, then ``None``."""

    def __init__(self, handler: Handler, arguments: tuple[Any, ...], next_index: int | None) -> None:
        self.handler = handler
        self.req = arguments[1] if next_index == 3 else arguments[0]  # an error handler takes the error first
        self.plain_next = self.req.next
        self.next_calls: list[NextCall] = []
        self.is_done = False
        self.error: BaseException | None = None
        self.returned: Any = None
        if next_index is not None:
            next = functools.partial(NextCall, self, arguments[next_index])
            arguments = (*arguments[:next_index], next, *arguments[next_index + 1 :])
        self.arguments = arguments

    def run(self, loop: EventLoop, task: WaitedTask) -> None:
        """Run the coroutine, and do in this thread what it asks for.

        Meanwhile ``req.next`` is one for async handlers, too: ``res.send_file`` calls it for a folder.
        """
        self.loop, self.task = loop, task
        self.req.next = functools.partial(NextCall, self, self.plain_next)
        try:
            task.start()
            while (awaited := task.get()) is not None:
                awaited.context.run(awaited.run)
                task.item_done(awaited.settle)
        except BaseException:  # the stack is too deep, or a signal handler of the server's has raised
            task.abandon()
            raise
        finally:
            task.leave()
            self.req.next = self.plain_next
        for call in self.next_calls:
            if not call.is_begun:
                task.context.copy().run(call.run)
                loop.call(call.settle)
            elif call.raised is not None and not call.is_retrieved:
                raise call.raised

    async def run_coroutine(self) -> None:
        """Run the handler, whatever it raises: nothing of that is the event loop's."""
        try:
            coroutine = self.handler(*self.arguments)
            is_in_development = self.req.trail is not None
            self.returned = await (log_slow_steps(coroutine, self.handler) if is_in_development else coroutine)
        except BaseException as error:
            self.error = error
        finally:
            self.is_done = True
            self.task.put(None)


class NextCall:
    """A call of the ``next`` that an async handler is given: ``await next()`` returns when all behind it is done.

    One that is not awaited is made when the handler has returned. Raises ``RuntimeError`` for one from a task that
    outlives the handler.
    """

    def __init__(self, call: AsyncCall, next: Callable[..., None], error: Any = None) -> None:
        self.call, self.next, self.error = call, next, error
        self.waiters: list[Future[None]] = []  # one for each await, so that a cancelled one leaves the others alone
        self.is_begun = self.is_awaited = self.is_done = self.is_retrieved = False
        self.raised: BaseException | None = None
        self.context: Context | None = None
        """A copy of the context that it was awaited in: the handler's, or that of a task of it."""
        self.check_in_time()
        call.next_calls.append(self)

    def check_in_time(self) -> None:
        if self.call.is_done:
            raise RuntimeError(f"next() was called after {describe(self.call.handler)} had returned: await it before")

    def __await__(self) -> Generator[Any, None, None]:
        if not self.is_begun:
            self.check_in_time()
            self.is_begun = self.is_awaited = True
            self.context = copy_context()
            self.call.task.put(self)
        if not self.is_done:
            waiter = self.call.loop.create_future()
            self.waiters.append(waiter)
            yield from waiter
        if self.raised is not None:
            self.is_retrieved = True
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

    def settle(self) -> None:
        """Let the handler go on, unless it was cancelled meanwhile."""
        self.is_done = True
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)
