"""One request over one connection, to the byte; and its answer in a form that can be kept and compared."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import zlib
from dataclasses import dataclass, replace
from typing import Any

from .case import Request

# These say when, and how long the connection lives, not what the app answered.
_NOT_COMPARED = {"date", "connection", "keep-alive"}
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer: its status line, its header lines in order, its body without transfer coding.

    The status line of an interim answer (100 Continue) stands before the final one in ``status``. ``truncated`` is
    true when the connection ended before the answer did.
    """

    status: str
    headers: tuple[str, ...]
    body: bytes
    truncated: bool = False

    def lines(self) -> list[str]:
        """Everything that is compared, as text: header names to the letter, but in no order; bodies to the byte."""
        headers = sorted(self.headers, key=lambda line: line.partition(":")[0])
        body = [_printable(line) for line in self.body.split(b"\n")]
        return [self.status, *headers, "", *body, *(["(the connection ended before the answer)"] * self.truncated)]

    def to_json(self) -> dict[str, Any]:
        try:
            body: str | dict[str, str] = self.body.decode()
        except UnicodeDecodeError:
            body = {"base64": base64.b64encode(self.body).decode()}
        kept = {"status": self.status, "headers": list(self.headers), "body": body}
        return {**kept, "truncated": True} if self.truncated else kept

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Answer:
        body = kept["body"]
        content = body.encode() if isinstance(body, str) else base64.b64decode(body["base64"])
        return cls(kept["status"], tuple(kept["headers"]), content, kept.get("truncated", False))


def exchange(port: int, request: Request) -> Answer:
    """Send a request to a server on the loopback address, and read its answer to the end."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
        try:
            connection.sendall(request.data)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:
            # A server may give up on a request while it is being sent: what it answered before that counts.
            pass
        except TimeoutError:
            received += b"\r\n(no end of the answer within %d seconds)" % _TIMEOUT
    answer = _parse(bytes(received), is_head=request.data.startswith(b"HEAD "))
    return _masked(_decompressed(answer) if request.decompressed else answer, request)


def shown(data: bytes) -> str:
    """A request as readable text; a long one is cut, and told from others of its kind by its digest."""
    if len(data) <= 1000:
        return data.decode("latin-1")
    digest = hashlib.sha256(data).hexdigest()[:16]
    return f"{data[:300].decode('latin-1')}… ({len(data)} bytes, sha256 {digest})"


def _parse(data: bytes, *, is_head: bool) -> Answer:
    top, end_of_head, rest = data.partition(b"\r\n\r\n")
    status, *headers = top.decode("latin-1").split("\r\n")
    if status.startswith("HTTP/1.1 1"):
        final = _parse(rest, is_head=is_head)
        return replace(final, status=f"{status}, {final.status}")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
    compared = tuple(line for line in headers if line.partition(":")[0].lower() not in _NOT_COMPARED)
    if not end_of_head:
        return Answer(status, compared, rest, truncated=True)
    if fields.get("transfer-encoding", "").lower() == "chunked" and not is_head:
        body, truncated = _dechunked(rest)
        return Answer(status, compared, body, truncated)
    is_short = not is_head and len(rest) < int(fields.get("content-length", 0)) and status[9:12] != "304"
    return Answer(status, compared, rest, truncated=is_short)


def _dechunked(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while match := re.match(rb"([0-9a-fA-F]+)[^\r\n]*\r\n", data):
        size, start = int(match[1], 16), match.end()
        if size == 0:
            return body + data[start + 2 :], False
        body += data[start : start + size]
        data = data[start + size + 2 :]
    return body + data, True


def _decompressed(answer: Answer) -> Answer:
    """The answer with its body as it was before it was compressed, to its end: gzip or deflate (zlib's format)."""
    formats = {"Content-Encoding: gzip": zlib.MAX_WBITS | 16, "Content-Encoding: deflate": zlib.MAX_WBITS}
    for line in answer.headers:
        if line in formats and answer.body:
            inflater = zlib.decompressobj(formats[line])
            body = inflater.decompress(answer.body)
            assert inflater.eof and not inflater.unused_data, f"no complete body: {line}"
            return replace(answer, body=body)
    return answer


def _masked(answer: Answer, request: Request) -> Answer:
    headers = answer.headers
    for pattern, replacement in request.mask:
        headers = tuple(re.sub(pattern, replacement, line) for line in headers)
    return replace(answer, headers=headers)


def _printable(line: bytes) -> str:
    try:
        return repr(line.decode())[1:-1]
    except UnicodeDecodeError:
        return repr(line)
