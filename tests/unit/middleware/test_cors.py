"""``cors``: what Python alone can ask of it. That responses are npm's, to the byte, tests/conformance holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from miniexpress import cors, express
from tests.support.served_folder import Response, ask, call

Serve = Callable[..., str]

A, B = "https://a.example", "https://b.example"


def response_to(serve: Serve, middleware: Any, origin: str = A, method: str = "GET") -> Response:
    app = express()
    app.use(middleware)
    app.use(lambda req, res: res.send("next"))
    app.use(lambda err, req, res, next: res.status(500).type("txt").send(str(err)))
    return ask(serve(app), "/", {"Origin": origin}, method)


def allowed(response: Response) -> str | None:
    return response.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("origins", [{A, "https://x.example"}, frozenset([A]), (re.compile("^https://a"),)])
def test_origins_are_any_collection(serve: Serve, origins: Any) -> None:
    assert allowed(response_to(serve, cors(origin=origins))) == A
    assert allowed(response_to(serve, cors(origin=origins), B)) is None


def test_a_function_may_leave_the_origin_out(serve: Serve) -> None:
    assert allowed(response_to(serve, cors(origin=lambda: True))) == A  # type: ignore[arg-type,misc]


def test_max_age_is_in_seconds_or_a_timedelta(serve: Serve) -> None:
    response = response_to(serve, cors(max_age=timedelta(minutes=10)), method="OPTIONS")
    assert response.headers["access-control-max-age"] == "600"


def test_what_a_function_of_the_request_leaves_out_is_as_the_keywords_say(serve: Serve) -> None:
    middleware = cors(lambda req: {"origin": A}, credentials=True, exposed_headers="X-One")
    response = response_to(serve, middleware)
    assert allowed(response) == A
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-expose-headers"] == "X-One"
    assert response_to(serve, cors(lambda req: None, credentials=True)).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("middleware", "words"),
    [
        (cors(lambda req: {"origin": A, "maxAge": 5}), r"no option 'maxAge': did you mean 'max_age'\?"),
        (cors(lambda req: A), "returns a dict of options, not 'https://a.example'"),  # type: ignore[arg-type,return-value]
        (cors(origin=lambda origin: re.match("https", origin)), r"not <re.Match"),  # type: ignore[arg-type,return-value]
        (cors(origin=lambda origin: 1), "a function that returns one of these, not 1"),  # type: ignore[arg-type,return-value]
        (cors(origin=lambda origin: lambda: True), "not <function"),  # type: ignore[arg-type,return-value]
    ],
)
def test_a_wrong_value_of_a_function_is_an_error_of_the_request_and_lets_nobody_read(
    serve: Serve, middleware: Any, words: str
) -> None:
    response = response_to(serve, middleware)
    assert (response.status, allowed(response)) == (500, None)
    assert re.search(words, response.body.decode())


@pytest.mark.parametrize("name", ["Origin", "Access-Control-Request-Headers"])
def test_text_that_no_header_may_hold_is_not_repeated(name: str) -> None:
    """A server need not refuse it (PEP 3333 does not say so), and a client must not get a 500 for it."""
    app = express()
    app.use(cors(origin=True, options_success_status=200))
    response = call(app, "/", REQUEST_METHOD="OPTIONS", **{f"HTTP_{name.upper().replace('-', '_')}": "x\x01y"})
    assert response.status == 200
    assert "\x01" not in str(response.headers)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (({"origin": A},), {}, r"cors\(\) takes options as keywords, origin=…, not as \{'origin'"),
        ((A,), {}, "takes its options by keyword"),
        ((express(),), {}, "takes its options by keyword"),
        ((lambda req, callback: {},), {}, r"cors\(\) takes a function \(req\)"),
        ((lambda req: {},), {"max_age": "5"}, "a whole number of seconds"),
        ((), {"origins": A}, r"cors\(\) has no option 'origins': did you mean 'origin'\?"),
        ((), {"allowedHeaders": []}, "did you mean 'allowed_headers'"),
        ((), {"optionsSuccessStatus": 200}, "did you mean 'options_success_status'"),
        ((), {"origin": lambda origin, callback: None}, r"'origin' takes a function \(origin\)"),
        ((), {"origin": b"https://a.example"}, "not b'https://a.example'"),
        ((), {"origin": 1}, r"True, False, or a function that returns one of these, not 1"),
        ((), {"origin": {A: True}}, "a list of these"),
        ((), {"origin": [A, None]}, "a list of these"),
        ((), {"origin": re.compile(b"a")}, "a compiled pattern"),
        ((), {"origin": "https://a.example\r\nX: y"}, "an origin like 'https://a.example'"),
        ((), {"methods": None}, r"cors\(methods=…\) takes names with commas between them or a list of names, not None"),
        ((), {"methods": [b"GET"]}, "methods"),
        ((), {"allowed_headers": {"X-One"}}, "allowed_headers"),
        ((), {"exposed_headers": ["X\nY"]}, "exposed_headers"),
        ((), {"credentials": "include"}, r"cors\(credentials=…\) is True or False, not 'include'"),
        ((), {"preflight_continue": None}, "preflight_continue"),
        ((), {"max_age": "10m"}, r"cors\(max_age=…\) is a whole number of seconds or a timedelta, not '10m'"),
        ((), {"max_age": True}, "max_age"),
        ((), {"max_age": 1.5}, "max_age"),
        ((), {"options_success_status": "204"}, "a status from 200 to 999, not '204'"),
        ((), {"options_success_status": 100}, "a status from 200 to 999, not 100"),
    ],
)
def test_a_wrong_option_raises_a_type_error_that_names_what_is_right(
    arguments: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        cors(*arguments, **options)
