"""The requests to which miniexpress responds otherwise than Express, on purpose: README.md here lists them all."""

from __future__ import annotations

from typing import NamedTuple

from miniexpress.development.error_page import HEAD, SECURITY_POLICY


class Difference(NamedTuple):
    """``because`` begins the line of README.md's list that says so; ``answer`` is our own, as text."""

    because: str
    answer: str


def _answer(
    body: str, content_type: str = "application/json; charset=utf-8", status: str = "200 OK", **more: str
) -> str:
    """An answer with ``body``; ``more`` are further header fields, ``X_Latin`` for ``X-Latin``."""
    fields = {name.replace("_", "-"): value for name, value in more.items()}
    fields |= {"Content-Length": str(len(body.encode())), "Content-Type": content_type, "X-Powered-By": "Express"}
    head = "".join(f"{name}: {value}\n" for name, value in sorted(fields.items()) if value)
    return f"HTTP/1.1 {status}\n{head}\n{body}"


def _page(status: str, text: str = "") -> str:
    """The page of an error, which has the status's phrase for a text, or ``text``."""
    return _html(status, text or status.partition(" ")[2], "<title>Error</title>\n", "default-src 'none'")


def _page_in_development(status: str, text: str) -> str:
    """The page of an error, with the style that it has in development."""
    return _html(status, text, f"<title>{status}</title>\n{HEAD}", SECURITY_POLICY)


def _html(status: str, text: str, head: str, security_policy: str) -> str:
    return _answer(
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{head}</head>\n'
        f"<body>\n<pre>{text}</pre>\n</body>\n</html>\n",
        "text/html; charset=utf-8",
        status,
        Content_Security_Policy=security_policy,
        X_Content_Type_Options="nosniff",
    )


def _preflight(**more: str) -> str:
    """The response of ``cors()`` to a preflight request, with ``more`` header fields."""
    fields = {
        "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
        "Access-Control-Allow-Origin": "*",
        "Vary": "Access-Control-Request-Headers",
        "X-Powered-By": "Express",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return "HTTP/1.1 204 No Content\n" + "".join(f"{name}: {value}\n" for name, value in sorted(fields.items()))


def _compressed(body: str, content_type: str = "text/plain; charset=utf-8", **more: str) -> str:
    """A compressed answer, whose framing is not compared."""
    length = f"Content-Length: {len(body)}\n"
    return (
        _answer(body, content_type, Vary="Accept-Encoding", **more)
        .replace(length, "")
        .replace("\n", "\n(framing)\n", 1)
    )


_COMPRESSION = "middleware_compression"
_HELLO = {
    "Cache_Control": "public, max-age=0",
    "ETag": 'W/"d-18cc820d888"',
    "Last_Modified": "Tue, 02 Jan 2024 03:04:05 GMT",
}


def _without_body(answer: str) -> str:
    return answer.partition("\n\n")[0] + "\n"


_HELPERS = "differences-what the helpers of a response take"
_NODE_S_PARSER = "differences-what Node's parser makes of a request"
_SHOWN = "errors-in development the page shows the error, but not for what has a page of its own"
_DEVELOPMENT = "In development a 404 and the page of an error have a style"
_REFUSED_BY_THE_SERVER = Difference(
    "The server refuses with 400 what could be read in two ways", "HTTP/1.1 400 Bad Request"
)

DIFFERENCES = {
    "bodies_json-bodies-numbers that JavaScript writes otherwise": Difference(
        "JSON keeps Python's numbers",
        _answer(
            '{"body":{"a":0,"b":1.0,"c":1000.0},"defined":true}',
            ETag='W/"32-EAh4bpWdyneoevnA5yplxZeqqsQ"',
        ),
    ),
    "response_send-json-GET /numbers-otherwise": Difference(
        "JSON keeps Python's numbers",
        _answer("[1e-07,1.0,100.0,-0.0,1e+20]", ETag='W/"1c-yIOFncwZx6XBjz6/LPxLQTqzT1U"'),
    ),
    f"{_COMPRESSION}-Brotli-GET /small Accept-Encoding=br, gzip": Difference(
        "Bodies may be compressed with gzip or deflate",
        _compressed("small", Content_Encoding="gzip", ETag='W/"5-ifYimhGsTrqlU8Gj6pbXj6dINzU"'),
    ),
    f"{_COMPRESSION}-Brotli-GET /small Accept-Encoding=br": Difference(
        "Bodies may be compressed with gzip or deflate",
        _compressed("small", ETag='W/"5-ifYimhGsTrqlU8Gj6pbXj6dINzU"'),
    ),
    f"{_COMPRESSION}-Brotli-GET /small Accept-Encoding=*": Difference(
        "Bodies may be compressed with gzip or deflate",
        _compressed("small", Content_Encoding="gzip", ETag='W/"5-ifYimhGsTrqlU8Gj6pbXj6dINzU"'),
    ),
    f"{_COMPRESSION}-no threshold-GET /no-content Accept-Encoding=gzip, deflate": Difference(
        "`compression` leaves a 204, a 205 and a part of a file",
        "HTTP/1.1 204 No Content\n"
        "Content-Type: text/plain; charset=utf-8\nVary: Accept-Encoding\nX-Powered-By: Express\n",
    ),
    f"{_COMPRESSION}-no threshold-GET /ranges/hello.txt Accept-Encoding=gzip, deflate": Difference(
        "`compression` leaves a 204, a 205 and a part of a file",
        _compressed("Hello, world\n", Content_Encoding="gzip", **_HELLO),
    ),
    f"{_COMPRESSION}-no threshold-GET /ranges/hello.txt Accept-Encoding=gzip Range=bytes=0-3": Difference(
        "`compression` leaves a 204, a 205 and a part of a file",
        _compressed(
            "Hell", status="206 Partial Content", Accept_Ranges="bytes", Content_Range="bytes 0-3/13", **_HELLO
        ),
    ),
    f"{_COMPRESSION}-strong ETags of an app-GET / Accept-Encoding=gzip, deflate": Difference(
        "`compression` leaves a 204, a 205 and a part of a file",
        _compressed(
            "text", "text/html; charset=utf-8", Content_Encoding="gzip", ETag='W/"4-Ny6gjKsz5xwCxlHbyDpHTTLGduo"'
        ),
    ),
    "middleware_morgan-several loggers and what the handlers do-GET /ended": Difference(
        "`morgan` logs a response's status even if the client had left",
        _answer(
            "GET /ended 200 6 - #.### ms\n", "text/plain; charset=utf-8", ETag='W/"1c-TZDYsQwCZQOgBhHCC9aF7nJUFTE"'
        ),
    ),
    "differences-headers of the request-GET /query": Difference(
        "A query parser of one's own",
        _answer('{"query":""}', ETag='W/"c-ooEB4X+Sa07bmOkvjFsmkoBEw7I"'),
    ),
    "differences-headers of the answer-GET /null": Difference(
        "`None` is no header value",
        _page("500 Internal Server Error"),
    ),
    "differences-headers of the answer-GET /unknown-type": Difference(
        "A Content-Type that is unknown is refused",
        _page("500 Internal Server Error"),
    ),
    "differences-headers of the answer-GET /latin": Difference(
        "Header values are Latin-1",
        _answer("text", "", X_Latin="café"),
    ),
    "differences-headers of the answer-GET /no-content": Difference(
        "A 204 never has a Content-Length",
        "HTTP/1.1 204 No Content\n"
        "Content-Type: text/plain; charset=utf-8\nLocation: /\nVary: Accept\nX-Powered-By: Express\n",
    ),
    "middleware_cookie_parser-a name that JavaScript's objects have-proto": Difference(
        "A cookie may be called `__proto__`", _answer('{"__proto__":"x"}', ETag='W/"11-LpUrpAq0XKFWNzTlD0xgcADaCiM"')
    ),
    "middleware_cors-defaults-no preflight request": Difference("A 204 never has a Content-Length", _preflight()),
    "middleware_cors-defaults-preflight / from http://a.example for None": Difference(
        "A 204 never has a Content-Length", _preflight()
    ),
    "middleware_cors-defaults-preflight / from http://a.example for X-One, X-Two": Difference(
        "A 204 never has a Content-Length", _preflight(Access_Control_Allow_Headers="X-One, X-Two")
    ),
    "differences-headers of the answer-GET /unknown-status": Difference(
        "An unknown status has no phrase",
        _answer(". Redirecting to /", "text/plain; charset=utf-8", "299 unknown", Location="/", Vary="Accept"),
    ),
    "differences-headers of the answer-GET /rare-extension": Difference(
        "File extensions that hardly anybody serves",
        _answer("", "application/octet-stream"),
    ),
    f"{_HELPERS}-GET /links": Difference(
        "Half of a surrogate pair in the name of a download",
        _answer("", "", Link='</2>; rel="next"'),
    ),
    f"{_HELPERS}-GET /half": Difference(
        "Half of a surrogate pair in the name of a download",
        _answer(
            "",
            "text/plain; charset=utf-8",
            Content_Disposition="attachment; filename=\"?.txt\"; filename*=UTF-8''%3F.txt",
        ),
    ),
    f"{_HELPERS}-GET /max-age": Difference(
        "`res.location` and `res.type` take a str only", _page("500 Internal Server Error")
    ),
    f"{_HELPERS}-GET /location": Difference(
        "`res.location` and `res.type` take a str only", _page("500 Internal Server Error")
    ),
    f"{_HELPERS}-GET /bytes": Difference("Bytes, sets, functions", _page("500 Internal Server Error")),
    "differences-headers of the request-GET /underscore X_Y=1": Difference(
        "A header name with an underscore",
        _answer("[null]", ETag='W/"6-1E2iJRDeml63J1thpL7r1NDNa10"'),
    ),
    "differences-headers of the request-a long Accept": Difference(
        "A path with parameters matches no more than 16,384 characters, and an Accept header",
        _answer("[false]", ETag='W/"7-kA52Rl/wcw34xa7tFrD8Idzaixs"'),
    ),
    "differences-headers of the request-GET /date If-Modified-Since=2024-01-03": Difference(
        "A date in a form that HTTP does not have",
        _answer(
            "x",
            "text/html; charset=utf-8",
            ETag='W/"1-EfatjsUqKYSrqv18O1FlA3hcIHI"',
            Last_Modified="Tue, 02 Jan 2024 03:04:05 GMT",
        ),
    ),
    "differences-options of a view that are named as settings-GET /": Difference(
        "The settings `views` and `view cache` alone",
        _answer("null", "text/html; charset=utf-8", ETag='W/"4-K+iMpCQsduglOsYkdIUQZQMtaDM"'),
    ),
    "differences-options of a view that are named as settings-moved": Difference(
        "The settings `views` and `view cache` alone", _page("500 Internal Server Error")
    ),
    "differences-names that are numbers-GET /?b=x&2=y&1=z": Difference(
        "Keys keep the order in which they came",
        _answer('{"b":"x","2":"y","1":"z"}', ETag='W/"19-YurT7ISv02ygJuPS9DjM3qL3qsc"'),
    ),
    "differences-bodies-nested 20,000 deep": Difference(
        "JSON may be nested as deep as Python's recursion",
        _page("400 Bad Request"),
    ),
    "differences-bodies-brotli": Difference(
        "Bodies may be compressed with gzip or deflate",
        _page("415 Unsupported Media Type"),
    ),
    "differences-limits of a body that are none-GET /": Difference(
        "A body parser's `limit` below zero",
        _answer(
            '["TypeError","TypeError","TypeError","TypeError",true,"TypeError","TypeError","TypeError"]',
            ETag='W/"5a-XbfCUfdss6Hj3bHcjbtEbNW8pLs"',
        ),
    ),
    "differences-bodies-half a character": Difference(
        "Text is decoded by Python's codecs",
        _answer('["a\ufffd"]', ETag='W/"8-ZfwL1YoDS/+3ueLk6ocTwof5IaI"'),
    ),
    f"{_NODE_S_PARSER}-a second Host": _REFUSED_BY_THE_SERVER,
    f"{_NODE_S_PARSER}-a fragment": _REFUSED_BY_THE_SERVER,
    f"{_NODE_S_PARSER}-two blanks": _REFUSED_BY_THE_SERVER,
    f"{_NODE_S_PARSER}-GET *": _REFUSED_BY_THE_SERVER,
    f"{_NODE_S_PARSER}-BREW /pot": Difference(
        "Any method that is a token in capital letters is served",
        _answer(
            "BREW /pot test.example",
            "text/html; charset=utf-8",
            ETag='W/"16-VAYUjHV/hle5Pp6opX8Goyxk9U4"',
        ),
    ),
    "differences-the page of an error in development-GET /object": Difference(
        "In development the page of an error",
        _page_in_development("404 Not Found", "{&#39;status&#39;: 404}"),
    ),
    "routing-nothing matches, in development-GET /nope": Difference(
        _DEVELOPMENT,
        _page_in_development("404 Not Found", "Cannot GET /nope"),
    ),
    "routing-nothing matches, in development-POST /there": Difference(
        _DEVELOPMENT,
        _page_in_development("404 Not Found", "Cannot POST /there"),
    ),
    "routing-nothing matches, in development-HEAD /nope": Difference(
        _DEVELOPMENT,
        _without_body(_page_in_development("404 Not Found", "Cannot HEAD /nope")),
    ),
    f"{_SHOWN}-GET /string": Difference(
        _DEVELOPMENT,
        _page_in_development("500 Internal Server Error", "a &lt;string&gt; &nbsp;with<br> a line"),
    ),
    f"{_SHOWN}-GET /nope": Difference(
        _DEVELOPMENT,
        _page_in_development("404 Not Found", "Cannot GET /nope"),
    ),
    f"{_SHOWN}-OPTIONS /nope": Difference(
        _DEVELOPMENT,
        _page_in_development("404 Not Found", "Cannot OPTIONS /nope"),
    ),
    "views-render-GET /absolute": Difference(
        "A view is looked for in `views` only",
        _page("500 Internal Server Error"),
    ),
    "differences-sessions-GET /bad-path": Difference(
        "A session's cookie that cannot be set",
        _page("500 Internal Server Error"),
    ),
    "differences-sessions-GET /bad-domain": Difference(
        "A session's cookie that cannot be set",
        _page("500 Internal Server Error"),
    ),
    "differences-sessions-after unset": Difference(
        "A session is saved before the headers are sent",
        _answer('["a"]', ETag='W/"5-azjUIDbazc8IG40dDuDJe0B8VsY"'),
    ),
    "differences-sessions-a key that is a method's name": Difference(
        "A stored key that is also a method's name",
        _answer('["save","a"]', ETag='W/"c-BDSZHAnXzp3i3Tp62mpPeTy3Duk"'),
    ),
}
