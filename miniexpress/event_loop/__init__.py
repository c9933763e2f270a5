"""The process's one event loop, and what the threads of requests have to do with it. Loads asyncio."""

from .async_chunks import AsyncChunks
from .loop import EventLoop, event_loop
from .terminal_errors import as_exception
from .waited_task import WaitedTask

__all__ = ["AsyncChunks", "EventLoop", "WaitedTask", "as_exception", "event_loop"]
