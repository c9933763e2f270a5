"""Routers: a stack of layers, and one request's way through it. After npm router 2.3, the router of Express 5.

``Dispatch.next`` is the one function that calls layer after layer. Python is synchronous, so when ``next()`` returns,
all layers behind are done, and the request is again as its caller left it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Never, Self, overload

from ..attrdict import AttrDict
from ..http.request_target import origin_of, split_target
from ..keyword_options import UNSET, suggests_keywords
from ..usage.arguments import flatten
from ..usage.callers import is_decorating, warn
from ..usage.camel_case import SnakeCaseNames
from .foreign_paths import warn_of_foreign_syntax
from .handler_checks import check_param_callback
from .layer import Handler, Layer, Next, error_or_none, is_abort, is_signal
from .methods import HandlerT, HTTPMethods, decorate, function_name
from .param_callbacks import ParamCalls
from .path_patterns import ParamDecodeError, PathMatcher, PathPattern, compile_path, match_all
from .prefix_index import PrefixIndex
from .route import Route

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


class Router(HTTPMethods, SnakeCaseNames):
    """A stack of middleware and routes.

    ``merge_params`` lets handlers see the parameters of the path that this router is mounted at; ``case_sensitive`` and
    ``strict`` (a trailing slash counts) hold for the paths registered here. ``stack`` may be changed by hand. After npm
    router 2.3.
    """

    stack: list[Layer]
    merge_params: bool

    @suggests_keywords
    def __init__(self, *, merge_params: bool = False, case_sensitive: bool = False, strict: bool = False) -> None:
        self.merge_params = merge_params
        self._case_sensitive = case_sensitive
        self._strict = strict
        self.stack, self._decorable = [], []
        self._index = PrefixIndex([])
        self._param_callbacks: dict[str, list[Handler]] = {}

    @overload
    def __call__(self, handler: HandlerT, /) -> HandlerT: ...
    @overload
    def __call__(self, req: Any, res: Any, next: Any, /) -> None: ...
    def __call__(self, *arguments: Any) -> Any:
        """Dispatch a request: ``router(req, res, next)``. The decorator ``@router.get(path, …)`` calls it too."""
        return self._add_decorated(*arguments) if len(arguments) == 1 else self.handle(*arguments)

    def handle(self, req: Request, res: Response, done: Next) -> None:
        """Dispatch a request along the stack; ``done()`` or ``done(error)`` continues where no layer has responded."""
        Dispatch(self, req, res, done).next(0, None)

    @overload
    def use(self, path: str | re.Pattern[str], /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def use(self, *arguments: Any) -> Self: ...
    def use(self, *arguments: Any) -> Any:
        """``use([path], handler…)``: call handlers, or lists of them, for each request whose path begins with ``path``.

        In them ``req.url`` has lost that beginning, and ``req.base_url`` has gained it. It is a decorator too:
        ``@app.use``, ``@app.use('/admin')``, and behind other handlers ``@app.use('/admin', only_admins)``. Raises
        ``TypeError`` for what is no handler, ``PathError`` for no path.
        """
        has_path = isinstance(next(iter(flatten(arguments)), None), str | re.Pattern)
        path, handlers = (arguments[0], arguments[1:]) if has_path else ("/", arguments)
        mount = partial(self._mount, path)
        if has_path and not handlers:
            return partial(decorate, mount)
        if not flatten(handlers):
            raise TypeError("use() requires a middleware function: use([path], handler…)")
        for handler in flatten(handlers):
            mount(handler)
        if is_decorating(arguments[0]):
            return arguments[0]
        self._decorable.append(mount)
        return self

    def route(self, path: PathPattern, **options: Never) -> Route:
        """Return a new Route at ``path``, to be given its handlers: ``router.route('/x').get(…).post(…)``."""
        if options:
            raise TypeError(f"route() takes a path, and no {', '.join(options)}: app.route({path!r}).get(…).post(…)")
        route = Route(path)
        self.stack.append(Layer(route.dispatch, path, self._compile(path, strict=self._strict, end=True), route=route))
        return route

    @overload
    def param(self, name: str, /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def param(self, name: str, callback: Handler) -> Self: ...
    def param(self, name: str, callback: Any = UNSET) -> Any:
        """Call ``callback(req, res, next, value, name)`` before the handlers of a path that has the parameter ``name``.

        Once per request and value. With a name alone it is a decorator: ``@router.param('id')``. Raises ``TypeError``
        when the callback takes neither four nor five parameters.
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"param() takes the name of a parameter, not {name!r}")
        if name.startswith((":", "*")):
            warn(f"no parameter is called {name!r}: write param({name[1:]!r}, …)")
        if callback is UNSET:
            return partial(decorate, partial(self.param, name))
        self._param_callbacks.setdefault(name, []).append(check_param_callback(callback))
        return self

    def _mount(self, path: PathPattern, handler: Handler) -> None:
        """Add one handler for all paths that begin with ``path``."""
        matcher = self._compile(path, strict=False, end=False)
        self.stack.append(Layer(handler.handle if isinstance(handler, Router) else handler, path, matcher))

    def _compile(self, path: PathPattern, *, strict: bool, end: bool) -> PathMatcher:
        """Return the matcher of a path, and warn of one that is written as another framework has it."""
        matcher = compile_path(path, sensitive=self._case_sensitive, strict=strict, end=end)
        warn_of_foreign_syntax(path)
        return matcher

    def _register(self, method: str | None, *arguments: Any) -> Any:
        """Add handlers for ``method`` (``None``: all) at a path: what ``get``, ``post`` … of ``HTTPMethods`` call.

        With a path alone it is a decorator.
        """
        name = function_name(method)
        path, *handlers = arguments or (None,)
        if path is None or callable(path):
            raise TypeError(f"{name}() takes a path first: @app.{name}('/path'), or app.{name}('/path', handler)")
        if not handlers:
            compile_path(path)
            return partial(decorate, lambda handler: self.route(path)._register(method, handler))
        add = partial(self.route(path)._register, method)
        add(*handlers)
        self._decorable.append(add)
        return self


class Dispatch:
    """One request on its way through one router."""

    def __init__(self, router: Router, req: Request, res: Response, done: Next) -> None:
        self.router, self.req, self.res, self.done = router, req, res, done
        self.base_url, self.params = req.base_url, req.params
        self.find_candidates()

    def next(self, position: int, prefix: StrippedPrefix | None, error: Any = None) -> None:
        """Call the next layer that matches, from ``position`` on; without one, leave the router.

        ``partial(self.next, i, prefix)`` is the ``next`` given to the handler before layer i; ``prefix`` is what was
        stripped off the URL for that handler.
        """
        req, router = self.req, self.router
        req.next_calls += 1
        # When this call returns, the request is again as its caller left it.
        saved = req.url, req.base_url, req.params, req.next
        try:
            # Give back the prefix that was stripped for the handler before.
            if prefix is not None:
                req.url, req.base_url = prefix.restore(req.url), self.base_url
            # What was next() called with?
            if error is not None:
                if is_abort(error, self.res):
                    return None
                if is_signal(error, "router"):
                    return self.exit(None)
                error = error_or_none(error)
            if req.url != self.url or router.stack != self.layers:  # a handler has changed them
                self.find_candidates()
            # Find the next layer that matches.
            candidates = self.candidates
            for place in range(bisect_left(candidates, position), len(candidates)):
                layer, following = self.layers[candidates[place]], candidates[place] + 1
                if layer.match is match_all and layer.handles_errors == (error is not None):
                    # Middleware for every path, as most is: there are no parameters, and no prefix to strip.
                    req.params = merge_params(self.params, AttrDict()) if router.merge_params else AttrDict()
                    req.next = next = partial(self.next, following, None)
                    return layer.call(error, req, self.res, next)
                try:
                    match = layer.match(self.path)
                except ParamDecodeError as undecodable:
                    error = undecodable if error is None else error
                    continue
                if match is None:
                    continue
                matched, params = match
                if not self.is_for(layer, params, error):
                    continue
                # Process its parameters, and call it.
                req.params = merge_params(self.params, params) if router.merge_params else params
                if router._param_callbacks and self.has_callbacks(params):
                    return self.param_calls.process(
                        params, partial(self.after_params, layer, following, matched, error)
                    )
                return self.call_layer(layer, following, matched, error)
            # There is none: leave the router.
            return self.exit(error)
        finally:
            req.url, req.base_url, req.params, req.next = saved

    def find_candidates(self) -> None:
        """Find the layers of the stack, as it is now, whose static prefix can match the URL, as it is now."""
        router, self.url = self.router, self.req.url
        self.path = split_target(self.url)[0]  # as req.path
        if router._index.layers != router.stack:  # they are compared by identity: some nanoseconds for each
            router._index = PrefixIndex(router.stack)
        index = router._index
        self.layers, self.candidates = index.layers, index.candidates(self.path)

    def is_for(self, layer: Layer, params: AttrDict, error: Any) -> bool:
        """Return whether a layer whose path matches is to be called: for this error, or none, and for this method."""
        route, method = layer.route, self.req.method
        if layer.handles_errors != (error is not None):
            # As in npm router, param callbacks run before a handler is skipped for being an error handler, or none.
            return route is None and self.has_callbacks(params)
        return route is None or method in route.methods or route.handles_method(method, self.allowed)

    @cached_property
    def allowed(self) -> set[str]:
        """The methods that the routes of the path handle, for the response to OPTIONS."""
        return set()

    @cached_property
    def param_calls(self) -> ParamCalls:
        """The calls of the router's param callbacks for this request."""
        return ParamCalls(self.router._param_callbacks, self.req, self.res)

    def has_callbacks(self, params: AttrDict) -> bool:
        """Return whether one of the parameters has param callbacks."""
        return not self.router._param_callbacks.keys().isdisjoint(params)

    def call_layer(self, layer: Layer, following: int, matched: str, error: Any) -> None:
        """Call a layer; one that is mounted at a path sees the URL without it."""
        req, res, route = self.req, self.res, layer.route
        if route is not None:
            req.route, req.next = route, partial(self.next, following, None)
            route.dispatch(req, res, req.next)
            return None
        prefix = None
        if matched:
            rest = req.path[len(matched) :]
            if not req.path.startswith(matched) or rest[:1] not in ("", "/"):
                return self.next(following, None, error)
            prefix = StrippedPrefix(origin_of(req.url), matched, slash_added=rest == "")
            req.url, req.base_url = prefix.strip(req.url), self.base_url + matched.removesuffix("/")
        req.next = next = partial(self.next, following, prefix)
        return layer.call(error, req, res, next)

    def after_params(self, layer: Layer, following: int, matched: str, error: Any, param_error: Any = None) -> None:
        """Call the layer, unless a param callback failed, or the layer is not for this case."""
        if param_error is not None:
            self.next(following, None, param_error if error is None else error)
        elif layer.handles_errors != (error is not None):
            self.next(following, None, error)
        else:
            self.call_layer(layer, following, matched, error)

    def exit(self, error: Any) -> None:
        """No layer is left: respond to OPTIONS with the methods that the routes handle, or leave the router."""
        self.req.params = self.params
        if not self.allowed or error is not None:
            return self.done(error)
        allow, res = ", ".join(sorted(self.allowed)), self.res
        res.set_header("Allow", allow).set_header("Content-Length", len(allow))
        res.set_header("Content-Type", "text/plain").set_header("X-Content-Type-Options", "nosniff")
        return res.end(allow)


class StrippedPrefix(NamedTuple):
    """The part that a mount strips off the URL; ``slash_added`` where nothing but ``/`` was left of the path."""

    origin: str
    path: str
    slash_added: bool

    def strip(self, url: str) -> str:
        """``/admin/users?x=1`` mounted at ``/admin`` gives ``/users?x=1``; ``/admin`` gives ``/``."""
        rest = url[len(self.origin) + len(self.path) :]
        return self.origin + rest if self.origin or not self.slash_added else "/" + rest

    def restore(self, url: str) -> str:
        """Return the URL with its prefix, whatever handlers have made of the rest of it."""
        is_root = url == "/" or url.startswith("/?")
        if self.slash_added and not self.origin and (is_root or (self.path.endswith("/") and url.startswith("/"))):
            url = url[1:]
        return self.origin + self.path + url[len(self.origin) :]


def merge_params(outer: AttrDict, params: AttrDict) -> AttrDict:
    """Return a router's own parameters over those of its mount. Unnamed ones, which are numbers, are counted on:
    ``{'0': 'a'}`` and ``{'0': 'b'}`` give ``{'0': 'a', '1': 'b'}``."""
    offset = 0
    while "0" in params and str(offset) in outer:
        offset += 1
    return AttrDict(outer | {str(int(key) + offset) if key.isdigit() else key: value for key, value in params.items()})
