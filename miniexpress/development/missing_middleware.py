"""Help with ``'NoneType' object has no attribute 'name'`` where a handler has read ``req.body`` or ``req.session``.

Both are ``None`` until middleware has set them. The note says which middleware is missing, and for which Content-Type.
"""

from __future__ import annotations

import linecache
import re
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import text_of
from ..http.media_types import parse_content_type
from ..middleware.body_parser import BodyParser

if TYPE_CHECKING:
    from ..request import Request

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_NAME = re.compile(r"\b[A-Za-z_]\w*")


def note_for(error: Any, req: Request) -> str | None:
    """Return what an error comes from if it is ``req.body`` or ``req.session`` that is ``None``, and a hint."""
    if not isinstance(error, AttributeError | TypeError) or "NoneType" not in text_of(error):
        return None
    if req.body is None and _was_read("body", error, req):
        return f"req.body is None: {_why_no_body(req)}"
    for name in ("file", "files"):
        if getattr(req, name) is None and _was_read(name, error, req):
            return f"req.{name} is None: {_why_no_file(name, req)}"
    if req.session is None and _was_read("session", error, req):
        return f"req.session is None: {_why_no_session(req)}"
    return None


def _was_read(name: str, error: BaseException, req: Request) -> bool:
    """Return whether an instruction that raised the error reads ``req.<name>``, or a variable that was set to it."""
    entry = error.__traceback__
    while entry is not None:
        if _reads(name, entry, req):
            return True
        entry = entry.tb_next
    return False


def _reads(name: str, entry: TracebackType, req: Request) -> bool:
    """Return whether the expression that a frame was in has ``req.<name>`` in it, or a variable that was set to it."""
    variables = entry.tb_frame.f_locals
    requests = [re.escape(variable) for variable, value in variables.items() if value is req]
    if not requests:
        return False
    attribute = rf"\b(?:{'|'.join(requests)})\s*\.\s*{name}\b"
    expression = _failed_text(entry)
    if re.search(attribute, expression):
        return True
    nones = [variable for variable in _NAME.findall(expression) if variables.get(variable, req) is None]
    assignment = rf"\b(?:{'|'.join(nones)})\b[^=\n]*=\s*{attribute}"
    return bool(nones) and re.search(assignment, _function_text(entry)) is not None


def _failed_text(entry: TracebackType) -> str:
    """Return the source of the expression that a frame was in: ``req.body.name``."""
    code, frame = entry.tb_frame.f_code, entry.tb_frame
    first, last, start, end = next(islice(code.co_positions(), entry.tb_lasti // 2, None))
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    if first is None or last is None or start is None or end is None:  # python -X no_debug_ranges
        return "".join(lines[entry.tb_lineno - 1 : entry.tb_lineno])
    while first > 1 and lines[first - 1 : first] and lines[first - 1].lstrip().startswith("."):
        first, start = first - 1, 0  # of a chain over several lines Python tells the last one only
    encoded = [line.encode() for line in lines[first - 1 : last]]
    if not encoded:
        return ""
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    return b"".join(encoded).decode()


def _function_text(entry: TracebackType) -> str:
    """Return the source of a frame's function, as far as the line that it is in."""
    code = entry.tb_frame.f_code
    lines = linecache.getlines(code.co_filename, entry.tb_frame.f_globals)
    return "".join(lines[code.co_firstlineno - 1 : entry.tb_lineno])


def _why_no_body(req: Request) -> str:
    if not req.has_body:
        return "the request came without a body"
    if req.body_consumed:
        return "it was null in the body, or a handler has set it so"
    media_type = parse_content_type(req.get("Content-Type") or "")[0]
    if not _MEDIA_TYPE.fullmatch(media_type):
        return "the body has no Content-Type by which a parser would read it"
    parsers = [parser for layer, _ in req.trail or () if (parser := _parser_of(layer.handler))]
    readers = "".join(f"; {parser.name}() reads {_types(parser)}" for parser in parsers)
    hint = _hint(media_type, {parser.name for parser in parsers})
    return f"the body is {media_type}, and no parser has read it{readers}. Before this handler: {hint}"


def _parser_of(handler: Any) -> BodyParser | None:
    parser = getattr(handler, "__self__", None)
    return parser if isinstance(parser, BodyParser) else None


def _types(parser: BodyParser) -> str:
    return "what its function selects" if callable(parser.type) else str(parser.type)


def _hint(media_type: str, present: set[str]) -> str:
    """Return the call that makes a parser read a media type; with a parser that is ``present`` it needs ``type=``."""
    if media_type == "multipart/form-data":
        return "multer, as json() and urlencoded() read no such forms"
    name, usual_type = "raw", "application/octet-stream"
    if media_type.endswith(("/json", "+json")):
        name, usual_type = "json", "application/json"
    elif media_type == "application/x-www-form-urlencoded":
        name, usual_type = "urlencoded", media_type
    elif media_type.startswith("text/"):
        name, usual_type = "text", "text/plain"
    option = "" if media_type == usual_type and name not in present else f'type="{media_type}"'
    return f"app.use({name}({option}))"


def _why_no_file(name: str, req: Request) -> str:
    if not req.is_("multipart"):
        return 'the request has no form with files: <form method="post" enctype="multipart/form-data">'
    if req.body_consumed:
        kinds = ".single(name)" if name == "file" else ".array(name), .fields([…]) or .any()"
        return f"the form came without such a file, or another middleware than multer(…){kinds} has read it"
    return "no multer has read the form. Before this handler: multer(dest=…).single(name), .array(name) …"


def _why_no_session(req: Request) -> str:
    if req.session_store is not None:
        return "it was destroyed, or set to None, while this request was handled"
    for layer, _ in req.trail or ():
        if getattr(layer.handler, "__module__", "").endswith(".sessions.middleware"):
            return "session() has left this request alone, as the path of its cookie is another, or its store is down"
    return "no session middleware has run. Before this handler: app.use(session(secret=…))"
