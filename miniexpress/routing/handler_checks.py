"""Refuse wrong handlers when they are registered, and those that returned without a response."""

from __future__ import annotations

import reprlib
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

from ..usage.arguments import describe, is_async, read_signature, take_first, wrong_count
from ..usage.callers import is_decorating
from .async_handlers import Handler, as_plain_handler

if TYPE_CHECKING:
    from ..response import Response

_REQUEST_NAMES = ("req", "request")  # a handler that has one of them elsewhere has its parameters in another order


def check_handler(handler: Handler) -> int:
    """Return how many arguments a handler is called with: 2, ``(req, res)``, 3, ``(req, res, next)``, or 4,
    ``(err, req, res, next)``, which makes it an error handler.

    One that takes any number (``*args``) is called with ``(req, res, next)``, or with ``(req, res)`` where it wraps a
    handler of these. Raises ``TypeError`` for anything else, in words that name it and say how to mend it.
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


def refuse_coroutine(handler: Handler, returned: Any) -> None:
    """Raise ``TypeError`` for a handler that returned a coroutine, as one does that a plain decorator has wrapped."""
    if iscoroutine(returned):
        returned.close()  # so that Python does not warn of it, too
        mend = "make it async def, and await there what it returns"
        raise TypeError(f"{describe(handler)} returned a coroutine, which nobody awaits: {mend}")


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
        call = how_to_send(returned, res)
        raise RuntimeError(f"{describe(handler)} returned {value}, but what is returned is not sent: call {call}")
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


def _hint_to_call(handler: Handler) -> str:
    """Return a hint for what makes a handler and is no handler itself, as in ``app.use(json)``."""
    is_object = callable(handler) and not hasattr(handler, "__name__")
    name = type(handler).__name__.lower() if is_object else getattr(handler, "__name__", "")
    if not name.isidentifier() or is_decorating(handler):
        return ""
    return f"; to register what it returns, call it: {name}(…)"
