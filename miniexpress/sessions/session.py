"""``req.session``: a visitor's data, kept in a store. After express-session 1.19's ``session/session.js``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ..attrdict import AttrDict, to_attrdict
from .changes import Changes
from .cookie import Cookie
from .values import storable

if TYPE_CHECKING:
    from ..request import Request
    from .store import Document, Store

__all__ = ["Changes", "Session"]


@dataclass(slots=True)
class _State:
    """A session's state beside its data.

    ``stored`` is the fingerprint of the stored session, or ``None`` if the store does not have it yet.
    """

    id: Any
    req: Request
    stored: dict[str, str] | None
    stored_max_age: float | None
    saved: bool = False


class Session(AttrDict):
    """A session's data, by attribute or by item: ``req.session.user = …``, ``del req.session['user']``.

    Beside the data it holds its ``cookie``. It remembers a fingerprint of the stored session, so that ``save`` writes
    only what has changed: requests that run at the same time do not undo each other.
    """

    __slots__ = ("__state__",)  # a name that no key can be reached by
    cookie: Cookie
    __state__: _State

    def __init__(self, req: Request, cookie: Cookie, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(cookie=cookie)
        for key, value in (data or {}).items():
            if key != "cookie":
                self[key] = to_attrdict(value)
        stored = None if data is None else self.fingerprint()
        object.__setattr__(self, "__state__", _State(req.session_id, req, stored, cookie.original_max_age))

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "cookie" and not isinstance(value, Cookie):
            mend = "set its attributes, as in req.session.cookie.max_age = 60_000"
            raise TypeError(f"req.session.cookie is a Cookie, not {value!r}: {mend}")
        super().__setattr__(name, value)

    @property
    def id(self) -> Any:
        """The session's id, which the cookie carries signed."""
        return self.__state__.id

    @property
    def req(self) -> Request:
        """The request whose session this is."""
        return self.__state__.req

    @property
    def __store(self) -> Store:
        store: Store = self.req.session_store
        return store

    @property
    def as_stored(self) -> Mapping[str, str]:
        """The fingerprint of the stored session; empty for a new one."""
        return self.__state__.stored or {}

    @property
    def is_stored(self) -> bool:
        """Return whether this session was loaded from the store, or has been saved there."""
        return self.__state__.stored is not None

    @property
    def is_unchanged(self) -> bool:
        """Return whether the store has the same data, and a cookie with the same max age."""
        state = self.__state__
        return state.stored_max_age == self.cookie.original_max_age and state.stored == self.fingerprint()

    @property
    def was_saved(self) -> bool:
        """Return whether this request has saved it."""
        return self.__state__.saved

    def clear(self) -> None:
        """Remove all data; the cookie stays."""
        for key in [key for key in self if key != "cookie"]:
            del self[key]

    def touch(self) -> Self:
        """Restart ``cookie.max_age``."""
        return self.reset_max_age()

    def reset_max_age(self) -> Self:
        """Restart ``cookie.max_age`` from ``cookie.original_max_age``, in milliseconds."""
        self.cookie.max_age = self.cookie.original_max_age
        return self

    def save(self) -> bool:
        """Write the changes to the store now. Return ``False`` if another request has destroyed the session."""
        if not self.is_stored:
            self.__store.set(self.id, self.to_json())
        elif not self.__store.update(self.id, self.changes()):
            return False
        self.__mark_saved()
        return True

    def reload(self) -> Session:
        """Load the stored session into ``req.session`` again. Raises ``LookupError`` if it is no longer stored."""
        document = self.__store.get(self.id)
        if document is None:
            raise LookupError("failed to load session: it has expired or has been destroyed")
        reloaded = create_session(self.req, document)
        reloaded.__state__.saved = self.was_saved
        return reloaded

    def destroy(self) -> None:
        """Destroy the session in the store, and set ``req.session`` to ``None``."""
        self.req.session = None
        self.__store.end(self.id)

    def regenerate(self) -> Session:
        """Destroy the session, set ``req.session`` to an empty one with a new id, and return that."""
        session: Session = self.__store.regenerate(self.req)
        return session

    def rotate(self, sid: str) -> bool:
        """Move the session to the id ``sid``, with what other requests have saved in it. The old id becomes unknown.

        Return ``False``, and do nothing, if another request has destroyed the session.
        """
        document = self.__store.rotate(self.id, sid, self.changes())
        if document is None:
            return False
        self.__replace(sid, document)
        return True

    def save_as_new(self, sid: str) -> None:
        """Save the items that this request has added, and nothing else of the session, under the id ``sid``."""
        self.__replace(sid, {**self.changes().added, "cookie": self.cookie.to_json()})
        self.__store.set(sid, self.to_json())

    def changes(self) -> Changes:
        """Return how the session differs from the stored one."""
        stored, current = self.as_stored, self.fingerprint()
        return Changes(
            added={key: self[key] for key in current if key not in stored},
            changed={key: self[key] for key, mark in current.items() if stored.get(key, mark) != mark},
            removed=[key for key in stored if key not in current],
            cookie=self.cookie.to_json(),
            max_age=self.__state__.stored_max_age,
        )

    def __replace(self, sid: str, document: Mapping[str, Any]) -> None:
        """Replace the data by a document's. Equal values stay the same objects, as handlers may still change them."""
        current = self.fingerprint()
        for key in current.keys() - document.keys():
            del self[key]
        for key, value in document.items():
            if key != "cookie" and current.get(key) != _encoded(value):
                self[key] = to_attrdict(value)
        self.cookie = Cookie.from_json(document.get("cookie"))
        self.__state__.id = sid
        self.__mark_saved()

    def __mark_saved(self) -> None:
        state = self.__state__
        state.stored, state.stored_max_age, state.saved = self.fingerprint(), self.cookie.original_max_age, True

    def fingerprint(self) -> dict[str, str]:
        """Return each key with its value as text, to tell at any depth whether it has changed."""
        try:
            return {key: _encoded(value) for key, value in self.items() if key != "cookie"}
        except RecursionError:
            storable(self)  # raises a TypeError that names the key
            raise

    def to_json(self) -> dict[str, Any]:
        """Return the document that stores keep: the data, and ``cookie``."""
        return {**self, "cookie": self.cookie.to_json()}


def create_session(req: Request, document: Document) -> Session:
    """Make a stored document the session of ``req``, and return it. Upstream: ``Store.prototype.createSession``."""
    session = Session(req, Cookie.from_json(document["cookie"]), document)
    req.session = session
    return session


def _encoded(value: Any) -> str:
    """Return a value as JSON, or as its ``repr`` where JSON has no such value."""
    if type(value) in _SCALARS:
        return repr(value)
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError):  # odd keys, or a circular value: the store takes it, or raises
        return repr(value)


def _beyond_json(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    return dict(value) if isinstance(value, Mapping) else repr(value)


_SCALARS = frozenset((str, int, float, bool, type(None)))
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_beyond_json)
