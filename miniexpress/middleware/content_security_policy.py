"""The Content-Security-Policy of ``helmet``: its directives checked, and written as a header field (CSP level 3).

After the middleware ``contentSecurityPolicy`` of npm helmet 8.3.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..http.headers import HEADER_TEXT
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import fit_callback

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Source = str | Callable[["Request", "Response"], str]
"""One value of a directive, or a function that returns it for a request: ``"'self'"``, ``lambda req, res: …``."""
Directives = Mapping[str, str | Iterable[Source] | None]
Policy = dict[str, list[Source]]

_DEFAULTS = {
    "default-src": ["'self'"],
    "base-uri": ["'self'"],
    "font-src": ["'self'", "https:", "data:"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "script-src": ["'self'"],
    "script-src-attr": ["'none'"],
    "style-src": ["'self'", "https:", "'unsafe-inline'"],
    "upgrade-insecure-requests": [],
}
_NAME = re.compile("[a-z](?:[a-z0-9_-]*[a-z0-9])?")
# Keywords and beginnings of values that do nothing unless they stand in single quotes.
_QUOTED = {
    "none",
    "self",
    "strict-dynamic",
    "report-sample",
    "inline-speculation-rules",
    "unsafe-inline",
    "unsafe-eval",
    "unsafe-hashes",
    "wasm-unsafe-eval",
}
_QUOTED_PREFIXES = ("nonce-", "sha256-", "sha384-", "sha512-")
_NO_DEFAULT_SRC = (
    "helmet: a Content-Security-Policy needs the directive 'default_src'. To have none of it, set it to "
    "helmet.content_security_policy.dangerously_disable_default_src"
)


class ContentSecurityPolicy:
    """``helmet.content_security_policy(...)``, and what goes with it."""

    dangerously_disable_default_src: Final[Any] = object()
    """The value of the directive ``default_src`` for a policy that is to have none."""

    @partial(suggests_keywords, title="helmet.content_security_policy")
    def __call__(
        self, *, directives: Directives | None = None, use_defaults: bool = True, report_only: bool = False
    ) -> Middleware:
        """Make middleware that sets Content-Security-Policy: what a page may load, and from where.

        ``directives`` has a value for each name (``script_src`` or ``"script-src"``): a str, or a list of str and of
        functions ``(req, res)`` that return one. They are added to the defaults, unless ``use_defaults`` is ``False``;
        ``None`` takes a directive away. ``report_only`` sets Content-Security-Policy-Report-Only instead, by which
        nothing is blocked.

        Raises ``TypeError`` for names and values that no policy may have, and for one without ``default_src``.
        """
        name = "Content-Security-Policy-Report-Only" if report_only else "Content-Security-Policy"
        defaults = self.get_default_directives() if use_defaults else {}
        policy = _checked_policy({} if directives is None else directives, defaults)
        fixed = _fixed_text(policy)

        def content_security_policy(req: Request, res: Response, next: Next) -> None:
            res.set_header(name, fixed or _text_for(req, res, policy))
            next()

        return content_security_policy

    @staticmethod
    def get_default_directives() -> dict[str, Any]:
        """Return the directives that a policy has by default, as a new dict: ``{"default-src": ["'self'"], …}``."""
        return {name: list(sources) for name, sources in _DEFAULTS.items()}


def _checked_policy(directives: Any, defaults: Policy) -> Policy:
    """Return the directives by their names in the field, over the defaults."""
    if not isinstance(directives, Mapping):
        raise TypeError(f"helmet's directives are a dict like {{'script_src': [\"'self'\"]}}, not {directives!r}")
    policy, given = dict(defaults), _by_name(directives)
    for name, value in given.items():
        if value is None or value is ContentSecurityPolicy.dangerously_disable_default_src:
            _check_removal(name, value)
            policy.pop(name, None)
        else:
            policy[name] = _checked_sources(name, value)
    if not policy:
        raise TypeError("helmet: a Content-Security-Policy without directives. Give it some, or False to send none")
    disabled = given.get("default-src") is ContentSecurityPolicy.dangerously_disable_default_src
    if "default-src" not in policy and not disabled:
        raise TypeError(_NO_DEFAULT_SRC)
    return policy


def _by_name(directives: Mapping[Any, Any]) -> dict[str, Any]:
    """Return directives by their names in the field: ``{"script_src": []}`` → ``{"script-src": []}``."""
    given: dict[str, Any] = {}
    for key, value in directives.items():
        name = _directive_name(key)
        if name in given:
            raise TypeError(f"helmet: the directive {name!r} is given twice, the second time as {key!r}: leave one out")
        given[name] = value
    return given


def _directive_name(given: Any) -> str:
    """Return the name of a directive as the field has it: ``script_src`` → ``script-src``."""
    if isinstance(given, str) and _NAME.fullmatch(given):
        return given.replace("_", "-")
    snake_case = re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", given) if isinstance(given, str) else ""
    hint = f"did you mean {snake_case!r}?" if _NAME.fullmatch(snake_case) else "it has a name like 'script_src'"
    raise TypeError(f"helmet: {given!r} is no directive of a Content-Security-Policy: {hint}")


def _check_removal(name: str, value: Any) -> None:
    if name == "default-src" and value is None:
        raise TypeError(_NO_DEFAULT_SRC)
    if name != "default-src" and value is not None:
        raise TypeError(f"helmet: dangerously_disable_default_src is no value for {name!r}: None takes it away")


def _checked_sources(name: str, value: Any) -> list[Source]:
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping):
        expected = "a str, a list of str and of functions (req, res), or None"
        raise TypeError(f"helmet: the directive {name!r} takes {expected}, not {value!r}")
    sources: list[Source] = []
    for source in [value] if isinstance(value, str) else value:
        if isinstance(source, str):
            if problem := _problem(name, source):
                raise TypeError(problem)
            sources.append(source)
        else:
            sources.append(fit_callback(source, f"helmet: beside str, the directive {name!r}", "(req, res)"))
    return sources


def _problem(name: str, source: str) -> str | None:
    """Return what is wrong with a value of a directive, or ``None``."""
    if ";" in source or "," in source or not HEADER_TEXT.fullmatch(source):
        expected = "give each value apart, in Latin-1 and without semicolons, commas and control characters"
        return f"helmet: {source!r} is no value of the directive {name!r}: {expected}"
    if source in _QUOTED or source.startswith(_QUOTED_PREFIXES):
        return f"helmet: {source!r} of the directive {name!r} has no effect without single quotes: \"'{source}'\""
    return None


def _fixed_text(policy: Policy) -> str | None:
    """Return the field's value; ``None`` where it is another for each request."""
    directives = []
    for name, sources in policy.items():
        texts = [source for source in sources if isinstance(source, str)]
        if len(texts) < len(sources):
            return None
        value = " ".join(texts)
        directives.append(f"{name} {value}" if value else name)
    return ";".join(directives)


def _text_for(req: Request, res: Response, policy: Policy) -> str:
    """Return the field's value for a request. Raises ``ValueError`` where a function returns what no policy may have.

    ``{"script-src": ["'self'", function]}`` → ``script-src 'self' 'nonce-…'``
    """
    directives = []
    for name, sources in policy.items():
        values = [_source_for(req, res, name, source) for source in sources]
        directives.append(name + "".join([f" {value}" for value in values]))
    return ";".join(directives)


def _source_for(req: Request, res: Response, name: str, source: Source) -> str:
    if isinstance(source, str):
        return source
    returned = source(req, res)
    if not isinstance(returned, str):
        raise TypeError(f"helmet: a function of the directive {name!r} returned {returned!r}: it is to return a str")
    if problem := _problem(name, returned):
        raise ValueError(problem)
    return returned
