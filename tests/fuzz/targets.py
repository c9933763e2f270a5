"""The fuzz targets: for each parser, a strategy for its inputs and a check that raises if the parser is broken.

Every input is one of the corpus, changed: a line of a file in corpus/ is one Python literal.
"""

from __future__ import annotations

import io
import json
import math
import socket
from ast import literal_eval
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, thread_time
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from miniexpress import express, raw, text, urlencoded
from miniexpress import json as json_body
from miniexpress.http import cookies
from miniexpress.http.query_strings import parse_extended, parse_simple
from miniexpress.routing.path_patterns import ParamDecodeError, PathError, compile_path
from miniexpress.server.client_socket import ClientSocket, Disconnected
from miniexpress.server.request_body import open_body
from miniexpress.server.request_parser import BadRequest, parse_head

BOUND = 0.5  # seconds of processor time for one input, however hostile
LONGEST = 16_384  # bytes of a head: what Node and this server take


def timed(check: Callable[..., None]) -> Callable[..., None]:
    def bounded(*inputs: Any) -> None:
        begun = thread_time()
        check(*inputs)
        assert thread_time() - begun < BOUND, f"{check.__name__} took {thread_time() - begun:.2f} s"

    return bounded


def corpus(name: str) -> list[Any]:
    lines = (Path(__file__).parent / "corpus" / f"{name}.txt").read_text().splitlines()
    return [literal_eval(line) for line in lines]


def changed(name: str, *tokens: Any) -> st.SearchStrategy[Any]:
    """A line of a corpus in which a few pieces were replaced: by a token, many of them, or anything."""
    examples = corpus(name)
    anything = st.binary(max_size=8) if isinstance(examples[0], bytes) else st.text(max_size=8)
    repeated = st.builds(lambda piece, times: piece * times, st.sampled_from(tokens), st.sampled_from([2, 50, 3000]))
    piece = st.one_of(st.sampled_from(tokens), st.sampled_from(tokens), anything, repeated)
    edits = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 6), piece), max_size=4)
    return st.builds(edited, st.sampled_from(examples), edits)


def edited(whole: Any, edits: Sequence[tuple[int, int, Any]]) -> Any:
    for start, dropped, piece in edits:
        start %= len(whole) + 1
        whole = whole[:start] + piece + whole[start + dropped :]
    return whole[: 2 * LONGEST]


# --- Requests -------------------------------------------------------------------------------------------------------

REQUESTS = st.tuples(
    changed(
        "requests",
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b"\0",
            b" ",
            b"\t",
            b":",
            b";",
            b",",
            b'"',
            b"\\",
            b"%",
            b"?",
            b"/",
            b"[",
            b"=",
            b"\x80",
        ),
        *(
            b"0",
            b"f",
            b"A:\r\n",
            b"a=b; ",
            b"\r\n\r\n",
            b"1\r\nx\r\n",
            b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n",
        ),
        *(
            b"Cookie: a=b\r\n",
            b"Content-Type: application/json\r\n",
            b"Content-Encoding: gzip\r\n",
            b"HTTP/1.1",
            b"http://",
        ),
    ),
    st.lists(st.integers(1, 400), max_size=20),
)


@timed
def check_request(sent: bytes, cuts: list[int]) -> None:
    """However it is cut, the same requests are read; each reads the same when it is written anew; the app takes it."""
    requests = requests_in([sent])
    assert requests_in(pieces(sent, cuts)) == requests
    for environ, body in requests:
        assert requests_in([written(environ, body)]) == [(environ, body)]
        status = answer_of(environ, body)
        assert 200 <= status < 500, status


def pieces(sent: bytes, cuts: list[int]) -> list[bytes]:
    found = []
    for cut in cuts:
        found.append(sent[:cut])
        sent = sent[cut:]
    return [piece for piece in [*found, sent] if piece]


def requests_in(sent: list[bytes]) -> list[tuple[dict[str, Any], bytes]]:
    """The requests that the server reads from what arrives in these pieces, until it refuses one or they end."""
    client_end, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # what keeps pieces apart
    found = []
    with client_end, server_end:
        for piece in sent:
            client_end.send(piece)
        client_end.shutdown(socket.SHUT_WR)
        client = ClientSocket(server_end, LONGEST, None)
        client.deadline = monotonic() + 10
        with suppress(BadRequest, Disconnected):
            while True:
                environ = parse_head(client.receive_head(), {}, 2000)
                received, _ = open_body(client, environ)
                found.append((stripped(environ), received.read()))
    return found


def stripped(environ: dict[str, Any]) -> dict[str, Any]:
    """Header values without the blank that two empty ones get between them."""
    return {key: value.strip(" \t") if key.startswith("HTTP_") else value for key, value in environ.items()}


def written(environ: dict[str, Any], body: bytes) -> bytes:
    lines = [f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']} {environ['SERVER_PROTOCOL']}"]
    for key, value in environ.items():
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            lines.append(f"{key.removeprefix('HTTP_').replace('_', '-')}: {value}")
    if "HTTP_TRANSFER_ENCODING" in environ:
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


# --- An app that looks at everything that a client sends ------------------------------------------------------------


def everything() -> Any:
    app = express()
    app.set("env", "test")
    app.set("trust proxy", True)
    app.set("query parser", "extended")
    app.use(json_body(), urlencoded(extended=True), text(), raw())

    @app.use("/")
    def look(req: Any, res: Any, next: Any) -> None:
        looked_at = [req.query, req.cookies, req.path, req.hostname, req.subdomains, req.ip, req.ips, req.protocol]
        looked_at += [req.secure, req.xhr, req.fresh, req.accepts("html", "json"), req.accepts_languages("de", "en")]
        looked_at += [req.accepts_encodings("gzip"), req.accepts_charsets("utf-8"), req.is_("json"), req.range(1000)]
        res.locals.looked_at = looked_at
        next()

    app.get("/files/*rest", lambda req, res: res.type("txt").send(req.params.rest))
    app.get("/:a{/:b}", lambda req, res: res.type("txt").send(req.params.a))
    app.all("/echo", lambda req, res: res.json({"body": repr(req.body)}))
    return app


APP = everything()


def answer_of(environ: dict[str, Any], body: bytes) -> int:
    """The status that the app answers with."""
    statuses: list[str] = []
    environ = {**environ, "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http", "REMOTE_ADDR": "127.0.0.1"}
    environ |= {"SCRIPT_NAME": "", "SERVER_NAME": "x", "SERVER_PORT": "80"}
    b"".join(APP(environ, lambda status, headers: statuses.append(status)))
    return int(statuses[0][:3])


# --- Bodies ---------------------------------------------------------------------------------------------------------

BODIES = st.tuples(
    changed(
        "bodies",
        *(
            b"[",
            b"]",
            b"{",
            b"}",
            b'"',
            b"\\",
            b"\\u",
            b"%",
            b"&",
            b"=",
            b"[]",
            b'{"a":',
            b"a[b]",
            b"1e9",
            b"\0",
            b"\xff",
        ),
    ),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"]
    ),
    st.sampled_from(
        ["", "; charset=utf-8", "; charset=utf-16", "; charset=iso-8859-1", "; charset=x", "; charset", ";"]
    ),
    st.sampled_from(["", "", "gzip", "deflate", "identity", "br", "x"]),
)


@timed
def check_body(body: bytes, media_type: str, parameter: str, encoding: str) -> None:
    environ = {"REQUEST_METHOD": "POST", "REQUEST_URI": "/echo", "PATH_INFO": "/echo", "QUERY_STRING": ""}
    environ |= {"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "x", "CONTENT_LENGTH": str(len(body))}
    environ |= {"CONTENT_TYPE": media_type + parameter} | ({"HTTP_CONTENT_ENCODING": encoding} if encoding else {})
    assert answer_of(environ, body) in (200, 400, 413, 415)


# --- Cookies --------------------------------------------------------------------------------------------------------

COOKIES = st.tuples(changed("cookies", ";", "=", '"', " ", "\t", "%", "%C3", "s:", "j:", ".", "a=b;", "\x80", "\0"))


@timed
def check_cookies(header: str) -> None:
    for name, value in cookies.parse(header).items():
        with suppress(TypeError):  # a name that no server sets
            written_anew = cookies.serialize(name, value)
            assert len(written_anew) > LONGEST or cookies.parse(written_anew) == {name: value}
    assert cookies.unsign(cookies.sign(header, "secret"), "secret") == header
    unsigned = cookies.unsign(header, "secret")
    assert unsigned is None or cookies.sign(unsigned, "secret") == header


# --- Query strings --------------------------------------------------------------------------------------------------

QUERIES = st.tuples(
    changed(
        "queries", "&", "=", "[", "]", "[]", "[0]", "[99]", "a", "a[", "%", "%5B", "%5D", "+", "%E9", "__proto__", "[a]"
    )
)


@timed
def check_query(query: str) -> None:
    simple = parse_simple(query)
    assert parse_simple(urlencode(simple, doseq=True)) == simple
    for options in ({}, {"depth": math.inf}, {"charset": "iso-8859-1", "interpret_numeric_entities": True}):
        json.dumps(parse_extended(query, **options))


# --- Paths ----------------------------------------------------------------------------------------------------------

PATHS = st.tuples(
    changed("paths", "/", ":", "*", "{", "}", ":a", "*b", "{/:c}", "{d}", "\\", '"', "(", ".", "-", "{{", "\u00e9"),
    st.lists(st.sampled_from(["/", "a", "-", ".", "%", "%41", "%C3%A9", "users", "d", "x/"]), max_size=6),
    st.sampled_from([1, 20, LONGEST]),
    st.booleans(),
)


@timed
def check_path(path: str, parts: list[str], times: int, end: bool) -> None:
    pathname = ("/" + "".join(parts) * times)[:LONGEST]
    try:
        matcher = compile_path(path, end=end)
        found = matcher.match(pathname)
    except (PathError, ParamDecodeError):
        return
    if found is not None:
        assert pathname.startswith(found[0])
        assert pathname.lower().startswith(matcher.prefix)


TARGETS: dict[str, tuple[st.SearchStrategy[tuple[Any, ...]], Callable[..., None]]] = {
    "requests": (REQUESTS, check_request),
    "bodies": (BODIES, check_body),
    "cookies": (COOKIES, check_cookies),
    "queries": (QUERIES, check_query),
    "paths": (PATHS, check_path),
}
