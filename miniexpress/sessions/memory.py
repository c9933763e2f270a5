"""Sessions in this process's memory: for development and tests. After express-session 1.19's ``session/memory.js``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import NoneType
from typing import Any, NamedTuple

from ..attrdict import AttrDict
from ..http.json_text import date_json, parse, stringify
from ..keyword_options import suggests_keywords
from .cookie import read_expires, read_max_age
from .store import Document, Store, Stored
from .values import naming_key


class MemoryStore(Store):
    """Keeps sessions as JSON, so that what is read is never what another request is changing. Lost with the process."""

    @suggests_keywords
    def __init__(self) -> None:
        self._sessions: dict[str, _Kept] = {}

    def get(self, sid: str) -> Document | None:
        stored = self._load(sid)
        return stored and stored.document

    def load_stored(self, sid: str) -> Stored | None:
        """Read a session as ``get`` does; by another ``get``, where a subclass or an app has put one in its place."""
        is_ours = getattr(self.get, "__func__", None) is MemoryStore.get
        return self._load(sid) if is_ours else super().load_stored(sid)

    def _load(self, sid: str) -> Stored | None:
        kept = self._sessions.get(sid)
        if kept is None:
            return None
        if kept.has_expired():
            with self._lock:
                if self._sessions.get(sid) is kept:  # unless another request has made it last longer meanwhile
                    del self._sessions[sid]
            return None
        return Stored(kept.document(), text=kept.text)

    def get_even_expired(self, sid: str) -> Document | None:
        kept = self._sessions.get(sid)
        return kept and {**json.loads(kept.text), "cookie": kept.cookie}  # nobody reads it by attributes

    def set(self, sid: str, document: Document) -> None:
        self._write(sid, document)

    def _write(self, sid: str, document: Document) -> None:
        data = {**document}
        cookie = data.pop("cookie", None)
        with naming_key(document, stringify):
            self._sessions[sid] = _Kept(stringify(data), _as_json(cookie))

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        cookie = _as_json(document["cookie"])
        with self._lock:
            kept = self._sessions.get(sid)
            if kept is not None and _max_age(kept.cookie) == _max_age(cookie):
                self._sessions[sid] = _Kept(kept.text, cookie)

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

    text: str
    cookie: Any

    def document(self) -> Document:
        document: dict[str, Any] = parse(self.text)
        document["cookie"] = AttrDict(self.cookie) if isinstance(self.cookie, dict) else None
        return document

    def has_expired(self) -> bool:
        expires = read_expires(self.cookie.get("expires")) if isinstance(self.cookie, dict) else None
        return isinstance(expires, datetime) and expires <= datetime.now(UTC)


def _as_json(value: Any) -> Any:
    """Return a cookie, or an attribute of one, as JSON keeps it: a date becomes its text."""
    if isinstance(value, dict):
        return {key: each if type(each) in _JSON_SCALARS else _as_json(each) for key, each in value.items()}
    return date_json(value) if isinstance(value, datetime) else parse(stringify(value))


def _max_age(cookie: Any) -> float | None:
    return read_max_age(cookie.get("originalMaxAge")) if isinstance(cookie, dict) else None


_JSON_SCALARS = (str, bool, int, NoneType)
