"""`take_fingerprint`: by it a session's changes are told, at any depth, from data that are the same."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from miniexpress.attrdict import to_attrdict
from miniexpress.sessions.fingerprint import fingerprint_of_json, take_fingerprint

pytestmark = pytest.mark.language

STORED: dict[str, Any] = {"user": {"name": "Ada", "tags": ["a", {"b": None}]}, "visits": 1, "ratio": 0.5, "": "ü\ud800"}


class Basket:
    def __init__(self, *items: str) -> None:
        self.items = list(items)

    def to_json(self) -> Any:
        return {"items": self.items}


def test_a_fingerprint_is_each_key_with_a_text_of_its_value_and_leaves_out_the_cookie() -> None:
    data = {"user": {"name": "Ada"}, "visits": 1, "cookie": object()}
    assert take_fingerprint(data) == {"user": "{'name': 'Ada'}", "visits": "1"}


def test_data_from_json_have_the_same_fingerprint_by_both_functions() -> None:
    loaded = to_attrdict(copy.deepcopy(STORED))
    before = fingerprint_of_json(loaded)
    assert before == take_fingerprint(loaded) == take_fingerprint(json.loads(json.dumps(STORED)))


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
    before = fingerprint_of_json(STORED)
    after = take_fingerprint({**STORED, key: value})
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
    before = take_fingerprint({"basket": basket, "in a list": [basket]})
    assert take_fingerprint({"basket": basket, "in a list": [basket]}) == before
    basket.items.append("cup")
    after = take_fingerprint({"basket": basket, "in a list": [basket]})
    assert [key for key in before if before[key] != after[key]] == ["basket", "in a list"]


def test_what_json_has_not_is_compared_by_its_own_text() -> None:
    at = datetime(2024, 2, 3, tzinfo=UTC)
    before = take_fingerprint({"at": at})
    assert before == take_fingerprint({"at": at.replace()})
    assert before != take_fingerprint({"at": at.replace(day=4)})
    assert before != take_fingerprint({"at": None})


def test_a_list_that_contains_itself_has_a_fingerprint_and_what_is_too_deep_is_refused_by_its_key() -> None:
    circle: list[Any] = []
    circle.append(circle)
    before = take_fingerprint({"circle": circle})
    assert before == take_fingerprint({"circle": circle})
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TypeError, match=r"session\['deep'\] cannot be stored: it contains itself, or is nested deeper"):
        take_fingerprint({"deep": deep})
    while isinstance(deep, list):  # taken apart here: freeing it at once would be as deep
        deep = deep.pop()


def test_keys_are_text_as_json_writes_them_and_others_are_refused_by_name() -> None:
    assert take_fingerprint({1: 1, None: 2, "\ud800": 3}) == {"1": "1", "null": "2", "\ufffd": "3"}
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
    stored = fingerprint_of_json(to_attrdict({"x": inside(before)}))
    changed = take_fingerprint({"x": inside(after)})
    assert changed != stored
    assert changed == fingerprint_of_json({"x": inside(as_json)})
    assert take_fingerprint({"x": inside(after)}) == changed
