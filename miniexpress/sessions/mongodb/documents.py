"""Decode the documents of a MongoDB collection of sessions as Node's driver does, whoever has written them.

A collection that Express shares, or that somebody edits by hand, may hold any BSON. What is no session there is none
here, and keeps nobody from the others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion, TypeRegistry
from bson.dbref import DBRef
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from ...attrdict import AttrDict
from ...http.json_text import parse

AS_BYTES: CodecOptions[RawBSONDocument] = CodecOptions(
    RawBSONDocument, tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
"""Leaves documents undecoded. Of a single field, a date that Python does not have stays what it is."""
_EACH_TYPE = ["text", 1, 2**40, 1.5, True, None, {}, datetime(2000, 1, 1, tzinfo=UTC)]  # that a session's document has
_CONTAINERS = (AttrDict, list, DBRef)
_DEEPEST = 250  # levels: more than a MongoDB server takes
_BYTES_OF_A_LEVEL = 7  # at least: a field's type, the end of its name, the length of its document, and the end of that


def session_codec(options: CodecOptions[Any]) -> CodecOptions[Any]:
    """Return ``options``, but that the documents of sessions are decoded to what they are.

    Dates are in UTC, and those that Python does not have become the nearest that it has. A ``type_registry`` stays,
    unless it makes something else of a type that each document holds.
    """
    options = options.with_options(
        document_class=AttrDict, tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_CLAMP
    )
    with suppress(Exception):
        decoded = bson.decode(bson.encode({"": _EACH_TYPE}, codec_options=options), options)[""]
        same_types = all(isinstance(each, type(given)) for each, given in zip(decoded, _EACH_TYPE, strict=True))
        if decoded == _EACH_TYPE and same_types:  # 1.0 == 1
            return options
    return options.with_options(type_registry=TypeRegistry())


def decode(found: RawBSONDocument, options: CodecOptions[Any]) -> Mapping[str, Any]:
    """Return the fields of a document that was fetched as bytes; none if Python cannot hold them."""
    with suppress(BSONError, ValueError, RecursionError):
        fields = bson.decode(found.raw, options)
        return fields if _is_settled(found.raw) else settle(fields)
    return {}


def settle(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a decoded document's fields, without the ``DBRef`` that pymongo makes of ``{"$ref": …, "$id": …}``.

    Raises ``RecursionError`` for a document that is nested too deep for whatever goes through it.
    """
    containers: list[Any] = [fields]
    for _ in range(_DEEPEST):
        items = (container if isinstance(container, list) else container.values() for container in containers)
        containers = [each for several in items for each in several if type(each) in _CONTAINERS]
        if not containers:
            return fields
        if any(isinstance(container, DBRef) for container in containers):
            return settle(_without_references(fields))
    raise RecursionError("a document is nested too deep")


def session_of(fields: Mapping[str, Any]) -> AttrDict | None:
    """Return the session in a document of connect-mongodb-session's, or ``None``."""
    session = fields.get("session")
    is_session = isinstance(session, AttrDict) and isinstance(session.get("cookie"), dict)
    return session if is_session else None


def session_in_text(fields: Mapping[str, Any]) -> AttrDict | None:
    """Return the session in a document of connect-mongo's, or ``None``."""
    text = fields.get("session")
    with suppress(ValueError, RecursionError):
        return session_of(settle({"session": parse(text)})) if isinstance(text, str) else None
    return None


def has_passed(expires: Any) -> bool:
    """Return whether an ``expires`` of any type has passed, as ``!expires || new Date < expires`` is in Node."""
    if isinstance(expires, datetime):
        return expires <= datetime.now(UTC)
    if isinstance(expires, bson.Timestamp):
        expires = expires.time << 32 | expires.inc
    if isinstance(expires, Mapping | list | bytes):
        return True  # no number and, though empty, no false value in JavaScript
    try:
        milliseconds = float(str(expires) if isinstance(expires, bson.Decimal128) else expires or math.nan)
    except (TypeError, ValueError):
        return True  # no number
    return milliseconds <= time.time() * 1000


def _is_settled(raw: bytes | memoryview) -> bool:
    """Return whether ``settle`` has nothing to do with a document, as its bytes show for nearly all of them."""
    return len(raw) < _DEEPEST * _BYTES_OF_A_LEVEL and b"$ref" not in bytes(raw)


def _without_references(value: Any) -> Any:
    """Return ``value`` with the dicts that pymongo has taken for a ``DBRef``: ``{"$ref": …, "$id": …}``."""
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict):
        return AttrDict({key: _without_references(each) for key, each in value.items()})
    return [_without_references(each) for each in value] if isinstance(value, list) else value
