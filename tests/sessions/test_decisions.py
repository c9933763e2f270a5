"""The calls of the store and the cookie that is set, for every combination of the options that decide it.

Recorded from the npm package express-session 1.19.0 on Express 5.3.0; `recorded/decisions.json` says how.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.browser import Browser, Handler, PlainStore, UpdatingStore, app_with_session, connected, signed

RECORDED: dict[str, list[str]] = json.loads((Path(__file__).parent / "recorded" / "decisions.json").read_text())[
    "visits"
]
COOKIES = {"new": None, "known": f"connect.sid={signed('known')}", "gone": f"connect.sid={signed('gone')}"}
NAMES = ("max_age", "resave", "save_uninitialized", "rolling", "unset")
COMBINATIONS = list(itertools.product((None, 60_000), (False, True), (False, True), (False, True), ("keep", "destroy")))


def described(values: tuple[Any, ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in zip(NAMES, values, strict=True))


@pytest.mark.parametrize("store_type", [PlainStore, UpdatingStore])
@pytest.mark.parametrize("number", range(32), ids=[described(values) for values in COMBINATIONS])
def test_every_visit_does_to_the_store_and_the_cookie_what_express_session_does(
    serve: Callable[..., str], number: int, store_type: type[PlainStore]
) -> None:
    options = dict(zip(NAMES, COMBINATIONS[number], strict=True))
    max_age = options.pop("max_age")
    store = store_type()
    made = itertools.count(1)
    app = app_with_session(store=store, cookie={"max_age": max_age}, genid=lambda req: f"made{next(made)}", **options)
    for name, handler in HANDLERS.items():
        app.get(f"/{quote(name)}", handler)
    url = serve(app)
    connection = connected(url)

    seen = {}
    for visit in RECORDED:
        cookie_name, _, handler_name = visit.partition(": ")
        store.kept.clear()
        store.kept.set("known", known_session(max_age))
        store.calls.clear()
        made = itertools.count(1)
        answer = Browser(url, COOKIES[cookie_name], connection).get(f"/{quote(handler_name)}")
        assert answer.status == (500 if handler_name == "change, error" else 200), visit
        cookies = [
            f"cookie {match[1]}" + (" expires" if "; Expires=" in line else "")
            for line in answer.set_cookie
            if (match := re.match(r"connect\.sid=s%3A([^.]*)\.", line))
        ]
        seen[visit] = ", ".join([*store.calls, *cookies])
    connection.close()

    expected = expected_of(number)
    # A new max age is kept by an update, as a touch leaves another request's alone.
    for visit in ("known: set max age", "known: no max age"):
        if max_age is not None or visit.endswith("set max age"):
            expected[visit] = expected[visit].replace("touch known", "set known")
    assert {v: s for v, s in seen.items() if s != expected[v]} == {v: s for v, s in expected.items() if s != seen[v]}


def expected_of(number: int) -> dict[str, str]:
    """Return what express-session does with this combination, but for the two places where this package does better."""
    expected = {visit: row[1 + int(row[0][number])] for visit, row in RECORDED.items()}
    for visit, outcome in expected.items():
        cookie_name, _, handler_name = visit.partition(": ")
        if handler_name == "regenerate, save":  # upstream saves what has just been saved once more
            expected[visit] = re.sub(r"(set made\d), \1", r"\1", outcome)
        if handler_name.startswith("write, "):  # upstream lets the head leave before it has saved anything
            saved = re.search(r"set \w+", expected[f"{cookie_name}: read"])
            calls = [call for call in outcome.split(", ") if call]
            calls[calls[:1] == [f"get {cookie_name}"] : 0] = [saved[0]] if saved else []
            expected[visit] = ", ".join(calls)
    return expected


def known_session(max_age: int | None) -> dict[str, Any]:
    expires = None if max_age is None else datetime.now(UTC) + timedelta(milliseconds=max_age)
    cookie = {"originalMaxAge": max_age, "expires": expires, "httpOnly": True, "path": "/"}
    return {"cookie": cookie, "user": {"tags": []}, "views": 1}


def sequence(*steps: Handler) -> Handler:
    def handler(req: Any, res: Any) -> None:
        for step in steps:
            step(req, res)
        res.end()

    return handler


def views(req: Any, res: Any) -> None:
    req.session.views = (req.session.views or 0) + 1


def change(req: Any, res: Any) -> None:
    req.session.a = (req.session.a or 0) + 1


def same(req: Any, res: Any) -> None:
    if "views" in req.session:
        req.session.views = int(req.session.views)


def deep(req: Any, res: Any) -> None:
    if req.session.user:
        req.session.user.tags.append(1)
    else:
        req.session.user = {"tags": [1]}


def remove(req: Any, res: Any) -> None:
    del req.session.views


def unset(req: Any, res: Any) -> None:
    req.session = None


def delete(req: Any, res: Any) -> None:
    del req.session


def destroy(req: Any, res: Any) -> None:
    req.session.destroy()


def regenerate(req: Any, res: Any) -> None:
    req.session.regenerate()


def destroy_and_regenerate(req: Any, res: Any) -> None:
    session = req.session
    session.destroy()
    session.regenerate()


def save(req: Any, res: Any) -> None:
    req.session.save()


def touch(req: Any, res: Any) -> None:
    req.session.touch()


def reset_max_age(req: Any, res: Any) -> None:
    req.session.reset_max_age()


def set_max_age(req: Any, res: Any) -> None:
    req.session.cookie.max_age = 120_000


def no_max_age(req: Any, res: Any) -> None:
    req.session.cookie.max_age = None


def reload(req: Any, res: Any) -> None:
    try:
        req.session.reload()
    except LookupError:
        assert req.session.id != "known"


def write(req: Any, res: Any) -> None:
    res.write("x")


def fail(req: Any, res: Any) -> None:
    raise RuntimeError("x")


HANDLERS: dict[str, Handler] = {
    "read": sequence(),
    "change": sequence(views),
    "same": sequence(same),
    "deep": sequence(deep),
    "remove": sequence(remove),
    "unset": sequence(unset),
    "delete": sequence(delete),
    "destroy": sequence(destroy),
    "regenerate": sequence(regenerate),
    "regenerate, change": sequence(regenerate, change),
    "change, regenerate": sequence(change, regenerate),
    "destroy, regenerate": sequence(destroy_and_regenerate),
    "save": sequence(save),
    "change, save": sequence(change, save),
    "save, change": sequence(save, change),
    "change, save, change": sequence(change, save, change),
    "regenerate, save": sequence(regenerate, save),
    "touch": sequence(touch),
    "reset max age": sequence(reset_max_age),
    "set max age": sequence(set_max_age),
    "no max age": sequence(no_max_age),
    "change, set max age": sequence(change, set_max_age),
    "reload": sequence(reload),
    "change, reload": sequence(change, reload),
    "reload, change": sequence(reload, change),
    "save, reload": sequence(save, reload),
    "change, save, reload": sequence(change, save, reload),
    "save, reload, change": sequence(save, reload, change),
    "write": sequence(write),
    "write, change": sequence(write, change),
    "change, write": sequence(change, write),
    "write, unset": sequence(write, unset),
    "write, destroy": sequence(write, destroy),
    "write, regenerate": sequence(write, regenerate),
    "change, error": sequence(change, fail),
}
