"""app.py from outside: started as a user starts it, on real databases, with browsers and Node beside it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from tests.support.login_flow import COOKIE, add_user, is_logged_in, walk_through_login
from tests.support.mongodb_servers import MongoDBServer, SecantusServer
from tests.support.ports import free_port
from tests.support.processes import App
from tests.support.project import ROOT

RunApp = Callable[..., App]


@pytest.fixture
def own_copy(tmp_path: Path) -> Path:
    """app.py in a folder of its own, so that its `.data` is its own too."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "app.py", folder)
    shutil.copytree(ROOT / "views", folder / "views")
    return folder / "app.py"


def test_a_page_asked_for_before_the_login_and_served_after_it_does_not_log_the_visitor_out(
    run_app: RunApp, mongodb: MongoDBServer
) -> None:
    add_user(mongodb.uri, "ada@example.com", "Ada")
    app = run_app(env={"MONGODB_URI": mongodb.uri})
    browser = requests.Session()
    browser.get(f"{app.url}/")
    before = browser.cookies[COOKIE]
    browser.post(f"{app.url}/login", {"email": "ada@example.com"})
    assert browser.cookies[COOKIE] != before
    late = requests.get(f"{app.url}/", cookies={COOKIE: before})
    assert (late.status_code, late.headers.get("Set-Cookie")) == (200, None)
    assert is_logged_in(browser, app.url)


def test_the_login_survives_a_kill_and_a_restart_on_the_embedded_database(run_app: RunApp, own_copy: Path) -> None:
    port = str(free_port())
    app = run_app(own_copy, {"PORT": port})
    assert "ada@example.com" in requests.get(f"{app.url}/login").text
    browser = walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    app.kill()

    again = run_app(own_copy, {"PORT": port})
    assert is_logged_in(browser, again.url)
    assert again.interrupt() == 0


def test_the_console_says_where_the_data_is_kept_who_can_log_in_and_how_to_stop(
    run_app: RunApp, own_copy: Path, secantus_auth_server: SecantusServer
) -> None:
    app = run_app(own_copy)
    said = app.output()
    assert app.url in said
    assert f"are kept in {own_copy.parent / '.data'}." in said
    assert "ada@example.com" in said
    assert "Ctrl-C stops the server." in said

    said = run_app(own_copy, {"MONGODB_URI": secantus_auth_server.uri}).output()
    assert "are kept in the database of MONGODB_URI." in said
    assert "password" not in said


def test_two_projects_side_by_side_know_nothing_of_each_other(run_app: RunApp, own_copy: Path, tmp_path: Path) -> None:
    shutil.copytree(own_copy.parent, tmp_path / "another project")
    first = run_app(own_copy)
    second = run_app(tmp_path / "another project" / "app.py")
    browsers = [walk_through_login(app.url, "ada@example.com", "Hello, Ada") for app in (first, second)]
    for browser, other in ((browsers[0], second), (browsers[1], first)):
        stranger = requests.Session()
        stranger.cookies[COOKIE] = browser.cookies[COOKIE]
        assert not is_logged_in(stranger, other.url)
    first.kill()
    assert is_logged_in(browsers[1], second.url)


def test_a_name_is_escaped_where_it_is_shown(run_app: RunApp, mongodb: MongoDBServer) -> None:
    add_user(mongodb.uri, "eve@example.com", "<b>Eve</b> & co")
    app = run_app(env={"MONGODB_URI": mongodb.uri})
    walk_through_login(app.url, "eve@example.com", "Hello, &lt;b&gt;Eve&lt;/b&gt; &amp; co")


def test_login_and_logout_work_on_a_database_with_a_password(
    run_app: RunApp, secantus_auth_server: SecantusServer
) -> None:
    add_user(secantus_auth_server.uri, "ada@example.com", "Ada")
    app = run_app(env={"MONGODB_URI": secantus_auth_server.uri})
    walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    assert app.terminate() == 0


def test_a_wrong_password_is_an_error_within_two_seconds_and_the_log_says_why(
    run_app: RunApp, secantus_auth_server: SecantusServer
) -> None:
    app = run_app(env={"MONGODB_URI": secantus_auth_server.uri.replace(":password@", ":wrong@")})
    began = time.monotonic()
    answer = requests.get(f"{app.url}/account")
    assert time.monotonic() - began < 2
    assert answer.status_code == 503
    assert "uthentication failed" in app.output()


@pytest.mark.parametrize("fault", ["gone", "hanging", "wrong password"])
def test_a_login_without_its_database_is_a_503_within_two_seconds_and_as_soon_as_what_is_plain(
    run_app: RunApp, secantus_server: SecantusServer, secantus_auth_server: SecantusServer, fault: str
) -> None:
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    wrong = secantus_auth_server.uri.replace(":password@", ":wrong@")
    app = run_app(env={"MONGODB_URI": wrong if fault == "wrong password" else secantus_server.uri})
    if fault != "wrong password":
        walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    if fault == "gone":
        secantus_server.kill()
    elif fault == "hanging":
        os.kill(secantus_server.pid, signal.SIGSTOP)
    try:
        assert seconds_until_refused("POST", app.url) < 2
        plain = median(seconds_until_refused("GET", app.url) for _ in range(3))
        assert median(seconds_until_refused("POST", app.url) for _ in range(3)) < plain + 0.3
    finally:
        if fault == "gone":
            secantus_server.start()
        elif fault == "hanging":
            os.kill(secantus_server.pid, signal.SIGCONT)
    if fault != "wrong password":
        walk_through_login(app.url, "ada@example.com", "Hello, Ada")


def seconds_until_refused(method: str, url: str) -> float:
    """Return after which time /login is a 503: its POST is async, and its GET plain."""
    began = time.monotonic()
    assert requests.request(method, f"{url}/login", data={"email": "ada@example.com"}).status_code == 503
    return time.monotonic() - began


def test_an_outage_is_a_503_within_two_seconds_and_over_when_the_database_is_back(
    run_app: RunApp, secantus_server: SecantusServer
) -> None:
    add_user(secantus_server.uri, "ada@example.com", "Ada")
    app = run_app(env={"MONGODB_URI": secantus_server.uri})
    browser = walk_through_login(app.url, "ada@example.com", "Hello, Ada")
    secantus_server.kill()
    try:
        for path in ("/account", "/", "/login", "/logout"):
            began = time.monotonic()
            assert browser.get(app.url + path).status_code == 503
            assert time.monotonic() - began < 2
        began = time.monotonic()
        assert requests.post(f"{app.url}/login", {"email": "ada@example.com"}).status_code == 503
        assert time.monotonic() - began < 2
    finally:
        secantus_server.start()
    assert is_logged_in(browser, app.url)
    assert app.output().count("the session store is not available: ") >= 1
    assert "the session store is back" in app.output()


def test_a_database_that_hangs_is_a_503_within_two_seconds(run_app: RunApp, secantus_server: SecantusServer) -> None:
    app = run_app(env={"MONGODB_URI": secantus_server.uri})
    assert requests.get(f"{app.url}/login").status_code == 200
    os.kill(secantus_server.pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            for method in ("GET", "POST"):
                began = time.monotonic()
                assert requests.request(method, f"{app.url}/login").status_code == 503
                assert time.monotonic() - began < 2
    finally:
        os.kill(secantus_server.pid, signal.SIGCONT)
    assert requests.get(f"{app.url}/login").status_code == 200


def test_what_a_form_or_json_sends_reaches_the_database_as_no_operator(run_app: RunApp, mongodb: MongoDBServer) -> None:
    add_user(mongodb.uri, "ada@example.com", "Ada")
    with MongoClient[dict[str, Any]](mongodb.uri) as client:
        client.test.users.insert_one({"name": "one without an address"})
        client.test.users.insert_one({"email": "None", "name": "whom nobody means that sends nothing"})
    app = run_app(env={"MONGODB_URI": mongodb.uri})
    for form in ("email[$ne]=", "email[$gt]=", "email=a&email=b", "email[]=ada@example.com", "", "email=%24ne"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(f"{app.url}/login", form, headers=headers, allow_redirects=False)
        assert answer.status_code == 401, form
    for value in ({"email": {"$ne": None}}, {"email": None}, ["email"]):
        answer = requests.post(f"{app.url}/login", json=value, allow_redirects=False)
        assert answer.status_code == 401, value
    answer = requests.post(f"{app.url}/login", {"name": "Ada"}, allow_redirects=False)
    assert answer.status_code == 401
    assert 'value="None"' not in answer.text


def test_a_cookie_that_we_did_not_sign_is_a_new_session_and_no_error(run_app: RunApp, mongodb: MongoDBServer) -> None:
    app = run_app(env={"MONGODB_URI": mongodb.uri, "SESSION_SECRET": "ours"})
    other = run_app(env={"MONGODB_URI": mongodb.uri, "SESSION_SECRET": "theirs"})
    foreign = requests.get(other.url).cookies[COOKIE]
    ours = requests.get(app.url).cookies[COOKIE]
    sid, _, mark = ours.rpartition(".")
    bad = ["", "s%3A", "s%3A.", "%", "j%3A%7B", foreign, sid, f"{sid}x.{mark}", f"{sid}.{mark[:-3]}AAA", "x" * 3000]
    for value in [*bad, "s%3A%00.%00", "s%3A%ED%A0%80.x", '"', "s:a.b\xff"]:
        answer = requests.get(f"{app.url}/account", headers={"Cookie": f"{COOKIE}={value}"}, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/login"), value
        assert answer.cookies[COOKIE] != value
    same = requests.get(f"{app.url}/account", headers={"Cookie": f"{COOKIE}={ours}"}, allow_redirects=False)
    assert "Set-Cookie" not in same.headers


def test_users_at_the_same_time_never_see_each_other(run_app: RunApp, mongodb: MongoDBServer) -> None:
    emails = [f"user{number}@example.com" for number in range(50)]
    with MongoClient[dict[str, Any]](mongodb.uri) as client:
        client.test.users.insert_many([{"email": email, "name": f"Name of {email}."} for email in emails])
    app = run_app(env={"MONGODB_URI": mongodb.uri})

    def visit(email: str) -> list[str]:
        browser = requests.Session()
        browser.post(f"{app.url}/login", {"email": email})
        return [browser.get(f"{app.url}/account").text for _ in range(3)]

    with ThreadPoolExecutor(8) as threads:
        pages = dict(zip(emails, threads.map(visit, emails), strict=True))
    for email, seen in pages.items():
        for page in seen:
            assert [other for other in emails if f"Name of {other}." in page] == [email]


@pytest.fixture
def node_app(run_app: RunApp, node_reference: Path) -> Callable[[dict[str, str]], App]:
    def run(env: dict[str, str]) -> App:
        return run_app(argv=["node", "tutorial.js"], cwd=node_reference, env=env)

    return run


def test_a_login_in_node_or_in_python_is_one_in_both(
    run_app: RunApp, node_app: Callable[[dict[str, str]], App], mongodb: MongoDBServer
) -> None:
    add_user(mongodb.uri, "ada@example.com", "Ada")
    env = {"MONGODB_URI": mongodb.uri, "SESSION_SECRET": "one secret for both"}
    ours, theirs = run_app(env=env), node_app(env)
    for first, second in ((ours, theirs), (theirs, ours)):
        browser = requests.Session()
        browser.post(f"{first.url}/login", {"email": "ada@example.com"})
        assert "Ada" in browser.get(f"{second.url}/account", allow_redirects=False).text
        assert is_logged_in(browser, first.url)

        browser.get(f"{second.url}/logout", allow_redirects=False)
        assert not is_logged_in(browser, first.url)
        assert not is_logged_in(browser, second.url)
