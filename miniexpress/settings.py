"""The settings of an app: their names, their defaults, and what compiles them into functions.

``etag``, ``query parser`` and ``trust proxy`` are compiled when they are set, into ``etag fn`` and so on, as in
Express.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from .http import query_strings
from .http.conditional import strong_etag, weak_etag
from .http.proxy_addr import compile_trust
from .http.response_headers import field_value
from .usage.arguments import count_parameters, fit_callback

_NAMES = (
    "case sensitive routing",
    "env",
    "etag",
    "json escape",
    "json replacer",
    "json spaces",
    "jsonp callback name",
    "query parser",
    "strict routing",
    "subdomain offset",
    "trust proxy",
    "view",
    "view cache",
    "view engine",
    "views",
    "x-powered-by",
)


class AppSettings(Protocol):
    """The part of an app that requests and responses use."""

    def _setting(self, name: str) -> Any:
        """Return the value of a setting."""

    def enabled(self, name: str) -> bool:
        """Return whether a setting is true."""

    def render(self, view: str, options: Mapping[str, Any] | None = None, /) -> str:
        """Return the text of a view."""

    def adopt(self, req: Any) -> None:
        """Make a request and its response this app's."""


def default_settings() -> dict[str, Any]:
    """Return the settings of a new app. ``MINIEXPRESS_ENV`` sets ``env``, as ``NODE_ENV`` does in Express."""
    env = os.environ.get("MINIEXPRESS_ENV") or "development"
    settings = {
        "x-powered-by": True,
        "etag": "weak",
        "env": env,
        "query parser": "simple",
        "subdomain offset": 2,
        "jsonp callback name": "callback",
        "views": str(Path("views").resolve()),
    }
    return settings | ({"view cache": True} if env == "production" else {})


def similar_setting(name: str) -> str | None:
    """Return the setting that one of another name is probably meant to be: ``view_engine`` → ``view engine``."""
    if name in _NAMES:
        return None
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    return next(iter(difflib.get_close_matches(spaced, _NAMES, n=1, cutoff=0.8)), None)


def compile_setting(name: str, value: Any) -> dict[str, Any]:
    """Return what ``app.set(name, value)`` stores. Raises ``TypeError`` for a value that the setting cannot have."""
    if name == "json replacer" and callable(value):
        value = fit_callback(value, "the setting 'json replacer'", "(key, value)")
    if name == "json spaces" and isinstance(value, float) and math.isnan(value):
        raise TypeError(f"the setting 'json spaces' is a number of blanks or a text to indent with, not {value!r}")
    compiler = SETTING_COMPILERS.get(name)
    return {f"{name} fn": compiler(value), name: value} if compiler else {name: value}


def _compile_choice(name: str, choices: Mapping[Any, Any], fit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the compiler of the setting ``name``: ``fit`` makes it of a function, all else is one of ``choices``."""

    def compiled(value: Any) -> Any:
        if callable(value):
            return fit(value)
        try:
            return choices[value]
        except (KeyError, TypeError):
            listed = ", ".join(map(repr, choices))
            raise TypeError(f"the setting {name!r} is {listed} or a function, not {value!r}") from None

    return compiled


def _own_etag(function: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Return a function of the body alone, which returns a header value, or nothing. Express passes the encoding too,
    which is always undefined there."""
    takes_encoding = count_parameters(function, 1) > 1
    etag = fit_callback(function, "the setting 'etag'", "(body, encoding)" if takes_encoding else "(body)")

    def checked_etag(body: bytes) -> str | None:
        tag = etag(body, None) if takes_encoding else etag(body)
        return field_value("ETag", tag) if tag else None

    return checked_etag


# The values of what neither an app nor the one that it is mounted in has set.
UNSET_DEFAULTS = {"trust proxy": False, "trust proxy fn": compile_trust(False)}
_SIMPLE = query_strings.parse_simple
SETTING_COMPILERS: dict[str, Callable[[Any], Any]] = {
    "etag": _compile_choice(
        "etag", {True: weak_etag, False: None, "weak": weak_etag, "strong": strong_etag}, _own_etag
    ),
    "query parser": _compile_choice(
        "query parser",
        {True: _SIMPLE, False: None, "simple": _SIMPLE, "extended": query_strings.parse_extended},
        lambda function: fit_callback(function, "the setting 'query parser'", "(query)"),
    ),
    "trust proxy": compile_trust,
}
