"""The process's event loop: its visitors, forked children, and the end of the process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from selectors import EVENT_READ

import pytest
import requests

from miniexpress.event_loop.loop import FairLock, UnlockingSelector
from tests.support.project import ROOT
from tests.support.waiting import wait_for
from tests.support.wire import listening


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


def test_a_process_that_was_forked_without_a_word_to_python_has_a_loop_of_its_own() -> None:
    """uWSGI forks so, and the app may have answered a request before."""
    program = """
import ctypes, os
from miniexpress import express
from tests.support.served_folder import call
from tests.support.waiting import wait_for_idle_threads

app = express()
app.set("env", "production")  # in development one more thread looks for slow steps from time to time

@app.get("/")
async def home(req, res):
    res.send(str(os.getpid()))

call(app, "/")
wait_for_idle_threads()
child = ctypes.PyDLL(None).fork()
print(int(call(app, "/").body) == os.getpid(), flush=True)
if child:
    print(os.waitpid(child, 0)[1])
else:
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split()) == ["0", "True", "True"], done.stderr


STOPPED = """
import asyncio, sys, time
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

@app.get("/blocks")
async def blocks(req, res):
    print("waits", flush=True)
    time.sleep(1000)

@app.get("/thread")
async def in_a_thread(req, res):
    try:
        print("waits", flush=True)
        await asyncio.to_thread(time.sleep, 1000)
    finally:
        print("tidied up", flush=True)

@app.get("/task")
async def has_a_task(req, res):
    async def waits():
        try:
            await asyncio.sleep(1000)
        finally:
            print("tidied up", flush=True)
    req.app.task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    print("waits", flush=True)
    res.send("done")

@app.get("/stream")
async def stream(req, res):
    async def chunks():
        try:
            yield b"chunk"
            print("waits", flush=True)
            await asyncio.sleep(1000)
        finally:
            print("tidied up", flush=True)
    res.end(chunks())

@app.get("/short")
async def short(req, res):
    print("waits", flush=True)
    await asyncio.sleep(0.3)
    res.send("done")

app.listen(int(sys.argv[1]), callback=lambda: print("ready", flush=True), stop_timeout=2000)
print("listen has returned", flush=True)
"""


@pytest.mark.parametrize("path", ["/", "/thread", "/task", "/stream"])
def test_a_server_that_is_stopped_cancels_what_still_runs_after_stop_timeout_and_ends_with_0(path: str) -> None:
    with listening(STOPPED) as (process, url), asked(url, path):
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "listen has returned\n"
        assert process.stdout.readline() == "tidied up\n"
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()  # that it was cancelled is no error of the handler


def test_a_server_that_is_stopped_ends_with_0_although_a_handler_blocks_the_loop() -> None:
    with listening(STOPPED) as (process, url), asked(url, "/blocks"):
        assert process.stdout.readline() == "waits\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@contextmanager
def asked(url: str, path: str) -> Iterator[socket.socket]:
    """A connection on which ``path`` is requested, and nothing read."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        yield connection


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


def test_a_lock_goes_to_the_thread_that_waits_for_it() -> None:
    lock, order = FairLock(), []
    lock.acquire()

    def wait() -> None:
        with lock:
            order.append("the other thread")

    thread = threading.Thread(target=wait)
    thread.start()
    wait_for(lock.is_wanted, "the other thread")
    lock.release()
    with lock:
        order.append("this one")
    thread.join()
    assert order == ["the other thread", "this one"]


def test_what_a_visitor_registers_while_the_selector_waits_is_not_taken_for_what_was_ready() -> None:
    """A file that is closed, and another that is opened, have the same number."""

    class Visited(FairLock):
        """Is held by a visitor for a moment, before the selector has it again."""

        def acquire(self) -> None:
            selector.unregister(ours)
            selector.register(ours, EVENT_READ, "new")
            super().acquire()

    ours, theirs = socket.socketpair()
    lock = Visited()
    with ours, theirs, UnlockingSelector(lock) as selector:
        selector.register(ours, EVENT_READ, "old")
        theirs.send(b"x")
        FairLock.acquire(lock)
        assert selector.select(10) == []
        assert [key.data for key in selector.get_map().values()] == ["new"]
