"""The functions that compiled templates call: scopes, the numbers of a loop, and escaping."""

from __future__ import annotations

import markupsafe
import pytest

from miniexpress.views.values import Scope, Undefined, escape, numbered, unescaped


class Html:
    def __html__(self) -> str:
        return "<hr>"


class Money(int):
    def __str__(self) -> str:
        return f"<b>{int(self)}</b>"


class Link:
    def __str__(self) -> str:
        return markupsafe.Markup("<a href='?b&c'>")


@pytest.mark.parametrize(
    "value", ["", "plain é", "<a b=\"c\" d='&'>", "&&lt;", 1, -2.5, True, [1, "<"], Html(), Money(3), Link()]
)
def test_escape_writes_html_as_markupsafe_does(value: object) -> None:
    assert escape(value) == str(markupsafe.escape(value))


def test_none_and_undefined_are_written_as_nothing() -> None:
    assert escape(None) == unescaped(None) == escape(Undefined("no x")) == unescaped(Undefined("no x")) == ""


def test_an_inner_scope_sees_the_variables_around_it_and_keeps_its_own() -> None:
    scope = Scope(a=1, z=0)
    inner = scope.inner({"a": 2})
    inner["b"] = 3
    assert (inner["a"], inner["b"], inner["z"]) == (2, 3, 0)
    assert inner.outer is scope
    assert (scope["a"], scope["b"]) == (1, Undefined(""))


def test_numbered_tells_each_value_its_place_in_the_loop() -> None:
    (first, a), (last, b) = numbered(["a", "b"])
    assert (a, b) == ("a", "b")
    assert first == {"index": 1, "index0": 0, "first": True, "last": False, "length": 2}
    assert last == {"index": 2, "index0": 1, "first": False, "last": True, "length": 2}
