"""Types from outside: app.py and the documents' programs against the installed wheel, by mypy and by pyright."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.documents import TUTORIAL, blocks
from tests.support.installed import Installed
from tests.support.project import ROOT

ANNOTATIONS = {"req": "Request", "res": "Response", "next": "Next", "err": "Exception"}
# Functions that are no handlers go without types in the documents.
BEGINNING = """\
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, check-untyped-defs
from miniexpress import AsyncNext, Next, Request, Response
"""

ROUTES = """\
from miniexpress import Request, Response, express, multer
from miniexpress.middleware.multer import File
from miniexpress.server import serving

def show(req: Request, res: Response) -> None: ...

app = express()
app.route("/x").get(show).post(show, [show])
app.get("/y", show)
app.put("/z")(show)

def is_image(req: Request, file: File) -> bool:
    return file.mimetype.startswith("image/")

upload = multer(storage=multer.memory_storage(), limits={"file_size": 10}, file_filter=is_image)
multer(storage=multer.disk_storage(destination="x", filename=lambda req, file: file.fieldname))
app.post("/file", upload.single("a"), upload.array("a", 2), upload.fields([{"name": "a"}]), upload.none(), show)
with serving(app) as url:
    url.upper()
"""

# What each is for the type checkers: `assert_type` fails where it is another.
DECORATORS = """\
from typing import assert_type

from miniexpress import App, AttrDict, HTTPError, MemoryStore, Next, Request, Response, Router, Store, express

def only_admins(req: Request, res: Response, next: Next) -> None: ...
def show(req: Request, res: Response) -> None: ...

app = express()
router = express.Router(merge_params=True)
parsers = [express.json(limit="1mb"), express.text()]
assert_type(app, App)
assert_type(router, Router)
assert_type(app.use(express.static("public", max_age="1d")).use(express.urlencoded(), express.raw()), App)
assert_type(app.get("/a", show).post("/b", only_admins, show), App)
assert_type(router.get("/a", show).all("/b", parsers, show), Router)

@app.get("/secrets", only_admins)
def secrets(req: Request, res: Response) -> int:
    return 1

@router.post("/", *parsers)
def add(req: Request, res: Response) -> int:
    return 1

@app.use("/admin", only_admins)
def admin(req: Request, res: Response, next: Next) -> int:
    return 1

@app.route("/x").get(only_admins)
def routed(req: Request, res: Response) -> int:
    return 1

@app.param("id")
def load(req: Request, res: Response, next: Next, value: str) -> int:
    return 1

@app.use
def log(req: Request, res: Response, next: Next) -> None: ...

@app.route("/y").get
def bare(req: Request, res: Response) -> None: ...

def calls(req: Request, res: Response, next: Next) -> None:
    assert_type(secrets(req, res) + add(req, res) + admin(req, res, next) + routed(req, res), int)
    assert_type(load(req, res, next, "1"), int)

store: Store = MemoryStore()
data: dict[str, object] = AttrDict(error=HTTPError(404))
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is to be checked. The documents' handlers are annotated here as those of app.py are."""
    folder = tmp_path_factory.mktemp("checked")
    shutil.copy(ROOT / "app.py", folder)
    for heading in sorted({block.heading for block in blocks("python")} - {TUTORIAL}):
        programs = [block.text for block in blocks("python", heading) if not block.is_for_app_py]
        name = re.sub(r"\W+", "_", heading.lower())
        (folder / f"readme_{name}.py").write_text(BEGINNING + "\n".join(map(annotated, programs)))
    (folder / "routes.py").write_text(ROUTES)
    (folder / "decorators.py").write_text(DECORATORS)
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "basic"}')
    return folder


@pytest.fixture(scope="module")
def python(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the installed wheel, and what else the documents' programs import from our own environment."""
    folder = tmp_path_factory.mktemp("typing") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    first, second = (next(path.glob("lib/python*/site-packages")) for path in (installed.python.parents[1], folder))
    (second / "others.pth").write_text(f"{first}\n{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "python"


def annotated(source: str) -> str:
    def annotate(match: re.Match[str]) -> str:
        is_async, function, names = match[1], match[2], match[3].split(", ")
        types = ANNOTATIONS | ({"next": "AsyncNext"} if is_async else {})
        if not set(names) <= set(types):
            return match[0]
        return f"{is_async or ''}def {function}({', '.join(f'{name}: {types[name]}' for name in names)}) -> None:"

    return re.sub(r"(async )?def (\w+)\(([\w, ]+)\):", annotate, source)


def test_the_handlers_are_annotated(checked: Path) -> None:
    assert "def hello(req: Request, res: Response) -> None:" in (checked / "readme_miniexpress.py").read_text()


@pytest.mark.usefixtures("whole_machine")
def test_mypy_strict_finds_no_error_in_programs_on_the_installed_package(checked: Path, python: Path) -> None:
    programs = sorted(file.name for file in checked.glob("*.py"))
    check(
        [sys.executable, "-m", "mypy", "--strict", f"--python-executable={python}", "--no-incremental", *programs],
        checked,
    )


@pytest.mark.usefixtures("whole_machine")
def test_pyright_basic_finds_no_error_in_programs_on_the_installed_package(checked: Path, python: Path) -> None:
    if find_spec("pyright") is None or shutil.which("node") is None:
        pytest.skip("pyright, or the node that runs it, is not installed")
    version = subprocess.run(
        [sys.executable, "-m", "pyright", "--version"], capture_output=True, text=True, timeout=110
    )
    if version.returncode:
        pytest.skip(f"pyright cannot be had: {version.stderr[-300:]}")
    check([sys.executable, "-m", "pyright", "--pythonpath", str(python), "."], checked)


def check(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
