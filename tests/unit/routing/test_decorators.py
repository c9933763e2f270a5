"""Handlers registered by decorators: behind middleware, without parentheses, and what is refused with the mend."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import requests

import miniexpress
from miniexpress import App, Router, express

Serve = Callable[..., str]
pytestmark = pytest.mark.language


def only_admins(req: Any, res: Any, next: Any) -> None:
    if req.query.admin:
        next()
    else:
        res.send_status(403)


def mark(name: str) -> Callable[..., None]:
    def middleware(req: Any, res: Any, next: Any) -> None:
        res.append("X-Marks", name)
        next()

    return middleware


def answer(req: Any, res: Any) -> None:
    res.send("answered")


def stack_of(router: Any) -> list[tuple[Any, list[str]]]:
    """Return each path with the names of its handlers."""
    return [
        (layer.path, [each.handler.__name__ for each in layer.route.stack] if layer.route else [layer.handler.__name__])
        for layer in router.stack
    ]


# Behind middleware


def test_a_decorated_function_stands_in_the_same_route_behind_the_middleware(serve: Serve) -> None:
    app, router = express(), Router()

    @app.get("/secrets", only_admins)
    def secrets(req: Any, res: Any) -> None:
        res.send("the secret")

    @router.post("/", *[mark("a"), mark("b")], [mark("c")])
    def add(req: Any, res: Any) -> None:
        res.send("added")

    app.use("/notes", router)
    url = serve(app)
    assert requests.get(url + "/secrets").status_code == 403
    assert requests.get(url + "/secrets?admin=1").text == "the secret"
    added = requests.post(url + "/notes")
    assert (added.text, added.headers["X-Marks"]) == ("added", "a, b, c")
    assert (secrets.__name__, add.__name__) == ("secrets", "add")
    assert stack_of(app)[0] == ("/secrets", ["only_admins", "secrets"])


def test_a_function_decorated_by_use_is_mounted_behind_the_middleware(serve: Serve) -> None:
    app = express()

    @app.use("/admin", mark("a"), only_admins)
    def admin(req: Any, res: Any, next: Any) -> None:
        res.set("X-Url", req.url)
        next()

    @app.use(mark("all"))
    def everywhere(req: Any, res: Any) -> None:
        res.send("everywhere")

    url = serve(app)
    got = requests.get(url + "/admin/x?admin=1")
    assert (got.text, got.headers["X-Url"], got.headers["X-Marks"]) == ("everywhere", "/x?admin=1", "a, all")
    assert requests.get(url + "/admin/x").status_code == 403
    assert requests.get(url + "/else").headers["X-Marks"] == "all"
    assert (admin.__name__, everywhere.__name__) == ("admin", "everywhere")


@pytest.mark.parametrize("owner", [express, Router])
def test_decorators_above_each_other_add_the_function_each_to_its_own_route(owner: Callable[[], Any]) -> None:
    app = owner()
    app.get("/before", answer)

    @app.get("/a", only_admins)
    @app.post("/plain")
    @app.use("/used")
    @app.put("/b", only_admins)
    def both(req: Any, res: Any) -> None: ...

    app.get("/after", answer)
    assert stack_of(app) == [
        ("/before", ["answer"]),
        ("/a", ["only_admins", "both"]),
        ("/b", ["only_admins", "both"]),
        ("/used", ["both"]),
        ("/plain", ["both"]),
        ("/after", ["answer"]),
    ]


def test_calls_in_a_chain_return_the_app_the_router_and_the_route() -> None:
    app, router = express(), Router()
    route = router.route("/x")
    assert app.get("/a", answer).post("/b", only_admins, answer).use(only_admins).use("/c", only_admins) is app
    assert router.get("/a", answer).all("/b", answer).use(only_admins) is router
    assert route.get(answer).post(only_admins, [answer]) is route
    assert stack_of(app)[0] == ("/a", ["answer"])


def test_what_decorates_a_route_adds_the_function_for_the_method_named_last() -> None:
    route = Router().route("/x")

    @route.get(answer).post(only_admins)
    def posted(req: Any, res: Any) -> None: ...

    assert [(layer.method, layer.handler) for layer in route.stack] == [
        ("GET", answer),
        ("POST", only_admins),
        ("POST", posted),
    ]


def test_what_is_no_handler_is_refused_behind_middleware_too() -> None:
    with pytest.raises(TypeError, match=r"takes 1 parameters: a handler takes \(req, res\)"):

        @express().get("/x", only_admins)
        def short(req: Any) -> None: ...


@pytest.mark.parametrize("owner", [express, Router])
def test_a_call_with_what_is_neither_a_request_nor_a_handler_is_refused(owner: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"was called with \{\}, which is neither a request nor a handler"):
        owner()({})
    with pytest.raises(TypeError, match=r"answer .* cannot be added: nothing was registered.*@app.get\('/path'\)"):
        owner()(answer)


# Without parentheses


@pytest.mark.parametrize("owner", [express, Router])
def test_use_without_parentheses_leaves_the_name_to_the_function(owner: Callable[[], Any]) -> None:
    app = owner()

    @app.use
    def log(req: Any, res: Any, next: Any) -> None: ...

    @app.use
    @functools.wraps(answer)
    def wrapped(
        *arguments: Any,
    ) -> None:
        """Have more lines than one."""

    class Handlers:
        @app.use
        def handler(req: Any, res: Any) -> None: ...

    assert app.use(log) is app
    assert [layer.handler for layer in app.stack] == [log, wrapped, Handlers.handler, log]


def test_use_called_with_a_function_returns_the_app_wherever_the_function_is_made() -> None:
    app = express()
    assert app.use(lambda req, res, next: next()).use(only_admins).use(mark("a")) is app

    def in_a_function() -> None:
        def local(req: Any, res: Any, next: Any) -> None: ...

        assert app.use(local) is app
        for _ in range(2):
            assert app.use(local) is app

    in_a_function()


def test_a_method_of_a_route_without_parentheses_leaves_the_name_to_the_function() -> None:
    app = express()

    @app.route("/x").get
    def show(req: Any, res: Any) -> None: ...

    assert callable(show)
    assert stack_of(app) == [("/x", ["show"])]


@pytest.mark.parametrize("owner", [express, Router])
def test_param_with_a_name_alone_is_a_decorator(serve: Serve, owner: Callable[[], Any]) -> None:
    router = owner()

    @router.param("id")
    def load(req: Any, res: Any, next: Any, value: str) -> None:
        req.user = f"user {value}"
        next()

    router.get("/:id", lambda req, res: res.send(req.user))
    assert callable(load)
    assert requests.get(serve(express().use("/users", router)) + "/users/7").text == "user 7"


# Refused, with the mend


def test_a_method_without_parentheses_or_without_a_path_is_refused() -> None:
    app = express()
    for decorate in (lambda: app.get(answer), lambda: app.get(), lambda: app.delete()):
        with pytest.raises(TypeError, match=r"takes a path first: @app.(get|delete)\('/path'\)"):
            decorate()
    assert app.stack == []


def test_get_that_would_decorate_by_a_setting_is_refused() -> None:
    app = express()
    for name in ("hello", "env"):
        with pytest.raises(ValueError, match=rf"@app.get\('{name}'\) .* write @app.get\('/{name}'\)"):

            @app.get(name)
            def hello(req: Any, res: Any) -> None: ...

    assert (app.get("hello"), app.get("env")) == (None, "development")


def test_route_as_in_flask_is_refused() -> None:
    app = express()
    with pytest.raises(TypeError, match=r"answer .* the route was given no method; @app.get\('/path'\) decorates"):
        app.route("/x")(answer)
    with pytest.raises(TypeError, match=r"takes a path, and no methods: app.route\('/x'\).get\(…\).post\(…\)"):
        app.route("/x", methods=["GET"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "factory",
    [
        *(miniexpress.json, miniexpress.urlencoded, express.text, express.raw, express.static, miniexpress.session),
        *(miniexpress.compression, miniexpress.helmet, miniexpress.morgan, Router),
    ],
    ids=lambda factory: factory.__name__,
)
def test_a_factory_that_was_not_called_is_refused(factory: Any) -> None:
    name = factory.__name__
    for use in (express().use, functools.partial(express().get, "/x"), functools.partial(Router().use, "/x")):
        with pytest.raises(TypeError, match=rf"^(<class '.*)?{name}.*: a handler takes .*call it: {name}\(…\)$"):
            use(factory)


@pytest.mark.parametrize("name", ["helmet", "morgan", "compression"])
def test_an_object_that_was_not_called_is_refused_as_a_factory_is(name: str) -> None:
    with pytest.raises(TypeError, match=rf"a handler takes .*call it: {name}\(…\)$"):
        express().use(getattr(miniexpress, name))


def test_multer_is_refused_with_what_makes_middleware_of_it() -> None:
    with pytest.raises(TypeError, match=r"multer, of which \.single\(name\), .* make middleware> is no function"):
        express().post("/x", miniexpress.multer(), answer)


@pytest.mark.parametrize("decorate", [lambda: express().get("/"), lambda: express().use])
def test_a_decorated_function_without_parameters_is_not_said_to_be_a_factory(decorate: Any) -> None:
    with pytest.raises(TypeError, match=r"home .* takes 0 parameters: a handler takes .* res, next\)$"):

        @decorate()
        def home() -> str:
            return "hello"


@pytest.mark.parametrize(
    "handler",
    [
        lambda req, res, next, err: None,
        lambda self, req, res: None,
        lambda id, request, response: None,
        lambda ctx, id, req, res: None,
    ],
)
def test_parameters_in_another_order_are_refused(handler: Any) -> None:
    with pytest.raises(TypeError, match=r"<lambda> \(.*\) takes \(.*req.*\): a handler takes \(req, res\), \(req"):
        express().use(handler)


def test_express_itself_is_no_handler() -> None:
    with pytest.raises(TypeError, match=r"Express object .* takes 0 parameters: a handler takes"):
        express().use(express)


# What help() says


@pytest.mark.parametrize("owner", [App, Router, miniexpress.routing.Route])
@pytest.mark.parametrize(("name", "method"), [("post", "POST"), ("get", "GET"), ("m_search", "M-SEARCH")])
def test_the_help_of_a_method_speaks_of_it(owner: type, name: str, method: str) -> None:
    function = getattr(owner, name)
    assert function.__name__ == name
    assert f"for {method}: ``{name}(path, handler…)``" in function.__doc__
