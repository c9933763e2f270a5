"""Read from and write to the socket of one client: lines, bytes and timeouts, with or without TLS.

What is received is kept in a buffer until it is taken. Errors of the socket become two exceptions: ``Disconnected``,
once the client is gone, and ``BadRequest``, when it is too slow or sends what cannot be a request.
"""

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

BUFFER_SIZE = 64 * 1024  # bytes that one call on a socket reads or writes
SEND_SECONDS = 120.0  # for a client to take BUFFER_SIZE bytes
LINGER_SECONDS = 30.0  # for a client that still sends, to read its response before the connection closes, as in nginx
LINGER_SILENCE = 5.0  # seconds without a byte, after which it is assumed to have read it, as in nginx
LINGER_BYTES = 2**30


class Disconnected(ConnectionError):
    """The client is gone. ``status`` is for apps that meet it while they read ``wsgi.input``."""

    status = 400


class ClientSocket:
    """A client's socket, with TLS where there is an ``ssl_context``.

    ``limit`` is how many bytes a head or a line may have. What is received has to arrive before ``deadline``, a time of
    ``time.monotonic()``. ``buffer`` holds what has arrived and was not taken yet. ``before_waiting`` is called before a
    call that is likely to wait for the client.
    """

    def __init__(self, connection: socket.socket, limit: int, ssl_context: SSLContext | None) -> None:
        if ssl_context is not None:
            connection = ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.limit = limit
        self.deadline = 0.0
        self.buffer = bytearray()
        self.before_waiting = do_nothing
        self._socket = connection
        self._timeout = 0.0  # seconds
        # The kernel's own timeouts save the poll() before each call, and with it a switch between threads.
        self._kernel_timeouts = os.name == "posix" and ssl_context is None
        if self._kernel_timeouts:
            connection.settimeout(None)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(SEND_SECONDS))

    def do_handshake(self, seconds: float) -> None:
        """Do the TLS handshake, on a TLS socket. Raises ``OSError`` where it fails."""
        if hasattr(self._socket, "do_handshake"):
            self._socket.settimeout(seconds)
            self._socket.do_handshake()

    def has_request(self) -> bool:
        """Return whether the buffer holds the beginning of a request.

        Empty lines ahead of it, which old clients send behind a body, are removed (RFC 9112 section 2.2).
        """
        buffer = self.buffer
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        return len(buffer) > 0 and buffer != b"\r"

    def receive_head(self) -> bytes:
        """Return a request's head, without the empty line at its end."""
        buffer, limit = self.buffer, self.limit
        while (end := buffer.find(b"\r\n\r\n")) < 0 and len(buffer) <= limit:
            reject_bad_request_line(buffer)
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= limit:
            raise BadRequest(431 if b"\r\n" in buffer[:limit] else 414, "head too long")
        head = bytes(buffer[:end])
        del buffer[: end + len(b"\r\n\r\n")]
        return head

    def receive_line(self) -> bytes:
        """Return a line, without the CRLF at its end."""
        while (end := self.buffer.find(b"\n")) < 0 and len(self.buffer) <= self.limit:
            self.wait(self.deadline - monotonic())
        if not 0 <= end <= self.limit:
            raise BadRequest(431, "line too long")
        if self.buffer[end - 1 : end] != b"\r":
            raise BadRequest(400, "malformed line")
        return self._take(end - 1, len(b"\r\n"))

    def receive(self, size: int) -> bytes:
        """Return from 1 to ``size`` bytes."""
        if not self.buffer:
            self.wait(self.deadline - monotonic())
        return self._take(size)

    def _take(self, size: int, separator_size: int = 0) -> bytes:
        data = bytes(self.buffer[:size])
        del self.buffer[: size + separator_size]
        return data

    def wait(self, seconds: float) -> None:
        """Wait until something arrives, and add it to the buffer. Raises ``BadRequest`` 408 after ``seconds``."""
        self.before_waiting()
        try:
            self._set_timeout(seconds)
            data = b"" if self._tls_eof() else self._socket.recv(BUFFER_SIZE)
        except (TimeoutError, BlockingIOError):
            raise BadRequest(408, "request timeout") from None
        except OSError:
            data = b""
        if not data:
            raise Disconnected("request aborted")
        self.buffer += data

    def receive_ready(self) -> bool:
        """Add what has arrived to the buffer, where something has. Return False when the client is gone."""
        try:
            data = self._socket.recv(BUFFER_SIZE)
            self.buffer += data
        except (OSError, MemoryError):
            return False
        return bool(data)

    def fileno(self) -> int:
        """Return the socket's file descriptor, for ``selectors``."""
        return self._socket.fileno()

    def _tls_eof(self) -> bool:
        """Return whether a TLS connection was cut off. Reading on would send an alert instead of a close_notify."""
        connection = self._socket
        if not hasattr(connection, "pending") or connection.pending():
            return False
        return not socket.socket.recv(connection, 1, socket.MSG_PEEK)

    def send(self, *parts: bytes) -> None:
        """Send all ``parts``: small ones in one call. Large ones are not copied, as a client may be slow."""
        try:
            if not self._kernel_timeouts:
                self._set_timeout(SEND_SECONDS)
            if sum(map(len, parts)) <= BUFFER_SIZE:
                self._socket.sendall(b"".join(parts))
            else:
                self.before_waiting()
                for part in parts:
                    self._send_large(part)
        except OSError:
            raise Disconnected("request aborted") from None

    def _send_large(self, part: bytes) -> None:
        view = memoryview(part)
        for start in range(0, len(view), BUFFER_SIZE):
            self._socket.sendall(view[start : start + BUFFER_SIZE])  # the timeout begins anew with each call

    def _set_timeout(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError
        if seconds == self._timeout:
            return
        self._timeout = seconds
        if self._kernel_timeouts:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))
        else:
            self._socket.settimeout(seconds)

    def shutdown_read(self) -> None:
        """End a ``wait`` in another thread. What has arrived already can still be read."""
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RD)  # SSLSocket.shutdown would discard its TLS state

    def close(self, linger_seconds: float) -> None:
        """Close the connection so that what was sent arrives (RFC 9112 section 9.6).

        Unread input would make TCP reset the connection, and the client lose the response. So what it still sends is
        read and dropped, for ``linger_seconds`` at most, and until it is silent.
        """
        deadline, bytes_left = monotonic() + linger_seconds, LINGER_BYTES
        with suppress(OSError, ValueError), self._socket as connection:
            connection.settimeout(min(linger_seconds, LINGER_SILENCE))
            if hasattr(connection, "unwrap"):
                with suppress(OSError):  # the client sends on, instead of its own close_notify
                    connection.unwrap()
            connection.shutdown(socket.SHUT_WR)  # from here on TLS is over, and the bytes are plain
            while bytes_left > 0 and monotonic() < deadline and (data := connection.recv(BUFFER_SIZE)):
                bytes_left -= len(data)


def do_nothing() -> None:
    """Be the ``before_waiting`` of a socket whose thread may wait."""


def timeval(seconds: float) -> bytes:
    """Return ``seconds`` as C's ``struct timeval``. Never zero, which would mean no timeout."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
