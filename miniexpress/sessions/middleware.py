"""``session(...)``: gives each request its session, and keeps what it did with it. After express-session 1.19.

What is to be done on the way out is upstream's decision table: one small predicate for each question.
"""

from __future__ import annotations

import base64
import secrets
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .. import cookies
from ..options import checks_options
from .cookie import Cookie
from .memory import MemoryStore
from .session import Session
from .store import Store

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Middleware = Callable[["Request", "Response", Callable[..., None]], None]
CookieOptions = Mapping[str, Any]


@checks_options
def session(
    *,
    secret: str | Sequence[str],
    resave: bool | None = None,
    save_uninitialized: bool | None = None,
    unset: Literal["keep", "destroy"] = "keep",
    store: Store | None = None,
    name: str = "connect.sid",
    genid: Callable[[Request], Any] | None = None,
    rolling: bool = False,
    proxy: bool | None = None,
    cookie: CookieOptions | Callable[[Request], CookieOptions] | None = None,
    rotate_on: str | None = None,
) -> Middleware:
    """Middleware that loads ``req.session`` before the handlers behind it run, and saves it after.

    ``secret`` signs the cookie; of a list the first signs and all are accepted. ``resave`` writes sessions that did not
    change, ``save_uninitialized`` those that are new and empty, ``rolling`` sets the cookie with each answer.
    ``unset='destroy'`` ends a session whose ``req.session`` was deleted. ``genid(req)`` makes ids, ``proxy`` says
    whether ``X-Forwarded-Proto`` is believed (``None``: as ``trust proxy`` says). ``cookie`` holds the options of
    ``Cookie``, or is a function of the request that returns them; its ``secure`` and ``same_site`` may be ``'auto'``.
    ``rotate_on='user'`` gives the session a new id whenever that key appears, changes or goes.

    Raises ``TypeError`` for an option that cannot be. After npm express-session 1.19.0.
    """
    options = _Options(
        secrets=_checked_secrets(secret),
        resave=_given("resave", resave),
        save_uninitialized=_given("save_uninitialized", save_uninitialized),
        unset_destroys=_checked_unset(unset),
        store=_checked_store(store),
        name=_checked_name(name),
        genid=_checked_genid(genid),
        rolling=bool(rolling),
        proxy=proxy,
        cookie=_checked_cookie(cookie),
        rotate_on=rotate_on,
    )
    options.store.generate = options.generate
    is_connected = [True]
    options.store.on("disconnect", lambda: is_connected.__setitem__(0, False))
    options.store.on("connect", lambda: is_connected.__setitem__(0, True))

    def session_middleware(req: Request, res: Response, next: Callable[..., None]) -> None:
        if req.session is not None or not is_connected[0]:
            return next()
        if not req.original_path.startswith(options.cookie_options(req).get("path") or "/"):
            return next()
        visit = _Visit(options, req, res)
        visit.begin()
        res.on_headers(visit.set_cookie)
        next()
        return visit.commit()

    return session_middleware


class _Visit:
    """One request's visit to its session: what it was when it came, and what is to be done when it goes."""

    def __init__(self, options: _Options, req: Request, res: Response) -> None:
        self.options, self.req, self.res = options, req, res
        self.cookie_id = _id_from_cookie(req, options)
        self.original_id: Any = None
        self.original: dict[str, str] = {}
        self.touched = False
        self.gone = False

    def begin(self) -> None:
        """Load the session that the cookie names, or make a new one."""
        req, store = self.req, self.options.store
        req.session_store = store
        req.session_id = self.cookie_id
        document = store.get(self.cookie_id) if self.cookie_id else None
        if document is None:
            loaded = store.generate(req)
        else:
            loaded = store.create_session(req, document)
        self.original_id = req.session_id
        self.original = loaded.fingerprint()

    def commit(self) -> None:
        """Bring the store up to date, before the answer leaves. What cannot be saved is not answered as if it were."""
        try:
            self._commit()
        except Exception:
            self.res.withdraw()
            raise

    def _commit(self) -> None:
        store, session = self.options.store, self.req.session
        if session is None:
            if self.should_destroy():
                store.destroy(self.req.session_id)
            return
        self.touch_once(session)
        if self.should_rotate(session):
            self.gone = not self.rotate(session)
        elif self.should_save(session):
            self.gone = not session.save()
        elif self.should_touch(session) and hasattr(store, "touch"):
            store.touch(session.id, session.to_json())

    def set_cookie(self) -> None:
        """Set the cookie, just before the head leaves."""
        session, options = self.req.session, self.options
        if session is None or self.gone or not self.should_set_cookie(session):
            return
        if session.cookie.secure and not options.is_secure(self.req):
            return
        self.touch_once(session)
        signed = "s:" + cookies.sign(session.id, options.secrets[0])
        line = cookies.serialize(options.name, signed, **session.cookie.attributes())
        self.res.append("Set-Cookie", line)

    def rotate(self, session: Session) -> bool:
        """Move the session to a new id; ``False`` where it was destroyed in the meantime, which is to hold."""
        store, old_id = self.options.store, session.id
        latest = store.get(old_id)
        key = self.options.rotate_on or ""
        if latest is None and key in self.original:
            return False
        removed = session.changes()[1]
        for other, value in (latest or {}).items():
            if other not in session and other not in removed and other != "cookie":
                session[other] = value
        self.req.session_id = self.options.genid(self.req)
        session.move_to(self.req.session_id)
        session.save()
        store.destroy(old_id)
        return True

    def touch_once(self, session: Session) -> None:
        if not self.touched:
            session.touch()
            self.touched = True

    # The decision table

    def should_destroy(self) -> bool:
        return bool(self.req.session_id) and self.options.unset_destroys

    def should_rotate(self, session: Session) -> bool:
        key = self.options.rotate_on
        if key is None or not session.is_stored or session.id != self.cookie_id:
            return False
        return self.original.get(key) != session.fingerprint().get(key)

    def should_save(self, session: Session) -> bool:
        if not isinstance(self.req.session_id, str):
            return False
        if not self.options.save_uninitialized and not session.is_stored and self.cookie_id != self.req.session_id:
            return self.is_modified(session)
        return not self.is_saved(session)

    def should_touch(self, session: Session) -> bool:
        return isinstance(self.req.session_id, str) and self.cookie_id == self.req.session_id

    def should_set_cookie(self, session: Session) -> bool:
        if not isinstance(self.req.session_id, str):
            return False
        if self.cookie_id != self.req.session_id:
            return self.options.save_uninitialized or self.is_modified(session)
        return self.options.rolling or (session.cookie.expires is not None and self.is_modified(session))

    def is_modified(self, session: Session) -> bool:
        return self.original_id != session.id or self.original != session.fingerprint()

    def is_saved(self, session: Session) -> bool:
        return session.is_unchanged and (session.was_saved or not self.options.resave)


@dataclass(frozen=True)
class _Options:
    """What ``session(...)`` was given, checked."""

    secrets: Sequence[str]
    resave: bool
    save_uninitialized: bool
    unset_destroys: bool
    store: Store
    name: str
    genid: Callable[[Request], Any]
    rolling: bool
    proxy: bool | None
    cookie: CookieOptions | Callable[[Request], CookieOptions]
    rotate_on: str | None

    def cookie_options(self, req: Request) -> CookieOptions:
        return _checked_cookie_options(self.cookie(req)) if callable(self.cookie) else self.cookie

    def generate(self, req: Request) -> Session:
        """Give ``req`` an empty session with a new id."""
        cookie = Cookie(**self.cookie_options(req))
        if cookie.secure == "auto":
            cookie.secure = self.is_secure(req)
        if cookie.same_site == "auto":
            cookie.same_site = "none" if self.is_secure(req) else "lax"
        req.session_id = self.genid(req)
        session = Session(req, cookie)
        req.session = session
        return session

    def is_secure(self, req: Request) -> bool:
        """Whether the client speaks TLS, to us or to a proxy that is believed."""
        if req.environ["wsgi.url_scheme"] == "https":
            return True
        if self.proxy is None:
            return req.secure
        forwarded = (req.get("X-Forwarded-Proto") or "") if self.proxy else ""
        return forwarded.partition(",")[0].strip().lower() == "https"


def _id_from_cookie(req: Request, options: _Options) -> str | None:
    """The session id that the client sent, if one of our secrets has signed it."""
    header = req.get("Cookie")
    raw = cookies.parse(header).get(options.name, "") if header else ""
    if not raw.startswith("s:"):
        return None
    ids = (cookies.unsign(raw[2:], secret) for secret in options.secrets)
    return next((sid for sid in ids if sid is not None), None)


def _random_id(req: Request) -> str:
    """24 random bytes, url-safe, as npm uid-safe 2.1 makes them."""
    return base64.urlsafe_b64encode(secrets.token_bytes(24)).decode()


def _checked_secrets(secret: Any) -> Sequence[str]:
    listed = [secret] if isinstance(secret, str) else secret
    if not isinstance(listed, list | tuple) or not listed or not all(isinstance(s, str) and s for s in listed):
        raise TypeError(f"session(secret=…) takes a string that is not empty, or a list of them, not {secret!r}")
    return tuple(listed)


def _given(option: str, value: bool | None) -> bool:
    """Upstream's default is ``True``, and that it be said."""
    if value is None:
        warnings.warn(f"session({option}=…) was not given: say {option}=True or {option}=False", stacklevel=5)
        return True
    return bool(value)


def _checked_unset(unset: Any) -> bool:
    if unset not in ("keep", "destroy"):
        raise TypeError(f"session(unset=…) is 'keep' or 'destroy', not {unset!r}")
    return bool(unset == "destroy")


def _checked_store(store: Any) -> Store:
    if store is None:
        return MemoryStore()
    if not isinstance(store, Store):
        raise TypeError(f"session(store=…) takes a miniexpress.sessions.store.Store, not {store!r}")
    return store


def _checked_name(name: Any) -> str:
    try:
        cookies.serialize(name, "value")
    except TypeError:
        raise TypeError(
            f"session(name={name!r}) cannot be a cookie's name (RFC 6265): take letters, digits, '-' and '_', no blanks"
        ) from None
    return str(name)


def _checked_genid(genid: Any) -> Callable[[Request], Any]:
    if genid is not None and not callable(genid):
        raise TypeError(f"session(genid=…) takes a function of the request, not {genid!r}")
    return genid or _random_id


def _checked_cookie(cookie: Any) -> CookieOptions | Callable[[Request], CookieOptions]:
    return cookie if callable(cookie) else _checked_cookie_options({} if cookie is None else cookie)


def _checked_cookie_options(options: Any) -> CookieOptions:
    try:
        attributes = Cookie(**options).attributes()
        attributes.update({name: None for name in ("secure", "same_site") if attributes[name] == "auto"})
        cookies.serialize("name", "value", **attributes)
    except TypeError as error:
        raise TypeError(f"session(cookie={options!r}): {error}") from None
    return dict(options)
