"""Query strings and urlencoded bodies as text, to dicts.

``parse_simple`` is ``querystring.parse`` of Node 20. ``parse_extended`` is ``parse`` of npm qs 6.17.1, with those of
its options that Express 5 and npm body-parser 2.4.0 use. Keys stay in the order they came, even numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, TypeAlias

from .escaping import STRAY_PERCENT, escape_stray_percents, percent_decoded


class DepthError(ValueError):
    """A key with more brackets than ``depth`` allows, where ``strict_depth`` asks for an error."""


def parse_simple(query: str) -> dict[str, str | list[str]]:
    """``a=1&b=2&b=3`` to ``{'a': '1', 'b': ['2', '3']}``; brackets mean nothing, and only 1000 pairs are read.

    Never raises: an escape that is malformed stays as it is, and bytes that are no UTF-8 become U+FFFD.
    """
    pairs = (pair.partition("=") for pair in query.split("&", 1000)[:1000] if pair)
    return _grouped((_decode(key), _decode(value)) for key, _, value in pairs)


def parse_extended(
    query: str,
    *,
    depth: float = 5,
    parameter_limit: float = 1000,
    array_limit: float = 20,
    strict_depth: bool = False,
    charset: str = "utf-8",
    charset_sentinel: bool = False,
    interpret_numeric_entities: bool = False,
) -> dict[str, Any]:
    """``a[b]=1&c[]=2&c[]=3`` to ``{'a': {'b': '1'}, 'c': ['2', '3']}``: strings in dicts and lists.

    ``depth`` is how many pairs of brackets of a key are read, at most 100; the rest is one name, or ``DepthError`` when
    ``strict_depth``. Pairs beyond ``parameter_limit`` are left. A list whose indices reach ``array_limit`` becomes a
    dict. All three may be ``math.inf``. ``charset`` is ``utf-8`` or ``iso-8859-1``; with ``charset_sentinel`` a
    parameter ``utf8=✓`` decides it instead. ``interpret_numeric_entities`` reads ``&#9786;`` in iso-8859-1 values.

    An escape that cannot be decoded stays as it is.
    """
    query = query.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]")
    parts = query.split("&")[: int(min(parameter_limit, len(query) + 1))]
    if charset_sentinel and (sentinel := next((part for part in parts if part.startswith("utf8=")), None)):
        parts.remove(sentinel)
        charset = _SENTINELS.get(sentinel, charset)
    errors = "strict" if charset == "utf-8" else "replace"
    pairs = ((_decode(key, charset, errors), _decode(value, charset, errors)) for key, value in map(_split, parts))
    if interpret_numeric_entities and charset == "iso-8859-1":
        pairs = ((key, _ENTITY.sub(_character, value)) for key, value in pairs)
    values = _grouped(pairs)
    # What most queries are: nothing nests, comes twice or has a name that is left out.
    if "[" not in query and len(values) == len(parts) and not values.keys() & {"", "__proto__"}:
        return values
    root = _Container(array_limit)
    root.is_list = False
    for key, value in values.items():
        if key:
            _insert(root, _steps(key, min(depth, 100), strict_depth), value)
    return _plain(root)  # type: ignore[no-any-return]


_SENTINELS = {"utf8=%E2%9C%93": "utf-8", "utf8=%26%2310003%3B": "iso-8859-1"}
_ENTITY = re.compile("&#([0-9]{1,7});")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def _split(part: str) -> tuple[str, str]:
    equals = part.find("]=") + 1 or f"{part}=".index("=")
    return part[:equals], part[equals + 1 :]


def _decode(text: str, charset: str = "utf-8", errors: str = "replace") -> str:
    """Percent-encoding and plus signs decoded; if ``errors`` is ``'strict'``, none or all of the escapes."""
    text = text.replace("+", " ")
    if "%" not in text or not _ESCAPE.search(text) or (errors == "strict" and STRAY_PERCENT.search(text)):
        return text
    data = escape_stray_percents(text).encode(charset, "replace")
    try:
        return percent_decoded(data).decode(charset, errors)
    except UnicodeError:
        return text


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else entity[0]


_Step: TypeAlias = str | int | None
# Brackets may stand within brackets where they are balanced. A pattern cannot count them, but goes ten deep.
_BALANCED = r"[^\[\]]*+"
for _ in range(10):
    _BALANCED = rf"(?>(?:[^\[\]]++|\[{_BALANCED}\])*)"
_GROUP = re.compile(rf"\[({_BALANCED})\]")
_INDEX = re.compile("0|[1-9][0-9]{0,14}")


def _steps(key: str, depth: float, strict: bool) -> list[_Step]:
    """``a[b][0][]`` to ``['a', 'b', 0, None]``: at most ``depth`` in brackets, and one more with all that is left."""
    if depth <= 0 and key[:1] == "[" and key[-1:] == "]" and not _GROUP.fullmatch(key):
        return [key[1:-1]]
    depth = 1 if _GROUP.fullmatch(key) else depth  # Even with a depth of 0, [a] is a.
    start = key.find("[") if depth > 0 else -1
    steps: list[_Step] = [key[:start] if start > 0 else key] if start else []
    while start >= 0 and depth > 0 and (group := _GROUP.match(key, start)):
        steps.append(int(group[1]) if _INDEX.fullmatch(group[1]) else group[1] or None)
        start, depth = key.find("[", group.end()), depth - 1
    if start >= 0 and strict and depth <= 0:
        raise DepthError(f"the key {key[:100]!r} has more brackets than depth allows; raise depth to allow it")
    return steps if start < 0 else [*steps, key[start:]]


def _insert(root: _Container, steps: list[_Step], value: str | list[str]) -> None:
    if isinstance(value, list) and steps[-1] is not None:
        steps.append(None)
    container = root
    for step, following in pairwise(steps):
        if step is not None or isinstance(following, str):  # For a[][0] is a[0].
            container = container.enter(step, following)
    for index, one in enumerate([value] if isinstance(value, str) else value):
        container.place(index if steps[-1] is None else steps[-1], one)


class _Container(dict[str, Any]):
    """A list or a dict in the making: a list as long as all that is put into it has an index for a name.

    A list that reaches its limit becomes a dict that still ``grows``: what has no name of its own goes to its end.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.is_list = self.grows = True
        self.length = self.shift = 0

    def __setitem__(self, name: str, item: Any) -> None:
        super().__setitem__(name, item)
        if self.is_list or (name.isdecimal() and len(name) < 16):  # Python makes no integer of thousands of digits
            self.length = max(self.length, int(name) + 1)
        self.is_list = self.is_list and len(self) <= self.limit

    def name(self, step: _Step, *, entering: bool) -> str:
        """What a step means here. In a list, what finds its place taken goes to the end."""
        if isinstance(step, str):
            self.grows = self.grows and not self.is_list
            self.is_list = False
            return step
        index, self.shift = (step or 0) + self.shift, 0
        self.is_list = self.is_list and index < self.limit
        name = str(index)
        if not self.is_list or name not in self or (entering and isinstance(self[name], _Container)):
            return name
        return str(self.length)

    def list_at(self, name: str) -> _Container:
        """The list at a place. If something else is there, that becomes its first item."""
        held = self[name]
        if isinstance(held, str) or not held.grows:
            self[name] = _Container(self.limit)
            self[name]["0"] = held
        return self[name]  # type: ignore[no-any-return]

    def enter(self, step: _Step, following: _Step) -> _Container:
        """The container at a step, made if there is none."""
        name = self.name(step, entering=True)
        if name not in self:
            self[name] = _Container(self.limit)
        elif isinstance(self[name], str):
            made = self.list_at(name)
            made.shift = 1  # What comes now was a list of its own, which begins behind the first item.
            return made.enter(None, following) if isinstance(following, str) else made
        return self[name]  # type: ignore[no-any-return]

    def place(self, step: _Step, value: str) -> None:
        name = self.name(step, entering=False)
        if name not in self:
            self[name] = value
        elif value:  # To qs, nothing is no reason to change what is there.
            made = self.list_at(name)
            made[str(made.length)] = value


def _plain(item: Any) -> Any:
    if isinstance(item, str):
        return item
    if item.is_list:
        return [_plain(item[name]) for name in sorted(item, key=int)]
    return {name: _plain(inner) for name, inner in item.items() if name != "__proto__"}
