"""``static``, ``send_file`` and ``content_disposition``: what Express has no case for, what it does not guard against,
and every option. That it answers as Express does, to the byte, tests/conformance holds."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest

from miniexpress import HTTPError, express
from miniexpress.files.send import send_file
from miniexpress.http.headers import content_disposition
from miniexpress.middleware.static import static
from tests.support.waiting import processor_time, wait_for

SECRET = b"not for you"
DIGITS = b"0123456789"
MODIFIED = 1704164645  # 2024-01-02 03:04:05 GMT
THEN = "Tue, 02 Jan 2024 03:04:05 GMT"
BEFORE = "Mon, 01 Jan 2024 03:04:05 GMT"
AFTER = "Wed, 03 Jan 2024 03:04:05 GMT"
ETAG = 'W/"a-18cc820d888"'

Serve = Callable[..., str]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIEXPRESS_ENV", "production")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of files, and a secret beside it."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "public"
    (root / "docs").mkdir(parents=True)
    (root / "digits.txt").write_bytes(DIGITS)
    (root / "docs" / "index.html").write_bytes(b"<p>docs")
    (root / "docs" / "page.html").write_bytes(b"<p>page")
    (root / ".hidden").write_bytes(b"hidden")
    os.utime(root / "digits.txt", (MODIFIED, MODIFIED))
    return root


@pytest.fixture
def big(root: Path) -> Path:
    """A file of 50 MB that takes no room on the disk."""
    big = root / "big.bin"
    with big.open("wb") as file:
        file.truncate(50_000_000)
    return big


def ask(url: str, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """The answer to a request for ``target``, which goes out as it stands."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, target, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def call(app: Any, target: str) -> Answer:
    """The answer to a GET, without a server between."""
    environ: dict[str, Any] = {"REQUEST_URI": target, "PATH_INFO": target, "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    body = app(environ, lambda status, headers, exc_info=None: heads.append((status, headers)))
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return Answer(int(heads[0][0][:3]), {name.lower(): value for name, value in heads[0][1]}, content)


def app_with(*middleware: Any) -> Any:
    app = express()
    app.use(*middleware)
    return app


def sending(path: Any, **options: Any) -> Any:
    return app_with(lambda req, res: send_file(res, path, **options))


def is_open(path: Path) -> bool:
    """Whether this process has a file open."""
    return any(_target(link) == str(path.resolve()) for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is open can be seen on Linux only")


# Nothing outside of the root


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%2fsecret.txt",
        "/docs/../../secret.txt",
        "/docs/%2e%2e/%2E%2E/secret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "/%252e%252e/secret.txt",
        "//../secret.txt",
        "/digits.txt/../../secret.txt",
        "/%00/../../secret.txt",
        "/../secret.txt%00.html",
        "/%c0%ae%c0%ae/secret.txt",
    ],
)
def test_no_spelling_of_a_path_leads_out_of_the_root(target: str, root: Path, serve: Serve) -> None:
    for dotfiles in ("ignore", "allow"):
        answer = ask(serve(app_with(static(root, dotfiles=dotfiles))), target)
        assert answer.status == 404
        assert SECRET not in answer.body


def test_no_absolute_path_is_served(root: Path, serve: Serve) -> None:
    secret = root.parent / "secret.txt"
    url = serve(app_with(static(root)))
    for target in (str(secret), f"/{secret}", f"//{secret}", f"/%2f{secret}", f"/docs/{secret}"):
        assert ask(url, target).status == 404


def test_no_combination_of_tricky_parts_leads_out_of_the_root(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    app = app_with(static(root, dotfiles="allow", extensions="txt"))
    parts = ("..", "%2e%2e", "%2f..", "\\", "%5c..", ".", "", "out", "docs", "%00", "%zz")
    for combination in product(parts, repeat=3):
        for name in ("secret.txt", "secret"):
            target = "/" + "/".join([*combination, name])
            assert SECRET not in call(app, target).body, target


def test_a_link_that_leaves_the_root_is_not_there(root: Path, serve: Serve) -> None:
    (root / "file.txt").symlink_to(root.parent / "secret.txt")
    (root / "relative.txt").symlink_to("../secret.txt")
    (root / "folder").symlink_to(root.parent)
    (root / "twice").symlink_to(root / "folder")
    (root.parent / "private").mkdir()
    url = serve(app_with(static(root), lambda req, res: res.status(410).send("fell through")))
    strict = serve(app_with(static(root, fallthrough=False)))
    files = ("/file.txt", "/relative.txt", "/folder/secret.txt", "/twice/secret.txt")
    for target in (*files, "/folder", "/folder/private", "/twice"):
        assert ask(url, target).body == b"fell through", target
        assert ask(strict, target).status == 404, target


def test_a_folder_beside_the_root_that_begins_with_its_name_is_outside(root: Path, serve: Serve) -> None:
    beside = root.with_name("public-not")
    beside.mkdir()
    (beside / "secret.txt").write_bytes(SECRET)
    (root / "link.txt").symlink_to(beside / "secret.txt")
    assert ask(serve(app_with(static(root))), "/link.txt").status == 404


def test_a_link_that_stays_in_the_root_is_followed(root: Path, serve: Serve) -> None:
    (root / "docs" / "digits").symlink_to(root / "digits.txt")
    (root / "alias").symlink_to("docs")
    url = serve(app_with(static(root)))
    assert ask(url, "/docs/digits").body == DIGITS
    assert ask(url, "/alias/page.html").body == b"<p>page"
    assert ask(url, "/alias").headers["location"] == "/alias/"


def test_a_root_that_is_a_link_may_be_turned_while_it_is_served(root: Path, serve: Serve) -> None:
    current, next_release = root.with_name("current"), root.with_name("next")
    url = serve(app_with(static(current)))
    assert ask(url, "/digits.txt").status == 404
    current.symlink_to(root)
    assert ask(url, "/digits.txt").body == DIGITS
    next_release.mkdir()
    (next_release / "digits.txt").write_bytes(b"new")
    current.unlink()
    current.symlink_to(next_release)
    assert ask(url, "/digits.txt").body == b"new"


def test_a_link_that_is_turned_while_it_is_looked_at_shows_nothing_of_the_outside(root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "secret.txt").write_bytes(b"harmless")
    (root / "turning").symlink_to(root / "a")
    app = app_with(static(root))
    done = threading.Event()

    def turn() -> None:
        while not done.is_set():
            for target in (root.parent, root / "a"):
                (root / "new").symlink_to(target)
                (root / "new").replace(root / "turning")

    turner = threading.Thread(target=turn)
    turner.start()
    try:
        bodies = {call(app, "/turning/secret.txt").body for _ in range(2000)}
    finally:
        done.set()
        turner.join()
    assert b"harmless" in bodies
    assert SECRET not in bodies


def test_the_same_holds_for_send_file_below_a_root(root: Path, serve: Serve) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    for path, status in (("../secret.txt", 403), ("docs/../../secret.txt", 403), ("link.txt", 404), ("a\0b", 400)):
        answer = ask(serve(sending(path, root=root)), "/")
        assert (answer.status, SECRET in answer.body) == (status, False)


def test_send_file_without_a_root_follows_links_but_takes_no_dots(root: Path, serve: Serve) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    assert ask(serve(sending(root / "link.txt")), "/").body == SECRET
    assert ask(serve(sending(f"{root}/docs/../digits.txt")), "/").status == 403


# Nothing but files


def test_a_fifo_is_not_there_and_keeps_nobody_waiting(root: Path, serve: Serve) -> None:
    os.mkfifo(root / "fifo.txt")
    (root / "page.html").symlink_to(root / "fifo.txt")
    started = time.monotonic()
    url = serve(app_with(static(root, index="fifo.txt", extensions="html")))
    for target in ("/fifo.txt", "/", "/page"):
        assert ask(url, target).status == 404
    assert ask(serve(sending(root / "fifo.txt")), "/").status == 404
    assert time.monotonic() - started < 5


def test_a_request_for_a_fifo_does_not_end_the_wait_of_who_writes_to_it(root: Path, serve: Serve) -> None:
    fifo = root / "fifo"
    os.mkfifo(fifo)
    url = serve(app_with(static(root)))
    writer = threading.Thread(target=lambda: fifo.write_bytes(b"for its reader"))
    writer.start()
    try:
        assert [ask(url, "/fifo").status for _ in range(20)] == [404] * 20
    finally:
        received = fifo.read_bytes()
        writer.join()
    assert received == b"for its reader"


def test_devices_and_sockets_are_not_there(root: Path, serve: Serve) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root)  # a socket's path has room for 108 characters only
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        assert ask(serve(app_with(static(root))), "/socket").status == 404
    assert ask(serve(app_with(static("/dev"))), "/zero").status == 404


def test_names_that_no_file_can_have_are_not_there(root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root, extensions="html")))
    for target in ("/" + "x" * 300, "/" + "x/" * 3000, "/%ff", "/%ed%a0%80", "/%00", "/digits.txt/", "/digits.txt/x"):
        assert ask(url, target).status == 404
    assert ask(serve(sending("half a pair \ud800", root=root)), "/").status == 404


def test_hostile_paths_cost_little(root: Path) -> None:
    app = app_with(static(root, extensions=("html", "txt")))
    for part in ("../", "%2e", "\\..", "/.", "%", "x/", "x"):
        target = "/" + part * (100_000 // len(part))
        assert call(app, target).status == (301 if part == "/." else 404)
        assert processor_time(lambda target=target: call(app, target), 0.2) < 0.2


def test_what_may_not_be_read_is_an_error_of_the_server(serve: Serve) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "loop").symlink_to("loop")
        (Path(folder) / "locked").mkdir(mode=0)
        (Path(folder) / "mine.txt").touch(mode=0)
        url = serve(app_with(static(folder), lambda req, res: res.send("fell through")))
        with unprivileged():
            statuses = [ask(url, target).status for target in ("/mine.txt", "/locked/x", "/loop")]
    assert statuses == [500, 500, 500]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without the rights of root, to whom nothing is forbidden."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


# Large files


def test_a_large_file_is_never_in_memory_as_a_whole(big: Path, root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    tracemalloc.start()
    try:
        connection.request("GET", "/big.bin")
        response = connection.getresponse()
        assert response.getheader("Content-Length") == "50000000"
        assert response.getheader("Transfer-Encoding") is None
        received = 0
        while piece := response.read(100_000):
            received += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        connection.close()
    assert received == 50_000_000
    assert peak < 2_000_000


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 200_000])
def test_files_of_every_size_arrive_to_the_byte(size: int, root: Path, serve: Serve) -> None:
    content = bytes(i * 7 % 251 for i in range(size))
    (root / "file.bin").write_bytes(content)
    url = serve(app_with(static(root)))
    assert ask(url, "/file.bin").body == content
    if size > 2:
        part = ask(url, "/file.bin", {"Range": f"bytes=1-{size - 2}"})
        assert (part.status, part.body) == (206, content[1:-1])


@needs_proc
def test_a_large_file_is_closed_when_it_has_been_sent(big: Path, root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    assert len(ask(url, "/big.bin").body) == 50_000_000
    wait_for(lambda: not is_open(big), "the file closed")


@needs_proc
def test_a_large_file_is_closed_when_the_client_goes_away(big: Path, root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert is_open(big)
    wait_for(lambda: not is_open(big), "the file closed")


@needs_proc
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "*"}, 304),
        ({"If-Match": '"other"'}, 412),
        ({"Range": "bytes=50000000-"}, 416),
        ({"X-Fail": "set_headers"}, 500),
        ({"X-Fail": "on_headers"}, 500),
    ],
)
def test_a_large_file_that_is_not_sent_is_closed(
    headers: dict[str, str], status: int, big: Path, root: Path, serve: Serve
) -> None:
    def set_headers(res: Any, path: str, stat: os.stat_result) -> None:
        fail = res.req.get("X-Fail")
        if fail == "set_headers":
            raise RuntimeError("as asked")
        if fail == "on_headers":
            res.on_headers(lambda: 1 // 0)

    url = serve(app_with(static(root, set_headers=set_headers)))
    assert ask(url, "/big.bin", headers).status == status
    assert ask(url, "/big.bin", method="HEAD").status == 200
    wait_for(lambda: not is_open(big), "the file closed")


def test_an_answer_that_shrinks_while_it_is_sent_is_broken_off(big: Path, root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000)
        os.truncate(big, 100_000)
        received = 0
        while piece := client.recv(1_000_000):
            received += len(piece)
    assert received < 50_000_000


def test_middleware_sees_the_answer_before_it_leaves(big: Path, root: Path, serve: Serve) -> None:
    def around(req: Any, res: Any, next: Any) -> None:
        next()
        res.set("X-Late", str(res.headers_sent))

    assert ask(serve(app_with(around, static(root))), "/big.bin").headers["x-late"] == "True"


def test_pieces_after_a_write_are_sent_and_closed(serve: Serve) -> None:
    closed = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            yield from (b"two ", b"", b"three")
        finally:
            closed.set()

    def handler(req: Any, res: Any) -> None:
        res.write("one ")
        res.end(pieces())

    assert ask(serve(app_with(handler)), "/").body == b"one two three"
    assert closed.wait(10)


def test_pieces_without_a_length_are_sent_in_chunks(serve: Serve) -> None:
    answer = ask(serve(app_with(lambda req, res: res.end(iter([b"one ", b"two"])))), "/")
    assert (answer.body, answer.headers["transfer-encoding"]) == (b"one two", "chunked")


@pytest.mark.parametrize(("method", "status", "expected"), [("HEAD", 200, 200), ("GET", 304, 304), ("GET", 500, 500)])
def test_pieces_that_are_not_wanted_are_closed_unread(method: str, status: int, expected: int, serve: Serve) -> None:
    class Pieces:
        read = closed = False

        def __iter__(self) -> Iterator[bytes]:
            self.read = True
            return iter([b"one"])

        def close(self) -> None:
            self.closed = True

    def handler(req: Any, res: Any) -> None:
        if status == 500:
            res.on_headers(lambda: 1 // 0)
        else:
            res.status(status)
        res.end(pieces)

    pieces = Pieces()
    assert ask(serve(app_with(handler)), "/", method=method).status == expected
    assert (pieces.read, pieces.closed) == (False, True)


# What a client may ask for


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        ("bytes=0-4", 206, "bytes 0-4/10", b"01234"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=-2", 206, "bytes 8-9/10", b"89"),
        ("bytes=8-99", 206, "bytes 8-9/10", b"89"),
        ("bytes=0-2,3-5", 206, "bytes 0-5/10", b"012345"),
        ("bytes=0-2,5-6", 200, None, DIGITS),
        ("bytes=x", 200, None, DIGITS),
        ("lines=1-2", 200, None, DIGITS),
        ("bytes=10-", 416, "bytes */10", None),
    ],
)
def test_ranges(
    asked: str, status: int, content_range: str | None, body: bytes | None, root: Path, serve: Serve
) -> None:
    seen: list[Any] = []

    def on_error(err: Any, req: Any, res: Any, next: Any) -> None:
        seen.append((err.status, err.headers))
        res.status(err.status).set(err.headers).send("")

    answer = ask(serve(app_with(static(root), on_error)), "/digits.txt", {"Range": asked})
    assert (answer.status, answer.headers.get("content-range")) == (status, content_range)
    if body is None:
        assert seen == [(416, {"Content-Range": "bytes */10"})]
    else:
        assert answer.body == body
        assert answer.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": THEN}, 304),
        ({"If-Modified-Since": BEFORE}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": AFTER}, 200),
        ({"If-None-Match": ETAG, "Cache-Control": "no-cache"}, 200),
        ({"If-Match": ETAG}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Unmodified-Since": THEN}, 200),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": "nonsense"}, 200),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, 200),
        ({"If-Match": '"other"', "If-None-Match": ETAG}, 412),
        ({"Range": "bytes=0-1", "If-Range": ETAG}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"other"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": THEN}, 206),
        ({"Range": "bytes=0-1", "If-Range": BEFORE}, 200),
        ({"Range": "bytes=10-", "If-Range": BEFORE}, 200),
        ({"Range": "bytes=0-1", "If-None-Match": ETAG}, 304),
    ],
)
def test_conditions(headers: dict[str, str], status: int, root: Path, serve: Serve) -> None:
    answer = ask(serve(app_with(static(root))), "/digits.txt", headers)
    assert answer.status == status
    if status == 304:
        assert answer.body == b""
        assert answer.headers["etag"] == ETAG
        assert not {"content-type", "content-length"} & answer.headers.keys()


def test_head_has_the_header_fields_of_get_and_no_body(root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    head, get = ask(url, "/digits.txt", method="HEAD"), ask(url, "/digits.txt")
    assert head.body == b""
    assert head._replace(headers=head.headers | {"date": ""}).headers == get.headers | {"date": ""}


def test_a_file_is_not_sent_over_an_answer(root: Path, serve: Serve) -> None:
    def answered(req: Any, res: Any, next: Any) -> None:
        res.type("html").send("first")
        next()

    answer = ask(serve(app_with(answered, static(root))), "/digits.txt")
    assert (answer.status, answer.body) == (200, b"first")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_redirect_stays_on_this_host(root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    for target, location in (
        ("/docs", "/docs/"),
        ("/docs?a=<b>", "/docs/?a=%3Cb%3E"),
        ("//docs", "/docs/"),
        ("//evil.example/%2e%2e", "/evil.example/%2e%2e/"),
        ("/\\evil.example/%2e%2e", "/evil.example/%2e%2e/"),
    ):
        answer = ask(url, target)
        assert (answer.status, answer.headers["location"]) == (301, location)
        assert b"Redirecting to " in answer.body
        assert b"<b>" not in answer.body


# Options


@pytest.mark.parametrize(
    ("options", "target", "expected"),
    [
        ({"accept_ranges": False}, "/digits.txt", {"accept-ranges": None, "status": 200}),
        ({"cache_control": False, "max_age": 5000}, "/digits.txt", {"cache-control": None}),
        ({"etag": False}, "/digits.txt", {"etag": None, "last-modified": THEN}),
        ({"last_modified": False}, "/digits.txt", {"etag": ETAG, "last-modified": None}),
        ({"max_age": 1500}, "/digits.txt", {"cache-control": "public, max-age=1"}),
        ({"max_age": "1d", "immutable": True}, "/digits.txt", {"cache-control": "public, max-age=86400, immutable"}),
        ({"max_age": timedelta(hours=2)}, "/digits.txt", {"cache-control": "public, max-age=7200"}),
        ({"max_age": float("inf")}, "/digits.txt", {"cache-control": "public, max-age=31536000"}),
        ({"max_age": -1}, "/digits.txt", {"cache-control": "public, max-age=0"}),
        ({}, "/.hidden", {"status": 404}),
        ({"dotfiles": "allow"}, "/.hidden", {"status": 200}),
        ({"dotfiles": "deny", "fallthrough": False}, "/.hidden", {"status": 403}),
        ({"extensions": ["htm", "html"]}, "/docs/page", {"status": 200, "content-type": "text/html; charset=utf-8"}),
        ({"extensions": "html"}, "/docs/none", {"status": 404}),
        ({"extensions": "html"}, "/docs/none/", {"status": 404}),
        ({"fallthrough": False}, "/none", {"status": 404}),
        ({"index": False}, "/docs/", {"status": 404}),
        ({"index": ["none", "page.html"]}, "/docs/", {"status": 200, "content-length": "7"}),
        ({"redirect": False}, "/docs", {"status": 404}),
        ({"redirect": False, "fallthrough": False}, "/docs", {"status": 404}),
    ],
)
def test_options(options: dict[str, Any], target: str, expected: dict[str, Any], root: Path, serve: Serve) -> None:
    answer = ask(serve(app_with(static(root, **options))), target)
    seen = answer.headers | {"status": answer.status}
    assert {name: seen.get(name) for name in expected} == expected


def test_set_headers_is_given_the_answer_the_path_and_the_stat(root: Path, serve: Serve) -> None:
    def set_headers(res: Any, path: str, stat: os.stat_result) -> None:
        res.set({"X-File": f"{Path(path).name} {stat.st_size}", "Content-Type": "image/x-own", "ETag": '"own"'})

    url = serve(app_with(static(root, set_headers=set_headers)))
    answer = ask(url, "/digits.txt")
    assert [answer.headers[n] for n in ("x-file", "content-type", "etag")] == ["digits.txt 10", "image/x-own", '"own"']
    assert ask(url, "/digits.txt", {"If-None-Match": '"own"'}).status == 304


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_methods_fall_through_or_are_refused(method: str, root: Path, serve: Serve) -> None:
    through = serve(app_with(static(root), lambda req, res: res.send("fell through")))
    assert ask(through, "/digits.txt", method=method).body == b"fell through"
    refused = ask(serve(app_with(static(root, fallthrough=False))), "/digits.txt", method=method)
    assert (refused.status, refused.headers["allow"], refused.body) == (405, "GET, HEAD", b"")


def test_send_file_takes_the_setting_etag(root: Path, serve: Serve) -> None:
    app = sending(root / "digits.txt")
    assert ask(serve(app), "/").headers["etag"] == ETAG
    app.disable("etag")
    assert "etag" not in ask(serve(app), "/").headers


def test_send_file_sends_a_part_and_its_ranges_count_from_there(root: Path, serve: Serve) -> None:
    url = serve(sending("digits.txt", root=root, start=2, end=5))
    assert ask(url, "/").body == b"2345"
    part = ask(url, "/", {"Range": "bytes=1-2"})
    assert (part.body, part.headers["content-range"]) == (b"34", "bytes 1-2/4")
    assert ask(serve(sending("digits.txt", root=root, start=20)), "/").body == b""
    assert ask(serve(sending("digits.txt", root=root, end=99)), "/").body == DIGITS


def test_the_headers_of_send_file_go_with_a_file_only(root: Path, serve: Serve) -> None:
    headers = {"X-Extra": "yes", "Cache-Control": "no-store"}
    found = ask(serve(sending("digits.txt", root=root, headers=headers)), "/")
    assert (found.headers["x-extra"], found.headers["cache-control"]) == ("yes", "no-store")
    assert "x-extra" not in ask(serve(sending("none.txt", root=root, headers=headers)), "/").headers


def test_the_error_for_a_file_that_is_missing_says_which_but_not_to_the_client(root: Path, serve: Serve) -> None:
    errors: list[HTTPError] = []

    def on_error(err: Any, req: Any, res: Any, next: Any) -> None:
        errors.append(err)
        next(err)

    app = app_with(lambda req, res: send_file(res, "none.txt", root=root), on_error)
    assert str(root).encode() not in ask(serve(app), "/").body
    [error] = errors
    assert (error.status, error.expose) == (404, False)
    assert str(error) == f"ENOENT: no such file or directory, open '{root}/none.txt'"


def test_a_folder_is_a_404_that_tells_itself_apart(root: Path, serve: Serve) -> None:
    codes: list[Any] = []

    def handler(req: Any, res: Any) -> None:
        with pytest.raises(HTTPError) as caught:
            send_file(res, "docs", root=root)
        codes.append((caught.value.status, caught.value.__dict__["code"]))
        res.send("")

    ask(serve(app_with(handler)), "/")
    assert codes == [(404, "EISDIR")]


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((), {}, "root"),
        (("",), {}, "a path, as a str or an os.PathLike"),
        ((None,), {}, "a path, as a str or an os.PathLike"),
        ((b"public",), {}, "a path, as a str or an os.PathLike"),
        (("public",), {"maxAge": 1}, "did you mean 'max_age'"),
        (("public",), {"max_age": "1 month"}, "words like '2 hours', not '1 month'"),
        (("public",), {"max_age": None}, "milliseconds"),
        (("public",), {"dotfiles": True}, "'allow', 'deny' or 'ignore', not True"),
        (("public",), {"extensions": [1]}, "'extensions' is a name, a list of names"),
        (("public",), {"index": True}, "'index' is a name, a list of names or False, not True"),
        (("public",), {"set_headers": {"X": "1"}}, r"takes a function \(res, path, stat\)"),
    ],
)
def test_a_wrong_option_is_refused_in_words_that_name_the_mend(
    arguments: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        static(*arguments, **options)


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("", {}, "takes a path"),
        ("digits.txt", {}, "an absolute path, not 'digits.txt': make it one, or give root"),
        (7, {}, "takes a path"),
        ("/digits.txt", {"etag": False}, "no option 'etag'"),
        ("/digits.txt", {"root": 5}, "root=…"),
    ],
)
def test_send_file_refuses_what_it_cannot_send(path: Any, options: dict[str, Any], words: str, serve: Serve) -> None:
    refusals: list[BaseException] = []

    def handler(req: Any, res: Any) -> None:
        with pytest.raises(TypeError, match=words) as caught:
            send_file(res, path, **options)
        refusals.append(caught.value)
        res.send("")

    ask(serve(app_with(handler)), "/")
    assert refusals


# What npm ms 2.1.3 answered, in milliseconds.
@pytest.mark.parametrize(
    ("words", "milliseconds"),
    [
        ("1d", 86400000),
        ("2 hours", 7200000),
        ("10h", 36000000),
        ("2.5 hrs", 9000000),
        ("1m", 60000),
        ("5s", 5000),
        ("100000", 100000),
        (".5m", 30000),
        ("1 D", 86400000),
        ("1 w", 604800000),
        ("9000 msec", 9000),
    ],
)
def test_max_age_in_words_is_what_ms_makes_of_it(words: str, milliseconds: int, root: Path) -> None:
    answer = call(app_with(static(root, max_age=words)), "/digits.txt")
    assert answer.headers["cache-control"] == f"public, max-age={milliseconds // 1000}"


@pytest.mark.parametrize("words", ["", " 1d", "1d ", "1e3", "1 month", "\u0663", "-"])
def test_words_that_ms_cannot_read_are_refused(words: str) -> None:
    with pytest.raises(TypeError, match="max_age"):
        static("public", max_age=words)


# What npm content-disposition 2.0.1 answered.
@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (None, "attachment"),
        ("", 'attachment; filename=""'),
        ("plans.pdf", "attachment; filename=plans.pdf"),
        ("the plans.pdf", 'attachment; filename="the plans.pdf"'),
        ('the "plans".pdf', r'attachment; filename="the \"plans\".pdf"'),
        ("a\\b.txt", r'attachment; filename="a\\b.txt"'),
        ("\u20ac rates.pdf", "attachment; filename=\"? rates.pdf\"; filename*=UTF-8''%E2%82%AC%20rates.pdf"),
        ("\xa3.txt", "attachment; filename=\"?.txt\"; filename*=UTF-8''%C2%A3.txt"),
        ("the%20plans.pdf", "attachment; filename=the%20plans.pdf; filename*=UTF-8''the%2520plans.pdf"),
        ("100%.txt", "attachment; filename=100%.txt"),
        ("50%aa.txt", "attachment; filename=50%aa.txt; filename*=UTF-8''50%25aa.txt"),
        ("a\nb.txt", "attachment; filename=\"a?b.txt\"; filename*=UTF-8''a%0Ab.txt"),
        ("\U0001f600.png", "attachment; filename=\"??.png\"; filename*=UTF-8''%F0%9F%98%80.png"),
        ("na\xefve(1)*.txt", "attachment; filename=\"na?ve(1)*.txt\"; filename*=UTF-8''na%C3%AFve%281%29%2A.txt"),
        ("it's;ok.txt", 'attachment; filename="it\'s;ok.txt"'),
        ("x~!y \xe9", "attachment; filename=\"x~!y ?\"; filename*=UTF-8''x~!y%20%C3%A9"),
    ],
)
def test_content_disposition_is_that_of_the_npm_package(filename: str | None, expected: str) -> None:
    assert content_disposition(filename) == expected


def test_content_disposition_takes_any_text_and_nothing_else() -> None:
    assert content_disposition("not utf-8 \udcff").endswith("filename*=UTF-8''not%20utf-8%20%3F")
    with pytest.raises(TypeError, match="filename must be a string, not 5"):
        content_disposition(5)  # type: ignore[arg-type]
