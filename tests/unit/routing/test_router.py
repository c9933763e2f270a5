"""The chain over a real socket: what is miniexpress's own. What it shares with Express is in the conformance table."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import HTTPError, Router, express

Serve = Callable[..., str]
HERE = re.escape(__file__)


def answer(req: Any, res: Any) -> None:
    res.send("answered")


def place(req: Any) -> tuple[Any, ...]:
    return req.url, req.base_url, dict(req.params), req.path, req.app


# The onion


def test_after_next_everything_behind_is_done(serve: Serve) -> None:
    steps: list[str] = []
    app = express()

    def step(name: str) -> Callable[..., None]:
        def layer(req: Any, res: Any, next: Any) -> None:
            steps.append(f"{name} in")
            next()
            steps.append(f"{name} out")

        return layer

    def last(req: Any, res: Any) -> None:
        steps.append("last")
        res.send("x")

    router = Router()
    router.use(step("router"))
    router.get("/x", step("route"), last)
    app.use(step("app"))
    app.use(router)
    assert requests.get(serve(app) + "/x").text == "x"
    assert steps == ["app in", "router in", "route in", "last", "route out", "router out", "app out"]


def test_after_next_the_answer_is_known_and_can_still_be_added_to(serve: Serve) -> None:
    app = express()

    @app.use("/")
    def outer(req: Any, res: Any, next: Any) -> None:
        next()
        res.set("X-Was", f"{res.status_code} {res.headers_sent}")

    app.get("/x", lambda req, res: res.status(201).send("x"))
    url = serve(app)
    assert requests.get(url + "/x").headers["X-Was"] == "201 True"


def test_an_answer_after_next_is_seen_by_the_ones_before_even_where_an_error_was_passed(serve: Serve) -> None:
    seen = []
    app = express()

    @app.use("/")
    def outer(req: Any, res: Any, next: Any) -> None:
        next()
        seen.append(res.status_code)

    app.get("/error", lambda req, res, next: next(HTTPError(418)))
    url = serve(app)
    assert [requests.get(url + path).status_code for path in ("/error", "/none")] == [418, 404]
    assert seen == [418, 404]


@pytest.mark.parametrize("path", ["/a/1/b/2/c", "/a/1/b/2/none", "/a/1/b/2/error", "/a/1/b/2/raise", "/a/1/b/2"])
def test_after_next_the_request_is_as_the_caller_left_it(serve: Serve, path: str) -> None:
    pairs: list[tuple[Any, Any]] = []

    def watch(req: Any, res: Any, next: Any) -> None:
        before = place(req)
        next()
        pairs.append((before, place(req)))

    def boom(req: Any, res: Any) -> None:
        raise ValueError("boom")

    app, sub, router = express(), express(), Router(merge_params=True)
    router.use(watch)
    router.get("/c", watch, answer)
    router.get("/error", watch, lambda req, res, next: next("an error"))
    router.get("/raise", watch, boom)
    sub.set("env", "test").use(watch)
    sub.use("/b/:two", watch, router)
    sub.use(watch)
    app.set("env", "test").use(watch)
    app.use("/a/:one", watch, sub, watch)
    app.use(watch)
    requests.get(serve(app) + path + "?q=1")
    assert len(pairs) >= 5
    assert [after for _, after in pairs] == [before for before, _ in pairs]


def test_what_a_handler_makes_of_the_url_holds_for_those_behind_it_and_for_itself(serve: Serve) -> None:
    seen = []
    app = express()

    @app.use("/")
    def rewrite(req: Any, res: Any, next: Any) -> None:
        req.url = "/new?a=1"
        next()
        seen.append(req.url)

    app.get("/new", lambda req, res: res.json([req.path, req.query, req.original_url]))
    assert requests.get(serve(app) + "/old").json() == ["/new", {"a": "1"}, "/old"]
    assert seen == ["/new?a=1"]


def test_requests_at_the_same_time_do_not_see_each_other(serve: Serve) -> None:
    from concurrent.futures import ThreadPoolExecutor

    app, router = express(), Router(merge_params=True)

    @router.use("/")
    def onward(req: Any, res: Any, next: Any) -> None:
        before = place(req)
        next()
        assert place(req) == before

    router.get("/:b", lambda req, res: res.json([req.base_url, req.params]))
    app.use("/:a", router)
    url = serve(app)
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda n: requests.get(f"{url}/a{n}/b{n}").json(), range(80))
    assert list(answers) == [[f"/a{n}", {"a": f"a{n}", "b": f"b{n}"}] for n in range(80)]


# What may be a handler


async def asynchronous_generator(req: Any, res: Any) -> Any:
    yield


def generator(req: Any, res: Any) -> Any:
    yield


def one(req: Any) -> None: ...


def five(a: Any, b: Any, c: Any, d: Any, e: Any) -> None: ...


def by_keyword(req: Any, res: Any, *, config: Any) -> None: ...


def wsgi_app(environ: Any, start_response: Any) -> None: ...


class WSGIApp:
    def __call__(self, environ: Any, start_response: Any) -> None: ...


class Class:
    def __init__(self, req: Any, res: Any) -> None: ...

    def short(self, req: Any) -> None: ...


REFUSED = {
    "an async generator": (asynchronous_generator, rf"asynchronous_generator \({HERE}:\d+\) is a generator"),
    "a generator": (generator, rf"generator \({HERE}:\d+\) is a generator.*not by yield"),
    "a class": (Class, r"Class.*\(req, res\), \(req, res, next\) or \(err, req, res, next\)"),
    "one parameter": (one, rf"one \({HERE}:\d+\) takes 1 param.*\(req, res\), \(req, res, next\) or \(err,"),
    "one parameter and self": (Class(0, 0).short, rf"Class.short \({HERE}:\d+\) takes 1 param.*\(req, res\)"),
    "five parameters": (five, rf"five \({HERE}:\d+\) takes 5 param.*\(req, res\), \(req, res, next\) or \(err,"),
    "one that needs a keyword": (by_keyword, rf"by_keyword \({HERE}:\d+\) needs 'config' by its keyword.*\(req, res\)"),
    "a WSGI app": (wsgi_app, rf"wsgi_app \({HERE}:\d+\) is a WSGI app: use wsgi\("),
    "an object that is a WSGI app": (WSGIApp(), r"WSGIApp object.* is a WSGI app: use wsgi\("),
    "a builtin that tells no signature": (max, r"max.*\(req, res\), \(req, res, next\) or \(err"),
    "no function": (5, r"5 is no function.*\(req, res\), \(req, res, next\) or \(err"),
}


@pytest.mark.parametrize(("handler", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_handler_is_refused_by_name_file_and_line_with_the_mend(handler: Any, message: str) -> None:
    app = express()
    for register in (app.use, functools.partial(app.use, "/x"), functools.partial(app.get, "/x"), app.route("/x").all):
        with pytest.raises(TypeError, match=message):
            register(handler)


@pytest.mark.parametrize("register", ["use", "get"])
def test_a_list_with_one_that_is_no_handler_is_refused(register: str) -> None:
    with pytest.raises(TypeError, match="generator"):
        getattr(express(), register)("/x", [answer, [generator]])


def test_no_handler_at_all_is_refused() -> None:
    for register in (lambda a: a.use(), lambda a: a.use([]), lambda a: a.get("/x", []), lambda a: a.route("/x").get()):
        with pytest.raises(TypeError, match=r"requires a middleware function|no handler"):
            register(express())


def test_no_handler_behind_a_path_is_refused() -> None:
    # express 5.3.0: "argument handler is required"
    with pytest.raises(TypeError, match="handler"):
        express().use("/x", [])


@pytest.mark.parametrize("path", [5, None, b"/x", {"/x"}])
def test_what_is_no_path_is_refused(path: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="path"):
        express().get(path, answer)


@pytest.mark.parametrize("method", ["get", "all", "m_search"])
@pytest.mark.parametrize("owner", [express, Router])
def test_a_method_decorator_without_a_path_is_refused(owner: Callable[[], Any], method: str) -> None:
    mend = rf"{method}\(\) takes a path first: @app.{method}\('/path'\), or app.{method}\('/path', handler\)"
    for arguments in ((answer,), (), (answer, answer)):
        with pytest.raises(TypeError, match=mend):
            getattr(owner(), method)(*arguments)


# How many parameters: those of what will be called


def passing_on(handler: Any) -> Any:
    """A decorator that passes on whatever it is given."""

    @functools.wraps(handler)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return handler(*args, **kwargs)

    return inner


def with_config(handler: Any) -> Any:
    """A decorator that gives the handler one argument more."""

    @functools.wraps(handler)
    def inner(req: Any, res: Any, next: Any) -> Any:
        return handler(req, res, next, "config")

    return inner


def with_any_config(handler: Any) -> Any:
    @functools.wraps(handler)
    def inner(*args: Any) -> Any:
        return handler(*args, "config")

    return inner


def guard(req: Any, res: Any, next: Any, config: Any) -> None:
    res.send(f"guarded with {config}")


class Decorating:
    """A decorator that is a class."""

    def __init__(self, handler: Any) -> None:
        functools.update_wrapper(self, handler)
        self.handler = handler

    def __call__(self, req: Any, res: Any, next: Any) -> None:
        self.handler(req, res, next, "config")


class Guards:
    @with_config
    def method(req: Any, res: Any, next: Any, config: Any) -> None:  # type: ignore[misc]
        guard(req, res, next, config)

    @passing_on
    def handler(self, req: Any, res: Any) -> None:
        answer(req, res)


GUARDS = {
    "by functools.wraps": with_config(guard),
    "with any number of parameters": with_any_config(guard),
    "under a decorator that passes on": passing_on(with_config(guard)),
    "by a class with update_wrapper": Decorating(guard),
    "in a class": Guards.method,
    "by a partial with a keyword": functools.partial(guard, config="config"),
    "whose __signature__ was copied": with_config(with_any_config(guard)),
}


@pytest.mark.parametrize("guarding", GUARDS.values(), ids=GUARDS)
def test_a_guard_that_a_decorator_gives_a_fourth_argument_is_no_error_handler(serve: Serve, guarding: Any) -> None:
    app = express()
    app.use("/admin", guarding)
    app.get("/admin", answer)
    got = requests.get(serve(app) + "/admin")
    assert got.text != "answered"
    if guarding is not GUARDS["whose __signature__ was copied"]:  # which gets two arguments too many
        assert got.text == "guarded with config"


def test_a_signature_that_a_decorator_copied_does_not_count() -> None:
    import inspect

    def three(req: Any, res: Any, next: Any) -> None: ...

    three.__signature__ = inspect.signature(guard)  # type: ignore[attr-defined]
    app = express()
    app.use(three)
    assert not app.stack[0].handles_errors


PASSED_ON = {
    "a handler of two": passing_on(answer),
    "a handler of three": passing_on(lambda req, res, next: answer(req, res)),
    "twice decorated": passing_on(passing_on(answer)),
    "a method": Guards().handler,
    "a lru_cache": functools.lru_cache(answer),
    "nothing that it tells of": lambda *args: answer(args[0], args[1]),
}


@pytest.mark.parametrize("handler", PASSED_ON.values(), ids=PASSED_ON)
def test_what_takes_any_number_of_parameters_is_called_with_as_many_as_what_it_wraps(
    serve: Serve, handler: Any
) -> None:
    app = express()
    app.get("/", handler)
    assert requests.get(serve(app)).text == "answered"


def test_what_takes_any_number_is_called_with_three_arguments_by_format_and_five_by_param(serve: Serve) -> None:
    app = express()
    app.param("id", lambda *args: (args[1].set("X-Param", f"{len(args)} {args[3]} {args[4]}"), args[2]()))
    app.get("/:id", lambda req, res: res.format({"text": lambda *args: res.send(f"{len(args)}")}))
    got = requests.get(serve(app) + "/7")
    assert (got.text, got.headers["X-Param"]) == ("3", "5 7 id")


def test_a_decorated_param_callback_and_a_decorated_format_are_called_as_they_are(serve: Serve) -> None:
    @with_config
    def load(req: Any, res: Any, next: Any, config: Any) -> None: ...

    with pytest.raises(TypeError, match=rf"load \({HERE}:\d+\), as it is decorated, takes 3 parameters: a param call"):
        express().param("id", load)
    app = express()
    app.get("/", lambda req, res: res.format({"text": with_config(guard)}))
    assert requests.get(serve(app)).text == "guarded with config"


def test_methods_objects_and_partials_are_handlers(serve: Serve) -> None:
    class Handlers:
        def method(self, req: Any, res: Any) -> None:
            res.send("method")

        @staticmethod
        def static(req: Any, res: Any) -> None:
            res.send("static")

        def __call__(self, req: Any, res: Any, next: Any) -> None:
            res.send("object")

    def with_default(req: Any, res: Any, greeting: str = "default") -> None:
        res.send(greeting)

    @functools.wraps(with_default)
    def wrapped(*args: Any) -> None:
        with_default(*args, "wrapped")

    app = express()
    app.get("/method", Handlers().method)
    app.get("/static", Handlers.static)
    app.get("/object", Handlers())
    app.get("/default", with_default)
    app.get("/partial", functools.partial(with_default, greeting="partial"))
    app.get("/wrapped", wrapped)
    url = serve(app)
    for name in ("method", "static", "object", "default", "partial", "wrapped"):
        assert requests.get(f"{url}/{name}").text == name


def test_handlers_in_lists_of_any_depth_are_called_in_their_order(serve: Serve) -> None:
    def mark(name: str) -> Callable[..., None]:
        def handler(req: Any, res: Any, next: Any) -> None:
            res.append("X-Marks", name)
            next()

        return handler

    app = express()
    app.use(mark("a"), [mark("b"), (mark("c"), [mark("d")])])
    app.use([mark("e")], mark("f"))
    app.get("/x", [mark("g"), [mark("h")]], answer)
    app.use("/", [mark("not reached")])
    assert requests.get(serve(app) + "/x").headers["X-Marks"] == "a, b, c, d, e, f, g, h"


def test_decorators_return_the_function_and_register_it(serve: Serve) -> None:
    app, router = express(), Router()

    def used(req: Any, res: Any, next: Any) -> None:
        res.set("X-Used", "yes")
        next()

    def failed(error: Any, req: Any, res: Any, next: Any) -> None:
        res.status(500).send(f"failed: {error}")

    def fails(req: Any, res: Any) -> None:
        raise ValueError("so")

    assert app.use("/a")(used) is used
    for register in (app.get("/a/get"), app.post("/a/post"), app.all("/a/all"), router.put("/put")):
        assert register(answer) is answer
    assert app.get("/a/fails")(fails) is fails
    app.use("/a", router)
    assert app.use("/")(failed) is failed
    url = serve(app)
    for method, path in [("GET", "/a/get"), ("POST", "/a/post"), ("PATCH", "/a/all"), ("PUT", "/a/put")]:
        got = requests.request(method, url + path)
        assert (got.text, got.headers["X-Used"]) == ("answered", "yes")
    assert requests.get(url + "/a/fails").text == "failed: so"


# A handler that does nothing


def silent(req: Any, res: Any) -> None: ...


def test_a_handler_that_does_nothing_is_a_500_whose_log_line_names_it(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    app = express()
    app.use(lambda req, res, next: next())
    app.get("/silent", silent)
    with caplog.at_level(logging.ERROR, "miniexpress"):
        got = requests.get(serve(app) + "/silent", timeout=5)
    assert got.status_code == 500
    place = rf"silent \({HERE}:{silent.__code__.co_firstlineno}\)"
    assert re.search(rf"GET /silent: .*{place}.*neither responded nor called next", caplog.text)


def test_the_one_that_did_nothing_is_named_and_not_the_ones_around_it(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    class Quiet:
        def method(self, req: Any, res: Any, next: Any) -> None: ...

    app, sub, router = express(), express(), Router()
    router.use(Quiet().method)
    sub.use("/sub", router)
    app.use(sub)
    app.use(answer)
    with caplog.at_level(logging.ERROR, "miniexpress"):
        assert requests.get(serve(app) + "/sub", timeout=5).status_code == 500
    assert re.search(rf"Quiet.method \({HERE}:{Quiet.method.__code__.co_firstlineno}\)", caplog.text)


def test_an_error_handler_that_does_nothing_is_a_500_too(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def ignores(error: Any, req: Any, res: Any, next: Any) -> None: ...

    app = express()
    app.get("/", lambda req, res, next: next(HTTPError(404)))
    app.use(ignores)
    assert requests.get(serve(app), timeout=5).status_code == 500
    assert re.search(rf"ignores \({HERE}:\d+\)", caplog.text)


@pytest.mark.parametrize("parameters", [4, 5])
def test_a_param_callback_that_does_nothing_is_named(
    serve: Serve, caplog: pytest.LogCaptureFixture, parameters: int
) -> None:
    def short(req: Any, res: Any, next: Any, value: str) -> None: ...
    def full(req: Any, res: Any, next: Any, value: str, name: str) -> None: ...

    callback = {4: short, 5: full}[parameters]
    app = express()
    app.param("id", callback)
    app.get("/:id", answer)
    assert requests.get(serve(app) + "/1", timeout=5).status_code == 500
    assert re.search(rf"{callback.__name__} \({HERE}:{callback.__code__.co_firstlineno}\)", caplog.text)


def test_a_handler_that_began_to_write_and_never_ended_is_named_and_broken_off(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def half(req: Any, res: Any) -> None:
        res.write("half")

    app = express()
    app.get("/", half)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(serve(app), timeout=5)
    assert re.search(rf"half \({HERE}:\d+\)", caplog.text)


# Errors and signals


def test_a_raised_exception_and_a_passed_one_go_to_the_next_error_handler(serve: Serve) -> None:
    def raises(req: Any, res: Any) -> None:
        raise LookupError("raised")

    def handle(error: Any, req: Any, res: Any, next: Any) -> None:
        res.status(500).type("txt").send(f"{type(error).__name__} {error.args[0]} at {req.url}")

    app = express()
    router = Router()
    router.get("/raised", raises)
    router.get("/passed", lambda req, res, next: next(LookupError("passed")))
    app.use("/in", router)
    app.use(answer)
    app.use(handle)
    url = serve(app)
    for how in ("raised", "passed"):
        assert requests.get(f"{url}/in/{how}").text == f"LookupError {how} at /in/{how}"


def test_an_error_handler_may_recover_or_fail_itself(serve: Serve) -> None:
    def fails(error: Any, req: Any, res: Any, next: Any) -> None:
        raise RuntimeError(f"worse than {error}")

    app = express()
    app.get("/recovers", lambda req, res, next: next("an error"), lambda error, req, res, next: next(), answer)
    app.get("/fails", lambda req, res, next: next("this"), fails)
    app.use(lambda error, req, res, next: res.status(500).send(str(error)))
    url = serve(app)
    assert requests.get(url + "/recovers").text == "answered"
    assert requests.get(url + "/fails").text == "worse than this"


def test_next_route_leaves_the_route_and_next_router_the_router(serve: Serve) -> None:
    def never(req: Any, res: Any) -> None:
        res.send("never")

    app, router = express(), Router()
    router.get("/route", lambda req, res, next: next("route"), never)
    router.get("/route", lambda req, res: res.send("the next route"))
    router.get("/router", lambda req, res, next: next("router"), never)
    router.use("/router", never)
    app.use("/x", router, lambda req, res: res.type("txt").send(f"behind the router at {req.base_url}"))
    url = serve(app)
    assert requests.get(url + "/x/route").text == "the next route"
    assert requests.get(url + "/x/router").text == "behind the router at /x"


def test_a_chain_that_is_too_deep_is_one_500_and_the_server_lives(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    app = express()
    app.get("/shallow", answer)
    for _ in range(2000):
        app.use(lambda req, res, next: next())
    url = serve(app)
    assert requests.get(url + "/deep", timeout=20).status_code == 500
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert requests.get(url + "/shallow").text == "answered"


def test_three_thousand_routes_that_do_not_match_are_no_deep_chain(serve: Serve) -> None:
    app = express()
    for number in range(3000):
        app.get(f"/{number}", answer)
        app.use(lambda error, req, res, next: next(error))
    assert requests.get(serve(app) + "/2999", timeout=20).text == "answered"


# Param callbacks


def test_a_param_callback_runs_once_for_each_value_and_router(serve: Serve) -> None:
    calls = []

    def load(req: Any, res: Any, next: Any, value: str, name: str) -> None:
        calls.append((name, value))
        req.user = f"user {value}"
        next()

    app = express()
    app.param("id", load)
    app.get("/:id", lambda req, res, next: next())
    app.get("/:id", lambda req, res: res.send(req.user))
    url = serve(app)
    assert [requests.get(f"{url}/{n}").text for n in (1, 2)] == ["user 1", "user 2"]
    assert calls == [("id", "1"), ("id", "2")]


def test_a_param_callback_may_answer_fail_and_pass_the_route_by(serve: Serve) -> None:
    def check(req: Any, res: Any, next: Any, value: str) -> None:
        if value == "raise":
            raise HTTPError(410, "gone")
        if value == "answer":
            return res.send("from the callback")
        return next({"route": "route", "error": HTTPError(409, "no")}.get(value))

    app = express()
    app.param("id", check)
    app.get("/:id", answer)
    app.get("/:other", lambda req, res: res.type("txt").send(f"other: {req.params.other}"))
    app.use(lambda error, req, res, next: res.status(error.status).send(error.message))
    url = serve(app)
    got = {value: requests.get(f"{url}/{value}").text for value in ("fine", "raise", "answer", "route", "error")}
    expected = {"fine": "answered", "raise": "gone", "answer": "from the callback", "route": "other: route"}
    assert got == {**expected, "error": "no"}


def test_a_param_callback_may_change_the_value_and_app_param_takes_a_list(serve: Serve) -> None:
    def number(req: Any, res: Any, next: Any, value: str, name: str) -> None:
        req.params[name] = int(value)
        next()

    app = express()
    app.param(["a", "b"], number)
    app.get("/:a/:b", lambda req, res: res.json(req.params.a + req.params.b))
    assert requests.get(serve(app) + "/20/22").json() == 42


def test_unnamed_parameters_of_a_mount_are_counted_on(serve: Serve) -> None:
    app, router = express(), Router(merge_params=True)
    router.get(re.compile(r"^/(\d+)"), lambda req, res: res.json(req.params))
    app.use(re.compile("^/(a+)"), router)
    assert requests.get(serve(app) + "/aa/7").json() == {"0": "aa", "1": "7"}


def test_param_callbacks_run_for_a_mount_that_an_error_passes_by(serve: Serve) -> None:
    seen = []
    app = express()
    app.param("id", lambda req, res, next, value: (seen.append(value), next()))
    app.use(lambda req, res, next: next(HTTPError(409, "first")))
    app.use("/:id", answer)
    app.use("/:id", lambda error, req, res, next: res.send(error.message))
    assert requests.get(serve(app) + "/7").text == "first"
    assert seen == ["7"]


def short_callback(req: Any, res: Any, value: Any) -> None: ...


def generating_callback(req: Any, res: Any, next: Any, value: Any) -> Any:
    yield


class CallbackClass:
    def __init__(self, req: Any, res: Any, next: Any, value: Any) -> None: ...


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (short_callback, rf"short_callback \({HERE}:\d+\).*\(req, res, next, value, name\)"),
        (generating_callback, rf"generating_callback \({HERE}:\d+\).*generator"),
        (CallbackClass, r"CallbackClass.*\(req, res, next, value, name\)"),
        (None, r"None.*\(req, res, next, value, name\)"),
    ],
)
def test_what_is_no_param_callback_is_refused_by_name_with_the_mend(callback: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        express().param("id", callback)


@pytest.mark.parametrize("name", ["", 5, None])
def test_what_is_no_name_of_a_parameter_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="name of a parameter"):
        Router().param(name, lambda req, res, next, value: next())


def test_routers_take_their_options_by_name_only() -> None:
    with pytest.raises(TypeError):
        Router(True)  # type: ignore[misc]


# A stack that is changed by hand


CHANGES: dict[str, Callable[[Any], Any]] = {
    "one taken away and another added": lambda router: (router.stack.pop(), router.get("/c", answer)),
    "one put in the place of another": lambda router: router.stack.__setitem__(1, new_layer()),
    "another list": lambda router: setattr(router, "stack", [router.stack[0], new_layer()]),
}


def new_layer() -> Any:
    router = Router()
    router.get("/c", answer)
    return router.stack[0]


@pytest.mark.parametrize("owner", [express, Router])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_stack_changed_by_hand_to_the_same_length_is_followed(
    serve: Serve, change: Callable[[Any], Any], owner: Callable[[], Any]
) -> None:
    app, router = express(), owner()
    app.use("/r", router)
    router.get("/a", answer)
    router.get("/b", answer)
    url = serve(app) + "/r"

    def statuses() -> list[int]:
        return [requests.get(url + path).status_code for path in ("/a", "/b", "/c")]

    assert statuses() == [200, 200, 404]
    change(router)
    assert statuses() == [200, 404, 200]


def test_a_stack_changed_by_a_handler_is_followed_by_the_request_itself(serve: Serve) -> None:
    app = express()

    @app.use("/")
    def change(req: Any, res: Any, next: Any) -> None:
        app.stack[1] = new_layer()
        next()

    app.get("/b", answer)
    assert requests.get(serve(app) + "/c").text == "answered"


def test_a_routes_stack_changed_by_hand_is_followed(serve: Serve) -> None:
    app = express()
    route = app.route("/x").get(lambda req, res, next: next(), answer)
    url = serve(app) + "/x"
    assert requests.get(url).status_code == 200
    route.stack.pop()
    assert requests.get(url).status_code == 404
    route.stack.reverse()
    route.get(answer)
    assert requests.get(url).text == "answered"
    assert requests.head(url).status_code == 200


# What leaves late


@pytest.mark.parametrize("target", ["/api/users/7/body", "/api/users/7/write", "/top/7"])
def test_listeners_and_generated_bodies_see_the_request_as_the_handler_that_answered(serve: Serve, target: str) -> None:
    app, sub, router = express(), express(), Router()
    app.set("title", "outer")
    sub.set("title", "inner")
    seen: list[Any] = []
    after: list[Any] = []

    def here(req: Any, res: Any) -> list[Any]:
        return [req.url, req.base_url, dict(req.params), req.app.get("title"), res.app.get("title")]

    @app.use("/")
    def outermost(req: Any, res: Any, next: Any) -> None:
        res.on_headers(lambda: seen.append(here(req, res)))
        before = here(req, res)
        next()
        after.append(here(req, res) == before)

    def respond(req: Any, res: Any) -> None:
        def body() -> Any:
            for _ in range(2):
                seen.append(here(req, res))
                yield b"x"

        if req.url.endswith("write"):
            res.write("w")
        seen.append(here(req, res))
        res.end(body())

    router.get("/:id/:how", respond)
    sub.use("/users", router)
    app.use("/api", sub)
    app.get("/top/:id", respond)
    assert requests.get(serve(app) + target).text.endswith("xx")
    assert len(seen) == 4
    assert all(each == seen[0] for each in seen), seen
    assert seen[0][:2] == (["/top/7", ""] if target == "/top/7" else [target[10:], "/api/users"])
    assert after == [True]


def test_listeners_see_the_request_as_the_error_handler_that_answered(serve: Serve) -> None:
    app, router = express(), Router()
    seen: list[Any] = []
    app.use(lambda req, res, next: (res.on_headers(lambda: seen.append((req.base_url, dict(req.params)))), next()))
    router.get("/:id", lambda req, res, next: next(HTTPError(418)))
    app.use("/r", router)
    app.use("/:where", lambda err, req, res, next: res.send("handled"))
    assert requests.get(serve(app) + "/r/1").text == "handled"
    assert seen == [("/r", {"where": "r"})]
