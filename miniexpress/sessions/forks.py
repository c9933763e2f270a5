"""Locks that a forked process has anew: one that another thread held at the fork would stay locked there for ever."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

_owners: WeakValueDictionary[tuple[int, Callable[[Any], None]], Any] = WeakValueDictionary()


def make_in_each_process(owner: Any, make_locks: Callable[[Any], None]) -> None:
    """Call ``make_locks(owner)`` now, and in each process that is forked from this one while there is the owner."""
    make_locks(owner)
    _owners[id(owner), make_locks] = owner  # not by itself: a store of one's own may have no hash


def _make_in_fork() -> None:
    for (_, make_locks), owner in list(_owners.items()):
        make_locks(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_make_in_fork)
