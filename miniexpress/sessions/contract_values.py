"""The sessions and ids that ``contract`` tries a store with."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Any

DATA = {
    "user": {"name": "Ada", "tags": ["a", "b"], "address": {"city": "Zürich", "zip": None}},
    "visits": 3,
    "ratio": 0.5,
    "is_admin": False,
    "nothing": None,
    "text": "\" ' \\ \n \u2028 \U0001f600 </script> $where",
    "a.b": {"c.d": 1},
    "$set": {"$gt": ""},
    "": "no name",
}


class Large(int):
    """A whole number of a class of its own, as an ``IntEnum`` has them."""


class WithJSON:
    """An object of a class of its own, which says how it is kept."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def to_json(self) -> Any:
        return self.value


# What a client's JSON may hold, or a handler may put there, and what every store keeps of it.
ODD_VALUES: dict[str, tuple[Any, Any]] = {
    "half a surrogate pair": (["a\ud800", {"\udc00": 1}], ["a\ufffd", {"\ufffd": 1}]),
    "whole numbers": ([2**63 - 1, -(2**63), 2**70], [2**63 - 1, -(2**63), float(2**70)]),
    "keys": ({1: {None: 2}, 1.5: [{True: 3}]}, {"1": {"null": 2}, "1.5": [{"true": 3}]}),
    "whole numbers of a class of its own": ([Large(2**70), Large(5)], [float(2**70), 5]),
    "numbers that JSON has not": ([float("inf"), {"a": float("nan")}, -(10**400)], [None, {"a": None}, None]),
    "a tuple": ((1, (2,)), [1, [2]]),
    "an object with to_json()": ([WithJSON({"at": WithJSON((1,))}), WithJSON("text")], [{"at": [1]}, "text"]),
    "a mapping": (MappingProxyType({1: MappingProxyType({})}), {"1": {}}),
    "a date": ([date(2024, 2, 3)], ["2024-02-03"]),
}
NO_IDS: tuple[Any, ...] = (None, 5, True, b"sid", {"$ne": None}, ["sid"], "\ud800")
ODD_IDS = ("' OR 1=1 --", '{"$ne": null}', "a.b", "$where", "%", "*", "../up", "ü\U0001f600", "x" * 200)


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value
