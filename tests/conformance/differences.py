"""The pairs to which miniexpress answers otherwise than Express, on purpose. Each is on the README's list."""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """``because`` begins the line of the README's list that says so; ``answer`` is our own, as text."""

    because: str
    answer: str


_REFUSED = """
HTTP/1.1 500 Internal Server Error
Content-Length: 148
Content-Security-Policy: default-src 'none'
Content-Type: text/html; charset=utf-8
X-Content-Type-Options: nosniff
X-Powered-By: Express

<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Internal Server Error</pre>
</body>
</html>
"""

DIFFERENCES = {
    "bodies_json-bodies-numbers that JavaScript writes otherwise": Difference(
        "JSON keeps Python's numbers",
        """
HTTP/1.1 200 OK
Content-Length: 50
Content-Type: application/json; charset=utf-8
ETag: W/"32-EAh4bpWdyneoevnA5yplxZeqqsQ"
X-Powered-By: Express

{"body":{"a":0,"b":1.0,"c":1000.0},"defined":true}
""",
    ),
    "differences-headers of the request-GET /query": Difference(
        "A query parser of one's own",
        """
HTTP/1.1 200 OK
Content-Length: 12
Content-Type: application/json; charset=utf-8
ETag: W/"c-ooEB4X+Sa07bmOkvjFsmkoBEw7I"
X-Powered-By: Express

{"query":""}
""",
    ),
    "differences-headers of the answer-GET /null": Difference(
        "`None` is no header value",
        _REFUSED,
    ),
    "differences-headers of the answer-GET /unknown-type": Difference(
        "A Content-Type that is unknown is refused",
        _REFUSED,
    ),
    "differences-headers of the answer-GET /latin": Difference(
        "Header values are Latin-1",
        """
HTTP/1.1 200 OK
Content-Length: 4
X-Latin: café
X-Powered-By: Express

text
""",
    ),
    "differences-headers of the answer-GET /no-content": Difference(
        "A 204 never has a Content-Length",
        """
HTTP/1.1 204 No Content
Content-Type: text/plain; charset=utf-8
Location: /
Vary: Accept
X-Powered-By: Express
""",
    ),
    "differences-headers of the answer-GET /unknown-status": Difference(
        "An unknown status has no phrase",
        """
HTTP/1.1 299 unknown
Content-Length: 18
Content-Type: text/plain; charset=utf-8
Location: /
Vary: Accept
X-Powered-By: Express

. Redirecting to /
""",
    ),
    "differences-headers of the answer-GET /rare-extension": Difference(
        "File extensions that hardly anybody serves",
        """
HTTP/1.1 200 OK
Content-Length: 0
Content-Type: application/octet-stream
X-Powered-By: Express
""",
    ),
    "differences-headers of the request-GET /underscore X_Y=1": Difference(
        "A header name with an underscore",
        """
HTTP/1.1 200 OK
Content-Length: 6
Content-Type: application/json; charset=utf-8
ETag: W/"6-1E2iJRDeml63J1thpL7r1NDNa10"
X-Powered-By: Express

[null]
""",
    ),
    "differences-headers of the request-a long Accept": Difference(
        "A path with parameters matches no more than 16,384 characters, and an Accept header",
        """
HTTP/1.1 200 OK
Content-Length: 7
Content-Type: application/json; charset=utf-8
ETag: W/"7-kA52Rl/wcw34xa7tFrD8Idzaixs"
X-Powered-By: Express

[false]
""",
    ),
    "differences-headers of the request-GET /date If-Modified-Since=2024-01-03": Difference(
        "A date in a form that HTTP does not have",
        """
HTTP/1.1 200 OK
Content-Length: 1
Content-Type: text/html; charset=utf-8
ETag: W/"1-EfatjsUqKYSrqv18O1FlA3hcIHI"
Last-Modified: Tue, 02 Jan 2024 03:04:05 GMT
X-Powered-By: Express

x
""",
    ),
    "differences-names that are numbers-GET /?b=x&2=y&1=z": Difference(
        "Keys keep the order in which they came",
        """
HTTP/1.1 200 OK
Content-Length: 25
Content-Type: application/json; charset=utf-8
ETag: W/"19-YurT7ISv02ygJuPS9DjM3qL3qsc"
X-Powered-By: Express

{"b":"x","2":"y","1":"z"}
""",
    ),
    "differences-bodies-nested 20,000 deep": Difference(
        "JSON may be nested as deep as Python's recursion",
        """
HTTP/1.1 400 Bad Request
Content-Length: 138
Content-Security-Policy: default-src 'none'
Content-Type: text/html; charset=utf-8
X-Content-Type-Options: nosniff
X-Powered-By: Express

<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Bad Request</pre>
</body>
</html>
""",
    ),
    "differences-bodies-brotli": Difference(
        "Bodies may be compressed with gzip or deflate",
        """
HTTP/1.1 415 Unsupported Media Type
Content-Length: 149
Content-Security-Policy: default-src 'none'
Content-Type: text/html; charset=utf-8
X-Content-Type-Options: nosniff
X-Powered-By: Express

<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Unsupported Media Type</pre>
</body>
</html>
""",
    ),
    "differences-bodies-half a character": Difference(
        "Text is decoded by Python's codecs",
        """
HTTP/1.1 200 OK
Content-Length: 8
Content-Type: application/json; charset=utf-8
ETag: W/"8-ZfwL1YoDS/+3ueLk6ocTwof5IaI"
X-Powered-By: Express

["a�"]
""",
    ),
    "differences-what Node's parser makes of a request-a second Host": Difference(
        "The server refuses with 400 what Node reads in one of two ways",
        """
HTTP/1.1 400 Bad Request
""",
    ),
    "differences-what Node's parser makes of a request-a fragment": Difference(
        "The server refuses with 400 what Node reads in one of two ways",
        """
HTTP/1.1 400 Bad Request
""",
    ),
    "differences-what Node's parser makes of a request-two blanks": Difference(
        "The server refuses with 400 what Node reads in one of two ways",
        """
HTTP/1.1 400 Bad Request
""",
    ),
    "differences-what Node's parser makes of a request-GET *": Difference(
        "The server refuses with 400 what Node reads in one of two ways",
        "HTTP/1.1 400 Bad Request",
    ),
    "differences-the page of an error in development-GET /object": Difference(
        "In development the page of an error",
        """
HTTP/1.1 404 Not Found
Content-Length: 150
Content-Security-Policy: default-src 'none'
Content-Type: text/html; charset=utf-8
X-Content-Type-Options: nosniff
X-Powered-By: Express

<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>{&#39;status&#39;: 404}</pre>
</body>
</html>
""",
    ),
    "differences-what Node's parser makes of a request-BREW /pot": Difference(
        "Any method that is a token in capital letters is served",
        """
HTTP/1.1 200 OK
Content-Length: 22
Content-Type: text/html; charset=utf-8
ETag: W/"16-VAYUjHV/hle5Pp6opX8Goyxk9U4"
X-Powered-By: Express

BREW /pot test.example
""",
    ),
    "response_send-json-GET /numbers-otherwise": Difference(
        "JSON keeps Python's numbers",
        """
HTTP/1.1 200 OK
Content-Length: 28
Content-Type: application/json; charset=utf-8
ETag: W/"1c-yIOFncwZx6XBjz6/LPxLQTqzT1U"
X-Powered-By: Express

[1e-07,1.0,100.0,-0.0,1e+20]
""",
    ),
    "views-render-GET /absolute": Difference(
        "A view is looked for in `views` only",
        _REFUSED,
    ),
}
