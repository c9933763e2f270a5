"""``Store``, the base class of session stores. After express-session 1.19's ``session/store.js``."""

from __future__ import annotations

import functools
import inspect
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..arguments import describe, fit_callback, is_async, refuse_generator
from .changes import Changes
from .values import storable

if TYPE_CHECKING:
    from ..request import Request

Document = Mapping[str, Any]
"""A session as it is stored: ``{"cookie": {"originalMaxAge", "expires", "httpOnly", "path", …}, …data}``."""


class Stored(NamedTuple):
    """A session as ``load_stored`` has read it.

    ``recently_touched``: this request need not ``touch`` it. ``source`` is a value of the store's own, which ``update``
    gets back in ``Changes.source``: by it a store can tell whether the session is still as it was read. ``text`` is the
    document without its cookie, as JSON, from a store that keeps it so: nobody need write it again to compare with it.
    """

    document: Document
    recently_touched: bool = False
    source: Any = None
    text: str | None = None


class Store:
    """Keep sessions. A store of one's own defines ``get``, ``set`` and ``destroy``, and may define:

    - ``touch(sid, document)``: keep the session for as long as ``document["cookie"]`` says, and change nothing else;
      nothing at all where another request has given it another ``originalMaxAge``;
    - ``transaction``, ``set_successor``, ``pop_successor`` and ``was_rotated``, where several processes share the
      sessions: ``update``, ``rotate`` and ``end`` are built on them, and hold within one process as they are here.
      Or ``update``, ``rotate``, ``end`` and ``was_rotated``, each in one atomic step;
    - ``all() -> {sid: document}``, ``length()`` and ``clear()``.

    Its methods are plain functions: a class with an ``async`` one, which would not run, is a ``TypeError``.

    An id is a string that UTF-8 can encode. In every store any other id finds no session and changes none, and storing
    a session under it raises ``TypeError``. A document is a mapping whose ``cookie`` is one; whatever else ``get``
    returns is no session. Stores get only values that they all keep alike: see ``values.storable``.

    A store that emits ``disconnect`` is left alone, and requests get no session, until it emits ``connect``.
    """

    is_connected = True

    _listeners: dict[str, list[Callable[..., Any]]]
    _lock: RLock
    _successors: OrderedDict[str, tuple[str, datetime]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not in __init__, which a store of one's own may forget to call.
        store = super().__new__(cls)
        store._listeners, store._lock, store._successors = {}, RLock(), OrderedDict()
        return store

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _check_methods(cls)
        _check_arguments(cls)

    def get(self, sid: str) -> Document | None:
        """Return the document of a session, or ``None`` if there is none or it has expired."""
        raise NotImplementedError(f"{type(self).__name__} must define get(sid)")

    def set(self, sid: str, document: Document) -> None:
        """Store a session, new or not."""
        raise NotImplementedError(f"{type(self).__name__} must define set(sid, document)")

    def destroy(self, sid: str) -> None:
        """Remove a session. Do nothing if there is none."""
        raise NotImplementedError(f"{type(self).__name__} must define destroy(sid)")

    def load_stored(self, sid: str) -> Stored | None:
        """Read a session for a request: what ``get`` returns, and what the store is to be told of it again."""
        document = self.get(sid)
        return None if document is None else Stored(document)

    def get_even_expired(self, sid: str) -> Document | None:
        """Return the document that ``update`` and ``rotate`` change: by default the one that ``get`` returns.

        A store that still has a session which has expired returns that: one that expires during a request can still be
        saved, as in Node.
        """
        return self.get(sid)

    def update(self, sid: str, changes: Changes) -> bool:
        """Store ``changes.apply_to(document)`` in one step. Return ``False`` if there is no such session any more."""
        with self.transaction():
            latest = self.get_even_expired(sid)
            if latest is None:
                return False
            self._write(sid, changes.apply_to(latest))
            return True

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        """Move a session to another id, with changes. Return its document, or ``None`` if there is no such session."""
        with self.transaction():
            latest = self.get_even_expired(sid)
            if latest is None:
                return None
            document = changes.apply_to(latest)
            self.set(new_sid, document)
            self.set_successor(sid, new_sid)
            self.destroy(sid)
            return document

    def _write(self, sid: str, document: Document) -> None:
        """Do as ``set``, for a document whose values are known to be storable."""
        self.set(sid, document)

    def end(self, sid: str) -> None:
        """Destroy a session, and those that ``rotate`` has moved it to.

        So a logout that had loaded the session by its old id stays in force. No other method follows an old id.
        """
        with self.transaction():
            self.destroy(sid)
            while successor := self.pop_successor(sid):
                sid = successor
                self.destroy(sid)

    def transaction(self) -> AbstractContextManager[Any]:
        """Return a context manager that keeps out other threads, and processes that share the sessions.

        It is entered by ``update``, ``rotate`` and ``end``, and never within itself.
        """
        return self._lock

    def set_successor(self, sid: str, new_sid: str) -> None:
        """Remember that ``sid`` was moved to ``new_sid``, for as long as a request may last."""
        self._successors[sid] = new_sid, datetime.now(UTC)
        if len(self._successors) > _MAX_SUCCESSORS:
            self._successors.popitem(last=False)

    def pop_successor(self, sid: str) -> str | None:
        """Return the id that ``sid`` was moved to, and forget it; ``None`` if it was not moved."""
        successor, _ = self._successors.pop(sid, (None, None))
        return successor

    def was_rotated(self, sid: str) -> bool:
        """Return whether ``rotate`` has moved this id's session within ``LATE``."""
        _, moved = self._successors.get(sid, (None, None))
        return moved is not None and datetime.now(UTC) - moved < LATE

    def on(self, event: str, listener: Callable[..., Any]) -> Self:
        """Call ``listener`` at each ``event``: ``error`` (with the exception), ``disconnect``, ``connect``.

        A listener of ``error`` may leave its parameter out. Raises ``TypeError`` for one that takes other parameters.
        """
        if event == "error":
            listener = fit_callback(listener, "store.on('error')", "(error)")
        self._listeners.setdefault(event, []).append(listener)
        return self

    def emit(self, event: str, *arguments: Any) -> None:
        """Call the listeners of an event."""
        if event in ("disconnect", "connect"):
            self.is_connected = event == "connect"
        for listener in self._listeners.get(event, ()):
            listener(*arguments)

    # A store makes no sessions. Handlers may still ask it to, as in Express, and the request's own middleware does.

    def generate(self, req: Request) -> Any:
        """Give the request an empty ``Session`` with a new id, by the options of its own ``session(...)``."""
        return req.generate_session(req)

    def regenerate(self, req: Request) -> Any:
        """Destroy the request's session, and ``generate`` one. ``req.session.regenerate()`` does the same."""
        self.end(req.session_id)
        return self.generate(req)


def _check_methods(store: type[Store]) -> None:
    """Raise ``TypeError`` for a method that would not run when it is called: sessions would be lost in silence."""
    for name in ("touch", *vars(Store)):
        method = getattr(store, name, None) if not name.startswith("_") else None
        if callable(method) and is_async(method):
            raise TypeError(f"{describe(method)} is async, and a session store is not: make it a plain def")
        if callable(method):
            refuse_generator(method)


def _check_arguments(store: type[Store]) -> None:
    """Wrap the methods that a class defines, or has of a base that is no store, so that every store checks alike."""
    for name, check in _CHECKS.items():
        owner = next((each for each in store.__mro__ if name in vars(each)), Store)
        if (owner is store or not issubclass(owner, Store)) and inspect.isfunction(method := vars(owner).get(name)):
            setattr(store, name, check(method))


def _or_else(without_id: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator of store methods: they return ``without_id`` if the id is no string."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def checked(self: Store, sid: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, sid, *args, **kwargs) if _is_id(sid) else without_id

        return checked

    return decorate


def _check_get(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def get(self: Store, sid: Any) -> Any:
        document = method(self, sid) if _is_id(sid) else None
        return document if _is_session(document) else None

    return get


def _check_set(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def set(self: Store, sid: Any, document: Document) -> Any:
        _check_new_id(sid)
        return method(self, sid, storable(document))

    return set


def _check_update(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def update(self: Store, sid: Any, changes: Changes) -> Any:
        return method(self, sid, changes.storable()) if _is_id(sid) else False

    return update


def _check_rotate(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def rotate(self: Store, sid: Any, new_sid: Any, changes: Changes) -> Any:
        _check_new_id(new_sid)
        return method(self, sid, new_sid, changes.storable()) if _is_id(sid) else None

    return rotate


def _check_new_id(sid: Any) -> None:
    if not _is_id(sid):
        raise TypeError(f"a session's id is a string, not {sid!r}: let session(genid=…) return one")


def _is_id(sid: Any) -> bool:
    return isinstance(sid, str) and (sid.isascii() or not _HALF_OF_A_PAIR.search(sid))


def _is_session(document: Any) -> bool:
    return isinstance(document, _MAPPING) and "cookie" in document and isinstance(document["cookie"], _MAPPING)


_CHECKS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "get": _check_get,
    "get_even_expired": _check_get,
    "load_stored": _or_else(None),
    "set": _check_set,
    "update": _check_update,
    "rotate": _check_rotate,
    "touch": _or_else(None),
    "destroy": _or_else(None),
    "end": _or_else(None),
    "was_rotated": _or_else(False),
}
_check_arguments(Store)
_MAPPING = (dict, Mapping)  # nearly always a dict, which is told faster
_HALF_OF_A_PAIR = re.compile("[\ud800-\udfff]")

# For so long a request that was under way when the session was moved may come with its old id.
LATE = timedelta(minutes=1)
# So many rotations may lie between the begin of a request and its logout.
_MAX_SUCCESSORS = 10_000
