"""``req.session``: a visitor's data, kept in a store. After express-session 1.19's ``session/session.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ..attrdict import AttrDict, to_attrdict
from ..keyword_options import suggests_keywords
from .changes import Changes
from .cookie import Cookie
from .fingerprint import EMPTY, Fingerprint, as_json, take_fingerprint
from .values import text_keys

if TYPE_CHECKING:
    from ..request import Request
    from .store import Store, Stored

__all__ = ["Changes", "Session"]


class _JavaScriptName:
    """A method as JavaScript spells it: raises ``TypeError`` with the name that it has here.

    An ``AttributeError`` would not be seen: what a session does not have is ``None``.
    """

    def __init__(self, name: str, here: str) -> None:
        self.message = f"a session has no {name}(): did you mean {here}()?"

    def __get__(self, session: object, owner: type) -> NoReturn:
        raise TypeError(self.message)


class Session(AttrDict):
    """A session's data, by attribute or by item: ``req.session.user = …``, ``del req.session['user']``.

    Beside the data it holds its ``cookie``. It remembers a fingerprint of the stored session, so that ``save`` writes
    only what has changed: requests that run at the same time do not undo each other.
    """

    __slots__ = ("__state__",)  # a name that no key can be reached by
    __state__: _State
    resetMaxAge, toJSON = _JavaScriptName("resetMaxAge", "reset_max_age"), _JavaScriptName("toJSON", "to_json")

    def __init__(self, req: Request, cookie: Cookie, stored: Stored | None = None) -> None:
        self["cookie"] = cookie  # the first of its items
        state = _State(req.session_id, req, req.session_store, req.generate_session, cookie.original_max_age)
        object.__setattr__(self, "__state__", state)
        if stored:
            document, text = stored.document, stored.text
            for key in document:
                if key != "cookie":
                    self[key] = to_attrdict(document[key]) if text is None else document[key]
            state.stored = self.fingerprint() if text is None else Fingerprint(text, is_json=True)
            state.source = stored.source

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "cookie":
            object.__setattr__(self, name, value)  # by the property
        else:
            super().__setattr__(name, value)

    @property
    def cookie(self) -> Cookie:
        """The attributes of the session's cookie, such as ``max_age``."""
        cookie: Cookie = self["cookie"]
        return cookie

    @cookie.setter
    def cookie(self, cookie: Cookie) -> None:
        self["cookie"] = _check_cookie(cookie)

    @property
    def id(self) -> Any:
        """The session's id, which the cookie carries signed."""
        return self.__state__.id

    @property
    def req(self) -> Request:
        """The request whose session this is."""
        return self.__state__.req

    @property
    def is_stored(self) -> bool:
        """Return whether this request has loaded the session from the store, or saved it there. Another request may
        have destroyed it since."""
        return self.__state__.stored is not None

    @property
    def fingerprint_as_stored(self) -> Fingerprint:
        """The fingerprint of the stored session; of an empty one if the store does not have it."""
        return self.__state__.stored or EMPTY

    @property
    def was_saved(self) -> bool:
        """Return whether this request has saved it."""
        return self.__state__.was_saved

    def clear(self) -> None:
        """Remove all data; the cookie stays."""
        for key in [key for key in self if key != "cookie"]:
            del self[key]

    @partial(suggests_keywords, title="req.session.touch")
    def touch(self) -> Self:
        """Restart ``cookie.max_age``."""
        return self.reset_max_age()

    def reset_max_age(self) -> Self:
        """Restart ``cookie.max_age`` from ``cookie.original_max_age``, in milliseconds."""
        _check_cookie(self["cookie"]).restart()
        return self

    @partial(suggests_keywords, title="req.session.save")
    def save(self) -> bool:
        """Write the changes to the store now. Return ``False`` if another request has destroyed the session.

        A change of a key that another request has removed is left out.
        """
        return self.save_changes(self.fingerprint())

    @partial(suggests_keywords, title="req.session.reload")
    def reload(self) -> Session:
        """Load the stored session into ``req.session`` again. Raises ``LookupError`` if it is no longer stored."""
        stored = self.__state__.store.load_stored(self.id)
        if stored is None:
            raise LookupError("failed to load session: it has expired or has been destroyed")
        reloaded = create_session(self.req, stored)
        reloaded.__state__.was_saved = self.was_saved
        return reloaded

    @partial(suggests_keywords, title="req.session.destroy")
    def destroy(self) -> None:
        """Destroy the session in the store, and set ``req.session`` to ``None``."""
        self.req.session = None
        self.__state__.store.end(self.id)

    @partial(suggests_keywords, title="req.session.regenerate")
    def regenerate(self) -> Session:
        """Destroy the session, set ``req.session`` to an empty one with a new id, and return that.

        It is made by the options of the ``session(...)`` that has made this one.
        """
        self.__state__.store.end(self.req.session_id)
        return self.__state__.generate(self.req)

    def to_json(self) -> dict[str, Any]:
        """Return the document that stores keep: the data, and ``cookie``."""
        return {**self, "cookie": self.cookie.to_json()}

    # For the middleware, which takes one fingerprint in a request and decides by it what to do

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the data now. Raises ``TypeError`` for what is nested too deep, with the key."""
        return take_fingerprint(self)

    def is_unchanged(self, current: Fingerprint) -> bool:
        """Return whether the store has this data, and a cookie with the same max age."""
        state = self.__state__
        return state.stored_max_age == self.cookie.original_max_age and state.stored == current

    def save_changes(self, current: Fingerprint) -> bool:
        """Do as ``save``. ``current`` is a fingerprint that was just taken."""
        if not self.is_stored:
            self.__state__.store.set(self.id, self.to_json())
        elif not self.__replace_stored(current) and not self.__state__.store.update(self.id, self.__changes(current)):
            return False
        self.__mark_saved(current)
        return True

    def __replace_stored(self, current: Fingerprint) -> bool:
        """Store the whole session in place of the one that was loaded, where a store can do that by its text."""
        state = self.__state__
        if state.source is None or not current.is_storable:
            return False
        return state.store.replace_text(state.id, state.source, current.text, self.cookie.to_json())

    def rotate(self, sid: str, current: Fingerprint) -> bool:
        """Move the session to the id ``sid``, with what other requests have saved in it. The old id becomes unknown.

        Return ``False``, and do nothing, if another request has destroyed the session.
        """
        document = self.__state__.store.rotate(self.id, sid, self.__changes(current))
        if document is None:
            return False
        self.__replace(sid, document, current)
        return True

    def save_as_new(self, sid: str, current: Fingerprint) -> None:
        """Save the items that this request has added, and nothing else of the session, under the id ``sid``."""
        self.__replace(sid, {**self.__changes(current).added, "cookie": self.cookie.to_json()}, current)
        self.__state__.store.set(sid, self.to_json())

    def __changes(self, current: Fingerprint) -> Changes:
        """Return how the session differs from the stored one."""
        state, data = self.__state__, text_keys(self)
        before, after = self.fingerprint_as_stored.by_key(), current.by_key()
        return Changes(
            added={key: data[key] for key in after if key not in before},
            changed={key: data[key] for key, text in after.items() if before.get(key, text) != text},
            removed=[key for key in before if key not in after],
            cookie=self.cookie.to_json(),
            max_age=state.stored_max_age,
            source=state.source,
        )

    def __replace(self, sid: str, document: Mapping[str, Any], current: Fingerprint) -> None:
        """Replace the data by a document's. Equal values stay the same objects, as handlers may still change them."""
        texts = current.by_key()
        for key in texts.keys() - document.keys():
            self.pop(key, None)  # a key that is no text has another name here
        for key, value in document.items():
            if key != "cookie" and texts.get(key) != repr(as_json(value)):
                self[key] = to_attrdict(value)
        self.cookie = Cookie.from_json(document["cookie"])
        self.__state__.id = sid
        self.__mark_saved(self.fingerprint())

    def __mark_saved(self, current: Fingerprint) -> None:
        state = self.__state__
        state.stored, state.stored_max_age = current, self.cookie.original_max_age
        state.source, state.was_saved = None, True


def create_session(req: Request, stored: Stored) -> Session:
    """Make a stored session the session of ``req``, and return it. Upstream: ``Store.prototype.createSession``."""
    session = Session(req, Cookie.from_json(stored.document["cookie"]), stored)
    req.session = session
    return session


@dataclass(slots=True)
class _State:
    """A session's state beside its data.

    ``store`` keeps it, and ``generate`` makes an empty one: both are its middleware's. ``stored`` is the fingerprint of
    the stored session, or ``None`` if the store does not have it yet; ``source`` is what the store has given with it.
    """

    id: Any
    req: Request
    store: Store
    generate: Callable[[Request], Session]
    stored_max_age: float | None
    stored: Fingerprint | None = None
    source: Any = None
    was_saved: bool = False


def _check_cookie(cookie: Any) -> Cookie:
    """Return a session's cookie. Raises ``TypeError`` where ``update`` or an item has put something else there."""
    if not isinstance(cookie, Cookie):
        hint = "set its attributes, as in req.session.cookie.max_age = 60_000"
        raise TypeError(f"req.session.cookie is a Cookie, not {cookie!r}: {hint}")
    return cookie
