"""`MongoDBStore` without its MongoDB: each fault, on a real server, is an answer in under two seconds."""

from __future__ import annotations

import logging
import os
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pymongo
import pytest

from miniexpress import HTTPError
from miniexpress.sessions.mongodb import MongoDBStore
from tests.support.browser import Answer, Browser, all_at_once, app_with_session, changes, signed
from tests.support.mongodb_servers import MongoDBServer, SecantusServer
from tests.support.ports import free_port, is_listening
from tests.support.waiting import wait_for

Serve = Callable[..., str]
KNOWN = f"connect.sid={signed('known')}"
SESSION = {"cookie": {"originalMaxAge": None, "expires": None}, "views": 0}
LOGGER = "miniexpress.sessions"


def counting_app(store: MongoDBStore) -> Any:
    app = app_with_session(store=store)

    @app.get("/")
    def count(req: Any, res: Any) -> None:
        req.session.views = (req.session.views or 0) + 1
        res.json(req.session.views)

    return app


def in_time(browser: Browser) -> Answer:
    """The answer, which has come in under two seconds."""
    begun = time.monotonic()
    answer = browser.get()
    assert time.monotonic() - begun < 2
    return answer


@pytest.fixture
def store(secantus_server: SecantusServer) -> Iterator[MongoDBStore]:
    # A write that was held back may be done when its test is over.
    store = MongoDBStore(uri=secantus_server.uri, collection=f"sessions-{uuid4()}")
    store.set("known", SESSION)
    yield store
    store.client.close()


FAULTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "a read that breaks off": (("find",), {"closeConnection": True}),
    "a read that is never answered": (("find",), {"blockConnection": True, "blockTimeMS": 5000}),
    "a read that is refused": (("find",), {"errorCode": 13}),
    "a read on a server that stops": (("find",), {"errorCode": 11600}),
    "a write that breaks off": (("update",), {"closeConnection": True}),
    "a write that is never answered": (("update",), {"blockConnection": True, "blockTimeMS": 5000}),
    "a write on what is primary no more": (("update",), {"errorCode": 10107}),
    "a write on a full disk": (("update",), {"errorCode": 14031}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_server_is_a_503_in_time_and_the_request_after_it_works(
    serve: Serve, secantus_server: SecantusServer, store: MongoDBStore, fault: str
) -> None:
    commands, how = FAULTS[fault]
    browser = Browser(serve(counting_app(store)), KNOWN)
    assert browser.get().text == "1"
    with secantus_server.failing(*commands, **how):
        answer = in_time(browser)
        assert (answer.status, answer.set_cookie) == (503, [])
    answer = in_time(browser)
    # A write that was never answered may have been done.
    assert (answer.status, answer.text in ("2", "3")) == (200, True)


def test_one_command_that_fails_is_tried_again_and_nobody_notices(
    serve: Serve, secantus_server: SecantusServer, store: MongoDBStore
) -> None:
    browser = Browser(serve(counting_app(store)), KNOWN)
    browser.get()
    with secantus_server.failing("find", mode={"times": 1}, closeConnection=True):
        assert (browser.get().status, browser.get().text) == (200, "3")


def test_an_outage_for_writes_alone_is_logged_once_too(
    serve: Serve, secantus_server: SecantusServer, store: MongoDBStore, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(serve(counting_app(store)), KNOWN)
    browser.get()
    with secantus_server.failing("update", closeConnection=True):
        assert [in_time(browser).status for _ in range(3)] == [503, 503, 503]
    assert in_time(browser).status == 200
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "the session store is not available",
        "the session store is back",
    ]


@pytest.mark.parametrize("label", ["RetryableWriteError", None], ids=["it says so", "the driver knows"])
def test_a_primary_that_steps_down_loses_no_write_and_nobody_notices(
    serve: Serve, secantus_server: SecantusServer, store: MongoDBStore, label: str | None
) -> None:
    app = counting_app(store)
    app.get("/set/:key", lambda req, res: (req.session.update({req.params.key: 1}), res.end()))
    browser = Browser(serve(app), KNOWN)
    browser.get()
    labels = {"errorLabels": [label]} if label else {}
    with secantus_server.failing("update", mode={"times": 2}, errorCode=10107, **labels):
        answers = all_at_once(browser, [f"/set/{number}" for number in range(40)], threads=4)
    assert {answer.status for answer in answers} == {200}
    assert set(store.get("known") or {}) == {"cookie", "views", *map(str, range(40))}


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX's SIGSTOP")
def test_a_server_that_accepts_and_never_answers_is_a_503_at_once_after_the_first(
    serve: Serve, mongodb: MongoDBServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = MongoDBStore(uri=mongodb.uri)
    store.set("known", SESSION)
    browser = Browser(serve(counting_app(store)), KNOWN)
    assert browser.get().text == "1"
    os.kill(mongodb.pid, signal.SIGSTOP)
    try:
        assert in_time(browser).status == 503
        begun = time.monotonic()
        assert {answer.status for answer in all_at_once(browser, ["/"] * 16)} == {503}
        assert time.monotonic() - begun < 1
    finally:
        os.kill(mongodb.pid, signal.SIGCONT)
    answer = in_time(browser)
    assert (answer.status, answer.text in ("2", "3")) == (200, True)  # what was never answered may have been done
    assert len(caplog.messages) == 2
    assert caplog.messages[1] == "the session store is back"
    store.client.close()


@pytest.mark.usefixtures("whole_machine")
def test_no_write_that_was_acknowledged_is_lost_when_the_server_is_killed_under_load(
    serve: Serve, mongodb: MongoDBServer
) -> None:
    store = MongoDBStore(uri=mongodb.uri)
    store.set("known", SESSION)
    app = counting_app(store)
    app.get("/set/:key", lambda req, res: (req.session.update({req.params.key: 1}), res.end()))
    browser = Browser(serve(app), KNOWN)
    acknowledged: set[str] = set()
    unanswered: list[int] = []

    def set_keys(thread: int) -> None:
        for number in range(60):
            key = f"{thread}-{number}"
            begun = time.monotonic()
            answer = browser.with_same_cookie().get(f"/set/{key}")
            assert time.monotonic() - begun < 2
            if answer.status == 200:
                acknowledged.add(key)
            else:
                assert answer.status == 503
                unanswered.append(number)
                wait_for(lambda: is_listening(mongodb.port), "the server is back")

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(set_keys, thread) for thread in range(4)]
        for often in (40, 120):
            wait_for(lambda: len(acknowledged) > often, "some writes")  # noqa: B023
            mongodb.restart()
        for writer in writers:
            writer.result()
    assert len(acknowledged) + len(unanswered) == 240
    assert acknowledged <= set(store.get("known") or {})
    assert in_time(browser).status == 200
    store.client.close()


def test_a_server_that_is_gone_is_a_503_logged_once_and_its_return_is_logged_once(
    serve: Serve, mongodb: MongoDBServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    store = MongoDBStore(uri=mongodb.uri)
    errors: list[Exception] = []
    store.on("error", errors.append)
    store.clear()
    store.set("known", SESSION)
    browser = Browser(serve(counting_app(store)), KNOWN)
    assert browser.get().text == "1"
    mongodb.kill()
    try:
        assert [in_time(browser).status for _ in range(3)] == [503, 503, 503]
        begun = time.monotonic()
        assert {answer.status for answer in all_at_once(browser, ["/"] * 16)} == {503}
        assert time.monotonic() - begun < 2
        assert in_time(Browser(browser.url)).status == 503
        assert len(caplog.messages) == 1, caplog.messages
        assert "not available" in caplog.messages[0]
        assert len(errors) == 20
    finally:
        mongodb.start()
    assert [in_time(browser).text for _ in range(2)] == ["2", "3"]
    assert caplog.messages[1:] == ["the session store is back"]
    store.client.close()


def test_a_request_that_needs_no_session_is_answered_without_mongodb(serve: Serve) -> None:
    store = MongoDBStore(uri=f"mongodb://127.0.0.1:{free_port()}/test")
    app = app_with_session(store=store)
    app.get("/", lambda req, res: res.send("hello"))
    assert in_time(Browser(serve(app))).text == "hello"
    store.client.close()


@pytest.mark.parametrize("kind", ["closed", "silent", "no such host"])
def test_a_uri_where_no_mongodb_responds_is_a_503_within_two_seconds(serve: Serve, kind: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen()
        host = "no-such-host.invalid" if kind == "no such host" else f"127.0.0.1:{listener.getsockname()[1]}"
        store = MongoDBStore(uri=f"mongodb://{host}/test")
        browser = Browser(serve(counting_app(store)), KNOWN)
        assert [in_time(browser).status for _ in range(2)] == [503, 503]
        store.client.close()


def test_a_client_that_is_shared_and_impatient_enough_is_as_quick(serve: Serve) -> None:
    with pymongo.MongoClient[Any](f"mongodb://127.0.0.1:{free_port()}", connect=False) as client:
        browser = Browser(serve(counting_app(MongoDBStore(client=client))), KNOWN)
        assert [in_time(browser).status for _ in range(2)] == [503, 503]


def test_a_wrong_password_is_a_503_in_time_and_the_log_says_why_but_not_the_password(
    serve: Serve, secantus_auth_server: SecantusServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = MongoDBStore(uri=secantus_auth_server.uri.replace(":password@", ":correct-horse@"))
    browser = Browser(serve(counting_app(store)), KNOWN)
    answers = [in_time(browser) for _ in range(2)]
    assert [answer.status for answer in answers] == [503, 503]
    assert len(caplog.messages) == 1
    assert "uthentication" in caplog.messages[0]
    assert "correct-horse" not in caplog.text + answers[0].text
    store.client.close()


def test_an_acknowledged_write_outlives_the_server(serve: Serve, mongodb: MongoDBServer) -> None:
    store = MongoDBStore(uri=mongodb.uri)
    store.clear()
    store.set("known", SESSION)
    browser = Browser(serve(counting_app(store)), KNOWN)
    acknowledged = 0
    for _ in range(2):
        for _ in range(5):
            answer = browser.get()
            acknowledged = int(answer.text) if answer.status == 200 else acknowledged
        mongodb.restart()
        assert store.get("known")["views"] == acknowledged  # type: ignore[index]
    assert acknowledged == 10
    store.client.close()


def test_every_method_of_the_store_raises_a_503_while_mongodb_is_down(secantus_server: SecantusServer) -> None:
    store = MongoDBStore(uri=f"mongodb://127.0.0.1:{free_port()}/test")
    calls: list[Callable[[], Any]] = [
        lambda: store.get("a"),
        lambda: store.set("a", SESSION),
        lambda: store.update("a", changes({"x": 1})),
        lambda: store.update("a", changes({"x.y": 1})),
        lambda: store.rotate("a", "b", changes()),
        lambda: store.sessions_where("user.email", "a"),
        lambda: store.destroy_where("user.email", "a"),
        lambda: store.touch("a", SESSION),
        lambda: store.destroy("a"),
        lambda: store.end("a"),
        store.all,
        store.length,
        store.clear,
    ]
    for call in calls:
        with pytest.raises(HTTPError) as raised:
            call()
        assert raised.value.status == 503
    store.client.close()


def test_an_index_that_cannot_be_made_is_told_and_the_store_works_all_the_same(
    serve: Serve, secantus_server: SecantusServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = MongoDBStore(uri=secantus_server.uri, collection="unindexed")
    errors: list[Exception] = []
    store.on("error", errors.append)
    with secantus_server.failing("createIndexes", errorCode=85):
        store.set("known", SESSION)
        store.set("known", SESSION)
    assert store.get("known") is not None
    assert (len(errors), len(caplog.messages)) == (1, 1)
    assert "index" in caplog.messages[0]
    store.client.close()


def test_no_request_waits_for_an_index_that_takes_long_to_build(secantus_server: SecantusServer) -> None:
    store = MongoDBStore(uri=secantus_server.uri, collection="large")

    def indexes() -> set[str]:
        return {index["key"][0][0] for index in store.collection.index_information().values()}

    store.set("a", {**SESSION, "user": {"name": "tobi"}})
    store.collection.drop_indexes()
    store.client.close()
    store = MongoDBStore(uri=secantus_server.uri, collection="large")
    begun = time.monotonic()
    with secantus_server.failing("createIndexes", blockConnection=True, blockTimeMS=4000):
        assert store.get("a") is not None
        assert store.sessions_where("user.name", "tobi").keys() == {"a"}
        assert store.get("a") is not None
        answered = time.monotonic() - begun
        assert indexes() == {"_id"}
        wait_for(lambda: {"expires", "session.user.name"} <= indexes(), "the indexes")
    assert answered < 2.5 < time.monotonic() - begun
    store.client.close()


class _Forward(socketserver.BaseRequestHandler):
    """Hands on what comes over a Unix socket to the MongoDB server at a port."""

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as there:  # type: ignore[attr-defined]
            back = threading.Thread(target=pump, args=(there, self.request))
            back.start()
            pump(self.request, there)
            back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def test_a_server_behind_a_unix_socket_is_reached(serve: Serve, mongodb: MongoDBServer, tmp_path: Path) -> None:
    path = str(tmp_path / "mongodb.sock")
    with _UnixServer(path, _Forward) as forwarder:
        forwarder.port = mongodb.port  # type: ignore[attr-defined]
        thread = threading.Thread(target=forwarder.serve_forever)
        thread.start()
        store = MongoDBStore(uri=f"mongodb://{quote(path, safe='')}/test", collection="unix")
        store.client.admin.command("ping")
        store.client.close()
        store = MongoDBStore(uri=f"mongodb://{quote(path, safe='')}/test", collection="unix")
        try:
            assert Browser(serve(counting_app(store))).get().status == 200
        finally:
            store.client.close()
            forwarder.shutdown()
            thread.join()
