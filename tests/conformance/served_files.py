"""The folder of files that both sides serve."""

from __future__ import annotations

import os
from pathlib import Path

from .case import FOLDER

FILES = str(FOLDER / "files")

# 2024-01-02 03:04:05 GMT: a checkout gives files the time of day, and ETag and Last-Modified tell it.
_MODIFIED = 1704164645


def set_times() -> None:
    """Give every file the same modification time, which ETag and Last-Modified are made of."""
    for path in Path(FILES).rglob("*"):
        os.utime(path, (_MODIFIED, _MODIFIED))
