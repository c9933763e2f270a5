"""Sessions where something goes wrong or is out of the ordinary: failing stores, streamed answers, apps in apps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.client import IncompleteRead
from typing import Any, ClassVar

import pytest

from miniexpress import HTTPError, Router, express, session
from miniexpress.sessions.cookie import Cookie
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.session import Changes
from miniexpress.sessions.store import Store
from tests.support.browser import (
    SECRET,
    Answer,
    Browser,
    FailingStore,
    PlainStore,
    UpdatingStore,
    app_with_session,
    signed,
)

Serve = Callable[..., str]
KNOWN = f"connect.sid={signed('known')}"


def with_known(store: Any) -> Any:
    store.set("known", {"cookie": {"originalMaxAge": None, "expires": None}, "views": 1})
    return store


def change(req: Any, res: Any) -> None:
    req.session.views = (req.session.views or 0) + 1
    res.set("ETag", '"x"').type("txt").send("changed")


FAILURES = [
    ("get", "/read", KNOWN, {}),
    ("set", "/change", None, {}),
    ("update", "/change", KNOWN, {}),
    ("update", "/read", KNOWN, {"resave": True}),
    ("touch", "/read", KNOWN, {}),
    ("destroy", "/destroy", KNOWN, {}),
    ("destroy", "/regenerate", KNOWN, {}),
    ("destroy", "/unset", KNOWN, {"unset": "destroy"}),
    ("set", "/save", None, {}),
    ("set", "/login", KNOWN, {"rotate_on": "user"}),
    ("destroy", "/login", KNOWN, {"rotate_on": "user"}),
]


@pytest.mark.parametrize(("broken", "path", "cookie", "options"), FAILURES)
def test_a_store_that_fails_is_an_error_answer_and_not_one_that_pretends(
    serve: Serve, broken: str, path: str, cookie: str | None, options: dict[str, Any]
) -> None:
    store = with_known(FailingStore())
    app = app_with_session(store=store, **options)
    app.get("/read", lambda req, res: res.send("read"))
    app.get("/change", change)

    @app.get("/destroy")
    def destroy(req: Any, res: Any) -> None:
        req.session.destroy()
        res.send("destroyed")

    @app.get("/regenerate")
    def regenerate(req: Any, res: Any) -> None:
        req.session.regenerate()
        res.send("regenerated")

    @app.get("/unset")
    def unset(req: Any, res: Any) -> None:
        req.session = None
        res.send("unset")

    @app.get("/save")
    def save(req: Any, res: Any) -> None:
        req.session.views = 1
        req.session.save()
        res.send("saved")

    @app.get("/login")
    def login(req: Any, res: Any) -> None:
        req.session.user = "tobi"
        res.redirect("/account")

    url = serve(app)
    store.broken = {broken}
    answer = Browser(url, cookie).get(path)
    assert answer.status == 500
    assert f"{broken} failed" in answer.text
    assert answer.headers["ETag"] is None
    assert answer.headers["Location"] is None
    assert answer.set_cookie == []  # what it had is as good as before
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    store.broken = set()
    assert Browser(url, cookie).get(path).status in (200, 302)


def test_an_error_handler_sees_what_the_store_raised_and_answers_instead(serve: Serve) -> None:
    store = with_known(FailingStore())
    app = express()
    app.set("env", "test")
    router = Router()
    router.use(session(secret=SECRET, resave=False, save_uninitialized=False, store=store))
    router.get("/change", change)
    app.use(router)
    app.use(lambda err, req, res, next: res.status(503).json({"sorry": str(err)}))
    url = serve(app)
    store.broken = {"update", "get"}
    assert Browser(url, KNOWN).get("/change").text == '{"sorry":"get failed"}'
    store.broken = {"update"}
    answer = Browser(url, KNOWN).get("/change")
    assert (answer.status, answer.text) == (503, '{"sorry":"update failed"}')


def test_an_http_error_of_the_store_keeps_its_status_and_headers(serve: Serve) -> None:
    class Busy(MemoryStore):
        def set(self, sid: str, document: Any) -> None:
            raise HTTPError(503, "busy", headers={"Retry-After": "7"})

    app = app_with_session(store=Busy())
    app.get("/", change)
    answer = Browser(serve(app)).get()
    assert (answer.status, answer.headers["Retry-After"], answer.set_cookie) == (503, "7", [])


def test_a_session_that_cannot_be_kept_is_an_error_and_the_old_one_stays(serve: Serve) -> None:
    store = with_known(MemoryStore())
    app = app_with_session(store=store)

    @app.get("/bad")
    def bad(req: Any, res: Any) -> None:
        req.session.views = threading.Lock()
        res.send("fine")

    app.get("/", lambda req, res: res.json(req.session.views))
    browser = Browser(serve(app), KNOWN)
    assert browser.get("/bad").status == 500
    assert browser.get("/").text == "1"


NO_SESSIONS: list[Any] = [
    {"user": "tobi"},
    {"cookie": None},
    {"cookie": "text"},
    {"cookie": []},
    {},
    [],
    "text",
    5,
    True,
]


@pytest.mark.parametrize("document", NO_SESSIONS, ids=str)
@pytest.mark.parametrize("rotate_on", [None, "user"])
def test_a_store_s_document_that_is_no_session_is_none_and_its_visitor_gets_a_new_one(
    serve: Serve, document: Any, rotate_on: str | None
) -> None:
    class Strange(PlainStore):
        def get(self, sid: str) -> Any:
            found = super().get(sid)
            return document if sid == "known" else found

    app = app_with_session(store=Strange(), rotate_on=rotate_on)
    app.get("/", lambda req, res: res.json(req.session.user))
    app.get("/login", lambda req, res: (req.session.update(user="ada"), res.end()))
    app.get("/reload", lambda req, res: req.session.reload())
    browser = Browser(serve(app), KNOWN)
    assert (browser.get().text, browser.get("/reload").status) == ("null", 500)
    answer = browser.get("/login")
    assert (answer.status, answer.sets_cookie, browser.cookie != KNOWN) == (200, True, True)
    assert browser.get().text == '"ada"'
    changed = Changes({"a": 1}, {}, [], Cookie().to_json(), None)
    assert Strange().update("known", changed) is False
    assert Strange().rotate("known", "new", changed) is None


@pytest.mark.parametrize("document", [each for each in NO_SESSIONS if isinstance(each, dict)], ids=str)
def test_what_is_no_session_is_none_in_a_memory_store_too(document: Any) -> None:
    store = MemoryStore()
    store.set("known", document)
    store.set("other", {"cookie": Cookie().to_json()})
    assert (store.get("known"), store.load_stored("known"), list(store.all()), store.length()) == (
        None,
        None,
        ["other"],
        1,
    )
    store.touch("known", {"cookie": Cookie().to_json()})
    store.end("known")


def test_a_store_that_finds_no_file_has_no_session(serve: Serve) -> None:
    # express-session 1.19 takes the error code ENOENT for "not found".
    class Files(PlainStore):
        def get(self, sid: str) -> Any:
            raise FileNotFoundError(sid)

    app = app_with_session(store=Files(), genid=lambda req: "fresh")
    app.get("/", lambda req, res: res.send(req.session_id))
    answer = Browser(serve(app), KNOWN).get()
    assert (answer.status, answer.text) == (200, "fresh")


def test_a_store_without_touch_is_not_touched(serve: Serve) -> None:
    class Simple(Store):
        """Has what each store must have, and nothing else."""

        sessions: ClassVar[dict[str, Any]] = {"known": {"cookie": {"originalMaxAge": None, "expires": None}}}

        def get(self, sid: str) -> Any:
            return self.sessions.get(sid)

        def set(self, sid: str, document: Any) -> None:
            self.sessions[sid] = document

        def destroy(self, sid: str) -> None:
            self.sessions.pop(sid, None)

    app = app_with_session(store=Simple())
    app.get("/", lambda req, res: res.json(req.session.views))
    app.get("/change", change)
    browser = Browser(serve(app), KNOWN)
    assert [browser.get(path).text for path in ("/", "/change", "/")] == ["null", "changed", "1"]


def test_a_store_that_disconnects_is_left_alone_until_it_connects(serve: Serve) -> None:
    store = with_known(UpdatingStore())
    app = app_with_session(store=store)
    app.get("/", lambda req, res: res.json([req.session is None, req.session_id]))
    browser = Browser(serve(app), KNOWN)
    store.calls.clear()
    store.emit("disconnect")
    assert browser.get().text == "[true,null]"
    assert store.calls == []
    store.emit("connect")
    assert browser.get().text == '[false,"known"]'


def test_a_store_that_disconnects_under_a_request_still_gets_its_changes(serve: Serve) -> None:
    store = with_known(UpdatingStore())
    app = app_with_session(store=store)

    @app.get("/")
    def lose(req: Any, res: Any) -> None:
        store.emit("disconnect")
        req.session.views = 2
        res.end()

    Browser(serve(app), KNOWN).get()
    assert store.kept.get("known") is not None
    assert store.kept.get("known")["views"] == 2  # type: ignore[index]


# Streamed answers


def has_failed(url: str, path: str, cookie: str | None = None) -> bool:
    """Return whether the client sees a failure: its status, or an answer that is not whole."""
    try:
        return Browser(url, cookie).get(path).status >= 500
    except IncompleteRead:
        return True


@pytest.mark.parametrize("path", ["/before", "/between", "/after"])
@pytest.mark.parametrize("cookie", [None, KNOWN], ids=["new", "known"])
def test_a_streamed_answer_whose_session_cannot_be_saved_does_not_end_well(
    serve: Serve, path: str, cookie: str | None
) -> None:
    store = with_known(FailingStore())
    app = app_with_session(store=store)

    @app.get("/:when")
    def stream(req: Any, res: Any) -> None:
        for moment in ("before", "between", "after"):
            if req.params.when == moment:
                req.session.views = 7
            if moment != "after":
                res.write(moment)
        res.end()

    url = serve(app)
    assert Browser(url, cookie).get(path).text == "beforebetween"
    with_known(store)
    store.broken = {"set", "update"}
    assert has_failed(url, path, cookie)


def test_a_login_in_a_streamed_answer_is_not_lost_when_the_id_was_to_rotate(serve: Serve) -> None:
    app = app_with_session(rotate_on="user")

    @app.get("/visit")
    def visit(req: Any, res: Any) -> None:
        req.session.views = 1
        res.send(req.session.id)

    @app.get("/before")
    def before(req: Any, res: Any) -> None:
        req.session.user = "before"
        res.write("hello")
        res.end()

    @app.get("/after")
    def after(req: Any, res: Any) -> None:
        res.write("hello")
        req.session.user = "after"
        res.end()

    app.get("/", lambda req, res: res.json([req.session.views, req.session.user]))
    url = serve(app)
    # After the head has left, no new id can be sent any more.
    for path in ("before", "after"):
        browser = Browser(url)
        browser.get("/visit")
        browser.get(f"/{path}")
        assert browser.get("/").text == f'[1,"{path}"]', path


def test_a_streamed_answer_s_cookie_names_the_session_that_is_saved(serve: Serve) -> None:
    app = app_with_session()

    @app.get("/stream")
    def stream(req: Any, res: Any) -> None:
        req.session.begun = True
        res.write("x")
        req.session.ended = True
        res.end()

    app.get("/", lambda req, res: res.json([req.session.begun, req.session.ended]))
    browser = Browser(serve(app))
    assert browser.get("/stream").sets_cookie
    assert browser.get("/").text == "[true,true]"


# Apps in apps


def views(answer: Answer) -> list[Any]:
    return answer.headers.get_all("X-Views", [])


def test_a_mounted_app_shares_the_session_of_the_one_around_it(serve: Serve) -> None:
    outer, inner, router = app_with_session(), express(), Router()
    inner.use("/deep", router)
    outer.use("/inner", inner)
    for place in (outer, inner, router):
        place.get("/change", change)
        place.get("/read", lambda req, res: res.json([req.session.views, req.session.cookie.path]))
    browser = Browser(serve(outer))
    for path in ("/change", "/inner/change", "/inner/deep/change"):
        assert browser.get(path).status == 200
    assert browser.get("/inner/deep/read").text == '[3,"/"]'


def test_the_cookie_s_path_is_the_whole_path_also_inside_a_mounted_app(serve: Serve) -> None:
    outer, inner = express(), express()
    inner.use(session(secret=SECRET, resave=False, save_uninitialized=True, cookie={"path": "/inner"}))
    inner.use(lambda req, res: res.json(req.session is not None))
    outer.use(["/inner", "/other"], inner)
    url = serve(outer)
    assert Browser(url).get("/inner/x").text == "true"
    assert Browser(url).get("/other/inner").text == "false"


def test_of_several_session_middlewares_the_first_whose_path_fits_is_the_one(serve: Serve) -> None:
    app = express()
    for name, path in (("admin.sid", "/admin"), ("site.sid", "/"), ("late.sid", "/")):
        cookie = {"path": path}
        app.use(session(secret=SECRET, resave=False, save_uninitialized=True, name=name, cookie=cookie))
    app.use(lambda req, res: res.end())
    url = serve(app)
    assert [line.partition("=")[0] for line in Browser(url).get("/admin").set_cookie] == ["admin.sid"]
    assert [line.partition("=")[0] for line in Browser(url).get("/").set_cookie] == ["site.sid"]


def test_the_session_is_there_for_an_error_handler_and_what_it_changes_is_kept(serve: Serve) -> None:
    app = app_with_session()

    @app.get("/fail")
    def fail(req: Any, res: Any) -> None:
        raise HTTPError(418, "teapot")

    app.get("/", lambda req, res: res.json(req.session.error))

    @app.use
    def remember(err: Any, req: Any, res: Any, next: Any) -> None:
        req.session.error = str(err)
        next(err)

    browser = Browser(serve(app))
    assert browser.get("/fail").status == 418
    assert browser.get("/").text == '"teapot"'


def test_a_session_is_kept_behind_a_dead_end_and_behind_a_404(serve: Serve) -> None:
    app = app_with_session(genid=lambda req: "made")

    @app.use("/count")
    def count(req: Any, res: Any, next: Any) -> None:
        req.session.views = (req.session.views or 0) + 1
        next()

    @app.get("/count/dead-end")
    def forget_to_answer(req: Any, res: Any) -> None:
        pass

    app.get("/", lambda req, res: res.json(req.session.views))
    browser = Browser(serve(app))
    assert browser.get("/count").status == 404
    assert browser.get("/count/dead-end").status == 500
    assert browser.get("/").text == "2"
