"""A layer of a stack: a handler, the path and method that it is for, and how it is called. After npm router 2.3."""

from __future__ import annotations

import reprlib
from collections.abc import Awaitable, Callable
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from ..arguments import describe, is_async, read_signature, take_first, wrong_count
from ..callers import is_decorating
from .async_handlers import as_plain_handler
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
_REQUEST_NAMES = ("req", "request")  # a handler that has one of them elsewhere has its parameters in another order
_MATCH_ALL = compile_path("/", end=False)


class Layer:
    """One handler in a stack.

    ``match(path)`` returns ``(matched, params)``, or ``None``; ``prefix`` is the static beginning of its path.
    ``method`` is ``None`` for all methods. ``route`` is the Route whose ``dispatch`` it calls, if it does.
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
        self.arity = check_handler(handler)
        self.handles_errors = self.arity == 4
        self.handler = as_plain_handler(handler, NEXT_INDEX[self.arity]) if is_async(handler) else handler
        self.path, self.method, self.route = path, method, route
        self.match, self.prefix = matcher

    def skips(self, error: Any) -> bool:
        """Return whether the layer is passed over: with an error, or without one, it is for the other case."""
        return self.handles_errors is (error is None)

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


def refuse_coroutine(handler: Handler, returned: Any) -> None:
    """Raise ``TypeError`` for a handler that returned a coroutine, as one does that a plain decorator has wrapped."""
    if iscoroutine(returned):
        returned.close()  # so that Python does not warn of it, too
        mend = "make it async def, and await there what it returns"
        raise TypeError(f"{describe(handler)} returned a coroutine, which nobody awaits: {mend}")


def is_signal(error: Any, signal: str) -> bool:
    """Return whether ``next`` was called with ``'route'`` or ``'router'``, and not with an error."""
    return issubclass(type(error), str) and bool(error == signal)  # isinstance would ask an exception's __class__


def error_or_none(error: Any) -> Any:
    """Return the error, or ``None`` for what is none: ``'route'``, and whatever is false and no exception."""
    return error if isinstance(error, BaseException) or (error and not is_signal(error, "route")) else None


def ensure_responded(handler: Handler, res: Response, returned: Any) -> None:
    """Raise ``RuntimeError`` for a handler that returned, and has neither ended the response nor called ``next()``.

    A client of Node would wait for ever. Handlers of other frameworks return what is to be sent: the message says how
    to send it here.
    """
    if res.error_after_start is not None:
        return
    if res.started:
        raise RuntimeError(f"{describe(handler)} returned without ending the response that it started: call res.end()")
    if returned is not None:
        value = "the response" if returned is res else reprlib.repr(returned)
        mend = how_to_send(returned, res)
        raise RuntimeError(f"{describe(handler)} returned {value}, but what is returned is not sent: call {mend}")
    raise RuntimeError(f"{describe(handler)} returned, but neither responded nor called next(): the request would hang")


def how_to_send(returned: Any, res: Response) -> str:
    """Return the call that sends what a handler returned, as in Flask or FastAPI: ``'hi'`` → ``res.send('hi')``."""
    if returned is res:
        return "res.send(…), res.end() or res.send_status(…)"
    if isinstance(returned, tuple) and len(returned) > 1 and isinstance(returned[1], int):
        return f"res.status({returned[1]}).send({reprlib.repr(returned[0])})"
    if isinstance(returned, str | bytes):
        return f"res.send({reprlib.repr(returned)})"
    if isinstance(returned, dict | list | tuple | int | float):
        return f"res.json({reprlib.repr(returned)})"
    return "res.send(…), res.json(…) or res.render(…)"


def check_handler(handler: Handler) -> int:
    """Return how many arguments a handler is called with: 2, ``(req, res)``, 3, ``(req, res, next)``, or 4,
    ``(err, req, res, next)``, which makes it an error handler.

    One that takes any number (``*args``) is called with ``(req, res, next)``, or with ``(req, res)`` where it wraps a
    handler of these. Raises ``TypeError`` for anything else, in words that name it and the mend.
    """
    expected = f"a handler takes (req, res), (req, res, next) or (err, req, res, next){_hint_to_call(handler)}"
    signature = read_signature(handler, 3, expected)
    place = 1 if signature.required == 4 else 0
    if any(name in _REQUEST_NAMES for index, name in enumerate(signature.names[:4]) if index != place):
        raise TypeError(f"{describe(handler)} takes ({', '.join(signature.names)}): {expected}")
    if signature.names[1:2] == ["start_response"]:
        raise TypeError(f"{describe(handler)} is a WSGI app: use wsgi(…) of miniexpress.wsgi to make a handler of it")
    if signature.required not in (2, 3, 4) or isinstance(handler, type):
        raise TypeError(wrong_count(handler, signature.required, expected))
    return signature.required


def check_param_callback(callback: Handler) -> Handler:
    """Return a param callback that takes ``(req, res, next, value, name)``; the one given may leave out the name."""
    expected = "a param callback takes (req, res, next, value, name), the name if it wants it"
    count = read_signature(callback, 5, expected).required
    if count not in (4, 5) or isinstance(callback, type):
        raise TypeError(wrong_count(callback, count, expected))
    callback = as_plain_handler(callback, 2) if is_async(callback) else callback
    return callback if count == 5 else take_first(callback, 4)


def _hint_to_call(handler: Handler) -> str:
    """Return a hint for what makes a handler and is no handler itself, as in ``app.use(json)``."""
    is_object = callable(handler) and not hasattr(handler, "__name__")
    name = type(handler).__name__.lower() if is_object else getattr(handler, "__name__", "")
    if not name.isidentifier() or is_decorating(handler):
        return ""
    return f"; to register what it returns, call it: {name}(…)"
