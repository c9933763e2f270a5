"""Sessions in MongoDB, in the documents of npm connect-mongodb-session 5: a Node app beside reads and writes them too.

The one room that imports pymongo.
"""

from __future__ import annotations

import logging
import random
import re
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, NoReturn

import bson
import pymongo
from bson.codec_options import CodecOptions
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from ..attrdict import AttrDict
from ..errors import HTTPError
from ..options import checks_options
from .store import Document, Store

log = logging.getLogger("miniexpress.sessions")


class MongoDBStore(Store):
    """Keeps each session as ``{_id, expires, session}`` in one collection, with a TTL index that clears away old ones.

    ``uri`` and ``database_name`` say where (the URI's own database by default), ``connection_options`` go to
    ``pymongo.MongoClient``, and ``client`` shares one that is there already. ``expires``, in milliseconds or as a
    timedelta, is how long a session without a max age is kept (2 weeks). ``id_field`` and ``expires_key`` name the
    fields; ``expires_after_seconds`` is how long MongoDB waits before it clears an expired one away.

    ``client``, ``db`` and ``collection`` are pymongo's. While MongoDB cannot be reached, every call raises an
    ``HTTPError`` 503 within 2 seconds, and the listeners of ``error`` are told why. Raises ``TypeError`` for an option
    that cannot be, and pymongo's errors for a URI that cannot be.
    """

    @checks_options
    def __init__(
        self,
        *,
        uri: str = "mongodb://127.0.0.1:27017/test",
        collection: str = "sessions",
        database_name: str | None = None,
        connection_options: Mapping[str, Any] | None = None,
        expires: float | timedelta = timedelta(weeks=2),
        id_field: str = "_id",
        expires_key: str = "expires",
        expires_after_seconds: int = 0,
        client: pymongo.MongoClient[Any] | None = None,
    ) -> None:
        super().__init__()
        texts = {"uri": uri, "collection": collection, "id_field": id_field, "expires_key": expires_key}
        for name, value in texts.items():
            _check(name, value, str, "a string that is not empty", bool)
        _check("database_name", database_name, str | None, "a string or None")
        _check("connection_options", connection_options, Mapping | None, "a dict of pymongo.MongoClient's options")
        _check("expires_after_seconds", expires_after_seconds, int, "a number of seconds", lambda given: given >= 0)
        _check("client", client, pymongo.MongoClient | None, "a pymongo.MongoClient")
        self.expires = _duration("expires", expires)
        self.id_field = id_field
        self.expires_key = expires_key
        self.expires_after_seconds = expires_after_seconds
        self.client = client or _connect(uri, connection_options or {})
        as_attributes: CodecOptions[Any] = CodecOptions(document_class=AttrDict, tz_aware=True, tzinfo=UTC)
        name = database_name or self.client.get_default_database("test").name
        self.db = self.client.get_database(name, codec_options=as_attributes)
        self.collection = self.db[collection]
        self._is_lost = False
        self._is_indexed = False
        self._comparing = Lock()

    def get(self, sid: str) -> Document | None:
        with self._reached():
            document = self.collection.find_one({self.id_field: sid})
        if document is None:
            return None
        expires = document.get(self.expires_key)
        if expires and expires <= datetime.now(UTC):
            self.destroy(sid)
            return None
        found: Document = document["session"]
        return found

    def set(self, sid: str, document: Document) -> None:
        cookie = document["cookie"]
        session = {**document, "cookie": _with_nulls(cookie)}
        fields = {self.id_field: sid, "session": session, self.expires_key: self._expiry(cookie)}
        with self._reached():
            self.collection.update_one({self.id_field: sid}, {"$set": fields}, upsert=True)

    def update(self, sid: str, changed: Mapping[str, Any], removed: Iterable[str], cookie: Document) -> bool:
        """Change the fields of a session, all in one atomic step; ``False`` where there is no such session any more."""
        fields, removed = {**changed, "cookie": _with_nulls(cookie)}, list(removed)
        expires = self._expiry(cookie)
        with self._reached():
            if not all(map(_PLAIN_KEY.fullmatch, (*fields, *removed))):
                return self._update_whole(sid, fields, removed, expires)
            change = {"$set": {f"session.{key}": value for key, value in fields.items()} | {self.expires_key: expires}}
            if removed:
                change["$unset"] = {f"session.{key}": "" for key in removed}
            return bool(self.collection.update_one({self.id_field: sid}, change).matched_count)

    def _update_whole(self, sid: str, fields: dict[str, Any], removed: list[str], expires: datetime) -> bool:
        """Do an update that no dotted path can say: let the server compute the session, by an aggregation pipeline."""
        is_removed = {"$in": ["$$this.k", {"$literal": removed}]}
        kept = {"$filter": {"input": {"$objectToArray": "$session"}, "cond": {"$not": [is_removed]}}}
        session = {"$mergeObjects": [{"$arrayToObject": kept}, {"$literal": fields}]}
        try:
            pipeline = [{"$set": {"session": session, self.expires_key: expires}}]
            return bool(self.collection.update_one({self.id_field: sid}, pipeline).matched_count)
        except OperationFailure as error:
            if _is_loss(error):
                raise
            return self._update_by_comparing(sid, fields, removed, expires)

    def _update_by_comparing(self, sid: str, fields: dict[str, Any], removed: list[str], expires: datetime) -> bool:
        """Do it on a server that has no pipelines, as nx-27017: write the session if nobody has since it was read.

        Every write moves ``expires``. So first it gets one that nobody else would choose, and while that stands
        nothing has changed. It is off by whole seconds, as nx-27017 looks at no more.
        """
        with self._comparing:
            while True:
                stamp = {self.expires_key: expires + timedelta(seconds=random.randrange(1, 86400))}
                if not self.collection.update_one({self.id_field: sid}, {"$set": stamp}).matched_count:
                    return False
                stamped = {self.id_field: sid, **stamp}
                if before := self.collection.find_one(stamped):
                    session = {key: value for key, value in before["session"].items() if key not in removed} | fields
                    change = {"$set": {"session": session, self.expires_key: expires}}
                    if self.collection.update_one(stamped, change).matched_count:
                        return True
                time.sleep(random.uniform(0, 0.02))  # processes that do the same make way for each other

    def touch(self, sid: str, document: Document) -> None:
        cookie = _with_nulls(document["cookie"])
        same_age = {self.id_field: sid, "session.cookie.originalMaxAge": cookie["originalMaxAge"]}
        with self._reached():
            later = {"session.cookie": cookie, self.expires_key: self._expiry(cookie)}
            self.collection.update_one(same_age, {"$set": later})

    def destroy(self, sid: str) -> None:
        with self._reached():
            self.collection.delete_one({self.id_field: sid})

    def all(self) -> dict[str, Document]:
        with self._reached():
            return {found[self.id_field]: found["session"] for found in self.collection.find(self._unexpired())}

    def length(self) -> int:
        with self._reached():
            return int(self.collection.count_documents(self._unexpired()))

    def clear(self) -> None:
        with self._reached():
            self.collection.delete_many({})

    def create_index(self) -> None:
        """Have MongoDB clear away what has expired. Done by itself before the first use."""
        self.collection.create_index(self.expires_key, expireAfterSeconds=self.expires_after_seconds)

    def _unexpired(self) -> dict[str, Any]:
        return {"$or": [{self.expires_key: {"$gt": datetime.now(UTC)}}, {self.expires_key: None}]}

    def _expiry(self, cookie: Document) -> datetime:
        """When a session ends, in the whole milliseconds that MongoDB keeps."""
        expires: datetime = cookie.get("expires") or datetime.now(UTC) + self.expires
        return expires.replace(microsecond=expires.microsecond // 1000 * 1000)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Around each call to MongoDB: bounds its time, and makes an outage an answer that is logged only once."""
        is_known = not self._is_lost and self.client.topology_description.has_readable_server()
        if not is_known and not self._is_anyone_there():
            self._fail(ConnectionFailure("nobody answers there"))
        try:
            with pymongo.timeout(_PATIENCE_WHEN_LOST if self._is_lost else _PATIENCE):
                self._index_once()
                yield
        except PyMongoError as error:
            self._fail(error)
        if self._is_lost:
            self._is_lost = False
            log.warning("the session store is back")

    def _index_once(self) -> None:
        if self._is_indexed:
            return
        try:
            self.create_index()
        except OperationFailure as error:
            if _is_loss(error):
                raise
            log.error("the index that clears away old sessions could not be made: %s", _reason(error))
            self.emit("error", error)
        self._is_indexed = True

    def _fail(self, error: PyMongoError) -> NoReturn:
        is_known = self._is_lost
        self._is_lost = is_known or _is_loss(error)
        if not (is_known and _is_loss(error)):
            log.error("the session store is not available: %s", _reason(error))
        self.emit("error", error)
        raise HTTPError(503, f"the session store is not available: {_reason(error)}") from error

    def _is_anyone_there(self) -> bool:
        """Whether any server answers at all: asked while it is lost, so that no request waits in vain."""
        addresses = list(self.client.topology_description.server_descriptions())
        return not addresses or any(_answers(*address) for address in addresses)


def _connect(uri: str, options: Mapping[str, Any]) -> pymongo.MongoClient[Any]:
    """A client that connects when it is first used, and that does not wait for a server for longer than a person would.

    What the URI or ``options`` say goes before that.
    """
    said = {name.lower() for name in options} | set(re.findall(r"[?&](\w+)=", uri.lower()))
    # A server that was lost is asked when a request needs it; a stream of its news would come only with the heartbeat.
    ours = {"serverSelectionTimeoutMS": 1400, "connectTimeoutMS": 1400, "serverMonitoringMode": "poll"}
    ours = {name: value for name, value in ours.items() if name.lower() not in said}
    return pymongo.MongoClient(uri, **{"connect": False, **ours, **options})


def _answers(host: str, port: int | None) -> bool:
    """Whether a server says anything to a hello (OP_MSG of MongoDB's wire protocol), if only that it wants TLS."""
    hello = bson.encode({"hello": 1, "$db": "admin"})
    try:
        with _socket_to(host, port) as there:
            try:
                there.sendall(struct.pack("<iiiiIB", 21 + len(hello), 1, 0, 2013, 0, 0) + hello)
                there.recv(1)
            except ConnectionError:
                pass
    except (OSError, UnicodeError):
        return False
    return True


def _socket_to(host: str, port: int | None) -> socket.socket:
    if port is not None:
        return socket.create_connection((host, port), _PATIENCE_WITH_A_HELLO)
    unix = socket.socket(socket.AF_UNIX)  # pymongo's address of one is its path and no port
    unix.settimeout(_PATIENCE_WITH_A_HELLO)
    unix.connect(host)
    return unix


def _check(name: str, value: Any, kind: Any, description: str, is_good: Callable[[Any], Any] | None = None) -> None:
    if not isinstance(value, kind) or isinstance(value, bool) or (is_good and not is_good(value)):
        raise TypeError(f"MongoDBStore({name}=…) takes {description}, not {value!r}")


def _duration(name: str, value: Any) -> timedelta:
    try:
        duration = value if isinstance(value, timedelta) else timedelta(milliseconds=value)
    except (TypeError, ValueError, OverflowError):
        duration = timedelta.min
    _check(name, value, int | float | timedelta, "milliseconds or a timedelta", lambda _: duration >= timedelta(0))
    return duration


def _is_loss(error: PyMongoError) -> bool:
    """Whether an error is of the server and not of this one call."""
    return isinstance(error, ConnectionFailure) or error.timeout or getattr(error, "code", None) in _NOT_ALLOWED


def _reason(error: PyMongoError) -> str:
    """What went wrong, without the description of the whole cluster that pymongo adds."""
    return re.split(", (?:full error|Timeout|Topology Description):? ", str(error))[0]


def _with_nulls(cookie: Document) -> dict[str, Any]:
    """A cookie as Node's driver writes it: what is ``undefined`` becomes null."""
    return {name: cookie.get(name) for name in _COOKIE_FIELDS}


_PLAIN_KEY = re.compile(r"[\w -]+")  # what a dotted path holds as the name of one field, on every server
# Seconds. pymongo looks for a server every half second, and may take that much longer.
_PATIENCE = 1.4
_PATIENCE_WHEN_LOST = 0.8
_PATIENCE_WITH_A_HELLO = 0.2
_NOT_ALLOWED = (13, 18)  # Unauthorized and AuthenticationFailed, in MongoDB's list of error codes
_COOKIE_FIELDS = (
    "originalMaxAge", "partitioned", "priority", "expires", "secure", "httpOnly", "domain", "path", "sameSite",
)  # fmt: skip
