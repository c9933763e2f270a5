"""`req.session`: its members, that nothing of it is lost, and that a logout stays in force."""

from __future__ import annotations

import copy
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from miniexpress import App
from miniexpress.attrdict import AttrDict
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Store
from tests.support.browser import ODD_KEYS, Browser, PlainStore, all_at_once, app_with_session
from tests.support.waiting import wait_for

pytestmark = pytest.mark.language

Serve = Callable[..., str]


class Slow:
    """A handler's pause: it tells that the request has its session, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.go_on.wait(20)


def show(req: Any, res: Any) -> None:
    res.json({key: value for key, value in req.session.items() if key != "cookie"})


def login_app(**options: Any) -> tuple[App, Slow]:
    """GET /login/tobi, /logout in several ways, and /slow/… which changes the session after a pause."""
    app, slow = app_with_session(**options), Slow()
    app.get("/", show)

    @app.get("/login/:user")
    def login(req: Any, res: Any) -> None:
        req.session.user = {"name": req.params.user}
        res.send(req.session.id)

    @app.get("/logout/:how")
    def logout(req: Any, res: Any) -> None:
        log_out(req, req.params.how)
        res.end()

    @app.get("/slow/:how")
    def slow_request(req: Any, res: Any) -> None:
        slow()
        SLOW[req.params.how](req.session)
        res.end()

    return app, slow


def log_out(req: Any, how: str) -> None:
    if how == "destroy":
        req.session.destroy()
    elif how == "regenerate":
        req.session.regenerate()
    elif how == "unset":
        req.session = None
    else:
        del req.session.user


def save(session: Any) -> None:
    session.views = 1
    session.save()


def move_user(session: Any) -> None:
    session.user.name = "tobias"


SLOW: dict[str, Callable[[Any], Any]] = {
    "read": lambda session: None,
    "change": lambda session: session.update(views=1),
    "change-the-cookie": lambda session: setattr(session.cookie, "max_age", 60_000),
    "same": lambda session: session.update(user=dict(session.user)),
    "touch": lambda session: session.touch(),
    "save": save,
    "move-user": move_user,
    "odd-key": lambda session: session.update({"a.b": 1, "$c": 2, "": 3}),
}


@pytest.mark.parametrize("store_type", [MemoryStore, PlainStore])
@pytest.mark.parametrize("rotate_on", [None, "user"], ids=["", "rotate_on"])
@pytest.mark.parametrize("resave", [False, True], ids=["", "resave"])
@pytest.mark.parametrize("logout", ["destroy", "regenerate", "unset", "delete"])
def test_a_logout_holds_whatever_a_request_that_began_before_it_does(
    serve: Serve, logout: str, resave: bool, rotate_on: str | None, store_type: type[Store]
) -> None:
    for how in SLOW:
        app, slow = login_app(resave=resave, rotate_on=rotate_on, unset="destroy", store=store_type())
        browser = Browser(serve(app))
        browser.get("/login/tobi")
        stolen = browser.with_same_cookie()
        with ThreadPoolExecutor() as pool:
            late = pool.submit(browser.with_same_cookie().get, f"/slow/{how}")
            assert slow.begun.wait(20)
            assert browser.get(f"/logout/{logout}").status == 200
            slow.go_on.set()
            answer = late.result()
        for window in (stolen, browser, Browser(browser.url, (answer.set_cookie or [None])[0])):
            assert "user" not in json.loads(window.get("/").text), how
        if rotate_on or logout != "delete":
            assert not answer.sets_cookie, how


@pytest.mark.parametrize("store_type", [MemoryStore, PlainStore])
@pytest.mark.parametrize("rotate_on", [None, "half"], ids=["", "rotate_on"])
def test_a_key_with_half_of_a_surrogate_pair_is_kept_as_such_a_value_is(
    serve: Serve, store_type: type[Store], rotate_on: str | None
) -> None:
    app = app_with_session(store=store_type(), rotate_on=rotate_on)
    app.get("/first", lambda req, res: (req.session.update(first=1), res.end()))
    app.get("/put", lambda req, res: (req.session.update({"\ud800": 1, "half": 1}), res.end()))
    app.get("/drop", lambda req, res: (req.session.pop("\ufffd"), res.end()))
    app.get("/", lambda req, res: res.json({key: 1 for key in req.session if key != "cookie"}))
    browser = Browser(serve(app))
    for path, keys in (("/first", {"first"}), ("/put", {"first", "\ufffd", "half"}), ("/drop", {"first", "half"})):
        assert browser.get(path).status == 200
        assert set(json.loads(browser.get("/").text)) == keys


def test_a_logout_holds_against_a_slow_change_of_the_user(serve: Serve) -> None:
    for rotate_on in (None, "user"):
        app, slow = login_app(rotate_on=rotate_on)

        @app.get("/rename")
        def rename(req: Any, res: Any, slow: Slow = slow) -> None:
            slow()
            req.session.user.name = "tobias"
            res.end()

        browser = Browser(serve(app))
        browser.get("/login/tobi")
        with ThreadPoolExecutor() as pool:
            window = browser.with_same_cookie()
            late = pool.submit(window.get, "/rename")
            assert slow.begun.wait(20)
            browser.get("/logout/destroy")
            slow.go_on.set()
            assert not late.result().sets_cookie
        assert window.get("/").text == "{}"


@pytest.mark.parametrize("count", [20, 200])
def test_requests_that_run_at_the_same_time_lose_no_key_of_each_other(serve: Serve, count: int) -> None:
    app = app_with_session()
    together = threading.Barrier(min(count, 16) if count == 20 else 1)
    app.get("/", show)

    @app.get("/set/:key")
    def set_key(req: Any, res: Any) -> None:
        if count == 20 and int(req.params.key) < 16:
            together.wait(10)
        req.session[f"{ODD_KEYS[int(req.params.key) % len(ODD_KEYS)]}{req.params.key}"] = True
        res.end()

    @app.get("/begin")
    def begin(req: Any, res: Any) -> None:
        req.session.begun = True
        res.end()

    browser = Browser(serve(app))
    browser.get("/begin")
    answers = all_at_once(browser, [f"/set/{number}" for number in range(count)])
    assert {answer.status for answer in answers} == {200}
    assert len(json.loads(browser.get("/").text)) == count + 1


def test_deletions_deep_changes_and_additions_that_run_at_the_same_time_all_hold(serve: Serve) -> None:
    app = app_with_session()
    together = threading.Barrier(4)
    app.get("/", show)

    @app.get("/begin")
    def begin(req: Any, res: Any) -> None:
        req.session.update(gone=1, deep={"list": [{"a": 1}], "other": 1}, kept="yes", user="tobi")
        res.end()

    changes: dict[str, Callable[[Any], Any]] = {
        "delete": lambda session: session.pop("gone"),
        "deep": lambda session: session.deep.list[0].update(b=2),
        "add": lambda session: session.update(new=[]),
        "replace": lambda session: session.update(user=None),
    }

    @app.get("/:change")
    def change(req: Any, res: Any) -> None:
        together.wait(10)
        changes[req.params.change](req.session)
        res.end()

    browser = Browser(serve(app))
    browser.get("/begin")
    all_at_once(browser, [f"/{name}" for name in changes])
    assert json.loads(browser.get("/").text) == {
        "deep": {"list": [{"a": 1, "b": 2}], "other": 1},
        "kept": "yes",
        "user": None,
        "new": [],
    }


@pytest.mark.parametrize("how", ["read", "change", "odd-key"])
def test_a_slow_request_does_not_undo_another_s_max_age(serve: Serve, how: str) -> None:
    app, slow = login_app()

    @app.get("/remember-me")
    def remember(req: Any, res: Any) -> None:
        req.session.cookie.max_age = 3_600_000
        req.session.remember = True
        res.end()

    app.get("/age", lambda req, res: res.json(req.session.cookie.original_max_age))
    browser = Browser(serve(app))
    browser.get("/login/tobi")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.with_same_cookie().get, f"/slow/{how}")
        assert slow.begun.wait(20)
        assert browser.get("/remember-me").sets_cookie
        slow.go_on.set()
        late.result()
    assert browser.get("/age").text == "3600000"


# What is assigned


class Cart:
    """An object that JSON can hold, and whose ``repr`` says nothing of what is in it."""

    def __init__(self) -> None:
        self.items: list[str] = []

    def __repr__(self) -> str:
        return "Cart()"

    def to_json(self) -> Any:
        return {"items": self.items}


def saved_by(serve: Serve, handler: Callable[[Any, Any], Any], **options: Any) -> Any:
    """Return what the next request has of the session that ``handler`` changed."""
    app = app_with_session(**options)
    app.get("/", show)
    app.get("/change", handler)
    browser = Browser(serve(app))
    assert browser.get("/change").status == 200
    return json.loads(browser.get("/").text)


@pytest.mark.parametrize("store_type", [MemoryStore, PlainStore])
def test_an_object_with_to_json_that_changes_after_save_is_saved_as_it_is_at_the_end(
    serve: Serve, store_type: type[Store]
) -> None:
    def change(req: Any, res: Any) -> None:
        req.session.update(cart=Cart(), carts=[Cart()], other=1)
        req.session.save()
        req.session["cart"].items.append("tea")
        req.session.carts[0].items.append("jam")
        res.end()

    assert saved_by(serve, change, store=store_type()) == {
        "cart": {"items": ["tea"]},
        "carts": [{"items": ["jam"]}],
        "other": 1,
    }


@pytest.mark.parametrize("rotate_on", [None, "user"])
def test_what_was_assigned_is_saved_as_it_is_when_the_answer_ends(serve: Serve, rotate_on: str | None) -> None:
    def change(req: Any, res: Any) -> None:
        user, cart, deep = {"name": "Ada"}, ["tea"], Cart()
        req.session.update(user=user, cart=cart)
        req.session.deep = {"cart": deep}
        assert req.session.user.name == "Ada"
        user["read"] = True
        req.session.save()
        user["saved"] = True
        res.write("the head leaves")
        user["left"] = True
        cart.append("jam")
        deep.items.append("jam")
        req.session.user.by_attribute = req.session.user.left
        res.end()

    assert saved_by(serve, change, rotate_on=rotate_on) == {
        "user": {"name": "Ada", "read": True, "saved": True, "left": True, "by_attribute": True},
        "cart": ["tea", "jam"],
        "deep": {"cart": {"items": ["jam"]}},
    }


def test_what_a_handler_holds_of_a_session_is_saved_also_where_a_rotation_comes_in_between(serve: Serve) -> None:
    app = app_with_session(rotate_on="user")
    app.get("/", show)
    app.get("/visit", lambda req, res: (req.session.update(cart=["tea"], user="guest"), res.end()))

    @app.get("/login")
    def login(req: Any, res: Any) -> None:
        cart = req.session.cart
        req.session.user = user = {"name": "Ada"}
        res.write("the head leaves, and the id changes")
        cart.append("jam")
        user["greeted"] = True
        res.end()

    browser = Browser(serve(app))
    for path in ("/visit", "/login"):
        browser.get(path)
    assert json.loads(browser.get("/").text) == {"cart": ["tea", "jam"], "user": {"name": "Ada", "greeted": True}}


def test_a_dict_that_was_assigned_is_answered_and_rendered_as_one_that_was_loaded(serve: Serve) -> None:
    app, answers = app_with_session(), []
    app.engine("html", lambda path, options: f"{options['user'].name} {options['user'].tags.a}")
    app.set("views", __file__.rpartition("/")[0])

    @app.get("/:how")
    def answer(req: Any, res: Any) -> None:
        if not req.session.user:
            req.session.user = {"name": "Ada", "tags": {"a": [1]}}
        getattr(res, req.params.how)(req.session.user)

    for how in ("json", "send"):
        browser = Browser(serve(app))
        answers += [browser.get(f"/{how}").text for _ in range(2)]
    assert answers == ['{"name":"Ada","tags":{"a":[1]}}'] * 4


# Names


def test_a_key_that_begins_with_an_underscore_is_data_like_any_other(serve: Serve) -> None:
    keys = ("_id", "_req", "_store", "_stored", "_saved", "_become", "_State")

    def change(req: Any, res: Any) -> None:
        for key in keys:
            assert getattr(req.session, key) is None
            setattr(req.session, key, key)
        del req.session._saved
        res.end()

    assert saved_by(serve, change) == {key: key for key in keys if key != "_saved"}


def test_a_name_that_the_session_has_for_itself_is_refused_and_the_mend_is_named(serve: Serve) -> None:
    told = {}

    def change(req: Any, res: Any) -> None:
        for name, value in (("id", "mine"), ("save", "now"), ("cookie", {"max_age": 1}), ("cookie", None)):
            with pytest.raises((AttributeError, TypeError)) as raised:
                setattr(req.session, name, value)
            told[name] = str(raised.value)
        res.end()

    saved_by(serve, change)
    assert told == {
        "id": "'id' is an attribute of Session: set it as an item, ['id'] = …",
        "save": "'save' is a method of Session: set it as an item, ['save'] = …",
        "cookie": "req.session.cookie is a Cookie, not None: set its attributes, as in "
        "req.session.cookie.max_age = 60_000",
    }


@pytest.mark.parametrize("cookie", [{"maxAge": 1}, None, 5], ids=str)
def test_a_cookie_that_is_none_is_told_where_update_puts_it_into_the_session(serve: Serve, cookie: Any) -> None:
    app = app_with_session()
    app.get("/", lambda req, res: (req.session.update({"cookie": cookie}), res.end()))
    app.use(lambda err, req, res, next: res.status(500).send(str(err)))
    assert Browser(serve(app)).get("/").text.startswith(f"req.session.cookie is a Cookie, not {cookie!r}: set its")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda session: session.copy()])
def test_a_copy_of_a_session_is_its_data_and_cookie_and_no_session(serve: Serve, copied: Callable[[Any], Any]) -> None:
    def change(req: Any, res: Any) -> None:
        req.session.user = "Ada"
        made = copied(req.session)
        assert type(made) is AttrDict
        assert (made.user, made.cookie.path) == ("Ada", "/")
        made.user = "Grace"
        res.end()

    assert saved_by(serve, change) == {"user": "Ada"}


# rotate_on


def test_the_id_changes_and_the_data_moves_when_the_key_appears_changes_or_goes(serve: Serve) -> None:
    app, _ = login_app(rotate_on="user")

    @app.get("/visit")
    def visit(req: Any, res: Any) -> None:
        req.session.cart = ["book"]
        res.end()

    browser = Browser(serve(app))
    browser.get("/visit")
    cookies = [browser.cookie]
    for path, user in (("/login/a", {"name": "a"}), ("/login/b", {"name": "b"}), ("/logout/delete", None)):
        old = browser.with_same_cookie()
        assert browser.get(path).sets_cookie
        cookies.append(browser.cookie)
        expected = {"cart": ["book"], **({"user": user} if user else {})}
        assert json.loads(browser.get("/").text) == expected, path
        assert json.loads(old.get("/").text) == {}, path
    assert len(set(cookies)) == 4


def test_the_id_stays_when_the_key_is_set_to_what_it_was_or_another_changes(serve: Serve) -> None:
    app, _ = login_app(rotate_on="user")
    app.get("/other", lambda req, res: (req.session.update(x=1), res.end()))
    browser = Browser(serve(app))
    assert browser.get("/login/tobi").sets_cookie
    for path in ("/login/tobi", "/other", "/"):
        assert not browser.get(path).sets_cookie, path


def test_a_new_session_has_its_first_id_whatever_the_key(serve: Serve) -> None:
    made = itertools.count()
    app, _ = login_app(rotate_on="user", genid=lambda req: f"made{next(made)}")
    browser = Browser(serve(app))
    assert browser.get("/login/tobi").text == "made0"
    assert (browser.cookie or "").startswith("connect.sid=s%3Amade0.")
    assert next(made) == 1


def test_a_login_that_regenerates_by_itself_does_not_rotate_again(serve: Serve) -> None:
    made = itertools.count()
    app, _ = login_app(rotate_on="user", genid=lambda req: f"made{next(made)}")

    @app.get("/regenerate")
    def regenerate(req: Any, res: Any) -> None:
        req.session.regenerate()
        req.session.user = "tobi"
        res.end()

    browser = Browser(serve(app))
    browser.get("/login/a")
    browser.get("/regenerate")
    assert (browser.cookie or "").startswith("connect.sid=s%3Amade1.")
    assert browser.get("/").text == '{"user":"tobi"}'


def test_what_others_set_while_a_login_rotates_moves_with_it(serve: Serve) -> None:
    app, _ = login_app(rotate_on="user")
    slow = Slow()

    @app.get("/visit")
    def visit(req: Any, res: Any) -> None:
        req.session.update(gone=1, old=1)
        res.end()

    @app.get("/slow-login")
    def slow_login(req: Any, res: Any) -> None:
        slow()
        req.session.user = "tobi"
        del req.session.gone
        res.end()

    app.get("/add", lambda req, res: (req.session.update(cart=["book"], old=2), res.end()))
    browser = Browser(serve(app))
    browser.get("/visit")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.get, "/slow-login")
        assert slow.begun.wait(20)
        browser.with_same_cookie().get("/add")
        slow.go_on.set()
        late.result()
    assert json.loads(browser.get("/").text) == {"user": "tobi", "cart": ["book"], "old": 2}


@pytest.mark.parametrize("other", ["/drop", "/logout/destroy"])
def test_what_another_request_deleted_or_ended_does_not_come_back_with_a_rotation(serve: Serve, other: str) -> None:
    app, _ = login_app(rotate_on="user")
    slow = Slow()
    app.get("/visit", lambda req, res: (req.session.update(admin=True), res.end()))
    app.get("/drop", lambda req, res: (req.session.pop("admin"), res.end()))

    @app.get("/slow-login")
    def slow_login(req: Any, res: Any) -> None:
        slow()
        req.session.user = "tobi"
        res.end()

    browser = Browser(serve(app))
    browser.get("/visit")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.get, "/slow-login")
        assert slow.begun.wait(20)
        browser.with_same_cookie().get(other)
        slow.go_on.set()
        late.result()
    assert json.loads(browser.get("/").text) == {"user": "tobi"}


@pytest.fixture(params=[None, "nx_server", "secantus_server"], ids=["MemoryStore", "nx-27017", "SecantusDB"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One of each kind, with no session in it."""
    if request.param is None:
        yield MemoryStore()
        return
    store = MongoDBStore(uri=request.getfixturevalue(request.param).uri, collection="rotated")
    store.clear()
    yield store
    store.client.close()


LATE_OPTIONS = [{}, {"save_uninitialized": True}, {"save_uninitialized": True, "resave": True, "rolling": True}]


@pytest.mark.parametrize("path", ["/", "/set", "/save", "/stream", "/regenerate", "/error"])
@pytest.mark.parametrize("options", LATE_OPTIONS, ids=["", "save_uninitialized", "all"])
def test_a_request_that_names_a_rotated_id_late_gets_no_cookie_over_the_login_s(
    serve: Serve, store: Store, options: dict[str, Any], path: str
) -> None:
    app, _ = login_app(store=store, rotate_on="user", **options)
    app.get("/set", lambda req, res: (req.session.update(cart=1), res.end()))
    app.get("/save", lambda req, res: (req.session.update(cart=1), req.session.save(), res.end()))
    app.get("/stream", lambda req, res: (res.write("a"), req.session.update(cart=1), res.end("b")))
    app.get("/regenerate", lambda req, res: (req.session.regenerate(), res.end()))

    @app.get("/error")
    def error(req: Any, res: Any) -> None:
        req.session.cart = 1
        raise RuntimeError("x")

    browser = Browser(serve(app))
    browser.get("/set")
    late = browser.with_same_cookie()
    assert browser.get("/login/tobi").sets_cookie
    assert json.loads(late.get("/").text) == {}
    assert not late.get(path).sets_cookie
    assert json.loads(browser.get("/").text)["user"] == {"name": "tobi"}


def test_a_login_whose_answer_was_lost_works_when_it_is_sent_again(serve: Serve, store: Store) -> None:
    app, _ = login_app(store=store, rotate_on="user", save_uninitialized=True)
    browser = Browser(serve(app))
    browser.get("/")
    browser.with_same_cookie().get("/login/tobi")
    assert not browser.get("/").sets_cookie
    assert browser.get("/login/tobi").sets_cookie
    assert browser.get("/").text == '{"user":{"name":"tobi"}}'


def test_an_id_that_was_rotated_long_ago_is_as_unknown_as_any_other(
    serve: Serve, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("store", "mongodb.store"):
        monkeypatch.setattr(f"miniexpress.sessions.{room}.SUPERSEDED_FOR", timedelta(0))
    app, _ = login_app(store=store, rotate_on="user", save_uninitialized=True)
    browser = Browser(serve(app))
    browser.get("/")
    late = browser.with_same_cookie()
    browser.get("/login/tobi")
    assert late.get("/").sets_cookie


@pytest.mark.parametrize("how", ["read", "same", "change"])
def test_a_request_under_way_while_its_id_is_rotated_does_not_roll_the_old_cookie_over_the_login_s(
    serve: Serve, store: Store, how: str
) -> None:
    app, slow = login_app(store=store, rotate_on="user", rolling=True, cookie={"max_age": 600_000})
    browser = Browser(serve(app))
    browser.get("/login/tobi")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.with_same_cookie().get, f"/slow/{how}")
        assert slow.begun.wait(20)
        assert browser.get("/login/loki").sets_cookie
        slow.go_on.set()
        assert not late.result().sets_cookie
    assert browser.get("/").sets_cookie
    assert "loki" in browser.get("/").text


@pytest.mark.parametrize("logout", ["destroy", "regenerate", "unset", "delete"])
def test_a_slow_logout_holds_for_what_others_have_rotated_meanwhile(serve: Serve, store: Store, logout: str) -> None:
    app, slow = login_app(store=store, rotate_on="user", unset="destroy")

    @app.get("/slow-logout")
    def slow_logout(req: Any, res: Any) -> None:
        slow()
        log_out(req, logout)
        res.end()

    browser = Browser(serve(app))
    browser.get("/login/tobi")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.with_same_cookie().get, "/slow-logout")
        assert slow.begun.wait(20)
        for user in ("loki", "jane", "ada", "jane"):
            browser.get(f"/login/{user}")
        assert "jane" in browser.get("/").text
        slow.go_on.set()
        assert late.result().status == 200
    assert browser.get("/").text == "{}"


def test_a_logout_after_the_head_has_left_holds_for_what_others_have_rotated_meanwhile(
    serve: Serve, store: Store
) -> None:
    app, slow = login_app(store=store, rotate_on="user")

    @app.get("/slow-logout")
    def slow_logout(req: Any, res: Any) -> None:
        res.write("a")
        slow()
        del req.session.user
        res.end("b")

    browser = Browser(serve(app))
    browser.get("/login/tobi")
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.with_same_cookie().get, "/slow-logout")
        assert slow.begun.wait(20)
        browser.get("/login/loki")
        slow.go_on.set()
        assert late.result().text == "ab"
    assert browser.get("/").text == "{}"


def test_a_login_that_was_moved_stays_when_an_id_of_before_is_read_or_changed(serve: Serve, store: Store) -> None:
    app, slow = login_app(store=store, rotate_on="user")
    browser = Browser(serve(app))
    browser.get("/login/tobi")
    before = browser.with_same_cookie()
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.with_same_cookie().get, "/slow/change")
        assert slow.begun.wait(20)
        browser.get("/login/loki")
        slow.go_on.set()
        assert late.result().status == 200
    for path in ("/", "/logout/destroy", "/logout/delete", "/logout/regenerate"):
        before.with_same_cookie().get(path)
    assert browser.get("/").text == '{"user":{"name":"loki"}}'


def test_a_session_that_expires_while_its_request_runs_is_saved(serve: Serve, store: Store) -> None:
    app, slow = login_app(store=store, cookie={"max_age": 600_000})
    browser = Browser(serve(app))
    sid = browser.get("/login/tobi").text
    with ThreadPoolExecutor() as pool:
        late = pool.submit(browser.get, "/slow/change")
        assert slow.begun.wait(20)
        ends = datetime.now(UTC) + timedelta(milliseconds=50)
        store.touch(sid, {"cookie": {"originalMaxAge": 600_000, "expires": ends}})  # type: ignore[attr-defined]
        wait_for(lambda: datetime.now(UTC) > ends, "the end of the session")
        slow.go_on.set()
        late.result()
    assert json.loads(browser.get("/").text) == {"user": {"name": "tobi"}, "views": 1}


@pytest.mark.parametrize("nonsense", [None, 17, "same"])
def test_a_rotation_to_no_new_id_does_not_throw_the_session_away(serve: Serve, nonsense: Any) -> None:
    ids = itertools.chain(["same"], itertools.repeat(nonsense))
    app, _ = login_app(rotate_on="user", genid=lambda req: next(ids))
    app.get("/visit", lambda req, res: (req.session.update(cart=1), res.end()))
    browser = Browser(serve(app))
    browser.get("/visit")
    browser.get("/login/tobi")
    assert json.loads(browser.get("/").text).get("cart") == 1


@pytest.mark.parametrize("method", ["save", "reload", "regenerate", "destroy", "touch"])
def test_a_callback_as_express_session_takes_is_refused_since_the_methods_return(method: str, serve: Serve) -> None:
    app = app_with_session()
    raised: list[str] = []

    @app.get("/")
    def handler(req: Any, res: Any) -> None:
        with pytest.raises(TypeError) as refused:
            getattr(req.session, method)(lambda error: None)
        raised.append(str(refused.value))
        res.end()

    Browser(serve(app)).get("/")
    assert raised == [f"req.session.{method}() takes no callback: it returns when all is done, or raises"]


@pytest.mark.parametrize(("name", "meant"), [("resetMaxAge", "reset_max_age"), ("toJSON", "to_json")])
def test_a_method_in_javascripts_spelling_is_told_the_one_here(name: str, meant: str, serve: Serve) -> None:
    app = app_with_session()
    raised: list[str] = []

    @app.get("/")
    def handler(req: Any, res: Any) -> None:
        with pytest.raises(TypeError) as refused:
            getattr(req.session, name)()
        raised.append(str(refused.value))
        req.session[name] = "a field"
        res.end()

    assert Browser(serve(app)).get("/").status == 200
    assert raised == [f"a session has no {name}(): did you mean {meant}()?"]
