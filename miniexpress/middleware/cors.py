"""``cors``: let pages of other origins read the responses (CORS, of the Fetch standard). After npm cors 2.8.6."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..http.headers import HEADER_TEXT
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..routing.methods import HTTPMethods
from ..usage.arguments import fit_callback

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Origins = bool | str | re.Pattern[str] | Collection[str | re.Pattern[str]] | None
"""The origins that may read: any or none, one, those that a pattern is found in, or several of these."""
NameList = str | Sequence[str]
"""Names with commas between them, or a list of names."""

_COLLECTIONS = (list, tuple, set, frozenset)


@suggests_keywords
def cors(
    options_of: Callable[[Request], Mapping[str, Any] | None] | None = None,
    /,
    *,
    origin: Origins | Callable[[str | None], Origins] = "*",
    methods: NameList = "GET,HEAD,PUT,PATCH,POST,DELETE",
    allowed_headers: NameList | None = None,
    exposed_headers: NameList | None = None,
    credentials: bool = False,
    max_age: int | timedelta | None = None,
    preflight_continue: bool = False,
    options_success_status: int = 204,
) -> Middleware:
    """Make middleware that says which other origins may read the responses, and responds to their preflight requests.

    ``origin`` is ``'*'`` for all, an origin like ``'https://a.example'``, a pattern that is searched in the request's
    ``Origin``, a list of these, ``True`` for the request's own, or ``False``, ``None`` or ``''`` for none: then no
    field is set. It may be a function of the request's ``Origin`` (``None`` where there is none) that returns one of
    these.

    Preflight requests, which are all that have the method OPTIONS, get ``methods`` and ``allowed_headers`` (by default
    those that the request asks for), how long a browser may keep this (``max_age``, in seconds as in npm, not in
    milliseconds, or a timedelta), and the status ``options_success_status`` without a body;
    ``preflight_continue`` has the next handler respond instead. ``credentials`` lets cookies be sent;
    ``exposed_headers`` can be read by scripts.

    ``cors(lambda req: {...})`` asks a function for these options at each request. What it leaves out is as the keywords
    say, and ``None`` leaves out all.

    Raises ``TypeError`` for wrong options; those that a function returns are an error of the request.
    """
    if options_of is not None:
        keywords = {
            "origin": origin,
            "methods": methods,
            "allowed_headers": allowed_headers,
            "exposed_headers": exposed_headers,
            "credentials": credentials,
            "max_age": max_age,
            "preflight_continue": preflight_continue,
            "options_success_status": options_success_status,
        }
        return _cors_by_request(options_of, keywords)
    policy = _Policy(
        origin=_checked_origin(origin),
        methods=_names("methods", methods),
        allowed_headers=None if allowed_headers in (None, "") else _names("allowed_headers", allowed_headers),
        exposed_headers="" if exposed_headers is None else _names("exposed_headers", exposed_headers),
        credentials=_flag("credentials", credentials),
        max_age=_seconds(max_age),
        preflight_continue=_flag("preflight_continue", preflight_continue),
        options_success_status=_checked_status(options_success_status),
    )
    return policy.handle


@dataclass(frozen=True)
class _Policy:
    """The options, checked, and as the header fields have them. ``allowed_headers`` is ``None`` for those asked for."""

    origin: Any
    methods: str
    allowed_headers: str | None
    exposed_headers: str
    credentials: bool
    max_age: str
    preflight_continue: bool
    options_success_status: int

    def handle(self, req: Request, res: Response, next: Next) -> None:
        """Set the header fields, and respond to a preflight request; call ``next()`` for all others."""
        sent = _repeatable(req.get("Origin"))
        origin = _checked_origins(self.origin(sent)) if callable(self.origin) else self.origin
        if origin in (False, None, ""):
            return next()
        _allow_origin(origin, sent, res)
        if self.credentials:
            res.set_header("Access-Control-Allow-Credentials", "true")
        if req.method == "OPTIONS":
            self._set_preflight_fields(req, res)
        if self.exposed_headers:
            res.set_header("Access-Control-Expose-Headers", self.exposed_headers)
        if req.method != "OPTIONS" or self.preflight_continue:
            return next()
        return res.status(self.options_success_status).set_header("Content-Length", "0").end()

    def _set_preflight_fields(self, req: Request, res: Response) -> None:
        allowed_headers = self.allowed_headers
        if allowed_headers is None:
            allowed_headers = _repeatable(req.get("Access-Control-Request-Headers"))
            res.vary("Access-Control-Request-Headers")
        if self.methods:
            res.set_header("Access-Control-Allow-Methods", self.methods)
        if allowed_headers:
            res.set_header("Access-Control-Allow-Headers", allowed_headers)
        if self.max_age:
            res.set_header("Access-Control-Max-Age", self.max_age)


def _cors_by_request(options_of: Any, keywords: dict[str, Any]) -> Middleware:
    """Return middleware that asks a function of the request for its options."""
    if not callable(options_of) or isinstance(options_of, HTTPMethods):  # cors(app), as in Flask
        raise TypeError(f"cors() takes its options by keyword, as in cors(origin=…), not {options_of!r}")
    cors(**keywords)  # so that a wrong one raises at once
    ask = fit_callback(options_of, "cors()", "(req)")

    def cors_by_request(req: Request, res: Response, next: Next) -> None:
        options = ask(req)
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(f"the function given to cors() returns a dict of options, not {options!r}")
        cors(**{**keywords, **(options or {})})(req, res, next)

    return cors_by_request


def _allow_origin(origin: Any, sent: str | None, res: Response) -> None:
    """Set Access-Control-Allow-Origin, and Vary where the response is not the same for every origin."""
    if isinstance(origin, str):
        res.set_header("Access-Control-Allow-Origin", origin)
    elif sent and _is_allowed(sent, origin):
        res.set_header("Access-Control-Allow-Origin", sent)
    if origin != "*":
        res.vary("Origin")


def _is_allowed(sent: str, origins: Any) -> bool:
    if isinstance(origins, bool):
        return origins
    if isinstance(origins, str):
        return sent == origins
    if isinstance(origins, re.Pattern):
        return origins.search(sent) is not None
    return any(_is_allowed(sent, each) for each in origins)


def _repeatable(value: str | None) -> str | None:
    """Return a value of the request that a response may repeat, else ``None``: not every WSGI server looks into it."""
    return value if value is not None and HEADER_TEXT.fullmatch(value) else None


def _checked_origin(origin: Any) -> Any:
    """Return the option ``origin``, a function as one that takes the origin. Raises ``TypeError`` for what is none."""
    return fit_callback(origin, "the option 'origin'", "(origin)") if callable(origin) else _checked_origins(origin)


def _checked_origins(origins: Any) -> Any:
    """Return origins, none of them a function. Raises ``TypeError`` for what is none."""
    if origins is not None and not _are_origins(origins):
        raise TypeError(
            "cors(origin=…) is '*', an origin like 'https://a.example', a compiled pattern, a list of these, True, "
            f"False, or a function that returns one of these, not {origins!r}"
        )
    return origins


def _are_origins(value: Any) -> bool:
    if isinstance(value, str):
        return HEADER_TEXT.fullmatch(value) is not None
    if isinstance(value, re.Pattern):
        return isinstance(value.pattern, str)
    return isinstance(value, bool) or (isinstance(value, _COLLECTIONS) and all(map(_are_origins, value)))


def _names(option: str, names: Any) -> str:
    """Return names with commas between them: ``['GET', 'PUT']`` → ``GET,PUT``."""
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, list | tuple) or not all(isinstance(n, str) and HEADER_TEXT.fullmatch(n) for n in given):
        raise TypeError(f"cors({option}=…) takes names with commas between them or a list of names, not {names!r}")
    return ",".join(given)


def _flag(option: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"cors({option}=…) is True or False, not {value!r}")
    return value


def _seconds(max_age: Any) -> str:
    """Return the option ``max_age`` as text, an empty one for ``None``."""
    if max_age is None:
        return ""
    if isinstance(max_age, timedelta):
        return str(max_age // timedelta(seconds=1))
    if not isinstance(max_age, int) or isinstance(max_age, bool):
        raise TypeError(f"cors(max_age=…) is a whole number of seconds or a timedelta, not {max_age!r}")
    return str(max_age)


def _checked_status(status: Any) -> int:
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 999:
        raise TypeError(f"cors(options_success_status=…) is a status from 200 to 999, not {status!r}")
    return status
