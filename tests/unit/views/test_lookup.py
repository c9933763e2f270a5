"""Views: look-up as in Express, and how the built-in engine finds, reads and keeps its files."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from miniexpress import App, express
from miniexpress.attrdict import to_attrdict
from miniexpress.jinja import jinja2_engine
from miniexpress.views.engine import template_engine
from miniexpress.views.lookup import View, find_view
from tests.support.templates import render, write


def engine(path: str, options: Mapping[str, Any]) -> str:
    return f"{path}{options.get('x', '')}"


def path_of(view: View) -> Path:
    return Path(view({}))


ENGINES = {".html": engine, ".txt": engine}


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    names = (
        "a/x.html a/x.txt a/index.html a/users/index.html a/dir.html/index.html b/x.html b/only/index.html secret.html"
    )
    write(tmp_path, dict.fromkeys(names.split(), ""))
    return tmp_path


# What lib/view.js of express 5.3.0 found, in directories like those of the fixture. (It also finds ../secret.)
FOUND = [
    ("x", "a", "html", "a/x.html"),
    ("x", "a", ".html", "a/x.html"),
    ("x.html", "a", None, "a/x.html"),
    ("x.txt", "a", "html", "a/x.txt"),
    ("users", "a", "html", "a/users/index.html"),
    ("users.html", "a", "html", "a/users/index.html"),
    ("users/", "a", "html", "a/users/index.html"),
    ("x.html/", "a", "html", "a/x.html"),
    ("", "a", "html", "a/index.html"),
    ("x", "a b", "html", "a/x.html"),
    ("x", "b a", "html", "b/x.html"),
    ("only", "a b", "html", "b/only/index.html"),
    ("../b/x", "a b", "html", "b/x.html"),
    ("dir", "a", "html", None),
    (".html", "a", "html", None),
    ("sub.dir/x.html", "a", "html", None),
    ("x", "", "html", None),
    ("x\0", "a", "html", None),
]


@pytest.mark.parametrize(("name", "where", "default", "found"), FOUND)
def test_a_view_is_found_where_express_finds_it(
    roots: Path, name: str, where: str, default: str, found: str | None
) -> None:
    directories = [str(roots / root) for root in where.split()]
    if found is None:
        with pytest.raises(LookupError, match="Failed to lookup view"):
            find_view(name, directories, default, ENGINES)
    else:
        assert path_of(find_view(name, directories, default, ENGINES)) == roots / found


def test_an_absolute_name_within_a_root_is_found(roots: Path) -> None:
    assert path_of(find_view(str(roots / "a/x"), str(roots / "a"), "html", ENGINES)) == roots / "a/x.html"


@pytest.mark.parametrize("name", ["../secret", "users/../../secret", "../a/../secret.html", "{root}/secret"])
def test_a_name_that_leaves_every_root_finds_nothing(roots: Path, name: str) -> None:
    with pytest.raises(LookupError):
        find_view(name.format(root=roots), [str(roots / "a"), str(roots / "b")], "html", ENGINES)


def test_roots_may_be_relative_to_the_working_directory(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(roots)
    assert path_of(find_view("x", "a", "html", ENGINES)) == roots / "a/x.html"


# Messages of app.render in express 5.3.0.
@pytest.mark.parametrize(
    ("directories", "words"),
    [
        ("a", 'directory "a"'),
        (["a"], 'directory "a"'),
        (["a", "b"], 'directories "a" or "b"'),
        (["a", "b", "c"], 'directories "a", "b" or "c"'),
        ([], 'directory ""'),
    ],
)
def test_a_failed_look_up_says_what_express_says(directories: str | list[str], words: str) -> None:
    with pytest.raises(LookupError) as caught:
        find_view("no", directories, "html", ENGINES)
    assert str(caught.value) == f'Failed to lookup view "no" in views {words}'


def test_an_unknown_extension_names_the_engines_and_how_to_add_one() -> None:
    with pytest.raises(ValueError, match=r"No engine for \"\.pug\".*\.html, \.txt.*app\.engine\('pug'"):
        find_view("x.pug", "a", "html", ENGINES)


def test_a_view_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="name must be a str, not 7"):
        find_view(7, "a", "html", ENGINES)  # type: ignore[arg-type]


def test_a_view_renders_with_its_engine(roots: Path) -> None:
    assert find_view("x.txt", str(roots / "a"), "html", ENGINES)({"x": 1}) == f"{roots}/a/x.txt1"


def test_names_are_sought_in_each_root_and_then_beside_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "one/pages/main.html": "{% include 'both.html' %}{% include 'two.html' %}{% include 'beside.html' %}"
            "{% include '../up.html' %}",
            "one/both.html": "1", "two/both.html": "2", "one/pages/both.html": "3",
            "two/two.html": "2", "one/pages/beside.html": "b", "one/up.html": "u",
        },
    )  # fmt: skip
    views = [str(tmp_path / "one"), str(tmp_path / "two")]
    for cache in (False, True, True):
        assert template_engine(views, cache=cache)(str(tmp_path / "one/pages/main.html"), {}) == "12bu"


def test_a_file_that_is_not_there_is_the_system_s_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        template_engine(tmp_path)(str(tmp_path / "nope.html"), {})


def test_a_changed_file_is_read_again_unless_views_are_cached(tmp_path: Path) -> None:
    files = {"main.html": "{% include 'p.html' %}", "p.html": "old"}
    assert render(tmp_path, files, cache=False) == "old"
    files["p.html"] = "newer"
    assert render(tmp_path, files, cache=True) == "old"
    assert render(tmp_path, files, cache=False) == "newer"
    # The same size, but another time.
    files["p.html"] = "fresh"
    write(tmp_path, files)
    os.utime(tmp_path / "p.html", ns=(1, 1))
    assert template_engine(tmp_path)(str(tmp_path / "main.html"), {}) == "fresh"


def test_cached_views_need_their_files_no_more(tmp_path: Path) -> None:
    files = {"main.html": "{% extends 'b.html' %}", "b.html": "{% include 'p.html' %}", "p.html": "p"}
    assert render(tmp_path, files, cache=True) == "p"
    for name in files:
        (tmp_path / name).unlink()
    assert template_engine(tmp_path, cache=True)(str(tmp_path / "main.html"), {}) == "p"


def test_threads_render_the_same_template_with_their_own_names(tmp_path: Path) -> None:
    write(tmp_path, {"main.html": "{% for x in xs %}{{ loop.index }}:{{ x }}{% include 'p.html' %} {% endfor %}"})
    write(tmp_path, {"p.html": "{{ x }}{{ loop.last }}"})
    engines = [template_engine(tmp_path, cache=cache) for cache in (False, True)]
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(100):
            xs = [number, turn]
            text = engines[turn % 2](str(tmp_path / "main.html"), {"xs": xs})
            if text != f"1:{number}{number}False 2:{turn}{turn}True ":
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# What an app says of its views, and what a request brings to one


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


def test_spellings_of_a_view_s_name_are_not_kept(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"page.html": "page", "sub/x.html": ""})
    app.enable("view cache")
    for spelling in ("page", "./page", "sub/../page", "page.html/", ".//./page", f"{tmp_path}/views/./page"):
        assert app.render(spelling) == "page"
    assert list(app._views) == ["page"]


def test_a_parent_s_engine_for_html_renders_the_views_of_a_mounted_app(app: App) -> None:
    sub = express()
    app.engine("html", lambda path, options: "the parent's").use("/sub", sub)
    sub.set("views", app.set("views"))
    write(Path(app.set("views")), {"page.html": "built in"})
    assert sub.render("page") == "the parent's"
    sub.engine("html", lambda path, options: "its own")
    assert sub.render("page") == "its own"


def test_a_mounted_app_s_layouts_are_in_its_own_views(app: App, tmp_path: Path) -> None:
    files = {"page.html": "{% extends 'layout.html' %}", "layout.html": "the parent's"}
    write(tmp_path / "views", files)
    write(tmp_path / "sub", {**files, "layout.html": "its own"})
    sub = express()
    app.use("/sub", sub)
    sub.set("views", str(tmp_path / "sub"))
    assert (sub.render("page"), app.render("page")) == ("its own", "the parent's")


def test_a_client_s_object_with___html___is_escaped(app: App, tmp_path: Path) -> None:
    write(tmp_path / "views", {"page.html": "{{ x }}{{ x.y }}"})
    x = to_attrdict({"__html__": "<script>", "y": {"__html__": "<b>"}})
    for engine in (template_engine(app.set("views")), jinja2_engine(app.set("views"))):
        text = app.engine("html", engine).render("page", {"x": x})
        assert "<" not in text
        assert "&lt;script&gt;" in text
