"""A local MongoDB-compatible server for development, so that an app with no MongoDB to talk to runs as it is.

`start()` gives a URI. Behind it is the PyPI package nx-27017, the MongoDB wire protocol over SQLite, in a child process
that ends with the process that started it, however that one ends: it holds the other end of the child's standard input.
Each process that calls `start()` has its child, and all children of one port are one server: the first one to listen
serves, the others stand by, and one of those takes over when it goes.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

HOST = "127.0.0.1"
PORT = 27127

START_SECONDS = 20.0  # for the server to come up
SILENCE_SECONDS = 5.0  # after which what listens on the port is taken for something else
PAUSE_SECONDS = 0.02  # between two looks
LOG_LINES = 15

# {hello: 1, $db: 'admin'} in BSON, and as the one section of an OP_MSG (opcode 2013).
HELLO_BODY = struct.pack("<i b6si b4si6s x", 31, 0x10, b"hello", 1, 0x02, b"$db", 6, b"admin")
HELLO = struct.pack("<4iIB", 52, 1, 0, 2013, 0, 0) + HELLO_BODY
HEADER = struct.Struct("<4i")  # length, id, id of what is answered, opcode
LONGEST_REPLY = 64 * 1024


class EmbeddedUnavailable(RuntimeError):
    """There is no embedded server to be had; the message says why, and what to do."""


def start(directory: str | os.PathLike[str] = ".data", port: int = PORT) -> str:
    """The URI of a server on this machine that is ready, and lives as long as this process.

    `directory` is made where it is missing, and keeps the data (SQLite, one file a database) from one start to the
    next, beside `embedded.log` and `embedded.pid`. `port` is one on 127.0.0.1; a MongoDB server that is there already
    is shared, whoever started it and wherever its data are.

    Raises EmbeddedUnavailable where nx-27017 is not installed, something else has the port, or the server does not
    come up.
    """
    if find_spec("nx_27017") is None:
        raise EmbeddedUnavailable(
            "there is no MongoDB to talk to. Either install the embedded server, for development:\n"
            "    pip install 'miniexpress[embedded]'\n"
            "or set MONGODB_URI to the server you have, as in\n"
            "    MONGODB_URI=mongodb://username:password@127.0.0.1/test"
        )
    data = Path(directory).absolute()
    log = data / "embedded.log"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise EmbeddedUnavailable(f"the embedded server cannot keep its data in {data}: {error}") from error
    earlier = log.stat().st_size
    child = _start_child(data, port, log)
    try:
        _wait_until_ready(child, port, lambda: _last_lines(log, earlier))
    except BaseException:
        _end(child)
        raise
    atexit.register(_end, child)
    return f"mongodb://{HOST}:{port}/test"


def _start_child(data: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    # As a file and with -P: the child finds nx-27017 wherever its starter finds this file, and none of the modules
    # beside it stands in the way of another's. In a session of its own, Ctrl-C leaves it to end after its starter.
    command = [sys.executable, "-P", __file__, str(data), str(port)]
    with log.open("ab") as output:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, log: Callable[[], str]) -> None:
    deadline = monotonic() + START_SECONDS
    while not _answers(port):
        if child.poll() is not None:
            raise EmbeddedUnavailable(f"the embedded server failed:\n{log()}")
        if monotonic() > deadline:
            raise EmbeddedUnavailable(
                f"the embedded server did not come up on {HOST}:{port} in {START_SECONDS:.0f} seconds:\n{log()}"
            )
        sleep(PAUSE_SECONDS)


def _answers(port: int) -> bool:
    """Whether a MongoDB server answers on this port; False also for one that is just ending."""
    try:
        reply = _ask_hello(port)
    except TimeoutError:
        reply = b"(silence)"
    except OSError:
        return False
    if reply and b"maxWireVersion" not in reply:
        raise EmbeddedUnavailable(
            f"what listens on {HOST}:{port} is not a MongoDB server. End it, or set MONGODB_URI to the server to use."
        )
    return bool(reply)


def _ask_hello(port: int) -> bytes:
    """The whole answer to `HELLO`, or what it began with where it is none; empty where the connection was closed."""
    with socket.create_connection((HOST, port), timeout=SILENCE_SECONDS) as connection:
        connection.sendall(HELLO)
        reply = b""
        expected = HEADER.size
        while len(reply) < expected:
            received = connection.recv(expected - len(reply))
            if not received:
                return b""
            reply += received
            if len(reply) == HEADER.size:
                expected, _, _, opcode = HEADER.unpack(reply)
                if opcode != 2013 or expected > LONGEST_REPLY:
                    return reply
        return reply


def _last_lines(log: Path, since: int) -> str:
    with log.open("rb") as file:
        file.seek(since)
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-LOG_LINES:]) or f"(nothing in {log})"


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(timeout=SILENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def run(data: Path, port: int) -> None:
    """What the child does: serve, or stand by until it can."""
    Thread(target=_end_with_starter, daemon=True).start()
    # neosqlite warns of each query that takes its slower way.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(name)s: %(message)s")
    while True:
        _stand_by(port)
        _serve(data, port)


def _end_with_starter() -> None:
    while os.read(0, 1):
        pass
    # At once: every write that was acknowledged is in SQLite's log.
    os._exit(0)


def _stand_by(port: int) -> None:
    """Returns when nothing listens on the port."""
    while True:
        try:
            with socket.create_connection((HOST, port)) as connection:
                connection.recv(1)
        except ConnectionRefusedError:
            return
        except OSError:
            pass
        sleep(PAUSE_SECONDS)


def _serve(data: Path, port: int) -> None:
    """Serves for ever; returns when another process took the port first."""
    handle = import_module("nx_27017.server").handle_client_threaded
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sleep(PAUSE_SECONDS)
        return
    (data / "embedded.pid").write_text(f"{os.getpid()}\n")
    _keep_types()
    handler = import_module("nx_27017").NeoSQLiteHandler(data_dir=str(data))
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            sleep(PAUSE_SECONDS)
        else:
            Thread(target=handle, args=(connection, handler), daemon=True).start()


def _keep_types() -> None:
    """Keeps True a boolean and a datetime a date in `$set`.

    neosqlite 1.17.2 hands such a value to SQLite as it is, which stores 1 and a text, so that a session's `expires`
    would be no date any more from its second save on. It hands a Binary over as JSON.
    """
    updates: Any = import_module("neosqlite.collection.query_helper._sql_updates")
    binary = import_module("neosqlite.binary").Binary
    typed = type("Typed", (binary,), {"encode_for_storage": lambda self: self.value})
    convert = updates._convert_bytes_to_binary

    def convert_typed(value: Any) -> Any:
        if not isinstance(value, bool | datetime):
            return convert(value)
        wrapped = typed(b"")
        wrapped.value = value
        return wrapped

    updates._convert_bytes_to_binary = convert_typed


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
