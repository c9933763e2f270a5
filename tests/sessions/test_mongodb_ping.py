"""The check whether a MongoDB server responds: where something else is there, and on Unix sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from miniexpress.sessions.mongodb.ping import responds
from tests.support.ports import free_port


def reset(connection: socket.socket) -> None:
    """End a connection so that the other side sees an error."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def serve_once(listener: socket.socket, how: Callable[[socket.socket], object]) -> None:
    threading.Thread(target=lambda: how(listener.accept()[0]), daemon=True).start()


@pytest.mark.parametrize("how", [lambda connection: connection.sendall(b"x"), reset])
def test_ping_of_a_server_is_true_whatever_it_responds(how: Callable[[socket.socket], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve_once(listener, how)
        assert responds(*listener.getsockname(), seconds=10)


def test_ping_of_a_unix_socket_is_true_only_if_a_server_responds(tmp_path: Path) -> None:
    path = str(tmp_path / "mongodb.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert not responds(path, None, seconds=10)  # nobody listens yet
        listener.listen()
        serve_once(listener, lambda connection: connection.sendall(b"x"))
        assert responds(path, None, seconds=10)


def test_ping_of_a_silent_server_is_false() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not responds(*listener.getsockname(), seconds=0.1)


@pytest.mark.parametrize("host", ["127.0.0.1", "no..such.host", "x" * 64 + ".invalid"])
def test_ping_of_a_host_that_cannot_be_reached_is_false(host: str) -> None:
    assert not responds(host, free_port(), seconds=2)
