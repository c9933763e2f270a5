"""Ping a MongoDB server without a driver: send a ``hello`` in MongoDB's wire protocol."""

from __future__ import annotations

import socket
import struct

# Request 1, an OP_MSG (opcode 2013) of {hello: 1, $db: "admin"} in BSON.
_HELLO = struct.pack("<4iIB i b6si b4si6s x", 52, 1, 0, 2013, 0, 0, 31, 16, b"hello", 1, 2, b"$db", 6, b"admin")


def responds(host: str, port: int | None, seconds: float) -> bool:
    """Return whether a server sends anything within ``seconds``, if only that it wants TLS.

    Without ``port``, ``host`` is the path of a Unix socket.
    """
    try:
        with _connected(host, port, seconds) as there:
            try:
                there.sendall(_HELLO)
                there.recv(1)
            except ConnectionError:
                pass
    except (OSError, UnicodeError):
        return False
    return True


def _connected(host: str, port: int | None, seconds: float) -> socket.socket:
    if port is not None:
        return socket.create_connection((host, port), seconds)
    there = socket.socket(socket.AF_UNIX)
    there.settimeout(seconds)
    try:
        there.connect(host)
    except OSError:
        there.close()
        raise
    return there
