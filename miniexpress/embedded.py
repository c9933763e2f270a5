"""A local MongoDB-compatible server for development: ``embedded.start()`` -> ``"mongodb://127.0.0.1:27127/test"``.

The server is the PyPI package nx-27017, the MongoDB wire protocol over SQLite. It runs in a child process, which exits
with its parent however that ends: the parent holds the other end of the child's standard input. Each process that calls
``start()`` has a child of its own, and the children of one port are one server: the first one to listen serves, the
others stand by, and one of them takes over when it exits.
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

HOST = "127.0.0.1"
PORT = 27127
START_TIMEOUT = 20.0  # seconds that the server has to come up
CONNECT_TIMEOUT = 5.0  # seconds without a reply, after which what listens on the port is no MongoDB server
POLL_INTERVAL = 0.02  # seconds

# Request 1, an OP_MSG (opcode 2013) of {hello: 1, $db: 'admin'} in BSON; and responseTo, opCode of its reply's header.
HELLO = struct.pack("<4iIB i b6si b4si6s x", 52, 1, 0, 2013, 0, 0, 31, 16, b"hello", 1, 2, b"$db", 6, b"admin")
HELLO_REPLY = struct.pack("<2i", 1, 2013)

# The message of a program that finds neither a server nor, perhaps, pymongo, which both ways out install or need.
NOT_INSTALLED = """\
there is no MongoDB to talk to. Either install the embedded server, for development:
    pip install '.[embedded]'      (in a clone of miniexpress)
or set MONGODB_URI to the server you have, as in
    MONGODB_URI=mongodb://username:password@127.0.0.1/test
and install pymongo for it, if it is not there yet:
    pip install .                  (in a clone of miniexpress)"""

log = logging.getLogger("miniexpress.embedded")


class EmbeddedUnavailable(RuntimeError):
    """There is no embedded server to be had; the message says why, and what to do."""


def start(directory: str | os.PathLike[str] = ".data", port: int = PORT) -> str:
    """Start a server that lives as long as this process, wait until it is ready, and return its URI.

    ``directory`` is created if missing, and keeps the data from one start to the next, beside ``embedded.log`` and
    ``embedded.pid``. A MongoDB server that is on the port already is shared, whoever started it. Raises
    ``EmbeddedUnavailable`` when nx-27017 is not installed, when the port is used by something else, and when the server
    does not come up.
    """
    if find_spec("nx_27017") is None:
        raise EmbeddedUnavailable(NOT_INSTALLED)
    data = Path(directory).absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = (data / "embedded.log").open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise EmbeddedUnavailable(f"the embedded server cannot keep its data in {data}: {error}") from error
    with output:
        child = _start_child(data, port, output)
        try:
            _wait_until_ready(child, port, output)
        except BaseException:
            _kill(child)
            raise
    atexit.register(_kill, child)
    if not _is_served_from(data):
        log.warning("port %d has an embedded server already, whose data is not in %s: it is shared", port, data)
    return f"mongodb://{HOST}:{port}/test"


# In the process that starts the server


def _start_child(data: Path, port: int, output: TextIO) -> subprocess.Popen[bytes]:
    # This file runs as a script, with -P so that no module beside it hides one of another package, and with this
    # process's path. In a session of its own it is not reached by Ctrl-C, and outlives its parent's last requests.
    return subprocess.Popen(
        [_python(), "-P", __file__, str(data), str(port)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _python() -> str:
    """Return the path of this environment's interpreter. Under uWSGI ``sys.executable`` is uWSGI, or another one's."""
    python = Path(sys.prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return str(python) if python.exists() else sys.executable


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, output: TextIO) -> None:
    """Return once a MongoDB server is on the port. Raises ``EmbeddedUnavailable`` with what the child has logged."""
    log_start, deadline = output.tell(), monotonic() + START_TIMEOUT
    while not _is_mongodb_listening(port):
        if child.poll() is not None or monotonic() > deadline:
            output.seek(log_start)
            logged = output.read()[-2000:] or f"(nothing in {output.name})"
            raise EmbeddedUnavailable(f"the embedded server did not come up on {HOST}:{port}:\n{logged}")
        sleep(POLL_INTERVAL)


def _is_mongodb_listening(port: int) -> bool:
    """Return whether a MongoDB server replies on the port; false also for one that is just exiting.

    Raises ``EmbeddedUnavailable`` when something else listens there.
    """
    try:
        with socket.create_connection((HOST, port), timeout=CONNECT_TIMEOUT) as connection:
            connection.sendall(HELLO)
            reply = connection.recv(4096)
    except TimeoutError:
        reply = b"(no reply)"
    except OSError:
        return False
    if reply and reply[8:16] != HELLO_REPLY:
        raise EmbeddedUnavailable(f"{HOST}:{port} is not a MongoDB server. End what is there, or set MONGODB_URI")
    return bool(reply)


def _is_served_from(data: Path) -> bool:
    """Return whether the process that last served from ``data`` is alive; it writes its pid before it serves."""
    try:
        os.kill(int((data / "embedded.pid").read_text()), 0)
    except PermissionError:  # alive, as another user
        return True
    except (OSError, ValueError):
        return False
    return True


def _kill(child: subprocess.Popen[bytes]) -> None:
    # SIGKILL loses nothing: every acknowledged write is in SQLite's log.
    with child:
        child.kill()


# In the child


def run_child(data: Path, port: int) -> None:
    """Serve, or stand by until the server that is on the port exits, until the parent exits."""
    Thread(target=_exit_with_parent, daemon=True).start()
    # neosqlite logs a warning for each query that takes its slower way.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(name)s: %(message)s")
    while True:
        with socket.socket() as connection:
            is_free = connection.connect_ex((HOST, port)) == errno.ECONNREFUSED
            with suppress(OSError):
                connection.recv(1)  # returns when the server that is there exits
        if is_free:
            _serve(data, port)
        sleep(POLL_INTERVAL)


def _exit_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


def _serve(data: Path, port: int) -> None:
    """Serve forever; return when another process has taken the port first."""
    handle = import_module("nx_27017.server").handle_client_threaded
    # In `$set`, neosqlite 1.17.2 gives SQLite a boolean or a datetime as it is, which becomes 1 or a text: a session's
    # `expires` would be no date after its second save. What it takes for a Binary keeps its type.
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
    run_child(Path(sys.argv[1]), int(sys.argv[2]))
