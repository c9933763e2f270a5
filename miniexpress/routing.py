"""The chain: a Router walks its stack of Layers, and each one that matches is called with ``next``.

What npm router 2.3 is to Express 5: the nouns Router, Route and Layer, and one ``next``. Python is synchronous, so when
``next()`` returns, everything behind it is done, and the request is again as the caller left it.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeVar, cast, overload

from .attrdict import AttrDict
from .paths import Path, PathMatcher, compile_path

if TYPE_CHECKING:
    from .request import Request
    from .response import Response

Handler = Callable[..., Any]
Next = Callable[..., None]
H = TypeVar("H", bound=Handler)


class Verb(Protocol):
    """A method that is named like an HTTP method: ``app.get(path, fn…)``, or ``@app.get(path)`` as a decorator."""

    @overload
    def __call__(self, path: Path, /) -> Callable[[H], H]: ...
    @overload
    def __call__(self, path: Path, /, *handlers: Handler | Sequence[Any]) -> Any: ...


def _verb(method: str | None) -> Verb:
    def verb(self: _Verbs, *arguments: Any) -> Any:
        return self.register(method, *arguments)

    return cast(Verb, verb)


class _Verbs:
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

    def register(self, method: str | None, *arguments: Any) -> Any:
        raise NotImplementedError


class Router(_Verbs):
    """A chain of middleware and routes: an application without settings and a server. After npm router 2.3.

    ``merge_params`` lets handlers see the parameters of the path that this router is mounted at; ``case_sensitive`` and
    ``strict`` (a trailing slash counts) hold for the paths registered here.
    """

    def __init__(self, *, merge_params: bool = False, case_sensitive: bool = False, strict: bool = False) -> None:
        self.merge_params = merge_params
        self._case_sensitive = case_sensitive
        self._strict = strict
        self.stack: list[Layer] = []
        self.param_callbacks: dict[str, list[tuple[Handler, int]]] = {}

    def __call__(self, req: Any, res: Any, next: Any) -> Any:
        self.handle(req, res, next)

    def handle(self, req: Request, res: Response, done: Next) -> None:
        """Walk the stack with one request; where it ends unanswered, ``done()`` or ``done(error)`` goes on."""
        _Walk(self, req, res, done).go(0, None)

    @property
    def case_sensitive(self) -> bool:
        return self._case_sensitive

    @property
    def strict(self) -> bool:
        return self._strict

    @overload
    def use(self, path: str | re.Pattern[str], /) -> Callable[[H], H]: ...
    @overload
    def use(self, *arguments: Any) -> Any: ...
    def use(self, *arguments: Any) -> Any:
        """``use([path], handler…)``: call handlers, or lists of them, for each request whose path begins with ``path``.

        In them ``req.url`` has lost that beginning, and ``req.base_url`` has gained it. With a path alone it is a
        decorator: ``@app.use('/admin')``. Raises ``TypeError`` for what is no handler, ``PathError`` for no path.
        """
        path, handlers = _path_and_handlers(arguments)
        for handler in handlers:
            self.mount(path, handler)
        return self if handlers else partial(_decorate, partial(self.use, path))

    def mount(self, path: Path, handler: Handler) -> None:
        """Add one handler behind ``path``, whose type ``use`` has found out."""
        matcher = compile_path(path, sensitive=self.case_sensitive, strict=False, end=False)
        self.stack.append(Layer(handler, path, matcher=None if path == "/" else matcher))

    def route(self, path: Path) -> Route:
        """A new Route at ``path``, to be given its handlers: ``router.route('/x').get(…).post(…)``."""
        route = Route(path)
        matcher = compile_path(path, sensitive=self.case_sensitive, strict=self.strict, end=True)
        self.stack.append(Layer(route.dispatch, path, matcher=matcher, route=route))
        return route

    def param(self, name: str, callback: Handler) -> Self:
        """Call ``callback(req, res, next, value, name)`` before the handlers of a path that has the parameter ``name``.

        Once per request and value. Raises ``TypeError`` when it takes neither four nor five parameters.
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"param() takes the name of a parameter, not {name!r}")
        count = count_parameters(callback)
        if count not in (4, 5):
            raise TypeError(f"{describe(callback)} is no param callback: make it take (req, res, next, value, name)")
        self.param_callbacks.setdefault(name, []).append((callback, count))
        return self

    def register(self, method: str | None, *arguments: Any) -> Any:
        """Add handlers for ``method`` (``None``: all) at a path; with a path alone it is a decorator."""
        path, *handlers = arguments
        if not handlers:
            return partial(_decorate, partial(self.register, method, path))
        self.route(path).register(method, *handlers)
        return self


class _Walk:
    """One request's way through one router."""

    __slots__ = ("allowed", "base_url", "done", "params", "req", "res", "router", "seen")

    def __init__(self, router: Router, req: Request, res: Response, done: Next) -> None:
        self.router, self.req, self.res, self.done = router, req, res, done
        self.base_url, self.params = req.base_url, req.params
        self.allowed: list[str] = []
        self.seen: dict[str, _SeenParam] = {}

    def go(self, index: int, mount: _Mount | None, error: Any = None) -> None:
        """Go on with layer ``index``, having left ``mount``. Bound to its place, this is the ``next`` of a handler."""
        req, stack = self.req, self.router.stack
        as_called = req.url, req.base_url, req.params
        if mount is not None:
            req.url, req.base_url = mount.leave(req.url), self.base_url
        if error.__class__ is str and error in _SIGNALS:
            index, error = (index, None) if error == "route" else (len(stack), None)
        path = req.path
        while index < len(stack):
            layer = stack[index]
            index += 1
            matched: str = ""
            params: dict[str, Any] = {}
            if layer.matcher is not None:
                try:
                    found = layer.matcher.match(path)
                except ValueError as undecodable:
                    error = undecodable if error is None else error
                    continue
                if found is None:
                    continue
                matched, params = found
            if layer.route and (error is not None or not layer.route.takes(req.method, self.allowed)):
                continue
            req.params = AttrDict(_merged(self.params, params) if self.router.merge_params else params)
            if params and self.router.param_callbacks:
                self.check_params(list(params), partial(self.enter, layer, matched, index, error))
            else:
                self.enter(layer, matched, index, error)
            break
        else:
            self.end(error)
        req.url, req.base_url, req.params = as_called

    def enter(self, layer: Layer, matched: str, index: int, error: Any, param_error: Any = None) -> None:
        """Call a layer that matches, its path taken off the URL where it is a mount."""
        if param_error is not None:
            return self.go(index, None, param_error if error is None else error)
        req = self.req
        if layer.route:
            req.route = layer.route
            return layer.route.dispatch(req, self.res, partial(self.go, index, None))
        if not matched:
            return layer.call(error, req, self.res, partial(self.go, index, None))
        rest = req.path[len(matched) :]
        if not req.path.startswith(matched) or rest[:1] not in ("", "/"):
            return self.go(index, None, error)
        mount = _Mount(_origin(req.url), matched, slash_added=rest == "")
        req.url, req.base_url = mount.enter(req.url), self.base_url + matched.removesuffix("/")
        return layer.call(error, req, self.res, partial(self.go, index, mount))

    def check_params(self, names: list[str], then: Next, error: Any = None) -> None:
        """Call the param callbacks of ``names``, then ``then()`` or ``then(error)``."""
        if error is not None or not names:
            return then(error)
        name, rest = names[0], names[1:]
        params = self.req.params
        if name not in self.router.param_callbacks:
            return self.check_params(rest, then)
        seen = self.seen.get(name)
        if seen and (seen.matched == params[name] or seen.error not in (None, "route")):
            params[name] = seen.value
            return self.check_params(rest, then, seen.error)
        seen = self.seen[name] = _SeenParam(params[name])
        return self.call_param(name, seen, 0, partial(self.check_params, rest, then))

    def call_param(self, name: str, seen: _SeenParam, index: int, then: Next, error: Any = None) -> None:
        """Call the callbacks of one parameter from number ``index`` on, and remember what came of them."""
        seen.value = self.req.params[name]
        callbacks = self.router.param_callbacks[name]
        if error is not None or index == len(callbacks):
            seen.error = error
            return then(error)
        callback, count = callbacks[index]
        next = partial(self.call_param, name, seen, index + 1, then)
        self.req.handler = callback
        try:
            callback(*(self.req, self.res, next, seen.matched, name)[:count])
        except Exception as raised:
            next(raised)
        return None

    def end(self, error: Any) -> None:
        """The stack is behind us: answer OPTIONS with what the routes take, or leave the router."""
        self.req.params = self.params
        if self.allowed and error is None:
            _answer_options(self.res, self.allowed)
        else:
            self.done(error)


class Route(_Verbs):
    """The handlers of one path, each for one method or for all. After npm router 2.3."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stack: list[Layer] = []
        self.methods: set[str | None] = set()

    def dispatch(self, req: Request, res: Response, done: Next) -> None:
        """Call the handlers for the request's method one after the other; ``done`` goes on behind the last."""
        method = "GET" if req.method == "HEAD" and "HEAD" not in self.methods else req.method
        layers = [layer for layer in self.stack if layer.method is None or layer.method == method]

        def go(index: int, error: Any = None) -> None:
            if error.__class__ is str and error in _SIGNALS:
                return done(None if error == "route" else error)
            if index == len(layers):
                return done(error)
            return layers[index].call(error, req, res, partial(go, index + 1))

        go(0)

    def takes(self, method: str, allowed: list[str]) -> bool:
        """Whether a handler is there for ``method``. For OPTIONS, what else the route takes is noted in ``allowed``."""
        methods = self.methods
        if method in methods or None in methods or (method == "HEAD" and "GET" in methods):
            return True
        if method == "OPTIONS":
            allowed.extend(name for name in methods if name)
            allowed.extend(["HEAD"] if "GET" in methods else [])
        return False

    def register(self, method: str | None, *arguments: Any) -> Self:
        """Add handlers, or lists of them, for ``method`` (``None``: all). ``TypeError`` for what is none."""
        layers = [Layer(handler, self.path, method=method) for handler in _flat(arguments)]
        if not layers:
            raise TypeError(f"the route {self.path!r} was given no handler")
        self.stack.extend(layers)
        self.methods.add(method)
        return self


class Layer:
    """One link of a chain: what it calls, where that applies, and how many parameters it takes.

    A handler takes ``(req, res)``, ``(req, res, next)`` or ``(err, req, res, next)``. Raises ``TypeError`` for another.
    """

    __slots__ = ("arity", "handler", "matcher", "method", "path", "route")

    def __init__(
        self,
        handler: Handler,
        path: Path,
        *,
        matcher: PathMatcher | None = None,
        method: str | None = None,
        route: Route | None = None,
    ) -> None:
        self.arity = _handler_arity(handler)
        self.handler: Handler = handler.handle if isinstance(handler, Router) else handler
        self.path = path
        self.matcher = matcher
        self.method = method
        self.route = route

    def call(self, error: Any, req: Request, res: Response, next: Next) -> None:
        """Call the handler, or pass it by: those with four parameters are for errors, the others for requests."""
        arity = self.arity
        if (arity == 4) is (error is None):
            return next(error)
        req.handler = self.handler
        try:
            if arity == 2:
                self.handler(req, res)
            elif arity == 3:
                self.handler(req, res, next)
            else:
                self.handler(error, req, res, next)
        except Exception as raised:
            next(raised)
        return None


class _Mount(NamedTuple):
    """What entering a mount took off the URL, to be put back when leaving it."""

    origin: str
    path: str
    slash_added: bool

    def enter(self, url: str) -> str:
        rest = url[len(self.origin) + len(self.path) :]
        return self.origin + rest if self.origin or not self.slash_added else "/" + rest

    def leave(self, url: str) -> str:
        if self.slash_added and not self.origin and (url == "/" or url.startswith("/?")):
            url = url[1:]
        return self.origin + self.path + url[len(self.origin) :]


@dataclass(slots=True)
class _SeenParam:
    """What the callbacks of a parameter made of it, so that they run once for each value."""

    matched: Any
    value: Any = None
    error: Any = None


_SIGNALS = ("route", "router")


def describe(handler: Handler) -> str:
    """A handler's name, file and line, for messages."""
    function = inspect.unwrap(getattr(handler, "__func__", handler))
    code = getattr(function, "__code__", None)
    name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else str(name)


def _handler_arity(handler: Handler) -> int:
    if isinstance(handler, Router):
        return 3
    if not callable(handler):
        raise TypeError(f"a handler must be a function, not {handler!r}")
    asks_for = "a handler takes (req, res), (req, res, next) or (err, req, res, next)"
    if isinstance(handler, type):
        raise TypeError(f"{describe(handler)} is a class: {asks_for}")
    for function in (handler, getattr(handler, "__call__", None)):  # noqa: B004
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{describe(handler)} is async, and every request has its thread here: make it a plain def")
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"{describe(handler)} is a generator, which would not run: answer with res instead of yield"
            )
    count = count_parameters(handler)
    if count not in (2, 3, 4):
        raise TypeError(f"{describe(handler)} takes {count} parameters: {asks_for}")
    return count


def count_parameters(function: Handler) -> int:
    """How many parameters without a default a function takes by position, as JavaScript's ``fn.length`` counts."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _decorate(register: Callable[[H], Any], handler: H) -> H:
    register(handler)
    return handler


def _path_and_handlers(arguments: Sequence[Any]) -> tuple[Path, list[Handler]]:
    first = arguments[0] if arguments else None
    while isinstance(first, list | tuple) and first:
        first = first[0]
    path, handlers = (arguments[0], arguments[1:]) if isinstance(first, str | re.Pattern) else ("/", arguments)
    flat = _flat(handlers)
    if not flat and path == "/" and len(handlers) != len(arguments) - 1:
        raise TypeError("use() requires a middleware function: use([path], handler…)")
    return path, flat


def _flat(handlers: Sequence[Any]) -> list[Handler]:
    flat: list[Handler] = []
    for handler in handlers:
        flat.extend(_flat(handler) if isinstance(handler, list | tuple) else [handler])
    return flat


def _origin(url: str) -> str:
    """The ``http://host`` that a request target in absolute form begins with (RFC 9112 section 3.2.2), or ``''``."""
    if url.startswith("/") or "://" not in url.partition("?")[0]:
        return ""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _merged(outer: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """A router's own parameters over those of its mount; unnamed ones, which are numbers, are counted on."""
    if "0" not in params or "0" not in outer:
        return {**outer, **params}
    offset = next(i for i in itertools.count() if str(i) not in outer)
    return {**outer, **{str(int(k) + offset) if k.isdigit() else k: v for k, v in params.items()}}


def _answer_options(res: Response, methods: Sequence[str]) -> None:
    allow = ", ".join(sorted(set(methods)))
    res.set_header("Allow", allow)
    res.set_header("Content-Length", str(len(allow)))
    res.set_header("Content-Type", "text/plain")
    res.set_header("X-Content-Type-Options", "nosniff")
    res.end(allow)
