"""Query strings and forms: their values, and how long parsing takes.

The tables are the answers of ``querystring.parse`` of Node 20.20 and of ``parse`` of npm qs 6.17.1 with
``allowPrototypes``, as JSON. The order of the keys is that of the query, which JavaScript keeps but for numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http.query_strings import DepthError, parse_extended, parse_simple
from tests.support.waiting import processor_time

SIMPLE: list[tuple[str, str]] = [
    ("", "{}"),
    ("a=b", '{"a":"b"}'),
    ("a=b&c=d", '{"a":"b","c":"d"}'),
    ("a=1&a=2", '{"a":["1","2"]}'),
    ("a=1&a=2&a=3", '{"a":["1","2","3"]}'),
    ("a", '{"a":""}'),
    ("a=", '{"a":""}'),
    ("=a", '{"":"a"}'),
    ("=", '{"":""}'),
    ("&", "{}"),
    ("&&a=1&&", '{"a":"1"}'),
    ("a==b", '{"a":"=b"}'),
    ("a=b=c", '{"a":"b=c"}'),
    ("a+b=c+d", '{"a b":"c d"}'),
    ("a%20b=%20", '{"a b":" "}'),
    ("a=%2B", '{"a":"+"}'),
    ("a=%", '{"a":"%"}'),
    ("a=%4", '{"a":"%4"}'),
    ("a=%zz", '{"a":"%zz"}'),
    ("a=%%41", '{"a":"%A"}'),
    ("a=%4%41", '{"a":"%4A"}'),
    ("a=%C3%A9", '{"a":"é"}'),
    ("a=%E9", '{"a":"�"}'),
    ("a=%E9%41", '{"a":"�A"}'),
    ("a=%C3", '{"a":"�"}'),
    ("a=%F0%9F%98%80", '{"a":"😀"}'),
    ("a=%ED%A0%80", '{"a":"���"}'),
    ("a=%C0%80", '{"a":"��"}'),
    ("a=é", '{"a":"é"}'),
    ("a=é%20", '{"a":"é "}'),
    ("a=é%zz", '{"a":"é%zz"}'),
    ("__proto__=1&__proto__=2", '{"__proto__":["1","2"]}'),
    ("toString=1", '{"toString":"1"}'),
    ("a[b]=1&a[]=2", '{"a[b]":"1","a[]":"2"}'),
    ("b=1&a=2&2=x&1=y", '{"1":"y","2":"x","b":"1","a":"2"}'),
    ("01=a&1=b&-1=c", '{"1":"b","01":"a","-1":"c"}'),
    ("%=%", '{"%":"%"}'),
    ("%41=1", '{"A":"1"}'),
    ("a=1&A=2", '{"a":"1","A":"2"}'),
    ("hasOwnProperty=x", '{"hasOwnProperty":"x"}'),
    ("a=b;c=d", '{"a":"b;c=d"}'),
    ("a=%00", '{"a":"\\u0000"}'),
    ("é=ü", '{"é":"ü"}'),
    ("%C3%A9=%ff", '{"é":"�"}'),
]

EXTENDED: list[tuple[str, dict[str, Any], Any]] = [
    ("", {}, "{}"),
    ("a=b", {}, '{"a":"b"}'),
    ("a=b&c=d", {}, '{"a":"b","c":"d"}'),
    ("a", {}, '{"a":""}'),
    ("a=", {}, '{"a":""}'),
    ("=a", {}, "{}"),
    ("=", {}, "{}"),
    ("&", {}, "{}"),
    ("a=1&a=2", {}, '{"a":["1","2"]}'),
    ("a=1&a=2&a=3", {}, '{"a":["1","2","3"]}'),
    ("a==b", {}, '{"a":"=b"}'),
    ("a+b=c+d", {}, '{"a b":"c d"}'),
    ("a=%2B+", {}, '{"a":"+ "}'),
    ("a=%zz", {}, '{"a":"%zz"}'),
    ("a=%E9+", {}, '{"a":"%E9 "}'),
    ("a=%C3%A9", {}, '{"a":"é"}'),
    ("a[]=1", {}, '{"a":["1"]}'),
    ("a[]=1&a[]=2", {}, '{"a":["1","2"]}'),
    ("a[0]=1&a[1]=2", {}, '{"a":["1","2"]}'),
    ("a[1]=1&a[0]=2", {}, '{"a":["2","1"]}'),
    ("a[1]=x", {}, '{"a":["x"]}'),
    ("a[5]=x&a[2]=y", {}, '{"a":["y","x"]}'),
    ("a[20]=x", {}, '{"a":{"20":"x"}}'),
    ("a[19]=x", {}, '{"a":["x"]}'),
    ("a[20]=x&a[]=y", {}, '{"a":{"0":"y","20":"x"}}'),
    ("a[01]=x", {}, '{"a":{"01":"x"}}'),
    ("a[-1]=x", {}, '{"a":{"-1":"x"}}'),
    ("a[ ]=x", {}, '{"a":{" ":"x"}}'),
    ("a[b]=c", {}, '{"a":{"b":"c"}}'),
    ("a[b][c]=d", {}, '{"a":{"b":{"c":"d"}}}'),
    ("a[b][c][d][e][f][g][h]=i", {}, '{"a":{"b":{"c":{"d":{"e":{"f":{"[g][h]":"i"}}}}}}}'),
    ("a[b]=1&a[b]=2", {}, '{"a":{"b":["1","2"]}}'),
    ("a[b]=1&a[c]=2", {}, '{"a":{"b":"1","c":"2"}}'),
    ("a[b]=1&a[]=2", {}, '{"a":{"0":"2","b":"1"}}'),
    ("a[]=1&a[b]=2", {}, '{"a":{"0":"1","b":"2"}}'),
    ("a=1&a[b]=2", {}, '{"a":["1",{"b":"2"}]}'),
    ("a[b]=1&a=2", {}, '{"a":[{"b":"1"},"2"]}'),
    ("a[b]=1&a=2&a=3&a[c]=4", {}, '{"a":{"0":"2","1":"3","b":"1","c":"4"}}'),
    ("a=1&a[]=2", {}, '{"a":["1","2"]}'),
    ("a[]=1&a=2", {}, '{"a":["1","2"]}'),
    ("a[0]=1&a=2", {}, '{"a":["1","2"]}'),
    ("a=1&a[0]=2", {}, '{"a":["1","2"]}'),
    ("a[][b]=1&a[][b]=2&a[][c]=3", {}, '{"a":[{"b":["1","2"],"c":"3"}]}'),
    ("a[0][b]=1&a[0][c]=2", {}, '{"a":[{"b":"1","c":"2"}]}'),
    ("a[0][b]=1&a[1][b]=2", {}, '{"a":[{"b":"1"},{"b":"2"}]}'),
    ("a[][]=1", {}, '{"a":["1"]}'),
    ("a[][0]=1&a[][1]=2", {}, '{"a":["1","2"]}'),
    ("[]=1", {}, '{"0":"1"}'),
    ("[]=1&[]=2", {}, '{"0":"1","1":"2"}'),
    ("0=1&[0]=2", {}, '{"0":["1","2"]}'),
    ("[a]=1", {}, '{"a":"1"}'),
    ("[a][b]=1", {}, '{"a":{"b":"1"}}'),
    ("[[a]]=1", {}, '{"[a]":"1"}'),
    ("a[[b]]=1", {}, '{"a":{"[b]":"1"}}'),
    ("a[b[c[d]]]=1", {}, '{"a":{"b[c[d]]":"1"}}'),
    ("[[[1]]]a[0]=1", {}, '{"[[1]]":["1"]}'),
    ("a[[[b]][c]=1", {}, '{"a":{"[[[b]][c]":"1"}}'),
    ("[[[b]]]=1", {"depth": 0}, '{"[[b]]":"1"}'),
    ("a[b=1", {}, '{"a":{"[b":"1"}}'),
    ("a[b]c=1", {}, '{"a":{"b":"1"}}'),
    ("a]=1", {}, '{"a]":"1"}'),
    ("a[]b=1", {}, '{"a":["1"]}'),
    ("a[b][=1", {}, '{"a":{"b":{"[":"1"}}}'),
    ("a=[b]", {}, '{"a":"[b]"}'),
    ("a=x]=y", {}, '{"a=x]":"y"}'),
    ("a[b=c]=d", {}, '{"a":{"b=c":"d"}}'),
    ("a%5Bb%5D=c", {}, '{"a":{"b":"c"}}'),
    ("a%5bb%5d%5B%5D=c", {}, '{"a":{"b":["c"]}}'),
    ("a[b.c]=d", {}, '{"a":{"b.c":"d"}}'),
    ("a.b=c", {}, '{"a.b":"c"}'),
    ("__proto__=1", {}, "{}"),
    ("__proto__[a]=1", {}, "{}"),
    ("a[__proto__]=1", {}, '{"a":{}}'),
    ("a[__proto__][b]=1", {}, '{"a":{}}'),
    ("a[constructor][prototype]=1", {}, '{"a":{"constructor":{"prototype":"1"}}}'),
    ("toString=1", {}, '{"toString":"1"}'),
    ("a[toString]=1", {}, '{"a":{"toString":"1"}}'),
    ("hasOwnProperty[x]=1", {}, '{"hasOwnProperty":{"x":"1"}}'),
    ("b=1&a=2&2=x&1=y", {}, '{"1":"y","2":"x","b":"1","a":"2"}'),
    ("a[2]=1&a[b]=2&a[1]=3", {}, '{"a":{"1":"3","2":"1","b":"2"}}'),
    ("a[]=", {}, '{"a":[""]}'),
    ("a[]", {}, '{"a":[""]}'),
    ("a[]=&a[]=1", {}, '{"a":["","1"]}'),
    ("a[0]=&a[0][b]=1", {}, '{"a":["",{"b":"1"}]}'),
    ("[=1", {}, '{"[":"1"}'),
    ("[]", {}, '{"0":""}'),
    ("é[ü]=%C3%9F", {}, '{"é":{"ü":"ß"}}'),
    ("a[%62]=1", {}, '{"a":{"b":"1"}}'),
    ("a[b]=1&a=2&a=3", {}, '{"a":{"0":"2","1":"3","b":"1"}}'),
    ("a[0]=1&a[0]=2", {}, '{"a":[["1","2"]]}'),
    ("a[1]=a&a[1][b]=1", {}, '{"a":["a",{"b":"1"}]}'),
    ("a[9007199254740993]=1", {}, '{"a":{"9007199254740993":"1"}}'),
    ("a[4294967295]=1&a[]=2", {}, '{"a":{"0":"2","4294967295":"1"}}'),
    ("a[100]=x&a[b]=y&a[]=z", {}, '{"a":{"0":"z","100":"x","b":"y"}}'),
    ("a[0]=x&a[30]=y&a[1]=z", {}, '{"a":{"0":"x","1":"z","30":"y"}}'),
    ("a[b][c]=1", {"depth": 1}, '{"a":{"b":{"[c]":"1"}}}'),
    ("a[b][c]=1", {"depth": 0}, '{"a[b][c]":"1"}'),
    ("[]=1&[]=2", {"depth": 0}, '{"0":"1","1":"2"}'),
    ("[0]=1", {"depth": 0}, '{"0":"1"}'),
    ("[a]=1", {"depth": 0}, '{"a":"1"}'),
    ("a[]=1", {"depth": 0, "strict_depth": True}, '{"a[]":"1"}'),
    ("a[b][c]=1", {"depth": 1, "strict_depth": True}, DepthError),
    ("a[b]=1", {"depth": 1, "strict_depth": True}, '{"a":{"b":"1"}}'),
    ("a[b][c=1", {"depth": 1, "strict_depth": True}, DepthError),
    ("a[b]c=1", {"depth": 1, "strict_depth": True}, '{"a":{"b":"1"}}'),
    ("a=1&b=2&c=3", {"parameter_limit": 2}, '{"a":"1","b":"2"}'),
    ("&a=1&b=2", {"parameter_limit": 2}, '{"a":"1"}'),
    ("a=1&a=2", {"array_limit": 1}, '{"a":{"0":"1","1":"2"}}'),
    ("a[]=1&a[]=2", {"array_limit": 1}, '{"a":{"0":"1","1":"2"}}'),
    ("a[1]=1&a[0]=2", {"array_limit": 1}, '{"a":{"0":"2","1":"1"}}'),
    ("a[0]=1", {"array_limit": 0}, '{"a":{"0":"1"}}'),
    ("a[]=1", {"array_limit": 0}, '{"a":{"0":"1"}}'),
    ("a[b]=1&a=2", {"array_limit": 1}, '{"a":{"0":{"b":"1"},"1":"2"}}'),
    ("a=1&a[b]=2", {"array_limit": 1}, '{"a":{"0":"1","1":{"b":"2"}}}'),
    ("a=0&a[9]=1&a=2", {"array_limit": 2}, '{"a":{"0":"0","1":"2","9":"1"}}'),
    ("a[50]=x&a[60]=y", {"array_limit": 100}, '{"a":["x","y"]}'),
    ("a=%E9", {"charset": "iso-8859-1"}, '{"a":"é"}'),
    ("a=%C3%A9", {"charset": "iso-8859-1"}, '{"a":"Ã©"}'),
    ("%E9=é+%zz", {"charset": "iso-8859-1"}, '{"é":"é %zz"}'),
    ("a=%26%239786%3B", {"charset": "iso-8859-1"}, '{"a":"&#9786;"}'),
    ("a=%26%239786%3B", {"charset": "iso-8859-1", "interpret_numeric_entities": True}, '{"a":"☺"}'),
    (
        "a=%26%23128512%3B&b=x%26%2365%3By",
        {"charset": "iso-8859-1", "interpret_numeric_entities": True},
        '{"a":"😀","b":"xAy"}',
    ),
    ("a=%26%23x41%3B", {"charset": "iso-8859-1", "interpret_numeric_entities": True}, '{"a":"&#x41;"}'),
    ("a=%26%239786%3B", {"interpret_numeric_entities": True}, '{"a":"&#9786;"}'),
    ("a%26%2365%3B=1", {"charset": "iso-8859-1", "interpret_numeric_entities": True}, '{"a&#65;":"1"}'),
    ("utf8=%E2%9C%93&a=%C3%A9", {"charset": "iso-8859-1", "charset_sentinel": True}, '{"a":"é"}'),
    ("utf8=%26%2310003%3B&a=%E9", {"charset_sentinel": True}, '{"a":"é"}'),
    ("utf8=x&a=%E9", {"charset_sentinel": True}, '{"a":"%E9"}'),
    ("a=%C3%A9&utf8=%26%2310003%3B&b=%E9", {"charset_sentinel": True}, '{"a":"Ã©","b":"é"}'),
    ("utf8=%E2%9C%93&a=1", {}, '{"utf8":"✓","a":"1"}'),
    (
        "utf8=%26%2310003%3B&a=%E9&b=%26%2365%3B",
        {"charset_sentinel": True, "interpret_numeric_entities": True},
        '{"a":"é","b":"A"}',
    ),
    ("utf8=x&utf8=%E2%9C%93", {"charset_sentinel": True}, '{"utf8":"✓"}'),
]


@pytest.mark.parametrize(("query", "expected"), SIMPLE)
def test_a_simple_query_is_read_as_node_reads_it(query: str, expected: str) -> None:
    assert parse_simple(query) == json.loads(expected)


@pytest.mark.parametrize(("query", "options", "expected"), EXTENDED)
def test_an_extended_query_is_read_as_qs_reads_it(query: str, options: dict[str, Any], expected: Any) -> None:
    if expected is DepthError:
        with pytest.raises(DepthError, match="raise depth to allow it"):
            parse_extended(query, **options)
    else:
        assert parse_extended(query, **options) == json.loads(expected)


@pytest.mark.parametrize("reader", [parse_simple, parse_extended])
def test_keys_stay_in_the_order_they_came(reader: Callable[[str], dict[str, Any]]) -> None:
    assert list(reader("b=1&a=2&2=x&1=y&b=3")) == ["b", "a", "2", "1"]


@pytest.mark.parametrize("name", ["a", "a[]"])
def test_a_list_beyond_the_limit_becomes_a_dict_that_still_grows(name: str) -> None:
    def read(count: int) -> Any:
        return parse_extended("&".join([f"{name}=1"] * count))

    assert read(20) == {"a": ["1"] * 20}
    assert read(21) == {"a": {str(index): "1" for index in range(21)}}
    assert read(23) == {"a": {str(index): "1" for index in range(23)}}
    assert parse_extended("&".join(f"a[{index}]=1" for index in range(22))) == read(22)


def test_pairs_beyond_the_thousandth_are_left_unread() -> None:
    pairs = [f"k{index}=v" for index in range(1_002)]
    expected = {f"k{index}": "v" for index in range(1_000)}
    assert parse_simple("&".join(pairs)) == expected
    assert parse_extended("&".join(pairs)) == expected
    assert len(parse_extended("&".join(pairs), parameter_limit=math.inf)) == 1_002
    # An empty pair counts, too.
    assert parse_simple("&" * 999 + "a=1&b=2") == parse_extended("&" * 999 + "a=1&b=2") == {"a": "1"}


def test_the_result_is_made_of_plain_dicts_and_lists() -> None:
    found = parse_extended("a[b][]=1&a[c][30]=2&d=1&d=2&" + "e=1&" * 25)
    types = {type(found), type(found["a"]), type(found["a"]["c"]), type(found["e"])}
    assert types == {dict}
    assert {type(found["a"]["b"]), type(found["d"])} == {list}


@pytest.mark.parametrize("number", ["55357", "1114112", "9" * 5_000])
def test_an_entity_that_is_no_character_stays_as_it_is(number: str) -> None:
    query = f"a=%26%23{number}%3B"
    found = parse_extended(query, charset="iso-8859-1", interpret_numeric_entities=True)
    assert found == {"a": f"&#{number};"}


def test_no_depth_is_too_deep_to_be_read() -> None:
    levels = 0
    inner = parse_extended("a" + "[b]" * 20_000 + "=1", depth=math.inf)["a"]
    while "b" in inner:
        inner, levels = inner["b"], levels + 1
    assert levels == 100
    assert inner == {"[b]" * 19_900: "1"}


PIECES = [
    *(
        "[",
        "]",
        "&",
        "=",
        "+",
        "%",
        "a",
        "a[",
        "a[]",
        "[]",
        "a[b]",
        "[0]",
        "[[]]",
        "[[[]",
        "[[[]]]",
        "a%5B",
        "%zz",
        "%41",
        "%C3",
        "é%41",
    ),
    *("a&", "a=1&", "a[]=1&", "a[1]=1&", "a[b]=&", "a[0][0]=1&", "0=1&", "[]=1&", "a=&a[b]=1&", "a[b][c][d][e][f]=1&"),
    *("%26%2365%3B", "a=%26%2365%3B&"),
]
READERS: list[Callable[[str], Any]] = [
    parse_simple,
    parse_extended,
    lambda query: parse_extended(query, depth=32, array_limit=1_000),
    lambda query: parse_extended(query, charset="iso-8859-1", charset_sentinel=True, interpret_numeric_entities=True),
]


@pytest.mark.parametrize("reader", READERS)
def test_no_query_of_one_piece_repeated_is_slow(reader: Callable[[str], Any]) -> None:
    for piece in PIECES:
        query = piece * (100_000 // len(piece))
        assert processor_time(lambda query=query: reader(query)) < 0.010, piece


def test_brackets_within_brackets_are_not_slow() -> None:
    query = "[" * 50_000 + "]" * 50_000
    assert processor_time(lambda: parse_extended(query)) < 0.010
    assert parse_extended("a[b[c]]=1") == {"a": {"b[c]": "1"}}


@given(st.text("ab[]01%=&+é5BDF", max_size=60) | st.text(max_size=30))
def test_any_text_is_read(query: str) -> None:
    parse_simple(query)
    parse_extended(query)
    parse_extended(query, depth=0, array_limit=1, charset="iso-8859-1", interpret_numeric_entities=True)


@given(st.lists(st.tuples(st.text("abc é%+&=", min_size=1, max_size=5), st.text(max_size=8))))
def test_what_was_encoded_comes_back(pairs: list[tuple[str, str]]) -> None:
    expected: dict[str, list[str]] = {}
    for key, value in pairs[:20]:
        expected.setdefault(key, []).append(value)
    query = urlencode(pairs[:20])
    for found in (parse_simple(query), parse_extended(query)):
        assert {key: value if isinstance(value, list) else [value] for key, value in found.items()} == expected


@given(st.lists(st.sampled_from(["a", "b", "c d", "é"]), min_size=1, max_size=6), st.text(max_size=5))
def test_a_key_of_brackets_is_a_path_to_its_value(names: list[str], value: str) -> None:
    key = names[0] + "".join(f"[{name}]" for name in names[1:])
    found: Any = parse_extended(f"{quote_plus(key)}={quote_plus(value)}")
    for name in names:
        found = found[name]
    assert found == value
