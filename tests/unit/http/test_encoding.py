"""The tables are what npm encodeurl 2.0.3 and escape-html 1.0.3 answered, and Node 20's encodeURIComponent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http import encoding

ENCODE_URL = [
    ("/a b?c=d e#f g", "/a%20b?c=d%20e#f%20g"),
    ("/%20%C3%A9", "/%20%C3%A9"),
    ("/%", "/%25"),
    ("/100%25%zz%4", "/100%25%25zz%254"),
    ("/é€😀", "/%C3%A9%E2%82%AC%F0%9F%98%80"),
    ("http://x/<script>\"'", "http://x/%3Cscript%3E%22'"),
    ("/[a]|b\\c^d`e{f}", "/[a]|b\\c^d%60e%7Bf%7D"),
    ("%%20", "%25%20"),
    ("/\x00\r\nSet-Cookie: a=b", "/%00%0D%0ASet-Cookie:%20a=b"),
    ("/\ud800x", "/%EF%BF%BDx"),
]

ESCAPE_HTML = [
    ("", ""),
    ("plain", "plain"),
    ("<a href=\"x\">'&'</a>", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"),
    ("&amp;", "&amp;amp;"),
    ("é<", "é&lt;"),
]

ENCODE_URI_COMPONENT = [
    ("AZaz09-_.!~*'()", "AZaz09-_.!~*'()"),
    (' "#$%&+,/:;<=>?@[\\]^`{|}', "%20%22%23%24%25%26%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D"),
    ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
    ("\x00\x7f\n", "%00%7F%0A"),
]

DECODE_URI_COMPONENT = [
    ("a%20b", "a b"),
    ("%C3%A9%e2%82%ac%F0%9F%98%80", "é€😀"),
    ("+", "+"),
    ("é€", "é€"),
    ("%2525", "%25"),
    ("", ""),
]

DECODE_URI_COMPONENT_REFUSED = [
    "%",
    "%2",
    "%zz",
    "%C3",
    "%C3é",
    "%E9",
    "%C0%80",
    "%ED%A0%80",
    "%F4%90%80%80",
    "a%C3%20",
]

UTF8 = [
    ("", b""),
    ("aé€😀", "aé€😀".encode()),
    ("a\ud800b\udfff", b"a\xef\xbf\xbdb\xef\xbf\xbd"),
]

TABLES: dict[str, list[Any]] = {
    "encode_url": ENCODE_URL,
    "escape_html": ESCAPE_HTML,
    "encode_uri_component": ENCODE_URI_COMPONENT,
    "decode_uri_component": DECODE_URI_COMPONENT,
    "utf8": UTF8,
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_every_function_answers_as_its_like_in_javascript_does(name: str, row: tuple[Any, ...]) -> None:
    *arguments, expected = row
    assert getattr(encoding, name)(*arguments) == expected


@pytest.mark.parametrize("text", DECODE_URI_COMPONENT_REFUSED)
def test_what_is_a_uri_error_in_javascript_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is malformed"):
        encoding.decode_uri_component(text)


def test_half_a_surrogate_pair_is_no_text_to_encode() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        encoding.encode_uri_component("a\ud800")


@given(st.text())
def test_what_was_encoded_is_decoded(text: str) -> None:
    assert encoding.decode_uri_component(encoding.encode_uri_component(text)) == text


@given(st.text(st.sampled_from(list('%aF9cC3;= \n"é')) | st.characters(max_codepoint=255)))
def test_any_text_is_decoded_or_refused(text: str) -> None:
    try:
        decoded = encoding.decode_uri_component(text)
    except ValueError:
        assert "%" in text
    else:
        assert ("%" in text) or decoded == text


@given(st.text())
def test_an_encoded_url_is_ascii_without_blanks_and_encoding_it_again_changes_nothing(url: str) -> None:
    encoded = encoding.encode_url(url)
    assert re.fullmatch(r"[!-~]*", encoded)
    assert not re.search(r'["<>`{}]|%(?![0-9A-Fa-f]{2})', encoded)
    assert encoding.encode_url(encoded) == encoded


@given(st.text())
def test_escaped_html_holds_no_markup_and_means_the_same(text: str) -> None:
    escaped = encoding.escape_html(text)
    assert not set("<>\"'") & set(escaped)
    for character, entity in (("&#39;", "'"), ("&quot;", '"'), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&")):
        escaped = escaped.replace(character, entity)
    assert escaped == text
