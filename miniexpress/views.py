"""Views: how a name becomes a file and an engine, and the engine that ships: a strict subset of Jinja2."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from .expressions import Scope
from .templates import Place, Rendering, Template, compile_template

Engine = Callable[[str, Mapping[str, Any]], str]
View = Callable[[Mapping[str, Any]], str]


def find_view(name: str, roots: str | Sequence[str], default_engine: str, engines: Mapping[str, Engine]) -> View:
    """The view ``name`` below ``roots``, found by the rules of Express 5.3 (``lib/view.js``), for its options.

    A name without extension gets that of ``default_engine``; where ``users.html`` is no file, ``users/index.html`` is
    tried. ``engines`` has its extensions with their dots. Unlike in Express, a name that leaves every root finds
    nothing.

    Raises ``ValueError`` when there is no engine for its extension, ``LookupError`` when there is no such file.
    """
    if not isinstance(name, str):
        raise TypeError(f"a view's name must be a str, not {name!r}")
    extension = Path(name).suffix
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
    places = _absolute(roots)
    for root in places:
        wanted = _joined(root, file_name)
        index = wanted.parent / wanted.name.removesuffix(extension) / f"index{extension}"
        for candidate in (wanted, index):
            if _inside(candidate, places) and candidate.is_file():
                return partial(engines[extension], str(candidate))
    raise LookupError(f'Failed to lookup view "{name}" in views {_directories(roots)}')


def _absolute(roots: str | Sequence[str]) -> list[Path]:
    return [_joined(Path.cwd(), root) for root in listed(roots)]


def listed(roots: str | os.PathLike[str] | Sequence[str]) -> tuple[str, ...]:
    if isinstance(roots, str):
        return (roots,)
    return (os.fspath(roots),) if isinstance(roots, os.PathLike) else tuple(map(os.fspath, roots))


def _joined(directory: Path, name: str) -> Path:
    # By text alone, as path.resolve in Node: a link inside a root may lead anywhere, a name may not.
    return Path(os.path.normpath(directory / name))


def _inside(path: Path, roots: list[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _directories(roots: str | Sequence[str]) -> str:
    *others, last = listed(roots) or ("",)
    if not others:
        return f'directory "{last}"'
    return 'directories "' + '", "'.join(others) + f'" or "{last}"'


def render_file(path: str, options: Mapping[str, Any]) -> str:
    """Render the template in the file ``path`` with the names in ``options``: the engine for ``.html``.

    The language is a strict subset of Jinja2 with ``autoescape=True``: what is taken renders the same there. Templates
    named by ``extends`` and ``include`` are sought in ``options['settings']['views']`` (a directory or a list of them),
    then beside the file that names them, and never outside those directories. Compiled templates are kept; a changed
    file is read again, unless ``options['cache']`` is true.

    Raises ``TemplateError`` for a fault in a template or in what it was given, ``OSError`` when ``path`` cannot be
    read.
    """
    library = _Library(path, options)
    parts: list[str] = []
    _render(library.load(path), options, parts.append, library, depth=0)
    return "".join(parts)


def _render(template: Template, context: Scope, write: Callable[[str], None], library: _Library, depth: int) -> None:
    blocks = template.blocks
    passed = {template.path}
    while template.parent is not None:
        # Jinja2 writes what stands before the extends tag.
        write(template.prefix)
        name, place = template.parent
        template = library.linked(name, place)
        if template.path in passed:
            raise place.error(f'extends "{name}", which extends this file in turn')
        passed.add(template.path)
        blocks = {**template.blocks, **blocks}

    def include(name: str, place: Place, scope: Scope) -> None:
        if depth == _DEPTH:
            raise place.error(f'include "{name}": {_DEPTH} files include one another; does one include itself?')
        try:
            _render(library.linked(name, place), scope, write, library, depth + 1)
        except RecursionError as error:
            raise place.error(f'include "{name}": the files include one another too deep') from error

    template.body(Rendering(write, context, blocks, include), context)


class _Library:
    """The templates that one call of ``render_file`` may reach."""

    __slots__ = ("_cached", "_views")

    # Assigning a key is atomic, and two threads that compile the same file get the same: no lock is needed.
    _kept: ClassVar[dict[str, _Kept]] = {}
    _links: ClassVar[dict[tuple[str, str, tuple[str, ...]], str]] = {}

    def __init__(self, path: str, options: Mapping[str, Any]) -> None:
        self._cached = bool(options.get("cache"))
        try:
            self._views = listed(options["settings"]["views"])
        except (LookupError, TypeError):
            self._views = (str(Path(path).parent),)

    def load(self, path: str) -> Template:
        kept = self._kept.get(path)
        if kept is not None and self._cached:
            return kept.template
        file = kept.file if kept is not None else Path(path)
        status = file.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        if kept is None or kept.stamp != stamp:
            kept = self._kept[path] = _Kept(file, stamp, compile_template(path, file.read_bytes()))
        return kept.template

    def linked(self, name: str, place: Place) -> Template:
        link = (name, place.path, self._views)
        if self._cached and link in self._links:
            return self.load(self._links[link])
        candidates = _candidates(*link)
        if not candidates:
            raise place.error(f'"{name}" leads out of the views {_directories(self._views)}')
        for path in candidates:
            try:
                template = self.load(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except OSError as error:
                raise place.error(error) from error
            self._links[link] = path
            return template
        raise place.error(f'there is no "{name}" in the views {_directories(self._views)}')


@dataclass(frozen=True, slots=True)
class _Kept:
    file: Path
    stamp: tuple[int, int]
    template: Template


def _candidates(name: str, origin: str, views: tuple[str, ...]) -> tuple[str, ...]:
    """The files that ``name`` may mean where ``origin`` names it, all of them within ``views``."""
    roots = _absolute(views)
    files = [_joined(root, name) for root in (*roots, _joined(Path.cwd(), origin).parent)]
    return tuple(str(file) for file in files if _inside(file, roots))


# As deep as files may include one another: deep enough for a tree of comments, shallow enough for Python's stack.
_DEPTH = 50
