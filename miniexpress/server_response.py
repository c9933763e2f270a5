"""A response as it is handed to a WSGI server: status, header fields and body. After Node 20's ``ServerResponse``.

    building ── end ──> ended ── to_wsgi: the middleware stack is done ──> started
    building ── write ──> started ── write … end ──> ended

A response is *ended* when all that is to be sent is known; it is *started* when its header fields are sent. So
middleware may still change the header fields, and the body, of a response that is ended.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from .errors import printable
from .http.headers import HEADER_TEXT
from .http.response_body import (
    BINARY_TYPES,
    CHUNK_TYPES,
    BodyTransform,
    ObservedBody,
    TransformedBody,
    check_body,
    flushed,
    no_body_error,
    to_bytes,
    transformed,
)
from .http.response_headers import NO_FIELDS, HeaderFields, ResponseHeaders, check_status, status_line
from .usage.arguments import count_parameters, fit_callback
from .usage.camel_case import SnakeCaseNames

if TYPE_CHECKING:
    from .request import Request

log = logging.getLogger("miniexpress")
Listener = Callable[[], Any]


class ServerResponse(SnakeCaseNames, also={"writableEnded": "ended"}):
    """The methods that Node itself gives a response. Those that Express adds are in ``Response``.

    ``ended`` and ``started`` say how far it is. Setters return the response, for chaining. Methods that come too late
    raise ``RuntimeError``.
    """

    error_after_start: BaseException | None
    """An error after the response was started, for which the server aborts the connection."""
    _on_headers: list[tuple[Listener, int]]
    """The listeners, each with the number of transforms that were added before it."""
    _transforms: tuple[BodyTransform, ...]
    """In the order of the middleware that added them. The last one sees the body first."""
    _listeners: dict[str, list[Listener]]
    _status_message: str | None
    _body: bytes | Iterable[bytes]
    _request_when_ended: tuple[Any, ...]
    _write: Callable[[bytes], Any]

    def __init__(self, req: Request, start_response: Callable[..., Any], headers: HeaderFields = NO_FIELDS) -> None:
        self.req, self._start_response = req, start_response
        self.ended = self.started = False
        self.error_after_start = None
        self._status_code, self._status_message = 200, None
        self._headers = ResponseHeaders(headers)
        self._body = b""
        self._transforms, self._on_headers, self._listeners = (), [], {}

    # The life of a response: building, until a method ends it; then to_wsgi starts it

    def end(self, chunk: str | bytes | Iterable[bytes] | AsyncIterable[bytes] | None = None) -> None:
        """End the response with nothing but ``chunk``, or end what ``write`` started. Raises ``TypeError`` for no body.

        An iterable of bytes, async or not, is read while it is sent, and closed where it has a ``close()`` or an
        ``aclose()``; its Content-Length, where it is known, is to be set before.
        """
        body = chunk if isinstance(chunk, bytes) else check_body(chunk)
        if self.ended:
            raise self._headers_sent_error()
        self._body = body
        if self.started:
            self._write_rest()
        self.ended = True
        self._request_when_ended = self.req.url, self.req.base_url, self.req.params, self.req.app

    def to_wsgi(self, final_handler: Callable[[Any], None]) -> Iterable[bytes]:
        """Start the response, unless ``write`` did, and return its body to the WSGI server (PEP 3333).

        A complete body is a tuple of one, which a server can send together with the header fields; with a listener of
        ``finish`` or ``close`` it is an ``ObservedBody``. What fails before the response is started, as an
        ``on_headers`` listener may, goes to ``final_handler``, which responds anew. An error after that is raised.
        """
        if self.error_after_start is not None:
            self.emit("close")
            raise self.error_after_start
        is_complete = isinstance(self._body, bytes)
        if self.ended and (self._on_headers or self._transforms or self._listeners or not is_complete):
            self._restore_request()
        if not self.started:
            try:
                self._start()
            except Exception as error:
                self._start_anew(error, final_handler)
        if not self._allows_body():
            self._close_body()
        body = (self._body,) if isinstance(self._body, bytes) else self._body
        if self._transforms and not isinstance(self._body, bytes):
            body = TransformedBody(body, self._transforms)
        return ObservedBody(body, self._emit_end) if self._listeners else body

    def _start(self) -> None:
        """Call the ``on_headers`` listeners, and hand status and header fields to the WSGI server.

        Every response goes through here, whoever starts it.
        """
        if self.ended and isinstance(self._body, bytes) and self._allows_body():  # also where `end` was called alone
            self._headers["content-length"] = "Content-Length", str(len(self._body))
        transforms = self._transforms
        try:
            while self._on_headers:
                self._call_last_listener()
            code = self._status_code
            if code < 200:
                raise ValueError(f"status {code} ends no response: clients would wait for the next. Use 200 or above")
        except BaseException:
            self._drop_transforms_of_listeners(transforms)
            raise
        if self._transforms:
            self._transform_complete_body()
        # RFC 9110 section 8.6; and of a Transfer-Encoding, the server decides.
        if code == 204 or "transfer-encoding" in self._headers:
            self.remove_header("Content-Length", "Transfer-Encoding")
        self._write = self._start_response(status_line(code, self._status_message), self._headers.lines())
        self.started = True

    @property
    def headers_sent(self) -> bool:
        """Return whether it is too late for another response: this one is ended or started.

        As Node's, it is true as soon as ``send`` has returned, so that an error handler can leave the response alone
        (``if res.headers_sent: return next(err)``). The fields of one that is ended may still be changed until it is
        ``started``.
        """
        return self.ended or self.started

    # Building: status and header fields

    @property
    def status_code(self) -> int:
        """The status, at first 200. Raises ``TypeError`` for no integer, ``ValueError`` for one not from 100 to 999."""
        return self._status_code

    @status_code.setter
    def status_code(self, code: int) -> None:
        check_status(code)
        self._status_code = int(code)  # an HTTPStatus is one, too

    @property
    def status_message(self) -> str | None:
        """The reason phrase, ``None`` for the standard one. Raises ``TypeError`` or ``ValueError`` for what is none."""
        return self._status_message

    @status_message.setter
    def status_message(self, message: str | None) -> None:
        if message is not None and not isinstance(message, str):
            raise TypeError(f"res.status_message is a str or None, not {message!r}")
        if message and not HEADER_TEXT.fullmatch(message):
            raise ValueError(f"Invalid character in statusMessage: {message!r}. A phrase is Latin-1 without controls")
        self._status_message = message and str.__str__(message)

    def write_head(
        self,
        status: int,
        message: str | Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> Self:
        """``write_head(status, [message], [headers])``: set all of them, as Node's ``writeHead``."""
        self._ensure_not_sent()
        if isinstance(message, Mapping):
            message, headers = None, message
        self.status_code = status
        if message is not None:
            self.status_message = message
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        return self

    def get_header(self, field: str) -> Any:
        """Return a header field: a str, a list of str for several lines, or ``None``."""
        return self._headers.value(field)

    def has_header(self, name: str) -> bool:
        """Return whether a header field is set."""
        return name.lower() in self._headers

    def get_headers(self) -> dict[str, str | list[str]]:
        """Return a copy of all header fields, by their names in lower case."""
        return {name: self.get_header(name) for name in self._headers}

    def get_header_names(self) -> list[str]:
        """Return the names of the header fields that are set, in lower case."""
        return list(self._headers)

    def set_header(self, name: str, value: Any) -> Self:
        """Set a header field to just this, as Node's ``setHeader``; a list makes as many lines.

        Raises ``TypeError`` and ``ValueError`` for what no header field may be.
        """
        if self.started:
            raise self._headers_sent_error()
        self._headers.set(name, value)
        return self

    def remove_header(self, *names: str) -> Self:
        """Remove header fields, set or not. Raises ``RuntimeError`` when they are sent."""
        if self.started:
            raise self._headers_sent_error()
        for name in names:
            self._headers.remove(name)
        return self

    # Starting early: a body in pieces

    def write(self, chunk: str | bytes) -> None:
        """Send ``chunk`` now, starting the response. Raises ``TypeError`` for no str or bytes.

        Once the client has left it raises what the WSGI server does, mostly an ``OSError``. That ends the handler, and
        is no error of the application's: no error handler is called, since nothing can be sent any more.
        """
        if not isinstance(chunk, CHUNK_TYPES):
            raise TypeError(f"res.write() takes a str or bytes, not {chunk!r}: make it one, or use res.json()")
        if self.ended:
            raise self._headers_sent_error()
        if not self.started:
            self._start()
        self._send_piece(lambda: transformed(to_bytes(chunk), False, self._transforms))

    def _send_piece(self, chunk: Callable[[], bytes]) -> None:
        """Send ``chunk()`` as a piece of the started response, which is aborted where that fails."""
        if self._allows_body():
            try:
                self._write(chunk())
            except Exception as error:
                self.error_after_start = error
                raise

    def _write_rest(self) -> None:
        """Write the body of a response that ``write`` has started."""
        body = self._body
        try:
            for piece in (body,) if isinstance(body, bytes) else body:
                if not isinstance(piece, BINARY_TYPES):
                    raise no_body_error(piece)
                if piece:
                    self.write(piece)
            if self._transforms:
                self._send_piece(lambda: transformed(b"", True, self._transforms))
        finally:
            self._close_body()

    def flush(self) -> None:
        """Send at once what the transforms of ``transform_body`` hold back (npm compression 1.8)."""
        if self.started and not self.ended and self._transforms:
            self._send_piece(lambda: flushed(self._transforms))

    def flush_headers(self) -> None:
        """Start the response; the WSGI server sends its header fields with the first chunk of the body (PEP 3333)."""
        if not self.ended and not self.started:
            self._start()

    # Middleware: what it does to a response on its way out

    def on_headers(self, listener: Listener) -> Self:
        """Call ``listener()`` just before the header fields are sent, the one added last first (npm on-headers 1.1)."""
        _check_listener("res.on_headers()", listener)
        self._on_headers.append((listener, len(self._transforms)))
        return self

    def _call_last_listener(self) -> None:
        """Call the ``on_headers`` listener that was added last. A transform that it adds has its place."""
        listener, place = self._on_headers.pop()
        behind, self._transforms = self._transforms[place:], self._transforms[:place]
        try:
            listener()
        finally:
            self._transforms += behind

    def transform_body(self, transform: BodyTransform) -> Self:
        """Send what ``transform(chunk, is_last)`` returns instead of each piece of the body, however that is given.

        ``chunk`` and what is returned are bytes. ``is_last`` is true once, in the last call, whose chunk may be empty.
        A transform with a method ``flush() -> bytes`` may hold back what it is given until ``res.flush()``.

        It may be added until the header fields are sent. A complete body gets the Content-Length of what is sent, any
        other none; ETag stays as it is. There is no call where no body is sent: HEAD, 204 and 304. The error page is
        transformed, too, and has no Content-Encoding that was set before: so set it in an ``on_headers`` listener.

        Of several transforms, the last one sees the handler's bytes first, as where middleware wraps ``res.end`` in
        Node. One that an ``on_headers`` listener adds has the place of the middleware which added the listener, and is
        dropped where a listener fails. What a transform raises is answered by the error page, which no transform sees,
        or aborts a started response. Raises ``RuntimeError`` once it is started, ``TypeError`` for no such function.
        """
        taker, parameters = "res.transform_body()", "(chunk, is_last) -> bytes"
        if fit_callback(transform, taker, parameters) is not transform:
            raise TypeError(f"{taker} takes a function {parameters}, not {transform!r}")
        if self.started:
            raise self._headers_sent_error()
        self._transforms += (transform,)
        return self

    def _transform_complete_body(self) -> None:
        """Transform a body that is complete, once and for all: where that fails, its transforms are half used."""
        self.remove_header("Content-Length")
        if self.ended and isinstance(self._body, bytes) and self._allows_body():
            transforms, self._transforms = self._transforms, ()
            self._body = transformed(self._body, True, transforms)
            self._headers["content-length"] = "Content-Length", str(len(self._body))

    def _drop_transforms_of_listeners(self, others: tuple[BodyTransform, ...]) -> None:
        """Keep ``others`` alone, without the Content-Encoding that a listener has set for its transform."""
        if self._transforms != others:
            self._transforms = others
            self.remove_header("Content-Encoding")

    def on(self, event: str, listener: Listener) -> Self:
        """Call ``listener()`` on ``finish``, when the WSGI server has sent all, or ``close``: then, or on an abort."""
        if event not in ("finish", "close"):
            raise ValueError(f"a response tells of 'finish' and 'close', not of {event!r}")
        _check_listener(f"res.on({event!r}, …)", listener)
        self._listeners.setdefault(event, []).append(listener)
        return self

    once = on

    def emit(self, event: str) -> None:
        """Call the listeners of ``event``, once and for all; what they raise is logged."""
        for listener in self._listeners.pop(event, ()):
            try:
                listener()
            except Exception as error:
                message = "a listener of res.on(%r) failed: %s %s"
                log.error(message, event, self.req.method, self.req.original_url, exc_info=printable(error))

    def _emit_end(self, is_finished: bool) -> None:
        if is_finished:
            self.emit("finish")
        self.emit("close")

    # Failing, and the end of a body

    def _start_anew(self, error: Exception, final_handler: Callable[[Any], None]) -> None:
        """Have the final handler respond to an error, and start that. A listener that failed is not called again."""
        is_next_to_fail = self._on_headers or self._transforms
        self.reset()
        final_handler(error)
        try:
            self._start()
        except Exception as next_error:
            if not is_next_to_fail:
                raise
            self._start_anew(next_error, final_handler)

    def reset(self) -> Self:
        """Take back what was ended, so that the final handler can respond anew; not what was started."""
        self.ended = False
        self._close_body()
        if self.started:
            return self
        self.status_code, self.status_message = 200, None
        of_the_body = ("etag", "last-modified", "location", "transfer-encoding")
        return self.remove_header(*[n for n in self._headers if n in of_the_body or n.startswith("content-")])

    def _restore_request(self) -> None:
        """Set the request back to what it was when the response was ended: listeners and a generated body see that."""
        self.req.url, self.req.base_url, self.req.params, app = self._request_when_ended
        app.adopt(self.req)

    def _close_body(self) -> None:
        close = getattr(self._body, "close", None)
        self._body = b""
        if close:
            close()

    def _allows_body(self) -> bool:
        return self._status_code not in (204, 304) and self.req.environ["REQUEST_METHOD"] != "HEAD"

    def _ensure_not_sent(self) -> None:
        """Raise ``RuntimeError`` when it is too late for another response."""
        if self.ended or self.started:
            raise self._headers_sent_error()

    def _headers_sent_error(self) -> RuntimeError:
        how = "was ended already" if self.ended else "was started already"
        request = f"{self.req.method} {self.req.original_url}"
        return RuntimeError(f"Cannot set headers after they are sent to the client: the response to {request} {how}")


def _check_listener(taker: str, listener: Any) -> None:
    if not callable(listener) or count_parameters(listener, 0):
        raise TypeError(f"{taker} takes a function without parameters, not {listener!r}")
