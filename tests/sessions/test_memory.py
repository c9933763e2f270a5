"""`MemoryStore`: sessions in the process, kept as the JSON that npm express-session 1.19.0 keeps there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.store import Store
from tests.support.browser import NO_COOKIE as COOKIE
from tests.support.browser import changes

pytestmark = pytest.mark.language


def ending(seconds: float) -> dict[str, Any]:
    return {**COOKIE, "originalMaxAge": 1000, "expires": datetime.now(UTC) + timedelta(seconds=seconds)}


def test_what_is_set_is_got_and_is_a_copy() -> None:
    store, document = MemoryStore(), {"cookie": COOKIE, "user": {"tags": ["a"]}}
    store.set("a", document)
    document["user"]["tags"].append("b")
    got = store.get("a")
    assert got == {"cookie": COOKIE, "user": {"tags": ["a"]}}
    got["user"]["tags"].append("c")
    assert store.get("a") == {"cookie": COOKIE, "user": {"tags": ["a"]}}
    assert store.get("b") is None


def test_what_json_cannot_hold_is_refused_and_the_old_document_stays() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1})
    with pytest.raises(TypeError, match=r"session\['x'\] cannot be stored: .* nothing that JSON can hold"):
        store.set("a", {"cookie": COOKIE, "x": object()})
    with pytest.raises(TypeError, match=r"session\['x'\] cannot be stored: .* nothing that JSON can hold"):
        store.update("a", changes({"x": {1, 2}}))
    assert (store.get("a") or {})["x"] == 1
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(TypeError, match="contains itself"):
        store.update("a", changes({"x": circle}))
    assert (store.get("a") or {})["x"] == 1


def test_a_datetime_is_read_as_the_text_that_express_session_reads() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "at": datetime(2024, 2, 3, 4, 5, 6, 789000, UTC)})
    assert (store.get("a") or {})["at"] == "2024-02-03T04:05:06.789Z"


def test_update_sets_removes_and_leaves_the_rest_alone() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "kept": 1, "gone": 2, "changed": 3})
    cookie = {**COOKIE, "path": "/x"}
    assert store.update("a", changes({"new": 5}, {"changed": 4}, ["gone", "never"], cookie))
    assert store.get("a") == {"cookie": cookie, "kept": 1, "changed": 4, "new": 5}


def test_update_does_not_bring_back_what_others_have_removed() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "kept": 1})
    assert store.update("a", changes({"new": 3}, {"kept": 2, "user": "tobi"}))
    assert store.get("a") == {"cookie": COOKIE, "kept": 2, "new": 3}


def test_update_leaves_a_max_age_that_others_have_given_but_for_a_new_one() -> None:
    store = MemoryStore()
    for ours, kept in ((1000, 5000), (2000, 2000)):
        store.set("a", {"cookie": {**COOKIE, "originalMaxAge": 5000}})
        assert store.update("a", changes({"x": 1}, cookie={**COOKIE, "originalMaxAge": ours}, max_age=1000))
        assert store.get("a") == {"cookie": {**COOKIE, "originalMaxAge": kept}, "x": 1}


def test_rotate_moves_a_session_with_what_others_made_of_it() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "theirs": 1, "gone": 2})
    moved = store.rotate("a", "b", changes({"user": "tobi"}, {"old": 3}, ["gone"]))
    assert moved == store.get("b") == {"cookie": COOKIE, "theirs": 1, "user": "tobi"}
    assert store.get("a") is None
    assert store.rotate("a", "c", changes({"user": "tobi"})) is None
    assert set(store.all()) == {"b"}


def test_what_is_not_there_is_neither_updated_nor_touched_nor_an_error_to_destroy() -> None:
    store = MemoryStore()
    assert not store.update("gone", changes({"a": 1}))
    store.touch("gone", {"cookie": COOKIE})
    store.destroy("gone")
    assert (store.all(), store.length()) == ({}, 0)


def test_touch_changes_the_end_and_nothing_else() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": ending(10), "x": 1})
    store.touch("a", {"cookie": ending(100), "x": 2})
    kept = store.get("a") or {}
    assert kept["x"] == 1
    assert datetime.fromisoformat(kept["cookie"]["expires"]) > datetime.now(UTC) + timedelta(seconds=50)


def test_an_expired_session_is_not_found() -> None:
    store = MemoryStore()
    store.set("over", {"cookie": ending(-1)})
    store.set("now", {"cookie": ending(0)})
    store.set("lasting", {"cookie": ending(60)})
    store.set("forever", {"cookie": COOKIE})
    assert (store.get("over"), store.get("now")) == (None, None)
    assert not store.update("over", changes({"x": 1}, cookie=ending(60)))
    assert set(store.all()) == {"lasting", "forever"}
    assert store.length() == 2


def test_destroy_removes_one_session_and_clear_removes_all() -> None:
    store = MemoryStore()
    for sid in "abc":
        store.set(sid, {"cookie": COOKIE})
    store.destroy("b")
    assert set(store.all()) == {"a", "c"}
    store.clear()
    assert store.length() == 0


def test_updates_from_many_threads_lose_nothing() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE})
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda number: store.update("a", changes({f"k{number}": number})), range(200)))
    assert len(store.get("a") or {}) == 201


@pytest.mark.parametrize("sid", ["", "__proto__", "a.b", "$ne", "é🦊", "\0"])
def test_an_id_may_be_any_text(sid: str) -> None:
    store = MemoryStore()
    assert store.get(sid) is None
    store.set(sid, {"cookie": COOKIE})
    assert set(store.all()) == {sid}
    store.destroy(sid)
    assert store.get(sid) is None


def test_the_cookie_s_end_is_got_as_the_text_that_express_session_keeps() -> None:
    store, east = MemoryStore(), timezone(timedelta(hours=2))
    for expires in (datetime(2100, 2, 3, 4, 5, 6, 789000, UTC), datetime(2100, 2, 3, 6, 5, 6, 789000, east)):
        store.set("a", {"cookie": {**COOKIE, "expires": expires}})
        assert [document["cookie"]["expires"] for document in (store.get("a"), store.all()["a"]) if document] == [
            "2100-02-03T04:05:06.789Z"
        ] * 2
        assert store.update("a", changes({"x": 1}, cookie={**COOKIE, "expires": expires}))
        assert (store.get("a") or {})["cookie"].expires == "2100-02-03T04:05:06.789Z"


def test_a_loaded_cookie_shares_nothing_with_the_one_that_is_kept() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE})
    stored = store.load_stored("a")
    assert stored is not None
    stored.document["cookie"]["path"] = "/elsewhere"
    assert (store.get("a") or {})["cookie"] == COOKIE


def test_a_cookie_that_was_got_shares_nothing_with_the_one_that_is_kept() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": {**COOKIE, "seen": {"in": ["Zürich"]}}})
    for document in (store.get("a"), store.all()["a"]):
        assert document is not None
        document["cookie"]["seen"]["in"].append("Bern")
    assert store.get("a") == {"cookie": {**COOKIE, "seen": {"in": ["Zürich"]}}}


def test_a_session_is_loaded_by_a_get_that_an_app_has_put_in_its_place() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1})
    store.get = lambda sid: {"cookie": COOKIE, "x": 2}  # type: ignore[method-assign]
    stored = store.load_stored("a")
    assert stored is not None
    assert stored.document["x"] == 2
    assert stored.text is None


def test_the_text_of_a_loaded_session_is_its_data_as_json() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": (1, float("inf")), 2: "ü"})
    stored = store.load_stored("a")
    assert stored is not None
    assert stored.text == '{"x":[1,null],"2":"ü"}'
    assert stored.document == {"cookie": COOKIE, "x": [1, None], "2": "ü"}


def test_a_text_replaces_a_session_that_is_as_it_was_loaded() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1, "y": 1})
    loaded = store.load_stored("a")
    store.touch("a", {"cookie": COOKIE})
    assert loaded is not None
    assert store.replace_text("a", loaded.source, '{"y":1,"x":[2]}', COOKIE)
    assert store.get("a") == {"cookie": COOKIE, "y": 1, "x": [2]}


def end_it(store: MemoryStore) -> None:
    store.destroy("a")


def change_it(store: MemoryStore) -> None:
    store.set("a", {"cookie": COOKIE, "x": 5})


def give_it_another_max_age(store: MemoryStore) -> None:
    store.set("a", {"cookie": ending(60), "x": 1})


def take_its_cookie(store: MemoryStore) -> None:
    store.set("a", {"cookie": None, "x": 1})


@pytest.mark.parametrize(
    "meanwhile",
    [end_it, change_it, give_it_another_max_age, take_its_cookie],
    ids=lambda do: do.__name__,
)
def test_a_text_does_not_replace_a_session_that_another_request_has_changed(
    meanwhile: Callable[[MemoryStore], None],
) -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1})
    loaded = store.load_stored("a")
    meanwhile(store)
    after = store.get("a")
    assert loaded is not None
    assert not store.replace_text("a", loaded.source, '{"x":2}', COOKIE)
    assert store.get("a") == after


def test_a_store_that_keeps_no_texts_has_none_replaced() -> None:
    assert not Store().replace_text("a", None, "{}", COOKIE)


def test_a_text_does_not_replace_a_session_where_an_app_has_an_update_of_its_own() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1})
    store.update = lambda sid, changes: True  # type: ignore[method-assign]
    loaded = store.load_stored("a")
    assert loaded is not None
    assert not store.replace_text("a", loaded.source, '{"x":2}', COOKIE)
    assert store.get("a") == {"cookie": COOKIE, "x": 1}


def test_a_text_is_replaced_in_the_transaction_of_a_store_that_has_one_of_its_own() -> None:
    class Logged(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.kept_in_transaction: list[Any] = []

        @contextmanager
        def transaction(self) -> Iterator[None]:
            yield
            self.kept_in_transaction.append((self.get("a") or {})["x"])

    store = Logged()
    store.set("a", {"cookie": COOKIE, "x": 1})
    loaded = store.load_stored("a")
    assert loaded is not None
    assert store.replace_text("a", loaded.source, '{"x":2}', COOKIE)
    assert store.kept_in_transaction == [2]


def test_a_cookie_that_json_cannot_hold_is_refused_by_name_and_the_old_text_stays() -> None:
    store = MemoryStore()
    store.set("a", {"cookie": COOKIE, "x": 1})
    loaded = store.load_stored("a")
    assert loaded is not None
    with pytest.raises(TypeError, match=r"session\['cookie'\] cannot be stored: set is nothing that JSON can hold"):
        store.replace_text("a", loaded.source, '{"x":2}', {**COOKIE, "path": {1}})
    assert (store.get("a") or {})["x"] == 1
