"""The application: settings, mounting, environment, and how it ends a request that nobody answered."""

from __future__ import annotations

import gc
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any, ClassVar
from wsgiref.util import setup_testing_defaults

import pytest
import requests

from miniexpress import App, HTTPError, Router, express, static
from miniexpress import json as parse_json
from tests.support.processes import user_environment
from tests.support.project import ROOT
from tests.support.wire import talk

Serve = Callable[..., str]


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=user_environment(**environment), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# What a request and importing cost


def test_a_request_leaves_nothing_to_the_garbage_collector() -> None:
    app, router = express(), Router()
    app.use(lambda req, res, next: next())
    app.use("/router", router)
    router.get("/:id", lambda req, res: res.json({"id": req.params.id}))
    environ: dict[str, Any] = {"PATH_INFO": "/router/1"}
    setup_testing_defaults(environ)

    def call() -> Any:
        return app(environ.copy(), lambda status, headers: None)

    assert call() == (b'{"id":"1"}',)
    gc.collect()
    gc.disable()
    try:
        call()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_everything_that_is_promised_is_there() -> None:
    import miniexpress

    promised = {"express", "App", "Router", "session", "json", "urlencoded", "text", "raw", "static", "HTTPError"}
    assert promised <= set(miniexpress.__all__)
    assert all(getattr(miniexpress, name) for name in miniexpress.__all__)


# Settings


@pytest.mark.parametrize(
    ("environment", "env", "view_cache"),
    [
        ({}, "development", None),
        ({"MINIEXPRESS_ENV": ""}, "development", None),
        ({"MINIEXPRESS_ENV": "production"}, "production", True),
        ({"MINIEXPRESS_ENV": "staging"}, "staging", None),
        ({"NODE_ENV": "production"}, "development", None),
    ],
)
def test_the_environment_names_the_setting_env(environment: dict[str, str], env: str, view_cache: Any) -> None:
    code = "import json, miniexpress; a = miniexpress.express(); print(json.dumps([a.get('env'), a.get('view cache')]))"
    assert json.loads(run_python(code, **environment)) == [env, view_cache]


def test_settings_are_set_got_enabled_and_disabled() -> None:
    app = express()
    assert app.set("title", "x") is app
    assert app.set("title") == app.get("title") == app.settings["title"] == "x"
    assert app.get("nothing") is None
    assert app.enable("flag").enabled("flag")
    assert app.disable("flag").disabled("flag")
    assert app.disabled("never set")
    assert app.set("title", None).get("title") is None
    assert app.locals.settings is app.settings


def test_a_mounted_app_has_its_parents_settings_where_it_has_none_of_its_own() -> None:
    root, middle, leaf = express(), express(), express()
    middle.use(leaf)
    root.use("/m", middle)
    root.set("title", "root").set("color", "red")
    middle.set("color", "blue")
    assert [app.get("title") for app in (root, middle, leaf)] == ["root"] * 3
    assert [app.get("color") for app in (root, middle, leaf)] == ["red", "blue", "blue"]
    leaf.set("title", None)
    assert leaf.get("title") is None
    assert root.get("title") == "root"


def test_a_mounted_app_trusts_the_proxies_that_its_parent_trusts(serve: Serve) -> None:
    root, sub, own = express(), express(), express()
    own.set("trust proxy", False)
    for app in (sub, own):
        app.get("/", lambda req, res: res.send(req.ip))
    root.set("trust proxy", "loopback").use("/sub", sub).use("/own", own)
    url = serve(root)
    ask = {"X-Forwarded-For": "1.2.3.4"}
    assert requests.get(url + "/sub", headers=ask).text == "1.2.3.4"
    assert requests.get(url + "/own", headers=ask).text == "127.0.0.1"


def test_a_mounted_app_renders_with_its_parents_engines() -> None:
    root, sub = express(), express()
    root.use(sub)
    root.engine("txt", lambda path, options: "text")
    assert sub.engines == {}
    assert sub._all_engines().keys() == {".html", ".txt"}


def test_mounting_tells_the_app_and_gives_it_a_path() -> None:
    root, middle, leaf = express(), express(), express()
    parents: list[App] = []
    assert leaf.on("mount", parents.append) is leaf
    middle.use("/leaf", leaf)
    root.use("/middle", middle)
    assert parents == [middle]
    assert (root.path(), middle.path(), leaf.path()) == ("", "/middle", "/middle/leaf")
    assert leaf.parent is middle
    assert leaf.mountpath == "/leaf"


def test_an_app_cannot_be_mounted_in_itself() -> None:
    # express 5.3.0: "Cyclic __proto__ value". Looking for a setting would never end.
    app, other = express(), express()
    with pytest.raises((TypeError, ValueError), match="itself"):
        app.use(app)
    app.use(other)
    with pytest.raises((TypeError, ValueError), match="itself"):
        other.use(app)


@pytest.mark.parametrize(
    ("name", "value"),
    [("etag", "strongest"), ("etag", 5), ("query parser", "fast"), ("query parser", 5), ("trust proxy", "nowhere")],
)
def test_a_setting_that_cannot_be_is_refused_by_name_and_value(name: str, value: Any) -> None:
    app = express()
    before = app.get(name)
    with pytest.raises(TypeError, match=f"{name}.*{value!r}"):
        app.set(name, value)
    assert app.get(name) == before


@pytest.mark.parametrize("value", [1.5, b"loopback", [1]])
def test_a_trust_proxy_that_names_no_addresses_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="trust proxy"):
        express().set("trust proxy", value)


def test_an_engine_that_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match=r"app\.engine.*'jinja2'"):
        express().engine("html", "jinja2")  # type: ignore[arg-type]


def test_get_with_a_path_alone_is_a_decorator_and_with_a_name_a_setting() -> None:
    app = express()

    @app.get("/path")
    def handler(req: Any, res: Any) -> None: ...

    @app.get("")
    def root(req: Any, res: Any) -> None: ...

    assert app.get("view engine") is None
    assert [layer.path for layer in app.stack] == ["/path", ""]


def test_a_function_may_be_the_etag_and_the_query_parser(serve: Serve) -> None:
    app = express()
    app.set("etag", lambda body: f'"{len(body)}"').set("query parser", lambda text: {"text": text})
    app.get("/", lambda req, res: res.type("txt").send(req.query.text))
    got = requests.get(serve(app) + "/?a=b&c")
    assert (got.text, got.headers["ETag"]) == ("a=b&c", '"5"')


def test_an_app_may_be_used_twice_and_called_by_hand(serve: Serve) -> None:
    root, sub = express(), express()
    sub.get("/", lambda req, res: res.type("txt").send(f"{req.base_url} {req.app is sub}"))
    root.use("/a", sub)
    root.use("/b", sub)
    root.use("/by-hand", lambda req, res, next: sub(req, res, next))
    root.use("/missed", lambda req, res, next: sub(req, res, lambda error=None: res.send(f"{req.app is root}")))
    url = serve(root)
    for path, expected in {"/a": "/a True", "/b": "/b True", "/by-hand": "/by-hand True", "/missed/x": "True"}.items():
        assert requests.get(url + path).text == expected


def test_an_app_used_at_several_paths_at_once_has_all_of_them() -> None:
    root, sub = express(), express()
    root.use(["/a", "/b"], sub)
    assert sub.path() == "/a,/b"


def test_in_a_mounted_app_req_app_and_res_app_are_that_app(serve: Serve) -> None:
    root, sub = express(), express()
    root.set("title", "root")
    sub.set("title", "sub")

    def titles(req: Any) -> str:
        return f"{req.app.get('title')} {req.res.app.get('title')}"

    @root.use("/")
    def around(req: Any, res: Any, next: Any) -> None:
        next()
        res.set("X-After", titles(req))

    sub.get("/in", lambda req, res: res.send(titles(req)))
    sub.get("/error", lambda req, res, next: next("an error"))
    root.use(sub)
    root.get("/out", lambda req, res: res.send(titles(req)))
    root.use(lambda error, req, res, next: res.send(titles(req)))
    url = serve(root)
    for path, expected in [("/in", "sub sub"), ("/out", "root root"), ("/error", "root root")]:
        got = requests.get(url + path)
        assert (got.text, got.headers["X-After"]) == (expected, "root root")


# Nobody answered


def raises(req: Any, res: Any) -> None:
    raise ValueError("a secret in the message")


def failing_app(env: str) -> App:
    app = express().set("env", env)
    app.get("/raises", raises)
    app.get("/http", lambda req, res, next: next(HTTPError(400, "told to the client")))
    app.get("/exposed", lambda req, res, next: next(HTTPError(503, "a secret in the message", expose=True)))
    app.get("/string", lambda req, res, next: next("a secret in the message"))
    app.get("/silent", lambda req, res: None)
    app.get("/param/:id", raises)
    app.get("/listener", lambda req, res: res.on_headers(lambda: raises(req, res)).send("x"))
    app.get("/listeners", with_failing_listeners)
    return app


def with_failing_listeners(req: Any, res: Any) -> None:
    res.on_headers(lambda: res.set("X-First", "called last"))
    for _ in range(3):
        res.on_headers(lambda: raises(req, res))
    res.send("x")


def test_in_development_the_page_shows_the_traceback(serve: Serve) -> None:
    got = requests.get(serve(failing_app("development")) + "/raises")
    assert got.status_code == 500
    assert "Traceback" in got.text
    assert __file__ in got.text
    assert "ValueError: a secret in the message" in got.text


SENT_TO_PRODUCTION = [
    *(
        f"GET {path}"
        for path in ("/raises", "/string", "/silent", "/exposed", "/listener", "/listeners", "/param/%FF", "/param/%zz")
    ),
    *(f"{method} /raises" for method in ("HEAD", "POST", "FOO")),
    *("GET /raises?env=development", "GET /raises?stack=1&debug=true", "GET //raises", "GET /http", "OPTIONS *"),
]


@pytest.mark.parametrize("request_line", SENT_TO_PRODUCTION)
def test_in_production_no_page_shows_anything_whatever_the_client_sends(serve: Serve, request_line: str) -> None:
    head = f"{request_line} HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\nX-Debug: 1\r\nConnection: close\r\n\r\n"
    got = talk(serve(failing_app("production")), head.encode())
    assert got.startswith(b"HTTP/1.1 ")
    assert int(got[9:12]) >= 400
    for told in (b"Traceback", b"secret", b"told to", b".py", b"ValueError", b"neither answered", b"line "):
        assert told not in got


def dead_end(req: Any, res: Any) -> None:
    pass


def begin(req: Any, res: Any) -> None:
    res.write("begun")


def test_a_handler_that_leads_nowhere_fails_where_it_is_so_that_all_around_it_know(serve: Serve) -> None:
    app = express()
    app.set("env", "test")
    seen: list[Any] = []

    @app.use("/")
    def log(req: Any, res: Any, next: Any) -> None:
        next()
        seen.append(res.status_code)

    app.get("/nowhere", dead_end)
    app.get("/param/:id", lambda req, res: res.end())
    app.param("id", lambda req, res, next, value: None)
    app.get("/begun", begin)
    router = Router()
    router.use(log)
    router.get("/nowhere", lambda req, res, next: next(), dead_end)
    app.use("/inner", router)

    @app.use("/")
    def tell(error: Any, req: Any, res: Any, next: Any) -> None:
        seen.append(str(error))
        next(error)

    url = serve(app)
    for path, name in (("/nowhere", "dead_end"), ("/param/1", "<lambda>"), ("/inner/nowhere", "dead_end")):
        seen.clear()
        assert requests.get(url + path, timeout=10).status_code == 500, path
        assert name in seen[0]
        assert f"{__file__}:" in seen[0]
        assert "neither responded nor called next()" in seen[0]
        assert seen[1:] == [500] * (2 if path.startswith("/inner") else 1), path
    seen.clear()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(f"{url}/begun", timeout=10)
    assert "begin" in seen[0]
    assert "call res.end()" in seen[0]
    assert requests.get(f"{url}/not-there", timeout=10).status_code == 404


def test_nothing_that_a_client_sends_becomes_markup_of_the_page(serve: Serve) -> None:
    app = express()

    @app.get("/say")
    def say(req: Any, res: Any) -> None:
        raise ValueError(req.query.what)

    url = serve(app)
    for target in (b"/<script>alert(1)</script>", b"/say?what=<script>alert(1)</script>", b"/\"><svg/onload='x'>"):
        got = talk(url, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"<script" not in got
        assert b"<svg" not in got
        assert b"Content-Security-Policy: default-src 'none'" in got


def test_errors_of_the_server_are_logged_with_their_traceback_and_those_of_clients_are_not(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    url = serve(failing_app("production"))
    with caplog.at_level(logging.INFO, "miniexpress"):
        requests.get(url + "/raises")
        requests.get(url + "/http")
        requests.get(url + "/none")
    levels = {record.getMessage(): (record.levelname, bool(record.exc_info)) for record in caplog.records}
    assert levels == {
        "GET /raises: a secret in the message": ("ERROR", True),
        "GET /http: 400 told to the client": ("INFO", False),
    }


def test_every_listener_is_called_once_however_many_fail(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    got = requests.get(serve(failing_app("production")) + "/listeners")
    assert (got.status_code, got.headers["X-First"], len(caplog.records)) == (500, "called last", 3)


def test_in_the_environment_test_nothing_is_logged(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    assert requests.get(serve(failing_app("test")) + "/raises").status_code == 500
    assert caplog.text == ""


def test_a_status_message_does_not_outlive_the_answer_that_it_was_for(serve: Serve) -> None:
    # As npm finalhandler 2.1.
    app = express()

    @app.get("/")
    def handler(req: Any, res: Any) -> None:
        res.status_message = "Fine"
        raise ValueError("x")

    got = requests.get(serve(app))
    assert (got.status_code, got.reason) == (500, "Internal Server Error")


def raise_it(error: Exception, next: Any) -> None:
    raise error


def pass_it(error: Exception, next: Any) -> None:
    next(error)


@pytest.mark.parametrize("fail", [raise_it, pass_it])
@pytest.mark.parametrize("around", [0, 3])
def test_an_error_whose_text_is_no_unicode_keeps_its_status_and_gets_its_page(
    serve: Serve, around: int, fail: Any
) -> None:
    app = express()
    for _ in range(around):
        app.use(lambda req, res, next: next())
    app.get("/", lambda req, res, next: fail(HTTPError(400, "no user '\ud800'"), next))
    got = requests.get(serve(app))
    assert (got.status_code, got.headers.get("X-Powered-By")) == (400, "Express")
    assert "no user" in got.text


@pytest.mark.parametrize("fail", [raise_it, pass_it])
@pytest.mark.parametrize("around", [0, 3])
def test_an_error_whose_headers_cannot_be_sent_is_answered_by_the_app_all_the_same(
    serve: Serve, around: int, fail: Any
) -> None:
    app = express()
    entered = []

    def note(error: Any, req: Any, res: Any, next: Any) -> None:
        entered.append(error)
        next(error)

    for _ in range(around):
        app.use(lambda req, res, next: next())
    app.get("/", lambda req, res, next: fail(HTTPError(401, headers={"X-Realm": req.query.realm}), next))
    app.use(note)
    got = requests.get(serve(app) + "/?realm=a%0d%0aX-Injected:%20yes")
    assert got.status_code >= 400
    assert got.headers.get("X-Powered-By") == "Express"
    assert "X-Injected" not in got.headers
    assert len(entered) == 1


def test_what_cannot_be_a_status_message_is_a_500_and_no_header(serve: Serve) -> None:
    app = express()

    @app.get("/")
    def handler(req: Any, res: Any) -> None:
        res.status_message = "OK\r\nX-Injected: yes"
        res.send("x")

    got = requests.get(serve(app))
    assert got.status_code == 500
    assert "X-Injected" not in got.headers


def test_sys_exit_in_a_handler_ends_the_request_and_not_the_server(serve: Serve) -> None:
    app = express()
    app.get("/exit", lambda req, res: sys.exit(3))
    app.get("/", lambda req, res: res.send("alive"))
    url = serve(app)
    assert requests.get(url + "/exit").status_code == 500
    assert requests.get(url).text == "alive"


def test_an_app_tells_of_no_other_event() -> None:
    with pytest.raises(ValueError, match="an app tells of 'mount' only, not of 'close'"):
        express().on("close", print)


def test_an_app_runs_on_another_wsgi_server_too() -> None:
    import threading
    from wsgiref.simple_server import WSGIRequestHandler, make_server
    from wsgiref.validate import validator

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None: ...

    app, router = express(), Router()
    router.get("/:name", lambda req, res: res.json([req.params, req.query, req.base_url, req.original_url]))
    app.use("/r", router)
    app.get("/raises", raises)

    @app.get("/writes")
    def writes(req: Any, res: Any) -> None:
        res.type("txt").write("a")
        res.write("b")
        res.end("c")

    with make_server("127.0.0.1", 0, validator(app), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            named = requests.get(url + "/r/caf%C3%A9?a=1")
            assert named.json() == [{"name": "café"}, {"a": "1"}, "/r", "/r/caf%C3%A9?a=1"]
            assert requests.get(url + "/writes").text == "abc"
            assert requests.get(url + "/raises").status_code == 500
        finally:
            server.shutdown()
            thread.join()


def test_a_query_is_read_by_attribute_at_any_depth(serve: Serve) -> None:
    app = express().set("query parser", "extended")
    app.get("/", lambda req, res: res.json([req.query.a.b, req.query.list[0].c, req.query.none]))
    assert requests.get(serve(app) + "/?a[b]=1&list[0][c]=2").json() == ["1", "2", None]


# Callbacks with fewer parameters, or more


async def verify_later(req: Any, res: Any, body: Any) -> None: ...


def five(a: Any, b: Any, c: Any, d: Any, e: Any) -> None: ...


GIVEN: dict[str, tuple[Callable[[Any], Any], str]] = {
    "verify": (lambda callback: parse_json(verify=callback), r"the option 'verify' .*\(req, res, body, charset\)"),
    "type": (lambda callback: parse_json(type=callback), r"the option 'type' .*\(req\)"),
    "reviver": (lambda callback: parse_json(reviver=callback), r"the option 'reviver' .*\(key, value\)"),
    "set_headers": (
        lambda callback: static(".", set_headers=callback),
        r"the option 'set_headers' .*\(res, path, stat",
    ),
    "trust proxy": (lambda callback: express().set("trust proxy", callback), r"the setting 'trust proxy' .*\(address"),
    "etag": (lambda callback: express().set("etag", callback), r"the setting 'etag' .*\(body, encoding\)"),
    "query parser": (lambda callback: express().set("query parser", callback), r"the setting 'query parser' .*\(query"),
    "json replacer": (
        lambda callback: express().set("json replacer", callback),
        r"the setting 'json replacer' .*\(key",
    ),
    "mount listener": (lambda callback: express().on("mount", callback), r"app\.on\('mount'\) .*\(parent\)"),
    "engine": (lambda callback: express().engine("txt", callback), r"app\.engine\(\) .*\(path, options\) -> text"),
    "listen": (lambda callback: express().listen(0, callback), r"app\.listen\(\) .*\(error\)"),
}


@pytest.mark.parametrize(("give", "words"), GIVEN.values(), ids=GIVEN)
def test_a_callback_that_needs_more_than_it_would_get_is_refused_when_it_is_given(
    give: Callable[[Any], Any], words: str
) -> None:
    with pytest.raises(TypeError, match=rf"five \(.*test_application\.py:\d+\) takes 5 parameters: {words}"):
        give(five)


@pytest.mark.parametrize("give", [give for give, _ in GIVEN.values()], ids=GIVEN)
def test_an_async_callback_is_refused_when_it_is_given_as_it_would_not_run(give: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"verify_later .* is async"):
        give(verify_later)


def test_a_callback_with_parameters_that_have_a_default_is_given_these_too() -> None:
    given: list[Any] = []
    app = express()
    app.engine("txt", lambda path, options=None: given.append(options) or "text")
    app.engines[".txt"]("path", {"a": 1})
    assert given == [{"a": 1}]


def test_an_etag_function_with_a_default_of_its_own_keeps_it(serve: Serve) -> None:
    app = express()
    app.set("etag", lambda body, tag="mine": f'"{tag}"')
    app.get("/", lambda req, res: res.send("x"))
    assert requests.get(serve(app)).headers["ETag"] == '"mine"'


def test_a_callback_that_takes_all_is_kept_as_it_is() -> None:
    def engine(path: str, options: Any) -> str:
        return ""

    assert express().engine("txt", engine).engines[".txt"] is engine


# Errors that are hostile


class NoAttributes(Exception):
    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class NoText(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class NoTruth(Exception):
    def __bool__(self) -> bool:
        raise ValueError("neither")

    def __eq__(self, other: object) -> bool:
        raise ValueError("neither")

    __hash__ = None  # type: ignore[assignment]


class NoTextNorAttributes(NoText, NoAttributes):
    pass


class NoHeaders(Exception):
    status = 418
    headers: ClassVar[Any] = {"X-A": "a\r\nX-B: b", "X C": "c", 5: "d", "X-D": "d"}


class Headers(Mapping[str, str]):
    def __getitem__(self, name: str) -> str:
        raise ValueError(name)

    def __iter__(self) -> Any:
        raise ValueError("no names")

    def __len__(self) -> int:
        raise ValueError("no length")


class HostileHeaders(Exception):
    status = 418
    headers = Headers()


HOSTILE = {
    "attributes": (NoAttributes, 500),
    "text": (NoText, 500),
    "truth": (NoTruth, 500),
    "text and attributes": (NoTextNorAttributes, 500),
    "headers that none can be": (NoHeaders, 418),
    "headers that cannot be read": (HostileHeaders, 418),
}


@pytest.mark.parametrize("env", ["development", "production", "test"])
@pytest.mark.parametrize("raises", [True, False], ids=["raised", "passed to next"])
@pytest.mark.parametrize(("kind", "status"), HOSTILE.values(), ids=HOSTILE)
def test_an_error_that_cannot_be_looked_at_is_answered_and_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture, kind: type[Exception], status: int, raises: bool, env: str
) -> None:
    app, router = express(), Router()
    app.set("env", env)

    @router.get("/:id")
    def fail(req: Any, res: Any, next: Any) -> None:
        if raises:
            raise kind("x")
        next(kind("x"))

    router.get("/other/:id", lambda req, res: res.send("x"))
    router.param("id", lambda req, res, next, value: next())
    app.use("/r", router)
    app.use("/%zz/:undecodable", lambda req, res: None)
    url = serve(app)
    caplog.set_level(logging.INFO, "miniexpress")
    got = requests.get(url + "/r/1")
    assert got.status_code == status
    assert "X-B" not in got.headers
    if kind is NoHeaders:
        assert got.headers["X-D"] == "d"
    logged = [record.getMessage() for record in caplog.records if record.name == "miniexpress"]
    assert [message.startswith("GET /r/1: ") for message in logged] == ([] if env == "test" else [True])
    if env != "test" and status == 500:
        assert "in fail" in caplog.text if raises else "Error" in caplog.text or "No" in caplog.text


def test_an_undecodable_parameter_behind_an_error_without_truth_keeps_the_error(serve: Serve) -> None:
    app = express()
    app.use(lambda req, res, next: next(NoTruth("x")))
    app.get("/:id", lambda req, res: res.send("x"))
    app.use(lambda err, req, res, next: res.send(type(err).__name__))
    assert requests.get(serve(app) + "/%zz").text == "NoTruth"


def test_in_development_an_undecodable_route_behind_the_one_that_failed_leaves_the_error_its_page(serve: Serve) -> None:
    app = express()
    app.set("env", "development")
    app.get(re.compile("^/x/"), lambda req, res, next: next(ValueError("first")))
    app.use("/x/:id", Router())
    got = requests.get(serve(app) + "/x/%zz")
    assert got.status_code == 500
    assert "ValueError: first" in got.text


def test_an_error_with_attributes_that_no_json_holds_is_json_without_them(serve: Serve) -> None:
    app = express()

    @app.get("/")
    def fail(req: Any, res: Any) -> None:
        raise HTTPError(404, "no such page", code="E", body=b"bytes", tags={"a"})

    app.use(lambda err, req, res, next: res.status(err.status).json({"message": str(err), "error": err}))
    got = requests.get(serve(app))
    assert got.status_code == 404
    assert got.json()["message"] == "no such page"
    assert got.json()["error"]["code"] == "E"
    assert got.json()["error"].keys().isdisjoint({"body", "tags"})


# The app as Express has it


def test_what_the_response_class_of_an_app_is_given_other_apps_do_not_have(serve: Serve) -> None:
    app, other = express(), express()
    app.response.shout = lambda res, text: res.send(text.upper())
    app.get("/", lambda req, res: res.shout("a"))
    assert requests.get(serve(app)).text == "A"
    assert not hasattr(other.response, "shout")


def test_an_app_mounted_again_has_what_its_last_parent_has() -> None:
    first, second, sub = express(), express(), express()
    first.request.who, second.request.who = "first", "second"
    first.use(sub)
    assert sub.request.who == "first"
    second.use(sub)
    assert sub.request.who == "second"


def test_threads_that_need_the_router_first_are_given_the_same_one() -> None:
    class SlowApp(App):
        def enabled(self, name: str) -> bool:
            sleep(0.02)
            return super().enabled(name)

    app = SlowApp()
    with ThreadPoolExecutor(4) as threads:
        routers = list(threads.map(lambda _: app.router, range(4)))
    assert all(router is app.router for router in routers)


def test_the_stack_of_an_app_is_that_of_its_router() -> None:
    app = express()
    app.use(lambda req, res: None)
    assert app.stack is app.router.stack
    app.stack = []
    assert app.router.stack == []


def test_the_callback_of_listen_may_take_an_error_as_in_express_5() -> None:
    code = (
        "import os, signal, miniexpress\n"
        "def callback(error): print(error, flush=True); os.kill(os.getpid(), signal.SIGTERM)\n"
        "miniexpress.express().listen(0, callback)"
    )
    assert run_python(code) == "None\n"


def test_json_spaces_that_are_no_number_are_refused_when_they_are_set() -> None:
    with pytest.raises(TypeError, match="'json spaces' is a number of blanks or a text to indent with, not nan"):
        express().set("json spaces", float("nan"))


@pytest.mark.parametrize(
    ("name", "meant"),
    [("view_engine", "view engine"), ("veiws", "views"), ("trustProxy", "trust proxy"), ("json_spaces", "json spaces")],
)
def test_a_setting_that_is_misspelt_is_warned_of_with_the_one_that_is_meant(name: str, meant: str) -> None:
    with pytest.warns(UserWarning, match=f"no setting is called '{name}': did you mean '{meant}'") as warned:
        express().set(name, "x")
    assert warned[0].filename == __file__


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["port", "title", "view options", "secret", "view", "etag"])
def test_a_setting_of_ones_own_is_not_warned_of(name: str) -> None:
    express().set(name, True)


def test_what_is_no_dict_of_a_views_values_is_refused() -> None:
    (app := express()).engine("txt", lambda path, options: "")
    app.set("view", lambda name, **options: type("Found", (), {"path": "x"})())
    with pytest.raises(TypeError, match=r"render\(\) takes a dict of what the view sees, or keywords, not 'name'"):
        app.render("page.txt", "name")  # type: ignore[arg-type]


@pytest.mark.parametrize("host", [None, 3001, {"host": "x"}])
def test_a_host_that_is_no_text_is_refused(host: Any) -> None:
    with pytest.raises(TypeError, match="host must be an address"):
        express().listen(0, host)
