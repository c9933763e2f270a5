"""Sessions in this process's memory: for development and tests. After express-session 1.19's ``session/memory.js``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, NamedTuple

from ..attrdict import AttrDict
from ..http.json_text import date_json, parse, stringify
from ..keyword_options import suggests_keywords
from .store import Document, Store, Stored
from .stored_cookie import read_expires, read_max_age
from .values import raise_naming_key

_JSON_SCALARS = (str, bool, int, NoneType)
# The store's own text has no blanks around it: so raw_decode reads all of it, and has less to do.
_decode = json.JSONDecoder(object_hook=AttrDict).raw_decode
_decode_plain = json.JSONDecoder().raw_decode


class MemoryStore(Store):
    """Keeps sessions as JSON, so that what is read is never what another request is changing. Lost with the process."""

    @suggests_keywords
    def __init__(self) -> None:
        self._sessions: dict[str, _Kept] = {}

    def get(self, sid: str) -> Document | None:
        kept = self._find(sid)
        return kept and kept.document(kept.cookie_as_json())

    def load_stored(self, sid: str) -> Stored | None:
        """Read a session as ``get`` does; by another ``get``, where a subclass or an app has put one in its place."""
        if getattr(self.get, "__func__", None) is not MemoryStore.get:
            return super().load_stored(sid)
        kept = self._find(sid)
        return kept and Stored(kept.document({**kept.cookie}), source=kept, text=kept.text)

    def _find(self, sid: str) -> _Kept | None:
        """Return a session that has not expired; ``None`` for a document whose cookie is none, which is no session."""
        kept = self._sessions.get(sid)
        if kept is None or not isinstance(kept.cookie, dict):
            return None
        if not kept.has_expired():
            return kept
        with self._lock:
            if self._sessions.get(sid) is kept:  # unless another request has made it last longer meanwhile
                del self._sessions[sid]
        return None

    def get_even_expired(self, sid: str) -> Document | None:
        kept = self._sessions.get(sid)
        return kept and {**_decode_plain(kept.text)[0], "cookie": kept.cookie}  # nobody reads it by attributes

    def set(self, sid: str, document: Document) -> None:
        self._write(sid, document)

    def replace_text(self, sid: str, source: Any, text: str, cookie: Mapping[str, Any]) -> bool:
        """Replace a session that is as it was loaded; not where a subclass or an app has its own ``update``."""
        if getattr(self.update, "__func__", None) is not Store.update:
            return False
        with self.transaction():
            kept = self._sessions.get(sid)
            if kept is not source and not (kept and kept.is_like(source)):
                return False
            try:
                self._sessions[sid] = _Kept(text, source.cookie if source.cookie == cookie else _copy_of_cookie(cookie))
            except Exception as error:
                raise_naming_key(error, {"cookie": cookie}, stringify)
                raise
            return True

    def _write(self, sid: str, document: Document) -> None:
        data = {**document}
        cookie = data.pop("cookie", None)
        try:
            self._sessions[sid] = _Kept(stringify(data), _copy_of_cookie(cookie))
        except Exception as error:
            raise_naming_key(error, document, stringify)
            raise

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        cookie = document["cookie"]
        with self._lock:
            kept = self._sessions.get(sid)
            if kept is None or kept.cookie == cookie:  # nothing to do, or a session without an end
                return
            if _max_age(kept.cookie) == _max_age(cookie):
                self._sessions[sid] = _Kept(kept.text, _copy_of_cookie(cookie))

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
    """A session: its data as JSON, and apart from it its cookie, so that ``touch`` need not write the data anew.

    The cookie is as JSON has it, but that times in UTC stay datetimes until somebody asks for the document: each
    request reads and moves its end.
    """

    text: str
    cookie: Any

    def document(self, cookie: dict[str, Any]) -> AttrDict:
        document: AttrDict = _decode(self.text)[0]
        document["cookie"] = cookie
        return document

    def cookie_as_json(self) -> AttrDict:
        """Return a copy of the cookie as JSON has it, at any depth."""
        changed = {key: _as_json(each) for key, each in self.cookie.items() if type(each) not in _JSON_SCALARS}
        return AttrDict(self.cookie | changed)

    def is_like(self, other: _Kept) -> bool:
        """Return whether both are the same session, which a request may have touched."""
        is_same = self.text == other.text and isinstance(self.cookie, dict)
        return is_same and _max_age(self.cookie) == _max_age(other.cookie)

    def has_expired(self) -> bool:
        expires = read_expires(self.cookie.get("expires"))
        return isinstance(expires, datetime) and expires <= datetime.now(UTC)


def _copy_of_cookie(cookie: Any) -> Any:
    if not isinstance(cookie, dict):
        return parse(stringify(cookie))
    return {key: each if type(each) in _JSON_SCALARS else _copy_of_attribute(each) for key, each in cookie.items()}


def _copy_of_attribute(value: Any) -> Any:
    return value if isinstance(value, datetime) and value.tzinfo is UTC else parse(stringify(value))


def _as_json(value: Any) -> Any:
    return date_json(value) if isinstance(value, datetime) else parse(stringify(value))


def _max_age(cookie: Any) -> float | None:
    return read_max_age(cookie.get("originalMaxAge")) if isinstance(cookie, dict) else None
