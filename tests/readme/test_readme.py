"""The documents do what they say: their blocks run as they stand, their links lead somewhere, their middleware is
attacked, and README.md's table of the API has every public member."""

from __future__ import annotations

import ast
import inspect
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import jinja2
import pytest
import requests
from pymongo import AsyncMongoClient, MongoClient

from miniexpress import (
    App,
    AttrDict,
    HTTPError,
    Request,
    Response,
    Router,
    compression,
    cookie_parser,
    cors,
    express,
    helmet,
    json,
    morgan,
    multer,
    raw,
    session,
    static,
    text,
    urlencoded,
)
from miniexpress.middleware.multer import Limits
from miniexpress.server.server import Server
from miniexpress.sessions.changes import Changes
from miniexpress.sessions.mongodb import MongoDBStore
from miniexpress.views.engine import template_engine
from tests.support.documents import README, TUTORIAL, all_blocks, anchors, blocks, documents, links, run
from tests.support.login_flow import add_user, walk_through_login
from tests.support.mongodb_servers import SecantusServer
from tests.support.ports import free_port
from tests.support.processes import App as RunningApp
from tests.support.processes import user_environment
from tests.support.project import ROOT
from tests.support.waiting import wait_for

Serve = Callable[..., str]
RunApp = Callable[..., RunningApp]

PROGRAMS = sorted({block.heading for block in blocks("python")} - {TUTORIAL})
RECIPES = (ROOT / "miniexpress" / "middleware" / "README.md").read_text().partition("## Extending with middleware")[2]
MIDDLEWARE = re.findall("^### (.+)$", RECIPES, re.M)
DOCUMENTS = [str(path.relative_to(ROOT)) for path in documents()]
CHROMIUM = "/usr/bin/chromium"
COMMANDS = [line for block in blocks("sh") for line in block.text.splitlines()]


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


# Every block


@pytest.mark.parametrize("heading", PROGRAMS)
def test_a_program_runs(heading: str) -> None:
    pytest.importorskip("flask" if "WSGI" in heading else "jinja2")
    assert run(heading)


@pytest.mark.parametrize("heading", MIDDLEWARE)
def test_middleware_is_under_30_lines(heading: str) -> None:
    for block in blocks("python", heading):
        functions = [node for node in ast.parse(block.text).body if isinstance(node, ast.FunctionDef)]
        assert sum((node.end_lineno or 0) - node.lineno + 1 for node in functions) < 30


def test_programs_have_headings_of_their_own() -> None:
    for heading in {block.heading for block in blocks("python")}:
        assert len({block.document for block in blocks("python", heading)}) == 1, heading


def test_every_block_is_one_that_a_test_runs() -> None:
    elsewhere = {("apache", "Apache"), ("nginx", "Past one machine")}  # in deployment/
    views = {"Templates", "A layout", "A password for the tutorial's login", "A form that is checked"}
    for block in all_blocks():
        assert (
            block.language in ("python", "sh")
            or (block.language, block.heading) in {*elsewhere, ("js", TUTORIAL), ("text", "The folders")}
            or (block.language == "html" and block.heading in views)
        ), f"{block.document}:{block.line}: no test runs this block"


def test_no_example_sends_a_clients_text_as_html() -> None:
    """``res.send(f"Hello {req.params.name}")`` lets whoever makes a link run scripts in its visitors' browsers."""
    examples = {f"{block.document}:{block.line}": block.text.replace("…", "{}") for block in blocks("python")}
    examples |= {str(path.relative_to(ROOT)): path.read_text() for path in [ROOT / "app.py", *HELPERS]}
    for place, example in examples.items():
        for call in ast.walk(ast.parse(example)):
            match call:
                case ast.Call(func=ast.Attribute(attr="send" | "end" | "write") as method, args=[body, *_]):
                    as_text = ".type('txt')" in ast.unparse(method)
                    from_client = re.search(r"\breq\.(?!session)|\berr\b", ast.unparse(body))
                    assert as_text or not from_client, f"{place}: {ast.unparse(call)}"


HELPERS = [*(ROOT / "tests" / "support").glob("*.py"), *(ROOT / "tests" / "benchmarks" / "apps").glob("*.py")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_what_is_there(command: str) -> None:
    words = [word for word in shlex.split(command) if "=" not in word and ":" not in word]
    for word in words:
        if word.startswith("tests/") or word.endswith(".py"):
            assert (ROOT / word).exists(), f"{word} is not there"
    if "-m" in words and words[words.index("-m") + 1] != "venv":
        assert find_spec(words[words.index("-m") + 1]) is not None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    for link in links(ROOT / document):
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), f"{document} links to {link}"
        assert not anchor or anchor in anchors(target), f"{document} links to {link}"


def test_the_readme_links_to_every_document() -> None:
    linked = {link.partition("#")[0] for link in links(ROOT / "README.md")}
    assert set(DOCUMENTS) - {"README.md"} <= linked


def test_the_readme_has_300_lines_at_most() -> None:
    assert README.count("\n") <= 300


def test_the_folders_are_those_of_the_package() -> None:
    (block,) = blocks("text", "The folders")
    names = {str(path.relative_to(ROOT)) for path in (ROOT / "miniexpress").rglob("*.py")}
    inner = {name for name in names if name.endswith("/__init__.py") and name.count("/") > 1}
    assert sorted(files_in_tree(block.text)) == sorted(names - inner)


def files_in_tree(text: str) -> Iterator[str]:
    """The paths of the Python files in a tree of names that are indented by two blanks for each folder."""
    folders: list[str] = []
    for line in text.splitlines():
        name = line.split()[0]
        del folders[(len(line) - len(line.lstrip())) // 2 :]
        if name.endswith("/"):
            folders.append(name)
        else:
            yield from ("".join([*folders, each]) for each in line.split() if each.endswith(".py"))


def test_the_tutorials_program_runs_and_logs_in(serve: Serve, secantus_server: SecantusServer) -> None:
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    client: Any = AsyncMongoClient(secantus_server.uri, document_class=AttrDict)
    names: dict[str, Any] = {"secrets": secrets, "db": client.get_default_database("test")}
    for block in blocks("python", TUTORIAL):
        text = block.text.replace("mongodb://127.0.0.1/test", secantus_server.uri).replace("…", "{}")
        exec(compile(text, "README.md", "exec", dont_inherit=True), names)
        if "app = express()" in text:  # what the tutorial leaves out
            names["app"].use(urlencoded())

    @names["app"].get("/close")
    async def close(req: Request, res: Response) -> None:
        await client.close()
        res.send("closed")

    url = serve(names["app"])
    browser = requests.Session()
    assert browser.get(f"{url}/account", allow_redirects=False).headers["Location"] == "/login"
    assert browser.post(f"{url}/login", {"email": "nobody"}).status_code == 401
    assert "Hello, Ada" in browser.post(f"{url}/login", {"email": "ada@example.com"}).text
    assert browser.get(f"{url}/logout", allow_redirects=False).headers["Location"] == "/login"
    assert browser.get(f"{url}/logout", allow_redirects=False).headers["Location"] == "/"
    assert requests.get(f"{url}/close").ok
    names["store"].client.close()


def test_the_tutorials_javascript_is_javascript(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    program = tmp_path / "tutorial.js"
    program.write_text("".join(block.text.replace("…", "{}") for block in blocks("js", TUTORIAL)))
    checked = subprocess.run(["node", "--check", program], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


# The table of the API


def test_the_table_has_every_public_member_of_app_and_router_and_no_other() -> None:
    listed = members_listed("`app` and `Router`")
    app, router = public_members(express()), public_members(Router())
    (methods,) = (each for each in App.__mro__ if "mkcol" in vars(each))  # one for each HTTP method
    others = {name for name in vars(methods) if not name.startswith("_")} - {"all", "get", "post", "put", "delete"}
    assert set(listed) - {"merge_params"} == app - others
    assert set(listed[: listed.index("merge_params") + 1]) == router - others


def test_the_table_has_every_public_member_of_req_res_and_session_and_no_other(serve: Serve) -> None:
    seen: dict[str, set[str]] = {}
    app = express()
    app.use(session(secret="any", resave=False, save_uninitialized=False))

    @app.get("/")
    def look(req: Request, res: Response) -> None:
        seen.update({"`req`": public_members(req), "`res`": public_members(res)})
        seen["`req.session`"] = {name for name in vars(type(req.session)) if name.islower() and name[0] != "_"} | {
            "cookie"
        }
        res.end()

    assert requests.get(serve(app)).ok
    for heading, members in seen.items():
        assert set(members_listed(heading)) == members, heading


def public_members(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def members_listed(heading: str) -> list[str]:
    """Return the names in the first column of the table under a heading: "`set(name)`, `get(name)`" → set, get."""
    section = README.partition(f"### {heading}\n")[2].partition("\n##")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)(?:`|\()", row)]


# The commands


def command(pattern: str) -> str:
    """The one line of the documents' commands that has `pattern` in it."""
    (found,) = [line for line in COMMANDS if re.search(pattern, line)]
    return found


def test_the_first_command_shows_the_tutorials_login(tmp_path: Path, run_app: RunApp) -> None:
    """In a clean copy, with an empty HOME."""
    project = clean_copy(tmp_path / "project")
    steps = command(r"python3 -m venv .*python app.py$").split(" && ")
    env = {**user_environment(HOME=str(tmp_path), PORT=str(free_port())), "PYTHONPATH": ""}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    for step in steps[:-1]:
        done = subprocess.run(step, shell=True, cwd=project, env=env, capture_output=True, text=True, timeout=110)
        if any(sign in done.stderr for sign in NO_INDEX):
            pytest.skip("no package index can be reached")
        assert done.returncode == 0, done.stderr
    app = run_app(argv=steps[-1].split(), cwd=project, env=env)
    walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    assert app.interrupt() == 0


NO_INDEX = ("Failed to establish a new connection", "Temporary failure in name resolution", "ConnectTimeoutError")


def clean_copy(folder: Path) -> Path:
    """Make a folder with the files that a clone has."""
    folder.mkdir()
    for name in ("app.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("miniexpress", "views"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_command_with_mongodb_uri_starts_app_py_on_that_server(
    run_app: RunApp, secantus_auth_server: SecantusServer
) -> None:
    add_user(secantus_auth_server.uri, "ada@example.com", "Ada")
    given = r"mongodb://username:password@127\.0\.0\.1/test"
    *settings, python, script = shlex.split(
        re.sub(given, secantus_auth_server.uri, command(f"^MONGODB_URI='{given}' "))
    )
    assert (python, script) == (".venv/bin/python", "app.py")
    app = run_app("app.py", dict(setting.split("=", 1) for setting in settings))
    walk_through_login(app.url, "ada@example.com", "Hello, Ada")


def test_the_test_commands_find_tests(tmp_path: Path) -> None:
    """All at once: each of their arguments is one that pytest knows here. A marker would leave some folders empty."""
    lines = [line.split() for line in COMMANDS if line.startswith(".venv/bin/python -m pytest")]
    assert len(lines) > 2
    arguments = [argument for line in lines for argument in line[3:] if argument not in ("-m", "language")]
    argv = [sys.executable, "-m", "pytest", *arguments, "--collect-only", "-q"]
    env = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage")}  # --cov erases what others have measured there
    found = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert re.search(r"\d+ tests collected", found.stdout)


# Middleware


def test_the_first_middleware_logs_guards_and_handles_errors(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    url = serve(run("Writing middleware")["app"])
    assert requests.get(f"{url}/api/items").json() == ["one", "two"]
    assert requests.post(f"{url}/api/items", "<script>").status_code == 415
    broken = requests.get(f"{url}/broken")
    assert (broken.status_code, broken.json()) == (500, {"error": "out of order"})
    assert re.search(r"GET /broken 500 \d+\.\d ms", capsys.readouterr().out)


def test_the_async_handlers_wait_for_a_database_a_thread_and_their_own_body(
    serve: Serve, secantus_server: SecantusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URI", secantus_server.uri)
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    url = serve(run("Async handlers")["app"])
    found = requests.get(f"{url}/users/Ada")
    assert found.json() == {"email": "ada@example.com", "name": "Ada"}
    assert re.fullmatch(r"\d+ms", found.headers["X-Response-Time"])
    assert requests.get(f"{url}/users/Eve").status_code == 404
    assert len(requests.get(f"{url}/digest").text) == 128
    assert requests.get(f"{url}/ticks").text == "tick 0\ntick 1\ntick 2\n"


def test_the_routers_cart_is_its_users_own(serve: Serve) -> None:
    url = serve(run("Handlers and routers")["app"])
    ada, grace = requests.Session(), requests.Session()
    assert ada.post(f"{url}/api/cart", json={"product": "tea"}).json() == ["tea"]
    assert ada.post(f"{url}/api/cart", json={"product": "cake"}).json() == ["tea", "cake"]
    assert grace.post(f"{url}/api/cart", json={"product": "cake"}).json() == ["cake"]
    assert grace.post(f"{url}/api/cart", json={}).status_code == 422


# Extending with middleware


def test_morgan_writes_a_line_for_every_request(
    serve: Serve, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    app = run("`morgan`")["app"]
    app.get("/broken", lambda req, res: 1 / 0)
    app.get("/exit", lambda req, res: sys.exit(1))
    url = serve(app)
    for path in ("/", "/broken", "/missing%0AGET%20/forged?a=%0D%0A", "/exit"):
        requests.get(url + path)

    def lines_logged() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "miniexpress.access"]

    # A line is written once the response is sent: four by one logger, two by the other, which leaves out what is well.
    wait_for(lambda: len(lines_logged()) >= 6, "the log has all lines")
    lines = lines_logged()
    assert [" ".join(re.sub(r"\x1b\[\d+m", "", line).split()[:3]) for line in lines if "\x1b" in line] == [
        "GET / 200",
        "GET /broken 500",
        "GET /missing%0AGET%20/forged?a=%0D%0A 404",
        "GET /exit -",
    ]
    assert len([line for line in lines if line.startswith("127.0.0.1 - - [")]) == 2  # those with 400 and above
    shown = capsys.readouterr().out
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - GET / 200 \d+\.\d{3} ms$", shown, re.MULTILINE)


def test_compression_sends_each_flushed_piece(serve: Serve) -> None:
    url = serve(run("`compression`")["app"])
    with requests.get(f"{url}/ticks", stream=True) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        times = [time.monotonic() for _ in response.iter_lines()]
    assert times[-1] - times[0] > 0.15


def test_the_security_headers_are_on_every_answer(serve: Serve) -> None:
    app = run("Security headers")["app"]
    app.get("/broken", lambda req, res: 1 / 0)
    app.get("/empty", lambda req, res: res.send_status(204))
    url = serve(app)
    for path in ("/", "/broken", "/empty", "/missing"):
        headers = requests.get(url + path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith(("default-src 'self'; base-uri 'none'", "default-src 'none'")), (path, policy)
        assert "X-Powered-By" not in headers
        assert "Strict-Transport-Security" not in headers
    app.set("trust proxy", "loopback")
    assert "Strict-Transport-Security" in requests.get(url, headers={"X-Forwarded-Proto": "https"}).headers


@pytest.fixture(scope="module")
def guarded_login() -> dict[str, Any]:
    return run("A password for the tutorial's login")


def test_the_password_stands_in_front_of_app_pys_login(
    guarded_login: dict[str, Any], run_app: RunApp, secantus_server: SecantusServer, tmp_path: Path
) -> None:
    definitions, line = (block.text for block in blocks("python", "A password for the tutorial's login"))
    before, login, after = (ROOT / "app.py").read_text().partition('@app.post("/login")')
    (tmp_path / "app.py").write_text(f"{before}{definitions}\n{line}\n{login}{after}")
    shutil.copytree(ROOT / "views", tmp_path / "views")
    (field,) = blocks("html", "A password for the tutorial's login")
    page = tmp_path / "views" / "login.html"
    page.write_text(page.read_text().replace("<button", f"{field.text}<button"))
    users = {"ada@example.com": "correct horse", "grace@example.com": "battery staple"}
    with MongoClient[dict[str, Any]](secantus_server.uri) as client:
        for email, password in users.items():
            fields = {"name": email, "password": guarded_login["hash_password"](password)}
            client.test.users.update_one({"email": email}, {"$set": fields}, upsert=True)
        client.test.users.update_one({"email": "None"}, {"$set": {"name": "one without a password"}}, upsert=True)
    app = run_app(tmp_path / "app.py", {"MONGODB_URI": secantus_server.uri})

    def log_in(**form: Any) -> int:
        return requests.post(f"{app.url}/login", form, allow_redirects=False).status_code

    form = requests.get(f"{app.url}/login").text.partition("<form")[2].partition("</form>")[0]
    assert re.search(r'<input [^>]*name="password" type="password"', form)
    assert log_in(email="ada@example.com", password="correct horse") == 302
    assert log_in(email="ada@example.com") == 401
    assert log_in(email="ada@example.com", password="battery staple") == 401
    assert log_in(email="ada@example.com", password="Correct horse") == 401
    assert log_in(email="nobody@example.com", password="correct horse") == 401
    assert log_in(password="correct horse") == 401
    for password in ("", "None", "correct horse"):
        assert log_in(email="None", password=password) == 401
    assert log_in(**{"email[$ne]": "", "password[$ne]": ""}) == 401
    assert log_in(email=["ada@example.com", "grace@example.com"], password=["battery staple"]) == 401
    assert requests.post(f"{app.url}/login", json={"email": "ada@example.com"}).status_code == 401


def test_the_password_check_takes_the_same_time_for_users_who_are_none(
    guarded_login: dict[str, Any], serve: Serve
) -> None:
    known = {"ada": {"password": guarded_login["hash_password"]("right \ud800" + "x" * 10_000)}}

    async def find_user(email: str) -> dict[str, bytes] | None:
        return known.get(email)

    app = express()
    app.use(json())
    app.post("/login", guarded_login["password_check"](find_user), lambda req, res: res.send("let in"))
    url = serve(app)

    def seconds(email: str) -> float:
        """Of the processor, which the server here has in common with us."""
        began = time.process_time()
        answer = requests.post(f"{url}/login", json={"email": email, "password": "wrong"})
        assert (answer.status_code, answer.text) == (401, "Wrong e-mail address or password.")
        return time.process_time() - began

    there, nobody = (min(seconds(email) for _ in range(2)) for email in ("ada", "bob"))
    assert 0.5 < there / nobody < 2
    assert requests.post(f"{url}/login", json=["email"]).status_code == 401
    assert (
        requests.post(f"{url}/login", json={"email": "ada", "password": known["ada"]["password"].hex()}).status_code
        == 401
    )


def test_the_csrf_guard_takes_nothing_but_our_own_forms(serve: Serve) -> None:
    url = serve(run("A CSRF guard")["app"])
    victim, attacker = requests.Session(), requests.Session()
    token, foreign = (re.search(r'value="([^"]+)"', each.get(url).text) for each in (victim, attacker))
    assert token
    assert foreign
    assert token[1] != foreign[1]
    assert victim.post(url, {"csrf": token[1]}).text == "changed"
    assert victim.post(url, headers={"X-CSRF-Token": token[1]}).text == "changed"
    for form in ({}, {"csrf": ""}, {"csrf": foreign[1]}, {"csrf": token[1][:-1]}, {"csrf": [token[1], token[1]]}):
        assert victim.post(url, form).status_code == 403, form
    for body in ("csrf[]=x", "csrf[a]=b", "csrf=%ED%A0%80", "csrf=%00", "csrf=None", "=", "csrf"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert victim.post(url, body, headers=headers).status_code == 403, body
    assert victim.post(url, json={"csrf": token[1]}).status_code == 403  # no parser for it here
    assert requests.post(url, {"csrf": token[1]}).status_code == 403  # without the session
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "INVENTED"):
        assert victim.request(method, url).status_code == 403, method
    for method in ("GET", "HEAD", "OPTIONS"):
        assert victim.request(method, url).ok, method


def test_the_rate_limit_lets_no_more_through(serve: Serve) -> None:
    names = run("A rate limit")
    app = names["app"]
    app.use("/short", names["rate_limit"](1, seconds=0.3))
    app.get("/short", lambda req, res: res.send("let in"))
    url = serve(app)

    def try_it(number: int) -> int:
        # Whatever a client claims to be, it is the one that is connected.
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        return requests.post(f"{url}/login", headers=headers).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = sorted(threads.map(try_it, range(40)))
    assert statuses == [200] * 5 + [429] * 35
    refused = requests.post(f"{url}/login/")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert requests.get(f"{url}/elsewhere").status_code == 404


def test_the_rate_limit_holds_in_every_window_and_forgets_who_is_gone(serve: Serve) -> None:
    app, limit, seconds = express(), 2, 0.6
    limiter = run("A rate limit")["rate_limit"](limit, seconds=seconds)
    app.set("trust proxy", "loopback").use(limiter)
    app.get("/", lambda req, res: res.send("let in"))
    url = serve(app)
    let_in: list[tuple[float, float]] = []

    def ask() -> None:
        sent = time.monotonic()
        if requests.get(url, headers={"X-Forwarded-For": "203.0.113.1"}).ok:
            let_in.append((sent, time.monotonic()))

    ask()
    wait_for(lambda: time.monotonic() > let_in[0][1] + seconds * 0.7, "late in the first window")
    wait_for(lambda: ask() or len(let_in) > 2 * limit, "the end of the limit, twice")
    assert all(later[1] - first[0] >= seconds for first, later in zip(let_in, let_in[limit:], strict=False))

    known = dict(zip(limiter.__code__.co_freevars, limiter.__closure__, strict=True))["let_in"].cell_contents
    wait_for(lambda: time.monotonic() > let_in[-1][1] + seconds, "the end of the limit")
    assert requests.get(url, headers={"X-Forwarded-For": "203.0.113.2"}).ok
    assert [*known] == ["203.0.113.2"]


def test_a_cart_in_the_session_is_its_users_own_and_the_trap_is_one(serve: Serve) -> None:
    url = serve(run("A shopping cart")["app"])
    ada, grace = requests.Session(), requests.Session()
    assert ada.post(f"{url}/trap/tea").json() == ["tea"]
    assert grace.post(f"{url}/trap/cake").json() == ["tea", "cake"]
    assert ada.post(f"{url}/cart/tea").json() == ["tea"]
    assert grace.post(f"{url}/cart/cake").json() == ["cake"]
    assert ada.post(f"{url}/cart/%24set%3Cb%3E").json() == ["tea", "$set<b>"]
    assert requests.post(f"{url}/cart/tea").json() == ["tea"]


def test_a_flash_message_is_shown_once_to_the_visitor_whom_it_is_for(serve: Serve) -> None:
    url = serve(run("Flash messages")["app"])
    ada, grace = requests.Session(), requests.Session()
    assert ada.post(f"{url}/notes").json() == {"messages": ["Your note is saved."]}
    assert ada.get(f"{url}/notes").json() == {"messages": []}
    for _ in range(2):
        assert ada.post(f"{url}/notes", allow_redirects=False).status_code == 303
    assert ada.get(f"{url}/elsewhere").status_code == 404  # what shows no messages loses none
    assert grace.get(f"{url}/notes").json() == {"messages": []}
    assert not grace.cookies  # to read none makes no session
    assert ada.get(f"{url}/notes").json() == {"messages": ["Your note is saved."] * 2}


def test_a_form_that_is_wrong_is_shown_again_with_what_was_typed_as_text(serve: Serve, tmp_path: Path) -> None:
    (page,) = blocks("html", "A form that is checked")
    (tmp_path / "signup.html").write_text(page.text)
    app = run("A form that is checked")["app"]
    url = serve(app.set("views", str(tmp_path))) + "/signup"
    assert requests.get(url).text.count('value=""') == 2
    assert "Enter" not in requests.get(url).text
    right = requests.post(url, {"name": " Ada ", "email": "ada@example.com"}, allow_redirects=False)
    assert (right.status_code, right.headers["Location"]) == (303, "/welcome")
    wrong = requests.post(url, {"name": '"><script>alert(1)</script>', "email": "ada"})
    assert wrong.status_code == 422
    assert "<script>" not in wrong.text
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in wrong.text
    assert 'value="ada" aria-invalid="true"' in wrong.text
    assert wrong.text.count("Enter") == 1
    for form in ({}, {"name": ["a", "b"]}, {"name": "x" * 51}, {"email": ["a@b", "c@d"]}, {"name": "a", "email": "@"}):
        assert requests.post(url, form).status_code == 422
    assert requests.post(url, json={"name": {"$ne": 1}, "email": 5}).status_code == 422


def test_an_api_answers_its_errors_as_json_and_tells_nothing_of_its_own(serve: Serve) -> None:
    names = run("JSON errors for an API")
    url = serve(names["app"])

    def error(answer: requests.Response) -> tuple[int, str]:
        assert answer.json()["error"]["status"] == answer.status_code
        return answer.status_code, answer.json()["error"]["message"]

    assert requests.post(f"{url}/api/items", json={"name": "tea"}).json() == {"name": "tea"}
    assert error(requests.get(f"{url}/api/missing")) == (404, "there is nothing here")
    assert error(requests.post(f"{url}/api/items", json={"name": 5})) == (422, "an item has a name")
    assert error(requests.post(f"{url}/api/items", json=["name"])) == (422, "an item has a name")
    status, _ = error(requests.post(f"{url}/api/items", "{", headers={"Content-Type": "application/json"}))
    assert status == 400
    assert requests.get(f"{url}/missing").headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_fails_in_an_api_is_logged_and_a_client_sees_no_word_of_it(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    names = run("JSON errors for an API")

    def broken(req: Request, res: Response) -> None:
        raise ValueError("the password is 1234")

    def busy(req: Request, res: Response) -> None:
        raise HTTPError(503, "db7 is down", headers={"Retry-After": "5"})

    api = Router()
    api.get("/broken", broken)
    api.get("/busy", busy)
    api.use(names["json_errors"])
    app = express()
    app.use("/api", api)
    url = serve(app)
    answer = requests.get(f"{url}/api/broken")
    assert (answer.status_code, answer.json()) == (500, {"error": {"status": 500, "message": "out of order"}})
    answer = requests.get(f"{url}/api/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["message"] == "out of order"
    assert "the password is 1234" in caplog.text


def test_a_form_is_a_delete_but_never_a_get(serve: Serve) -> None:
    url = serve(run("Method override")["app"]) + "/notes/7"
    assert requests.post(url, {"_method": "delete"}).json() == {"deleted": "7"}
    assert requests.post(url, headers={"X-HTTP-Method-Override": "DELETE"}).json() == {"deleted": "7"}
    for method in ("GET", "OPTIONS", "CONNECT", "POST", "INVENTED", "", ["DELETE", "GET"]):
        assert requests.post(url, {"_method": method}).json() == {"changed": "7"}, method
    assert requests.get(url, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 404


@pytest.fixture
def uploads(tmp_path: Path) -> dict[str, Any]:
    """The program of the chapter on multer, with a folder of the test's."""
    (block,) = blocks("python", "Forms with files")
    names: dict[str, Any] = {}
    exec(compile(block.text.replace("tempfile.mkdtemp()", repr(str(tmp_path))), str(block.document), "exec"), names)
    return names


def test_an_avatar_is_uploaded_and_what_is_refused_leaves_no_file(
    serve: Serve, uploads: dict[str, Any], tmp_path: Path
) -> None:
    url = serve(uploads["app"]) + "/avatar"

    def upload(field: str, mimetype: str, content: bytes = b"x") -> requests.Response:
        return requests.post(url, {"name": "Ada"}, files={field: ("../../a.png", content, mimetype)})

    assert upload("avatar", "image/gif").status_code == 422
    assert requests.post(url, files={}).status_code == 422
    refused = upload("picture", "image/png")
    assert (refused.status_code, refused.json()) == (400, {"error": "LIMIT_UNEXPECTED_FILE", "field": "picture"})
    assert upload("avatar", "image/png", b"x" * (5 * 2**20 + 1)).json()["error"] == "LIMIT_FILE_SIZE"
    assert list(tmp_path.iterdir()) == []
    assert upload("avatar", "image/png", b"x" * 5).json() == {"name": "Ada", "bytes": 5}
    (kept,) = tmp_path.iterdir()
    assert (kept.read_bytes(), len(kept.name)) == (b"x" * 5, 32)


MIDDLEWARE_PAGE, SESSIONS_PAGE, SERVER_PAGE = (
    f"miniexpress/{room}/README.md" for room in ("middleware", "sessions", "server")
)


@pytest.mark.parametrize(
    ("page", "heading", "takers"),
    [
        (MIDDLEWARE_PAGE, "Body parsers", [json, urlencoded, text, raw]),
        (MIDDLEWARE_PAGE, "static", [static]),
        (MIDDLEWARE_PAGE, "cors", [cors]),
        (MIDDLEWARE_PAGE, "helmet", [type(helmet).__call__]),
        (MIDDLEWARE_PAGE, "cookie_parser", [cookie_parser]),
        (MIDDLEWARE_PAGE, "`compression`", [type(compression).__call__]),
        (MIDDLEWARE_PAGE, "`morgan`", [type(morgan).__call__]),
        (MIDDLEWARE_PAGE, "Forms with files", [multer.__init__]),
        (SESSIONS_PAGE, "The options", [session]),
        (SESSIONS_PAGE, "MongoDB", [MongoDBStore.__init__]),
        (SERVER_PAGE, "Options", [Server.__init__, App.listen]),
    ],
)
def test_the_table_of_options_has_each_keyword_and_no_other(page: str, heading: str, takers: list[Any]) -> None:
    parameters = {name: each for taker in takers for name, each in inspect.signature(taker).parameters.items()}
    keywords = {name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
    by_place = {name for name in ("secret", "host", "port", "callback") if name in parameters}
    assert _options_in(page, heading) == keywords | by_place


def test_the_table_of_body_parsers_says_whose_each_option_is() -> None:
    rows = _rows_of_options(MIDDLEWARE_PAGE, "Body parsers")
    for parser in (json, urlencoded, text, raw):
        listed = {name for name, whose in rows if whose.strip() == "all" or f"`{parser.__name__}`" in whose}
        assert listed == {f"`{name}`" for name in inspect.signature(parser).parameters}


def _options_in(page: str, heading: str) -> set[str]:
    """Return the names in the first column of the table of options under a heading of a page."""
    return {name for first, _ in _rows_of_options(page, heading) for name in re.findall(r"`(\w+)`", first)}


def _rows_of_options(page: str, heading: str) -> list[tuple[str, str]]:
    """Return the first two cells of each row of that table, whose own head is ``option``, or the call."""
    prose = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.M | re.S)
    section = re.split(rf"^#+ {re.escape(heading)}\n", prose, maxsplit=1, flags=re.M)[1]
    section = re.split(r"^#", section, maxsplit=1, flags=re.M)[0]
    table = re.search(r"^\| (?:option|`[^|]+`) \|.*\n\| ---.*\n((?:\|.*\n)+)", section, re.M)
    assert table, f"{page} has no table of options under {heading!r}"
    return re.findall(r"^\| ([^|]+) \|([^|]*)\|", table[1], re.M)


def test_the_table_of_limits_has_them_all_with_their_defaults() -> None:
    chapter = (ROOT / "miniexpress" / "middleware" / "README.md").read_text().partition("### Forms with files\n")[2]
    table = chapter.partition("| limit | default |")[2].partition("\n\n")[0]
    listed = [name for row in re.findall(r"^\| (`[^|]+) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(field.name for field in fields(Limits))


def test_flask_is_mounted(serve: Serve) -> None:
    pytest.importorskip("flask")
    assert requests.get(f"{serve(run('Another WSGI app under a path')['app'])}/old/hello").text == "Hello from Flask"


def test_an_app_wrapped_by_wsgi_middleware_is_served_by_listen(serve: Serve) -> None:
    proxy_fix = pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix
    assert "`miniexpress.server.listen(ProxyFix(app), 3000)`" in RECIPES
    from miniexpress.server import listen

    assert listen.__code__.co_varnames[:2] == ("app", "port")
    app = run("`morgan`")["app"]
    assert requests.get(serve(proxy_fix(app))).text == "Hello World"


# Sessions


def test_a_shared_variable_counts_the_visits_of_all_threads(serve: Serve) -> None:
    url = serve(run("Between PHP and Node: processes, threads, forks")["app"])
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda _: requests.get(f"{url}/visits").json()["visits"], range(100)))
    assert sorted(counts) == list(range(1, 101))


STORE = run("A store of one's own")
TestSQLiteStore = STORE["TestSQLiteStore"]


def test_the_store_is_as_short_as_it_says_and_shares_sessions_between_processes(tmp_path: Path) -> None:
    source = blocks("python", "A store of one's own")[0].text
    assert source[source.index("class ") :].count("\n") < 50
    file = tmp_path / "sessions.db"
    document = {"cookie": {"expires": None, "originalMaxAge": None}}
    one, other = STORE["SQLiteStore"](file), STORE["SQLiteStore"](file)
    one.set("sid", document)
    with ThreadPoolExecutor(8) as threads:
        stores = [one, other] * 20
        assert all(
            threads.map(
                lambda n: stores[n].update("sid", Changes({f"k{n}": n}, {}, [], document["cookie"], None)), range(40)
            )
        )
    found = other.get("sid")
    assert sorted(found) == sorted(["cookie", *(f"k{number}" for number in range(40))])
    for store in (one, other):
        store.db.close()


# Views


def test_the_template_renders_as_in_jinja2(tmp_path: Path) -> None:
    (block,) = blocks("html", "Templates")
    (tmp_path / "cart.html").write_text(block.text)
    environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(tmp_path))
    for items in ([], [{"name": "<tea>", "count": 1}, {"name": "cake", "count": 2}]):
        options = {"items": items}
        text = template_engine(tmp_path)(str(tmp_path / "cart.html"), options)
        assert text == environment.get_template("cart.html").render(options)
        assert ("There is nothing in it." in text) is (not items)
        assert ("&lt;tea&gt;</p>" in text) is bool(items)
        assert ("cake, 2 times" in text) is bool(items)


def test_jinja2_is_the_engine_after_one_line(serve: Serve) -> None:
    assert "logged in as <strong>Ada</strong>" in requests.get(serve(run("Other engines")["app"])).text


def test_the_layout_renders_as_in_jinja2(tmp_path: Path) -> None:
    layout, account = blocks("html", "A layout")
    (tmp_path / "layout.html").write_text(layout.text)
    (tmp_path / "account.html").write_text(account.text)
    environment = jinja2.Environment(autoescape=True, loader=jinja2.FileSystemLoader(tmp_path))
    for user in ({"name": "<Ada>"}, {"name": "Ada", "orders": ["tea", "<cake>"]}):
        text = template_engine(tmp_path)(str(tmp_path / "account.html"), {"user": user})
        assert text == environment.get_template("account.html").render(user=user)
        assert ("<p>tea</p><p>&lt;cake&gt;</p>" in text) is ("orders" in user)


# The server


def test_the_tree_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run("Development")
    assert re.fullmatch(r"\* /api  Router\n    GET /items/:id  item \(.*README\.md:\d+\)\n", capsys.readouterr().out)


# Testing one's app


def test_the_tests_of_the_chapter_pass_and_fail_with_the_app(tmp_path: Path) -> None:
    *_, browser = texts = [block.text for block in blocks("python", "Testing your app")]
    assert "playwright" in browser
    program = tmp_path / "test_chapter.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", program.name]

    def outcome(tests: str) -> str:
        program.write_text(tests)
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100)
        return done.stdout.splitlines()[-1]

    assert outcome("".join(texts[:-1])).startswith("4 passed in ")
    broken = "".join(texts[:-1]).replace("req.session.user = req.body.name", "pass")
    assert outcome(broken).startswith("1 failed, 3 passed in ")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    launched = browser.replace("launch()", f"launch(executable_path={CHROMIUM!r}, args=['--no-sandbox'])")
    assert outcome("".join([*texts[:-1], launched])).startswith("5 passed in ")


def test_a_client_without_a_server_is_less_true() -> None:
    """As the chapter says: where this fails, that sentence goes."""
    assert "httpx's loses what `res.write` sends" in (ROOT / "miniexpress" / "server" / "README.md").read_text()
    app = express()
    app.get("/written", lambda req, res: (res.write("a"), res.end("b")))
    app.get("/:name", lambda req, res: res.json(req.params.name))
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://test") as client:
        assert client.get("/written").text != "ab"
        assert client.get("/a%2Fb").status_code == 404


def wire(url: str, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(4096)
