"""TODO"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from .expressions import Scope
from .lookup import Engine, Roots, _directories, _is_inside, _joined, linked_names, listed, template_name
from .parser import Place, Rendering, Template, compile_template


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
