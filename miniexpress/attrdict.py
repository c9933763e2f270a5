"""A dict whose keys are attributes too: ``req.body.email`` as in JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Self, SupportsIndex


class AttrDict(dict[str, Any]):
    """A dict whose items are attributes, too: ``body.email`` is ``body["email"]``.

    A missing attribute is ``None``, as a missing property is ``undefined`` in JavaScript; a missing item raises
    ``KeyError``, as in Python. A key that is also a method's name (``items``, ``get``) is an item only. A plain dict
    in it, read as an attribute, has attributes, too (``AttrDictView``); read as an item, it is itself.
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
        # copy and pickle make an AttrDict of the items, of subclasses as well.
        return AttrDict, (), None, None, iter(self.items())

    def copy(self) -> AttrDict:
        """Return a shallow copy, an AttrDict."""
        return AttrDict(self)


# First in the bases, so that the methods of a dict use those below. A type checker knows a dict as one already.
_MappingMethods: Any = MutableMapping


class AttrDictView(_MappingMethods, AttrDict):  # type: ignore[misc]
    """A plain dict whose items are attributes, too. Nothing is copied: a change of one is a change of the other.

    Set as an attribute, it becomes that plain dict again. It is a dict itself, with the same items, for C code that
    reads a dict's storage directly.
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
    """Return ``value`` with the plain dicts in it, at any depth of dicts and lists, as AttrDicts."""
    if type(value) is dict:
        return AttrDict({key: to_attrdict(each) for key, each in value.items()})
    if type(value) is list:
        return [to_attrdict(each) for each in value]
    return value
