"""The stores that ship, held to the contract that ships."""

from __future__ import annotations

from typing import Any

import pytest
from support import MongoDBServer

from miniexpress.sessions.contract import StoreContract
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.store import Store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestMongoDBStore(StoreContract):
    @pytest.fixture
    def store(self, mongodb: MongoDBServer, request: pytest.FixtureRequest) -> Any:
        store = MongoDBStore(uri=mongodb.uri, collection="held_to_the_contract")
        store.clear()
        yield store
        store.client.close()
