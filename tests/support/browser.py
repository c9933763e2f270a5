"""For tests of sessions: an app with a session, a browser that keeps its cookie, and stores that record their calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from miniexpress import App, express, session
from miniexpress.sessions.changes import Changes
from miniexpress.sessions.memory import MemoryStore
from miniexpress.sessions.store import Document, Store

SECRET = "keyboard cat"
# Keys of a session that have a meaning in MongoDB, JavaScript or Python.
ODD_KEYS = ("", "a.b", "$set", "key", "é🦊", "'\"\\", " ", "__proto__", "a b", "[0]", "0", "$", ".", "a\nb", "items")


def app_with_session(**options: Any) -> App:
    """Return an app whose requests have a session; ``resave`` and ``save_uninitialized`` are off by default."""
    app = express()
    app.set("env", "test")
    app.use(session(**{"secret": SECRET, "resave": False, "save_uninitialized": False, **options}))
    return app


def signed(sid: str, secret: str = SECRET) -> str:
    """Return the value of a session's cookie, as npm cookie-signature 1.2 signs and npm cookie 0.7 encodes it."""
    digest = hmac.new(secret.encode(), sid.encode(), hashlib.sha256).digest()
    return quote(f"s:{sid}.{base64.b64encode(digest).decode().rstrip('=')}", safe="!'()*~")


@dataclass
class Answer:
    """A response, as the browser received it."""

    status: int
    headers: Message
    text: str

    @property
    def set_cookie(self) -> list[str]:
        return self.headers.get_all("Set-Cookie", [])

    @property
    def sets_cookie(self) -> bool:
        return bool(self.set_cookie)


class Browser:
    """It sends its cookie with each request, and keeps the one that a response sets. A ``connection`` is used again."""

    def __init__(
        self, url: str, cookie: str | None = None, connection: http.client.HTTPConnection | None = None
    ) -> None:
        self.url, self.cookie, self.connection = url, cookie, connection

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None) -> Answer:
        connection = self.connection or connected(self.url)
        given = {"Cookie": self.cookie} if self.cookie else {}
        try:
            connection.request("GET", path, headers={**given, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read().decode())
        finally:
            if connection is not self.connection:
                connection.close()
        if answer.set_cookie:
            self.cookie = answer.set_cookie[-1].partition(";")[0]
        return answer

    def with_same_cookie(self) -> Browser:
        """Return another browser with the cookie of now: neither sees the cookies that the other is sent later."""
        return Browser(self.url, self.cookie)


def connected(url: str) -> http.client.HTTPConnection:
    """Return a connection to the host and port of ``url``; it is opened by the first request."""
    target = urlsplit(url)
    return http.client.HTTPConnection(target.hostname or "", target.port, timeout=20)


def all_at_once(browser: Browser, paths: Iterable[str], threads: int = 16) -> list[Answer]:
    """Send requests at the same time, each with the cookie of now; return the responses in the order of ``paths``."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda path: browser.with_same_cookie().get(path), paths))


NO_COOKIE: dict[str, Any] = {"originalMaxAge": None, "expires": None, "httpOnly": True, "path": "/"}


def changes(
    added: Mapping[str, Any] | None = None,
    changed: Mapping[str, Any] | None = None,
    removed: Iterable[str] = (),
    cookie: Mapping[str, Any] = NO_COOKIE,
    max_age: float | None = None,
) -> Changes:
    """Return the changes of a session, which has no max age by default."""
    return Changes(added or {}, changed or {}, list(removed), cookie, max_age)


class PlainStore(Store):
    """A store of a user: with the three methods that a store must have, and ``touch``. It records its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.kept = MemoryStore()

    def get(self, sid: str) -> Document | None:
        self.calls.append(f"get {sid}")
        return self.kept.get(sid)

    def set(self, sid: str, document: Document) -> None:
        self.calls.append(f"set {sid}")
        self.kept.set(sid, document)

    def update(self, sid: str, changes: Changes) -> bool:
        """Do as the base class, without the read that this begins with among the calls."""
        before = len(self.calls)
        is_there = super().update(sid, changes)
        del self.calls[before]
        return is_there

    def destroy(self, sid: str) -> None:
        self.calls.append(f"destroy {sid}")
        self.kept.destroy(sid)

    def touch(self, sid: str, document: Document) -> None:
        self.calls.append(f"touch {sid}")
        self.kept.touch(sid, document)


class UpdatingStore(PlainStore):
    """A ``PlainStore`` that has ``update`` too, which it records as the ``set`` that it replaces."""

    def update(self, sid: str, changes: Changes) -> bool:
        self.calls.append(f"set {sid}")
        return self.kept.update(sid, changes)


class FailingStore(MemoryStore):
    """A store whose methods named in ``broken`` raise."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in ("get", "set", "update", "touch", "destroy") and name in self.broken:
            return partial(_raise, OSError(f"{name} failed"))
        return super().__getattribute__(name)


def _raise(error: Exception, *arguments: Any) -> None:
    raise error


Handler = Callable[[Any, Any], Any]
