"""The built-in template engine: load the files, follow ``extends`` and ``include``, and write the text.

``parser`` compiles one file, ``expressions`` what stands in its tags. The language is described in ``README.md``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from .lookup import (
    Engine,
    Roots,
    absolute_paths,
    as_tuple,
    candidate_names,
    describe_roots,
    is_inside,
    join_path,
    template_name,
)
from .parser import RenderContext, SourceLocation, Template, compile_template
from .values import Scope

# Files that include one another: deep enough for a tree of comments, shallow enough for Python's stack.
MAX_INCLUDE_DEPTH = 50


def template_engine(directory: Roots, *, cache: bool = False) -> Engine:
    """Return the built-in engine for ``.html`` files below ``directory``, a folder or a list of folders.

    The language is a strict subset of Jinja2 with ``autoescape=True``: a template that compiles renders the same with
    ``jinja2_engine``. Templates named by ``extends`` and ``include`` are looked for in ``directory``, then beside the
    file that names them, and never outside. Compiled templates are cached; a changed file is compiled again, unless
    ``cache`` is true.

    The engine raises ``TemplateError`` for a mistake in a template or in the values it is given, ``OSError`` for a file
    that cannot be read.
    """
    loader = TemplateLoader(directory, cache)

    def render(path: str, options: Mapping[str, Any]) -> str:
        pieces: list[str] = []
        _render(loader.load(path), Scope(options), pieces, loader, depth=0)
        return "".join(pieces)

    return render


def _render(template: Template, variables: Scope, pieces: list[str], loader: TemplateLoader, depth: int) -> None:
    """Write ``template``: the body of its outermost ancestor, with the blocks of its youngest descendant."""
    blocks = template.blocks
    seen = {template.path}
    while template.parent is not None:
        pieces.append(template.prefix)
        name, location = template.parent
        template = loader.load_relative(name, location)
        if template.path in seen:
            raise location.error(f'extends "{name}", which extends this file in turn')
        seen.add(template.path)
        blocks = {**template.blocks, **blocks}

    def include(name: str, location: SourceLocation, scope: Scope) -> None:
        if depth == MAX_INCLUDE_DEPTH:
            raise location.error(
                f'include "{name}": {MAX_INCLUDE_DEPTH} files include one another; does one include itself?'
            )
        try:
            _render(loader.load_relative(name, location), scope, pieces, loader, depth + 1)
        except RecursionError as error:
            raise location.error(f'include "{name}": the files include one another too deep') from error

    template.body(RenderContext(pieces, variables, blocks, include), variables)


class TemplateLoader:
    """Load and cache the templates below the folders of one engine."""

    # By path, with the file's time and size; shared by all engines. No lock is needed: assigning a key is atomic, and
    # two threads that compile the same file get equal templates.
    _cache: ClassVar[dict[str, tuple[tuple[int, int], Template]]] = {}

    def __init__(self, directory: Roots, cache: bool) -> None:
        self._views = as_tuple(directory)
        self._roots = absolute_paths(directory)
        self._trust_cache = cache
        self._found: dict[tuple[str, str], Template] = {}  # by name, and the path of the file that names it

    def load(self, path: str) -> Template:
        """Return the compiled template at ``path``. Raises ``OSError`` and ``TemplateError``."""
        cached_stamp, template = self._cache.get(path, (None, None))
        if template and self._trust_cache:
            return template
        status = os.stat(path)
        stamp = (status.st_mtime_ns, status.st_size)
        if template is None or stamp != cached_stamp:
            with open(path, "rb") as file:
                template = compile_template(path, file.read())
            self._cache[path] = stamp, template
        return template

    def load_relative(self, name: str, location: SourceLocation) -> Template:
        """Return the template ``name`` as the tag at ``location`` means it.

        It is looked for below each folder, then beside the file that names it: once, where views are cached. Raises
        ``TemplateError``.
        """
        template = self._found.get((name, location.path))
        if template is None:
            template = self._look_up(name, location)
            if self._trust_cache:
                self._found[name, location.path] = template
        return template

    def _look_up(self, name: str, location: SourceLocation) -> Template:
        is_below_a_root = False
        for each in candidate_names(name, template_name(location.path, self._roots)):
            for root in self._roots:
                path = join_path(root, each)
                if not is_inside(path, [root]):
                    continue
                is_below_a_root = True
                try:
                    return self.load(path)
                except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    continue
                except OSError as error:
                    raise location.error(error) from error
        problem = f'there is no "{name}" in' if is_below_a_root else f'"{name}" leads out of'
        raise location.error(f"{problem} the views {describe_roots(self._views)}")
