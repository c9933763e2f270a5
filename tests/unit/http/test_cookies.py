"""The tables are what the npm packages answered: cookie 0.7.2 and cookie-signature 1.2.2."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http import cookies

PARSE = [
    ("a=b", {"a": "b"}),
    ("a=b; c=d", {"a": "b", "c": "d"}),
    ("a=1; a=2", {"a": "1"}),
    ("a = b ;c=\td", {"a": "b", "c": "d"}),
    ('a="b c"', {"a": "b c"}),
    ('a="', {"a": ""}),
    ('a="b', {"a": '"b'}),
    ("a=%20b%2F", {"a": " b/"}),
    ("a=%C3%A9", {"a": "é"}),
    ("a=%E9", {"a": "%E9"}),
    ("a=%", {"a": "%"}),
    ("a=%zz%20", {"a": "%zz%20"}),
    ("a=b=c", {"a": "b=c"}),
    ("a", {}),
    ("=", {}),
    ("=b", {"": "b"}),
    ("a=", {"a": ""}),
    ("", {}),
    ("x; a=b; y", {"a": "b"}),
    (";;a=b;;", {"a": "b"}),
    ("a=Ã©", {"a": "Ã©"}),
    ("a=%C3©", {"a": "%C3©"}),
    ("sid=s%3Aabc.d%2Be%2Ff", {"sid": "s:abc.d+e/f"}),
    ('a="%22"', {"a": '"'}),
    ("A=1; a=2", {"A": "1", "a": "2"}),
]

# Name, value, options; expires is in seconds since 1970
SERIALIZE = [
    ("a", "b", {}, "a=b"),
    ("a", "", {}, "a="),
    ("a", 'b c;d,é"', {}, "a=b%20c%3Bd%2C%C3%A9%22"),
    ("sid", "s:abc.d+e/f=", {"path": "/", "http_only": True}, "sid=s%3Aabc.d%2Be%2Ff%3D; Path=/; HttpOnly"),
    ("a", "b", {"max_age": 0}, "a=b; Max-Age=0"),
    ("a", "b", {"max_age": 10.7}, "a=b; Max-Age=10"),
    ("a", "b", {"max_age": -1.5}, "a=b; Max-Age=-2"),
    ("a", "b", {"domain": "example.com", "path": "/x y"}, "a=b; Domain=example.com; Path=/x y"),
    ("a", "b", {"domain": ".Example.com"}, "a=b; Domain=.Example.com"),
    ("a", "b", {"expires": 0}, "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ("a", "b", {"expires": 1700000000.9}, "a=b; Expires=Tue, 14 Nov 2023 22:13:20 GMT"),
    ("a", "b", {"secure": True, "http_only": True, "partitioned": True}, "a=b; HttpOnly; Secure; Partitioned"),
    ("a", "b", {"secure": False, "http_only": False, "path": "", "domain": ""}, "a=b"),
    ("a", "b", {"priority": "LOW"}, "a=b; Priority=Low"),
    ("a", "b", {"priority": "medium"}, "a=b; Priority=Medium"),
    ("a", "b", {"priority": "High"}, "a=b; Priority=High"),
    ("a", "b", {"same_site": True}, "a=b; SameSite=Strict"),
    ("a", "b", {"same_site": "Lax"}, "a=b; SameSite=Lax"),
    ("a", "b", {"same_site": "strict"}, "a=b; SameSite=Strict"),
    ("a", "b", {"same_site": "NONE"}, "a=b; SameSite=None"),
    ("a", "b", {"same_site": False}, "a=b"),
    (
        "a",
        "b",
        {
            "same_site": "lax",
            "priority": "high",
            "partitioned": True,
            "secure": True,
            "http_only": True,
            "expires": 1000000000.0,
            "path": "/",
            "domain": "a.b",
            "max_age": 5,
        },
        "a=b; Max-Age=5; Domain=a.b; Path=/; Expires=Sun, 09 Sep 2001 01:46:40 GMT; "
        "HttpOnly; Secure; Partitioned; Priority=High; SameSite=Lax",
    ),
]

SERIALIZE_REFUSED = [
    ("a b", "c", {}),
    ("", "c", {}),
    ("a=b", "c", {}),
    ("é", "c", {}),
    ("a\r\nX", "c", {}),
    ("a", "b", {"domain": "a b"}),
    ("a", "b", {"domain": "a.com; x"}),
    ("a", "b", {"domain": "a.com\n"}),
    ("a", "b", {"domain": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}),
    ("a", "b", {"path": "/;x"}),
    ("a", "b", {"path": "/é"}),
    ("a", "b", {"path": "/\r\n"}),
    ("a", "b", {"priority": "urgent"}),
    ("a", "b", {"same_site": "maybe"}),
]

SIGN = [
    ("hello", "tobiiscool", "hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI"),
    ("", "secret token", "./ocng8Z0XCJPf6cx5Cxqmc96zPEkd8zNRGZofomqMHc"),
    ("s.1", "é", "s.1.nfhHRar0Kohk3xlfD/iJExgNaaU0YPZvkVL1jEBgZ64"),
    ("€😀", "secret token", "€😀.SXP32pr29KeoAgzH4puLPLf4gdKP9PBoW5ioqHvhMSE"),
    ("abc", "", "abc./XrbFSwF74Dcz1Ch+kwF1aPsbalVdfwxKufF0JGDY1E"),
]

UNSIGN = [
    ("hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI", "tobiiscool", "hello"),
    ("hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI", "luna", None),
    ("hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5Qa", "tobiiscool", None),
    ("hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI=", "tobiiscool", None),
    ("hellO.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI", "tobiiscool", None),
    ("hello", "tobiiscool", None),
    ("", "tobiiscool", None),
    (".", "tobiiscool", None),
    ("hello.é", "tobiiscool", None),
    ("€😀.", "secret token", None),
]

TABLES: dict[str, list[Any]] = {
    "parse": PARSE,
    "sign": SIGN,
    "unsign": UNSIGN,
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_every_function_answers_as_its_npm_package_does(name: str, row: tuple[Any, ...]) -> None:
    *arguments, expected = row
    assert getattr(cookies, name)(*arguments) == expected


@pytest.mark.parametrize(("name", "value", "options", "expected"), SERIALIZE)
def test_a_cookie_is_written_as_npm_cookie_writes_it(
    name: str, value: str, options: dict[str, Any], expected: str
) -> None:
    if "expires" in options:
        options = {**options, "expires": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=options["expires"])}
    assert cookies.serialize(name, value, **options) == expected


@pytest.mark.parametrize(("name", "value", "options"), SERIALIZE_REFUSED)
def test_what_would_not_survive_in_the_header_is_refused_by_its_name_and_value(
    name: str, value: str, options: dict[str, Any]
) -> None:
    [(wrong, given_value)] = options.items() or [("name", name)]
    with pytest.raises(TypeError) as refusal:
        cookies.serialize(name, value, **options)
    assert f" {wrong} is invalid: {given_value!r}. Use " in str(refusal.value)


@pytest.mark.parametrize("max_age", [float("inf"), float("nan")])
def test_a_max_age_that_is_no_time_is_refused(max_age: float) -> None:
    with pytest.raises(TypeError, match=r"option max_age is invalid: (inf|nan)"):
        cookies.serialize("a", "b", max_age=max_age)


def test_expires_must_be_a_datetime() -> None:
    with pytest.raises(TypeError, match="option expires is invalid: 5"):
        cookies.serialize("a", "b", expires=5)  # type: ignore[arg-type]


def test_expires_is_written_in_utc_whatever_its_zone() -> None:
    two_hours_east = timezone(timedelta(hours=2))
    expected = "a=b; Expires=Wed, 01 Jan 2020 10:00:00 GMT"
    assert cookies.serialize("a", "b", expires=datetime(2020, 1, 1, 12, tzinfo=two_hours_east)) == expected
    assert cookies.serialize("a", "b", expires=datetime(2020, 1, 1, 10)) == expected


def test_an_encoder_of_ones_own_may_write_what_a_cookie_can_hold_and_no_more() -> None:
    assert cookies.serialize("a", "b:c", encode=str.upper) == "a=B:C"
    with pytest.raises(TypeError, match="argument value is invalid: 'b;Domain=x'"):
        cookies.serialize("a", "b;Domain=x", encode=str)


@pytest.mark.parametrize("signed", ["\ud800", "\ud800.\udfff", "a.\udcff" * 9, "\x00", "." * 99, "\xff.\xfe"])
def test_what_no_one_signed_is_none_and_never_raises(signed: str) -> None:
    assert cookies.unsign(signed, "secret token") is None


def test_half_a_surrogate_pair_does_not_pass_for_another_character() -> None:
    for character in ("?", "\ufffd", ""):
        signed = cookies.sign(character, "secret token")
        assert cookies.unsign("\ud800" + signed[len(character) :], "secret token") is None


@pytest.mark.parametrize("secret", [None, 5])
def test_a_secret_that_is_none_is_refused(secret: Any) -> None:
    with pytest.raises(TypeError, match="secret must be a string or bytes"):
        cookies.sign("a", secret)
    with pytest.raises(TypeError, match="secret must be a string or bytes"):
        cookies.unsign("a.b", secret)


def test_only_a_string_is_signed() -> None:
    with pytest.raises(TypeError, match="value must be a string, not 5"):
        cookies.sign(5, "secret token")  # type: ignore[arg-type]


def test_a_secret_in_bytes_signs_as_its_text_does() -> None:
    assert cookies.sign("a", "é".encode()) == cookies.sign("a", "é")


ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT, st.text() | st.binary())
def test_what_was_signed_is_unsigned_with_the_same_secret(value: str, secret: str | bytes) -> None:
    assert cookies.unsign(cookies.sign(value, secret), secret) == value


@given(ANY_TEXT, st.integers(0), st.characters(exclude_categories=()))
def test_a_signed_value_with_one_character_changed_is_none(value: str, place: int, character: str) -> None:
    signed = cookies.sign(value, "secret token")
    place %= len(signed)
    forged = signed[:place] + character + signed[place + 1 :]
    assert cookies.unsign(forged, "secret token") == (value if forged == signed else None)


def test_a_signature_alone_without_the_dot_before_it_is_none() -> None:
    signed = cookies.sign("", "secret token")
    assert cookies.unsign(signed, "secret token") == ""
    assert cookies.unsign(signed.removeprefix("."), "secret token") is None


@given(ANY_TEXT)
def test_unsign_never_raises_on_what_a_client_sends(signed: str) -> None:
    assert cookies.unsign(signed, "secret token") is None


@given(st.text(st.sampled_from(list('%aF9cC3;= "é')) | st.characters(max_codepoint=255)))
def test_any_header_is_parsed(text: str) -> None:
    assert all(isinstance(value, str) for value in cookies.parse(text).values())


@given(st.text())
def test_a_cookie_written_is_read_back(value: str) -> None:
    assert cookies.parse(cookies.serialize("name", value)) == {"name": value}


@given(st.text(), st.text(), st.text(), st.text())
def test_no_option_becomes_a_header_or_an_attribute_of_its_own(name: str, value: str, domain: str, path: str) -> None:
    try:
        cookie = cookies.serialize(name, value, domain=domain, path=path)
    except TypeError:
        return
    assert cookie.isprintable()
    assert cookie.count(";") == bool(domain) + bool(path)


WRONG_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a max_age that is text": ({"max_age": "1000"}, "max_age is invalid: '1000'"),
    "a max_age that is no number": ({"max_age": math.nan}, "max_age is invalid: nan"),
    "a domain that is no text": ({"domain": 5}, "domain is invalid: 5"),
    "a path that is no text": ({"path": 5}, "path is invalid: 5"),
    "a priority that is no text": ({"priority": 5}, "priority is invalid: 5"),
    "an encode that is no function": ({"encode": "x"}, "encode is invalid: 'x'"),
    "an encode that returns no text": ({"encode": len}, "value is invalid: 1"),
    "an expires before Python's first year": (
        {"expires": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))},
        "expires is invalid",
    ),
    "an expires beyond Python's last year": (
        {"expires": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))},
        "expires is invalid",
    ),
}


@pytest.mark.parametrize(("options", "told"), WRONG_OPTIONS.values(), ids=WRONG_OPTIONS)
def test_an_option_that_cannot_be_is_named_with_its_value_and_the_mend(options: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=f"{told}.*Use "):
        cookies.serialize("a", "b", **options)


@given(st.lists(st.sampled_from(["a", "ab", "b", "=", ";", " ", "\t", '"', "%20", "%zz"]), max_size=12).map("".join))
def test_one_cookie_is_found_as_the_whole_header_is_parsed(header: str) -> None:
    parsed = cookies.parse(header)
    for name in ("a", "ab", "b", "absent", *filter(None, parsed)):
        found = cookies.find(header, name)
        assert (None if found is None else cookies.decode_value(found)) == parsed.get(name)
