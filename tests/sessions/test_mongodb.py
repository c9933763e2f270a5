"""`MongoDBStore`: connect-mongodb-session's document, kept on two real servers, and what it does in an outage.

The documents were recorded from the npm package connect-mongodb-session 5.0.0 (mongodb 6.22.0) with express-session
1.19.0: each is what a session was when its handler called `save()`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bson
import pymongo
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.monitoring import CommandListener, CommandStartedEvent

from miniexpress import HTTPError
from miniexpress.sessions.mongodb import MongoDBStore
from tests.support.browser import NO_COOKIE, ODD_KEYS, Browser, all_at_once, app_with_session, changes, signed
from tests.support.mongodb_servers import MongoDBServer, SecantusServer

Serve = Callable[..., str]
KNOWN = f"connect.sid={signed('known')}"


@pytest.fixture
def client(mongodb: MongoDBServer) -> Iterator[pymongo.MongoClient[Any]]:
    """A client of its own, on an empty database."""
    with pymongo.MongoClient[Any](mongodb.uri, tz_aware=True) as client:
        client.drop_database("other")
        yield client


@pytest.fixture
def store(mongodb: MongoDBServer, client: pymongo.MongoClient[Any]) -> Iterator[MongoDBStore]:
    store = MongoDBStore(uri=mongodb.uri)
    yield store
    store.client.close()


# The field `session` as BSON, by the id of the session.
DOCUMENTS: dict[str, str] = json.loads((Path(__file__).parent / "recorded" / "documents.json").read_text())["sessions"]


def fill(session: Any) -> None:
    session.user = {"name": "Zoë 🦊", "tags": ["a", 1, 1.5, True, None, {"b": []}]}
    session.update(views=1, ratio=0.5, at=datetime(2024, 2, 3, 4, 5, 6, 789000, UTC))
    session.update({"none": None, "yes": True, "text": "", "": "empty", "a.b": 1, "$c": 2})


def all_of_it(cookie: Any) -> None:
    cookie.priority, cookie.partitioned, cookie.same_site, cookie.secure = "high", True, "none", True
    cookie.expires = datetime(2100, 1, 1, tzinfo=UTC)
    cookie.original_max_age = 60_000


@pytest.mark.parametrize("sid", DOCUMENTS)
def test_the_document_is_connect_mongodb_session_s_to_the_byte(
    serve: Serve, store: MongoDBStore, client: pymongo.MongoClient[Any], sid: str
) -> None:
    options = {"same_site": "lax", "domain": "example.com", "secure": False}
    app = app_with_session(store=store, genid=lambda req: sid, cookie=options)

    @app.get("/")
    def save(req: Any, res: Any) -> None:
        if sid == "all":
            all_of_it(req.session.cookie)
        fill(req.session)
        req.session.save()
        res.end()

    assert Browser(serve(app)).get().status == 200
    collection = client.test.get_collection("sessions", bson.CodecOptions(document_class=RawBSONDocument))
    document = collection.find_one({"_id": sid})
    assert document is not None
    assert sorted(document) == ["_id", "expires", "session"]
    assert document["session"].raw.hex() == DOCUMENTS[sid]


def test_what_express_has_written_is_read_whole_and_stays_as_it_was(
    serve: Serve, store: MongoDBStore, client: pymongo.MongoClient[Any]
) -> None:
    session = bson.decode(bytes.fromhex(DOCUMENTS["all"]), AWARE)
    expires = datetime.now(UTC) + timedelta(hours=1)
    client.test.sessions.insert_one({"_id": "known", "session": session, "expires": expires})
    app = app_with_session(store=store)

    @app.get("/")
    def read(req: Any, res: Any) -> None:
        cookie = req.session.cookie
        seen = [cookie.priority, cookie.partitioned, cookie.same_site, cookie.secure, cookie.original_max_age]
        assert seen == ["high", True, "none", True, 60_000]
        assert req.session.at == datetime(2024, 2, 3, 4, 5, 6, 789000, UTC)
        assert req.session.user.tags[5].b == []
        res.send(req.session.user.name)

    assert Browser(serve(app), KNOWN).get().text == "Zoë 🦊"
    kept = client.test.sessions.find_one({"_id": "known"})
    assert kept is not None
    changed = {name for name, value in kept["session"]["cookie"].items() if value != session["cookie"].get(name)}
    assert changed <= {"expires"}
    assert {**kept["session"], "cookie": None} == {**session, "cookie": None}


AWARE = bson.CodecOptions[dict[str, Any]](tz_aware=True)


def test_a_max_age_that_was_a_timedelta_is_kept_as_the_integer_that_node_writes(
    serve: Serve, store: MongoDBStore, client: pymongo.MongoClient[Any]
) -> None:
    app = app_with_session(store=store, save_uninitialized=True, cookie={"max_age": timedelta(minutes=1)})
    app.get("/", lambda req, res: res.end())
    Browser(serve(app)).get()
    age = client.test.sessions.find_one({})["session"]["cookie"]["originalMaxAge"]  # type: ignore[index]
    assert (type(age), age) == (int, 60_000)


# Options


def test_the_ttl_index_is_connect_mongodb_session_s(store: MongoDBStore, client: pymongo.MongoClient[Any]) -> None:
    store.set("a", {"cookie": NO_COOKIE})
    indexes = client.test.sessions.index_information().values()
    assert [(index["key"], index["expireAfterSeconds"]) for index in indexes if "expireAfterSeconds" in index] == [
        ([("expires", 1)], 0)
    ]


def test_fields_collection_database_and_times_are_the_ones_that_were_asked_for(
    mongodb: MongoDBServer, client: pymongo.MongoClient[Any]
) -> None:
    store = MongoDBStore(
        uri=mongodb.uri,
        database_name="other",
        collection="logins",
        id_field="sid",
        expires_key="until",
        expires_after_seconds=60,
        expires=3_600_000,
        connection_options={"appname": "tests"},
    )
    assert store.client.options.pool_options.metadata["application"] == {"name": "tests"}  # type: ignore[attr-defined]
    store.set("a", {"cookie": NO_COOKIE, "x": 1})
    assert store.update("a", changes({"y": 2, "a.b": 3}, removed=["x"]))
    kept = client.other.logins.find_one({"sid": "a"})
    assert kept is not None
    assert kept["session"].keys() == {"cookie", "y", "a.b"}
    assert abs(kept["until"] - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=10)
    indexes = client.other.logins.index_information().values()
    assert [("until", 1)] in [index["key"] for index in indexes if index.get("expireAfterSeconds") == 60]
    assert set(store.all()) == {"a"}
    client.other.logins.update_one({"sid": "a"}, {"$set": {"until": datetime.now(UTC) - timedelta(seconds=1)}})
    assert (store.all(), store.length(), store.get("a")) == ({}, 0, None)
    assert client.other.logins.find_one() is None
    store.client.close()


def test_the_database_is_the_uri_s_own_or_test(mongodb: MongoDBServer) -> None:
    place = mongodb.uri.removesuffix("/test")
    for uri, name in ((place, "test"), (f"{place}/shop", "shop"), (f"{place}/shop?appName=x", "shop")):
        store = MongoDBStore(uri=uri)
        assert store.db.name == name
        store.client.close()


def test_expires_is_taken_in_milliseconds_and_as_a_timedelta_and_is_two_weeks_without(
    mongodb: MongoDBServer, client: pymongo.MongoClient[Any]
) -> None:
    for given, lasts in (({}, 14 * 86400), ({"expires": 5000.0}, 5), ({"expires": timedelta(days=1)}, 86400)):
        MongoDBStore(client=client, **given).set("a", {"cookie": NO_COOKIE})
        kept = client.test.sessions.find_one({"_id": "a"})
        assert kept is not None
        assert abs((kept["expires"] - datetime.now(UTC)).total_seconds() - lasts) < 4


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"uri": None}, "uri=.*string.*None"),
    ({"uri": ""}, "uri=.*not empty"),
    ({"collection": 5}, "collection=.*string.*5"),
    ({"collection": ""}, "collection=.*not empty"),
    ({"database_name": 5}, "database_name=.*string.*5"),
    ({"connection_options": "tls"}, "connection_options=.*dict.*'tls'"),
    ({"expires": "1 day"}, "expires=.*milliseconds.*'1 day'"),
    ({"expires": True}, "expires=.*milliseconds.*True"),
    ({"expires": -1}, "expires=.*-1"),
    ({"expires": float("nan")}, "expires=.*nan"),
    ({"id_field": None}, "id_field=.*None"),
    ({"expires_key": ["a"]}, r"expires_key=.*\['a'\]"),
    ({"expires_after_seconds": 1.5}, "expires_after_seconds=.*seconds.*1.5"),
    ({"expires_after_seconds": -1}, "expires_after_seconds=.*-1"),
    ({"expires_after_seconds": 2**31}, "expires_after_seconds=.*below 2 .* 31, not 2147483648"),
    ({"expires": 1e17}, "expires=.*milliseconds.*1e.17"),
    ({"expires": timedelta.max}, "expires=.*timedelta"),
    ({"touch_after": -1}, "touch_after=.*-1"),
    ({"touch_after": "1 hour"}, "touch_after=.*milliseconds.*'1 hour'"),
    ({"stringify": "yes"}, "stringify=.*True or False, not 'yes'"),
    ({"client": "mongodb://x"}, "client=.*MongoClient.*'mongodb://x'"),
    ({"uri": "http://x"}, "uri or connection_options=.*mongodb://"),
    ({"connection_options": {"fooBar": 1}}, "uri or connection_options=.*fooBar"),
    ({"connection_options": {"datetime_conversion": "x"}}, "uri or connection_options=.*does not know 'x'"),
    ({"database_name": "a b"}, "database_name=.*' '"),
    ({"collection": "a$b"}, r"collection=.*'\$'"),
    ({"expires_key": "$x"}, r"expires_key=.*field.*'\$x'"),
    ({"expires_key": "session"}, "expires_key=.*field of its own.*'session'"),
    ({"id_field": "was"}, "id_field=.*field of its own.*'was'"),
    ({"id_field": "expires"}, "id_field and expires_key.*'expires'"),
    ({"databaseName": "x"}, "no option 'databaseName'.*'database_name'"),
    ({"connectionOptions": {}}, "no option 'connectionOptions'.*'connection_options'"),
    ({"expiresAfterSeconds": 1}, "no option 'expiresAfterSeconds'.*'expires_after_seconds'"),
]


@pytest.mark.parametrize(("given", "told"), WRONG, ids=[str(given) for given, _ in WRONG])
def test_an_option_of_the_wrong_kind_is_refused_by_name(given: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        MongoDBStore(**given)


class AtDelete(CommandListener):
    """Call a function when the nth ``delete`` is about to be sent."""

    def __init__(self, number: int, function: Callable[[], Any]) -> None:
        self.left, self.function = number, function

    def started(self, event: CommandStartedEvent) -> None:
        self.left -= event.command_name == "delete"
        if self.left == 0 and event.command_name == "delete":
            self.function()

    def succeeded(self, event: Any) -> None:
        pass

    failed = succeeded


@pytest.mark.parametrize("number", [1, 2])
def test_a_session_that_is_rotated_between_the_commands_of_a_logout_is_ended(
    store: MongoDBStore, mongodb: MongoDBServer, number: int
) -> None:
    """One command could look for the new id before there is one, and for the old id when it is gone."""
    store.set("a", {"cookie": NO_COOKIE, "user": "tobi"})
    rotated: list[Any] = []
    at_delete = AtDelete(number, lambda: rotated.append(store.rotate("a", "b", changes({"x": 1}))))
    with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[at_delete]) as listened:
        MongoDBStore(client=listened).end("a")
    assert [document is not None for document in rotated] == [number == 1]
    assert store.all() == {}


# What a session costs


class Commands(CommandListener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: Any) -> None:
        pass

    failed = succeeded


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_request_costs_one_read_and_one_write_and_without_a_session_nothing(
    serve: Serve, mongodb: MongoDBServer, client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    commands = Commands()
    with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[commands]) as listened:
        app = app_with_session(store=MongoDBStore(client=listened, stringify=stringify), rotate_on="user")
        app.get("/read", lambda req, res: res.json(req.session.views))

        @app.get("/change")
        def change(req: Any, res: Any) -> None:
            req.session.views = (req.session.views or 0) + 1
            res.end()

        browser = Browser(serve(app))
        browser.get("/change")
        assert commands.names == ["createIndexes", "update"]
        for path, cookie, expected in (
            ("/read", browser.cookie, ["find", "update"]),
            ("/change", browser.cookie, ["find", "update"]),
            ("/read", None, []),
            ("/read", "connect.sid=s%3Aforged.x", []),
            ("/change", None, ["update"]),
            ("/read", KNOWN, ["find"]),
        ):
            commands.names.clear()
            assert Browser(browser.url, cookie).get(path).status == 200
            assert commands.names == expected, (path, cookie)


@pytest.mark.parametrize("options", [{}, {"cookie": {"max_age": 86_400_000}}], ids=["browser session", "max age"])
@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_with_touch_after_a_session_that_did_not_change_is_written_at_most_once_in_that_time(
    serve: Serve, mongodb: MongoDBServer, client: pymongo.MongoClient[Any], options: dict[str, Any], stringify: bool
) -> None:
    commands = Commands()
    with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[commands]) as listened:
        store = MongoDBStore(client=listened, touch_after=timedelta(hours=1), stringify=stringify)
        app = app_with_session(store=store, **options)
        app.get("/begin", lambda req, res: (req.session.update(views=1), res.end()))
        app.get("/read", lambda req, res: res.json(req.session.views))
        browser = Browser(serve(app))
        browser.get("/begin")

        def cost_of_reading() -> list[str]:
            commands.names.clear()
            assert browser.get("/read").text == "1"
            return list(commands.names)

        def put_back(**time: float) -> datetime:
            expires = client.test.sessions.find_one({})["expires"] - timedelta(**time)  # type: ignore[index]
            client.test.sessions.update_one({}, {"$set": {"expires": expires}})
            return expires

        assert [cost_of_reading() for _ in range(2)] == [["find"], ["find"]]
        put_back(minutes=50)
        assert cost_of_reading() == ["find"]
        before = put_back(minutes=20)
        assert [cost_of_reading() for _ in range(2)] == [["find", "update"], ["find"]]
        kept = client.test.sessions.find_one({})
        assert timedelta(minutes=70) <= kept["expires"] - before < timedelta(minutes=71)  # type: ignore[index]


def test_rolling_moves_the_end_of_the_session_and_of_its_cookie(
    serve: Serve, store: MongoDBStore, client: pymongo.MongoClient[Any]
) -> None:
    app = app_with_session(store=store, rolling=True, cookie={"max_age": 60_000})
    app.get("/begin", lambda req, res: (req.session.update(views=1), res.end()))
    app.get("/read", lambda req, res: res.end())
    browser = Browser(serve(app))
    browser.get("/begin")
    client.test.sessions.update_one({}, {"$set": {"expires": datetime.now(UTC) + timedelta(seconds=5)}})
    assert browser.get("/read").sets_cookie
    kept = client.test.sessions.find_one({})
    assert kept is not None
    assert kept["expires"] == kept["session"]["cookie"]["expires"]
    assert timedelta(seconds=55) < kept["expires"] - datetime.now(UTC) <= timedelta(seconds=60)


def test_a_new_max_age_is_kept_when_nothing_else_has_changed(serve: Serve, store: MongoDBStore) -> None:
    app = app_with_session(store=store)
    app.get("/begin", lambda req, res: (req.session.update(views=1), res.end()))
    app.get("/remember", lambda req, res: (setattr(req.session.cookie, "max_age", 3_600_000), res.end()))
    app.get("/read", lambda req, res: res.json(req.session.cookie.original_max_age))
    browser = Browser(serve(app))
    for path in ("/begin", "/remember"):
        browser.get(path)
    assert browser.get("/read").text == "3600000"


# Nothing is lost, and a logout holds


@pytest.mark.usefixtures("whole_machine")
@pytest.mark.parametrize(
    ("odd", "options"),
    [(False, {}), (True, {}), (True, {"stringify": True})],
    ids=["plain keys", "odd keys", "odd keys in a text"],
)
def test_two_hundred_requests_at_once_lose_no_key(
    serve: Serve, client: pymongo.MongoClient[Any], odd: bool, options: dict[str, Any]
) -> None:
    store = MongoDBStore(client=client, **options)
    app = app_with_session(store=store)

    @app.get("/set/:number")
    def set_key(req: Any, res: Any) -> None:
        number = int(req.params.number)
        req.session[f"{ODD_KEYS[number % len(ODD_KEYS)]}{number}" if odd else f"key{number}"] = number
        res.end()

    browser = Browser(serve(app))
    browser.get("/set/0")
    answers = all_at_once(browser, [f"/set/{number}" for number in range(200)])
    assert [answer.status for answer in answers if answer.status != 200] == []
    [session] = store.all().values()
    assert sorted(value for key, value in session.items() if key != "cookie") == list(range(200))


def test_every_key_is_kept_changed_and_removed_under_its_own_name(store: MongoDBStore) -> None:
    keys = {key: {"": [{"a.b": 1, "$c": None}]} for key in ODD_KEYS}
    store.set("a", {"cookie": NO_COOKIE, **keys})
    assert store.get("a") == {**keys, "cookie": (store.get("a") or {})["cookie"]}
    for key in ODD_KEYS:
        assert store.update("a", changes(changed={key: {"new": key}}))
        assert (store.get("a") or {})[key] == {"new": key}
    for key in ODD_KEYS:
        assert store.update("a", changes(removed=[key]))
    assert set(store.get("a") or {}) == {"cookie"}


@pytest.mark.parametrize("key", ["user", "user.name"])
def test_a_slow_change_does_not_bring_back_a_key_that_was_deleted(store: MongoDBStore, key: str) -> None:
    store.set("a", {"cookie": NO_COOKIE, key: "tobi", "views": 1})
    assert store.update("a", changes(removed=[key]))
    assert store.update("a", changes({"new": 1}, {key: "tobias", "views": 2}))
    assert {**(store.get("a") or {}), "cookie": None} == {"cookie": None, "views": 2, "new": 1}


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
@pytest.mark.parametrize("key", ["x", "x.y"])
def test_an_update_leaves_a_max_age_that_others_have_given_but_for_a_new_one(
    client: pymongo.MongoClient[Any], stringify: bool, key: str
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    soon, later = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (1, 5))
    for ours, kept in ((1000, 5000), (2000, 2000)):
        store.set("a", {"cookie": {**NO_COOKIE, "originalMaxAge": 5000, "expires": later}})
        cookie = {**NO_COOKIE, "originalMaxAge": ours, "expires": soon}
        assert store.update("a", changes({key: 1}, cookie=cookie, max_age=1000))
        got = store.get("a") or {}
        assert (got[key], got["cookie"]["originalMaxAge"]) == (1, kept)
        expires = client.test.sessions.find_one({})["expires"]  # type: ignore[index]
        assert abs(expires - (later if kept == 5000 else soon)) < timedelta(milliseconds=2)


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_every_write_that_was_acknowledged_moves_with_a_rotation(
    client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    store.set("old", {"cookie": NO_COOKIE})
    under_way = threading.Event()

    def write_until_it_is_gone(thread: int) -> list[str]:
        acknowledged: list[str] = []
        store = MongoDBStore(client=client, stringify=stringify)  # as in another process
        while store.update("old", changes({f"{thread}-{len(acknowledged)}": 1})):
            acknowledged.append(f"{thread}-{len(acknowledged)}")
            if len(acknowledged) == 5:
                under_way.set()
        return acknowledged

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write_until_it_is_gone, thread) for thread in range(4)]
        try:
            assert under_way.wait(20)
            moved = store.rotate("old", "new", changes({"user": "tobi"}))
            assert store.get("old") is None
        finally:
            store.destroy("old")
        keys = {"cookie", "user", *(key for writer in writers for key in writer.result())}
    assert moved is not None
    assert set(moved) == set(store.get("new") or {}) == keys


def hold(client: pymongo.MongoClient[Any], holder: Any = "another process") -> None:
    client.test.sessions.update_one({"_id": "a"}, {"$set": {"heldBy": holder}})


WRITES: dict[str, Callable[[MongoDBStore], Any]] = {
    "update": lambda store: store.update("a", changes({"x": 1})),
    "update of an odd key": lambda store: store.update("a", changes({"x.y": 1})),
    "rotate": lambda store: store.rotate("a", "b", changes({"x": 1})),
    "touch": lambda store: store.touch("a", {"cookie": {**NO_COOKIE, "expires": NEXT_YEAR}}),
}
NEXT_YEAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)
NO_LOCKS: list[Any] = [False, 0, {}, [], {"$ne": 1}, True, bson.Code("x")]


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_session_that_a_killed_process_held_is_written_again(
    client: pymongo.MongoClient[Any], stringify: bool, write: Callable[[MongoDBStore], Any]
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    store.set("a", {"cookie": NO_COOKIE})
    hold(client)
    write(store)
    kept = client.test.sessions.find_one({})
    assert kept is not None
    assert "heldBy" not in kept
    assert "x" in str(kept["session"]) or kept["expires"] == NEXT_YEAR


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("holder", NO_LOCKS, ids=str)
def test_a_session_whose_lock_is_no_text_is_written_all_the_same(
    client: pymongo.MongoClient[Any], holder: Any, stringify: bool, write: Callable[[MongoDBStore], Any]
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    store.set("a", {"cookie": NO_COOKIE})
    hold(client, holder)
    write(store)
    kept = client.test.sessions.find_one({})
    assert kept is not None
    assert "heldBy" not in kept
    assert "x" in str(kept["session"]) or kept["expires"] == NEXT_YEAR


def test_a_write_waits_for_the_lock_of_a_session(client: pymongo.MongoClient[Any]) -> None:
    store = MongoDBStore(client=client)
    store.set("a", {"cookie": NO_COOKIE})
    hold(client)
    with ThreadPoolExecutor() as pool:
        late = [pool.submit(store.update, "a", changes({key: 1})) for key in ("y", "y.z")]
        assert (store.get("a") or {}).keys() == {"cookie"}
        client.test.sessions.update_one({"_id": "a"}, {"$set": {"session.n": 1}, "$unset": {"heldBy": ""}})
        assert all(each.result() for each in late)
    assert (store.get("a") or {}).keys() == {"cookie", "n", "y", "y.z"}


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_value_that_cannot_be_kept_holds_nobody_up(client: pymongo.MongoClient[Any], stringify: bool) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    store.set("a", {"cookie": NO_COOKIE})
    for write in (store.update, lambda sid, changes: store.rotate(sid, "b", changes)):
        with pytest.raises(TypeError, match=r"^req\.session\['x\.y'\] cannot be stored: "):
            write("a", changes({"x.y": {1, 2}}))
    kept = client.test.sessions.find_one({"_id": "a"})
    assert kept is not None
    assert "heldBy" not in kept


def test_a_session_that_is_made_to_last_longer_is_not_ended_by_who_found_it_expired(
    mongodb: MongoDBServer, client: pymongo.MongoClient[Any]
) -> None:
    options: dict[str, Any] = {"collection": "late", "expires_after_seconds": 3600}  # the server leaves it there
    others = MongoDBStore(client=client, **options)

    class Meanwhile(CommandListener):
        def started(self, event: CommandStartedEvent) -> None:
            pass

        def succeeded(self, event: Any) -> None:
            if event.command_name == "find":
                assert others.update("a", changes({"x": 1}, cookie={**NO_COOKIE, "expires": NEXT_YEAR}))

        failed = succeeded

    with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[Meanwhile()]) as listened:
        others.set("a", {"cookie": {**NO_COOKIE, "expires": datetime.now(UTC) - timedelta(seconds=2)}})
        assert MongoDBStore(client=listened, **options).get("a") is None
    assert (others.get("a") or {})["x"] == 1


def test_an_error_s_listener_may_use_the_store(secantus_server: SecantusServer) -> None:
    store = MongoDBStore(uri=secantus_server.uri, collection="listened")
    store.set("a", {"cookie": NO_COOKIE})
    seen: list[Any] = []

    def rotate_anew(error: Exception) -> None:
        if not seen:
            seen.append(error)
            seen.append(store.rotate("a", "c", changes()))

    store.on("error", rotate_anew)
    with secantus_server.failing("update", errorCode=8, mode={"skip": 1, "times": 1}), pytest.raises(HTTPError):
        store.rotate("a", "b", changes())
    assert len(seen) == 2
    store.clear()
    store.client.close()


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_logout_in_the_middle_of_a_rotation_holds(
    mongodb: MongoDBServer, client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    others = MongoDBStore(client=client, stringify=stringify)

    class Meanwhile(CommandListener):
        """Logs out when a step of the rotation is done."""

        def __init__(self, step: int) -> None:
            self.left = step

        def started(self, event: CommandStartedEvent) -> None:
            pass

        def succeeded(self, event: Any) -> None:
            self.left -= 1
            if self.left == 0:
                others.end("a")

        failed = succeeded

    for step in range(1, 7):
        others.set("a", {"cookie": NO_COOKIE})
        listener = Meanwhile(step + 1)
        with pymongo.MongoClient[Any](mongodb.uri, event_listeners=[listener]) as listened:
            store = MongoDBStore(client=listened, stringify=stringify)
            assert store.length() == 1
            listener.left = step
            store.rotate("a", "b", changes({"user": "tobi"}))
            done = listener.left <= 0
            listener.left = 0
        assert (client.test.sessions.find_one({}) is None) is done, step
        others.clear()
    assert not done, "the last step was never reached"


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_what_node_writes_while_a_session_is_held_is_not_lost(
    client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    node = MongoDBStore(client=client, stringify=stringify)

    class Nodes(CommandListener):
        """Writes to the session without a look at who holds it, once it is held: between two of the commands."""

        def __init__(self) -> None:
            self.is_done = False

        def started(self, event: CommandStartedEvent) -> None:
            pass

        def succeeded(self, event: Any) -> None:
            if event.command_name == "find" and not self.is_done:
                self.is_done = True
                node.set("a", {"cookie": {**NO_COOKIE, "expires": datetime.now(UTC) + timedelta(days=3)}, "n": 1})

        failed = succeeded

    host, port = client.address or ("", 0)
    writes: list[Callable[[MongoDBStore], Any]] = [lambda store: store.rotate("a", "b", changes({"x": 1}))]
    if stringify:
        writes.append(lambda store: store.update("a", changes({"x": 1})))
    for write in writes:
        with pymongo.MongoClient[Any](host, port, event_listeners=[Nodes()]) as listened:
            store = MongoDBStore(client=listened, stringify=stringify)
            store.set("a", {"cookie": NO_COOKIE})
            assert write(store)
            assert [kept.keys() for kept in store.all().values()] == [{"cookie", "n", "x"}]
            store.clear()


def test_an_update_or_a_touch_never_brings_a_session_back(store: MongoDBStore) -> None:
    for each in ({"added": {"a": 1}}, {"added": {"a.b": 1}}, {"changed": {"a": 1}}, {"removed": ["$a"]}, {}):
        assert not store.update("gone", changes(**each))
    assert store.rotate("gone", "new", changes({"a": 1})) is None
    store.touch("gone", {"cookie": NO_COOKIE})
    assert store.length() == 0


def test_touch_moves_the_end_and_nothing_else(store: MongoDBStore, client: pymongo.MongoClient[Any]) -> None:
    store.set("a", {"cookie": NO_COOKIE, "x": 1})
    client.test.sessions.update_one({"_id": "a"}, {"$set": {"session.x": 2}})
    expires = datetime.now(UTC) + timedelta(days=1)
    store.touch("a", {"cookie": {**NO_COOKIE, "expires": expires}, "x": 1})
    kept = client.test.sessions.find_one({"_id": "a"})
    assert kept is not None
    assert kept["session"]["x"] == 2
    assert abs(kept["expires"] - expires) < timedelta(milliseconds=2)
    assert kept["session"]["cookie"]["expires"] == kept["expires"]


def test_all_and_length_leave_out_expired_sessions_and_destroy_and_clear_remove(store: MongoDBStore) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for sid in ("a", "b", "c"):
        store.set(sid, {"cookie": NO_COOKIE, "name": sid})
    store.set("over", {"cookie": {**NO_COOKIE, "expires": past}})
    assert {sid: session["name"] for sid, session in store.all().items()} == {"a": "a", "b": "b", "c": "c"}
    assert (store.length(), store.get("over"), store.get("never")) == (3, None, None)
    store.destroy("b")
    store.destroy("b")
    assert set(store.all()) == {"a", "c"}
    store.clear()
    assert (store.all(), store.length()) == ({}, 0)


def test_the_sessions_of_a_user_are_found_by_an_index_and_ended(
    serve: Serve, store: MongoDBStore, client: pymongo.MongoClient[Any]
) -> None:
    app = app_with_session(store=store)
    app.get("/login/:email", lambda req, res: (req.session.update(user={"email": req.params.email}), res.end()))
    app.get("/", lambda req, res: res.json(req.session.user))
    url = serve(app)
    browsers = [Browser(url) for _ in range(4)]
    for browser, email in zip(browsers, ("a@x", "a@x", "b@x", "a@x"), strict=True):
        browser.get(f"/login/{email}")
    past = datetime.now(UTC) - timedelta(seconds=1)
    store.set("over", {"cookie": {**NO_COOKIE, "expires": past}, "user": {"email": "a@x"}})
    found = store.sessions_where("user.email", "a@x")
    assert [session["user"] for session in found.values()] == [{"email": "a@x"}] * 3
    indexes = client.test.sessions.index_information().values()
    assert [("session.user.email", 1)] in [index["key"] for index in indexes]
    store.destroy(next(iter(found)))
    assert len(store.sessions_where("user.email", "a@x")) == 2
    assert store.destroy_where("user.email", "a@x") in (2, 3)  # MongoDB may have cleared the expired one away or not
    assert sorted(browser.get().text for browser in browsers) == ["null", "null", "null", '{"email":"b@x"}']
    assert store.sessions_where("user.email", {"$ne": None}) == {}


# The documents of connect-mongo


def test_a_text_is_the_document_that_connect_mongo_keeps(serve: Serve, client: pymongo.MongoClient[Any]) -> None:
    store = MongoDBStore(client=client, stringify=True)
    app = app_with_session(store=store, genid=lambda req: "made")
    app.get("/", lambda req, res: (fill(req.session), res.end()))
    app.get("/read", lambda req, res: res.json(req.session.user))
    browser = Browser(serve(app))
    browser.get()
    document = client.test.sessions.find_one({})
    assert document is not None
    assert sorted(document) == ["_id", "expires", "session"]
    assert document["session"] == (
        '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},'
        '"user":{"name":"Zoë 🦊","tags":["a",1,1.5,true,null,{"b":[]}]},"views":1,"ratio":0.5,'
        '"at":"2024-02-03T04:05:06.789Z","none":null,"yes":true,"text":"","":"empty","a.b":1,"$c":2}'
    )
    assert json.loads(browser.get("/read").text)["name"] == "Zoë 🦊"
    assert [session["views"] for session in store.all().values()] == [1]
    for ask in (store.sessions_where, store.destroy_where):
        with pytest.raises(TypeError, match=r"stringify=True.*text"):
            ask("user.name", "Zoë 🦊")


def test_an_expired_session_is_none_and_the_browser_gets_a_new_one(serve: Serve, store: MongoDBStore) -> None:
    store.set("known", {"cookie": {**NO_COOKIE, "expires": datetime.now(UTC) - timedelta(seconds=1)}, "user": "x"})
    app = app_with_session(store=store, genid=lambda req: "fresh")
    app.get("/", lambda req, res: res.json([req.session_id, req.session.user]))
    assert Browser(serve(app), KNOWN).get().text == '["fresh",null]'


def test_an_id_is_never_an_operator(store: MongoDBStore) -> None:
    store.set("a", {"cookie": NO_COOKIE})
    for sid in ("$ne", '{"$ne": null}', "", "a\0", "*"):
        assert store.get(sid) is None
        store.destroy(sid)
    assert store.length() == 1
