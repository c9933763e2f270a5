"""The final handler: responds where nothing else did, with a 404 or an error page. After npm finalhandler 2.1."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .development.error_page import describe_error
from .errors import HTTPError, headers_of, printable, reason_phrase, status_of, text_of
from .http.encoding import encode_url, error_page, utf8
from .request import Request
from .response import Response

log = logging.getLogger("miniexpress")


def final_handler(req: Request, res: Response, env: str, error: Any = None) -> None:
    """Respond with a 404, or with the error's status and page: the ``next`` behind the last layer of an app's stack.

    Where the response was started, keep the error for the server to abort the connection. ``env`` is the app's setting:
    in ``production`` the page tells the status alone, and in ``test`` nothing is logged.
    """
    if error is None:
        if not res.headers_sent:
            send_error_page(res, 404, f"Cannot {req.method} {encode_url(req.original_path)}")
        return
    status = status_of(error, res.status_code)
    if env != "test":
        log_error(req, status, error)
    if not res.headers_sent:
        message = reason_phrase(status) if env == "production" else describe_error(error, req)
        send_error_page(res, status, message, headers_of(error))
    elif not res.ended:
        res.error_after_start = error if isinstance(error, BaseException) else RuntimeError(text_of(error))


def log_error(req: Request, status: int, error: Any) -> None:
    """Log errors of the server's own (5xx), unexpected ones with their traceback, and those of clients as a note."""
    if status < 500:
        log.info("%s %s: %s %s", req.method, req.original_url, status, text_of(error))
        return
    is_unexpected = isinstance(error, BaseException) and not issubclass(type(error), HTTPError)
    log.error(
        "%s %s: %s", req.method, req.original_url, text_of(error), exc_info=printable(error) if is_unexpected else None
    )


def send_error_page(res: Response, status: int, message: str, headers: Mapping[str, Any] | None = None) -> None:
    """End the response with a page that says ``message``, and no part of what was to be sent before."""
    body = utf8(error_page(message))
    res.status_message = None
    res.status(status).remove_header("Content-Encoding", "Content-Language", "Content-Range")
    for name, value in (headers or {}).items():
        with suppress(TypeError, ValueError):  # the error's own, which may be no header fields
            res.set_header(name, value)
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Content-Type", "text/html; charset=utf-8").set_header("Content-Length", str(len(body)))
    res.end(body)
