"""No text of a client's, 100,000 bytes of it, costs what reads it more than 10 milliseconds of processor time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from miniexpress.http import accept, conditional, cookies, encoding, json_text, media_types, proxy_addr, ranges
from miniexpress.http.headers import content_disposition
from tests.support.waiting import processor_time

LENGTH = 100_000
MOST = 0.010
PIECES = [
    *("a", " ", "\t", ",", ";", "=", "-", ".", ":", "/", "%", '"', "\\", "*", "+", "&", "?", "0", "9", "[", "é"),
    *(", ", "; ", "a,", "a;", ";a=", ';a="', '";', '"\\', ',"', "a=b;", "a=b, ", "; q=0.5", ";q=1,", "*/*,", "a/b,"),
    *("text/html;level=1,", "en-US,", "gzip;q=0,", "0-1,", "-1,", "9-,", 'W/"a",', '"a",', "1.2.3.4,", "::", "jan "),
    *("é\t", "<", "no-cache,", "%41", "%zz", "%C3%A9", "a%", "charset=", 'charset="', "../", "<&>", "[]", "{"),
    *("\ud800", "😀"),
]
trust = proxy_addr.compile_trust("loopback, 10.0.0.0/8")
PARSERS: dict[str, Callable[[str], Any]] = {
    "Accept": lambda text: (accept.TYPES.choose(text, ["html", "json"]), accept.TYPES.choose(text, ())),
    "Accept-Encoding": lambda text: accept.ENCODINGS.choose(text, ["gzip", "br"]),
    "Accept-Charset": lambda text: accept.CHARSETS.choose(text, ["utf-8"]),
    "Accept-Language": lambda text: accept.LANGUAGES.choose(text, ["en", "de"]),
    "Range": lambda text: ranges.parse_range(1000, "bytes=" + text, combine=True),
    "If-None-Match": lambda text: conditional.is_fresh(text, None, None, '"x"', None),
    "Cache-Control": lambda text: conditional.is_fresh('"x"', None, text, '"x"', None),
    "If-Modified-Since": lambda text: conditional.is_fresh(None, text, None, None, "Tue, 02 Jan 2024 03:04:05 GMT"),
    "Cookie": lambda text: cookies.parse("a=" + text),
    "a signed cookie": lambda text: cookies.unsign(text, "secret"),
    "Content-Type": lambda text: media_types.parse_content_type("a/b;" + text),
    "Content-Type, is it JSON": lambda text: media_types.is_type(text, ["json", "+json", "text/*"]),
    "X-Forwarded-For": lambda text: proxy_addr.addresses("127.0.0.1", text, trust),
    "Content-Disposition": lambda text: content_disposition("name" + text),
    "Location": lambda text: encoding.encode_url(text),
    "a path": lambda text: decoded(text),
    "HTML": encoding.escape_html,
    "JSON to read": lambda text: unless_refused(json_text.parse, text),
    "JSON to write": lambda text: json_text.stringify(text, escape=True),
}


def decoded(text: str) -> None:
    with suppress(ValueError):
        encoding.decode_uri_component(text)


def unless_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError):
        parse("[" + text)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_100_000_hostile_bytes_within_ten_milliseconds(name: str) -> None:
    parse = PARSERS[name]
    for piece in PIECES:
        text = piece * (LENGTH // len(piece.encode("utf-8", "surrogatepass")))
        assert processor_time(lambda text=text: parse(text)) < MOST, piece
