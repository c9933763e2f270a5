"""The conditions of a request for a file: which version the client means, and which it has (RFC 9110 section 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..http.conditional import is_fresh, is_unmodified_since, names_etag, parse_http_date


class Conditions(NamedTuple):
    """The facts about request and response that decide how a file is sent (RFC 9110 section 13)."""

    method: str
    status: int
    """The status of the response so far."""
    request_header: Callable[[str], str | None]
    response_header: Callable[[str], Any]
    """Looks up the fields that the response has already. They are kept, and count as the file's own."""

    def after(self, headers: Mapping[str, str]) -> Conditions:
        """Return the conditions once the response has these headers, too."""
        return self._replace(response_header=lambda name: headers.get(name) or self.response_header(name))

    def precondition_fails(self) -> bool:
        """Evaluate If-Match or, without it, If-Unmodified-Since: does the client mean another version of the file?"""
        if_match, etag = self.request_header("If-Match"), self.response_header("ETag")
        if if_match:
            return not etag or not names_etag(if_match, etag)
        unmodified_since = self.request_header("If-Unmodified-Since")
        if not unmodified_since or parse_http_date(unmodified_since) is None:
            return False
        return not is_unmodified_since(unmodified_since, self.response_header("Last-Modified"))

    def is_not_modified(self) -> bool:
        """Evaluate If-None-Match or, without it, If-Modified-Since: has the client this version already?"""
        if_none_match = self.request_header("If-None-Match")
        if_modified_since = self.request_header("If-Modified-Since")
        if not (if_none_match or if_modified_since) or not (200 <= self.status < 300 or self.status == 304):
            return False
        etag, last_modified = self.response_header("ETag"), self.response_header("Last-Modified")
        return is_fresh(if_none_match, if_modified_since, self.request_header("Cache-Control"), etag, last_modified)

    def allow_range(self) -> bool:
        """Evaluate If-Range: is the client's part one of this version, so that another part goes with it?"""
        if_range, etag = self.request_header("If-Range"), self.response_header("ETag")
        if not if_range:
            return True
        if '"' in if_range:
            return bool(etag) and etag in if_range
        return is_unmodified_since(if_range, self.response_header("Last-Modified"))
