"""Request bodies: ``json``, ``urlencoded``, ``text`` and ``raw``. After npm body-parser 2.4."""

from __future__ import annotations

import codecs
import encodings.aliases
import math
import pkgutil
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from ..arguments import fitted
from ..attrdict import AttrDict, to_attrdict
from ..errors import HTTPError, property_of, status_of, text_of
from ..http.json_text import Reviver
from ..http.json_text import parse as parse_json
from ..http.media_types import parse_content_type
from ..http.query_strings import DepthError, parse_extended
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Types = str | Sequence[str] | Callable[["Request"], Any]
Verify = Callable[["Request", "Response", bytes, str | None], Any] | None


@suggests_keywords
def json(
    *,
    inflate: bool = True,
    limit: int | str = "100kb",
    reviver: Reviver = None,
    strict: bool = True,
    type: Types = "application/json",
    verify: Verify = None,
) -> Middleware:
    """Middleware that parses JSON into ``req.body``, its objects as AttrDicts.

    ``strict`` takes objects and arrays only; ``reviver(key, value)`` may change each value.

    ``type`` says which bodies are read: a media type, an extension, a list of them, or a function of the request.
    ``limit`` is the most that one may have, expanded: bytes, or a text like ``'100kb'``. Without ``inflate`` one that
    is compressed (gzip, deflate) is refused. ``verify(req, res, body, charset)`` may raise to refuse one.

    A request that is refused raises ``HTTPError`` with body-parser's ``type``: 400 for what is no JSON or was broken
    off, 403 by ``verify``, 413 beyond the limit, 415 for another charset or coding. After npm body-parser 2.4.
    """

    if callable(reviver):
        reviver = fitted(reviver, "the option 'reviver'", "(key, value)")

    def parse(text: str, charset: str) -> Any:
        if not text:
            return AttrDict()
        if strict and text.lstrip(" \t\n\r")[:1] not in ("{", "["):
            raise ValueError(f"{text[:20]!r} is neither an object nor an array")
        return parse_json(text, reviver)

    return _BodyParser(parse, type, limit, inflate, verify, "utf-8", charsets="utf-.*").handle


@suggests_keywords
def urlencoded(
    *,
    charset_sentinel: bool = False,
    default_charset: str = "utf-8",
    depth: float = 32,
    extended: bool = False,
    inflate: bool = True,
    interpret_numeric_entities: bool = False,
    limit: int | str = "100kb",
    parameter_limit: float = 1000,
    type: Types = "application/x-www-form-urlencoded",
    verify: Verify = None,
) -> Middleware:
    """Middleware that parses forms into ``req.body``, an AttrDict of strings, and of lists for what comes repeatedly.

    Only with ``extended`` do names with brackets nest, at most ``depth`` deep. More than ``parameter_limit`` fields are
    refused with 413. ``default_charset`` (utf-8 or iso-8859-1) is that of a form that names none;
    ``charset_sentinel`` lets its field ``utf8`` tell it, and ``interpret_numeric_entities`` reads ``&#9786;`` in the
    second. The other options, and what is raised, are those of ``json``. After npm body-parser 2.4 and qs 6.
    """
    if not isinstance(parameter_limit, int | float) or not parameter_limit >= 1:
        raise TypeError(f"urlencoded(parameter_limit=…) takes a positive number, not {parameter_limit!r}")
    if not isinstance(depth, int | float) or not depth >= 0:
        raise TypeError(f"urlencoded(depth=…) takes zero or a positive number, not {depth!r}")
    if not re.fullmatch(_FORM_CHARSETS, default_charset):
        raise TypeError(f"urlencoded(default_charset=…) takes {_FORM_CHARSETS}, not {default_charset!r}")

    def parse(text: str, charset: str) -> Any:
        count = text.count("&") + 1
        if count > parameter_limit:
            raise HTTPError(413, "too many parameters", type="parameters.too.many", body=text)
        try:
            form = parse_extended(
                text,
                depth=depth if extended else 0,
                parameter_limit=count,
                array_limit=max(100, count) if extended else count,
                strict_depth=True,
                charset=charset,
                charset_sentinel=charset_sentinel,
                interpret_numeric_entities=interpret_numeric_entities,
            )
        except DepthError:
            kind = "querystring.parse.rangeError"
            raise HTTPError(400, "The input exceeded the depth", type=kind, body=text) from None
        return to_attrdict(form)

    return _BodyParser(parse, type, limit, inflate, verify, default_charset, _FORM_CHARSETS).handle


@suggests_keywords
def text(
    *,
    default_charset: str = "utf-8",
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "text/plain",
    verify: Verify = None,
) -> Middleware:
    """Middleware that reads bodies into ``req.body`` as str, in ``default_charset`` where they name none.

    The other options, and what is raised, are those of ``json``. After npm body-parser 2.4.
    """
    return _BodyParser(lambda text, charset: text, type, limit, inflate, verify, default_charset).handle


@suggests_keywords
def raw(
    *,
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "application/octet-stream",
    verify: Verify = None,
) -> Middleware:
    """Middleware that reads bodies into ``req.body`` as bytes. Options, and what is raised, as for ``json``."""
    return _BodyParser(lambda body, charset: body, type, limit, inflate, verify).handle


@dataclass
class _BodyParser:
    """Which bodies are read, and how: the options, checked. ``parse`` makes of one what ``req.body`` is to be."""

    parse: Callable[[Any, Any], Any]
    type: Types
    limit: Any
    inflate: bool
    verify: Verify
    default_charset: str | None = None
    """That of a body that names none; without one, ``parse`` is given bytes."""
    charsets: str = ".*"
    """A pattern of those that are taken."""

    def __post_init__(self) -> None:
        if self.verify is not None:
            self.verify = fitted(self.verify, "the option 'verify'", "(req, res, body, charset)")
        if callable(self.type):
            self.type = fitted(self.type, "the option 'type'", "(req)")
        self.limit = parse_size(self.limit)

    def handle(self, req: Request, res: Response, next: Next) -> None:
        if not req.body_was_read and req.has_body and self.is_wanted(req):
            req.body_was_read = True
            charset = self.charset(req)
            body = _joined(self.chunks(req), self.limit)
            self.check(req, res, body, charset)
            content = body.decode(_codec(charset) or "", "replace").removeprefix("\ufeff") if charset else body
            try:
                req.body = self.parse(content, charset)
            except ValueError as error:
                raise HTTPError(400, text_of(error), type="entity.parse.failed", body=content) from error
        next()

    def is_wanted(self, req: Request) -> bool:
        return bool(self.type(req) if callable(self.type) else req.is_(self.type))

    def charset(self, req: Request) -> str | None:
        if self.default_charset is None:
            return None
        charset = parse_content_type(req.get("Content-Type") or "")[1].get("charset") or self.default_charset
        charset = charset.lower()
        if not re.fullmatch(self.charsets, charset) or not _codec(charset):
            message = f'unsupported charset "{charset.upper()}"'
            raise HTTPError(415, message, type="charset.unsupported", charset=charset)
        return charset

    def chunks(self, req: Request) -> Iterator[bytes]:
        """The body, decompressed, as it arrives."""
        encoding = (req.get("Content-Encoding") or "identity").lower()
        if encoding == "identity":
            return _received(req, self.limit)
        if self.inflate and encoding in _WINDOW_BITS:
            return _inflated(_received(req, math.inf), encoding)
        message = f'unsupported content encoding "{encoding}"' if self.inflate else "content encoding unsupported"
        raise HTTPError(415, message, type="encoding.unsupported", encoding=encoding)

    def check(self, req: Request, res: Response, body: bytes, charset: str | None) -> None:
        if self.verify is None:
            return
        try:
            self.verify(req, res, body, charset)
        except Exception as error:
            kind = property_of(error, "type") or "entity.verify.failed"
            raise HTTPError(status_of(error, 403), text_of(error), type=kind, body=body) from error


def parse_size(size: Any) -> int | float:
    """A number of bytes, given as such or like ``'100kb'``, as npm bytes 3.1 reads it.

    Raises ``TypeError`` for none, for one below zero, and for a text of which npm bytes reads no more than a part:
    ``'10 tons'``, ``'1e3'``.
    """
    if isinstance(size, int | float) and not isinstance(size, bool) and size >= 0:
        return size
    found = re.fullmatch(r"\+?([0-9]+(?:\.[0-9]+)?) *(|b|kb|mb|gb|tb|pb)", str(size).strip().lower())
    if not found:
        raise TypeError(f"the option 'limit' takes a number of bytes, or one like '100kb', not {size!r}")
    unit = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}[found[2]]
    return int(Decimal(found[1]) * unit)


def _received(req: Request, limit: float) -> Iterator[bytes]:
    """The body as it arrives, piece by piece. What ``req.headers`` has for its length is held to, as by npm raw-body;
    how much there is to read, the environ says."""
    stream, sent, declared = req.environ["wsgi.input"], req.environ.get("CONTENT_LENGTH"), req.get("Content-Length")
    size = int(sent) if sent else math.inf
    expected = int(declared) if declared and declared.isdecimal() else None
    if expected is not None and expected > limit:
        raise _too_large(limit, expected=expected, length=expected)
    received = 0
    while received < size:
        try:
            chunk = stream.read(int(min(size - received, _CHUNK)))
        except OSError as error:
            raise HTTPError(400, "request aborted", type="request.aborted", code="ECONNABORTED") from error
        if not chunk:
            break
        received += len(chunk)
        yield chunk
    if received < size < math.inf or expected not in (None, received):
        message = "request size did not match content length"
        raise HTTPError(400, message, type="request.size.invalid", expected=expected, received=received)


def _inflated(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The body decompressed, a chunk at a time. Gzip may come in several members, with zeros behind them."""
    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        for compressed in chunks:
            while compressed and not (inflater.eof and (encoding == "deflate" or compressed[0] == 0)):
                if inflater.eof:
                    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
                yield inflater.decompress(compressed, _CHUNK)
                compressed = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise HTTPError(400, str(error).rpartition(": ")[2], code="Z_DATA_ERROR") from error
    if not inflater.eof:
        raise HTTPError(400, "unexpected end of file", code="Z_BUF_ERROR")


def _joined(chunks: Iterator[bytes], limit: float) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit, received=len(body))
    return bytes(body)


def _too_large(limit: float, **sizes: Any) -> HTTPError:
    return HTTPError(413, "request entity too large", type="entity.too.large", limit=limit, **sizes)


def _codec(charset: str) -> str | None:
    """Python's own name of a text codec. ``codecs.lookup`` keeps for ever whatever it is asked for: so not for that."""
    name = encodings.normalize_encoding(charset).replace(".", "_") if charset.isascii() else ""
    try:
        codec = codecs.lookup(name) if name in _codec_names() else None
    except LookupError:  # a module beside the codecs, or one of another system
        codec = None
    is_wanted = codec and codec._is_text_encoding and codec.name.replace("_", "-") not in _NO_CHARSETS
    return name if is_wanted else None


@cache
def _codec_names() -> frozenset[str]:
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset({*encodings.aliases.aliases, *modules})


_FORM_CHARSETS = "utf-8|iso-8859-1"
# Codecs of Python's own, by which no client sends a body; some raise for any text, some are slow.
_NO_CHARSETS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")
_CHUNK = 65536
_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
