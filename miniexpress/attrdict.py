"""A dict whose keys are attributes too: ``req.body.email`` as in JavaScript."""

from __future__ import annotations

from typing import Any


class AttrDict(dict[str, Any]):
    """A dict read and written by attribute as well as by item.

    A missing attribute is ``None``, as a missing property is ``undefined`` in JavaScript; a missing item raises
    ``KeyError``, as in Python. A key that is also a method's name (``items``, ``get``) is reached as an item only.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python's own protocols (copy, pickle) probe for dunder names: those must stay missing.
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method of {type(self).__name__}: set it as an item, [{name!r}] = …")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        # As in JavaScript, deleting what is not there is not an error.
        self.pop(name, None)

    def copy(self) -> AttrDict:
        """A shallow copy, with attributes as this one."""
        return AttrDict(self)


def with_attributes(value: Any) -> Any:
    """``value`` with the dicts in it, at any depth, as AttrDicts; what is one already stays as it is."""
    if type(value) is dict:
        return AttrDict({key: with_attributes(each) for key, each in value.items()})
    if type(value) is list:
        return [with_attributes(each) for each in value]
    return value
