"""``multer``: options, storages, hostile forms, and that no file is left behind. tests/conformance compares the answers
with npm multer's."""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from miniexpress import App, HTTPError, express, multer
from miniexpress.http.form_data import append_field, base_name, parse_disposition
from miniexpress.middleware.multer import File, Multer, MulterError
from miniexpress.middleware.multer.limits import MEMORY_LIMIT, check_limits
from tests.support.project import ROOT
from tests.support.waiting import wait_for

FORM = "multipart/form-data; boundary=b"


def part(disposition: str, content: bytes = b"x") -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode("latin-1") + content + b"\r\n"


def text(name: str, value: bytes = b"x") -> bytes:
    return part(f'name="{name}"', value)


def file(name: str = "a", filename: str = "a.txt", content: bytes = b"hello") -> bytes:
    return part(f'name="{name}"; filename="{filename}"', content)


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def app_with(*middleware: Any) -> App:
    """An app that shows what ``req`` has, or which error there was."""
    app = express()
    app.post("/", *middleware, lambda req, res: res.json({"body": req.body, "file": req.file, "files": req.files}))
    app.use(lambda err, req, res, next: res.status(getattr(err, "status", 500)).json([code_of(err), str(err)]))
    return app


def code_of(error: Any) -> Any:
    return getattr(error, "code", None) or getattr(error, "type", None) or type(error).__name__


def post(app: App, body: bytes, content_type: str = FORM, stream: Any = None) -> tuple[int, Any]:
    """Call the app as a WSGI server does. Return the status, and the JSON of the response."""
    environ: dict[str, Any] = {"wsgi.input": stream or io.BytesIO(body), "REQUEST_METHOD": "POST", "REQUEST_URI": "/"}
    environ |= {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    heads: list[str] = []
    chunks: Any = app(environ, lambda status, headers, exc_info=None: heads.append(status) or (lambda data: None))
    answer = b"".join(chunks)
    return int(heads[0][:3]), json.loads(answer)


# The package that parses


def test_without_the_package_the_error_names_the_extra_and_only_when_multer_is_called() -> None:
    program = "import sys; sys.modules['multipart'] = None\nfrom miniexpress import multer\nprint('here')\nmulter()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "here\n"
    assert done.stderr.splitlines()[-1] == (
        "ImportError: multer() needs the package multipart: pip install 'miniexpress[multipart]'"
    )


# Options


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: multer(fileFilter=print), "multer() has no option 'fileFilter': did you mean 'file_filter'?"),
        (lambda: multer(limits={"fileSize": 1}), "multer(limits=…) has no limit 'fileSize': did you mean 'file_size'?"),
        (lambda: multer(limits={"files": -1}), "takes a whole number, 0 or more, not -1"),
        (lambda: multer(limits={"file_size": 1.5}), "takes a whole number, 0 or more, not 1.5"),
        (lambda: multer(limits={"files": True}), "takes a whole number, 0 or more, not True"),
        (lambda: multer(limits={"field_array_index_limit": float("inf")}), "takes a whole number, 0 or more, not inf"),
        (lambda: multer(storage="uploads"), "multer(storage=…) takes an object with handle_file and remove_file"),
        (lambda: multer(dest=5), "takes a path"),
        (lambda: multer(def_charset="klingon"), "multer(def_charset=…) takes a charset such as 'utf-8', not 'klingon'"),
        (lambda: multer(def_param_charset=5), "multer(def_param_charset=…) takes a charset such as 'utf-8', not 5"),
        (lambda: multer(file_filter="png"), "the option 'file_filter' takes a function (req, file)"),
        (lambda: multer().fields([{"name": "a", "maxCount": 1}]), "no option 'maxCount': did you mean 'max_count'?"),
        (lambda: multer().fields(["a"]), "multer.fields() takes dicts with a 'name'"),
        (lambda: multer().array("a", "2"), "max_count is a whole number, not '2'"),
        (
            lambda: multer(limits="1mb"),
            "multer(limits=…) takes a dict, or a function (req) that returns one, not '1mb'",
        ),
        (lambda: multer().single(["a"]), "multer.single() takes the name of a field of the form, not ['a']"),
        (lambda: multer().array(5), "multer.array() takes the name of a field of the form, not 5"),
        (lambda: multer().fields({"name": "a"}), "multer.fields() takes a list of dicts, not {'name': 'a'}"),
        (lambda: multer.disk_storage(fileName=print), "multer.disk_storage() has no option 'fileName'"),
    ],
)
def test_wrong_options_are_refused_where_they_are_given(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError) as raised:
        make()
    assert said in str(raised.value)


def test_multer_alone_is_no_handler_and_says_what_makes_one_of_it() -> None:
    with pytest.raises(TypeError, match=r"\.single\(name\), .* make middleware> is no function: a handler takes"):
        express().use(multer())


def test_limits_may_depend_on_the_request_and_are_checked_then() -> None:
    chosen: dict[str, int] = {"fields": 1}
    app = app_with(multer(limits=lambda req: chosen).none())
    assert post(app, form(text("a")))[0] == 200
    assert post(app, form(text("a"), text("b")))[1] == ["LIMIT_FIELD_COUNT", "Too many fields"]
    chosen = {"feilds": 1}
    assert post(app, form(text("a")))[1][0] == "TypeError"


def test_files_in_memory_are_limited_to_32_mib_or_to_one_file_of_file_size() -> None:
    assert check_limits({}, in_memory=True).total_file_size == MEMORY_LIMIT == 32 * 2**20
    assert check_limits({"file_size": 2**30}, in_memory=True).total_file_size == 2**30
    assert check_limits({"total_file_size": 5}, in_memory=True).total_file_size == 5
    assert check_limits({}, in_memory=False).total_file_size == float("inf")


@pytest.mark.parametrize(
    ("limits", "parts", "code"),
    [
        ({"total_file_size": 9}, [file(), file()], "LIMIT_FILE_SIZE"),
        ({"total_field_size": 3}, [text("a", b"xx"), text("b", b"xx")], "LIMIT_FIELD_VALUE"),
        ({}, [text("a" + "[b]" * 33)], "LIMIT_FIELD_NESTING"),
        ({}, [text("a[101]")], "LIMIT_FIELD_ARRAY_INDEX"),
        ({}, [text("a[" + "9" * 5000 + "]")], "LIMIT_FIELD_ARRAY_INDEX"),
        ({}, [text("a")] * 1001, "LIMIT_FIELD_COUNT"),
        ({}, [file()] * 101, "LIMIT_FILE_COUNT"),
        ({}, [text("a", b"x" * (2**20 + 1))], "LIMIT_FIELD_VALUE"),
        ({}, [text("a", b"x" * 2**20)] * 11, "LIMIT_FIELD_VALUE"),
        ({"header_pairs": 1}, [part('name="a"\r\nX-Other: y')], "entity.parse.failed"),
        ({}, [part('name="a"\r\nX-Other: ' + "y" * 17_000)], "entity.parse.failed"),
    ],
)
def test_what_is_beyond_a_limit_is_a_400(limits: dict[str, int], parts: list[bytes], code: str) -> None:
    status, (found, _) = post(app_with(multer(limits=limits).any()), form(*parts))
    assert (status, found) == (400, code)


def test_a_request_without_a_form_goes_on_and_has_neither_file_nor_files() -> None:
    app = app_with(multer().single("a"))
    assert post(app, b"{}", "application/json") == (200, {"body": None, "file": None, "files": None})


def test_a_second_multer_keeps_what_the_first_has_read() -> None:
    app = app_with(multer().single("a"), multer().single("b"))
    status, seen = post(app, form(file()))
    assert (status, seen["file"]["originalname"]) == (200, "a.txt")


def test_other_forms_and_unknown_charsets_are_a_415() -> None:
    app = app_with(multer().none())
    assert post(app, b"", "multipart/mixed; boundary=b") == (
        415,
        ["type.unsupported", "Unsupported content type: multipart/mixed"],
    )
    body = form(part('name="a"\r\nContent-Type: text/plain; charset=Klingon'))
    assert post(app, body) == (415, ["charset.unsupported", 'unsupported charset "KLINGON"'])


def test_a_filter_that_forgets_to_return_is_told_so(tmp_path: Path) -> None:
    app = app_with(multer(dest=tmp_path, file_filter=lambda req, file: None).any())  # type: ignore[arg-type,return-value]
    status, (kind, said) = post(app, form(file()))
    assert (status, kind) == (500, "TypeError")
    assert "it returns True for a file to take, or False" in said
    assert os.listdir(tmp_path) == []


# Storages


def test_names_and_folders_of_ones_own(tmp_path: Path) -> None:
    storage = multer.disk_storage(
        destination=lambda req, file: tmp_path / file.fieldname, filename=lambda req, file: f"1-{file.originalname}"
    )
    (tmp_path / "a").mkdir()
    _, seen = post(app_with(multer(storage=storage).single("a")), form(file(content=b"hello")))
    assert seen["file"]["path"] == str(tmp_path / "a" / "1-a.txt")
    assert (tmp_path / "a" / "1-a.txt").read_bytes() == b"hello"


@pytest.mark.parametrize(
    "filename", ["../a", "a/../../b", r"..\\a", "/etc/a", "a/b", ".", "..", "x" * 300, "a\x80" * 200]
)
def test_a_name_that_leads_elsewhere_or_cannot_be_is_a_400(tmp_path: Path, filename: str) -> None:
    folder = tmp_path / "uploads"
    storage = multer.disk_storage(destination=folder, filename=lambda req, file: file.originalname)
    app = app_with(multer(storage=storage, preserve_path=True).any())
    assert post(app, form(file(filename=filename))) == (400, ["INVALID_FILE_NAME", "Invalid file name"])
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["uploads"]


def test_a_name_of_one_s_own_with_a_nul_is_a_400(tmp_path: Path) -> None:
    storage = multer.disk_storage(destination=tmp_path, filename=lambda req, file: "a\0b")
    assert post(app_with(multer(storage=storage).any()), form(file()))[1][0] == "INVALID_FILE_NAME"


def test_the_name_of_a_folder_that_is_there_is_a_400(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    storage = multer.disk_storage(destination=tmp_path, filename=lambda req, file: file.originalname)
    assert post(app_with(multer(storage=storage).any()), form(file(filename="a")))[1][0] == "INVALID_FILE_NAME"
    assert os.listdir(tmp_path) == ["a"]


def test_without_a_destination_files_are_in_the_folder_for_temporary_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _, seen = post(app_with(multer(storage=multer.disk_storage()).single("a")), form(file()))
    assert (seen["file"]["destination"], os.listdir(tmp_path)) == (str(tmp_path), [seen["file"]["filename"]])


class Shelf:
    """A storage that reads ``count`` bytes of each file, and keeps them in a dict."""

    def __init__(self, count: int = -1, *, catches: bool = False, removes: bool = True) -> None:
        self.count, self.catches, self.removes = count, catches, removes
        self.files: dict[str, bytes] = {}

    def handle_file(self, req: Any, file: File) -> dict[str, Any]:
        try:
            content = file.stream.read(self.count)
        except HTTPError:
            if not self.catches:
                raise
            content = b"what there was"
        self.files[file.originalname] = content
        return {"size": len(content), "key": f"shelf/{file.originalname}"}

    def remove_file(self, req: Any, file: File) -> None:
        if not self.removes:
            raise OSError("the shelf is locked")
        del self.files[file.originalname]


def test_a_storage_of_ones_own_sets_attributes_of_the_file() -> None:
    shelf = Shelf()
    _, seen = post(app_with(multer(storage=shelf).single("a")), form(file(content=b"x" * 200_000)))
    assert (seen["file"]["key"], seen["file"]["size"]) == ("shelf/a.txt", 200_000)
    assert "stream" not in seen["file"]
    assert shelf.files == {"a.txt": b"x" * 200_000}


def test_what_a_storage_has_not_read_is_read_past() -> None:
    shelf = Shelf(count=2)
    _, seen = post(app_with(multer(storage=shelf).any()), form(file(content=b"x" * 200_000), text("b", b"later")))
    assert (shelf.files, seen["body"]) == ({"a.txt": b"xx"}, {"b": "later"})


@pytest.mark.parametrize("shelf", [Shelf(count=2), Shelf(catches=True), Shelf()], ids=["reads a little", "catches", ""])
def test_a_storage_cannot_let_a_file_pass_that_is_too_large(shelf: Shelf) -> None:
    app = app_with(multer(storage=shelf, limits={"file_size": 9}).any())
    assert post(app, form(file(content=b"x" * 10))) == (400, ["LIMIT_FILE_SIZE", "File too large"])
    assert shelf.files == {}


def test_a_file_that_cannot_be_removed_is_logged_and_the_others_are_removed(caplog: pytest.LogCaptureFixture) -> None:
    app = app_with(multer(storage=Shelf(removes=False)).any())
    assert post(app, form(file(), text("")))[1] == ["MISSING_FIELD_NAME", "Field name missing"]
    assert "cannot remove an uploaded file, a.txt" in caplog.text


# No file is left behind


def upload_to(folder: Path, **options: Any) -> App:
    return app_with(multer(dest=folder, **options).any())


@pytest.mark.parametrize("body", [form(file(), file()), form(file(), text("b")), file() + file()[:-3], file()])
@pytest.mark.parametrize("failing", [OSError("gone"), ValueError("no"), KeyboardInterrupt()], ids=repr)
def test_none_is_left_when_the_client_leaves_or_the_process_stops(
    tmp_path: Path, body: bytes, failing: BaseException
) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(7)
            if not piece or self.tell() >= len(body):
                assert len(os.listdir(tmp_path)) >= 1
                raise failing
            return piece

    app = upload_to(tmp_path)
    if isinstance(failing, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            post(app, body + b"more", stream=Failing(body))
    else:
        status, _ = post(app, body + b"more", stream=Failing(body))
        assert status == (400 if isinstance(failing, OSError) else 500)
    assert os.listdir(tmp_path) == []


def test_none_is_left_when_a_client_disconnects_in_the_middle(serve: Callable[..., str], tmp_path: Path) -> None:
    app = upload_to(tmp_path)
    app.get("/", lambda req, res: res.send("still here"))
    url = serve(app)
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode() + file(content=b"x" * 300_000)[:-2])
        wait_for(lambda: os.listdir(tmp_path), "the file that is being written")
    wait_for(lambda: not os.listdir(tmp_path), "no file")
    assert requests.get(url).text == "still here"


def test_none_is_left_when_the_filter_raises_for_a_later_file(tmp_path: Path) -> None:
    def no_second(req: Any, file: File) -> bool:
        if req.files:
            raise HTTPError(403, "one is enough")
        return True

    assert post(upload_to(tmp_path, file_filter=no_second), form(file(), file()))[0] == 403
    assert os.listdir(tmp_path) == []


def test_none_is_left_when_the_disk_is_full(tmp_path: Path) -> None:
    """Or when a file may be no larger, which the operating system tells in the same way."""
    pytest.importorskip("resource")
    program = """
import resource, sys
from tests.unit.middleware.test_multer import *
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
print(post(upload_to(Path(sys.argv[1])), form(file(), file(content=b"x" * 200_000))))
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("(500, "), done.stderr
    assert "File too large" in done.stdout  # EFBIG
    assert os.listdir(tmp_path) == []


def test_an_upload_that_fails_leaves_the_file_that_has_its_name_already(tmp_path: Path) -> None:
    storage = multer.disk_storage(destination=tmp_path, filename=lambda req, file: "photo")
    app = app_with(multer(storage=storage).any())
    assert post(app, form(file(content=b"old")))[0] == 200
    assert post(app, file(content=b"x" * 100_000)[:-2])[0] == 400
    assert (tmp_path / "photo").read_bytes() == b"old"
    assert post(app, form(file(content=b"new")))[0] == 200
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("photo", b"new")]


def test_after_an_error_req_shows_no_files(tmp_path: Path) -> None:
    seen: list[Any] = []
    app = express()
    app.post("/", multer(dest=tmp_path).array("a"))
    app.use(lambda err, req, res, next: (seen.append((req.files, req.body)), res.json(None)))
    post(app, form(text("b", b"kept"), file(), file("c")))
    assert seen == [([], {"b": "kept"})]


def test_files_stay_when_a_later_handler_fails(tmp_path: Path) -> None:
    """They are the app's by then."""
    app = app_with(multer(dest=tmp_path).any(), lambda req, res: 1 / 0)
    assert post(app, form(file()))[1][0] == "ZeroDivisionError"
    assert len(os.listdir(tmp_path)) == 1


# Hostile forms

FRAGMENTS = st.sampled_from(
    [
        *(b"--b\r\n", b"--b--", b"--b", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b'"', b"\\", b";", b"=", b"%", b"*"),
        *(
            b"Content-Disposition: form-data; ",
            b'name="a"',
            b'filename="a"',
            b'name="a[b][0][]"',
            b'name="a[',
            b"x" * 99,
        ),
        *(
            b"filename*=utf-7''+2AA-",
            b"filename*=utf-8''%ff",
            b'name="__proto__[x]"',
            b'filename="../../x"',
            b"name=''",
        ),
        *(b"Content-Type: text/plain; charset=utf-16", b"Content-Length: 3", b"Content-Length: -1", b"\xff\xfe", b": "),
        *(form(file()), form(text("a")), file(), text("a"), text("a[]"), text("a[3]"), text("a[b]"), b" folded"),
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=8), max_size=30).map(b"".join))
@example(form(file(), part("filename*=utf-7''+2AA-; name=b")))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_hostile_form_is_read_or_is_a_400_and_leaves_no_file(tmp_path: Path, body: bytes) -> None:
    storage = multer.disk_storage(destination=tmp_path / "in", filename=lambda req, file: file.originalname)
    app = app_with(multer(storage=storage, preserve_path=True).any())
    status, _ = post(app, body)
    assert status in (200, 400, 415)
    assert {path.name for path in tmp_path.iterdir()} == {"in"}
    left = list((tmp_path / "in").iterdir())
    assert status == 200 or left == []
    for path in left:
        path.unlink()


@pytest.mark.parametrize(
    "name", ["__proto__", "__class__", "a[__class__]", "constructor[prototype][x]", "items", "a[items]", "__init__[]"]
)
def test_names_of_pythons_own_are_names_like_others(name: str) -> None:
    status, seen = post(app_with(multer().none()), form(text(name), text("b")))
    assert status == 200
    assert seen["body"]["b"] == "x"
    assert set(seen["body"]) == {name.partition("[")[0], "b"}


@pytest.mark.parametrize(
    "body",
    [
        form(*[part('name="' + "[" * 8000 + '"')] * 50),
        form(*[part("name=a" + '; x="\\' * 2500)] * 50),
        form(*[part('name="a' + "\\" * 16_000)] * 50),
        form(*[part("; " * 8000)] * 50),
        form(*[text("a" + "[b]" * 5000)] * 50),
        form(*[text("a[100]" + "[100]" * 30)] * 900),
        b"\r" * 1_000_000,
        b"--b\r\n" * 200_000,
        b"--" * 500_000,
        form(file(content=b"\r\n--" * 250_000)),
    ],
    ids=["brackets", "quotes", "backslashes", "semicolons", "deep", "lists", "CRs", "boundaries", "hyphens", "almost"],
)
def test_no_form_takes_long(body: bytes) -> None:
    began = time.process_time()
    assert post(app_with(multer().any()), body)[0] in (200, 400)
    assert time.process_time() - began < 5


# Parts


def test_a_file_shows_no_content_in_json_and_its_repr() -> None:
    shown = File("a", "b", "7bit", "text/plain", 1, buffer=b"secret")
    assert set(shown.to_json()) == {"fieldname", "originalname", "encoding", "mimetype", "size"}
    assert "secret" not in repr(shown)


def test_an_error_is_an_http_error_and_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(MulterError("LIMIT_FILE_SIZE", "a", "b.txt")))
    assert (error.status, error.code, error.field, error.filename) == (400, "LIMIT_FILE_SIZE", "a", "b.txt")
    assert isinstance(error, HTTPError)
    assert multer.MulterError is MulterError
    assert multer is Multer


@pytest.mark.parametrize(
    ("path", "name"), [("a/b", "b"), (r"a\b", "b"), ("a", "a"), ("..", ""), ("a/..", ""), ("a/.", ""), ("a/", "")]
)
def test_a_base_name_has_no_folder(path: str, name: str) -> None:
    assert base_name(path) == name


@pytest.mark.parametrize("header", ["form-data; ", "form-data; a", 'form-data; a="b', ";", "; a"])
def test_a_malformed_disposition_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="malformed"):
        parse_disposition(header)


@given(st.lists(st.text("ab0[]", max_size=8), max_size=8))
def test_every_value_of_a_form_is_somewhere_in_it(names: list[str]) -> None:
    body: dict[str, Any] = {}
    for number, name in enumerate(names):
        append_field(body, name, f"value {number}")
    assert sorted(values_in(body)) == sorted(f"value {number}" for number in range(len(names)))


def values_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [found for each in inner if each is not None for found in values_in(each)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: multer(limits=3), "limits=…\\) takes a dict, or a function \\(req\\) that returns one, not 3"),
        (lambda: multer(storage=multer.memory_storage), "storage=…\\) takes an object with handle_file"),
        (lambda: multer().single(3), "takes the name of a field of the form, not 3"),
        (lambda: multer().array(["a", "b"]), "takes the name of a field of the form, not \\['a', 'b'\\]"),
    ],
)
def test_what_is_no_limits_no_storage_and_no_name_is_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()
