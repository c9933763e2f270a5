"""Read the sessions that several requests ask for at one time by one command.

Of all that it takes to read a session, pymongo's command takes most. So while one is under way, the requests that ask
meanwhile gather, and the next command reads for them all: ``find({_id: {$in: [...]}})``. A request that comes alone
waits for nobody.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import Any

from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from ..forks import make_in_each_process

LONGEST_GATHERING = 0.005  # seconds that a slow command may delay the next one
# Seconds that a request waits for a command which others share. After that it still has the time to read by itself.
LONGEST_WAIT = 0.4


class SharedReads:
    """Find documents by id, as bytes, in a collection that decodes to ``RawBSONDocument``.

    A command is sent after all requests that share it have asked: each sees what was written before it came.
    """

    def __init__(self, collection: Any, id_field: str) -> None:
        self._collection, self._id_field = collection, id_field
        make_in_each_process(self, SharedReads._make_locks)

    def _make_locks(self) -> None:
        """Begin with nothing under way, as a forked process does: the threads that read are not in it."""
        self._lock = Lock()
        self._gathering: _Batch | None = None  # the one that requests may still join
        self._last_command = Lock()  # held while it is under way

    def find_one(self, sid: str) -> RawBSONDocument | None:
        """Return the document of a session, or ``None`` if there is none. Raises pymongo's errors."""
        with self._lock:
            is_first = self._gathering is None
            batch = self._gathering = self._gathering or _Batch()
            batch.ids.add(sid)
        if is_first:
            self._read(batch)
        elif not _wait(batch.unread, LONGEST_WAIT):
            self._close(batch)
        if sid in batch.found or batch.is_complete:
            return batch.found.get(sid)
        # By pymongo's usual way, which tries a read that has failed again, and raises what keeps failing.
        found: RawBSONDocument | None = self._collection.find_one({self._id_field: sid})
        return found

    def _read(self, batch: _Batch) -> None:
        """Let other requests join until the last command is done; then read for them all."""
        try:
            _wait(self._last_command, LONGEST_GATHERING)
            self._last_command = batch.unread
            self._close(batch)
            with suppress(PyMongoError, BSONError, ValueError):
                self._find(batch)
        finally:
            self._close(batch)
            batch.unread.release()

    def _close(self, batch: _Batch) -> None:
        """Let no more requests join a batch."""
        with self._lock:
            if self._gathering is batch:
                self._gathering = None

    def _find(self, batch: _Batch) -> None:
        ids = list(batch.ids)
        if len(ids) == 1:
            documents = self._find_in_one_reply({self._id_field: ids[0]}, limit=1)
            batch.found = dict(zip(ids, documents, strict=False))  # of one id and one document, or none
            batch.is_complete = True
        else:
            documents = self._find_in_one_reply({self._id_field: {"$in": ids}}, limit=len(ids))
            by_id = [(document[self._id_field], document) for document in reversed(documents)]  # the first one counts
            batch.found = {sid: document for sid, document in by_id if isinstance(sid, str)}

    def _find_in_one_reply(self, query: dict[str, Any], limit: int) -> list[RawBSONDocument]:
        """Return the documents that MongoDB sends in one reply, its first batch: all of them, or 16 MB.

        This is the command that ``find`` sends, without the cursor that takes a quarter of its time.
        """
        collection = self._collection
        command = {"find": collection.name, "filter": query, "limit": limit, "batchSize": limit, "singleBatch": True}
        if collection.read_concern.document:
            command["readConcern"] = collection.read_concern.document
        reply = collection.database.command(
            command, read_preference=collection.read_preference, codec_options=collection.codec_options
        )
        documents: list[RawBSONDocument] = reply["cursor"]["firstBatch"]
        return documents


class _Batch:
    """The sessions that one command reads."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.found: dict[str, RawBSONDocument] = {}
        self.is_complete = False  # what was not found is not there
        self.unread = Lock()  # held until they are read
        self.unread.acquire()


def _wait(lock: Any, seconds: float) -> bool:
    """Wait until a lock is released. Return ``False`` if that takes longer."""
    is_released: bool = lock.acquire(timeout=seconds)
    if is_released:
        lock.release()
    return is_released
