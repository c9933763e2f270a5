"""Check the options of ``MongoDBStore``, and make of them what pymongo takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from ..stored_cookie import time_after


def connect(uri: str, options: Mapping[str, Any]) -> pymongo.MongoClient[Any]:
    """Return a client that connects when it is first used, and waits 1.2 seconds for a server.

    The URI and ``options`` take precedence.
    """
    said = {name.lower() for name in options} | set(re.findall(r"[?&;](\w+)=", uri.lower()))
    # A server that was lost is asked when a request needs it; a stream of its news would come only with the heartbeat.
    ours = {"serverSelectionTimeoutMS": 1200, "connectTimeoutMS": 1200, "serverMonitoringMode": "poll"}
    ours = {name: value for name, value in ours.items() if name.lower() not in said}
    return pymongo.MongoClient(uri, **{"connect": False, **ours, **options})


def check(name: str, value: Any, kind: Any, description: str, is_good: Callable[[Any], Any] | None = None) -> None:
    """Raise a ``TypeError`` that names the option, unless ``value`` is of this kind and good."""
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool) or (is_good and not is_good(value)):
        raise TypeError(f"MongoDBStore({name}=…) takes {description}, not {value!r}")


@contextmanager
def naming_option(names: str) -> Iterator[None]:
    """Raise a ``TypeError`` that names the option, in place of what pymongo raises for it."""
    try:
        yield
    except KeyError as error:
        raise TypeError(f"MongoDBStore({names}=…): pymongo does not know {error}") from error
    except (PyMongoError, ValueError, TypeError) as error:
        raise TypeError(f"MongoDBStore({names}=…): {error}") from error


def duration_of(name: str, value: Any) -> timedelta:
    """Return a number of milliseconds, or a timedelta, as a timedelta. Raises ``TypeError`` for what is below 0."""
    try:
        duration = value if isinstance(value, timedelta) else timedelta(milliseconds=value)
        time_after(duration)
    except (TypeError, ValueError, OverflowError):
        duration = timedelta.min
    check(name, value, int | float | timedelta, "milliseconds or a timedelta", lambda _: duration >= timedelta(0))
    return duration


def acknowledged(concern: WriteConcern) -> WriteConcern:
    """Return ``concern``, with ``w: 1`` if it does not acknowledge writes."""
    return concern if concern.acknowledged else WriteConcern(**{**concern.document, "w": 1})
