"""``serve`` for many small apps: servers are used again, since starting and stopping one takes longer than a test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from miniexpress.server import Server


class Place:
    """A server whose app can be exchanged."""

    def __init__(self) -> None:
        self.app: Any = None
        self.server = Server(self.call, "127.0.0.1", 0)
        self.thread = threading.Thread(target=self.server.serve_until_stopped)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def call(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


@pytest.fixture(scope="session")
def places() -> Iterator[list[Place]]:
    """Return the servers that were started and serve no app now."""
    started: list[Place] = []
    yield started
    for place in started:
        place.server.stop()
        place.thread.join()


@pytest.fixture
def serve(places: list[Place]) -> Iterator[Callable[[Any], str]]:
    """Serve a WSGI app until the test is over: ``serve(app)`` returns its URL, ``http://127.0.0.1:12345``."""
    used: list[Place] = []

    def start(app: Any) -> str:
        used.append(places.pop() if places else Place())
        used[-1].app = app
        return used[-1].url

    yield start
    places.extend(used)
