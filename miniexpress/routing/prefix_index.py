"""An index of a stack by the static prefixes of its paths, so that 1,000 routes cost hardly more than ten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from .layer import Layer


class PrefixIndex:
    """The positions of the layers that can match a path, in a stack as it is now; ``layers`` is a copy of that.

    An optimisation: only layers whose static prefix can match are tried. Each position is listed under the prefix of
    its layer, and under all longer ones: what is listed under ``/a`` is listed under ``/a/b`` too. So all candidates
    for a path are in one list, that of its longest prefix that is known. Their order is that of the stack.
    """

    def __init__(self, stack: Iterable[Layer]) -> None:
        self.layers = list(stack)
        own: dict[str, list[int]] = {"": []}
        for position, layer in enumerate(self.layers):
            own.setdefault(layer.prefix, []).append(position)
        self._by_prefix = {prefix: sorted(chain(*(own.get(each, ()) for each in _ancestors(prefix)))) for prefix in own}
        self._longest = max(map(len, own))

    def candidates(self, path: str) -> Sequence[int]:
        """Return the positions, in order, of all layers that can match ``path``."""
        if not path.isascii():
            return range(len(self.layers))  # The patterns fold its case.
        by_prefix = self._by_prefix
        prefix = path[: self._longest + 1].lower()
        while prefix not in by_prefix:
            prefix = prefix.rpartition("/")[0]
        return by_prefix[prefix]


def _ancestors(path: str) -> list[str]:
    """Return a path and those above it: ``/a/b`` gives ``['', '/a', '/a/b']``."""
    return [path[:index] for index, char in enumerate(path + "/") if char == "/"]
