"""``session(...)``: load ``req.session`` before the handlers run, and save it before the response is sent.

When to save, touch and destroy a session, and when to set its cookie, is decided as in npm express-session 1.19: one
predicate for each question, at the end of ``SessionRequest``.
"""

from __future__ import annotations

import inspect
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from ..arguments import describe, is_async, refuse_generator
from ..http import cookies
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from .cookie import Cookie
from .fingerprint import EMPTY, Fingerprint
from .memory import MemoryStore
from .session import Session, create_session
from .store import Store

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

CookieOptions = Mapping[str, Any]


@suggests_keywords
def session(
    *,
    secret: str | bytes | Sequence[str | bytes],
    resave: bool | None = None,
    save_uninitialized: bool | None = None,
    unset: Literal["keep", "destroy"] = "keep",
    store: Store | None = None,
    name: str = "connect.sid",
    genid: Callable[[Request], Any] | Callable[[], Any] | None = None,
    rolling: bool = False,
    proxy: bool | None = None,
    cookie: CookieOptions | Callable[[Request], CookieOptions] | Callable[[], CookieOptions] | None = None,
    rotate_on: str | None = None,
) -> Middleware:
    """Return middleware that loads ``req.session`` before the next handlers run, and saves it after them.

    ``secret`` signs the cookie; of a list the first signs and all are accepted. ``resave`` writes sessions that did not
    change, ``save_uninitialized`` those that are new and empty, ``rolling`` sets the cookie with each response.
    ``unset='destroy'`` ends a session whose ``req.session`` was deleted. ``genid(req)`` makes ids, ``proxy`` says
    whether ``X-Forwarded-Proto`` is believed (``None``: as ``trust proxy`` says). ``cookie`` holds the options of
    ``Cookie``, or is a function of the request that returns them; its ``secure`` and ``same_site`` may be ``'auto'``.
    Either function may leave its parameter out. ``rotate_on='user'`` gives the session a new id whenever that key
    appears, changes or goes. Each ``session(...)`` makes sessions by its own options, also where several share a store.

    Raises ``TypeError`` for an invalid option. After npm express-session 1.19.0.
    """
    options = _Options(
        secrets=_validate_secrets(secret),
        resave=default_true_with_warning("resave", resave),
        save_uninitialized=default_true_with_warning("save_uninitialized", save_uninitialized),
        unset=unset,
        store=MemoryStore() if store is None else store,
        name=name,
        genid=_random_id if genid is None else _fit_to_request("genid", genid),
        rolling=rolling,
        proxy=proxy,
        cookie=_fit_to_request("cookie", cookie) if callable(cookie) else _validate_cookie(cookie or {}),
        rotate_on=rotate_on,
    )
    options.check()

    def session_middleware(req: Request, res: Response, next: Next) -> None:
        if req.session is not None or not options.store.is_connected:
            return next()
        if not req.original_path.startswith(options.cookie_for(req).get("path") or "/"):
            return next()
        session_request = SessionRequest(options, req, res)
        session_request.load()
        res.on_headers(session_request.set_cookie)
        next()
        return session_request.save()

    return session_middleware


class SessionRequest:
    """One request's use of its session: load it, save what changed, set the cookie.

    A logout stays in force though a slow request of the same session goes on, for three reasons. A session that
    was loaded is updated and never inserted, so one that was destroyed or rotated meanwhile is not there to be saved
    (``is_lost``). An update has only what the request itself has changed, and a key that another has removed stays
    removed (``Changes.apply_to``; in MongoDB ``mongodb/updates.py``). And a logout that had loaded the session before
    another request moved it to a new id ends it there (``Store.end``).

    ``cookie_id`` is the id that the client sent; ``original_id`` and ``original`` are the session's id and fingerprint
    as it was loaded, and ``current`` is its fingerprint when it was decided whether to save it.
    """

    def __init__(self, options: _Options, req: Request, res: Response) -> None:
        self.options, self.req, self.res = options, req, res
        self.cookie_id = _id_from_cookie(req, options)
        self.original_id: Any = None
        self.original: Fingerprint = EMPTY
        self.current: Fingerprint = EMPTY
        self.is_new = False  # the store has no session for the client's id
        self.recently_touched = False  # the store need not be told that the session is in use
        self.is_max_age_restarted = False
        self.save_called = False
        self.is_lost = False  # not saved: another request has ended it, or it failed. No cookie is set

    def load(self) -> None:
        """Load the session that the cookie names, or make a new one."""
        req, store = self.req, self.options.store
        req.session_store, req.session_id = store, self.cookie_id
        req.generate_session = partial(self.options.generate, req)
        try:
            stored = store.load_stored(self.cookie_id) if self.cookie_id else None
        except FileNotFoundError:  # upstream's ENOENT: a store of files has none for it
            stored = None
        if stored is None:
            self.is_new = True
            self.options.generate(req)
        else:
            self.recently_touched = stored.recently_touched
            self.original = create_session(req, stored).fingerprint_as_stored
        self.original_id = req.session_id

    def save(self) -> None:
        """Save the session before the response is sent. If that fails, the client gets the error instead."""
        is_first, self.save_called = not self.save_called, True
        try:
            self.store_changes(is_first)
        except Exception:
            self.is_lost = True
            self.res.reset()
            raise

    def store_changes(self, may_touch: bool) -> None:
        """Destroy, rotate, save or touch the session in its store: at most one of these."""
        store, session = self.options.store, self.req.session
        if session is None:
            if self.should_destroy():
                store.end(self.req.session_id)
            return
        self.restart_max_age_once(session)
        self.current = session.fingerprint()
        if self.should_rotate(session):
            self.is_lost = not self.rotate(session)
        elif self.should_save(session):
            is_dropped = self.is_new and self.is_late(session)  # its id was rotated: the client has a newer session
            self.is_lost = is_dropped or not session.save_changes(self.current)
        elif may_touch and self.should_touch(session) and hasattr(store, "touch"):
            store.touch(session.id, session.to_json())
        if self.is_lost and self.is_logout(session):  # another request may have moved it to a new id: log out there
            store.end(session.id)

    def set_cookie(self) -> None:
        """Set the cookie, just before the headers are sent. Save the session first if handlers are still running."""
        session, options = self.req.session, self.options
        if session is None:
            return
        if not self.save_called:
            self.current = session.fingerprint()
            if self.should_rotate(session) or self.should_save(session):
                self.save()
        if self.is_lost or not self.should_set_cookie(session) or self.is_late(session):
            return
        if session.cookie.secure and not options.is_secure(self.req):
            return
        self.restart_max_age_once(session)
        signed = "s:" + cookies.sign(session.id, options.secrets[0])
        self.res.append("Set-Cookie", cookies.serialize(options.name, signed, **session.cookie.attributes()))

    def rotate(self, session: Session) -> bool:
        """Move the session to a new id. Return ``False`` if another request has destroyed it."""
        new_id = self.options.genid(self.req)
        if not isinstance(new_id, str) or new_id == session.id:
            return session.save_changes(self.current)
        if not session.rotate(new_id, self.current):
            if self.options.rotate_on in self.original:
                return False
            session.save_as_new(new_id, self.current)
        self.req.session_id = new_id
        return True

    @cached_property
    def was_rotated(self) -> bool:
        """Return whether another request has moved the session of the client's id to a new id."""
        return self.cookie_id is not None and self.options.store.was_rotated(self.cookie_id)

    def restart_max_age_once(self, session: Session) -> None:
        if not self.is_max_age_restarted:
            session.touch()
            self.is_max_age_restarted = True

    # The decisions, as in express-session

    def should_destroy(self) -> bool:
        return bool(self.req.session_id) and self.options.unset == "destroy"

    def should_rotate(self, session: Session) -> bool:
        key = self.options.rotate_on
        if key is None or not session.is_stored or session.id != self.cookie_id or self.res.started:
            return False
        return self.original != self.current and self.original.get(key) != self.current.get(key)

    def should_save(self, session: Session) -> bool:
        if not isinstance(self.req.session_id, str):
            return False
        if not self.options.save_uninitialized and not session.is_stored and self.cookie_id != self.req.session_id:
            return self.is_modified(session)
        return not self.is_saved(session)

    def should_touch(self, session: Session) -> bool:
        return (
            isinstance(self.req.session_id, str) and self.cookie_id == self.req.session_id and not self.recently_touched
        )

    def should_set_cookie(self, session: Session) -> bool:
        if not isinstance(self.req.session_id, str):
            return False
        if self.cookie_id != self.req.session_id:
            return self.options.save_uninitialized or self.is_modified(session)
        return self.options.rolling or (session.cookie.expires is not None and self.is_modified(session))

    def is_late(self, session: Session) -> bool:
        """Return whether the client has, or will get, a newer id, which this session's cookie must not replace."""
        if self.options.rotate_on is None or self.is_login(session):
            return False
        is_as_loaded = session.id == self.cookie_id and not session.was_saved
        return (self.is_new or is_as_loaded) and self.was_rotated

    def is_login(self, session: Session) -> bool:
        key = self.options.rotate_on
        return key not in self.original and key in session

    def is_logout(self, session: Session) -> bool:
        key = self.options.rotate_on
        return key in self.original and key not in session

    def is_modified(self, session: Session) -> bool:
        return self.original_id != session.id or self.original != self.current

    def is_saved(self, session: Session) -> bool:
        return session.is_unchanged(self.current) and (session.was_saved or not self.options.resave)


@dataclass(frozen=True)
class _Options:
    """The options of ``session(...)``, checked."""

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

    def check(self) -> None:
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

    def cookie_for(self, req: Request) -> CookieOptions:
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


def _id_from_cookie(req: Request, options: _Options) -> str | None:
    """Return the session id in the client's cookie, or ``None`` if no secret has signed it."""
    value = cookies.find(req.get("Cookie") or "", options.name)
    if not value or not value.startswith("s:"):
        return None
    return cookies.unsign_any(value[2:], options.secrets) or None


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


def _validate_secrets(secret: Any) -> Sequence[str | bytes]:
    listed = [secret] if isinstance(secret, str | bytes) else secret
    if not isinstance(listed, list | tuple) or not listed or not all(isinstance(s, str | bytes) and s for s in listed):
        raise TypeError(f"session(secret=…) takes a string that is not empty, or a list of them, not {secret!r}")
    return tuple(listed)


def default_true_with_warning(option: str, value: bool | None) -> bool:
    """Return ``value``, or warn and return ``True`` if it is ``None``, as express-session does."""
    if value is None:
        warnings.warn(f"session({option}=…) was not given: say {option}=True or {option}=False", stacklevel=4)
    return True if value is None else value


def _validate_cookie(options: Any) -> CookieOptions:
    try:
        attributes = Cookie(**options).attributes()
        attributes |= {name: None for name in ("secure", "same_site") if attributes[name] == "auto"}
        cookies.serialize("name", "value", **attributes)
    except TypeError as error:
        raise TypeError(f"session(cookie={options!r}): {error}") from None
    return dict(options)
