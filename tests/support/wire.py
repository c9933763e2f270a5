"""HTTP over raw sockets, for tests that look at every byte."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.processes import ROOT, free_port

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def echo(environ: Any, start_response: Any) -> list[bytes]:
    """Answers with what it was given, as JSON."""
    body = environ["wsgi.input"].read().decode("latin-1")
    strings = {key: value for key, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({**strings, "body": body}).encode()]


def answering(*chunks: bytes, status: str = "200 OK", headers: tuple[tuple[str, str], ...] = ()) -> Any:
    """An app that answers with these chunks: a list when it is one, else a generator."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers))
        return [*chunks] if len(chunks) == 1 else (chunk for chunk in chunks)

    return app


@contextmanager
def listening(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that runs `script`, and its URL. The script listens on port sys.argv[1], and prints 'ready' then."""
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
    host, port = url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def received(connection: socket.socket) -> bytes:
    """All that comes until the server closes; a server that does not makes the test fail."""
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def talk(url: str, data: bytes) -> bytes:
    with connected(url) as connection:
        connection.sendall(data)
        return received(connection)


def seen(answer: bytes) -> dict[str, str]:
    """What the echo app was given by the first request that `answer` answers."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK"), answer
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
    return json.loads(rest[:length])  # type: ignore[no-any-return]


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]


def dateless(answer: bytes) -> bytes:
    return re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", b"Date: now\r\n", answer)
