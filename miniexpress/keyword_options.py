"""Options as keyword arguments: a ``TypeError`` for an unknown one suggests the one that was probably meant."""

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
"""The default of a parameter for which ``None`` is a value that can be given."""


def suggests_keywords(function: Callable[P, R], title: str = "") -> Callable[P, R]:
    """Make ``function`` raise a ``TypeError`` for an unknown keyword that suggests a known one.

    ``json(limt="1mb")`` → "json() has no option 'limt': did you mean 'limit'?". ``title`` replaces the function's name.
    """
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    title = title or _title(function.__qualname__)

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


def _title(name: str) -> str:
    """Return what users call: for ``Store.__init__`` the class, for ``Morgan.__call__`` its one object, ``morgan``."""
    if name.endswith(".__call__"):
        return name.removesuffix(".__call__").lower()
    return name.removesuffix(".__init__")


def suggestion(name: str, known: list[str]) -> str:
    """Suggest the known name that is most like ``name``, or list them all: ``maxAge`` → "did you mean 'max_age'?"."""
    snake_case = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
    close = difflib.get_close_matches(snake_case, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
