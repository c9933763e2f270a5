"""Errors that would end more than the request in which they are raised."""

from __future__ import annotations

from typing import Any


def as_exception(error: BaseException, culprit: Any) -> Exception:
    """Return an error that ends one request only, in place of ``SystemExit``, ``CancelledError`` and their kin, and
    of ``StopIteration``, which would end the loop that it is raised in."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    exception = RuntimeError(f"{culprit} has raised {error!r}")
    exception.__cause__ = error
    return exception
