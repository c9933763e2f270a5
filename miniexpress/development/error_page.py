"""What helps while an app is being written: an error told from the app's own side, and its stack as a tree."""

from __future__ import annotations

import linecache
import sys
import sysconfig
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import printable, text_of
from ..routing.layer import Layer
from .route_tree import _mounts, _row, _shown

if TYPE_CHECKING:
    from ..request import Request


def describe_error(error: Any, req: Request) -> str:
    """An error for its developer's eyes: the app's own lines first, the way there, then the whole traceback.

    What is no exception is described by its text alone, as in Express. Never raises.
    """
    if not isinstance(error, BaseException):
        return text_of(error)
    try:
        return _described(printable(error), req)
    except Exception:  # the app's own doing: what the request was made to be, or what the stack was
        return f"{type(error).__name__}: {text_of(error)}"


def _described(error: BaseException, req: Request) -> str:
    told = ["".join(traceback.format_exception_only(error))]
    told += [_excerpt(frame, line) for frame, line in _own_frames(error)[:10]]
    told.append(f"\nRequest: {req.method} {req.original_url}\n")
    if req.route is not None:
        mount = next(_mounts(req.app, req.route, req.path), "")
        told.append(f"Route:   {req.base_url}{mount}{_shown(req.route.path)}\n")
    told.append("Passed:\n")
    told += [f"  {_row(layer)}\n" for layer in _layers_under_way()]
    return "".join([*told, "\n", *traceback.format_exception(error)])


def _layers_under_way() -> list[Layer]:
    """The layers that were entered and wait for ``next()``, first to last: they are all on this thread's stack."""
    frames = (frame for frame, _ in traceback.walk_stack(sys._getframe()))
    return [frame.f_locals["self"] for frame in frames if frame.f_code is Layer.call.__code__][::-1]


def _own_frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """The frames of an error that are the app's, innermost first, each with its line."""
    frames = list(traceback.walk_tb(error.__traceback__))[::-1]
    return [(frame, line) for frame, line in frames if not frame.f_code.co_filename.startswith(_OF_OTHERS)]


def _excerpt(frame: FrameType, line: int) -> str:
    """The lines around one of a file, that one marked."""
    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    first = max(0, line - 4)
    shown = (
        f"{'>' if number == line else ' '} {number:5} {text.rstrip()}\n"
        for number, text in enumerate(lines[first : line + 2], first + 1)
    )
    return f"\n{code.co_filename}:{line} in {code.co_qualname}\n{''.join(shown)}"


_PYTHON = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_OF_OTHERS = ("<frozen ", *(f"{folder}/" for folder in [str(Path(__file__).parents[1]), *_PYTHON]))
