"""`Store`: what a store of one's own starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from visits import Browser, PlainStore, app_with_session

from miniexpress.sessions.store import Store


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("get(sid)", lambda store: store.get("a")),
        ("set(sid, document)", lambda store: store.set("a", {})),
        ("destroy(sid)", lambda store: store.destroy("a")),
    ],
)
def test_a_store_without_what_it_must_have_says_what_to_define(name: str, call: Callable[[Store], Any]) -> None:
    class Empty(Store):
        pass

    with pytest.raises(NotImplementedError) as raised:
        call(Empty())
    assert str(raised.value) == f"Empty must define {name}"


def test_listeners_are_called_in_their_order_with_what_was_emitted_and_on_chains() -> None:
    store, heard = Store(), []
    store.on("error", lambda *given: heard.append(("first", *given))).on(
        "error", lambda *given: heard.append(("second", *given))
    )
    store.on("other", lambda: heard.append(("other",)))
    error = OSError("x")
    store.emit("error", error)
    store.emit("nobody listens")
    assert heard == [("first", error), ("second", error)]


def test_each_store_has_its_own_listeners() -> None:
    heard: list[int] = []
    Store().on("error", heard.append)
    Store().emit("error", 1)
    assert heard == []


def test_a_store_that_forgets_super_init_still_serves(serve: Callable[..., str]) -> None:
    class Forgetful(PlainStore):
        def __init__(self) -> None:
            inner = PlainStore()
            self.calls, self.kept = inner.calls, inner.kept

    app = app_with_session(store=Forgetful())

    @app.get("/")
    def count(req: Any, res: Any) -> None:
        req.session.views = (req.session.views or 0) + 1
        res.json(req.session.views)

    browser = Browser(serve(app))
    assert [browser.get().text for _ in range(2)] == ["1", "2"]


def test_one_store_may_serve_several_apps(serve: Callable[..., str]) -> None:
    store, browsers = PlainStore(), []
    for path in ("/a", "/b"):
        app = app_with_session(store=store, save_uninitialized=True)
        app.get(path, lambda req, res: res.json(req.session.id))
        browsers.append(Browser(serve(app)))
    first = browsers[0].get("/a")
    browsers[1].cookie = browsers[0].cookie
    assert browsers[1].get("/b").text == first.text


def test_regenerate_on_the_store_is_what_the_session_s_is(serve: Callable[..., str]) -> None:
    store = PlainStore()
    app = app_with_session(store=store)

    @app.get("/")
    def regenerate(req: Any, res: Any) -> None:
        old = req.session
        new = req.session_store.regenerate(req)
        assert req.session is new
        assert new.id == req.session_id != old.id
        assert req.session_store is store
        res.end()

    assert Browser(serve(app)).get().status == 200
