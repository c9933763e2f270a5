"""The page of an error in development: the app's own lines first, then the request's way, then the whole traceback."""

from __future__ import annotations

import hashlib
import linecache
import sysconfig
import traceback
from base64 import b64encode
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..errors import printable, reason_phrase, text_of
from ..http.encoding import error_page
from .route_tree import format_layer, format_path

if TYPE_CHECKING:
    from ..request import Request
    from ..routing.route import Route

MAX_EXCERPTS = 10
_PYTHON = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
LIBRARY_PATHS = ("<frozen ", *(f"{folder}/" for folder in [str(Path(__file__).parents[1]), *_PYTHON]))

STYLE = """
  :root { color-scheme: light dark; --ink: #1c2430; --paper: #f4f5f7; --card: #fff; --line: #cfd5dd; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6eaf0; --paper: #12161c; --card: #1b2129; --line: #3a4453; }
  }
  body { margin: 0; padding: 1rem; background: var(--paper); color: var(--ink); }
  pre { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line);
        border-radius: .75rem; font: .875rem/1.5 ui-monospace, monospace; white-space: pre-wrap;
        overflow-wrap: anywhere; }
"""
HEAD = f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n'
_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# The page's own style is allowed, and nothing else: whatever an error says, it can run and load nothing.
SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'"


def styled_page(message: str, status: int) -> str:
    """Return the HTML page, which can be read on a phone and in the dark. It is sent with ``SECURITY_POLICY``."""
    return error_page(message, f"{status} {reason_phrase(status)}", HEAD)


def describe_error(error: Any, req: Request) -> str:
    """Return the text of the page. What is no exception is described by its text alone, as in Express. Never raises."""
    if not isinstance(error, BaseException):
        return text_of(error)
    try:
        return _describe_exception(printable(error), req)
    except Exception:  # The app's own doing: what it made of the request, or of the stack.
        return f"{type(error).__name__}: {text_of(error)}"


def _describe_exception(error: BaseException, req: Request) -> str:
    lines = ["".join(traceback.format_exception_only(error))]
    lines += [_excerpt(frame, line) for frame, line in _app_frames(error)[:MAX_EXCERPTS]]
    lines.append(f"\nRequest: {req.method} {req.original_url}\n")
    if req.route is not None:
        lines.append(f"Route:   {_base_of(req.route, req)}{format_path(req.route.path)}\n")
    lines.append("Passed:\n")
    lines += [f"  {format_layer(layer)}\n" for layer, _ in req.trail or ()]
    return "".join([*lines, "\n", *traceback.format_exception(error)])


def _base_of(route: Route, req: Request) -> str:
    """Return the path that a route's router is mounted at, which has been left where the error is handled."""
    bases = [base_url for layer, base_url in req.trail or () if layer in route.stack]
    return bases[-1] if bases else req.base_url


def _app_frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """Return the frames of an error that are the app's, innermost first, each with its line."""
    frames = list(traceback.walk_tb(error.__traceback__))[::-1]
    return [(frame, line) for frame, line in frames if not frame.f_code.co_filename.startswith(LIBRARY_PATHS)]


def _excerpt(frame: FrameType, line: int) -> str:
    """Return the lines around one of a file, that one marked."""
    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    first = max(0, line - 4)
    shown = (
        f"{'>' if number == line else ' '} {number:5} {text.rstrip()}\n"
        for number, text in enumerate(lines[first : line + 2], first + 1)
    )
    return f"\n{code.co_filename}:{line} in {code.co_qualname}\n{''.join(shown)}"
