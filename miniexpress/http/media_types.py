"""Media types: of file extensions, and in Content-Type headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from .headers import HEADER_TEXT, MAX_HEADER_LENGTH, TOKEN, quote_if_needed

_PARAMETER = re.compile(r"""(?sx); ([^;=]*) = [ \t]* (?: ("(?:[^"\\]|\\.)*")[^;]* | (".*) | ([^;]*) )""")
_ESCAPED = re.compile(r"(?s)\\(.)")
# RFC 6838 section 4.2.
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_MEDIA_RANGE = re.compile(f"{TOKEN.pattern}/{TOKEN.pattern}")
_COMPRESSIBLE = re.compile(r"^text/|\+(?:json|text|xml)$")
_SHORTHANDS = {"urlencoded": "application/x-www-form-urlencoded", "multipart": "multipart/*"}
# The types outside of ``text/`` that get a charset, too (npm mime-db 1.54.0).
_UTF8_APPLICATION_TYPES = {
    f"application/{subtype}" for subtype in ("javascript", "json", "manifest+json", "fhir+json", "fhir+xml")
}


@lru_cache(maxsize=256)
def content_type(type_or_extension: str) -> str | Literal[False]:
    """Return the Content-Type of a type, an extension or a file name: ``'html'`` → ``'text/html; charset=utf-8'``.

    ``False`` for an unknown extension. As npm mime-types 3.0.2.
    """
    media_type = type_or_extension if "/" in type_or_extension else lookup(type_or_extension)
    if not media_type or "charset" in media_type:
        return media_type or False
    name = _type_name(media_type)
    return f"{media_type}; charset=utf-8" if name.startswith("text/") or name in _UTF8_APPLICATION_TYPES else media_type


def lookup(path_or_extension: str) -> str | Literal[False]:
    """Return the media type of an extension or a file name: ``'html'``, ``'dir/page.html'`` → ``'text/html'``.

    ``False`` for an unknown extension. As npm mime-types 3.0.2.
    """
    name = f"x.{path_or_extension}".rstrip("/").rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return _TYPE_OF.get(extension.lower(), False) if stem else False


@lru_cache(maxsize=256)
def is_compressible(content_type: str) -> bool:
    """Return whether bodies of a Content-Type get smaller by compression: ``'text/html; charset=utf-8'`` → ``True``.

    As npm compressible 2.0.18 with mime-db 1.54.0.
    """
    name = _type_name(content_type)
    return bool(_COMPRESSIBLE.search(name)) or name in _COMPRESSIBLE_TYPES


def _type_name(content_type: str) -> str:
    """Return the media type alone: ``'Text/HTML; charset=utf-8'`` → ``'text/html'``."""
    words = content_type.partition(";")[0].split()
    return words[0].lower() if words else ""


def is_type(content_type: str | None, types: Sequence[str] = ()) -> str | Literal[False]:
    """Return the one of ``types`` that a Content-Type header is of, or ``False``. As npm type-is 2.1.0.

    A type is an extension (``'json'``), ``'urlencoded'``, ``'multipart'``, a suffix (``'+json'``) or a media type, also
    with wildcards (``'text/*'``). For a wildcard, a suffix or no ``types``, return the header's own type:
    ``'text/html; charset=utf-8', ['json', 'text/*']`` → ``'text/html'``.
    """
    actual = (content_type or "").partition(";")[0].strip(" \t").lower()
    return _first_match(actual, tuple(types)) if len(actual) <= 255 else False


@lru_cache(maxsize=256)
def _first_match(actual: str, types: tuple[str, ...]) -> str | Literal[False]:
    if not _MEDIA_TYPE.fullmatch(actual):
        return False
    kind, _, subtype = actual.partition("/")
    suffixes = [f"*{subtype[index:]}" for index, character in enumerate(subtype) if character == "+"]
    names = {f"{left}/{right}" for left in (kind, "*") for right in (subtype, "*", *suffixes)}
    for given in types or ("*/*",):
        expected = _SHORTHANDS.get(given) or (f"*/*{given}" if given.startswith("+") else given)
        if (expected if "/" in expected else lookup(expected)) in names:
            return actual if given.startswith("+") or "*" in given else given
    return False


@lru_cache(maxsize=256)
def set_charset(content_type: str, charset: str) -> str:
    """Set the charset of a Content-Type: ``'text/html', 'utf-8'`` → ``'text/html; charset=utf-8'``.

    If either is empty, return the Content-Type as it is. Raises ``TypeError`` unless it is ``type/subtype`` and valid
    parameters. As Express 5 does for text.
    """
    if not content_type or not charset:
        return content_type
    written, parameters = parse_content_type(content_type)
    if not _MEDIA_RANGE.fullmatch(written):
        raise TypeError(f"Invalid type: {written!r}. A Content-Type is type/subtype, as in 'text/html'")
    parameters["charset"] = charset
    for name, text in parameters.items():
        if not TOKEN.fullmatch(name) or not HEADER_TEXT.fullmatch(text):
            raise TypeError(f"Invalid parameter: {name!r}={text!r}. A name is a token, a value Latin-1, no controls")
        written += f"; {name}={quote_if_needed(text)}"
    return written


def parse_content_type(header: str) -> tuple[str, dict[str, str]]:
    """``'Text/HTML; Charset="utf-8"'`` → ``('text/html', {'charset': 'utf-8'})``. As npm content-type 2.1.0."""
    value, parameters = split_parameters(header)
    return value.lower(), parameters


def split_parameters(header: str) -> tuple[str, dict[str, str]]:
    """Split a header into its value and parameters: ``'Text/*; Level=1'`` → ``('Text/*', {'level': '1'})``.

    Never raises: malformed parameters are left out, the first of a name counts, and 4,096 characters of parameters are
    parsed.
    """
    value, semicolon, _ = header.partition(";")
    parameters: dict[str, str] = {}
    if semicolon:
        for name, quoted, unclosed, plain in _PARAMETER.findall(header, len(value), len(value) + MAX_HEADER_LENGTH):
            if not unclosed:
                text = _ESCAPED.sub(r"\1", quoted[1:-1]) if quoted else plain.rstrip(" \t")
                parameters.setdefault(name.strip(" \t").lower(), text)
    return value.strip(" \t"), parameters


# The types outside of ``text/`` whose bodies get smaller by compression (npm mime-db 1.54.0).
_COMPRESSIBLE_TYPES = {
    f"{kind}/{subtype}"
    for kind, subtypes in {
        "application": "dart ecmascript javascript json octet-stream postscript raml+yaml rtf tar toml vnd.dart "
        "vnd.ms-fontobject vnd.ms-opentype wasm x-httpd-php x-javascript x-ns-proxy-autoconfig x-sh x-tar "
        "x-virtualbox-hdd x-virtualbox-ova x-virtualbox-ovf x-virtualbox-vbox x-virtualbox-vdi x-virtualbox-vhd "
        "x-virtualbox-vmdk x-www-form-urlencoded xml xml-dtd",
        "font": "otf ttf",
        "image": "bmp vnd.adobe.photoshop vnd.microsoft.icon vnd.ms-dds x-icon x-ms-bmp",
        "message": "rfc822",
        "model": "gltf-binary",
        "x-shader": "x-fragment x-vertex",
    }.items()
    for subtype in subtypes.split()
}

# The types of files that the web commonly serves. Each entry is a subtype and its extensions; one word is both.
_TYPES = """\
application: atom+xml atom, dash+xml mpd, epub+zip epub, geo+json geojson, gpx+xml gpx, gzip gz, java-archive jar, \
json json map, ld+json jsonld, manifest+json webmanifest, msword doc dot, node cjs, octet-stream bin, pdf, \
pgp-keys asc, postscript ai eps ps, rdf+xml rdf owl, rss+xml rss, rtf, sql, toml, vnd.android.package-archive apk, \
vnd.apple.mpegurl m3u8, vnd.google-earth.kml+xml kml, vnd.ms-excel xls, vnd.ms-fontobject eot, vnd.ms-powerpoint ppt, \
vnd.oasis.opendocument.graphics odg, vnd.oasis.opendocument.presentation odp, vnd.oasis.opendocument.spreadsheet ods, \
vnd.oasis.opendocument.text odt, vnd.openxmlformats-officedocument.presentationml.presentation pptx, \
vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx, \
vnd.openxmlformats-officedocument.wordprocessingml.document docx, vnd.rar rar, wasm, x-7z-compressed 7z, \
x-apple-diskimage dmg, x-bzip2 bz2, x-debian-package deb, x-httpd-php php, x-iso9660-image iso, \
x-msdos-program exe, x-redhat-package-manager rpm, x-sh sh, x-shockwave-flash swf, x-subrip srt, x-tar tar, \
x-x509-ca-cert crt pem, x-xz xz, xhtml+xml xhtml, xml xml xsl xsd, xml-dtd dtd, xslt+xml xslt, zip
audio: aac, midi mid midi, mp4 m4a, mpeg mp3, ogg oga ogg opus, wav, webm weba, x-aiff aif aiff, x-flac flac, \
x-matroska mka, x-mpegurl m3u, x-ms-wma wma
font: collection ttc, otf, ttf, woff, woff2
image: apng, avif, bmp, gif, heic, heif, jpeg jpg jpeg jpe, jxl, pjpeg jfif, png, svg+xml svg svgz, tiff tif tiff, \
vnd.adobe.photoshop psd, vnd.microsoft.icon ico, webp
message: rfc822 eml
model: gltf+json gltf, gltf-binary glb, obj, stl, vnd.usdz+zip usdz
text: cache-manifest appcache manifest, calendar ics, css, csv, html html htm shtml, javascript js mjs, jsx, less, \
markdown md markdown, plain txt text conf list log in ini, tab-separated-values tsv, turtle ttl, vcard, vtt, \
x-c c cc cpp h hh, x-java-source java, x-lua lua, x-sass sass, x-scss scss, x-vcard vcf, yaml yaml yml
video: 3gpp 3gpp 3gp, mp2t mts ts m2ts, mp4, mpeg mpeg mpg, ogg ogv, quicktime qt mov, webm, x-flv flv, x-m4v m4v, \
x-matroska mkv, x-ms-wmv wmv, x-msvideo avi
"""
_TYPE_OF = {
    extension: f"{kind}/{subtype}"
    for kind, _, entries in (line.partition(": ") for line in _TYPES.splitlines())
    for subtype, *extensions in (entry.split() for entry in entries.split(", "))
    for extension in extensions or [subtype]
}
