"""``static``: middleware that serves the files of a folder. After npm serve-static 2.2.1."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import HTTPError
from ..files.file_finder import Finder, IsDirectory, StringList
from ..files.send import FileOptions, Path, SetHeaders, cache_control_value, path_text
from ..http.encoding import decode_uri_component, encode_url, error_page
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import fit_callback
from ..usage.callers import warn

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
    """Make middleware that responds to GET and HEAD with the files below the folder ``root``.

    ``max_age`` is in milliseconds, a timedelta or words like ``'2 hours'``, a year at most; it is sent in
    Cache-Control, with ``immutable`` if that is set. ``dotfiles`` is ``'ignore'`` (404), ``'allow'`` or ``'deny'``
    (403). ``extensions`` are tried on a name that has none. ``index`` names the files that are sent for a folder,
    ``False`` sends none; ``redirect`` redirects from ``/folder`` to ``/folder/``. ``accept_ranges``, ``cache_control``,
    ``etag`` and ``last_modified`` switch these off. ``set_headers(res, path, stat)`` runs before they are set.

    A missing file and other methods go on to the next handler; without ``fallthrough``, they are a 404 and a 405.

    Raises ``TypeError`` for wrong options. After npm serve-static 2.2.1.
    """
    folder = os.path.abspath(path_text("static()", root))
    if not os.path.isdir(folder):
        warn(f"static({str(root)!r}) sends nothing as long as there is no folder {folder!r}")
    finder = Finder(dotfiles, extensions, index)
    caching = cache_control_value(max_age, immutable) if cache_control else None
    if set_headers is not None:
        set_headers = fit_callback(set_headers, "the option 'set_headers'", "(res, path, stat)")
    options = FileOptions(accept_ranges, caching, last_modified, etag, set_headers)

    def serve_static(req: Request, res: Response, next: Next) -> None:
        if req.method not in ("GET", "HEAD"):
            return next() if fallthrough else _refuse_method(res)
        path = req.path
        if path == "/" and not req.original_path.endswith("/"):
            path = ""  # the mount itself, asked for without its slash
        try:
            file = finder.find(folder, _decode(path), wants_index=path.endswith("/"))
        except IsDirectory:
            if redirect and not path.endswith("/"):
                return _redirect(req, res)
            if not fallthrough:
                raise HTTPError(404) from None
        except HTTPError as error:
            if error.status >= 500 or not fallthrough:
                raise
        else:
            return res.apply(file, options)
        return next()

    serve_static.__qualname__ = f"static({root!r})"
    return serve_static


def _decode(path: str) -> str:
    try:
        return decode_uri_component(path)
    except ValueError:
        raise HTTPError(400) from None


def _refuse_method(res: Response) -> None:
    res.status(405).set_header("Allow", "GET, HEAD").set_header("Content-Length", "0").end()


def _redirect(req: Request, res: Response) -> None:
    """Redirect to the folder's own URL, which ends with a slash: ``/docs?a=1`` → ``/docs/?a=1``."""
    target, mark, query = req.original_url.partition("#")[0].partition("?")
    path = req.original_path
    origin = target.removesuffix(path)  # of a target in absolute form (RFC 9112 section 3.2.2)
    path = "/" + path.lstrip("/\\")  # browsers take "//host" and "/\host" for another host
    location = encode_url(f"{origin}{path}/{mark}{query}")
    body = error_page(f"Redirecting to {location}", title="Redirecting")
    res.status(301).set_header("Content-Type", "text/html; charset=UTF-8").set_header("Content-Length", str(len(body)))
    res.set_header("Content-Security-Policy", "default-src 'none'").set_header("X-Content-Type-Options", "nosniff")
    res.set_header("Location", location).end(body)
