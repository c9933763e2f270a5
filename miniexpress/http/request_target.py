"""The target of a request (RFC 9112 section 3.2): its origin, path and query, and what of it an app is mounted at.

Most are in origin form, ``/a?b``; one in absolute form, ``http://host/a?b``, has an origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

_SENT_BYTE = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)


@lru_cache(maxsize=256)
def split_target(target: str) -> tuple[str, str]:
    """Return the path and the query: ``'/a?b#c'``, ``'http://host/a?b'`` → ``('/a', 'b')``."""
    target = target.partition("#")[0]
    path, _, query = target.partition("?")
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path, query


def origin_of(target: str) -> str:
    """Return the origin of a target in absolute form, or ``''``: ``'http://host/a'`` → ``'http://host'``."""
    scheme, mark, rest = target.partition("?")[0].partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if mark and not target.startswith("/") else ""


def rebuild_target(environ: Mapping[str, Any]) -> str:
    """Rebuild the target of a WSGI environ (PEP 3333), where the server does not hand on the one that was sent."""
    query = environ.get("QUERY_STRING")
    path = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "") or "/"
    return _quoted(path) + (f"?{query}" if query else "")


def split_mount(mount: str, target: str, environ: Mapping[str, Any]) -> tuple[str, str]:
    """Split a target behind ``mount``, the SCRIPT_NAME of a WSGI environ: into the base URL and the rest, as sent.

    ``'/a b', '/a%20b/c?d'`` → ``('/a%20b', '/c?d')``. Where the target does not begin so, PATH_INFO is the rest:
    something on the way here has rewritten the path.
    """
    origin = origin_of(target)
    path = target[len(origin) :]
    base = _as_sent(mount, path)
    rest = path[len(base) :]
    if path.startswith(base) and rest[:1] in ("", "/", "?", "#"):
        return base, origin + rest if origin else _with_slash(rest)
    if unquote(split_target(target)[0], "latin-1") == environ.get("PATH_INFO"):  # a proxy took the mount off already
        return _quoted(mount), target
    return _quoted(mount), _with_slash(rebuild_target({**environ, "SCRIPT_NAME": ""}))


def _as_sent(mount: str, path: str) -> str:
    """Return the beginning of ``path`` that stands for ``mount``; the mount itself if there is none.

    SCRIPT_NAME is decoded, a character for each byte (PEP 3333); gunicorn's is as it was given, encoded or not.
    """
    if "%" in mount and unquote(path[: len(mount)]) == unquote(mount):  # escapes may differ in case
        return path[: len(mount)]
    sent = "".join(byte[0] for byte in islice(_SENT_BYTE.finditer(path), len(mount)))
    return sent if unquote(sent, "latin-1") == mount else mount


def _with_slash(target: str) -> str:
    return target if target.startswith("/") else f"/{target}"


def _quoted(path: str) -> str:
    """Percent-encode a path of a WSGI environ."""
    return quote(path.encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
