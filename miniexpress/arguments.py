"""Positional arguments: lists of them as one, and how many a callback takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, NamedTuple


def fitted(function: Callable[..., Any], taker: str, parameters: str) -> Callable[..., Any]:
    """A callback that can be called with all of ``parameters``, of which ``function`` is given those that it takes.

    In JavaScript a function may take fewer arguments than it is called with; here it is read once, when the callback is
    given, how many it takes. ``parameters`` are like ``'(req, res, body, charset)'``. Raises ``TypeError``, in words
    that name the ``taker``, for what is no function, needs more, or would not run when it is called (``async``).
    """
    asked_for = f"{taker} takes a function {parameters}"
    if not callable(function):
        raise TypeError(f"{asked_for}, not {function!r}")
    offered = parameters.count(",") + 1
    try:
        takes = _takes(function, offered, asked_for)
    except _Untold:
        return function
    if takes.least > offered:
        raise TypeError(_refusal(function, takes.least, asked_for))
    return function if takes.most >= offered else _shortened(function, takes.most)


def count_parameters(function: Callable[..., Any], offered: int) -> int:
    """How many arguments a function needs: JavaScript's ``fn.length``; ``offered`` where it takes any number.

    Raises ``TypeError`` as ``fitted``.
    """
    try:
        return _takes(function, offered, f"it is called with {offered} arguments").least
    except _Untold:
        return offered


class _Untold(TypeError):
    """A builtin that does not tell its parameters."""


class _Takes(NamedTuple):
    """How many arguments a function can be given by position, and the names of these parameters."""

    least: int
    most: int
    names: list[str]


def _takes(function: Callable[..., Any], offered: int, asked_for: str) -> _Takes:
    """Read the parameters of what will be called, whatever ``functools.wraps`` has it say of another function.

    One that takes any number is taken to pass on what it is given: it takes as many as the function that it wraps, and
    else, and at most, as are ``offered``. Raises ``TypeError``.
    """
    if not callable(function):
        raise TypeError(f"{function!r} is no function: {asked_for}")
    _refuse_what_would_not_run(function)
    try:
        parameters = inspect.signature(_bare(function), follow_wrapped=False).parameters.values()
    except ValueError:  # a builtin; some, as functools.lru_cache makes them, pass on what they are given
        if _wrapped(function) is None:
            raise _Untold(f"{describe(function)} does not tell its parameters: {asked_for}") from None
        return _takes(_wrapped(function), offered, asked_for)
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty:
            raise TypeError(f"{describe(function)} needs {each.name!r} by its keyword: {asked_for}")
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    least, most = sum(each.default is each.empty for each in positional), len(positional)
    names = [each.name for each in positional]
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        wrapped = _wrapped(function)
        inner = _takes(wrapped, offered, asked_for) if wrapped else _Takes(offered, offered, [])
        least, most = max(least, min(inner.least, offered)), max(most, min(inner.most, offered))
    return _Takes(least, most, names)


def _refuse_what_would_not_run(function: Callable[..., Any]) -> None:
    for called in (function, type(function).__call__):
        if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
            raise TypeError(f"{describe(function)} is async, but each request has its thread here: make it a plain def")
        if inspect.isgeneratorfunction(called):
            raise TypeError(
                f"{describe(function)} is a generator, which would not run: answer with res, not with yield"
            )


def _bare(function: Any) -> Any:
    """A function as it is without the attributes that decorators copied to it."""
    if isinstance(function, FunctionType):
        bare = FunctionType(function.__code__, {}, argdefs=function.__defaults__, closure=function.__closure__)
        bare.__kwdefaults__ = function.__kwdefaults__
        return bare
    if isinstance(function, MethodType):
        return MethodType(_bare(function.__func__), function.__self__)
    if isinstance(function, functools.partial):
        return functools.partial(_bare(function.func), *function.args, **function.keywords)
    return _bare(function.__call__) if _is_object(function) else function


def _wrapped(function: Any) -> Any:
    """The function that a decorated one was made of (``functools.wraps``), bound as that is, or ``None``."""
    if isinstance(function, MethodType):
        inner = _wrapped(function.__func__)
        return inner and MethodType(inner, function.__self__)
    if isinstance(function, functools.partial):
        inner = _wrapped(function.func)
        return inner and functools.partial(inner, *function.args, **function.keywords)
    inner = vars(function).get("__wrapped__") if hasattr(function, "__dict__") else None
    return inner or (_wrapped(function.__call__) if _is_object(function) else None)


def _is_object(function: Any) -> bool:
    """Whether it is an object whose class has a ``__call__`` written in Python."""
    return isinstance(type(function).__call__, FunctionType) and not isinstance(function, type)


def _shortened(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    return functools.wraps(function)(lambda *arguments: function(*arguments[:count]))


def _refusal(function: Callable[..., Any], count: int, asked_for: str) -> str:
    if isinstance(function, type):
        return f"{function!r} is no function: {asked_for}"
    decorated = ", as it is decorated," if _wrapped(function) else ""
    return f"{describe(function)}{decorated} takes {count} parameters: {asked_for}"


def describe(handler: Any) -> str:
    """A handler's name, file and line."""
    function = inspect.unwrap(getattr(handler, "__func__", handler))
    code = getattr(function, "__code__", None)
    name = getattr(handler, "__qualname__", None) or repr(handler)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def flat(values: Sequence[Any]) -> list[Any]:
    """Values, and lists of them at any depth, one after the other."""
    return [one for each in values for one in (flat(each) if isinstance(each, list | tuple) else [each])]
