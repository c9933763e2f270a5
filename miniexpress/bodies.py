"""Request bodies: ``json``, ``urlencoded``, ``text`` and ``raw``. After npm body-parser 2.4."""

from __future__ import annotations

import codecs
import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .attrdict import AttrDict, with_attributes
from .errors import HTTPError, status_of
from .jsontext import parse as parse_json
from .mediatypes import parse_content_type
from .options import checks_options
from .querystrings import DepthError, parse_extended

if TYPE_CHECKING:
    from .request import Request
    from .response import Response

Middleware = Callable[["Request", "Response", Callable[..., None]], None]
Types = str | Sequence[str] | Callable[["Request"], Any]
Verify = Callable[["Request", "Response", bytes, str | None], Any]


@checks_options
def json(
    *,
    inflate: bool = True,
    limit: int | str = "100kb",
    reviver: Callable[[str, Any], Any] | None = None,
    strict: bool = True,
    type: Types = "application/json",
    verify: Verify | None = None,
) -> Middleware:
    """Middleware that parses JSON bodies into ``req.body``, their objects as AttrDicts.

    ``limit`` in bytes, or as ``'100kb'``; ``strict`` takes objects and arrays only; ``reviver(key, value)`` changes
    each value; ``type`` says which bodies; ``verify(req, res, body, charset)`` may raise to refuse one with 403;
    ``inflate`` takes compressed ones. Errors are ``HTTPError``: 400, 413 or 415, and have body-parser's ``type``.
    """

    def parse(text: str, charset: str | None) -> Any:
        return _parse_json(text, strict, reviver)

    return _parser(parse, _Reading(type, limit, inflate, verify, _is_unicode, "utf-8"))


@checks_options
def urlencoded(
    *,
    extended: bool = False,
    inflate: bool = True,
    limit: int | str = "100kb",
    parameter_limit: float = 1000,
    depth: int | None = None,
    charset_sentinel: bool = False,
    interpret_numeric_entities: bool = False,
    default_charset: str = "utf-8",
    type: Types = "application/x-www-form-urlencoded",
    verify: Verify | None = None,
) -> Middleware:
    """Middleware that parses forms into ``req.body``, an AttrDict.

    Values are strings, or lists of strings for a name that comes more than once; only with ``extended`` do names with
    brackets nest, at most ``depth`` deep (32). More than ``parameter_limit`` names are refused with 413. The other
    options are those of ``json``, and those of npm qs 6.
    """
    if isinstance(parameter_limit, bool) or not isinstance(parameter_limit, int | float) or not parameter_limit >= 1:
        raise TypeError(f"urlencoded(parameter_limit=…) is a positive number, not {parameter_limit!r}")
    if default_charset not in _FORM_CHARSETS:
        raise TypeError(f"urlencoded(default_charset=…) is one of {_FORM_CHARSETS}, not {default_charset!r}")
    if depth is None:
        depth = 32
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 0:
        raise TypeError(f"urlencoded(depth=…) is zero or a positive number, not {depth!r}")

    def parse(text: str, charset: str | None) -> Any:
        count = text.count("&") + 1
        if count > parameter_limit:
            raise HTTPError(413, "too many parameters", type="parameters.too.many")
        try:
            parsed = parse_extended(
                text,
                depth=depth if extended else 0,
                parameter_limit=count,
                array_limit=max(100, count) if extended else count,
                strict_depth=True,
                charset=charset or default_charset,
                charset_sentinel=charset_sentinel,
                interpret_numeric_entities=interpret_numeric_entities,
            )
        except DepthError:
            message = "The input exceeded the depth"
            raise HTTPError(400, message, type="querystring.parse.rangeError") from None
        return with_attributes(parsed)

    is_supported = _FORM_CHARSETS.__contains__
    return _parser(parse, _Reading(type, limit, inflate, verify, is_supported, default_charset))


@checks_options
def text(
    *,
    default_charset: str = "utf-8",
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "text/plain",
    verify: Verify | None = None,
) -> Middleware:
    """Middleware that reads bodies into ``req.body`` as str. Options as for ``json``."""
    return _parser(lambda text, charset: text, _Reading(type, limit, inflate, verify, None, default_charset))


@checks_options
def raw(
    *,
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "application/octet-stream",
    verify: Verify | None = None,
) -> Middleware:
    """Middleware that reads bodies into ``req.body`` as bytes. Options as for ``json``."""
    return _parser(lambda body, charset: body, _Reading(type, limit, inflate, verify, None, None))


def _parser(parse: Callable[[Any, str | None], Any], reading: _Reading) -> Middleware:
    def body_parser(req: Request, res: Response, next: Callable[..., None]) -> None:
        if not req.body_was_read and req.has_body and reading.is_wanted(req):
            req.body_was_read = True
            body, charset = reading.read(req, res)
            try:
                req.body = parse(body, charset)
            except HTTPError:
                raise
            except ValueError as error:
                raise HTTPError(400, str(error), type="entity.parse.failed", body=body) from error
        next()

    return body_parser


@dataclass(frozen=True)
class _Reading:
    """Which bodies a parser reads, and how: its options, checked."""

    type: Types
    limit: Any
    inflate: bool
    verify: Verify | None
    is_supported: Callable[[str], bool] | None
    default_charset: str | None

    def __post_init__(self) -> None:
        if self.verify is not None and not callable(self.verify):
            raise TypeError(f"the option 'verify' takes a function, not {self.verify!r}")
        object.__setattr__(self, "limit", parse_size(self.limit))

    def is_wanted(self, req: Request) -> bool:
        if callable(self.type):
            return bool(self.type(req))
        return bool(req.is_(*([self.type] if isinstance(self.type, str) else self.type)))

    def read(self, req: Request, res: Response) -> tuple[Any, str | None]:
        """The body and its charset: as text, or, for a parser that has no default charset, as bytes and ``None``."""
        charset = self.charset(req)
        encoding = (req.get("Content-Encoding") or "identity").lower()
        if encoding != "identity" and (not self.inflate or encoding not in _WINDOW_BITS):
            message = f'unsupported content encoding "{encoding}"' if self.inflate else "content encoding unsupported"
            raise HTTPError(415, message, type="encoding.unsupported", encoding=encoding)
        chunks = _received(req, self.limit if encoding == "identity" else math.inf)
        if encoding != "identity":
            chunks = _inflated(chunks, _WINDOW_BITS[encoding])
        body = _joined(chunks, self.limit)
        if self.verify:
            _verify(self.verify, req, res, body, charset)
        if charset is None:
            return body, None
        return body.decode(charset, "replace").removeprefix("\ufeff"), charset

    def charset(self, req: Request) -> str | None:
        if self.default_charset is None:
            return None
        header = req.get("Content-Type")
        charset = (parse_content_type(header)[1].get("charset") if header else None) or self.default_charset
        charset = charset.lower()
        if (self.is_supported and not self.is_supported(charset)) or not _is_text_codec(charset):
            message = f'unsupported charset "{charset.upper()}"'
            raise HTTPError(415, message, type="charset.unsupported", charset=charset)
        return charset


def parse_size(size: Any) -> float:
    """A number of bytes, given as such or as ``'100kb'``. Raises ``TypeError`` for none. As npm bytes 3.1."""
    if isinstance(size, int | float) and not isinstance(size, bool) and size >= 0:
        return float(size)
    found = _SIZE.fullmatch(size.strip().lower()) if isinstance(size, str) else None
    if not found:
        raise TypeError(f"the option 'limit' is a number of bytes, or one like '100kb', not {size!r}")
    return float(found[1]) * float(1024 ** _UNITS.index(found[2] or "b"))


def _received(req: Request, limit: float) -> Iterator[bytes]:
    """The body as it arrives, piece by piece."""
    environ = req.environ
    stream = environ["wsgi.input"]
    length = int(environ["CONTENT_LENGTH"]) if environ.get("CONTENT_LENGTH") else None
    if length is not None and length > limit:
        raise _too_large(limit, expected=length, length=length)
    left = math.inf if length is None else length
    while left > 0:
        try:
            chunk = stream.read(int(min(left, _CHUNK)))
        except OSError as error:
            raise HTTPError(400, "request aborted", type="request.aborted", code="ECONNABORTED") from error
        if not chunk:
            break
        left -= len(chunk)
        yield chunk
    if length is not None and left:
        received = length - int(left)
        message = "request size did not match content length"
        raise HTTPError(400, message, type="request.size.invalid", expected=length, received=received)


def _inflated(chunks: Iterator[bytes], window_bits: int) -> Iterator[bytes]:
    """The body decompressed, never more of it at once than fits in a chunk; gzip may come in several members."""
    inflater = zlib.decompressobj(window_bits)
    try:
        for compressed in chunks:
            while compressed:
                if inflater.eof:
                    if not compressed.startswith(_GZIP_MAGIC):
                        break  # what stands behind the end is passed over, as zlib does
                    inflater = zlib.decompressobj(window_bits)
                yield inflater.decompress(compressed, _CHUNK)
                compressed = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise HTTPError(400, str(error).rpartition(": ")[2]) from error
    if not inflater.eof:
        raise HTTPError(400, "unexpected end of file")


def _joined(chunks: Iterator[bytes], limit: float) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit, received=len(body))
    return bytes(body)


def _too_large(limit: float, **sizes: Any) -> HTTPError:
    return HTTPError(413, "request entity too large", type="entity.too.large", limit=limit, **sizes)


def _verify(verify: Verify, req: Request, res: Response, body: bytes, charset: str | None) -> None:
    try:
        verify(req, res, body, charset)
    except HTTPError:
        raise
    except Exception as error:
        kind = getattr(error, "type", None) or "entity.verify.failed"
        raise HTTPError(status_of(error, 403), str(error), type=kind, body=body) from error


def _parse_json(text: str, strict: bool, reviver: Callable[[str, Any], Any] | None) -> Any:
    if not text:
        return AttrDict()
    if strict and text.lstrip(" \t\n\r")[:1] not in ("{", "["):
        raise ValueError(f"{text[:20]!r} is neither an object nor an array")
    value = parse_json(text)
    return value if reviver is None else _revived("", value, reviver)


def _revived(key: str, value: Any, reviver: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, dict):
        for name in list(value):
            value[name] = _revived(name, value[name], reviver)
    elif isinstance(value, list):
        value[:] = [_revived(str(index), each, reviver) for index, each in enumerate(value)]
    return reviver(key, value)


def _is_unicode(charset: str) -> bool:
    return charset.startswith("utf-")


def _is_text_codec(charset: str) -> bool:
    try:
        return bool(codecs.lookup(charset)._is_text_encoding)
    except (LookupError, ValueError):
        return False


_FORM_CHARSETS = ("utf-8", "iso-8859-1")
_CHUNK = 65536
_GZIP_MAGIC = b"\x1f\x8b"
_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) *([kmgtp]?b)?")
_UNITS = ("b", "kb", "mb", "gb", "tb", "pb")
