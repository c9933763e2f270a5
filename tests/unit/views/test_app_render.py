"""``app.render``: what an app decides about its views, and what the options of a request cannot change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from miniexpress import App, express
from miniexpress.attrdict import to_attrdict
from miniexpress.jinja import jinja2_engine
from miniexpress.views.engine import template_engine
from tests.support.templates import write


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """A folder of a client's, beside the app's own ``views``."""
    write(
        tmp_path,
        {
            "views/layout.html": "site {% block c %}{% endblock %}",
            "views/account/page.html": "{% extends 'layout.html' %}"
            "{% block c %}{{ settings.theme }}{{ cache }}{% endblock %}",
            "uploads/layout.html": "UPLOADED {{ secret }}",
        },
    )
    return tmp_path / "uploads"


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = express()
    app.set("views", str(tmp_path / "views"))
    return app


@pytest.mark.parametrize("settings", ["1", None, [], {}, {"views": "{uploads}"}, {"views": 7}, {"views": None}])
@pytest.mark.parametrize("engine", ["built in", "jinja2"])
def test_a_view_option_named_settings_does_not_decide_where_layouts_are(
    app: App, uploads: Path, settings: Any, engine: str
) -> None:
    if isinstance(settings, dict) and settings.get("views") == "{uploads}":
        settings = {"views": str(uploads)}
    if engine == "jinja2":
        app.engine("html", jinja2_engine(app.set("views")))
    assert app.render("account/page", {"settings": settings, "cache": ""}) == "site "


def test_a_view_option_named_settings_is_a_variable_like_any_other(app: App, uploads: Path) -> None:
    assert app.render("account/page", {"settings": {"theme": "dark"}}) == "site dark"
    app.set("theme", "light")
    assert app.render("account/page") == "site light"


def test_views_take_keywords_beside_a_dict_of_options(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"page.html": "{{ name }} {{ view }} {{ options }} {{ self_ }}"})
    assert app.render("page", name="Ada", view="v", options="o", self_="s") == "Ada v o s"
    assert app.render("page", {"name": "Ada", "view": "old"}, view="new") == "Ada new  "
    req = app.request({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, app)
    req.res = res = app.response(req, print)
    res.locals.options, sent = "local", []
    res.send = sent.append
    res.render("page", name="Ada", view="v")
    res.render("page", {"name": "Bob", "options": "given"}, name="Ada")
    assert sent == ["Ada v local ", "Ada  given "]


def test_a_view_option_named_cache_does_not_decide_whether_files_are_read_again(app: App, tmp_path: Path) -> None:
    views = tmp_path / "views"
    write(views, {"page.html": "old{{ cache }}"})
    assert app.render("page", {"cache": True}) == "oldTrue"
    write(views, {"page.html": "newer{{ cache }}"})
    assert app.render("page", {"cache": True}) == "newerTrue"
    app.enable("view cache")
    write(views, {"page.html": "newest{{ cache }}"})
    assert app.render("page", {"cache": False}) == "newerFalse"
    app.set("views", str(tmp_path / "elsewhere"))
    assert app.render("page", {"cache": False}) == "newerFalse"


def test_view_cache_keeps_one_spelling_of_a_view_name(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"page.html": "page", "sub/x.html": ""})
    app.enable("view cache")
    for spelling in ("page", "./page", "sub/../page", "page.html/", ".//./page", f"{tmp_path}/views/./page"):
        assert app.render(spelling) == "page"
    assert list(app._views) == ["page"]


def test_a_mounted_app_renders_with_its_parents_engine_for_html(app: App) -> None:
    sub = express()
    app.engine("html", lambda path, options: "the parent's").use("/sub", sub)
    sub.set("views", app.set("views"))
    write(Path(app.set("views")), {"page.html": "built in"})
    assert sub.render("page") == "the parent's"
    sub.engine("html", lambda path, options: "its own")
    assert sub.render("page") == "its own"


def test_a_mounted_app_takes_layouts_from_its_own_views(app: App, tmp_path: Path) -> None:
    files = {"page.html": "{% extends 'layout.html' %}", "layout.html": "the parent's"}
    write(tmp_path / "views", files)
    write(tmp_path / "sub", {**files, "layout.html": "its own"})
    sub = express()
    app.use("/sub", sub)
    sub.set("views", str(tmp_path / "sub"))
    assert (sub.render("page"), app.render("page")) == ("its own", "the parent's")


def test_an_html_method_in_client_data_is_escaped(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"page.html": "{{ x }}{{ x.y }}"})
    x = to_attrdict({"__html__": "<script>", "y": {"__html__": "<b>"}})
    for engine in (template_engine(app.set("views")), jinja2_engine(app.set("views"))):
        text = app.engine("html", engine).render("page", {"x": x})
        assert "<" not in text
        assert "&lt;script&gt;" in text
