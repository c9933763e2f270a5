"""``get``, ``post`` and the other methods that are named like an HTTP method, of a router and of a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, overload

from .layer import Handler
from .path_patterns import PathPattern

H = TypeVar("H", bound=Handler)


class Verb(Protocol):
    """A method that is named like an HTTP method: ``app.get(path, fn…)``, or ``@app.get(path)`` as a decorator."""

    @overload
    def __call__(self, path: PathPattern, /) -> Callable[[H], H]: ...
    @overload
    def __call__(self, /, *path_and_handlers: PathPattern | Handler) -> Any: ...


def _verb(method: str | None) -> Verb:
    def verb(self: Verbs, *arguments: Any) -> Any:
        return self._register(method, *arguments)

    verb.__doc__ = Verb.__doc__
    return cast(Verb, verb)


class Verbs:
    """A method for each one that Node's ``http.METHODS`` lists, and ``all``."""

    all = _verb(None)
    get, head, post, put, delete = map(_verb, ("GET", "HEAD", "POST", "PUT", "DELETE"))
    patch, options, trace, connect, query = map(_verb, ("PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY"))
    acl, bind, rebind, unbind = map(_verb, ("ACL", "BIND", "REBIND", "UNBIND"))
    link, unlink, lock, unlock = map(_verb, ("LINK", "UNLINK", "LOCK", "UNLOCK"))
    checkout, copy, merge, move = map(_verb, ("CHECKOUT", "COPY", "MERGE", "MOVE"))
    mkactivity, mkcalendar, mkcol = map(_verb, ("MKACTIVITY", "MKCALENDAR", "MKCOL"))
    propfind, proppatch, purge, report = map(_verb, ("PROPFIND", "PROPPATCH", "PURGE", "REPORT"))
    m_search, search, source, notify = map(_verb, ("M-SEARCH", "SEARCH", "SOURCE", "NOTIFY"))
    subscribe, unsubscribe = map(_verb, ("SUBSCRIBE", "UNSUBSCRIBE"))

    def _register(self, method: str | None, *arguments: Any) -> Any:
        raise NotImplementedError
