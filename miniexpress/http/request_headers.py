"""Header fields of a request: read from WSGI's environ (PEP 3333), and as a dict that middleware can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

# The fields whose keys in an environ have no ``HTTP_``.
_WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


class Headers(dict[str, str]):
    """Header fields by their case-insensitive names (RFC 9110 section 5.1), in lower case when listed, as in Node.

    Setting a value that is no ``str`` raises ``TypeError``.
    """

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.update(fields)

    if not TYPE_CHECKING:  # a type checker would take every name for one that is here

        def __getattr__(self, name: str) -> None:
            raise AttributeError(f"req.headers has no attribute {name!r}: req.headers[{name!r}] or req.get({name!r})")

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(_lower(name))

    def __setitem__(self, name: str, value: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a header field is a str, not {name!r}")
        if not isinstance(value, str):
            raise TypeError(f"req.headers[{name!r}] takes a str, not {value!r}; del req.headers[{name!r}] removes it")
        super().__setitem__(name.lower(), value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(_lower(name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(_lower(name))

    def __ior__(self, fields: Any) -> Headers:  # type: ignore[override,misc]
        self.update(fields)
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """Return the field ``name``, or ``default``."""
        return super().get(_lower(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove the field ``name`` and return it, or ``default``; without one, raise ``KeyError``."""
        return super().pop(_lower(name), *default)

    def setdefault(self, name: str, value: str = "") -> str:
        """Set the field ``name`` unless it is there, and return it."""
        if name not in self:
            self[name] = value
        return self[name]

    def update(self, fields: Any = (), /, **more: str) -> None:
        """Set each of ``fields``, a mapping or pairs."""
        for name, value in dict(fields, **more).items():
            self[name] = value

    def copy(self) -> Headers:
        """Return a copy."""
        return Headers(self)


def from_environ(environ: Mapping[str, Any]) -> Headers:
    """Read the header fields of a WSGI environ."""
    headers = Headers()
    fields = {
        _field_name(key): value
        for key, value in environ.items()
        if key.startswith("HTTP_") or (value and key in _WITHOUT_PREFIX)
    }
    dict.update(headers, fields)  # known to be text, in lower case
    return headers


def read_field(environ: Mapping[str, Any], name: str) -> str | None:
    """Read the field ``name``, given in lower case, of a WSGI environ.

    As ``from_environ(environ).get(name)``, but faster: most requests need no dict of all.
    """
    key = _environ_key(name)
    value = environ.get(key)
    return None if value == "" and key in _WITHOUT_PREFIX else value


def with_headers(environ: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """Copy a WSGI environ with its header fields replaced by these. CONTENT_LENGTH stays, as the body does."""
    changed = {key: value for key, value in environ.items() if not key.startswith("HTTP_") and key != "CONTENT_TYPE"}
    changed |= {_environ_key(name): value for name, value in headers.items() if name != "content-length"}
    changed.pop("", None)
    return changed


@lru_cache(maxsize=256)
def _environ_key(name: str) -> str:
    """Return the key of a field in an environ: ``'user-agent'`` → ``'HTTP_USER_AGENT'``.

    A name with an underscore, whose key would be that of the name with a hyphen, has none: ``''``.
    """
    if "_" in name:
        return ""
    key = name.upper().replace("-", "_")
    return key if key in _WITHOUT_PREFIX else f"HTTP_{key}"


@lru_cache(maxsize=256)
def _field_name(key: str) -> str:
    """``'HTTP_USER_AGENT'`` → ``'user-agent'``."""
    return key.removeprefix("HTTP_").replace("_", "-").lower()


def _lower(name: Any) -> Any:
    return name.lower() if isinstance(name, str) else name
