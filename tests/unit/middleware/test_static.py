"""``static``: options, redirects and methods. That responses are Express's, to the byte, tests/conformance holds."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from miniexpress.middleware.static import static
from tests.support.served_folder import (
    ETAG,
    THEN,
    app_with,
    ask,
)

Serve = Callable[..., str]
pytestmark = pytest.mark.usefixtures("production")


def test_a_file_is_not_sent_over_an_ended_response(root: Path, serve: Serve) -> None:
    def respond_first(req: Any, res: Any, next: Any) -> None:
        res.type("html").send("first")
        next()

    response = ask(serve(app_with(respond_first, static(root))), "/digits.txt")
    assert (response.status, response.body) == (200, b"first")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_a_redirect_stays_on_this_host(root: Path, serve: Serve) -> None:
    url = serve(app_with(static(root)))
    for target, location in (
        ("/docs", "/docs/"),
        ("/docs?a=<b>", "/docs/?a=%3Cb%3E"),
        ("//docs", "/docs/"),
        ("//evil.example/%2e%2e", "/evil.example/%2e%2e/"),
        ("/\\evil.example/%2e%2e", "/evil.example/%2e%2e/"),
    ):
        response = ask(url, target)
        assert (response.status, response.headers["location"]) == (301, location)
        assert b"Redirecting to " in response.body
        assert b"<b>" not in response.body


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
def test_options_of_static(
    options: dict[str, Any], target: str, expected: dict[str, Any], root: Path, serve: Serve
) -> None:
    response = ask(serve(app_with(static(root, **options))), target)
    seen = response.headers | {"status": response.status}
    assert {name: seen.get(name) for name in expected} == expected


def test_set_headers_is_called_with_response_path_and_stat(root: Path, serve: Serve) -> None:
    def set_headers(res: Any, path: str, stat: os.stat_result) -> None:
        res.set({"X-File": f"{Path(path).name} {stat.st_size}", "Content-Type": "image/x-own", "ETag": '"own"'})

    url = serve(app_with(static(root, set_headers=set_headers)))
    response = ask(url, "/digits.txt")
    assert [response.headers[n] for n in ("x-file", "content-type", "etag")] == [
        "digits.txt 10",
        "image/x-own",
        '"own"',
    ]
    assert ask(url, "/digits.txt", {"If-None-Match": '"own"'}).status == 304


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_other_methods_fall_through_or_are_refused(method: str, root: Path, serve: Serve) -> None:
    through = serve(app_with(static(root), lambda req, res: res.send("fell through")))
    assert ask(through, "/digits.txt", method=method).body == b"fell through"
    refused = ask(serve(app_with(static(root, fallthrough=False))), "/digits.txt", method=method)
    assert (refused.status, refused.headers["allow"], refused.body) == (405, "GET, HEAD", b"")


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
def test_a_wrong_option_raises_a_type_error_that_names_what_is_right(
    arguments: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        static(*arguments, **options)


def test_a_folder_that_is_not_there_is_warned_of_where_it_is_named(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="sends nothing as long as there is no folder") as warned:
        static(tmp_path / "pubic")
    assert warned[0].filename == __file__
