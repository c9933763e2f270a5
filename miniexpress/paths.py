"""An Express 5 path (``/users/:id{/:tab}``, ``/files/*rest``) to a matcher.

What npm path-to-regexp 8.4.2 and the ``Layer`` of npm router 2.3.0 do together, with two differences: a refused path
says how to mend it, and no pathname makes a match slow (see ``_LONGEST``).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

Params: TypeAlias = dict[str, Any]
Match: TypeAlias = tuple[str, Params]
Path: TypeAlias = "str | re.Pattern[str] | Sequence[Any]"


class PathError(ValueError):
    """A path that cannot be compiled.

    ``path`` is the whole path; ``character`` and ``index`` (counted in characters from 0) say where it goes wrong,
    and are ``None`` where the fault has no single place.
    """

    def __init__(self, problem: str, path: str, index: int | None = None, *, mend: str) -> None:
        self.path = path
        self.index = index
        self.character = None if index is None else path[index : index + 1] or None
        place = "" if index is None else f" at index {index}"
        super().__init__(f"{problem}{place} of the path {path!r}: {mend}")


class ParamDecodeError(ValueError):
    """A request path whose parameter is not valid percent-encoded UTF-8: to be answered with ``status``, 400."""

    status = 400

    def __init__(self, value: str) -> None:
        super().__init__(f"Failed to decode param '{value}'")


@dataclass(frozen=True, slots=True)
class PathMatcher:
    """A compiled path.

    ``match(pathname)`` takes the path of a request as it came, percent-encoded, and returns ``None`` or the part of it
    that matched and a new dict of decoded parameters: a string for ``:name``, a list of strings (one a segment) for
    ``*name``, nothing for an optional part that is not there. It raises ``ParamDecodeError``.

    ``literal`` is the one pathname that is matched (but for a trailing slash, and what follows when ``end`` is false),
    where the path has no parameter or option; ``prefix`` is what every matched pathname starts with. Both are in lower
    case unless ``sensitive``.
    """

    match: Callable[[str], Match | None]
    literal: str | None = None
    prefix: str = ""


def compile_path(path: Path, *, sensitive: bool = False, strict: bool = False, end: bool = True) -> PathMatcher:
    """The matcher of a path: a string, a compiled regular expression, or a list of these (the first that matches wins).

    ``sensitive`` tells ``/A`` from ``/a``; ``strict`` tells ``/a/`` from ``/a``; ``end=False`` also matches whatever
    begins with the path and goes on with a slash. A regular expression is searched for as it is, without regard to
    these; its unnamed groups become the parameters ``'0'``, ``'1'``, …

    Raises ``PathError`` for a string that is no path, ``TypeError`` for what is no string, pattern or list of them.
    """
    if path == "/" and not end:
        return PathMatcher(_match_everything)
    if isinstance(path, str):
        return _compile_text(path, sensitive, strict, end)
    if isinstance(path, re.Pattern) and isinstance(path.pattern, str):
        return PathMatcher(_regex_match(path.search, _pattern_keys(path)))
    if isinstance(path, Sequence) and not isinstance(path, bytes):
        return _compile_list(path, sensitive, strict, end)
    raise TypeError(f"path must be a str, a compiled regular expression of str, or a list of these, not {path!r}")


def _match_everything(pathname: str) -> Match | None:
    return "", {}


def _compile_list(paths: Iterable[Any], sensitive: bool, strict: bool, end: bool) -> PathMatcher:
    # As in router, a '/' in a list is compiled like any other path: with end=False it matches '/' alone.
    matchers = [
        _compile_text(path, sensitive, strict, end)
        if isinstance(path, str)
        else compile_path(path, sensitive=sensitive, strict=strict, end=end)
        for path in paths
    ]
    matches = tuple(matcher.match for matcher in matchers)

    def match(pathname: str) -> Match | None:
        for match_one in matches:
            found = match_one(pathname)
            if found is not None:
                return found
        return None

    return PathMatcher(match, prefix=_common_prefix([matcher.prefix for matcher in matchers]))


def _common_prefix(texts: list[str]) -> str:
    first, last = min(texts, default=""), max(texts, default="")
    return first[: next((index for index, char in enumerate(first) if char != last[index]), len(first))]


def _compile_text(path: str, sensitive: bool, strict: bool, end: bool) -> PathMatcher:
    if not strict and path != "/":
        path = path.rstrip("/")
    readings = _readings(path)
    fold: Callable[[str], str] = str if sensitive else str.lower
    text = _common_prefix([_text_at(reading, 0) for reading in readings])
    if len(readings) == 1 and all(isinstance(token, str) for token in readings[0]):
        make = _literal_match if end else _literal_prefix_match
        return PathMatcher(make(text, fold, strict), fold(text), fold(text))
    sources = [_source(reading) for reading in readings]
    trailing = "" if strict else r"(?:/\Z)?"
    ending = r"\Z" if end else r"(?=/|\Z)"
    # IGNORECASE without ASCII: among the characters a request line can carry, it folds those that JavaScript folds.
    regex = re.compile(f"(?:{'|'.join(sources)}){trailing}{ending}", 0 if sensitive else re.IGNORECASE)
    keys = [(token.name, token.wildcard) for reading in readings for token in reading if isinstance(token, _Capture)]
    ambiguous = sum(map(_is_ambiguous, readings))
    longest = min(_LONGEST, 4 * _LONGEST // max(1, ambiguous))
    return PathMatcher(_bounded(_regex_match(regex.match, keys), longest), prefix=fold(text))


def _literal_match(literal: str, fold: Callable[[str], str], strict: bool) -> Callable[[str], Match | None]:
    folded = fold(literal)
    accepted = frozenset({folded} if strict else {folded, folded + "/"})

    def match(pathname: str) -> Match | None:
        if pathname in accepted or fold(pathname) in accepted:
            return pathname, {}
        return None

    return match


def _literal_prefix_match(literal: str, fold: Callable[[str], str], strict: bool) -> Callable[[str], Match | None]:
    length, folded = len(literal), fold(literal)

    def match(pathname: str) -> Match | None:
        head = pathname[:length]
        if head != literal and fold(head) != folded:
            return None
        rest = pathname[length : length + 2]
        if not rest or (rest == "/" and not strict):
            return pathname, {}
        return (head, {}) if rest[0] == "/" else None

    return match


_Key: TypeAlias = tuple[str, bool]


def _pattern_keys(pattern: re.Pattern[str]) -> list[_Key]:
    names = {group: name for name, group in pattern.groupindex.items()}
    unnamed = (group for group in range(1, pattern.groups + 1) if group not in names)
    names.update({group: str(number) for number, group in enumerate(unnamed)})
    return [(names[group], False) for group in range(1, pattern.groups + 1)]


def _regex_match(find: Callable[[str], re.Match[str] | None], keys: list[_Key]) -> Callable[[str], Match | None]:
    def match(pathname: str) -> Match | None:
        found = find(pathname)
        if found is None:
            return None
        params: Params = {}
        for (name, wildcard), value in zip(keys, found.groups(), strict=True):
            if value is None:
                continue
            if wildcard:
                params[name] = [_decode(part) if "%" in part else part for part in value.split("/")]
            else:
                params[name] = _decode(value) if "%" in value else value
        return found[0], params

    return match


_MALFORMED = re.compile("%(?![0-9A-Fa-f]{2})")


def _decode(value: str) -> str:
    """JavaScript's ``decodeURIComponent``."""
    if _MALFORMED.search(value):
        raise ParamDecodeError(value)
    try:
        # Quoted-printable is percent-encoding with another sign, and the standard library decodes it in C.
        return binascii.a2b_qp(value.encode().replace(b"=", b"=3D").replace(b"%", b"=")).decode()
    except UnicodeError:
        raise ParamDecodeError(value) from None


# Node refuses a request head of more than 16 KiB, so Express never matches a longer pathname. Within it, a match takes
# time in proportion to the pathname; where many readings of a path are ambiguous, the bound is lowered to keep it so.
_LONGEST = 16_384


def _bounded(match: Callable[[str], Match | None], longest: int) -> Callable[[str], Match | None]:
    return lambda pathname: match(pathname) if len(pathname) <= longest else None


class _Capture(NamedTuple):
    name: str
    wildcard: bool

    def __str__(self) -> str:
        return f"{'*' if self.wildcard else ':'}{self.name}"


# One way to read a path, its optional parts decided: literal texts and captures, no two texts side by side.
_Reading: TypeAlias = "tuple[str | _Capture, ...]"
_Token: TypeAlias = "str | _Capture | list[_Token]"


def _text_at(reading: _Reading, position: int) -> str:
    token = reading[position] if 0 <= position < len(reading) else ""
    return token if isinstance(token, str) else ""


def _readings(path: str) -> list[_Reading]:
    """Every way to read a path, in the order they are tried: an optional part is there before it is not."""
    readings: list[_Reading] = []
    # What follows is a chain of pairs (token, what follows it), so that the ways share their common ends.
    undecided: list[tuple[_Reading, Any]] = [((), _chained(_parse(path), None))]
    while undecided:
        reading, following = undecided.pop()
        while following:
            token, following = following
            if isinstance(token, list):
                undecided.append((reading, following))
                following = _chained(token, following)
            elif isinstance(token, str) and _text_at(reading, len(reading) - 1):
                reading = (*reading[:-1], _text_at(reading, len(reading) - 1) + token)
            elif isinstance(token, _Capture) and reading and isinstance(reading[-1], _Capture):
                mend = f"put a text between {reading[-1]} and {token}, so that one can be told from the other"
                raise PathError(f"Missing text before {token}", path, mend=mend)
            else:
                reading = (*reading, token)
        if len(readings) == 256:
            mend = "its optional parts {} make more than 256 of them; split it into several paths"
            raise PathError("Too many path combinations", path, mend=mend)
        readings.append(reading)
    return readings


def _chained(tokens: list[_Token], following: Any) -> Any:
    for token in reversed(tokens):
        following = (token, following)
    return following


_TEXT = re.compile(r"[^\\:*{}()\[\]+?!]+")


def _parse(path: str) -> list[_Token]:
    groups: list[list[_Token]] = [[]]
    index = 0
    while index < len(path):
        char = path[index]
        if char == "\\":
            if index + 1 == len(path):
                raise PathError("Unexpected end after \\", path, index + 1, mend="write \\\\ for a backslash itself")
            groups[-1].append(path[index + 1])
            index += 2
        elif char in ":*":
            name, index = _parse_name(path, index + 1)
            groups[-1].append(_Capture(name, char == "*"))
        elif char == "{":
            group: list[_Token] = []
            groups[-1].append(group)
            groups.append(group)
            index += 1
        elif char == "}" and len(groups) > 1:
            groups.pop()
            index += 1
        elif char in _RESERVED:
            raise PathError(f"Unexpected {char}", path, index, mend=f"{_RESERVED[char]}, or escape it: \\{char}")
        else:
            text = _TEXT.match(path, index)
            assert text is not None
            groups[-1].append(text[0])
            index = text.end()
    if len(groups) > 1:
        raise PathError("Unexpected end", path, index, mend="close the optional part with }")
    return groups[0]


_NO_PATTERN = "a path holds no pattern; use a compiled regular expression, or a list of paths"
_RESERVED = {
    **dict.fromkeys("()[]", _NO_PATTERN),
    "}": "no { opens what it closes; remove it",
    "+": "use a wildcard *name for one or more segments",
    "?": "use {/:name} for an optional part",
    "!": "it is reserved; remove it",
}


def _parse_name(path: str, start: int) -> tuple[str, int]:
    """The name of a capture that starts at ``start``, bare or quoted, and the index behind it."""
    if path[start : start + 1] == '"':
        quoted = _QUOTED.match(path, start)
        if quoted is None:
            raise PathError("Unterminated quote", path, start, mend='close the name with "')
        name, end = re.sub(r"(?s)\\(.)", r"\1", quoted[1]), quoted.end()
    else:
        end = start + _starts_name(path[start : start + 1])
        while end > start and _continues_name(path[end : end + 1]):
            end += 1
        name = path[start:end]
    if not name:
        sign = path[start - 1]
        mend = f"give the {'wildcard' if sign == '*' else 'parameter'} a name: {sign}name, or escape it: \\{sign}"
        raise PathError("Missing parameter name", path, end, mend=mend)
    return name, end


_QUOTED = re.compile(r'(?s)"((?:[^"\\]|\\.)*+)"')


def _starts_name(char: str) -> bool:
    return char == "$" or char.isidentifier()


def _continues_name(char: str) -> bool:
    # JavaScript allows the two zero-width joiners; Python's own rule has the rest.
    return char != "" and (char in "$\u200c\u200d" or f"_{char}".isidentifier())


def _source(reading: _Reading) -> str:
    return "".join(
        re.escape(token) if isinstance(token, str) else f"({_capture_source(reading, position)})"
        for position, token in enumerate(reading)
    )


def _capture_source(reading: _Reading, position: int) -> str:
    """What one capture matches.

    A capture that follows another may not contain the text that parts the two, or it could be split in many ways; but
    it may be that text itself.
    """
    wildcards_behind = _wildcards_of_segment(reversed(reading[:position]))
    wildcards_ahead = _wildcards_of_segment(reading[position + 1 :])
    before, after = _text_at(reading, position - 1), _text_at(reading, position + 1)
    if _is_wildcard(reading[position]):
        fence = _text_after_last_wildcard(reading[:position])
        if any(wildcards_behind):
            return _run_without([before], after)
        return f"{_run_without([fence], after)}|{_run_without(['/'], after)}" if fence else "(?s:.+)"
    if any(wildcards_behind):
        return _run_without(["/", before], after)
    if any(wildcards_ahead):
        return _run_without(["/", after], after)
    if wildcards_behind:
        return f"{_run_without(['/', before], after)}|{re.escape(before)}"
    return _run_without(["/"], after)


def _is_wildcard(token: str | _Capture) -> bool:
    return isinstance(token, _Capture) and token.wildcard


def _wildcards_of_segment(tokens: Iterable[str | _Capture]) -> list[bool]:
    """For each capture up to the next slash, whether it is a wildcard."""
    segment = takewhile(lambda token: isinstance(token, _Capture) or "/" not in token, tokens)
    return [token.wildcard for token in segment if isinstance(token, _Capture)]


def _text_after_last_wildcard(reading: _Reading) -> str:
    wildcards = [position for position, token in enumerate(reading) if _is_wildcard(token)]
    return _text_at(reading, wildcards[-1] + 1) if wildcards else ""


def _run_without(fences: list[str], after: str) -> str:
    """One or more characters that hold none of the fences, when the text ``after`` (or the end) follows."""
    excluded = "".join(fence for fence in fences if len(fence) == 1)
    words = [re.escape(fence) for fence in fences if len(fence) > 1]
    one = f"[^{re.escape(excluded)}]" if excluded else "(?s:.)"
    if words:
        return f"(?:(?!{'|'.join(words)}){one})+"
    # What follows (a text, or a slash or the end) cannot start within the run, so giving back characters never helps.
    return f"{one}++" if (after[:1] or "/") in excluded else f"{one}+"


def _is_ambiguous(reading: _Reading) -> bool:
    """Whether a capture may have to be tried at many lengths, each with a try of the captures behind it."""
    captures = [position for position, token in enumerate(reading) if isinstance(token, _Capture)]
    return any(not _capture_source(reading, position).endswith("++") for position in captures[:-1])
