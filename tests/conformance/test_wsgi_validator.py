"""Every app of the table under PEP 3333's own checker, wsgiref.validate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from wsgiref.validate import validator

import pytest

from miniexpress import App

from .case import all_cases
from .python_side import build
from .wire import exchange

CASES = [(area, case) for area, cases in all_cases().items() for case in cases]


def with_a_type(app: Any) -> Any:
    """Add the Content-Type that the checker wants on every response; PEP 3333 and Express do not."""

    def typed(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            has_one = any(name.lower() == "content-type" for name, _ in headers) or status[:3] in ("204", "304")
            return start_response(status, headers if has_one else [*headers, ("Content-Type", "none/none")], *exc_info)

        return app(environ, start)

    return typed


def test_wsgiref_validate_finds_no_fault_in_any_app_of_the_table(
    serve: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    """The first two requests to each app."""
    current: list[App] = []
    url = serve(lambda environ, start_response: validator(with_a_type(current[0]))(environ, start_response))
    port = int(url.rpartition(":")[2])
    for area, case in CASES:
        current[:] = [build(area, case)]
        for sent in case.requests[:2]:
            exchange(port, sent)
            found = [record for record in caplog.records if record.exc_info and record.exc_info[0] is AssertionError]
            assert not found, f"{area}-{case.name}-{sent.name}: {found[0].exc_text or found[0].exc_info}"
