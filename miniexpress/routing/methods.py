"""``get``, ``post`` and the other methods that are named like an HTTP method, of a router and of a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, overload

from .layer import Handler
from .path_patterns import PathPattern

HandlerT = TypeVar("HandlerT", bound=Handler)


class MethodRegistrar(Protocol):
    """A method that is named like an HTTP method: ``app.get(path, fn…)``, or ``@app.get(path)`` as a decorator."""

    @overload
    def __call__(self, path: PathPattern, /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def __call__(self, /, *path_and_handlers: PathPattern | Handler) -> Any: ...


def _method(method: str | None) -> MethodRegistrar:
    def verb(self: HTTPMethods, *arguments: Any) -> Any:
        return self._register(method, *arguments)

    verb.__doc__ = MethodRegistrar.__doc__
    return cast(MethodRegistrar, verb)


class HTTPMethods:
    """A method for each one that Node's ``http.METHODS`` lists, and ``all``."""

    all = _method(None)
    get, head, post, put, delete = map(_method, ("GET", "HEAD", "POST", "PUT", "DELETE"))
    patch, options, trace, connect, query = map(_method, ("PATCH", "OPTIONS", "TRACE", "CONNECT", "QUERY"))
    acl, bind, rebind, unbind = map(_method, ("ACL", "BIND", "REBIND", "UNBIND"))
    link, unlink, lock, unlock = map(_method, ("LINK", "UNLINK", "LOCK", "UNLOCK"))
    checkout, copy, merge, move = map(_method, ("CHECKOUT", "COPY", "MERGE", "MOVE"))
    mkactivity, mkcalendar, mkcol = map(_method, ("MKACTIVITY", "MKCALENDAR", "MKCOL"))
    propfind, proppatch, purge, report = map(_method, ("PROPFIND", "PROPPATCH", "PURGE", "REPORT"))
    m_search, search, source, notify = map(_method, ("M-SEARCH", "SEARCH", "SOURCE", "NOTIFY"))
    subscribe, unsubscribe = map(_method, ("SUBSCRIBE", "UNSUBSCRIBE"))

    def _register(self, method: str | None, *arguments: Any) -> Any:
        raise NotImplementedError
