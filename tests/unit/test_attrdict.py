"""AttrDict: a dict whose keys are attributes too."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from collections import ChainMap
from collections.abc import Callable
from typing import Any

import bson
import pytest

from miniexpress.attrdict import AttrDict, to_attrdict


def test_a_key_is_an_attribute_and_an_attribute_a_key() -> None:
    user = AttrDict(name="Ada")
    user.email = "ada@example.org"
    user["age"] = 36
    assert (user.name, user["email"], user.age) == ("Ada", "ada@example.org", 36)
    assert user == {"name": "Ada", "email": "ada@example.org", "age": 36}


def test_a_missing_attribute_is_none_and_a_missing_item_raises() -> None:
    empty = AttrDict()
    assert empty.name is None
    assert empty._private is None
    assert not hasattr(empty, "__html__")
    with pytest.raises(KeyError):
        empty["name"]


def test_a_deleted_attribute_is_missing_and_deleting_what_is_missing_is_no_error() -> None:
    user = AttrDict(name="Ada")
    del user.name
    del user.name
    assert user == {}


@pytest.mark.parametrize("name", ["items", "get", "keys", "pop", "update", "copy", "__class__"])
def test_a_methods_name_is_refused_as_an_attribute_and_taken_as_an_item(name: str) -> None:
    found = AttrDict()
    with pytest.raises(AttributeError, match=rf"{name}.*method.*\['{name}'\]"):
        setattr(found, name, 1)
    found[name] = 1
    assert found == {name: 1}
    assert callable(getattr(found, name))


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each)), AttrDict.copy, AttrDict],
    ids=["copy.copy", "copy.deepcopy", "pickle", ".copy()", "AttrDict()"],
)
def test_a_copy_is_an_attrdict_with_the_same_items(copied: Callable[[AttrDict], AttrDict]) -> None:
    original = AttrDict(name="Ada", items=1, get=2)
    made = copied(original)
    assert type(made) is AttrDict
    assert made == original
    made.name = "Grace"
    assert original.name == "Ada"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle_keeps_what_is_nested(protocol: int) -> None:
    original = AttrDict(user=AttrDict(tags=[AttrDict(a=1)]))
    made = pickle.loads(pickle.dumps(original, protocol))
    assert made.user.tags[0].a == 1


def test_a_deep_copy_shares_nothing_and_a_copy_what_is_nested() -> None:
    original = AttrDict(user=AttrDict(name="Ada"))
    assert copy.copy(original).user is original.user
    deep = copy.deepcopy(original)
    deep.user.name = "Grace"
    assert original.user.name == "Ada"
    assert type(deep.user) is AttrDict


def test_a_deep_copy_keeps_a_circle() -> None:
    circle = AttrDict()
    circle.me = circle
    made = copy.deepcopy(circle)
    assert made.me is made
    assert made is not circle


def test_it_is_a_dict_to_everything_else() -> None:
    user = AttrDict(name="Ada")
    assert isinstance(user, dict)
    assert json.dumps(user) == '{"name": "Ada"}'
    assert {**user} == {"name": "Ada"}
    assert f"{user!r}" == "{'name': 'Ada'}"
    match user:
        case {"name": name}:
            assert name == "Ada"
        case _:
            pytest.fail("no mapping")


def test_with_attributes_reaches_dicts_at_any_depth() -> None:
    made = to_attrdict({"a": [{"b": {"c": 1}}, 2], "d": {}})
    assert made.a[0].b.c == 1
    assert made.d.anything is None
    assert made == {"a": [{"b": {"c": 1}}, 2], "d": {}}


def test_with_attributes_leaves_what_it_was_given_alone() -> None:
    given: dict[str, Any] = {"a": {"b": 1}}
    made = to_attrdict(given)
    made.a.b = 2
    assert given == {"a": {"b": 1}}
    assert type(given["a"]) is dict
    ready = AttrDict(a=1)
    assert to_attrdict(ready) is ready
    assert to_attrdict("text") == "text"


def with_view(fields: dict[str, Any]) -> list[AttrDict]:
    """The fields as an AttrDict, and as the view of a plain dict."""
    owner = AttrDict()
    owner.view = dict(fields)
    return [AttrDict(fields), owner.view]


METHODS = [name for name in vars(dict) if not name.startswith("_")]
USED_AS_A_FIELD: dict[str, Callable[[Any], Any]] = {
    "f-string": lambda value: f"{value}",
    "str": str,
    "%": lambda value: "%s" % value,  # noqa: UP031
    "+": lambda value: "Hello " + value,
    "if": lambda value: value or [],
    "==": lambda value: value == "x",
    "!= None": lambda value: value != None,  # noqa: E711
    "in": lambda value: "x" in value,
    "for": list,
    "[0]": lambda value: value[0],
    "len": len,
}


@pytest.mark.parametrize("use", USED_AS_A_FIELD.values(), ids=USED_AS_A_FIELD)
@pytest.mark.parametrize("fields", [{"items": ["tea"]}, {}], ids=["there", "missing"])
def test_a_field_that_is_called_like_a_method_of_dict_is_never_silently_that_method(
    use: Callable[[Any], Any], fields: dict[str, Any]
) -> None:
    for made in with_view(fields):
        with pytest.raises(TypeError, match=r"'items' is a method of dict here.* as an item, \['items'\]"):
            use(made.items)
        with pytest.raises(AttributeError, match=r"'items' of a dict; a field of that name is \['items'\]"):
            _ = made.items.name  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_of_dict_is_there_to_be_called_and_no_text(name: str) -> None:
    for made in with_view({"a": 1, name: 2}):
        method = getattr(made, name)
        assert callable(method)
        assert f"[{name!r}]" in repr(method)
        assert method not in (int, str)
        assert method == method and hash(method) is not None
        with pytest.raises(TypeError, match=name):
            str(method)
        assert made[name] == 2


def test_the_methods_do_what_those_of_a_dict_do() -> None:
    for made in with_view({"a": 1, "items": 2}):
        assert list(made.items()) == [("a", 1), ("items", 2)]
        assert (list(made.keys()), list(made.values())) == (["a", "items"], [1, 2])
        assert (made.get("items"), made.get("b"), made.get("b", 3)) == (2, None, 3)
        assert (made.setdefault("b", 3), made.pop("b"), made.pop("b", 4)) == (3, 3, 4)
        made.update({"c": 5}, d=6)
        assert made.popitem() in (("d", 6), ("a", 1))
        assert inspect.signature(made.get)
        made.clear()
        assert made == {} == made.copy()
    assert AttrDict.fromkeys("ab") == {"a": None, "b": None} == AttrDict().fromkeys("ab")
    assert list(AttrDict.items(AttrDict(a=1))) == [("a", 1)]


def test_a_subclass_has_methods_of_its_own_and_calls_those_of_a_dict() -> None:
    class Counted(AttrDict):
        def items(self) -> Any:
            return list(super().items())

        def clear(self) -> Any:
            return len(self)

    counted = Counted(a=1)
    assert (counted.items(), counted.clear(), counted.get("a")) == ([("a", 1)], 1, 1)


def test_what_reads_dicts_reads_fields_that_are_called_like_methods() -> None:
    fields = {name: {name: [1]} for name in METHODS}
    for made in with_view(fields):
        assert json.loads(json.dumps(made)) == fields
        assert json.loads(json.dumps(made, indent=1)) == fields
        assert bson.decode(bson.encode(made)) == fields
        assert {**made} == fields == dict(made) == dict(ChainMap(made))
        assert copy.deepcopy(made) == fields == pickle.loads(pickle.dumps(made))
    assert bson.decode(bson.encode(fields), bson.CodecOptions(document_class=AttrDict)) == fields


def of_plain_dicts() -> tuple[AttrDict, dict[str, Any]]:
    found, user = AttrDict(), {"name": "Ada", "address": {"city": "London"}}
    found.user = user
    return found, user


def test_a_plain_dict_that_was_set_is_read_by_attribute_at_any_depth() -> None:
    found, _ = of_plain_dicts()
    assert (found.user.name, found.user.address.city, found.user.missing) == ("Ada", "London", None)
    found.user.address.zip = {"code": 1}
    assert found.user.address.zip.code == 1


def test_a_plain_dict_that_was_set_is_not_copied() -> None:
    found, user = of_plain_dicts()
    view = found.user
    assert found["user"] is user
    user["email"] = "ada@example.org"
    assert (view.email, "email" in view, len(view), view) == ("ada@example.org", True, 3, user)
    view.age, view["x"] = 36, 1
    del view.address, view["x"], view.missing
    view.update(y=2)
    view |= {"z": 3}
    assert user == {"name": "Ada", "email": "ada@example.org", "age": 36, "y": 2, "z": 3} == dict(found.user)
    assert (view.pop("y"), view.setdefault("z"), view.setdefault("w", 4)) == (2, 3, 4)
    view.clear()
    assert user == {} == found["user"]


def test_a_view_of_a_plain_dict_is_a_dict_to_everything_else() -> None:
    found, user = of_plain_dicts()
    view = found.user
    assert isinstance(view, dict)
    assert json.dumps(view) == json.dumps(user)
    assert (view, f"{view!r}", view.copy()) == (user, f"{user!r}", user)
    assert user == view != {}
    user["new"] = 1
    assert ({**view}, view | {}, dict(view), list(view.items())) == (user, user, user, list(user.items()))
    assert json.loads(json.dumps(view)) == user


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_of_a_view_is_an_attrdict_of_its_own(copied: Callable[[Any], Any]) -> None:
    found, user = of_plain_dicts()
    made = copied(found.user)
    made.name = "Grace"
    assert (type(made), user["name"]) == (AttrDict, "Ada")


def test_a_view_that_is_set_as_an_attribute_is_the_dict_that_it_views() -> None:
    found, user = of_plain_dicts()
    other = AttrDict()
    other.user = found.user
    assert other["user"] is user
