"""TODO"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from .request_parser import BadRequest, reject_bad_request_line

if TYPE_CHECKING:
    from ssl import SSLContext

PIECE = 64 * 1024  # bytes that one call on a socket takes
SEND_SECONDS = 120.0  # for a client to take one piece
LINGER_SECONDS = 30.0  # for a client that still sends to see its answer before the connection is closed, as in nginx
LINGER_SILENCE = 5.0  # seconds without a byte, after which it is taken to have seen it, as in nginx
LINGER_BYTES = 2**30


class Disconnected(ConnectionError):
    """The client is gone."""

    status = 400


class ClientSocket:
    """A client's socket, with TLS where there is a context for it.

    `limit` is how many bytes a head or a line may have; what is received has to come before `deadline` of
    time.monotonic. What has come and was not taken yet is in `buffer`. Raises Disconnected once the client is gone,
    BadRequest when it is too slow or not to be understood.
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
        self._kernel_timeouts = os.name == "posix" and ssl_context is None
        if self._kernel_timeouts:
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(SEND_SECONDS))

    def do_handshake(self, seconds: float) -> None:
        """Agree on how to speak TLS, where that is to be spoken. Raises OSError where that fails."""
        if hasattr(self._socket, "do_handshake"):
            self._socket.settimeout(seconds)
            self._socket.do_handshake()

    def receive_head(self) -> bytes:
        """A request's head, without the empty line at its end."""
        buffer, limit = self.buffer, self.limit
        while (end := buffer.find(b"\r\n\r\n")) < 0 and len(buffer) <= limit:
            reject_bad_request_line(buffer)
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= limit:
            raise BadRequest(431 if b"\r\n" in buffer[:limit] else 414, "head too long")
        return self._take(end, 4)

    def receive_line(self) -> bytes:
        """A line, without the CRLF at its end."""
        while (end := self.buffer.find(b"\n")) < 0 and len(self.buffer) <= self.limit:
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= self.limit:
            raise BadRequest(431, "line too long")
        if self.buffer[end - 1 : end] != b"\r":
            raise BadRequest(400, "malformed line")
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
            self._set_timeout(seconds)
            data = b"" if self._tls_eof() else self._socket.recv(PIECE)
        except (TimeoutError, BlockingIOError):
            raise BadRequest(408, "request timeout") from None
        except OSError:
            data = b""
        if not data:
            raise Disconnected("request aborted")
        self.buffer += data

    def _tls_eof(self) -> bool:
        """Whether a TLS connection was cut off. Reading on would send its client an alert instead of a close_notify."""
        connection = self._socket
        if not hasattr(connection, "pending") or connection.pending():
            return False
        return not socket.socket.recv(connection, 1, socket.MSG_PEEK)

    def send(self, *parts: bytes) -> None:
        """Send all of `parts`: small ones at once. Large ones are not copied, for a client may take its time."""
        try:
            if not self._kernel_timeouts:
                self._set_timeout(SEND_SECONDS)
            if sum(map(len, parts)) <= PIECE:
                self._socket.sendall(b"".join(parts))
            else:
                for part in parts:
                    view = memoryview(part)
                    for start in range(0, len(view), PIECE):
                        self._socket.sendall(view[start : start + PIECE])  # each has the whole time
        except OSError:
            raise Disconnected("request aborted") from None

    def _set_timeout(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError
        if seconds == self._seconds:
            return
        self._seconds = seconds
        if self._kernel_timeouts:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
        else:
            self._socket.settimeout(seconds)

    def shutdown_read(self) -> None:
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
