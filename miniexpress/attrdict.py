"""A dict whose keys are attributes too: ``req.body.email`` as in JavaScript."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, MutableMapping
from functools import partial
from types import NoneType
from typing import Any, NoReturn, Self, SupportsIndex

_FIELD_TYPES = (str, int, float, list, tuple, dict, NoneType)
_DICT_METHODS = [name for name in vars(dict) if not name.startswith("_")]


class AttrDict(dict[str, Any]):
    """A dict whose items are attributes, too: ``body.email`` is ``body["email"]``.

    A missing attribute is ``None``, as a missing property is ``undefined`` in JavaScript; a missing item raises
    ``KeyError``, as in Python. A key that is also a method's name (``items``, ``get``) is an item only: the attribute
    is that ``Method``, which can be called, and raises ``TypeError`` where it is used as a field. A plain dict in it,
    read as an attribute, has attributes, too (``AttrDictView``); read as an item, it is itself.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python's own protocols (copy, pickle) probe for dunder names: those must stay missing.
        if name.startswith("__"):
            raise AttributeError(name)
        value = self[name] if name in self else None  # noqa: SIM401  .get is slower here
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


class Method(partial[Any]):
    """A method of an AttrDict: ``body.items()``. As a text, a truth value or a list it raises ``TypeError``, since a
    field of that name is meant: ``body["items"]``."""

    def __repr__(self) -> str:
        return f"<method {self.func.__name__!r} of a dict; a field of that name is [{self.func.__name__!r}]>"

    def _refuse(self, *_: object) -> NoReturn:
        name = self.func.__name__
        raise TypeError(f"{name!r} is a method of dict here: read a field of that name as an item, [{name!r}]")

    __str__ = __format__ = __bool__ = __iter__ = __len__ = __getitem__ = __contains__ = __add__ = __radd__ = _refuse

    def __eq__(self, other: object) -> bool:
        return self._refuse() if isinstance(other, _FIELD_TYPES) else self is other

    __hash__ = partial.__hash__

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self!r} has no attribute {name!r}")


class _MethodDescriptor:
    """The descriptor of a method of dict: read from an instance it is a ``Method``, from the class the function."""

    __slots__ = ("bind",)

    def __init__(self, attribute: Any) -> None:
        self.bind = attribute.__get__

    def __get__(self, instance: AttrDict | None, owner: type) -> Any:
        return self.bind(instance, owner) if instance is None else Method(self.bind(instance, owner))


for _class in (AttrDictView, AttrDict):  # the view first, which would find the other's
    for _name in _DICT_METHODS:
        setattr(_class, _name, _MethodDescriptor(inspect.getattr_static(_class, _name)))


def to_attrdict(value: Any) -> Any:
    """Return ``value`` with the plain dicts in it, at any depth of dicts and lists, as AttrDicts."""
    if type(value) is dict:
        return AttrDict({key: to_attrdict(each) for key, each in value.items()})
    if type(value) is list:
        return [to_attrdict(each) for each in value]
    return value
