"""Positional arguments: how many of them a function takes, and lists of them as one list.

JavaScript calls a function with more arguments than it takes, and ``fn.length`` says how many it has. Here that is read
once, when a callback is given.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, NamedTuple

# Flags of functions whose number of parameters does not tell all: with *args, generators and coroutines.
_NOT_PLAIN = inspect.CO_VARARGS | inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def flatten(values: Sequence[Any]) -> list[Any]:
    """Return values, and lists of them at any depth, as one list: ``[1, [2, [3]]]`` gives ``[1, 2, 3]``."""
    return [one for each in values for one in (flatten(each) if isinstance(each, list | tuple) else [each])]


def fit_callback(function: Callable[..., Any], taker: str, parameters: str) -> Callable[..., Any]:
    """Return a callback that takes all of ``parameters``, and gives ``function`` the first ones, as many as that takes.

    ``parameters`` are like ``'(req, res, body, charset)'``. Raises ``TypeError``, in words that name the ``taker``, for
    what is no function, needs more, or would not run when it is called (``async``).
    """
    expected = f"{taker} takes a function {parameters}"
    if not callable(function):
        raise TypeError(f"{expected}, not {function!r}")
    _refuse_async(function)
    offered = parameters.count(",") + 1
    try:
        signature = read_signature(function, offered, expected)
    except UnknownSignature:
        return function
    if signature.required > offered:
        raise TypeError(wrong_count(function, signature.required, expected))
    return function if signature.accepted >= offered else take_first(function, signature.accepted)


def count_parameters(function: Callable[..., Any], offered: int) -> int:
    """Return how many arguments a function needs, as JavaScript's ``fn.length``; ``offered`` if it takes any number.

    Raises ``TypeError`` as ``fit_callback``.
    """
    # A plain function tells by its code, some 20 times as fast as inspect.signature: listeners come with each request.
    plain, bound = (function.__func__, 1) if type(function) is MethodType else (function, 0)
    if type(plain) is FunctionType and not plain.__defaults__:
        code = plain.__code__
        if code.co_argcount >= bound and not code.co_kwonlyargcount and not code.co_flags & _NOT_PLAIN:
            return code.co_argcount - bound
    _refuse_async(function)
    try:
        return read_signature(function, offered, f"it is called with {offered} arguments").required
    except UnknownSignature:
        return offered


class UnknownSignature(TypeError):
    """A builtin that does not tell its parameters."""


class Signature(NamedTuple):
    """The numbers of positional arguments that a function needs and accepts, and the names of these parameters."""

    required: int
    accepted: int
    names: list[str]


def read_signature(function: Callable[..., Any], offered: int, expected: str) -> Signature:
    """Read the parameters of what will be called, whatever ``functools.wraps`` has it say of another function.

    A function with ``*args`` is expected to pass them on: it takes as many as the function that it wraps, or
    ``offered`` where it wraps none, and never more than ``offered``. Raises ``TypeError`` with what was ``expected``.
    """
    if not callable(function):
        raise TypeError(f"{function!r} is no function: {expected}")
    refuse_generator(function)
    try:
        parameters = inspect.signature(_undecorated(function), follow_wrapped=False).parameters.values()
    except ValueError:  # a builtin; some, as functools.lru_cache makes them, pass on what they are given
        wrapped = _wrapped(function)
        if wrapped is None:
            raise UnknownSignature(f"{describe(function)} does not tell its parameters: {expected}") from None
        return read_signature(wrapped, offered, expected)
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty:
            raise TypeError(f"{describe(function)} needs {each.name!r} by its keyword: {expected}")
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    required, accepted = sum(each.default is each.empty for each in positional), len(positional)
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        wrapped = _wrapped(function)
        inner = read_signature(wrapped, offered, expected) if wrapped else Signature(offered, offered, [])
        required, accepted = max(required, min(inner.required, offered)), max(accepted, min(inner.accepted, offered))
    return Signature(required, accepted, [each.name for each in positional])


def take_first(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """Return ``function`` with all but its first ``count`` arguments left out."""
    return functools.wraps(function)(lambda *arguments: function(*arguments[:count]))


def wrong_count(function: Callable[..., Any], count: int, expected: str) -> str:
    """Return the message for a function that takes a wrong number of arguments."""
    if isinstance(function, type):
        return f"{function!r} is no function: {expected}"
    decorated = ", as it is decorated," if _wrapped(function) else ""
    return f"{describe(function)}{decorated} takes {count} parameters: {expected}"


def describe(function: Any) -> str:
    """Return a function's name, file and line: ``login (/srv/app.py:12)``."""
    inner = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(inner, "__code__", None)
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a function is an ``async def``, or an object whose ``__call__`` is one, or a partial of these."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _refuse_async(function: Callable[..., Any]) -> None:
    if is_async(function):
        raise TypeError(f"{describe(function)} is async, and only handlers may be: make it a plain def")


def refuse_generator(function: Callable[..., Any]) -> None:
    """Raise ``TypeError`` for a function whose call runs nothing of it."""
    for called in (function, type(function).__call__):
        if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
            raise TypeError(f"{describe(function)} is a generator, which would not run: respond by res, not by yield")


def _undecorated(function: Any) -> Any:
    """Return a function without the attributes that decorators copied to it, such as ``__signature__``."""
    if isinstance(function, FunctionType):
        bare = FunctionType(function.__code__, {}, argdefs=function.__defaults__, closure=function.__closure__)
        bare.__kwdefaults__ = function.__kwdefaults__
        return bare
    if isinstance(function, MethodType):
        return MethodType(_undecorated(function.__func__), function.__self__)
    if isinstance(function, functools.partial):
        return functools.partial(_undecorated(function.func), *function.args, **function.keywords)
    return _undecorated(function.__call__) if _is_callable_object(function) else function


def _wrapped(function: Any) -> Any:
    """Return the function that a decorated one was made of (``functools.wraps``), bound as that is, or ``None``."""
    if isinstance(function, MethodType):
        inner = _wrapped(function.__func__)
        return inner and MethodType(inner, function.__self__)
    if isinstance(function, functools.partial):
        inner = _wrapped(function.func)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    inner = vars(function).get("__wrapped__") if hasattr(function, "__dict__") else None
    return inner or (_wrapped(function.__call__) if _is_callable_object(function) else None)


def _is_callable_object(function: Any) -> bool:
    """Return whether it is an object whose class has a ``__call__`` written in Python."""
    return isinstance(type(function).__call__, FunctionType) and not isinstance(function, type)
