"""Handlers that keep the event loop: named in the log of development, when the step has ended and while it goes on."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from miniexpress import express
from tests.support.served_folder import call
from tests.support.waiting import wait_for


def test_a_step_that_does_not_end_is_named_while_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    app, go_on = express(), threading.Event()
    app.set("env", "development")

    @app.get("/")
    async def never_awaits(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        go_on.wait(30)
        res.send("x")

    with caplog.at_level(logging.WARNING, "miniexpress"), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, app, "/")
        wait_for(lambda: caplog.messages, "the name of the handler")
        go_on.set()
        assert answer.result(30).body == b"x"
    going_on, ended = caplog.messages
    assert "never_awaits (" in going_on
    assert "test_slow_steps.py:" in going_on
    assert "has kept the event loop for" in going_on
    assert "kept the event loop for" in ended
