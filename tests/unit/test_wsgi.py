"""WSGI apps inside of an App, and an App inside of WSGI middleware."""

from __future__ import annotations

import io
import json as encoder
import re
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest
import requests

from miniexpress import Request, Response, express, json, session
from miniexpress.wsgi import wsgi

Serve = Callable[..., str]


@pytest.fixture
def flask_site(serve: Serve) -> str:
    flask = pytest.importorskip("flask")
    old = flask.Flask("old")
    old.secret_key = "flask's"

    @old.get("/")
    def index() -> Any:
        return f"index, about is at {flask.url_for('about', page='ü')}"

    @old.get("/about/<page>")
    def about(page: str) -> Any:
        return {"page": page, "args": flask.request.args.to_dict(), "root": flask.request.script_root}

    @old.post("/upload")
    def upload() -> Any:
        flask.session["uploads"] = flask.session.get("uploads", 0) + 1
        body = flask.request.stream.read()
        return f"{len(body)} bytes, upload {flask.session['uploads']}", 201, [("X-Tag", "a"), ("X-Tag", "b")]

    @old.get("/stream")
    def stream() -> Any:
        return flask.Response(f"line {number}\n" for number in range(3))

    @old.get("/user")
    def user() -> Any:
        return flask.request.environ["miniexpress.request"].session.user or "nobody"

    @old.get("/broken")
    def broken() -> Any:
        raise ValueError("secret")

    app = express()
    app.use(session(secret="express's", resave=False, save_uninitialized=False))
    app.use("/old", wsgi(old))

    @app.post("/login")
    def login(req: Request, res: Response) -> None:
        req.session.user = "Ada"
        res.end()

    return serve(app)


def test_flask_finds_its_paths_below_the_mount(flask_site: str) -> None:
    for path in ("/old", "/old/", "/old?a=1"):
        assert requests.get(flask_site + path).text == "index, about is at /old/about/%C3%BC"
    response = requests.get(f"{flask_site}/old/about/%C3%BC?a=1&b=%20")
    assert response.json() == {"page": "ü", "args": {"a": "1", "b": " "}, "root": "/old"}
    assert response.headers["Content-Type"] == "application/json"
    missing = requests.get(f"{flask_site}/old/missing")
    assert (missing.status_code, missing.reason) == (404, "NOT FOUND")
    assert requests.get(f"{flask_site}/older").text.count("Cannot GET /older") == 1


def test_flask_reads_bodies_and_keeps_its_own_session_beside_ours(flask_site: str) -> None:
    browser = requests.Session()
    assert browser.get(f"{flask_site}/old/user").text == "nobody"
    browser.post(f"{flask_site}/login")
    for number, body in enumerate((b"x" * 300_000, iter([b"chunked ", b"body"])), 1):
        response = browser.post(f"{flask_site}/old/upload", data=body)
        size = 300_000 if number == 1 else 12
        assert (response.status_code, response.text) == (201, f"{size} bytes, upload {number}")
        assert response.headers["X-Tag"] == "a, b"
    assert browser.get(f"{flask_site}/old/user").text == "Ada"
    assert set(browser.cookies.keys()) == {"session", "connect.sid"}


def test_flask_streams_and_replies_to_head_and_options(flask_site: str) -> None:
    response = requests.get(f"{flask_site}/old/stream")
    assert (response.text, response.headers["Transfer-Encoding"]) == ("line 0\nline 1\nline 2\n", "chunked")
    head = requests.head(f"{flask_site}/old/")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "36")
    assert requests.options(f"{flask_site}/old/upload").headers["Allow"].count("POST") == 1
    assert requests.get(f"{flask_site}/old/broken").status_code == 500


class CountedBody:
    """The body that a WSGI app returns, which counts its calls of ``close``."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.closed += 1


def call_mounted(
    old: Any, method: str = "GET", path: str = "/old", **environ: Any
) -> tuple[str, dict[str, str], bytes]:
    """Call an App that has ``old`` mounted at /old; return status, headers and body."""
    app = express()
    app.set("env", "test")
    app.use("/old", wsgi(old))
    return call_app(app, method, path, **environ)


def call_app(app: Any, method: str = "GET", path: str = "/", **environ: Any) -> tuple[str, dict[str, str], bytes]:
    """Call a WSGI app as a server does; return status, headers and body."""
    seen: list[Any] = []
    written = io.BytesIO()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        seen[:] = [status, dict(headers)]
        return written.write

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **environ,
    }
    chunks = app(environ, start_response)
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    return seen[0], seen[1], written.getvalue() + body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_returned_body_is_closed_once(method: str) -> None:
    returned = CountedBody(b"", b"one ", b"two")

    def old(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return returned

    assert call_mounted(old, method)[2] == (b"" if method == "HEAD" else b"one two")
    assert returned.closed == 1


def test_start_response_may_be_called_with_the_first_chunk() -> None:
    def old(environ: Any, start_response: Any) -> Any:
        yield b""
        start_response("201 Made", [("X-Late", "yes")])
        yield b"body"

    status, headers, body = call_mounted(old)
    assert (status, headers["X-Late"], body) == ("201 Made", "yes", b"body")


def test_start_response_with_exc_info_replaces_status_and_headers() -> None:
    def old(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("X-First", "yes")])
        error = ValueError("changed my mind")
        start_response("503 Later", [("X-Second", "yes")], (ValueError, error, None))
        return [b"sorry"]

    status, headers, body = call_mounted(old)
    assert (status, body) == ("503 Later", b"sorry")
    assert "X-Second" in headers
    assert "X-First" not in headers


def test_write_sends_at_once_and_what_is_returned_comes_after() -> None:
    def old(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("X-Old", "yes")])
        for chunk in (b"", b"written, ", b"", b"again, "):
            write(chunk)
        return [b"returned"]

    status, headers, body = call_mounted(old)
    assert (status, headers["X-Old"], body) == ("200 OK", "yes", b"written, again, returned")


@pytest.mark.parametrize("fails", [False, True], ids=["it returned", "it failed"])
def test_write_is_refused_after_the_response_of_the_wsgi_app_has_ended(fails: bool) -> None:
    kept: list[Any] = []

    def old(environ: Any, start_response: Any) -> Any:
        kept.append(start_response("200 OK", []))
        if fails:
            raise ValueError("broken")
        return []

    def send_error_page(err: Any, req: Request, res: Response, next: Any) -> None:
        res.write("sorry")
        write_late()
        res.end()

    def write_late() -> None:
        with pytest.raises(RuntimeError, match=r"write\(\) was called after the WSGI app's response had ended"):
            kept[0](b"late")

    app = express()
    app.use(wsgi(old))
    app.use(send_error_page)
    assert call_app(app)[2] == (b"sorry" if fails else b"")
    write_late()


def test_an_error_after_the_first_byte_aborts_the_connection(serve: Serve) -> None:
    def old(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Length", "100")])
        write(b"begun")
        try:
            raise ValueError("too late")
        except ValueError as error:
            start_response("500 Oops", [], (ValueError, error, error.__traceback__))
        raise AssertionError("start_response was to raise the error")

    app = express()
    app.use(wsgi(old))
    url = serve(app)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url)


def silent(environ: Any, start_response: Any) -> Any:
    return [b"body"]


def twice(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def no_status(environ: Any, start_response: Any) -> Any:
    start_response("fine", [])
    return []


def bad_header(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("X-A", "a\r\nX-B: b")])
    return []


def failing(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("X-A", "a")])
    raise ValueError("broken")


@pytest.mark.parametrize("old", [silent, twice, no_status, bad_header, failing])
def test_a_wsgi_app_that_breaks_pep_3333_is_an_error(old: Any) -> None:
    status, headers, _ = call_mounted(old)
    assert status == "500 Internal Server Error"
    assert "X-B" not in headers


def test_a_body_read_by_another_handler_is_an_error_that_names_the_order() -> None:
    app, errors = express(), []
    app.use(json())
    app.use("/old", wsgi(silent))
    app.use(lambda err, req, res, next: (errors.append(str(err)), res.end()))
    body = b'{"a": 1}'
    header = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    call_app(app, "POST", "/old", **{"wsgi.input": io.BytesIO(body)}, **header)
    assert "mount wsgi(…) ahead of json()" in errors[0]


class ASGIApp:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class ClassOfAnswers:
    def __init__(self, environ: Any, start_response: Any) -> None:
        start_response("200 OK", [])

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"x"])


@pytest.mark.parametrize(
    ("app", "said"),
    [
        (ASGIApp(), "is async, as an ASGI app is"),
        (lambda environ: [], r"\(environ, start_response\), not .*<lambda> \("),
        (express().handle, r"\(environ, start_response\), not .*handle"),
        (ASGIApp, r"\(environ, start_response\), not .*ASGIApp"),
    ],
    ids=["ASGI", "one parameter", "a handler", "a class"],
)
def test_what_no_wsgi_server_could_call_is_refused_when_it_is_mounted(app: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        wsgi(app)


def test_a_class_is_a_wsgi_app_too_and_a_generator_is_one() -> None:
    def generate(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"x"

    for each in (ClassOfAnswers, generate):
        assert call_app(express().use(wsgi(each)), "GET", "/")[2] == b"x"


def test_an_app_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match=r"wsgi\(\) takes a WSGI app, not 'app'"):
        wsgi("app")  # type: ignore[arg-type]


def test_script_name_and_path_info_are_those_of_the_mount() -> None:
    seen: dict[str, Any] = {}

    def old(environ: Any, start_response: Any) -> Any:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    inner = express()
    inner.use("/a%20b", wsgi(old))
    app = express()
    app.use("/outer/:id", inner)
    call_app(app, path="/mnt", SCRIPT_NAME="/mnt", REQUEST_URI="/mnt/outer/7/a%20b/%C3%BC%2Fx?q=%20")
    assert seen["SCRIPT_NAME"] == "/mnt/outer/7/a b"
    assert seen["PATH_INFO"] == "/Ã¼/x"
    assert seen["QUERY_STRING"] == "q=%20"


MOUNTS = {
    # SCRIPT_NAME, PATH_INFO and the request target, to base_url and url
    ("/old", "", "/old"): ("/old", "/"),
    ("/old", "", "/old?x=1"): ("/old", "/?x=1"),
    ("/old", "/", "/old/?x=1"): ("/old", "/?x=1"),
    ("/old", "/a/b", "/old/a%2Fb"): ("/old", "/a%2Fb"),
    ("/old", "/x", "/%6Fld/x"): ("/%6Fld", "/x"),
    ("/a b", "/x", "/a%20b/x"): ("/a%20b", "/x"),
    ("/cafÃ©", "/x", "/caf%C3%A9/x"): ("/caf%C3%A9", "/x"),
    ("/cafÃ©", "/x", "/cafÃ©/x"): ("/cafÃ©", "/x"),
    ("/old", "/x", "http://x/old/x"): ("/old", "http://x/x"),
    ("/old", "", "http://x/old?y"): ("/old", "http://x?y"),
    # a server that does not hand on the target
    ("/old", "", None): ("/old", "/"),
    ("/cafÃ© x", "/Ã¼", None): ("/caf%C3%A9%20x", "/%C3%BC"),
    # as gunicorn is given it
    ("/a%20b", "/x", "/a%20b/x"): ("/a%20b", "/x"),
    ("/old/", "/x", "/old/x"): ("/old", "/x"),
    ("/", "/x", "/x"): ("", "/x"),
    # what is in front of the server took the mount off, or rewrote the path
    ("/old", "/a/b", "/a%2Fb"): ("/old", "/a%2Fb"),
    ("/old", "/x", "//old//x"): ("/old", "/x"),
    ("/old", "/x", "/older?q"): ("/old", "/x?q"),
}


@pytest.mark.parametrize(("mounted", "expected"), MOUNTS.items())
def test_the_base_url_is_the_part_of_the_target_that_is_script_name(
    mounted: tuple[str, str, str | None], expected: tuple[str, str]
) -> None:
    script_name, path, target = mounted
    environ = {"SCRIPT_NAME": script_name, "QUERY_STRING": (target or "").partition("?")[2]}
    environ |= {"REQUEST_URI": target} if target else {}
    app = express()
    app.use(lambda req, res: res.json([req.base_url, req.url]))
    assert tuple(encoder.loads(call_app(app, path=path, **environ)[2])) == expected


def test_an_app_in_another_by_wsgi_has_its_routes_below_a_path_beyond_ascii() -> None:
    inner = express()
    inner.get("/", lambda req, res: res.json([req.base_url, req.url]))
    app = express()
    app.use(re.compile("/caf%C3%A9 ?"), wsgi(inner))
    assert call_app(app, path="/cafÃ©", REQUEST_URI="/caf%C3%A9?x=1")[2] == b'["/caf%C3%A9","/?x=1"]'


@pytest.mark.parametrize(
    ("sent", "rewritten"), [("/old/admin?x=1", "/old/new?y=2"), ("http://h/old/admin", "http://h/old/new?y=2")]
)
def test_an_app_in_another_by_wsgi_sees_the_method_and_the_url_that_middleware_has_rewritten(
    sent: str, rewritten: str
) -> None:
    def rewrite(req: Request, res: Response, next: Any) -> None:
        req.method, req.url = "DELETE", rewritten
        next()

    inner = express()
    inner.use(lambda req, res: res.json([req.method, req.path, req.query.y]))
    app = express()
    app.use(rewrite)
    app.use("/old", wsgi(inner))
    assert call_app(app, path="/old/admin", QUERY_STRING="x=1", REQUEST_URI=sent)[2] == b'["DELETE","/new","2"]'


@pytest.mark.parametrize("sent", ["/old", "/old?x=1", "/old/a%20b", "http://h/old/a"])
def test_a_wsgi_app_sees_the_target_as_it_was_sent_where_nothing_has_rewritten_it(sent: str) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["REQUEST_URI"].encode()]

    assert call_mounted(app, REQUEST_URI=sent)[2] == sent.encode()


def test_an_app_mounts_as_a_wsgi_app_too() -> None:
    inner = express()
    inner.get("/x", lambda req, res: res.json([req.base_url, req.url, req.original_url]))
    assert call_mounted(inner, path="/old/x")[2] == b'["/old","/x","/old/x"]'


def test_an_app_behind_proxy_fix(serve: Serve) -> None:
    proxy_fix = pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix
    app = express()
    app.get("/who", lambda req, res: res.json([req.ip, req.protocol, req.host, req.base_url]))
    url = serve(validator(proxy_fix(app, x_for=1, x_proto=1, x_host=1, x_prefix=1)))
    forwarded = {"For": "203.0.113.7", "Proto": "https", "Host": "example.com", "Prefix": "/app"}
    response = requests.get(f"{url}/who", headers={f"X-Forwarded-{name}": value for name, value in forwarded.items()})
    assert response.json() == ["203.0.113.7", "https", "example.com", "/app"]


def test_an_app_and_a_flask_app_side_by_side(serve: Serve) -> None:
    flask = pytest.importorskip("flask")
    dispatcher = pytest.importorskip("werkzeug.middleware.dispatcher").DispatcherMiddleware
    app = express()
    app.get("/x", lambda req, res: res.type("txt").send(f"{req.base_url} {req.url}"))
    url = serve(validator(dispatcher(flask.Flask("old"), {"/new": app})))
    assert requests.get(f"{url}/new/x").text == "/new /x"
    assert requests.get(f"{url}/x").status_code == 404
