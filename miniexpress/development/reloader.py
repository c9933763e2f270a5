"""Start an app anew whenever one of its files changes: ``app.listen(3000, reload=True)``, for development.

The process that was started only watches. A child, which runs the same command, serves; it stops, as a server does that
is told to, when its end of a pipe says that the watcher closed the other one or is gone. POSIX only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

PAUSE_SECONDS = 0.25  # between two looks at the files
STOP_SECONDS = 12.0  # for a child to finish what is under way
_PIPE = "MINIEXPRESS_RELOAD_PIPE"


def is_wanted(option: bool | None) -> bool:
    """What ``reload=`` says, or else ``MINIEXPRESS_RELOAD=1``."""
    return os.environ.get("MINIEXPRESS_RELOAD") == "1" if option is None else option


def is_child() -> bool:
    return _PIPE in os.environ


def watch(folders: Iterable[str], suffixes: Iterable[str]) -> int:
    """Run this program in a child until SIGINT or SIGTERM, or until it ends well by itself; its exit status.

    It is run again whenever a file with one of ``suffixes`` changes, comes or goes below the folder of the program or
    below ``folders``. One that fails is waited for to be mended.
    """
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stopping.append(number))
    program = getattr(sys.modules["__main__"], "__file__", None)
    roots = [*folders, *([os.path.dirname(os.path.abspath(program))] if program else [])]
    look = partial(_times, roots, tuple(suffixes))
    while True:
        seen = look()
        child, pipe = _start()
        while not stopping and child.poll() != 0 and look() == seen:
            time.sleep(PAUSE_SECONDS)
        ended_well = child.poll() == 0
        os.close(pipe)
        status = _end(child)
        if stopping or ended_well:
            return status
        print("reloading", file=sys.stderr, flush=True)


def stops_with_watcher(callback: Callable[[], Any] | None) -> Callable[[], None]:
    """In the child: what to call once it listens, so that it stops when the watcher wants it to."""

    def listens() -> None:
        Thread(target=_stop_with_watcher, args=(int(os.environ[_PIPE]),), daemon=True).start()
        if callback is not None:
            callback()

    return listens


def _start() -> tuple[subprocess.Popen[bytes], int]:
    reading, writing = os.pipe()
    command = [sys.executable, *sys.orig_argv[1:]]
    child = subprocess.Popen(command, env={**os.environ, _PIPE: str(reading)}, pass_fds=[reading])
    os.close(reading)
    return child, writing


def _end(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _stop_with_watcher(pipe: int) -> None:
    os.read(pipe, 1)
    # Ctrl-C reaches both processes: one that stops already has no handler any more, and a second signal would kill it.
    if callable(signal.getsignal(signal.SIGTERM)):
        os.kill(os.getpid(), signal.SIGTERM)


def _times(roots: Iterable[str], suffixes: tuple[str, ...]) -> dict[str, int]:
    """When each of the files to watch was changed last."""
    times = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not _is_of_others(folder, name)]
            for name in names:
                if name.endswith(suffixes):
                    path = os.path.join(folder, name)
                    with suppress(FileNotFoundError):  # where it goes while we look
                        times[path] = os.stat(path).st_mtime_ns
    return times


def _is_of_others(folder: str, name: str) -> bool:
    """Whether a folder is hidden, or holds what was installed."""
    return name.startswith((".", "__pycache__", "node_modules")) or Path(folder, name, "pyvenv.cfg").exists()
