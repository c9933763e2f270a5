"""The application: a Router with settings and views that a WSGI server can call. After Express 5.3's
``lib/application.js``.

The life of a request is ``App.__call__``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Any, Never, Self, TypeVar, overload

from .attrdict import AttrDict
from .development import reloader
from .development.route_tree import route_tree
from .final_handler import final_handler
from .http.response_headers import NO_FIELDS, HeaderFields
from .keyword_options import UNSET, check_keywords
from .request import Request
from .response import Response
from .routing.layer import Handler, Layer, Next
from .routing.methods import Handlers, HandlerT, decorate
from .routing.path_patterns import PathPattern
from .routing.route import Route
from .routing.router import Router
from .server import server
from .settings import UNSET_DEFAULTS, compile_setting, default_settings, similar_setting
from .usage.arguments import fit_callback
from .usage.callers import line_is_decorator, warn
from .views.engine import template_engine
from .views.lookup import Engine, View, as_tuple

_T = TypeVar("_T")
_CLASSES = (Request, Response)
_POWERED_BY: HeaderFields = {"x-powered-by": ("X-Powered-By", "Express")}
_MAKING_ROUTER = Lock()  # so that two threads which need the router of an app first are given the same one
_LISTEN_OPTIONS = ["host", "callback", "reload", *(server.Server.__init__.__kwdefaults__ or ())]

# The names that Flask and FastAPI have for these members.
_NAMES_ELSEWHERE = {
    "add_middleware": "use",
    "before_request": "use",
    "config": "set",
    "errorhandler": "use",
    "exception_handler": "use",
    "include_router": "use",
    "mount": "use",
    "register_blueprint": "use",
    "run": "listen",
}


class App(Router, also={"mountPath": "mountpath"}, elsewhere=_NAMES_ELSEWHERE):
    """An Express application, which is a WSGI application too (PEP 3333).

    ``settings``, ``locals`` (what every view sees), ``engines``; ``mountpath`` and ``parent`` where an app uses it.
    ``app.response.shout = lambda self, text: self.send(text.upper())`` gives each response one more method.
    """

    def __init__(self) -> None:  # no super().__init__(): an app keeps its stack in `router`, made when first needed
        self.settings: dict[str, Any] = AttrDict()
        self._router: Router | None = None
        self._decorable = []
        self._own_classes: tuple[type[Request], type[Response]] | None = None
        self.parent: App | None = None
        self.mountpath: PathPattern = "/"
        self.engines: dict[str, Engine] = {}
        self.locals = AttrDict(settings=self.settings)
        self._views: dict[str, View] = {}
        self._mount_listeners: list[Callable[[App], Any]] = []
        for name, value in default_settings().items():
            self.set(name, value)
        self.set("view", View)

    @overload
    def __call__(self, handler: HandlerT, /) -> HandlerT: ...
    @overload
    def __call__(self, environ: Any, start_response: Any, next: Any = None) -> Any: ...
    def __call__(self, environ: Any, start_response: Any = None, next: Any = None) -> Any:
        """Respond to a WSGI request (PEP 3333): ``app(environ, start_response)`` returns the body of the response.

        ``app(req, res, next)`` is Express's own way to dispatch a request of another app to this one by hand.
        ``app(handler)`` is what the decorator ``@app.get(path, …)`` calls.
        """
        if next is not None:
            return self.handle(environ, start_response, next)
        if start_response is None:
            return self._add_decorated(environ)
        # The life of a request: dispatch it along the middleware stack, start its response, return the body of that.
        request_class, response_class = self._classes()
        req = request_class(environ, self)
        req.res = res = response_class(req, start_response, _POWERED_BY if self._setting("x-powered-by") else NO_FIELDS)
        env = self._setting("env")
        if env != "production":
            req.trail = []
        req.next = done = partial(final_handler, req, res, env)
        try:
            (self._router or self.router).handle(req, res, done)  # the attribute first: a property takes longer
        except Exception as error:  # between two handlers, or the stack is too deep to call another one
            done(error)
        body = res.to_wsgi(done)
        if isinstance(body, tuple):  # The body is complete: drop the cycle of req and res now, not at a collection.
            del req.res, req.next
        return body

    def handle(self, req: Request, res: Response, done: Next) -> None:
        """Dispatch a request of another app, in which this one is mounted or which calls it by hand.

        It keeps its ``Request`` and ``Response``, which are this app's meanwhile.
        """
        parent = req.app

        def restore_and_continue(error: Any = None) -> None:
            parent.adopt(req)
            done(error)
            self.adopt(req)

        if self._setting("x-powered-by"):
            res.set_header("X-Powered-By", "Express")
        self.adopt(req)
        self.router.handle(req, res, restore_and_continue)
        parent.adopt(req)

    def adopt(self, req: Request) -> None:
        """Make a request and its response this app's, with what its ``request`` and ``response`` have."""
        req.app = self
        request_class, response_class = self._classes()
        if req.__class__ is not request_class:
            req.__class__ = request_class
        if req.res.__class__ is not response_class:
            req.res.__class__ = response_class

    # The classes of its requests and responses

    @property
    def request(self) -> Any:
        """The class of the requests of this app and of those mounted in it, which has what is set on it."""
        return self._derived_classes()[0]

    @property
    def response(self) -> Any:
        """The class of the responses of this app and of those mounted in it, which has what is set on it."""
        return self._derived_classes()[1]

    def _classes(self) -> tuple[type[Request], type[Response]]:
        """Return ``request`` and ``response``, or what they would derive from where nobody has asked for them.

        So most apps share their classes: CPython runs code faster that meets objects of one class only.
        """
        return self._own_classes or (self.parent._classes() if self.parent else _CLASSES)

    def _derived_classes(self) -> tuple[type[Request], type[Response]]:
        """Return classes of this app's own, which derive from those of the app that it is mounted in."""
        if self._own_classes is None:
            request, response = self.parent._derived_classes() if self.parent else _CLASSES
            self._own_classes = _derive(request), _derive(response)
        return self._own_classes

    # Registering

    @property
    def router(self) -> Router:
        """The router that this app dispatches along.

        Made when it is first needed, as in Express: with the settings ``case sensitive routing`` and ``strict routing``
        as they are then. What they are set to later holds for no route of this app. It cannot be replaced.
        """
        # Not a cached_property: once an object has a `__dict__`, CPython 3.11 reads all its attributes slowly.
        if self._router is None:
            with _MAKING_ROUTER:
                is_sensitive, is_strict = self.enabled("case sensitive routing"), self.enabled("strict routing")
                self._router = self._router or Router(case_sensitive=is_sensitive, strict=is_strict)
        return self._router

    @property
    def stack(self) -> list[Layer]:
        """The layers of ``router``."""
        return self.router.stack

    @stack.setter
    def stack(self, layers: list[Layer]) -> None:
        self.router.stack = layers

    def route(self, path: PathPattern, **options: Never) -> Route:
        """As ``Router.route``."""
        return self.router.route(path, **options)

    def _mount(self, path: PathPattern, handler: Handler) -> None:
        """Mount a handler. Another App inherits settings and engines, and its listeners of ``mount`` are called.

        Raises ``ValueError`` for an app that this one is itself in.
        """
        if self._is_mounted_in(handler):
            raise ValueError(f"an app cannot use itself, nor one that it is in: at {path!r}")
        self.router._mount(path, handler)
        if isinstance(handler, App):
            handler._on_mounted(self, path)

    def on(self, event: str, listener: Callable[[App], Any]) -> Self:
        """``on('mount', listener)``: call ``listener(parent)`` when another app uses this one. Else ``ValueError``."""
        if event != "mount":
            raise ValueError(f"an app tells of 'mount' only, not of {event!r}")
        self._mount_listeners.append(fit_callback(listener, "app.on('mount')", "(parent)"))
        return self

    def _is_mounted_in(self, app: object) -> bool:
        return self is app or (self.parent is not None and self.parent._is_mounted_in(app))

    def _on_mounted(self, parent: App, path: PathPattern) -> None:
        self.parent, self.mountpath = parent, path
        if self._own_classes is not None:
            self.request.__bases__, self.response.__bases__ = (parent.request,), (parent.response,)
        for listener in self._mount_listeners:
            listener(parent)

    @overload
    def param(self, name: str | list[str], /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def param(self, name: str | list[str], callback: Handler) -> Self: ...
    def param(self, name: str | list[str], callback: Any = UNSET) -> Any:
        """As ``Router.param``; ``name`` may be a list."""
        if callback is UNSET:
            return partial(decorate, partial(self.param, name))
        for each in name if isinstance(name, list) else [name]:
            self.router.param(each, callback)
        return self

    @overload
    def get(self, path: PathPattern, /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def get(self, handler: Handler, /) -> Self: ...
    @overload
    def get(self, path_or_handler: PathPattern | Handler, handler: Handler | Handlers, /, *more: Any) -> Self: ...
    def get(self, /, *path_and_handlers: Any) -> Any:
        """Add handlers for GET: ``get(path, handler…)``, or as a decorator ``@get(path, handler…)``.

        ``get('view engine')`` returns the value of a setting: what is a path begins with a slash.
        """
        path, *handlers = path_and_handlers or (None,)
        if not handlers and path and isinstance(path, str) and not path.startswith(("/", "{", "*", ":", "\\")):
            if line_is_decorator():
                raise ValueError(f"@app.get({path!r}) would decorate by a setting: write @app.get({'/' + path!r})")
            return self._setting(path)
        return super().get(*path_and_handlers)

    def path(self) -> str:
        """Return the path that this app is at, through all that it is mounted in, several with commas; or ``''``."""
        paths = self.mountpath if isinstance(self.mountpath, list | tuple) else [self.mountpath]
        return self.parent.path() + ",".join(map(str, paths)) if self.parent else ""

    def routes(self) -> str:
        """Return the stack as a tree, a line for each handler: ``print(app.routes())``."""
        return "\n".join(route_tree(self))

    # Settings

    def set(self, name: str, value: Any = UNSET) -> Any:
        """``set(name, value)`` changes a setting and returns the app; ``set(name)`` is its value, ``None`` if not set.

        A mounted app has its parent's where it has none of its own. Raises ``TypeError`` for a value that ``etag``,
        ``json replacer``, ``query parser`` or ``trust proxy`` cannot take.
        """
        if value is UNSET:
            return self._setting(name)
        if not isinstance(name, str):
            raise TypeError(f"app.set() takes the name of a setting and its value, not {name!r}")
        if name not in self.settings and (meant := similar_setting(name)):
            warn(f"no setting is called {name!r}: did you mean {meant!r}?")
        self.settings.update(compile_setting(name, value))
        return self

    def _setting(self, name: str) -> Any:
        """Return the value of a setting: this app's, or else the one of the app that it is mounted in."""
        if name in self.settings:
            return self.settings[name]
        return self.parent._setting(name) if self.parent else UNSET_DEFAULTS.get(name)

    def enable(self, name: str) -> Self:
        """``set(name, True)``."""
        self.set(name, True)
        return self

    def disable(self, name: str) -> Self:
        """``set(name, False)``."""
        self.set(name, False)
        return self

    def enabled(self, name: str) -> bool:
        """Return whether a setting is true, here or in the app that this one is mounted in."""
        return bool(self._setting(name))

    def disabled(self, name: str) -> bool:
        """Return whether a setting is not true."""
        return not self._setting(name)

    # Views

    def engine(self, extension: str, engine: Engine) -> Self:
        """Render files with ``extension`` by ``engine(path, options) -> text``. ``TypeError`` for no function.

        The options are what a handler renders with, which may be a client's: what an engine needs to know of the app
        (folders, caching) it is given when it is made, as ``template_engine`` and ``jinja2_engine`` are.
        """
        self.engines["." + extension.removeprefix(".")] = fit_callback(
            engine, "app.engine()", "(path, options) -> text"
        )
        return self

    def render(self, view: str, options: Mapping[str, Any] | None = None, /, **variables: Any) -> str:
        """Return the text of the view ``view``, rendered with ``options`` and keywords over ``app.locals``.

        Raises ``LookupError`` for a view that is not there, and whatever its engine raises.
        """
        cache = self.enabled("view cache")
        found = self._views.get(view) if cache else None
        if found is None:
            found = self._setting("view")(
                view,
                root=self._setting("views"),
                default_engine=str(self._setting("view engine") or "html"),
                engines=self._all_engines(),
            )
            if not found.path:  # a class of the app's own, set as `view`, need not raise
                raise LookupError(f'Failed to lookup view "{view}" in views {self._setting("views")!r}')
            if cache and view == os.path.normpath(view):  # of other spellings a client can make any number
                self._views[view] = found
        if not isinstance(options, Mapping | None):
            raise TypeError(f"render() takes a dict of what the view sees, or keywords, not {options!r}")
        return found.render({**self.locals, **(options or {}), **variables})

    def _all_engines(self) -> dict[str, Engine]:
        """Return the engines by extension: of this app, of those that it is mounted in, and the built-in one.

        That is made anew for each view that is not cached. What it has compiled it keeps for all.
        """
        engines = self.engines
        app = self.parent
        while app is not None:
            engines = {**app.engines, **engines}
            app = app.parent
        return {".html": template_engine(self._setting("views"), cache=self.enabled("view cache")), **engines}

    # Serving

    def listen(
        self,
        port: int | str | os.PathLike[str] | Callable[..., Any] = 0,
        host: str | Callable[..., Any] = "127.0.0.1",
        callback: Callable[..., Any] | None = None,
        *,
        reload: bool | None = None,
        **options: Any,
    ) -> None:
        """Serve until SIGINT or SIGTERM, or until the process ends: blocks. ``callback()`` is called once it listens.

        ``port`` may be the path of a Unix socket; without one it is any free one, which the log names (at level INFO).
        As in Express 5, ``callback`` may take an error; it is ``None``, as a real one is raised.
        With ``reload``, or ``MINIEXPRESS_RELOAD=1``, the program starts anew when one of its files or views changes.
        ``options`` are those of ``server.Server``. Raises ``TypeError`` for another one, and ``OSError`` when the port
        cannot be had.
        """
        check_keywords("app.listen", options, _LISTEN_OPTIONS)
        if callable(port):
            callback, port = port, 0
        if callable(host):
            callback, host = host, "127.0.0.1"
        if callback is not None:
            callback = partial(fit_callback(callback, "app.listen()", "(error)"), None)
        if reloader.enabled(reload):
            if not reloader.is_child():
                raise SystemExit(reloader.watch(as_tuple(self._setting("views")), [".py", *self._all_engines()]))
            callback = reloader.stop_when_watcher_exits(callback)
        return server.listen(self, port, host, callback, **options)


def _derive(base: type[_T]) -> type[_T]:
    """Return a new class of the same name."""
    return type(base.__name__, (base,), {"__module__": base.__module__})
