"""A row of the Rosetta table: a case, and the requests that are sent to both of its apps."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

Headers = Mapping[str, "str | list[str] | None"]
Mask = tuple[str, str]

HOST = "test.example"
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Request:
    """The bytes to send, and the parts of an answer that cannot be the same twice.

    ``mask`` holds pairs of a regular expression and what to put in its place, for the header lines (``Name: value``)
    of both answers. With ``decompressed``, bodies are compared without the compression that Content-Encoding names:
    Node's zlib and Python's find shorter forms of their own.
    """

    name: str
    data: bytes
    mask: tuple[Mask, ...] = ()
    decompressed: bool = False


@dataclass(frozen=True)
class Case:
    """One app, written twice.

    ``js`` sees ``express, app, session, path, fs, FILES, require``, ``py`` sees ``app, FILES`` and what ``miniexpress``
    exports. ``app`` is a new one, ``FILES`` the path of the folder ``files``. ``env`` is NODE_ENV and MINIEXPRESS_ENV.
    """

    name: str
    js: str
    py: str
    requests: list[Request]
    env: str = "production"
    named_requests: dict[str, Request] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named: dict[str, Request] = {}
        for request in self.requests:
            if request.name in named:
                raise ValueError(f"case {self.name!r} has two requests {request.name!r}: give one of them name=")
            named[request.name] = request
        object.__setattr__(self, "named_requests", named)

    @property
    def digest(self) -> str:
        """Changes when the JavaScript app does: its recorded answers are then no longer its own."""
        return hashlib.sha256(f"{self.env}\n{self.js}".encode()).hexdigest()[:16]


def all_cases() -> dict[str, list[Case]]:
    """Every ``CASES`` of the modules ``cases_<area>.py``, by area."""
    return {path.stem.removeprefix("cases_"): _cases(path.stem) for path in sorted(FOLDER.glob("cases_*.py"))}


def _cases(module: str) -> list[Case]:
    cases: list[Case] = import_module(f".{module}", __package__).CASES
    names = [case.name for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{module}.py has two cases named {twice}")
    return cases


def send(
    method: str,
    target: str,
    body: bytes | str | None = None,
    headers: Headers | None = None,
    *,
    name: str | None = None,
    mask: tuple[Mask, ...] = (),
) -> Request:
    """A request with Host and Connection: close, and Content-Length where there is a body.

    ``target`` is sent as it stands. A header is left out when its value is None, repeated when it is a list.
    """
    content = body.encode() if isinstance(body, str) else body
    fields: dict[str, str | list[str] | None] = {"Host": HOST, "Connection": "close"}
    if content is not None:
        fields["Content-Length"] = str(len(content))
    fields.update(headers or {})
    lines = [f"{method} {target} HTTP/1.1"]
    for field_name, values in fields.items():
        if values is not None:
            lines += [f"{field_name}: {value}" for value in ([values] if isinstance(values, str) else values)]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return Request(name or _default_name(method, target, headers), head + (content or b""), mask)


def get(
    target: str, headers: Headers | None = None, *, name: str | None = None, mask: tuple[Mask, ...] = ()
) -> Request:
    return send("GET", target, None, headers, name=name, mask=mask)


def gets(targets: str) -> list[Request]:
    """A GET of each of many targets, which are written with blanks between them."""
    return [get(target) for target in targets.split()]


def head(target: str, headers: Headers | None = None, *, name: str | None = None) -> Request:
    return send("HEAD", target, None, headers, name=name)


def post(
    target: str,
    body: bytes | str | None = None,
    content_type: str | None = None,
    headers: Headers | None = None,
    *,
    name: str | None = None,
) -> Request:
    fields = {**({"Content-Type": content_type} if content_type else {}), **(headers or {})}
    return send("POST", target, body, fields, name=name)


def raw(data: bytes, *, name: str | None = None) -> Request:
    """A request byte for byte."""
    return Request(name or data.partition(b"\r\n")[0].decode("latin-1"), data)


def chunked(*chunks: bytes) -> bytes:
    """A body in the chunked transfer coding; send it with ``Content-Length: None, Transfer-Encoding: chunked``."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def gzipped(data: bytes) -> bytes:
    """The same bytes on every Python: those of the field OS (RFC 1952 section 2.3.1) differ from version to version."""
    compressed = bytearray(gzip.compress(data, mtime=0))
    compressed[9] = 3
    return bytes(compressed)


def _default_name(method: str, target: str, headers: Headers | None) -> str:
    shown = [f"{name}={value}" for name, value in (headers or {}).items()]
    return " ".join([method, target, *shown])
