"""The difference that a request makes to its session: what is saved instead of the whole session.

Two requests of one visitor can load the same session, and each saves only its own changes, so neither undoes the
other's. express-session has no such thing: it writes the whole session back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .stored_cookie import read_max_age
from .values import key_text, storable, text_keys


class Changes(NamedTuple):
    """The items that a request has added and changed, and the keys of those that it has removed.

    ``cookie`` is the cookie to store, and ``max_age`` the ``originalMaxAge`` that the cookie had when it was loaded, in
    milliseconds. ``source`` is what the store gave with the session when it was loaded (see ``store.Stored``), and
    ``data`` all of it as this request leaves it: what there is to store if no other request has changed it since.
    """

    added: Mapping[str, Any]
    changed: Mapping[str, Any]
    removed: Sequence[str]
    cookie: Mapping[str, Any]
    max_age: float | None
    source: Any = None
    data: Mapping[str, Any] = MappingProxyType({})

    def storable(self) -> Changes:
        """Return the changes with keys and values as every store keeps them. See ``values.storable``.

        Raises ``TypeError`` for a value that cannot be stored.
        """
        added = storable(self.added) if self.added else self.added
        changed = storable(self.changed) if self.changed else self.changed
        removed = [key_text(key) for key in self.removed] if self.removed else self.removed
        data = {**self.data, **added, **changed}
        return Changes(added, changed, removed, self.cookie, self.max_age, self.source, data)

    @property
    def has_new_max_age(self) -> bool:
        """Return whether this request has given the cookie another ``originalMaxAge``."""
        return bool(self.cookie["originalMaxAge"] != self.max_age)

    def apply_to(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``document`` with the changes, where other requests may have changed it since it was loaded.

        What they have removed stays removed, so that a logout stays in force.
        """
        latest = text_keys(document)
        for key in self.removed:
            latest.pop(key, None)
        latest.update({key: value for key, value in self.changed.items() if key in latest})
        latest.update(self.added)
        latest["cookie"] = self.latest_cookie(document["cookie"])
        return latest

    def latest_cookie(self, theirs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return this request's cookie, or the stored one, ``theirs``, if its ``originalMaxAge`` alone was changed."""
        is_ours = self.has_new_max_age or read_max_age(theirs.get("originalMaxAge")) == self.max_age
        return self.cookie if is_ours else theirs
