"""Fixtures of the tests that send files: the folder that is served, and the mode of its app."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.served_folder import make_root


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have new apps be in production, where error pages tell the status alone."""
    monkeypatch.setenv("MINIEXPRESS_ENV", "production")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of files, and a secret beside it."""
    return make_root(tmp_path)
