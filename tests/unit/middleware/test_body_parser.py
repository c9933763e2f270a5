"""Body parsers: options and errors that Express has no case for. tests/conformance compares the responses."""

from __future__ import annotations

import encodings
import math
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import requests

from miniexpress import express, json, text, urlencoded
from miniexpress.middleware.body_parser import parse_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        *((10, 10), (10.5, 10.5), (0, 0), (math.inf, math.inf), ("10", 10), ("1kb", 1024), ("+1kb", 1024)),
        *(("1.5 KB", 1536), ("0.0001kb", 0), ("2gb", 2 * 2**30), ("1" + "0" * 400, 10**400)),
    ],
)
def test_a_size_is_a_number_of_bytes_and_whole_where_it_was_written_as_text(size: Any, expected: float) -> None:
    assert (parse_size(size), type(parse_size(size))) == (expected, type(expected))


@pytest.mark.parametrize(
    "size", [-1, True, None, "", "ten", "10 tons", "-1kb", "1e3", [10], b"10", math.nan, "\u0661kb"]
)
def test_what_is_no_size_is_refused(size: Any) -> None:
    with pytest.raises(TypeError, match="the option 'limit' takes a number of bytes"):
        json(limit=size)


class Broken:
    """The input of a WSGI server that loses its client."""

    def read(self, size: int) -> bytes:
        raise ConnectionResetError("gone")


@pytest.mark.parametrize(
    ("stream", "said"),
    [(Broken(), "request aborted"), (BytesIO(b'{"a"'), "request size did not match content length")],
)
def test_a_body_that_breaks_off_is_the_clients_error(serve: Callable[..., str], stream: Any, said: str) -> None:
    app = express()
    app.use(json(), lambda error, req, res, next: res.status(error.status).send(error.message))
    url = serve(lambda environ, start_response: app({**environ, "wsgi.input": stream}, start_response))
    answer = requests.post(url, json={"a": 1})
    assert (answer.status_code, answer.text) == (400, said)


@pytest.mark.parametrize("depth", [-1, math.nan, "5", None])
def test_a_depth_that_is_no_number_or_below_zero_is_refused(depth: Any) -> None:
    with pytest.raises(TypeError, match=r"urlencoded\(depth=…\) takes zero or a positive number, not"):
        urlencoded(extended=True, depth=depth)


def test_what_verifies_is_a_function() -> None:
    with pytest.raises(TypeError, match="the option 'verify' takes a function"):
        json(verify="sha256")  # type: ignore[arg-type]


def test_charsets_that_clients_make_up_are_not_kept(serve: Callable[..., str]) -> None:
    app = express()
    app.use(json(), text())
    app.post("/", lambda req, res: res.send(req.body))
    url = serve(app)
    with requests.Session() as client:

        def post(charset: str) -> requests.Response:
            return client.post(url, b"x", headers={"Content-Type": f"text/plain; charset={charset}"}, timeout=10)

        assert post("koi8-u").text == post("ISO_8859-1:1987").text == post("utf8").text == "x"
        known = len(encodings._cache)  # type: ignore[attr-defined]
        for number in range(200):
            spelt = post(f"utf{'-' * number}.8")
            assert (spelt.status_code, spelt.text) in ((200, "x"), (415, spelt.text))
            assert post(f"z{number}").status_code == post(f"zlib{number}").status_code == 415
        for odd in ("aliases", "zlib", "rot13", "idna", "mbcs", "utf-8\u00e9".encode().decode("latin-1")):
            assert post(odd).status_code == 415, odd
        assert len(encodings._cache) <= known + 6  # type: ignore[attr-defined]
