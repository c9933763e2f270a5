"""The indexes of a collection of sessions: each is created before the first command that needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from .mongodb_errors import UNAUTHORIZED, is_connection_error, reason

log = logging.getLogger("miniexpress.sessions")

_TIMEOUT = 0.4  # seconds


class Indexes:
    """Create the indexes of ``collection``. ``on_failure`` is called with the error of one that cannot be."""

    def __init__(self, collection: Any, on_failure: Callable[[PyMongoError], Any]) -> None:
        self._collection, self._on_failure = collection, on_failure
        self._ensured: set[str] = set()

    def ensure(self, field: str, **options: Any) -> None:
        """Create an index, once; in the background if that takes longer than a request may wait."""
        if field in self._ensured:
            return
        try:
            with pymongo.timeout(_TIMEOUT):
                self._create(field, options)
            self._ensured.add(field)
        except PyMongoError as error:
            if not error.timeout:
                raise
            self._ensured.add(field)
            Thread(target=self._create_in_background, args=(field, options), daemon=True).start()

    def _create(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self._collection.create_index(field, **options)
        except OperationFailure as error:
            if error.timeout or (is_connection_error(error) and error.code != UNAUTHORIZED):
                raise
            # No right to create the index: go on without it.
            log.error("the index of %r, for the sessions, could not be made: %s", field, reason(error))
            self._on_failure(error)

    def _create_in_background(self, field: str, options: Mapping[str, Any]) -> None:
        try:
            self._create(field, options)
        except PyMongoError:
            self._ensured.discard(field)  # the next request tries again
