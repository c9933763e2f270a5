"""Views: how a name becomes a file and an engine, and the engine that ships: a strict subset of Jinja2."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from .expressions import Scope
from .templates import Place, Rendering, Template, compile_template

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


def template_engine(directory: Roots, *, cache: bool = False) -> Engine:
    """The built-in engine, for ``.html``: renders files below ``directory``, or a list of them, with the names given.

    The language is a strict subset of Jinja2 with ``autoescape=True``: what is taken renders the same by
    ``jinja2_engine``. Templates named by ``extends`` and ``include`` are sought in ``directory``, then beside the file
    that names them, and never outside. Compiled templates are kept; a changed file is read again, unless ``cache``.

    The engine raises ``TemplateError`` for a fault in a template or in what it was given, ``OSError`` for a file that
    cannot be read.
    """
    library = _Library(listed(directory), cache)

    def render(path: str, options: Mapping[str, Any]) -> str:
        parts: list[str] = []
        _render(library.load(path), options, parts.append, library, depth=0)
        return "".join(parts)

    return render


def template_name(path: str, roots: Iterable[str]) -> str:
    """A file's name as a template: its path below the first of ``roots`` that it is in; in none, its whole path."""
    path = os.path.abspath(path)
    root = next((root for root in roots if _is_inside(path, [root])), "")
    return path.removeprefix(os.path.join(root, "")).replace(os.sep, "/")


def linked_names(name: str, parent: str) -> list[str]:
    """The templates that ``name`` may mean in the template ``parent``: of that name, then beside ``parent``."""
    name = name.lstrip("/")
    return [posixpath.normpath(name), posixpath.normpath(posixpath.join(posixpath.dirname(parent), name))]


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
    """The templates that one engine may reach."""

    # Assigning a key is atomic, and two threads that compile the same file get the same: no lock is needed.
    _kept: ClassVar[dict[str, tuple[tuple[int, int], Template]]] = {}

    def __init__(self, views: tuple[str, ...], cached: bool) -> None:
        self.views = views
        self.roots = list(map(os.path.abspath, views))
        self.cached = cached

    def load(self, path: str) -> Template:
        stamp, template = self._kept.get(path, (None, None))
        if template and self.cached:
            return template
        status = os.stat(path)
        changed = (status.st_mtime_ns, status.st_size)
        if template is None or stamp != changed:
            with open(path, "rb") as file:
                template = compile_template(path, file.read())
            self._kept[path] = changed, template
        return template

    def linked(self, name: str, place: Place) -> Template:
        """The template that ``name`` means in the one that has it, at ``place``."""
        problem = f'"{name}" leads out of'
        names = linked_names(name, template_name(place.path, self.roots))
        for root, path in [(root, _joined(root, each)) for each in names for root in self.roots]:
            if not _is_inside(path, [root]):
                continue
            problem = f'there is no "{name}" in'
            try:
                return self.load(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except OSError as error:
                raise place.error(error) from error
        raise place.error(f"{problem} the views {_directories(self.views)}")


# As deep as files may include one another: deep enough for a tree of comments, shallow enough for Python's stack.
_DEPTH = 50
