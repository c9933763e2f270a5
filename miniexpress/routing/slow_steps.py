"""Log the async handlers that keep the event loop from all others, in development."""

from __future__ import annotations

import functools
import logging
import os
import threading
import types
from collections.abc import Callable, Coroutine, Generator
from time import monotonic, sleep
from typing import Any

from ..usage.arguments import describe

log = logging.getLogger("miniexpress")

# A step is what a handler does from one await to the next.
SLOW_SECONDS = 0.1  # a step that took so long is logged when it has ended
STUCK_SECONDS = 1.0  # one that takes so long is logged while it still runs, as it may never end
ADVICE = "await what takes long, or run it by asyncio.to_thread"


@types.coroutine
def log_slow_steps(coroutine: Coroutine[Any, Any, Any], handler: Callable[..., Any]) -> Generator[Any, Any, Any]:
    """Await a coroutine, and log each of its steps that keeps the event loop for ``SLOW_SECONDS`` or longer."""
    watch = step_watch(os.getpid())
    step = functools.partial(coroutine.send, None)
    while True:
        begun = watch.begin(handler)
        try:
            awaited = step()
        except StopIteration as end:
            return end.value
        finally:
            watch.end()
            seconds = monotonic() - begun
            if seconds >= SLOW_SECONDS:
                log.warning("%s kept the event loop for %.1f s: %s", describe(handler), seconds, ADVICE)
        try:
            step = functools.partial(coroutine.send, (yield awaited))
        except BaseException as error:
            step = functools.partial(coroutine.throw, error)


class StepWatch:
    """Logs a step that has not ended after ``STUCK_SECONDS``, from a thread of its own."""

    def __init__(self) -> None:
        self._step: tuple[Callable[..., Any], float] | None = None  # the loop runs one step at a time
        threading.Thread(target=self._run, name="miniexpress-step-watch", daemon=True).start()

    def begin(self, handler: Callable[..., Any]) -> float:
        """Note that a step of a handler begins, and return the time."""
        begun = monotonic()
        self._step = handler, begun
        return begun

    def end(self) -> None:
        """Note that the step has ended."""
        self._step = None

    def _run(self) -> None:
        logged = None
        while True:
            sleep(STUCK_SECONDS)
            step = self._step
            if step is None or step is logged or monotonic() - step[1] < STUCK_SECONDS:
                continue
            logged = step
            handler, begun = step
            seconds = monotonic() - begun
            log.warning("%s has kept the event loop for %.1f s so far: %s", describe(handler), seconds, ADVICE)


@functools.cache
def step_watch(pid: int) -> StepWatch:
    """Return the watch of this process: the thread of its parent's does not run in a forked child."""
    return StepWatch()
