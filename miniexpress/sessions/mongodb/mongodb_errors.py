"""Tell pymongo's errors apart: the server is down, or one command has failed."""

from __future__ import annotations

import re

from pymongo.errors import ConnectionFailure, PyMongoError

# In MongoDB's list of error codes.
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18


def is_connection_error(error: PyMongoError) -> bool:
    """Return whether the server is down, and not just this call has failed."""
    return (
        isinstance(error, ConnectionFailure)
        or error.timeout
        or getattr(error, "code", None) in (UNAUTHORIZED, AUTHENTICATION_FAILED)
    )


def reason(error: PyMongoError) -> str:
    """Return an error's message without the description of the whole cluster that pymongo adds."""
    return re.split(", (?:full error|Timeout|Topology Description):? ", str(error))[0]
