"""`Store`: what a store of one's own starts from."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from miniexpress import express, session
from miniexpress.sessions.cookie import Cookie
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Document, Store
from tests.support.browser import NO_COOKIE, SECRET, Browser, PlainStore, UpdatingStore, app_with_session, signed
from tests.support.mongodb_servers import MongoDBServer

pytestmark = pytest.mark.language

KNOWN = f"connect.sid={signed('known')}"


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


def test_a_listener_of_errors_may_leave_the_error_out_and_what_cannot_be_called_with_it_is_refused() -> None:
    store, heard = Store(), []
    store.on("error", lambda: heard.append("an error"))
    store.emit("error", OSError("x"))
    assert heard == ["an error"]
    with pytest.raises(TypeError, match=r"takes 2 parameters: store.on\('error'\) takes a function \(error\)"):
        store.on("error", lambda error, store: None)


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


def test_each_session_on_one_store_makes_ids_and_cookies_of_its_own(serve: Callable[..., str]) -> None:
    store, app = UpdatingStore(), express()
    for path, age in (("/shop", 60_000), ("/admin", None)):
        options: dict[str, Any] = {"secret": SECRET, "resave": False, "save_uninitialized": True, "store": store}
        options |= {"genid": lambda req, path=path: path[1:], "cookie": {"path": path, "max_age": age}}
        app.use(path, session(**options, name=f"{path[1:]}-sid"))

    def answer(req: Any, res: Any) -> None:
        change = {"regenerate": req.session.regenerate, "generate": lambda: req.session_store.generate(req)}
        change.get(req.query.how, lambda: None)()
        res.json([req.session.id, req.session.cookie.path, req.session.cookie.original_max_age])

    app.get("/:path", answer)
    url = serve(app)
    for how in ("read", "regenerate", "generate"):
        answers = {path: Browser(url).get(f"{path}?how={how}") for path in ("/shop", "/admin")}
        assert answers["/shop"].text == '["shop","/shop",60000]'
        assert answers["/admin"].text == '["admin","/admin",null]'
        assert answers["/shop"].set_cookie[0].startswith(f"shop-sid={signed('shop')}; Path=/shop; Expires=")
        assert answers["/admin"].set_cookie == [f"admin-sid={signed('admin')}; Path=/admin; HttpOnly"]


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


SHAPES: dict[str, Callable[[Any], Any]] = {
    "a text": lambda res: res.end("hello"),
    "nothing": lambda res: res.set("Content-Length", "0").end(),
    "a text of known length": lambda res: res.set("Content-Length", "5").end("hello"),
    "parts of known length": lambda res: (res.set("Content-Length", "5").write("hel"), res.end("lo")),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_answer_is_over_before_its_session_is_saved(serve: Callable[..., str], shape: str) -> None:
    class Slow(MemoryStore):
        def set(self, sid: str, document: Document) -> None:
            time.sleep(0.1)
            super().set(sid, document)

    store = Slow()
    app = app_with_session(store=store)
    app.get("/", lambda req, res: (req.session.update(hit=True), SHAPES[shape](res)))
    answer = Browser(serve(app)).get()
    assert (store.length(), answer.text) == (1, "" if shape == "nothing" else "hello")


@pytest.mark.parametrize("resave", [False, True], ids=["touched", "saved again"])
@pytest.mark.parametrize("by_hand", [False, True], ids=["", "and by hand"])
def test_a_visit_that_changes_nothing_moves_the_end_of_the_session(
    serve: Callable[..., str], resave: bool, by_hand: bool
) -> None:
    store, now = MemoryStore(), datetime.now(UTC)
    store.set("known", {"cookie": {"originalMaxAge": 60_000, "expires": now + timedelta(seconds=10)}})
    app = app_with_session(store=store, resave=resave)
    app.get("/", lambda req, res: (by_hand and req.session.touch(), res.end()))
    Browser(serve(app), KNOWN).get()
    ends = Cookie.from_json((store.get("known") or {})["cookie"]).expires
    assert ends is not None and ends >= now + timedelta(seconds=59)


@pytest.mark.parametrize("resave", [False, True])
@pytest.mark.parametrize("store_type", [PlainStore, UpdatingStore])
def test_a_session_that_was_reloaded_and_saved_is_not_saved_again(
    serve: Callable[..., str], store_type: type[PlainStore], resave: bool
) -> None:
    store = store_type()
    store.kept.set("known", {"cookie": Cookie().to_json(), "hit": True})
    app = app_with_session(store=store, resave=resave)
    app.get("/", lambda req, res: (req.session.reload(), req.session.save(), res.end()))
    Browser(serve(app), KNOWN).get()
    assert store.calls == ["get known", "get known", "set known", "touch known"]


@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_session_is_saved_where_write_and_end_are_wrapped(serve: Callable[..., str], when: str) -> None:
    def wrap(req: Any, res: Any, next: Any) -> None:
        write, end = res.write, res.end
        res.write = lambda chunk: write(chunk.upper())
        res.end = lambda chunk: end(chunk.upper())
        next()

    store, app = MemoryStore(), express()
    with_session = session(secret=SECRET, resave=False, save_uninitialized=False, store=store)
    for middleware in (wrap, with_session) if when == "before" else (with_session, wrap):
        app.use(middleware)
    app.get("/", lambda req, res: (req.session.update(hit=True), res.write("hello, "), res.end("world")))
    answer = Browser(serve(app)).get()
    assert (answer.text, answer.sets_cookie, store.length()) == ("HELLO, WORLD", True, 1)


@pytest.mark.parametrize("with_session", [False, True])
def test_what_comes_after_the_end_of_an_answer_raises_with_a_session_as_without(
    serve: Callable[..., str], with_session: bool
) -> None:
    app, told = app_with_session() if with_session else express(), []

    @app.get("/")
    def answer_twice(req: Any, res: Any) -> None:
        res.end("first")
        for again in (lambda: res.end("second"), lambda: res.write("second")):
            with pytest.raises(RuntimeError) as raised:
                again()
            told.append(str(raised.value))

    assert Browser(serve(app)).get().text == "first"
    assert told == ["Cannot set headers after they are sent to the client: the response to GET / was ended already"] * 2


# MongoDBStore, as connect-mongodb-session's tests have it and no test of ours beside


def test_without_options_the_sessions_are_in_this_machine_s_mongodb() -> None:
    store = MongoDBStore()
    assert set(store.client.topology_description.server_descriptions()) == {("127.0.0.1", 27017)}
    assert (store.db.name, store.collection.name, store.id_field, store.expires_key) == (
        "test", "sessions", "_id", "expires",
    )  # fmt: skip
    store.client.close()


def test_an_end_that_is_a_text_is_kept_as_the_date_that_it_is(mongodb: MongoDBServer) -> None:
    store = MongoDBStore(uri=mongodb.uri, collection="ends_that_are_texts")
    store.clear()
    store.set("a", {"cookie": {**NO_COOKIE, "expires": "2100-01-01T00:00:00.000Z"}})
    kept = store.collection.find_one({"_id": "a"})
    assert kept is not None
    assert kept["expires"] == datetime(2100, 1, 1, tzinfo=UTC)
    store.client.close()
