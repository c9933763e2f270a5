"""Jinja2 as an app's engine: all of its language, and every view of app.py the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
import requests
from support import ROOT
from templating import write

from miniexpress import App, express
from miniexpress.jinja import jinja2_engine

FILES = {
    "layout.html": "<title>{% block title %}Shop{% endblock %}</title><main>{% block main %}{% endblock %}</main>",
    "macros/prices.html": "{% macro price(cents, unit='EUR') %}{{ '%.2f' % (cents / 100) }} {{ unit }}{% endmacro %}",
    "sub/cart.html": "{% extends 'layout.html' %}{% from 'macros/prices.html' import price %}"
    "{% block title %}{{ super() }}: cart{% endblock %}"
    "{% block main %}{% for item in items %}{{ loop.index }}. {{ item.name|upper }} "
    "{{ price(item.cents) }};{% endfor %}"
    "{% set sum = items|sum('cents') %} {{ price(sum, unit='€') }} for {{ owner }}{% endblock %}",
}
CART = {"items": [{"name": "tea", "cents": 250}, {"name": "<cake>", "cents": 375}]}


@pytest.fixture
def app(tmp_path: Path) -> App:
    write(tmp_path / "views", FILES)
    app = express()
    app.set("views", str(tmp_path / "views"))
    return app


def test_inheritance_macros_filters_and_escaping(app: App, serve: Callable[..., str]) -> None:
    app.engine("html", jinja2_engine(app.set("views")))

    @app.get("/")
    def index(req, res):
        res.locals.owner = "Ada & co"
        res.render("sub/cart", CART)

    assert requests.get(serve(app)).text == (
        "<title>Shop: cart</title><main>1. TEA 2.50 EUR;2. &lt;CAKE&gt; 3.75 EUR; 6.25 € for Ada &amp; co</main>"
    )


def test_an_environment_of_ones_own_brings_its_filters(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"shout.j2": "<% x|shout %>"})
    environment = jinja2.Environment(variable_start_string="<%", variable_end_string="%>")
    environment.filters["shout"] = lambda text: f"{text}!"
    app.engine("j2", jinja2_engine(tmp_path / "views", environment))
    assert app.render("shout.j2", {"x": "<hey>"}) == "<hey>!"


def test_views_may_be_in_several_directories(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "more", {"only.html": "{% extends 'layout.html' %}{% block main %}only{% endblock %}"})
    app.set("views", ["views", "more"]).engine("html", jinja2_engine(["views", "more"]))
    assert app.render("only") == "<title>Shop</title><main>only</main>"


def test_a_view_outside_of_the_directory_is_not_found(app: App, tmp_path: Path) -> None:
    app.engine("html", jinja2_engine(tmp_path / "elsewhere"))
    with pytest.raises(jinja2.TemplateNotFound, match=re.escape("layout.html")):
        app.render("layout")


@pytest.mark.parametrize("view", ["index", "login", "account"])
def test_the_views_of_app_py_render_the_same(view: str) -> None:
    ours, theirs = express(), express()
    theirs.engine("html", jinja2_engine(ROOT / "views"))
    options = {"user": {"name": "<Ada>", "email": "ada@example.com"}, "email": '"', "error": "no & no"}
    for each in (ours, theirs):
        each.set("views", str(ROOT / "views"))
    assert ours.render(view, options) == theirs.render(view, options)
    assert "&lt;Ada&gt;" in ours.render(view, options) or view == "login"


def test_a_changed_view_is_read_again(app: App, tmp_path: Path) -> None:
    app.engine("html", jinja2_engine(tmp_path / "views"))
    assert app.render("layout") == "<title>Shop</title><main></main>"
    write(tmp_path / "views", {"layout.html": "changed, and longer than before"})
    assert app.render("layout") == "changed, and longer than before"
