"""The grammar of HTTP/1.1 as regular expressions, each beside its production in the RFCs.

All of them are used with ``fullmatch`` on text decoded as latin-1. The possessive quantifiers (``++``, ``*+``) rule out
backtracking, so hostile input costs no time. They stand behind single character classes only: CPython before 3.11.5
gets them wrong behind a group.
"""

from __future__ import annotations

import re

# RFC 9110 section 5.6.2: token = 1*tchar
TOKEN_PATTERN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
TOKEN = re.compile(TOKEN_PATTERN)

# RFC 9112 section 3: request-line = method SP request-target SP HTTP-version
# Groups: method, target, authority, path, query, version.
REQUEST_LINE = re.compile(
    r"(?!CONNECT )([!#$%&'*+\-.^_`|~0-9A-Z]++) "  # no lower case: some would take "get" for GET
    r'((?:(?i:https?)://([^/?#\s]++))?(/[!-"$->@-~]*+)?(?:\?([!-"$-~]*+))?|\*) '
    r"(HTTP/1\.[01])"
)

# RFC 9110 section 7.2: Host = uri-host [ ":" port ], without the comma, which would make one host of two.
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]++\]|[0-9A-Za-z_.~!$&'()*+;=%-]*+)(?::[0-9]*+)?")

# RFC 9110 section 8.6: Content-Length = 1*DIGIT, here of at most 18 digits.
CONTENT_LENGTH = re.compile("[0-9]{1,18}")

# RFC 9112 section 7.1: chunk-size [ chunk-ext ]; chunk-ext = *( ";" name [ "=" ( token / quoted-string ) ] )
# Group: the size, in hexadecimal.
CHUNK_HEADER = re.compile(
    rf'([0-9A-Fa-f]{{1,15}}+)(?:;{TOKEN_PATTERN}(?:=(?:{TOKEN_PATTERN}|"[^"\\]*+(?:\\.[^"\\]*+)*"))?)*'
)

# RFC 9110 section 15: a final status code and its reason phrase. After a 1xx, clients would wait for the response.
STATUS = re.compile("[2-9][0-9][0-9] .*")

# RFC 9110 section 5.5: what neither a field value nor a reason phrase may hold, nor a line (HTAB is allowed).
CONTROL_CHARACTERS = bytes(set(range(32)) - {0x09} | {0x7F})
