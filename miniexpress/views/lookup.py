"""Views: how a name becomes a file and an engine, and the engine that ships: a strict subset of Jinja2."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

Roots = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Engine = Callable[[str, Mapping[str, Any]], str]


def find_view(name: str, roots: Roots, default_engine: str, engines: Mapping[str, Engine]) -> partial[str]:
    """The view ``name`` below ``roots``, found by the rules of Express 5.3 (``lib/view.js``), for its options.

    A name without extension gets that of ``default_engine``; where ``users.html`` is no file, ``users/index.html`` is
    tried. ``engines`` has its extensions with their dots. Unlike in Express, a name that leaves every root finds
    nothing.

    Raises ``ValueError`` when there is no engine for its extension, ``LookupError`` when there is no such file.
    """
    if not isinstance(name, str):
        raise TypeError(f"a view's name must be a str, not {name!r}")
    extension = os.path.splitext(name.rstrip("/"))[1]  # Node's extname looks behind no slash at the end
    file_name = name
    if not extension:
        extension = f".{default_engine.removeprefix('.')}"
        file_name += extension
    if extension not in engines:
        raise ValueError(
            f'No engine for "{extension}", the extension of view "{name}": there are engines for '
            f"{', '.join(sorted(engines)) or 'no extension'}. Add one with "
            f"app.engine('{extension[1:]}', lambda path, options: ...)."
        )
    folders = list(map(os.path.abspath, listed(roots)))
    for folder in folders:
        wanted = _joined(folder, file_name)
        for candidate in (wanted, os.path.join(wanted.removesuffix(extension), f"index{extension}")):
            if _is_inside(candidate, folders) and os.path.isfile(candidate):
                return partial(engines[extension], candidate)
    raise LookupError(f'Failed to lookup view "{name}" in views {_directories(roots)}')


class View:
    """A view that was found: what the setting ``view`` is at first. Another class may be set that is made alike.

    ``path`` is that of its file (one that has none was not found), ``render(options)`` returns its text. Raises what
    ``find_view`` raises.
    """

    def __init__(self, name: str, *, root: Roots, default_engine: str, engines: Mapping[str, Engine]) -> None:
        self.name = name
        self.render = find_view(name, root, default_engine, engines)
        self.path: str = self.render.args[0]


def listed(roots: Roots) -> tuple[str, ...]:
    return tuple(os.fspath(root) for root in ([roots] if isinstance(roots, str | os.PathLike) else roots))


def _joined(folder: str, name: str) -> str:
    # By text alone, as path.resolve in Node: a link inside a root may lead anywhere, a name may not.
    return os.path.normpath(os.path.join(folder, name))


def _is_inside(path: str, folders: list[str]) -> bool:
    return any(path.startswith(os.path.join(folder, "")) for folder in folders)


def _directories(roots: Roots) -> str:
    *others, last = listed(roots) or ("",)
    if not others:
        return f'directory "{last}"'
    return 'directories "' + '", "'.join(others) + f'" or "{last}"'


def template_name(path: str, roots: Iterable[str]) -> str:
    """A file's name as a template: its path below the first of ``roots`` that it is in; in none, its whole path."""
    path = os.path.abspath(path)
    root = next((root for root in roots if _is_inside(path, [root])), "")
    return path.removeprefix(os.path.join(root, "")).replace(os.sep, "/")


def linked_names(name: str, parent: str) -> list[str]:
    """The templates that ``name`` may mean in the template ``parent``: of that name, then beside ``parent``."""
    name = name.lstrip("/")
    return [posixpath.normpath(name), posixpath.normpath(posixpath.join(posixpath.dirname(parent), name))]
