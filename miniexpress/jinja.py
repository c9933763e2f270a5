"""Jinja2 in place of the built-in template engine: ``app.engine("html", jinja2_engine("views"))``.

This is the only module that imports Jinja2, which is installed separately: ``pip install jinja2``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.filters import do_mark_safe
from jinja2.runtime import Context

from .keyword_options import suggests_keywords
from .views.lookup import Engine, Roots, absolute_paths, candidate_names, template_name


@suggests_keywords
def jinja2_engine(directory: Roots, environment: Environment | None = None) -> Engine:
    """Return an engine for ``app.engine`` that renders files below ``directory``, a folder or a list, with Jinja2.

    ``environment`` brings filters, globals and options of its own, and is not changed. The default is
    ``Environment(autoescape=True)``, with which every view of the built-in engine renders the same. Templates are
    looked for in ``directory``, then beside the file that names them, unless ``environment`` overrides ``join_path``;
    ``None`` is written as nothing, unless it has a ``finalize``.

    The engine raises Jinja2's ``TemplateNotFound`` for a view that is in no ``directory``, and its ``TemplateError``
    for one with a mistake.
    """
    roots = absolute_paths(directory)
    environment = (environment or _default_environment()).overlay(loader=FileSystemLoader(directory))
    environment.finalize = environment.finalize or _none_as_nothing

    def join_path(template: str, parent: str) -> str:
        for name in candidate_names(template, parent):
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
    environment.filters["safe"] = lambda value: do_mark_safe("" if value is None else value)
    return environment


@pass_context  # without it Jinja2 escapes a constant before it calls finalize: None would be written as "None"
def _none_as_nothing(context: Context, value: Any) -> Any:
    return "" if value is None else value
