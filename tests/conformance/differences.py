"""The pairs to which miniexpress answers otherwise than Express, on purpose. Each is on the README's list."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """``because`` begins the line of the README's list that says so; ``status`` and ``body`` are our own answer."""

    because: str
    status: str
    body: bytes


DIFFERENCES = {
    "bodies_json-bodies-numbers that JavaScript writes otherwise": Difference(
        "JSON keeps Python's numbers", "HTTP/1.1 200 OK", b'{"body":{"a":0,"b":1.0,"c":1000.0},"defined":true}'
    ),
    "response_send-json-GET /numbers-otherwise": Difference(
        "JSON keeps Python's numbers", "HTTP/1.1 200 OK", b"[1e-07,1.0,100.0,-0.0,1e+20]"
    ),
    "views-render-GET /absolute": Difference(
        "A view is looked for in `views` only",
        "HTTP/1.1 500 Internal Server Error",
        b'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        b"<body>\n<pre>Internal Server Error</pre>\n</body>\n</html>\n",
    ),
}
