"""JSON as JavaScript writes and reads it. What JavaScript does was recorded with Node v20.20.2."""

from __future__ import annotations

import json
import math
from collections import ChainMap, UserDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from miniexpress.attrdict import AttrDict
from miniexpress.http.json_text import parse, stringify, undefined
from tests.support.waiting import processor_time

NAN, INFINITY = math.nan, math.inf


class Point:
    def __init__(self, x: float) -> None:
        self.x = x

    def to_json(self) -> Any:
        return {"x": self.x}


# What JSON.stringify made of the same value in JavaScript; a Date for each datetime, toJSON() for to_json().
WRITTEN = {
    "null": (None, "null"),
    "booleans": ([True, False], "[true,false]"),
    "numbers": ([1.5, 0.1, -0.5, 1e300, 5e-324, 123456789012345], "[1.5,0.1,-0.5,1e+300,5e-324,123456789012345]"),
    "not a number": (NAN, "null"),
    "infinities": ([INFINITY, -INFINITY], "[null,null]"),
    "a nested not a number": ({"a": [{"b": NAN}]}, '{"a":[{"b":null}]}'),
    "a tuple": ((1, (NAN,)), "[1,[null]]"),
    "a date": (datetime(2024, 1, 2, 3, 4, 5, 678_000, UTC), '"2024-01-02T03:04:05.678Z"'),
    "a date of another zone": (
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5))),
        '"2024-01-01T22:04:05.000Z"',
    ),
    "a date without a zone": (datetime(2024, 1, 2, 3, 4, 5), '"2024-01-02T03:04:05.000Z"'),
    "microseconds": (datetime(2024, 1, 2, 3, 4, 5, 999_999, UTC), '"2024-01-02T03:04:05.999Z"'),
    "a date beyond the years that Python has": (
        datetime.max.replace(microsecond=0, tzinfo=timezone(timedelta(hours=-5))),
        '"+010000-01-01T04:59:59.000Z"',
    ),
    "a date of MongoDB beyond them": (DatetimeMS(253_402_300_800_000), '"+010000-01-01T00:00:00.000Z"'),
    "a date of MongoDB before them": (DatetimeMS(-100_000_000_000_000), '"-001199-02-15T14:13:20.000Z"'),
    "a date of MongoDB that JavaScript has not": (DatetimeMS(8_640_000_000_000_001), "null"),
    "a date of MongoDB": (DatetimeMS(1), '"1970-01-01T00:00:00.001Z"'),
    "a UUID as MongoDB keeps it": (Binary.from_uuid(UUID(int=1)), '"00000000-0000-0000-0000-000000000001"'),
    "an exception": ({"a": ValueError("x")}, '{"a":{}}'),
    "undefined in an object": ({"a": undefined, "b": {"c": undefined}}, '{"b":{}}'),
    "undefined in a list": ([undefined, 1], "[null,1]"),
    "undefined": (undefined, ""),
    "keys that are no texts": ({True: 1, None: 2, 3: 4, 5.5: 6}, '{"true":1,"null":2,"3":4,"5.5":6}'),
    "keys that are no texts, with not a number beside": ({True: NAN, None: 2, 3: 4}, '{"true":null,"null":2,"3":4}'),
    "a key of MongoDB": ({ObjectId("64b7f0c0c0c0c0c0c0c0c0c0"): 1}, '{"64b7f0c0c0c0c0c0c0c0c0c0":1}'),
    "the epoch": (datetime.fromtimestamp(0, UTC), '"1970-01-01T00:00:00.000Z"'),
    "a year of three digits": (datetime(999, 1, 1, 0, 0, 0, 1000, UTC), '"0999-01-01T00:00:00.001Z"'),
    "nested dates": ({"a": [datetime.fromtimestamp(0, UTC), NAN]}, '{"a":["1970-01-01T00:00:00.000Z",null]}'),
    "line separators": ("\u2028\u2029", '"\u2028\u2029"'),
    "controls": ('\0\b\t\n\x0b\f\r\x1f\x7f\x80"\\/', '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\x80\\"\\\\/"'),
    "other alphabets": ("é日本😀", '"é日本😀"'),
    "a lone high surrogate": ("\ud800", '"\\ud800"'),
    "a lone low surrogate": ("a\udfffb", '"a\\udfffb"'),
    "surrogates the wrong way round": ("\ude00\ud83d", '"\\ude00\\ud83d"'),
    "a lone surrogate as a key": ({"\ud800": 1}, '{"\\ud800":1}'),
    "markup": ("<script>&", '"<script>&"'),
    "nothing in them": ([{}, [], ""], '[{},[],""]'),
    "an AttrDict": (AttrDict(a=AttrDict(b=1)), '{"a":{"b":1}}'),
    "an object that tells its JSON": ([Point(1)], '[{"x":1}]'),
    "an object that tells not a number": ([Point(NAN)], '[{"x":null}]'),
    "an object in another, with not a number beside": ({"a": Point(2), "b": NAN}, '{"a":{"x":2},"b":null}'),
}


@pytest.mark.parametrize(("value", "text"), WRITTEN.values(), ids=WRITTEN)
def test_it_is_written_as_javascript_writes_it(value: Any, text: str) -> None:
    assert stringify(value) == text


INDENTED = {
    "2": ({"a": [1, {"b": 2}], "c": {}}, 2, '{\n  "a": [\n    1,\n    {\n      "b": 2\n    }\n  ],\n  "c": {}\n}'),
    "empty ones": ([{}, [], {"a": {}}], 2, '[\n  {},\n  [],\n  {\n    "a": {}\n  }\n]'),
    "a tab": ({"a": 1}, "\t", '{\n\t"a": 1\n}'),
    "12, which is 10": ([1], 12, "[\n          1\n]"),
    "a long text, of which 10 count": ([1], "abcdefghijklmn", "[\nabcdefghij1\n]"),
    "1.9, which is 1": ([1], 1.9, "[\n 1\n]"),
    "0": ([1], 0, "[1]"),
    "-1": ([1], -1, "[1]"),
    "endless": ([1], math.inf, "[\n          1\n]"),
    "endless below zero": ([1], -math.inf, "[1]"),
    "an empty text": ([1], "", "[1]"),
    "true": ([1], True, "[1]"),
    "none": ([1], None, "[1]"),
    "not a number within": ([NAN, "\ud800"], 1, '[\n null,\n "\\ud800"\n]'),
}


@pytest.mark.parametrize(("value", "spaces", "text"), INDENTED.values(), ids=INDENTED)
def test_it_is_indented_as_javascript_indents_it(value: Any, spaces: Any, text: str) -> None:
    assert stringify(value, spaces=spaces) == text


def add_one(key: str, value: Any) -> Any:
    return value + 1 if isinstance(value, int) else value


def keys_for_values(key: str, value: Any) -> Any:
    return value if isinstance(value, dict | list) else key


def kind_of_a(key: str, value: Any) -> Any:
    return type(value).__name__ if key == "a" else value


REPLACED: dict[str, tuple[Any, Any, str]] = {
    "a list at every depth": ({"b": 1, "a": {"c": 1, "b": 2}}, ["a", "b"], '{"a":{"b":2},"b":1}'),
    "the order of the list": ({"a": 1, "b": 2}, ["b", "a"], '{"b":2,"a":1}'),
    "an empty list": ({"a": 1}, [], "{}"),
    "a function": ({"a": 1, "b": "x", "c": [1, 2]}, add_one, '{"a":2,"b":"x","c":[2,3]}'),
    "a function of the keys": ({"a": [5]}, keys_for_values, '{"a":["0"]}'),
    "a function that drops": ({"a": 1, "b": [1, 2]}, lambda k, v: undefined if v == 1 else v, '{"b":[null,2]}'),
    "a function that drops all": ({"a": 1}, lambda k, v: undefined, ""),
    "a function that converts what JSON lacks": (
        {"a": Decimal("1.10"), "b": [{1}], "c": ValueError("x"), "d": b"x"},
        lambda k, v: str(v) if isinstance(v, (Decimal, set, Exception, bytes)) else v,
        '{"a":"1.10","b":["{1}"],"c":"x","d":"b\'x\'"}',
    ),
    "a function that returns what JSON lacks": (
        {"a": 1},
        lambda k, v: Point(NAN) if k == "a" else v,
        '{"a":{"x":null}}',
    ),
    "a function that sees a document's id as text": (
        {"a": ObjectId("64b7f0c0c0c0c0c0c0c0c0c0")},
        kind_of_a,
        '{"a":"str"}',
    ),
    "a list and keys that are numbers": ({1: 2, 3: 4}, ["1"], '{"1":2}'),
    "a function that sees a date as text": ({"a": datetime.fromtimestamp(0, UTC)}, kind_of_a, '{"a":"str"}'),
}


@pytest.mark.parametrize(("value", "replacer", "text"), REPLACED.values(), ids=REPLACED)
def test_it_is_replaced_as_javascript_replaces_it(value: Any, replacer: Any, text: str) -> None:
    assert stringify(value, replacer) == text


def test_escaped_json_is_no_html_and_the_same_value() -> None:
    value = {"</script>": "<!-- & -->"}
    text = stringify(value, escape=True)
    assert text == '{"\\u003c/script\\u003e":"\\u003c!-- \\u0026 --\\u003e"}'
    assert json.loads(text) == value


def circle() -> Any:
    value: dict[str, Any] = {}
    value["me"] = [value]
    return value


class Itself:
    def to_json(self) -> Any:
        return self


NO_JSON: dict[str, Callable[[], Any]] = {
    "bytes": lambda: b"x",
    "a set": lambda: {1},
    "an object": object,
    "a function": lambda: print,
    "a tuple as a key": lambda: {(1, 2): 3},
    "a circle": circle,
    "a circle beside not a number": lambda: [NAN, circle()],
    "an object that tells itself": Itself,
}


@pytest.mark.parametrize("make", NO_JSON.values(), ids=NO_JSON)
def test_what_json_cannot_hold_is_a_type_error(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        stringify(make())


@pytest.mark.parametrize("replacer", [["me"], add_one])
def test_a_circle_is_a_type_error_where_it_is_replaced_too(replacer: Any) -> None:
    with pytest.raises(TypeError, match="contains itself"):
        stringify(circle(), replacer)


def test_what_json_cannot_hold_is_named_with_the_mend() -> None:
    with pytest.raises(TypeError, match=r"set is nothing that JSON can hold: \{1\}: .*'json replacer'.*to_json\(\)"):
        stringify({"a": [{1}]})


class Collection:
    """Has whatever attribute is asked for, as a collection of pymongo."""

    def __getattr__(self, name: str) -> Any:
        return Collection()


@pytest.mark.parametrize("replacer", [None, lambda key, value: value])
@pytest.mark.parametrize(
    "value",
    [
        MappingProxyType({"a": {"b": 1}}),
        UserDict(a={"b": 1}),
        ChainMap({"a": {"b": 1}}, {"a": 2}),
        RawBSONDocument(bson.encode({"a": {"b": 1}})),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_mapping_is_an_object(value: Any, replacer: Any) -> None:
    assert stringify(value, replacer) == '{"a":{"b":1}}'
    assert stringify([{"x": value}], replacer) == '[{"x":{"a":{"b":1}}}]'


def test_a_mapping_with_a_to_json_is_what_that_returns() -> None:
    class Cart(UserDict[str, Any]):
        def to_json(self) -> Any:
            return "cart"

    assert stringify(Cart(a=1)) == '"cart"'


def test_only_a_to_json_of_the_class_is_asked() -> None:
    with pytest.raises(TypeError, match="Collection is nothing that JSON can hold"):
        stringify(Collection())


def test_a_deep_value_with_not_a_number_in_it_is_written_as_deep_as_one_without() -> None:
    deep: Any = NAN
    for _ in range(800):
        deep = [deep]
    assert stringify(deep) == "[" * 800 + "null" + "]" * 800


class Failing:
    def to_json(self) -> Any:
        raise ValueError("no money left")


class Itself:
    def to_json(self) -> Any:
        return self


def test_an_exception_whose_class_hides_its_properties_has_none() -> None:
    def fails(error: Any) -> Any:
        raise RuntimeError("not to be read")

    error = type("Hostile", (Exception,), {"__dict__": property(fails)})("x")
    assert stringify({"error": error}) == stringify({"error": error}, lambda key, value: value) == '{"error":{}}'


@pytest.mark.parametrize("replacer", [None, ["a"], add_one])
def test_what_a_to_json_raises_is_told_as_it_is(replacer: Any) -> None:
    with pytest.raises(ValueError, match="no money left"):
        stringify({"a": Failing()}, replacer)
    with pytest.raises(TypeError, match="contains itself"):
        stringify({"a": Itself()}, replacer)


def test_what_is_nested_too_deep_is_a_type_error() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(TypeError, match="too deep"):
        stringify(deep)


def test_writing_leaves_the_value_alone() -> None:
    value = {"a": [NAN, {"b": 1}]}
    stringify(value)
    stringify(value, add_one)
    assert list(value) == ["a"]
    assert math.isnan(value["a"][0])  # type: ignore[arg-type]
    assert value["a"][1] == {"b": 1}


# Reading


def test_objects_at_any_depth_are_attrdicts() -> None:
    value = parse('{"a": [{"b": {"c": 1}}]}')
    assert value.a[0].b.c == 1
    assert type(value.a[0].b) is AttrDict


READ = {
    '"\\ud800"': "\ud800",
    '"\\ud83d\\ude00"': "😀",
    '"\u2028"': "\u2028",
    " \t\r\n[1] ": [1],
    "-0": 0,
    "1E2": 100.0,
    "1e400": INFINITY,
    '{"a":1,"a":2}': {"a": 2},
    '{"__proto__":1}': {"__proto__": 1},
    "[" * 500 + "]" * 500: None,
}


@pytest.mark.parametrize("text", READ, ids=[text[:20] for text in READ])
def test_what_javascript_reads_is_read(text: str) -> None:
    value = parse(text)
    assert READ[text] is None or value == READ[text]


REFUSED = [
    *("NaN", "Infinity", "-Infinity", "[NaN]", "undefined", "True", "None", "'a'", "{a:1}", "{'a':1}"),
    *("[1,]", '{"a":1,}', "[,]", "[1 2]", '{"a"}', "01", "+1", ".5", "1.", "1e", "0x10", "1_000", "--1", "\u0661"),
    *('"\t"', '"\n"', '"\0"', '"\\x41"', '"\\u12"', '"\\ud8"', '"a', '"\\', "", " ", "/*a*/1", "1//", "[1]]"),
    *("\ufeff1", "\xa01", "\x0b1", "\u20281", "[" * 100_000, '{"a":' * 100_000, "[" * 50_000 + "]" * 50_000),
]


@pytest.mark.parametrize("text", REFUSED, ids=[f"{text[:20]!r}" for text in REFUSED])
def test_what_javascript_refuses_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_reviver_may_drop_a_key_an_item_and_all() -> None:
    def without_one(key: str, value: Any) -> Any:
        return undefined if value == 1 else value

    assert parse('{"a": 1, "b": [1, 2], "c": {"d": 1}}', without_one) == {"b": [None, 2], "c": {}}
    assert parse("1", without_one) is None


def test_a_reviver_may_change_each_value_and_finds_no_depth_too_deep() -> None:
    assert parse('{"a": [1, 2]}', lambda key, value: value + 1 if isinstance(value, int) else value) == {"a": [2, 3]}
    for depth in range(900, 1000):
        try:
            parse("[" * depth + "]" * depth, lambda key, value: value)
        except ValueError as error:
            assert "too deep" in str(error)


def test_a_hostile_text_costs_little() -> None:
    hostile = ["[" * 100_000, '"' + "\\" * 100_000, "1" * 100_000, " " * 100_000, '"' * 100_000, "-" * 100_000]
    for text in hostile:

        def refuse(text: str = text) -> None:
            with pytest.raises(ValueError):
                parse(text)

        assert processor_time(refuse, 0.1) < 0.1, text[:10]
