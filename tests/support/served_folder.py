"""A folder of files to serve, and requests for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

from miniexpress import express

SECRET = b"not for you"
DIGITS = b"0123456789"
MODIFIED = 1704164645  # 2024-01-02 03:04:05 GMT
THEN = "Tue, 02 Jan 2024 03:04:05 GMT"
BEFORE = "Mon, 01 Jan 2024 03:04:05 GMT"
AFTER = "Wed, 03 Jan 2024 03:04:05 GMT"
ETAG = 'W/"a-18cc820d888"'


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def make_root(folder: Path) -> Path:
    """Make a folder of files below ``folder``, and a secret file beside it."""
    (folder / "secret.txt").write_bytes(SECRET)
    root = folder / "public"
    (root / "docs").mkdir(parents=True)
    (root / "digits.txt").write_bytes(DIGITS)
    (root / "docs" / "index.html").write_bytes(b"<p>docs")
    (root / "docs" / "page.html").write_bytes(b"<p>page")
    (root / ".hidden").write_bytes(b"hidden")
    os.utime(root / "digits.txt", (MODIFIED, MODIFIED))
    return root


def ask(url: str, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Response:
    """Request ``target``, which is sent as it stands."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, target, headers=dict(headers or {}))
        response = connection.getresponse()
        return Response(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def call(app: Any, target: str, **variables: str) -> Response:
    """Call the app as a WSGI server does, with ``variables`` in its environment."""
    environ: dict[str, Any] = {"REQUEST_URI": target, "PATH_INFO": target, "SCRIPT_NAME": "", **variables}
    setup_testing_defaults(environ)
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    body = app(environ, lambda status, headers, exc_info=None: heads.append((status, headers)))
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return Response(int(heads[0][0][:3]), {name.lower(): value for name, value in heads[0][1]}, content)


def app_with(*middleware: Any) -> Any:
    app = express()
    app.use(*middleware)
    return app


def sending(path: Any, **options: Any) -> Any:
    return app_with(lambda req, res: res.send_file(path, **options))
