"""Which layers of a router can match a path, so that a thousand routes cost a request hardly more than ten."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain


class Index:
    """Where in a stack to look for what matches a path; ``prefixes`` are those of the stack's paths (``PathMatcher``).

    The one place of the router to be clever: each layer is filed under the segments of text that its path begins with,
    and what is filed under ``/a`` is found under ``/a/b`` too. So all that can match a path is in one list: that of the
    longest beginning of the path that anything is filed under. A list only narrows the search, and keeps the order.
    """

    def __init__(self, prefixes: Sequence[str]) -> None:
        self.size = len(prefixes)
        own: dict[str, list[int]] = {"": []}
        for place, prefix in enumerate(prefixes):
            own.setdefault(prefix, []).append(place)
        self._filed = {prefix: sorted(chain(*(own.get(each, ()) for each in _beginnings(prefix)))) for prefix in own}
        self._depth = max(prefix.count("/") for prefix in own)

    def places(self, path: str) -> Sequence[int]:
        """The places in the stack, first to last, of all layers that can match ``path``."""
        if not path.isascii():
            return range(self.size)  # its case is for the patterns to fold
        path, end = path.lower(), 0
        places = self._filed[""]
        for _ in range(self._depth):
            end = path.find("/", end + 1)
            if end < 0:
                return self._filed.get(path, places)
            places = self._filed.get(path[:end], places)
        return places


def _beginnings(path: str) -> list[str]:
    """``''``, ``/a`` and ``/a/b`` of ``/a/b``."""
    return [path[:index] for index, char in enumerate(path + "/") if char == "/"]
