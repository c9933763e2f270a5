"""A request, as handlers see it. After Express 5.3's ``lib/request.js``."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from .attrdict import AttrDict, to_attrdict
from .http import accept, conditional, cookies, ranges
from .http.media_types import is_type
from .http.proxy_addr import addresses
from .http.request_headers import Headers, from_environ, read_field, with_headers
from .http.request_target import rebuild_target, split_mount, split_target
from .settings import AppSettings
from .usage.arguments import flatten
from .usage.camel_case import SnakeCaseNames

# The names that Flask, Django, FastAPI and Express 4 have for these members.
_NAMES_ELSEWHERE = {
    "COOKIES": "cookies",
    "GET": "query",
    "POST": "body",
    "acceptsCharset": "accepts_charsets",
    "acceptsEncoding": "accepts_encodings",
    "acceptsLanguage": "accepts_languages",
    "args": "query",
    "form": "body",
    "get_json": "body",
    "json": "body",
    "param": "params",
    "path_params": "params",
    "query_params": "query",
    "remote_addr": "ip",
    "view_args": "params",
}


class Request(SnakeCaseNames, also={"sessionID": "session_id"}, elsewhere=_NAMES_ELSEWHERE):
    """One HTTP request. Middleware may hang attributes of its own on it: ``req.user = …``.

    ``method``, ``url`` (what is left of it inside a mount), ``base_url`` (what is not), ``original_url``; ``params``;
    ``body`` once a parser has run, else ``None``; ``route``; ``app`` and ``res``; ``environ`` is WSGI's (PEP 3333).
    ``session``, ``session_id`` and ``session_store`` are there once the session middleware has run, else ``None``.
    """

    original_url: str
    base_url: str
    res: Any
    """Its ``Response``, until all of that is handed to the WSGI server."""
    body: Any = None
    file: Any = None
    files: Any = None
    body_consumed = False
    route: Any = None
    """The ``Route`` that was matched last."""
    next: Callable[..., None]
    """Continue behind the handler that the request is in."""
    session: Any = None
    session_id: Any = None
    session_store: Any = None
    secret: str | bytes | Sequence[str | bytes] | None = None
    """The secret of signed cookies; of a list the first signs, and all are accepted."""
    next_calls: int
    """The number of calls of ``next``, by which a handler that returns without one is found out."""
    trail: list[tuple[Any, str]] | None
    """In development, each layer that was called, with ``base_url`` then: for the error page."""
    _headers: Headers | None

    def __init__(self, environ: dict[str, Any], app: AppSettings) -> None:
        self.environ = environ
        self.app: Any = app
        self.method: str = environ["REQUEST_METHOD"]
        self.original_url = environ.get("REQUEST_URI") or environ.get("RAW_URI") or rebuild_target(environ)
        self.base_url, self.url = "", self.original_url
        if mount := environ.get("SCRIPT_NAME"):
            self.base_url, self.url = split_mount(mount.rstrip("/"), self.original_url, environ)
        self.params = AttrDict()
        self.next_calls, self.trail, self._headers = 0, None, None

    if TYPE_CHECKING:  # middleware may set any attribute

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def get(self, name: str) -> str | None:
        """Return the header field ``name``, in any case, or ``None``. ``Referer`` and ``Referrer`` are one."""
        if not isinstance(name, str) or not name:
            raise TypeError(f"req.get() takes the name of a header, not {name!r}")
        key = name.lower()
        if key in ("referer", "referrer"):
            return self._field("referrer") or self._field("referer")
        return self._field(key)

    header = get

    @property
    def headers(self) -> Headers:
        """All header fields, by their names in any case.

        What middleware changes, adds or deletes here counts for all that reads them: ``get``, ``accepts``, ``ip``,
        ``fresh``, body parsers … ``environ`` keeps what the server was sent.
        """
        if self._headers is None:
            self._headers = from_environ(self.environ)
        return self._headers

    @headers.setter
    def headers(self, fields: Mapping[str, str]) -> None:
        self._headers = Headers(fields)

    def _field(self, name: str) -> str | None:
        """Return the header field ``name``, in lower case. Most requests need no dict of all."""
        return read_field(self.environ, name) if self._headers is None else self._headers.get(name)

    def environ_with_headers(self) -> dict[str, Any]:
        """Return ``environ`` with the header fields as they are now."""
        return self.environ if self._headers is None else with_headers(self.environ, self._headers)

    @property
    def path(self) -> str:
        """The path of ``url``, percent-encoded as it came."""
        return split_target(self.url)[0]

    @property
    def original_path(self) -> str:
        """The path of ``original_url``."""
        return split_target(self.original_url)[0]

    @property
    def query(self) -> Any:
        """The query string, parsed as the setting ``query parser`` says; read anew from ``url`` at each access."""
        parse = self.app._setting("query parser fn")
        return to_attrdict(parse(split_target(self.url)[1])) if parse else AttrDict()

    @cached_property
    def cookies(self) -> AttrDict:
        """The request's cookies, but for signed ones where there is a ``secret``. As npm cookie-parser 1.4.

        A value that begins with ``j:`` is read as JSON.
        """
        return AttrDict({name: cookies.read_json(value) for name, value in self._cookie_texts[0].items()})

    @cached_property
    def signed_cookies(self) -> AttrDict:
        """The cookies that ``res.cookie(signed=True)`` has written, by ``secret``; ``False`` where the signature is not
        right. As npm cookie-parser 1.4."""
        return AttrDict({name: cookies.read_json(value) for name, value in self._cookie_texts[1].items()})

    @cached_property
    def _cookie_texts(self) -> tuple[dict[str, str], dict[str, str | Literal[False]]]:
        """The cookies that are not signed, and those that are, without their signature."""
        plain = cookies.parse(self._field("cookie") or "")
        return plain, cookies.take_signed(plain, self.secret) if self.secret else {}

    @property
    def protocol(self) -> str:
        """``http`` or ``https``; from a trusted proxy, what ``X-Forwarded-Proto`` says."""
        protocol: str = self.environ["wsgi.url_scheme"]
        forwarded = self._field("x-forwarded-proto")
        if not forwarded or not self._is_trusted():
            return protocol
        return str(forwarded).partition(",")[0].strip()

    @property
    def secure(self) -> bool:
        """Return whether ``protocol`` is ``https``."""
        return bool(self.protocol == "https")

    @property
    def ip(self) -> str:
        """The address of the client: the farthest one behind proxies that are trusted."""
        return self._forwarded_for()[-1]

    @property
    def ips(self) -> list[str]:
        """The addresses that trusted proxies name, farthest first."""
        return self._forwarded_for()[:0:-1]

    @property
    def host(self) -> str | None:
        """The ``Host`` with its port; from a trusted proxy, what ``X-Forwarded-Host`` says."""
        forwarded = self._field("x-forwarded-host")
        if forwarded and self._is_trusted():
            return str(forwarded).partition(",")[0].rstrip() or None
        return self._field("host") or None

    @property
    def hostname(self) -> str | None:
        """``host`` without its port."""
        host = self.host
        if not host:
            return None
        port = host.find(":", host.find("]") + 1 if host.startswith("[") else 0)
        return host if port == -1 else host[:port]

    @property
    def subdomains(self) -> list[str]:
        """The labels before the domain, nearest to it first; the setting ``subdomain offset`` counts the domain's."""
        hostname = self.hostname
        if not hostname:
            return []
        labels = [hostname] if _is_ip(hostname) else hostname.split(".")[::-1]
        return labels[self.app._setting("subdomain offset") :]

    @property
    def fresh(self) -> bool:
        """Return whether the client's copy is current, by ``If-None-Match`` or ``If-Modified-Since`` (RFC 9110)."""
        environ = self.environ
        if self._headers is None and "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MODIFIED_SINCE" not in environ:
            return False  # most requests have neither, and need not be asked for longer
        if self.method not in ("GET", "HEAD", "QUERY"):
            return False
        res = self.res
        none_match, modified_since = self._field("if-none-match"), self._field("if-modified-since")
        if not (none_match or modified_since) or not (200 <= res.status_code < 300 or res.status_code == 304):
            return False
        cache_control, etag, modified = self._field("cache-control"), res.get("ETag"), res.get("Last-Modified")
        return conditional.is_fresh(none_match, modified_since, cache_control, etag, modified)

    @property
    def stale(self) -> bool:
        """Not ``fresh``."""
        return not self.fresh

    @property
    def xhr(self) -> bool:
        """Return whether ``X-Requested-With`` says ``XMLHttpRequest``."""
        return bool((self._field("x-requested-with") or "").lower() == "xmlhttprequest")

    def accepts(self, *types: str | Sequence[str]) -> Any:
        """Return the best of ``types`` (``'html'``, ``'text/plain'``…) for the client, or ``False``; with none given,
        all that it takes, best first. ``accepts_encodings``, ``accepts_charsets`` and ``accepts_languages`` alike."""
        return accept.TYPES.choose(self._field("accept"), flatten(types))

    def accepts_encodings(self, *encodings: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Encoding."""
        return accept.ENCODINGS.choose(self._field("accept-encoding"), flatten(encodings))

    def accepts_charsets(self, *charsets: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Charset."""
        return accept.CHARSETS.choose(self._field("accept-charset"), flatten(charsets))

    def accepts_languages(self, *languages: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Language."""
        return accept.LANGUAGES.choose(self._field("accept-language"), flatten(languages))

    def is_(self, *types: str | Sequence[str]) -> str | Literal[False] | None:
        """Return which of ``types`` the body is of, ``False`` for none of them, ``None`` where there is no body."""
        return is_type(self.get("Content-Type"), flatten(types)) if self.has_body else None

    @property
    def has_body(self) -> bool:
        """Return whether a body comes with the request, as its framing fields say (RFC 9112 section 6.3)."""
        return (self._field("content-length") or "").isdecimal() or self._field("transfer-encoding") is not None

    def range(self, size: int, combine: bool = False) -> Any:
        """Return the ranges asked for of ``size`` units: a list of ``(first, last)`` with a ``type``; ``None`` for no
        ``Range``, -1 where none can be satisfied, -2 where it is malformed (npm range-parser 1.3)."""
        header = self.get("Range")
        return ranges.parse_range(size, header, combine) if header else None

    def _is_trusted(self) -> bool:
        return bool(self.app._setting("trust proxy fn")(self.environ.get("REMOTE_ADDR", ""), 0))

    def _forwarded_for(self) -> list[str]:
        trust = self.app._setting("trust proxy fn")
        return addresses(self.environ.get("REMOTE_ADDR", ""), self._field("x-forwarded-for"), trust)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
