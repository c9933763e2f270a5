"""TODO"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from ..arguments import fitted
from ..errors import HTTPError
from ..files.file_finder import Finder, IsDirectory, StringList
from ..files.send import Path, SetHeaders, _cache_control, _Delivery, _path_text
from ..http.encoding import decode_uri_component, encode_url, error_page
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response


@suggests_keywords
def static(
    root: Path,
    *,
    accept_ranges: bool = True,
    cache_control: bool = True,
    dotfiles: str = "ignore",
    etag: bool = True,
    extensions: StringList = (),
    fallthrough: bool = True,
    immutable: bool = False,
    index: StringList | bool = "index.html",
    last_modified: bool = True,
    max_age: float | str | timedelta = 0,
    redirect: bool = True,
    set_headers: SetHeaders | None = None,
) -> Middleware:
    """Middleware that answers GET and HEAD with the files below the folder ``root``.

    ``max_age`` in milliseconds, as a timedelta or as ``'2 hours'``, a year at most; it shows in Cache-Control, as does
    ``immutable``. ``dotfiles`` is ``'ignore'`` (as if not there), ``'allow'`` or ``'deny'`` (403). ``extensions`` are
    tried on a name that has none. ``index`` names what a folder is answered with, ``False`` nothing; ``redirect`` sends
    a client from ``/folder`` to ``/folder/``. ``set_headers(res, path, stat)`` runs before the answer's own header
    fields are set. With ``fallthrough`` what is not there is left to the next handler; without, it is an ``HTTPError``,
    and another method is answered with 405. ``accept_ranges``, ``cache_control``, ``etag`` and ``last_modified`` say
    whether the answer has them. Raises ``TypeError`` for options that are none of these. After npm serve-static 2.
    """
    folder = os.path.abspath(_path_text("static()", root))
    finder = Finder(dotfiles, extensions, index)
    caching = _cache_control(max_age, immutable) if cache_control else None
    if set_headers is not None:
        set_headers = fitted(set_headers, "the option 'set_headers'", "(res, path, stat)")
    delivery = _Delivery(accept_ranges, caching, last_modified, etag, set_headers)

    def serve_static(req: Request, res: Response, next: Next) -> None:
        if req.method not in ("GET", "HEAD"):
            return next() if fallthrough else _refuse_method(res)
        path = req.path
        if path == "/" and not req.original_path.endswith("/"):
            path = ""
        try:
            file = finder.find(folder, _decoded(path), wants_index=path.endswith("/"))
        except IsDirectory:
            if redirect and not path.endswith("/"):
                return _redirect(req, res)
            if not fallthrough:
                raise HTTPError(404) from None
        except HTTPError as error:
            if error.status >= 500 or not fallthrough:
                raise
        else:
            return delivery.answer(res, file)
        return next()

    serve_static.__qualname__ = f"static({root!r})"
    return serve_static


def _decoded(path: str) -> str:
    try:
        return decode_uri_component(path)
    except ValueError:
        raise HTTPError(400) from None


def _refuse_method(res: Response) -> None:
    res.status(405).set_header("Allow", "GET, HEAD").set_header("Content-Length", "0").end()


def _redirect(req: Request, res: Response) -> None:
    """Send a client to the folder's own URL, which ends with a slash."""
    target, mark, query = req.original_url.partition("#")[0].partition("?")
    path = req.original_path
    origin = target.removesuffix(path)  # of a target in absolute form (RFC 9112 section 3.2.2)
    path = "/" + path.lstrip("/\\")  # "//host" and, to browsers, "/\host" would be another host
    location = encode_url(f"{origin}{path}/{mark}{query}")
    body = error_page(f"Redirecting to {location}", title="Redirecting")
    res.status(301).set_header("Content-Type", "text/html; charset=UTF-8").set_header("Content-Length", str(len(body)))
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Location", location).end(body)
