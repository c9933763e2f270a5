"""RFC 9110 and 9112 over raw sockets: what the server reads, and what it refuses.

What can be read two ways is refused, its connection is closed, and nothing behind it is read as a request.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from miniexpress.server import Server
from tests.support.wire import CHUNKED, GET, LAST, POST, echo, seen, statuses, talk

pytestmark = pytest.mark.language

HOST = b"GET / HTTP/1.1\r\nHost: "
FIELDS = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED_FIELD = b"Transfer-Encoding: chunked\r\n"
NO_CHUNK = b"\r\n\r\n0\r\n\r\n"
ONE_CHUNK = b"\r\nhello\r\n0\r\n\r\n"

# What it is, what it gets, what is sent. A number is the status of a refusal; a dict is what the app sees of it.
CASES: dict[str, list[tuple[str, int | dict[str, str], bytes]]] = {
    "request line": [
        ("an empty line ahead", {"REQUEST_URI": "/"}, b"\r\n" + GET),
        ("two empty lines ahead", {"REQUEST_URI": "/"}, b"\r\n\r\n" + GET),
        ("LF ahead", 400, b"\n" + GET),
        ("a blank ahead", 400, b" " + GET),
        ("a NUL ahead", 400, b"\0" + GET),
        ("a byte order mark ahead", 400, b"\xef\xbb\xbf" + GET),
        ("a method of one's own", {"REQUEST_METHOD": "X-PURGE"}, b"X-PURGE / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a method in lower case", 400, b"get / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a method in mixed case", 400, b"Get / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a method that is no token", 400, b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a method with a NUL", 400, b"GE\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("no method", 400, b"/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("two blanks before the target", 400, b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("two blanks before the version", 400, b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a tab before the target", 400, b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a tab before the version", 400, b"GET /\tHTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a vertical tab before the version", 400, b"GET /\x0bHTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a blank at the end", 400, b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
        ("a tab at the end", 400, b"GET / HTTP/1.1\t\r\nHost: x\r\n\r\n"),
        ("a word too many", 400, b"GET / HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a line too long", 414, b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a method too long", 414, b"G" * 17000 + b" / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("the start of TLS", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ],
    "version": [
        ("none, as HTTP/0.9 has it", 400, b"GET /\r\n"),
        ("none, and a header", 400, b"GET /\r\nHost: x\r\n\r\n"),
        ("0.9", 400, b"GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
        ("1.2", 400, b"GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
        ("2.0", 400, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
        ("3.0", 400, b"GET / HTTP/3.0\r\nHost: x\r\n\r\n"),
        ("01.1", 400, b"GET / HTTP/01.1\r\nHost: x\r\n\r\n"),
        ("1.01", 400, b"GET / HTTP/1.01\r\nHost: x\r\n\r\n"),
        ("1.10", 400, b"GET / HTTP/1.10\r\nHost: x\r\n\r\n"),
        ("1.1x", 400, b"GET / HTTP/1.1x\r\nHost: x\r\n\r\n"),
        ("1.", 400, b"GET / HTTP/1.\r\nHost: x\r\n\r\n"),
        ("1", 400, b"GET / HTTP/1\r\nHost: x\r\n\r\n"),
        ("11", 400, b"GET / HTTP/11\r\nHost: x\r\n\r\n"),
        ("1,1", 400, b"GET / HTTP/1,1\r\nHost: x\r\n\r\n"),
        ("+1.1", 400, b"GET / HTTP/+1.1\r\nHost: x\r\n\r\n"),
        ("a blank in it", 400, b"GET / HTTP/ 1.1\r\nHost: x\r\n\r\n"),
        ("a blank before its slash", 400, b"GET / HTTP /1.1\r\nHost: x\r\n\r\n"),
        ("lower case", 400, b"GET / http/1.1\r\nHost: x\r\n\r\n"),
        ("another protocol", 400, b"GET / ICE/1.1\r\nHost: x\r\n\r\n"),
        ("HTTPS", 400, b"GET / HTTPS/1.1\r\nHost: x\r\n\r\n"),
        ("the preface of HTTP/2", 400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("1.0, kept", {"SERVER_PROTOCOL": "HTTP/1.0"}, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        (
            "1.0 with a length",
            {"body": "hi"},
            b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
        ),
    ],
    "target": [
        (
            "a path and a query",
            {"PATH_INFO": "//a", "QUERY_STRING": "b=c?d&%20"},
            GET.replace(b"/ ", b"//a?b=c?d&%20 "),
        ),
        ("percents", {"PATH_INFO": "/\xc3\xa9/", "REQUEST_URI": "/%C3%A9%2f"}, GET.replace(b"/ ", b"/%C3%A9%2f ")),
        ("a percent that is none", {"PATH_INFO": "/%zz%"}, GET.replace(b"/ ", b"/%zz% ")),
        ("what URLs should not hold", {"REQUEST_URI": '/"<>\\^`{|}'}, GET.replace(b"/ ", b'/"<>\\^`{|} ')),
        ("no slash", 400, b"GET foo HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a query without path", 400, b"GET ?a=b HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a fragment", 400, b"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a blank in it", 400, b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a tab in it", 400, b"GET /\tx HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a NUL", 400, b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a DEL", 400, b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a bare CR", 400, b"GET /\ra HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a byte above 127", 400, b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("UTF-8", 400, b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n"),
        (
            "absolute",
            {"REQUEST_URI": "http://h:8/p?q", "PATH_INFO": "/p", "QUERY_STRING": "q", "HTTP_HOST": "h:8"},
            b"GET http://h:8/p?q HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        ("absolute, without path", {"HTTP_HOST": "h", "PATH_INFO": ""}, b"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("absolute, in capitals", {"HTTP_HOST": "H", "PATH_INFO": "/"}, b"GET HTTP://H/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("absolute, without Host", 400, b"GET http://x/ HTTP/1.1\r\n\r\n"),
        ("absolute, with a malformed Host", 400, b"GET http://x/ HTTP/1.1\r\nHost: x y\r\n\r\n"),
        ("absolute, with a user", 400, b"GET http://u@x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, with a port that is none", 400, b"GET http://x:y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, of no host", 400, b"GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, of a port alone", 400, b"GET http://:80/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, with one slash", 400, b"GET http:/x HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, with a fragment", 400, b"GET http://x/#a HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("absolute, with a scheme that is not ours", 400, b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("an authority", 400, b"GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("CONNECT", 400, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("CONNECT with a path", 400, b"CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("an asterisk", {"REQUEST_URI": "*", "PATH_INFO": ""}, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("an asterisk, but for OPTIONS", 400, b"GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("an asterisk and more", 400, b"OPTIONS *a HTTP/1.1\r\nHost: x\r\n\r\n"),
    ],
    "ends of lines": [
        ("LF after the request line", 400, b"GET / HTTP/1.1\nHost: x\r\n\r\n"),
        ("LF after a header", 400, b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
        ("LF for the empty line", 400, FIELDS + b"\n"),
        ("LF everywhere", 400, b"GET / HTTP/1.1\nHost: x\n\n"),
        ("CR after the request line", 400, b"GET / HTTP/1.1\rHost: x\r\n\r\n"),
        ("CR after a header", 400, b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"),
        ("CR for the empty line", 400, FIELDS + b"\r\r\n\r\n"),
        ("CR everywhere", 400, b"GET / HTTP/1.1\rHost: x\r\r"),
        ("CR CR LF", 400, b"GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"),
        ("LF CR", 400, b"GET / HTTP/1.1\n\rHost: x\n\r\n\r"),
    ],
    "header": [
        ("blanks around a value", {"HTTP_A": "b\tc", "HTTP_B": ""}, FIELDS + b"A: \t b\tc \t\r\nB:\r\n\r\n"),
        ("a byte above 127 in a value", {"HTTP_A": "\xff"}, FIELDS + b"A: \xff\r\n\r\n"),
        ("a colon in a value", {"HTTP_A": ":b:"}, FIELDS + b"A::b:\r\n\r\n"),
        ("every sign of a token in a name", {"HTTP_!#$%&'*+.^`|~": "b"}, FIELDS + b"!#$%&'*+.^`|~: b\r\n\r\n"),
        ("folded", 400, FIELDS + b"A: a\r\n b\r\n\r\n"),
        ("folded with a tab", 400, FIELDS + b"A: a\r\n\tb\r\n\r\n"),
        ("folded, the first", 400, b"GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
        ("folded, Host", 400, b"GET / HTTP/1.1\r\nHost:\r\n x\r\n\r\n"),
        ("a line of blanks", 400, FIELDS + b"A: b\r\n \r\nC: d\r\n\r\n"),
        ("a blank before the colon", 400, FIELDS + b"A : b\r\n\r\n"),
        ("a tab before the colon", 400, FIELDS + b"A\t: b\r\n\r\n"),
        ("a blank before a colon in Host", 400, b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("no colon", 400, FIELDS + b"Accept\r\n\r\n"),
        ("no name", 400, FIELDS + b": b\r\n\r\n"),
        ("a blank in a name", 400, FIELDS + b"A B: c\r\n\r\n"),
        ("a parenthesis in a name", 400, FIELDS + b"A(b: c\r\n\r\n"),
        ("a quote in a name", 400, FIELDS + b'"A": c\r\n\r\n'),
        ("a slash in a name", 400, FIELDS + b"A/b: c\r\n\r\n"),
        ("a byte above 127 in a name", 400, FIELDS + b"A\xff: b\r\n\r\n"),
        ("a NUL in a name", 400, FIELDS + b"A\0: b\r\n\r\n"),
        ("a bare CR in a name", 400, FIELDS + b"A\rB: c\r\n\r\n"),
        ("a NUL in a value", 400, FIELDS + b"A: b\0c\r\n\r\n"),
        ("a NUL for a value", 400, FIELDS + b"A: \0\r\n\r\n"),
        ("a control character in a value", 400, FIELDS + b"A: b\x01c\r\n\r\n"),
        ("a vertical tab in a value", 400, FIELDS + b"A: b\x0bc\r\n\r\n"),
        ("an ESC in a value", 400, FIELDS + b"A: b\x1bc\r\n\r\n"),
        ("a DEL in a value", 400, FIELDS + b"A: b\x7fc\r\n\r\n"),
        ("a bare LF in a value", 400, FIELDS + b"A: b\nc: d\r\n\r\n"),
        ("as many as allowed", {"HTTP_A": ", " * 1998}, FIELDS + b"A:\r\n" * 1999 + b"\r\n"),
        ("one too many", 431, FIELDS + b"A:\r\n" * 2000 + b"\r\n"),
        ("a value too long", 431, FIELDS + b"A: " + b"a" * 17000 + b"\r\n\r\n"),
        ("a name too long", 431, FIELDS + b"A" * 17000 + b": b\r\n\r\n"),
        ("all together too long", 431, FIELDS + (b"A: " + b"b" * 1000 + b"\r\n") * 17 + b"\r\n"),
    ],
    "Host": [
        ("empty", {"HTTP_HOST": ""}, HOST + b"\r\n\r\n"),
        ("a name and a port", {"HTTP_HOST": "a-b.example:80"}, HOST + b"a-b.example:80\r\n\r\n"),
        ("IPv6", {"HTTP_HOST": "[::1]:80"}, HOST + b"[::1]:80\r\n\r\n"),
        ("none", 400, b"GET / HTTP/1.1\r\n\r\n"),
        ("none, but one like it", 400, b"GET / HTTP/1.1\r\nX-Host: x\r\n\r\n"),
        ("two", 400, HOST + b"x\r\nHost: y\r\n\r\n"),
        ("the same twice", 400, HOST + b"x\r\nhost: x\r\n\r\n"),
        ("two in HTTP/1.0", 400, b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"),
        ("a list", 400, HOST + b"x,y\r\n\r\n"),
        ("a blank in it", 400, HOST + b"x y\r\n\r\n"),
        ("a tab in it", 400, HOST + b"x\ty\r\n\r\n"),
        ("a path", 400, HOST + b"x/y\r\n\r\n"),
        ("a query", 400, HOST + b"x?y\r\n\r\n"),
        ("a fragment", 400, HOST + b"x#y\r\n\r\n"),
        ("a backslash", 400, HOST + b"x\\y\r\n\r\n"),
        ("a quote", 400, HOST + b'"x"\r\n\r\n'),
        ("a user", 400, HOST + b"u@x\r\n\r\n"),
        ("a scheme", 400, HOST + b"http://x\r\n\r\n"),
        ("a port that is none", 400, HOST + b"x:y\r\n\r\n"),
        ("a negative port", 400, HOST + b"x:-1\r\n\r\n"),
        ("two ports", 400, HOST + b"x:80:80\r\n\r\n"),
        ("IPv6 without brackets", 400, HOST + b"::1\r\n\r\n"),
        ("IPv6 without its end", 400, HOST + b"[::1\r\n\r\n"),
        ("IPv6 and more", 400, HOST + b"[::1]x\r\n\r\n"),
        ("a byte above 127", 400, HOST + b"\xe9\r\n\r\n"),
        ("malformed in HTTP/1.0", 400, b"GET / HTTP/1.0\r\nHost: x y\r\n\r\n"),
    ],
    "Content-Length": [
        ("zero", {"body": ""}, POST + b"Content-Length: 0\r\n\r\n"),
        ("leading zeros", {"body": "hello"}, POST + b"Content-Length: 0005\r\n\r\nhello"),
        ("with a GET", {"body": "hello"}, FIELDS + b"Content-Length: 5\r\n\r\nhello"),
        (
            "a body like a request",
            {"body": "GET / HTTP/1.1\r\n\r\n"},
            POST + b"Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ),
        ("an empty line behind the body", {"body": "hi"}, POST + b"Content-Length: 2\r\n\r\nhi\r\n"),
        ("plus", 400, POST + b"Content-Length: +5\r\n\r\nhello"),
        ("minus", 400, POST + b"Content-Length: -1\r\n\r\nhello"),
        ("minus zero", 400, POST + b"Content-Length: -0\r\n\r\n"),
        ("hexadecimal", 400, POST + b"Content-Length: 0x5\r\n\r\nhello"),
        ("empty", 400, POST + b"Content-Length: \r\n\r\n"),
        ("a letter", 400, POST + b"Content-Length: 5a\r\n\r\nhello"),
        ("an underscore", 400, POST + b"Content-Length: 0_5\r\n\r\nhello"),
        ("a point", 400, POST + b"Content-Length: 5.0\r\n\r\nhello"),
        ("an exponent", 400, POST + b"Content-Length: 5e0\r\n\r\nhello"),
        ("a quote", 400, POST + b'Content-Length: "5"\r\n\r\nhello'),
        ("a semicolon", 400, POST + b"Content-Length: 5;a\r\n\r\nhello"),
        ("a blank in it", 400, POST + b"Content-Length: 0 5\r\n\r\nhello"),
        ("a tab in it", 400, POST + b"Content-Length: 0\t5\r\n\r\nhello"),
        ("a superscript", 400, POST + b"Content-Length: \xb2\r\n\r\nhello"),
        ("a full-width digit", 400, POST + b"Content-Length: \xef\xbc\x95\r\n\r\nhello"),
        ("a NUL", 400, POST + b"Content-Length: 5\0\r\n\r\nhello"),
        ("a vertical tab", 400, POST + b"Content-Length: \x0b5\r\n\r\nhello"),
        ("a list", 400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
        ("a list of two", 400, POST + b"Content-Length: 5,6\r\n\r\nhello"),
        ("a list with nothing", 400, POST + b"Content-Length: 5,\r\n\r\nhello"),
        ("the same twice", 400, POST + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello"),
        ("two", 400, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        ("two, the first empty", 400, POST + b"Content-Length:\r\nContent-Length: 5\r\n\r\nhello"),
        ("beyond 2**64", 400, POST + b"Content-Length: 18446744073709551621\r\n\r\nhello"),
        ("beyond all", 400, POST + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\nhello"),
        ("folded", 400, POST + b"Content-Length:\r\n 5\r\n\r\nhello"),
        ("a blank before the colon", 400, POST + b"Content-Length : 5\r\n\r\nhello"),
        ("wrong in a GET", 400, FIELDS + b"Content-Length: x\r\n\r\n"),
        ("wrong in HTTP/1.0", 400, b"POST / HTTP/1.0\r\nContent-Length: +5\r\n\r\nhello"),
    ],
    "Transfer-Encoding": [
        ("in capitals", {"body": "hello"}, POST + b"Transfer-Encoding: CHUNKED\r\n\r\n5" + ONE_CHUNK),
        ("tabs around it", {"body": "hello"}, POST + b"Transfer-Encoding:\tchunked\t\r\n\r\n5" + ONE_CHUNK),
        ("with a GET", {"body": "hello"}, FIELDS + CHUNKED_FIELD + b"\r\n5" + ONE_CHUNK),
        ("after a length", 400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + NO_CHUNK),
        ("before a length", 400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + NO_CHUNK),
        ("beside a length of zero", 400, POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked" + NO_CHUNK),
        ("identity beside a length", 400, POST + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello"),
        ("unknown beside a length", 400, POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello"),
        ("in HTTP/1.0", 400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked" + NO_CHUNK),
        (
            "in HTTP/1.0, kept",
            400,
            b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked" + NO_CHUNK,
        ),
        ("gzip", 400, POST + b"Transfer-Encoding: gzip" + NO_CHUNK),
        ("gzip, then chunked", 501, POST + b"Transfer-Encoding: gzip, chunked" + NO_CHUNK),
        ("gzip, then chunked, in two lines", 400, POST + b"Transfer-Encoding: gzip\r\n" + CHUNKED_FIELD + NO_CHUNK[2:]),
        ("chunked, then gzip", 400, POST + b"Transfer-Encoding: chunked, gzip" + NO_CHUNK),
        ("chunked, then identity", 400, POST + b"Transfer-Encoding: chunked, identity" + NO_CHUNK),
        ("identity, then chunked", 501, POST + b"Transfer-Encoding: identity, chunked" + NO_CHUNK),
        ("identity", 400, POST + b"Transfer-Encoding: identity\r\n\r\n"),
        ("chunked, then chunked", 400, POST + b"Transfer-Encoding: chunked, chunked" + NO_CHUNK),
        ("chunked in two lines", 400, POST + CHUNKED_FIELD + CHUNKED_FIELD + NO_CHUNK[2:]),
        ("chunked and an unknown in two lines", 400, POST + CHUNKED_FIELD + b"transfer-encoding: x" + NO_CHUNK),
        ("xchunked", 400, POST + b"Transfer-Encoding: xchunked" + NO_CHUNK),
        ("chunkedx", 400, POST + b"Transfer-Encoding: chunkedx" + NO_CHUNK),
        ("chunk", 400, POST + b"Transfer-Encoding: chunk" + NO_CHUNK),
        ("a blank in it", 400, POST + b"Transfer-Encoding: chun ked" + NO_CHUNK),
        ("two words", 400, POST + b"Transfer-Encoding: x chunked" + NO_CHUNK),
        ("a comma ahead", 400, POST + b"Transfer-Encoding: ,chunked" + NO_CHUNK),
        ("a comma behind", 400, POST + b"Transfer-Encoding: chunked," + NO_CHUNK),
        ("empty", 400, POST + b"Transfer-Encoding:" + NO_CHUNK),
        ("a vertical tab ahead", 400, POST + b"Transfer-Encoding: \x0bchunked" + NO_CHUNK),
        ("a vertical tab behind", 400, POST + b"Transfer-Encoding: chunked\x0b" + NO_CHUNK),
        ("a form feed", 400, POST + b"Transfer-Encoding: \x0cchunked" + NO_CHUNK),
        ("a NUL", 400, POST + b"Transfer-Encoding: chunked\0" + NO_CHUNK),
        ("a no-break space", 400, POST + b"Transfer-Encoding: \xa0chunked" + NO_CHUNK),
        ("in quotes", 400, POST + b'Transfer-Encoding: "chunked"' + NO_CHUNK),
        ("a parameter", 400, POST + b"Transfer-Encoding: chunked;a=b" + NO_CHUNK),
        ("folded", 400, POST + b"Transfer-Encoding:\r\n chunked" + NO_CHUNK),
        ("a blank before the colon", 400, POST + b"Transfer-Encoding : chunked" + NO_CHUNK),
        ("a NUL in the name", 400, POST + b"Transfer\0Encoding: chunked" + NO_CHUNK),
        ("a bare CR before the name", 400, POST + b"A: b\rTransfer-Encoding: chunked" + NO_CHUNK),
    ],
    "chunk": [
        ("none", {"body": ""}, CHUNKED + b"0\r\n\r\n"),
        ("two", {"body": "hello, and more"}, CHUNKED + b"5\r\nhello\r\nA\r\n, and more\r\n0\r\n\r\n"),
        (
            "sizes in both cases",
            {"body": "x" * 26 + "y" * 27},
            CHUNKED + b"1a\r\n" + b"x" * 26 + b"\r\n1B\r\n" + b"y" * 27 + b"\r\n0\r\n\r\n",
        ),
        ("leading zeros", {"body": "hello"}, CHUNKED + b"005\r\nhello\r\n000\r\n\r\n"),
        ("data like the end", {"body": "0\r\n\r\n"}, CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
        ("extensions", {"body": "hello"}, CHUNKED + b'5;a;b=c;d="e;\\"f"' + ONE_CHUNK),
        ("an extension of the last one", {"body": "hello"}, CHUNKED + b"5\r\nhello\r\n0;a=b\r\n\r\n"),
        ("0x", 400, CHUNKED + b"0x5" + ONE_CHUNK),
        ("plus", 400, CHUNKED + b"+5" + ONE_CHUNK),
        ("minus", 400, CHUNKED + b"-5" + ONE_CHUNK),
        ("minus zero", 400, CHUNKED + b"5\r\nhello\r\n-0\r\n\r\n"),
        ("an underscore", 400, CHUNKED + b"0_5" + ONE_CHUNK),
        ("no size", 400, CHUNKED + ONE_CHUNK),
        ("an extension for a size", 400, CHUNKED + b";a=b" + ONE_CHUNK),
        ("a blank before a size", 400, CHUNKED + b" 5" + ONE_CHUNK),
        ("a blank after a size", 400, CHUNKED + b"5 " + ONE_CHUNK),
        ("a tab after a size", 400, CHUNKED + b"5\t" + ONE_CHUNK),
        ("two sizes", 400, CHUNKED + b"5 5" + ONE_CHUNK),
        ("no number", 400, CHUNKED + b"g" + ONE_CHUNK),
        ("a number and a letter", 400, CHUNKED + b"5h" + ONE_CHUNK),
        ("a point", 400, CHUNKED + b"5.0" + ONE_CHUNK),
        ("a NUL", 400, CHUNKED + b"5\0" + ONE_CHUNK),
        ("a superscript", 400, CHUNKED + b"\xb2" + ONE_CHUNK),
        ("2**64 + 5", 400, CHUNKED + b"10000000000000005" + ONE_CHUNK),
        ("2**64 - 1", 400, CHUNKED + b"ffffffffffffffff" + ONE_CHUNK),
        ("beyond all", 400, CHUNKED + b"f" * 4000 + ONE_CHUNK),
        ("a semicolon alone", 400, CHUNKED + b"5;" + ONE_CHUNK),
        ("an extension without name", 400, CHUNKED + b"5;=b" + ONE_CHUNK),
        ("an extension with an open quote", 400, CHUNKED + b'5;a="b' + ONE_CHUNK),
        ("a colon for the semicolon", 400, CHUNKED + b"5:a" + ONE_CHUNK),
        ("LF in an extension", 400, CHUNKED + b"5;a\nb" + ONE_CHUNK),
        ("LF in quotes in an extension", 400, CHUNKED + b'5;a="\n"' + ONE_CHUNK),
        ("CR in an extension", 400, CHUNKED + b"5;a\rb" + ONE_CHUNK),
        ("a NUL in an extension", 400, CHUNKED + b'5;a="\0"' + ONE_CHUNK),
        ("extensions too long", 431, CHUNKED + (b"1;a=" + b"a" * 9000 + b"\r\nh\r\n") * 2 + b"0\r\n\r\n"),
        ("a line without end", 431, CHUNKED + b"5;a=" + b"a" * 17000),
        ("LF after a size", 400, CHUNKED + b"5\nhello\r\n0\r\n\r\n"),
        ("CR after a size", 400, CHUNKED + b"5\rhello\r\n0\r\n\r\n"),
        ("CR CR LF after a size", 400, CHUNKED + b"5\r\r\nhello\r\n0\r\n\r\n"),
        ("LF after a chunk", 400, CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
        ("CR after a chunk", 400, CHUNKED + b"5\r\nhello\r0\r\n\r\n"),
        ("nothing after a chunk", 400, CHUNKED + b"5\r\nhello0\r\n\r\n"),
        ("an empty line too many", 400, CHUNKED + b"5\r\nhello\r\n\r\n0\r\n\r\n"),
        ("longer than its size", 400, CHUNKED + b"5\r\nhelloXX\r\n0\r\n\r\n"),
        ("shorter than its size", 400, CHUNKED + b"6\r\nhello\r\n0\r\n\r\n"),
        ("LF after the last one's size", 400, CHUNKED + b"5\r\nhello\r\n0\n\r\n"),
        ("LF at the end", 400, CHUNKED + b"5\r\nhello\r\n0\r\n\n"),
        ("LF everywhere", 400, CHUNKED + b"5\nhello\n0\n\n"),
        ("no end", 400, CHUNKED + b"5\r\nhello\r\n0\r\n"),
    ],
    "trailer": [
        ("one", {"body": "hello"}, CHUNKED + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n"),
        ("one that the head has", {"HTTP_A": "b"}, POST + CHUNKED_FIELD + b"A: b\r\n\r\n0\r\nA: c\r\n\r\n"),
        ("no colon", 400, CHUNKED + b"0\r\nAb\r\n\r\n"),
        ("no name", 400, CHUNKED + b"0\r\n: b\r\n\r\n"),
        ("a blank before the colon", 400, CHUNKED + b"0\r\nA : b\r\n\r\n"),
        ("folded", 400, CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n"),
        ("a NUL", 400, CHUNKED + b"0\r\nA: \0\r\n\r\n"),
        ("a bare CR", 400, CHUNKED + b"0\r\nA: b\rc\r\n\r\n"),
        ("LF", 400, CHUNKED + b"0\r\nA: b\n\r\n"),
        ("a length", 400, CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n"),
        ("a coding", 400, CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("a Host", {"HTTP_HOST": "x"}, CHUNKED + b"0\r\nHost: y\r\nHost: a b\r\n\r\n"),
        ("too long", 431, CHUNKED + b"0\r\n" + (b"A: " + b"b" * 1000 + b"\r\n") * 17 + b"\r\n"),
    ],
    "Expect": [
        (
            "100-continue, and the body at once",
            {"body": "hi"},
            POST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi",
        ),
        ("100-continue without body", {"body": ""}, FIELDS + b"Expect: 100-continue\r\n\r\n"),
        ("unknown", 417, POST + b"Expect: tea\r\nContent-Length: 5\r\n\r\nhello"),
        ("a list", {"body": "hi"}, POST + b"Expect: tea, 100-continue\r\nContent-Length: 2\r\n\r\nhi"),
        ("two lines", {"body": "hi"}, POST + b"Expect: 100-continue\r\nExpect: tea\r\nContent-Length: 2\r\n\r\nhi"),
        ("a parameter", {"body": "hi"}, POST + b"Expect: 100-continue;a=b\r\nContent-Length: 2\r\n\r\nhi"),
        ("a longer word", 417, POST + b"Expect: x100-continue\r\nContent-Length: 5\r\n\r\nhello"),
        ("empty", 417, POST + b"Expect:\r\nContent-Length: 5\r\n\r\nhello"),
        (
            "anything in HTTP/1.0",
            {"body": "hi"},
            b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: tea\r\nContent-Length: 2\r\n\r\nhi",
        ),
    ],
}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


class Recorder:
    """The echo app, which notes the targets that reached it."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.url = ""

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.targets.append(environ["REQUEST_URI"])
        return echo(environ, start_response)


@pytest.fixture(scope="module")
def app() -> Iterator[Recorder]:
    app = Recorder()
    server = Server(app, port=0)
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    yield app
    server.stop()
    thread.join()


@pytest.mark.parametrize(
    ("expected", "sent"),
    [pytest.param(*case, id=f"{group}: {what}") for group, cases in CASES.items() for what, *case in cases],
)
def test_a_request_is_read_in_the_one_way_or_refused(app: Recorder, expected: Any, sent: bytes) -> None:
    app.targets.clear()
    if isinstance(expected, int):
        response = talk(app.url, sent + SMUGGLED)
        assert re.fullmatch(rb"HTTP/1\.1 %d [A-Z][\w -]+\r\nConnection: close\r\n\r\n" % expected, response)
        assert "/smuggled" not in app.targets
    else:
        response = talk(app.url, sent + LAST)
        environ = seen(response.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))
        assert {key: environ.get(key) for key in expected} == expected
        assert app.targets == [environ["REQUEST_URI"], "/last"]


SEQUENCES: dict[str, tuple[list[int], list[str], bytes]] = {
    "pipelined": (
        [200, 200, 200, 200],
        ["/", "/", "/", "/last"],
        GET + POST + b"Content-Length: 2\r\n\r\nhi" + CHUNKED + b"2\r\nhi\r\n0\r\n\r\n" + LAST,
    ),
    "a body without length": ([200, 400], ["/"], GET + b"hello\r\n\r\n" + SMUGGLED),
    "a body longer than its length": ([200, 400], ["/"], POST + b"Content-Length: 2\r\n\r\nhello\r\n\r\n" + SMUGGLED),
    "an underscore in Content_Length": ([200, 400], ["/"], POST + b"Content_Length: 5\r\n\r\nhello\r\n\r\n" + SMUGGLED),
    "a malformed second": ([200, 400], ["/"], GET + b"GET / HTTP/1.1\r\n\r\n" + SMUGGLED),
    "behind Connection: close": ([200], ["/last"], LAST + SMUGGLED),
    "behind a list with close": ([200], ["/"], FIELDS + b"Connection: keep-alive, Close\r\n\r\n" + SMUGGLED),
    "behind HTTP/1.0": ([200], ["/"], b"GET / HTTP/1.0\r\n\r\n" + SMUGGLED),
    "behind both, in HTTP/1.0": ([200], ["/"], b"GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n" + SMUGGLED),
    "behind an upgrade that is not done": (
        [200, 200],
        ["/", "/last"],
        FIELDS + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + LAST,
    ),
}


@pytest.mark.parametrize(("expected", "targets", "sent"), SEQUENCES.values(), ids=SEQUENCES.keys())
def test_what_follows_a_request_is_one_or_ends_the_connection(
    app: Recorder, expected: list[int], targets: list[str], sent: bytes
) -> None:
    app.targets.clear()
    assert statuses(talk(app.url, sent)) == expected
    assert app.targets == targets
