"""Sessions in MongoDB, in the documents of npm connect-mongodb-session 5: Express reads and writes them too.

All calls go through ``Availability``, which bounds their time; requests read sessions through ``SharedReads``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, ClassVar, Self

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference
from pymongo.errors import OperationFailure

from ...attrdict import AttrDict
from ...keyword_options import suggests_keywords
from ..changes import Changes
from ..store import SUPERSEDED_FOR, Document, Store, Stored
from ..stored_cookie import read_expires, read_max_age, time_after
from ..values import naming_key, storable
from .availability import Availability, Doing
from .documents import AS_BYTES, decode, has_passed, session_codec, session_of
from .indexes import Indexes
from .mongodb_errors import is_connection_error
from .options import acknowledged, check, connect, duration_of, naming_option
from .session_lock import LOCKED_BY, SessionLock
from .shared_reads import SharedReads
from .updates import MAX_AGE, dotted_update, pipeline_update, with_nulls

_PREVIOUS_IDS, _ROTATED_AT = "was", "rotated"  # the ids that a session had before, and when it was given the last one
_OWN_FIELD = re.compile(rf"(?!(?:session|{LOCKED_BY}|{_PREVIOUS_IDS}|{_ROTATED_AT})\Z)[\w -]+")
_MAX_PREVIOUS_IDS = 32  # of one session: so many rotations may lie between the begin of a request and its logout


class MongoDBStore(Store):
    """Keeps each session as ``{_id, expires, session}`` in one collection, with a TTL index that clears away old ones.

    ``uri`` and ``database_name`` say where (the URI's own database by default), ``connection_options`` go to
    ``pymongo.MongoClient``, and ``client`` shares one that is there already. ``expires``, in milliseconds or as a
    timedelta, is how long a session without a max age is kept (2 weeks); a session that did not change is written at
    most once in ``touch_after``, to move its end, or once in half the time that it lasts if that is less. ``id_field``
    and ``expires_key`` name the fields; ``expires_after_seconds`` is how long MongoDB waits before it clears an expired
    one away. ``stringify`` keeps the session as text, in the documents of npm connect-mongo 6.

    A document that holds no session, whoever has written it, is none. ``client``, ``db`` and ``collection`` are
    pymongo's, with the options of the client, but for those that the documents need: writes are acknowledged, and dates
    are datetimes in UTC. While MongoDB cannot be reached, every call raises an ``HTTPError`` 503 within 2 seconds, and
    the listeners of ``error`` are told why. Raises ``TypeError`` for an option that cannot be.
    """

    text_store: ClassVar[type[MongoDBStore]]
    """The class for ``stringify=True``, a ``ConnectMongoStore``: its module, which imports this one, sets it."""

    def __new__(cls, *args: Any, stringify: bool = False, **options: Any) -> Self:
        chosen: type[Self] = _class_for_texts(cls) if stringify is True else cls  # type: ignore[arg-type]
        return super().__new__(chosen)

    @suggests_keywords
    def __init__(
        self,
        *,
        uri: str = "mongodb://127.0.0.1:27017/test",
        collection: str = "sessions",
        database_name: str | None = None,
        connection_options: Mapping[str, Any] | None = None,
        expires: float | timedelta = timedelta(weeks=2),
        touch_after: float | timedelta = 0,
        id_field: str = "_id",
        expires_key: str = "expires",
        expires_after_seconds: int = 0,
        stringify: bool = False,
        client: pymongo.MongoClient[Any] | None = None,
    ) -> None:
        for name, value in {"uri": uri, "collection": collection}.items():
            check(name, value, str, "a string that is not empty", bool)
        for name, value in {"id_field": id_field, "expires_key": expires_key}.items():
            check(name, value, str, "the name of a field of its own, with no '.' and no '$'", _OWN_FIELD.fullmatch)
        if id_field == expires_key:
            raise TypeError(f"MongoDBStore(id_field and expires_key=…) are two fields, not both {id_field!r}")
        check("database_name", database_name, str | None, "a string or None")
        check("connection_options", connection_options, Mapping | None, "a dict of pymongo.MongoClient's options")
        check("stringify", stringify, bool, "True or False")
        seconds = "a number of seconds, below 2 ** 31"
        check("expires_after_seconds", expires_after_seconds, int, seconds, range(2**31).__contains__)
        check("client", client, pymongo.MongoClient | None, "a pymongo.MongoClient")
        self.expires = duration_of("expires", expires)
        self.touch_after = duration_of("touch_after", touch_after)
        self.id_field = id_field
        self.expires_key = expires_key
        self.expires_after_seconds = expires_after_seconds
        with naming_option("uri or connection_options"):
            self.client = client or connect(uri, connection_options or {})
        with naming_option("database_name"):
            name = database_name or self.client.get_default_database("test").name
            as_attributes: Any = {"document_class": AttrDict, "tz_aware": True, "tzinfo": UTC}
            self.db = self.client.get_database(name, self.client.codec_options.with_options(**as_attributes))
        with naming_option("collection"):
            self.collection = self.db.get_collection(
                collection, session_codec(self.db.codec_options), write_concern=acknowledged(self.db.write_concern)
            )
        self._collection_as_bytes = self.collection.with_options(AS_BYTES)
        self._reads = SharedReads(self._collection_as_bytes, id_field)
        tell = partial(self.emit, "error")
        self._indexes = Indexes(self.collection, on_failure=tell)
        self._availability = Availability(self.client, ensure_indexes=self._ensure_indexes, on_error=tell)
        primary = self._collection_as_bytes.with_options(read_preference=ReadPreference.PRIMARY)
        self._session_lock = SessionLock(primary, id_field, self._written_field)

    def get(self, sid: str) -> Document | None:
        stored = self._load(sid)
        return stored and stored.document

    def load_stored(self, sid: str) -> Stored | None:
        """Read a session as ``get`` does; by the ``get`` of a subclass that defines one."""
        return self._load(sid) if type(self).get is MongoDBStore.get else super().load_stored(sid)

    def _load(self, sid: str) -> Stored | None:
        fields = self._fetch(sid)
        if not fields:
            return None
        expires = fields.get(self.expires_key)
        if has_passed(expires):
            if isinstance(expires, datetime):
                with self.reached("writing"):  # unless another request has made it last longer meanwhile
                    self.collection.delete_one({self.id_field: sid, self.expires_key: expires})
            return None
        document = self._session_of(fields)
        if document is None:
            return None
        recently_touched = isinstance(expires, datetime) and self._is_recently_touched(document["cookie"], expires)
        return Stored(document, recently_touched, source=self._source_of(fields))

    def _fetch(self, sid: str) -> Mapping[str, Any] | None:
        with self.reached("reading"):
            found = self._reads.find_one(sid)
        return None if found is None else self._decode(found)

    def set(self, sid: str, document: Document) -> None:
        self._upsert(sid, document)

    def _upsert(self, sid: str, document: Document, **beside: Any) -> None:
        with self.reached("writing"), self._naming_key(document):
            fields = {
                self.id_field: sid,
                "session": self._encode(document),
                self.expires_key: self._expiry(document["cookie"]),
                **beside,
            }
            self.collection.update_one({self.id_field: sid}, {"$set": fields}, upsert=True)

    def update(self, sid: str, changes: Changes) -> bool:
        """Change the items of a session in one atomic step. Return ``False`` if there is no such session any more."""
        with self.reached("writing"), self._naming_key({**changes.added, **changes.changed}):
            return self._update_as_loaded(sid, changes) or self._update_whatever_changed(sid, changes)

    def _update_as_loaded(self, sid: str, changes: Changes) -> bool:
        """Set each key by its path, unless other requests have changed the same: the way of nearly every update."""
        dotted = dotted_update(changes, self.expires_key, self._expiry(changes.cookie))
        if dotted is None:
            return False
        as_loaded, update = dotted
        unlocked = self._session_lock.unlocked_filter(sid)
        return bool(self.collection.update_one({**unlocked, **as_loaded}, update).matched_count)

    def _update_whatever_changed(self, sid: str, changes: Changes) -> bool:
        """Merge the changes into the document as it is now, by a pipeline where the server has them."""
        pipeline = pipeline_update(changes, self.expires_key, self._expiry(changes.cookie))
        try:
            while not self.collection.update_one(self._session_lock.unlocked_filter(sid), pipeline).matched_count:
                if not self._session_lock.wait(sid):
                    return False
            return True
        except OperationFailure as error:
            if is_connection_error(error):
                raise
            return self._update_locked(sid, changes)  # a server that cannot do that

    def _update_locked(self, sid: str, changes: Changes) -> bool:
        def write(found: RawBSONDocument, unchanged_filter: Mapping[str, Any]) -> int:
            return self.collection.update_one(
                unchanged_filter, self._apply(self._session_in(found), changes)
            ).matched_count

        with suppress(NoSessionError):
            return bool(self._session_lock.while_locked(sid, write))
        return False

    def _apply(self, document: Document, changes: Changes) -> dict[str, Any]:
        after = changes.apply_to(document)
        fields = {"session": self._encode(after), self.expires_key: self._expiry(after["cookie"])}
        return {"$set": fields, "$unset": {LOCKED_BY: ""}}

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        """Move a session to another id, with changes. Return its document, or ``None`` if there is no such session.

        It is put under the new id, with the old one in ``was``, before it is deleted under the old id. So whoever ends
        it meanwhile either finds it under one of them, or has deleted it: then the delete here matches nothing, and
        what was put under the new id is removed.
        """

        def move(found: RawBSONDocument, unchanged_filter: Mapping[str, Any]) -> Document | None:
            after = changes.apply_to(self._session_in(found))
            known = found.get(_PREVIOUS_IDS)
            previous_ids = [*(known if isinstance(known, list) else []), sid][-_MAX_PREVIOUS_IDS:]
            self._upsert(new_sid, after, **{_PREVIOUS_IDS: previous_ids, _ROTATED_AT: datetime.now(UTC)})
            return after if self.collection.delete_one(unchanged_filter).deleted_count else None

        with self.reached("writing"):
            moved = None
            with suppress(NoSessionError):
                moved = self._session_lock.while_locked(sid, move)
            if not moved:  # Remove what was put there, and no other session that has this id.
                self.collection.delete_one({self.id_field: new_sid, _PREVIOUS_IDS: sid})
            return moved

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        cookie = document["cookie"]
        max_age = read_max_age(cookie.get("originalMaxAge"))
        as_usual = {**self._session_lock.unlocked_filter(sid), **self._has_max_age(max_age)}
        later = {"$set": {self.expires_key: self._expiry(cookie), **self._fields_of_cookie(cookie)}}

        def move_end(found: RawBSONDocument, unchanged_filter: Mapping[str, Any]) -> int:
            if read_max_age(self._session_in(found)["cookie"].get("originalMaxAge")) != max_age:
                raise NoSessionError
            return self.collection.update_one(unchanged_filter, later | {"$unset": {LOCKED_BY: ""}}).matched_count

        with self.reached("writing"), suppress(NoSessionError):
            if not self.collection.update_one(as_usual, later).matched_count:
                self._session_lock.while_locked(sid, move_end)

    def destroy(self, sid: str) -> None:
        with self.reached("writing"):
            self.collection.delete_one({self.id_field: sid})

    def end(self, sid: str) -> None:
        """Delete a session under this id, and then under each that ``rotate`` has moved it to.

        Not by one command: a rotation may come between its looks at the two documents, and in the other order it would
        be missed.
        """
        with self.reached("writing"):
            self._indexes.ensure(_PREVIOUS_IDS, sparse=True)
            self.collection.delete_one({self.id_field: sid})
            self.collection.delete_many({_PREVIOUS_IDS: sid})

    def was_rotated(self, sid: str) -> bool:
        lately = {_PREVIOUS_IDS: sid, _ROTATED_AT: {"$gt": datetime.now(UTC) - SUPERSEDED_FOR}}
        with self.reached("reading"):
            self._indexes.ensure(_PREVIOUS_IDS, sparse=True)
            return self.collection.find_one(lately, [self.id_field]) is not None

    def all(self) -> dict[str, Document]:
        """Return the sessions that have not expired, by id."""
        return self._find({})

    def length(self) -> int:
        """Return how many sessions have not expired."""
        return len(self.all())

    def clear(self) -> None:
        """Remove all sessions, and whatever else is in the collection."""
        with self.reached("writing"):
            self.collection.delete_many({})

    def sessions_where(self, path: str, value: Any) -> dict[str, Document]:
        """Return the sessions in which ``path``, as ``"user.email"``, is ``value``, by id. Create the index for it.

        Raises ``TypeError`` with ``stringify=True``, where MongoDB sees no fields.
        """
        return self._find({"$or": [self._where(path, value)]})  # nx-27017 takes several conditions in $or only

    def destroy_where(self, path: str, value: Any) -> int:
        """Destroy the sessions that ``sessions_where`` finds, as for "log out everywhere"; expired ones too.

        Return how many there were.
        """
        where = self._where(path, value)
        with self.reached("writing"):
            return int(self.collection.delete_many(where).deleted_count)

    def _where(self, path: str, value: Any) -> dict[str, Any]:
        if not isinstance(path, str) or not path:
            raise TypeError(f"the path of a session's field is a text such as 'user.email', not {path!r}")
        field = f"session.{path}"
        with self.reached("writing"):
            self._indexes.ensure(field)
        [kept] = storable({path: value}).values()
        return {field: {"$eq": kept, "$exists": True}}

    def _find(self, where: dict[str, Any]) -> dict[str, Document]:
        """Return the sessions that match and have not expired, by id."""
        sessions: dict[str, Document] = {}
        with self.reached("reading"):
            for found in self._collection_as_bytes.find(where):
                kept = self._decode(found)
                session, sid = self._session_of(kept), kept.get(self.id_field)
                if session and isinstance(sid, str) and not has_passed(kept.get(self.expires_key)):
                    sessions[sid] = session
        return sessions

    def _decode(self, found: RawBSONDocument) -> Mapping[str, Any]:
        return decode(found, self.collection.codec_options)

    def _session_in(self, found: RawBSONDocument) -> Document:
        session = self._session_of(self._decode(found))
        if session is None:
            raise NoSessionError
        return session

    def _naming_key(self, values: Mapping[str, Any]) -> AbstractContextManager[None]:
        return naming_key(values, self._check_value)

    def _expiry(self, cookie: Document) -> datetime:
        """Return when a session expires, in the whole milliseconds that MongoDB keeps."""
        expires = read_expires(cookie.get("expires")) or time_after(self.expires)
        return expires.replace(microsecond=expires.microsecond // 1000 * 1000)

    def _is_recently_touched(self, cookie: Document, expires: datetime) -> bool:
        """Return whether a touch now would move ``expires`` by less than ``touch_after``, and so may wait."""
        age = read_max_age(cookie.get("originalMaxAge"))
        lasts = self.expires if age is None or age is False else timedelta(milliseconds=age)
        return timedelta(0) <= time_after(lasts) - expires < min(self.touch_after, lasts / 2)

    def reached(self, doing: Doing) -> AbstractContextManager[None]:
        """Return a context manager for calls to MongoDB, also an app's own: bound their time, log an outage once.

        Raises ``HTTPError`` 503 in place of pymongo's errors.
        """
        return self._availability.reached(doing)

    def _ensure_indexes(self) -> None:
        self._indexes.ensure(self.expires_key, expireAfterSeconds=self.expires_after_seconds)
        if self.id_field != "_id":
            self._indexes.ensure(self.id_field)

    # How a session stands in its document: a ConnectMongoStore has it otherwise.

    stringify = False

    @property
    def _written_field(self) -> str:
        """The field that changes whenever Node writes."""
        return self.expires_key

    def _session_of(self, fields: Mapping[str, Any]) -> AttrDict | None:
        return session_of(fields)

    def _source_of(self, fields: Mapping[str, Any]) -> Any:
        return None

    def _encode(self, document: Document) -> Document | str:
        return {**document, "cookie": with_nulls(document["cookie"])}

    def _has_max_age(self, max_age: float | None) -> dict[str, Any]:
        """Return the filter that nearly all sessions with this ``originalMaxAge`` match, and no other does."""
        return {MAX_AGE: {"$eq": max_age}}

    def _fields_of_cookie(self, cookie: Document) -> dict[str, Any]:
        return {"session.cookie": with_nulls(cookie)}

    def _check_value(self, value: Any) -> Any:
        return bson.encode({"": value}, codec_options=self.collection.codec_options)


@cache
def _class_for_texts(store: Any) -> Any:
    """Return the class of a ``MongoDBStore(stringify=True)``, or of a subclass of it that was made so."""
    texts = MongoDBStore.text_store
    if issubclass(store, texts):
        return store
    return texts if store is MongoDBStore else type(store.__name__, (store, texts), {})


class NoSessionError(Exception):
    """Raised for a document that holds no session."""
