"""Parse query strings and urlencoded bodies into dicts.

``parse_simple`` is ``querystring.parse`` of Node 20. ``parse_extended`` is ``parse`` of npm qs 6.17.1, with those of
its options that Express 5 and npm body-parser 2.4.0 use. Unlike in JavaScript, numeric keys stay where they came.

``parse_extended`` takes three steps: ``_parse_key`` splits ``a[b][]`` into segments, ``_merge`` adds each key's tree to
the tree of all, and ``_to_python`` converts that into dicts and lists.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, TypeAlias
from urllib.parse import unquote

from .encoding import decode_uri_component, escape_invalid_percents, percent_decode

# The value of ``utf8=✓`` as a browser sends it in UTF-8, and as an entity in Latin-1.
_SENTINELS = {"utf8=%E2%9C%93": "utf-8", "utf8=%26%2310003%3B": "iso-8859-1"}
_ENTITY = re.compile("&#([0-9]{1,7});")
_PERCENT_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_INDEX = re.compile("0|[1-9][0-9]{0,14}")
# For each byte of a key, by how much it changes the depth of brackets.
_DEPTH_STEPS = [(byte == ord("[")) - (byte == ord("]")) for byte in range(256)]

# A part of a key: a name, an index, or ``None`` for empty brackets.
_Segment: TypeAlias = str | int | None


class DepthError(ValueError):
    """A key has more brackets than ``depth``, with ``strict_depth``."""


def parse_simple(query: str) -> dict[str, str | list[str]]:
    """``'a=1&b=2&b=3'`` → ``{'a': '1', 'b': ['2', '3']}``; brackets are part of a name. Parses 1000 pairs.

    Never raises: invalid percent-encoding stays as it is, and bytes that are no UTF-8 become U+FFFD.
    """
    pairs = (pair.partition("=") for pair in query.split("&", 1000)[:1000] if pair)
    return _group_by_key((_decode_simple(key), _decode_simple(value)) for key, _, value in pairs)


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
    """``'a[b]=1&c[]=2&c[]=3'`` → ``{'a': {'b': '1'}, 'c': ['2', '3']}``.

    ``depth`` is how many brackets of a key are parsed, at most 100; the rest of the key is one name, or, with
    ``strict_depth``, raises ``DepthError``. Pairs beyond ``parameter_limit`` are ignored. A list whose indices reach
    ``array_limit`` becomes a dict. All three may be ``math.inf``. ``charset`` is ``utf-8`` or
    ``iso-8859-1``; with ``charset_sentinel``, a parameter ``utf8=✓`` decides it. ``interpret_numeric_entities`` decodes
    ``&#9786;`` in iso-8859-1 values.

    Invalid percent-encoding stays as it is.
    """
    query = query.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]")
    parts = query.split("&")[: int(min(parameter_limit, len(query) + 1))]
    if charset_sentinel and (sentinel := next((part for part in parts if part.startswith("utf8=")), None)):
        parts.remove(sentinel)
        charset = _SENTINELS.get(sentinel, charset)
    pairs = ((_decode(key, charset), _decode(value, charset)) for key, value in map(_split, parts))
    if interpret_numeric_entities and charset == "iso-8859-1":
        pairs = ((key, _ENTITY.sub(_character, value)) for key, value in pairs)
    values = _group_by_key(pairs)
    if "[" not in query:  # most queries: nothing nests
        return {
            key: _to_python(_leaf(value, array_limit)) for key, value in values.items() if key not in ("", "__proto__")
        }
    tree = _Node({}, -1, is_list=False)
    for key in _merge_order(values):
        if key:
            segments = _parse_key(key, min(depth, 100), strict_depth)
            _merge(tree, _to_tree(segments, _leaf(values[key], array_limit), array_limit), array_limit)
    return _to_python(tree)  # type: ignore[no-any-return]


def _group_by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def _split(part: str) -> tuple[str, str]:
    """Split a pair, at the ``=`` behind the first ``]`` if there is one: ``a[b=c]=d`` → ``('a[b=c]', 'd')``."""
    equals = part.find("]=") + 1 or f"{part}=".index("=")
    return part[:equals], part[equals + 1 :]


def _decode_simple(text: str) -> str:
    """Decode as ``querystring.unescape``: if that fails, each character is a byte."""
    text = text.replace("+", " ")
    if not _PERCENT_ENCODED.search(text):
        return text
    try:
        return decode_uri_component(text)
    except ValueError:
        code_units = escape_invalid_percents(text).encode("utf-16-le", "surrogatepass")
        return percent_decode(code_units[::2]).decode("utf-8", "replace")


def _decode(text: str, charset: str) -> str:
    """Decode as qs: in UTF-8 all percent-encoding or, if some is invalid, none; in Latin-1 what is valid."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        if charset == "utf-8":
            return decode_uri_component(text)
        return percent_decode(escape_invalid_percents(text).encode(charset)).decode(charset)
    except UnicodeEncodeError:  # it has characters that Latin-1 lacks
        return unquote(text, charset)
    except ValueError:
        return text


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else entity[0]


def _merge_order(keys: Iterable[str]) -> list[str]:
    """Move ``0`` before ``0[a]``, ``[0]`` and ``[]``, as JavaScript's objects have numbers first; keep all else."""
    nested = {key.partition("[")[0] for key in keys if "[" in key}
    return sorted(keys, key=lambda key: not _INDEX.fullmatch(key) or nested.isdisjoint((key, "")))


def _parse_key(key: str, depth: float, strict: bool) -> list[_Segment]:
    """Split a key into segments: ``a[b][0][]`` into ``['a', 'b', 0, None]``, ``a[b[c]]`` into ``['a', 'b[c]']``.

    At most ``depth`` brackets are read; what is left, or never closed, is one more name. Raises ``DepthError``.
    """
    if depth <= 0:  # Even then, [a] is a.
        return [_segment(key[1:-1] if key[0] == "[" and key[-1] == "]" else key)]
    start = key.find("[")
    segments = [_segment(key[:start] if start > 0 else key)] if start else []
    while start >= 0 and depth > 0:
        end = _closing_bracket(key, start)
        if end < 0:
            return [*segments, key[start:]]
        segments.append(_segment(key[start + 1 : end]))
        start, depth = key.find("[", end), depth - 1
    if start >= 0 and strict:
        raise DepthError(f"the key {key[:100]!r} has more brackets than depth allows; raise depth to allow it")
    return segments if start < 0 else [*segments, key[start:]]


def _closing_bracket(key: str, start: int) -> int:
    """Return the index of the bracket that closes the one at ``start``, or -1."""
    end = key.find("]", start)
    if key.find("[", start + 1, end) < 0:
        return end
    data = key[start:].encode("latin-1", "replace")  # one byte for each character
    try:
        return start + operator.indexOf(accumulate(map(_DEPTH_STEPS.__getitem__, data)), 0)
    except ValueError:
        return -1


def _segment(text: str) -> _Segment:
    return int(text) if _INDEX.fullmatch(text) else text or None


class _Node:
    """A list, which may have holes, or an object, as in JavaScript, while keys are merged into it.

    ``items`` are by index or name; ``last`` is the greatest index, or -1. An object ``was_list`` if it was a list of
    more items than the limit, or was made of two values of one key: text that is merged into it is appended behind
    ``last``.
    """

    __slots__ = ("is_list", "items", "last", "was_list")

    def __init__(self, items: dict[str | int, _Value], last: int, *, is_list: bool, was_list: bool = False) -> None:
        self.items = items
        self.last = last
        self.is_list = is_list
        self.was_list = was_list

    def __setitem__(self, key: str | int, value: _Value) -> None:
        self.items[key] = value
        if isinstance(key, int) and key > self.last:
            self.last = key

    def append(self, value: _Value) -> None:
        self[self.last + 1] = value


_Value: TypeAlias = str | _Node


def _list(values: Sequence[_Value], limit: float) -> _Node:
    """Make a list of ``values``, or, if there are more than ``limit``, an object that ``was_list``."""
    return _limit(_Node(dict(enumerate(values)), len(values) - 1, is_list=True), limit)


def _limit(node: _Node, limit: float) -> _Node:
    """Turn a list of more than ``limit`` items into an object."""
    if len(node.items) > limit:
        node.is_list, node.was_list = False, True
    return node


def _leaf(value: str | list[str], limit: float) -> _Value:
    return value if isinstance(value, str) else _list(value, limit)


def _to_tree(segments: list[_Segment], value: _Value, limit: float) -> _Node:
    """Make the tree of one key: ``['a', 0], 'x'`` → the tree of ``{'a': ['x']}``."""
    for segment in reversed(segments):
        value = _wrap(segment, value, limit)
    return value  # type: ignore[return-value]


def _wrap(segment: _Segment, value: _Value, limit: float) -> _Node:
    if segment is None:
        is_list_already = isinstance(value, _Node) and (value.is_list or value.was_list)
        return value if is_list_already else _list([value], limit)  # type: ignore[return-value]
    if isinstance(segment, int):
        return _Node({segment: value}, segment, is_list=segment < limit, was_list=segment >= limit)
    return _Node({segment: value} if segment != "__proto__" else {}, -1, is_list=False)


def _merge(old: _Value, new: _Value, limit: float) -> _Value:
    """Merge ``new`` into ``old``, the value of the same key, as qs does; an empty text changes nothing.

    ===================  ==================  ================  =============================
    old \\ new           text                list              object
    ===================  ==================  ================  =============================
    text                 [old, new]          [old, *new]       [old, new]
    list                 [*old, new]         index by index    made an object, key by key
    object               [old, new]          key by key        key by key
    object (was_list)    new behind last     key by key        key by key
    ===================  ==================  ================  =============================
    """
    if not new:
        return old
    if isinstance(old, str):
        return _merge_into_text(old, new, limit)
    if isinstance(new, str):
        return _append_text(old, new, limit)
    if old.is_list and new.is_list:
        return _merge_lists(old, new, limit)
    old.is_list = False
    old.was_list = old.was_list or new.was_list
    for key, value in new.items.items():
        old[key] = _merge(old.items[key], value, limit) if key in old.items else value
    return old


def _merge_into_text(old: str, new: _Value, limit: float) -> _Node:
    if isinstance(new, str) or not (new.is_list or new.was_list):
        return _list([old, new], limit)
    shifted = {key + 1 if isinstance(key, int) else key: value for key, value in new.items.items()}
    node = _Node({0: old, **shifted}, new.last + 1, is_list=new.is_list, was_list=new.was_list)
    if node.last >= limit:  # here, qs counts the holes, too
        node.is_list, node.was_list = False, True
    return node


def _append_text(old: _Node, new: str, limit: float) -> _Node:
    if old.is_list or old.was_list:
        old.append(new)
        return _limit(old, limit) if old.is_list else old
    pair = _list([old, new], limit)
    pair.was_list = True
    return pair


def _merge_lists(old: _Node, new: _Node, limit: float) -> _Node:
    for index, value in new.items.items():
        if index not in old.items:
            old[index] = value
        elif isinstance(held := old.items[index], _Node) and isinstance(value, _Node):
            old[index] = _merge(held, value, limit)
        else:
            old.append(value)
    return _limit(old, limit)


def _to_python(value: _Value) -> Any:
    if isinstance(value, str):
        return value
    if value.is_list:
        return [_to_python(value.items[index]) for index in sorted(value.items)]
    return {str(key): _to_python(item) for key, item in value.items.items()}
