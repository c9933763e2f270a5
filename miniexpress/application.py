"""The application: a Router with settings and views that a WSGI server can call. After Express 5.3's
``lib/application.js``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self, overload

from .arguments import fitted
from .attrdict import AttrDict
from .development import reloader
from .development.error_page import describe_error
from .development.route_tree import tree
from .errors import HTTPError, headers_of, printable, reason_phrase, status_of, text_of
from .final_handler import _answer_page
from .http.encoding import encode_url
from .keyword_options import UNSET
from .request import Request
from .response import Response
from .routing.layer import Handler, Layer, Next
from .routing.methods import H
from .routing.path_patterns import PathPattern
from .routing.router import Route, Router
from .server import server
from .settings import _COMPILED, _DEFAULTS
from .views.engine import template_engine
from .views.lookup import Engine, View, as_tuple

log = logging.getLogger("miniexpress")


def express() -> App:
    """A new application."""
    return App()


class App(Router):
    """An Express application, which is a WSGI application too (PEP 3333).

    ``settings``, ``locals`` (what every view sees), ``engines``; ``mountpath`` and ``parent`` where an app uses it.
    ``request`` and ``response`` are the classes of the requests and answers of this app and of those mounted in it:
    ``app.response.shout = lambda self, text: self.send(text.upper())`` gives each answer a method more.
    """

    def __init__(self) -> None:  # without that of Router: what it makes is made with ``router``
        self.settings: dict[str, Any] = AttrDict()
        self.request: Any = type("Request", (Request,), {"__module__": Request.__module__})
        self.response: Any = type("Response", (Response,), {"__module__": Response.__module__})
        self.parent: App | None = None
        self.mountpath: PathPattern = "/"
        self.engines: dict[str, Engine] = {}
        self.locals = AttrDict(settings=self.settings)
        self._views: dict[str, View] = {}
        self._mount_listeners: list[Callable[[App], Any]] = []
        self._set_defaults()

    def __call__(self, environ: Any, start_response: Any, next: Any = None) -> Any:
        """Answer one WSGI request: walk the chain, then let the answer go.

        ``app(req, res, next)`` is Express's own way to have another app answer one by hand: it goes to ``handle``.
        """
        if next is not None:
            return self.handle(environ, start_response, next)
        req: Request = self.request(environ, self)
        res: Response = self.response(req, start_response)
        req.res = res
        req.next = partial(self._answer_last, req, res)
        if self.set("x-powered-by"):
            res._put("X-Powered-By", "Express")
        try:
            self.router.handle(req, res, req.next)
        except Exception as error:  # failed between two handlers, or the chain is too deep to go on in it
            self._answer_last(req, res, error)
        if res.failure is not None:
            res.emit("close")
            raise res.failure  # the answer has begun to leave: all that is left is to break it off
        chunks = self._let_go(req, res)
        if isinstance(chunks, tuple):  # all is known, and nobody asks for more
            del req.res, req.next  # the circle would keep both until the garbage collector comes
        return chunks

    def _let_go(self, req: Request, res: Response) -> Iterable[bytes]:
        try:
            return res.finish()
        except Exception as error:  # an on_headers listener failed, and is not called again: nothing has left yet
            self._answer_last(req, res.withdraw(), error)
            return self._let_go(req, res) if res.has_listeners else res.finish()

    def handle(self, req: Request, res: Response, done: Next) -> None:
        """Answer a request of another app, which this one is mounted in or which calls it by hand."""
        outer = req.app

        def leave(error: Any = None) -> None:
            outer.take_over(req)
            done(error)
            self.take_over(req)

        self.take_over(req)
        self._add_powered_by(res)
        self.router.handle(req, res, leave)
        outer.take_over(req)

    def take_over(self, req: Request) -> None:
        """Make a request and its answer this app's, with what its ``request`` and ``response`` have."""
        req.app, req.__class__, req.res.__class__ = self, self.request, self.response

    def _add_powered_by(self, res: Response) -> None:
        if self.set("x-powered-by"):
            res.set_header("X-Powered-By", "Express")

    def _answer_last(self, req: Request, res: Response, error: Any = None) -> None:
        """Answer what nothing else did: with 404, or with the page of an error. As npm finalhandler 2.1."""
        if error is None:
            if not res.headers_sent:
                path = encode_url(req.original_path)
                _answer_page(res, 404, f"Cannot {req.method} {path}")
            return
        status = status_of(error, res.status_code)
        self._log(req, status, error)
        if res.headers_sent:
            if not res.answered:
                res.failure = error if isinstance(error, BaseException) else RuntimeError(text_of(error))
            return
        in_production = self.set("env") == "production"
        message = reason_phrase(status) if in_production else describe_error(error, req)
        _answer_page(res, status, message, headers_of(error))

    def _log(self, req: Request, status: int, error: Any) -> None:
        """Errors of the server's own, with the traceback of those that nobody foresaw; those of clients as a note."""
        if self.set("env") == "test":
            return
        if status < 500:
            log.info("%s %s: %s %s", req.method, req.original_url, status, text_of(error))
        else:
            unforeseen = isinstance(error, BaseException) and not isinstance(error, HTTPError)
            shown = printable(error) if unforeseen else None
            log.error("%s %s: %s", req.method, req.original_url, text_of(error), exc_info=shown)

    # Registering

    @cached_property
    def router(self) -> Router:
        """The chain of this app, without its settings and views.

        Made when it is first needed, as in Express: with the settings ``case sensitive routing`` and ``strict routing``
        as they are then. What they are set to later holds for no route of this app.
        """
        is_sensitive, is_strict = self.enabled("case sensitive routing"), self.enabled("strict routing")
        return Router(case_sensitive=is_sensitive, strict=is_strict)

    @property
    def stack(self) -> list[Layer]:
        """The layers of ``router``."""
        return self.router.stack

    @stack.setter
    def stack(self, layers: list[Layer]) -> None:
        self.router.stack = layers

    def route(self, path: PathPattern) -> Route:
        """As ``Router.route``."""
        return self.router.route(path)

    def _mount(self, path: PathPattern, handler: Handler) -> None:
        """As a Router; another App inherits this one's settings and engines, and is told of it (``on('mount', …)``).

        Raises ``ValueError`` for an app that this one is itself in.
        """
        if self._is_in(handler):
            raise ValueError(f"an app cannot use itself, nor one that it is in: at {path!r}")
        self.router._mount(path, handler)
        if isinstance(handler, App):
            handler._mounted_in(self, path)

    def on(self, event: str, listener: Callable[[App], Any]) -> Self:
        """``on('mount', listener)``: call ``listener(parent)`` when another app uses this one. Else ``ValueError``."""
        if event != "mount":
            raise ValueError(f"an app tells of 'mount' only, not of {event!r}")
        self._mount_listeners.append(fitted(listener, "app.on('mount')", "(parent)"))
        return self

    def _is_in(self, app: object) -> bool:
        return self is app or (self.parent is not None and self.parent._is_in(app))

    def _mounted_in(self, parent: App, path: PathPattern) -> None:
        self.parent, self.mountpath = parent, path
        self.request.__bases__, self.response.__bases__ = (parent.request,), (parent.response,)
        for listener in self._mount_listeners:
            listener(parent)

    def param(self, name: str | list[str], callback: Handler) -> Self:
        """As ``Router.param``; ``name`` may be a list."""
        for each in name if isinstance(name, list) else [name]:
            self.router.param(each, callback)
        return self

    @overload
    def get(self, path: PathPattern, /) -> Callable[[H], H]: ...
    @overload
    def get(self, /, *path_and_handlers: PathPattern | Handler) -> Any: ...
    def get(self, /, *path_and_handlers: Any) -> Any:
        """``get('view engine')`` is a setting; ``get('/path', handler…)`` and ``@get('/path')`` are routes.

        So ``@get('path')`` is a setting too: what decorates has a slash.
        """
        path, *handlers = path_and_handlers or (None,)
        if not handlers and path and isinstance(path, str) and not path.startswith(("/", "{", "*", ":", "\\")):
            return self.set(path)
        return super().get(path, *handlers)

    def path(self) -> str:
        """The path that this app is at, through all that it is mounted in, several with commas; or ``''``."""
        paths = self.mountpath if isinstance(self.mountpath, list | tuple) else [self.mountpath]
        return self.parent.path() + ",".join(map(str, paths)) if self.parent else ""

    def routes(self) -> str:
        """The stack as a tree, a line for each handler, to be printed: ``print(app.routes())``."""
        return "\n".join(tree(self))

    # Settings

    def set(self, name: str, value: Any = UNSET) -> Any:
        """``set(name, value)`` changes a setting and returns the app; ``set(name)`` is its value, ``None`` if not set.

        A mounted app has its parent's where it has none of its own. Raises ``TypeError`` for a value that ``etag``,
        ``json replacer``, ``query parser`` or ``trust proxy`` cannot take.
        """
        if value is UNSET:
            app: App | None = self
            while app is not None:
                if name in app.settings:
                    return app.settings[name]
                app = app.parent
            return _DEFAULTS.get(name)
        compiled = _COMPILED.get(name)
        if compiled:
            self.settings[f"{name} fn"] = compiled(value)
        if name == "json replacer" and callable(value):
            value = fitted(value, "the setting 'json replacer'", "(key, value)")
        self.settings[name] = value
        return self

    def enable(self, name: str) -> Self:
        """``set(name, True)``."""
        self.set(name, True)
        return self

    def disable(self, name: str) -> Self:
        """``set(name, False)``."""
        self.set(name, False)
        return self

    def enabled(self, name: str) -> bool:
        """Whether a setting is true, here or in the app that this one is mounted in."""
        return bool(self.set(name))

    def disabled(self, name: str) -> bool:
        """Whether a setting is not true."""
        return not self.set(name)

    def _set_defaults(self) -> None:
        env = os.environ.get("MINIEXPRESS_ENV") or "development"
        self.enable("x-powered-by").set("etag", "weak").set("env", env).set("query parser", "simple")
        self.set("subdomain offset", 2).set("jsonp callback name", "callback")
        self.set("view", View).set("views", str(Path("views").resolve()))
        if env == "production":
            self.enable("view cache")

    # Views

    def engine(self, extension: str, engine: Engine) -> Self:
        """Render files with ``extension`` by ``engine(path, options) -> text``. ``TypeError`` for no function.

        The options are what a handler renders with, which may be a client's: what an engine needs to know of the app
        (folders, caching) it is given when it is made, as ``template_engine`` and ``jinja2_engine`` are.
        """
        self.engines["." + extension.removeprefix(".")] = fitted(engine, "app.engine()", "(path, options) -> text")
        return self

    def render(self, view: str, options: Mapping[str, Any] | None = None) -> str:
        """The text of the view ``view``, rendered with ``options`` over ``app.locals``.

        Raises ``LookupError`` for a view that is not there, and whatever its engine raises.
        """
        cache = self.enabled("view cache")
        found = self._views.get(view) if cache else None
        if found is None:
            found = self.set("view")(
                view,
                root=self.set("views"),
                default_engine=str(self.set("view engine") or "html"),
                engines=self._all_engines(),
            )
            if not found.path:
                raise LookupError(f'Failed to lookup view "{view}" in views {self.set("views")!r}')
            if cache and view == os.path.normpath(view):  # of other spellings a client can make any number
                self._views[view] = found
        return found.render({**self.locals, **(options or {})})

    def _all_engines(self) -> dict[str, Engine]:
        """The engines by extension: of this app, of those that it is mounted in, and the built-in one."""
        engines = self.engines
        app = self.parent
        while app is not None:
            engines = {**app.engines, **engines}
            app = app.parent
        return {".html": template_engine(self.set("views"), cache=self.enabled("view cache")), **engines}

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
        ``options`` are those of ``server.Server``. Raises ``OSError`` when the port cannot be had.
        """
        if callable(port):
            callback, port = port, 0
        if callable(host):
            callback, host = host, "127.0.0.1"
        if callback is not None:
            callback = partial(fitted(callback, "app.listen()", "(error)"), None)
        if reloader.enabled(reload):
            if not reloader.is_child():
                raise SystemExit(reloader.watch(as_tuple(self.set("views")), [".py", *self._all_engines()]))
            callback = reloader.stop_when_watcher_exits(callback)
        return server.listen(self, port, host, callback, **options)
