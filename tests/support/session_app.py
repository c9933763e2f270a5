"""An app whose paths read and change the session: ``/set?key=a&value=1``. It is run as a script or by a WSGI server.

``tests/reference/sessions.js`` is the same app in Express.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from miniexpress import express, session
from miniexpress.sessions.mongodb import MongoDBStore

OPTIONS = {
    "maxAge": 3_600_000,
    "rolling": False,
    "expiresKey": "expires",
    "expiresAfterSeconds": 0,
    **json.loads(os.environ.get("OPTIONS", "{}")),
}

store = MongoDBStore(
    uri=os.environ["MONGODB_URI"],
    expires_key=OPTIONS["expiresKey"],
    expires_after_seconds=OPTIONS["expiresAfterSeconds"],
    stringify=os.environ.get("STORE") == "connect-mongo",
)

app = express()
app.use(session(
    secret="keyboard cat",
    resave=False,
    save_uninitialized=False,
    rolling=OPTIONS["rolling"],
    store=store,
    cookie={"max_age": OPTIONS["maxAge"], "same_site": "lax", "priority": "high"},
))  # fmt: skip


@app.get("/read")
def read(req: Any, res: Any) -> None:
    res.json({key: value for key, value in req.session.items() if key != "cookie"})


@app.get("/set")
def set_key(req: Any, res: Any) -> None:
    req.session[req.query.key] = json.loads(req.query.value)
    res.json(os.getpid())


@app.get("/slow")
def set_key_late(req: Any, res: Any) -> None:
    time.sleep(0.3)
    set_key(req, res)


@app.get("/date")
def set_date(req: Any, res: Any) -> None:
    req.session[req.query.key] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(req.query.value))
    res.end()


@app.get("/delete")
def delete_key(req: Any, res: Any) -> None:
    req.session.pop(req.query.key, None)
    res.end()


@app.get("/login")
def login(req: Any, res: Any) -> None:
    req.session.regenerate()
    req.session.user = {"name": req.query.user, "roles": ["reader", {"deep": None}]}
    res.end()


@app.get("/logout")
def logout(req: Any, res: Any) -> None:
    req.session.destroy()
    res.end()


@app.get("/all")
def count(req: Any, res: Any) -> None:
    res.json(len(store.all()))


@app.get("/cookie")
def show_cookie(req: Any, res: Any) -> None:
    cookie = req.session.cookie
    res.json([
        cookie.original_max_age, cookie.http_only, cookie.path, cookie.domain, cookie.secure, cookie.same_site,
        cookie.partitioned, cookie.priority, 3_500_000 < cookie.max_age <= 3_600_000,
    ])  # fmt: skip


if __name__ == "__main__":
    app.listen(os.environ["PORT"])
