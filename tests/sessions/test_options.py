"""The options of `session(...)`: one that cannot be is refused where it is given."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from miniexpress import session
from miniexpress.sessions.memory import MemoryStore
from tests.support.browser import SECRET

COMPLETE: dict[str, Any] = {"secret": SECRET, "resave": False, "save_uninitialized": False}
NO_COOKIES = {"path": "a;b", "domain": "a b", "same_site": "maybe", "priority": "urgent", "expires": "2100"}


# What is given, and what the refusal has to say: the argument, what was wrong with it, and what to give.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"saveUninitialized": True}, r"no option 'saveUninitialized'.*'save_uninitialized'"),
    ({"colour": "red"}, r"no option 'colour'.*secret, resave, save_uninitialized"),
    ({"secret": ""}, r"secret=.*a string that is not empty"),
    ({"secret": None}, r"secret=.*a string that is not empty"),
    ({"secret": []}, r"secret=.*a list of them, not \[\]"),
    ({"secret": ["a", ""]}, r"secret=.*a string that is not empty"),
    ({"secret": {"a"}}, r"secret=.*a list"),
    ({"name": "session cookie name"}, r"name='session cookie name'.*no blanks"),
    ({"name": ""}, r"name=''.*letters"),
    ({"name": "a;b"}, r"name='a;b'.*letters"),
    ({"name": "a=b"}, r"name='a=b'.*letters"),
    ({"name": "a\r\nX: y"}, r"name='a\\r\\nX: y'.*letters"),
    ({"name": None}, r"name=None.*letters"),
    ({"unset": "remove"}, r"unset=.*'keep' or 'destroy', not 'remove'"),
    ({"unset": True}, r"unset=.*'keep' or 'destroy', not True"),
    ({"genid": "abc"}, r"genid=.*function of the request, not 'abc'"),
    ({"store": {}}, r"store=.*Store, not \{\}"),
    ({"store": MemoryStore}, r"store=.*Store, not <class"),
    ({"cookie": "secure"}, r"cookie='secure'.*mapping"),
    ({"cookie": {"maxAge": 1}}, r"cookie=.*no option 'maxAge'.*'max_age'"),
    ({"cookie": {"max_age": "1d"}}, r"cookie=.*max_age.*milliseconds.*not '1d'"),
    ({"cookie": {"max_age": True}}, r"cookie=.*max_age.*milliseconds.*not True"),
    ({"cookie": {"max_age": float("nan")}}, r"cookie=.*max_age.*milliseconds.*nan"),
    ({"cookie": {"max_age": float("inf")}}, r"cookie=.*max_age.*milliseconds.*inf"),
    ({"cookie": {"max_age": 1e20}}, r"cookie=.*max_age.*milliseconds.*1e\+20"),
    *(({"cookie": {name: value}}, f"cookie=.*{name}.*{value}") for name, value in NO_COOKIES.items()),
    ({"cookie": {"secure": "Auto"}}, r"cookie=.*secure.*'auto'.*'Auto'"),
    ({"proxy": "false"}, r"proxy=.*True, False or None, not 'false'"),
    ({"resave": "no"}, r"resave=.*True or False, not 'no'"),
    ({"save_uninitialized": "no"}, r"save_uninitialized=.*True or False, not 'no'"),
    ({"rolling": "no"}, r"rolling=.*True or False, not 'no'"),
    ({"rotate_on": ["user"]}, r"rotate_on=.*a key, not \['user'\]"),
]


@pytest.mark.parametrize(("given", "told"), REFUSED, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_an_option_that_cannot_be_is_refused_when_it_is_given(given: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=f"(?s){told}"):
        session(**{**COMPLETE, **given})


async def made_later(req: Any) -> Any:
    return {}


def made_one_by_one(req: Any) -> Any:
    yield {}


class MadeLater:
    async def __call__(self, req: Any) -> Any:
        return {}


@pytest.mark.parametrize("option", ["genid", "cookie"])
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda req, res: {}, r"the request or of nothing, and .*<lambda> \(.* takes other parameters"),
        (lambda *, req: {}, r"the request or of nothing, and .*<lambda> \(.* takes other parameters"),
        (made_later, r"the request, and made_later \(.* is async: make it a plain def"),
        (MadeLater(), r"the request, and .*MadeLater.* is async: make it a plain def"),
    ],
    ids=["two parameters", "a keyword", "async", "an async object"],
)
def test_a_function_that_cannot_be_called_with_a_request_is_refused_when_it_is_given(
    option: str, function: Any, told: str
) -> None:
    with pytest.raises(TypeError, match=f"{option}=….*{told}"):
        session(**{**COMPLETE, option: function})


@pytest.mark.parametrize("option", ["genid", "cookie"])
def test_a_generator_which_would_not_run_is_refused_when_it_is_given(option: str) -> None:
    with pytest.raises(TypeError, match=r"made_one_by_one \(.* is a generator, which would not run"):
        session(**{**COMPLETE, option: made_one_by_one})


def test_a_missing_secret_is_refused_in_words_that_name_it() -> None:
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'secret'"):
        session(resave=False, save_uninitialized=False)  # type: ignore[call-arg]


def test_resave_and_save_uninitialized_that_are_not_given_are_true_and_warned_of_where_session_is_called() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session(secret=SECRET)
    assert [str(warning.message).partition("=")[0] for warning in caught] == [
        "session(resave",
        "session(save_uninitialized",
    ]
    assert {warning.filename for warning in caught} == {__file__}
