"""An Express 5 path (``/users/:id{/:tab}``, ``/files/*rest``) to a matcher.

What npm path-to-regexp 8.4.2 and the ``Layer`` of npm router 2.3.0 do together, with two differences: a refused path
says how to mend it, and no pathname makes a match slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from ..attrdict import AttrDict
from ..errors import HTTPError
from ..http.encoding import decode_uri_component

PathPattern: TypeAlias = "str | re.Pattern[str] | Sequence[Any]"
Match: TypeAlias = Callable[[str], tuple[str, AttrDict] | None]


class PathMatcher(NamedTuple):
    """A compiled path.

    ``match(pathname)`` takes the path of a request as it came, percent-encoded, and returns ``None`` or the part of it
    that matched and a new AttrDict of decoded parameters: a string for ``:name``, a list of strings for ``*name``,
    nothing for an optional part that is not there; or raises ``ParamDecodeError``.

    ``prefix`` is the segments of text, in lower case, that every pathname that matches begins with: ``/users`` for
    ``/users/:id``, nothing for ``/:id``.
    """

    match: Match
    prefix: str = ""


def compile_path(path: PathPattern, *, sensitive: bool = False, strict: bool = False, end: bool = True) -> PathMatcher:
    """The matcher of a path: a string, a compiled regular expression, or a list of these (the first that matches wins).

    ``sensitive`` tells ``/A`` from ``/a``; ``strict`` tells ``/a/`` from ``/a``; ``end=False`` also matches whatever
    begins with the path and goes on with a slash. A regular expression is searched for as it is, without regard to
    these; its unnamed groups become the parameters ``'0'``, ``'1'``, …

    Raises ``PathError`` for a string that is no path, ``TypeError`` for what is no string, pattern or list of them.
    """
    if isinstance(path, str):
        if path == "/" and not end:  # everything
            return PathMatcher(lambda pathname: ("", AttrDict()))
        return _compile_text(path, sensitive, strict, end)
    if isinstance(path, re.Pattern) and isinstance(path.pattern, str):
        return PathMatcher(_regex_match(path.search, _groups(path), longest=float("inf")))
    if isinstance(path, Sequence) and not isinstance(path, bytes):
        # As in router, a '/' in a list is a path like any other: with end=False, it does not match everything.
        options = {"sensitive": sensitive, "strict": strict, "end": end}
        matchers = [(_compile_text if isinstance(one, str) else compile_path)(one, **options) for one in path]
        return PathMatcher(lambda pathname: next(filter(None, (one.match(pathname) for one in matchers)), None))
    raise TypeError(f"path must be a str, a compiled regular expression of str, or a list of these, not {path!r}")


class PathError(ValueError):
    """A path that cannot be compiled: what is wrong with it, at which index (from 0), and how to mend it."""

    def __init__(self, problem: str, path: str, index: int | None = None, *, mend: str) -> None:
        place = "" if index is None else f" at index {index}"
        super().__init__(f"{problem}{place} of the path {path!r}: {mend}")


class ParamDecodeError(HTTPError):
    """A request path whose parameter is not valid percent-encoded UTF-8: a 400."""


def _compile_text(path: str, sensitive: bool, strict: bool, end: bool) -> PathMatcher:
    readings = _readings(path if strict or path == "/" else path.rstrip("/"))
    prefix = _prefix(readings)
    if len(readings) == 1 and not readings[0].captures:
        return PathMatcher(_literal_match(readings[0].texts[0], str if sensitive else str.lower, strict, end), prefix)
    tail = ("" if strict else r"(?:/\Z)?") + (r"\Z" if end else r"(?=/|\Z)")
    # IGNORECASE without ASCII: among the characters a request line can carry, it folds those that JavaScript folds.
    regex = re.compile(f"(?:{'|'.join(map(_source, readings))}){tail}", 0 if sensitive else re.IGNORECASE)
    captures = [capture for reading in readings for capture in reading.captures]
    # To try a reading takes time in proportion to the pathname, and Node refuses a request head of more than 16 KiB.
    return PathMatcher(_regex_match(regex.match, captures, longest=min(16_384, 65_536 // len(readings))), prefix)


def _prefix(readings: list[_Reading]) -> str:
    """What ``PathMatcher.prefix`` says. No text beyond ASCII: how a pattern folds it is not how ``lower`` does."""
    texts = [reading.texts[0] + ("" if reading.captures else "/") for reading in readings]
    prefixes = {text.rpartition("/")[0].lower() for text in texts}
    prefix = prefixes.pop()
    return prefix if not prefixes and prefix.isascii() and prefix.startswith("/") else ""


def _literal_match(literal: str, fold: Callable[[str], str], strict: bool, end: bool) -> Match:
    folded = fold(literal)
    opened = folded + "/"

    def match(pathname: str) -> tuple[str, AttrDict] | None:
        given = fold(pathname)
        if given == folded or (given == opened and not strict):
            return pathname, AttrDict()
        return (pathname[: len(folded)], AttrDict()) if not end and given.startswith(opened) else None

    return match


def _regex_match(find: Callable[[str], re.Match[str] | None], captures: list[str], longest: float) -> Match:
    keys: list[tuple[str, Callable[[str], Any]]]
    keys = [(capture[1:], _decode if capture[0] == ":" else _decode_parts) for capture in captures]

    def match(pathname: str) -> tuple[str, AttrDict] | None:
        found = find(pathname) if len(pathname) <= longest else None
        if found is None:
            return None
        params = AttrDict()
        for (name, decode), value in zip(keys, found.groups(), strict=True):
            if value is not None:
                params[name] = decode(value)
        return found[0], params

    return match


def _groups(pattern: re.Pattern[str]) -> list[str]:
    names, numbers = {group: name for name, group in pattern.groupindex.items()}, map(str, range(pattern.groups))
    return [":" + (names.get(group) or next(numbers)) for group in range(1, pattern.groups + 1)]


def _decode(value: str) -> str:
    if "%" not in value:
        return value
    try:
        return decode_uri_component(value)
    except ValueError:
        raise ParamDecodeError(400, f"Failed to decode param '{value}'") from None


def _decode_parts(value: str) -> list[str]:
    return [_decode(part) for part in value.split("/")]


class _Reading(NamedTuple):
    """One way to read a path, its optional parts decided: captures, and the texts around and between them."""

    texts: tuple[str, ...] = ("",)
    captures: tuple[str, ...] = ()


def _readings(path: str) -> list[_Reading]:
    """Every way to read a path, in the order they are tried: an optional part is there before it is not."""
    levels, index = [[_Reading()]], 0
    while index < len(path):
        char, end, options = path[index], index + 1, [_Reading()]
        if char == "{":
            levels.append([_Reading()])
        elif char == "}" and len(levels) > 1:
            options = [*levels.pop(), _Reading()]
        elif char in ":*":
            name, end = _name(path, index)
            options = [_Reading(("", ""), (char + name,))]
        elif text := _TEXT.match(path, index):
            options, end = [_Reading((_unescaped(text[0]),))], text.end()
        elif char == "\\":
            raise PathError("Unexpected end after \\", path, end, mend="write \\\\ for a backslash itself")
        else:
            raise PathError(f"Unexpected {char}", path, index, mend=f"{_RESERVED[char]}, or escape it: \\{char}")
        levels[-1] = [_joined(path, reading, option) for reading in levels[-1] for option in options]
        if len(levels[-1]) > 256:
            raise PathError("More than 256 combinations", path, mend="use fewer {}, or split it into several paths")
        index = end
    if len(levels) > 1:
        raise PathError("Unexpected end", path, index, mend="close the optional part with }")
    return levels[0]


_TEXT = re.compile(r"(?s)(?:[^\\:*{}()\[\]+?!]|\\.)+")
# A name is an identifier, where any character beyond ASCII counts as a letter, or any text in quotes.
_NAME = re.compile(r'(?s)"((?:[^"\\]|\\.)*)"|([A-Za-z_$\x80-\U0010FFFF][\w$\x80-\U0010FFFF]*)')
_unescaped = partial(re.compile(r"(?s)\\(.)").sub, r"\1")
_RESERVED = {
    **dict.fromkeys("()[]", "a path holds no pattern; use a compiled regular expression, or a list of paths"),
    "}": "no { opens what it closes; remove it",
    "+": "use a wildcard *name for one or more segments",
    "?": "use {/:name} for an optional part",
    "!": "it is reserved; remove it",
}


def _name(path: str, index: int) -> tuple[str, int]:
    """The name of the capture whose sign is at ``index``, and the index behind it."""
    sign, start = path[index], index + 1
    found = _NAME.match(path, start)
    if found and (name := found[2] or _unescaped(found[1])):
        return name, found.end()
    if found is None and path.startswith('"', start):
        raise PathError("Unterminated quote", path, start, mend='close the name with "')
    mend = f"give the {'wildcard' if sign == '*' else 'parameter'} a name: {sign}name, or escape it: \\{sign}"
    raise PathError("Missing parameter name", path, found.end() if found else start, mend=mend)


def _joined(path: str, left: _Reading, right: _Reading) -> _Reading:
    text = left.texts[-1] + right.texts[0]
    if not text and left.captures and right.captures:
        mend = f"put a text between {left.captures[-1]} and {right.captures[0]}, to tell one from the other"
        raise PathError(f"Missing text before {right.captures[0]}", path, mend=mend)
    return _Reading((*left.texts[:-1], text, *right.texts[1:]), left.captures + right.captures)


def _source(reading: _Reading) -> str:
    """A regular expression; a capture may not hold the text that parts it from one before, but may be that text."""
    texts, captures = reading
    # A character for each text, telling whether it has a slash, and one for each capture.
    shape = "".join(("/" if "/" in text else "-") + capture[0] for text, capture in zip(texts, captures, strict=False))
    source, fence = re.escape(texts[0]), ""
    for index, capture in enumerate(captures):
        before, after = texts[index], texts[index + 1]
        behind, ahead = shape[: 2 * index + 1].rpartition("/")[2], shape[2 * index + 2 :].partition("/")[0]
        if capture[0] == "*":
            run = _run_without(before) if "*" in behind else f"{_run_without(fence)}|[^/]+" if fence else "(?s:.+)"
            fence = after
        elif "*" in behind or "*" in ahead:
            run = _run_without("/", before if "*" in behind else after)
        else:
            run = f"{_run_without('/', before)}|{re.escape(before)}" if ":" in behind else "[^/]+"
        source += f"({run}){re.escape(after)}"
    return source


def _run_without(*fences: str) -> str:
    """One or more characters that hold none of the fences."""
    escaped = [re.escape(fence) for fence in fences]
    if max(map(len, fences)) == 1:
        return f"[^{''.join(escaped)}]+"
    return f"(?:(?!{'|'.join(escaped)})(?s:.))+"
