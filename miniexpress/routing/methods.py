"""``get``, ``post`` and the other methods that are named like an HTTP method, of a router and of a route; and what
makes decorators of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar, overload

from ..usage.arguments import describe
from .layer import Handler
from .path_patterns import PathPattern

HandlerT = TypeVar("HandlerT", bound=Handler)
Handlers = Sequence[Any]
AddHandler = Callable[[Handler], Any]


class HTTPMethods:
    """A function for each HTTP method that Node's ``http.METHODS`` lists (``m_search`` is M-SEARCH), and ``all``.

    Each returns the router, app or route that it belongs to, so that calls can be chained. It is a decorator, too: in
    ``@app.get("/secrets", only_admins)`` the returned ``app`` is called with the decorated function, and adds that
    behind ``only_admins``.
    """

    _decorable: list[AddHandler]
    """Functions that add a handler, one for each registration that a decorator may still complete.

    Decorators are evaluated from the top down and called from the bottom up, so the last function is called first.
    """
    _NOTHING_TO_DECORATE = "nothing was registered that it could stand behind; @app.get('/path') decorates a handler"

    @overload
    def all(self, path: PathPattern, /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def all(self, handler: Handler, /) -> Self: ...
    @overload
    def all(self, path_or_handler: PathPattern | Handler, handler: Handler | Handlers, /, *more: Any) -> Self: ...
    def all(self, /, *path_and_handlers: Any) -> Any:
        """Add handlers for every HTTP method: ``all(path, handler…)``, or as a decorator ``@all(path, handler…)``.

        On a route, which has its path, ``all(handler…)``.
        """
        return self._register(None, *path_and_handlers)

    # For type checkers and editors: the module's end makes a function of its own of each.
    get = head = post = put = delete = patch = options = trace = connect = query = all
    acl = bind = rebind = unbind = link = unlink = lock = unlock = checkout = copy = merge = move = all
    mkactivity = mkcalendar = mkcol = propfind = proppatch = purge = report = all
    m_search = search = source = notify = subscribe = unsubscribe = all

    def _add_decorated(self, handler: HandlerT) -> HandlerT:
        """Add the function that is decorated, and return it."""
        if not callable(handler):
            raise TypeError(
                f"{type(self).__name__} was called with {handler!r}, which is neither a request nor a handler"
            )
        if not self._decorable:
            raise TypeError(f"{describe(handler)} cannot be added: {self._NOTHING_TO_DECORATE}")
        self._decorable.pop()(handler)
        return handler

    def _register(self, method: str | None, *arguments: Any) -> Any:
        raise NotImplementedError


def decorate(register: Callable[[HandlerT], Any], handler: HandlerT) -> HandlerT:
    """Register a handler, and return it."""
    register(handler)
    return handler


def function_name(method: str | None) -> str:
    """Return the name of the function for an HTTP method: ``M-SEARCH`` → ``m_search``, ``None`` → ``all``."""
    return method.lower().replace("-", "_") if method else "all"


def _method(name: str) -> Any:
    method = name.upper().replace("_", "-")

    def add(self: HTTPMethods, /, *path_and_handlers: Any) -> Any:
        return self._register(method, *path_and_handlers)

    add.__name__, add.__qualname__ = name, f"{HTTPMethods.__name__}.{name}"
    add.__doc__ = (HTTPMethods.all.__doc__ or "").replace("every HTTP method", method).replace("all(", f"{name}(")
    return add


for _name, _value in list(vars(HTTPMethods).items()):
    if _value is HTTPMethods.all and _name != "all":
        setattr(HTTPMethods, _name, _method(_name))
