"""What ``req.session`` is. After express-session 1.19's ``session/session.js``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ..attrdict import AttrDict, with_attributes
from .cookie import Cookie

if TYPE_CHECKING:
    from ..request import Request
    from .store import Store


class Session(AttrDict):
    """A session's data, by attribute or by item: ``req.session.user = …``, ``del req.session['user']``.

    Beside the data it holds its ``cookie``, as upstream. It remembers what the store has of it, so that saving writes
    only what has changed: requests that run at the same time do not undo each other.
    """

    __slots__ = ("_id", "_req", "_saved", "_stored")
    cookie: Cookie
    _id: Any
    _req: Request
    _saved: bool
    _stored: dict[str, str] | None

    def __init__(self, req: Request, cookie: Cookie, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(cookie=cookie)
        for key, value in (data or {}).items():
            if key != "cookie":
                self[key] = with_attributes(value)
        object.__setattr__(self, "_id", req.session_id)
        object.__setattr__(self, "_req", req)
        object.__setattr__(self, "_saved", False)
        object.__setattr__(self, "_stored", None if data is None else self.fingerprint())

    @property
    def id(self) -> Any:
        return self._id

    @property
    def req(self) -> Request:
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
        """Whether the store has all that is in it."""
        return self._stored == self.fingerprint()

    @property
    def was_saved(self) -> bool:
        """Whether this request has saved it."""
        return self._saved

    def touch(self) -> Self:
        """Let ``cookie.max_age`` begin anew."""
        return self.reset_max_age()

    def reset_max_age(self) -> Self:
        self.cookie.max_age = self.cookie.original_max_age
        return self

    def save(self) -> bool:
        """Write what has changed to the store now. ``False`` when the session has been destroyed in the meantime."""
        current = self.fingerprint()
        update = getattr(self._store, "update", None)
        if self._stored is None or update is None:
            self._store.set(self._id, self.to_json())
        else:
            changed, removed = self.changes()
            if not update(self._id, changed, removed, self.cookie.to_json()):
                return False
        object.__setattr__(self, "_stored", current)
        object.__setattr__(self, "_saved", True)
        return True

    def reload(self) -> Session:
        """Read the session anew into ``req.session``. Raises ``LookupError`` when it is no longer there."""
        document = self._store.get(self._id)
        if document is None:
            raise LookupError("failed to load session: it has expired or has been destroyed")
        return self._store.create_session(self._req, document)

    def destroy(self) -> None:
        """End the session: ``req.session`` becomes ``None``."""
        self._req.session = None
        self._store.destroy(self._id)

    def regenerate(self) -> Session:
        """Destroy the session and put an empty one with another id in its place, which is returned."""
        return self._store.regenerate(self._req)

    def rebase(self, document: Mapping[str, Any]) -> None:
        """Put what this request has changed onto ``document``, which is what others have made of the session since."""
        changed, removed = self.changes()
        cookie = self.cookie
        self.clear()
        self.update({key: with_attributes(value) for key, value in document.items() if key not in removed})
        self.update(changed, cookie=cookie)

    def move_to(self, sid: Any) -> None:
        """Give the session another id, under which the store has nothing yet."""
        object.__setattr__(self, "_id", sid)
        object.__setattr__(self, "_stored", None)

    def changes(self) -> tuple[dict[str, Any], list[str]]:
        """The items that differ from what the store has of them, and the keys that it has too many."""
        stored, current = self._stored or {}, self.fingerprint()
        changed = {key: self[key] for key, mark in current.items() if stored.get(key) != mark}
        return changed, [key for key in stored if key not in current]

    def fingerprint(self) -> dict[str, str]:
        """What tells a key's value from another, at any depth. ``repr`` tells ``True`` from ``1``, and is fast."""
        return {key: repr(value) for key, value in self.items() if key != "cookie"}

    def to_json(self) -> dict[str, Any]:
        """The document that stores keep."""
        return {**self, "cookie": self.cookie.to_json()}
