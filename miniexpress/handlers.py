"""What may be registered as a handler, and what is said of it in messages."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .request import Request
    from .response import Response

Handler = Callable[..., Any]
Next = Callable[..., None]
"""What a handler goes on with: ``next()``, ``next(error)``, ``next("route")`` or ``next("router")``. Returns when all
behind it is done."""
Middleware = Callable[["Request", "Response", Next], None]


def check_handler(handler: Handler) -> int:
    """How many parameters a handler takes: ``(req, res)``, ``(req, res, next)`` or ``(err, req, res, next)``.

    Raises ``TypeError`` for anything else, in words that name it and the mend.
    """
    return _checked(handler, "a handler takes (req, res), (req, res, next) or (err, req, res, next)", (2, 3, 4))


def check_param_callback(callback: Handler) -> Handler:
    """A callback of ``param``, taking ``(req, res, next, value, name)``; the name may be left out."""
    if _checked(callback, "a param callback takes (req, res, next, value, name), the name if it wants it", (4, 5)) == 5:
        return callback
    return functools.wraps(callback)(lambda req, res, next, value, name: callback(req, res, next, value))


def _checked(handler: Handler, asked_for: str, allowed: Sequence[int]) -> int:
    if not callable(handler) or isinstance(handler, type):
        raise TypeError(f"{handler!r} is no function: {asked_for}")
    for function in (handler, type(handler).__call__):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{describe(handler)} is async, but each request has its thread here: make it a plain def")
        if inspect.isgeneratorfunction(function):
            raise TypeError(f"{describe(handler)} is a generator, which would not run: answer with res, not with yield")
    try:
        count = count_parameters(handler)
    except ValueError:  # some builtins
        raise TypeError(f"{describe(handler)} does not tell its parameters: {asked_for}") from None
    if count not in allowed:
        raise TypeError(f"{describe(handler)} takes {count} parameters: {asked_for}")
    return count


def describe(handler: Handler) -> str:
    """A handler's name, file and line."""
    function = inspect.unwrap(getattr(handler, "__func__", handler))
    code = getattr(function, "__code__", None)
    name = getattr(handler, "__qualname__", None) or repr(handler)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


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


def flat(values: Sequence[Any]) -> list[Any]:
    """Values, and lists of them at any depth, one after the other."""
    return [one for each in values for one in (flat(each) if isinstance(each, list | tuple) else [each])]


def count_parameters(function: Handler) -> int:
    """The parameters without a default that a function takes by position: JavaScript's ``fn.length``."""
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)
