"""A response, as handlers see it: what they send, and how they set its header fields. After Express 5.3's
``lib/response.js``.

How a response is ended, started and handed to the WSGI server stands in ``server_response``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from numbers import Number
from os import PathLike, fspath
from os.path import abspath, basename, splitext
from typing import Any, Self

from .attrdict import AttrDict
from .errors import HTTPError, reason_phrase
from .files.conditions import Conditions
from .files.file_finder import File, IsDirectory
from .files.send import FileChunks, FileOptions, open_file
from .http import cookies
from .http.encoding import encode_uri_component, encode_url, escape_html, utf8
from .http.headers import content_disposition, vary
from .http.json_text import jsonp_script, stringify, undefined
from .http.media_types import content_type, lookup, set_charset
from .http.response_body import BINARY_TYPES
from .http.response_headers import NO_FIELD, HeaderFields, check_text, field_text
from .keyword_options import suggests_keywords, suggests_keywords_of
from .server_response import ServerResponse
from .usage.arguments import count_parameters, flatten

Milliseconds = int | float | timedelta
_NODE_NAMES = {"appendHeader": "append", "setHeaders": "set", "sendfile": "send_file"}

# The names that Flask, Django and aiohttp have for these members.
_NAMES_ELSEWHERE = {
    "delete_cookie": "clear_cookie",
    "headers": "set",
    "mimetype": "type",
    "send_json": "json",
    "set_cookie": "cookie",
    "set_status": "status",
}


class Response(ServerResponse, also=_NODE_NAMES, elsewhere=_NAMES_ELSEWHERE):
    """The response to one request.

    ``req``, ``app``; ``locals`` is what views see. Setters return the response, for chaining. Methods that end it
    return ``None``, and raise ``RuntimeError`` when it is ended already.

    They call one another as Express's do, so that middleware may put others in their place: ``json``, ``jsonp``,
    ``render`` and ``send_status`` call ``send``, which calls ``end``, as ``redirect`` does; what describes the body is
    set by ``set``, and that calls ``set_header``.
    """

    @property
    def app(self) -> Any:
        """The app whose handler the request is in."""
        return self.req.app

    @cached_property
    def locals(self) -> AttrDict:
        """The variables of this response's views, over ``app.locals``."""
        return AttrDict()

    # What a handler responds with

    def send(self, body: Any = undefined) -> None:
        """Send ``body``: str as HTML, bytes as they are, ``None`` as nothing, all else as JSON.

        Sets Content-Type where there is none, Content-Length and ETag, and turns a 200 into a 304 when the client's
        copy is fresh.
        """
        if self.ended or self.started:
            raise self._headers_sent_error()
        if isinstance(body, str):
            _, type = self._headers.get("content-type", NO_FIELD)
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
        if not self._headers.get("content-type", NO_FIELD)[1]:
            self._set_known({"content-type": ("Content-Type", "application/json; charset=utf-8")})
        self.send(text or undefined)

    def _send(self, body: bytes | None, content_type: str | None) -> None:
        """End with ``body``, and set the header fields that describe it."""
        headers, req = self._headers, self.req
        fields = {"content-type": ("Content-Type", content_type)} if content_type else {}
        try:
            if body is not None:
                if "transfer-encoding" not in headers:
                    fields["content-length"] = ("Content-Length", str(len(body)))
                etag = req.app._setting("etag fn")
                if etag and not headers.get("etag", NO_FIELD)[1] and (tag := etag(body)):
                    fields["etag"] = ("ETag", tag)
        finally:  # as in Express, an error handler finds the fields set where the app's etag function has failed
            self._set_known(fields)
        if req.fresh:
            self.status(304)
        if self._status_code in (204, 304):
            self.remove_header("Content-Type", "Content-Length", "Transfer-Encoding")
            body = None
        elif self._status_code == 205:
            self._set_known({"content-length": ("Content-Length", "0")})
            self.remove_header("Transfer-Encoding")
            body = None
        if req.method == "HEAD":
            self.end()
        else:
            self.end(body or b"")

    def _stringify(self, value: Any) -> str:
        setting = self.req.app._setting
        return stringify(value, setting("json replacer"), setting("json spaces"), setting("json escape"))

    def jsonp(self, value: Any) -> None:
        """Send ``value`` as JSON, or, where the query names a callback, as a script that calls it."""
        self._ensure_not_sent()
        text = self._stringify(value)
        query = self.req.query
        callback = query.get(self.app._setting("jsonp callback name")) if isinstance(query, dict) else None
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
        self._ensure_not_sent()
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
        self._ensure_not_sent()
        self.send(self.app.render(view, {**self.locals, **(options or {}), **variables}))

    @suggests_keywords_of(open_file, "res.send_file")
    def send_file(self, path: str | PathLike[str], **options: Any) -> None:
        """Send a file. ``path`` is absolute, or below ``root``; all options are those of ``files.send.open_file``.

        A folder goes on to the next handler; what else cannot be sent is an ``HTTPError``.
        """
        try:
            file, file_options = open_file(path, self.app.enabled("etag"), **options)
        except IsDirectory:
            self.req.next()
        else:
            self.apply(file, file_options)

    def apply(self, file: File, options: FileOptions) -> None:
        """End the response with an open file, which is closed whatever fails. Raises ``HTTPError`` 412 and 416."""
        body: bytes | FileChunks = b""
        try:
            if self.headers_sent:
                raise RuntimeError(f"{file.path} cannot be sent: the response is ended already")
            if options.set_headers:
                options.set_headers(self, file.path, file.stat)
            response = options.response_for(
                file, Conditions(self.req.method, self._status_code, self.req.get, self.get)
            )
            self._set_known({name.lower(): (name, value) for name, value in response.headers.items()})
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

    # Status and header fields

    def status(self, code: int) -> Self:
        """Set ``status_code``. Raises ``RuntimeError`` when the response is ended already."""
        if self.ended:
            raise self._headers_sent_error()
        self.status_code = code
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

    get = ServerResponse.get_header

    def _set_known(self, fields: HeaderFields) -> None:
        """Set fields whose values are known to be right: unchecked, which is faster, or by ``set`` where the app or
        middleware has replaced that or ``set_header``, to see all that is set."""
        try:
            is_ours = self.set.__func__ is _SET and self.set_header.__func__ is _SET_HEADER  # type: ignore[attr-defined]
        except AttributeError:  # a function that was put on this response
            is_ours = False
        if is_ours:
            self._headers.update(fields)
        else:
            for name, value in fields.values():
                self.set(name, value)

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


_SET, _SET_HEADER = Response.set, Response.set_header


def _file_name(path: str | PathLike[str]) -> str:
    return basename(fspath(path).rstrip("/"))


def _media_type(name: str) -> str:
    """Return the media type that a key of ``res.format`` stands for."""
    return name.partition(";")[0].strip() if "/" in name else lookup(name) or "application/octet-stream"
