"""Write a directory of templates, and render it with the built-in engine and with Jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from miniexpress.jinja import jinja2_engine
from miniexpress.views.engine import template_engine
from miniexpress.views.parser import TemplateError


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files by their paths below ``root``, with the folders that they need."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())


def render(root: Path, files: str | Mapping[str, str], /, *, cache: bool = False, **context: Any) -> str:
    """Write ``files`` (or one text, as ``main.html``), and return what the built-in engine makes of ``main.html``."""
    write(root, {"main.html": files} if isinstance(files, str) else files)
    return template_engine(root, cache=cache)(str(root / "main.html"), context)


def jinja(root: Path, /, **context: Any) -> str:
    """Return what Jinja2 makes of ``main.html``."""
    return jinja2_engine(root)(str(root / "main.html"), context)


def fault(root: Path, files: str | Mapping[str, str], /, **context: Any) -> TemplateError:
    """Return the error with which the built-in engine refuses these files."""
    with pytest.raises(TemplateError) as caught:
        render(root, files, **context)
    return caught.value
