"""Errors that carry an HTTP status, and what can be read of any error without raising another."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

# The phrases that Express sends. Python's own differ from version to version.
_PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Payload Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Entity",
    509: "Bandwidth Limit Exceeded",
}


def reason_phrase(status: int) -> str:
    """Return the phrase of a status: 404 gives ``Not Found``, an unknown one ``''``. As npm statuses 2."""
    return _PHRASES.get(status, "")


class HTTPError(Exception):
    """An error whose response has its status instead of 500.

    Raise it or pass it to ``next()``. What http-errors 2 is to Express.

    ``status`` is 400 to 599; ``message`` defaults to the status's phrase; ``headers`` are sent with the answer;
    ``expose`` tells error handlers of the app's own whether a client may read the message (by default below 500; the
    page that is sent without one does not ask, nor does Express's). Further keyword arguments become attributes
    (``type``, ``limit``, …), as body-parser's errors have them.

    Raises ``ValueError`` when ``status`` is no error status.
    """

    type: str | None = None

    def __init__(
        self,
        status: int,
        message: str | None = None,
        expose: bool | None = None,
        headers: Mapping[str, str] | None = None,
        **properties: Any,
    ) -> None:
        if not _is_error_status(status):
            raise ValueError(f"HTTPError status must be between 400 and 599, not {status!r}")
        self.status = status
        self.message = reason_phrase(status) if message is None else message
        self.expose = status < 500 if expose is None else expose
        self.headers = dict(headers or {})
        super().__init__(self.message)
        self.__dict__.update(properties)

    def to_json(self) -> dict[str, Any]:
        """Return the message, headers if any, and further properties: what npm http-errors 2 has in JSON."""
        left_out = {"status", "expose"} if self.headers else {"status", "expose", "headers"}
        return {k: v for k, v in vars(self).items() if k not in left_out}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.message), self.__dict__


def status_of(error: Any, fallback: int) -> int:
    """Return the status of the response to an error: its own, or ``fallback`` if that is one of an error, or 500."""
    for status in (_own_status(error), fallback):
        if _is_error_status(status):
            return int.__int__(status)  # whatever its own class makes of it
    return 500


def headers_of(error: Any) -> Mapping[str, Any]:
    """Return the header fields that an error has; they count only with a status of its own."""
    headers = property_of(error, "headers")
    if _own_status(error) is None:
        return {}
    try:
        return dict(headers) if isinstance(headers, Mapping) else {}
    except Exception:  # no dict, for all that it says
        return {}


def text_of(error: Any) -> str:
    """Return ``str(error)``, or a text that says that it raised."""
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__}, whose str() failed>"


def printable(error: BaseException) -> BaseException:
    """Return the error, or where its attributes keep Python from printing it, one that says so in its place."""
    try:
        traceback.TracebackException.from_exception(error)
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {text_of(error)}").with_traceback(_traceback_of(error))
    return error


def _own_status(error: Any) -> Any:
    """Return the ``status`` or ``status_code`` that an error has, as attribute or as item of a dict, or ``None``.

    As npm finalhandler 2.1.
    """
    for name in ("status", "status_code"):
        status = property_of(error, name)
        if _is_error_status(status):
            return status
    return None


def _is_error_status(status: Any) -> bool:
    """Return whether it is an integer from 400 to 599."""
    return issubclass(type(status), int) and 400 <= int.__int__(status) <= 599


def property_of(error: Any, name: str) -> Any:
    """Return an attribute of an error, or an item of a dict; ``None`` where there is none, or getting it raises."""
    try:
        return error.get(name) if isinstance(error, Mapping) else getattr(error, name, None)
    except Exception:
        return None


_traceback_of = BaseException.__dict__["__traceback__"].__get__  # whatever the error's own class has of that name
