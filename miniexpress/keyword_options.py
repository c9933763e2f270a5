"""Keyword arguments that are options: an unknown one is refused in words that name the one that was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

UNSET: Any = object()
"""The default of an argument for which ``None`` is a value like another."""


def suggests_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Make ``function`` raise a ``TypeError`` for an option that it has not, in words that name the one meant."""
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    title = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except TypeError:
            for name in kwargs:
                if name not in known:
                    raise TypeError(f"{title}() has no option {name!r}: {suggestion(name, known)}") from None
            raise

    return checked


def suggestion(name: str, known: list[str]) -> str:
    """What to say of a name that is not among those known: the one that was meant, or all of them."""
    snake_case = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    close = difflib.get_close_matches(snake_case, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
