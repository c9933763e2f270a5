"""The final handler: responds where nothing else did, with a 404 or an error page. After npm finalhandler 2.1."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .development.error_page import SECURITY_POLICY, describe_error, styled_page
from .development.missing_middleware import note_for
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
            send_error_page(res, env, 404, f"Cannot {req.method} {encode_url(req.original_path)}")
        return
    status = status_of(error, res.status_code)
    if env != "production":
        add_note(error, req)
    if env != "test":
        log_error(req, status, error)
    if not res.headers_sent:
        message = reason_phrase(status) if env == "production" else describe_error(error, req)
        send_error_page(res, env, status, message, headers_of(error))
    elif not res.ended:
        res.error_after_start = error if isinstance(error, BaseException) else RuntimeError(text_of(error))


def add_note(error: Any, req: Request) -> None:
    """Have the page and the log say which middleware is missing, where the error comes from that."""
    with suppress(Exception):  # whatever an error of the app's own does when it is asked
        note = note_for(error, req)
        if note and note not in getattr(error, "__notes__", ()):
            error.add_note(note)


def log_error(req: Request, status: int, error: Any) -> None:
    """Log errors of the server's own (5xx), unexpected ones with their traceback, and those of clients as a note."""
    if status < 500:
        log.info("%s %s: %s %s", req.method, req.original_url, status, text_of(error))
        return
    is_unexpected = isinstance(error, BaseException) and not issubclass(type(error), HTTPError)
    log.error(
        "%s %s: %s", req.method, req.original_url, text_of(error), exc_info=printable(error) if is_unexpected else None
    )


def send_error_page(
    res: Response, env: str, status: int, message: str, headers: Mapping[str, Any] | None = None
) -> None:
    """End the response with a page that says ``message``, and no part of what was to be sent before."""
    if env == "production":
        page, security_policy = error_page(message), "default-src 'none'"
    else:
        page, security_policy = styled_page(message, status), SECURITY_POLICY
    body = utf8(page)
    res.status_message = None
    res.status(status).remove_header("Content-Encoding", "Content-Language", "Content-Range")
    for name, value in (headers or {}).items():
        with suppress(TypeError, ValueError):  # the error's own, which may be no header fields
            res.set_header(name, value)
    res.set_header("Content-Security-Policy", security_policy).set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Content-Type", "text/html; charset=utf-8").set_header("Content-Length", str(len(body)))
    res.end(body)
