"""Query strings and urlencoded bodies as text, to dicts.

``parse_simple`` is ``querystring.parse`` of Node 20. ``parse_extended`` is ``parse`` of npm qs 6.17.1, with those of
its options that Express 5 and npm body-parser 2.4.0 use. Keys stay in the order they came, even numbers.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, TypeAlias
from urllib.parse import unquote

from .encoding import decode_uri_component, escape_invalid_percents, percent_decode


class DepthError(ValueError):
    """A key with more brackets than ``depth`` allows, where ``strict_depth`` asks for an error."""


def parse_simple(query: str) -> dict[str, str | list[str]]:
    """``a=1&b=2&b=3`` to ``{'a': '1', 'b': ['2', '3']}``; brackets mean nothing, and only 1000 pairs are read.

    Never raises: an escape that is malformed stays as it is, and bytes that are no UTF-8 become U+FFFD.
    """
    pairs = (pair.partition("=") for pair in query.split("&", 1000)[:1000] if pair)
    return _grouped((_decode_simple(key), _decode_simple(value)) for key, _, value in pairs)


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
    pairs = ((_decode(key, charset), _decode(value, charset)) for key, value in map(_split, parts))
    if interpret_numeric_entities and charset == "iso-8859-1":
        pairs = ((key, _ENTITY.sub(_character, value)) for key, value in pairs)
    values = _grouped(pairs)
    if "[" not in query:  # What most queries are: nothing nests.
        return {key: _plain(_leaf(value, array_limit)) for key, value in values.items() if key not in ("", "__proto__")}
    tree = _Node({}, -1, is_array=False)
    for key in _in_order_of_merging(values):
        if key:
            segments = _parse_key(key, min(depth, 100), strict_depth)
            _merge(tree, _branch(segments, _leaf(values[key], array_limit), array_limit), array_limit)
    return _plain(tree)  # type: ignore[no-any-return]


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


def _decode_simple(text: str) -> str:
    """Decode as ``querystring.unescape``: where not all is UTF-8, each character is taken for a byte."""
    text = text.replace("+", " ")
    if not _ESCAPE.search(text):
        return text
    try:
        return decode_uri_component(text)
    except ValueError:
        code_units = escape_invalid_percents(text).encode("utf-16-le", "surrogatepass")
        return percent_decode(code_units[::2]).decode("utf-8", "replace")


def _decode(text: str, charset: str) -> str:
    """Decode as qs: in UTF-8 all of the escapes or, where one is malformed, none; in Latin-1 those that are right."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        if charset == "utf-8":
            return decode_uri_component(text)
        return percent_decode(escape_invalid_percents(text).encode(charset)).decode(charset)
    except UnicodeEncodeError:  # beside characters that Latin-1 has not
        return unquote(text, charset)
    except ValueError:
        return text


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    return chr(code) if code < 0xD800 or 0xDFFF < code <= 0x10FFFF else entity[0]


# A part of a key: a name, an index, or None for empty brackets.
_Segment: TypeAlias = str | int | None
_INDEX = re.compile("0|[1-9][0-9]{0,14}")
# By how much a byte of a key changes the depth of brackets.
_STEPS = [(byte == ord("[")) - (byte == ord("]")) for byte in range(256)]


def _in_order_of_merging(keys: Iterable[str]) -> list[str]:
    """Put ``0`` ahead of ``0[a]``, ``[0]`` and ``[]``, as JavaScript's objects have numbers first; leave all else."""
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
    """The index of the bracket that closes the one at ``start``, or -1."""
    end = key.find("]", start)
    if key.find("[", start + 1, end) < 0:
        return end
    data = key[start:].encode("latin-1", "replace")  # one byte for each character
    try:
        return start + operator.indexOf(accumulate(map(_STEPS.__getitem__, data)), 0)
    except ValueError:
        return -1


def _segment(text: str) -> _Segment:
    return int(text) if _INDEX.fullmatch(text) else text or None


class _Node:
    """A JavaScript array, which may have holes, or a JavaScript object, while pairs are merged into it.

    ``items`` are by index or name; ``last`` is the greatest index, or -1. An array of more items than the limit becomes
    an object that ``grows``: a text that is merged into it goes to the index behind ``last``. What was made of two
    values that met at one place grows too, once it is an object.
    """

    __slots__ = ("grows", "is_array", "items", "last")

    def __init__(self, items: dict[str | int, _Value], last: int, *, is_array: bool, grows: bool = False) -> None:
        self.items = items
        self.last = last
        self.is_array = is_array
        self.grows = grows

    def __setitem__(self, key: str | int, value: _Value) -> None:
        self.items[key] = value
        if isinstance(key, int) and key > self.last:
            self.last = key

    def append(self, value: _Value) -> None:
        self[self.last + 1] = value


_Value: TypeAlias = str | _Node


def _array(values: Sequence[_Value], limit: float) -> _Node:
    """Make an array of ``values``, or an object that grows of more than ``limit``."""
    return _limited(_Node(dict(enumerate(values)), len(values) - 1, is_array=True), limit)


def _limited(array: _Node, limit: float) -> _Node:
    if len(array.items) > limit:
        array.is_array, array.grows = False, True
    return array


def _leaf(value: str | list[str], limit: float) -> _Value:
    return value if isinstance(value, str) else _array(value, limit)


def _branch(segments: list[_Segment], value: _Value, limit: float) -> _Node:
    """Make the tree of one key: of ``['a', 0]`` and ``'x'`` that of ``{'a': ['x']}``."""
    for segment in reversed(segments):
        value = _wrap(segment, value, limit)
    return value  # type: ignore[return-value]


def _wrap(segment: _Segment, value: _Value, limit: float) -> _Node:
    if segment is None:
        is_list = isinstance(value, _Node) and (value.is_array or value.grows)
        return value if is_list else _array([value], limit)  # type: ignore[return-value]
    if isinstance(segment, int):
        return _Node({segment: value}, segment, is_array=segment < limit, grows=segment >= limit)
    return _Node({segment: value} if segment != "__proto__" else {}, -1, is_array=False)


def _merge(old: _Value, new: _Value, limit: float) -> _Value:
    """Merge ``new`` into ``old``, which stands at the same place already, as qs does; an empty text changes nothing.

    =================  ==================  ================  ==================
    old \\ new         text                array             object
    =================  ==================  ================  ==================
    text               [old, new]          [old, *new]       [old, new]
    array              [*old, new]         index by index    made an object, and key by key
    object             [old, new]          key by key        key by key
    object that grows  new behind last     key by key        key by key
    =================  ==================  ================  ==================
    """
    if not new:
        return old
    if isinstance(old, str):
        return _merge_into_text(old, new, limit)
    if isinstance(new, str):
        return _append_text(old, new, limit)
    if old.is_array and new.is_array:
        return _merge_arrays(old, new, limit)
    old.is_array = False
    old.grows = old.grows or new.grows
    for key, value in new.items.items():
        old[key] = _merge(old.items[key], value, limit) if key in old.items else value
    return old


def _merge_into_text(old: str, new: _Value, limit: float) -> _Node:
    if isinstance(new, str) or not (new.is_array or new.grows):
        return _array([old, new], limit)
    shifted = {key + 1 if isinstance(key, int) else key: value for key, value in new.items.items()}
    node = _Node({0: old, **shifted}, new.last + 1, is_array=new.is_array, grows=new.grows)
    if node.last >= limit:  # Here, qs counts the holes too.
        node.is_array, node.grows = False, True
    return node


def _append_text(old: _Node, new: str, limit: float) -> _Node:
    if old.is_array or old.grows:
        old.append(new)
        return _limited(old, limit) if old.is_array else old
    pair = _array([old, new], limit)
    pair.grows = True
    return pair


def _merge_arrays(old: _Node, new: _Node, limit: float) -> _Node:
    for index, value in new.items.items():
        if index not in old.items:
            old[index] = value
        elif isinstance(held := old.items[index], _Node) and isinstance(value, _Node):
            old[index] = _merge(held, value, limit)
        else:
            old.append(value)
    return _limited(old, limit)


def _plain(value: _Value) -> Any:
    if isinstance(value, str):
        return value
    if value.is_array:
        return [_plain(value.items[index]) for index in sorted(value.items)]
    return {str(key): _plain(item) for key, item in value.items.items()}
