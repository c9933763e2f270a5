"""Express a session's changes as a MongoDB update, which the server makes in one atomic step.

They update a document ``{_id, expires, session}``: each function takes the name of its field ``expires``, and the new
value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ..changes import Changes
from ..stored_cookie import COOKIE_KEYS, LONGEST

MAX_AGE = "session.cookie.originalMaxAge"
_PLAIN_KEY = re.compile(r"[\w -]+")

Filter = dict[str, Any]
Update = dict[str, Any]


def dotted_update(changes: Changes, expires_key: str, expires: datetime) -> tuple[Filter, Update] | None:
    """Return a filter and an update by dotted paths, such as ``{"$set": {"session.user": "Ada", …}}``.

    The filter does not match where another request has removed a key that changes, or has set another max age:
    ``pipeline_update`` leaves that key out. Return ``None`` for keys such as ``a.b`` or ``$c``, which not every server
    takes literally in a path.
    """
    if not all(map(_PLAIN_KEY.fullmatch, (*changes.added, *changes.changed, *changes.removed))):
        return None
    if not all(map(str.isascii, changes.removed)):  # nx-27017 leaves other keys where they are
        return None
    fields = {**changes.added, **changes.changed, "cookie": with_nulls(changes.cookie)}
    update: dict[str, Any] = {"$set": {f"session.{key}": value for key, value in fields.items()}}
    update["$set"][expires_key] = expires
    if changes.removed:
        update["$unset"] = {f"session.{key}": "" for key in changes.removed}
    as_loaded: dict[str, Any] = {f"session.{key}": {"$exists": True} for key in changes.changed}
    if not changes.has_new_max_age:
        as_loaded[MAX_AGE] = {"$eq": changes.max_age}
    return as_loaded, update


def pipeline_update(changes: Changes, expires_key: str, expires: datetime) -> list[dict[str, Any]]:
    """Return ``changes.apply_to`` as an aggregation pipeline: for any keys, whatever other requests have changed."""
    before, changed = {"$objectToArray": "$session"}, {"$objectToArray": {"$literal": changes.changed}}
    is_removed = {"$in": ["$$this.k", {"$literal": changes.removed}]}
    is_there = {"$in": ["$$this.k", {"$map": {"input": before, "in": "$$this.k"}}]}
    kept = {"$arrayToObject": {"$filter": {"input": before, "cond": {"$not": [is_removed]}}}}
    still_there = {"$arrayToObject": {"$filter": {"input": changed, "cond": is_there}}}
    cookie: Any = {"$literal": with_nulls(changes.cookie)}
    ends: Any = expires
    if not changes.has_new_max_age:
        is_ours = _is_max_age(changes.max_age)
        cookie = {"$cond": [is_ours, cookie, "$session.cookie"]}
        ends = {"$cond": [is_ours, ends, f"${expires_key}"]}
    session = {"$mergeObjects": [kept, still_there, {"$literal": changes.added}, {"cookie": cookie}]}
    return [{"$set": {"session": session, expires_key: ends}}]


def _is_max_age(max_age: float | Literal[False] | None) -> dict[str, Any]:
    """Return the expression that is true where ``originalMaxAge`` is read as ``max_age``: see ``read_max_age``."""
    field = f"${MAX_AGE}"
    if max_age is None:
        is_number = [{"$isNumber": field}, {"$gte": [field, -LONGEST]}, {"$lte": [field, LONGEST]}]
        return {"$not": [{"$or": [{"$eq": [field, False]}, {"$and": is_number}]}]}
    return {"$eq": [field, max_age]}


def with_nulls(cookie: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cookie as Node's driver writes it: with all of ``COOKIE_KEYS``, and null for ``undefined``."""
    return {name: cookie.get(name) for name in COOKIE_KEYS}
