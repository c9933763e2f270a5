"""Body parsers: ``json``, ``urlencoded``, ``text`` and ``raw`` read a request's body into ``req.body``.

After npm body-parser 2.4.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..attrdict import AttrDict, to_attrdict
from ..errors import HTTPError, property_of, status_of, text_of
from ..http.charsets import codec_name
from ..http.json_text import Reviver
from ..http.json_text import parse as parse_json
from ..http.media_types import is_type, parse_content_type
from ..http.query_strings import DepthError, parse_extended
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import fit_callback, flatten

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Types = str | Sequence[str] | Callable[["Request"], Any]
Verify = Callable[["Request", "Response", bytes, str | None], Any] | None

_ANY_CHARSET, _JSON_CHARSETS, _FORM_CHARSETS = map(re.compile, (".*", "utf-.*", "utf-8|iso-8859-1"))
_CHUNK_SIZE = 65536
_WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_SIZE_UNITS = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}


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
    """Make middleware that parses JSON into ``req.body``, objects as AttrDicts.

    ``strict`` accepts objects and arrays only; ``reviver(key, value)`` may change each value.

    ``type`` selects the bodies to parse: a media type, an extension, a list of these, or a function of the request.
    ``limit`` is the size of a decompressed body in bytes, or text like ``'100kb'``. Without ``inflate``, compressed
    bodies (gzip, deflate) are refused. ``verify(req, res, body, charset)`` may raise to refuse a body.

    The middleware raises ``HTTPError`` with body-parser's ``type``: 400 for malformed JSON or an aborted request, 403
    if ``verify`` raises, 413 beyond the limit, 415 for an unsupported charset or encoding.
    """
    if callable(reviver):
        reviver = fit_callback(reviver, "the option 'reviver'", "(key, value)")

    def parse(text: str, charset: str) -> Any:
        if not text:
            return AttrDict()
        if strict and text.lstrip(" \t\n\r")[:1] not in ("{", "["):
            raise ValueError(f"{text[:20]!r} is neither an object nor an array")
        return parse_json(text, reviver)

    return BodyParser("json", parse, type, limit, inflate, verify, "utf-8", _JSON_CHARSETS).handle


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
    """Make middleware that parses forms into ``req.body``, an AttrDict of strings, and of lists for repeated fields.

    With ``extended``, names with brackets nest, at most ``depth`` deep: ``a[b]=1`` → ``{'a': {'b': '1'}}``. More than
    ``parameter_limit`` fields are a 413. ``default_charset`` (utf-8 or iso-8859-1) is for forms that name none; with
    ``charset_sentinel``, the field ``utf8`` decides it, and ``interpret_numeric_entities`` decodes ``&#9786;`` in
    iso-8859-1. The other options and errors are those of ``json``. After npm qs 6.
    """
    if not isinstance(parameter_limit, int | float) or not parameter_limit >= 1:
        raise TypeError(f"urlencoded(parameter_limit=…) takes a positive number, not {parameter_limit!r}")
    if not isinstance(depth, int | float) or not depth >= 0:
        raise TypeError(f"urlencoded(depth=…) takes zero or a positive number, not {depth!r}")
    if not _FORM_CHARSETS.fullmatch(default_charset):
        raise TypeError(f"urlencoded(default_charset=…) takes {_FORM_CHARSETS.pattern}, not {default_charset!r}")

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

    return BodyParser("urlencoded", parse, type, limit, inflate, verify, default_charset, _FORM_CHARSETS).handle


@suggests_keywords
def text(
    *,
    default_charset: str = "utf-8",
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "text/plain",
    verify: Verify = None,
) -> Middleware:
    """Make middleware that reads bodies into ``req.body`` as ``str``, in ``default_charset`` if they name none.

    The other options and errors are those of ``json``.
    """
    return BodyParser("text", lambda text, charset: text, type, limit, inflate, verify, default_charset).handle


@suggests_keywords
def raw(
    *,
    inflate: bool = True,
    limit: int | str = "100kb",
    type: Types = "application/octet-stream",
    verify: Verify = None,
) -> Middleware:
    """Make middleware that reads bodies into ``req.body`` as ``bytes``. Options and errors are those of ``json``."""
    return BodyParser("raw", lambda body, charset: body, type, limit, inflate, verify).handle


@dataclass
class BodyParser:
    """The checked options of a body parser. ``parse(body, charset)`` returns the value of ``req.body``."""

    name: str
    parse: Callable[[Any, Any], Any]
    type: Types
    limit: Any
    inflate: bool
    verify: Verify
    default_charset: str | None = None
    """The charset of bodies that name none; with ``None``, ``parse`` is called with bytes."""
    charsets: re.Pattern[str] = _ANY_CHARSET
    """The charsets that are supported."""

    def __post_init__(self) -> None:
        if self.verify is not None:
            self.verify = fit_callback(self.verify, "the option 'verify'", "(req, res, body, charset)")
        if callable(self.type):
            self.type = fit_callback(self.type, "the option 'type'", "(req)")
        self.types = tuple(flatten([self.type]))
        self.limit = parse_size(self.limit)

    def handle(self, req: Request, res: Response, next: Next) -> None:
        """Parse the body, unless another parser has: this is the middleware."""
        if not req.body_consumed and req.has_body and self.should_parse(req):
            req.body_consumed = True
            charset = self.charset(req)
            body = _read_limited(self.chunks(req), self.limit)
            self.check(req, res, body, charset)
            content = body.decode(codec_name(charset) or "", "replace").removeprefix("\ufeff") if charset else body
            try:
                req.body = self.parse(content, charset)
            except ValueError as error:
                raise HTTPError(400, text_of(error), type="entity.parse.failed", body=content) from error
        next()

    def should_parse(self, req: Request) -> bool:
        return bool(self.type(req) if callable(self.type) else is_type(req.get("Content-Type"), self.types))

    def charset(self, req: Request) -> str | None:
        if self.default_charset is None:
            return None
        charset = parse_content_type(req.get("Content-Type") or "")[1].get("charset") or self.default_charset
        charset = charset.lower()
        if not self.charsets.fullmatch(charset) or not codec_name(charset):
            message = f'unsupported charset "{charset.upper()}"'
            raise HTTPError(415, message, type="charset.unsupported", charset=charset)
        return charset

    def chunks(self, req: Request) -> Iterator[bytes]:
        """Read the body in chunks, decompressed."""
        encoding = (req.get("Content-Encoding") or "identity").lower()
        if encoding == "identity":
            return read_stream(req, self.limit)
        if self.inflate and encoding in _WINDOW_BITS:
            return _decompress(read_stream(req, math.inf), encoding)
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


def parse_size(size: Any, option: str = "limit") -> int | float:
    """Parse the size that an option is given into bytes: ``'100kb'`` → ``102400``, ``5`` → ``5``. As npm bytes 3.1.

    Raises ``TypeError`` for anything else, also for text of which npm bytes parses a part only: ``'10 tons'``.
    """
    if isinstance(size, int | float) and not isinstance(size, bool) and size >= 0:
        return size
    found = re.fullmatch(r"\+?([0-9]+(?:\.[0-9]+)?) *(|b|kb|mb|gb|tb|pb)", str(size).strip().lower())
    if not found:
        raise TypeError(f"the option {option!r} takes a number of bytes, or one like '100kb', not {size!r}")
    return int(Decimal(found[1]) * _SIZE_UNITS[found[2]])


def read_stream(req: Request, limit: float) -> Iterator[bytes]:
    """Read the body from the WSGI server in chunks.

    How much can be read is CONTENT_LENGTH's of the environ; the Content-Length of ``req.headers``, which middleware can
    have changed, must be the same. Raises ``HTTPError`` 400 if it is not, or if the client aborts; 413 beyond
    ``limit``. As npm raw-body.
    """
    stream, sent, declared = req.environ["wsgi.input"], req.environ.get("CONTENT_LENGTH"), req.get("Content-Length")
    size = int(sent) if sent else math.inf
    expected = int(declared) if declared and declared.isdecimal() else None
    if expected is not None and expected > limit:
        raise _too_large(limit, expected=expected, length=expected)
    received = 0
    while received < size:
        try:
            chunk = stream.read(int(min(size - received, _CHUNK_SIZE)))
        except OSError as error:
            raise HTTPError(400, "request aborted", type="request.aborted", code="ECONNABORTED") from error
        if not chunk:
            break
        received += len(chunk)
        yield chunk
    if received < size < math.inf or expected not in (None, received):
        message = "request size did not match content length"
        raise HTTPError(400, message, type="request.size.invalid", expected=expected, received=received)


def _decompress(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress chunks, into chunks of limited size. Gzip may have several members, and zeros behind them.

    Raises ``HTTPError`` 400 for malformed or incomplete data.
    """
    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        for compressed in chunks:
            while compressed and not (inflater.eof and (encoding == "deflate" or compressed[0] == 0)):
                if inflater.eof:
                    inflater = zlib.decompressobj(_WINDOW_BITS[encoding])
                yield inflater.decompress(compressed, _CHUNK_SIZE)
                compressed = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise HTTPError(400, str(error).rpartition(": ")[2], code="Z_DATA_ERROR") from error
    if not inflater.eof:
        raise HTTPError(400, "unexpected end of file", code="Z_BUF_ERROR")


def _read_limited(chunks: Iterator[bytes], limit: float) -> bytes:
    """Join chunks. Raises ``HTTPError`` 413 once they are longer than ``limit``."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise _too_large(limit, received=len(body))
    return bytes(body)


def _too_large(limit: float, **sizes: Any) -> HTTPError:
    return HTTPError(413, "request entity too large", type="entity.too.large", limit=limit, **sizes)
