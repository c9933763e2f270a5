"""The threads of ``asyncio.to_thread``: one for each call."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest

from miniexpress import App, express
from tests.support.served_folder import call


@pytest.fixture
def app() -> App:
    app = express()
    app.set("env", "test")
    return app


def test_functions_of_to_thread_do_not_wait_for_one_another(app: App) -> None:
    barrier = threading.Barrier(40)

    @app.get("/")
    async def meets(req: Any, res: Any) -> None:
        await asyncio.gather(*(asyncio.to_thread(barrier.wait, 10) for _ in range(40)))
        res.send("met")

    assert call(app, "/").body == b"met"


def test_stop_iteration_of_a_function_in_to_thread_is_an_error_and_no_hang(app: App) -> None:
    @app.get("/")
    async def exhausts(req: Any, res: Any) -> None:
        await asyncio.wait_for(asyncio.to_thread(next, iter([])), 10)

    app.use(lambda err, req, res, next: res.send(f"{type(err).__name__}: {err}"))
    assert re.fullmatch(rb"RuntimeError: .*built-in function next.* has raised StopIteration\(\)", call(app, "/").body)
