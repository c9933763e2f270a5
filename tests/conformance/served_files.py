"""The folder of files that both sides serve."""

from __future__ import annotations

import os
from pathlib import Path

from .case import FOLDER

FILES = str(FOLDER / "files")

# 2024-01-02 03:04:05 GMT: a checkout gives files the time of day, and ETag and Last-Modified tell it.
_MODIFIED = 1704164645


def prepare() -> None:
    """Make the file that not every tool keeps the name of, and give all the same modification time."""
    odd = Path(FILES) / "été.txt"
    if not odd.exists():
        part = FOLDER / f".{os.getpid()}.part"
        part.write_bytes(b"accents\n")
        part.replace(odd)
    for path in Path(FILES).rglob("*"):
        os.utime(path, (_MODIFIED, _MODIFIED))
