"""The built-in engine finds, reads and caches the files of its templates."""

from __future__ import annotations

import os
import threading
from enum import StrEnum
from pathlib import Path

import pytest

from miniexpress.views.engine import template_engine
from tests.support.templates import render, write


def test_an_included_name_is_looked_for_in_each_root_and_then_beside_the_file(tmp_path: Path) -> None:
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


def test_the_path_of_a_view_may_be_a_path_object_or_a_kind_of_str(tmp_path: Path) -> None:
    write(tmp_path, {"main.html": "{% include 'p.html' %}", "other.html": "{% include 'p.html' %}", "p.html": "p"})
    page = StrEnum("Page", {"other": str(tmp_path / "other.html")})
    for path in (tmp_path / "main.html", *page):
        assert template_engine(tmp_path)(path, {}) == "p"  # type: ignore[arg-type]


def test_a_missing_file_raises_file_not_found_error(tmp_path: Path) -> None:
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


def test_cached_templates_render_after_their_files_are_removed(tmp_path: Path) -> None:
    files = {"main.html": "{% extends 'b.html' %}", "b.html": "{% include 'p.html' %}", "p.html": "p"}
    assert render(tmp_path, files, cache=True) == "p"
    for name in files:
        (tmp_path / name).unlink()
    assert template_engine(tmp_path, cache=True)(str(tmp_path / "main.html"), {}) == "p"


def test_a_file_that_comes_first_is_found_when_it_is_added_unless_views_are_cached(tmp_path: Path) -> None:
    write(tmp_path, {"one/main.html": "{% include 'part.html' %}", "two/part.html": "two"})
    engines = {cache: template_engine([tmp_path / "one", tmp_path / "two"], cache=cache) for cache in (False, True)}
    main = str(tmp_path / "one/main.html")
    assert [engine(main, {}) for engine in engines.values()] == ["two", "two"]
    write(tmp_path, {"one/part.html": "one"})
    assert [engines[False](main, {}), engines[True](main, {})] == ["one", "two"]


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
