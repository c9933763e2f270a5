"""A dict whose keys are attributes too: ``req.body.email`` as in JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Self, SupportsIndex


class AttrDict(dict[str, Any]):
    """A dict read and written by attribute as well as by item.

    A missing attribute is ``None``, as a missing property is ``undefined`` in JavaScript; a missing item raises
    ``KeyError``, as in Python. A key that is also a method's name (``items``, ``get``) is reached as an item only. A
    plain dict in it, read as an attribute, has its items as attributes too (``AttrDictView``); as an item it is itself.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python's own protocols (copy, pickle) probe for dunder names: those must stay missing.
        if name.startswith("__"):
            raise AttributeError(name)
        value = self.get(name)
        return AttrDictView(value) if type(value) is dict else value

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            kind = "a method" if callable(getattr(type(self), name)) else "an attribute"
            raise AttributeError(f"{name!r} is {kind} of {type(self).__name__}: set it as an item, [{name!r}] = …")
        self[name] = value.__source__ if isinstance(value, AttrDictView) else value

    def __delattr__(self, name: str) -> None:
        # As in JavaScript, deleting what is not there is not an error.
        self.pop(name, None)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # What copy and pickle make of a subclass is an AttrDict of its items.
        return AttrDict, (), None, None, iter(self.items())

    def copy(self) -> AttrDict:
        """A shallow copy, with attributes as this one."""
        return AttrDict(self)


# It goes first, so that a dict's methods go by those below. To type checkers a dict is a MutableMapping already.
_MappingMethods: Any = MutableMapping


class AttrDictView(_MappingMethods, AttrDict):  # type: ignore[misc]
    """A plain dict by attribute as well. Nothing is copied: what is changed in one is changed in the other.

    Set as an attribute it is that plain dict. Its storage as a dict is for C code that does not ask it for its items.
    """

    __slots__ = ("__source__",)  # a name that no key can be reached by
    __source__: dict[str, Any]

    def __init__(self, source: dict[str, Any]) -> None:
        dict.__init__(self, source)
        object.__setattr__(self, "__source__", source)

    def __getitem__(self, key: str) -> Any:
        return self.__source__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.__source__[key] = value
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: str) -> None:
        del self.__source__[key]
        dict.pop(self, key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__source__)

    def __len__(self) -> int:
        return len(self.__source__)

    def __or__(self, other: Any) -> Any:
        return self.__source__ | other

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def __repr__(self) -> str:
        return repr(self.__source__)


def to_attrdict(value: Any) -> Any:
    """``value`` with the dicts in it, at any depth, as AttrDicts; what is one already stays as it is."""
    if type(value) is dict:
        return AttrDict({key: to_attrdict(each) for key, each in value.items()})
    if type(value) is list:
        return [to_attrdict(each) for each in value]
    return value
