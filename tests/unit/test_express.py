"""``express`` and what it has, and what ``from miniexpress import …`` and ``help(miniexpress)`` offer."""

from __future__ import annotations

import importlib
import pydoc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

import miniexpress
from miniexpress import App, Request, Response, Router, express
from miniexpress.routing import Route

Serve = Callable[..., str]


def test_the_parsers_and_the_static_files_of_express_are_those_of_the_package(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("a file")
    app = express()
    app.use(express.static(tmp_path))
    app.use(express.json(), express.urlencoded(), express.text(), express.raw())
    app.post("/", lambda req, res: res.send(repr(req.body)))
    url = serve(app)
    bodies = {
        "application/json": ('{"a":1}', "{'a': 1}"),
        "application/x-www-form-urlencoded": ("a=1", "{'a': '1'}"),
        "text/plain": ("a", "'a'"),
        "application/octet-stream": ("a", "b'a'"),
    }
    for content_type, (body, parsed) in bodies.items():
        assert requests.post(url, data=body, headers={"Content-Type": content_type}).text == parsed
    assert requests.get(url + "/hello.txt").text == "a file"


def test_express_has_what_npm_express_5_has() -> None:
    names = {"json", "raw", "static", "text", "urlencoded", "Route", "Router", "application", "request", "response"}
    assert {name for name in dir(express) if not name.startswith("_")} == names
    assert (express.Router, express.Route, express.application) == (Router, Route, App)
    assert (express.request, express.response) == (Request, Response)
    assert isinstance(express(), App)


@pytest.mark.parametrize("make", [lambda: express(__name__), lambda: express({"env": "test"})])  # type: ignore[arg-type]
def test_express_called_with_arguments_says_where_they_belong(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"express\(\) takes no arguments, not .*app.set\(name, value\)"):
        make()


def test_the_help_of_the_package_and_of_express_names_everything_that_there_is_to_import() -> None:
    text = pydoc.plain(pydoc.render_doc(miniexpress))
    described = text.partition("PACKAGE CONTENTS")[0]
    assert [name for name in miniexpress.__all__ if f"``{name}``" not in described] == []
    assert "``express()`` makes an app." in pydoc.plain(pydoc.render_doc(express))


@pytest.mark.parametrize(("name", "module"), [("MongoDBStore", "sessions.mongodb"), ("jinja2_engine", "jinja")])
def test_an_import_of_what_needs_another_package_says_where_it_is(name: str, module: str) -> None:
    with pytest.raises(ImportError, match=f"from miniexpress.{module} import {name}"):
        exec(f"from miniexpress import {name}")
    assert hasattr(importlib.import_module(f"miniexpress.{module}"), name)


def test_a_name_that_the_package_does_not_have_is_an_error_as_of_every_module() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Nonesuch'"):
        exec("from miniexpress import Nonesuch")
    assert not hasattr(miniexpress, "Nonesuch")


def test_a_name_in_javascripts_spelling_is_imported_by_the_one_here() -> None:
    with pytest.raises(ImportError, match="from miniexpress import cookie_parser, and not cookieParser"):
        exec("from miniexpress import cookieParser")
