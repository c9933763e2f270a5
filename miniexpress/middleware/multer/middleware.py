"""``multer(…)``: its options, and the middleware that it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...attrdict import AttrDict
from ...files.send import Path
from ...http.form_data import decode
from ...keyword_options import suggestion, suggests_keywords
from ...routing.layer import Middleware, Next
from ...usage.arguments import fit_callback
from ...usage.camel_case import SnakeCaseNames
from .form import Form, FormOptions
from .limits import Limits, MulterError, check_limits
from .storage import DiskStorage, File, MemoryStorage, Storage

if TYPE_CHECKING:
    from ...request import Request
    from ...response import Response

FileFilter = Callable[["Request", File], bool]
SetFiles = Callable[["Request", list[File]], None]


class Multer(SnakeCaseNames):
    """``multer(dest="uploads/")``: make middleware that reads forms with files.

    Text fields are in ``req.body``, an AttrDict; brackets in their names nest. Files are in ``req.file`` after
    ``single``, and in ``req.files`` after ``array`` and ``any`` (a list) and ``fields`` (lists by name). Each is a
    ``File``. Requests of other types go on untouched.

    ``dest`` is the folder for files, or ``storage`` an object that keeps them; by default they are kept in memory.
    ``file_filter(req, file)`` returns whether to take a file, or raises. ``limits`` is a dict, or a function of the
    request that returns one: see ``Limits``. ``preserve_path`` keeps folders in ``originalname``.
    ``def_param_charset`` is the charset of names of fields and files, ``def_charset`` that of values.

    Whatever fails, no file is left behind. The middleware raises ``MulterError`` for what is not allowed, and
    ``HTTPError``: 400 for a malformed form or an aborted request, 415 for a charset or a type that is not supported.
    Raises ``TypeError`` for wrong options, ``ImportError`` without the package ``multipart``. After npm multer 2.5.
    """

    memory_storage = MemoryStorage
    disk_storage = DiskStorage
    MulterError = MulterError

    @partial(suggests_keywords, title="multer")
    def __init__(
        self,
        *,
        dest: Path | None = None,
        storage: Storage | None = None,
        limits: Mapping[str, float] | Callable[[Request], Mapping[str, float] | None] | None = None,
        file_filter: FileFilter | None = None,
        preserve_path: bool = False,
        def_param_charset: str = "latin1",
        def_charset: str = "utf-8",
    ) -> None:
        multipart = import_parser()
        if storage is None:
            storage = MemoryStorage() if dest is None else DiskStorage(destination=dest)
        if isinstance(storage, type) or not all(
            callable(getattr(storage, name, None)) for name in ("handle_file", "remove_file")
        ):
            raise TypeError(f"multer(storage=…) takes an object with handle_file and remove_file, not {storage!r}")
        if file_filter is not None:
            file_filter = fit_callback(file_filter, "the option 'file_filter'", "(req, file)")
        self._form_options = partial(
            FormOptions,
            multipart=multipart,
            storage=storage,
            file_filter=file_filter,
            preserve_path=preserve_path,
            param_charset=_checked_charset("def_param_charset", def_param_charset),
            charset=_checked_charset("def_charset", def_charset),
        )
        self._limits = _limits_of_requests(limits, isinstance(storage, MemoryStorage))

    def __repr__(self) -> str:
        return "<multer, of which .single(name), .array(name), .fields([…]), .none() and .any() make middleware>"

    def single(self, name: str) -> Middleware:
        """Take one file, of the field ``name``: ``req.file``, ``None`` if there is none."""
        return self._middleware({_checked_name("single", name): 1}, _set_file)

    def array(self, name: str, max_count: int | None = None) -> Middleware:
        """Take files of the field ``name``: ``req.files``, a list."""
        return self._middleware({_checked_name("array", name): _checked_count(max_count)}, _set_list)

    def fields(self, fields: Sequence[Mapping[str, Any]]) -> Middleware:
        """Take files of several fields: ``fields([{"name": "avatar", "max_count": 1}, …])``. Lists in ``req.files``."""
        if not isinstance(fields, list | tuple):
            raise TypeError(f"multer.fields() takes a list of dicts, not {fields!r}")
        return self._middleware(dict(map(_name_and_count, fields)), _set_by_name)

    def none(self) -> Middleware:
        """Take text fields only: a file is an error."""
        return self._middleware({}, _set_nothing)

    def any(self) -> Middleware:
        """Take all files: ``req.files``, a list. For routes that look at each of them."""
        return self._middleware(None, _set_list)

    def _middleware(self, counts: dict[str, float] | None, set_files: SetFiles) -> Middleware:
        options, limits = self._form_options(counts=counts, set_files=set_files), self._limits

        def receive_form(req: Request, res: Response, next: Next) -> None:
            req.file, req.files = getattr(req, "file", None), getattr(req, "files", None)
            if not req.body_consumed and req.is_("multipart"):
                req.body_consumed = True
                Form(options, limits(req), req).receive()
            next()

        return receive_form


multer = Multer


def import_parser() -> Any:
    """Return the package ``multipart``. Raises ``ImportError`` that names the extra where it is not installed."""
    try:
        import multipart  # type: ignore[import-untyped]

        if hasattr(multipart, "PushMultipartParser"):
            return multipart
    except ImportError:
        pass
    raise ImportError("multer() needs the package multipart: pip install 'miniexpress[multipart]'")


def _limits_of_requests(limits: Any, in_memory: bool) -> Callable[[Request], Limits]:
    if callable(limits):
        chosen = fit_callback(limits, "the option 'limits'", "(req)")
        return lambda req: check_limits(chosen(req) or {}, in_memory)
    checked = check_limits(limits or {}, in_memory)
    return lambda req: checked


def _checked_charset(option: str, charset: str) -> str:
    try:
        decode(b"", charset)
    except (LookupError, AttributeError):
        raise TypeError(f"multer({option}=…) takes a charset such as 'utf-8', not {charset!r}") from None
    return charset


def _checked_name(taker: str, name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"multer.{taker}() takes the name of a field of the form, not {name!r}")
    return name


def _name_and_count(given: Any) -> tuple[str, float]:
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise TypeError(f"multer.fields() takes dicts with a 'name', and a 'max_count' if wanted, not {given!r}")
    for key in given:
        if key not in ("name", "max_count"):
            raise TypeError(f"multer.fields() has no option {key!r}: {suggestion(key, ['name', 'max_count'])}")
    return given["name"], _checked_count(given.get("max_count"))


def _checked_count(max_count: Any) -> float:
    if max_count is None:
        return math.inf
    if isinstance(max_count, bool) or not isinstance(max_count, int) or max_count < 0:
        raise TypeError(f"max_count is a whole number, not {max_count!r}")
    return max_count


def _set_nothing(req: Request, files: list[File]) -> None: ...


def _set_file(req: Request, files: list[File]) -> None:
    req.file = files[-1] if files else None


def _set_list(req: Request, files: list[File]) -> None:
    req.files = files


def _set_by_name(req: Request, files: list[File]) -> None:
    req.files = AttrDict()
    for file in files:
        req.files.setdefault(file.fieldname, []).append(file)
