"""Jinja2 in place of the built-in template engine: ``app.engine("html", jinja2_engine("views"))``.

This is the only module that imports Jinja2, which is installed separately: ``pip install jinja2``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, Undefined, pass_context
from jinja2.filters import do_mark_safe
from jinja2.runtime import Context

from .attrdict import AttrDict
from .keyword_options import suggests_keywords
from .views.lookup import Engine, Roots, absolute_paths, candidate_names, template_name


@suggests_keywords
def jinja2_engine(directory: Roots, environment: Environment | None = None) -> Engine:
    """Return an engine for ``app.engine`` that renders files below ``directory``, a folder or a list, with Jinja2.

    ``environment`` brings filters, globals and options of its own, and is not changed. The default is
    ``Environment(autoescape=True)``, with which every view of the built-in engine renders the same. Templates are
    looked for in ``directory``, then beside the file that names them, unless ``environment`` overrides ``join_path``;
    ``None`` is written as nothing, unless it has a ``finalize``. A field that an AttrDict, such as ``req.body``, lacks
    is undefined, for filters and tests as well: ``{{ form.email|trim }}`` is nothing, and not "None".

    The engine raises Jinja2's ``TemplateNotFound`` for a view that is in no ``directory``, and its ``TemplateError``
    for one with a mistake.
    """
    if environment is not None and not isinstance(environment, Environment):
        raise TypeError(f"jinja2_engine(environment=…) is a jinja2.Environment, not {environment!r}")
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
    undefined = _MissingField if environment.undefined is Undefined else environment.undefined
    for method in ("getattr", "getitem"):
        setattr(environment, method, _undefined_where_missing(getattr(environment, method), undefined))

    def render(path: str, options: Mapping[str, Any]) -> str:
        return environment.get_template(template_name(path, roots)).render(options)

    return render


class _MissingField(ChainableUndefined):
    """A value that an AttrDict does not have. It equals ``None``, which it is in the built-in engine."""

    def __repr__(self) -> str:
        return "None"  # as in {{ [form.name, form.email] }}

    def __eq__(self, other: object) -> bool:
        return other is None or super().__eq__(other)

    __hash__ = ChainableUndefined.__hash__


def _undefined_where_missing(
    access: Callable[[Any, Any], Any], undefined: type[Undefined]
) -> Callable[[Any, Any], Any]:
    """Return ``environment.getattr`` or ``getitem``, but ``undefined`` for what an AttrDict lacks."""

    def get(owner: Any, name: Any) -> Any:
        is_field = isinstance(owner, AttrDict) and isinstance(name, str) and not hasattr(type(owner), name)
        return undefined(obj=owner, name=name) if is_field and name not in owner else access(owner, name)

    return get


def _default_environment() -> Environment:
    environment = Environment(autoescape=True)
    environment.filters["safe"] = lambda value: do_mark_safe("" if value is None else value)
    return environment


@pass_context  # without it Jinja2 escapes a constant before it calls finalize: None would be written as "None"
def _none_as_nothing(context: Context, value: Any) -> Any:
    return "" if value is None else value
