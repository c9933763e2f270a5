"""Look up views as Express 5.3 does (``lib/view.js``): from a name to a file below ``views``, and to its engine.

``View("cart", root="views", default_engine="html", engines={".html": engine}).path`` -> ``"/srv/views/cart.html"``
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Roots = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Engine = Callable[[str, Mapping[str, Any]], str]  # (path of the file, options) -> text


class View:
    """A view that was found: its ``name``, the ``path`` of its file, and ``render(options)``.

    It is the default of the setting ``view``. Another class with the same constructor, ``path`` and ``render`` may be
    set; its ``path`` is empty for a view that it did not find.
    """

    def __init__(self, name: str, *, root: Roots, default_engine: str, engines: Mapping[str, Engine]) -> None:
        """Look up ``name`` below ``root``, a folder or a list of folders.

        A name without an extension gets ``default_engine`` as its extension. ``engines`` maps extensions with their
        dot, like ``".html"``. Raises ``ValueError`` for an extension without engine, ``LookupError`` for no such file.
        """
        if not isinstance(name, str):
            raise TypeError(f"a view's name must be a str, not {name!r}")
        file_name = name
        extension = os.path.splitext(name.rstrip("/"))[1]  # as Node's path.extname: "x.html/" has the extension .html
        if not extension:
            extension = f".{default_engine.removeprefix('.')}"
            file_name += extension
        if extension not in engines:
            raise ValueError(
                f'No engine for "{extension}", the extension of view "{name}": there are engines for '
                f"{', '.join(sorted(engines)) or 'no extension'}. Add one with "
                f"app.engine('{extension[1:]}', lambda path, options: ...)."
            )
        self.name = name
        self.path = find_file(file_name, extension, root)
        if not self.path:
            raise LookupError(f'Failed to lookup view "{name}" in views {describe_roots(root)}')
        self._engine = engines[extension]

    def render(self, options: Mapping[str, Any]) -> str:
        """Return the text that the engine makes of the file and ``options``."""
        return self._engine(self.path, options)


def find_file(file_name: str, extension: str, roots: Roots) -> str:
    """Return the absolute path of the first file found below ``roots``, or ``""``.

    In each root, ``users.html`` is tried as ``users.html`` and then as ``users/index.html``. Unlike in Express, a name
    that leads out of all roots finds nothing.
    """
    folders = absolute_paths(roots)
    for folder in folders:
        path = join_path(folder, file_name)
        for candidate in (path, os.path.join(path.removesuffix(extension), f"index{extension}")):
            if is_inside(candidate, folders) and os.path.isfile(candidate):
                return candidate
    return ""


# Used by the engines too, which look for the templates that a template names in ``extends`` and ``include``.


def template_name(path: str, roots: Iterable[str]) -> str:
    """Return the name of the template at ``path``: relative to the first of ``roots`` that has it, with slashes.

    ``"/srv/views/shop/cart.html"`` below ``"/srv/views"`` -> ``"shop/cart.html"``. A path outside of every root is
    returned whole.
    """
    path = os.path.abspath(path)
    root = next((root for root in roots if is_inside(path, [root])), "")
    return path.removeprefix(os.path.join(root, "")).replace(os.sep, "/")


def candidate_names(name: str, parent: str) -> list[str]:
    """Return the template names to try, in order, for ``name`` as the template ``parent`` writes it.

    ``"row.html"`` in ``"shop/cart.html"`` -> ``["row.html", "shop/row.html"]``.
    """
    name = name.lstrip("/")
    return [posixpath.normpath(name), posixpath.normpath(posixpath.join(posixpath.dirname(parent), name))]


def as_tuple(roots: Roots) -> tuple[str, ...]:
    """Return one folder, or a list of them, as a tuple of str."""
    return tuple(os.fspath(root) for root in ([roots] if isinstance(roots, str | os.PathLike) else roots))


def absolute_paths(roots: Roots) -> list[str]:
    """Return the absolute paths of one folder, or a list of them."""
    return [os.path.abspath(root) for root in as_tuple(roots)]


def join_path(folder: str, name: str) -> str:
    """Return the normalized path of ``name`` in ``folder``: ``"/views"``, ``"a/../b"`` -> ``"/views/b"``.

    As ``path.resolve`` in Node, this looks at the text alone: a symbolic link inside of a folder may lead anywhere,
    a name may not.
    """
    return os.path.normpath(os.path.join(folder, name))


def is_inside(path: str, folders: Iterable[str]) -> bool:
    """Return whether ``path`` is below one of ``folders``. All of them are absolute and normalized."""
    return any(path.startswith(os.path.join(folder, "")) for folder in folders)


def describe_roots(roots: Roots) -> str:
    """Return the folders in the words of Express's messages: ``directories "a", "b" or "c"``."""
    *others, last = as_tuple(roots) or ("",)
    if not others:
        return f'directory "{last}"'
    return 'directories "' + '", "'.join(others) + f'" or "{last}"'
