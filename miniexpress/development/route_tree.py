"""TODO"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arguments import describe
from ..routing.layer import Layer
from ..routing.path_patterns import ParamDecodeError
from ..routing.router import Route, Router


def _mounts(router: Router, route: Route, path: str) -> Iterator[str]:
    """The beginnings of a path that lead to a route: what ``req.base_url`` gains on the way there."""
    for layer in router.stack:
        inner = _router(layer)
        try:
            found = layer.match(path) if inner or layer.route is route else None
        except ParamDecodeError:
            continue
        if found and layer.route is route:
            yield ""
        if found and inner:
            mount = found[0]
            yield from (mount.removesuffix("/") + rest for rest in _mounts(inner, route, path[len(mount) :] or "/"))


def tree(router: Router, indent: str = "") -> Iterator[str]:
    """The stack of a router, a line for each handler, those of a router in it further to the right."""
    for layer in router.stack:
        for each in layer.route.stack if layer.route else [layer]:
            yield f"{indent}{_row(each)}"
        if inner := _router(layer):
            yield from tree(inner, indent + "    ")


def _row(layer: Layer) -> str:
    inner = _router(layer)
    handler = type(inner).__name__ if inner else describe(layer.handler)
    return f"{layer.method or '*'} {_shown(layer.path)}  {handler}{', for errors' if layer.handles_errors else ''}"


def _router(layer: Layer) -> Router | None:
    """The router that a layer leads into."""
    owner = getattr(layer.handler, "__self__", None)
    return owner if isinstance(owner, Router) else None


def _shown(path: Any) -> str:
    return path if isinstance(path, str) else repr(path)
