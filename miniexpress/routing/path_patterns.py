"""Compile an Express 5 path (``/users/:id{/:tab}``, ``/files/*rest``) to a matcher.

As npm path-to-regexp 8.4.2 and the ``Layer`` of npm router 2.3.0 do together, with two differences: a refused path says
how to mend it, and no pathname makes a match slow.
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
Match: TypeAlias = tuple[str, AttrDict]
"""The part of a pathname that matched, and the decoded parameters."""
MatchFunction: TypeAlias = Callable[[str], Match | None]


class PathMatcher(NamedTuple):
    """A compiled path.

    ``match(pathname)`` takes the path of a request as it came, percent-encoded, and returns ``None`` or the part of it
    that matched and a new AttrDict of decoded parameters: a string for ``:name``, a list of strings for ``*name``,
    nothing for an optional part that is not there; or raises ``ParamDecodeError``.

    ``prefix`` is the segments of text, in lower case, that every pathname that matches begins with: ``/users`` for
    ``/users/:id``, nothing for ``/:id``.
    """

    match: MatchFunction
    prefix: str = ""


def compile_path(path: PathPattern, *, sensitive: bool = False, strict: bool = False, end: bool = True) -> PathMatcher:
    """Return the matcher of a path: a string, a compiled regular expression, or a list, of which the first match wins.

    ``sensitive`` tells ``/A`` from ``/a``; ``strict`` tells ``/a/`` from ``/a``; ``end=False`` also matches whatever
    begins with the path and goes on with a slash. A regular expression is searched for as it is, without regard to
    these; its unnamed groups become the parameters ``'0'``, ``'1'``, …

    Raises ``PathError`` for a string that is no path, ``TypeError`` for what is no string, pattern or list of them.
    """
    if isinstance(path, str):
        if path == "/" and not end:
            return PathMatcher(match_all)
        return _compile_text(path, sensitive, strict, end)
    if isinstance(path, re.Pattern) and isinstance(path.pattern, str):
        return PathMatcher(_regex_match(path.search, _group_names(path), longest=float("inf")))
    if isinstance(path, Sequence) and not isinstance(path, bytes):
        # As in router, a '/' in a list is a path like any other: with end=False, it does not match everything.
        options = {"sensitive": sensitive, "strict": strict, "end": end}
        matchers = [(_compile_text if isinstance(one, str) else compile_path)(one, **options) for one in path]
        return PathMatcher(lambda pathname: next(filter(None, (one.match(pathname) for one in matchers)), None))
    raise TypeError(f"path must be a str, a compiled regular expression of str, or a list of these, not {path!r}")


def match_all(pathname: str) -> Match:
    """Match every path, as ``use`` without one does. The router knows this function, and need not call it."""
    return "", AttrDict()


class PathError(ValueError):
    """A path that cannot be compiled: what is wrong with it, at which index (from 0), and how to hint it."""

    def __init__(self, problem: str, path: str, index: int | None = None, *, hint: str) -> None:
        place = "" if index is None else f" at index {index}"
        super().__init__(f"{problem}{place} of the path {path!r}: {hint}")


class ParamDecodeError(HTTPError):
    """A request path whose parameter is not valid percent-encoded UTF-8: a 400."""


def _compile_text(path: str, sensitive: bool, strict: bool, end: bool) -> PathMatcher:
    alternatives = _alternatives(path if strict or path == "/" else path.rstrip("/"))
    prefix = _prefix(alternatives)
    if len(alternatives) == 1 and not alternatives[0].captures:
        return PathMatcher(
            _literal_match(alternatives[0].texts[0], str if sensitive else str.lower, strict, end), prefix
        )
    tail = ("" if strict else r"(?:/\Z)?") + (r"\Z" if end else r"(?=/|\Z)")
    # IGNORECASE without ASCII: among the characters a request line can carry, it folds those that JavaScript folds.
    regex = re.compile(f"(?:{'|'.join(map(_to_regex, alternatives))}){tail}", 0 if sensitive else re.IGNORECASE)
    captures = [capture for alternative in alternatives for capture in alternative.captures]
    # An alternative takes time in proportion to the pathname, and Node refuses a request head of more than 16 KiB.
    return PathMatcher(_regex_match(regex.match, captures, longest=min(16_384, 65_536 // len(alternatives))), prefix)


def _prefix(alternatives: list[_Alternative]) -> str:
    """Return ``PathMatcher.prefix``. No text beyond ASCII: how a pattern folds it is not how ``lower`` does."""
    texts = [alternative.texts[0] + ("" if alternative.captures else "/") for alternative in alternatives]
    prefixes = {text.rpartition("/")[0].lower() for text in texts}
    prefix = prefixes.pop()
    return prefix if not prefixes and prefix.isascii() and prefix.startswith("/") else ""


def _literal_match(literal: str, fold: Callable[[str], str], strict: bool, end: bool) -> MatchFunction:
    folded = fold(literal)
    opened = folded + "/"

    def match(pathname: str) -> Match | None:
        given = fold(pathname)
        if given == folded or (given == opened and not strict):
            return pathname, AttrDict()
        return (pathname[: len(folded)], AttrDict()) if not end and given.startswith(opened) else None

    return match


def _regex_match(find: Callable[[str], re.Match[str] | None], captures: list[str], longest: float) -> MatchFunction:
    keys = [(group, name[1:], name[0] == "*") for group, name in enumerate(captures, 1)]

    def match(pathname: str) -> Match | None:
        found = find(pathname) if len(pathname) <= longest else None
        if found is None:
            return None
        params = AttrDict()
        for group, name, is_wildcard in keys:
            value = found[group]
            if is_wildcard and value is not None:
                params[name] = [_decode(part) for part in value.split("/")]
            elif value is not None:
                params[name] = _decode(value) if "%" in value else value
        return found[0], params

    return match


def _group_names(pattern: re.Pattern[str]) -> list[str]:
    names, numbers = {group: name for name, group in pattern.groupindex.items()}, map(str, range(pattern.groups))
    return [":" + (names.get(group) or next(numbers)) for group in range(1, pattern.groups + 1)]


def _decode(value: str) -> str:
    try:
        return decode_uri_component(value)
    except ValueError:
        raise ParamDecodeError(400, f"Failed to decode param '{value}'") from None


class _Alternative(NamedTuple):
    """A path whose optional parts are decided: its captures, and the texts around and between them.

    ``/a/:b-*c`` has the captures ``:b`` and ``*c``, and the texts ``/a/``, ``-`` and ``''``.
    """

    texts: tuple[str, ...] = ("",)
    captures: tuple[str, ...] = ()


def _alternatives(path: str) -> list[_Alternative]:
    """Return the alternatives of a path in the order they are tried: ``/a{/:b}`` gives ``/a/:b``, ``/a``."""
    levels, index = [[_Alternative()]], 0
    while index < len(path):
        char, end, options = path[index], index + 1, [_Alternative()]
        if char == "{":
            levels.append([_Alternative()])
        elif char == "}" and len(levels) > 1:
            options = [*levels.pop(), _Alternative()]
        elif char in ":*":
            name, end = _name(path, index)
            options = [_Alternative(("", ""), (char + name,))]
        elif text := _TEXT.match(path, index):
            options, end = [_Alternative((_unescaped(text[0]),))], text.end()
        elif char == "\\":
            raise PathError("Unexpected end after \\", path, end, hint="write \\\\ for a backslash itself")
        else:
            raise PathError(f"Unexpected {char}", path, index, hint=f"{_RESERVED[char]}, or escape it: \\{char}")
        levels[-1] = [_concatenate(path, alternative, option) for alternative in levels[-1] for option in options]
        if len(levels[-1]) > 256:
            raise PathError("More than 256 combinations", path, hint="use fewer {}, or split it into several paths")
        index = end
    if len(levels) > 1:
        raise PathError("Unexpected end", path, index, hint="close the optional part with }")
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
    """Return the name of the capture whose sign is at ``index``, and the index behind it."""
    sign, start = path[index], index + 1
    found = _NAME.match(path, start)
    if found and (name := found[2] or _unescaped(found[1])):
        return name, found.end()
    if found is None and path.startswith('"', start):
        raise PathError("Unterminated quote", path, start, hint='close the name with "')
    hint = f"give the {'wildcard' if sign == '*' else 'parameter'} a name: {sign}name, or escape it: \\{sign}"
    raise PathError("Missing parameter name", path, found.end() if found else start, hint=hint)


def _concatenate(path: str, left: _Alternative, right: _Alternative) -> _Alternative:
    text = left.texts[-1] + right.texts[0]
    if not text and left.captures and right.captures:
        hint = f"put a text between {left.captures[-1]} and {right.captures[0]}, to tell one from the other"
        raise PathError(f"Missing text before {right.captures[0]}", path, hint=hint)
    return _Alternative((*left.texts[:-1], text, *right.texts[1:]), left.captures + right.captures)


def _to_regex(alternative: _Alternative) -> str:
    """Return the regular expression of one alternative: ``/:a-:b`` gives ``/([^/]+)\\-([^/\\-]+|\\-)``."""
    texts, captures = alternative
    regex, delimiter = re.escape(texts[0]), ""
    for index, capture in enumerate(captures):
        before, after = texts[index], texts[index + 1]
        segment_before, segment_after = _neighbours(alternative, index)
        if capture[0] == "*":
            capture_regex = _wildcard(before, segment_before, delimiter)
            delimiter = after
        elif "*" in segment_before + segment_after:
            capture_regex = _parameter_beside_wildcard(before if "*" in segment_before else after)
        else:
            capture_regex = _parameter(before, segment_before)
        regex += f"({capture_regex}){re.escape(after)}"
    return regex


def _neighbours(alternative: _Alternative, index: int) -> tuple[str, str]:
    """Return the signs of the captures before and behind one in its segment: ``/x/:a-*b.:c`` gives ``:``, ``:`` for
    ``*b``."""
    texts, captures = alternative
    first = last = index
    while first > 0 and "/" not in texts[first]:
        first -= 1
    while last + 1 < len(captures) and "/" not in texts[last + 1]:
        last += 1
    signs = "".join(capture[0] for capture in captures)
    return signs[first:index], signs[index + 1 : last + 1]


def _parameter(before: str, segment_before: str) -> str:
    """Return the rule of a parameter: it takes a segment. Behind another one in that segment it may not hold the text
    that parts the two, but may be that text: ``:b`` of ``/:a-:b`` gives ``[^/\\-]+|\\-``."""
    return f"{_any_but('/', before)}|{re.escape(before)}" if ":" in segment_before else "[^/]+"


def _parameter_beside_wildcard(separator: str) -> str:
    """Return the rule of a parameter in a segment with a wildcard: it does not hold the text between the two. ``:a`` of
    ``/:a-*b`` gives ``[^/\\-]+``."""
    return _any_but("/", separator)


def _wildcard(before: str, segment_before: str, delimiter: str) -> str:
    """Return the rule of a wildcard: it takes all, slashes too. Behind another wildcard it does not hold the text that
    follows that one, the ``delimiter``, so that there is one way to divide a path: ``*b`` of ``/*a/x/*b`` gives
    ``(?:(?!/x/).)+|[^/]+``."""
    if "*" in segment_before:
        return _any_but(before)
    return f"{_any_but(delimiter)}|[^/]+" if delimiter else "(?s:.+)"


def _any_but(*texts: str) -> str:
    """Return the regex of characters that hold none of ``texts``: ``'/', '-'`` gives ``[^/\\-]+``."""
    escaped = [re.escape(text) for text in texts]
    if max(map(len, texts)) == 1:
        return f"[^{''.join(escaped)}]+"
    return f"(?:(?!{'|'.join(escaped)})(?s:.))+"
