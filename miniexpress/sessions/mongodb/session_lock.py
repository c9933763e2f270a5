"""To write a session in MongoDB in several steps that no other update comes between: a field says that it is held.

For what no server does in one step: to give a session another id, and to change what is kept as text. Node's stores
know nothing of it; what they write meanwhile is seen.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import RLock
from typing import Any, TypeVar

Written = TypeVar("Written")


class Holds:
    """Those of one collection, whose documents have the session's id in ``id_field``.

    ``seen`` is the field by which one tells that Node has written. What a document holds is compared with ``$eq``, so
    that it is no operator. Raises pymongo's errors.
    """

    def __init__(self, collection: Any, id_field: str, seen: str) -> None:
        self._collection, self._id_field, self._seen = collection, id_field, seen
        # The threads of one process need not ask the server whose turn it is. A listener may use the store in its turn.
        self._turns = [RLock() for _ in range(64)]

    def free(self, sid: str) -> dict[str, Any]:
        """What matches a session that nobody holds."""
        return {self._id_field: sid, HELD: None}

    def comes_free(self, sid: str) -> bool:
        """Wait until nobody holds the session; ``False`` where there is none. Who holds it for long has died."""
        holder, given_up = None, 0.0
        while (found := self._collection.find_one({self._id_field: sid}, [HELD])) and found.get(HELD):
            if found[HELD] != holder:
                holder, given_up = found[HELD], time.monotonic() + _LONGEST
            elif time.monotonic() > given_up:
                self._release({self._id_field: sid, HELD: {"$eq": holder}})
            time.sleep(_PAUSE)
        return found is not None

    def write(self, sid: str, write: Callable[[Any, Mapping[str, Any]], Written]) -> Written | None:
        """What ``write(document, as_held)`` returns once that is true; ``None`` where there is no such session.

        ``as_held`` matches the document until Node writes: ``write`` is to make its last step by it, and is called
        again where that did not match.
        """
        held = {self._id_field: sid, HELD: secrets.token_hex(8)}
        with self._turns[hash(sid) % len(self._turns)]:
            while True:
                if not self._collection.update_one(self.free(sid), {"$set": held}).matched_count:
                    if self.comes_free(sid):
                        continue
                    return None
                written = None
                try:
                    document = self._collection.find_one(held)
                    written = document and write(document, {**held, self._seen: {"$eq": document.get(self._seen)}})
                finally:
                    if not written:
                        with suppress(Exception):  # what is wrong is on its way already
                            self._release(held)
                if written:
                    return written

    def _release(self, held: Mapping[str, Any]) -> None:
        self._collection.update_one(held, {"$unset": {HELD: ""}})


HELD = "heldBy"
_LONGEST = 0.6  # seconds: shorter than the patience of who waits for it
_PAUSE = 0.005
