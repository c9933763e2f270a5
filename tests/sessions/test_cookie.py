"""`Cookie`: a session's cookie settings and its clock. Upstream's answers are those of npm express-session 1.19.0."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from miniexpress.http.cookies import serialize
from miniexpress.sessions.cookie import Cookie

pytestmark = pytest.mark.language

LATER = datetime(2100, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def milliseconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)) / timedelta(milliseconds=1)


def test_a_cookie_that_is_told_nothing_ends_with_the_browser_and_is_hidden_from_scripts() -> None:
    cookie = Cookie()
    assert (cookie.path, cookie.http_only, cookie.expires, cookie.max_age) == ("/", True, None, None)
    assert (cookie.secure, cookie.domain, cookie.same_site, cookie.partitioned, cookie.priority) == (None,) * 5
    assert cookie.original_max_age is None


@pytest.mark.parametrize("age", [5000, 5000.0, timedelta(seconds=5)])
def test_max_age_sets_expires_and_the_original_max_age(age: Any) -> None:
    cookie = Cookie(max_age=age)
    assert cookie.expires is not None
    assert 4000 < milliseconds_until(cookie.expires) <= 5000
    assert 4000 < (cookie.max_age or 0) <= 5000
    assert (cookie.original_max_age, type(cookie.original_max_age)) in ((5000, int), (5000.0, float))
    cookie.max_age = None
    assert (cookie.expires, cookie.max_age, cookie.original_max_age) == (None, None, None)


def test_max_age_runs_and_the_original_does_not() -> None:
    cookie = Cookie(expires=datetime.now(UTC) - timedelta(seconds=1))
    assert cookie.max_age is not None
    first = cookie.max_age
    assert first < -900
    assert cookie.original_max_age == pytest.approx(first, abs=100)
    cookie = Cookie(max_age=60_000)
    original = cookie.original_max_age
    cookie.to_json(), cookie.attributes()
    assert cookie.original_max_age == original == 60_000


def test_expires_sets_max_age() -> None:
    cookie = Cookie()
    cookie.expires = LATER
    assert cookie.original_max_age == pytest.approx(milliseconds_until(LATER), abs=1000)
    assert cookie.max_age == pytest.approx(milliseconds_until(LATER), abs=1000)


def test_expires_wins_over_max_age_when_both_are_given() -> None:
    assert Cookie(max_age=1000, expires=LATER).expires == LATER


@pytest.mark.parametrize(
    "when", [datetime(2100, 1, 1), datetime(2100, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), LATER]
)
def test_expires_is_in_utc_whatever_zone_it_was_given_in(when: datetime) -> None:
    assert Cookie(expires=when).expires == LATER
    assert Cookie(expires=when).to_json()["expires"].tzinfo is UTC


@pytest.mark.parametrize("age", ["5000", b"1", True, [1], float("nan"), float("inf"), 1e300, timedelta.max])
def test_what_is_no_time_is_refused_as_max_age_and_changes_nothing(age: Any) -> None:
    cookie = Cookie(max_age=1000)
    with pytest.raises(TypeError, match="max_age"):
        cookie.max_age = age
    assert cookie.original_max_age == 1000


@pytest.mark.parametrize("when", ["2100-01-01", 4102444800, True, LATER.date()])
def test_what_is_no_datetime_is_refused_as_expires(when: Any) -> None:
    with pytest.raises(TypeError, match=r"expires is a datetime or None"):
        Cookie(expires=when)


def test_an_unknown_attribute_is_refused_by_the_name_it_should_have() -> None:
    with pytest.raises(TypeError, match=r"no option 'httpOnly'.*'http_only'"):
        Cookie(httpOnly=True)  # type: ignore[call-arg]


def test_the_document_has_express_session_s_names_in_its_order_and_leaves_out_what_is_not_set() -> None:
    assert Cookie().to_json() == {"originalMaxAge": None, "expires": None, "httpOnly": True, "path": "/"}
    everything = Cookie(
        path="/a", expires=LATER, http_only=False, secure=True, domain="example.com", same_site="lax",
        partitioned=False, priority="low",
    )  # fmt: skip
    everything.original_max_age = 7
    assert list(everything.to_json().items()) == [
        ("originalMaxAge", 7),
        ("partitioned", False),
        ("priority", "low"),
        ("expires", LATER),
        ("secure", True),
        ("httpOnly", False),
        ("domain", "example.com"),
        ("path", "/a"),
        ("sameSite", "lax"),
    ]


@pytest.mark.parametrize("expires", [LATER, "2100-01-01T00:00:00.000Z", "2100-01-01T02:00:00+02:00"])
def test_a_document_is_read_back_as_it_was_written(expires: Any) -> None:
    cookie = Cookie.from_json({"originalMaxAge": 60_000, "expires": expires, "httpOnly": False, "path": "/a"})
    assert (cookie.expires, cookie.original_max_age, cookie.http_only, cookie.path) == (LATER, 60_000, False, "/a")
    assert Cookie.from_json(cookie.to_json()).to_json() == cookie.to_json()


def test_a_document_that_node_s_mongodb_driver_wrote_has_null_for_what_is_not_set() -> None:
    names = ("partitioned", "priority", "secure", "domain", "sameSite", "originalMaxAge", "expires")
    cookie = Cookie.from_json({**dict.fromkeys(names), "httpOnly": True, "path": "/"})
    assert cookie.to_json() == Cookie().to_json()


def test_an_empty_document_is_a_cookie_with_the_defaults() -> None:
    assert Cookie.from_json({}).to_json() == Cookie().to_json()


# Names


@pytest.mark.parametrize(
    ("name", "meant"),
    [("maxAge", "max_age"), ("httpOnly", "http_only"), ("sameSite", "same_site"), ("expire", "expires"),
     ("originalMaxAge", "original_max_age"), ("colour", "it has .*priority")],
)  # fmt: skip
def test_an_attribute_that_a_cookie_has_not_is_refused_when_set_or_read_and_the_one_meant_is_named(
    name: str, meant: str
) -> None:
    cookie = Cookie()
    with pytest.raises(AttributeError, match=rf"no attribute '{name}': .*{meant}"):
        setattr(cookie, name, 1)
    with pytest.raises(AttributeError, match=rf"no attribute '{name}': .*{meant}"):
        getattr(cookie, name)
    assert cookie.to_json() == Cookie().to_json()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_of_a_cookie_is_a_cookie_of_its_own(copied: Any) -> None:
    cookie = Cookie(expires=LATER, path="/a")
    made = copied(cookie)
    made.path = "/b"
    assert (cookie.path, made.to_json()) == ("/a", {**cookie.to_json(), "path": "/b"})


# A cookie that ends with the browser, as express-session's README writes it


def test_expires_or_max_age_of_false_ends_with_the_browser_and_is_kept_as_express_session_keeps_it() -> None:
    cookies = [Cookie(expires=False), Cookie(max_age=False), Cookie(max_age=60_000), Cookie(max_age=60_000)]
    cookies[2].expires = False
    cookies[3].max_age = False
    for cookie in cookies:
        for _ in range(2):
            assert (cookie.expires, cookie.max_age, cookie.original_max_age) == (False, False, False)
            assert cookie.to_json() == {"originalMaxAge": False, "expires": False, "httpOnly": True, "path": "/"}
            cookie = Cookie.from_json(cookie.to_json())
            cookie.max_age = cookie.original_max_age


@pytest.mark.parametrize("when", [0, 0.0, "", True])
def test_what_is_only_as_good_as_false_is_refused_as_expires(when: Any) -> None:
    with pytest.raises(TypeError, match="expires is a datetime or None, or False, not"):
        Cookie().expires = when


# The end of time


@pytest.mark.parametrize(
    "expires",
    [LAST, datetime.max, datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), datetime.max.replace(tzinfo=UTC)],
)
def test_a_cookie_that_ends_with_the_year_9999_can_be_touched_and_sent(expires: datetime) -> None:
    cookie = Cookie(expires=expires)
    for _ in range(2):
        assert cookie.expires is not None and cookie.expires is not False
        assert cookie.expires.replace(microsecond=0) == LAST
        assert "Expires=Fri, 31 Dec 9999 23:59:59 GMT" in serialize("a", "b", **cookie.attributes())
        cookie = Cookie.from_json(cookie.to_json())
        cookie.max_age = cookie.original_max_age


@pytest.mark.parametrize(
    ("age", "end"), [(253_402_300_800_000, LAST), (8.64e15, LAST), (-8.64e15, datetime(1970, 1, 1, tzinfo=UTC))]
)
def test_a_max_age_beyond_what_a_date_can_be_ends_with_the_last_one_and_stays_as_it_was_given(
    age: float, end: datetime
) -> None:
    cookie = Cookie(max_age=age)
    assert isinstance(cookie.expires, datetime)
    assert (cookie.expires.replace(microsecond=0), cookie.original_max_age) == (end, age)


def test_expires_is_in_whole_milliseconds_as_javascript_s_dates_are() -> None:
    assert Cookie(expires=LATER.replace(microsecond=123_456)).expires == LATER.replace(microsecond=123_000)
