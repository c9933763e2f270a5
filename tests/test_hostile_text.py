"""No text of a client's, 100,000 bytes of it, costs what reads it more than 10 milliseconds of processor time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from support import processor_time

from miniexpress import cookies, escaping, jsontext, mediatypes, negotiation, proxies
from miniexpress.files import content_disposition

LENGTH = 100_000
MOST = 0.010
PIECES = [
    *("a", " ", "\t", ",", ";", "=", "-", ".", ":", "/", "%", '"', "\\", "*", "+", "&", "?", "0", "9", "[", "é"),
    *(", ", "; ", "a,", "a;", ";a=", ';a="', '";', '"\\', ',"', "a=b;", "a=b, ", "; q=0.5", ";q=1,", "*/*,", "a/b,"),
    *("text/html;level=1,", "en-US,", "gzip;q=0,", "0-1,", "-1,", "9-,", 'W/"a",', '"a",', "1.2.3.4,", "::", "jan "),
    *("é\t", "<", "no-cache,", "%41", "%zz", "%C3%A9", "a%", "charset=", 'charset="', "../", "<&>", "[]", "{"),
    *("\ud800", "😀"),
]
trust = proxies.compile_trust("loopback, 10.0.0.0/8")
PARSERS: dict[str, Callable[[str], Any]] = {
    "Accept": lambda text: (negotiation.TYPES.answer(text, ["html", "json"]), negotiation.TYPES.answer(text, ())),
    "Accept-Encoding": lambda text: negotiation.ENCODINGS.answer(text, ["gzip", "br"]),
    "Accept-Charset": lambda text: negotiation.CHARSETS.answer(text, ["utf-8"]),
    "Accept-Language": lambda text: negotiation.LANGUAGES.answer(text, ["en", "de"]),
    "Range": lambda text: negotiation.parse_range(1000, "bytes=" + text, combine=True),
    "If-None-Match": lambda text: negotiation.is_fresh(text, None, None, '"x"', None),
    "Cache-Control": lambda text: negotiation.is_fresh('"x"', None, text, '"x"', None),
    "If-Modified-Since": lambda text: negotiation.is_fresh(None, text, None, None, "Tue, 02 Jan 2024 03:04:05 GMT"),
    "Cookie": lambda text: cookies.parse("a=" + text),
    "a signed cookie": lambda text: cookies.unsign(text, "secret"),
    "Content-Type": lambda text: mediatypes.parse_content_type("a/b;" + text),
    "Content-Type, is it JSON": lambda text: mediatypes.is_type(text, ["json", "+json", "text/*"]),
    "X-Forwarded-For": lambda text: proxies.addresses("127.0.0.1", text, trust),
    "Content-Disposition": lambda text: content_disposition("name" + text),
    "Location": lambda text: escaping.encode_url(text),
    "a path": lambda text: decoded(text),
    "HTML": escaping.escape_html,
    "JSON to read": lambda text: unless_refused(jsontext.parse, text),
    "JSON to write": lambda text: jsontext.stringify(text, escape=True),
}


def decoded(text: str) -> None:
    with suppress(ValueError):
        escaping.decode_uri_component(text)


def unless_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(ValueError):
        parse("[" + text)


@pytest.mark.parametrize("name", PARSERS)
def test_no_text_is_slow(name: str) -> None:
    parse = PARSERS[name]
    for piece in PIECES:
        text = piece * (LENGTH // len(piece.encode("utf-8", "surrogatepass")))
        assert processor_time(lambda text=text: parse(text)) < MOST, piece
