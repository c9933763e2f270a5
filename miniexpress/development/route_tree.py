"""The stack of a router as text, a line for each handler: what ``app.routes()`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..routing.layer import Layer
from ..routing.router import Router
from ..usage.arguments import describe


def route_tree(router: Router, indent: str = "") -> Iterator[str]:
    """Yield a line for each handler; those of a router that is mounted in it are indented."""
    for layer in router.stack:
        for each in layer.route.stack if layer.route else [layer]:
            yield f"{indent}{format_layer(each)}"
        if mounted := _mounted_router(layer):
            yield from route_tree(mounted, indent + "    ")


def format_layer(layer: Layer) -> str:
    """Return a layer's method, path and handler: ``GET /items/:id  item (/srv/app.py:12)``."""
    mounted = _mounted_router(layer)
    handler = type(mounted).__name__ if mounted else describe(layer.handler)
    errors = ", for errors" if layer.handles_errors else ""
    return f"{layer.method or '*'} {format_path(layer.path)}  {handler}{errors}"


def format_path(path: Any) -> str:
    """Return a path as text; a pattern or a list as Python writes it."""
    return path if isinstance(path, str) else repr(path)


def _mounted_router(layer: Layer) -> Router | None:
    """Return the router whose ``handle`` the layer calls, if it does."""
    owner = getattr(layer.handler, "__self__", None)
    return owner if isinstance(owner, Router) else None
