"""Sessions in this process's memory: for development and tests. After express-session 1.19's ``session/memory.js``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, NamedTuple

from ..attrdict import AttrDict
from ..http.json_text import parse, stringify
from ..keyword_options import suggests_keywords
from .cookie import read_expires, read_max_age
from .store import Document, Store
from .values import naming_key


class MemoryStore(Store):
    """Keeps sessions as JSON, so that what is read is never what another request is changing. Lost with the process."""

    @suggests_keywords
    def __init__(self) -> None:
        self._sessions: dict[str, _Kept] = {}

    def get(self, sid: str) -> Document | None:
        with self._lock:
            document = self.get_even_expired(sid)
            if document is not None and _has_expired(document):
                del self._sessions[sid]
                return None
            return document

    def get_even_expired(self, sid: str) -> Document | None:
        kept = self._sessions.get(sid)
        if kept is None:
            return None
        document: dict[str, Any] = parse(kept.data)
        document["cookie"] = AttrDict(kept.cookie) if isinstance(kept.cookie, Mapping) else None
        return document

    def set(self, sid: str, document: Document) -> None:
        self._write(sid, document)

    def _write(self, sid: str, document: Document) -> None:
        data = {key: value for key, value in document.items() if key != "cookie"}
        with naming_key(document, stringify):
            self._sessions[sid] = _Kept(stringify(data), _as_json(document.get("cookie")))

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        with self._lock:
            kept, cookie = self._sessions.get(sid), document["cookie"]
            if kept is not None and kept.cookie != cookie and _max_age(kept.cookie) == _max_age(cookie):
                self._sessions[sid] = _Kept(kept.data, _as_json(cookie))

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


class _Kept(NamedTuple):
    """A session: its data as JSON, and apart from it its cookie, so that ``touch`` need not write the data anew."""

    data: str
    cookie: Any


def _as_json(cookie: Any) -> Any:
    """Return a cookie as JSON keeps it, with its date as text."""
    if isinstance(cookie, dict):
        return {key: value if type(value) in _JSON_SCALARS else _as_json(value) for key, value in cookie.items()}
    return parse(stringify(cookie))


def _has_expired(document: Document) -> bool:
    expires = read_expires(document["cookie"].get("expires"))
    return isinstance(expires, datetime) and expires <= datetime.now(UTC)


def _max_age(cookie: Any) -> float | None:
    return read_max_age(cookie.get("originalMaxAge")) if isinstance(cookie, Mapping) else None


_JSON_SCALARS = (str, bool, int, NoneType)
