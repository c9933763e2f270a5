"""TODO"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .values import storable


class Changes(NamedTuple):
    """What a request has done to its session: items it added, items it changed, and the keys of those it removed.

    ``cookie`` is the cookie as it is to be stored, ``max_age`` the ``originalMaxAge`` that it had when it was loaded.
    """

    added: Mapping[str, Any]
    changed: Mapping[str, Any]
    removed: Sequence[str]
    cookie: Mapping[str, Any]
    max_age: float | None

    def storable(self) -> Changes:
        """Return them with keys and values as every store keeps them. Raise ``TypeError`` for what none can keep."""
        removed = list(storable(dict.fromkeys(self.removed)))
        return self._replace(added=storable(self.added), changed=storable(self.changed), removed=removed)

    @property
    def has_new_max_age(self) -> bool:
        """Whether this request gave the cookie another ``originalMaxAge``."""
        return bool(self.cookie["originalMaxAge"] != self.max_age)

    def onto(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """``document`` with them, where others may have changed it since it was loaded.

        What they have removed stays away, so that a logout holds; and their ``max_age``, if this request gave none.
        """
        kept = {key: value for key, value in document.items() if key not in self.removed}
        still_there = {key: value for key, value in self.changed.items() if key in kept}
        theirs = document.get("cookie")
        is_ours = (
            self.has_new_max_age or not isinstance(theirs, Mapping) or theirs.get("originalMaxAge") == self.max_age
        )
        return {**kept, **still_there, **self.added, "cookie": self.cookie if is_ours else theirs}
