"""What may be registered as a handler, and what is said of it in messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..arguments import _refusal, _shortened, _takes, describe
from .path_patterns import PathMatcher, PathPattern, compile_path

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Handler = Callable[..., Any]
Next = Callable[..., None]
"""What a handler goes on with: ``next()``, ``next(error)``, ``next("route")`` or ``next("router")``. Returns when all
behind it is done."""
Middleware = Callable[["Request", "Response", Next], None]


def check_handler(handler: Handler) -> int:
    """How many arguments a handler is called with: ``(req, res)``, ``(req, res, next)`` or ``(err, req, res, next)``.

    One that takes any number (``*args``) is called with ``(req, res, next)``, or with ``(req, res)`` where it wraps a
    handler of these. Only four parameters of its own make it a handler for errors. Raises ``TypeError`` for anything
    else, in words that name it and the mend.
    """
    asked_for = "a handler takes (req, res), (req, res, next) or (err, req, res, next)"
    takes = _takes(handler, 3, asked_for)
    if takes.names[1:2] == ["start_response"]:
        raise TypeError(f"{describe(handler)} is a WSGI app: use wsgi(…) of miniexpress.wsgi to make a handler of it")
    if takes.least not in (2, 3, 4) or isinstance(handler, type):
        raise TypeError(_refusal(handler, takes.least, asked_for))
    return takes.least


def check_param_callback(callback: Handler) -> Handler:
    """A callback of ``param``, to be called with ``(req, res, next, value, name)``; it may take no name."""
    asked_for = "a param callback takes (req, res, next, value, name), the name if it wants it"
    count = _takes(callback, 5, asked_for).least
    if count not in (4, 5) or isinstance(callback, type):
        raise TypeError(_refusal(callback, count, asked_for))
    return callback if count == 5 else _shortened(callback, 4)


def refuse_dead_end(req: Request, res: Response) -> None:
    """Raise ``RuntimeError`` where the handler that was entered last has returned, and nothing will answer the request.

    A Node client would hang for ever.
    """
    if res.failure is not None or not req.handler:
        return
    handler = describe(req.handler)
    if res.has_left:
        raise RuntimeError(f"{handler} returned, and nothing ended the answer that had begun: call res.end()")
    raise RuntimeError(f"{handler} returned, but neither answered nor called next(): the request would hang for ever")


_ANYWHERE = compile_path("/", end=False)


class Layer:
    """One link of a chain: what it calls, where that applies, and whether it is for errors: with four parameters."""

    __slots__ = ("arity", "handler", "handles_errors", "match", "method", "path", "prefix", "route")

    def __init__(
        self,
        handler: Handler,
        path: PathPattern,
        matcher: PathMatcher = _ANYWHERE,
        method: str | None = None,
        route: Any = None,
    ) -> None:
        self.arity = check_handler(handler)
        self.handles_errors = self.arity == 4
        self.handler = handler
        self.path, self.method, self.route = path, method, route
        self.match, self.prefix = matcher

    def call(self, error: Any, req: Request, res: Response, next: Next) -> None:
        """Call the handler; what it raises goes on as an error."""
        req.handler = self.handler
        try:
            if self.arity == 2:
                self.handler(req, res)
            elif self.arity == 3:
                self.handler(req, res, next)
            else:
                self.handler(error, req, res, next)
            if not res.answered and req.handler is self.handler:
                refuse_dead_end(req, res)
        except RecursionError:
            raise  # this deep down there is no room to go on: the application answers
        except Exception as raised:
            if raised is not res.failure:  # else the answer is broken off: the client left while the handler wrote
                next(raised)
