"""What Python alone can ask of the body parsers; what they answer is held to body-parser's in conformance."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import requests

from miniexpress import express, json
from miniexpress.bodies import parse_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [(10, 10), (10.5, 10.5), (0, 0), ("10", 10), ("1kb", 1024), ("1.5 KB", 1536), ("0.0001kb", 0), ("2gb", 2 * 2**30)],
)
def test_a_size_is_a_number_of_bytes_and_whole_where_it_was_written_as_text(size: Any, expected: float) -> None:
    assert (parse_size(size), type(parse_size(size))) == (expected, type(expected))


@pytest.mark.parametrize("size", [-1, True, None, "", "ten", "10 tons", "-1kb", "1e3", [10]])
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


def test_what_verifies_is_a_function() -> None:
    with pytest.raises(TypeError, match="the option 'verify' takes a function"):
        json(verify="sha256")  # type: ignore[arg-type]
