"""README.md does what it says: its blocks run as they stand, and its middleware is attacked."""

from __future__ import annotations

import ast
import logging
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jinja2
import pytest
import requests
from pymongo import MongoClient
from readme import README, TUTORIAL, blocks, run
from support import ROOT, App, SecantusServer, free_port, user_environment, wait_for
from test_app import add_user, walk_through_login

from miniexpress import express, json, urlencoded
from miniexpress.sessions.session import Changes
from miniexpress.views import template_engine

Serve = Callable[..., str]
RunApp = Callable[..., App]

PROGRAMS = sorted({block.heading for block in blocks("python")} - {TUTORIAL})
MIDDLEWARE = re.findall("^### (.+)$", README.partition("## Extending with middleware")[2].partition("\n## ")[0], re.M)
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


def test_every_language_is_tested_here() -> None:
    known = {"python", "js", "sh", "html", "apache", "nginx"}
    assert set(re.findall(r"^```(\w+)$", README, re.MULTILINE)) <= known


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_what_is_there(command: str) -> None:
    words = [word for word in shlex.split(command) if "=" not in word and ":" not in word]
    for word in words:
        if word.startswith("tests/") or word.endswith(".py"):
            assert (ROOT / word).exists(), f"{word} is not there"
    if "-m" in words and words[words.index("-m") + 1] != "venv":
        assert find_spec(words[words.index("-m") + 1]) is not None


def test_the_tutorials_program_runs_and_logs_in(serve: Serve, secantus_server: SecantusServer) -> None:
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    names: dict[str, Any] = {"secrets": secrets}
    for block in blocks("python", TUTORIAL):
        text = block.text.replace("mongodb://127.0.0.1/test", secantus_server.uri).replace("…", "{}")
        exec(compile(text, "README.md", "exec", dont_inherit=True), names)
        if "app = express()" in text:  # what the tutorial leaves out
            names["db"] = names["store"].db
            names["app"].use(urlencoded())
    url = serve(names["app"])
    browser = requests.Session()
    assert browser.get(f"{url}/account", allow_redirects=False).headers["Location"] == "/login"
    assert browser.post(f"{url}/login", {"email": "nobody"}).status_code == 401
    assert "Hello, Ada" in browser.post(f"{url}/login", {"email": "ada@example.com"}).text
    assert browser.get(f"{url}/logout", allow_redirects=False).headers["Location"] == "/login"
    assert browser.get(f"{url}/logout", allow_redirects=False).headers["Location"] == "/"
    names["store"].client.close()


def test_the_tutorials_javascript_is_javascript(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    program = tmp_path / "tutorial.js"
    program.write_text("".join(block.text.replace("…", "{}") for block in blocks("js", TUTORIAL)))
    checked = subprocess.run(["node", "--check", program], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


# The commands


def command(pattern: str) -> str:
    """The one line of the README's commands that has `pattern` in it."""
    (found,) = [line for line in COMMANDS if re.search(pattern, line)]
    return found


@pytest.mark.usefixtures("embedded_port")
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
    """What a clone has."""
    folder.mkdir()
    for name in ("app.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("miniexpress", "views"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_command_with_a_server_of_ones_own(run_app: RunApp, secantus_auth_server: SecantusServer) -> None:
    add_user(secantus_auth_server.uri, "ada@example.com", "Ada")
    given = r"mongodb://username:password@127\.0\.0\.1/test"
    *settings, python, script = shlex.split(
        re.sub(given, secantus_auth_server.uri, command(f"^MONGODB_URI='{given}' "))
    )
    assert (python, script) == (".venv/bin/python", "app.py")
    app = run_app("app.py", dict(setting.split("=", 1) for setting in settings))
    walk_through_login(app.url, "ada@example.com", "Hello, Ada")


def test_the_test_commands_find_tests() -> None:
    """All at once: each of their arguments is one that pytest knows here."""
    lines = [line.split() for line in COMMANDS if line.startswith(".venv/bin/python -m pytest")]
    assert len(lines) > 2
    arguments = [argument for line in lines for argument in line[3:]]
    argv = [sys.executable, "-m", "pytest", *arguments, "--collect-only", "-q"]
    found = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    assert re.search(r"\d+ tests collected", found.stdout)


# Extending with middleware


def test_the_request_log_tells_of_every_answer(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    app = run("A request log")["app"]
    app.get("/broken", lambda req, res: 1 / 0)
    app.get("/stream", lambda req, res: (res.write("a"), res.end("b")))
    app.get("/silent", lambda req, res: None)
    app.get("/exit", lambda req, res: sys.exit(1))
    url = serve(app)
    with caplog.at_level(logging.INFO, "requests"):
        for path in ("/", "/broken", "/stream", "/missing%0AGET%20/forged?a=%0D%0A", "/silent", "/exit"):
            requests.get(url + path)
        requests.head(url)
        wire(url, b"GET /\x0bforged HTTP/1.1\r\nHost: a\r\n\r\n")
    lines = [record.getMessage() for record in caplog.records if record.name == "requests"]
    assert [line.rpartition(" ")[0] for line in lines] == [
        "127.0.0.1 GET / 200 11",
        "127.0.0.1 GET /broken 500 " + lines[1].split()[4],
        "127.0.0.1 GET /stream 200 -",
        "127.0.0.1 GET /missing%0AGET%20/forged?a=%0D%0A 404 " + lines[3].split()[4],
        "127.0.0.1 GET /silent 500 " + lines[4].split()[4],
        "127.0.0.1 GET /exit 500 -",
        "127.0.0.1 HEAD / 200 11",
    ]
    assert all(int(lines[number].split()[4]) > 100 for number in (1, 3, 4))
    assert all(0 <= float(line.split()[-1]) < 5000 for line in lines)


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
    app = express()
    app.use(json())
    app.post("/login", guarded_login["password_check"](known.get), lambda req, res: res.send("let in"))
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


def test_flask_is_mounted(serve: Serve) -> None:
    pytest.importorskip("flask")
    assert requests.get(f"{serve(run('Another WSGI app under a path')['app'])}/old/hello").text == "Hello from Flask"


def test_wrapped_by_middleware_it_is_served(serve: Serve) -> None:
    proxy_fix = pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix
    assert "`miniexpress.server.listen(ProxyFix(app), 3000)`" in README
    from miniexpress.server import listen

    assert listen.__code__.co_varnames[:2] == ("app", "port")
    app = run("A request log")["app"]
    assert requests.get(serve(proxy_fix(app))).text == "Hello World"


# A store of one's own


STORE = run("A store of one's own")
TestSQLiteStore = STORE["TestSQLiteStore"]


def test_the_store_is_as_short_as_it_says_and_shares_sessions_between_processes(tmp_path: Path) -> None:
    source = blocks("python", "A store of one's own")[0].text
    assert source[source.index("class ") :].count("\n") < 40
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


# Templates


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
    assert "logged in as <strong>Ada</strong>" in requests.get(serve(run("Templates")["app"])).text


# Working on it


def test_the_tree_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run("Working on it")
    assert re.fullmatch(r"\* /api  Router\n    GET /items/:id  item \(.*README\.md:\d+\)\n", capsys.readouterr().out)


def wire(url: str, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(4096)
