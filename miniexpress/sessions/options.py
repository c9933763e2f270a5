"""The options of ``session(...)``, checked when they are given: an invalid one is a ``TypeError`` that names it."""

from __future__ import annotations

import inspect
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..http import cookies
from ..http.encoding import encode_uri_component
from ..usage.arguments import describe, is_async, refuse_generator
from .cookie import Cookie
from .memory import MemoryStore
from .session import Session
from .store import Store

if TYPE_CHECKING:
    from ..request import Request

CookieOptions = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """The options of ``session(...)``, and what depends on them: the id in a request's cookie, a new session."""

    secrets: Sequence[str | bytes]
    resave: bool
    save_uninitialized: bool
    unset: str
    store: Store
    name: str
    genid: Callable[[Request], Any]
    rolling: bool
    proxy: bool | None
    cookie: CookieOptions | Callable[[Request], CookieOptions]
    rotate_on: str | None

    def __post_init__(self) -> None:
        for option in ("resave", "save_uninitialized", "rolling", "proxy"):
            if not isinstance(getattr(self, option), bool) and (option, getattr(self, option)) != ("proxy", None):
                choice = "True, False or None" if option == "proxy" else "True or False"
                raise TypeError(f"session({option}=…) is {choice}, not {getattr(self, option)!r}")
        if self.rotate_on is not None and not isinstance(self.rotate_on, str):
            raise TypeError(f"session(rotate_on=…) takes a key, not {self.rotate_on!r}")
        if self.unset not in ("keep", "destroy"):
            raise TypeError(f"session(unset=…) is 'keep' or 'destroy', not {self.unset!r}")
        if not isinstance(self.store, Store):
            raise TypeError(f"session(store=…) takes a miniexpress.sessions.store.Store, not {self.store!r}")
        try:
            cookies.serialize(self.name, "value")
        except TypeError:
            allowed = "take letters, digits, '-' and '_', no blanks"
            raise TypeError(f"session(name={self.name!r}) cannot be a cookie's name (RFC 6265): {allowed}") from None

    def id_from_cookie(self, req: Request) -> str | None:
        """Return the session id in the client's cookie, or ``None`` if no secret has signed it."""
        text = cookies.find(req.get("Cookie") or "", self.name)
        try:
            return _verified_id(text, self.secrets) if text else None
        except _UnsignedError:
            return None

    def cookie_to_set(self, session: Session) -> str:
        """Return the ``Set-Cookie`` header of a session's id."""
        text = _signed_id(session.id, self.secrets[0])
        return cookies.serialize(self.name, text, encode=str, **session.cookie.attributes())

    def cookie_for(self, req: Request) -> CookieOptions:
        """Return the options of a new session's ``Cookie``."""
        return _validate_cookie(self.cookie(req)) if callable(self.cookie) else self.cookie

    def generate(self, req: Request) -> Session:
        """Give ``req`` an empty session with a new id."""
        cookie = Cookie(**self.cookie_for(req))
        if cookie.secure == "auto":
            cookie.secure = self.is_secure(req)
        if cookie.same_site == "auto":
            cookie.same_site = "none" if self.is_secure(req) else "lax"
        req.session_id = self.genid(req)
        session = Session(req, cookie)
        req.session = session
        return session

    def is_secure(self, req: Request) -> bool:
        """Return whether the client uses TLS, to this server or to a trusted proxy."""
        if self.proxy is None or req.environ["wsgi.url_scheme"] == "https":
            return req.secure or req.environ["wsgi.url_scheme"] == "https"
        forwarded = (req.get("X-Forwarded-Proto") or "") if self.proxy else ""
        return forwarded.partition(",")[0].strip().lower() == "https"


def read_options(
    *,
    secret: Any,
    resave: Any,
    save_uninitialized: Any,
    store: Any,
    genid: Any,
    cookie: Any,
    **others: Any,
) -> Options:
    """Return the options as they were given to ``session(...)``, with defaults. Raises ``TypeError``."""
    return Options(
        secrets=_validate_secrets(secret),
        resave=_default_true("resave", resave),
        save_uninitialized=_default_true("save_uninitialized", save_uninitialized),
        store=MemoryStore() if store is None else store,
        genid=_random_id if genid is None else _fit_to_request("genid", genid),
        cookie=_fit_to_request("cookie", cookie) if callable(cookie) else _validate_cookie(cookie or {}),
        **others,
    )


class _UnsignedError(Exception):
    """Raised for a cookie that no secret has signed."""


@lru_cache(maxsize=4096)
def _verified_id(text: str, secrets: Sequence[str | bytes]) -> str:
    """Return the id in a cookie's text, as the client has sent it: ``"s%3Aid.signature"`` → ``"id"``.

    The latest are cached, as a client sends the same text with each request. Raises ``_UnsignedError`` for a text that
    no secret has signed: an exception is not cached, so that made-up cookies cannot drive out the others.
    """
    value = cookies.decode_value(text)
    sid = value.startswith("s:") and cookies.unsign_any(value[2:], secrets)
    if not sid:
        raise _UnsignedError
    return sid


@lru_cache(maxsize=4096)
def _signed_id(sid: str, secret: str | bytes) -> str:
    """Return the text of an id's cookie, as the client gets it: ``"id"`` → ``"s%3Aid.signature"``."""
    return encode_uri_component("s:" + cookies.sign(sid, secret))


def _validate_secrets(secret: Any) -> Sequence[str | bytes]:
    listed = [secret] if isinstance(secret, str | bytes) else secret
    if not isinstance(listed, list | tuple) or not listed or not all(isinstance(s, str | bytes) and s for s in listed):
        raise TypeError(f"session(secret=…) takes a string that is not empty, or a list of them, not {secret!r}")
    return tuple(listed)


def _default_true(option: str, value: bool | None) -> bool:
    """Return ``value``, or warn and return ``True`` if it is ``None``, as express-session does."""
    if value is None:
        warnings.warn(f"session({option}=…) was not given: say {option}=True or {option}=False", stacklevel=5)
    return True if value is None else value


def _random_id(req: Request) -> str:
    """Return 24 random bytes in URL-safe base64, as npm uid-safe 2.1 makes them."""
    return secrets.token_urlsafe(24)


def _fit_to_request(option: str, function: Callable[..., Any]) -> Callable[[Request], Any]:
    """Return ``function`` as a function of the request, also if it takes no parameter: ``genid=lambda: …``.

    Raises ``TypeError`` for one that is async or takes other parameters.
    """
    takes = f"session({option}=…) takes a function of the request"
    if not callable(function):
        raise TypeError(f"{takes}, not {function!r}")
    if is_async(function):
        raise TypeError(f"{takes}, and {describe(function)} is async: make it a plain def")
    refuse_generator(function)
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except ValueError:  # some builtins do not tell
        return function
    takes_any = any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values())
    if _binds(signature) and not takes_any:
        return lambda req: function()
    if not _binds(signature, None):
        raise TypeError(f"{takes} or of nothing, and {describe(function)} takes other parameters")
    return function


def _binds(signature: inspect.Signature, *arguments: Any) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _validate_cookie(options: Any) -> CookieOptions:
    try:
        attributes = Cookie(**options).attributes()
        attributes |= {name: None for name in ("secure", "same_site") if attributes[name] == "auto"}
        cookies.serialize("name", "value", **attributes)
    except TypeError as error:
        raise TypeError(f"session(cookie={options!r}): {error}") from None
    return dict(options)
