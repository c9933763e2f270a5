"""The folder of the project, and locks between the processes that test it."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

ROOT = Path(__file__).resolve().parents[2]

# One folder for each user and clone: runs of the same clone share what they lock, such as node_modules.
_LOCKS = Path(tempfile.gettempdir()) / f"miniexpress-tests-{os.getuid()}-{crc32(bytes(ROOT)):08x}"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock ``name``: one process at a time is inside the ``with``, of all that test this clone."""
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    with (_LOCKS / f"{name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
