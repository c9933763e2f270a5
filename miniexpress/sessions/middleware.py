"""``session(...)``: load ``req.session`` before the handlers run, and save it before the response is sent.

When to save, touch and destroy a session, and when to set its cookie, is decided as in npm express-session 1.19: one
predicate for each question, at the end of ``SessionRequest``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from .fingerprint import EMPTY, Fingerprint
from .options import CookieOptions, Options, read_options
from .session import Session, create_session
from .store import Store

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


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
    options = read_options(
        secret=secret,
        resave=resave,
        save_uninitialized=save_uninitialized,
        unset=unset,
        store=store,
        name=name,
        genid=genid,
        rolling=rolling,
        proxy=proxy,
        cookie=cookie,
        rotate_on=rotate_on,
    )

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
    (``is_lost``); a login alone is saved under a new id, with nothing but what it has added. An update has only what
    the request itself has changed, and a key that another has removed stays removed (``Changes.apply_to``; in MongoDB
    ``mongodb/updates.py``). And a logout that had loaded the session before another request moved it to a new id ends
    it there (``Store.end``).
    """

    cookie_id: str | None
    """The id that the client sent."""
    original_id: Any = None
    """The session's id when it was loaded, or made."""
    original: Fingerprint = EMPTY
    """The session's data when it was loaded."""
    current: Fingerprint = EMPTY
    """The session's data when it was decided whether to save it."""
    is_new = False
    """The store has no session for the client's id."""
    recently_touched = False
    """The store need not be told that the session is in use."""
    is_max_age_restarted = False
    save_called = False
    is_lost = False
    """Not saved: another request has ended it, or it failed. No cookie is set."""

    def __init__(self, options: Options, req: Request, res: Response) -> None:
        self.options, self.req, self.res = options, req, res
        self.cookie_id = options.id_from_cookie(req)

    def load(self) -> None:
        """Load the session that the cookie names, or make a new one."""
        req, store = self.req, self.options.store
        req.session_store, req.session_id = store, self.cookie_id
        req.generate_session = self.options.generate
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
            self.is_lost = not self.save_under_new_id(session)
        elif self.should_save(session):
            is_dropped = self.is_new and self.is_superseded(session)
            self.is_lost = is_dropped or not session.save_changes(self.current)
        elif may_touch and self.should_touch(session) and hasattr(store, "touch"):
            store.touch(session.id, session.to_json())
        if self.is_lost and self.is_logout(session):  # another request may have moved it to a new id: log out there
            store.end(session.id)

    def save_under_new_id(self, session: Session) -> bool:
        """Save the session under a new id. Return ``False`` if another request has destroyed it."""
        new_id = self.options.genid(self.req)
        if not isinstance(new_id, str) or new_id == session.id:
            return session.save_changes(self.current)
        if not session.rotate(new_id, self.current):
            if self.options.rotate_on in self.original.by_key():  # it was logged in, and was ended
                return False
            session.save_as_new(new_id, self.current)  # it logs in: that is no part of what was ended
        self.req.session_id = new_id
        return True

    def set_cookie(self) -> None:
        """Set the cookie, just before the headers are sent. Save the session first if handlers are still running."""
        session, options = self.req.session, self.options
        if session is None:
            return
        if not self.save_called:
            self.current = session.fingerprint()
            if self.should_rotate(session) or self.should_save(session):
                self.save()
        if self.is_lost or not self.should_set_cookie(session) or self.is_superseded(session):
            return
        if session.cookie.secure and not options.is_secure(self.req):
            return
        self.restart_max_age_once(session)
        self.res.append("Set-Cookie", options.cookie_to_set(session))

    def restart_max_age_once(self, session: Session) -> None:
        if not self.is_max_age_restarted:
            session.reset_max_age()
            self.is_max_age_restarted = True

    # The decisions, as in express-session

    def should_destroy(self) -> bool:
        return bool(self.req.session_id) and self.options.unset == "destroy"

    def should_rotate(self, session: Session) -> bool:
        key = self.options.rotate_on
        if key is None or not session.is_stored or session.id != self.cookie_id or self.res.started:
            return False
        return self.original != self.current and self.original.by_key().get(key) != self.current.by_key().get(key)

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

    def is_superseded(self, session: Session) -> bool:
        """Return whether the client has, or will get, a newer id, which this session's cookie must not replace."""
        if self.options.rotate_on is None or self.is_login(session):
            return False
        is_as_loaded = session.id == self.cookie_id and not session.was_saved
        return (self.is_new or is_as_loaded) and self.was_rotated

    @cached_property
    def was_rotated(self) -> bool:
        """Return whether another request has moved the session of the client's id to a new id."""
        return self.cookie_id is not None and self.options.store.was_rotated(self.cookie_id)

    def is_login(self, session: Session) -> bool:
        key = self.options.rotate_on
        return key in session and key not in self.original.by_key()

    def is_logout(self, session: Session) -> bool:
        key = self.options.rotate_on
        return key not in session and key in self.original.by_key()

    def is_modified(self, session: Session) -> bool:
        return self.original_id != session.id or self.original != self.current

    def is_saved(self, session: Session) -> bool:
        return session.is_unchanged(self.current) and (session.was_saved or not self.options.resave)
