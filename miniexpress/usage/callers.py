"""The line of the user's program that called into the package: for warnings, and for what is called by a decorator."""

from __future__ import annotations

import linecache
import sys
import warnings
from types import CodeType, FrameType
from typing import Any

_PACKAGE = __name__.partition(".")[0]


def warn(message: str) -> None:
    """Warn (``UserWarning``) at the line that called into the package."""
    warnings.warn(message, stacklevel=1 + _depth_of_caller())


def is_decorating(function: Any) -> bool:
    """Return whether the call comes from a decorator of ``function``, written without parentheses.

    ``@app.use`` above ``def log(…)`` → ``True``; ``app.use(log)`` below it → ``False``. A decorator is called from the
    code that contains the function's definition, at a line of that definition.
    """
    frame = _caller()
    while function is not None:
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType) and code in frame.f_code.co_consts and code.co_name != "<lambda>":
            return code.co_firstlineno <= frame.f_lineno <= max(line for _, _, line in code.co_lines() if line)
        function = getattr(function, "__wrapped__", None)
    return False


def line_is_decorator() -> bool:
    """Return whether the line that called into the package begins with ``@``, where its source can be read."""
    frame = _caller()
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).lstrip().startswith("@")


def _caller() -> FrameType:
    return sys._getframe(_depth_of_caller())


def _depth_of_caller() -> int:
    """Return the number of frames from the function that calls this one up to the first outside of the package."""
    frame, depth = sys._getframe(1), 0
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, depth = frame.f_back, depth + 1
    return depth
