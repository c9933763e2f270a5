"""``Store``, the base class of session stores. After express-session 1.19's ``session/store.js``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from threading import RLock
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..usage.arguments import fit_callback
from .changes import Changes
from .forks import make_in_each_process
from .store_checks import check_arguments, refuse_async_methods

if TYPE_CHECKING:
    from ..request import Request

# For so long after a rotation a request that comes with the old id is known to be superseded by the one that rotated.
SUPERSEDED_FOR = timedelta(minutes=1)
LATE = SUPERSEDED_FOR  # its former name, which stores of others import
# Of all sessions: so many rotations may lie between the begin of a request and its logout.
_MAX_SUCCESSORS = 10_000

_RLOCK = type(RLock())

Document = Mapping[str, Any]
"""A session as it is stored: ``{"cookie": {"originalMaxAge", "expires", "httpOnly", "path", …}, …data}``."""


class Stored(NamedTuple):
    """A session as ``load_stored`` has read it.

    ``recently_touched``: this request need not ``touch`` it. ``source`` is a value of the store's own, which ``update``
    gets back in ``Changes.source``: by it a store can tell whether the session is still as it was read. ``text`` is the
    document without its cookie, as JSON without blanks, from a store that keeps it so: the objects in it are AttrDicts.
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
        store._listeners, store._successors = {}, OrderedDict()
        make_in_each_process(store, Store._make_lock)
        return store

    def _make_lock(self) -> None:
        if type(getattr(self, "_lock", None)) in (NoneType, _RLOCK):  # a store may have put one of its own there
            self._lock = RLock()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_async_methods(cls, Store)
        check_arguments(cls, Store)

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
        """Read a session for a request: what ``get`` returns, with what ``Stored`` says of it."""
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

    def replace_text(self, sid: str, source: Any, text: str, cookie: Mapping[str, Any]) -> bool:
        """Replace what ``load_stored`` has read by a session's data as JSON, and its cookie, in one step.

        Return ``False``, and do nothing, if another request has changed the session meanwhile: then ``update`` merges
        the changes of both. For a store whose ``load_stored`` gives ``text`` and ``source``; any other inherits this.
        """
        return False

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
        """End a session for good: destroy it under this id, and under each id that ``rotate`` has moved it to.

        Every logout calls this: ``req.session.destroy()``, ``regenerate()``, ``unset='destroy'``, and the removal of
        the key of ``rotate_on`` where that could not be saved. It may have loaded the session by an id that another
        request has rotated meanwhile, and stays in force all the same. ``destroy`` removes what is stored under one id;
        no other method follows an old id to the new one.
        """
        with self.transaction():
            self.destroy(sid)
            while successor := self.pop_successor(sid):
                sid = successor
                self.destroy(sid)

    def transaction(self) -> AbstractContextManager[Any]:
        """Return a context manager that keeps out other threads, and processes that share the sessions.

        It is entered by ``update``, ``replace_text``, ``rotate`` and ``end``, and never within itself.
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
        """Return whether ``rotate`` has moved this id's session within ``SUPERSEDED_FOR``."""
        _, moved = self._successors.get(sid, (None, None))
        return moved is not None and datetime.now(UTC) - moved < SUPERSEDED_FOR

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


check_arguments(Store, Store)
