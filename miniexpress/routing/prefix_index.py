"""An index of a stack by the static prefixes of its paths, so that 1,000 routes cost hardly more than ten."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain


class PrefixIndex:
    """The positions in a stack of the layers that can match a path; ``prefixes`` are those of the layers' paths.

    An optimisation: only layers whose static prefix can match are tried. Each position is listed under the prefix of
    its layer, and under all longer ones: what is listed under ``/a`` is listed under ``/a/b`` too. So all candidates
    for a path are in one list, that of its longest prefix that is known. Their order is that of the stack.
    """

    def __init__(self, prefixes: Sequence[str]) -> None:
        self.size = len(prefixes)
        own: dict[str, list[int]] = {"": []}
        for position, prefix in enumerate(prefixes):
            own.setdefault(prefix, []).append(position)
        self._by_prefix = {prefix: sorted(chain(*(own.get(each, ()) for each in _ancestors(prefix)))) for prefix in own}
        self._longest = max(map(len, own))

    def candidates(self, path: str) -> Sequence[int]:
        """Return the positions, in order, of all layers that can match ``path``."""
        if not path.isascii():
            return range(self.size)  # The patterns fold its case.
        path, by_prefix = path.lower(), self._by_prefix
        found, end = by_prefix[""], 0
        while end < self._longest:
            end = path.find("/", end + 1)
            if end < 0:
                return by_prefix.get(path, found)
            found = by_prefix.get(path[:end], found)
        return found


def _ancestors(path: str) -> list[str]:
    """Return a path and those above it: ``/a/b`` gives ``['', '/a', '/a/b']``."""
    return [path[:index] for index, char in enumerate(path + "/") if char == "/"]
