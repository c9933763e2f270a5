"""The checks that every session store has before its methods, whatever they are written like.

An id that is no string finds nothing; what is to be stored is made what all stores keep; a document without a cookie is
none. ``Store`` wraps the methods of each class of stores, once, when it is defined.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..usage.arguments import describe, is_async, refuse_generator
from .values import storable

_MAPPING = (dict, Mapping)  # nearly always a dict, which is recognised faster
_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")


def refuse_async_methods(store: type, base: type) -> None:
    """Raise ``TypeError`` for a method that would not run when it is called: sessions would be lost in silence.

    ``base`` is ``Store``, whose methods are looked for.
    """
    for name in ("touch", *vars(base)):
        method = getattr(store, name, None) if not name.startswith("_") else None
        if callable(method) and is_async(method):
            raise TypeError(f"{describe(method)} is async, and a session store is not: make it a plain def")
        if callable(method):
            refuse_generator(method)


def check_arguments(store: type, base: type) -> None:
    """Wrap the methods that a class defines, or has of a base that is no store, so that every store checks alike."""
    for name, check in _CHECKS.items():
        owner = next((each for each in store.__mro__ if name in vars(each)), base)
        if (owner is store or not issubclass(owner, base)) and inspect.isfunction(method := vars(owner).get(name)):
            setattr(store, name, check(method))


def _or_else(without_id: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator of store methods: they return ``without_id`` if the id is no string."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def checked(self: Any, sid: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, sid, *args, **kwargs) if _is_id(sid) else without_id

        return checked

    return decorate


def _check_get(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def get(self: Any, sid: Any) -> Any:
        document = method(self, sid) if _is_id(sid) else None
        return document if _is_session(document) else None

    return get


def _check_set(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def set(self: Any, sid: Any, document: Any) -> Any:
        _check_new_id(sid)
        return method(self, sid, storable(document))

    return set


def _check_update(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def update(self: Any, sid: Any, changes: Any) -> Any:
        return method(self, sid, changes.storable()) if _is_id(sid) else False

    return update


def _check_rotate(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def rotate(self: Any, sid: Any, new_sid: Any, changes: Any) -> Any:
        _check_new_id(new_sid)
        return method(self, sid, new_sid, changes.storable()) if _is_id(sid) else None

    return rotate


def _check_new_id(sid: Any) -> None:
    if not _is_id(sid):
        raise TypeError(f"a session's id is a string, not {sid!r}: let session(genid=…) return one")


def _is_id(sid: Any) -> bool:
    return isinstance(sid, str) and (sid.isascii() or not _HALF_OF_A_PAIR.search(sid))


def _is_session(document: Any) -> bool:
    return isinstance(document, _MAPPING) and "cookie" in document and isinstance(document["cookie"], _MAPPING)


_CHECKS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "get": _check_get,
    "get_even_expired": _check_get,
    "load_stored": _or_else(None),
    "set": _check_set,
    "replace_text": _or_else(False),
    "update": _check_update,
    "rotate": _check_rotate,
    "touch": _or_else(None),
    "destroy": _or_else(None),
    "end": _or_else(None),
    "was_rotated": _or_else(False),
}
