"""Express's names in JavaScript's spelling: ``res.statusCode = 404`` is an ``AttributeError`` that names the one here.

Each public member with an underscore in its name gets a descriptor of its camelCase name, once, when its class is made.
All other attributes, those that middleware sets of its own as well, cost what they always do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NoReturn

_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class _HidesCamelCase(type):
    def __dir__(cls) -> Iterable[str]:
        return _without_camel_case(cls, super().__dir__())


class SnakeCaseNames(metaclass=_HidesCamelCase):
    """Base of the classes that have Express's names in snake_case. ``dir()`` and ``help()`` show only these.

    ``also`` are names of Express and Node that do not differ by their case alone, with those here:
    ``{"sessionID": "session_id"}``. ``elsewhere`` are those of other frameworks, as ``req.form``: reading one names
    the one here, while middleware may set it.
    """

    def __init_subclass__(cls, also: Mapping[str, str] = _NO_NAMES, elsewhere: Mapping[str, str] = _NO_NAMES) -> None:
        super().__init_subclass__()
        for name, here in elsewhere.items():
            setattr(cls, name, NameElsewhere(name, here))
        members = [name for name in (*vars(cls), *cls.__annotations__) if not name.startswith("_")]
        for camel_case, name in ({to_camel_case(name): name for name in members} | dict(also)).items():
            if camel_case != name:
                setattr(cls, camel_case, CamelCaseName(camel_case, name))

    def __dir__(self) -> Iterable[str]:
        return _without_camel_case(type(self), super().__dir__())


class NameElsewhere:
    """An attribute that raises ``AttributeError``, with the name that is meant, when it is read and was not set."""

    def __init__(self, camel_case: str, name: str) -> None:
        self.camel_case, self.name = camel_case, name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        self._refuse(owner, owner if instance is None else instance)

    def _refuse(self, owner: type, thing: object) -> NoReturn:
        message = f"{owner.__name__!r} object has no attribute {self.camel_case!r}: did you mean {self.name!r}?"
        # With `obj` and no `name`, Python 3.12 and later add no suggestion of their own.
        raise AttributeError(message, obj=thing)


class CamelCaseName(NameElsewhere):
    """An attribute that raises ``AttributeError`` when it is set or deleted, too."""

    def __set__(self, instance: object, value: object) -> NoReturn:
        self._refuse(type(instance), instance)

    def __delete__(self, instance: object) -> NoReturn:
        self._refuse(type(instance), instance)


def to_camel_case(name: str) -> str:
    """Return a name in JavaScript's spelling: ``status_code`` → ``statusCode``."""
    return re.sub("_([a-z0-9])", lambda found: found[1].upper(), name)


def _without_camel_case(kind: type, names: Iterable[str]) -> list[str]:
    refused = {name for base in kind.__mro__ for name, each in vars(base).items() if isinstance(each, NameElsewhere)}
    return [name for name in names if name not in refused]
