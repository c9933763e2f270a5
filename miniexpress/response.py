"""A response: its status and header fields, and what it is sent with. After Express 5.3's ``lib/response.js``, and Node
20's ``ServerResponse``.

    building ── send, json, end … ──> ended ── to_wsgi: the middleware stack is done ──> started
    building ── write ──> started ── write … end ──> ended

A response is *ended* when all that is to be sent is known; it is *started* when its header fields are sent. So
middleware may still change the header fields, and the body, of a response that is ended.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from numbers import Number
from os import PathLike, fspath
from os.path import abspath, basename, splitext
from typing import TYPE_CHECKING, Any, Self

from .arguments import count_parameters, fit_callback, flatten
from .attrdict import AttrDict
from .camel_case import SnakeCaseNames
from .errors import HTTPError, printable, reason_phrase
from .files.file_finder import File, IsDirectory
from .files.send import Conditions, FileChunks, FileSender, open_file
from .http import cookies
from .http.encoding import encode_uri_component, encode_url, escape_html, utf8
from .http.headers import HEADER_TEXT, content_disposition, vary
from .http.json_text import jsonp_script, stringify, undefined
from .http.media_types import content_type, lookup, set_charset
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
from .http.response_headers import ResponseHeaders, check_status, check_text, field_text
from .keyword_options import suggests_keywords, suggests_keywords_of

if TYPE_CHECKING:
    from .request import Request

log = logging.getLogger("miniexpress")

Milliseconds = int | float | timedelta
_NODE_NAMES = {"appendHeader": "append", "setHeaders": "set", "sendfile": "send_file", "writableEnded": "ended"}


class Response(SnakeCaseNames, also=_NODE_NAMES):
    """The response to one request.

    ``req``, ``app``; ``locals`` is what views see. ``ended`` and ``started`` say how far it is. Setters return the
    response, for chaining. Methods that end it return ``None``, and raise ``RuntimeError`` when it is ended already.

    They call one another as Express's do, so that middleware may put others in their place: ``json``, ``jsonp``,
    ``render`` and ``send_status`` call ``send``, which calls ``end``, as ``redirect`` does; what describes the body is
    set by ``set``, and that calls ``set_header``.
    """

    error_after_start: BaseException | None
    """An error after the response was started, for which the server aborts the connection."""
    _on_headers: list[tuple[Callable[[], Any], int]]
    """The listeners, each with the number of transforms that were added before it."""
    _transforms: tuple[BodyTransform, ...]
    """In the order of the middleware that added them. The last one sees the body first."""
    _request_when_ended: tuple[str, str, AttrDict, Any]
    _write: Callable[[bytes], Any]

    def __init__(self, req: Request, start_response: Callable[..., Any]) -> None:
        self.req = req
        self.ended = self.started = False
        self.error_after_start = None
        self._status_code = 200
        self._status_message: str | None = None
        self._headers = ResponseHeaders()
        self._body: bytes | Iterable[bytes] = b""
        self._transforms = ()
        self._on_headers = []
        self._listeners: dict[str, list[Callable[[], Any]]] = {}
        self._start_response = start_response

    # The life of a response: building, until a method ends it; then to_wsgi starts it

    def end(self, chunk: str | bytes | Iterable[bytes] | AsyncIterable[bytes] | None = None) -> None:
        """End the response with nothing but ``chunk``, or end what ``write`` started.

        An iterable of bytes, async or not, is read while it is sent, and closed where it has a ``close()`` or an
        ``aclose()``; its Content-Length, where it is known, is to be set before. Raises ``TypeError`` for what is no
        body.
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

        What fails before it is started, as an ``on_headers`` listener may, goes to ``final_handler``, which responds
        anew. An error after that is raised, for the server to abort the connection.
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
        """Call the ``on_headers`` listeners, and hand status and header fields to the WSGI server."""
        if self.ended and isinstance(self._body, bytes) and self._allows_body():
            self._headers.set_unchecked("Content-Length", str(len(self._body)))
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
        status = f"{code} {self._status_message or reason_phrase(code) or 'unknown'}"
        self._write = self._start_response(status, self._headers.lines())
        self.started = True

    @property
    def app(self) -> Any:
        """The app whose handler the request is in."""
        return self.req.app

    @cached_property
    def locals(self) -> AttrDict:
        """The variables of this response's views, over ``app.locals``."""
        return AttrDict()

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

    def status(self, code: int) -> Self:
        """Set ``status_code``. Raises ``RuntimeError`` when the response is ended already."""
        if self.ended:
            raise self._headers_sent_error()
        self.status_code = code
        return self

    def write_head(
        self,
        status: int,
        message: str | Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> Self:
        """``write_head(status, [message], [headers])``: set all of them, as Node's ``writeHead``."""
        if self.ended or self.started:
            raise self._headers_sent_error()
        if isinstance(message, Mapping):
            message, headers = None, message
        self.status(status)
        if message is not None:
            self.status_message = message
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        return self

    def set(self, field: str | Mapping[str, Any], value: Any = None) -> Self:
        """Set a header field, or all of a dict; a Content-Type gets its charset where one belongs to it.

        A list makes as many lines. Raises ``TypeError`` and ``ValueError`` for what no header may hold.
        """
        if isinstance(field, Mapping):
            for name, each in field.items():
                self.set(name, each)
            return self
        check_text("res.set()", field, "the name of a header field, or a dict of them")
        if field.lower() == "content-type":
            if isinstance(value, (list, tuple)):
                raise TypeError("Content-Type cannot be set to a list: give it one type")
            given, value = value, content_type(field_text(value))
            if not value:
                raise TypeError(f"Content-Type cannot be {given!r}: give it a type like 'text/html'")
        return self.set_header(field, value)

    header = set

    def get(self, field: str) -> Any:
        """Return a header field: a str, a list of str for several lines, or ``None``."""
        return self._headers.value(field)

    get_header = get

    def has_header(self, name: str) -> bool:
        """Return whether a header field is set."""
        return name.lower() in self._headers

    def get_headers(self) -> dict[str, str | list[str]]:
        """A copy of all header fields by their names in lower case."""
        return {name: self.get(name) for name in self._headers}

    def get_header_names(self) -> list[str]:
        """The names of the header fields that are set, in lower case."""
        return list(self._headers)

    def set_header(self, name: str, value: Any) -> Self:
        """Set a header field to just this, as Node's ``setHeader``; a list makes as many lines.

        Raises ``TypeError`` and ``ValueError`` for what no header field may be.
        """
        if self.started:
            raise self._headers_sent_error()
        self._headers.set(name, value)
        return self

    @property
    def _set_known(self) -> Callable[[str, str], Any]:
        """Return the function that sets a field whose value is known to be right: unchecked, which is faster, or
        ``set`` where the app or middleware has replaced that or ``set_header``, to see all that is set."""
        if getattr(self.set, "__func__", None) is _SET and getattr(self.set_header, "__func__", None) is _SET_HEADER:
            return self._headers.set_unchecked
        return self.set

    def remove_header(self, *names: str) -> Self:
        """Remove header fields, set or not. Raises ``RuntimeError`` when they are sent."""
        if self.started:
            raise self._headers_sent_error()
        for name in names:
            self._headers.remove(name)
        return self

    def append(self, field: str, value: Any) -> Self:
        """Add a value, or a list of them, to what a header field has."""
        before = self.get(field)
        return self.set(field, flatten([before, value]) if before else value)

    def type(self, type: str) -> Self:
        """Set Content-Type, from a type or from a file extension: ``html``, ``.png``, ``application/json``."""
        check_text("res.type()", type, "a media type or an extension, like 'text/html' or 'png'")
        return self.set("Content-Type", type if "/" in type else content_type(type) or "application/octet-stream")

    content_type = type

    def vary(self, field: str | Sequence[str]) -> Self:
        """Add to Vary what is not in it yet: names with commas between them, or a list. Raises ``TypeError``."""
        value = vary(", ".join(flatten([self.get("Vary") or ""])), field)
        return self.set_header("Vary", value) if value else self

    def location(self, url: str) -> Self:
        """Set Location, percent-encoded where it must be (npm encodeurl 2). Raises ``TypeError`` for no text."""
        check_text("res.location()", url, "a URL as a str")
        return self.set("Location", encode_url(url))

    def links(self, links: Mapping[str, str | Sequence[str]]) -> Self:
        """Add to Link: ``{"next": url, "pages": [url, url]}`` (RFC 8288). Raises ``TypeError`` for no dict."""
        if not isinstance(links, Mapping):
            raise TypeError(f'res.links() takes a dict like {{"next": url}}, not {links!r}')
        before = ",".join(flatten([self.get("Link") or []]))  # so does JavaScript join several
        new = [f'<{url}>; rel="{relation}"' for relation, urls in links.items() for url in flatten([urls])]
        return self.set("Link", ", ".join([before, *new] if before else new))

    @partial(suggests_keywords, title="res.cookie")
    def cookie(
        self,
        name: str,
        value: Any,
        *,
        domain: str | None = None,
        encode: Callable[[str], str] = encode_uri_component,
        expires: datetime | None = None,
        http_only: bool = False,
        max_age: Milliseconds | None = None,
        partitioned: bool = False,
        path: str | None = "/",
        priority: str | None = None,
        same_site: str | bool | None = None,
        secure: bool = False,
        signed: bool = False,
    ) -> Self:
        """Set a cookie, with the options of npm cookie 0.7; ``max_age`` is in milliseconds. What is neither a str nor a
        number is sent as JSON, as ``res.json`` writes it.

        ``signed`` needs ``req.secret``. Raises ``TypeError`` for another option, and for what no cookie may hold.
        """
        text = field_text(value) if isinstance(value, (str, Number)) else f"j:{stringify(value)}"
        if signed:
            if not self.req.secret:
                raise TypeError("res.cookie(signed=True) needs a secret: set req.secret in a middleware before it")
            secret = self.req.secret
            text = f"s:{cookies.sign(text, secret if isinstance(secret, str | bytes) else secret[0])}"
        seconds = None
        if max_age is not None:
            seconds, expires = cookies.lifetime(max_age)
        line = cookies.serialize(
            name,
            text,
            domain=domain,
            encode=encode,
            expires=expires,
            http_only=http_only,
            max_age=seconds,
            partitioned=partitioned,
            path="/" if path is None else path,
            priority=priority,
            same_site=same_site,
            secure=secure,
        )
        return self.append("Set-Cookie", line)

    @suggests_keywords_of(cookie, "res.clear_cookie")
    def clear_cookie(self, name: str, **options: Any) -> Self:
        """Make the client drop a cookie; ``path`` and ``domain`` must be those that it was set with."""
        return self.cookie(name, "", **{**options, "max_age": None, "expires": datetime.fromtimestamp(0.001, UTC)})

    # Ending: what a handler responds with

    def send(self, body: Any = undefined) -> None:
        """Send ``body``: str as HTML, bytes as they are, ``None`` as nothing, all else as JSON.

        Sets Content-Type where there is none, Content-Length and ETag, and turns a 200 into a 304 when the client's
        copy is fresh.
        """
        if self.ended or self.started:
            raise self._headers_sent_error()
        if isinstance(body, str):
            type = self.get("Content-Type")
            self._send(utf8(body), set_charset(type, "utf-8") if type else "text/html; charset=utf-8")
        elif isinstance(body, BINARY_TYPES):
            self._send(bytes(body), None if self.get("Content-Type") else "application/octet-stream")
        elif body is None:
            self._send(b"", None)
        elif body is undefined:
            self._send(None, None)
        else:
            self.json(body)

    def json(self, value: Any) -> None:
        """Send ``value`` as JSON, as ``JSON.stringify`` writes it, by the settings ``json spaces``, ``json
        replacer`` and ``json escape``."""
        if self.ended or self.started:
            raise self._headers_sent_error()
        text = self._stringify(value)
        if not self.get("Content-Type"):
            self._set_known("Content-Type", "application/json; charset=utf-8")
        self.send(text or undefined)

    def _stringify(self, value: Any) -> str:
        setting = self.app.set
        return stringify(value, setting("json replacer"), setting("json spaces"), setting("json escape"))

    def _send(self, body: bytes | None, content_type: str | None) -> None:
        """End with ``body``, and set the header fields that describe it."""
        headers, req, set_field = self._headers, self.req, self._set_known
        if content_type:
            set_field("Content-Type", content_type)
        if body is not None:
            if "transfer-encoding" not in headers:
                set_field("Content-Length", str(len(body)))
            etag = req.app.set("etag fn")
            if etag and ("etag" not in headers or not headers.value("ETag")) and (tag := etag(body)):
                set_field("ETag", tag)
        if req.fresh:
            self.status(304)
        if self._status_code in (204, 304):
            self.remove_header("Content-Type", "Content-Length", "Transfer-Encoding")
            body = None
        elif self._status_code == 205:
            set_field("Content-Length", "0")
            self.remove_header("Transfer-Encoding")
            body = None
        if req.method == "HEAD":
            self.end()
        else:
            self.end(body or b"")

    def jsonp(self, value: Any) -> None:
        """Send ``value`` as JSON, or, where the query names a callback, as a script that calls it."""
        if self.ended or self.started:
            raise self._headers_sent_error()
        text = self._stringify(value)
        query = self.req.query
        callback = query.get(self.app.set("jsonp callback name")) if isinstance(query, dict) else None
        callback = callback[0] if callback and isinstance(callback, list) else callback
        if not self.get("Content-Type"):
            self.set("X-Content-Type-Options", "nosniff")
            self.set("Content-Type", "application/json")
        if callback and isinstance(callback, str):
            self.set("X-Content-Type-Options", "nosniff")
            self.set("Content-Type", "text/javascript")
            text = jsonp_script(callback, text)
        self.send(text or undefined)

    def send_status(self, status: int) -> None:
        """Send ``status`` and its phrase as text."""
        self.status(status).type("txt").send(reason_phrase(status) or str(status))

    def redirect(self, status_or_url: int | str, url: str | None = None, /) -> None:
        """``redirect(url)`` or ``redirect(status, url)``: send a Location, with 302 or another status."""
        status, address = (302, status_or_url) if url is None else (status_or_url, url)
        if not isinstance(address, str) or not isinstance(status, int):
            raise TypeError(f"res.redirect() takes a URL, or a status and a URL, not {status_or_url!r}, {url!r}")
        if self.ended or self.started:
            raise self._headers_sent_error()
        location = self.location(address).get("Location")
        phrase = reason_phrase(status)
        body = ""

        def as_text() -> None:
            nonlocal body
            body = f"{phrase}. Redirecting to {location}"

        def as_html() -> None:
            nonlocal body
            head = f"<!DOCTYPE html><head><title>{phrase}</title></head>"
            body = f"{head}<body><p>{phrase}. Redirecting to {escape_html(location)}</p></body>"

        self.format({"text": as_text, "html": as_html, "default": lambda: None})
        self.status(status).set("Content-Length", len(body.encode()))
        if self.req.method == "HEAD":
            self.end()
        else:
            self.end(body)

    def format(self, formats: Mapping[str, Callable[..., Any]]) -> Self:
        """Call the one of ``formats`` (``{"html": fn, "json": fn, "default": fn}``) that suits the client best.

        ``fn`` takes as much of ``(req, res, next)`` as it wants. Raises ``HTTPError`` 406 where none suits and there
        is no default.
        """
        offered = [name for name in formats if name != "default"]
        chosen: str | None = (offered and self.req.accepts(offered)) or None
        self.vary("Accept")
        if chosen:
            self.set("Content-Type", _media_type(chosen))
        elif "default" not in formats:
            raise HTTPError(406, types=[_media_type(name) for name in offered])
        respond = formats[chosen or "default"]
        respond(*(self.req, self, self.req.next)[: count_parameters(respond, 3)])
        return self

    def render(self, view: str, options: Mapping[str, Any] | None = None, /, **variables: Any) -> None:
        """Send the view ``view``, rendered with ``options`` and keywords over ``res.locals`` and ``app.locals``."""
        if self.ended or self.started:
            raise self._headers_sent_error()
        self.send(self.app.render(view, {**self.locals, **(options or {}), **variables}))

    @suggests_keywords_of(open_file, "res.send_file")
    def send_file(self, path: str | PathLike[str], **options: Any) -> None:
        """Send a file. ``path`` is absolute, or below ``root``; all options are those of ``files.send.open_file``.

        A folder goes on to the next handler; what else cannot be sent is an ``HTTPError``.
        """
        try:
            file, sender = open_file(path, self.app.enabled("etag"), **options)
        except IsDirectory:
            self.req.next()
        else:
            self.apply(file, sender)

    def apply(self, file: File, sender: FileSender) -> None:
        """End the response with an open file, which is closed whatever fails. Raises ``HTTPError`` 412 and 416."""
        body: bytes | FileChunks = b""
        try:
            if self.headers_sent:
                raise RuntimeError(f"{file.path} cannot be sent: the response is ended already")
            if sender.set_headers:
                sender.set_headers(self, file.path, file.stat)
            response = sender.build(file, Conditions(self.req.method, self._status_code, self.req.get, self.get))
            set_field = self._set_known
            for name, value in response.headers.items():
                set_field(name, value)
            self.remove_header(*response.removed_headers)
            if response.error:
                raise response.error
            self.status_code = response.status
            self.end(response.body)
            body = response.body
        finally:
            if isinstance(body, bytes):
                file.handle.close()

    @suggests_keywords_of(open_file, "res.download")
    def download(self, path: str | PathLike[str], filename: str | None = None, **options: Any) -> None:
        """Send a file that the client is to save as ``filename``; options as for ``send_file``."""
        given = options.pop("headers", None) or {}
        headers = {"Content-Disposition": content_disposition(_file_name(filename or path))}
        headers.update({name: given[name] for name in given if name.lower() != "content-disposition"})
        self.send_file(path if options.get("root") else abspath(path), headers=headers, **options)

    def attachment(self, filename: str | PathLike[str] | None = None) -> Self:
        """Have the client save the response, as ``filename`` (RFC 6266), whose type it gets."""
        name = None if filename is None else _file_name(filename)
        if name:
            self.type(splitext(name)[1])
        return self.set_header("Content-Disposition", content_disposition(name))

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

    def on_headers(self, listener: Callable[[], Any]) -> Self:
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
        A transform with a method ``flush() -> bytes`` may hold back what it is given until ``res.flush()``::

            compressor = zlib.compressobj()

            def deflate(chunk: bytes, is_last: bool) -> bytes:
                return compressor.compress(chunk) + (compressor.flush() if is_last else b"")

        It may be added until the header fields are sent. A complete body gets the Content-Length of what is sent, any
        other none; ETag stays as it is. There is no call where no body is sent: HEAD, 204 and 304. The error page is
        transformed, too, and has no Content-Encoding that was set before: so set it in an ``on_headers`` listener.

        Of several transforms, the one of the middleware that was added last sees the handler's bytes first, as where
        middleware wraps ``res.write`` and ``res.end`` in Node. One that an ``on_headers`` listener adds has the place
        of the middleware which added the listener, and is dropped where a listener fails. What a transform raises is
        answered by the error page, which no transform sees, or aborts the connection where the response was started.
        Raises ``RuntimeError`` once it is started, ``TypeError`` for what is no such function.
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
            self._headers.set_unchecked("Content-Length", str(len(self._body)))

    def _drop_transforms_of_listeners(self, others: tuple[BodyTransform, ...]) -> None:
        """Keep ``others`` alone, without the Content-Encoding that a listener has set for its transform."""
        if self._transforms != others:
            self._transforms = others
            self.remove_header("Content-Encoding")

    def on(self, event: str, listener: Callable[[], Any]) -> Self:
        """Call ``listener()`` on ``finish``, when the WSGI server has sent all, or on ``close``, which is then or when
        the response was aborted. Raises ``ValueError`` for another event, ``TypeError`` for no function."""
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
        """Set the request back to what the handler saw that ended the response: listeners and a generated body read
        it later, when the mounts have been left."""
        self.req.url, self.req.base_url, self.req.params, app = self._request_when_ended
        app.adopt(self.req)

    def _close_body(self) -> None:
        close = getattr(self._body, "close", None)
        self._body = b""
        if close:
            close()

    def _allows_body(self) -> bool:
        return self.req.environ["REQUEST_METHOD"] != "HEAD" and self._status_code not in (204, 304)

    def _headers_sent_error(self) -> RuntimeError:
        how = "was ended already" if self.ended else "was started already"
        request = f"{self.req.method} {self.req.original_url}"
        return RuntimeError(f"Cannot set headers after they are sent to the client: the response to {request} {how}")


_SET, _SET_HEADER = Response.set, Response.set_header


def _check_listener(taker: str, listener: Any) -> None:
    if not callable(listener) or count_parameters(listener, 0):
        raise TypeError(f"{taker} takes a function without parameters, not {listener!r}")


def _file_name(path: str | PathLike[str]) -> str:
    return basename(fspath(path).rstrip("/"))


def _media_type(name: str) -> str:
    """Return the media type that a key of ``res.format`` stands for."""
    return name.partition(";")[0].strip() if "/" in name else lookup(name) or "application/octet-stream"
