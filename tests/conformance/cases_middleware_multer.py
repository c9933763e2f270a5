"""``multer``: what forms become, and how they are refused. Errors without a code of npm multer's are ``malformed``."""

from __future__ import annotations

from .case import Case, Request, get, post

BOUNDARY = "----form"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

# JavaScript's objects have numbers first, so both show their keys sorted; a hole of an array is null in its JSON.
SHOW_JS = """
const multer = require('multer')
const sorted = (value) => Array.isArray(value) ? Array.from(value, sorted)
  : value !== null && typeof value === 'object' ? Object.keys(value).sort().map((key) => [key, sorted(value[key])])
    : value ?? null
const shown = (file) => [file.fieldname, file.originalname, file.encoding, file.mimetype, file.size,
  file.buffer?.toString('latin1') ?? null, /^[0-9a-f]{32}$/.test(file.filename), file.destination === FOLDER,
  file.path === path.join(FOLDER, String(file.filename))]
const files = (found) => Array.isArray(found) ? found.map(shown)
  : found && Object.keys(found).sort().map((key) => [key, found[key].map(shown)])
const FOLDER = fs.mkdtempSync(path.join(require('os').tmpdir(), 'multer-'))
const respond = (req, res) => res.json({
  body: sorted(req.body ?? null), file: req.file ? shown(req.file) : null, files: files(req.files) ?? null })
const refuse = (err, req, res, next) => res.status(400).json([
  err instanceof multer.MulterError ? [err.code, err.message, err.field ?? null, err.filename ?? null] : 'malformed',
  fs.readdirSync(FOLDER).length])
"""
SHOW_PY = """
import os, re, tempfile
def sorted_(value):
    if isinstance(value, list):
        return [sorted_(each) for each in value]
    return [[key, sorted_(value[key])] for key in sorted(value)] if isinstance(value, dict) else value
def shown(file):
    return [file.fieldname, file.originalname, file.encoding, file.mimetype, file.size,
            file.buffer.decode('latin-1') if file.buffer is not None else None,
            bool(re.fullmatch('[0-9a-f]{32}', file.filename or '')), file.destination == FOLDER,
            file.path == os.path.join(FOLDER, str(file.filename))]
def files(found):
    if isinstance(found, list):
        return [shown(each) for each in found]
    return None if found is None else [[key, [shown(each) for each in found[key]]] for key in sorted(found)]
kept = tempfile.TemporaryDirectory(prefix='multer-')  # as long as the app
FOLDER = kept.name
def respond(req, res):
    res.json({'body': sorted_(req.body), 'file': shown(req.file) if req.file else None, 'files': files(req.files)})
def picky(req, file):
    if file.originalname == 'bad':
        raise HTTPError(400, 'bad')
    return file.mimetype == 'image/png' and req.body.a == 'x'
def refuse(err, req, res, next):
    known = isinstance(err, multer.MulterError)
    res.status(err.status).json([
        [err.code, err.message, err.field, err.filename] if known else 'malformed', len(os.listdir(FOLDER))])
"""


def case(name: str, use_js: str, use_py: str, requests: list[Request]) -> Case:
    return Case(
        name,
        js=f"{SHOW_JS}\napp.post('/', {use_js}, respond)\napp.use(refuse)",
        py=f"{SHOW_PY}\napp.post('/', {use_py}, respond)\napp.use(refuse)",
        requests=requests,
    )


def part(disposition: str, content: bytes | str = "", *fields: str) -> bytes:
    """A part of a form, with ``form-data; `` and what follows it as its Content-Disposition."""
    lines = [f"--{BOUNDARY}", f"Content-Disposition: form-data; {disposition}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + (content.encode() if isinstance(content, str) else content) + b"\r\n"


def text(name: str, value: str = "x") -> bytes:
    return part(f'name="{name}"', value)


def file(name: str, filename: str = "a.txt", content: bytes | str = "hello", mimetype: str = "text/plain") -> bytes:
    return part(f'name="{name}"; filename="{filename}"', content, f"Content-Type: {mimetype}")


def form(name: str, *parts: bytes, end: bytes = b"--\r\n", content_type: str = FORM) -> Request:
    return post("/", b"".join(parts) + f"--{BOUNDARY}".encode() + end, content_type, name=name)


def named(*names: str) -> bytes:
    """Fields of these names, with 1, 2, … for values."""
    return b"".join(text(name, str(number)) for number, name in enumerate(names, 1))


NESTED = [
    ["a", "a"],
    ["a", "a", "a"],
    ["a[]"],
    ["a[]", "a[]"],
    ["a", "a[]"],
    ["a[]", "a"],
    ["a[b]"],
    ["a[b]", "a[b]", "a[c]"],
    ["a[b][c][d]", "a[b][e]"],
    ["a[b]", "a"],
    ["a[b]", "a", "a"],
    ["a", "a[b]"],
    ["a[0]", "a[1]"],
    ["a[2]", "a[]"],
    ["a[2]", "a[b]"],
    ["a[]", "a[b]"],
    ["a[0][b]", "a[0][c]", "a[1][b]"],
    ["a[0][0]", "a[0][1]"],
    ["a", "a[0]"],
    ["a[b]", "a[0]"],
    ["a[b]", "a[007]", "a[7]"],
    ["a[][b]"],
    ["a[b][]", "a[b][]"],
    ["a[0]", "a[0]", "a[0][]"],
    ["a[", "a]", "[a]", "[]", "a[b", "a[b]c", "a[]]", "a[[b]]", "a[ ]"],
    ["a.b", "a b", "0", "a[0x1]", "a[-1]"],
    ["__proto__", "__proto__[a]", "constructor[prototype][b]", "a[__proto__][c]", "toString", "hasOwnProperty"],
    ["a[b]", "a[__proto__]", "a[length]", "b[]", "b[length]"],
]

CASES = [
    case(
        "text fields",
        "multer().none()",
        "multer().none()",
        [
            form("none"),
            form("one", text("name", "Ada")),
            form("empty value", text("name", "")),
            form("line breaks", text("text", "a\r\nb\r\n\r\n--c\r\n")),
            form("utf-8", text("café", "käse ✓")),
            form("bytes that are no utf-8", part('name="a"', b"\xff\xe9x")),
            form("latin1", part('name="a"', b"caf\xe9", "Content-Type: text/plain; charset=iso-8859-1")),
            form("windows-1252 is latin1", part('name="a"', b"\x80", "Content-Type: text/plain; charset=windows-1252")),
            form("escapes of browsers", text("a%22b%0D%0Ac%0a%20", "%22")),
            form("escapes of others", part(r'name="a\"b\\c\d"', "x")),
            form("name without quotes", part("name=a", "x")),
            form("blanks and case", part('NAME="a" ;  other="b"', "x"), part('name="b"  ', "y")),
            form("first of two names", part('name="a"; name="b"', "x")),
            form("folded header", part('name="a";\r\n other="b"', "x")),
            form("no name", part("other=a", "x")),
            form("empty name", text("", "x")),
            form("json in a field", part('name="a"', "{}", "Content-Type: application/json")),
            form("octet-stream is a file", part('name="a"', "x", "Content-Type: application/octet-stream")),
            form("preamble", b"hello\r\n", text("a")),
            form("epilogue", text("a"), end=b"--\r\nand more\r\n--" + BOUNDARY.encode()),
            form("no last line break", text("a"), end=b"--"),
            form("a file", file("a")),
            form("a file without a name", file("", "a.txt")),
            form(
                "quoted boundary", text("a"), content_type=f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"'
            ),
            form("urlencoded", text("a"), content_type="application/x-www-form-urlencoded"),
            post("/", name="no body"),
        ],
    ),
    case(
        "names that nest",
        "multer().none()",
        "multer().none()",
        [form(" ".join(names), named(*names)) for names in NESTED],
    ),
    case(
        "malformed",
        "multer().any()",
        "multer().any()",
        [
            form("no boundary", text("a"), content_type="multipart/form-data"),
            form("another boundary", text("a"), content_type="multipart/form-data; boundary=other"),
            form("cut in a field", text("a"), text("b")[:-4], end=b""),
            form("no end", text("a"), end=b""),
            form("no end after a file", file("a"), end=b"\r\n"),
            form("no colon in a header", part('name="a"', "x", "nonsense")),
            form("header of controls", part('name="a"', "x", "X-Other: a\x00b")),
            post("/", b"", FORM, name="empty"),
            post("/", b"hello", FORM, name="no form"),
        ],
    ),
    case(
        "single",
        "multer().single('a')",
        "multer().single('a')",
        [
            form("a file", file("a"), text("b")),
            form("no file", text("a")),
            form("left empty", file("a", "", "")),
            form("two", file("a"), file("a", "b.txt")),
            form("another", file("b")),
            form("empty file", file("a", content="")),
            form("large", file("a", content=b"x" * 200_000)),
            form("looks like a boundary", file("a", content=f"a\r\n--{BOUNDARY[:-1]}\r\n--\r\n\r--{BOUNDARY}\r\n")),
            form("no type", part('name="a"; filename="b"', "x")),
            form("odd type", part('name="a"; filename="b"', "x", "Content-Type: Image/PNG; a=b")),
            form("no media type", part('name="a"; filename="b"', "x", "Content-Type: image")),
            form("encoding", part('name="a"; filename="b"', "eA==", "Content-Transfer-Encoding: BASE64")),
            get("/", name="GET"),
        ],
    ),
    case(
        "names of files",
        "multer().any()",
        "multer().any()",
        [
            form(name, part(f'name="a"; {name}', "x"))
            for name in (
                'filename="a b.txt"',
                "filename=a.txt",
                'filename="../../a.txt"',
                r'filename="..\..\a.txt"',
                r'filename="C:\docs\a.txt"',
                'filename="/etc/passwd"',
                'filename=".."',
                'filename="a/.."',
                'filename="a/"',
                'filename=".htaccess"',
                'filename="a%2Fb%22c%00.txt"',
                r'filename="a\"b.txt"',
                'filename="\xe9\xe8.txt"',
                'filename="\xc3\xa9.txt"',
                "filename*=utf-8''%E2%82%AC.txt",
                "filename*=UTF-8'en'%e2%82%ac.txt; filename=\"b.txt\"",
                "filename*=iso-8859-1''%E9.txt",
                "filename*=utf-8''..%2F..%2Fa.txt",
            )
        ],
    ),
    case(
        "names of files in utf-8, with their folders",
        "multer({ defParamCharset: 'utf8', preservePath: true }).any()",
        "multer(def_param_charset='utf8', preserve_path=True).any()",
        [
            form("utf-8", file("käse", "docs/é✓.txt".encode().decode("latin-1"))),
            form("latin1", part('name="a"; filename="\xe9"', "x")),
            form("climbs", file("a", "../../a.txt")),
        ],
    ),
    case(
        "array",
        "multer().array('a', 2)",
        "multer().array('a', 2)",
        [
            form("none", text("b")),
            form("two", file("a"), file("a", "b.txt", "x")),
            form("three", file("a"), file("a", "b.txt"), file("a", "c.txt")),
            form("left empty", file("a"), file("a", "", ""), file("a")),
            form("another", file("a"), file("b")),
        ],
    ),
    case(
        "fields",
        "multer().fields([{ name: 'a', maxCount: 1 }, { name: 'b' }])",
        "multer().fields([{'name': 'a', 'max_count': 1}, {'name': 'b'}])",
        [
            form("none"),
            form("some", file("b"), file("a", "b.txt"), file("b", "c.txt")),
            form("too many", file("a"), file("a")),
            form("another", file("__proto__")),
        ],
    ),
    case(
        "any on disk",
        "(req, res, next) => multer({ dest: FOLDER }).any()(req, res, next)",
        "lambda req, res, next: multer(dest=FOLDER).any()(req, res, next)",
        [
            form("two", text("b"), file("a"), file("../c", "../../d.txt", b"x" * 100_000)),
            form("left empty", file("a", "", "")),
        ],
    ),
    case(
        "no file is left behind",
        "multer({ dest: FOLDER, limits: { fileSize: 10 } }).array('a', 2)",
        "multer(dest=FOLDER, limits={'file_size': 10}).array('a', 2)",
        [
            form("too large", file("a"), file("a", content="x" * 11)),
            form("just so large", text("b"), file("a", content="x" * 10)),
            form("an unexpected one", file("a"), file("b")),
            form("too many", file("a"), file("a"), file("a")),
            form("cut", file("a"), file("a")[:-4], end=b""),
            form("no end", file("a"), end=b""),
            form("malformed later", file("a"), part('name="b"', "x", "nonsense")),
            form("no name later", file("a"), part("other=b", "x")),
        ],
    ),
    case(
        "limits",
        "multer({ limits: { fieldNameSize: 5, fieldSize: 4, fields: 3, fileSize: 4, files: 1, parts: 4, "
        "fieldNestingDepth: 1, fieldArrayIndexLimit: 3 } }).any()",
        "multer(limits={'field_name_size': 5, 'field_size': 4, 'fields': 3, 'file_size': 4, 'files': 1, 'parts': 4, "
        "'field_nesting_depth': 1, 'field_array_index_limit': 3}).any()",
        [
            form("all kept to", text("abcde", "1234"), text("a[3]"), text("c"), file("d", content="1234")),
            form("long name", text("abcdef")),
            form("long name of a file", file("abcdef", content="1")),
            form("long value", text("a", "12345")),
            form("many fields", *[text("a")] * 4),
            form("large file", file("a")),
            form("many files", file("a", content="1"), file("b", content="1")),
            form("many parts", text("a"), text("b"), file("c", content="1"), text("d"), text("e")),
            form("deep", text("a[b][")),
            form("index", text("a[4]")),
            form("index in a name that is one key", text("a[4]b")),
            form("file left empty and long name", file("abcdef", "", "")),
        ],
    ),
    case(
        "limits of nothing",
        "multer({ limits: { fieldSize: 0, fileSize: 0 } }).any()",
        "multer(limits={'field_size': 0, 'file_size': 0}).any()",
        [
            form("empty", text("a", ""), file("a", content="")),
            form("a field", text("a")),
            form("a file", file("a")),
        ],
    ),
    case(
        "a filter of one's own",
        "multer({ dest: FOLDER, fileFilter: (req, file, cb) => file.originalname === 'bad' ? cb(new Error('bad')) "
        ": cb(null, file.mimetype === 'image/png' && req.body.a === 'x') }).array('a', 1)",
        "multer(dest=FOLDER, file_filter=picky).array('a', 1)",
        [
            form("taken", text("a"), file("a", mimetype="image/png")),
            form("left out", text("a"), file("a"), text("b")),
            form("field comes later", file("a", mimetype="image/png"), text("a")),
            form("what is left out does not count", text("a"), file("a"), file("a", mimetype="image/png"), file("b")),
            form("raises", text("a"), file("a", "bad")),
        ],
    ),
]
