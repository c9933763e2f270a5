"""The functions that compiled templates call: names, attributes and items as Jinja2 has them, and escaping.

Nothing that a value has is ever called, and no name with a leading underscore is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NoReturn

DICT_ATTRIBUTES = frozenset(dir(dict))


class ExpressionError(Exception):
    """Something that a template may not do, found when it is compiled or when it is rendered."""


class Undefined:
    """The value of an undefined name, as ``jinja2.Undefined``: prints as nothing, is false, empty, equal to its kind.

    To order it, or to read an attribute or item of it, raises ``ExpressionError`` with ``reason``.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "Undefined"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __eq__(self, other: object) -> bool:
        return type(other) is Undefined

    def __hash__(self) -> int:
        return hash(Undefined)

    def _refuse(self, other: object) -> NoReturn:
        raise ExpressionError(self.reason)

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Scope(dict[str, Any]):
    """The variables that a tag sees. A name that none of them has is ``Undefined``."""

    __slots__ = ("outer",)
    outer: Scope
    """The scope that this one was made of, by ``inner``."""

    def __missing__(self, name: str) -> Undefined:
        return Undefined(f"{name!r} is undefined")

    def inner(self, variables: Mapping[str, Any]) -> Scope:
        """Return a scope that has ``variables`` over these, for a loop or for a file that is included in one."""
        scope = Scope({**self, **variables})
        scope.outer = self
        return scope


def escape(value: Any) -> str:
    """Return a value as HTML text, escaped as markupsafe 3.0 does: ``"<a>"`` -> ``"&lt;a&gt;"``.

    An object with ``__html__`` is written by that, unescaped; ``None`` is written as nothing.
    """
    if type(value) is str:
        text = value
    elif type(value) is int:
        return str(value)
    elif value is None or hasattr(value, "__html__"):
        return unescaped(value)
    else:
        text = str.__str__(str(value))  # a plain str, where __str__ returns a Markup: that would escape once more
    # Optimisation: most texts have none of these, and to look for one takes half as long as to replace it.
    if "&" in text:
        text = text.replace("&", "&amp;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if "'" in text:
        text = text.replace("'", "&#39;")
    if '"' in text:
        text = text.replace('"', "&#34;")
    return text


def unescaped(value: Any) -> str:
    """Return a value as HTML text that needs no escaping."""
    if value is None:
        return ""
    return str(value.__html__() if hasattr(value, "__html__") else value)


def attribute(value: Any, name: str) -> Any:
    """Return ``value.name``: the attribute, or else the item of that name.

    Raises ``ExpressionError`` for a method, for a leading underscore, and where ``value`` is undefined.
    """
    # Optimisation: a field that some documents do not have would take two exceptions.
    if type(value) is dict and name not in DICT_ATTRIBUTES and (name in value or not name.startswith("_")):
        return value[name] if name in value else _undefined_attribute(value, name)
    if type(value) is Undefined:
        raise ExpressionError(value.reason)
    if name.startswith("_"):
        _reject_private(value, name)
    try:
        return _reject_callable(getattr(value, name), value, name)
    except AttributeError:
        try:
            return value[name]
        except (TypeError, LookupError, AttributeError):
            return _undefined_attribute(value, name)


def item(value: Any, key: Any) -> Any:
    """Return ``value[key]``: the item, or else, for a str, the attribute of that name. Raises as ``attribute``."""
    if type(value) is Undefined:
        raise ExpressionError(value.reason)
    try:
        return value[key]
    except (TypeError, LookupError, AttributeError):
        if not isinstance(key, str):
            return _undefined_attribute(value, key)
    if key.startswith("_"):
        _reject_private(value, key)
    try:
        return _reject_callable(getattr(value, key), value, key)
    except AttributeError:
        return _undefined_attribute(value, key)


def iterator(values: Iterable[Any]) -> Iterator[Any] | None:
    """Return an iterator of values, or ``None`` where there are none."""
    rest = iter(values)
    for first in rest:
        return chain((first,), rest)
    return None


def numbered(values: list[Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield each of ``values`` behind its ``loop``: ``["a"]`` -> ``({"index": 1, "index0": 0, …}, "a")``."""
    length = len(values)
    for index, value in enumerate(values, 1):
        loop = {"index": index, "index0": index - 1, "first": index == 1, "last": index == length, "length": length}
        yield loop, value


def _reject_private(value: Any, name: str) -> None:
    """Raise ``ExpressionError`` for an attribute with a leading underscore.

    A mapping without such an attribute is let through: there the name is an item, as the ``_id`` of a document.
    """
    if not isinstance(value, Mapping) or hasattr(type(value), name) or name in getattr(value, "__dict__", ()):
        raise ExpressionError(
            f"no template reaches attributes with a leading underscore as {name!r}; an item is ['{name}']"
        )


def _reject_callable(attribute: Any, owner: Any, name: str) -> Any:
    """Return ``attribute``, or raise ``ExpressionError`` where it can be called."""
    if callable(attribute):
        raise ExpressionError(
            f"{name!r} is a method of {type(owner).__name__}, and nothing is called; an item is ['{name}']"
        )
    return attribute


def _undefined_attribute(value: Any, name: Any) -> Undefined:
    return Undefined(f"{type(value).__name__} has no {name!r}")
