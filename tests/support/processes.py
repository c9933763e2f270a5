"""Processes that a test starts: apps, servers, scripts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.project import ROOT
from tests.support.waiting import wait_for


class Process:
    """A started process, whose output goes to the file ``log``.

    What ends it returns its exit status.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.argv = argv
        self.log = log
        with log.open("ab") as output:
            # The pipe is for the embedded server's child, which ends with whoever holds it.
            self._popen = subprocess.Popen(
                argv, env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """The exit status, or None while the process runs."""
        return self._popen.poll()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def interrupt(self) -> int:
        """Send SIGINT, as Ctrl-C does."""
        return self._end(signal.SIGINT)

    def terminate(self) -> int:
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Send SIGKILL, as ``kill -9`` does."""
        return self._end(signal.SIGKILL)

    def close_input(self) -> int:
        """Close the standard input, and wait for the process to end by itself."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        return self._wait("the end of its input")

    def close(self) -> None:
        """Kill the process if it still runs."""
        if self.status is None:
            self.kill()

    def _end(self, number: signal.Signals) -> int:
        self._popen.send_signal(number)
        return self._wait(number.name)

    def _wait(self, why: str) -> int:
        try:
            return self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            raise AssertionError(f"still running 15 seconds after {why}:\n{self.output()}") from None
        finally:
            if self._popen.stdin is not None:
                self._popen.stdin.close()


class App(Process):
    """An app that listens on the port that PORT names in its environment."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> None:
        super().__init__(argv, env, cwd, log)
        self.port = int(env["PORT"])
        self.url = f"http://127.0.0.1:{self.port}"


def start_process(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    ready: Callable[[], object] = lambda: True,
    *,
    cwd: Path,
    log: Path | None = None,
) -> Process:
    """Start a process and wait until ``ready()`` is true. Raises AssertionError with its output if it ends first."""
    process = Process(argv, os.environ if env is None else env, cwd, log or cwd / "output.log")
    wait_until_ready(process, ready)
    return process


def wait_until_ready(process: Process, ready: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until ``ready()`` is true. Raises AssertionError, and kills the process, if that does not happen in time."""

    def is_ready() -> object:
        assert process.status is None, f"{process.argv} ended with status {process.status}:\n{process.output()}"
        return ready()

    try:
        wait_for(is_ready, f"{process.argv} ready", seconds)
    except BaseException:
        process.close()
        raise


def user_environment(**changes: str) -> dict[str, str]:
    """Return the environment of a user who has set nothing but ``changes``, with this package to import."""
    unset = {"MONGODB_URI", "SESSION_SECRET", "HOST", "PORT", "MINIEXPRESS_ENV", "MINIEXPRESS_RELOAD", "NODE_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def is_alive(pid: int) -> bool:
    """Return true if a process runs; a zombie, which has ended and waits for its parent, does not."""
    status = Path(f"/proc/{pid}/status")
    if Path("/proc/self").exists():
        return status.exists() and "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
