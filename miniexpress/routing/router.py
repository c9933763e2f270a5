"""The chain: a Router walks its stack of Layers, and each one that matches is called with ``next``.

What npm router 2.3 is to Express 5: the nouns Router, Route and Layer, and one ``next``. Python is synchronous, so when
``next()`` returns, everything behind it is done, and the request is again as the caller left it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, overload

from ..arguments import flat
from ..attrdict import AttrDict
from ..request import origin_of
from .layer import Handler, Layer, Next, check_param_callback, refuse_dead_end
from .methods import H, Verbs
from .path_patterns import ParamDecodeError, PathPattern, compile_path
from .prefix_index import Index

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


class Router(Verbs):
    """A chain of middleware and routes: an application without settings and a server. After npm router 2.3.

    ``merge_params`` lets handlers see the parameters of the path that this router is mounted at; ``case_sensitive`` and
    ``strict`` (a trailing slash counts) hold for the paths registered here.
    """

    stack: list[Layer]
    """May be changed by hand; it is looked at anew for each request."""

    def __init__(self, *, merge_params: bool = False, case_sensitive: bool = False, strict: bool = False) -> None:
        self.merge_params = merge_params
        self._case_sensitive = case_sensitive
        self._strict = strict
        self.stack = []
        self._indexed: tuple[list[Layer], Index] = [], Index([])
        self._param_callbacks: dict[str, list[Handler]] = {}

    def __call__(self, req: Any, res: Any, next: Any) -> Any:
        self.handle(req, res, next)

    def handle(self, req: Request, res: Response, done: Next) -> None:
        """Walk the stack with one request; where it ends unanswered, ``done()`` or ``done(error)`` goes on."""
        _Walk(self, req, res, done).go(0, None)

    def indexed_stack(self) -> tuple[list[Layer], Index]:
        """The layers as they are in the stack now, and the index of them."""
        if self._indexed[0] != self.stack:  # layers are compared by identity: some nanoseconds for each
            layers = list(self.stack)
            self._indexed = layers, Index([layer.prefix for layer in layers])
        return self._indexed

    @overload
    def use(self, path: str | re.Pattern[str], /) -> Callable[[H], H]: ...
    @overload
    def use(self, *arguments: Any) -> Any: ...
    def use(self, *arguments: Any) -> Any:
        """``use([path], handler…)``: call handlers, or lists of them, for each request whose path begins with ``path``.

        In them ``req.url`` has lost that beginning, and ``req.base_url`` has gained it. With a path alone it is a
        decorator: ``@app.use('/admin')``. Raises ``TypeError`` for what is no handler, ``PathError`` for no path.
        """
        has_path = isinstance(next(iter(flat(arguments)), None), str | re.Pattern)
        path, handlers = (arguments[0], arguments[1:]) if has_path else ("/", arguments)
        if has_path and not handlers:
            return partial(_decorate, partial(self.use, path))
        if not flat(handlers):
            raise TypeError("use() requires a middleware function: use([path], handler…)")
        for handler in flat(handlers):
            self._mount(path, handler)
        return self

    def _mount(self, path: PathPattern, handler: Handler) -> None:
        """Add one handler behind ``path``: what ``use`` does for each."""
        matcher = compile_path(path, sensitive=self._case_sensitive, strict=False, end=False)
        self.stack.append(Layer(handler.handle if isinstance(handler, Router) else handler, path, matcher))

    def route(self, path: PathPattern) -> Route:
        """A new Route at ``path``, to be given its handlers: ``router.route('/x').get(…).post(…)``."""
        route = Route(path)
        matcher = compile_path(path, sensitive=self._case_sensitive, strict=self._strict, end=True)
        self.stack.append(Layer(route.dispatch, path, matcher, route=route))
        return route

    def _register(self, method: str | None, *arguments: Any) -> Any:
        """Add handlers for ``method`` (``None``: all) at a path; with a path alone it is a decorator."""
        path, *handlers = arguments or (None,)
        if not handlers:
            compile_path(path)  # refuses a handler without a path, as in @app.get
            return partial(_decorate, partial(self._register, method, path))
        self.route(path)._register(method, *handlers)
        return self

    def param(self, name: str, callback: Handler) -> Self:
        """Call ``callback(req, res, next, value, name)`` before the handlers of a path that has the parameter ``name``.

        Once per request and value. Raises ``TypeError`` when it takes neither four nor five parameters.
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"param() takes the name of a parameter, not {name!r}")
        self._param_callbacks.setdefault(name, []).append(check_param_callback(callback))
        return self


class _Walk:
    """One request's way through one router."""

    def __init__(self, router: Router, req: Request, res: Response, done: Next) -> None:
        self.router, self.req, self.res, self.done = router, req, res, done
        self.base_url, self.params = req.base_url, req.params
        self.allowed: set[str] = set()
        self.seen: dict[str, _SeenParam] = {}
        self.look_up()

    def look_up(self) -> None:
        """Find the places in the stack, as it is now, where the request's URL, as it is now, can match."""
        self.url, self.path = self.req.url, self.req.path
        self.layers, index = self.router.indexed_stack()
        self.places = index.places(self.path)

    def go(self, start: int, mount: _Mount | None, error: Any = None) -> None:
        """Go on with layer ``start``, having left ``mount``. Bound to its place, this is the ``next`` of a handler."""
        req, router = self.req, self.router
        as_called = req.url, req.base_url, req.params
        if mount is not None:
            req.url, req.base_url = mount.leave(req.url), self.base_url
        if error is not None:
            start, error = (len(router.stack), None) if _is("router", error) else (start, _real(error))
        if req.url != self.url or router.stack != self.layers:
            self.look_up()
        path, method, places, callbacks = self.path, req.method, self.places, router._param_callbacks
        for place in places[bisect_left(places, start) :]:
            layer = self.layers[place]
            route = layer.route
            try:
                found = layer.match(path)
            except ParamDecodeError as undecodable:
                error = undecodable if error is None else error
                continue
            if found is None:
                continue
            matched, params = found
            # As in npm router, the callbacks of a parameter run before a handler is passed by for what it takes.
            has_callbacks = callbacks and not callbacks.keys().isdisjoint(params)
            if layer.handles_errors is (error is None) and (route or not has_callbacks):
                continue
            if route and method not in route.methods and not route.takes(method, self.allowed):
                continue
            req.params = _merged(self.params, params) if router.merge_params else params
            if has_callbacks:
                self.check_params(list(params), partial(self.enter_checked, layer, matched, place + 1, error))
            else:
                self.enter(layer, matched, place + 1, error)
            break
        else:
            self.end(error)
        req.url, req.base_url, req.params = as_called

    def enter_checked(self, layer: Layer, matched: str, index: int, error: Any, param_error: Any = None) -> None:
        """``enter``, once the callbacks of the layer's parameters have said nothing against it."""
        if param_error is not None:
            return self.go(index, None, param_error if error is None else error)
        if layer.handles_errors is (error is None):
            return self.go(index, None, error)
        return self.enter(layer, matched, index, error)

    def enter(self, layer: Layer, matched: str, index: int, error: Any) -> None:
        """Call a layer that matches; one that is mounted sees the URL without its path."""
        req, res, route = self.req, self.res, layer.route
        if route is not None:
            req.route = route
            req.next = next = partial(self.go, index, None)
            route.dispatch(req, res, next)
            return None
        if not matched:
            req.next = next = partial(self.go, index, None)
            return layer.call(error, req, res, next)
        rest = req.path[len(matched) :]
        if not req.path.startswith(matched) or rest[:1] not in ("", "/"):
            return self.go(index, None, error)
        mount = _Mount(origin_of(req.url), matched, slash_added=rest == "")
        req.url, req.base_url = mount.enter(req.url), self.base_url + matched.removesuffix("/")
        req.next = partial(self.go, index, mount)
        return layer.call(error, req, res, req.next)

    def check_params(self, names: list[str], then: Next, error: Any = None) -> None:
        """Call the param callbacks of ``names``, then ``then()`` or ``then(error)``."""
        names = [name for name in names if name in self.router._param_callbacks]
        if error is not None or not names:
            return then(error)
        name, then = names[0], partial(self.check_params, names[1:], then)
        params, seen = self.req.params, self.seen.get(name)
        if seen and (seen.matched == params[name] or _real(seen.error) is not None):
            params[name] = seen.value
            return then(seen.error)
        seen = self.seen[name] = _SeenParam(params[name])
        return self.call_param(name, seen, 0, then)

    def call_param(self, name: str, seen: _SeenParam, index: int, then: Next, error: Any = None) -> None:
        """Call the callbacks of one parameter from number ``index`` on, and remember what came of them."""
        req, callbacks = self.req, self.router._param_callbacks[name]
        seen.value, seen.error = req.params[name], error
        if error is not None or index == len(callbacks):
            return then(error)
        next = partial(self.call_param, name, seen, index + 1, then)
        req.handler = callbacks[index]
        try:
            callbacks[index](req, self.res, next, seen.matched, name)
            if not self.res.answered and req.handler is callbacks[index]:
                refuse_dead_end(req, self.res)
        except RecursionError:
            raise  # as in Layer.call
        except Exception as raised:
            if raised is not self.res.failure:  # as in Layer.call
                next(raised)
        return None

    def end(self, error: Any) -> None:
        """The stack is behind us: answer OPTIONS with what the routes take, or leave the router."""
        self.req.params = self.params
        if not self.allowed or error is not None:
            return self.done(error)
        allow, res = ", ".join(sorted(self.allowed)), self.res
        res.set_header("Allow", allow).set_header("Content-Length", len(allow))
        res.set_header("Content-Type", "text/plain").set_header("X-Content-Type-Options", "nosniff")
        return res.end(allow)


class Route(Verbs):
    """The handlers of one path, each for one method or for all. After npm router 2.3."""

    def __init__(self, path: PathPattern) -> None:
        self.path = path
        self.stack: list[Layer] = []
        self.methods: set[str | None] = set()

    def dispatch(self, req: Request, res: Response, done: Next) -> None:
        """Call the handlers for the request's method one after the other; ``done`` goes on behind the last.

        A HEAD is for those of GET where it has none of its own.
        """
        method = "GET" if req.method == "HEAD" and "HEAD" not in self.methods else req.method
        self._go(method, 0, req, res, done)

    def _go(self, method: str, index: int, req: Request, res: Response, done: Next, error: Any = None) -> None:
        if error is not None:
            if _is("route", error) or _is("router", error):
                return done(error)
            error = _real(error)
        stack = self.stack
        while index < len(stack):
            layer, index = stack[index], index + 1
            if layer.handles_errors is not (error is None) and layer.method in (None, method):
                next = partial(self._go, method, index, req, res, done) if index < len(stack) else done
                return layer.call(error, req, res, next)
        return done(error)

    def takes(self, method: str, allowed: set[str]) -> bool:
        """Whether to enter for ``method``: HEAD always is, as in npm router, though it may find no handler.

        For OPTIONS, what the route takes is noted in ``allowed``.
        """
        methods = self.methods
        if method in methods or None in methods or method == "HEAD":
            return True
        if method == "OPTIONS":
            allowed.update(name for name in methods if name)
            allowed.update({"HEAD"} if "GET" in methods else ())
        return False

    def _register(self, method: str | None, *arguments: Any) -> Self:
        """Add handlers, or lists of them, for ``method`` (``None``: all). ``TypeError`` for what is none."""
        layers = [Layer(handler, self.path, method=method) for handler in flat(arguments)]
        if not layers:
            raise TypeError(f"the route {self.path!r} was given no handler")
        self.stack.extend(layers)
        self.methods.add(method)
        return self


class _Mount(NamedTuple):
    """What entering a mount took off the URL, to be put back when leaving it."""

    origin: str
    path: str
    slash_added: bool

    def enter(self, url: str) -> str:
        rest = url[len(self.origin) + len(self.path) :]
        return self.origin + rest if self.origin or not self.slash_added else "/" + rest

    def leave(self, url: str) -> str:
        is_root = url == "/" or url.startswith("/?")
        if self.slash_added and not self.origin and (is_root or (self.path.endswith("/") and url.startswith("/"))):
            url = url[1:]
        return self.origin + self.path + url[len(self.origin) :]


@dataclass(slots=True)
class _SeenParam:
    """What the callbacks of a parameter made of it, so that they run once for each value."""

    matched: Any
    value: Any = None
    error: Any = None


def _is(signal: str, error: Any) -> bool:
    return isinstance(error, str) and error == signal


def _real(error: Any) -> Any:
    """An error, or ``None`` for what is none: ``'route'``, and whatever is false and no exception."""
    return error if isinstance(error, BaseException) or (error and not _is("route", error)) else None


def _decorate(register: Callable[[H], Any], handler: H) -> H:
    register(handler)
    return handler


def _merged(outer: dict[str, Any], params: dict[str, Any]) -> AttrDict:
    """A router's own parameters over those of its mount; unnamed ones, which are numbers, are counted on."""
    offset = 0
    while "0" in params and str(offset) in outer:
        offset += 1
    return AttrDict(outer | {str(int(key) + offset) if key.isdigit() else key: value for key, value in params.items()})
