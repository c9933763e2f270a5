"""Views are looked up as Express 5.3 does, and a name never leads out of the folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from miniexpress.views.lookup import View, as_tuple, candidate_names, template_name
from tests.support.templates import write


def engine(path: str, options: Mapping[str, Any]) -> str:
    return f"{path}{options.get('x', '')}"


ENGINES = {".html": engine, ".txt": engine}


def find(name: str, root: str | Sequence[str], default_engine: str = "html") -> View:
    return View(name, root=root, default_engine=default_engine, engines=ENGINES)


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
            find(name, directories, default)
    else:
        assert find(name, directories, default).path == str(roots / found)


def test_an_absolute_name_within_a_root_is_found(roots: Path) -> None:
    assert find(str(roots / "a/x"), str(roots / "a")).path == str(roots / "a/x.html")


@pytest.mark.parametrize("name", ["../secret", "users/../../secret", "../a/../secret.html", "{root}/secret"])
def test_a_name_that_leaves_every_root_finds_nothing(roots: Path, name: str) -> None:
    with pytest.raises(LookupError):
        find(name.format(root=roots), [str(roots / "a"), str(roots / "b")])


def test_roots_may_be_relative_to_the_working_directory(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(roots)
    assert find("x", "a").path == str(roots / "a/x.html")


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
def test_a_failed_lookup_has_the_message_of_express(directories: str | list[str], words: str) -> None:
    with pytest.raises(LookupError) as caught:
        find("no", directories)
    assert str(caught.value) == f'Failed to lookup view "no" in views {words}'


def test_an_unknown_extension_names_the_engines_and_how_to_add_one() -> None:
    with pytest.raises(ValueError, match=r"No engine for \"\.pug\".*\.html, \.txt.*app\.engine\('pug'"):
        find("x.pug", "a")


def test_a_view_that_is_no_string_is_refused() -> None:
    with pytest.raises(TypeError, match="name must be a str, not 7"):
        find(7, "a")  # type: ignore[arg-type]


def test_a_view_renders_with_its_engine(roots: Path) -> None:
    assert find("x.txt", str(roots / "a")).render({"x": 1}) == f"{roots}/a/x.txt1"


def test_a_template_is_named_by_its_path_below_the_first_root_that_has_it() -> None:
    roots = ["/srv/views", "/srv"]
    assert template_name("/srv/views/shop/cart.html", roots) == "shop/cart.html"
    assert template_name("/srv/other/cart.html", roots) == "other/cart.html"
    assert template_name("/elsewhere/../etc/cart.html", roots) == "/etc/cart.html"
    assert template_name("/srv/views2/x.html", ["/srv/views"]) == "/srv/views2/x.html"


def test_a_template_is_looked_for_by_its_name_and_then_beside_its_parent() -> None:
    assert candidate_names("row.html", "shop/cart.html") == ["row.html", "shop/row.html"]
    assert candidate_names("/row.html", "shop/cart.html") == ["row.html", "shop/row.html"]
    assert candidate_names("../row.html", "shop/cart.html") == ["../row.html", "row.html"]


def test_one_root_or_several_become_a_tuple_of_str() -> None:
    assert as_tuple("views") == as_tuple(Path("views")) == as_tuple([Path("views")]) == ("views",)
