"""The checks that every store has before its methods, whatever class they are from."""

from __future__ import annotations

from typing import Any

import pytest

from miniexpress.sessions.store import Document, Store

pytestmark = pytest.mark.language


async def later(self: Store, sid: str) -> Any: ...


def one_by_one(self: Store, sid: str) -> Any:
    yield sid


@pytest.mark.parametrize("name", ["get", "destroy", "touch", "end", "load_stored"])
@pytest.mark.parametrize(
    ("method", "said"),
    [
        (later, r"later \(.*\) is async, and a session store is not: make it a plain def"),
        (one_by_one, "is a generator"),
    ],
)
def test_a_method_of_a_store_that_would_not_run_is_refused_with_its_class(name: str, method: Any, said: str) -> None:
    base = type("NoStore", (), {name: method})
    for bases, own in (((Store,), {name: method}), ((base, Store), {})):
        with pytest.raises(TypeError, match=said):
            type("Own", bases, own)


def test_what_a_store_has_from_a_class_that_is_no_store_is_checked_too() -> None:
    calls: list[Any] = []

    class Kept:
        def get(self, sid: str) -> Document | None:
            calls.append(sid)
            return None

        def set(self, sid: str, document: Document) -> None:
            calls.append(document["n"])

    class Mixed(Kept, Store):
        pass

    store = Mixed()
    assert store.get({"$ne": None}) is None  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a session's id is a string"):
        store.set(None, {"n": 1})  # type: ignore[arg-type]
    store.set("sid", {"n": 2**70})
    assert calls == [float(2**70)]
