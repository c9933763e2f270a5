"""The router's index only narrows the search: every layer that matches a path is found, in the order of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miniexpress import HTTPError, Router, express
from miniexpress.routing.prefix_index import PrefixIndex

# U+017F is a letter that patterns take for an s, and lower() does not.
SEGMENTS = st.sampled_from(["a", "A", "b", "ab", ":x", "a:x", ":x-a", "{a}", "*w", "a{b}", "é", "\u017f", "\\*", ""])
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda segments: "/" + "/".join(segments))
PATHNAMES = st.lists(st.sampled_from(["a", "A", "b", "AB", "é", "É", "s", "S", "*", "%zz", ""]), max_size=5).map(
    lambda segments: "/" + "/".join(segments)
)


@pytest.mark.filterwarnings("ignore:no request matches")
@given(
    paths=st.lists(st.tuples(PATHS, st.booleans()), max_size=6),
    pathname=PATHNAMES | st.sampled_from(["*", "a", "//a", "/a/", "/s", "/\u017f"]),
    options=st.fixed_dictionaries({"case_sensitive": st.booleans(), "strict": st.booleans()}),
)
def test_every_layer_that_matches_is_found_in_order(
    paths: list[tuple[str, bool]], pathname: str, options: dict[str, bool]
) -> None:
    router = Router(**options)
    for path, is_mount in paths:
        try:
            if is_mount:
                router.use(path, lambda req, res: None)
            else:
                router.route(path)
        except ValueError:  # two captures with nothing between them
            continue
    matching = [place for place, layer in enumerate(router.stack) if matches(layer, pathname)]
    places = list(PrefixIndex(router.stack).candidates(pathname))
    assert [place for place in places if place in matching] == matching
    assert places == sorted(set(places))


def matches(layer: Any, pathname: str) -> bool:
    """Return whether a layer has to be tried: one that cannot decode its parameter is an error, and counts."""
    try:
        return layer.match(pathname) is not None
    except HTTPError:
        return True


@pytest.mark.parametrize("form", ["/r{}", "/api/v1/r{}", "/api/r{}/:id", "/R{}/*rest", "/r{}{{/:id}}"])
def test_a_request_tries_few_of_a_thousand_routes(form: str) -> None:
    router = Router()
    for number in range(1000):
        router.get(form.format(number), lambda req, res: None)
    pathname = form.format(999).replace(":id", "5").replace("*rest", "5/6").replace("{/5}", "/5")
    assert list(PrefixIndex(router.stack).candidates(pathname)) == [999]


def test_a_layer_that_is_added_while_a_request_is_under_way_is_found_by_it() -> None:
    app, seen = express(), []

    @app.use
    def add(req: Any, res: Any, next: Any) -> None:
        if len(app.stack) == 1:
            app.get("/late/:id", lambda req, res: res.send(seen.append(req.params.id)))
        next()

    environ = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/late/1", "wsgi.url_scheme": "http"}
    list(app(environ, lambda status, headers: lambda data: None))
    assert seen == ["1"]


def test_a_layer_behind_a_changed_url_is_found_by_the_new_one() -> None:
    app, seen = express(), []
    app.get("/new/first", lambda req, res, next: seen.append("first") or next())

    @app.use("/old")
    def rewrite(req: Any, res: Any, next: Any) -> None:
        req.url = "/x"
        next()

    @app.use
    def rewrite_all(req: Any, res: Any, next: Any) -> None:
        seen.append(req.url)
        req.url = "/new/second"
        next()

    app.get("/new/second", lambda req, res: res.send(seen.append("second")))
    environ = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/old/y", "wsgi.url_scheme": "http"}
    list(app(environ, lambda status, headers: lambda data: None))
    assert seen == ["/old/x", "second"]


def test_next_goes_on_from_its_own_layer_though_another_url_was_walked_meanwhile() -> None:
    app, seen = express(), []

    @app.use
    def twice(req: Any, res: Any, next: Any) -> None:
        next()
        next()

    app.get("/a", lambda req, res, next: seen.append("a") or next())

    @app.use
    def rewrite(req: Any, res: Any, next: Any) -> None:
        req.url = "/b"
        next()

    app.get("/b", lambda req, res: seen.append("b") or (res.ended or res.send("b")))
    environ = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/a", "wsgi.url_scheme": "http"}
    list(app(environ, lambda status, headers: lambda data: None))
    assert seen == ["a", "b", "a", "b"]
