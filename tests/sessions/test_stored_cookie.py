"""A cookie in a stored session: what Express or anybody else may have written there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Code

from miniexpress.http.cookies import serialize
from miniexpress.sessions.cookie import Cookie

pytestmark = pytest.mark.language

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stored", "expires", "age"),
    [
        ({"expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, LATER, None),
        ({"expires": 4102444800000}, LATER, None),
        ({"expires": 4102444800000.9}, LATER, None),
        ({"expires": "tomorrow", "originalMaxAge": 5000}, None, 5000),
        ({"expires": "+033715-08-25T09:29:48.099Z", "originalMaxAge": 1e15}, None, 1e15),
        ({"expires": ["2100"]}, None, None),
        ({"originalMaxAge": "60000"}, None, None),
        ({"originalMaxAge": 1e300}, None, None),
        ({"originalMaxAge": {"$numberLong": "1"}}, None, None),
        ({"originalMaxAge": True}, None, None),
        ({"expires": False, "originalMaxAge": False}, False, False),
    ],
)
def test_a_stored_time_is_read_where_it_is_one_and_otherwise_none_is_set(stored: Any, expires: Any, age: Any) -> None:
    cookie = Cookie.from_json(stored)
    assert (cookie.expires, cookie.original_max_age) == (expires, age)
    cookie.max_age = cookie.original_max_age
    serialize("a", "b", **cookie.attributes())


@pytest.mark.parametrize(
    ("stored", "attributes"),
    [
        ({"secure": "yes"}, {"secure": True}),
        ({"secure": 0}, {"secure": False}),
        ({"path": 5, "domain": ["a"], "priority": "urgent", "sameSite": "maybe"}, {}),
        ({"path": "/a;b", "domain": "a b"}, {}),
        ({"path": "/a", "domain": "a.b", "priority": "low", "sameSite": True}, None),
        ({"unknown": 1, "data": {}}, {}),
        (None, {}),
        ("text", {}),
    ],
)
def test_a_stored_attribute_that_no_cookie_can_have_is_as_by_default(stored: Any, attributes: Any) -> None:
    cookie = Cookie.from_json(stored)
    if attributes is None:
        attributes = {"path": "/a", "domain": "a.b", "priority": "low", "same_site": True}
    assert cookie.attributes() == Cookie().attributes() | attributes
    serialize("a", "b", **cookie.attributes())


@pytest.mark.parametrize("key", ["path", "domain", "priority", "sameSite"])
def test_code_where_a_stored_cookie_has_a_text_is_as_nothing(key: str) -> None:
    assert Cookie.from_json({key: Code("x")}).to_json() == Cookie().to_json()
