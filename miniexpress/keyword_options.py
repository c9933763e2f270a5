"""Options as keyword arguments: a ``TypeError`` for an unknown one suggests the one that was probably meant."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class _Unset:
    def __repr__(self) -> str:
        return "UNSET"


UNSET: Any = _Unset()
"""The default of a parameter for which ``None`` is a value that can be given; ``help()`` shows it by its name."""


def suggests_keywords(
    function: Callable[P, R], title: str = "", options_of: Callable[..., Any] | None = None
) -> Callable[P, R]:
    """Make ``function`` raise a ``TypeError`` for an unknown keyword that suggests a known one.

    ``json(limt="1mb")`` → "json() has no option 'limt': did you mean 'limit'?". A dict of options, a callback and other
    values without their keyword, which JavaScript takes, are refused with what is in their place. ``title`` replaces
    the function's name.
    """
    parameters = inspect.signature(function).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    options = [*_optional_keywords(function), *(_optional_keywords(options_of) if options_of else ())]
    known = {*options, *(p.name for p in positional)}
    title = title or _title(function.__qualname__)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            check_keywords(title, kwargs, options, known)
            if len(args) > len(positional) or (len(args) > required and isinstance(args[-1], Mapping)):
                raise TypeError(_no_argument(title, args[-1], options)) from None
            raise

    return checked


def suggests_keywords_of(options_of: Callable[..., Any], title: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return ``suggests_keywords`` for a function that passes its ``**options`` on to ``options_of``."""
    return lambda function: suggests_keywords(function, title, options_of)


def check_keywords(title: str, given: Iterable[str], options: list[str], known: Container[str] = ()) -> None:
    """Raise ``TypeError`` for a given keyword that is neither one of the ``options`` nor else known."""
    for name in given:
        if name not in options and name not in known:
            raise TypeError(f"{title}() has no option {name!r}: {suggestion(name, options)}") from None


def _no_argument(title: str, argument: Any, options: list[str]) -> str:
    """Return the message for a positional argument that a function does not take."""
    if inspect.isroutine(argument):
        return f"{title}() takes no callback: it returns when all is done, or raises"
    if not options:
        return f"{title}() takes no options, and not {argument!r}"
    name = str(next(iter(argument), "")) if isinstance(argument, Mapping) else ""
    example = f"{_closest(name, options) or options[0]}=…"
    return f"{title}() takes options as keywords, {example}, not as {argument!r}"


def _optional_keywords(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's keyword-only parameters, and of others that have a default."""
    parameters = inspect.signature(function).parameters.values()
    return [
        p.name
        for p in parameters
        if p.kind is p.KEYWORD_ONLY or (p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty)
    ]


def _title(name: str) -> str:
    """Return what users call: for ``Store.__init__`` the class, for ``Morgan.__call__`` its one object, ``morgan``."""
    if name.endswith(".__call__"):
        return name.removesuffix(".__call__").lower()
    return name.removesuffix(".__init__")


def suggestion(name: str, known: list[str]) -> str:
    """Suggest the known name that is most like ``name``, or list them all: ``maxAge`` → "did you mean 'max_age'?"."""
    close = _closest(name, known)
    return f"did you mean {close!r}?" if close else f"it has {', '.join(known) or 'none'}"


def _closest(name: str, known: list[str]) -> str | None:
    snake_case = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    return next(iter(difflib.get_close_matches(snake_case, known, n=1)), None)
