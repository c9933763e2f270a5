"""Which framing a response has, and what it makes of the body."""

from __future__ import annotations

from typing import Any

import pytest

from miniexpress.server.response_framing import UNTIL_CLOSE, choose_framing, frame_whole


@pytest.mark.parametrize(
    ("method", "status", "fields", "header", "framed"),
    [
        ("GET", "200 OK", {}, "Content-Length: 3\r\n", [b"abc"]),
        ("GET", "200 OK", {"content-length": "3"}, "", [b"abc"]),
        ("HEAD", "200 OK", {"content-length": "9"}, "", []),
        ("HEAD", "200 OK", {}, "", []),
        ("GET", "204 No Content", {}, "", []),
        ("GET", "304 Not Modified", {"content-length": "9"}, "", []),
    ],
    ids=["size", "length", "HEAD with length", "HEAD", "204", "304"],
)
def test_framing_of_a_whole_body_depends_on_method_status_and_length(
    method: str, status: str, fields: Any, header: str, framed: Any
) -> None:
    line, parts = frame_whole(method, status, fields, [b"abc"])
    assert (line, list(parts)) == (header, framed)


@pytest.mark.parametrize("length", ["2", "4"])
def test_a_whole_body_of_another_size_than_its_length_is_refused(length: str) -> None:
    with pytest.raises(ValueError, match=f"the response has 3 bytes, and a Content-Length of {length}"):
        frame_whole("GET", "200 OK", {"content-length": length}, [b"ab", b"c"])


@pytest.mark.parametrize(
    ("method", "status", "fields", "version", "header", "framed", "end"),
    [
        ("GET", "200 OK", {"content-length": "3"}, "HTTP/1.1", "", [b"abc"], b""),
        ("GET", "200 OK", {"content-length": "3"}, "HTTP/1.0", "", [b"abc"], b""),
        (
            "GET",
            "200 OK",
            {},
            "HTTP/1.1",
            "Transfer-Encoding: chunked\r\n",
            [b"3\r\n", b"abc", b"\r\n"],
            b"0\r\n\r\n",
        ),
        ("GET", "200 OK", {}, "HTTP/1.0", "", [b"abc"], b""),
        ("HEAD", "200 OK", {"content-length": "9"}, "HTTP/1.1", "", [], b""),
        ("GET", "204 No Content", {}, "HTTP/1.1", "", [], b""),
        ("GET", "304 Not Modified", {"content-length": "9"}, "HTTP/1.1", "", [], b""),
    ],
    ids=["length", "length in 1.0", "none in 1.1", "none in 1.0", "HEAD", "204", "304"],
)
def test_framing_of_a_body_in_pieces_depends_on_method_status_length_and_version(
    method: str, status: str, fields: Any, version: str, header: str, framed: Any, end: bytes
) -> None:
    framing = choose_framing(method, status, fields, version)
    assert (framing.header, list(framing.frame([b"abc"])), framing.end()) == (header, framed, end)


def test_framing_that_ends_with_the_connection_is_the_only_one_without_keep_alive() -> None:
    assert choose_framing("GET", "200 OK", {}, "HTTP/1.0") is UNTIL_CLOSE
    assert choose_framing("HEAD", "200 OK", {}, "HTTP/1.0") is not UNTIL_CLOSE
