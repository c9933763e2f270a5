"""The process's event loop: async iterables as bodies, forked children, and the end of the process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import requests

from miniexpress import App, express
from miniexpress.event_loop import AsyncChunks, event_loop
from tests.support.project import ROOT
from tests.support.waiting import wait_for
from tests.support.wire import listening


class Numbers:
    """An async iterable that tells how far it was read, and when it was closed, in the task that opened it."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count, self.error = count, error
        self.produced = 0
        self.closed = threading.Event()
        self.tasks: set[Any] = set()

    async def __call__(self) -> AsyncIterator[bytes]:
        self.tasks.add(asyncio.current_task())
        try:
            for number in range(self.count):
                await asyncio.sleep(0)
                self.produced += 1
                yield b"%d " % number
            if self.error:
                raise self.error
        finally:
            await asyncio.sleep(0)
            self.tasks.add(asyncio.current_task())
            self.closed.set()


def test_an_async_generator_is_read_item_by_item_when_it_is_asked() -> None:
    numbers = Numbers(3)
    chunks = AsyncChunks(numbers())
    assert numbers.produced == 0
    assert (next(chunks), numbers.produced) == (b"0 ", 1)
    assert (next(chunks), numbers.produced) == (b"1 ", 2)
    assert list(chunks) == [b"2 "]
    assert list(chunks) == []
    assert numbers.closed.is_set()


def test_closing_an_async_generator_early_runs_its_finally_in_the_task_that_has_opened_it() -> None:
    numbers = Numbers(3)
    chunks = AsyncChunks(numbers())
    next(chunks)
    chunks.close()
    assert numbers.closed.is_set()
    assert len(numbers.tasks) == 1
    assert list(chunks) == []


def test_closing_before_the_first_item_begins_nothing() -> None:
    numbers = Numbers(3)
    AsyncChunks(numbers()).close()
    assert numbers.produced == 0


@pytest.mark.parametrize("error", [ValueError("x"), asyncio.CancelledError(), SystemExit(3)], ids=repr)
def test_what_an_async_generator_raises_is_raised_to_who_reads_it(error: BaseException) -> None:
    chunks = AsyncChunks(Numbers(1, error)())
    assert next(chunks) == b"0 "
    with pytest.raises(type(error) if isinstance(error, Exception) else RuntimeError):
        next(chunks)
    assert list(AsyncChunks(Numbers(1)())) == [b"0 "]


def test_an_object_with_aiter_alone_is_an_async_iterable() -> None:
    class Once:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return Numbers(1)()

    assert list(AsyncChunks(Once())) == [b"0 "]


def test_reading_on_the_loop_itself_is_an_error_and_no_deadlock() -> None:
    errors: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        try:
            list(AsyncChunks(Numbers(1)()))
        except RuntimeError as error:
            errors.append(error)
        done.set()

    event_loop().call(read)
    assert done.wait(10)
    assert "asyncio.to_thread" in str(errors[0])


def streaming(numbers: Numbers) -> App:
    app = express()
    app.get("/", lambda req, res: res.end(numbers()))
    return app


def test_res_end_sends_an_async_generator(serve: Callable[..., str]) -> None:
    assert requests.get(serve(streaming(Numbers(3))), timeout=10).content == b"0 1 2 "


def test_an_async_generator_is_closed_when_the_client_leaves(serve: Callable[..., str]) -> None:
    numbers = Numbers(10**9)
    host, port = serve(streaming(numbers)).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(10)
    assert numbers.closed.wait(20)


def test_an_async_generator_is_read_at_the_clients_pace(serve: Callable[..., str]) -> None:
    numbers = Numbers(10**9)
    chunk_size = 2**16

    async def large() -> AsyncIterator[bytes]:
        async for number in numbers():
            yield number.ljust(chunk_size)

    app = express()
    app.get("/", lambda req, res: res.end(large()))
    host, port = serve(app).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        before = -1
        while before != numbers.produced:  # until the socket's buffers are full
            before = numbers.produced
            threading.Event().wait(0.3)
        for _ in range(1000):
            connection.recv(2**16)
        wait_for(lambda: numbers.produced > before, "more, once the client has read")


def test_an_async_body_that_holds_no_bytes_is_an_error_that_names_it(serve: Callable[..., str]) -> None:
    async def texts() -> AsyncIterator[Any]:
        yield "text"

    app = express()
    app.set("env", "test")

    @app.get("/")
    async def sends(req: Any, res: Any) -> None:
        await asyncio.to_thread(res.write, b"begin")
        await asyncio.to_thread(res.end, texts())

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(serve(app), timeout=10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_has_a_loop_of_its_own() -> None:
    program = """
import asyncio, os
from miniexpress import express
from tests.support.served_folder import call

app = express()

@app.get("/")
async def home(req, res):
    await asyncio.sleep(0)
    res.send(str(os.getpid()))

print(int(call(app, "/").body) == os.getpid(), flush=True)
child = os.fork()
print(int(call(app, "/").body) == os.getpid(), flush=True)
if child:
    print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == ["0", "True", "True", "True"], done.stderr


STOPPED = """
import asyncio, sys
from miniexpress import express

app = express()

@app.get("/")
async def waits(req, res):
    try:
        print("waits", flush=True)
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0)
        print("tidied up", flush=True)

@app.get("/short")
async def short(req, res):
    print("waits", flush=True)
    await asyncio.sleep(0.3)
    res.send("done")

app.listen(int(sys.argv[1]), callback=lambda: print("ready", flush=True), stop_timeout=2000)
print("listen has returned", flush=True)
"""


def test_a_server_that_is_stopped_cancels_what_still_runs_after_stop_timeout_and_ends_with_0() -> None:
    with listening(STOPPED) as (process, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert process.stdout.readline() == "waits\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "listen has returned\n"
            assert process.stdout.readline() == "tidied up\n"
            assert process.wait(10) == 0
            assert connection.recv(10) == b""


def test_a_server_that_is_stopped_finishes_the_async_handlers_under_way() -> None:
    with listening(STOPPED) as (process, url):
        bodies: list[bytes] = []
        thread = threading.Thread(target=lambda: bodies.append(requests.get(url + "/short", timeout=30).content))
        thread.start()
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGTERM)
        thread.join()
        assert bodies == [b"done"]
        assert process.wait(10) == 0
