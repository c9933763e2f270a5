"""What a session store is, and what every store shares. After express-session 1.19's ``session/store.js``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from ..arguments import fit_callback
from ..attrdict import AttrDict
from .changes import Changes
from .cookie import Cookie
from .session import Session

if TYPE_CHECKING:
    from ..request import Request

Document = Mapping[str, Any]
"""A session as it is stored: ``{"cookie": {"originalMaxAge", "expires", "httpOnly", "path", …}, …data}``."""


class Fresh(AttrDict):
    """A session that ``get`` has found to be touched so lately that its store needs no ``touch`` for this request."""

    __slots__ = ()


class Store:
    """Where sessions are kept. A store of one's own defines ``get``, ``set`` and ``destroy``, and may define:

    - ``touch(sid, document)``: keep the session for as long as ``document["cookie"]`` says, and change nothing else;
      nothing at all where another request has given it another ``originalMaxAge``;
    - ``update(sid, changes) -> bool``: in one atomic step, make the session what ``changes.onto(document)`` is;
      ``False``, and nothing written, where there is no such session. Without it the whole document is ``set``, and
      requests that run at the same time undo each other's changes;
    - ``rotate`` and ``end``, each in one transaction, and ``was_rotated``, where several processes share the sessions:
      what they are here holds for one process, and for what has been saved before;
    - ``all() -> {sid: document}``, ``length()`` and ``clear()``.

    A store that emits ``disconnect`` is left alone, and requests get no session, until it emits ``connect``.
    """

    is_connected = True

    _listeners: dict[str, list[Callable[..., Any]]]
    _lock: RLock
    _became: OrderedDict[str, tuple[str, datetime]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Not in __init__, which a store of one's own may forget to call.
        store = super().__new__(cls)
        store._listeners, store._lock, store._became = {}, RLock(), OrderedDict()
        return store

    def get(self, sid: str) -> Document | None:
        """The document of a session that has not expired, or ``None``."""
        raise NotImplementedError(f"{type(self).__name__} must define get(sid)")

    def set(self, sid: str, document: Document) -> None:
        """Store a session, new or not."""
        raise NotImplementedError(f"{type(self).__name__} must define set(sid, document)")

    def destroy(self, sid: str) -> None:
        """Remove a session; one that is not there is no error."""
        raise NotImplementedError(f"{type(self).__name__} must define destroy(sid)")

    def rotate(self, sid: str, new_sid: str, changes: Changes) -> Document | None:
        """Move a session to another id, with changes: returns its document, or ``None`` where it is not there."""
        with self._lock:
            latest = self.get(sid)
            return None if latest is None else self._moved(sid, new_sid, changes.onto(latest))

    def _moved(self, sid: str, new_sid: str, document: Document) -> Document:
        self.set(new_sid, document)
        self._became[sid] = new_sid, datetime.now(UTC)
        self.destroy(sid)
        if len(self._became) > _MOST_REMEMBERED:
            self._became.popitem(last=False)
        return document

    def end(self, sid: str) -> None:
        """Destroy a session, also where ``rotate`` has moved it: a logout that began with the id of before still holds.

        Nothing else follows an old id.
        """
        with self._lock:
            self.destroy(sid)
            while moved := self._became.pop(sid, None):
                sid = moved[0]
                self.destroy(sid)

    def was_rotated(self, sid: str) -> bool:
        """Whether ``rotate`` has moved this id's session so lately that a request which names it is still under way."""
        with self._lock:
            moved = self._became.get(sid)
        return moved is not None and datetime.now(UTC) - moved[1] < LATE

    def generate(self, req: Request) -> Session:
        """Give the request an empty session with a new id, by the options of its own ``session(...)``."""
        session: Session = req.generate_session(req)
        return session

    def regenerate(self, req: Request) -> Session:
        """End the request's session and give it an empty one with a new id."""
        self.end(req.session_id)
        return self.generate(req)

    def create_session(self, req: Request, document: Document) -> Session:
        """Make a stored document the session of ``req``."""
        session = Session(req, Cookie.from_json(document["cookie"]), document)
        req.session = session
        return session

    def on(self, event: str, listener: Callable[..., Any]) -> Self:
        """Call ``listener`` at each ``event``: ``error`` (with the exception), ``disconnect``, ``connect``.

        Raises ``TypeError`` for one of ``error`` that cannot be called so; it may leave its parameter out.
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


LATE = timedelta(minutes=1)
# So many rotations may lie between the begin of a request and its logout.
_MOST_REMEMBERED = 10_000
