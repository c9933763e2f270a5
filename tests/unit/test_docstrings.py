"""Every public name says what it is for, so that `help(miniexpress)` and an editor's hover are enough."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import miniexpress

# What users import, beside what the package itself exports.
OTHERS = {
    "attrdict": ["AttrDict"],
    "embedded": ["EmbeddedUnavailable", "start"],
    "jinja": ["jinja2_engine"],
    "middleware.multer": ["DiskStorage", "File", "Limits", "MemoryStorage", "MulterError", "Storage"],
    "routing": ["Route"],
    "server": ["listen", "Server", "serving"],
    "sessions.contract": ["StoreContract"],
    "sessions.cookie": ["Cookie"],
    "sessions.memory": ["MemoryStore"],
    "sessions.mongodb": ["MongoDBStore"],
    "sessions.session": ["Changes", "Session"],
    "sessions.store": ["Document", "Store"],
    "wsgi": ["wsgi"],
}


def public() -> Iterator[tuple[str, Any]]:
    """Each public name, with what it stands for."""
    for name in miniexpress.__all__:
        yield name, getattr(miniexpress, name)
    for module, names in OTHERS.items():
        for name in names:
            yield name, getattr(importlib.import_module(f"miniexpress.{module}"), name)


OBJECTS = dict(public())
CLASSES = [name for name, value in OBJECTS.items() if inspect.isclass(value)]
ALIASES = [name for name, value in OBJECTS.items() if not (inspect.isclass(value) or inspect.isfunction(value))]


@pytest.mark.parametrize("name", sorted({*OBJECTS} - {*ALIASES}))
def test_a_class_or_function_has_a_docstring(name: str) -> None:
    assert OBJECTS[name].__doc__


@pytest.mark.parametrize("name", CLASSES)
def test_what_a_class_defines_has_a_docstring(name: str) -> None:
    """Or inherits it, by an override that keeps to it."""
    cls = OBJECTS[name]
    ours = [each for each in cls.__mro__ if each.__module__.startswith("miniexpress")]
    members = {key for each in ours for key, value in vars(each).items() if is_member(key, value)}
    assert not {key for key in members if not inspect.getdoc(getattr(cls, key))}


def is_member(name: str, value: object) -> bool:
    """Return whether users call or read it. The name of a test is a sentence already."""
    is_own = callable(value) or isinstance(value, property | cached_property | classmethod | staticmethod)
    return is_own and not name.startswith(("_", "test_"))


def test_docstrings_of_the_package_are_sentences_or_name_a_thing_and_no_questions() -> None:
    question = re.compile(r'"""(What|Whether|When|Where|Who|How)\b.*')
    files = Path(miniexpress.__file__).parent.rglob("*.py")
    assert [match[0] for file in files for match in question.finditer(file.read_text())] == []


@pytest.mark.parametrize("name", ALIASES)
def test_a_type_is_told_of_where_it_is_defined(name: str) -> None:
    for file in Path(miniexpress.__file__).parent.rglob("*.py"):
        for statement, after in pairwise(ast.parse(file.read_text()).body):
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name:
                assert isinstance(after, ast.Expr)
                assert isinstance(after.value, ast.Constant)
                return
    raise AssertionError(f"{name} is defined nowhere")
