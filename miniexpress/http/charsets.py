"""Charsets that clients name, and Python's codecs for them."""

from __future__ import annotations

import codecs
import encodings.aliases
import pkgutil
from functools import cache, lru_cache

# Text codecs of Python that are no charsets of clients: some raise for any text, some are slow.
_NO_CHARSETS = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape")


@lru_cache(maxsize=256)
def codec_name(charset: str) -> str | None:
    """Return Python's name of the codec of a charset, or ``None``: ``'koi8-u'`` → ``'koi8_u'``.

    Names that clients invent must not reach ``codecs.lookup``, which caches every name for ever.
    """
    name = encodings.normalize_encoding(charset).replace(".", "_") if charset.isascii() else ""
    try:
        codec = codecs.lookup(name) if name in _codec_names() else None
    except LookupError:  # a module of the package that is no codec, or one of another operating system
        codec = None
    is_charset = codec and codec._is_text_encoding and codec.name.replace("_", "-") not in _NO_CHARSETS
    return name if is_charset else None


@cache
def _codec_names() -> frozenset[str]:
    modules = {module.name for module in pkgutil.iter_modules(encodings.__path__)}
    return frozenset({*encodings.aliases.aliases, *modules})
