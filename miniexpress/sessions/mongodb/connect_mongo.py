"""Sessions in MongoDB as text, in the documents of npm connect-mongo 6: ``{_id, expires, session: '{"cookie":…}'}``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from ...attrdict import AttrDict
from ...http.json_text import stringify as json_of
from ..changes import Changes
from ..store import Document
from .documents import session_in_text
from .store import MongoDBStore


class ConnectMongoStore(MongoDBStore):
    """The store that ``MongoDBStore(stringify=True)`` makes.

    MongoDB sees no fields in a text, so a session is written whole: in one command if it is still the text that the
    request has read, and else with the session's lock held.
    """

    stringify = True
    _written_field = "session"

    def _update_as_loaded(self, sid: str, changes: Changes) -> bool:
        if changes.source is None:
            return False
        as_loaded = {**self._session_lock.unlocked_filter(sid), "session": changes.source}
        document = self._session_of(as_loaded)
        return bool(document and self.collection.update_one(as_loaded, self._apply(document, changes)).matched_count)

    def _update_whatever_changed(self, sid: str, changes: Changes) -> bool:
        return self._update_locked(sid, changes)

    def _where(self, path: str, value: Any) -> NoReturn:
        raise TypeError("a MongoDBStore(stringify=True) keeps its sessions as text, and has no fields to ask for")

    def _session_of(self, fields: Mapping[str, Any]) -> AttrDict | None:
        return session_in_text(fields)

    def _source_of(self, fields: Mapping[str, Any]) -> Any:
        return fields["session"]

    def _encode(self, document: Document) -> str:
        return json_of(document)

    def _has_max_age(self, max_age: float | None) -> dict[str, Any]:
        begin = re.escape(json_of({"cookie": {"originalMaxAge": max_age}})[:-2])  # as nearly all texts begin
        return {"session": {"$regex": f"^{begin}[,}}]"}}

    def _fields_of_cookie(self, cookie: Document) -> dict[str, Any]:
        return {}  # connect-mongo, too, leaves the text alone and moves the end only

    def _check_value(self, value: Any) -> str:
        return json_of(value)


MongoDBStore.text_store = ConnectMongoStore
