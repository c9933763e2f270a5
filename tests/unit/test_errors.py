"""HTTPError, and what a page says of an error."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from miniexpress import HTTPError
from miniexpress.errors import headers_of, printable, reason_phrase, status_of
from miniexpress.http.encoding import error_page
from tests.support.waiting import processor_time


def test_an_error_has_the_phrase_of_its_status_as_its_message() -> None:
    error = HTTPError(404)
    assert (error.status, error.message, str(error), error.expose, error.headers) == (
        404,
        "Not Found",
        "Not Found",
        True,
        {},
    )


def test_an_error_of_the_servers_is_not_for_the_clients_eyes() -> None:
    assert [HTTPError(status).expose for status in (400, 499, 500, 503)] == [True, True, False, False]
    assert HTTPError(503, "back at noon", expose=True).expose
    assert not HTTPError(400, expose=False).expose


def test_an_error_without_a_known_status_has_an_empty_message_and_an_empty_one_stays() -> None:
    assert HTTPError(499).message == ""
    assert HTTPError(404, "").message == ""


def test_further_arguments_are_attributes() -> None:
    error = HTTPError(413, "too large", type="entity.too.large", limit=100)
    assert (error.type, error.limit) == ("entity.too.large", 100)  # type: ignore[attr-defined]
    assert HTTPError(400).type is None


def test_its_headers_are_its_own() -> None:
    given = {"Retry-After": "5"}
    error = HTTPError(503, headers=given)
    given.clear()
    assert error.headers == {"Retry-After": "5"}


@pytest.mark.parametrize("status", [0, 200, 304, 399, 600, -404, True])
def test_what_is_no_error_status_is_refused_by_its_value(status: int) -> None:
    with pytest.raises(ValueError, match=f"between 400 and 599, not {status!r}"):
        HTTPError(status)


@pytest.mark.parametrize("status", ["404", None, 404.5, [404]])
def test_a_status_that_is_no_integer_is_refused_by_its_value(status: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="HTTPError status"):
        HTTPError(status)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_can_be_copied_and_sent_to_another_process(copied: Callable[[HTTPError], HTTPError]) -> None:
    error = HTTPError(413, "too large", headers={"X-A": "b"}, limit=100)
    made = copied(error)
    assert type(made) is HTTPError
    assert vars(made) == vars(error)
    assert str(made) == "too large"


# What npm statuses 2.0.2 has for those that Python's own table has otherwise, or has not.
@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (200, "OK"),
        (413, "Payload Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (418, "I'm a Teapot"),
        (421, "Misdirected Request"),
        (422, "Unprocessable Entity"),
        (425, "Too Early"),
        (431, "Request Header Fields Too Large"),
        (451, "Unavailable For Legal Reasons"),
        (509, "Bandwidth Limit Exceeded"),
        (511, "Network Authentication Required"),
        (499, ""),
        (999, ""),
    ],
)
def test_reason_phrases_are_those_of_statuses(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


STATUSES = [
    (HTTPError(404), 200, 404),
    (SimpleNamespace(status=404, status_code=418), 200, 404),
    (SimpleNamespace(status=200, status_code=418), 200, 418),
    (SimpleNamespace(status="404"), 200, 500),
    (SimpleNamespace(status=True), 200, 500),
    (SimpleNamespace(status=404.0), 200, 500),
    ({"status": 404}, 200, 404),
    ({"status_code": 404}, 503, 404),
    (ValueError("x"), 503, 503),
    (ValueError("x"), 302, 500),
    (ValueError("x"), 600, 500),
    ("text", 200, 500),
    ("text", "404", 500),
    (None, 200, 500),
]


@pytest.mark.parametrize(("error", "fallback", "status"), STATUSES)
def test_the_status_is_the_errors_own_or_the_answers_or_500(error: Any, fallback: int, status: int) -> None:
    assert status_of(error, fallback) == status


def test_a_status_and_a_traceback_that_raise_are_read_as_what_they_are() -> None:
    def fails(*given: Any) -> Any:
        raise RuntimeError("not to be read")

    number = type("Status", (int,), {"__le__": fails, "__ge__": fails, "__eq__": fails, "__hash__": int.__hash__})
    error = type("Hostile", (Exception,), {"status": number(404), "__traceback__": property(fails)})("x")
    assert f"{status_of(error, 200)}" == "404"
    assert type(status_of(error, 200)) is int
    assert str(printable(error)) == "Hostile: x"


def test_headers_count_only_with_a_status_of_the_errors_own() -> None:
    headers = {"X-A": "b"}
    assert headers_of(HTTPError(401, headers=headers)) == headers
    assert headers_of({"status": 401, "headers": headers}) == headers
    assert headers_of(SimpleNamespace(headers=headers)) == {}
    assert headers_of(SimpleNamespace(status=200, headers=headers)) == {}
    assert headers_of(SimpleNamespace(status=401, headers="X-A: b")) == {}
    assert headers_of("text") == {}


def test_a_page_escapes_all_that_could_be_markup() -> None:
    page = error_page('<script>alert(\'"&")</script>\n  indented')
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#39;&quot;&amp;&quot;)&lt;/script&gt;<br> &nbsp;indented" in page


def test_a_long_hostile_message_costs_little() -> None:
    for text in ("<" * 100_000, "  " * 50_000, "\n" * 100_000):
        assert processor_time(lambda text=text: error_page(text), 0.1) < 0.1
