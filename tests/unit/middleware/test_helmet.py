"""``helmet``: what Python alone can ask of it. That the fields are npm's, to the byte, tests/conformance holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from miniexpress import express, helmet
from tests.support.served_folder import Response, ask

Serve = Callable[..., str]

csp = helmet.content_security_policy


def response_with(serve: Serve, middleware: Any, target: str = "/") -> Response:
    app = express()
    app.use(middleware)
    app.use(lambda req, res: res.send("next"))
    app.use(lambda err, req, res, next: res.status(500).type("txt").send(f"{type(err).__name__}: {err}"))
    return ask(serve(app), target)


def test_max_age_is_in_seconds_or_a_timedelta(serve: Serve) -> None:
    response = response_with(serve, helmet(hsts={"max_age": timedelta(days=1)}))
    assert response.headers["strict-transport-security"] == "max-age=86400; includeSubDomains"


def test_all_fields_are_set_before_the_next_handler_is_called_and_that_once(serve: Serve) -> None:
    seen: list[int] = []
    app = express()
    app.use(helmet())

    def look(req: Any, res: Any) -> None:
        seen.append(len(res.get_header_names()))
        res.end()

    app.use(look)
    ask(serve(app), "/")
    assert seen == [12]


def test_an_error_of_a_directives_function_sets_no_further_field(serve: Serve) -> None:
    def fail(req: Any, res: Any) -> str:
        raise LookupError("no nonce")

    response = response_with(serve, helmet(content_security_policy={"directives": {"script_src": [fail]}}))
    assert (response.status, response.body) == (500, b"LookupError: no nonce")
    assert "content-security-policy" not in response.headers
    assert "x-frame-options" not in response.headers


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("a%3Bb", "ValueError: helmet: 'a;b' is no value of the directive 'img-src': give each value apart"),
        ("a%0D%0AX%3Ay", "ValueError: helmet: 'a\\r\\nX:y' is no value of the directive 'img-src'"),
        ("%E2%82%AC", "is no value of the directive 'img-src'"),
        ("unsafe-inline", "has no effect without single quotes: \"'unsafe-inline'\""),
    ],
)
def test_what_a_function_returns_is_checked_at_each_request(serve: Serve, host: str, words: str) -> None:
    middleware = csp(directives={"img_src": ["'self'", lambda req: req.query.host]})  # type: ignore[list-item,misc]
    response = response_with(serve, middleware, f"/?host={host}")
    assert response.status == 500
    assert words in response.body.decode()
    assert response_with(serve, middleware, "/?host=x.example").status == 200


def test_the_default_directives_are_a_new_dict_each_time() -> None:
    first = csp.get_default_directives()
    first["img-src"].append("x.example")
    first["worker-src"] = ["x.example"]
    assert csp.get_default_directives()["img-src"] == ["'self'", "data:"]
    assert "worker-src" not in csp.get_default_directives()


def test_an_iterator_of_sources_counts_at_each_request(serve: Serve) -> None:
    sources: Any = iter(["'self'", lambda req, res: "x.example"])
    middleware = csp(use_defaults=False, directives={"default_src": sources})
    fields = [response_with(serve, middleware).headers["content-security-policy"] for _ in range(2)]
    assert fields == ["default-src 'self' x.example"] * 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contentSecurityPolicy": False}, r"helmet\(\) has no option 'contentSecurityPolicy': did you mean 'content_"),
        ({"noSniff": False}, "did you mean 'no_sniff'"),
        ({"xss_protection": False}, "did you mean 'x_xss_protection'"),
        (
            {"x_frame_options": "DENY"},
            r"helmet\(x_frame_options=…\) is True, False, or a dict of its options, not 'DENY'",
        ),
        ({"frameguard": None}, r"is True, False, or a dict of its options, not None"),
        ({"x_powered_by": {"set_to": "PHP"}}, r"helmet\(x_powered_by=…\) is True or False, not \{'set_to'"),
        ({"no_sniff": {}}, r"helmet\(x_content_type_options=…\) is True or False"),
        (
            {"hsts": True, "strict_transport_security": True},
            "both 'strict_transport_security' and its older name 'hsts'",
        ),
        (
            {"hsts": {"maxAge": 1}},
            r"helmet.strict_transport_security\(\) has no option 'maxAge': did you mean 'max_age'",
        ),
        ({"hsts": {"include_subdomains": False}}, "did you mean 'include_sub_domains'"),
        ({"hsts": {"max_age": -1}}, r"max_age=…\) is a number of seconds from 0, or a timedelta, not -1"),
        ({"frameguard": {"action": "allow"}}, r"x_frame_options\(action=…\) is one of 'deny', 'sameorigin'"),
        ({"referrer_policy": {"policy": "none"}}, r"referrer_policy\(policy=…\) is one of 'no-referrer'"),
        ({"referrer_policy": {"policy": [[]]}}, r"referrer_policy\(policy=…\) is one of 'no-referrer'"),
        ({"referrer_policy": {"policy": ["origin"] * 2}}, "names a policy twice"),
        ({"referrer_policy": {"policy": None}}, "a policy, or a list of them, not None"),
        ({"cross_origin_opener_policy": {"policy": "x"}}, r"cross_origin_opener_policy\(policy=…\) is one of"),
        ({"content_security_policy": {"directive": {}}}, "has no option 'directive': did you mean 'directives'"),
        ({"content_security_policy": {"default_src": []}}, "has no option 'default_src'"),
    ],
)
def test_a_wrong_option_raises_a_type_error_that_names_what_is_right(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        helmet(**options)


@pytest.mark.parametrize(
    ("directives", "words"),
    [
        ("", r"a dict like \{'script_src'.* not ''"),
        ([], r"a dict like"),
        ("default-src 'self'", r"a dict like \{'script_src'"),
        ({"scriptSrc": "x"}, r"'scriptSrc' is no directive of a Content-Security-Policy: did you mean 'script_src'\?"),
        ({"script src": "x"}, "it has a name like 'script_src'"),
        ({5: "x"}, "5 is no directive"),
        ({"script_src": "x", "script-src": "y"}, "'script-src' is given twice, the second time as 'script-src'"),
        ({"script_src": "self"}, r"""without single quotes: "'self'\""""),
        ({"script_src": ["a;b"]}, "without semicolons, commas and control"),
        ({"script_src": "a\r\nb"}, "is no value of the directive"),
        ({"script_src": False}, r"takes a str, a list of str and of functions \(req, res\), or None, not False"),
        ({"script_src": lambda req, res: "x"}, "takes a str, a list of str and of functions"),
        ({"script_src": b"x"}, "takes a str, a list"),
        ({"script_src": [5]}, r"beside str, the directive 'script-src' takes a function \(req, res\), not 5"),
        ({"script_src": [lambda a, b, c: "x"]}, r"takes a function \(req, res\)"),
        ({"default_src": None}, "needs the directive 'default_src'"),
        ({"script_src": csp.dangerously_disable_default_src}, "is no value for 'script-src': None takes it away"),
    ],
)
def test_a_wrong_directive_raises_a_type_error_that_names_what_is_right(directives: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        csp(directives=directives)


def test_a_policy_of_nothing_is_refused() -> None:
    with pytest.raises(TypeError, match="without directives"):
        csp(use_defaults=False)
