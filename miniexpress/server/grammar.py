"""The grammar of HTTP/1.1 as regular expressions, each beside its production in the RFCs.

They are put together from parts, as the productions are. All are used with ``fullmatch`` on text decoded as latin-1.
The possessive quantifiers (``++``, ``*+``) rule out backtracking, so hostile input costs no time. They stand behind
single character classes only: CPython before 3.11.5 gets them wrong behind a group.
"""

from __future__ import annotations

import re

# RFC 9110 section 5.6.2: token = 1*tchar
TOKEN_PATTERN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
TOKEN = re.compile(TOKEN_PATTERN)

# RFC 9110 section 9.1: method = token
# Without lower case, as some would take "get" for GET; and no CONNECT, which asks for a tunnel.
METHOD = r"(?!CONNECT )[!#$%&'*+\-.^_`|~0-9A-Z]++"

# RFC 9112 section 3.2: request-target = origin-form / absolute-form / authority-form / asterisk-form
#   origin-form   = absolute-path [ "?" query ]    /a?b
#   absolute-form = absolute-URI                   http://host/a?b, where both the path and the query may be missing
#   asterisk-form = "*"
# authority-form is CONNECT's. A path and a query take all visible ASCII, as in Node, but for "#", which begins what is
# no part of a target. The parser rejects a target that has neither an authority nor a path and is no "*".
PATH = r'/[!-"$->@-~]*+'
QUERY = r'[!-"$-~]*+'
AUTHORITY = r"[^/?#\s]++"
REQUEST_TARGET = rf"(?:(?i:https?)://(?P<authority>{AUTHORITY}))?(?P<path>{PATH})?(?:\?(?P<query>{QUERY}))?|\*"

# RFC 9112 section 3: request-line = method SP request-target SP HTTP-version
REQUEST_LINE = re.compile(rf"(?P<method>{METHOD}) (?P<target>{REQUEST_TARGET}) (?P<version>HTTP/1\.[01])")

# RFC 9110 section 7.2: Host = uri-host [ ":" port ]
# RFC 3986 section 3.2.2: host = IP-literal / IPv4address / reg-name
# Without the comma that a reg-name may have: it would make one host of two.
IP_LITERAL = r"\[[0-9A-Fa-f:.]++\]"
REG_NAME = r"[0-9A-Za-z_.~!$&'()*+;=%-]*+"
HOST = re.compile(rf"(?:{IP_LITERAL}|{REG_NAME})(?::[0-9]*+)?")

# RFC 9110 section 8.6: Content-Length = 1*DIGIT, here of at most 18 digits.
CONTENT_LENGTH = re.compile("[0-9]{1,18}")

# RFC 9110 section 5.6.4: quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE
QUOTED_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*"'

# RFC 9112 section 7.1: chunk-size [ chunk-ext ]; chunk-size = 1*HEXDIG, here of at most 15 digits
# RFC 9112 section 7.1.1: chunk-ext = *( ";" chunk-ext-name [ "=" chunk-ext-val ] ), here without blanks in between;
# chunk-ext-name = token; chunk-ext-val = token / quoted-string
CHUNK_EXTENSION = rf";{TOKEN_PATTERN}(?:=(?:{TOKEN_PATTERN}|{QUOTED_STRING}))?"
CHUNK_HEADER = re.compile(rf"(?P<size>[0-9A-Fa-f]{{1,15}}+)(?:{CHUNK_EXTENSION})*")

# RFC 9112 section 4: status-code SP reason-phrase; of a final response. After a 1xx, clients would wait for that.
STATUS = re.compile("[2-9][0-9][0-9] .*")

# RFC 9110 section 5.5: what neither a field value nor a reason phrase may hold, nor a line (HTAB is allowed).
CONTROL_CHARACTERS = bytes(set(range(32)) - {0x09} | {0x7F})
