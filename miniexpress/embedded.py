"""A local MongoDB-compatible server for development, so that an app with no MongoDB to talk to runs as it is.

``start()`` gives a URI. Behind it is the PyPI package nx-27017, the MongoDB wire protocol over SQLite, in a child
process that ends with the one that started it, however that ends: it holds the other end of the child's standard input.
Each process that calls ``start()`` has its child, and all children of one port are one server: the first one to listen
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
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any, TextIO

log = logging.getLogger("miniexpress.embedded")

HOST = "127.0.0.1"
PORT = 27127
START_SECONDS = 20.0  # for the server to come up
SILENCE_SECONDS = 5.0  # after which what listens on the port is taken for something else
PAUSE_SECONDS = 0.02  # between two looks

# Request 1, an OP_MSG (opcode 2013) of {hello: 1, $db: 'admin'} in BSON; and the two numbers in its answer's header.
HELLO = struct.pack("<4iIB i b6si b4si6s x", 52, 1, 0, 2013, 0, 0, 31, 16, b"hello", 1, 2, b"$db", 6, b"admin")
ANSWER = struct.pack("<2i", 1, 2013)


class EmbeddedUnavailable(RuntimeError):
    """There is no embedded server to be had; the message says why, and what to do."""


def start(directory: str | os.PathLike[str] = ".data", port: int = PORT) -> str:
    """The URI of a server on this machine that is ready, and lives as long as this process.

    ``directory`` is made where it is missing, and keeps the data from one start to the next, beside ``embedded.log``
    and ``embedded.pid``. A MongoDB server that is on the port already is shared, whoever started it. Raises
    EmbeddedUnavailable where nx-27017 is not installed, something else has the port, or the server does not come up.
    """
    if find_spec("nx_27017") is None:
        raise EmbeddedUnavailable(
            "there is no MongoDB to talk to. Either install the embedded server, for development:\n"
            "    pip install '.[embedded]'      (in a clone of miniexpress)\n"
            "or set MONGODB_URI to the server you have, as in\n"
            "    MONGODB_URI=mongodb://username:password@127.0.0.1/test"
        )
    data = Path(directory).absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = (data / "embedded.log").open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise EmbeddedUnavailable(f"the embedded server cannot keep its data in {data}: {error}") from error
    with output:
        # As a file and with -P, none of the modules beside this one stands in the way of another's; with its starter's
        # path the child finds what that found. In a session of its own, Ctrl-C leaves it to end after its starter.
        command = [_python(), "-P", __file__, str(data), str(port)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True, env=env
        )
        try:
            _wait_until_ready(child, port, output)
        except BaseException:
            _end(child)
            raise
    atexit.register(_end, child)
    if not _is_served_from(data):
        log.warning("port %d has an embedded server already, whose data is not in %s: it is shared", port, data)
    return f"mongodb://{HOST}:{port}/test"


def _python() -> str:
    """This environment's interpreter. Inside of uWSGI ``sys.executable`` is uWSGI itself, or that of another one."""
    python = Path(sys.prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(python) if python.exists() else sys.executable


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, output: TextIO) -> None:
    earlier, deadline = output.tell(), monotonic() + START_SECONDS
    while not _answers(port):
        if child.poll() is not None or monotonic() > deadline:
            output.seek(earlier)
            said = output.read()[-2000:] or f"(nothing in {output.name})"
            raise EmbeddedUnavailable(f"the embedded server did not come up on {HOST}:{port}:\n{said}")
        sleep(PAUSE_SECONDS)


def _answers(port: int) -> bool:
    """Whether a MongoDB server answers on this port; False also for one that is just ending."""
    try:
        with socket.create_connection((HOST, port), timeout=SILENCE_SECONDS) as connection:
            connection.sendall(HELLO)
            reply = connection.recv(4096)
    except TimeoutError:
        reply = b"(silence)"
    except OSError:
        return False
    if reply and reply[8:16] != ANSWER:
        raise EmbeddedUnavailable(f"{HOST}:{port} is not a MongoDB server. End what is there, or set MONGODB_URI")
    return bool(reply)


def _is_served_from(data: Path) -> bool:
    """Whether the process that serves is one that keeps its data here; it writes its pid before it serves."""
    try:
        os.kill(int((data / "embedded.pid").read_text()), 0)
    except PermissionError:  # it runs, as another user
        return True
    except (OSError, ValueError):
        return False
    return True


def _end(child: subprocess.Popen[bytes]) -> None:
    # At once: every write that was acknowledged is in SQLite's log.
    with child:
        child.kill()


def run(data: Path, port: int) -> None:
    """What the child does: serve, or stand by until it can."""
    Thread(target=_end_with_starter, daemon=True).start()
    # neosqlite warns of each query that takes its slower way.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(name)s: %(message)s")
    while True:
        with socket.socket() as connection:
            refused = connection.connect_ex((HOST, port)) == errno.ECONNREFUSED
            with suppress(OSError):
                connection.recv(1)  # until the server that is there goes
        if refused:
            _serve(data, port)
        sleep(PAUSE_SECONDS)


def _end_with_starter() -> None:
    os.read(0, 1)
    os._exit(0)


def _serve(data: Path, port: int) -> None:
    """Serves for ever; returns when another process took the port first."""
    handle = import_module("nx_27017.server").handle_client_threaded
    # In `$set`, neosqlite 1.17.2 hands SQLite a boolean or a datetime as it is, which becomes 1 or a text, so that a
    # session's `expires` would be no date from its second save on. What it takes for a Binary keeps its type.
    updates: Any = import_module("neosqlite.collection.query_helper._sql_updates")
    updates.Binary |= bool | datetime
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return
    (data / "embedded.pid").write_text(f"{os.getpid()}\n")
    handler = import_module("nx_27017").NeoSQLiteHandler(data_dir=str(data))
    while True:
        with suppress(OSError):
            connection, _ = listener.accept()
            Thread(target=handle, args=(connection, handler), daemon=True).start()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
