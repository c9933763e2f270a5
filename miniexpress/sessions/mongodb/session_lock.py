"""A lock on one session, kept in a field of its document, for updates that take several commands.

Two updates need it: giving a session another id, and changing one that is kept as text. Node's stores know nothing of
the lock; what they write meanwhile is noticed, and the update is tried again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import RLock
from typing import Any, TypeVar

from ..forks import make_in_each_process

LOCKED_BY = "heldBy"  # the field's name, in deployed collections too
LOCK_SECONDS = 0.6  # shorter than the timeout of a request that waits for the lock
POLL_SECONDS = 0.005
THREAD_LOCKS = 64

Result = TypeVar("Result")


class SessionLock:
    """Lock the sessions of one collection. ``id_field`` names the field with the session's id.

    ``written_field`` names a field that changes whenever Node writes. Values read from documents are compared with
    ``$eq``, so that they are never taken for operators. Raises pymongo's errors.
    """

    def __init__(self, collection: Any, id_field: str, written_field: str) -> None:
        self._collection, self._id_field, self._written_field = collection, id_field, written_field
        make_in_each_process(self, SessionLock._make_locks)

    def _make_locks(self) -> None:
        # Threads of one process wait here, and need not poll the server. Reentrant: a listener may use the store.
        self._thread_locks = [RLock() for _ in range(THREAD_LOCKS)]

    def unlocked_filter(self, sid: str) -> dict[str, Any]:
        """Return the filter that matches a session which is not locked."""
        return {self._id_field: sid, LOCKED_BY: None}

    def wait(self, sid: str) -> bool:
        """Wait until a session is not locked. Return ``False`` if there is no such session.

        A lock that is held for longer than ``LOCK_SECONDS`` is released: its owner has died. What is no text is no lock
        that any process has set, and is removed.
        """
        owner, deadline = None, 0.0
        while found := self._collection.find_one({self._id_field: sid}, [LOCKED_BY]):
            holder = found.get(LOCKED_BY)
            if holder is None:
                return True
            if type(holder) is not str:  # BSON's Code is one, too
                self._release({self._id_field: sid, LOCKED_BY: {"$ne": None}})
            elif holder != owner:
                owner, deadline = holder, time.monotonic() + LOCK_SECONDS
            elif time.monotonic() > deadline:
                self._release({self._id_field: sid, LOCKED_BY: {"$eq": owner}})
            time.sleep(POLL_SECONDS)
        return False

    def while_locked(self, sid: str, write: Callable[[Any, Mapping[str, Any]], Result]) -> Result | None:
        """Call ``write(document, unchanged_filter)`` with the lock held, until its result is true, and return that.

        ``unchanged_filter`` matches the document as long as Node has not written it, and nobody has deleted it. The
        last command of ``write`` uses it, and releases the lock; where it did not match, ``write`` returns something
        false and is called again. Return ``None`` if there is no such session.
        """
        locked = {self._id_field: sid, LOCKED_BY: secrets.token_hex(8)}
        with self._thread_locks[hash(sid) % THREAD_LOCKS]:
            while self._acquire(sid, locked):
                if result := self._call(write, locked):
                    return result
        return None

    def _acquire(self, sid: str, locked: Mapping[str, Any]) -> bool:
        """Wait for the lock and set it. Return ``False`` if there is no such session."""
        while not self._collection.update_one(self.unlocked_filter(sid), {"$set": locked}).matched_count:
            if not self.wait(sid):
                return False
        return True

    def _call(self, write: Callable[[Any, Mapping[str, Any]], Result], locked: Mapping[str, Any]) -> Result | None:
        """Call ``write`` once. Release the lock if it fails or did not match."""
        result = None
        try:
            document = self._collection.find_one(locked)
            if document:
                result = write(document, {**locked, self._written_field: {"$eq": document.get(self._written_field)}})
        finally:
            if not result:
                with suppress(Exception):  # the first error is raised, not this one
                    self._release(locked)
        return result

    def _release(self, locked: Mapping[str, Any]) -> None:
        self._collection.update_one(locked, {"$unset": {LOCKED_BY: ""}})
