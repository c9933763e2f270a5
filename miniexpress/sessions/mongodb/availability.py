"""Bound how long a call to MongoDB takes. An outage is a 503 in under two seconds; it, and its end, are logged once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

import pymongo
from pymongo.errors import ConnectionFailure, PyMongoError

from ...errors import HTTPError
from .mongodb_errors import is_connection_error, reason
from .ping import responds

log = logging.getLogger("miniexpress.sessions")

# Seconds. pymongo looks for a server every half second: what is between two looks is waited for too.
_CALL_TIMEOUT = 1.2
_DOWN_TIMEOUT = 0.8
_PING_TIMEOUT = 0.4

Doing = Literal["reading", "writing"]


class Availability:
    """Bound the time of the calls to one client, and remember while its servers are down.

    ``ensure_indexes`` is called before the calls, in the same time; ``on_error`` with each of pymongo's errors.
    """

    def __init__(
        self,
        client: pymongo.MongoClient[Any],
        ensure_indexes: Callable[[], object],
        on_error: Callable[[PyMongoError], object],
    ) -> None:
        self._client, self._ensure_indexes, self._on_error = client, ensure_indexes, on_error
        # "reading" when not even reads are answered; "writing" when only writes fail, as without a primary.
        self._down: Doing | None = None

    @contextmanager
    def reached(self, doing: Doing) -> Iterator[None]:
        """Return a context manager for calls. Raises ``HTTPError`` 503 in place of pymongo's errors."""
        if self._down and not self._any_server_responds():
            self._fail(doing, ConnectionFailure("nobody responds there"))
        try:
            with pymongo.timeout(_DOWN_TIMEOUT if self._down else _CALL_TIMEOUT):
                self._ensure_indexes()
                yield
        except PyMongoError as error:
            self._fail(doing, error)
        proves_it_is_back = doing == "writing" or self._down == "reading"
        if self._down and proves_it_is_back:
            self._down = None
            log.warning("the session store is back")

    def _fail(self, doing: Doing, error: PyMongoError) -> NoReturn:
        if not (self._down and is_connection_error(error)):
            log.error("the session store is not available: %s", reason(error))
        if is_connection_error(error):
            self._down = "reading" if doing == "reading" else self._down or "writing"
        self._on_error(error)
        raise HTTPError(503, f"the session store is not available: {reason(error)}") from error

    def _any_server_responds(self) -> bool:
        """Return whether any server responds: asked while the store is down, so that no request waits in vain."""
        addresses = list(self._client.topology_description.server_descriptions())
        if not addresses:
            return True
        with ThreadPoolExecutor(len(addresses)) as pool:
            return any(pool.map(lambda address: responds(address[0], address[1], _PING_TIMEOUT), addresses))
