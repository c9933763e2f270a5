"""`MongoDBStore` and the options of pymongo: honoured, or overridden where the documents of sessions need it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pymongo
import pytest
from bson.codec_options import CodecOptions, TypeCodec, TypeDecoder, TypeRegistry
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from miniexpress.sessions.mongodb import ConnectMongoStore, MongoDBStore
from miniexpress.sessions.store import Document
from tests.support.browser import NO_COOKIE, Browser, app_with_session, changes
from tests.support.mongodb_servers import MongoDBServer, SecantusServer

Serve = Callable[..., str]
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class Decimals(TypeCodec):
    python_type = Decimal
    bson_type = Decimal128

    def transform_python(self, value: Decimal) -> Decimal128:
        return Decimal128(value)

    def transform_bson(self, value: Decimal128) -> Decimal:
        return value.to_decimal()


class DatesAsTexts(TypeDecoder):
    bson_type = datetime

    def transform_bson(self, value: datetime) -> str:
        return value.isoformat()


class NumbersAsFloats(TypeDecoder):
    bson_type = Int64

    def transform_bson(self, value: Int64) -> float:
        return float(value)


class TextsInCapitals(TypeDecoder):
    bson_type = str

    def transform_bson(self, value: str) -> str:
        return value.upper()


CLIENT_OPTIONS: dict[str, dict[str, Any]] = {
    "unacknowledged writes": {"w": 0},
    "journaled writes": {"w": 1, "journal": True},
    "datetime_ms": {"datetime_conversion": "DATETIME_MS"},
    "datetime_auto": {"datetime_conversion": "DATETIME_AUTO"},
    "not tz_aware": {"tz_aware": False},
    "a zone": {"tz_aware": True, "tzinfo": None},
    "uuidRepresentation": {"uuidRepresentation": "standard"},
    "lenient text": {"unicode_decode_error_handler": "ignore"},
    "another class of documents": {"document_class": dict},
    "Decimal": {"type_registry": TypeRegistry([Decimals()])},
    "numbers as floats": {"type_registry": TypeRegistry([NumbersAsFloats()])},
    "dates as texts": {"type_registry": TypeRegistry([DatesAsTexts(), Decimals()])},
    "texts in capitals": {"type_registry": TypeRegistry([TextsInCapitals()])},
    "reads from secondaries": {"readPreference": "secondaryPreferred"},
}


@pytest.fixture(params=["connection_options", "client", "uri"])
def make_store(request: pytest.FixtureRequest, mongodb: MongoDBServer) -> Iterator[Callable[..., MongoDBStore]]:
    """``make_store({option: value}, **options_of_the_store)``, whose client has been given the option in each way."""
    made: list[MongoDBStore] = []

    def make(given: dict[str, Any], **options: Any) -> MongoDBStore:
        if request.param == "client":
            options["client"] = pymongo.MongoClient[Any](mongodb.uri, **given)
        elif request.param == "connection_options":
            options |= {"uri": mongodb.uri, "connection_options": given}
        else:
            said = [
                f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in given.items()
            ]
            if any(not isinstance(value, str | int) for value in given.values()):
                pytest.skip("no URI can say that")
            options["uri"] = f"{mongodb.uri}?{'&'.join(said)}"
        made.append(MongoDBStore(collection="options", **options))
        made[-1].clear()
        return made[-1]

    yield make
    for store in made:
        store.clear()
        store.client.close()


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
@pytest.mark.parametrize("given", CLIENT_OPTIONS.values(), ids=CLIENT_OPTIONS)
def test_sessions_are_kept_whatever_the_client_s_options_say(
    serve: Serve, make_store: Callable[..., MongoDBStore], given: dict[str, Any], stringify: bool
) -> None:
    store = make_store(given, stringify=stringify)
    app = app_with_session(store=store, cookie={"max_age": 60_000}, rotate_on="user", rolling=True)
    app.get("/login", lambda req, res: (req.session.update(user="tobi"), res.end()))
    app.get("/", lambda req, res: (req.session.update(n=(req.session.n or 0) + 1), res.json([req.session.user])))
    app.get("/read", lambda req, res: res.json([req.session.n, (req.session.cookie.max_age or 0) > 50_000]))
    app.get("/logout", lambda req, res: (req.session.destroy(), res.end()))
    browser = Browser(serve(app))
    answers = [browser.get(path) for path in ("/", "/", "/login", "/", "/read", "/logout", "/")]
    assert [(answer.status, answer.text) for answer in answers] == [
        *(
            (200, "[null]"),
            (200, "[null]"),
            (200, ""),
            (200, '["tobi"]'),
            (200, "[3,true]"),
            (200, ""),
            (200, "[null]"),
        ),
    ]
    assert [session["n"] for session in store.all().values()] == [1]
    assert store.length() == 1
    store.set("over", {"cookie": {**NO_COOKIE, "expires": datetime.now(UTC) - timedelta(seconds=1)}})
    assert store.get("over") is None


def test_a_client_s_types_are_those_of_sessions_too_unless_they_change_each_document(
    secantus_server: SecantusServer,
) -> None:
    token = uuid.uuid4()
    options: dict[str, Any] = {"uuidRepresentation": "standard", "type_registry": TypeRegistry([Decimals()])}
    store = MongoDBStore(uri=secantus_server.uri, collection="types", connection_options=options)
    store.set("a", {"cookie": NO_COOKIE, "price": Decimal("1.10"), "token": token})
    assert store.update("a", changes({"prices": [Decimal(2)]}))
    kept = store.get("a") or {}
    assert (kept["price"], kept["token"], kept["prices"]) == (Decimal("1.10"), token, [Decimal(2)])
    with pytest.raises(TypeError, match=r"req\.session\['price'\] cannot be stored"):
        MongoDBStore(client=pymongo.MongoClient(secantus_server.uri)).set("b", {"cookie": {}, "price": Decimal(1)})
    store.clear()
    store.client.close()


def test_what_the_app_asks_the_database_for_is_decoded_as_its_client_says(secantus_server: SecantusServer) -> None:
    options: dict[str, Any] = {"datetime_conversion": "DATETIME_MS", "w": 0}
    store = MongoDBStore(uri=secantus_server.uri, connection_options=options)
    codec: CodecOptions[Any] = store.db.codec_options
    assert codec.datetime_conversion.name == "DATETIME_MS"
    assert not store.db.write_concern.acknowledged
    assert store.collection.write_concern.acknowledged
    store.client.close()


@pytest.mark.parametrize("separator", "&;")
def test_what_the_uri_says_goes_before_what_the_store_would_say(separator: str) -> None:
    said = separator.join(["connectTimeoutMS=5000", "serverSelectionTimeoutMS=6000", "serverMonitoringMode=auto"])
    store = MongoDBStore(uri=f"mongodb://127.0.0.1/test?{said}")
    options = store.client.options
    assert options.server_selection_timeout == 6
    assert options.pool_options.connect_timeout == 5
    store.client.close()


# Times


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
@pytest.mark.parametrize(
    "cookie", [{"expires": LATEST}, {"max_age": 1e15}, {"max_age": 253_402_300_800_000}, {}], ids=str
)
def test_sessions_that_last_beyond_the_year_9999_are_kept(
    serve: Serve, mongodb: MongoDBServer, cookie: dict[str, Any], stringify: bool
) -> None:
    store = MongoDBStore(uri=mongodb.uri, collection="lasting", expires=1e15, touch_after=1e15, stringify=stringify)
    store.clear()
    app = app_with_session(store=store, cookie=cookie, rolling=True)
    app.get("/", lambda req, res: (req.session.update(n=(req.session.n or 0) + 1), res.json(req.session.n)))
    app.get("/read", lambda req, res: res.json(req.session.n))
    browser = Browser(serve(app))
    answers = [browser.get(path) for path in ("/", "/", "/read", "/", "/read")]
    assert [answer.text for answer in answers] == ["1", "2", "2", "3", "3"]
    store.clear()
    store.client.close()


@pytest.mark.parametrize("touch_after", [19_000, 20_000, 600_000, timedelta(days=9)])
@pytest.mark.parametrize("options", [{"cookie": {"max_age": 20_000}}, {}], ids=["max age", "browser session"])
@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_session_is_touched_in_time_whatever_touch_after_says(
    serve: Serve, mongodb: MongoDBServer, touch_after: Any, options: dict[str, Any], stringify: bool
) -> None:
    store = MongoDBStore(uri=mongodb.uri, expires=20_000, touch_after=touch_after, stringify=stringify)
    store.clear()
    app = app_with_session(store=store, **options)
    app.get("/begin", lambda req, res: (req.session.update(n=1), res.end()))
    app.get("/read", lambda req, res: res.json(req.session.n))
    browser = Browser(serve(app))
    browser.get("/begin")

    def ends() -> datetime:
        kept = store.collection.find_one({})
        assert kept is not None
        expires: datetime = kept["expires"]
        return expires

    first = ends()
    assert browser.get("/read").text == "1"
    assert ends() == first, "touched at once"
    earlier = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=9)
    store.collection.update_one({}, {"$set": {"expires": earlier}})  # as after more than half of its time
    assert browser.get("/read").text == "1"
    assert ends() > earlier
    store.clear()
    store.client.close()


def test_the_field_of_ids_has_an_index(mongodb: MongoDBServer) -> None:
    store = MongoDBStore(uri=mongodb.uri, collection="with_ids", id_field="sid")
    store.set("a", {"cookie": NO_COOKIE})
    indexes = [index["key"] for index in store.collection.index_information().values()]
    assert [("sid", 1)] in indexes
    store.clear()
    store.client.close()


def test_a_type_registry_that_makes_floats_of_whole_numbers_is_not_the_sessions(
    secantus_server: SecantusServer,
) -> None:
    options = {"type_registry": TypeRegistry([NumbersAsFloats()])}
    store = MongoDBStore(uri=secantus_server.uri, connection_options=options)
    store.set("a", {"cookie": NO_COOKIE, "n": 2**40})
    kept = store.get("a")
    assert kept is not None
    assert isinstance(kept["n"], int)
    store.client.close()


def test_a_store_of_texts_is_a_mongodb_store_and_a_user_s_subclass_stays_one(mongodb: MongoDBServer) -> None:
    class Mine(MongoDBStore):
        def get(self, sid: str) -> Document | None:
            document = super().get(sid)
            return document and {**document, "mine": True}

    store = MongoDBStore(uri=mongodb.uri, collection="texts", stringify=True)
    assert isinstance(store, ConnectMongoStore)
    assert store.stringify
    mine = Mine(client=store.client, collection="texts", stringify=True)
    assert isinstance(mine, Mine)
    store.clear()
    mine.set("a", {"cookie": NO_COOKIE})
    kept = mine.collection.find_one({})
    assert kept is not None
    assert isinstance(kept["session"], str)
    for each in (mine, Mine(client=store.client, collection="fields")):
        each.set("a", {"cookie": NO_COOKIE})
        loaded = each.load_stored("a")
        assert loaded is not None
        assert loaded.document["mine"]
        assert each.update("a", changes({"b": 1}))
    store.client.close()
