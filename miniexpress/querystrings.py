"""Query strings and urlencoded bodies as text, to dicts.

``parse_simple`` is ``querystring.parse`` of Node 20. ``parse_extended`` is ``parse`` of npm qs 6.17.1 with
``allowPrototypes``, and with those of its options that Express 5 and npm body-parser 2.4.0 use.
"""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias


class DepthError(ValueError):
    """A key with more brackets than ``depth`` allows, where ``strict_depth`` asks for an error."""


def parse_simple(query: str) -> dict[str, str | list[str]]:
    """``a=1&b=2&b=3`` to ``{'a': '1', 'b': ['2', '3']}``; brackets mean nothing, and only 1000 pairs are read.

    Never raises: an escape that is malformed stays as it is, and bytes that are no UTF-8 become U+FFFD.
    """
    found: dict[str, list[str]] = {}
    for pair in query.split("&", 1000)[:1000]:
        if pair:
            key, _, value = pair.partition("=")
            found.setdefault(_decode_leniently(key), []).append(_decode_leniently(value))
    return {key: found[key] if len(found[key]) > 1 else found[key][0] for key in _javascript_order(found)}


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

    ``depth`` is how many pairs of brackets of a key are read; the rest is one name, or ``DepthError`` when
    ``strict_depth``. Pairs beyond ``parameter_limit`` are left. A list of more than ``array_limit`` elements, or with
    an index as high, becomes a dict. All three may be ``math.inf``. ``charset`` is ``utf-8`` or ``iso-8859-1``; with
    ``charset_sentinel`` a parameter ``utf8=✓`` decides it instead. ``interpret_numeric_entities`` reads ``&#9786;`` in
    the values of iso-8859-1 text.

    An escape that cannot be decoded stays as it is. Raises ``ValueError`` for another ``charset``.
    """
    if charset not in _DECODERS:
        raise ValueError(f"charset must be 'utf-8' or 'iso-8859-1', not {charset!r}")
    if "%" in query:
        query = query.replace("%5B", "[").replace("%5b", "[").replace("%5D", "]").replace("%5d", "]")
    limit = None if math.isinf(parameter_limit) else int(parameter_limit)
    parts = query.split("&", -1 if limit is None else limit)[:limit]
    if charset_sentinel:
        charset, parts = _without_sentinel(parts, charset)
    entities = interpret_numeric_entities and charset == "iso-8859-1"
    values = _values(parts, _DECODERS[charset], entities, array_limit)
    values.pop("", None)
    if "[" not in query:
        values.pop("__proto__", None)
        return {
            key: value if isinstance(value := values[key], str) else _plain(value) for key in _javascript_order(values)
        }
    root = _Object()
    for key in _javascript_order(values):
        _insert(root, _segments(key, depth, strict_depth), values[key], array_limit)
    return _plain(root)  # type: ignore[no-any-return]


_SENTINELS = {"utf8=%E2%9C%93": "utf-8", "utf8=%26%2310003%3B": "iso-8859-1"}


def _without_sentinel(parts: list[str], charset: str) -> tuple[str, list[str]]:
    for index, part in enumerate(parts):
        if part.startswith("utf8="):
            return _SENTINELS.get(part, charset), parts[:index] + parts[index + 1 :]
    return charset, parts


def _values(parts: list[str], decode: Callable[[str], str], entities: bool, limit: float) -> dict[str, Any]:
    """The pairs, their keys still with brackets; a key that is repeated has a list, or an overflowing object."""
    values: dict[str, Any] = {}
    for part in parts:
        bracket = part.find("]=")
        if bracket < 0:
            key, _, value = part.partition("=")
        else:
            key, value = part[: bracket + 1], part[bracket + 2 :]
        key, value = decode(key), decode(value)
        if entities:
            value = _decode_entities(value)
        values[key] = _combined(values[key], value, limit) if key in values else value
    return values


def _combined(earlier: Any, value: str, limit: float) -> Any:
    if isinstance(earlier, str):
        earlier = [earlier]
    earlier.append(value)
    too_long = isinstance(earlier, list) and len(earlier) > limit
    return _Array.of(earlier).overflowing() if too_long else earlier


_MALFORMED = re.compile("%(?![0-9A-Fa-f]{2})")
_MALFORMED_BYTES = re.compile(b"%(?![0-9A-Fa-f]{2})")
_WELL_FORMED = re.compile("%[0-9A-Fa-f]{2}")


def _unquote(data: bytes) -> bytes:
    if b"%%" in data:  # Many of these would keep the pattern busy for long.
        data = data.replace(b"%%", b"%25%").replace(b"%%", b"%25%")
    # Quoted-printable is percent-encoding with another sign, and the standard library decodes it in C.
    return binascii.a2b_qp(_MALFORMED_BYTES.sub(b"%25", data).replace(b"=", b"=3D").replace(b"%", b"="))


def _decode_leniently(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text or not _WELL_FORMED.search(text):
        return text
    decoded = _decode_utf8(text)
    if decoded is not text:
        return decoded
    # Node then takes the low byte of each UTF-16 unit, as everything it reads from a request line is one byte.
    return _unquote(text.encode("utf-16-le", "surrogatepass")[::2]).decode("utf-8", "replace")


def _decode_utf8(text: str) -> str:
    """JavaScript's ``decodeURIComponent``, with a plus for a space; what it refuses is returned as it is."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text or _MALFORMED.search(text):
        return text
    try:
        return _unquote(text.encode()).decode()
    except UnicodeError:
        return text


def _decode_latin1(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return _unquote(text.encode("latin-1")).decode("latin-1")
    except UnicodeEncodeError:
        return _WELL_FORMED.sub(lambda escape: chr(int(escape[0][1:], 16)), text)


_DECODERS = {"utf-8": _decode_utf8, "iso-8859-1": _decode_latin1}

_NUMERIC_ENTITY = re.compile("&#([0-9]+);")


def _decode_entities(text: str) -> str:
    # Through UTF-16, so that two entities that are a surrogate pair become the one character that they mean.
    decoded = _NUMERIC_ENTITY.sub(lambda entity: chr(_code_point(entity[1])), text)
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _code_point(digits: str) -> int:
    # A float, as in JavaScript: exact as far as Unicode goes, and infinite where int() would refuse.
    code = int(min(float(digits), 2.0**1023))
    return code if code <= 0x10FFFF else code & 0xFFFF


def _javascript_order(keys: dict[str, Any]) -> Iterable[str]:
    """The keys as JavaScript lists those of an object: array indices first, ascending, then the rest as they came."""
    # Nothing to sort when no key begins with a digit: the digits come right before the colon.
    if min(keys, default=":") >= ":":
        return keys
    return sorted(keys, key=lambda key: int(key) if _is_number(key) and int(key) < 2**32 - 1 else math.inf)


_NUMBER = re.compile("0|[1-9][0-9]{0,14}")


def _is_number(key: str) -> bool:
    return key.isdigit() and _NUMBER.fullmatch(key) is not None


def _segments(key: str, depth: float, strict: bool) -> list[str]:
    """``a[b][c]`` to ``['a', '[b]', '[c]']``: at most ``depth`` in brackets, and one more with all that is left."""
    opening = key.find("[")
    if depth <= 0 or opening < 0:
        return [key]
    segments = [key[:opening]] if opening else []
    for _ in range(int(min(depth, len(key)))):
        closing = _closing(key, opening)
        if closing < 0:
            return [*segments, f"[{key[opening:]}]"]
        segments.append(key[opening : closing + 1])
        opening = key.find("[", closing + 1)
        if opening < 0:
            return segments
    if strict:
        raise DepthError(f"the key {key[:100]!r} has more than {depth} pairs of brackets; raise depth to allow it")
    return [*segments, f"[{key[opening:]}]"]


def _closing(key: str, opening: int) -> int:
    closing = key.find("]", opening)
    if closing < 0 or key.find("[", opening + 1, closing) < 0:
        return closing
    level = 0
    for index, char in enumerate(key[opening:], opening):
        if char == "[":
            level += 1
        elif char == "]":
            level -= 1
            if not level:
                return index
    return -1


class _Array(dict[int, Any]):
    """A JavaScript array, which may have holes. ``conflict`` is true of one made of what would not merge."""

    length = 0
    conflict = False

    @classmethod
    def of(cls, values: Iterable[Any]) -> _Array:
        array = cls()
        for value in values:
            array.put(array.length, value)
        return array

    def put(self, index: int, value: Any) -> None:
        self[index] = value
        self.length = max(self.length, index + 1)

    def to_entries(self) -> dict[str, Any]:
        return {str(index): self[index] for index in sorted(self)}

    def limited(self, limit: float) -> _Array | _Object:
        return self.overflowing() if self.length > limit else self

    def overflowing(self) -> _Object:
        return _Object.ending(self.to_entries(), self.length - 1, overflow=True)


class _Object(dict[str, Any]):
    """A JavaScript object.

    ``last`` is the highest index of one that takes further values behind it, else -1: because it was an array until
    that grew beyond the limit (then ``overflow`` is true), or was made of what would not merge.
    """

    last = -1
    overflow = False

    @classmethod
    def ending(cls, entries: dict[str, Any], last: int, overflow: bool = False) -> _Object:
        made = cls(entries)
        made.last, made.overflow = last, overflow
        return made

    def append(self, value: str) -> None:
        self.last += 1
        self[str(self.last)] = value


_Value: TypeAlias = "str | _Array | _Object"


def _nested(segments: list[str], value: Any, limit: float) -> _Array | _Object:
    """``['a', '[b]']`` and ``1`` to ``{'a': {'b': '1'}}``."""
    leaf = _Array.of(value) if isinstance(value, list) else value
    for segment in reversed(segments):
        if segment != "[]":
            leaf = _entry(segment, leaf, limit)
        elif not (isinstance(leaf, _Object) and leaf.overflow):
            leaf = (leaf if isinstance(leaf, _Array) else _Array.of([leaf])).limited(limit)
    return leaf


def _entry(segment: str, leaf: _Value, limit: float) -> _Array | _Object:
    name = segment[1:-1] if segment[0] == "[" and segment[-1] == "]" else segment
    if name == segment or not _is_number(name):
        return _Object() if name == "__proto__" else _Object({name: leaf})
    if int(name) < limit:
        array = _Array()
        array.put(int(name), leaf)
        return array
    return _Object.ending({name: leaf}, int(name), overflow=True)


def _insert(root: _Object, segments: list[str], value: Any, limit: float) -> None:
    # Whatever is there already as plain objects is walked through; only the rest is built, and merged.
    container, known = root, 0
    for segment in segments[:-1]:
        name = segment[1:-1] if segment[0] == "[" else segment
        inner = None if name.isdigit() or segment == "[]" else container.get(name)
        if type(inner) is not _Object or container.last >= 0:
            break
        container, known = inner, known + 1
    # What is merged is one chain of containers, so there is one pair at most to go down into: no recursion.
    holder: dict[Any, Any] = {"": container}
    descent: tuple[Any, _Value] | None = ("", _nested(segments[known:], value, limit))
    while descent:
        slot, source = descent
        holder[slot], descent = _merged(holder[slot], source, limit)
        holder = holder[slot]


_Step: TypeAlias = "tuple[_Value, tuple[Any, _Value] | None]"


def _merged(target: _Value, source: _Value, limit: float) -> _Step:
    """What the two become, and the item of it that a value of the source is still to be merged into."""
    if isinstance(source, str):
        return _appended(target, source, limit) if source else target, None
    if isinstance(target, str):
        return _prepended(target, source, limit), None
    if isinstance(target, _Array) and isinstance(source, _Array):
        return _merged_arrays(target, source, limit)
    return _merged_entries(target, source, limit)


def _appended(target: _Value, value: str, limit: float) -> _Value:
    if isinstance(target, _Array):
        full = len(target) >= limit
        target.put(target.length, value)
        return target.overflowing() if full else target
    if isinstance(target, _Object) and target.last >= 0:
        target.append(value)
        return target
    pair = _Array.of([target, value])
    pair.conflict = isinstance(target, _Object)
    return pair.limited(limit)


def _prepended(target: str, source: _Array | _Object, limit: float) -> _Value:
    if isinstance(source, _Array):
        array = _Array.of([target])
        for index, value in source.items():
            array.put(index + 1, value)
        return array.limited(limit)
    if not source.overflow:
        return _Array.of([target, source]).limited(limit)
    shifted = {str(int(key) + 1): value for key, value in source.items()}
    return _Object.ending({"0": target, **shifted}, source.last + 1, overflow=True)


def _merged_arrays(target: _Array, source: _Array, limit: float) -> _Step:
    descent = None
    for index in sorted(source):
        item = source[index]
        if index not in target:
            target.put(index, item)
        elif isinstance(target[index], str) or isinstance(item, str):
            target.put(target.length, item)
        else:
            descent = index, item
    if len(target) > limit:
        return target.overflowing(), descent and (str(descent[0]), descent[1])
    return target, descent


def _merged_entries(target: _Array | _Object, source: _Array | _Object, limit: float) -> _Step:
    descent = None
    entries = target
    if isinstance(entries, _Array):
        entries = _Object.ending(entries.to_entries(), entries.length - 1 if entries.conflict else -1)
    for key, value in (source.to_entries() if isinstance(source, _Array) else source).items():
        if key not in entries:
            entries[key] = value
        elif isinstance(value, str):
            entries[key] = _merged(entries[key], value, limit)[0]
        else:
            descent = key, value
        if isinstance(source, _Object) and source.overflow and not entries.overflow:
            entries.overflow = True
            entries.last = max(source.last, *(int(name) for name in entries if _is_number(name)))
        if entries.last >= 0 and _is_number(key):
            entries.last = max(entries.last, int(key))
    return entries, descent


def _plain(root: Any) -> Any:
    """The value with dicts and lists for objects and arrays; holes are left out."""
    holder = [root]
    waiting: list[Any] = [holder]
    while waiting:
        container = waiting.pop()
        for key, value in list(container.items() if isinstance(container, dict) else enumerate(container)):
            if isinstance(value, _Array):
                container[key] = [value[index] for index in sorted(value)]
                waiting.append(container[key])
            elif isinstance(value, _Object):
                container[key] = {name: value[name] for name in _javascript_order(value)}
                waiting.append(container[key])
    return holder[0]
