"""The difference that a request makes to its session: what is saved instead of the whole session.

Two requests of one visitor can load the same session, and each saves only its own changes, so neither undoes the
other's. express-session has no such thing: it writes the whole session back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .stored_cookie import read_max_age
from .values import key_text, storable, text_keys


class Changes(NamedTuple):
    """The items that a request has added and changed, and the keys of those that it has removed.

    ``cookie`` is the cookie to store, and ``max_age`` the ``originalMaxAge`` that the cookie had when it was loaded, in
    milliseconds. ``source`` is what the store gave with the session when it was loaded: see ``store.Stored``.
    """

    added: Mapping[str, Any]
    changed: Mapping[str, Any]
    removed: Sequence[str]
    cookie: Mapping[str, Any]
    max_age: float | None
    source: Any = None

    def storable(self) -> Changes:
        """Return the changes with keys and values as every store keeps them. See ``values.storable``.

        Raises ``TypeError`` for a value that cannot be stored.
        """
        added, changed = storable(self.added), storable(self.changed)
        removed = [key_text(key) for key in self.removed]
        return Changes(added, changed, removed, self.cookie, self.max_age, self.source)

    @property
    def has_new_max_age(self) -> bool:
        """Return whether this request has given the cookie another ``originalMaxAge``."""
        return bool(self.cookie["originalMaxAge"] != self.max_age)

    def apply_to(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``document`` with the changes, where other requests may have changed it since it was loaded.

        What they have removed stays removed, so that a logout stays in force. Their cookie is kept if they have given
        it another ``originalMaxAge`` and this request has not.
        """
        latest = text_keys(document)
        for key in self.removed:
            latest.pop(key, None)
        latest.update({key: value for key, value in self.changed.items() if key in latest})
        latest.update(self.added)
        theirs = document["cookie"]
        is_ours = self.has_new_max_age or read_max_age(theirs.get("originalMaxAge")) == self.max_age
        latest["cookie"] = self.cookie if is_ours else theirs
        return latest
