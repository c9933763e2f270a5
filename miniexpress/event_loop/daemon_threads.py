"""The threads of ``asyncio.to_thread``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from typing import Any

from .terminal_errors import as_exception


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
