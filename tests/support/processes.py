"""What the tests share: processes over real sockets, and waiting for what is to come instead of for a while."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from miniexpress import embedded

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests" / "reference"

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 20.0) -> T:
    """What `look()` returns as soon as it is true. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: not in {seconds:.0f} seconds"
        time.sleep(0.02)
    return seen


def free_port() -> int:
    """A free port on 127.0.0.1, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_http(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def answers_mongodb(port: int) -> bool:
    client: MongoClient[dict[str, Any]] = MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=500)
    try:
        client.admin.command("hello")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent to notice does not."""
    status = Path(f"/proc/{pid}/status")
    if Path("/proc/self").exists():
        return status.exists() and "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Inside the `with` no other process of this run is in one for the same file."""
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def processor_time(work: Callable[[], object], fine: float = 0.008) -> float:
    """The seconds of processor time of one run: of the first that is below `fine`, or else of the best of many.

    A second's worth of them, since what else a machine is busy with comes in waves that last longer than one. Without
    what a tool that measures coverage traces, which would be several times the work itself.
    """
    best, trace = 1.0, sys.gettrace()
    sys.settrace(None)
    try:
        for _ in range(100):
            start = time.thread_time()
            work()
            best = min(best, time.thread_time() - start)
            if best < fine:
                break
    finally:
        sys.settrace(trace)
    return best


class Process:
    """A started process; what it prints goes to the file `log`."""

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
        """The exit status; None while it runs."""
        return self._popen.poll()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def interrupt(self) -> int:
        """Ctrl-C."""
        return self._end(signal.SIGINT)

    def terminate(self) -> int:
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """kill -9"""
        return self._end(signal.SIGKILL)

    def close_input(self) -> int:
        """What reads its standard input sees the end of it."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        return self._wait("the end of its input")

    def close(self) -> None:
        """Ends it if it runs."""
        if self.status is None:
            self.kill()

    def _end(self, number: signal.Signals) -> int:
        self._popen.send_signal(number)
        return self._wait(number.name)

    def _wait(self, why: str) -> int:
        """The exit status."""
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
    """An app that listens on the port that its environment's PORT names."""

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
    """A process for which `ready()` is true. Raises AssertionError with its output where it ends before that."""
    process = Process(argv, os.environ if env is None else env, cwd, log or cwd / "output.log")
    wait_until_ready(process, ready)
    return process


def wait_until_ready(process: Process, ready: Callable[[], object], seconds: float = 30.0) -> None:
    def is_ready() -> object:
        assert process.status is None, f"{process.argv} ended with status {process.status}:\n{process.output()}"
        return ready()

    try:
        wait_for(is_ready, f"{process.argv} ready", seconds)
    except BaseException:
        process.close()
        raise


def user_environment(**changes: str) -> dict[str, str]:
    """The environment of a user who has set nothing but `changes`, with this package to import."""
    unset = {"MONGODB_URI", "SESSION_SECRET", "HOST", "PORT", "MINIEXPRESS_ENV", "MINIEXPRESS_RELOAD", "NODE_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


class MongoDBServer:
    """A server with its own data, which it keeps from one start to the next."""

    kind = ""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.data = data
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/test"
        self.start()

    def argv(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        log = self.data.with_suffix(".log")
        self._process = start_process(self.argv(), ready=lambda: answers_mongodb(self.port), cwd=self.data, log=log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        return self._process.output()

    def kill(self) -> None:
        self._process.close()

    def restart(self) -> None:
        """Ends it as an outage does, and starts it anew on the same port."""
        self.kill()
        self.start()


class NxServer(MongoDBServer):
    """nx-27017, run as `embedded.start` runs it."""

    kind = "nx-27017"

    def argv(self) -> list[str]:
        return [sys.executable, "-P", embedded.__file__, str(self.data), str(self.port)]


class SecantusServer(MongoDBServer):
    """SecantusDB, which takes `configureFailPoint`, keeps what it acknowledged, and can ask for a password."""

    kind = "SecantusDB"
    options: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        return [
            *(sys.executable, "-m", "secantus", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--storage-path", str(self.data / "db"), "--cache-size", "64M", "--log-level", "WARNING"),
            *("--sync-on-commit", "--enable-test-commands", *self.options),
        ]

    def ask_for_password(self, username: str = "username", password: str = "password") -> None:
        """Starts it anew with one user, who may read and write the database `test`; `uri` names both."""
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.uri) as client:
            client.test.command("createUser", username, pwd=password, roles=["readWrite"])
        self._process.terminate()
        self.options = ("--auth",)
        self.uri = f"mongodb://{username}:{password}@127.0.0.1:{self.port}/test"
        self.start()

    @contextmanager
    def failing(self, *commands: str, mode: Any = "alwaysOn", **data: Any) -> Iterator[None]:
        """Lets commands fail inside the `with`, as `failing('find', errorCode=8)`, `failing('update',
        closeConnection=True)` or `failing('find', blockConnection=True, blockTimeMS=500)`."""
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.uri) as client:
            client.admin.command(
                "configureFailPoint", "failCommand", mode=mode, data={"failCommands": list(commands), **data}
            )
            try:
                yield
            finally:
                client.admin.command("configureFailPoint", "failCommand", mode="off")


def installed_reference() -> Path:
    """tests/reference with the packages that its package.json pins. Raises LookupError with the reason for none."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise LookupError("node is not installed")
    pins: dict[str, str] = json.loads((REFERENCE / "package.json").read_text())["dependencies"]
    with locked(REFERENCE / "package.json"):
        if any(_installed_version(name) != version for name, version in pins.items()):
            _install_reference()
    return REFERENCE


def _install_reference() -> None:
    command = ["npm", "install", "--no-package-lock"]
    try:
        npm = subprocess.run(command, cwd=REFERENCE, capture_output=True, text=True, timeout=100)
    except subprocess.TimeoutExpired as error:
        raise LookupError("npm install failed: it took more than 100 seconds") from error
    if npm.returncode:
        raise LookupError(f"npm install failed: {npm.stderr.strip()[-500:]}")


def _installed_version(name: str) -> str | None:
    manifest = REFERENCE / "node_modules" / name / "package.json"
    version: str | None = json.loads(manifest.read_text())["version"] if manifest.exists() else None
    return version
