"""The tables are what the npm packages answered: mime-types 3.0.2, type-is 2.1.0, content-type 2.1.0, and
Express 5.3.0's own setCharset."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress.http import media_types

LOOKUP = [
    ("dir/.html", False),
    ("html", "text/html"),
    (".html", "text/html"),
    ("page.HTML", "text/html"),
    ("dir/page.html", "text/html"),
    ("a.tar.gz", "application/gzip"),
    (".gitignore", False),
    ("dir.js/file", False),
    ("dir.js/", "text/javascript"),
    ("x.", False),
    ("", False),
    ("nope", False),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("ts", "video/mp2t"),
    ("ico", "image/vnd.microsoft.icon"),
    ("mp4", "video/mp4"),
    ("m4a", "audio/mp4"),
    ("wav", "audio/wav"),
    ("exe", "application/x-msdos-program"),
    ("rtf", "application/rtf"),
    ("xml", "application/xml"),
    ("md", "text/markdown"),
    ("gz", "application/gzip"),
    ("/", False),
    ("..", False),
]

CONTENT_TYPE = [
    ("html", "text/html; charset=utf-8"),
    ("json", "application/json; charset=utf-8"),
    ("png", "image/png"),
    ("js", "text/javascript; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    ("webmanifest", "application/manifest+json; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("xml", "application/xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("file.pdf", "application/pdf"),
    ("nope", False),
    ("", False),
    ("text/html", "text/html; charset=utf-8"),
    ("text/html; charset=iso-8859-1", "text/html; charset=iso-8859-1"),
    ("text/x-own", "text/x-own; charset=utf-8"),
    ("TEXT/Plain", "TEXT/Plain; charset=utf-8"),
    ("text/html; a=b", "text/html; a=b; charset=utf-8"),
    ("application/json", "application/json; charset=utf-8"),
    ("application/javascript", "application/javascript; charset=utf-8"),
    ("application/own", "application/own"),
    ("application/xml", "application/xml"),
]

IS_TYPE = [
    ("text/html; charset=utf-8", ["html"], "html"),
    ("text/html", ["json", "html"], "html"),
    ("application/json", ["json"], "json"),
    ("application/json", ["application/json"], "application/json"),
    ("application/json", ["application/*"], "application/json"),
    ("application/json", ["+json"], False),
    ("application/ld+json", ["+json"], "application/ld+json"),
    ("application/ld+json", ["json"], False),
    ("application/ld+json", ["json", "application/*+json"], "application/ld+json"),
    ("application/x-www-form-urlencoded", ["urlencoded"], "urlencoded"),
    ("multipart/form-data; boundary=x", ["multipart"], "multipart"),
    ("multipart/form-data; boundary=x", ["multipart/*"], "multipart/form-data"),
    ("Text/HTML", [], "text/html"),
    ("Text/HTML", ["text/html"], "text/html"),
    ("text/html", ["Text/HTML"], False),
    ("text/html", ["*/*"], "text/html"),
    ("text/html", ["text/*"], "text/html"),
    ("image/svg+xml", ["+xml", "json"], "image/svg+xml"),
    (None, ["json"], False),
    ("", ["json"], False),
    ("nonsense", ["json"], False),
    ("text/html/x", ["*/*"], False),
    ("text/html", ["nope", ""], False),
    ("t" * 128 + "/x", [], False),
]

PARSE_CONTENT_TYPE = [
    ("text/html", ("text/html", {})),
    ('Text/HTML; Charset="UTF-8"', ("text/html", {"charset": "UTF-8"})),
    (" text/html ; charset = utf-8 ; x=1", ("text/html", {"charset": "utf-8", "x": "1"})),
    ("text/html;charset", ("text/html", {})),
    ("text/html; a=1; A=2", ("text/html", {"a": "1"})),
    ('text/html; a="x;y\\"z"; b=2', ("text/html", {"a": 'x;y"z', "b": "2"})),
    ('text/html; a="unclosed; b=2', ("text/html", {})),
    ('text/html; a="x"junk; b=2', ("text/html", {"a": "x", "b": "2"})),
    ('text/html; a=; b=""', ("text/html", {"a": "", "b": ""})),
    ("text/html; =x", ("text/html", {"": "x"})),
    ("text/html;;;a=b", ("text/html", {"a": "b"})),
    ("", ("", {})),
    (";a=b", ("", {"a": "b"})),
    ("no slash", ("no slash", {})),
    ('a/b; c="\\', ("a/b", {})),
    ('a/b; c=d"e"; f', ("a/b", {"c": 'd"e"'})),
]

SET_CHARSET = [
    ("text/html", "utf-8", "text/html; charset=utf-8"),
    ("text/html; charset=iso-8859-1", "utf-8", "text/html; charset=utf-8"),
    ("TEXT/HTML; Foo=Bar", "utf-8", "text/html; foo=Bar; charset=utf-8"),
    ('a/b; x="y z"; charset="a"; w=1', "UTF-8", 'a/b; x="y z"; charset=UTF-8; w=1'),
    ('a/b; x="\\"\\\\"', "utf-8", 'a/b; x="\\"\\\\"; charset=utf-8'),
    ("a/b", "x y", 'a/b; charset="x y"'),
    ("a/b", "", "a/b"),
    ("", "utf-8", ""),
]

SET_CHARSET_REFUSED = [
    ("text", "utf-8"),
    ("text/html/x", "utf-8"),
    ("a b/c", "utf-8"),
    ("a/b; x y=1", "utf-8"),
    ("a/b; =1", "utf-8"),
    ("a/b", "€"),
    ('a/b; x="\x01"', "utf-8"),
]

# What npm mime-types 3.0.2 answers for the extensions that the web knows.
TYPES = {
    "text/plain": "text txt log ini conf",
    "text/html": "html htm",
    "text/css": "css",
    "text/javascript": "js mjs",
    "application/node": "cjs",
    "application/json": "json map",
    "application/manifest+json": "webmanifest",
    "application/ld+json": "jsonld",
    "application/xml": "xml",
    "application/xhtml+xml": "xhtml",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpg jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/vnd.microsoft.icon": "ico",
    "image/bmp": "bmp",
    "image/tiff": "tif tiff",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
    "application/vnd.ms-fontobject": "eot",
    "audio/mpeg": "mp3",
    "video/mp4": "mp4",
    "audio/mp4": "m4a",
    "video/webm": "webm",
    "audio/ogg": "ogg oga",
    "audio/wav": "wav",
    "audio/x-flac": "flac",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "application/x-tar": "tar",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/x-bzip2": "bz2",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/markdown": "md markdown",
    "text/yaml": "yaml yml",
    "application/toml": "toml",
    "text/calendar": "ics",
    "text/x-vcard": "vcf",
    "application/rtf": "rtf",
    "application/wasm": "wasm",
    "video/mp2t": "ts",
    "text/jsx": "jsx",
    "application/x-sh": "sh",
    "text/x-c": "c h",
    "text/x-java-source": "java",
    "application/x-httpd-php": "php",
    "application/x-msdos-program": "exe",
    "application/octet-stream": "bin",
    "application/x-iso9660-image": "iso",
    "application/x-apple-diskimage": "dmg",
    "application/vnd.android.package-archive": "apk",
    "application/epub+zip": "epub",
    "application/x-shockwave-flash": "swf",
    "video/mpeg": "mpeg",
    "video/x-msvideo": "avi",
    "video/quicktime": "mov",
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "video/x-matroska": "mkv",
    "application/vnd.apple.mpegurl": "m3u8",
    "text/vtt": "vtt",
    "image/heic": "heic",
    "model/gltf+json": "gltf",
    "model/gltf-binary": "glb",
    "audio/webm": "weba",
    "video/ogg": "ogv",
    "audio/aac": "aac",
    "audio/midi": "mid",
    "image/vnd.adobe.photoshop": "psd",
    "application/postscript": "ps",
    "application/sql": "sql",
}

TABLES: dict[str, list[Any]] = {
    "lookup": LOOKUP,
    "content_type": CONTENT_TYPE,
    "is_type": IS_TYPE,
    "parse_content_type": PARSE_CONTENT_TYPE,
    "set_charset": SET_CHARSET,
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_every_function_answers_as_its_npm_package_does(name: str, row: tuple[Any, ...]) -> None:
    *arguments, expected = row
    assert getattr(media_types, name)(*arguments) == expected


@pytest.mark.parametrize(("media_type", "extensions"), TYPES.items())
def test_the_common_extensions_have_the_types_that_npm_gives_them(media_type: str, extensions: str) -> None:
    assert {extension: media_types.lookup(extension) for extension in extensions.split()} == dict.fromkeys(
        extensions.split(), media_type
    )


@pytest.mark.parametrize(("content_type", "charset"), SET_CHARSET_REFUSED)
def test_a_content_type_that_cannot_be_written_is_refused(content_type: str, charset: str) -> None:
    with pytest.raises(TypeError, match=r"Invalid (type|parameter): '"):
        media_types.set_charset(content_type, charset)


HEADERS = st.text(st.sampled_from(list('ab/;=,+." \t\\é')) | st.characters(max_codepoint=255), max_size=60)


@given(HEADERS, st.lists(HEADERS, max_size=3))
def test_no_header_makes_it_raise(header: str, types: list[str]) -> None:
    answer = media_types.is_type(header, types)
    assert answer is False or answer in (*types, media_types.parse_content_type(header)[0])


@given(HEADERS)
def test_a_content_type_is_set_well_or_refused(header: str) -> None:
    try:
        written = media_types.set_charset(header, "utf-8")
    except TypeError:
        return
    if header:
        assert re.fullmatch(r"[\t -~\x80-\xff]+", written)
        media_type, parameters = media_types.parse_content_type(header)
        assert media_types.parse_content_type(written) == (media_type, {**parameters, "charset": "utf-8"})


@given(st.text())
def test_any_path_has_a_type_or_none(path: str) -> None:
    media_type = media_types.lookup(path)
    assert media_type is False or re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", media_type)
    assert media_types.lookup(path + "x.html") == "text/html"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html", True),
        (" Text/HTML ; charset=utf-8", True),
        ("text/of-ones-own", True),
        ("application/json", True),
        ("application/x-own+json", True),
        ("image/svg+xml", True),
        ("application/octet-stream", True),
        ("image/png", False),
        ("application/zip", False),
        ("application/x-own", False),
        ("application/x-own+zip", False),
        ("text", False),
        ("; text/html", False),
        ("", False),
    ],
)
def test_whether_a_type_is_compressible(content_type: str, expected: bool) -> None:
    assert media_types.is_compressible(content_type) is expected


def test_every_type_that_is_registered_is_compressible_where_mime_db_says_so(node_reference: Path) -> None:
    database = json.loads((node_reference / "node_modules" / "mime-db" / "db.json").read_text())
    by_name = re.compile(r"^text/|\+(?:json|text|xml)$")  # npm compressible's, for those of which mime-db says nothing
    expected = {name: entry.get("compressible", bool(by_name.search(name))) for name, entry in database.items()}
    assert {name: media_types.is_compressible(name) for name in database} == expected
