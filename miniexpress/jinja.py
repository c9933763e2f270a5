"""Jinja2 for whoever outgrows the built-in templates: ``app.engine('html', jinja2_engine('views'))``.

The one room that imports jinja2, which is to be installed beside: ``pip install jinja2``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from .views import Engine


def jinja2_engine(
    directory: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], environment: Environment | None = None
) -> Engine:
    """An engine for ``app.engine`` that renders the files below ``directory``, or a list of them, with Jinja2.

    ``environment`` brings filters, globals and options of its own; without one it is ``Environment(autoescape=True)``,
    under which every view of the built-in engine renders the same. Raises jinja2's ``TemplateNotFound`` for a view that
    is in no ``directory``, and its ``TemplateError`` for one with a fault.
    """
    environment = environment or Environment(autoescape=True)
    environment.loader = loader = FileSystemLoader(directory)
    roots = [os.path.abspath(root) for root in loader.searchpath]

    def render(path: str, options: Mapping[str, Any]) -> str:
        view = Path(path)
        name = next((view.relative_to(root).as_posix() for root in roots if view.is_relative_to(root)), path)
        return environment.get_template(name).render(options)

    return render
