"""Tests of what every session store must do, for the author of a store to run with pytest.

    from miniexpress.sessions.contract import StoreContract

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self):
            return MyStore()

        def open_again(self, store):
            return MyStore(store.path)

``store`` gives each test a store without sessions in it, and ``open_again(store)`` a second one over the same sessions,
as another process has it, or ``None`` where one process has them to itself. What a store may leave undefined is skipped
where it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import SkipTest

from .changes import Changes
from .contract_values import DATA, NO_IDS, ODD_IDS, ODD_VALUES, WithJSON, nested
from .cookie import Cookie
from .memory import MemoryStore
from .store import Document, Store


class StoreContract:
    """The tests: a subclass gives them the fixture ``store`` and ``open_again``. See the module."""

    def open_again(self, store: Store) -> Store | None:
        """Another store over the same sessions, as another process has it; ``None`` if one process has them to itself.

        Must be defined for a store that inherits ``rotate``: so it is for one process, and nobody can tell from outside
        whether that is enough.
        """
        if type(store).rotate is Store.rotate and not isinstance(store, MemoryStore):
            message = (
                "define open_again(store): another store over the same sessions, or None if no process shares them"
            )
            raise AssertionError(f"{type(store).__name__} inherits rotate() and end(). {message}")
        return None

    def test_it_is_a_store_that_tells_of_its_events(self, store: Store) -> None:
        events: list[Any] = []
        store.on("disconnect", lambda: events.append("disconnect")).on("error", events.append)
        store.emit("error", "reason")
        store.emit("disconnect")
        assert events == ["reason", "disconnect"], f"on() and emit() called the listeners with {events}"
        assert not store.is_connected, "emit('disconnect') left is_connected true"
        store.emit("connect")
        assert store.is_connected, "emit('connect') left is_connected false"

    # get, set, destroy

    def test_an_unknown_session_is_none(self, store: Store) -> None:
        expect(store, "unknown", None)

    def test_a_session_comes_back_as_it_was_set(self, store: Store) -> None:
        store.set("sid", session(**DATA))
        expect(store, "sid", DATA)

    def test_setting_again_replaces_the_whole_session(self, store: Store) -> None:
        store.set("sid", session(one=1, two={"a": 1, "b": 2}))
        store.set("sid", session(two={"b": 3}))
        expect(store, "sid", {"two": {"b": 3}})

    def test_a_session_shares_nothing_with_what_was_set_or_read(self, store: Store) -> None:
        cart = ["tea"]
        store.set("sid", session(cart=cart))
        cart.append("after set")
        found = store.get("sid")
        assert found is not None, "a session that was set is not there"
        found["cart"].append("after get")
        expect(store, "sid", {"cart": ["tea"]})

    def test_an_id_is_taken_literally(self, store: Store) -> None:
        store.set("sid", session(owner="sid"))
        for sid in ODD_IDS:
            expect(store, sid, None)
            store.set(sid, session(owner=sid))
        for sid in ("sid", *ODD_IDS):
            expect(store, sid, {"owner": sid})
        for sid in ODD_IDS:
            store.destroy(sid)
            expect(store, sid, None)
        expect(store, "sid", {"owner": "sid"})

    def test_what_is_no_string_is_no_id(self, store: Any) -> None:
        store.set("sid", session(a=1))
        nothing = Changes({}, {}, [], session()["cookie"], None)
        for sid in NO_IDS:
            assert store.get(sid) is None, f"get({sid!r}) found a session"
            assert store.update(sid, nothing) is False, f"update({sid!r}) found a session"
            assert store.rotate(sid, "new", nothing) is None, f"rotate({sid!r}) found a session"
            for method in ("destroy", "end", "was_rotated"):
                assert not getattr(store, method)(sid), f"{method}({sid!r}) found a session"
            if hasattr(store, "touch"):
                store.touch(sid, session())
            refuses(repr(sid), store.set, sid, session())
            refuses(repr(sid), store.rotate, "sid", sid, nothing)
        expect(store, "sid", {"a": 1})
        expect(store, "new", None)

    def test_what_json_may_hold_is_kept_alike_or_refused_by_its_key(self, store: Store) -> None:
        for name, (given, kept) in ODD_VALUES.items():
            store.set("set", session(**{name: given}))
            expect(store, "set", {name: kept})
            store.set("updated", session())
            store.update("updated", Changes({name: given}, {}, [], session()["cookie"], None))
            expect(store, "updated", {name: kept})
        store.set("sid", session(a=1))
        endless = WithJSON(None)
        endless.value = [endless]
        beyond_json = (ValueError("text"), WithJSON(nested(100)), endless)
        for value in (nested(101), nested(900), {"a\0b": 1}, {(1, 2): 3}, *beyond_json):
            refuses("cart", store.set, "sid", session(cart=value))
            changes = Changes({"cart": value}, {}, [], session()["cookie"], None)
            refuses("cart", store.update, "sid", changes)
            refuses("cart", store.rotate, "sid", "new", changes)
        expect(store, "sid", {"a": 1})
        expect(store, "new", None)
        store.set("sid", session(deep=nested(100)))
        expect(store, "sid", {"deep": nested(100)})

    def test_what_was_destroyed_is_gone(self, store: Store) -> None:
        store.set("sid", session(a=1))
        store.destroy("sid")
        expect(store, "sid", None)
        store.destroy("sid")  # again, which is no error

    def test_the_cookie_comes_back(self, store: Store) -> None:
        far = datetime(2100, 1, 1, tzinfo=UTC)
        for cookie in (
            Cookie(),
            Cookie(expires=far, same_site="lax", secure=True, path="/shop"),
            Cookie(expires=far, http_only=False, domain="example.com", priority="high", partitioned=True),
        ):
            document = cookie.to_json()
            store.set("sid", {"cookie": document, "a": 1})
            found = cookie_of(store, "sid").to_json()
            assert found == document, f"the cookie {document} came back as {found}"

    def test_an_expired_session_is_none(self, store: Store) -> None:
        store.set("old", session(timedelta(seconds=-1), a=1))
        store.set("young", session(timedelta(minutes=1), a=1))
        expect(store, "old", None)
        expect(store, "young", {"a": 1})

    def test_threads_do_not_disturb_each_other(self, store: Store) -> None:
        def visit(number: int) -> None:
            sid = f"thread {number}"
            for count in range(10):
                store.set(sid, session(number=number, count=count))
                expect(store, sid, {"number": number, "count": count})
            store.destroy(sid)
            expect(store, sid, None)

        at_once(visit, range(8))

    # touch

    def test_touch_moves_the_end_and_nothing_else(self, store: Any) -> None:
        needs(store, "touch")
        store.set("sid", session(timedelta(minutes=1), kept=1))
        document = {**session(timedelta(minutes=1), kept="of another time"), "other": 2}
        later = document["cookie"]["expires"] = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)
        store.touch("sid", document)
        expect(store, "sid", {"kept": 1})
        found = cookie_of(store, "sid").expires
        assert found == later, f"after touch() the session ends at {found}, not at {later}"

    def test_touch_makes_no_session(self, store: Any) -> None:
        needs(store, "touch")
        store.touch("sid", session(timedelta(minutes=1), a=1))
        expect(store, "sid", None)

    def test_touch_leaves_alone_what_has_another_max_age(self, store: Any) -> None:
        needs(store, "touch")
        store.set("sid", session(timedelta(minutes=1), a=1))
        before = cookie_of(store, "sid").to_json()
        store.touch("sid", session(timedelta(minutes=9), a=1))
        found = cookie_of(store, "sid").to_json()
        assert found == before, f"touch() with another originalMaxAge made {found} of {before}"

    # update, rotate

    def test_update_changes_what_it_names(self, store: Any) -> None:
        store.set("sid", session(kept=1, changed=1, removed=1, **{"a.b": 1, "$c": 1}))
        cookie = session(timedelta(minutes=9))["cookie"]
        added, changed = {"new": None, "": 3}, {"changed": {"x": [2]}, "a.b": 2}
        is_there = store.update("sid", Changes(added, changed, ["removed", "$c", "unknown"], cookie, None))
        assert is_there is True, f"update() of a session that is there returned {is_there!r}, not True"
        expect(store, "sid", {"kept": 1, **added, **changed})
        found = cookie_of(store, "sid").original_max_age
        assert found == cookie["originalMaxAge"], f"update() left originalMaxAge at {found}"

    def test_update_removes_keys_of_any_text(self, store: Any) -> None:
        keys = ("a.b", "$set", "", "größe", "日 本", "\U0001f600", "a b")
        for key in keys:
            store.set("sid", session(**{key: 1, "other": 2}))
            store.update("sid", Changes({}, {}, [key], session()["cookie"], None))
            expect(store, "sid", {"other": 2})

    def test_update_leaves_alone_what_others_have_done(self, store: Any) -> None:
        for key in ("removed", "remo.ved"):
            store.set("sid", session(timedelta(minutes=9), kept=1))
            cookie = session(timedelta(minutes=1))["cookie"]
            store.update("sid", Changes({}, {"kept": 2, key: 2}, [], cookie, cookie["originalMaxAge"]))
            expect(store, "sid", {"kept": 2})
            found = cookie_of(store, "sid").original_max_age
            assert found == 540_000, f"update() set originalMaxAge to {found}, which another request had changed"

    def test_update_makes_no_session(self, store: Any) -> None:
        store.set("destroyed", session(a=1))
        store.destroy("destroyed")
        for sid in ("destroyed", "unknown"):
            for added in ({"a": 2}, {"a.b": 2}):
                is_there = store.update(sid, Changes(added, {}, [], session()["cookie"], None))
                assert is_there is False, f"update() of a session that is not there returned {is_there!r}, not False"
                expect(store, sid, None)

    def test_updates_at_the_same_time_lose_nothing(self, store: Any) -> None:
        store.set("sid", session())
        keys = [f"{letter}.{number}" if number % 2 else f"{letter}{number}" for letter in "abcd" for number in range(4)]

        def change(key: str) -> None:
            assert store.update("sid", Changes({key: key}, {}, [], session()["cookie"], None))

        at_once(change, keys)
        expect(store, "sid", {key: key for key in keys})

    def test_rotate_moves_a_session_to_another_id(self, store: Store) -> None:
        store.set("old", session(kept=1, removed=1))
        document = store.rotate("old", "new", Changes({"added": 2}, {}, ["removed"], session()["cookie"], None))
        assert document is not None, "rotate() of a session that is there returned None"
        assert data_of(document) == {"kept": 1, "added": 2}, f"rotate() returned {document}"
        expect(store, "new", {"kept": 1, "added": 2})
        expect(store, "old", None)

    def test_rotate_makes_no_session(self, store: Store) -> None:
        document = store.rotate("unknown", "new", Changes({"a": 1}, {}, [], session()["cookie"], None))
        assert document is None, f"rotate() of a session that is not there returned {document}, not None"
        expect(store, "new", None)

    def test_rotate_of_no_session_leaves_the_one_that_has_the_new_id(self, store: Store) -> None:
        store.set("taken", session(a=1))
        assert store.rotate("sid", "taken", Changes({"b": 2}, {}, [], session()["cookie"], None)) is None
        expect(store, "taken", {"a": 1})

    def test_end_reaches_what_an_id_was_rotated_to_and_nothing_else_does(self, store: Store) -> None:
        nothing = Changes({}, {}, [], session()["cookie"], None)
        store.set("other", session(a=1))
        store.set("old", session(a=2))
        ids = ["old", "newer", "newer.still", "later", "newest"]
        for sid, next_sid in itertools.pairwise(ids):
            assert store.rotate(sid, next_sid, nothing), f"rotate({sid!r}, {next_sid!r}) of a session that is there"
        for sid in ids[:-1]:
            expect(store, sid, None)
            store.destroy(sid)
        expect(store, "newest", {"a": 2})
        store.end("old")
        expect(store, "newest", None)
        expect(store, "other", {"a": 1})
        store.end("other")
        store.end("other")  # again, which is no error
        expect(store, "other", None)

    def test_an_id_that_was_rotated_is_known_as_such_and_no_other_is(self, store: Store) -> None:
        nothing = Changes({}, {}, [], session()["cookie"], None)
        store.set("other", session(a=1))
        store.set("old", session(a=2))
        assert store.rotate("old", "newer", nothing) and store.rotate("newer", "newest", nothing)
        assert not store.rotate("unknown", "gone", nothing)
        found = [sid for sid in ("old", "newer", "newest", "other", "unknown", "gone") if store.was_rotated(sid)]
        assert found == ["old", "newer"], f"was_rotated() is true of {found}, and should be of 'old' and 'newer'"

    # Several processes

    def test_updates_in_two_processes_lose_nothing_and_bring_nothing_back(self, store: Store) -> None:
        stores = (store, another(self, store))
        store.set("sid", session())

        def change(number: int) -> None:
            assert stores[number % 2].update("sid", Changes({str(number): 1}, {}, [], session()["cookie"], None))

        at_once(change, range(12))
        expect(store, "sid", {str(number): 1 for number in range(12)})
        stores[1].end("sid")
        assert not store.update("sid", Changes({"a": 1}, {}, [], session()["cookie"], None)), (
            "update() of an ended session"
        )
        expect(stores[1], "sid", None)

    def test_a_rotation_in_one_process_is_known_and_ended_in_another(self, store: Store) -> None:
        other = another(self, store)
        nothing = Changes({}, {}, [], session()["cookie"], None)
        store.set("old", session(a=1))
        assert store.rotate("old", "newer", nothing) and other.rotate("newer", "newest", nothing)
        for each in (store, other):
            found = [sid for sid in ("old", "newer", "newest") if each.was_rotated(sid)]
            assert found == ["old", "newer"], f"was_rotated() is true of {found} only, in another process"
        other.end("old")
        expect(store, "newest", None)

    # all, length, clear

    def test_all_and_length_are_of_what_has_not_expired(self, store: Any) -> None:
        needs(store, "all", "length")
        store.set("one", session(a=1))
        store.set("two", session(timedelta(minutes=1), a=2))
        store.set("old", session(timedelta(seconds=-1), a=3))
        found = {sid: data_of(document) for sid, document in store.all().items()}
        assert found == {"one": {"a": 1}, "two": {"a": 2}}, f"all() gave {found}"
        length = store.length()
        assert length == 2, f"length() of two sessions gave {length}"

    def test_clear_removes_all(self, store: Any) -> None:
        needs(store, "clear")
        store.set("one", session(a=1))
        store.set("two", session(a=2))
        store.clear()
        expect(store, "one", None)
        expect(store, "two", None)


def session(max_age: timedelta | None = None, /, **data: Any) -> dict[str, Any]:
    """A document as ``Session.to_json`` makes it."""
    return {**data, "cookie": Cookie(max_age=max_age).to_json()}


def another(contract: StoreContract, store: Store) -> Store:
    found = contract.open_again(store)
    if found is None:
        raise SkipTest(f"no other process shares the sessions of {type(store).__name__}")
    return found


def refuses(name: str, call: Callable[..., Any], *arguments: Any) -> None:
    """Expect a ``TypeError`` that says the name of what cannot be."""
    try:
        call(*arguments)
    except TypeError as error:
        assert name in str(error), f"the message {str(error)!r} does not name {name}"
    else:
        raise AssertionError(f"what cannot be kept was taken: {name}")


def expect(store: Store, sid: str, data: Document | None) -> None:
    document = store.get(sid)
    found = None if document is None else data_of(document)
    assert found == data, f"get({sid!r}) gave {found!r}, and should have given {data!r}"


def data_of(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "cookie"}


def cookie_of(store: Store, sid: str) -> Cookie:
    document = store.get(sid)
    assert document is not None, f"get({sid!r}) gave None for a session that was set"
    return Cookie.from_json(document["cookie"])


def at_once(do: Callable[[Any], None], arguments: Iterable[Any]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(do, arguments))


def needs(store: Store, *methods: str) -> None:
    for method in methods:
        if not hasattr(store, method):
            raise SkipTest(f"{type(store).__name__} has no {method}()")
