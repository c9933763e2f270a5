"""Render a directory of templates with the built-in engine, and with Jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from miniexpress.jinja import jinja2_engine
from miniexpress.views.engine import template_engine
from miniexpress.views.parser import TemplateError


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write the files ``{name: text}`` below ``root``."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())


def render(root: Path, files: str | Mapping[str, str], /, *, cache: bool = False, **context: Any) -> str:
    """Write ``files``, and render their ``main.html`` as ``app.render`` does. A string is the text of ``main.html``."""
    write(root, {"main.html": files} if isinstance(files, str) else files)
    return template_engine(root, cache=cache)(str(root / "main.html"), context)


def jinja(root: Path, /, **context: Any) -> str:
    """Render the view ``main.html`` that is in ``root`` with Jinja2."""
    return jinja2_engine(root)(str(root / "main.html"), context)


def fault(root: Path, files: str | Mapping[str, str], /, **context: Any) -> TemplateError:
    """Return the error that ``render`` raises."""
    with pytest.raises(TemplateError) as caught:
        render(root, files, **context)
    return caught.value
