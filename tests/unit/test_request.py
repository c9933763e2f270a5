"""What Python alone can ask of a request; what it holds is held to Express's in conformance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import express

Serve = Callable[..., str]


@pytest.mark.parametrize("name", [None, "", 3])
def test_what_is_no_name_of_a_header_is_refused(serve: Serve, name: Any) -> None:
    said: list[str] = []

    def ask(req: Any, res: Any) -> None:
        with pytest.raises(TypeError) as raised:
            req.get(name)
        said.append(str(raised.value))
        res.end()

    assert requests.get(serve(express().get("/", ask))).ok
    assert said == [f"req.get() takes the name of a header, not {name!r}"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("j%3A%7B%22user%22%3A%7B%22name%22%3A%22Ada%22%7D%7D", {"user": {"name": "Ada"}}),
        ("j%3A%5B1%2Cnull%5D", [1, None]),
        ("j%3A%7B", "j:{"),
        ("j%3A" + "%5B" * 5000, "j:" + "[" * 5000),
        ("j", "j"),
        ("j%3ANaN", "j:NaN"),
        ("j%3A-Infinity", "j:-Infinity"),
        ("j%3Anull", "j:null"),
        ("j%3A0", "j:0"),
        ("j%3A-0", "j:-0"),
        ("j%3Afalse", "j:false"),
        ("j%3A%22%22", 'j:""'),
        ("j%3A1", 1),
        ("j%3Atrue", True),
        ("j%3A%22a%22", "a"),
        ("j%3A%7B%7D", {}),
        ("j%3A%5B%5D", []),
    ],
)
def test_a_cookie_that_holds_json_is_read_and_what_cookie_parser_takes_for_none_is_a_text(
    serve: Serve, sent: str, read: Any
) -> None:
    app = express()
    app.get("/", lambda req, res: res.json([req.cookies.a, getattr(req.cookies.a, "user", None)]))
    value, user = requests.get(serve(app, max_header_size=65536), headers={"Cookie": f"a={sent}"}).json()
    assert value == read
    assert user == (read.get("user") if isinstance(read, dict) else None)
