"""Paths in the syntax of other frameworks. Express registers them, and they match nothing, or only their own text."""

from __future__ import annotations

import re

from ..http.encoding import encode_url
from ..usage.arguments import flatten
from ..usage.callers import warn
from .path_patterns import PathPattern

_TYPES = "any|date|decimal|float|int|path|re|slug|str|string|uuid"
# Flask and Django: <name>, <int:name>; Bottle and Sanic: <name:int>.
_IN_ANGLE_BRACKETS = re.compile(rf"(?<!\\)<(?:(?:({_TYPES}):)?([A-Za-z_]\w*)|([A-Za-z_]\w*):({_TYPES}))>")
# FastAPI and Starlette: a segment that begins with {name} or {name:path}. In Express braces make a text optional.
_IN_BRACES = re.compile(rf"(?<=/)\{{([A-Za-z_]\w*)(?::({_TYPES}))?\}}(?=[/.-]|\Z)")
_FIRST_SIGNS = ("/", "*", "{", "\\")
# A parameter's name, which may have any letters; or characters that a request has only percent-encoded.
_NAME_OR_UNENCODED = re.compile(r'[:*](?:"(?:[^"\\]|\\.)*"|[\w$]+)|([^!-~]+)')


def warn_of_foreign_syntax(path: PathPattern) -> None:
    """Warn, at the line that registers a path, of each string in it that is written in another framework's syntax."""
    for text in flatten([path]):
        if isinstance(text, str) and (better := in_express_syntax(text)) != text:
            warn(f"no request matches the path {text!r} as it is meant: write {better!r}")


def in_express_syntax(path: str) -> str:
    """Return a path with its parameters and its first slash as Express has them; most paths are returned unchanged.

    ``/hello/<name>`` → ``/hello/:name``, ``/hi/{name}`` → ``/hi/:name``, ``/files/<path:p>`` → ``/files/*p``,
    ``hello`` → ``/hello``. A path is compared with what is percent-encoded: ``/café`` → ``/caf%C3%A9``.
    """
    mended = _IN_ANGLE_BRACKETS.sub(lambda found: _parameter(found[1] or found[4], found[2] or found[3]), path)
    mended = _IN_BRACES.sub(lambda found: _parameter(found[2], found[1]), mended)
    mended = _NAME_OR_UNENCODED.sub(lambda found: encode_url(found[1]) if found[1] else found[0], mended)
    return mended if not mended or mended.startswith(_FIRST_SIGNS) else "/" + mended


def _parameter(kind: str | None, name: str) -> str:
    return f"*{name}" if kind == "path" else f":{name}"
