"""``async def`` handlers: how they run, what they see, and that no mistake in one hangs or reaches another request."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests

from miniexpress import App, Router, express
from miniexpress.event_loop import event_loop
from tests.benchmarks import async_cost
from tests.support.project import ROOT
from tests.support.served_folder import Response
from tests.support.served_folder import call as call_in_this_thread
from tests.support.waiting import wait_for

_thread_of_requests: ThreadPoolExecutor | None = None


@pytest.fixture(autouse=True, params=["main thread", "other thread"])
def thread_of_requests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have ``call`` run in the main thread, whose handlers the loop's thread runs, or in one that runs them itself."""
    global _thread_of_requests
    if request.param == "main thread":
        yield
        return
    with ThreadPoolExecutor(1) as _thread_of_requests:
        yield
    _thread_of_requests = None


def call(app: App, path: str) -> Response:
    if _thread_of_requests is None:
        return call_in_this_thread(app, path)
    return _thread_of_requests.submit(contextvars.copy_context().run, call_in_this_thread, app, path).result(30)


@pytest.fixture
def app() -> App:
    app = express()
    app.set("env", "test")
    return app


def catch(app: App) -> None:
    """Add an error handler that sends the error's type and text."""
    app.use(lambda err, req, res, next: res.status(500).send(f"{type(err).__name__}: {err}"))


class Page:
    """Handlers in all the forms that an async function has."""

    async def method(self, req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        res.send("method")

    @classmethod
    async def class_method(cls, req: Any, res: Any) -> None:
        res.send("class method")

    @staticmethod
    async def static_method(req: Any, res: Any) -> None:
        res.send("static method")

    async def __call__(self, req: Any, res: Any, next: Any) -> None:
        await asyncio.sleep(0)
        res.send("object")


class PageOf:
    async def __call__(self, name: str, req: Any, res: Any) -> None:
        res.send(name)


async def with_name(name: str, req: Any, res: Any) -> None:
    res.send(name)


def logged(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def wrapper(*args: Any) -> None:
        await handler(*args)

    return wrapper


FORMS: dict[str, Any] = {
    "method": Page().method,
    "class method": Page.class_method,
    "static method": Page.static_method,
    "object": Page(),
    "partial": functools.partial(with_name, "partial"),
    "decorated": logged(functools.partial(with_name, "decorated")),
    "list": [functools.partial(with_name, "list")],
}


FORMS["partial of an object"] = functools.partial(PageOf(), "partial of an object")


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_an_async_function_is_a_handler(app: App, name: str) -> None:
    app.get("/", FORMS[name])
    assert call(app, "/").body == name.encode()


def test_await_next_returns_when_all_behind_it_is_done_and_headers_can_still_be_set(app: App) -> None:
    order: list[Any] = []

    @app.use
    async def outer(req: Any, res: Any, next: Any) -> None:
        order.append("outer")
        await next()
        order.append(("outer again", res.status_code))
        res.set("X-Outer", str(res.status_code))

    @app.use
    def plain(req: Any, res: Any, next: Any) -> None:
        order.append("plain")
        next()
        order.append("plain again")

    @app.use
    async def inner(req: Any, res: Any, next: Any) -> None:
        await asyncio.sleep(0)
        order.append("inner")
        await next()
        order.append("inner again")

    @app.get("/")
    async def last(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        order.append("last")
        res.status(201).send("x")

    response = call(app, "/")
    assert (response.status, response.headers["x-outer"]) == (201, "201")
    assert order == ["outer", "plain", "inner", "last", "inner again", "plain again", ("outer again", 201)]


def test_what_a_mount_changes_on_the_request_is_seen_behind_await_next(app: App) -> None:
    seen: list[tuple[str, str]] = []
    router = Router()

    @router.use
    async def show(req: Any, res: Any, next: Any) -> None:
        seen.append((req.url, req.base_url))
        await next()
        seen.append((req.url, req.base_url))

    router.use("/x", lambda req, res, next: seen.append((req.url, req.base_url)) or res.send("x"))
    app.use("/in", router)
    assert call(app, "/in/x").body == b"x"
    assert seen == [("/x", "/in"), ("/", "/in/x"), ("/x", "/in")]


def test_next_without_await_goes_on_when_the_handler_returns(app: App) -> None:
    order: list[str] = []

    @app.use
    async def not_waiting(req: Any, res: Any, next: Any) -> None:
        next()
        await asyncio.sleep(0)
        order.append("handler")

    @app.get("/")
    def last(req: Any, res: Any) -> None:
        order.append("behind")
        res.send("x")

    assert call(app, "/").status == 200
    assert order == ["handler", "behind"]


def test_awaiting_one_call_of_next_twice_goes_on_once(app: App) -> None:
    seen: list[str] = []

    @app.use
    async def twice(req: Any, res: Any, next: Any) -> None:
        behind = next()
        await behind
        await behind

    @app.get("/")
    def last(req: Any, res: Any) -> None:
        seen.append("last")
        res.send("x")

    assert (call(app, "/").body, seen) == (b"x", ["last"])


AWAITS: dict[str, Callable[[Any], Any]] = {
    "gather": lambda next: asyncio.gather(next(), next(), asyncio.sleep(0)),
    "wait_for": lambda next: asyncio.wait_for(next(), 10),
    "shield": lambda next: asyncio.shield(next()),
    "a task": lambda next: asyncio.ensure_future(next()),
    "to_thread": lambda next: asyncio.to_thread(next),
}


@pytest.mark.parametrize("how", AWAITS)
def test_next_can_be_awaited_in_any_way_of_asyncio(app: App, how: str) -> None:
    @app.use
    async def waits(req: Any, res: Any, next: Any) -> None:
        await AWAITS[how](next)

    app.get("/", lambda req, res: res.headers_sent or res.send("x"))
    assert call(app, "/").body == b"x"


def test_an_await_of_next_that_is_cancelled_leaves_what_is_behind_and_another_await_alone(app: App) -> None:
    go_on, order = threading.Event(), []

    @app.use
    async def has_no_time(req: Any, res: Any, next: Any) -> None:
        behind = next()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(behind, 0.01)
        order.append("timeout")
        go_on.set()
        await behind
        order.append("done")

    @app.get("/")
    def waits(req: Any, res: Any) -> None:
        assert go_on.wait(10)
        order.append("behind")
        res.send("x")

    assert call(app, "/").body == b"x"
    assert order == ["timeout", "behind", "done"]


def test_an_await_of_next_that_is_cancelled_before_it_began_goes_on_when_the_handler_returns(app: App) -> None:
    @app.use
    async def changes_its_mind(req: Any, res: Any, next: Any) -> None:
        asyncio.ensure_future(next()).cancel()

    app.get("/", lambda req, res: res.send("x"))
    assert call(app, "/").body == b"x"


def test_next_in_another_event_loop_is_an_error_and_no_hang(app: App) -> None:
    async def wait(next: Any) -> None:
        await next()

    @app.use
    async def leaves_the_loop(req: Any, res: Any, next: Any) -> None:
        await asyncio.to_thread(lambda: asyncio.run(wait(next)))

    errors: list[str] = []
    app.get("/", lambda req, res: res.send("x"))
    app.use(lambda err, req, res, next: errors.append(str(err)))
    assert call(app, "/").body == b"x"
    assert "attached to a different loop" in errors[0]


def test_next_after_the_answer_goes_on_as_from_a_plain_handler(app: App) -> None:
    seen: list[bool] = []

    @app.use
    async def answers(req: Any, res: Any, next: Any) -> None:
        res.send("x")
        await next()

    app.get("/", lambda req, res: seen.append(res.headers_sent))
    assert (call(app, "/").body, seen) == (b"x", [True])


def test_what_calls_req_next_in_an_async_handler_goes_on_to_async_ones(app: App, tmp_path: Path) -> None:
    @app.get("/folder")
    async def sends_a_folder(req: Any, res: Any) -> None:
        res.send_file(tmp_path)

    @app.get("/format")
    async def negotiates(req: Any, res: Any) -> None:
        res.format({"default": lambda req, res, next: next()})

    @app.get("/await")
    async def waits(req: Any, res: Any) -> None:
        await req.next()
        res.set("X-Behind", res.get("X-Behind") + " seen")

    async def not_waiting(req: Any, res: Any, next: Any) -> None:
        next()

    async def waiting(req: Any, res: Any, next: Any) -> None:
        await next()

    app.get("/plain", not_waiting, waiting, lambda req, res: res.send_file(tmp_path))

    @app.use
    async def last(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        res.set("X-Behind", "last").send(req.path)

    for path in ("/folder", "/format", "/await", "/plain"):
        assert call(app, path).body == path.encode()
    assert call(app, "/await").headers["x-behind"] == "last seen"


def test_calling_next_twice_reaches_the_error_handler_as_from_a_plain_handler(app: App) -> None:
    errors: list[str] = []

    async def twice(req: Any, res: Any, next: Any) -> None:
        await next()
        await next()

    app.get("/", twice, lambda req, res: res.send("x"))
    app.use(lambda err, req, res, next: errors.append(str(err)) or next(err))
    assert call(app, "/").body == b"x"
    assert len(errors) == 1
    assert errors[0].startswith("Cannot set headers after they are sent")


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), ExceptionGroup("several", [ValueError("x")]), StopIteration("x"), RecursionError("x")],
    ids=repr,
)
def test_what_an_async_handler_raises_is_an_error_for_the_error_handler(app: App, error: Exception) -> None:
    @app.get("/")
    async def fails(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        raise error

    app.set("env", "production")
    assert call(app, "/").status == 500


ENDING_MORE = [
    asyncio.CancelledError(),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    BaseExceptionGroup("x", [SystemExit(3)]),
]


@pytest.mark.parametrize("error", ENDING_MORE, ids=repr)
@pytest.mark.parametrize("is_async", [True, False])
def test_what_would_end_more_than_the_request_is_a_runtime_error_of_this_one(
    app: App, error: BaseException, is_async: bool
) -> None:
    @app.use
    async def outer(req: Any, res: Any, next: Any) -> None:
        await next()

    @app.get("/async")
    async def fails(req: Any, res: Any) -> None:
        raise error

    @app.get("/plain")
    def fails_plainly(req: Any, res: Any) -> None:
        raise error

    app.get("/next", FORMS["method"])
    catch(app)
    response = call(app, "/async" if is_async else "/plain")
    assert response.status == 500
    culprit = "fails" if is_async else "outer"
    assert re.fullmatch(
        rf"RuntimeError: .*{culprit} \(.*:\d+\) has raised {re.escape(repr(error))}", response.body.decode()
    )
    assert call(app, "/next").body == b"method"


@pytest.mark.parametrize("error", [StopIteration("x"), RecursionError("x"), GeneratorExit()], ids=repr)
def test_what_next_itself_raises_is_raised_where_it_is_awaited(app: App, error: BaseException) -> None:
    caught: list[BaseException] = []

    def fails(path: str) -> Any:
        raise error

    @app.use
    async def waits(req: Any, res: Any, next: Any) -> None:
        try:
            await next()
        except (GeneratorExit, Exception) as raised:
            caught.append(raised)
        res.send("x")

    app.get("/", FORMS["method"])
    app.stack[-1].match = fails
    assert call(app, "/").body == b"x"
    assert caught[0] is error or caught[0].__cause__ is error


def test_what_next_raises_when_its_await_was_cancelled_is_no_empty_answer(app: App) -> None:
    go_on = threading.Event()

    @app.use
    async def has_no_time(req: Any, res: Any, next: Any) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(next(), 0.01)
        go_on.set()

    @app.get("/")
    def fails(req: Any, res: Any) -> None:
        assert go_on.wait(10)
        raise SystemExit(3)

    with pytest.raises(SystemExit):  # as a plain app lets it through
        call(app, "/")


@pytest.mark.parametrize("depth", [100, 300, 2000])
def test_a_deep_chain_of_async_middleware_is_an_answer_and_never_a_hang(app: App, depth: int) -> None:
    unfinished: set[int] = set()

    def middleware(number: int) -> Callable[..., Any]:
        async def waits(req: Any, res: Any, next: Any) -> None:
            unfinished.add(number)
            try:
                await next()
            finally:
                unfinished.remove(number)

        return waits

    app.use([middleware(number) for number in range(depth)])
    app.get("/", FORMS["method"])
    assert call(app, "/").status == (200 if depth == 100 else 500)  # too deep for the stack, as for plain handlers
    wait_for(lambda: not unfinished, "the end of all handlers")


def test_endless_recursion_in_an_async_handler_is_an_error(app: App) -> None:
    @app.get("/")
    async def recurs(req: Any, res: Any) -> None:
        await recurs(req, res)

    assert call(app, "/").status == 500


def test_a_coroutine_is_cancelled_where_the_server_ends_the_thread_that_waits_for_it(app: App) -> None:
    """As gunicorn's workers do, whose signal handlers raise ``SystemExit``."""
    tidied = threading.Event()

    @app.get("/")
    async def waits(req: Any, res: Any) -> None:
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        try:
            await asyncio.sleep(1000)
        finally:
            tidied.set()

    before = signal.signal(signal.SIGUSR1, lambda *_: sys.exit(1))
    try:
        with pytest.raises(SystemExit):
            call_in_this_thread(app, "/")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert tidied.wait(10)


def test_a_plain_function_that_returns_a_coroutine_is_an_error_that_names_the_mend(app: App) -> None:
    def loses_async(handler: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(handler)(lambda *arguments: handler(*arguments))

    def goes_on(req: Any, res: Any, next: Any) -> Any:
        next()
        return FORMS["method"](req, res)

    def respond(req: Any, res: Any, next: Any, id: str) -> Any:
        return FORMS["method"](req, res)

    errors: list[str] = []
    app.get("/decorated", loses_async(Page().method))
    app.get("/lambda", lambda req, res: Page().method(req, res))
    app.get("/goes-on", goes_on, lambda req, res: res.send("x"))
    app.param("id", respond)
    app.get("/param/:id", FORMS["method"])
    app.use(lambda err, req, res, next: errors.append(str(err)) or next(err))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [call(app, path).status for path in ("/decorated", "/lambda", "/goes-on", "/param/1")] == [
            500,
            500,
            200,
            500,
        ]
        gc.collect()
    mend = r"returned a coroutine, which nobody awaits: make it async def, and await there what it returns"
    for name, error in zip(["Page.method", ".*lambda", ".*goes_on", ".*respond"], errors, strict=True):
        assert re.fullmatch(rf"{name}.* \(.*test_async_handlers.py:\d+\) {mend}", error)


def test_a_task_of_the_apps_that_raises_system_exit_ends_nothing_else(app: App) -> None:
    tasks: list[Any] = []

    @app.get("/")
    async def starts(req: Any, res: Any) -> None:
        async def exits() -> None:
            raise SystemExit(3)

        tasks.append(asyncio.create_task(exits()))
        res.send("started")

    app.get("/next", FORMS["method"])
    assert call(app, "/").body == b"started"
    assert call(app, "/next").body == b"method"
    with pytest.raises(SystemExit):
        tasks[0].result()


def test_next_from_a_task_that_outlives_the_handler_is_an_error_there(app: App) -> None:
    outcome: list[str] = []
    done = threading.Event()
    go_on: list[asyncio.Event] = []

    @app.get("/")
    async def leaves_a_task(req: Any, res: Any, next: Any) -> None:
        go_on.append(asyncio.Event())

        async def late() -> None:
            await go_on[0].wait()
            try:
                await next()
            except RuntimeError as error:
                outcome.append(str(error))
            done.set()

        req.task = asyncio.create_task(late())
        tasks.append(req.task)
        loops.append(asyncio.get_running_loop())
        res.send("x")

    tasks: list[Any] = []
    loops: list[asyncio.AbstractEventLoop] = []
    assert call(app, "/").body == b"x"
    loops[0].call_soon_threadsafe(go_on[0].set)
    assert done.wait(10)
    assert re.match(r"next\(\) was called after .*leaves_a_task .* had returned: await it before", outcome[0])


def test_a_handler_that_neither_responds_nor_goes_on_is_an_error_that_names_it(app: App) -> None:
    @app.get("/")
    async def forgets(req: Any, res: Any) -> None:
        await asyncio.sleep(0)

    catch(app)
    assert re.match(rb"RuntimeError: .*forgets \(.*:\d+\) returned, but neither responded", call(app, "/").body)


def test_an_async_handler_that_returns_its_answer_is_told_how_to_send_it(app: App) -> None:
    @app.get("/")
    async def home(req: Any, res: Any) -> str:
        return "hello"

    catch(app)
    assert re.match(rb"RuntimeError: .*home .* returned 'hello'.*res\.send\('hello'\)", call(app, "/").body)


def test_the_handler_and_what_is_behind_it_see_the_context_of_the_request(app: App) -> None:
    seen: list[str] = []
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")

    @app.use
    def plain(req: Any, res: Any, next: Any) -> None:
        variable.set("plain")
        next()

    @app.use
    async def asynchronous(req: Any, res: Any, next: Any) -> None:
        before = variable.get()
        variable.set("async")
        await next()
        seen.extend([before, variable.get()])

    @app.get("/")
    def behind(req: Any, res: Any) -> None:
        seen.append(variable.get())
        res.send("x")

    assert contextvars.copy_context().run(call, app, "/").body == b"x"
    assert seen == ["async", "plain", "async"]


def test_what_is_behind_next_sees_the_context_of_the_task_that_awaits_it(app: App) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")

    @app.use
    async def outer(req: Any, res: Any, next: Any) -> None:
        async def go_on() -> None:
            name.set("the task's")
            await next()

        name.set("the handler's")
        await asyncio.gather(go_on())

    app.get("/", lambda req, res: res.send(name.get()))
    assert call(app, "/").body == b"the task's"


def test_all_async_handlers_run_on_one_loop_and_what_is_behind_next_in_the_requests_thread(app: App) -> None:
    seen: list[Any] = []
    app.use(lambda req, res, next: seen.append(threading.current_thread()) or next())

    @app.use
    async def first(req: Any, res: Any, next: Any) -> None:
        seen.append(asyncio.get_running_loop())
        await next()

    @app.get("/plain")
    def plain(req: Any, res: Any) -> None:
        seen.append(threading.current_thread())
        res.send("x")

    @app.get("/async")
    async def asynchronous(req: Any, res: Any) -> None:
        seen.append(asyncio.get_running_loop())
        res.send("x")

    call(app, "/plain")
    call(app, "/async")
    thread, loop, *others = seen
    assert others == [thread, thread, loop, loop]


def test_a_plain_function_that_waits_for_an_async_handler_on_the_loop_is_an_error_and_no_deadlock(app: App) -> None:
    inner = express()
    inner.get("/", FORMS["method"])

    @app.get("/")
    async def dispatches_by_hand(req: Any, res: Any, next: Any) -> None:
        inner.handle(req, res, lambda error=None: req.errors.append(error))

    @app.get("/by-thread")
    async def in_a_thread(req: Any, res: Any, next: Any) -> None:
        await asyncio.to_thread(inner.handle, req, res, next)

    errors: list[Any] = []
    app.request.errors = errors
    call(app, "/")
    assert "asyncio.to_thread" in str(errors[0])


def test_200_requests_that_sleep_do_so_at_once(app: App) -> None:
    at_once, most = 0, 0

    @app.get("/")
    async def sleeps(req: Any, res: Any) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        while most < 200:
            await asyncio.sleep(0.01)
        at_once -= 1
        res.send("x")

    with ThreadPoolExecutor(200) as pool:
        responses = list(pool.map(lambda _: call_in_this_thread(app, "/"), range(200)))
    assert {response.body for response in responses} == {b"x"}
    assert most == 200


def test_a_handler_that_blocks_the_loop_is_named_in_the_log_in_development(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    @app.get("/")
    async def blocks(req: Any, res: Any) -> None:
        await asyncio.sleep(0)
        time.sleep(0.11)
        res.send("x")

    with caplog.at_level(logging.WARNING, "miniexpress"):
        app.set("env", "production")
        call(app, "/")
        assert caplog.messages == []
        app.set("env", "development")
        call(app, "/")
    assert re.search(r"blocks \(.*test_async_handlers.py:\d+\) kept the event loop for 0\.\d s", caplog.messages[0])


def test_nothing_is_reported_in_asyncios_debug_mode() -> None:
    program = """
import asyncio, logging
from wsgiref.util import setup_testing_defaults
from miniexpress import express
from tests.support.served_folder import call
from tests.support.waiting import wait_for

logging.basicConfig(level=logging.WARNING)
app = express()

@app.use
async def outer(req, res, next):
    await asyncio.sleep(0)
    await next()

@app.use
async def not_waiting(req, res, next):
    next()

@app.use
async def waiting_in_tasks(req, res, next):
    await asyncio.gather(asyncio.shield(next()), asyncio.sleep(0))

@app.use
async def has_no_time(req, res, next):
    try:
        await asyncio.wait_for(next(), 0)
    except TimeoutError:
        pass

@app.use
async def from_a_thread(req, res, next):
    await asyncio.to_thread(next)

@app.get("/")
async def last(req, res):
    await asyncio.sleep(0)
    res.send("x")

@app.get("/for-ever")
async def for_ever(req, res):
    async def chunks():
        while True:
            yield b"a"
            await asyncio.sleep(0)
    res.end(chunks())

@app.get("/error")
async def fails(req, res):
    raise ValueError

@app.use
async def catches(err, req, res, next):
    async def chunks():
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"
    res.end(chunks())

print(call(app, "/").body, call(app, "/error").body)
call(app, "/for-ever", REQUEST_METHOD="HEAD")
environ = {"REQUEST_URI": "/for-ever"}
setup_testing_defaults(environ)
body = app(environ, lambda status, headers: None)
next(iter(body))
body.close()
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("b'x' b'ab'\n", "")


def test_an_app_of_plain_handlers_loads_no_asyncio_and_starts_no_thread() -> None:
    program = """
import sys, threading
from miniexpress import express
from tests.support.served_folder import call
from tests.support.waiting import wait_for

app = express()
app.get("/", lambda req, res: res.send("x"))
print(call(app, "/").body, "asyncio" in sys.modules, threading.active_count())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "b'x' False 1\n", done.stderr


def test_the_response_is_read_by_a_client_as_ever(app: App, serve: Callable[..., str]) -> None:
    @app.post("/")
    async def echo(req: Any, res: Any) -> None:
        body = await asyncio.to_thread(req.environ["wsgi.input"].read)
        await asyncio.to_thread(res.write, b"read ")
        await asyncio.to_thread(res.end, body)

    response = requests.post(serve(app), data=b"x" * 100_000, timeout=10)
    assert response.content == b"read " + b"x" * 100_000


@pytest.mark.parametrize("in_a_group", [False, True])
def test_a_client_that_leaves_while_an_async_handler_writes_ends_it_and_no_error_handler_is_called(
    app: App, serve: Callable[..., str], in_a_group: bool
) -> None:
    ended, errors = threading.Event(), []

    async def write_for_ever(res: Any) -> None:
        while True:
            await asyncio.to_thread(res.write, b"x" * 100_000)

    @app.get("/")
    async def writes(req: Any, res: Any) -> None:
        try:
            if in_a_group:
                async with asyncio.TaskGroup() as group:
                    group.create_task(write_for_ever(res))
            else:
                await write_for_ever(res)
        finally:
            res.on("close", ended.set)

    app.use(lambda err, req, res, next: errors.append(err) or next(err))
    host, port = serve(app).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(10)
    assert ended.wait(20)
    assert errors == []


def test_a_handler_that_waits_for_nothing_but_next_runs_in_the_thread_of_its_request(app: App) -> None:
    seen: list[int] = []

    @app.use
    async def outer(req: Any, res: Any, next: Any) -> None:
        seen.append(threading.get_ident())
        await next()
        seen.append(threading.get_ident())

    @app.get("/")
    async def last(req: Any, res: Any) -> None:
        seen.append(threading.get_ident())
        await asyncio.sleep(0)
        seen.append(threading.get_ident())
        res.send("x")

    for _ in range(2):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(call_in_this_thread, app, "/").result(30).body == b"x"
            assert set(seen) == {pool.submit(threading.get_ident).result()}
        seen.clear()


def test_a_handler_ends_in_the_thread_in_which_it_has_begun(app: App) -> None:
    """As greenlets (SQLAlchemy), SQLite's connections, and ``threading.local`` need it."""
    at_once, threads = 0, []

    @app.get("/")
    async def waits(req: Any, res: Any) -> None:
        nonlocal at_once
        seen = {threading.get_ident()}
        at_once += 1
        while at_once < 20:
            await asyncio.sleep(0.01)
            seen.add(threading.get_ident())
        for _ in range(20):
            await asyncio.sleep(0.001)
            seen.add(threading.get_ident())
            await asyncio.to_thread(int)
            seen.add(threading.get_ident())
        threads.append(seen)
        res.send("x")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: call_in_this_thread(app, "/"), range(20)))
    assert [len(seen) for seen in threads] == [1] * 20
    call(app, "/")
    assert threads[-1] == {event_loop()._thread.ident}  # it is expected to wait again


def test_what_a_handler_leaves_to_the_loop_is_done_although_nobody_waits_for_it(app: App) -> None:
    ours, theirs = socket.socketpair()
    done = {name: threading.Event() for name in ("task", "timer", "callback", "reader", "generator")}

    @app.get("/")
    async def leaves(req: Any, res: Any) -> None:
        loop = asyncio.get_running_loop()

        async def task() -> None:
            await asyncio.sleep(0.01)
            done["task"].set()

        async def generator() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                done["generator"].set()

        tasks.append(asyncio.create_task(task()))
        loop.call_later(0.01, done["timer"].set)
        loop.call_soon(done["callback"].set)
        loop.add_reader(ours, lambda: (loop.remove_reader(ours), done["reader"].set()))
        await anext(generator())
        assert asyncio.current_task() is not None
        res.send("left")

    tasks: list[asyncio.Task[None]] = []
    with ours, theirs:
        assert call(app, "/").body == b"left"
        theirs.send(b"x")
        assert [name for name, event in done.items() if not event.wait(10)] == []


async def starts_a_task_and_lets_it_begin(order: list[str]) -> None:
    async def task() -> None:
        order.append("task begins")
        try:
            await asyncio.sleep(1000)
        finally:
            order.append("task ends")

    begun = asyncio.create_task(task())
    await asyncio.sleep(0)
    order.append("handler")
    begun.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await begun


async def takes_turns_with_a_task(order: list[str]) -> None:
    async def count(name: str) -> None:
        for number in range(4):
            order.append(f"{name} {number}")
            await asyncio.sleep(0)

    task = asyncio.create_task(count("task"))
    await count("handler")
    await task


async def is_woken_by_a_task(order: list[str]) -> None:
    event = asyncio.Event()

    async def task() -> None:
        event.set()
        await asyncio.sleep(0)
        order.append("task")

    begun = asyncio.create_task(task())
    await event.wait()
    order.append("handler")
    await begun


async def calls_soon(order: list[str]) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    future.add_done_callback(lambda _: order.append("done"))
    future.set_result(None)
    loop.call_soon(order.append, "soon")
    await asyncio.sleep(0)
    order.append("handler")


async def has_no_time(order: list[str]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(0)
            order.append("too late")
    order.append("handler")


@pytest.mark.parametrize(
    "program",
    [starts_a_task_and_lets_it_begin, takes_turns_with_a_task, is_woken_by_a_task, calls_soon, has_no_time],
)
def test_the_steps_of_a_handler_and_of_what_it_starts_have_the_order_of_a_plain_asyncio_program(
    app: App, program: Callable[[list[str]], Any]
) -> None:
    orders: list[list[str]] = []

    def new_handler() -> Callable[..., Any]:
        async def handler(req: Any, res: Any) -> None:
            orders.append([])
            await program(orders[-1])
            res.send("x")

        return handler

    for number in range(20):  # of handlers that have not been seen to wait
        app.get(f"/{number}", new_handler())
        assert call(app, f"/{number}").body == b"x"
    expected: list[str] = []
    asyncio.run(program(expected))
    assert orders == [expected] * 20


def test_a_task_is_begun_behind_await_next(app: App) -> None:
    begun: list[int] = []

    @app.use
    async def starts(req: Any, res: Any, next: Any) -> None:
        async def task() -> None:
            begun.append(1)

        started = asyncio.create_task(task())
        await next()
        started.cancel()

    app.get("/", lambda req, res: res.send("x"))
    for count in range(1, 20):
        assert call(app, "/").body == b"x"
        assert len(begun) == count


def test_a_handler_that_never_waits_does_not_keep_timers_and_other_handlers_from_running(app: App) -> None:
    is_time = False

    @app.get("/busy")
    async def busy(req: Any, res: Any) -> None:
        while not is_time:
            await asyncio.sleep(0)
        res.send("busy")

    @app.get("/")
    async def ends_it(req: Any, res: Any) -> None:
        nonlocal is_time
        await asyncio.sleep(0.01)
        is_time = True
        res.send("ended")

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(call_in_this_thread, app, path) for path in ("/busy", "/")]
        assert [answer.result(30).body for answer in answers] == [b"busy", b"ended"]


def test_a_request_in_a_thread_with_a_loop_of_its_own_is_an_answer(app: App) -> None:
    app.get("/", FORMS["method"])

    async def main() -> bytes:
        body = call_in_this_thread(app, "/").body
        await asyncio.sleep(0)
        return body

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, main()).result(30) == b"method"


@pytest.mark.usefixtures("whole_machine")
def test_200_requests_that_sleep_for_200_ms_take_under_a_second(app: App, serve: Callable[..., str]) -> None:
    @app.get("/")
    async def sleeps(req: Any, res: Any) -> None:
        await asyncio.sleep(0.2)
        res.send("slept")

    host, port = serve(app).removeprefix("http://").split(":")
    with contextlib.ExitStack() as opened:
        connections = [
            opened.enter_context(socket.create_connection((host, int(port)), timeout=10)) for _ in range(200)
        ]
        begun = time.monotonic()
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert all(connection.recv(1000).startswith(b"HTTP/1.1 200") for connection in connections)
        assert time.monotonic() - begun < 1


@pytest.mark.usefixtures("whole_machine")
def test_an_async_handler_that_awaits_nothing_costs_less_than_150_us_more_than_a_plain_one() -> None:
    asynchronous, plain = async_cost.measure(5)
    assert median(ours - theirs for ours, theirs in zip(asynchronous, plain, strict=True)) < 150e-6
