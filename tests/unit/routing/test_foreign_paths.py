"""Paths as other frameworks write them: which are warned of when they are registered, where, and with which mend."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from miniexpress import Router, express
from miniexpress.routing.foreign_paths import in_express_syntax

pytestmark = pytest.mark.language

FOREIGN = {
    # Flask, Django, Bottle
    "/hello/<name>": "/hello/:name",
    "/users/<int:id>/<slug:title>": "/users/:id/:title",
    "/files/<path:p>": "/files/*p",
    "/users/<id:int>": "/users/:id",
    "/<lang>/docs/<path:page>.html": "/:lang/docs/*page.html",
    "articles/<int:year>/": "/articles/:year/",
    # FastAPI, Starlette
    "/hi/{name}": "/hi/:name",
    "/{lang}/items/{id}": "/:lang/items/:id",
    "/items/{id}.json": "/items/:id.json",
    "/files/{p:path}": "/files/*p",
    "/users/{id:int}": "/users/:id",
    # Sinatra's and Django's without the slash
    "hello": "/hello",
    ":id": "/:id",
    # As it is read, and not as it is sent
    "/café": "/caf%C3%A9",
    "/a b/:größe": "/a%20b/:größe",
}
# As Express means them.
LEGITIMATE = [
    "",
    "/",
    "/hello",
    "/users/:id",
    "/users{/:id}",
    "{/optional}",
    "/{optional/}rest",
    "/colo{u}r",
    "/v{:version}",
    "/{v:version}",
    "/{:lang}/docs",
    "/{*rest}",
    "/files/*splat",
    "*splat",
    "/:from-:to",
    "/:name.:ext",
    "/:größe",
    '/:"a b"',
    "/\\{name\\}",
    "/\\<name\\>",
    "/a<b",
    "/caf%C3%A9",
    "\\*",
]
REGISTER: dict[str, Callable[[Any, Any], Any]] = {
    "use": lambda router, path: router.use(path, lambda req, res: None),
    "get": lambda router, path: router.get(path, lambda req, res: None),
    "decorator": lambda router, path: router.all(path)(lambda req, res: None),
    "use as a decorator": lambda router, path: router.use(path)(lambda req, res: None),
    "route": lambda router, path: router.route(path),
}


@pytest.mark.parametrize(("path", "meant"), FOREIGN.items())
def test_a_path_in_the_syntax_of_another_framework_is_returned_in_that_of_express(path: str, meant: str) -> None:
    assert in_express_syntax(path) == meant
    assert in_express_syntax(meant) == meant


@pytest.mark.parametrize("path", LEGITIMATE)
def test_a_path_of_express_is_returned_as_it_is(path: str) -> None:
    assert in_express_syntax(path) == path


@pytest.mark.parametrize("owner", [express, Router])
@pytest.mark.parametrize("register", REGISTER.values(), ids=REGISTER)
def test_the_warning_names_the_mend_and_the_line_of_the_registration(
    owner: Callable[[], Any], register: Callable[[Any, Any], Any]
) -> None:
    router = owner()
    with pytest.warns(UserWarning) as caught:
        register(router, "/hello/<name>")
    (warning,) = caught
    assert str(warning.message) == "no request matches the path '/hello/<name>' as it is meant: write '/hello/:name'"
    assert (warning.filename, warning.lineno) == (__file__, register.__code__.co_firstlineno)
    assert [layer.path for layer in router.stack] == ["/hello/<name>"]


def test_each_path_of_a_list_is_looked_at() -> None:
    with pytest.warns(UserWarning) as caught:
        express().get(["/a", "b", ["/<c>"], re.compile("<d>")], lambda req, res: None)
    assert [str(warning.message).rpartition(" ")[2] for warning in caught] == ["'/b'", "'/:c'"]


def test_a_path_of_express_is_not_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for register in REGISTER.values():
            for path in [*LEGITIMATE, re.compile("^/<x>{2}$"), ["/a", re.compile("b")]]:
                register(express(), path)


@pytest.mark.parametrize("owner", [express, Router])
def test_a_param_callback_for_a_name_with_a_colon_is_warned_of_at_its_line(owner: Callable[[], Any]) -> None:
    with pytest.warns(UserWarning, match=r"^no parameter is called ':id': write param\('id', …\)$") as caught:
        owner().param(":id", lambda req, res, next, value, name: next())
    assert (caught[0].filename, caught[0].lineno) == (__file__, inspect.currentframe().f_lineno - 1)  # type: ignore[union-attr]
