"""``compression``: middleware that compresses responses for clients that accept it. After npm compression 1.8.2."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..http.accept import ENCODINGS
from ..http.media_types import is_compressible
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import fit_callback, flatten
from .body_parser import parse_size

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Filter = Callable[["Request", "Response"], Any]

_ENCODINGS = ("gzip", "deflate", "identity")
_PREFERRED = ("gzip",)  # of what a client accepts alike
# What is added to the window bits for zlib to write the format that an encoding is (RFC 9110 section 8.4.1).
_GZIP_FORMAT = 16
_NO_TRANSFORM = re.compile(r"(?:^|,)\s*no-transform\s*(?:,|$)", re.IGNORECASE)


class Compression:
    """The function ``compression(…)``, with ``compression.filter``."""

    __name__ = "compression"

    @suggests_keywords
    def __call__(
        self,
        *,
        enforce_encoding: str = "identity",
        filter: Filter | None = None,
        level: int = zlib.Z_DEFAULT_COMPRESSION,
        mem_level: int = zlib.DEF_MEM_LEVEL,
        strategy: int = zlib.Z_DEFAULT_STRATEGY,
        threshold: int | str = 1024,
        window_bits: int = zlib.MAX_WBITS,
    ) -> Middleware:
        """Make middleware that compresses bodies with gzip or deflate, as Accept-Encoding asks for.

        Bodies are left as they are below ``threshold``, a number of bytes or text like ``'1kb'``; where
        ``filter(req, res)`` returns false, by default ``compression.filter``; where they have a Content-Encoding or are
        a part of a file; and where Cache-Control says ``no-transform``. A body of unknown length is compressed while
        it is sent, and ``res.flush()`` sends what is held back so far.

        Clients without Accept-Encoding get ``enforce_encoding``: ``'identity'``, ``'gzip'`` or ``'deflate'``. zlib is
        given ``level`` (0 to 9, -1 is its default), ``mem_level`` (1 to 9), ``strategy`` (``zlib.Z_FILTERED`` …) and
        ``window_bits`` (9 to 15). Raises ``TypeError`` for wrong options.
        """
        if enforce_encoding not in _ENCODINGS:
            raise TypeError(f"compression(enforce_encoding=…) takes one of {_ENCODINGS}, not {enforce_encoding!r}")
        should_compress = fit_callback(filter or self.filter, "the option 'filter'", "(req, res)")
        _check_number("level", level, -1, 9)
        _check_number("mem_level", mem_level, 1, 9)
        _check_number("strategy", strategy, 0, 4)
        _check_number("window_bits", window_bits, 9, 15)
        least = parse_size(threshold, "threshold")

        def compress_responses(req: Request, res: Response, next: Next) -> None:
            def compress() -> None:
                if not should_compress(req, res) or _has_no_transform(res):
                    return
                res.vary("Accept-Encoding")
                if _stays_uncompressed(req, res, least):
                    return
                encoding = _choose_encoding(req, enforce_encoding)
                if encoding == "identity":
                    return
                wbits = window_bits + _GZIP_FORMAT if encoding == "gzip" else window_bits
                res.transform_body(_Compressor(zlib.compressobj(level, zlib.DEFLATED, wbits, mem_level, strategy)))
                res.set_header("Content-Encoding", encoding)
                _describe_compressed(res)

            res.on_headers(compress)
            next()

        compress_responses.__qualname__ = "compression()"
        return compress_responses

    def filter(self, req: Request, res: Response) -> bool:
        """Return whether the type of a response is worth compressing: text, JSON, fonts, but no images (npm
        compressible 2.0.18)."""
        media_type = res.get("Content-Type")
        return isinstance(media_type, str) and is_compressible(media_type)


compression = Compression()
"""Make middleware that compresses responses: ``compression(threshold="1kb")``. See ``Compression.__call__``."""


class _Compressor:
    """A transform of a response's body."""

    def __init__(self, compressor: zlib._Compress) -> None:
        self._compressor = compressor

    def __call__(self, chunk: bytes, is_last: bool) -> bytes:
        compressed = self._compressor.compress(chunk)
        return compressed + self._compressor.flush() if is_last else compressed

    def flush(self) -> bytes:
        """Return all that is left of the chunks so far, so that the client can decompress them."""
        return self._compressor.flush(zlib.Z_SYNC_FLUSH)


def _check_number(option: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise TypeError(f"compression({option}=…) takes a number from {least} to {most}, not {value!r}")


def _has_no_transform(res: Response) -> bool:
    """Return whether Cache-Control forbids to change the body (RFC 9111 section 5.2.2.6)."""
    return bool(_NO_TRANSFORM.search(",".join(flatten([res.get("Cache-Control") or ""]))))


def _stays_uncompressed(req: Request, res: Response, least: float) -> bool:
    """Return whether the body is too small, encoded already, a part of a file, or not sent at all."""
    length = res.get("Content-Length")
    if length is not None and int(length) < least:
        return True
    if res.get("Content-Encoding") not in (None, "", "identity"):
        return True
    if res.status_code in (204, 205, 206, 304) or res.has_header("Content-Range"):
        return True  # a range counts in the bytes of the encoded body (RFC 9110 section 14.1.2)
    return req.method == "HEAD"


def _choose_encoding(req: Request, enforced: str) -> str:
    accepted = req.get("Accept-Encoding")
    return str(ENCODINGS.choose(accepted, _ENCODINGS, _PREFERRED) or "identity") if accepted else enforced


def _describe_compressed(res: Response) -> None:
    """Correct the header fields that were set for the body as it was, as nginx does.

    Ranges would count in bytes that are not sent. The bytes of the compressed body are others, its meaning is the same:
    so its ETag is a weak one (RFC 9110 section 8.8.1).
    """
    res.remove_header("Accept-Ranges")
    etag = res.get("ETag")
    if isinstance(etag, str) and not etag.startswith("W/"):
        res.set_header("ETag", f"W/{etag}")
