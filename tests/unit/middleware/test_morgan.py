"""``morgan``: its options, and where lines go. That they are npm morgan's tests/conformance holds."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from miniexpress import express, morgan
from miniexpress.middleware.morgan import Morgan
from tests.support.project import ROOT
from tests.support.served_folder import call
from tests.support.waiting import wait_for
from tests.support.wire import connected

Serve = Callable[..., str]


class Lines(list[str]):
    """A stream that keeps what is written to it."""

    write = list.append


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The logger, set back afterwards."""
    log = logging.getLogger("miniexpress.access")
    level, handlers = log.level, [*log.handlers]
    yield log
    log.setLevel(level)
    log.handlers[:] = handlers


def app_with(*middleware: Any) -> Any:
    app = express().set("env", "test")
    app.use(*middleware)
    app.get("/", lambda req, res: res.send("hello"))
    return app


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("combind",), r"morgan\('combind'\): there is no such format, did you mean 'combined'\?"),
        (
            ("something",),
            r"there is no such format, nor a token like :url in it\. Known: combined, common, default, dev",
        ),
        ((":methd :url",), r"morgan\(':methd :url'\): no token :methd: did you mean 'method'\?"),
        ((":zzz",), r"no token :zzz: morgan\.token\(\) defines one\. Known: date, http-version"),
        ((":method :8080",), "no token :8080"),
        ((":req",), r"morgan\(':req'\): :req says of what in brackets, as in :req\[content-type\]"),
        ((":res :url",), ":res says of what in brackets"),
        ((7,), r"morgan\(\) takes a function \(tokens, req, res\), not 7"),
        (({"format": "dev"},), r"morgan\(\) takes options as keywords, format=…, not as \{"),
        ((lambda a, b, c, d: "",), r"takes 4 parameters: morgan\(\) takes a function \(tokens, req, res\)"),
        (("tiny", None), "takes options as keywords"),
    ],
)
def test_a_wrong_format_is_refused_when_the_middleware_is_made(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        morgan(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"stream": "access.log"},
            r"morgan\(stream=…\) takes something with write\(text\), like a file, or None for logging, not 'access",
        ),
        ({"stream": Path("access.log")}, "takes something with write"),
        ({"skip": True}, r"the option 'skip' takes a function \(req, res\), not True"),
        ({"skip": lambda a, b, c: 1}, "takes 3 parameters: the option 'skip' takes a function"),
        ({"immediate": "yes"}, r"morgan\(immediate=…\) takes True or False, not 'yes'"),
        ({"Immediate": True}, "no option 'Immediate': did you mean 'immediate'"),
        ({"buffer": True}, "no option 'buffer': it has .*immediate, skip, stream"),
    ],
)
def test_a_wrong_option_is_refused_when_the_middleware_is_made(options: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        morgan("tiny", **options)


@pytest.mark.parametrize("name", [None, "", "x", "a b", "a:b", "é!", 5])
def test_a_token_has_a_name_that_a_format_can_contain(name: Any) -> None:
    with pytest.raises(
        TypeError, match=r"morgan\.token\(\) takes a name of two or more letters, digits, - and _, not "
    ):
        Morgan().token(name, lambda req: "")


def test_a_token_and_a_format_are_functions() -> None:
    with pytest.raises(TypeError, match=r"morgan\.token\(\) takes a function \(req, res, argument\), not 'text'"):
        Morgan().token("text", "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"morgan\.format\(\) takes a function \(tokens, req, res\), not 5"):
        Morgan().format("five", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"morgan\.format\(\) takes a name as a str, not None"):
        Morgan().format(None, ":url")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"morgan\.compile\(\) takes a format as a str, not None"):
        Morgan().compile(None)  # type: ignore[arg-type]


def test_a_token_that_needs_its_brackets_is_refused_without_them(lines: Lines) -> None:
    own = Morgan()
    own.token("field", lambda req, res, name: req.query[name])
    own.token("maybe", lambda req, res, name=None: name or "none")
    with pytest.raises(TypeError, match=r":field says of what in brackets, as in :field\["):
        own(":field")
    call(app_with(own(":field[a] :maybe :maybe[b]", stream=lines)), "/?a=1")
    assert lines == ["1 none b\n"]


def test_tokens_are_looked_up_when_a_line_is_written(lines: Lines) -> None:
    own = Morgan().token("word", lambda: "first")
    app = app_with(own(":word", stream=lines))
    own.token("word", lambda: "second")
    call(app, "/")
    assert lines == ["second\n"]


def test_a_function_reads_tokens_by_item_and_by_attribute(lines: Lines) -> None:
    def line(tokens: Any, req: Any, res: Any) -> str:
        with pytest.raises(LookupError, match=r"morgan has no token 'user-agnt': did you mean 'user-agent'\?"):
            tokens["user-agnt"]
        with pytest.raises(AttributeError, match=r"morgan has no token 'user-agnt': did you mean 'user-agent'\?"):
            tokens.user_agnt  # noqa: B018
        return f"{tokens.http_version(req, res)} {tokens['http-version'](req, res)} {tokens.referrer(req, res)}"

    call(app_with(morgan(line, stream=lines)), "/")
    assert lines == ["1.0 1.0 None\n"]


def test_what_a_token_returns_is_written_on_one_line_whatever_it_is(lines: Lines) -> None:
    own = Morgan()
    own.token("number", lambda: 0).token("list", lambda: ["a\n"]).token("half", lambda: "\ud800").token(
        "none", lambda: ""
    )
    own.token("object", lambda: type("Hostile", (), {"__str__": lambda self: "\r\n\x1b[2J"})())
    call(app_with(own(":number :list :half :none :object", stream=lines)), "/")
    assert lines == [r"0 ['a\\n'] \ud800 - \r\n\u001b[2J" + "\n"]


def test_a_client_writes_no_line_of_its_own(serve: Serve, lines: Lines) -> None:
    url = serve(app_with(morgan("combined", stream=lines)))
    with connected(url) as client:
        client.sendall(b'GET /"%1b%0a HTTP/1.1\r\nHost: x\r\nUser-Agent: a\tb\x85\x9b"\\ \r\nReferer: \x9d\r\n')
        client.sendall(b"Authorization: Basic eApGT1JHRUQbWzJKOng=\r\nConnection: close\r\n\r\n")
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 ")
    assert wait_for(lambda: lines, "a line")
    (line,) = lines
    assert line.endswith("\n") and line[:-1].isprintable()
    assert r"x\nFORGED\u001b[2J" in line
    assert r'"a\tb\u0085\u009b\"\\"' in line


def test_a_function_that_returns_no_text_is_an_error_in_the_log(lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    app = app_with(morgan(lambda tokens, req, res: {"url": req.url}, stream=lines))  # type: ignore[arg-type, return-value]
    assert call(app, "/").body == b"hello"
    assert not lines
    assert "a format of morgan returns the line as a str, or None for none, not {'url': '/'}" in caplog.text


def test_what_skip_and_the_stream_raise_does_not_reach_the_client(caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        def write(self, text: str) -> None:
            raise OSError("no space left on device")

    assert call(app_with(morgan("tiny", stream=Full())), "/").body == b"hello"
    assert call(app_with(morgan("tiny", skip=lambda req, res: 1 / 0)), "/").body == b"hello"
    assert "no space left on device" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_without_a_stream_lines_go_to_logging(caplog: pytest.LogCaptureFixture, log: logging.Logger) -> None:
    call(app_with(morgan(":method %s :url")), "/%d?a=%s")
    (record,) = [record for record in caplog.records if record.name == "miniexpress.access"]
    assert (record.levelname, record.getMessage()) == ("INFO", "GET %s /%d?a=%s")


def test_a_level_that_the_logger_was_given_holds(caplog: pytest.LogCaptureFixture, log: logging.Logger) -> None:
    log.setLevel(logging.WARNING)
    call(app_with(morgan("tiny")), "/")
    assert not caplog.records


PROGRAM = """
import sys
from wsgiref.util import setup_testing_defaults
from miniexpress import express, morgan
app = express()
app.use(morgan(sys.argv[1], stream=sys.stdout if sys.argv[2:] else None))
app.get('/', lambda req, res: res.send('hello'))
environ = {}
setup_testing_defaults(environ)
body = app(environ, lambda status, headers: None)
list(body)
body.close()
import os
os._exit(0)
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, **environment}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)


def test_lines_show_where_nobody_has_set_up_logging() -> None:
    assert run(":method :url :status").stderr == "GET / 200\n"


def test_a_line_is_in_the_stream_at_once_and_not_in_its_buffer() -> None:
    assert run(":method :url :status", "stdout").stdout == "GET / 200\n"  # the program ends without flushing


def test_dev_has_colours_but_where_they_are_not_wanted() -> None:
    assert re.fullmatch(r"\x1b\[0mGET / \x1b\[32m200\x1b\[0m [\d.]+ ms - 5\x1b\[0m\n", run("dev").stderr)
    assert "\x1b[32m" in run("dev", NO_COLOR="").stderr
    assert re.fullmatch(r"GET / 200 [\d.]+ ms - 5\n", run("dev", NO_COLOR="1").stderr)


def test_the_response_time_ends_with_the_headers_and_the_total_time_with_the_body(serve: Serve, lines: Lines) -> None:
    is_read = threading.Event()
    app = express()
    app.use(morgan(":response-time :total-time :status", stream=lines))

    def pieces(req: Any, res: Any) -> None:
        res.write("one")
        assert is_read.wait(10)
        res.end("two")

    app.get("/", pieces)
    with connected(serve(app)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while b"one" not in received:
            received += client.recv(65536)
        assert not lines
        is_read.set()
        while client.recv(65536):
            pass
    assert wait_for(lambda: lines, "a line")
    response_time, total_time, status = lines[0].split()
    assert 0 < float(response_time) < float(total_time)
    assert status == "200"


def test_a_response_whose_client_left_is_logged_once(serve: Serve, lines: Lines) -> None:
    has_left = threading.Event()
    app = express().set("env", "test")
    app.use(morgan(":method :url :status", stream=lines))

    def endless(req: Any, res: Any) -> Any:
        res.write("one")
        assert has_left.wait(10)
        while True:
            res.write("x" * 65536)

    app.get("/", endless)
    with connected(serve(app)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1)
    has_left.set()
    assert wait_for(lambda: lines, "a line")
    assert lines == ["GET / 200\n"]


def test_an_app_that_ends_within_a_request_is_logged_without_a_status(lines: Lines) -> None:
    app = express()
    app.use(morgan(":url :status", stream=lines), morgan("second :url", stream=lines))
    app.get("/", lambda req, res: sys.exit(1))
    with pytest.raises(SystemExit):
        call(app, "/")
    assert sorted(lines) == ["/ -\n", "second /\n"]
