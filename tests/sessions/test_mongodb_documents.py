"""`MongoDBStore` and documents that it did not write: what each holds is a session, or none, as for Express beside it.

What connect-mongodb-session 5.0.0 with express-session 1.19.0 makes of each was seen by running them. Where they answer
500, or never, the document holds none here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import bson
import pymongo
import pytest
from bson.codec_options import CodecOptions
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from miniexpress.sessions.cookie import Cookie
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.sessions.mongodb.documents import decode, session_codec, session_of
from tests.support.browser import NO_COOKIE, Browser, app_with_session, changes, signed
from tests.support.mongodb_servers import MongoDBServer, SecantusServer

Serve = Callable[..., str]
KNOWN = f"connect.sid={signed('known')}"
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
LATER_MS = LATER.timestamp() * 1000
FAR = DatetimeMS(8_000_000_000_000_000)  # the year 255479


def with_cookie(**attributes: Any) -> dict[str, Any]:
    return {"expires": LATER, "session": {"cookie": {**NO_COOKIE, **attributes}, "user": "tobi"}}


def ending(expires: Any) -> dict[str, Any]:
    return {**with_cookie(), "expires": expires}


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


SESSIONS: dict[str, Mapping[str, Any]] = {
    "a cookie without attributes": {"expires": LATER, "session": {"cookie": {}, "user": "tobi"}},
    "no expires": {"session": with_cookie()["session"]},
    "expires null": ending(None),
    "expires a number": ending(LATER_MS),
    "expires a whole number": ending(bson.Int64(LATER_MS)),
    "expires a number as text": ending(str(LATER_MS)),
    "the cookie's expires a number": with_cookie(expires=5),
    "the cookie's expires an HTTP date": with_cookie(expires=format_datetime(LATER, usegmt=True)),
    "the cookie's expires unreadable": with_cookie(expires="soon"),
    "the cookie's expires false": with_cookie(expires=False, originalMaxAge=False),
    "the cookie's expires an object": with_cookie(expires={"a": 1}),
    "originalMaxAge false": with_cookie(originalMaxAge=False),
    "originalMaxAge true": with_cookie(originalMaxAge=True),
    "originalMaxAge beyond the year 9999": with_cookie(originalMaxAge=253_402_300_800_000),
    "originalMaxAge 1e15": with_cookie(originalMaxAge=1e15),
    "originalMaxAge 1e17": with_cookie(originalMaxAge=1e17),
    "originalMaxAge text": with_cookie(originalMaxAge="60000"),
    "originalMaxAge an operator": with_cookie(originalMaxAge={"$ne": None}),
    "secure text": with_cookie(secure="yes"),
    "httpOnly text": with_cookie(httpOnly="yes"),
    "path a number": with_cookie(path=5),
    "path that cannot be sent": with_cookie(path="/;x"),
    "domain that is none": with_cookie(domain="a b"),
    "sameSite that is none": with_cookie(sameSite="odd"),
    "priority an object": with_cookie(priority={"a": 1}),
}
NO_SESSIONS: dict[str, Mapping[str, Any]] = {
    "nothing": {"expires": LATER},
    "null": {"expires": LATER, "session": None},
    "text": {"expires": LATER, "session": "x"},
    "a list": {"expires": LATER, "session": [1]},
    "no cookie": {"expires": LATER, "session": {"user": "tobi"}},
    "cookie null": {"expires": LATER, "session": {"cookie": None, "user": "tobi"}},
    "cookie text": {"expires": LATER, "session": {"cookie": "x", "user": "tobi"}},
    "expires text": ending(LATER.isoformat()),
    "expires true": ending(True),
    "expires an object": ending({"a": 1}),
    "nested deeper than any server of MongoDB's takes": {
        "expires": LATER,
        "session": {"cookie": NO_COOKIE, "user": nested(400)},
    },
}
TEXTS: dict[str, Any] = {
    "no text": {"cookie": NO_COOKIE},
    "no JSON": "{",
    "no object": "[1]",
    "no cookie": "{}",
    "a cookie that is none": '{"cookie": 5}',
    "text nested too deep": json.dumps({"cookie": NO_COOKIE, "a": nested(700)}),
}


@pytest.fixture
def client(mongodb: MongoDBServer) -> Iterator[pymongo.MongoClient[Any]]:
    with pymongo.MongoClient[Any](mongodb.uri, tz_aware=True) as client:
        yield client


@pytest.mark.parametrize("options", [{}, {"rotate_on": "user", "rolling": True}], ids=["", "rotating"])
@pytest.mark.parametrize("document", SESSIONS.values(), ids=SESSIONS)
def test_a_document_that_express_reads_is_read_changed_moved_and_ended(
    serve: Serve, client: pymongo.MongoClient[Any], document: Mapping[str, Any], options: dict[str, Any]
) -> None:
    store = MongoDBStore(client=client)
    url = serve(app_of_visits(store, options))
    for path, text in (("/read", "tobi"), ("/change", ""), ("/login", ""), ("/logout", "")):
        client.test.sessions.delete_many({})
        client.test.sessions.insert_one({"_id": "known", **document})
        if path == "/read":
            assert [session["user"] for session in store.all().values()] == ["tobi"]
        answer = Browser(url, KNOWN).get(path)
        assert (answer.status, answer.text) == (200, text), path
        sessions = [kept["session"] for kept in client.test.sessions.find()]
        users = {"/login": "another", "/logout": None}
        assert [kept["user"] for kept in sessions] == ([] if path == "/logout" else [users.get(path, "tobi")])
        assert path != "/change" or sessions[0]["changed"] == 1


@pytest.mark.parametrize("options", [{}, {"rotate_on": "user"}], ids=["", "rotating"])
@pytest.mark.parametrize("document", NO_SESSIONS.values(), ids=NO_SESSIONS)
def test_a_document_that_holds_no_session_is_none_and_its_visitor_gets_a_new_one(
    serve: Serve, client: pymongo.MongoClient[Any], document: Mapping[str, Any], options: dict[str, Any]
) -> None:
    store = MongoDBStore(client=client)
    url = serve(app_of_visits(store, options))
    client.test.sessions.insert_one({"_id": "known", **document})
    assert store.all() == {}
    if document["expires"] == LATER:  # else it is a session that has ended, which a request under way may still save
        assert store.rotate("known", "new", changes({"a.b": 1})) is None
    browser = Browser(url, KNOWN)
    assert browser.get("/read").text == "nobody"
    assert browser.get("/login").sets_cookie
    assert browser.cookie != KNOWN
    assert browser.get("/read").text == "another"
    assert browser.get("/logout").status == 200
    assert browser.get("/read").text == "nobody"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_that_holds_no_session_is_none(client: pymongo.MongoClient[Any], text: Any) -> None:
    store = MongoDBStore(client=client, stringify=True)
    client.test.sessions.insert_one({"_id": "known", "expires": LATER, "session": text})
    assert (store.get("known"), store.all()) == (None, {})
    assert store.update("known", changes({"a": 1})) is False
    assert store.rotate("known", "new", changes()) is None
    store.end("known")
    assert client.test.sessions.find_one({}) is None


def test_a_document_whose_id_is_no_string_is_no_session_and_keeps_nobody_from_the_others(
    client: pymongo.MongoClient[Any],
) -> None:
    store = MongoDBStore(client=client)
    client.test.sessions.insert_many([{"_id": 5, **with_cookie()}, {**with_cookie()}, {"_id": "a", **with_cookie()}])
    assert set(store.all()) == {"a"}


def app_of_visits(store: MongoDBStore, options: Mapping[str, Any]) -> Any:
    app = app_with_session(store=store, **options)
    app.get("/read", lambda req, res: res.send(req.session.user or "nobody"))
    app.get("/change", lambda req, res: (req.session.update(changed=1), res.end()))
    app.get("/login", lambda req, res: (req.session.update(user="another"), res.end()))
    app.get("/logout", lambda req, res: (req.session.destroy(), res.end()))
    return app


def test_dates_that_python_does_not_have_are_read_as_the_nearest_that_it_has() -> None:
    document = {"session": {"cookie": {**NO_COOKIE, "expires": FAR, "originalMaxAge": 1e15}, "at": FAR}, "expires": FAR}
    fields = decode(RawBSONDocument(bson.encode(document)), session_codec(CodecOptions()))
    session = session_of(fields) or {}
    latest = datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)
    assert (fields["expires"], session["at"]) == (latest, latest)
    cookie = Cookie.from_json(session["cookie"])
    assert (cookie.expires, cookie.original_max_age) == (latest, 1e15)


REFERENCES: list[dict[str, Any]] = [
    {"$ref": "x", "$id": 1},
    {"$id": {"$ref": "y", "$id": 2}, "$ref": "x", "$db": "d", "more": [{"$ref": "z", "$id": None}]},
    {"$ref": "x"},
    {"$ref": 5, "$id": 1},
    {"$ref": "x", "$id": 1, "$db": 5},
]


def test_what_looks_like_a_reference_to_a_document_stays_the_dict_that_it_was(
    serve: Serve, secantus_server: SecantusServer
) -> None:
    store = MongoDBStore(uri=secantus_server.uri, collection="references")
    store.clear()
    app = app_with_session(store=store)
    app.get("/", lambda req, res: (req.session.update(all=REFERENCES), res.end()))
    app.get("/read", lambda req, res: res.json(req.session.all))
    browser = Browser(serve(app))
    browser.get()
    assert json.loads(browser.get("/read").text) == REFERENCES
    assert [session["all"] for session in store.all().values()] == [REFERENCES]
    store.clear()
    store.client.close()


# What a client may send


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_visitor_without_an_id_ends_nobody_s_session(
    serve: Serve, client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    for sid in "abcde":
        store.set(sid, {"cookie": NO_COOKIE, "user": sid})
    agent = "User-Agent"
    app = app_with_session(store=store, genid=lambda req: req.get(agent) and "made")
    app.get("/destroy", lambda req, res: (req.session.destroy(), res.end()))
    app.get("/regenerate", lambda req, res: (req.session.regenerate(), res.end()))
    app.get("/change", lambda req, res: (req.session.update(a=1), res.end()))
    app.get("/delete", lambda req, res: (setattr(req, "session", None), res.end()))
    url = serve(app)
    for path in ("/destroy", "/regenerate", "/change", "/delete"):
        answer = Browser(url).get(path)
        assert (answer.status, answer.sets_cookie) == (200, False), path
        assert set(store.all()) == set("abcde"), path


@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_what_a_post_puts_in_a_session_is_kept_or_refused_by_its_key_and_a_logout_works(
    serve: Serve, client: pymongo.MongoClient[Any], stringify: bool
) -> None:
    app = app_with_session(store=MongoDBStore(client=client, stringify=stringify))
    values = {"deep": nested(500), "very deep": nested(900), "surrogate": "\ud800", "long": 2**65, "keys": {None: 1}}
    app.get("/keep", lambda req, res: (req.session.update(cart=values[req.query.name]), res.end()))
    app.get("/read", lambda req, res: res.json(req.session.cart))
    app.get("/logout", lambda req, res: (req.session.destroy(), res.end()))
    app.use(lambda err, req, res, next: res.status(500).send(str(err)))
    browser = Browser(serve(app))
    for name, kept in (("surrogate", '"\ufffd"'), ("long", ""), ("keys", '{"null":1}')):
        assert browser.get(f"/keep?name={name}").status == 200
        text = browser.get("/read").text
        assert text == kept or float(text) == pytest.approx(2**65)
    for name in ("deep", "very%20deep"):
        answer = browser.get(f"/keep?name={name}")
        assert answer.status == 500
        assert answer.text.startswith("req.session['cart'] cannot be stored: it contains itself, or is nested deeper")
        assert browser.get("/read").text == '{"null":1}'
    assert browser.get("/logout").status == 200
    assert client.test.sessions.find_one({}) is None


@pytest.mark.parametrize("rotate_on", [None, "user"], ids=["", "rotate_on"])
def test_a_key_that_express_keeps_in_a_text_and_no_store_takes_here_keeps_nobody_from_a_change_and_a_logout(
    serve: Serve, client: pymongo.MongoClient[Any], rotate_on: str | None
) -> None:
    app = app_with_session(store=MongoDBStore(client=client, stringify=True), rotate_on=rotate_on)
    app.get("/change", lambda req, res: (req.session.update(views=1), res.end()))
    app.get("/drop", lambda req, res: (req.session.pop("a\0b"), res.end()))
    app.get("/logout", lambda req, res: (req.session.pop("user"), res.end()))
    text = json.dumps({"cookie": NO_COOKIE, "user": "tobi", "a\0b": 1, "\ud800": 2})
    for path, keys in (
        ("/change", {"cookie", "user", "a\0b", "\ufffd", "views"}),
        ("/drop", {"cookie", "user", "\ufffd"}),
        ("/logout", {"cookie", "a\0b", "\ufffd"}),
    ):
        client.test.sessions.delete_many({})
        client.test.sessions.insert_one({"_id": "known", "expires": LATER, "session": text})
        assert Browser(serve(app), KNOWN).get(path).status == 200
        [kept] = client.test.sessions.find({})
        assert set(json.loads(kept["session"])) == keys


def test_the_sessions_of_somebody_are_asked_for_by_the_value_that_is_stored(client: pymongo.MongoClient[Any]) -> None:
    store = MongoDBStore(client=client)
    store.set("a", {"cookie": NO_COOKIE, "user": "\ud800"})
    assert set(store.sessions_where("user", "\ud800")) == {"a"}
    assert store.destroy_where("user", "\ud800") == 1
    for path in (None, "", 5):
        with pytest.raises(TypeError, match=f"path of a session's field.*{path!r}"):
            store.destroy_where(path, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("max_age", ["text", True, {"a": 1}, 1e300], ids=str)
@pytest.mark.parametrize("stringify", [False, True], ids=["fields", "text"])
def test_a_session_whose_max_age_is_none_is_touched_and_changed(
    client: pymongo.MongoClient[Any], max_age: Any, stringify: bool
) -> None:
    store = MongoDBStore(client=client, stringify=stringify)
    cookie = {**NO_COOKIE, "originalMaxAge": max_age}
    session = json.dumps({"cookie": cookie}) if stringify else {"cookie": cookie}  # with blanks, which Express has not
    client.test.sessions.insert_one(
        {"_id": "odd", "expires": datetime.now(UTC) + timedelta(hours=1), "session": session}
    )
    store.touch("odd", {"cookie": NO_COOKIE})
    kept = client.test.sessions.find_one({})
    assert kept is not None
    assert kept["expires"].replace(tzinfo=UTC) > datetime.now(UTC) + timedelta(days=13)
    assert store.update("odd", changes({"a": 1}))
    assert (store.get("odd") or {})["a"] == 1


def test_a_user_s_own_original_max_age_in_a_text_is_not_the_cookie_s(client: pymongo.MongoClient[Any]) -> None:
    store = MongoDBStore(client=client, stringify=True)
    store.set("a", {"cookie": {**NO_COOKIE, "originalMaxAge": 5000}, "video": {"originalMaxAge": 60_000}})
    before = client.test.sessions.find_one({})
    later = {**NO_COOKIE, "originalMaxAge": 60_000, "expires": datetime.now(UTC) + timedelta(minutes=1)}
    store.touch("a", {"cookie": later})
    assert client.test.sessions.find_one({}) == before


@pytest.mark.parametrize("expires", [1e15, "1e15", 0, None, 1, "no time"], ids=str)
def test_length_counts_the_sessions_that_all_returns(client: pymongo.MongoClient[Any], expires: Any) -> None:
    store = MongoDBStore(client=client)
    client.test.sessions.insert_one({"_id": "a", "expires": expires, "session": {"cookie": NO_COOKIE, "user": "ada"}})
    assert store.length() == len(store.all()) == len(store.sessions_where("user", "ada"))
