"""Mount another WSGI app (PEP 3333) in an App: ``app.use("/old", wsgi(flask_app))``.

The other way round needs nothing: an App is a WSGI app, for any middleware that wraps one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .http.request_target import origin_of
from .request import Request
from .usage.arguments import describe, is_async

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from .response import Response
    from .routing.layer import Handler


def wsgi(app: WSGIApplication) -> Handler:
    """Return a handler that calls ``app`` for each request, and sends what it returns.

    ``app`` finds the path of the mount in ``SCRIPT_NAME``, the rest in ``PATH_INFO``, the unread body in ``wsgi.input``
    and the Request in ``miniexpress.request``. Its header fields replace those that were set before; its cookies are
    added to them. Raises ``TypeError`` when ``app`` cannot be called as one; the handler raises ``RuntimeError`` when
    another handler has read the body before.
    """
    _check_app(app)

    def wsgi_handler(req: Request, res: Response) -> None:
        if req.body_consumed:
            raise RuntimeError(
                "the body was read already: mount wsgi(…) ahead of json(), urlencoded(), text() and raw()"
            )
        bridge = WSGIBridge(res)
        body = bridge.call(app, _environ(req))
        try:
            next(body)  # wait for the app's first chunk: start_response may be called as late as that
            bridge.apply_headers()
        except BaseException:
            body.close()
            raise
        res.end(body)

    wsgi_handler.__qualname__ = f"wsgi({getattr(app, '__qualname__', None) or repr(app)})"
    return wsgi_handler


def _check_app(app: Any) -> None:
    """Raise ``TypeError`` for what would fail at each request: no function, an ASGI app, other parameters."""
    if not callable(app):
        raise TypeError(f"wsgi() takes a WSGI app, not {app!r}")
    if is_async(app):
        raise TypeError(f"wsgi() takes a WSGI app, and {describe(app)} is async, as an ASGI app is")
    try:
        inspect.signature(app, follow_wrapped=False).bind({}, None)
    except ValueError:  # some builtins do not tell
        pass
    except TypeError:
        raise TypeError(f"wsgi() takes a WSGI app (environ, start_response), not {describe(app)}") from None


def _environ(req: Request) -> WSGIEnvironment:
    environ = {
        **req.environ_with_headers(),
        "REQUEST_METHOD": req.method,
        "SCRIPT_NAME": unquote(req.base_url, "latin-1"),
        "PATH_INFO": unquote(req.path, "latin-1"),
        "QUERY_STRING": req.url.partition("?")[2],
        "miniexpress.request": req,
    }
    if Request(environ, req.app).url != req.url:  # middleware has rewritten it since it was sent
        origin = origin_of(req.url)
        environ["REQUEST_URI"] = origin + req.base_url + req.url[len(origin) :]
    return environ


class WSGIBridge:
    """The server's side of one call of a WSGI app: applies its status, headers and body to ``res``."""

    def __init__(self, res: Response) -> None:
        self.res = res
        self.head: tuple[str, list[tuple[str, str]]] | None = None  # the arguments of start_response
        self.closed = False

    def call(self, app: WSGIApplication, environ: WSGIEnvironment) -> Generator[bytes]:
        """Call ``app``, and yield ``b""`` once its first chunk is there, then its chunks. Closes what it returned.

        With that ``b""`` taken, the app has called ``start_response``, and closing the generator closes what the app
        returned (closing one that has not begun runs nothing of it).
        """
        chunks: Iterable[bytes] = ()
        try:
            chunks = app(environ, self.start_response)
            rest = filter(None, chunks)
            first = next(rest, b"")
            yield b""
            yield first
            yield from rest
        finally:
            self.closed = True
            if hasattr(chunks, "close"):
                chunks.close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        """Keep status and headers until the first chunk; with ``exc_info``, replace them, or raise it if too late."""
        if exc_info is not None:
            try:
                if self.res.started:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # PEP 3333: no reference cycle through the traceback
        elif self.head is not None:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        self.head = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        """Send ``data`` at once: the callable that ``start_response`` returns."""
        if self.closed:
            raise RuntimeError("write() was called after the WSGI app's response had ended")
        if data:
            self.apply_headers()
            self.res.write(data)

    def apply_headers(self) -> None:
        """Set the app's status and headers on ``res``, unless they were sent by ``write``."""
        if self.res.started:
            return
        if self.head is None:
            raise RuntimeError("the WSGI app returned a body without calling start_response")
        status, headers = self.head
        code, _, phrase = status.partition(" ")
        self.res.status(int(code)).status_message = phrase or None
        fields: dict[str, tuple[str, list[str]]] = {}  # by name in lower case: the name as given, and its values
        for name, value in headers:
            fields.setdefault(name.lower(), (name, []))[1].append(value)
        for key, (name, values) in fields.items():
            if key == "set-cookie":
                self.res.append(name, values)
            else:
                self.res.set_header(name, values if len(values) > 1 else values[0])
