"""Sessions in MongoDB, in the documents of npm connect-mongodb-session 5: a Node app beside reads and writes them too.

The one room that imports pymongo.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread, local
from typing import Any, Literal, NoReturn, cast

import pymongo
from bson.codec_options import CodecOptions
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from ...attrdict import AttrDict
from ...errors import HTTPError
from ...http.json_text import parse
from ...http.json_text import stringify as json_of
from ...keyword_options import suggests_keywords
from ..changes import Changes
from ..store import LATE, Document, Fresh, Store
from .ping import answers
from .session_lock import HELD, Holds
from .updates import MAX_AGE, as_paths, as_pipeline, with_nulls

log = logging.getLogger("miniexpress.sessions")


class MongoDBStore(Store):
    """Keeps each session as ``{_id, expires, session}`` in one collection, with a TTL index that clears away old ones.

    ``uri`` and ``database_name`` say where (the URI's own database by default), ``connection_options`` go to
    ``pymongo.MongoClient``, and ``client`` shares one that is there already. ``expires``, in milliseconds or as a
    timedelta, is how long a session without a max age is kept (2 weeks); a session that did not change is written at
    most once in ``touch_after``, to move its end. ``id_field`` and ``expires_key`` name the fields;
    ``expires_after_seconds`` is how long MongoDB waits before it clears an expired one away. ``stringify`` keeps the
    session as text, in the documents of npm connect-mongo 6.

    ``client``, ``db`` and ``collection`` are pymongo's. While MongoDB cannot be reached, every call raises an
    ``HTTPError`` 503 within 2 seconds, and the listeners of ``error`` are told why. Raises ``TypeError`` for an option
    that cannot be.
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
        _check("expires_after_seconds", expires_after_seconds, int, "a number of seconds", lambda given: given >= 0)
        _check("client", client, pymongo.MongoClient | None, "a pymongo.MongoClient")
        self.expires = _duration("expires", expires)
        self.touch_after = _duration("touch_after", touch_after)
        self.stringify = stringify
        self.id_field = id_field
        self.expires_key = expires_key
        self.expires_after_seconds = expires_after_seconds
        as_attributes: CodecOptions[Any] = CodecOptions(document_class=AttrDict, tz_aware=True, tzinfo=UTC)
        with _refused("uri or connection_options"):
            self.client = client or _connect(uri, connection_options or {})
        with _refused("database_name"):
            name = database_name or self.client.get_default_database("test").name
            self.db = self.client.get_database(name, codec_options=as_attributes)
        with _refused("collection"):
            self.collection = self.db[collection]
        self._lost: Literal["reading", "writing"] | None = None  # who cannot be read cannot be written either
        self._indexed: set[str] = set()
        self._latest = local()
        self._holds = Holds(self.collection, id_field, seen="session" if stringify else expires_key)

    def get(self, sid: str) -> Document | None:
        with self.reached("reading"):
            found = self.collection.find_one({self.id_field: sid})
        if found is None:
            return None
        if self.stringify:
            self._latest.sid, self._latest.text = sid, found["session"]
        expires = found.get(self.expires_key)
        if expires and expires <= datetime.now(UTC):
            with self.reached("writing"):  # unless another request has made it last longer meanwhile
                self.collection.delete_one({self.id_field: sid, self.expires_key: expires})
            return None
        document = self._read(found)
        return Fresh(document) if expires and self._is_fresh(document["cookie"], expires) else document

    def set(self, sid: str, document: Document) -> None:
        self._put(sid, document)

    def _put(self, sid: str, document: Document, **beside: Any) -> None:
        fields = {
            self.id_field: sid,
            "session": self._written(document),
            self.expires_key: self._expiry(document["cookie"]),
            **beside,
        }
        with self.reached("writing"):
            self.collection.update_one({self.id_field: sid}, {"$set": fields}, upsert=True)

    def update(self, sid: str, changes: Changes) -> bool:
        """Change the items of a session, all in one atomic step; ``False`` where there is no such session any more."""
        with self.reached("writing"):
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
        return bool(self.collection.update_one(as_read, self._onto(as_read, changes)).matched_count)

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

        def write(document: Document, as_held: Mapping[str, Any]) -> int:
            return self.collection.update_one(as_held, self._onto(document, changes)).matched_count

        return bool(self._holds.write(sid, write))

    def _onto(self, document: Document, changes: Changes) -> dict[str, Any]:
        after = changes.onto(self._read(document))
        fields = {"session": self._written(after), self.expires_key: self._expiry(after["cookie"])}
        return {"$set": fields, "$unset": {HELD: ""}}

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        def move(document: Document, as_held: Mapping[str, Any]) -> Document | None:
            after = changes.onto(self._read(document))
            was = [*document.get(_WAS, ()), sid][-_MOST_REMEMBERED:]
            self._put(new_sid, after, **{_WAS: was, _ROTATED: datetime.now(UTC)})
            return after if self.collection.delete_one(as_held).deleted_count else None

        with self.reached("writing"):
            moved = self._holds.write(sid, move)
            if not moved:
                self.destroy(new_sid)
            return moved

    def touch(self, sid: str, document: Document) -> None:
        """Keep a session for as long as the document's cookie says, unless its max age was changed meanwhile."""
        same = self._holds.free(sid)
        later: dict[str, Any] = {self.expires_key: self._expiry(document["cookie"])}
        if self.stringify:  # connect-mongo leaves the text alone too
            max_age = json_of(document["cookie"]["originalMaxAge"])
            same["session"] = {"$regex": f'"originalMaxAge":{re.escape(max_age)}[,}}]'}
        else:
            same[MAX_AGE] = document["cookie"]["originalMaxAge"]
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
        return self._find(self._where(path, value))

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
        field = f"session.{path}"
        with self.reached("writing"):
            self._have_index(field)
        return {field: {"$eq": value, "$exists": True}}

    def _find(self, where: dict[str, Any]) -> dict[str, Document]:
        with self.reached("reading"):
            found = self.collection.find(where | self._unexpired())
            return {each[self.id_field]: self._read(each) for each in found}

    def _read(self, found: Mapping[str, Any]) -> Document:
        return cast(Document, parse(found["session"]) if self.stringify else found["session"])

    def _written(self, document: Document) -> Document | str:
        return json_of(document) if self.stringify else {**document, "cookie": with_nulls(document["cookie"])}

    def _unexpired(self) -> dict[str, Any]:
        return {"$or": [{self.expires_key: {"$gt": datetime.now(UTC)}}, {self.expires_key: None}]}

    def _expiry(self, cookie: Document) -> datetime:
        """When a session ends, in the whole milliseconds that MongoDB keeps."""
        expires = cookie.get("expires") or datetime.now(UTC) + self.expires
        expires = datetime.fromisoformat(expires) if isinstance(expires, str) else expires
        return expires.replace(microsecond=expires.microsecond // 1000 * 1000)

    def _is_fresh(self, cookie: Document, expires: datetime) -> bool:
        """Whether a touch now would move ``expires`` by less than ``touch_after``."""
        age = cookie.get("originalMaxAge")
        lasts = self.expires if age is None else timedelta(milliseconds=age)
        return timedelta(0) <= datetime.now(UTC) + lasts - expires < self.touch_after

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
    said = {name.lower() for name in options} | set(re.findall(r"[?&](\w+)=", uri.lower()))
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
    except (PyMongoError, ValueError, TypeError) as error:
        raise TypeError(f"MongoDBStore({names}=…): {error}") from error


def _duration(name: str, value: Any) -> timedelta:
    try:
        duration = value if isinstance(value, timedelta) else timedelta(milliseconds=value)
    except (TypeError, ValueError, OverflowError):
        duration = timedelta.min
    _check(name, value, int | float | timedelta, "milliseconds or a timedelta", lambda _: duration >= timedelta(0))
    return duration


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
