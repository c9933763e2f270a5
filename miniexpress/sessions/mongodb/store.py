"""Sessions in MongoDB, in the documents of npm connect-mongodb-session 5: Express reads and writes them too."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import Thread, local
from typing import Any, Literal, NoReturn

import bson
import pymongo
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import ReadPreference
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from ...attrdict import AttrDict
from ...errors import HTTPError
from ...http.json_text import stringify as json_of
from ...keyword_options import suggests_keywords
from ..changes import Changes
from ..cookie import read_expires, read_max_age, time_after
from ..store import LATE, Document, RecentlyTouched, Store
from ..values import naming_key, storable
from .documents import AS_BYTES, decode, has_passed, session_codec, session_in_text, session_of, settle
from .ping import responds
from .session_lock import LOCKED_BY, SessionLock
from .updates import MAX_AGE, dotted_update, pipeline_update, with_nulls

log = logging.getLogger("miniexpress.sessions")


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
            _check(name, value, str, "a string that is not empty", bool)
        for name, value in {"id_field": id_field, "expires_key": expires_key}.items():
            _check(name, value, str, "the name of a field of its own, with no '.' and no '$'", _FIELD.fullmatch)
        if id_field == expires_key:
            raise TypeError(f"MongoDBStore(id_field and expires_key=…) are two fields, not both {id_field!r}")
        _check("database_name", database_name, str | None, "a string or None")
        _check("connection_options", connection_options, Mapping | None, "a dict of pymongo.MongoClient's options")
        _check("stringify", stringify, bool, "True or False")
        seconds = "a number of seconds, below 2 ** 31"
        _check("expires_after_seconds", expires_after_seconds, int, seconds, range(2**31).__contains__)
        _check("client", client, pymongo.MongoClient | None, "a pymongo.MongoClient")
        self.expires = _duration("expires", expires)
        self.touch_after = _duration("touch_after", touch_after)
        self.stringify = stringify
        self._session_of = session_in_text if stringify else session_of
        self.id_field = id_field
        self.expires_key = expires_key
        self.expires_after_seconds = expires_after_seconds
        with _refused("uri or connection_options"):
            self.client = client or _connect(uri, connection_options or {})
        with _refused("database_name"):
            name = database_name or self.client.get_default_database("test").name
            as_attributes: Any = {"document_class": AttrDict, "tz_aware": True, "tzinfo": UTC}
            self.db = self.client.get_database(name, self.client.codec_options.with_options(**as_attributes))
        with _refused("collection"):
            self.collection = self.db.get_collection(
                collection, session_codec(self.db.codec_options), write_concern=_acknowledged(self.db.write_concern)
            )
        self._documents = self.collection.with_options(AS_BYTES)
        self._down: Literal["reading", "writing"] | None = None  # a server that is down for reads is down for writes
        self._indexed: set[str] = set()
        self._latest = local()
        latest = self._documents.with_options(read_preference=ReadPreference.PRIMARY)
        self._session_lock = SessionLock(latest, id_field, written_field="session" if stringify else expires_key)

    def get(self, sid: str) -> Document | None:
        kept = self._fetch(sid)
        if not kept:
            return None
        if self.stringify:
            self._latest.sid, self._latest.text = sid, kept.get("session")
        expires = kept.get(self.expires_key)
        if has_passed(expires):
            if isinstance(expires, datetime):
                with self.reached("writing"):  # unless another request has made it last longer meanwhile
                    self.collection.delete_one({self.id_field: sid, self.expires_key: expires})
            return None
        document = self._session_of(kept)
        if document and isinstance(expires, datetime) and self._is_recently_touched(document["cookie"], expires):
            return RecentlyTouched(document)
        return document

    def _fetch(self, sid: str) -> Mapping[str, Any] | None:
        with self.reached("reading"):
            try:
                kept = self.collection.find_one({self.id_field: sid})
                return kept and settle(kept)
            except (BSONError, ValueError, RecursionError):  # a document that Python cannot hold, unless this fails too
                found = self._documents.find_one({self.id_field: sid})
                return found and self._decode(found)

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
            in_one_step = self._update_text if self.stringify else self._update_dotted
            return in_one_step(sid, changes) or self._update_whole(sid, changes)

    def _update_dotted(self, sid: str, changes: Changes) -> bool:
        """Set each key by its path, in one command: the way of nearly every update."""
        dotted = dotted_update(changes, self.expires_key, self._expiry(changes.cookie))
        if dotted is None:
            return False
        as_loaded, update = dotted
        unlocked = self._session_lock.unlocked_filter(sid)
        return bool(self.collection.update_one({**unlocked, **as_loaded}, update).matched_count)

    def _update_text(self, sid: str, changes: Changes) -> bool:
        """Replace the text in one command, if it is still the one that this thread has read: nearly always."""
        if getattr(self._latest, "sid", None) != sid:
            return False
        as_read = {**self._session_lock.unlocked_filter(sid), "session": self._latest.text}
        document = self._session_of(as_read)
        return bool(document and self.collection.update_one(as_read, self._apply(document, changes)).matched_count)

    def _update_whole(self, sid: str, changes: Changes) -> bool:
        if not self.stringify:
            pipeline = pipeline_update(changes, self.expires_key, self._expiry(changes.cookie))
            try:
                while not self.collection.update_one(self._session_lock.unlocked_filter(sid), pipeline).matched_count:
                    if not self._session_lock.wait(sid):
                        return False
                return True
            except OperationFailure as error:
                if is_connection_error(error):
                    raise  # else it is a server that cannot do that

        def write(found: RawBSONDocument, while_locked: Mapping[str, Any]) -> int:
            return self.collection.update_one(while_locked, self._apply(self._session_in(found), changes)).matched_count

        with suppress(_NoSessionError):
            return bool(self._session_lock.update(sid, write))
        return False

    def _apply(self, document: Document, changes: Changes) -> dict[str, Any]:
        after = changes.apply_to(document)
        fields = {"session": self._encode(after), self.expires_key: self._expiry(after["cookie"])}
        return {"$set": fields, "$unset": {LOCKED_BY: ""}}

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        def move(found: RawBSONDocument, while_locked: Mapping[str, Any]) -> Document | None:
            after = changes.apply_to(self._session_in(found))
            was = found.get(_PREVIOUS_IDS)
            was = [*(was if isinstance(was, list) else []), sid][-_MAX_PREVIOUS_IDS:]
            self._upsert(new_sid, after, **{_PREVIOUS_IDS: was, _ROTATED_AT: datetime.now(UTC)})
            return after if self.collection.delete_one(while_locked).deleted_count else None

        with self.reached("writing"):
            moved = None
            with suppress(_NoSessionError):
                moved = self._session_lock.update(sid, move)
            if not moved:  # Remove what was put there, and no other session that has this id.
                self.collection.delete_one({self.id_field: new_sid, _PREVIOUS_IDS: sid})
            return moved

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        same = self._session_lock.unlocked_filter(sid)
        later: dict[str, Any] = {self.expires_key: self._expiry(document["cookie"])}
        max_age = read_max_age(document["cookie"].get("originalMaxAge"))
        if self.stringify:  # connect-mongo leaves the text alone too
            same["session"] = {"$regex": f'"originalMaxAge":{re.escape(json_of(max_age))}[,}}]'}
        else:
            same[MAX_AGE] = {"$eq": max_age}
            later["session.cookie"] = with_nulls(document["cookie"])
        with self.reached("writing"):
            if not self.collection.update_one(same, {"$set": later}).matched_count and self._session_lock.wait(sid):
                self.collection.update_one(same, {"$set": later})

    def destroy(self, sid: str) -> None:
        with self.reached("writing"):
            self.collection.delete_one({self.id_field: sid})

    def end(self, sid: str) -> None:
        with self.reached("writing"):
            self._ensure_index(_PREVIOUS_IDS, sparse=True)
            self.collection.delete_many({"$or": [{self.id_field: sid}, {_PREVIOUS_IDS: sid}]})

    def was_rotated(self, sid: str) -> bool:
        lately = {_PREVIOUS_IDS: sid, _ROTATED_AT: {"$gt": datetime.now(UTC) - LATE}}
        with self.reached("reading"):
            self._ensure_index(_PREVIOUS_IDS, sparse=True)
            return self.collection.find_one(lately, [self.id_field]) is not None

    def all(self) -> dict[str, Document]:
        """Return the sessions that have not expired, by id."""
        return self._find({})

    def length(self) -> int:
        """Return how many sessions have not expired."""
        with self.reached("reading"):
            return int(self.collection.count_documents(self._unexpired()))

    def clear(self) -> None:
        """Remove all sessions, and whatever else is in the collection."""
        with self.reached("writing"):
            self.collection.delete_many({})

    def sessions_where(self, path: str, value: Any) -> dict[str, Document]:
        """Return the sessions in which ``path``, as ``"user.email"``, is ``value``, by id. Create the index for it.

        Raises ``TypeError`` with ``stringify=True``, where MongoDB sees no fields.
        """
        return self._find(self._where(path, value) | self._unexpired())

    def destroy_where(self, path: str, value: Any) -> int:
        """Destroy the sessions that ``sessions_where`` finds, as for "log out everywhere"; expired ones too.

        Return how many there were.
        """
        where = self._where(path, value)
        with self.reached("writing"):
            return int(self.collection.delete_many(where).deleted_count)

    def _where(self, path: str, value: Any) -> dict[str, Any]:
        if self.stringify:
            raise TypeError("a MongoDBStore(stringify=True) keeps its sessions as text, and has no fields to ask for")
        if not isinstance(path, str) or not path:
            raise TypeError(f"the path of a session's field is a text such as 'user.email', not {path!r}")
        field = f"session.{path}"
        with self.reached("writing"):
            self._ensure_index(field)
        [kept] = storable({path: value}).values()
        return {field: {"$eq": kept, "$exists": True}}

    def _find(self, where: dict[str, Any]) -> dict[str, Document]:
        sessions: dict[str, Document] = {}
        with self.reached("reading"):
            for found in self._documents.find(where):
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
            raise _NoSessionError
        return session

    def _encode(self, document: Document) -> Document | str:
        return json_of(document) if self.stringify else {**document, "cookie": with_nulls(document["cookie"])}

    def _naming_key(self, values: Mapping[str, Any]) -> AbstractContextManager[None]:
        return naming_key(values, json_of if self.stringify else self._to_bson)

    def _to_bson(self, value: Any) -> bytes:
        return bson.encode({"": value}, codec_options=self.collection.codec_options)

    def _unexpired(self) -> dict[str, Any]:
        return {"$or": [{self.expires_key: {"$gt": datetime.now(UTC)}}, {self.expires_key: None}]}

    def _expiry(self, cookie: Document) -> datetime:
        """Return when a session expires, in the whole milliseconds that MongoDB keeps."""
        expires = read_expires(cookie.get("expires")) or time_after(self.expires)
        return expires.replace(microsecond=expires.microsecond // 1000 * 1000)

    def _is_recently_touched(self, cookie: Document, expires: datetime) -> bool:
        """Return whether a touch now would move ``expires`` by less than ``touch_after``, and so may wait."""
        age = read_max_age(cookie.get("originalMaxAge"))
        lasts = self.expires if age is None or age is False else timedelta(milliseconds=age)
        return timedelta(0) <= time_after(lasts) - expires < min(self.touch_after, lasts / 2)

    @contextmanager
    def reached(self, doing: Literal["reading", "writing"]) -> Iterator[None]:
        """Return a context manager for calls to MongoDB, also an app's own: bound their time, log an outage once.

        Raises ``HTTPError`` 503 in place of pymongo's errors.
        """
        if self._down and not self._any_server_responds():
            self._fail(doing, ConnectionFailure("nobody responds there"))
        try:
            with pymongo.timeout(_DOWN_TIMEOUT if self._down else _CALL_TIMEOUT):
                self._ensure_index(self.expires_key, expireAfterSeconds=self.expires_after_seconds)
                if self.id_field != "_id":
                    self._ensure_index(self.id_field)
                yield
        except PyMongoError as error:
            self._fail(doing, error)
        if self._down and (doing, self._down) != ("reading", "writing"):
            self._down = None
            log.warning("the session store is back")

    def _ensure_index(self, field: str, **options: Any) -> None:
        """Create an index, once; in the background if that takes longer than a request may wait."""
        if field in self._indexed:
            return
        try:
            with pymongo.timeout(_INDEX_TIMEOUT):
                self._create_index(field, options)
            self._indexed.add(field)
        except PyMongoError as error:
            if not error.timeout:
                raise
            self._indexed.add(field)
            Thread(target=self._create_index_in_background, args=(field, options), daemon=True).start()

    def _create_index(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self.collection.create_index(field, **options)
        except OperationFailure as error:
            if error.timeout or (is_connection_error(error) and error.code != _UNAUTHORIZED):
                raise
            # No right to create the index: go on without it.
            log.error("the index of %r, for the sessions, could not be made: %s", field, _reason(error))
            self.emit("error", error)

    def _create_index_in_background(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self._create_index(field, options)
        except PyMongoError:
            self._indexed.discard(field)  # the next request tries again

    def _fail(self, doing: Literal["reading", "writing"], error: PyMongoError) -> NoReturn:
        if not (self._down and is_connection_error(error)):
            log.error("the session store is not available: %s", _reason(error))
        if is_connection_error(error):
            self._down = doing if doing == "reading" else self._down or doing
        self.emit("error", error)
        raise HTTPError(503, f"the session store is not available: {_reason(error)}") from error

    def _any_server_responds(self) -> bool:
        """Return whether any server responds: asked while the store is down, so that no request waits in vain."""
        addresses = list(self.client.topology_description.server_descriptions())
        if not addresses:
            return True
        with ThreadPoolExecutor(len(addresses)) as pool:
            return any(pool.map(lambda address: responds(address[0], address[1], _PING_TIMEOUT), addresses))


def _connect(uri: str, options: Mapping[str, Any]) -> pymongo.MongoClient[Any]:
    """Return a client that connects when it is first used, and waits 1.2 seconds for a server.

    The URI and ``options`` take precedence.
    """
    said = {name.lower() for name in options} | set(re.findall(r"[?&;](\w+)=", uri.lower()))
    # A server that was lost is asked when a request needs it; a stream of its news would come only with the heartbeat.
    ours = {"serverSelectionTimeoutMS": 1200, "connectTimeoutMS": 1200, "serverMonitoringMode": "poll"}
    ours = {name: value for name, value in ours.items() if name.lower() not in said}
    return pymongo.MongoClient(uri, **{"connect": False, **ours, **options})


def _check(name: str, value: Any, kind: Any, description: str, is_good: Callable[[Any], Any] | None = None) -> None:
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool) or (is_good and not is_good(value)):
        raise TypeError(f"MongoDBStore({name}=…) takes {description}, not {value!r}")


@contextmanager
def _refused(names: str) -> Iterator[None]:
    """Raise a ``TypeError`` that names the option, in place of what pymongo raises for it."""
    try:
        yield
    except KeyError as error:
        raise TypeError(f"MongoDBStore({names}=…): pymongo does not know {error}") from error
    except (PyMongoError, ValueError, TypeError) as error:
        raise TypeError(f"MongoDBStore({names}=…): {error}") from error


def _duration(name: str, value: Any) -> timedelta:
    try:
        duration = value if isinstance(value, timedelta) else timedelta(milliseconds=value)
        time_after(duration)
    except (TypeError, ValueError, OverflowError):
        duration = timedelta.min
    _check(name, value, int | float | timedelta, "milliseconds or a timedelta", lambda _: duration >= timedelta(0))
    return duration


def _acknowledged(concern: WriteConcern) -> WriteConcern:
    """Return ``concern``, with ``w: 1`` if it does not acknowledge writes."""
    return concern if concern.acknowledged else WriteConcern(**{**concern.document, "w": 1})


class _NoSessionError(Exception):
    """Raised for a document that holds no session."""


def is_connection_error(error: PyMongoError) -> bool:
    """Return whether the server is down, and not just this call has failed."""
    return (
        isinstance(error, ConnectionFailure)
        or error.timeout
        or getattr(error, "code", None) in (_UNAUTHORIZED, _AUTHENTICATION_FAILED)
    )


def _reason(error: PyMongoError) -> str:
    """Return an error's message without the description of the whole cluster that pymongo adds."""
    return re.split(", (?:full error|Timeout|Topology Description):? ", str(error))[0]


_FIELD = re.compile(rf"(?!(?:session|{LOCKED_BY}|was|rotated)\Z)[\w -]+")
# Seconds. pymongo looks for a server every half second: what is between two looks is waited for too.
_CALL_TIMEOUT = 1.2
_DOWN_TIMEOUT = 0.8
_PING_TIMEOUT = 0.4
_INDEX_TIMEOUT = 0.4
_PREVIOUS_IDS, _ROTATED_AT = "was", "rotated"  # the ids that a session had before, and when it was given the last one
_MAX_PREVIOUS_IDS = 32  # ids: so many rotations may lie between the begin of a request and its logout
_UNAUTHORIZED, _AUTHENTICATION_FAILED = 13, 18  # in MongoDB's list of error codes
