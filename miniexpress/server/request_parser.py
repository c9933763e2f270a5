"""A request as it comes in on an HTTP/1.1 connection (RFC 9112), and as a WSGI app sees it (PEP 3333).

What could be read two ways raises BadRequest. Where the RFC leaves a choice, it is that of the http module of Node 20.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

# A possessive quantifier stands behind one character class only: CPython before 3.11.5 gets it wrong behind a group.
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
TOKEN = re.compile(_TOKEN)
REQUEST_LINE = re.compile(
    r"(?!CONNECT )([!#$%&'*+\-.^_`|~0-9A-Z]++) "  # no small letters: some would take a get for a GET
    r'((?:(?i:https?)://([^/?#\s]++))?(/[!-"$->@-~]*+)?(?:\?([!-"$-~]*+))?|\*) (HTTP/1\.[01])'
)
# RFC 9110 7.2, but for the comma, which would make one host of two.
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]++\]|[0-9A-Za-z_.~!$&'()*+;=%-]*+)(?::[0-9]*+)?")
LENGTH = re.compile("[0-9]{1,18}")
CONTINUE = re.compile(r"(?:^|\W)100-continue(?:$|\W)", re.ASCII | re.IGNORECASE)  # in Expect, whatever is beside it
CONTROLS = bytes(set(range(32)) - {0x09} | {0x7F})
FRAMING = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}
UNREPEATABLE_HEADERS = FRAMING | {"HTTP_HOST"}
SINGLETON_HEADERS = re.compile(
    "CONTENT_TYPE|HTTP_(AGE|AUTHORIZATION|ETAG|EXPIRES|FROM|IF_(UN)?MODIFIED_SINCE|LAST_MODIFIED|LOCATION|MAX_FORWARDS|"
    "PROXY_AUTHORIZATION|REFERER|RETRY_AFTER|SERVER|USER_AGENT)"
)


class BadRequest(OSError):
    """A request that is not served: `status` is what its sender is told. Reading wsgi.input raises it, too."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def skip_blank_lines(buffer: bytearray) -> bool:
    """Whether a request has. Line ends that an old client sent ahead of it, or behind a body, go (RFC 9112 2.2)."""
    while buffer.startswith(b"\r\n"):
        del buffer[:2]
    return bytes(buffer[:2]) not in (b"", b"\r")


def reject_bad_request_line(part: bytes | bytearray) -> None:
    """Raise BadRequest for a head that is malformed already, so that its sender need not wait for the timeout."""
    if not part.endswith(b"\r"):
        line, fields = split_head(part)
        if fields and REQUEST_LINE.fullmatch(line) is None:
            raise BadRequest(400, "malformed request line")


def parse_head(head: bytes, base: WSGIEnvironment, max_count: int) -> WSGIEnvironment:
    """The environ of the request with this `head`, which comes without the empty line at its end.

    REQUEST_URI is the target exactly as it was sent. Raises BadRequest, also for more than `max_count` header lines.
    """
    line, fields = split_head(head)
    request = REQUEST_LINE.fullmatch(line)
    if request is None:
        raise BadRequest(400, "malformed request line")
    if len(fields) > max_count:
        raise BadRequest(431, "too many headers")
    method, target, authority, path, query, version = request.groups()
    if path is None and authority is None and (method, target) != ("OPTIONS", "*"):
        raise BadRequest(400, "malformed request target")
    environ = base.copy()
    environ["REQUEST_METHOD"] = method
    environ["REQUEST_URI"] = target
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if path and "%" in path else path or ""
    environ["QUERY_STRING"] = query or ""
    environ["SERVER_PROTOCOL"] = version
    parse_headers(fields, environ)
    host = environ.get("HTTP_HOST")
    if not is_host(host) and (host is not None or version == "HTTP/1.1"):
        raise BadRequest(400, "missing or malformed host")
    if authority is not None:
        if not is_host(authority) or authority.startswith(":"):
            raise BadRequest(400, "malformed host in the target")
        environ["HTTP_HOST"] = authority  # RFC 9112 3.2.2: the target's host is the one that counts
    if "HTTP_EXPECT" in environ and version == "HTTP/1.1" and CONTINUE.search(environ["HTTP_EXPECT"]) is None:
        raise BadRequest(417, "unknown expectation")
    return environ


def split_head(head: bytes | bytearray) -> tuple[str, list[str]]:
    """The request line and the header lines."""
    line, *fields = split_lines(head)
    return line, fields


def split_lines(raw: bytes | bytearray) -> list[str]:
    """The lines of `raw`. Raises BadRequest for a control character that is not part of the CRLF between two lines."""
    lines = raw.decode("latin-1").split("\r\n")
    if len(raw.translate(None, CONTROLS)) + 2 * len(lines) - 2 != len(raw):
        raise BadRequest(400, "control character")
    return lines


def parse_headers(fields: Iterable[str], environ: dict[str, Any]) -> None:
    for field in fields:
        key, value = split_field(field)
        if key is None:
            continue
        if key not in environ:
            environ[key] = value
        elif key in UNREPEATABLE_HEADERS:
            raise BadRequest(400, "repeated header")
        elif SINGLETON_HEADERS.fullmatch(key) is None:
            environ[key] += f"{'; ' if key == 'HTTP_COOKIE' else ', '}{value}"


def split_field(field: str) -> tuple[str | None, str]:
    """A header line's key in an environ, as `environ_key` has it, and its value."""
    name, colon, value = field.partition(":")
    key = environ_key(name)
    if not colon:
        raise BadRequest(400, "header without colon")
    return key, value.strip(" \t")


@lru_cache(maxsize=256)
def environ_key(name: str) -> str | None:
    """None for a name with an underscore: in an environ it would pass for the same name with a hyphen."""
    if TOKEN.fullmatch(name) is None:
        raise BadRequest(400, "malformed header name")
    if "_" in name:
        return None
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@lru_cache(maxsize=256)
def is_host(text: str | None) -> bool:
    return text is not None and HOST.fullmatch(text) is not None


@lru_cache(maxsize=256)
def wants_keep_alive(version: str, connection: str | None) -> bool:
    """Whether a request's version and Connection header ask to keep the connection (RFC 9112 9.3)."""
    options = {option.strip(" \t") for option in (connection or "").lower().split(",")}
    return "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
