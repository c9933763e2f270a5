"""Jinja2 as an app's engine: all of its language, and every view of app.py the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest
import requests
from jinja2.sandbox import SandboxedEnvironment

from miniexpress import App, express
from miniexpress.attrdict import AttrDict
from miniexpress.jinja import jinja2_engine
from miniexpress.views.engine import template_engine
from miniexpress.views.lookup import Engine
from miniexpress.views.parser import TemplateError
from tests.support.project import ROOT
from tests.support.templates import write

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


def test_an_own_environment_brings_its_filters(app: App, tmp_path: Path) -> None:
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


# The same with both engines


RELATIVE = {
    "account/page.html": "{% extends 'frame.html' %}{% block main %}{% include 'part.html' %}{% include 'both.html' %}"
    "{% include '../up.html' %}{% include 'deep/x.html' %}{% include '/up.html' %}{% include './deep/../part.html' %}"
    "{% endblock %}",
    "account/frame.html": "[{% block main %}{% endblock %}]",
    "account/part.html": "part ",
    "account/both.html": "beside ",
    "both.html": "root ",
    "up.html": "up ",
    "account/deep/x.html": "{% include 'y.html' %}",
    "account/deep/y.html": "deep ",
    "account/out.html": "{% include '../../secret.html' %}",
    "account/absolute.html": "{% include '{root}/up.html' %}",
}


@pytest.fixture
def engines(tmp_path: Path) -> list[Engine]:
    write(tmp_path / "views", RELATIVE)
    write(tmp_path, {"secret.html": "secret"})
    return [template_engine(tmp_path / "views"), jinja2_engine(tmp_path / "views")]


def test_a_view_includes_files_beside_it_with_both_engines(engines: list[Engine], tmp_path: Path) -> None:
    for engine in engines:
        text = engine(str(tmp_path / "views/account/page.html"), {})
        assert text == "[part root up deep up part ]"


@pytest.mark.parametrize("view", ["account/out.html", "account/absolute.html"])
def test_a_view_that_names_a_file_outside_of_the_folders_fails_with_both_engines(
    engines: list[Engine], tmp_path: Path, view: str
) -> None:
    path = tmp_path / "views" / view
    path.write_text(path.read_text().replace("{root}", str(tmp_path / "views")))
    for engine, error in zip(engines, (TemplateError, jinja2.TemplateNotFound), strict=True):
        with pytest.raises(error):
            engine(str(path), {})


def test_a_file_beside_the_view_in_an_earlier_folder_comes_first_with_both_engines(tmp_path: Path) -> None:
    write(tmp_path, {"theme/shop/part.html": "theme", "base/shop/part.html": "base"})
    write(tmp_path, {"base/shop/page.html": "{% include 'part.html' %}"})
    folders = [tmp_path / "theme", tmp_path / "base"]
    for engine in (template_engine(folders), jinja2_engine(folders)):
        assert engine(str(tmp_path / "base/shop/page.html"), {}) == "theme"


def test_a_macro_is_imported_from_a_file_beside_the_view(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views/shop", {"m.html": "{% macro m() %}m{% endmacro %}"})
    write(tmp_path / "views/shop", {"page.html": "{% from 'm.html' import m %}{{ m() }}"})
    write(
        tmp_path / "views/shop", {"none.html": "{% include ['no.html', 'm.html'] %}{% include 'x' ignore missing %}."}
    )
    app.engine("html", jinja2_engine(tmp_path / "views"))
    assert app.render("shop/page") == "m"
    assert app.render("shop/none") == "."


def test_a_missing_field_is_written_as_nothing_with_both_engines(tmp_path: Path) -> None:
    write(tmp_path, {"form.html": "<{{ form.email }}{{ form.bio|safe }}{{ form['email'] }}{{ none }}{{ x }}>"})
    for engine in (template_engine(tmp_path), jinja2_engine(tmp_path)):
        for missing in (AttrDict(name="x"), AttrDict(email=None, bio=None)):
            assert engine(str(tmp_path / "form.html"), {"form": missing, "x": None}) == "<>"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ form.email|e }}", ""),
        ("{{ form.email|trim }}", ""),
        ("{{ form['email']|upper }}", ""),
        ("{{ form.a.b|trim }}{{ form.a.b.c }}", ""),
        ("{{ 'a' ~ form.email ~ form.user.email }}", "a"),
        ("{{ form.email|default('-') }}", "-"),
        ("{{ form.email|length }}", "0"),
        ("{{ form.email is defined }} {{ form.name is defined }} {{ form.null is none }}", "False True True"),
        ("{{ form.email == none }} {{ none == form.email }} {{ form.email != none }}", "True True False"),
        ("{{ [form, form.user]|map(attribute='email')|join }}", ""),
        ("{% for each in form.email %}x{% endfor %}{{ form.email or 'or' }}", "or"),
        ("{{ [form.email, form.null] }}", "[None, None]"),
        ("{{ form.name|upper }}{{ form['name']|trim }}{{ form.items()|length }}", "ADAAda3"),
    ],
)
def test_a_missing_field_is_undefined_to_filters_and_tests(tmp_path: Path, source: str, text: str) -> None:
    write(tmp_path, {"form.html": source})
    form = AttrDict(name="Ada", user=AttrDict(), null=None)
    for environment in (None, jinja2.Environment(), SandboxedEnvironment()):
        assert jinja2_engine(tmp_path, environment)(str(tmp_path / "form.html"), {"form": form}) == text


def test_an_own_environment_decides_what_is_undefined(tmp_path: Path) -> None:
    write(tmp_path, {"form.html": "{{ form.email|trim }}"})
    strict = jinja2_engine(tmp_path, jinja2.Environment(undefined=jinja2.StrictUndefined))
    with pytest.raises(jinja2.UndefinedError, match="has no attribute 'email'"):
        strict(str(tmp_path / "form.html"), {"form": AttrDict()})


def test_a_field_that_is_called_like_a_method_is_never_written_as_the_method(tmp_path: Path) -> None:
    write(tmp_path, {"form.html": "{{ form.items }}", "item.html": "{{ form['items'] }}"})
    for engine in (template_engine(tmp_path), jinja2_engine(tmp_path)):
        with pytest.raises((TypeError, TemplateError), match=r"\['items'\]"):
            engine(str(tmp_path / "form.html"), {"form": AttrDict(items="tea")})
        assert engine(str(tmp_path / "item.html"), {"form": AttrDict(items="tea")}) == "tea"


def test_an_own_environment_writes_none_as_nothing_unless_it_has_its_own_finalize(tmp_path: Path) -> None:
    write(tmp_path, {"x.html": "<{{ x }}>"})
    own = jinja2.Environment(finalize=lambda value: "-" if value is None else value)
    for environment, text in ((jinja2.Environment(), "<>"), (own, "<->")):
        assert jinja2_engine(tmp_path, environment)(str(tmp_path / "x.html"), {"x": None}) == text


def test_an_own_environment_serves_several_engines_and_is_not_changed(tmp_path: Path) -> None:
    write(tmp_path, {"one/x.html": "one{{ x }}", "two/x.html": "two{{ x }}", "own/x.html": "own{{ x }}"})
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path / "own"))
    one, two = (jinja2_engine(tmp_path / name, environment) for name in ("one", "two"))
    assert one(str(tmp_path / "one/x.html"), {"x": 1}) == "one1"
    assert two(str(tmp_path / "two/x.html"), {"x": 2}) == "two2"
    assert environment.get_template("x.html").render(x=None) == "ownNone"


def test_an_environment_with_its_own_join_path_keeps_it(tmp_path: Path) -> None:
    class Themed(jinja2.Environment):
        def join_path(self, template: str, parent: str) -> str:
            return f"themes/{template}"

    write(tmp_path, {"x.html": "{% include 'y.html' %}", "y.html": "plain", "themes/y.html": "themed"})
    assert jinja2_engine(tmp_path, Themed())(str(tmp_path / "x.html"), {}) == "themed"
