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
from ..store import LATE, Document, Fresh, Store
from ..values import naming_key, storable
from .documents import AS_BYTES, decode, has_passed, session_codec, session_in_text, session_of, settle
from .ping import answers
from .session_lock import HELD, Holds
from .updates import MAX_AGE, as_paths, as_pipeline, with_nulls

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
        self._lost: Literal["reading", "writing"] | None = None  # who cannot be read cannot be written either
        self._indexed: set[str] = set()
        self._latest = local()
        latest = self._documents.with_options(read_preference=ReadPreference.PRIMARY)
        self._holds = Holds(latest, id_field, seen="session" if stringify else expires_key)

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
        if document and isinstance(expires, datetime) and self._is_fresh(document["cookie"], expires):
            return Fresh(document)
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
        self._put(sid, document)

    def _put(self, sid: str, document: Document, **beside: Any) -> None:
        with self.reached("writing"), self._naming_key(document):
            fields = {
                self.id_field: sid,
                "session": self._written(document),
                self.expires_key: self._expiry(document["cookie"]),
                **beside,
            }
            self.collection.update_one({self.id_field: sid}, {"$set": fields}, upsert=True)

    def update(self, sid: str, changes: Changes) -> bool:
        """Change the items of a session, all in one atomic step; ``False`` where there is no such session any more."""
        with self.reached("writing"), self._naming_key({**changes.added, **changes.changed}):
            in_one_step = self._update_text if self.stringify else self._update_paths
            return in_one_step(sid, changes) or self._update_whole(sid, changes)

    def _update_paths(self, sid: str, changes: Changes) -> bool:
        """The way of nearly every update."""
        paths = as_paths(changes, self.expires_key, self._expiry(changes.cookie))
        return bool(paths and self.collection.update_one({**self._holds.free(sid), **paths[0]}, paths[1]).matched_count)

    def _update_text(self, sid: str, changes: Changes) -> bool:
        """The way of nearly every update of a text: where it is still the one that this thread has read."""
        if getattr(self._latest, "sid", None) != sid:
            return False
        as_read = {**self._holds.free(sid), "session": self._latest.text}
        document = self._session_of(as_read)
        return bool(document and self.collection.update_one(as_read, self._onto(document, changes)).matched_count)

    def _update_whole(self, sid: str, changes: Changes) -> bool:
        if not self.stringify:
            pipeline = as_pipeline(changes, self.expires_key, self._expiry(changes.cookie))
            try:
                while not self.collection.update_one(self._holds.free(sid), pipeline).matched_count:
                    if not self._holds.comes_free(sid):
                        return False
                return True
            except OperationFailure as error:
                if _is_loss(error):
                    raise  # else it is a server that cannot do that

        def write(found: RawBSONDocument, as_held: Mapping[str, Any]) -> int:
            return self.collection.update_one(as_held, self._onto(self._session_in(found), changes)).matched_count

        with suppress(_NoSessionError):
            return bool(self._holds.write(sid, write))
        return False

    def _onto(self, document: Document, changes: Changes) -> dict[str, Any]:
        after = changes.onto(document)
        fields = {"session": self._written(after), self.expires_key: self._expiry(after["cookie"])}
        return {"$set": fields, "$unset": {HELD: ""}}

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        def move(found: RawBSONDocument, as_held: Mapping[str, Any]) -> Document | None:
            after = changes.onto(self._session_in(found))
            was = found.get(_WAS)
            was = [*(was if isinstance(was, list) else []), sid][-_MOST_REMEMBERED:]
            self._put(new_sid, after, **{_WAS: was, _ROTATED: datetime.now(UTC)})
            return after if self.collection.delete_one(as_held).deleted_count else None

        with self.reached("writing"):
            moved = None
            with suppress(_NoSessionError):
                moved = self._holds.write(sid, move)
            if not moved:  # nor stays what has been put there; another session, which is there already, does
                self.collection.delete_one({self.id_field: new_sid, _WAS: sid})
            return moved

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        same = self._holds.free(sid)
        later: dict[str, Any] = {self.expires_key: self._expiry(document["cookie"])}
        max_age = read_max_age(document["cookie"].get("originalMaxAge"))
        if self.stringify:  # connect-mongo leaves the text alone too
            same["session"] = {"$regex": f'"originalMaxAge":{re.escape(json_of(max_age))}[,}}]'}
        else:
            same[MAX_AGE] = {"$eq": max_age}
            later["session.cookie"] = with_nulls(document["cookie"])
        with self.reached("writing"):
            if not self.collection.update_one(same, {"$set": later}).matched_count and self._holds.comes_free(sid):
                self.collection.update_one(same, {"$set": later})

    def destroy(self, sid: str) -> None:
        with self.reached("writing"):
            self.collection.delete_one({self.id_field: sid})

    def end(self, sid: str) -> None:
        with self.reached("writing"):
            self._have_index(_WAS, sparse=True)
            self.collection.delete_many({"$or": [{self.id_field: sid}, {_WAS: sid}]})

    def was_rotated(self, sid: str) -> bool:
        lately = {_WAS: sid, _ROTATED: {"$gt": datetime.now(UTC) - LATE}}
        with self.reached("reading"):
            self._have_index(_WAS, sparse=True)
            return self.collection.find_one(lately, [self.id_field]) is not None

    def all(self) -> dict[str, Document]:
        """The sessions that have not expired, by id."""
        return self._find({})

    def length(self) -> int:
        """How many sessions have not expired."""
        with self.reached("reading"):
            return int(self.collection.count_documents(self._unexpired()))

    def clear(self) -> None:
        """Remove all sessions, and whatever else is in the collection."""
        with self.reached("writing"):
            self.collection.delete_many({})

    def sessions_where(self, path: str, value: Any) -> dict[str, Document]:
        """The sessions in which ``path``, as ``"user.email"``, is ``value``, by id. Makes the index that finds them.

        Raises ``TypeError`` with ``stringify=True``, where MongoDB sees no fields.
        """
        return self._find(self._where(path, value) | self._unexpired())

    def destroy_where(self, path: str, value: Any) -> int:
        """End the sessions that ``sessions_where`` finds, as for "log out everywhere"; expired ones too.

        Returns how many there were.
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
            self._have_index(field)
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

    def _written(self, document: Document) -> Document | str:
        return json_of(document) if self.stringify else {**document, "cookie": with_nulls(document["cookie"])}

    def _naming_key(self, values: Mapping[str, Any]) -> AbstractContextManager[None]:
        return naming_key(values, json_of if self.stringify else self._encode)

    def _encode(self, value: Any) -> bytes:
        return bson.encode({"": value}, codec_options=self.collection.codec_options)

    def _unexpired(self) -> dict[str, Any]:
        return {"$or": [{self.expires_key: {"$gt": datetime.now(UTC)}}, {self.expires_key: None}]}

    def _expiry(self, cookie: Document) -> datetime:
        """When a session ends, in the whole milliseconds that MongoDB keeps."""
        expires = read_expires(cookie.get("expires")) or time_after(self.expires)
        return expires.replace(microsecond=expires.microsecond // 1000 * 1000)

    def _is_fresh(self, cookie: Document, expires: datetime) -> bool:
        """Whether a touch now would move ``expires`` by less than ``touch_after``, and may wait that long."""
        age = read_max_age(cookie.get("originalMaxAge"))
        lasts = self.expires if age is None or age is False else timedelta(milliseconds=age)
        return timedelta(0) <= time_after(lasts) - expires < min(self.touch_after, lasts / 2)

    @contextmanager
    def reached(self, doing: Literal["reading", "writing"]) -> Iterator[None]:
        """Around calls to MongoDB, also an app's own: bounds their time, and logs an outage once.

        Raises ``HTTPError`` 503 in place of pymongo's errors.
        """
        if self._lost and not self._is_anyone_there():
            self._fail(doing, ConnectionFailure("nobody answers there"))
        try:
            with pymongo.timeout(_PATIENCE_WHEN_LOST if self._lost else _PATIENCE):
                self._have_index(self.expires_key, expireAfterSeconds=self.expires_after_seconds)
                if self.id_field != "_id":
                    self._have_index(self.id_field)
                yield
        except PyMongoError as error:
            self._fail(doing, error)
        if self._lost and (doing, self._lost) != ("reading", "writing"):
            self._lost = None
            log.warning("the session store is back")

    def _have_index(self, field: str, **options: Any) -> None:
        """Make an index, once; aside, where MongoDB takes longer to build it than a request may wait."""
        if field in self._indexed:
            return
        try:
            with pymongo.timeout(_PATIENCE_WITH_AN_INDEX):
                self._make_index(field, options)
            self._indexed.add(field)
        except PyMongoError as error:
            if not error.timeout:
                raise
            self._indexed.add(field)
            Thread(target=self._make_index_aside, args=(field, options), daemon=True).start()

    def _make_index(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self.collection.create_index(field, **options)
        except OperationFailure as error:
            if error.timeout or (_is_loss(error) and error.code != _UNAUTHORIZED):
                raise
            # Who may not make it may still read and write.
            log.error("the index of %r, for the sessions, could not be made: %s", field, _reason(error))
            self.emit("error", error)

    def _make_index_aside(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self._make_index(field, options)
        except PyMongoError:
            self._indexed.discard(field)  # the next request tries again

    def _fail(self, doing: Literal["reading", "writing"], error: PyMongoError) -> NoReturn:
        if not (self._lost and _is_loss(error)):
            log.error("the session store is not available: %s", _reason(error))
        if _is_loss(error):
            self._lost = doing if doing == "reading" else self._lost or doing
        self.emit("error", error)
        raise HTTPError(503, f"the session store is not available: {_reason(error)}") from error

    def _is_anyone_there(self) -> bool:
        """Whether any server answers at all: asked while it is lost, so that no request waits in vain."""
        addresses = list(self.client.topology_description.server_descriptions())
        if not addresses:
            return True
        with ThreadPoolExecutor(len(addresses)) as pool:
            return any(pool.map(lambda address: answers(address[0], address[1], _PATIENCE_WITH_A_HELLO), addresses))


def _connect(uri: str, options: Mapping[str, Any]) -> pymongo.MongoClient[Any]:
    """A client that connects when it is first used, and that does not wait for a server for longer than a person would.

    What the URI or ``options`` say goes before that.
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
    """Around what pymongo makes of options: a wrong one is a ``TypeError`` that names it, as all others are."""
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
    """``concern``, but that what is written is known to have been."""
    return concern if concern.acknowledged else WriteConcern(**{**concern.document, "w": 1})


class _NoSessionError(Exception):
    """What a document holds is no session."""


def _is_loss(error: PyMongoError) -> bool:
    """Whether an error is of the server and not of this one call."""
    return (
        isinstance(error, ConnectionFailure)
        or error.timeout
        or getattr(error, "code", None) in (_UNAUTHORIZED, _AUTHENTICATION_FAILED)
    )


def _reason(error: PyMongoError) -> str:
    """What went wrong, without the description of the whole cluster that pymongo adds."""
    return re.split(", (?:full error|Timeout|Topology Description):? ", str(error))[0]


_FIELD = re.compile(rf"(?!(?:session|{HELD}|was|rotated)\Z)[\w -]+")
# Seconds. pymongo looks for a server every half second: what is between two looks is waited for too.
_PATIENCE = 1.2
_PATIENCE_WHEN_LOST = 0.8
_PATIENCE_WITH_A_HELLO = 0.4
_PATIENCE_WITH_AN_INDEX = 0.4
_WAS, _ROTATED = "was", "rotated"  # the ids that a session had before, and when it was given the last one
_MOST_REMEMBERED = 32  # ids: so many rotations may lie between the begin of a request and its logout
_UNAUTHORIZED, _AUTHENTICATION_FAILED = 13, 18  # in MongoDB's list of error codes
