"""Express's names in JavaScript's spelling are refused, with the name that is meant."""

from __future__ import annotations

import pydoc
import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import App, Request, Response, Router, express, helmet, multer
from miniexpress.usage.camel_case import CamelCaseName

ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}


def things() -> dict[str, Any]:
    app = express()
    req = app.request(ENVIRON, app)
    req.res = app.response(req, print)
    return {"req": req, "res": req.res, "app": app, "router": Router()}


NAMES = [
    ("res", "statusCode", "status_code"),
    ("res", "statusMessage", "status_message"),
    ("res", "headersSent", "headers_sent"),
    ("res", "sendStatus", "send_status"),
    ("res", "sendFile", "send_file"),
    ("res", "clearCookie", "clear_cookie"),
    ("res", "setHeader", "set_header"),
    ("res", "writeHead", "write_head"),
    ("res", "appendHeader", "append"),
    ("req", "originalUrl", "original_url"),
    ("req", "baseUrl", "base_url"),
    ("req", "signedCookies", "signed_cookies"),
    ("req", "acceptsLanguages", "accepts_languages"),
    ("req", "sessionID", "session_id"),
    ("req", "sessionStore", "session_store"),
    ("app", "mountPath", "mountpath"),
    ("app", "mergeParams", "merge_params"),
    ("router", "mergeParams", "merge_params"),
]


@pytest.mark.parametrize(("owner", "name", "meant"), NAMES)
def test_a_camel_case_name_is_refused_where_it_is_read_set_or_deleted(owner: str, name: str, meant: str) -> None:
    thing = things()[owner]
    for attempt in (lambda: getattr(thing, name), lambda: setattr(thing, name, 1), lambda: delattr(thing, name)):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}': did you mean '{meant}'") as raised:
            attempt()
        told = "".join(traceback.format_exception_only(raised.value))
        assert told.lower().count("did you mean") == 1
    assert meant in dir(thing) or meant == "merge_params"


@pytest.mark.parametrize("kind", [Request, Response, App, Router])
def test_all_names_with_an_underscore_have_one_and_nothing_lists_it(kind: Any) -> None:
    members = [name for name in dir(kind) if "_" in name and not name.startswith("_")]
    assert members or kind in (App, Router)
    for name in members:
        assert name == "is_" or not hasattr(kind, re.sub("_(.)", lambda found: found[1].upper(), name))
    refused = {name for base in kind.__mro__ for name, each in vars(base).items() if isinstance(each, CamelCaseName)}
    assert refused
    assert not refused & set(dir(kind))
    shown = pydoc.render_doc(kind, renderer=pydoc.plaintext)
    assert not {name for name in refused if re.search(rf"(?m)^ \|  {name}\b", shown)}
    assert kind is not Request or callable(kind.is_)


def test_an_instance_lists_none_of_them() -> None:
    for thing in things().values():
        assert not [name for name in dir(thing) if isinstance(vars(type(thing)).get(name), CamelCaseName)]
        assert "statusCode" not in dir(thing)


def test_attributes_of_ones_own_are_free() -> None:
    for thing in things().values():
        thing.user = {"name": "Ada"}
        thing.startTime = 5
        del thing.user
        assert thing.startTime == 5
        assert not hasattr(thing, "user")


def test_a_class_may_have_a_member_of_such_a_name() -> None:
    app = express()
    app.response.sendStatus = lambda self, status: status + 1
    assert app.response(app.request(ENVIRON, app), print).sendStatus(404) == 405


def test_a_handler_that_sets_a_status_in_camel_case_is_told(serve: Callable[..., str]) -> None:
    app = express()

    @app.get("/")
    def index(req, res):
        res.statusCode = 404
        res.send("not found")

    answer = requests.get(serve(app))
    assert answer.status_code == 500
    assert "did you mean &#39;status_code&#39;?" in answer.text


@pytest.mark.parametrize(
    ("owner", "name", "meant"),
    [
        ("req", "form", "body"),
        ("req", "args", "query"),
        ("req", "json", "body"),
        ("req", "acceptsEncoding", "accepts_encodings"),
        ("req", "remote_addr", "ip"),
        ("res", "set_cookie", "cookie"),
        ("res", "headers", "set"),
        ("app", "run", "listen"),
        ("app", "register_blueprint", "use"),
        ("app", "include_router", "use"),
    ],
)
def test_a_name_of_another_framework_is_told_the_one_here_and_may_be_set(owner: str, name: str, meant: str) -> None:
    thing = things()[owner]
    assert not hasattr(thing, name)
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': did you mean '{meant}'\\?"):
        getattr(thing, name)
    setattr(thing, name, "of one's own")
    assert getattr(thing, name) == "of one's own"


def test_a_header_field_read_as_an_attribute_is_told_how_it_is_read() -> None:
    with pytest.raises(AttributeError, match=r"req.headers\['host'\] or req.get\('host'\)"):
        _ = things()["req"].headers.host


@pytest.mark.parametrize(
    ("owner", "name", "meant"),
    [(helmet, "noSniff", "no_sniff"), (multer, "memoryStorage", "memory_storage"), (multer, "diskStorage", "disk_st")],
)
def test_what_helmet_and_multer_have_is_told_in_snake_case(owner: Any, name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': did you mean '{meant}"):
        getattr(owner, name)
