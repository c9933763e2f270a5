"""An unknown option raises a TypeError that suggests a known one."""

from __future__ import annotations

import pydoc
from typing import Any

import pytest

from miniexpress import (
    MemoryStore,
    Router,
    compression,
    express,
    helmet,
    json,
    morgan,
    raw,
    session,
    static,
    text,
    urlencoded,
)
from miniexpress.jinja import jinja2_engine
from miniexpress.keyword_options import suggests_keywords, suggests_keywords_of
from miniexpress.sessions.mongodb import MongoDBStore


@suggests_keywords
def parser(first: int = 0, *, limit: int = 1, parameter_limit: int = 2) -> tuple[Any, ...]:
    """What it is for."""
    return first, limit, parameter_limit


def test_known_options_arrive() -> None:
    assert parser(5, limit=6) == (5, 6, 2)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("limits", "limit"), ("Limit", "limit"), ("parameterLimit", "parameter_limit")],
)
def test_an_unknown_option_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=rf"parser\(\) has no option '{name}': did you mean '{meant}'\?"):
        parser(**{name: 1})


def test_an_option_like_none_of_them_is_refused_with_all_of_them() -> None:
    with pytest.raises(TypeError, match="no option 'colour': it has first, limit, parameter_limit"):
        parser(colour="red")  # type: ignore[call-arg]


def test_an_object_that_is_called_is_named_as_its_class_in_lower_case() -> None:
    with pytest.raises(TypeError, match=r"^morgan\(\) has no option 'strem': did you mean 'stream'\?"):
        morgan("tiny", strem=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^compression\(\) has no option 'memLevel': did you mean 'mem_level'\?"):
        compression(memLevel=1)  # type: ignore[call-arg]


def test_a_class_is_named_by_its_name() -> None:
    class Store:
        @suggests_keywords
        def __init__(self, *, uri: str) -> None: ...

    with pytest.raises(TypeError, match=r"Store\(\) has no option 'url': did you mean 'uri'"):
        Store(url="x")  # type: ignore[call-arg]


def test_the_function_keeps_its_name_and_its_docstring() -> None:
    assert (parser.__name__, parser.__doc__) == ("parser", "What it is for.")


def test_help_shows_no_address_in_memory_as_a_default() -> None:
    assert " at 0x" not in pydoc.render_doc(helmet)


@pytest.mark.parametrize("make", [json, urlencoded, text, raw])
def test_the_body_parsers_tell_the_option_that_was_meant(make: Any) -> None:
    with pytest.raises(TypeError, match=rf"{make.__name__}\(\) has no option 'limt': did you mean 'limit'\?"):
        make(limt="1mb")


def test_a_camel_case_option_of_express_is_led_to_its_name_here() -> None:
    with pytest.raises(TypeError, match="did you mean 'parameter_limit'"):
        urlencoded(parameterLimit=5)  # type: ignore[call-arg]


def test_a_dict_of_options_as_express_takes_it_is_refused_with_the_keyword() -> None:
    with pytest.raises(TypeError, match=r"parser\(\) takes options as keywords, parameter_limit=…, not as \{"):
        parser(0, {"parameterLimit": 5})  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"parser\(\) takes options as keywords, first=…, not as \{\}"):
        parser(0, {})  # type: ignore[call-arg]


def test_an_argument_that_is_not_optional_is_no_unknown_option() -> None:
    @suggests_keywords
    def cookie(name: str, *, path: str = "/") -> str:
        return name + path

    assert cookie(name="a") == "a/"
    with pytest.raises(TypeError, match="NoneType"):
        cookie(name=None)  # type: ignore[arg-type]


def test_options_that_are_passed_on_are_those_of_the_other_function() -> None:
    @suggests_keywords_of(parser, "res.parse")
    def passes_on(first: int, **options: Any) -> tuple[Any, ...]:
        return parser(first, **options)

    assert passes_on(5, limit=6) == (5, 6, 2)
    with pytest.raises(TypeError, match=r"^res.parse\(\) has no option 'parameterLimit': did you mean"):
        passes_on(5, parameterLimit=6)


_APP = express()
_REQ: Any = _APP.request({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, _APP)
RES: Any = _APP.response(_REQ, print)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RES.cookie("a", "b", maxAge=3), "res.cookie() has no option 'maxAge': did you mean 'max_age'?"),
        (lambda: RES.cookie("a", "b", {"maxAge": 3}), "res.cookie() takes options as keywords, max_age=…, not as {"),
        (lambda: RES.clear_cookie("a", httpOnly=1), "res.clear_cookie() has no option 'httpOnly': did you mean 'http_"),
        (lambda: RES.clear_cookie("a", {"path": "/"}), "res.clear_cookie() takes options as keywords, path=…, not as"),
        (
            lambda: RES.send_file("/x", lastModified=1),
            "res.send_file() has no option 'lastModified': did you mean 'las",
        ),
        (lambda: RES.send_file("x", {"root": "/"}), "res.send_file() takes options as keywords, root=…, not as {"),
        (
            lambda: RES.download("/x", acceptRanges=1),
            "res.download() has no option 'acceptRanges': did you mean 'accep",
        ),
        (lambda: RES.download("x", "y", {"root": "/"}), "res.download() takes options as keywords, root=…, not as {"),
        (lambda: static("public", maxAge=3), "static() has no option 'maxAge': did you mean 'max_age'?"),
        (lambda: static("public", {"maxAge": 3}), "static() takes options as keywords, max_age=…, not as {"),  # type: ignore[call-arg]
        (lambda: json({"limit": "1mb"}), "json() takes options as keywords, limit=…, not as {"),  # type: ignore[call-arg]
        (lambda: session({"secret": "x"}), "session() takes options as keywords, secret=…, not as {"),  # type: ignore[call-arg]
        (lambda: Router(mergeParams=True), "Router() has no option 'mergeParams': did you mean 'merge_params'?"),
        (lambda: Router({"mergeParams": True}), "Router() takes options as keywords, merge_params=…, not as {"),  # type: ignore[call-arg]
        (lambda: express().listen(3000, debug=True), "app.listen() has no option 'debug': it has host, callback, rel"),
        (
            lambda: express().listen(0, requestTimeout=5),
            "app.listen() has no option 'requestTimeout': did you mean 're",
        ),
        (lambda: MongoDBStore(databaseName="x"), "MongoDBStore() has no option 'databaseName': did you mean 'database"),
        (lambda: MongoDBStore({"uri": "x"}), "MongoDBStore() takes options as keywords, uri=…, not as {"),
        (lambda: MongoDBStore("mongodb://x"), "MongoDBStore() takes options as keywords, uri=…, not as 'mongodb://x'"),
        (lambda: RES.download("x", {"root": "/"}), "res.download() takes options as keywords, root=…, not as {"),
        (lambda: RES.download("/x", "y", print), "res.download() takes no callback: it returns when all is done, or"),
        (lambda: RES.send_file("/x", lambda error: None), "res.send_file() takes no callback: it returns when all is"),
        (lambda: session("secret"), "session() takes options as keywords, secret=…, not as 'secret'"),  # type: ignore[call-arg]
        (lambda: compression(_APP), "compression() takes options as keywords, enforce_encoding=…, not as <"),  # type: ignore[call-arg]
        (lambda: static("/files", "public"), "static() takes options as keywords, accept_ranges=…, not as 'public'"),  # type: ignore[call-arg]
        (lambda: MemoryStore(checkPeriod=5), "MemoryStore() has no option 'checkPeriod': it has none"),
        (lambda: MemoryStore({"checkPeriod": 5}), "MemoryStore() takes no options, and not {'checkPeriod': 5}"),
        (lambda: express(debug=True), "express() takes no arguments, not debug: app.set(name, value) changes"),  # type: ignore[arg-type]
        (
            lambda: jinja2_engine("views", {"autoescape": True}),  # type: ignore[arg-type]
            "jinja2_engine() takes options as keywords, environment=…, not as {",
        ),
        (lambda: jinja2_engine("views", env=None), "jinja2_engine() has no option 'env': "),  # type: ignore[call-arg]
    ],
)
def test_a_wrong_option_is_refused_in_words_that_name_the_right_one(call: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        call()
    assert str(raised.value).startswith(message)
