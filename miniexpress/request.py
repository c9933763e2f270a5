"""What came in: a request as a handler sees it. After Express 5.3's ``lib/request.js``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, unquote

from .arguments import flat
from .attrdict import AttrDict, to_attrdict
from .http import accept, conditional, cookies, ranges
from .http.json_text import parse as parse_json
from .http.media_types import is_type
from .http.proxy_addr import addresses
from .http.request_headers import Headers, from_environ, read_field, with_headers

if TYPE_CHECKING:
    from .application import App
    from .response import Response
    from .routing.layer import Handler, Next
    from .routing.router import Route


class Request:
    """One HTTP request. Middleware may hang attributes of its own on it: ``req.user = …``.

    ``method``, ``url`` (what is left of it inside a mount), ``base_url`` (what is not), ``original_url``; ``params``;
    ``body`` once a parser has run, else ``None``; ``route``; ``app`` and ``res``; ``environ`` is WSGI's (PEP 3333).
    ``session``, ``session_id`` and ``session_store`` are there once the session middleware has run, else ``None``.
    """

    res: Response
    """Its answer, until all of that is known and on its way."""
    body: Any = None
    body_was_read = False
    route: Route | None = None
    next: Next
    """Goes on behind the layer of the router that the request is in."""
    session: Any = None
    session_id: Any = None
    session_store: Any = None
    secret: str | None = None
    handler: Handler | None = None
    """The handler that was entered last."""
    _headers: Headers | None = None

    def __init__(self, environ: dict[str, Any], app: App) -> None:
        self.environ = environ
        self.app = app
        self.method: str = environ["REQUEST_METHOD"]
        self.original_url: str = environ.get("REQUEST_URI") or environ.get("RAW_URI") or _url_of(environ)
        self.base_url, self.url = "", self.original_url
        if mount := environ.get("SCRIPT_NAME"):
            self.base_url, self.url = _below(mount.rstrip("/"), self.original_url, environ)
        self.params = AttrDict()

    if TYPE_CHECKING:  # what middleware hangs on a request is for it to know

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def get(self, name: str) -> str | None:
        """The header field ``name``, in any case, or ``None``. ``Referer`` and ``Referrer`` are one."""
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
        """The header field ``name``, in lower case. Most requests are answered without a dict of all."""
        return read_field(self.environ, name) if self._headers is None else self._headers.get(name)

    def environ_with_headers(self) -> dict[str, Any]:
        """``environ`` with the header fields as they are now."""
        return self.environ if self._headers is None else with_headers(self.environ, self._headers)

    @property
    def path(self) -> str:
        """The path of ``url``, percent-encoded as it came."""
        return _split_url(self.url)[0]

    @property
    def original_path(self) -> str:
        """The path of ``original_url``."""
        return _split_url(self.original_url)[0]

    @property
    def query(self) -> Any:
        """The query string, parsed as the setting ``query parser`` says; read anew from ``url`` at each access."""
        parse = self.app.set("query parser fn")
        return to_attrdict(parse(_split_url(self.url)[1])) if parse else AttrDict()

    @cached_property
    def cookies(self) -> AttrDict:
        """The request's cookies; a value that begins with ``j:`` is read as JSON, as npm cookie-parser 1.4 does."""
        parsed = cookies.parse(self._field("cookie") or "")
        return AttrDict({name: _json_cookie(value) for name, value in parsed.items()})

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
        """Whether ``protocol`` is ``https``."""
        return bool(self.protocol == "https")

    @property
    def ip(self) -> str:
        """The address of the client: the farthest one behind proxies that are trusted."""
        return self._addresses()[-1]

    @property
    def ips(self) -> list[str]:
        """The addresses that trusted proxies name, farthest first."""
        return self._addresses()[:0:-1]

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
        return labels[self.app.set("subdomain offset") :]

    @property
    def fresh(self) -> bool:
        """Whether the client's copy is still good, by ``If-None-Match`` and ``If-Modified-Since`` (RFC 9110 13.1)."""
        return self.method in ("GET", "HEAD", "QUERY") and self.has_good_copy()

    def has_good_copy(self) -> bool:
        """``fresh``, whatever the method."""
        environ, res = self.environ, self.res
        if self._headers is None and "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MODIFIED_SINCE" not in environ:
            return False  # most requests have neither, and need not be asked for longer
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
        """Whether ``X-Requested-With`` says ``XMLHttpRequest``."""
        return bool((self._field("x-requested-with") or "").lower() == "xmlhttprequest")

    def accepts(self, *types: str | Sequence[str]) -> Any:
        """The best of ``types`` (``'html'``, ``'application/json'``…) for the client, or ``False``; with none given,
        all that it takes, best first. ``accepts_encodings``, ``accepts_charsets`` and ``accepts_languages`` alike."""
        return accept.TYPES.choose(self._field("accept"), flat(types))

    def accepts_encodings(self, *encodings: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Encoding."""
        return accept.ENCODINGS.choose(self._field("accept-encoding"), flat(encodings))

    def accepts_charsets(self, *charsets: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Charset."""
        return accept.CHARSETS.choose(self._field("accept-charset"), flat(charsets))

    def accepts_languages(self, *languages: str | Sequence[str]) -> Any:
        """As ``accepts``, for Accept-Language."""
        return accept.LANGUAGES.choose(self._field("accept-language"), flat(languages))

    def is_(self, *types: str | Sequence[str]) -> str | Literal[False] | None:
        """Which of ``types`` the body is of, ``False`` for none of them, ``None`` where there is no body."""
        return is_type(self.get("Content-Type"), flat(types)) if self.has_body else None

    @property
    def has_body(self) -> bool:
        """Whether a body comes with the request, as its framing fields say (RFC 9112 section 6.3)."""
        return self._field("transfer-encoding") is not None or (self._field("content-length") or "").isdecimal()

    def range(self, size: int, combine: bool = False) -> Any:
        """The ranges asked for of ``size`` units: a list of ``(first, last)`` with a ``type``; ``None`` without a
        ``Range``, -1 where none can be satisfied, -2 where it is malformed (npm range-parser 1.3)."""
        header = self.get("Range")
        return ranges.parse_range(size, header, combine) if header else None

    def _is_trusted(self) -> bool:
        return bool(self.app.set("trust proxy fn")(self.environ.get("REMOTE_ADDR", ""), 0))

    def _addresses(self) -> list[str]:
        trust = self.app.set("trust proxy fn")
        return addresses(self.environ.get("REMOTE_ADDR", ""), self._field("x-forwarded-for"), trust)


def origin_of(url: str) -> str:
    """The ``http://host`` that a request target in absolute form begins with (RFC 9112 section 3.2.2), or ``''``."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if mark and not url.startswith("/") else ""


def _below(mount: str, target: str, environ: dict[str, Any]) -> tuple[str, str]:
    """The part of a target that a WSGI server took off as SCRIPT_NAME, as it was sent, and the URL that is left.

    Where the target does not begin so, PATH_INFO is what is left: something on the way here rewrote the path.
    """
    origin = origin_of(target)
    path = target[len(origin) :]
    # SCRIPT_NAME is decoded, a character for each byte (PEP 3333); gunicorn's is as it was given, encoded or not.
    sent = "".join(byte[0] for byte in islice(_SENT_BYTE.finditer(path), len(mount)))
    base = sent if unquote(sent, "latin-1") == mount else mount
    rest = path[len(base) :]
    if path.startswith(base) and rest[:1] in ("", "/", "?", "#"):
        return base, origin + (rest if origin or rest.startswith("/") else f"/{rest}")
    if unquote(_split_url(target)[0], "latin-1") == environ.get("PATH_INFO"):  # a proxy took SCRIPT_NAME off already
        return _quoted(mount), target
    rest = _url_of({**environ, "SCRIPT_NAME": ""})
    return _quoted(mount), rest if rest.startswith("/") else f"/{rest}"


def _url_of(environ: dict[str, Any]) -> str:
    """The request target, made anew where the WSGI server does not hand on the one that was sent."""
    query = environ.get("QUERY_STRING")
    path = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
    return _quoted(path) + (f"?{query}" if query else "")


_SENT_BYTE = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)


def _quoted(path: str) -> str:
    """A path of a WSGI environment percent-encoded."""
    return quote(path.encode("latin-1"), safe="/:@!$&'()*+,;=~-._")


@lru_cache(maxsize=256)
def _split_url(url: str) -> tuple[str, str]:
    """A URL's path and its query; one in absolute form (RFC 9112 section 3.2.2) has a host before the path."""
    target = url.partition("#")[0]
    path, _, query = target.partition("?")
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path, query


def _json_cookie(value: str) -> Any:
    if not value.startswith("j:"):
        return value
    try:
        parsed = parse_json(value[2:])
    except ValueError:
        return value
    return parsed if parsed or isinstance(parsed, dict | list) else value  # JavaScript takes {} and [] for true


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
