"""No path leads out of the folder, and nothing but regular files is sent. Held for ``static`` and ``res.send_file``."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest

from miniexpress.middleware.static import static
from tests.support.served_folder import (
    DIGITS,
    SECRET,
    app_with,
    ask,
    call,
    sending,
)
from tests.support.waiting import processor_time

Serve = Callable[..., str]
pytestmark = pytest.mark.usefixtures("production")


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
        response = ask(serve(app_with(static(root, dotfiles=dotfiles))), target)
        assert response.status == 404
        assert SECRET not in response.body


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


def test_a_symbolic_link_that_leaves_the_root_is_a_404(root: Path, serve: Serve) -> None:
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


def test_a_symbolic_link_that_stays_in_the_root_is_followed(root: Path, serve: Serve) -> None:
    (root / "docs" / "digits").symlink_to(root / "digits.txt")
    (root / "alias").symlink_to("docs")
    url = serve(app_with(static(root)))
    assert ask(url, "/docs/digits").body == DIGITS
    assert ask(url, "/alias/page.html").body == b"<p>page"
    assert ask(url, "/alias").headers["location"] == "/alias/"


def test_a_root_that_is_a_symbolic_link_may_be_replaced_while_it_is_served(root: Path, serve: Serve) -> None:
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


def test_a_symbolic_link_that_is_replaced_during_a_request_shows_nothing_outside_of_the_root(root: Path) -> None:
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


def test_send_file_cannot_leave_its_root(root: Path, serve: Serve) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    for path, status in (("../secret.txt", 403), ("docs/../../secret.txt", 403), ("link.txt", 404), ("a\0b", 400)):
        response = ask(serve(sending(path, root=root)), "/")
        assert (response.status, SECRET in response.body) == (status, False)


def test_send_file_without_a_root_follows_symbolic_links_and_refuses_dot_dot(root: Path, serve: Serve) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    assert ask(serve(sending(root / "link.txt")), "/").body == SECRET
    assert ask(serve(sending(f"{root}/docs/../digits.txt")), "/").status == 403


def test_a_fifo_is_a_404_and_does_not_block(root: Path, serve: Serve) -> None:
    os.mkfifo(root / "fifo.txt")
    (root / "page.html").symlink_to(root / "fifo.txt")
    started = time.monotonic()
    url = serve(app_with(static(root, index="fifo.txt", extensions="html")))
    for target in ("/fifo.txt", "/", "/page"):
        assert ask(url, target).status == 404
    assert ask(serve(sending(root / "fifo.txt")), "/").status == 404
    assert time.monotonic() - started < 5


def test_a_request_for_a_fifo_does_not_unblock_its_writer(root: Path, serve: Serve) -> None:
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


def test_devices_and_sockets_are_a_404(root: Path, serve: Serve) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root)  # a socket's path has room for 108 characters only
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        assert ask(serve(app_with(static(root))), "/socket").status == 404
    assert ask(serve(app_with(static("/dev"))), "/zero").status == 404


def test_names_that_no_file_can_have_are_a_404(root: Path, serve: Serve) -> None:
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


def test_a_file_without_read_permission_is_a_500(serve: Serve) -> None:
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
