"""Restart an app whenever one of its files changes, in development: ``app.listen(3000, reload=True)``.

The process that was started is the watcher: it serves nothing, and runs the same command again as a child, which
serves. They share a pipe: when the watcher closes its end, or exits, the child stops as at SIGTERM. POSIX only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

POLL_INTERVAL = 0.25  # seconds between two snapshots of the files
STOP_TIMEOUT = 12.0  # seconds that a child has to finish the requests under way
PIPE_VARIABLE = "MINIEXPRESS_RELOAD_PIPE"  # in the child's environment: the file descriptor of its end of the pipe
IGNORED_FOLDERS = (".", "__pycache__", "node_modules")  # beginnings of their names


def enabled(option: bool | None) -> bool:
    """Return the option ``reload``; where it is ``None``, return whether ``MINIEXPRESS_RELOAD`` is ``1``."""
    return os.environ.get("MINIEXPRESS_RELOAD") == "1" if option is None else option


def is_child() -> bool:
    """Return whether this process is the one that serves."""
    return PIPE_VARIABLE in os.environ


def watch(folders: Iterable[str], suffixes: Iterable[str]) -> int:
    """Run this program in a child until SIGINT or SIGTERM, or until the child exits with 0; return its exit status.

    The child is restarted whenever a file with one of ``suffixes`` is changed, added or removed below ``folders`` or
    the folder of the program. After any other exit status the watcher waits for such a change.
    """
    stop_signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stop_signals.append(number))
    program = getattr(sys.modules["__main__"], "__file__", None)
    roots = [*folders, *([os.path.dirname(os.path.abspath(program))] if program else [])]
    suffixes = tuple(suffixes)
    while True:
        snapshot = _mtimes(roots, suffixes)
        child, pipe = _start_child()
        while not stop_signals and child.poll() != 0 and _mtimes(roots, suffixes) == snapshot:
            time.sleep(POLL_INTERVAL)
        exited_by_itself = child.poll() == 0
        os.close(pipe)
        status = _wait_or_kill(child)
        if stop_signals or exited_by_itself:
            return status
        print("reloading", file=sys.stderr, flush=True)


def stop_when_watcher_exits(callback: Callable[[], Any] | None) -> Callable[[], None]:
    """Return the callback that a child gives to ``listen``: it waits for the watcher, and calls ``callback``."""

    def on_listening() -> None:
        Thread(target=_wait_for_watcher, args=(int(os.environ[PIPE_VARIABLE]),), daemon=True).start()
        if callback is not None:
            callback()

    return on_listening


def _mtimes(roots: Iterable[str], suffixes: tuple[str, ...]) -> dict[str, int]:
    """Return the modification times of the watched files by path, in nanoseconds."""
    mtimes = {}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not _is_ignored(folder, name)]
            for name in names:
                if name.endswith(suffixes):
                    path = os.path.join(folder, name)
                    with suppress(FileNotFoundError):  # removed meanwhile
                        mtimes[path] = os.stat(path).st_mtime_ns
    return mtimes


def _is_ignored(parent: str, name: str) -> bool:
    """Return whether a folder is hidden, or holds what was installed, as a virtual environment does."""
    return name.startswith(IGNORED_FOLDERS) or Path(parent, name, "pyvenv.cfg").exists()


def _start_child() -> tuple[subprocess.Popen[bytes], int]:
    """Run this process's command again; return the child, and the watcher's end of the pipe."""
    child_end, watcher_end = os.pipe()
    command = [sys.executable, *sys.orig_argv[1:]]
    child = subprocess.Popen(command, env={**os.environ, PIPE_VARIABLE: str(child_end)}, pass_fds=[child_end])
    os.close(child_end)
    return child, watcher_end


def _wait_or_kill(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _wait_for_watcher(pipe: int) -> None:
    """In the child: wait until the watcher's end of the pipe is closed, then send SIGTERM to this process."""
    os.read(pipe, 1)
    # Ctrl-C reaches both processes. A child that is stopping has no handler any more: a second signal would kill it.
    if callable(signal.getsignal(signal.SIGTERM)):
        os.kill(os.getpid(), signal.SIGTERM)
