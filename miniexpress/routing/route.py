"""Routes: the handlers of one path, for the methods that they are for. After npm router 2.3."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..usage.arguments import flatten
from ..usage.callers import is_decorating
from .layer import Layer, Next, error_or_none, is_abort, is_signal
from .methods import HandlerT, HTTPMethods
from .path_patterns import PathPattern

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


class Route(HTTPMethods):
    """The handlers of one path, each for one method or for all."""

    _NOTHING_TO_DECORATE = "the route was given no method; @app.get('/path') decorates, or @app.route('/path').get"

    def __init__(self, path: PathPattern) -> None:
        self.path, self._decorable = path, []
        self.stack: list[Layer] = []
        self.methods: set[str | None] = set()

    def __call__(self, handler: HandlerT, /) -> HandlerT:
        """Add a handler that is decorated: ``@app.route('/x').get(only_admins)``."""
        return self._add_decorated(handler)

    def dispatch(
        self, req: Request, res: Response, done: Next, position: int = 0, method: str | None = None, error: Any = None
    ) -> None:
        """Call the next handler for the request's method, from ``position`` on; ``done`` continues behind the last.

        HEAD is handled by those of GET where it has none of its own. ``partial(self.dispatch, req, res, done, i,
        method)`` is the ``next`` given to the handler before layer i.
        """
        req.next_calls += 1
        if method is None:  # decided once: a handler may change req.method
            method = "GET" if req.method == "HEAD" and "HEAD" not in self.methods else req.method
        if error is not None:
            if is_abort(error, res):
                return None
            if is_signal(error, "route") or is_signal(error, "router"):
                return done(error)
            error = error_or_none(error)
        while position < len(self.stack):
            layer = self.stack[position]
            position += 1
            if (layer.method == method or layer.method is None) and layer.handles_errors == (error is not None):
                next = partial(self.dispatch, req, res, done, position, method) if position < len(self.stack) else done
                return layer.call(error, req, res, next)
        return done(error)

    def handles_method(self, method: str, allowed: set[str]) -> bool:
        """Return whether the route is for ``method``. HEAD always is, as in npm router, though it may find no handler.

        For OPTIONS, the methods that it is for are added to ``allowed``.
        """
        methods = self.methods
        if method in methods or None in methods or method == "HEAD":
            return True
        if method == "OPTIONS":
            allowed.update(name for name in methods if name)
            allowed.update({"HEAD"} if "GET" in methods else ())
        return False

    def _register(self, method: str | None, *arguments: Any) -> Any:
        """Add handlers, or lists of them, for ``method`` (``None``: all). Raises ``TypeError`` for what is none.

        ``@app.route('/x').get`` is a decorator too.
        """
        layers = [Layer(handler, self.path, method=method) for handler in flatten(arguments)]
        if not layers:
            raise TypeError(f"the route {self.path!r} was given no handler")
        self.stack.extend(layers)
        self.methods.add(method)
        if len(arguments) == 1 and is_decorating(arguments[0]):
            return arguments[0]
        self._decorable.append(partial(self._register, method))
        return self
