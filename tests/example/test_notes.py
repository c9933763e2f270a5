"""The notes app as a visitor, a script and an attacker meet it, over HTTP."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from httpx import Client, Response

from miniexpress.server import serving
from tests.example.app import MAX_FILE_SIZE, SCRYPT, make_app, session_store
from tests.support.mongodb_servers import SecantusServer

FRIEND = "https://app.notes.example"
STRANGER = "https://stranger.example"

File = tuple[str, bytes] | tuple[str, bytes, str]  # its name, its bytes, and its type


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCRYPT, "n", 2)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with serving(make_app(tmp_path, api_origin=FRIEND)) as url:
        yield url


@pytest.fixture
def visitor(url: str) -> Iterator[Client]:
    with Client(base_url=url, follow_redirects=True, timeout=30) as client:
        yield client


@pytest.fixture
def ada(visitor: Client) -> Client:
    sign_up(visitor, "Ada")
    return visitor


@pytest.fixture
def eve(url: str) -> Iterator[Client]:
    with Client(base_url=url, follow_redirects=True, timeout=30) as client:
        sign_up(client, "Eve")
        yield client


def token_of(page: Response) -> str:
    return str(re.findall('name="csrf" value="([^"]+)"', page.text)[0])


def submit(client: Client, path: str, *, page: str, file: File | None = None, **fields: str) -> Response:
    """Send a form as the browser does that shows ``page``, with the token that is in it."""
    return client.post(path, data={"csrf": token_of(client.get(page)), **fields}, files=file and {"file": file})


def sign_up(client: Client, name: str) -> Response:
    return submit(client, "/signup", page="/login", name=name, password="correct horse")


def log_out(client: Client) -> Response:
    return submit(client, "/logout", page="/notes")


def add(client: Client, title: str, text: str = "", file: File | None = None) -> Response:
    return submit(client, "/notes", page="/notes", title=title, text=text, file=file)


def kept_files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "files").iterdir())


# The login


def test_who_is_not_logged_in_is_sent_to_the_login(visitor: Client) -> None:
    for path in ("/", "/notes", "/NOTES", "/notes/1", "/notes/1/file"):
        assert visitor.get(path).url.path == "/login"


def test_login_with_the_password_shows_the_notes(ada: Client) -> None:
    assert "You are logged out." in log_out(ada).text
    assert ada.get("/notes").url.path == "/login"
    answer = submit(ada, "/login", page="/login", name="Ada", password="correct horse")
    assert answer.url.path == "/notes"
    assert "Welcome, Ada." in answer.text


def test_login_with_a_wrong_password_is_422_and_shows_the_form_again(ada: Client) -> None:
    log_out(ada)
    for name in ("Ada", "nobody"):
        answer = submit(ada, "/login", page="/login", name=name, password="battery staple")
        assert answer.status_code == 422
        assert "The name or the password is wrong." in answer.text
        assert f'value="{name}"' in answer.text
        assert "battery staple" not in answer.text


def test_signup_with_a_wrong_name_or_password_or_a_taken_name_is_422(ada: Client) -> None:
    log_out(ada)
    for name, password in (("", "long enough"), ("a b", "long enough"), ("Bob", "short"), ("Ada", "long enough")):
        answer = submit(ada, "/signup", page="/login", name=name, password=password)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


def test_login_changes_the_session_id_and_the_csrf_token(visitor: Client) -> None:
    token = token_of(visitor.get("/login"))
    cookie = visitor.cookies["connect.sid"]
    sign_up(visitor, "Ada")
    assert visitor.cookies["connect.sid"] != cookie
    assert visitor.post("/logout", data={"csrf": token}).status_code == 403


def test_a_login_outlives_the_program_with_mongodb(
    tmp_path: Path, secantus_server: SecantusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URI", secantus_server.uri)
    with Client(follow_redirects=True, timeout=30) as ada:
        for run in ("first", "second"):
            with serving(make_app(tmp_path, session_store(), secret="something long")) as url:
                ada.base_url = url
                if run == "first":
                    sign_up(ada, "Ada")
                assert ada.get("/notes").url.path == "/notes"


# Notes


def test_a_flash_message_is_shown_once(ada: Client) -> None:
    page = add(ada, "Milk")
    assert "Your note is saved." in page.text
    assert "Your note is saved." not in ada.get(page.url).text


def test_a_wrong_note_is_422_and_shown_again_with_what_was_typed(ada: Client) -> None:
    for title, text, error in (
        (" ", "typed", "Enter a title"),
        ("typed" * 17, "", "Enter a title"),
        ("Milk", "typed" * 2001, "Enter a text"),
    ):
        answer = add(ada, title, text)
        assert answer.status_code == 422
        assert error in answer.text
        assert "typed" in answer.text
    assert ada.get("/api/notes").json() == []


def test_html_in_a_note_is_shown_as_text(ada: Client) -> None:
    attack = "</title></textarea><script>alert(1)</script>\"'"
    saved = add(ada, attack, attack, file=(attack, b""))
    shown_again = add(ada, attack * 10, attack)
    for page in (saved, ada.get("/notes"), shown_again):
        assert "<script" not in page.text
        assert "&lt;script" in page.text


def test_a_note_of_somebody_else_is_a_404(ada: Client, eve: Client) -> None:
    path = add(ada, "Milk", file=("list.txt", b"data")).url.path
    assert eve.get(path).status_code == 404
    assert eve.get(f"{path}/file").status_code == 404
    assert submit(eve, f"{path}/delete", page="/notes").status_code == 404
    assert eve.get(f"/api{path}").status_code == 404
    assert eve.delete(f"/api{path}").status_code == 404
    assert "Milk" not in eve.get("/notes").text
    assert "Milk" in ada.get(path).text


def test_a_form_without_the_token_of_its_visitor_is_a_403(ada: Client) -> None:
    for token in ("", "wrong", "é", token_of(httpx.get(ada.base_url.join("/login")))):
        form = {"csrf": token, "title": "Milk"}
        assert ada.post("/notes", data=form).status_code == 403
        assert ada.post("/notes", data=form, files={"file": ("a", b"data")}).status_code == 403
    assert ada.get("/api/notes").json() == []


# Files


def test_a_file_is_downloaded_as_it_was_uploaded(ada: Client) -> None:
    data = bytes(range(256)) * 100
    page = add(ada, "Milk", file=("résumé.bin", data))
    assert "résumé.bin" in page.text
    download = ada.get(f"{page.url.path}/file")
    assert download.content == data
    assert download.headers["Content-Disposition"].endswith("; filename*=UTF-8''r%C3%A9sum%C3%A9.bin")


def test_an_uploaded_page_is_saved_by_the_browser_and_not_shown(ada: Client) -> None:
    page = add(ada, "Page", file=("page.html", b"<script>alert(1)</script>", "text/html"))
    download = ada.get(f"{page.url.path}/file")
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert download.headers["X-Content-Type-Options"] == "nosniff"


def test_the_name_of_an_upload_leads_nowhere(ada: Client, tmp_path: Path) -> None:
    names = ["../../escaped", "..\\..\\escaped", "/tmp/escaped", "a\0b", "a\r\nSet-Cookie: b=1", "x" * 5000]
    for name in names:
        page = add(ada, "Path", file=(name, b"data"))
        download = ada.get(f"{page.url.path}/file")
        assert download.content == b"data"
        assert "/" not in download.headers["Content-Disposition"]
        assert "Set-Cookie" not in download.headers
    kept = kept_files(tmp_path)
    assert len(kept) == len(names)
    assert all(re.fullmatch("[0-9a-f]{64}", file.name) for file in kept)


@pytest.mark.parametrize("size", [MAX_FILE_SIZE + 1, 30 * MAX_FILE_SIZE])
def test_a_too_large_file_is_422_and_kept_nowhere(ada: Client, tmp_path: Path, size: int) -> None:
    answer = add(ada, "Typed", file=("big", b"x" * size))
    assert answer.status_code == 422
    assert "Choose one file of 1 MiB at most." in answer.text
    assert 'value="Typed"' in answer.text
    assert kept_files(tmp_path) == []


def test_a_wrong_note_leaves_no_file(ada: Client, tmp_path: Path) -> None:
    assert add(ada, "", file=("a", b"data")).status_code == 422
    assert kept_files(tmp_path) == []


def test_a_deleted_note_takes_its_file_along(ada: Client, tmp_path: Path) -> None:
    path = add(ada, "Milk", file=("a", b"data")).url.path
    assert "Your note is deleted." in submit(ada, f"{path}/delete", page=path).text
    assert ada.get(path).status_code == 404
    assert kept_files(tmp_path) == []


# The API


def test_the_api_adds_reads_and_deletes_notes(ada: Client) -> None:
    added = ada.post("/api/notes", json={"title": "Milk", "text": "two"})
    assert added.status_code == 201
    path = added.headers["Location"]
    assert ada.get(path).json() == added.json() == {"id": 1, "title": "Milk", "text": "two", "filename": None}
    assert ada.get("/api/notes").json() == [added.json()]
    assert ada.delete(path).status_code == 204
    assert ada.get(path).json() == {"error": "You have no such note."}


def test_a_wrong_note_is_a_422_of_the_api(ada: Client) -> None:
    wrong: list[object] = [{}, [], {"title": 1}, {"title": ["a"]}, {"title": "", "text": {}}]
    for note in wrong:
        answer = ada.post("/api/notes", json=note)
        assert answer.status_code == 422
        assert "title" in answer.json()["errors"]


def test_half_of_a_surrogate_pair_in_a_note_is_a_question_mark(ada: Client) -> None:
    json = {"Content-Type": "application/json"}
    assert ada.post("/api/notes", content=rb'{"title": "\ud800"}', headers=json).json()["title"] == "?"


def test_errors_of_the_api_are_json(ada: Client, url: str) -> None:
    for method, path, status in (
        ("GET", "/api/missing", 404),
        ("GET", "/api/notes/0", 404),
        ("GET", "/api/notes/%FF", 400),
        ("POST", "/api/notes", 415),
    ):
        answer = ada.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"]
    assert httpx.get(f"{url}/api/notes").json() == {"error": "Log in first."}


def test_the_api_lets_one_other_origin_in(ada: Client) -> None:
    for origin in (FRIEND, STRANGER):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        for answer in (
            ada.get("/api/notes", headers={"Origin": origin}),
            ada.options("/api/notes/1", headers=preflight),
        ):
            assert answer.headers["Access-Control-Allow-Origin"] == FRIEND


def test_the_api_lets_no_other_origin_in_by_default(tmp_path: Path) -> None:
    with serving(make_app(tmp_path)) as url:
        answer = httpx.get(f"{url}/api/notes", headers={"Origin": STRANGER})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_form_of_another_origin_cannot_write_by_the_api(ada: Client) -> None:
    note = '{"title": "Milk"}'
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/plain"):
        assert ada.post("/api/notes", content=note, headers={"Content-Type": media_type}).status_code == 415


# What the package's middleware adds


def test_static_files_are_cached_and_none_is_outside_of_their_folder(visitor: Client) -> None:
    assert visitor.get("/public/style.css").headers["Cache-Control"] == "public, max-age=3600"
    assert visitor.get("/public/..%2fapp.py").status_code == 404


def test_the_api_is_compressed_and_pages_are_not(ada: Client) -> None:
    page = add(ada, "Milk", "text" * 1000)
    assert "Content-Encoding" not in page.headers
    assert ada.get("/api/notes").headers["Content-Encoding"] == "gzip"


def test_pages_have_security_headers(visitor: Client) -> None:
    for path in ("/login", "/missing"):
        answer = visitor.get(path)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "X-Powered-By" not in answer.headers


def test_the_log_has_a_line_for_each_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "miniexpress.access"), serving(make_app(tmp_path)) as url:
        httpx.get(f"{url}/missing")
    assert "GET /missing 404" in caplog.text
