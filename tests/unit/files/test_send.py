"""Files as responses: large ones, ranges, conditions, and the options of ``res.send_file``.

tests/conformance holds that the responses are Express's, to the byte.
"""

from __future__ import annotations

import os
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from miniexpress import HTTPError
from miniexpress.files.conditions import Conditions
from miniexpress.files.file_finder import IsDirectory
from miniexpress.files.send import open_file
from miniexpress.middleware.static import static
from tests.support.served_folder import (
    AFTER,
    BEFORE,
    DIGITS,
    ETAG,
    THEN,
    app_with,
    ask,
    sending,
)
from tests.support.waiting import wait_for

Serve = Callable[..., str]
pytestmark = pytest.mark.usefixtures("production")


@pytest.fixture
def big(root: Path) -> Path:
    """A file of 50 MB that takes no room on the disk."""
    big = root / "big.bin"
    with big.open("wb") as file:
        file.truncate(50_000_000)
    return big


def is_open(path: Path) -> bool:
    """Return whether this process has a file open."""
    return any(_target(link) == str(path.resolve()) for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is open can be seen on Linux only")


@pytest.mark.parametrize(
    ("request_headers", "status", "body", "error"),
    [
        ({}, 200, DIGITS, None),
        ({"Range": "bytes=2-4"}, 206, b"234", None),
        ({"Range": "bytes=2-4", "If-Range": '"other"'}, 200, DIGITS, None),
        ({"Range": "bytes=10-"}, 416, b"", 416),
        ({"If-None-Match": ETAG}, 304, b"", None),
        ({"If-Match": '"other"'}, 412, b"", 412),
    ],
)
def test_build_needs_only_the_file_and_the_conditions(
    request_headers: dict[str, str], status: int, body: bytes, error: int | None, root: Path
) -> None:
    file, options = open_file("digits.txt", True, root=root)
    with file.handle:
        response = options.response_for(file, Conditions("GET", 200, request_headers.get, lambda name: None))
    assert (response.status, response.body, response.error and response.error.status) == (status, body, error)
    assert response.headers["ETag"] == ETAG


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


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_connection_off(big: Path, root: Path, serve: Serve) -> None:
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


def test_middleware_can_set_headers_after_a_file_was_ended(big: Path, root: Path, serve: Serve) -> None:
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
    response = ask(serve(app_with(lambda req, res: res.end(iter([b"one ", b"two"])))), "/")
    assert (response.body, response.headers["transfer-encoding"]) == (b"one two", "chunked")


@pytest.mark.parametrize(("method", "status", "expected"), [("HEAD", 200, 200), ("GET", 304, 304), ("GET", 500, 500)])
def test_pieces_that_are_not_sent_are_closed_unread(method: str, status: int, expected: int, serve: Serve) -> None:
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
def test_range_requests(
    asked: str, status: int, content_range: str | None, body: bytes | None, root: Path, serve: Serve
) -> None:
    seen: list[Any] = []

    def on_error(err: Any, req: Any, res: Any, next: Any) -> None:
        seen.append((err.status, err.headers))
        res.status(err.status).set(err.headers).send("")

    response = ask(serve(app_with(static(root), on_error)), "/digits.txt", {"Range": asked})
    assert (response.status, response.headers.get("content-range")) == (status, content_range)
    if body is None:
        assert seen == [(416, {"Content-Range": "bytes */10"})]
    else:
        assert response.body == body
        assert response.headers["content-length"] == str(len(body))


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
def test_conditional_requests(headers: dict[str, str], status: int, root: Path, serve: Serve) -> None:
    response = ask(serve(app_with(static(root))), "/digits.txt", headers)
    assert response.status == status
    if status == 304:
        assert response.body == b""
        assert response.headers["etag"] == ETAG
        assert not {"content-type", "content-length"} & response.headers.keys()


def test_head_has_the_header_fields_of_get_and_no_body(root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    head, get = ask(url, "/digits.txt", method="HEAD"), ask(url, "/digits.txt")
    assert head.body == b""
    assert head._replace(headers=head.headers | {"date": ""}).headers == get.headers | {"date": ""}


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


def test_the_error_for_a_missing_file_names_it_in_the_log_but_not_to_the_client(root: Path, serve: Serve) -> None:
    errors: list[HTTPError] = []

    def on_error(err: Any, req: Any, res: Any, next: Any) -> None:
        errors.append(err)
        next(err)

    app = app_with(lambda req, res: res.send_file("none.txt", root=root), on_error)
    assert str(root).encode() not in ask(serve(app), "/").body
    [error] = errors
    assert (error.status, error.expose) == (404, False)
    assert str(error) == f"ENOENT: no such file or directory, open '{root}/none.txt'"


def test_open_file_raises_is_directory_for_a_folder(root: Path) -> None:
    with pytest.raises(IsDirectory) as caught:
        open_file("docs", True, root=root)
    assert (caught.value.status, caught.value.__dict__["code"]) == (404, "EISDIR")


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
def test_send_file_raises_a_type_error_for_a_wrong_path_or_option(
    path: Any, options: dict[str, Any], words: str, serve: Serve
) -> None:
    refusals: list[BaseException] = []

    def handler(req: Any, res: Any) -> None:
        with pytest.raises(TypeError, match=words) as caught:
            res.send_file(path, **options)
        refusals.append(caught.value)
        res.send("")

    ask(serve(app_with(handler)), "/")
    assert refusals
