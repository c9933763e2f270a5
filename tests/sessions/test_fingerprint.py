"""`take_fingerprint`: by it a session's changes are told, at any depth, from data that are the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.attrdict import to_attrdict
from miniexpress.http.json_text import stringify
from miniexpress.sessions.fingerprint import Fingerprint, take_fingerprint
from miniexpress.sessions.values import storable

pytestmark = pytest.mark.language

STORED: dict[str, Any] = {"user": {"name": "Ada", "tags": ["a", {"b": None}]}, "visits": 1, "ratio": 0.5, "": "ü\ud800"}


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


class Basket:
    def __init__(self, *items: str) -> None:
        self.items = list(items)

    def to_json(self) -> Any:
        return {"items": self.items}


def test_a_fingerprint_is_each_key_with_a_text_of_its_value_and_leaves_out_the_cookie() -> None:
    data = {"user": {"name": "Ada"}, "visits": 1, "cookie": object()}
    fingerprint = take_fingerprint(data)
    assert fingerprint == Fingerprint('{"user":{"name":"Ada"},"visits":1}', is_json=True)
    assert fingerprint.by_key() == {"user": "{'name': 'Ada'}", "visits": "1"}


def test_data_from_json_have_the_fingerprint_of_their_text() -> None:
    text = json.dumps(STORED, ensure_ascii=False, separators=(",", ":"))
    assert take_fingerprint(to_attrdict(json.loads(text))) == Fingerprint(text, is_json=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("visits", True),
        ("visits", 1.0),
        ("visits", "1"),
        ("ratio", None),
        ("user", {"name": "Ada", "tags": ["a", {"b": 0}]}),
        ("user", {"name": "Ada", "tags": ["a", {}]}),
        ("user", {}),
    ],
)
def test_a_change_at_any_depth_or_of_the_type_alone_is_a_difference_of_that_key(key: str, value: Any) -> None:
    before, after = take_fingerprint(STORED).by_key(), take_fingerprint({**STORED, key: value}).by_key()
    assert [each for each in STORED if before[each] != after[each]] == [key]


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ((1, (2,)), [1, [2]]),
        ({1: {None: 2}}, {"1": {"null": 2}}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Basket("tea"), {"items": ["tea"]}),
        ([Basket("tea")], [{"items": ["tea"]}]),
    ],
    ids=["a tuple", "keys that are no text", "a mapping", "an object with to_json()", "such an object in a list"],
)
def test_a_value_that_json_writes_alike_is_the_same_before_and_behind(value: Any, same: Any) -> None:
    assert take_fingerprint({"x": same}) == take_fingerprint({"x": value})


def test_an_object_that_changes_in_itself_has_another_fingerprint() -> None:
    basket = Basket("tea")
    before = take_fingerprint({"basket": basket, "in a list": [basket]}).by_key()
    assert take_fingerprint({"basket": basket, "in a list": [basket]}).by_key() == before
    basket.items.append("cup")
    after = take_fingerprint({"basket": basket, "in a list": [basket]}).by_key()
    assert [key for key in before if before[key] != after[key]] == ["basket", "in a list"]


def test_what_json_has_not_is_compared_by_its_own_text() -> None:
    at = datetime(2024, 2, 3, tzinfo=UTC)
    before = take_fingerprint({"at": at})
    assert before == take_fingerprint({"at": at.replace()})
    assert before != take_fingerprint({"at": at.replace(day=4)})
    assert before != take_fingerprint({"at": None})


def test_a_list_that_contains_itself_and_what_is_too_deep_are_refused_by_their_key() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    for key, value in {"circle": circle, "deep": deep, 1: circle}.items():
        refusal = rf"session\[{key!r}\] cannot be stored: it contains itself, or is nested deeper"
        with pytest.raises(TypeError, match=refusal):
            take_fingerprint({key: value})
        with pytest.raises(TypeError, match=refusal):
            take_fingerprint({"at": datetime.now(UTC), key: value})
    while isinstance(deep, list):  # taken apart here: freeing it at once would be as deep
        deep = deep.pop()


def test_keys_are_text_as_json_writes_them_and_others_are_refused_by_name() -> None:
    assert take_fingerprint({1: 1, None: 2, "\ud800": 3}).by_key() == {"1": "1", "null": "2", "\ufffd": "3"}
    with pytest.raises(TypeError, match=r"session\[\(1, 2\)\] cannot be stored: the key \(1, 2\) is no text"):
        take_fingerprint({(1, 2): 3})


class Money(float):
    def __repr__(self) -> str:
        return f"{float(self):.2f}"


class Tag:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return repr(self.name)

    def to_json(self) -> Any:
        return {"name": self.name}


class Detached(Tag):
    def __repr__(self) -> str:
        raise RuntimeError("no session is bound")


class Secretive(dict[str, Any]):
    def __repr__(self) -> str:
        return repr({key: value for key, value in self.items() if not key.startswith("_")})


class Name(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return "'name'"


@pytest.mark.parametrize("inside", [lambda value: value, lambda value: [value], lambda value: {"a": [{"b": value}]}])
@pytest.mark.parametrize(
    ("before", "after", "as_json"),
    [
        (1.25, Money(1.2513), 1.2513),
        ("Ada", Tag("Ada"), {"name": "Ada"}),
        ("Ada", Detached("Ada"), {"name": "Ada"}),
        ({"a": 1}, Secretive(a=1, _b=2), {"a": 1, "_b": 2}),
        ({"name": 1}, {Name("id"): 1}, {"id": 1}),
        ("name", Name("Ada"), "Ada"),
    ],
    ids=["a number", "an object", "one without a text", "a dict", "a key", "a text"],
)
def test_a_value_whose_own_text_is_that_of_another_is_told_by_what_json_writes_of_it(
    before: Any, after: Any, as_json: Any, inside: Any
) -> None:
    stored, changed = take_fingerprint({"x": inside(before)}), take_fingerprint({"x": inside(after)})
    assert changed.by_key() != stored.by_key()
    assert changed.text == take_fingerprint({"x": inside(as_json)}).text


@pytest.mark.parametrize(
    "value",
    [
        datetime(2024, 1, 1, tzinfo=UTC),
        Tag("Ada"),
        ValueError("no"),
        float("inf"),
        2**63,
        -(2**63) - 1,
        {"a\0": 1},
        "\ud800",
        {"\udc00": 1},
        nested(101),
    ],
    ids=repr,
)
def test_what_stores_keep_otherwise_or_refuse_is_not_storable_as_it_is(value: Any) -> None:
    assert not take_fingerprint({"x": [value]}).is_storable


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(max_size=3) | st.integers(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), values, max_size=4))
def test_a_storable_text_is_what_a_store_of_json_writes(data: dict[str, Any]) -> None:
    data.pop("cookie", None)
    fingerprint = take_fingerprint(data)
    if fingerprint.is_storable:
        assert fingerprint.text == stringify(storable(data))
