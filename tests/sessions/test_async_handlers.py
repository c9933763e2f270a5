"""Sessions in ``async def`` handlers: what overlaps in one session loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from miniexpress import App
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Store
from tests.support.browser import Browser, all_at_once, app_with_session

Serve = Callable[..., str]


@pytest.fixture(params=["MemoryStore", "MongoDBStore"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "MemoryStore":
        yield MemoryStore()
    else:
        server = request.getfixturevalue("secantus_server")
        store = MongoDBStore(uri=server.uri, collection=f"sessions-{uuid4()}")
        yield store
        store.client.close()


@pytest.fixture
def app(store: Store) -> App:
    app = app_with_session(store=store)

    @app.get("/set/:key")
    async def set_key(req: Any, res: Any) -> None:
        await asyncio.sleep(0.01)
        req.session[req.params.key] = 1
        res.send("set")

    @app.get("/login")
    async def log_in(req: Any, res: Any) -> None:
        before = req.session.id
        await asyncio.to_thread(req.session.regenerate)
        req.session.user = "ada"
        res.json({"changed": req.session.id != before})

    @app.get("/keys")
    async def show(req: Any, res: Any) -> None:
        res.json(sorted(key for key in req.session if key != "cookie"))

    return app


def test_async_handlers_that_overlap_in_one_session_lose_nothing(serve: Serve, app: App) -> None:
    meeting: list[asyncio.Event] = []
    arrived: list[str] = []

    @app.get("/meet/:key")
    async def meet(req: Any, res: Any) -> None:
        """Change the session, once both have loaded it."""
        arrived.append(req.params.key)
        meeting.append(meeting[0] if meeting else asyncio.Event())
        if len(arrived) == 2:
            meeting[0].set()
        await asyncio.wait_for(meeting[0].wait(), 10)
        req.session[req.params.key] = 1
        res.send("met")

    browser = Browser(serve(app))
    browser.get("/set/first")
    assert {answer.text for answer in all_at_once(browser, ["/meet/a", "/meet/b"])} == {"met"}
    answers = all_at_once(browser, [f"/set/{number}" for number in range(40)])
    assert {answer.text for answer in answers} == {"set"}
    assert browser.get("/keys").text.count(",") == 42


def test_a_session_is_regenerated_in_a_thread_of_an_async_handler(serve: Serve, app: App) -> None:
    browser = Browser(serve(app))
    browser.get("/set/first")
    answer = browser.get("/login")
    assert answer.text == '{"changed":true}'
    assert browser.get("/keys").text == '["user"]'
