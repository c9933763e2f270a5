"""A request as it comes in on an HTTP/1.1 connection (RFC 9112), and as a WSGI app sees it (PEP 3333).

What could be read two ways raises Refused. Where the RFC leaves a choice, it is that of the http module of Node 20.
"""

from __future__ import annotations

import io
import os
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from ssl import SSLContext
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
CHUNK = re.compile(rf'([0-9A-Fa-f]{{1,15}}+)(?:;{_TOKEN}(?:=(?:{_TOKEN}|"[^"\\]*+(?:\\.[^"\\]*+)*"))?)*')
LENGTH = re.compile("[0-9]{1,18}")
CONTINUE = re.compile(r"(?:^|\W)100-continue(?:$|\W)", re.ASCII | re.IGNORECASE)  # in Expect, whatever is beside it
CONTROLS = bytes(set(range(32)) - {0x09} | {0x7F})
FRAMING = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}
ONCE = FRAMING | {"HTTP_HOST"}
FIRST_COUNTS = re.compile(
    "CONTENT_TYPE|HTTP_(AGE|AUTHORIZATION|ETAG|EXPIRES|FROM|IF_(UN)?MODIFIED_SINCE|LAST_MODIFIED|LOCATION|MAX_FORWARDS|"
    "PROXY_AUTHORIZATION|REFERER|RETRY_AFTER|SERVER|USER_AGENT)"
)
PIECE = 64 * 1024  # bytes that one call on a socket takes
SEND_SECONDS = 120.0  # for a client to take one piece
LINGER_SECONDS = 30.0  # for a client that still sends to see its answer before the connection is closed, as in nginx
LINGER_SILENCE = 5.0  # seconds without a byte, after which it is taken to have seen it, as in nginx
LINGER_BYTES = 2**30
SKIPPED_BODY = 256 * 1024  # bytes that are read and dropped, when the app left them, to keep the connection


class Refused(OSError):
    """A request that is not served: `status` is what its sender is told. Reading wsgi.input raises it, too."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Disconnected(ConnectionError):
    """The client is gone."""

    status = 400


class Client:
    """A client's socket, with TLS where there is a context for it.

    `limit` is how many bytes a head or a line may have; what is received has to come before `deadline` of
    time.monotonic. What has come and was not taken yet is in `buffer`. Raises Disconnected once the client is gone,
    Refused when it is too slow or not to be understood.
    """

    def __init__(self, connection: socket.socket, limit: int, ssl_context: SSLContext | None) -> None:
        if ssl_context is not None:
            connection = ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.limit = limit
        self.deadline = 0.0
        self.buffer = bytearray()
        self._socket = connection
        self._seconds = 0.0
        # The kernel's own timeouts spare the poll() ahead of every call, and with it a hand-over between threads.
        self._by_kernel = os.name == "posix" and ssl_context is None
        if self._by_kernel:
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(SEND_SECONDS))

    def shake_hands(self, seconds: float) -> None:
        """Agree on how to speak TLS, where that is to be spoken. Raises OSError where that fails."""
        if hasattr(self._socket, "do_handshake"):
            self._socket.settimeout(seconds)
            self._socket.do_handshake()

    def receive_head(self) -> bytes:
        """A request's head, without the empty line at its end."""
        buffer, limit = self.buffer, self.limit
        while (end := buffer.find(b"\r\n\r\n")) < 0 and len(buffer) <= limit:
            refuse_early(buffer)
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= limit:
            raise Refused(431 if b"\r\n" in buffer[:limit] else 414, "head too long")
        return self._take(end, 4)

    def receive_line(self) -> bytes:
        """A line, without the CRLF at its end."""
        while (end := self.buffer.find(b"\n")) < 0 and len(self.buffer) <= self.limit:
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= self.limit:
            raise Refused(431, "line too long")
        if self.buffer[end - 1 : end] != b"\r":
            raise Refused(400, "malformed line")
        return self._take(end - 1, 2)

    def receive(self, size: int) -> bytes:
        """From 1 to `size` bytes."""
        if not self.buffer:
            self.wait(self.deadline - monotonic())
        return self._take(size)

    def _take(self, size: int, dropped: int = 0) -> bytes:
        data = bytes(self.buffer[:size])
        del self.buffer[: size + dropped]
        return data

    def wait(self, seconds: float) -> None:
        """Add to the buffer what comes next."""
        try:
            self._limit_calls(seconds)
            data = b"" if self._has_no_more() else self._socket.recv(PIECE)
        except (TimeoutError, BlockingIOError):
            raise Refused(408, "request timeout") from None
        except OSError:
            data = b""
        if not data:
            raise Disconnected("request aborted")
        self.buffer += data

    def _has_no_more(self) -> bool:
        """Whether a TLS connection was cut off. Reading on would send its client an alert instead of a close_notify."""
        connection = self._socket
        if not hasattr(connection, "pending") or connection.pending():
            return False
        return not socket.socket.recv(connection, 1, socket.MSG_PEEK)

    def send(self, *parts: bytes) -> None:
        """Send all of `parts`: small ones at once. Large ones are not copied, for a client may take its time."""
        try:
            if not self._by_kernel:
                self._limit_calls(SEND_SECONDS)
            if sum(map(len, parts)) <= PIECE:
                self._socket.sendall(b"".join(parts))
            else:
                for part in parts:
                    view = memoryview(part)
                    for start in range(0, len(view), PIECE):
                        self._socket.sendall(view[start : start + PIECE])  # each has the whole time
        except OSError:
            raise Disconnected("request aborted") from None

    def _limit_calls(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self._by_kernel:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
        else:
            self._socket.settimeout(seconds)

    def hang_up(self) -> None:
        """End a `wait` that goes on in another thread. What has come in already can still be read."""
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RD)  # an SSLSocket's own would forget its keys

    def close(self, seconds: float) -> None:
        """Close so that what was sent arrives: unread input would make TCP take it back (RFC 9112 9.6).

        What the client still sends is read and dropped, for `seconds` at most, and until it is silent.
        """
        deadline, left = monotonic() + seconds, LINGER_BYTES
        with suppress(OSError, ValueError), self._socket as connection:
            connection.settimeout(min(seconds, LINGER_SILENCE))
            if hasattr(connection, "unwrap"):
                with suppress(OSError):  # a client that goes on sending, instead of saying goodbye as well
                    connection.unwrap()
            connection.shutdown(socket.SHUT_WR)  # from here on TLS is over, and bytes are bytes
            while left > 0 and monotonic() < deadline and (data := connection.recv(PIECE)):
                left -= len(data)


def timeval(seconds: float) -> bytes:
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)


def has_begun(buffer: bytearray) -> bool:
    """Whether a request has. Line ends that an old client sent ahead of it, or behind a body, go (RFC 9112 2.2)."""
    while buffer.startswith(b"\r\n"):
        del buffer[:2]
    return bytes(buffer[:2]) not in (b"", b"\r")


def refuse_early(part: bytes | bytearray) -> None:
    """Raise Refused when what has come of a head is wrong already, so that its sender need not wait for the timeout."""
    if not part.endswith(b"\r"):
        line, fields = split_head(part)
        if fields and REQUEST_LINE.fullmatch(line) is None:
            raise Refused(400, "malformed request line")


def read_head(head: bytes, base: WSGIEnvironment, max_count: int) -> WSGIEnvironment:
    """The environ of the request with this `head`, which comes without the empty line at its end.

    REQUEST_URI is the target exactly as it was sent. Raises Refused, also for more than `max_count` header lines.
    """
    line, fields = split_head(head)
    request = REQUEST_LINE.fullmatch(line)
    if request is None:
        raise Refused(400, "malformed request line")
    if len(fields) > max_count:
        raise Refused(431, "too many headers")
    method, target, authority, path, query, version = request.groups()
    if path is None and authority is None and (method, target) != ("OPTIONS", "*"):
        raise Refused(400, "malformed request target")
    environ = base.copy()
    environ["REQUEST_METHOD"] = method
    environ["REQUEST_URI"] = target
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if path and "%" in path else path or ""
    environ["QUERY_STRING"] = query or ""
    environ["SERVER_PROTOCOL"] = version
    add_fields(fields, environ)
    host = environ.get("HTTP_HOST")
    if not is_host(host) and (host is not None or version == "HTTP/1.1"):
        raise Refused(400, "missing or malformed host")
    if authority is not None:
        if not is_host(authority) or authority.startswith(":"):
            raise Refused(400, "malformed host in the target")
        environ["HTTP_HOST"] = authority  # RFC 9112 3.2.2: the target's host is the one that counts
    if "HTTP_EXPECT" in environ and version == "HTTP/1.1" and CONTINUE.search(environ["HTTP_EXPECT"]) is None:
        raise Refused(417, "unknown expectation")
    return environ


def split_head(head: bytes | bytearray) -> tuple[str, list[str]]:
    """The request line and the header lines."""
    line, *fields = lines_of(head)
    return line, fields


def lines_of(raw: bytes | bytearray) -> list[str]:
    """The lines of `raw`. Raises Refused for a control character that is not part of the CRLF between two lines."""
    lines = raw.decode("latin-1").split("\r\n")
    if len(raw.translate(None, CONTROLS)) + 2 * len(lines) - 2 != len(raw):
        raise Refused(400, "control character")
    return lines


def add_fields(fields: Iterable[str], environ: dict[str, Any]) -> None:
    for field in fields:
        key, value = split_field(field)
        if key is None:
            continue
        if key not in environ:
            environ[key] = value
        elif key in ONCE:
            raise Refused(400, "repeated header")
        elif FIRST_COUNTS.fullmatch(key) is None:
            environ[key] += f"{'; ' if key == 'HTTP_COOKIE' else ', '}{value}"


def split_field(field: str) -> tuple[str | None, str]:
    """A header line's key in an environ, as `environ_key` has it, and its value."""
    name, colon, value = field.partition(":")
    key = environ_key(name)
    if not colon:
        raise Refused(400, "header without colon")
    return key, value.strip(" \t")


@lru_cache(maxsize=256)
def environ_key(name: str) -> str | None:
    """None for a name with an underscore: in an environ it would pass for the same name with a hyphen."""
    if TOKEN.fullmatch(name) is None:
        raise Refused(400, "malformed header name")
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


def body_of(client: Client, environ: WSGIEnvironment) -> Body | None:
    """The body that follows a head; None for none."""
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    return Body(client, environ)


def body_size(environ: WSGIEnvironment) -> int | None:
    """In bytes; None for a chunked body. Raises Refused where RFC 9112 6.3 leaves the size in doubt."""
    length = environ.get("CONTENT_LENGTH")
    if "HTTP_TRANSFER_ENCODING" not in environ:
        if length is None or LENGTH.fullmatch(length) is None:
            raise Refused(400, "malformed Content-Length")
        return int(length)
    if length is not None or environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        raise Refused(400, "ambiguous body")
    coding = environ["HTTP_TRANSFER_ENCODING"].lower()
    if coding != "chunked":
        *others, last = re.split("[ \t]*,[ \t]*", coding)
        has_end = last == "chunked" and all(TOKEN.fullmatch(other) and other != last for other in others)
        raise Refused(501 if has_end else 400, "unknown transfer coding")
    return None


class Body(io.RawIOBase):
    """A request's body, for wsgi.input: Content-Length bytes, or chunks (RFC 9112 7.1). Reading raises OSError."""

    def __init__(self, client: Client, environ: WSGIEnvironment) -> None:
        size = body_size(environ)
        self._client = client
        self._left = size or 0  # of the body, or of the chunk
        self._chunked = size is None
        self._awaited = size != 0 and "HTTP_EXPECT" in environ and environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._spare = client.limit  # bytes that the extensions and trailers of chunks may take
        self._failed = False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._failed:
            raise Disconnected("request aborted")
        self._failed = True
        data = self._read(len(target))
        self._failed = False
        target[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        if self._awaited:
            self._awaited = False
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._chunked and not self._left:
            self._begin_chunk()
        if not self._left:
            return b""
        data = self._client.receive(min(size, self._left))
        self._left -= len(data)
        if self._chunked and not self._left and self._client.receive(1) + self._client.receive(1) != b"\r\n":
            raise Refused(400, "chunk longer than its size")
        return data

    def _begin_chunk(self) -> None:
        line = self._line()
        chunk = CHUNK.fullmatch(line)
        if chunk is None:
            raise Refused(400, "malformed chunk size")
        self._charge(len(line) - chunk.end(1))
        self._left = int(chunk[1], 16)
        self._chunked = self._left > 0
        while not self._chunked and (line := self._line()):
            self._charge(len(line))
            if split_field(line)[0] in FRAMING:
                raise Refused(400, "forbidden trailer")

    def _line(self) -> str:
        return lines_of(self._client.receive_line())[0]

    def _charge(self, size: int) -> None:
        self._spare -= size
        if self._spare < 0:
            raise Refused(431, "chunk extensions or trailers too long")

    def settle(self) -> bool:
        """Whether what the app leaves can be passed over; for when its answer begins, after which no 100 is sent."""
        awaited, self._awaited = self._awaited, False
        return not self._failed and not awaited and self._left <= SKIPPED_BODY

    def skip(self) -> bool:
        """Drop what the app left, and tell whether the next request begins behind it."""
        scratch, dropped = bytearray(8192), 0
        with suppress(Refused):
            while dropped <= SKIPPED_BODY and (count := self.readinto(scratch)):
                dropped += count
        return not self._failed and not self._left and not self._chunked
