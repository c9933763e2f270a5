"""TODO"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .arguments import count_parameters, fit_callback
from .http import conditional, query_strings
from .http.proxy_addr import compile_trust


def _one_of(name: str, choices: Mapping[Any, Any], fit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What compiles the setting ``name``: a function is what ``fit`` makes of it, all else is one of ``choices``."""

    def compile_setting(value: Any) -> Any:
        if callable(value):
            return fit(value)
        try:
            return choices[value]
        except (KeyError, TypeError):
            listed = ", ".join(map(repr, choices))
            raise TypeError(f"the setting {name!r} is {listed} or a function, not {value!r}") from None

    return compile_setting


def _weak_etag(body: bytes) -> str:
    return conditional.etag(body, weak=True)


def _strong_etag(body: bytes) -> str:
    return conditional.etag(body, weak=False)


def _own_etag(function: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Express calls it with the body and its encoding, which is always undefined by then."""
    if count_parameters(function, 1) < 2:
        return fit_callback(function, "the setting 'etag'", "(body)")
    etag = fit_callback(function, "the setting 'etag'", "(body, encoding)")
    return lambda body: etag(body, None)


# What an app has neither of its own nor from the one that it is mounted in.
_DEFAULTS = {"trust proxy": False, "trust proxy fn": compile_trust(False)}
_SIMPLE = query_strings.parse_simple
_COMPILED: dict[str, Callable[[Any], Any]] = {
    "etag": _one_of("etag", {True: _weak_etag, False: None, "weak": _weak_etag, "strong": _strong_etag}, _own_etag),
    "query parser": _one_of(
        "query parser",
        {True: _SIMPLE, False: None, "simple": _SIMPLE, "extended": query_strings.parse_extended},
        lambda function: fit_callback(function, "the setting 'query parser'", "(query)"),
    ),
    "trust proxy": compile_trust,
}
