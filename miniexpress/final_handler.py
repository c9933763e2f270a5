"""TODO"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .http.encoding import error_page, utf8
from .response import Response


def _answer_page(res: Response, status: int, message: str, headers: Mapping[str, Any] | None = None) -> None:
    body = utf8(error_page(message))
    res.status_message = None
    res.status(status).remove_header("Content-Encoding", "Content-Language", "Content-Range")
    for name, value in (headers or {}).items():
        with suppress(TypeError, ValueError):  # an error's own, which no header can hold
            res.set_header(name, value)
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Content-Type", "text/html; charset=utf-8").set_header("Content-Length", str(len(body)))
    res.end(body)
