"""Media types: from file extension to type, and to and from a Content-Type header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal


@lru_cache(maxsize=256)
def content_type(type_or_extension: str) -> str | Literal[False]:
    """The Content-Type to send for a media type, an extension or a file name: ``'html'`` gives
    ``'text/html; charset=utf-8'``. ``False`` for an unknown extension. As npm mime-types 3.0.2 ``contentType``.
    """
    media_type = type_or_extension if "/" in type_or_extension else lookup(type_or_extension)
    if not media_type or "charset" in media_type:
        return media_type or False
    words = media_type.partition(";")[0].split(None, 1)
    name = words[0].lower() if words else ""
    is_text = name.startswith("text/") or name in _TEXT_OUTSIDE_TEXT
    return f"{media_type}; charset=utf-8" if is_text else media_type


def lookup(path_or_extension: str) -> str | Literal[False]:
    """The media type for ``'html'``, ``'.html'`` or ``'dir/page.html'``; ``False`` when the extension is unknown.

    As npm mime-types 3.0.2 ``lookup``. The table is this room's own, so that the answer depends neither on the machine
    nor on the version of Python.
    """
    name = f"x.{path_or_extension}".rstrip("/").rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return _TYPE_OF.get(extension.lower(), False) if stem else False


def is_type(content_type: str | None, types: Sequence[str] = ()) -> str | Literal[False]:
    """Which of ``types`` a Content-Type header is, or ``False``. As npm type-is 2.1.0 ``is``.

    A type is an extension (``'json'``), ``'urlencoded'``, ``'multipart'``, a suffix (``'+json'``) or a media type, with
    wildcards (``'text/*'``). The answer is the matching type as given, but for a wildcard or a suffix the header's own
    type, which is also the answer when there are no ``types``.
    """
    if not content_type:
        return False
    actual = content_type.partition(";")[0].strip(" \t").lower()
    return _first_match(actual, tuple(types)) if len(actual) <= _LONGEST_TYPE else False


def set_charset(content_type: str, charset: str) -> str:
    """The Content-Type with its charset set, as Express 5 does to the type of a text.

    An empty ``content_type`` or ``charset`` leaves it as it is. Raises ``TypeError`` when the header cannot be written:
    a type that is not ``type/subtype``, a parameter whose name is no token or whose value is no header text.
    """
    if not content_type or not charset:
        return content_type
    return _with_charset(content_type, charset)


def parse_content_type(header: str) -> tuple[str, dict[str, str]]:
    """``'Text/HTML; Charset="utf-8"'`` gives ``('text/html', {'charset': 'utf-8'})``. As npm content-type 2.1.0.

    Never raises: a parameter without ``=`` or with an unclosed quote is left out, and the first of a name counts.
    """
    value, parameters = split_parameters(header)
    return value.lower(), parameters


def split_parameters(header: str) -> tuple[str, dict[str, str]]:
    """The part of a header's value before the first ``;``, as written, and its parameters by their lower-case names."""
    value, semicolon, _ = header.partition(";")
    parameters: dict[str, str] = {}
    if semicolon:
        for name, quoted, unclosed, plain in _PARAMETER.findall(header, len(value)):
            if not unclosed:
                text = _ESCAPED.sub(r"\1", quoted[1:-1]) if quoted else plain.rstrip(" \t")
                parameters.setdefault(name.strip(" \t").lower(), text)
    return value.strip(" \t"), parameters


_PARAMETER = re.compile(
    r"""; ([^;=]*) = [ \t]* (?: ("(?:[^"\\]|\\.)*")[^;]* | (".*) | ([^;]*) )""", re.DOTALL | re.VERBOSE
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=256)
def _first_match(actual: str, types: tuple[str, ...]) -> str | Literal[False]:
    if not _MEDIA_TYPE.fullmatch(actual):
        return False
    if not types:
        return actual
    for given in types:
        expected = _expanded(given)
        if expected and _matches(expected, actual):
            return actual if given.startswith("+") or "*" in given else given
    return False


def _expanded(given: str) -> str | Literal[False]:
    if given in _SHORTHANDS:
        return _SHORTHANDS[given]
    if given.startswith("+"):
        return "*/*" + given
    return given if "/" in given else lookup(given)


_SHORTHANDS = {"urlencoded": "application/x-www-form-urlencoded", "multipart": "multipart/*"}
# RFC 6838 section 4.2
_LONGEST_TYPE = 127 + 1 + 127
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


def _matches(expected: str, actual: str) -> bool:
    expected_type, _, expected_subtype = expected.partition("/")
    actual_type, _, actual_subtype = actual.partition("/")
    if expected_type not in ("*", actual_type):
        return False
    if expected_subtype.startswith("*+"):
        return actual_subtype.endswith(expected_subtype[1:])
    return expected_subtype in ("*", actual_subtype)


@lru_cache(maxsize=256)
def _with_charset(content_type: str, charset: str) -> str:
    media_type, parameters = parse_content_type(content_type)
    type_, _, subtype = media_type.partition("/")
    if not (_TOKEN.fullmatch(type_) and _TOKEN.fullmatch(subtype)):
        raise TypeError(f"Invalid type: {media_type!r}. A Content-Type is type/subtype, as in 'text/html'")
    parameters["charset"] = charset
    return "; ".join([media_type, *(f"{name}={_parameter_value(name, text)}" for name, text in parameters.items())])


def _parameter_value(name: str, text: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise TypeError(f"Invalid parameter name: {name!r}. A Content-Type parameter is name=value, its name a token")
    if _TOKEN.fullmatch(text):
        return text
    if not _HEADER_TEXT.fullmatch(text):
        raise TypeError(f"Invalid parameter value: {text!r}. The value of {name!r} may hold Latin-1 text, no controls")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# RFC 9110 sections 5.6.2 and 5.6.4
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# Types outside text/ that are text in UTF-8 all the same, as npm mime-db 1.54.0 has it.
_TEXT_OUTSIDE_TEXT = frozenset(
    f"application/{subtype}"
    for subtype in (
        "3gpdash-qoe-report+xml",
        "beep+xml",
        "cda+xml",
        "elm+json",
        "emergencycalldata.cap+xml",
        "fhir+json",
        "fhir+xml",
        "hl7v2+xml",
        "im-iscomposing+xml",
        "javascript",
        "json",
        "manifest+json",
        "msc-ivr+xml",
        "msc-mixer+xml",
        "pidf+xml",
        "pidf-diff+xml",
        "poc-settings+xml",
        "vnd.omads-email+xml",
        "vnd.omads-file+xml",
        "vnd.omads-folder+xml",
        "vnd.syncml+xml",
        "vnd.syncml.dm+wbxml",
        "vnd.syncml.dm+xml",
        "vnd.syncml.dmddf+xml",
        "vnd.syncml.dmtnds+xml",
        "vnd.wap.wbxml",
    )
)

# Every extension that the web commonly serves, with the type that npm mime-types 3.0.2 gives it.
_EXTENSIONS = {
    "application": (
        "atom+xml: atom; cu-seeme: cu; dash+xml: mpd; epub+zip: epub; geo+json: geojson; gpx+xml: gpx; gzip: gz; "
        "hjson: hjson; java-archive: jar war ear; java-vm: class; json: json map; json5: json5; "
        "jsonml+json: jsonml; ld+json: jsonld; mac-binhex40: hqx; manifest+json: webmanifest; mp4: mp4s m4p; "
        "msword: doc dot; mxf: mxf; n-quads: nq; n-triples: nt; node: cjs; "
        "octet-stream: bin dms lrf mar so dist distz pkg bpk dump elc deploy img msp msm buffer; oda: oda; "
        "ogg: ogx; pdf: pdf; pgp-encrypted: pgp; pgp-keys: asc; pgp-signature: sig; pkcs7-mime: p7m p7c; "
        "pkcs7-signature: p7s; pkix-cert: cer; pkix-crl: crl; pls+xml: pls; postscript: ai eps ps; "
        "rdf+xml: rdf owl; rls-services+xml: rs; rss+xml: rss; rtf: rtf; smil+xml: smi smil; sql: sql; toml: toml; "
        "trig: trig; ttml+xml: ttml; vnd.amazon.ebook: azw; vnd.android.package-archive: apk; "
        "vnd.apple.installer+xml: mpkg; vnd.apple.keynote: key; vnd.apple.mpegurl: m3u8; "
        "vnd.apple.numbers: numbers; vnd.apple.pages: pages; vnd.dart: dart; vnd.google-earth.kml+xml: kml; "
        "vnd.google-earth.kmz: kmz; vnd.mif: mif; vnd.mozilla.xul+xml: xul; vnd.ms-cab-compressed: cab; "
        "vnd.ms-excel: xls xlm xla xlc xlt xlw; vnd.ms-excel.sheet.macroenabled.12: xlsm; vnd.ms-fontobject: eot; "
        "vnd.ms-powerpoint: ppt pps pot; vnd.ms-powerpoint.presentation.macroenabled.12: pptm; "
        "vnd.ms-word.document.macroenabled.12: docm; vnd.oasis.opendocument.formula: odf; "
        "vnd.oasis.opendocument.graphics: odg; vnd.oasis.opendocument.presentation: odp; "
        "vnd.oasis.opendocument.presentation-template: otp; vnd.oasis.opendocument.spreadsheet: ods; "
        "vnd.oasis.opendocument.spreadsheet-template: ots; vnd.oasis.opendocument.text: odt; "
        "vnd.oasis.opendocument.text-template: ott; "
        "vnd.openxmlformats-officedocument.presentationml.presentation: pptx; "
        "vnd.openxmlformats-officedocument.presentationml.slideshow: ppsx; "
        "vnd.openxmlformats-officedocument.presentationml.template: potx; "
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet: xlsx; "
        "vnd.openxmlformats-officedocument.spreadsheetml.template: xltx; "
        "vnd.openxmlformats-officedocument.wordprocessingml.document: docx; "
        "vnd.openxmlformats-officedocument.wordprocessingml.template: dotx; vnd.rar: rar; vnd.rn-realmedia: rm; "
        "vnd.visio: vsd vst vss vsw vsdx vtx; vnd.wap.wbxml: wbxml; wasm: wasm; wsdl+xml: wsdl; "
        "x-7z-compressed: 7z; x-ace-compressed: ace; x-apple-diskimage: dmg; x-arj: arj; x-bcpio: bcpio; "
        "x-bittorrent: torrent; x-blender: blend; x-bzip: bz; x-bzip2: bz2 boz; x-chrome-extension: crx; "
        "x-cpio: cpio; x-csh: csh; x-debian-package: deb udeb; x-dvi: dvi; x-font-type1: pfa pfb pfm afm; "
        "x-gtar: gtar; x-hdf: hdf; x-httpd-php: php; x-iso9660-image: iso; x-java-jnlp-file: jnlp; x-latex: latex; "
        "x-lzh-compressed: lzh lha; x-mobipocket-ebook: mobi; x-msaccess: mdb; x-msdos-program: exe; "
        "x-msdownload: dll msi com bat; x-mspublisher: pub; x-netcdf: nc cdf; x-perl: pl pm; x-pkcs12: p12 pfx; "
        "x-pkcs7-certificates: p7b spc; x-redhat-package-manager: rpm; x-sh: sh; x-shar: shar; "
        "x-shockwave-flash: swf; x-silverlight-app: xap; x-stuffit: sit; x-subrip: srt; x-sv4cpio: sv4cpio; "
        "x-sv4crc: sv4crc; x-tar: tar; x-tcl: tcl tk; x-tex: tex; x-texinfo: texinfo texi; x-ustar: ustar; "
        "x-wais-source: src; x-web-app-manifest+json: webapp; x-x509-ca-cert: der crt pem; x-xpinstall: xpi; "
        "x-xz: xz; xaml+xml: xaml; xhtml+xml: xhtml xht; xml: xml xsl xsd rng; xml-dtd: dtd; xslt+xml: xslt; "
        "xspf+xml: xspf; zip: zip"
    ),
    "audio": (
        "aac: adts aac; amr: amr; basic: au snd; midi: mid midi kar rmi; mp4: m4a mp4a m4b; "
        "mpeg: mp3 mpga mp2 mp2a m2a m3a; ogg: oga ogg spx opus; wav: wav; webm: weba; x-aiff: aif aiff aifc; "
        "x-caf: caf; x-flac: flac; x-matroska: mka; x-mpegurl: m3u; x-ms-wma: wma; x-pn-realaudio: ram ra"
    ),
    "font": "collection: ttc; otf: otf; ttf: ttf; woff: woff; woff2: woff2",
    "image": (
        "aces: exr; apng: apng; avif: avif; bmp: bmp dib; cgm: cgm; gif: gif; heic: heic; heif: heif; ief: ief; "
        "jp2: jp2 jpg2; jpeg: jpg jpeg jpe; jpx: jpx jpf; jxl: jxl; jxr: jxr; ktx: ktx; ktx2: ktx2; pjpeg: jfif; "
        "png: png; sgi: sgi; svg+xml: svg svgz; tiff: tif tiff; vnd.adobe.photoshop: psd; vnd.djvu: djvu djv; "
        "vnd.microsoft.icon: ico; vnd.ms-dds: dds; vnd.wap.wbmp: wbmp; webp: webp; x-cmu-raster: ras; "
        "x-pict: pic pct; x-portable-anymap: pnm; x-portable-bitmap: pbm; x-portable-graymap: pgm; "
        "x-portable-pixmap: ppm; x-rgb: rgb; x-tga: tga; x-xbitmap: xbm; x-xpixmap: xpm; x-xwindowdump: xwd"
    ),
    "message": "rfc822: eml mime mht mhtml",
    "model": (
        "gltf+json: gltf; gltf-binary: glb; obj: obj; stl: stl; vnd.collada+xml: dae; "
        "vnd.usdz+zip: usdz; vrml: wrl vrml"
    ),
    "text": (
        "cache-manifest: appcache manifest; calendar: ics ifb; coffeescript: coffee litcoffee; css: css; csv: csv; "
        "html: html htm shtml; jade: jade; javascript: js mjs; jsx: jsx; less: less; markdown: md markdown; "
        "mdx: mdx; n3: n3; plain: txt text conf def list log in ini; richtext: rtx; sgml: sgml sgm; "
        "slim: slim slm; stylus: stylus styl; tab-separated-values: tsv; troff: t tr roff man me ms; turtle: ttl; "
        "uri-list: uri uris urls; vcard: vcard; vnd.wap.wml: wml; vnd.wap.wmlscript: wmls; vtt: vtt; x-asm: s asm; "
        "x-c: c cc cxx cpp h hh dic; x-component: htc; x-fortran: f for f77 f90; x-handlebars-template: hbs; "
        "x-java-source: java; x-lua: lua; x-pascal: p pas; x-sass: sass; x-scss: scss; x-setext: etx; "
        "x-vcard: vcf; yaml: yaml yml"
    ),
    "video": (
        "3gpp: 3gpp 3gp; 3gpp2: 3g2; mp2t: mts ts m2t m2ts; mp4: mp4 mpg4 mp4v; mpeg: mpeg mpg mpe m1v m2v; "
        "ogg: ogv; quicktime: qt mov; webm: webm; x-f4v: f4v; x-flv: flv; x-m4v: m4v; x-matroska: mkv mk3d mks; "
        "x-mng: mng; x-ms-asf: asf asx; x-ms-wmv: wmv; x-msvideo: avi; x-sgi-movie: movie"
    ),
}

_TYPE_OF = {
    extension: f"{kind}/{subtype}"
    for kind, entries in _EXTENSIONS.items()
    for subtype, _, extensions in (entry.partition(": ") for entry in entries.split("; "))
    for extension in extensions.split()
}
