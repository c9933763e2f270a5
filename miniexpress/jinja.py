"""Jinja2 for whoever outgrows the built-in templates: ``app.engine('html', jinja2_engine('views'))``.

The one room that imports jinja2, which is to be installed beside: ``pip install jinja2``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from .views.lookup import Engine, Roots, linked_names, template_name


def jinja2_engine(directory: Roots, environment: Environment | None = None) -> Engine:
    """An engine for ``app.engine`` that renders the files below ``directory``, or a list of them, with Jinja2.

    ``environment`` brings filters, globals and options of its own, and is left as it is; without one it is
    ``Environment(autoescape=True)``, under which every view of the built-in engine renders the same. Templates are
    sought in ``directory``, then beside the file that names them, unless ``environment`` has its own ``join_path``;
    ``None`` is written as nothing, unless it has its own ``finalize``.

    Raises jinja2's ``TemplateNotFound`` for a view that is in no ``directory``, and its ``TemplateError`` for one with
    a fault.
    """
    loader = FileSystemLoader(directory)
    roots = list(map(os.path.abspath, loader.searchpath))
    environment = (environment or _default_environment()).overlay(loader=loader)
    environment.finalize = environment.finalize or _none_as_nothing

    def join_path(template: str, parent: str) -> str:
        for name in linked_names(template, parent):
            if any(os.path.isfile(os.path.join(root, name)) for root in roots):
                return name
        return template

    if type(environment).join_path is Environment.join_path:
        environment.join_path = join_path  # type: ignore[method-assign]

    def render(path: str, options: Mapping[str, Any]) -> str:
        return environment.get_template(template_name(path, roots)).render(options)

    return render


def _default_environment() -> Environment:
    environment = Environment(autoescape=True)
    environment.filters["safe"] = lambda value: Markup("" if value is None else value)
    return environment


@pass_context  # or jinja2 escapes a constant before it asks for the final value: None as "None"
def _none_as_nothing(context: Context, value: Any) -> Any:
    return "" if value is None else value
