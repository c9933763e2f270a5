"""Parse the head of an HTTP/1.1 request (RFC 9112) into a WSGI environ (PEP 3333).

``parse_head(b"GET /a?b HTTP/1.1\\r\\nHost: x", {}, 2000)`` →
``{"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "QUERY_STRING": "b", "HTTP_HOST": "x", …}``

What could be read in two ways raises ``BadRequest``. Where the RFC leaves a choice, it is made as in Node 20's http
module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from .grammar import CONTROL_CHARACTERS, HOST, REQUEST_LINE, TOKEN

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

FRAMING_KEYS = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}
# Of two, a proxy in front could take one and this server the other: where the body ends, or whose request it is, would
# be in doubt (request smuggling).
UNREPEATABLE_KEYS = FRAMING_KEYS | {"HTTP_HOST"}
SINGLETON_HEADERS = re.compile(  # the first counts, as in Node
    "CONTENT_TYPE|HTTP_(AGE|AUTHORIZATION|ETAG|EXPIRES|FROM|IF_(UN)?MODIFIED_SINCE|LAST_MODIFIED|LOCATION|MAX_FORWARDS|"
    "PROXY_AUTHORIZATION|REFERER|RETRY_AFTER|SERVER|USER_AGENT)"
)
CONTINUE = re.compile(r"(?:^|\W)100-continue(?:$|\W)", re.ASCII | re.IGNORECASE)  # anywhere in Expect, as in Node


class BadRequest(OSError):
    """A request that is rejected: the client gets a response with this ``status``.

    An ``OSError``, since an app that reads ``wsgi.input`` may meet it too.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def reject_bad_request_line(partial_head: bytes | bytearray) -> None:
    """Raise ``BadRequest`` for a head that is malformed already, so that its client need not wait for the timeout."""
    if not partial_head.endswith(b"\r"):
        request_line, *header_lines = split_lines(partial_head)
        if header_lines and REQUEST_LINE.fullmatch(request_line) is None:
            raise BadRequest(400, "malformed request line")


def parse_head(head: bytes, base_environ: WSGIEnvironment, max_headers_count: int) -> WSGIEnvironment:
    """Return the environ of a request: a copy of ``base_environ`` with what its ``head`` says.

    ``head`` comes without the empty line at its end. ``REQUEST_URI`` is the target exactly as it was sent.
    Raises ``BadRequest``, also for more than ``max_headers_count`` header lines.
    """
    request_line, *header_lines = split_lines(head)
    match = REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise BadRequest(400, "malformed request line")
    if len(header_lines) > max_headers_count:
        raise BadRequest(431, "too many headers")
    method, target, authority, path, query, version = match.groups()
    if path is None and authority is None and (method, target) != ("OPTIONS", "*"):
        raise BadRequest(400, "malformed request target")
    environ = base_environ.copy()
    environ["REQUEST_METHOD"] = method
    environ["REQUEST_URI"] = target
    path = path or ""  # a target such as * has none
    environ["PATH_INFO"] = percent_decoded(path) if "%" in path else path
    environ["QUERY_STRING"] = query or ""
    environ["SERVER_PROTOCOL"] = version
    parse_headers(header_lines, environ)
    check_host(environ, authority)
    if "HTTP_EXPECT" in environ:
        check_expect(environ)
    return environ


def split_lines(data: bytes | bytearray) -> list[str]:
    """Split at CRLF. Raises ``BadRequest`` for a control character anywhere else, bare CR and LF among them."""
    lines = data.decode("latin-1").split("\r\n")
    separators_size = 2 * (len(lines) - 1)
    if len(data.translate(None, CONTROL_CHARACTERS)) + separators_size != len(data):
        raise BadRequest(400, "control character")
    return lines


def percent_decoded(path: str) -> str:
    """Decode a path as PATH_INFO has it: a character for each byte (PEP 3333).

    ``"/a%20b"`` → ``"/a b"``, ``"/%C3%BC"`` → ``"/\\xc3\\xbc"``
    """
    return unquote_to_bytes(path).decode("latin-1")


def parse_headers(header_lines: Iterable[str], environ: dict[str, Any]) -> None:
    """Add header lines to an environ.

    Repeated ones are joined: ``["A: 1", "A: 2"]`` → ``{"HTTP_A": "1, 2"}``; but the first of ``SINGLETON_HEADERS``
    counts, and ``UNREPEATABLE_KEYS`` raise ``BadRequest``.
    """
    for line in header_lines:
        name, colon, value = line.partition(":")
        key = environ_key(name)
        if not colon:
            raise BadRequest(400, "header without colon")
        if key is None:
            continue
        value = value.strip(" \t")
        if key not in environ:
            environ[key] = value
        elif key in UNREPEATABLE_KEYS:
            raise BadRequest(400, "repeated header")
        elif SINGLETON_HEADERS.fullmatch(key) is None:
            separator = "; " if key == "HTTP_COOKIE" else ", "
            environ[key] += separator + value


@lru_cache(maxsize=256)
def environ_key(name: str) -> str | None:
    """Return the environ's key for a header name: ``"X-A"`` → ``"HTTP_X_A"``.

    Return None for a name with an underscore: as a key it could not be told from the name with a hyphen.
    """
    if TOKEN.fullmatch(name) is None:
        raise BadRequest(400, "malformed header name")
    if "_" in name:
        return None
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def check_host(environ: WSGIEnvironment, authority: str | None) -> None:
    """Require a valid Host, except in HTTP/1.0, which may have none; the target's ``authority`` replaces it.

    RFC 9112 sections 3.2 and 3.2.2.
    """
    host = environ.get("HTTP_HOST")
    if host is None:
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1":
            raise BadRequest(400, "missing host")
    elif not is_host(host):
        raise BadRequest(400, "malformed host")
    if authority is not None:
        if not is_host(authority) or authority.startswith(":"):
            raise BadRequest(400, "malformed host in the target")
        environ["HTTP_HOST"] = authority


@lru_cache(maxsize=256)
def is_host(text: str) -> bool:
    """Return whether ``text`` is a host with or without a port. The empty one is valid: a client may know none."""
    return HOST.fullmatch(text) is not None


def check_expect(environ: WSGIEnvironment) -> None:
    """Reject any expectation but 100-continue; HTTP/1.0 has none (RFC 9110 section 10.1.1)."""
    if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and CONTINUE.search(environ["HTTP_EXPECT"]) is None:
        raise BadRequest(417, "unknown expectation")


@lru_cache(maxsize=256)
def wants_keep_alive(version: str, connection: str | None) -> bool:
    """Return whether a request's version and ``Connection`` header ask for keep-alive (RFC 9112 section 9.3)."""
    options = {option.strip(" \t") for option in (connection or "").lower().split(",")}
    return "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
