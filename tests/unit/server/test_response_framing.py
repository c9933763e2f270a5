"""Which framing a response has, and what it makes of the body."""

from __future__ import annotations

from typing import Any

import pytest

from miniexpress.server.response_framing import UNTIL_CLOSE, choose_framing


@pytest.mark.parametrize(
    ("method", "status", "fields", "version", "total", "header", "framed", "end"),
    [
        ("GET", "200 OK", {}, "HTTP/1.1", 3, "Content-Length: 3\r\n", [b"abc"], b""),
        ("GET", "200 OK", {"content-length": "3"}, "HTTP/1.1", None, "", [b"abc"], b""),
        ("GET", "200 OK", {"content-length": "3"}, "HTTP/1.0", 3, "", [b"abc"], b""),
        (
            "GET",
            "200 OK",
            {},
            "HTTP/1.1",
            None,
            "Transfer-Encoding: chunked\r\n",
            [b"3\r\n", b"abc", b"\r\n"],
            b"0\r\n\r\n",
        ),
        ("GET", "200 OK", {}, "HTTP/1.0", None, "", [b"abc"], b""),
        ("HEAD", "200 OK", {"content-length": "9"}, "HTTP/1.1", 3, "", [], b""),
        ("GET", "204 No Content", {}, "HTTP/1.1", 3, "", [], b""),
        ("GET", "304 Not Modified", {"content-length": "9"}, "HTTP/1.1", 3, "", [], b""),
    ],
    ids=["size", "length", "both", "neither in 1.1", "neither in 1.0", "HEAD", "204", "304"],
)
def test_framing_depends_on_method_status_length_and_version(
    method: str, status: str, fields: Any, version: str, total: int | None, header: str, framed: Any, end: bytes
) -> None:
    framing = choose_framing(method, status, fields, version, total)
    assert (framing.header, list(framing.frame([b"abc"])), framing.end()) == (header, framed, end)


def test_framing_that_ends_with_the_connection_is_the_only_one_without_keep_alive() -> None:
    assert choose_framing("GET", "200 OK", {}, "HTTP/1.0", None) is UNTIL_CLOSE
    assert choose_framing("HEAD", "200 OK", {}, "HTTP/1.0", None) is not UNTIL_CLOSE
