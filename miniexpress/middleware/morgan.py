"""``morgan``: middleware that writes a line for each request to a log. After npm morgan 1.12.1."""

from __future__ import annotations

import base64
import difflib
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import count_parameters, fit_callback

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

log = logging.getLogger("miniexpress.access")

# A token in a format: its name, and what stands in brackets behind it: ":req[accept]".
_TOKEN = re.compile(r":([-\w]{2,})(?:\[([^\]]+)\])?", re.ASCII)
_TOKEN_NAME = re.compile(r"[-\w]{2,}", re.ASCII)
# What would end a line, or the quotes around a text in it, or tell a terminal something (npm morgan 1.12.1).
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"\\\\]')
_SHORT_ESCAPES = {"\\": r"\\", '"': r"\"", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
# npm basic-auth 2.0.1.
_BASIC_CREDENTIALS = re.compile(r" *[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9._~+/-]+)=* *")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_COMMON = ':remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status :res[content-length]'
_DEV = "\x1b[0m:method :url \x1b[{colour}m:status\x1b[0m :response-time ms - :res[content-length]\x1b[0m"
_DEV_COLOURS = {2: 32, 3: 36, 4: 33, 5: 31}  # by the first digit of the status: green, cyan, yellow, red
_HAS_COLOURS = not os.environ.get("NO_COLOR")  # https://no-color.org


class Stream(Protocol):
    """An object that lines are written to, such as an open text file."""

    def write(self, text: str, /) -> Any:
        """Write a line, which ends with a line feed."""


class Tokens(dict[str, Callable[..., "str | None"]]):
    """The tokens by their names: ``tokens["response-time"](req, res)``, or ``tokens.response_time(req, res)``.

    ``tokens.req(req, res, "accept")`` gives a token what stands in its brackets. A token is a ``str`` in which control
    characters, quotes and backslashes are escaped, or ``None`` where there is nothing to write.
    """

    def __missing__(self, name: str) -> Any:
        raise LookupError(f"morgan has no token {name!r}: {_meant(name, self, 'morgan.token')}")

    def __getattr__(self, name: str) -> Callable[..., str | None]:
        key = name.replace("_", "-")
        if name.startswith("__") or not (key in self or name in self):
            raise AttributeError(f"morgan has no token {key!r}: {_meant(key, self, 'morgan.token')}")
        return self[key if key in self else name]


Format = Callable[[Tokens, "Request", "Response"], "str | None"]
"""Return the line of a request, ``None`` to write none: ``format(tokens, req, res)``."""


class Morgan:
    """The function ``morgan(…)``, with ``morgan.token``, ``morgan.format`` and ``morgan.compile``."""

    __name__ = "morgan"

    def __init__(self) -> None:
        self._formats: dict[str, str | Format] = {}
        self._tokens = Tokens()
        self._needs_argument: dict[str, bool] = {}

    @suggests_keywords
    def __call__(
        self,
        format: str | Format = "default",
        *,
        immediate: bool = False,
        skip: Callable[[Request, Response], Any] | None = None,
        stream: Stream | None = None,
    ) -> Middleware:
        """Make middleware that writes a line when a response has been sent, or the client has left.

        ``format`` is ``'combined'``, ``'common'``, ``'dev'``, ``'short'``, ``'tiny'``, a name given to
        ``morgan.format``, text with tokens like ``':method :url :status'``, or ``format(tokens, req, res)``, which
        returns the line, or ``None`` for none. ``immediate`` writes the line when the request arrives, so that nothing
        of the response is in it. Where ``skip(req, res)`` returns true, no line is written. ``stream`` is anything
        with ``write(text)``; else lines go to the logger ``miniexpress.access``, at the level INFO.

        Raises ``TypeError`` for a format that names neither a format nor a token, and for wrong options.
        """
        get_line = self._find_format(format)
        should_skip = skip and fit_callback(skip, "the option 'skip'", "(req, res)")
        write = _write_to_logger if stream is None else _writer(stream)
        if not isinstance(immediate, bool):
            raise TypeError(f"morgan(immediate=…) takes True or False, not {immediate!r}")

        def log_requests(req: Request, res: Response, next: Next) -> None:
            req._morgan_times = _Times()

            def write_line() -> None:
                if should_skip and should_skip(req, res):
                    return
                line = get_line(self._tokens, req, res)
                if line is not None and not isinstance(line, str):
                    raise TypeError(f"a format of morgan returns the line as a str, or None for none, not {line!r}")
                if line is not None:
                    write(line)

            if immediate:
                write_line()
                return next()
            res.on_headers(lambda: req._morgan_times.note_response())  # those of the logger that came last
            res.on("close", write_line)
            try:
                next()
            except SystemExit:  # no response is sent, so that nothing else tells of its end
                res.emit("close")
                raise

        log_requests.__qualname__ = f"morgan({format!r})" if isinstance(format, str) else "morgan(…)"
        return log_requests

    def token(self, name: str, function: Callable[..., Any]) -> Self:
        """Define the token ``:name`` by ``function(req, res, argument)``, which may take fewer parameters.

        ``argument`` is the text in brackets: ``'clf'`` of ``:date[clf]``, or ``None``. What the function returns is
        written as text, ``None`` and ``''`` as ``-``. A format in text may name the token from now on.
        """
        if not isinstance(name, str) or not _TOKEN_NAME.fullmatch(name):
            raise TypeError(f"morgan.token() takes a name of two or more letters, digits, - and _, not {name!r}")
        get_value = fit_callback(function, "morgan.token()", "(req, res, argument)")
        self._needs_argument[name] = count_parameters(function, 2) == 3

        def safe_value(req: Request, res: Response, argument: str | None = None) -> str | None:
            value = get_value(req, res, argument)
            return None if value is None else _UNSAFE.sub(_escape, str(value))

        self._tokens[name] = safe_value
        return self

    def format(self, name: str, format: str | Format) -> Self:
        """Give a format a name, for ``morgan(name)``: text with tokens, or ``format(tokens, req, res)``."""
        if not isinstance(name, str) or not name:
            raise TypeError(f"morgan.format() takes a name as a str, not {name!r}")
        self._formats[name] = format if isinstance(format, str) else _check_function("morgan.format()", format)
        return self

    def compile(self, format: str) -> Format:
        """Make a function ``(tokens, req, res)`` of a format in text: it returns the line, with ``-`` for nothing."""
        if not isinstance(format, str):
            raise TypeError(f"morgan.compile() takes a format as a str, not {format!r}")

        def get_line(tokens: Tokens, req: Request, res: Response) -> str:
            return _TOKEN.sub(lambda found: tokens[found[1]](req, res, found[2]) or "-", format)

        return get_line

    def _find_format(self, format: str | Format) -> Format:
        """Return the function of a name, a text or a function. Raises ``TypeError`` for a text that would write the
        same line for each request, and for tokens that there are not."""
        found = self._formats.get(format or "default", format) if isinstance(format, str) else format
        if not isinstance(found, str):
            return _check_function("morgan()", found)
        tokens = _TOKEN.findall(found)
        if not tokens:
            raise TypeError(f"morgan({format!r}): there is no such format, {_meant(found, self._formats, '')}")
        for name, argument in tokens:
            if name not in self._tokens:
                raise TypeError(f"morgan({format!r}): no token :{name}: {_meant(name, self._tokens, 'morgan.token')}")
            if self._needs_argument[name] and not argument:
                raise TypeError(f"morgan({format!r}): :{name} says of what in brackets, as in :{name}[content-type]")
        return self.compile(found)


morgan = Morgan()
"""Make middleware that writes a line for each request: ``morgan("dev")``. See ``Morgan.__call__``."""


class _Times:
    """The times at which a request came and its response was started, in seconds of ``time.perf_counter``."""

    __slots__ = ("request", "response")

    def __init__(self) -> None:
        self.request = time.perf_counter()
        self.response: float | None = None

    def note_response(self) -> None:
        self.response = time.perf_counter()


def _check_function(taker: str, format: Any) -> Format:
    return fit_callback(format, taker, "(tokens, req, res)")


def _meant(name: str, known: dict[str, Any], definer: str) -> str:
    """``'methd'`` → "did you mean 'method'?"; else all that is known, and by which function one's own is defined."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    of_ones_own = f"{definer}() defines one" if definer else "nor a token like :url in it"
    return f"{of_ones_own}. Known: {', '.join(known)}"


def _writer(stream: Stream) -> Callable[[str], Any]:
    """Return a function that writes a line to a stream, and does not leave it in a buffer of Python's."""
    if not callable(getattr(stream, "write", None)):
        raise TypeError(
            f"morgan(stream=…) takes something with write(text), like a file, or None for logging, not {stream!r}"
        )
    flush = getattr(stream, "flush", None)

    def write(line: str) -> None:
        stream.write(f"{line}\n")
        if flush:
            flush()

    return write


def _write_to_logger(line: str) -> None:
    """Write to the logger. One that nobody has set up would drop every line: it gets a level, and writes to stderr."""
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    if not log.hasHandlers():
        log.addHandler(logging.StreamHandler())
    log.info("%s", line)


def _escape(found: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


# The tokens and the formats of npm morgan.


def _dev(tokens: Tokens, req: Request, res: Response) -> str | None:
    return _DEV_LINES[_DEV_COLOURS.get(res.status_code // 100, 0) if res.headers_sent else 0](tokens, req, res)


def _date(req: Request, res: Response, format: str | None = None) -> str | None:
    now = datetime.now(UTC)
    if format == "clf":
        return f"{now:%d}/{_MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000"  # %b would be in the locale's language
    if format == "iso":
        return f"{now.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    return format_datetime(now, usegmt=True) if format in (None, "web") else None


def _response_time(req: Request, res: Response, digits: str | None = None) -> str | None:
    times: _Times = req._morgan_times
    return None if times.response is None else _milliseconds(times.response - times.request, digits)


def _total_time(req: Request, res: Response, digits: str | None = None) -> str | None:
    times: _Times = req._morgan_times
    return None if times.response is None else _milliseconds(time.perf_counter() - times.request, digits)


def _milliseconds(seconds: float, digits: str | None) -> str:
    count = 3 if digits is None else int(digits) if digits.isdecimal() else 0
    return f"{seconds * 1000:.{min(count, 100)}f}"


def _remote_user(req: Request, res: Response) -> str | None:
    """Return the user of HTTP Basic authentication (RFC 7617). The password may be wrong."""
    found = _BASIC_CREDENTIALS.fullmatch(req.get("Authorization") or "")
    if not found:
        return None
    encoded = found[1].replace("-", "+").replace("_", "/").replace(".", "").replace("~", "")
    if len(encoded) % 4 == 1:  # a last character that makes no byte
        encoded = encoded[:-1]
    credentials = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode(errors="replace")
    name, colon, password = credentials.partition(":")
    return name if colon and not re.search("[\n\r\u2028\u2029]", password) else None


def _request_header(req: Request, res: Response, name: str) -> str | None:
    headers: Mapping[str, str] = req.headers
    return headers.get(name)


def _response_header(req: Request, res: Response, name: str) -> str | None:
    value: str | list[str] | None = res.get(name) if res.headers_sent else None
    return ", ".join(value) if isinstance(value, list) else value


morgan.token("date", _date)
morgan.token("http-version", lambda req: req.environ["SERVER_PROTOCOL"].partition("/")[2])
morgan.token("method", lambda req: req.method)
morgan.token("pid", lambda: os.getpid())
morgan.token("referrer", lambda req: req.headers.get("referer") or req.headers.get("referrer"))
morgan.token("remote-addr", lambda req: req.ip)
morgan.token("remote-user", _remote_user)
morgan.token("req", _request_header)
morgan.token("res", _response_header)
morgan.token("response-time", _response_time)
morgan.token("status", lambda req, res: res.status_code if res.headers_sent else None)
morgan.token("total-time", _total_time)
morgan.token("url", lambda req: req.original_url or req.url)
morgan.token("user-agent", lambda req: req.headers.get("user-agent"))

_DEV_LINES = {colour: morgan.compile(_DEV.format(colour=colour)) for colour in (0, *_DEV_COLOURS.values())}

morgan.format("combined", f'{_COMMON} ":referrer" ":user-agent"')
morgan.format("common", _COMMON)
morgan.format("default", f'{_COMMON} ":referrer" ":user-agent"'.replace(":date[clf]", ":date"))
morgan.format("dev", _dev if _HAS_COLOURS else ":method :url :status :response-time ms - :res[content-length]")
morgan.format(
    "short",
    ":remote-addr :remote-user :method :url HTTP/:http-version :status :res[content-length] - :response-time ms",
)
morgan.format("tiny", ":method :url :status :res[content-length] - :response-time ms")
