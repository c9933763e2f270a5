"""MongoDB-compatible servers in processes of their own: nx-27017 and SecantusDB."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from miniexpress import embedded
from tests.support.ports import free_port
from tests.support.processes import start_process


class MongoDBServer:
    """A server with a data folder of its own, which it keeps from one start to the next."""

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
        self._process = start_process(self.argv(), ready=lambda: responds_to_hello(self.port), cwd=self.data, log=log)

    @property
    def pid(self) -> int:
        return self._process.pid

    def output(self) -> str:
        return self._process.output()

    def kill(self) -> None:
        self._process.close()

    def emptied(self) -> Self:
        """Return the server with an empty database ``test``, and running, whatever the last test left behind."""
        if self._process.status is not None:
            self.start()
        with MongoClient[dict[str, Any]](self.uri) as client:
            for name in client.test.list_collection_names():
                client.test.drop_collection(name)
        return self

    def restart(self) -> None:
        """Kill the server, as an outage does, and start it again on the same port."""
        self.kill()
        self.start()


class NxServer(MongoDBServer):
    """nx-27017, run as ``embedded.start`` runs it."""

    kind = "nx-27017"

    def argv(self) -> list[str]:
        return [sys.executable, "-P", embedded.__file__, str(self.data), str(self.port)]


class SecantusServer(MongoDBServer):
    """SecantusDB: it keeps every write that it acknowledged, has ``configureFailPoint``, and can require a password."""

    kind = "SecantusDB"
    options: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        return [
            *(sys.executable, "-m", "secantus", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--storage-path", str(self.data / "db"), "--cache-size", "64M", "--log-level", "WARNING"),
            *("--sync-on-commit", "--enable-test-commands", *self.options),
        ]

    def require_password(self, username: str = "username", password: str = "password") -> None:
        """Restart the server with one user, who needs a password and may read and write the database ``test``.

        ``uri`` then has both.
        """
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.uri) as client:
            client.test.command("createUser", username, pwd=password, roles=["readWrite"])
        self._process.terminate()
        self.options = ("--auth",)
        self.uri = f"mongodb://{username}:{password}@127.0.0.1:{self.port}/test"
        self.start()

    @contextmanager
    def failing(self, *commands: str, mode: Any = "alwaysOn", **data: Any) -> Iterator[None]:
        """Make commands fail inside the ``with``, by MongoDB's fail point ``failCommand``.

        ``failing("find", errorCode=8)``, ``failing("update", closeConnection=True)``,
        ``failing("find", blockConnection=True, blockTimeMS=500)``.
        """
        client: MongoClient[dict[str, Any]]
        with MongoClient(self.uri) as client:
            client.admin.command(
                "configureFailPoint", "failCommand", mode=mode, data={"failCommands": list(commands), **data}
            )
            try:
                yield
            finally:
                client.admin.command("configureFailPoint", "failCommand", mode="off")


def responds_to_hello(port: int) -> bool:
    """Return true if a MongoDB server responds to the command ``hello`` on that port."""
    client: MongoClient[dict[str, Any]] = MongoClient("127.0.0.1", port, serverSelectionTimeoutMS=500)
    try:
        client.admin.command("hello")
    except PyMongoError:
        return False
    finally:
        client.close()
    return True
