"""Async iterables as bodies: read in the client's pace, and closed wherever they end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
import requests

from miniexpress import App, express
from miniexpress.event_loop import AsyncChunks, EventLoop, event_loop
from tests.support.served_folder import call
from tests.support.waiting import wait_for


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


class Source:
    """An async iterable that holds something open from the beginning, and tells when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return Numbers(3)()

    async def aclose(self) -> None:
        self.closed.set()


def test_closing_before_the_first_item_closes_what_has_an_aclose() -> None:
    source = Source()
    AsyncChunks(source).close()
    assert source.closed.is_set()


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_async_iterable_is_closed_where_no_body_is_sent(method: str, status: int) -> None:
    source, app = Source(), express()
    app.use(lambda req, res: res.status(status).end(source))
    response = call(app, "/", REQUEST_METHOD=method)
    assert (response.status, response.body, source.closed.is_set()) == (status, b"", True)


def test_closing_a_generator_that_goes_on_when_it_is_cancelled_ends_it_nevertheless() -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        with suppress(asyncio.CancelledError):
            yield b"0"
            await asyncio.sleep(1000)
        yield b"1"

    def interrupted(loop: EventLoop) -> None:
        """Close while the next item is awaited, as where the server's thread is interrupted."""
        loop.call(chunks._wanted.set)
        done = threading.Event()
        loop.call(loop.call_later, 0.05, done.set)
        assert done.wait(10)
        chunks.close()

    chunks = AsyncChunks(stubborn())
    assert next(chunks) == b"0"
    within_seconds(10, interrupted, event_loop())


def test_closing_on_the_loop_itself_is_no_deadlock() -> None:
    numbers = Numbers(3)
    chunks = AsyncChunks(numbers())
    next(chunks)
    event_loop().call(chunks.close)
    assert numbers.closed.wait(10)


def within_seconds(seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function in a daemon thread, and fail where it takes longer: it hangs."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive()


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


def test_an_async_body_behind_res_write_in_an_async_handler_is_an_error_and_the_loop_goes_on(
    serve: Callable[..., str],
) -> None:
    app = express()
    app.set("env", "test")

    @app.get("/")
    async def waits_on_the_loop(req: Any, res: Any) -> None:
        res.write(b"begin")
        res.end(Numbers(3)())

    @app.get("/in-a-thread")
    async def in_a_thread(req: Any, res: Any) -> None:
        res.write(b"begin ")
        await asyncio.to_thread(res.end, Numbers(3)())

    url = serve(app)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=10)
    assert requests.get(url + "/in-a-thread", timeout=10).content == b"begin 0 1 2 "


@pytest.fixture
def app() -> App:
    app = express()
    app.set("env", "test")
    return app


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
