"""The path and the query of a request's target, and what of it a WSGI server has taken off."""

from __future__ import annotations

import pytest

from miniexpress.http.request_target import origin_of, rebuild_target, split_mount, split_target


@pytest.mark.parametrize(
    ("target", "origin", "path", "query"),
    [
        ("/a?b?c#d", "", "/a", "b?c"),
        ("http://host/a?b", "http://host", "/a", "b"),
        ("http://host?b", "http://host", "/", "b"),
        ("/go?to=http://host/a", "", "/go", "to=http://host/a"),
        ("//host/a", "", "//host/a", ""),
        ("*", "", "*", ""),
    ],
)
def test_a_target_has_origin_path_and_query(target: str, origin: str, path: str, query: str) -> None:
    assert origin_of(target) == origin
    assert split_target(target) == (path, query)


@pytest.mark.parametrize(
    ("mount", "target", "base_and_rest"),
    [
        ("/old", "/old/a?b", ("/old", "/a?b")),
        ("/old", "/old", ("/old", "/")),
        ("/old", "/old?b", ("/old", "/?b")),
        ("/old", "http://host/old/a", ("/old", "http://host/a")),
        ("/a b", "/a%20b/c", ("/a%20b", "/c")),
        ("/a%2fb", "/a%2Fb/c", ("/a%2Fb", "/c")),  # as gunicorn has it
        ("/\xc3\xbc", "/%C3%BC/c", ("/%C3%BC", "/c")),
    ],
)
def test_a_target_is_split_behind_its_mount_as_it_was_sent(
    mount: str, target: str, base_and_rest: tuple[str, str]
) -> None:
    assert split_mount(mount, target, {}) == base_and_rest


def test_a_mount_that_a_proxy_took_off_is_the_base_of_the_whole_target() -> None:
    assert split_mount("/old", "/a%20b", {"PATH_INFO": "/a b"}) == ("/old", "/a%20b")


def test_behind_a_mount_that_the_target_does_not_begin_with_is_the_path_of_the_environ() -> None:
    environ = {"SCRIPT_NAME": "/old", "PATH_INFO": "/a b", "QUERY_STRING": "c"}
    assert split_mount("/old", "/older/x", environ) == ("/old", "/a%20b?c")


def test_a_target_is_rebuilt_of_an_environ_without_one() -> None:
    assert rebuild_target({"SCRIPT_NAME": "/old", "PATH_INFO": "/\xc3\xbc", "QUERY_STRING": "b"}) == "/old/%C3%BC?b"
    assert rebuild_target({}) == "/"
