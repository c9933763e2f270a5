"""Which module may import which: down only, never in a circle, type annotations included.

The imports are read from the source, so those inside of functions and of ``if TYPE_CHECKING`` count too.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.project import ROOT

# Each room, a file or a folder, and the rooms below it. It may import itself, these, and what is below these.
BELOW: dict[str, set[str]] = {
    "errors": set(),
    "attrdict": set(),
    "keyword_options": set(),
    "usage": set(),
    "event_loop": set(),
    "http": {"errors", "attrdict", "keyword_options", "usage", "event_loop"},
    "files": {"http"},
    "settings": {"http"},
    "request": {"http", "settings"},
    "server_response": {"request"},
    "response": {"server_response", "files"},
    "routing": {"response", "request"},
    "middleware": {"routing"},
    "sessions": {"routing"},
    "sessions.mongodb": {"sessions"},
    "wsgi": {"routing"},
    "development": {"routing", "middleware"},
    "final_handler": {"development"},
    "server": set(),
    "views": set(),
    "embedded": set(),
    "jinja": {"views", "attrdict", "keyword_options"},
    "application": {"final_handler", "server", "views"},
    "": {"application", "middleware", "sessions"},  # miniexpress/__init__.py
}
# The packages that are neither ours nor Python's, and the one room that may import each.
FOREIGN = {
    "pymongo": "sessions.mongodb",
    "bson": "sessions.mongodb",
    "jinja2": "jinja",
    "markupsafe": "jinja",
    "multipart": "middleware",
}

PACKAGE = ROOT / "miniexpress"
FILES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip("."): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
MODULES = sorted(FILES)  # "", "application", "http", "http.accept" ...


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_in_a_room_of_the_table(module: str) -> None:
    assert room_of(module) in BELOW


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_rooms_below_its_own(module: str) -> None:
    allowed = {room_of(module)} | all_below(room_of(module))
    upward = {imported for imported in imports_within(module) if room_of(imported) not in allowed}
    assert not upward, f"{module} imports {sorted(upward)}"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_in_no_circle_of_imports(module: str) -> None:
    circle = path_back_to(module)
    assert not circle, " imports ".join(circle)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_the_standard_library_and_no_package_of_others_but_its_own(module: str) -> None:
    foreign = {name.partition(".")[0] for name in imports_from_outside(module)} - sys.stdlib_module_names
    refused = {name for name in foreign if FOREIGN.get(name) != room_of(module)}
    assert not refused, f"{module} imports {sorted(refused)}"


def test_importing_miniexpress_loads_neither_pymongo_nor_asyncio() -> None:
    program = "import json, sys, miniexpress; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"pymongo", "bson", "asyncio", "jinja2", "multipart"} & set(json.loads(done.stdout)) == set()


def room_of(module: str) -> str:
    """Return the room of a module: ``http.accept`` → ``http``, ``sessions.mongodb.store`` → ``sessions.mongodb``."""
    while module not in BELOW and "." in module:
        module = module.rpartition(".")[0]
    return module


def all_below(room: str) -> set[str]:
    """Return the rooms below a room, and those below them."""
    return BELOW[room].union(*(all_below(lower) for lower in BELOW[room]))


def path_back_to(module: str) -> list[str]:
    """Return a shortest path of imports from a module to itself; an empty list if there is none."""
    paths, seen = [[module]], set()
    for path in paths:
        for imported in sorted(imports_within(path[-1]) - seen):
            if imported == module:
                return [*path, module]
            seen.add(imported)
            paths.append([*path, imported])
    return []


@cache
def imports_within(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports, without ``miniexpress.`` before them."""
    names = [name for name in imported_names(module) if name.partition(".")[0] == "miniexpress"]
    return frozenset(module_of(name.removeprefix("miniexpress").removeprefix(".")) for name in names)


def module_of(name: str) -> str:
    """Return the module that defines a name: ``http.accept`` and ``http.accept.accepts`` → ``http.accept``."""
    while name not in FILES:
        name = name.rpartition(".")[0]
    return name


def imports_from_outside(module: str) -> set[str]:
    """Return what a module imports from the standard library and from packages of others."""
    return {name for name in imported_names(module) if name.partition(".")[0] != "miniexpress"}


def imported_names(module: str) -> Iterator[str]:
    """Yield each imported name in full: ``from ..http.accept import accepts`` → ``miniexpress.http.accept.accepts``."""
    file = FILES[module]
    package = ("miniexpress", *file.parent.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            source = [*base, node.module] if node.module else base
            yield from (".".join([*source, alias.name]) for alias in node.names)
