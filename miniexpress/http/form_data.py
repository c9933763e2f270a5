"""Forms of the type ``multipart/form-data`` (RFC 7578): the header of a part, and how names of fields nest.

As npm busboy 1.6 and append-field 1.0, which npm multer 2.5 reads forms with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_to_bytes

from ..attrdict import AttrDict
from .charsets import codec_name
from .headers import HEADER_TEXT, TOKEN
from .media_types import parse_content_type

# What WHATWG's Encoding Standard and npm busboy take for one charset.
_LATIN1 = {"ascii", "us-ascii", "latin1", "iso-8859-1", "iso8859-1", "iso88591", "iso_8859-1", "windows-1252", "cp1252"}
_TOKEN = TOKEN.pattern
# A backslash escapes a quote and a backslash only: Internet Explorer sent whole Windows paths.
_QUOTED = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\["\\]|\\(?!["\\]))*+)"'
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*({_TOKEN})=(?:{_QUOTED}|({_TOKEN}))")
_EXTENDED_VALUE = re.compile(r"([\w!#$%&+^`{}~-]+)'[^']*'((?:[\w!#$&+.^`|~-]|%[0-9A-Fa-f]{2})+)", re.ASCII)
_MEDIA_TYPE = re.compile(f"{_TOKEN}/{_TOKEN}")
_PATH = re.compile(r"([^\[]+)((?:\[[^\]]+\])*)(\[\])?")
_STEP = re.compile(r"\[([^\]]+)\]")
_INDEX = re.compile("[0-9]+")
_BROWSER_ESCAPE = re.compile("%0A|%0D|%22", re.IGNORECASE)
_UNESCAPED = {"%0A": "\n", "%0D": "\r", "%22": '"'}


@dataclass(frozen=True)
class PartHeader:
    """The header of a part.

    ``name`` and ``filename`` are ``None`` where they are missing or empty; ``filename`` is as it was sent, with its
    folders. ``name_size`` is the length of the name before browsers' escapes in it were undone.
    """

    name: str | None
    name_size: int
    filename: str | None
    encoding: str = "7bit"
    mimetype: str = "text/plain"
    charset: str | None = None

    @property
    def is_file(self) -> bool:
        """Return whether the part is a file: it has a file's name, or is of the type of arbitrary bytes."""
        return self.filename is not None or self.mimetype == "application/octet-stream"


def parse_part_header(fields: Iterable[tuple[str, str]], charset: str = "latin-1") -> PartHeader:
    """Parse the header fields of a part, of which the first of a name counts. ``charset`` is that of names in it.

    The values of ``fields`` hold a character for each byte. Raises ``ValueError`` unless its Content-Disposition is
    ``form-data`` with valid parameters, and the fields have no control characters.
    """
    first: dict[str, str] = {}
    for field_name, value in fields:
        if not HEADER_TEXT.fullmatch(value):
            raise ValueError("a control character in the header of a part")
        first.setdefault(field_name.lower(), value)
    kind, parameters = parse_disposition(first.get("content-disposition", ""), charset)
    if kind != "form-data":
        raise ValueError("a part without Content-Disposition: form-data")
    name, filename = parameters.get("name"), parameters.get("filename*") or parameters.get("filename")
    mimetype, type_parameters = parse_content_type(first.get("content-type", ""))
    is_typed = _MEDIA_TYPE.fullmatch(mimetype) is not None
    return PartHeader(
        _unescape(name) if name else None,
        len(name or ""),
        _unescape(filename) if filename else None,
        first.get("content-transfer-encoding", "7bit").lower(),
        mimetype if is_typed else "text/plain",
        type_parameters.get("charset") if is_typed else None,
    )


def parse_disposition(header: str, charset: str = "latin-1") -> tuple[str, dict[str, str]]:
    """Parse a Content-Disposition: ``'form-data; name="a"'`` → ``('form-data', {'name': 'a'})``.

    ``filename*=utf-8''%E2%82%AC`` (RFC 5987) is ``{'filename*': '€'}``. Raises ``ValueError`` for malformed parameters.
    """
    kind = header[: header.find(";")].rstrip(" \t") if ";" in header else header.strip(" \t")
    position, end = len(kind), len(header.rstrip(" \t"))
    parameters: dict[str, str] = {}
    while position < end:
        found = _PARAMETER.match(header, position, end)
        if not found:
            raise ValueError("malformed Content-Disposition")
        name, quoted, token = found.groups()
        if name.endswith("*"):
            value = _decode_extended(token or "")
        else:
            text = token if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
            value = decode(text.encode("latin-1"), charset)
        parameters.setdefault(name.lower(), value)
        position = found.end()
    return kind.lower(), parameters


def decode(data: bytes, charset: str) -> str:
    """Decode text in a charset that a client names. Raises ``LookupError`` for one that is unknown."""
    codec = "latin-1" if charset.lower() in _LATIN1 else codec_name(charset.lower())
    if codec is None:
        raise LookupError(f"unsupported charset {charset!r}")
    return data.decode(codec, "replace")


def base_name(path: str) -> str:
    r"""Return a path without its folders, on any system: ``'C:\docs\a.txt'`` → ``'a.txt'``; ``'a/..'`` → ``''``."""
    name = re.split(r"[/\\]", path)[-1]
    return "" if name in (".", "..") else name


def append_field(form: dict[str, Any], name: str, value: str) -> None:
    """Add a field to a form; brackets in its name nest.

    ``a=1``, ``a=2`` → ``{'a': ['1', '2']}``; ``a[]=1`` → ``{'a': ['1']}``; ``a[b]=1`` → ``{'a': {'b': '1'}}``;
    ``a[1]=x`` → ``{'a': [None, 'x']}``. A name whose brackets are malformed is one key: ``'a]['``.
    """
    keys, appends = parse_path(name)
    container: Any = form
    for key, next_key in pairwise(keys):
        container = _inner(container, key, is_list=isinstance(next_key, int))
    _add_value(container, keys[-1], value, appends)


def parse_path(name: str) -> tuple[list[str | int], bool]:
    """Return the keys that a name stands for, and whether it ends with ``[]``.

    A number is the index of a list's item: ``'a[b][0][]'`` → ``['a', 'b', 0], True``.
    """
    found = _PATH.fullmatch(name)
    if not found:
        return [name], False
    first, inner, appends = found.groups()
    keys = [int(key.lstrip("0") or "0") if _INDEX.fullmatch(key) else key for key in _STEP.findall(inner)]
    return [first, *keys], bool(appends)


def largest_index(name: str) -> float:
    """Return the largest number of a list's item in a name, or -1: ``'a[3][b][7]'`` → ``7``."""
    found = _PATH.fullmatch(name)
    keys = _STEP.findall(found[2]) if found else []
    return max((_index(key) for key in keys if _INDEX.fullmatch(key)), default=-1)


def _index(digits: str) -> float:
    significant = digits.lstrip("0") or "0"
    return int(significant) if len(significant) < 18 else float("inf")


def _decode_extended(value: str) -> str:
    found = _EXTENDED_VALUE.fullmatch(value)
    if not found:
        raise ValueError("malformed Content-Disposition")
    try:
        return decode(unquote_to_bytes(found[2]), found[1])
    except LookupError as error:
        raise ValueError(str(error)) from None


def _unescape(name: str) -> str:
    """Undo how browsers escape quotes and line breaks in names (WHATWG HTML): ``'a%22b'`` → ``'a"b'``."""
    return _BROWSER_ESCAPE.sub(lambda found: _UNESCAPED[found[0].upper()], name)


def _inner(container: Any, key: str | int, is_list: bool) -> Any:
    """Return the list or dict at ``key``. What is there and does not fit becomes a part of a new dict."""
    current = _get(container, key)
    if isinstance(current, dict) or (is_list and isinstance(current, list)):
        return current
    inner: Any
    if current is None:
        inner = [] if is_list else AttrDict()
    elif isinstance(current, list):
        inner = AttrDict({str(index): item for index, item in enumerate(current) if item is not None})
    else:
        inner = AttrDict({"": current})
    _set(container, key, inner)
    return inner


def _add_value(container: Any, key: str | int, value: str, appends: bool) -> None:
    """Add a value at ``key``: beside what is there already, or, in a dict, under the key ``''``."""
    current = _get(container, key)
    if current is None:
        _set(container, key, [value] if appends else value)
    elif isinstance(current, list):
        current.append(value)
    elif isinstance(current, dict):
        _add_value(current, "", value, appends=False)
    else:
        _set(container, key, [current, value])


def _get(container: Any, key: str | int) -> Any:
    if isinstance(container, list):
        index = int(key)
        return container[index] if index < len(container) else None
    return container.get(str(key))


def _set(container: Any, key: str | int, value: Any) -> None:
    if isinstance(container, list):
        index = int(key)
        container.extend([None] * (index + 1 - len(container)))
        container[index] = value
    else:
        container[str(key)] = value
