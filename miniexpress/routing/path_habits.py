"""Paths in the habits of other frameworks: Express registers them, and they match nothing, or only their own text."""

from __future__ import annotations

import re

from ..arguments import flatten
from ..callers import warn
from ..http.encoding import encode_url
from .path_patterns import PathPattern

_TYPES = "any|date|decimal|float|int|path|re|slug|str|string|uuid"
# Flask and Django: <name>, <int:name>; Bottle and Sanic: <name:int>.
_IN_ANGLE_BRACKETS = re.compile(rf"(?<!\\)<(?:(?:({_TYPES}):)?([A-Za-z_]\w*)|([A-Za-z_]\w*):({_TYPES}))>")
# FastAPI and Starlette: a segment that begins with {name} or {name:path}. In Express braces make a text optional.
_IN_BRACES = re.compile(rf"(?<=/)\{{([A-Za-z_]\w*)(?::({_TYPES}))?\}}(?=[/.-]|\Z)")
_FIRST_SIGNS = ("/", "*", "{", "\\")
# A parameter's name, which may have any letters; or characters that a request has only percent-encoded.
_NAME_OR_UNENCODED = re.compile(r'[:*](?:"(?:[^"\\]|\\.)*"|[\w$]+)|([^!-~]+)')


def warn_of_habits(path: PathPattern) -> None:
    """Warn, at the line that registers a path, of each string in it that is not as Express writes it."""
    for text in flatten([path]):
        if isinstance(text, str) and (better := path_as_it_should_be(text)) != text:
            warn(f"no request matches the path {text!r} as it is meant: write {better!r}")


def warn_of_colon(name: str) -> None:
    """Warn of a callback for the parameter ``:id``, as Express 4 took it: none would ever call it."""
    if name.startswith(":"):
        warn(f"no path has a parameter {name!r}: write {name[1:]!r}")


def path_as_it_should_be(path: str) -> str:
    """Return a path with its parameters and its first slash as Express writes them; most paths come back as they are.

    ``/hello/<name>`` → ``/hello/:name``, ``/hi/{name}`` → ``/hi/:name``, ``/files/<path:p>`` → ``/files/*p``,
    ``hello`` → ``/hello``. A path is compared with what is percent-encoded: ``/café`` → ``/caf%C3%A9``.
    """
    mended = _IN_ANGLE_BRACKETS.sub(lambda found: _parameter(found[1] or found[4], found[2] or found[3]), path)
    mended = _IN_BRACES.sub(lambda found: _parameter(found[2], found[1]), mended)
    mended = _NAME_OR_UNENCODED.sub(lambda found: encode_url(found[1]) if found[1] else found[0], mended)
    return mended if not mended or mended.startswith(_FIRST_SIGNS) else "/" + mended


def _parameter(kind: str | None, name: str) -> str:
    return f"*{name}" if kind == "path" else f":{name}"
