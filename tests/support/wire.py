"""HTTP over raw sockets, for tests that compare bytes: requests to send, apps to send them to, responses parsed."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.ports import free_port
from tests.support.project import ROOT

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def echo(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI app that sends the strings of its environ, and the body of the request, as JSON."""
    body = environ["wsgi.input"].read().decode("latin-1")
    strings = {key: value for key, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({**strings, "body": body}).encode()]


def answering(*chunks: bytes, status: str = "200 OK", headers: tuple[tuple[str, str], ...] = ()) -> Any:
    """Return a WSGI app that sends these chunks: as a list if there is one chunk, else as a generator."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers))
        return [*chunks] if len(chunks) == 1 else (chunk for chunk in chunks)

    return app


@contextmanager
def listening(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``script``, which listens on port ``sys.argv[1]`` then prints ``ready``. Yield its process and its URL."""
    port = str(free_port())
    command = [sys.executable, "-c", script, port, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Open a connection to the host and port of ``url``."""
    host, port = url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """Return all bytes until the server closes. Raises TimeoutError if it does not."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def talk(url: str, data: bytes) -> bytes:
    """Send ``data`` over one connection; return all bytes until the server closes."""
    with connected(url) as connection:
        connection.sendall(data)
        return received(connection)


def seen(response: bytes) -> dict[str, str]:
    """Return what ``echo`` saw of the first request, from the bytes of its response."""
    head, _, rest = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK"), response
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    return json.loads(rest[:length])  # type: ignore[no-any-return]


def statuses(responses: bytes) -> list[int]:
    """Return the status codes of all responses, ``b"HTTP/1.1 200 OK\\r\\n..."`` → ``[200]``."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d) ", responses)]


def dateless(response: bytes) -> bytes:
    """Replace the value of each Date field by ``now``."""
    return re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"Date: now\r\n", response)
