"""Sessions in this process's memory: for development and tests. After express-session 1.19's ``session/memory.js``."""

from __future__ import annotations

from datetime import UTC, datetime

from ..http.json_text import parse, stringify
from .changes import Changes
from .cookie import read_expires
from .store import Document, Store
from .values import naming_key


class MemoryStore(Store):
    """Keeps sessions as JSON, so that what is read is never what another request is changing. Lost with the process."""

    def __init__(self) -> None:
        self._sessions: dict[str, str] = {}

    def get(self, sid: str) -> Document | None:
        with self._lock:
            document = self._read(sid)
            if document is not None and _has_expired(document):
                del self._sessions[sid]
                return None
            return document

    def set(self, sid: str, document: Document) -> None:
        with self._lock:
            self._write(sid, document)

    def update(self, sid: str, changes: Changes) -> bool:
        with self._lock:
            document = self._read(sid)
            if document is None:
                return False
            self._write(sid, changes.apply_to(document))
            return True

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        with self._lock:
            latest = self._read(sid)
            if latest is None:
                return None
            document = changes.apply_to(latest)
            self.set(new_sid, document)
            self.set_successor(sid, new_sid)
            self.destroy(sid)
            return document

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        with self._lock:
            kept, cookie = self._read(sid), document["cookie"]
            if kept is not None and kept["cookie"].get("originalMaxAge") == cookie.get("originalMaxAge"):
                self._write(sid, {**kept, "cookie": cookie})

    def destroy(self, sid: str) -> None:
        with self._lock:
            self._sessions.pop(sid, None)

    def all(self) -> dict[str, Document]:
        """Return the sessions that have not expired, by id."""
        with self._lock:
            documents = {sid: self.get(sid) for sid in list(self._sessions)}
        return {sid: document for sid, document in documents.items() if document is not None}

    def length(self) -> int:
        """Return how many sessions have not expired."""
        return len(self.all())

    def clear(self) -> None:
        """Remove all sessions."""
        with self._lock:
            self._sessions.clear()

    def _read(self, sid: str) -> Document | None:
        """Return a session, expired or not: one that expires during a request can still be saved, as in Node."""
        text = self._sessions.get(sid)
        return None if text is None else parse(text)

    def _write(self, sid: str, document: Document) -> None:
        with naming_key(document, stringify):
            self._sessions[sid] = stringify(document)


def _has_expired(document: Document) -> bool:
    expires = read_expires(document["cookie"].get("expires"))
    return isinstance(expires, datetime) and expires <= datetime.now(UTC)
