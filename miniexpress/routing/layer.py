"""A layer of a stack: a handler, the path and method that it is for, and how it is called. After npm router 2.3."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..usage.arguments import is_async
from .async_handlers import as_plain_handler
from .handler_checks import check_handler, ensure_responded, refuse_coroutine
from .path_patterns import PathMatcher, PathPattern, compile_path

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Handler = Callable[..., Any]
Next = Callable[..., None]
"""Continue behind the handler: ``next()``, ``next(error)``, ``next("route")`` or ``next("router")``. Returns when all
that is behind it is done."""
AsyncNext = Callable[..., Awaitable[None]]
"""The ``next`` of an ``async def`` handler: ``await next()`` returns when all that is behind it is done."""
Middleware = Callable[["Request", "Response", Next], None]

NEXT_INDEX = {2: None, 3: 2, 4: 3}  # where `next` stands among the arguments of a handler, by their number
_MATCH_ALL = compile_path("/", end=False)


class Layer:
    """One handler in a stack.

    ``match(path)`` returns ``(matched, params)``, or ``None``; ``prefix`` is the static beginning of its path.
    ``method`` is ``None`` for all methods. ``route`` is the Route whose ``dispatch`` it calls, if it does. A
    layer that ``handles_errors`` is called only with an error, every other one only without.
    """

    __slots__ = ("arity", "handler", "handles_errors", "match", "method", "path", "prefix", "route")

    def __init__(
        self,
        handler: Handler,
        path: PathPattern,
        matcher: PathMatcher = _MATCH_ALL,
        method: str | None = None,
        route: Any = None,
    ) -> None:
        self.arity = 3 if route else check_handler(handler)  # a route's dispatch is no handler of the app's own
        self.handles_errors = self.arity == 4
        self.handler = as_plain_handler(handler, NEXT_INDEX[self.arity]) if is_async(handler) else handler
        self.path, self.method, self.route = path, method, route
        self.match, self.prefix = matcher

    def call(self, error: Any, req: Request, res: Response, next: Next) -> None:
        """Call the handler with as many arguments as it takes.

        Give ``next`` what it raises, or an error if it has neither ended the response nor called ``next``.
        """
        if req.trail is not None:
            req.trail.append((self, req.base_url))
        next_calls = req.next_calls
        try:
            if self.arity == 3:
                returned = self.handler(req, res, next)
            elif self.arity == 2:
                returned = self.handler(req, res)
            else:
                returned = self.handler(error, req, res, next)
            if returned is not None:
                refuse_coroutine(self.handler, returned)
            if not res.ended and req.next_calls == next_calls:
                ensure_responded(self.handler, res, returned)
        except RecursionError:
            raise  # Too deep to call another handler; the app responds with a 500.
        except Exception as raised:
            next(raised)


def is_abort(error: Any, res: Response) -> bool:
    """Return whether an error aborted the response, as when the client left while a handler wrote, or was raised
    because of one that did. No error handler can respond then."""
    return res.error_after_start is not None and comes_from(error, res.error_after_start)


def comes_from(error: Any, origin: BaseException) -> bool:
    """Return whether an error is ``origin``, or was raised because of it. A group is where all its errors are."""
    while isinstance(error, BaseException):
        if error is origin:
            return True
        if isinstance(error, BaseExceptionGroup):
            return all(comes_from(each, origin) for each in error.exceptions)
        error = error.__cause__ or error.__context__
    return False


def is_signal(error: Any, signal: str) -> bool:
    """Return whether ``next`` was called with ``'route'`` or ``'router'``, and not with an error."""
    return issubclass(type(error), str) and bool(error == signal)  # isinstance would ask an exception's __class__


def error_or_none(error: Any) -> Any:
    """Return the error, or ``None`` for what is none: ``'route'``, and whatever is false and no exception."""
    return error if isinstance(error, BaseException) or (error and not is_signal(error, "route")) else None
