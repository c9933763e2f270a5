"""The stores that ship, held to the contract that ships."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from miniexpress.sessions.contract import StoreContract
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Store
from tests.support.mongodb_servers import MongoDBServer


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestMongoDBStore(StoreContract):
    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def store(self, mongodb: MongoDBServer) -> Any:
        store = MongoDBStore(uri=mongodb.uri, collection="held_to_the_contract", **self.options)
        store.clear()
        yield store
        store.client.close()


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
