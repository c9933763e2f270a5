"""Other WSGI apps (PEP 3333) inside of an App: ``app.use('/old', wsgi(flask_app))``.

The other way round needs nothing: an App is a WSGI app, for any middleware that wraps one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .request import Request, origin_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from .response import Response
    from .routing.layer import Handler


def wsgi(app: WSGIApplication) -> Handler:
    """A handler that lets ``app`` answer each request that reaches it, and the body that is still to be read.

    ``app`` sees the path that this is mounted at as its SCRIPT_NAME, and the Request as ``miniexpress.request`` in its
    environ. Its header fields go over those that were set before; its cookies beside them. Raises ``TypeError`` for
    what cannot be called; a request whose body was read by another handler before is a ``RuntimeError``.
    """
    if not callable(app):
        raise TypeError(f"wsgi() takes a WSGI app, not {app!r}")

    def answer_with_wsgi_app(req: Request, res: Response) -> None:
        if req.body_was_read:
            raise RuntimeError(
                "the body was read already: mount wsgi(…) ahead of json(), urlencoded(), text() and raw()"
            )
        answer = _Answer(res)
        body = answer.body(app, _environ(req))
        try:
            next(body)  # the app may call start_response as late as with its first piece
            answer.settle_head()
        except BaseException:
            body.close()
            raise
        res.end(body)

    answer_with_wsgi_app.__qualname__ = f"wsgi({getattr(app, '__qualname__', None) or repr(app)})"
    return answer_with_wsgi_app


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


class _Answer:
    """What a WSGI app calls and returns, made the answer ``res``."""

    def __init__(self, res: Response) -> None:
        self.res = res
        self.head: tuple[str, list[tuple[str, str]]] | None = None
        self.ended = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if exc_info is not None:
            try:
                if self.res.has_left:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.head is not None:
            raise RuntimeError("start_response was called twice: a second call needs exc_info")
        self.head = status, headers
        return self.write

    def write(self, data: bytes) -> None:
        if self.ended:
            raise RuntimeError("write() was called after the WSGI app's answer had ended")
        if data:
            if not self.res.has_left:
                self.settle_head()
            self.res.write(data)

    def body(self, app: WSGIApplication, environ: WSGIEnvironment) -> Generator[bytes]:
        """The pieces that ``app`` returns, behind an empty one for which its first has been waited."""
        pieces: Iterable[bytes] = ()
        try:
            pieces = app(environ, self.start_response)
            rest = filter(None, pieces)
            first = next(rest, b"")
            yield b""
            yield first
            yield from rest
        finally:
            self.ended = True
            if hasattr(pieces, "close"):
                pieces.close()

    def settle_head(self) -> None:
        """Hand on status and header fields, unless ``write`` did it."""
        if self.res.has_left:
            return
        if self.head is None:
            raise RuntimeError("the WSGI app answered without calling start_response")
        status, headers = self.head
        code, _, phrase = status.partition(" ")
        self.res.status(int(code)).status_message = phrase or None
        values: dict[str, tuple[str, list[str]]] = {}
        for name, value in headers:
            values.setdefault(name.lower(), (name, []))[1].append(value)
        for key, (name, several) in values.items():
            if key == "set-cookie":
                self.res.append(name, several)
            else:
                self.res.set_header(name, several if len(several) > 1 else several[0])
