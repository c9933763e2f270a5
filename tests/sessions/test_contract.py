"""The stores that ship, held to the contract that ships."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from miniexpress.http.json_text import parse, stringify
from miniexpress.sessions.contract import StoreContract
from miniexpress.sessions.cookie import Cookie
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Document, Store
from tests.support.mongodb_servers import MongoDBServer


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class Plain(Store):
    """A store of somebody's own, with what it must have and no more."""

    def __init__(self, kept: dict[str, str] | None = None) -> None:
        self.kept = {} if kept is None else kept

    def get(self, sid: str) -> Any:
        kept = self.kept.get(sid)
        document = kept and parse(kept)
        expires = document and Cookie.from_json(document["cookie"]).expires
        return None if expires and expires <= datetime.now(UTC) else document

    def set(self, sid: str, document: Document) -> None:
        self.kept[sid] = stringify(document)

    def destroy(self, sid: str) -> None:
        self.kept.pop(sid, None)


class TestStoreOfThreeMethods(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return Plain()

    def open_again(self, store: Store) -> None:
        """One process has it to itself."""


def test_a_shared_store_that_inherits_what_holds_in_one_process_does_not_keep_the_contract() -> None:
    class Shared(StoreContract):
        def open_again(self, store: Any) -> Store:
            return Plain(store.kept)

    with pytest.raises(AssertionError, match=r"was_rotated\(\) is true of"):
        Shared().test_a_rotation_in_one_process_is_known_and_ended_in_another(Plain())
    with pytest.raises(AssertionError, match=r"Plain inherits rotate\(\).*define open_again"):
        StoreContract().test_a_rotation_in_one_process_is_known_and_ended_in_another(Plain())


class TestMongoDBStore(StoreContract):
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def store(self, mongodb: MongoDBServer) -> Any:
        store = MongoDBStore(uri=mongodb.uri, collection="held_to_the_contract", **self.options)
        store.clear()
        yield store
        store.client.close()

    def open_again(self, store: Any) -> Store:
        return MongoDBStore(client=store.client, collection="held_to_the_contract", **self.options)


class TestMongoDBStoreOfTexts(TestMongoDBStore):
    options: ClassVar[dict[str, Any]] = {"stringify": True}
    test_touch_moves_the_end_and_nothing_else: Any = None  # the text stays as it is, as in connect-mongo

    def test_touch_moves_the_end_unless_another_request_has_moved_it(self, store: MongoDBStore) -> None:
        soon, later = (datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=each) for each in (1, 9))
        store.set("a", {"cookie": {"originalMaxAge": 60_000, "expires": soon}, "kept": 1})
        for max_age, end in ((60_00, soon), (600_000, soon), (60_000, later)):
            store.touch("a", {"cookie": {"originalMaxAge": max_age, "expires": later}})
            kept = store.collection.find_one({})
            assert kept is not None
            assert kept["expires"] == end
