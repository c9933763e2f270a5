"""What ``req.session`` is. After express-session 1.19's ``session/session.js``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..attrdict import AttrDict, with_attributes
from .cookie import Cookie

if TYPE_CHECKING:
    from ..request import Request
    from .store import Store


class Changes(NamedTuple):
    """What a request has done to its session: items it added, items it changed, and the keys of those it removed.

    ``cookie`` is the cookie as it is to be stored, ``max_age`` the ``originalMaxAge`` that it had when it was loaded.
    """

    added: Mapping[str, Any]
    changed: Mapping[str, Any]
    removed: Sequence[str]
    cookie: Mapping[str, Any]
    max_age: float | None

    @property
    def has_new_max_age(self) -> bool:
        """Whether this request gave the cookie another ``originalMaxAge``."""
        return bool(self.cookie["originalMaxAge"] != self.max_age)

    def onto(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """``document`` with them, where others may have changed it since it was loaded.

        What they have removed stays away, so that a logout holds; and their ``max_age``, if this request gave none.
        """
        kept = {key: value for key, value in document.items() if key not in self.removed}
        still_there = {key: value for key, value in self.changed.items() if key in kept}
        is_ours = self.has_new_max_age or document["cookie"].get("originalMaxAge") == self.max_age
        return {**kept, **still_there, **self.added, "cookie": self.cookie if is_ours else document["cookie"]}


class Session(AttrDict):
    """A session's data, by attribute or by item: ``req.session.user = …``, ``del req.session['user']``.

    Beside the data it holds its ``cookie``, as upstream. It remembers what the store has of it, so that saving writes
    only what has changed: requests that run at the same time do not undo each other.
    """

    __slots__ = ("_id", "_req", "_saved", "_stored", "_stored_max_age")
    cookie: Cookie
    _id: Any
    _req: Request
    _saved: bool
    _stored: dict[str, str] | None
    _stored_max_age: float | None

    def __init__(self, req: Request, cookie: Cookie, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(cookie=cookie)
        for key, value in (data or {}).items():
            if key != "cookie":
                self[key] = with_attributes(value)
        object.__setattr__(self, "_id", req.session_id)
        object.__setattr__(self, "_req", req)
        object.__setattr__(self, "_saved", False)
        object.__setattr__(self, "_stored", None if data is None else self.fingerprint())
        object.__setattr__(self, "_stored_max_age", cookie.original_max_age)

    @property
    def id(self) -> Any:
        """The session's id, which the cookie carries signed."""
        return self._id

    @property
    def req(self) -> Request:
        """The request whose session this is."""
        return self._req

    @property
    def _store(self) -> Store:
        store: Store = self._req.session_store
        return store

    @property
    def is_stored(self) -> bool:
        """Whether the store has had this session: it was loaded from there, or has been saved."""
        return self._stored is not None

    @property
    def is_unchanged(self) -> bool:
        """Whether the store has all that is in it, and what can be updated of its cookie: how long it lasts."""
        lasts_as_before = self._stored_max_age == self.cookie.original_max_age or not hasattr(self._store, "update")
        return lasts_as_before and self._stored == self.fingerprint()

    @property
    def was_saved(self) -> bool:
        """Whether this request has saved it."""
        return self._saved

    def clear(self) -> None:
        """Remove all data; the cookie stays."""
        for key in [key for key in self if key != "cookie"]:
            del self[key]

    def touch(self) -> Self:
        """Let ``cookie.max_age`` begin anew."""
        return self.reset_max_age()

    def reset_max_age(self) -> Self:
        """Let ``cookie.max_age`` begin anew from ``cookie.original_max_age``, in milliseconds."""
        self.cookie.max_age = self.cookie.original_max_age
        return self

    def save(self) -> bool:
        """Write what has changed to the store now. ``False`` when the session has been destroyed in the meantime."""
        update = getattr(self._store, "update", None)
        if self._stored is None or update is None:
            self._store.set(self._id, self.to_json())
        elif not update(self._id, self.changes()):
            return False
        self._is_kept()
        return True

    def reload(self) -> Session:
        """Read the session anew into ``req.session``. Raises ``LookupError`` when it is no longer there."""
        document = self._store.get(self._id)
        if document is None:
            raise LookupError("failed to load session: it has expired or has been destroyed")
        reloaded = self._store.create_session(self._req, document)
        object.__setattr__(reloaded, "_saved", self._saved)
        return reloaded

    def destroy(self) -> None:
        """End the session: ``req.session`` becomes ``None``."""
        self._req.session = None
        self._store.end(self._id)

    def regenerate(self) -> Session:
        """Destroy the session and put an empty one with another id in its place, which is returned."""
        return self._store.regenerate(self._req)

    def rotate(self, sid: str) -> bool:
        """Give the session another id. What others have made of it meanwhile moves with it, and the old id is dead.

        ``False``, and nothing is done, when the session has been destroyed in the meantime.
        """
        document = self._store.rotate(self._id, sid, self.changes())
        if document is None:
            return False
        self._become(sid, document)
        return True

    def begin_anew(self, sid: str) -> None:
        """Save what this request has added, and nothing else of the session, under another id."""
        self._become(sid, {**self.changes().added, "cookie": self.cookie.to_json()})
        self._store.set(sid, self.to_json())

    def changes(self) -> Changes:
        """How the session differs from what the store has of it."""
        stored, current = self._stored or {}, self.fingerprint()
        return Changes(
            added={key: self[key] for key in current if key not in stored},
            changed={key: self[key] for key, mark in current.items() if stored.get(key, mark) != mark},
            removed=[key for key in stored if key not in current],
            cookie=self.cookie.to_json(),
            max_age=self._stored_max_age,
        )

    def _become(self, sid: str, document: Mapping[str, Any]) -> None:
        self.clear()
        self.cookie = Cookie.from_json(document["cookie"])
        self.update({key: with_attributes(value) for key, value in document.items() if key != "cookie"})
        object.__setattr__(self, "_id", sid)
        self._is_kept()

    def _is_kept(self) -> None:
        object.__setattr__(self, "_stored", self.fingerprint())
        object.__setattr__(self, "_stored_max_age", self.cookie.original_max_age)
        object.__setattr__(self, "_saved", True)

    def fingerprint(self) -> dict[str, str]:
        """What tells a key's value from another, at any depth. ``repr`` tells ``True`` from ``1``, and is fast."""
        return {key: repr(value) for key, value in self.items() if key != "cookie"}

    def to_json(self) -> dict[str, Any]:
        """The document that stores keep."""
        return {**self, "cookie": self.cookie.to_json()}
