"""Compile a template: from its text to tokens, to lines of Python code, to functions that write the text.

``"Hi {{ name }}"`` -> tokens ``"Hi "``, ``{{ name`` -> lines ``pieces.append('Hi ')``,
``pieces.append(escape(scope['name']))``.

The language is a strict subset of Jinja2 3.1 with ``autoescape=True``: a template that compiles renders the same there.
The parser reads no files: it is given a template's text, and ``engine`` follows ``extends`` and ``include``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .expressions import Expression, check_name, compile_expression, compile_output
from .values import ExpressionError, Scope, attribute, escape, item, iterator, numbered, unescaped

MAX_NESTING = 16  # tags; Python, and so Jinja2, compiles about 20 loops within one another and no more

# A tag's opening, then by opening: an optional minus, and all up to the closing that stands outside of strings. Before
# 3.11.5 Python finds nothing with a possessive repeat inside of another: (?>(…)*) is the outer one, for (…)*+.
STRING = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
OPENING = re.compile(r"\{[{%#]")
CONTENT = {
    "{{": re.compile(rf"(-?+)((?>(?:[^'\"}}]|{STRING}|\}}(?!\}}))*))\}}\}}", re.DOTALL),
    "{%": re.compile(rf"(-?+)((?>(?:[^'\"%]|{STRING}|%(?!\}}))*))%\}}", re.DOTALL),
    "{#": re.compile(r"(-?+)(.*?)#\}", re.DOTALL),
}
BLANKS = re.compile(r"\s+")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
QUOTED = re.compile(r""""[^"\\\0\n]+"|'[^'\\\0\n]+'""")
FOR = re.compile(rf"({NAME.pattern}(?:\s*,\s*{NAME.pattern})*)\s+in\b(.*)", re.DOTALL)


_CompileFunction = Callable[[str, Mapping[str, str]], Expression]  # compile_expression, compile_output


class TemplateError(Exception):
    """A mistake in a template, and where it is: ``views/account.html, line 3: 'user' is undefined``."""


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """The place where a tag begins: the path of the file, and the line, counted from 1."""

    path: str
    line: int

    def error(self, problem: str | Exception) -> TemplateError:
        """Return a ``TemplateError`` for a problem with the tag here, or for an exception that it raised."""
        if isinstance(problem, Exception) and not isinstance(problem, ExpressionError):
            problem = _description(problem)
        return TemplateError(f"{self.path}, line {self.line}: {problem}")


def _description(error: Exception) -> str:
    """Return the type and the message of an exception, as Python prints it: also one whose own ``__str__`` fails."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return f"{type(error).__name__}: <exception str() failed>"


@dataclass(slots=True)
class RenderContext:
    """The values that the body and the blocks of a template share while it is rendered.

    ``pieces`` are what is written so far, of which the text is joined. ``variables`` are those that the template was
    rendered with, without the variables of its loops.
    """

    pieces: list[str]
    variables: Scope
    blocks: Mapping[str, Render]
    include: Callable[[str, SourceLocation, Scope], None]


Render = Callable[[RenderContext, Scope], None]  # writes a part of the template, with the variables in scope


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: ``body`` writes it, ``blocks`` are its blocks by name.

    ``parent`` is the name of the template that it extends, and where it says so; ``prefix`` is the text before that.
    """

    path: str
    body: Render
    blocks: Mapping[str, Render]
    parent: tuple[str, SourceLocation] | None
    prefix: str


def compile_template(path: str, source: bytes) -> Template:
    """Compile the bytes of the file ``path``. Raises ``TemplateError`` for what is not in the language."""
    path = str(path)  # the code has it as a literal, which the repr of a Path or a StrEnum is not
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        location = SourceLocation(path, source.count(b"\n", 0, error.start) + 1)
        raise location.error("the file is not UTF-8") from error
    # One newline at the end of the file is not part of the template: Jinja2's keep_trailing_newline=False.
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    parser = _Parser(_tokenize(path, text))
    body, _ = parser.parse_body("the file", SourceLocation(path, 1))
    blocks = {name: _make_render(lines) for name, lines in parser.blocks.items()}
    return Template(path, _make_render(body), blocks, parser.parent, parser.prefix)


@dataclass(slots=True)
class Token:
    """A piece of a template: a tag, or the text between two tags.

    ``kind`` is ``"{{"``, ``"{%"``, ``"{#"``, or ``""`` for text; ``text`` is what stands in the tag. A statement has a
    ``keyword`` and ``arguments``: ``"for x in xs"`` -> ``"for"``, ``"x in xs"``.
    """

    kind: str
    text: str
    location: SourceLocation

    @property
    def keyword(self) -> str:
        return re.split(r"\W", self.text, maxsplit=1)[0]

    @property
    def arguments(self) -> str:
        return self.text[len(self.keyword) :].strip()

    def expect_no_arguments(self) -> None:
        if self.arguments:
            raise self.location.error(f"{self.keyword} stands alone, without {self.arguments!r}")

    def file_name(self) -> str:
        quoted = QUOTED.fullmatch(self.arguments)
        if quoted is None:
            keyword = self.keyword
            raise self.location.error(f'{keyword} takes a file name in quotes and no more: {keyword} "layout.html"')
        return quoted[0][1:-1]


def _tokenize(path: str, source: str) -> Iterator[Token]:
    """Split a template: ``"a {{- b }}c"`` -> text ``"a"``, ``{{`` with ``"b"``, text ``"c"``."""
    position = counted = 0  # lines are counted up to ``counted``
    line = 1
    while (opening := OPENING.search(source, position)) is not None:
        start, kind = opening.start(), opening.group()
        line, counted = line + source.count("\n", counted, start), start
        location = SourceLocation(path, line)
        tag = CONTENT[kind].match(source, opening.end())
        if tag is None:
            raise location.error(f"this {kind} is never closed, or a string in it is not")
        minus, content = tag.groups()
        text = source[position:start]
        yield Token("", text.rstrip() if minus else text, location)
        yield Token(kind, content.removesuffix("-").strip(), location)
        position = tag.end()
        if content.endswith("-") and (blanks := BLANKS.match(source, position)):
            position = blanks.end()
    yield Token("", source[position:], SourceLocation(path, line))


class _Parser:
    """Parse the tokens of one template, once; ``blocks``, ``parent`` and ``prefix`` are found on the way."""

    def __init__(self, tokens: Iterator[Token]) -> None:
        self.blocks: dict[str, list[Line]] = {}
        self.parent: tuple[str, SourceLocation] | None = None
        self.prefix = ""
        self._tokens = tokens
        self._depth = 0
        self._loop_is_used: list[bool] = []  # for each loop around the current token: does its body use `loop`?
        self._loop_variables: dict[str, str] = {}  # of all loops around it: by name, Python's variable

    def parse_body(self, opener: str, opened_at: SourceLocation, *ends: str) -> tuple[list[Line], Token]:
        """Parse up to a statement whose keyword is one of ``ends``; return the code of it all, and that statement.

        Without ``ends``, parse up to the end of the file. ``opener`` is named by the error for a missing end.
        """
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise opened_at.error(f"tags may be nested {MAX_NESTING} deep, no deeper")
        lines: list[Line] = []
        for token in self._tokens:
            if token.kind == "{{":
                output = self._expression(compile_output, token.text, token.location)
                lines.append(Line(f"pieces.append({output})", token.location))
            elif token.kind == "{%":
                if token.keyword in ends:
                    self._depth -= 1
                    return lines, token
                lines += self._parse_statement(token, lines)
            elif token.text and not token.kind:
                lines.append(Line(f"pieces.append({token.text!r})", token.location, token.text))
        if ends:
            raise opened_at.error(f"this {opener} is never closed: {ends[-1]} is missing")
        return lines, Token("", "", opened_at)

    def _parse_statement(self, token: Token, lines_before: list[Line]) -> list[Line]:
        """Parse a statement, up to its end; return its code, which is none for ``extends``."""
        keyword, location = token.keyword, token.location
        is_outermost = self._depth == 1
        if keyword == "block":
            return self._parse_block(token)
        if keyword == "extends":
            if not is_outermost or self.parent or not all(line.text for line in lines_before):
                raise location.error("extends must be the first tag of a file, and the only one")
            self.parent = (token.file_name(), location)
            self.prefix = "".join(line.text for line in lines_before)
            return []
        if keyword not in ("if", "for", "include"):
            raise location.error(f"{keyword!r} is not expected here; there are if, for, include, extends and block")
        if is_outermost and self.parent:
            raise location.error(f"a file that extends another has no {keyword} outside of its blocks")
        if keyword == "include":
            return [Line(f"context.include({token.file_name()!r}, {location!r}, {self._visible_scope()})", location)]
        return self._parse_if(token) if keyword == "if" else self._parse_for(token)

    def _parse_if(self, opening: Token) -> list[Line]:
        lines: list[Line] = []
        token = opening
        while (keyword := token.keyword) in ("if", "elif"):
            location = token.location
            test = self._expression(compile_expression, token.arguments, location)
            body, token = self.parse_body("if", opening.location, "elif", "else", "endif")
            lines += [Line(f"{keyword} {test}:", location), *_indented(body, location)]
        return lines + self._parse_else(token, "endif")

    def _parse_for(self, opening: Token) -> list[Line]:
        header, location = FOR.fullmatch(opening.arguments), opening.location
        if header is None:
            raise location.error(
                f"write {{% for x in xs %}} or {{% for a, b in pairs %}}, not 'for {opening.arguments}'"
            )
        names = re.split(r"\s*,\s*", header[1])
        for name in names:
            try:
                check_name(name)
            except ExpressionError as error:
                raise location.error(error) from None
        values = self._expression(compile_expression, header[2], location)
        variables_around = self._loop_variables
        own_variables = {name: f"{name}_{self._depth}" for name in names}
        self._loop_variables = variables_around | own_variables
        self._loop_is_used.append(False)
        body, token = self.parse_body("for", location, "else", "endfor")
        uses_loop = self._loop_is_used.pop()
        self._loop_variables = variables_around
        target = ", ".join(own_variables[name] for name in names)
        return _for_lines(target, values, body, uses_loop, location) + self._parse_else(token, "endfor")

    def _visible_scope(self) -> str:
        """Return the code of the scope that a file which is included here sees."""
        if not self._loop_variables:
            return "scope"
        variables = [f"{name!r}: {variable}" for name, variable in self._loop_variables.items()]
        return f"scope.inner({{{', '.join(variables)}}})"

    def _parse_else(self, token: Token, end: str) -> list[Line]:
        """Parse what is left of an ``if`` or ``for``: from its ``else``, where ``token`` is one, to its ``end``."""
        lines: list[Line] = []
        if token.keyword == "else":
            token.expect_no_arguments()
            location = token.location
            body, token = self.parse_body("else", location, end)
            lines = [Line("else:", location), *_indented(body, location)]
        token.expect_no_arguments()
        return lines

    def _parse_block(self, opening: Token) -> list[Line]:
        name, location = opening.arguments, opening.location
        if not NAME.fullmatch(name):
            raise location.error(f"a block has one name of letters, digits and underscores, not {name!r}")
        if name in self.blocks:
            raise location.error(f"this file has a block {name!r} already")
        self.blocks[name] = []  # takes the name, also for the blocks inside
        # A block sees nothing of the loops that it stands in.
        loops_around, self._loop_is_used = self._loop_is_used, []
        variables_around, self._loop_variables = self._loop_variables, {}
        self.blocks[name], end = self.parse_body(f"block {name}", location, "endblock")
        self._loop_is_used, self._loop_variables = loops_around, variables_around
        if end.arguments != name:
            end.expect_no_arguments()
        return [Line(f"context.blocks[{name!r}](context, context.variables)", location)]

    def _expression(self, compile_it: _CompileFunction, text: str, location: SourceLocation) -> str:
        try:
            expression = compile_it(text, self._loop_variables)
        except ExpressionError as error:
            raise location.error(error) from None
        if expression.uses_loop:
            self._loop_is_used = [True] * len(self._loop_is_used)
        return expression.code


# Python code. "{% for x in xs %}<p>{{ x }}{% else %}none{% endfor %}" ->
#
#    def render(context, scope):
#        pieces = context.pieces
#        if items := iterator(scope['xs']):
#            for x_1 in items:
#                pieces.append('<p>')
#                pieces.append(escape(x_1))
#        else:
#            pieces.append('none')


class Line(NamedTuple):
    """A line of Python code, and the tag that it comes from. Of a text alone, ``text`` is what it writes."""

    code: str
    location: SourceLocation
    text: str = ""


def _for_lines(target: str, values: str, body: list[Line], uses_loop: bool, at: SourceLocation) -> list[Line]:
    """Return the code of a loop. Where there are no values it does nothing, and an ``else:`` may follow.

    As in Jinja2, a loop sets ``loop`` only where its body uses it; what the body includes sees it only then. Without it
    each value is asked for in its turn: the groups of ``itertools.groupby`` are gone when the next one is.
    """
    if not uses_loop:
        loop = [Line(f"for {target} in items:", at), *_indented(body, at)]
        return [Line(f"if items := iterator({values}):", at), *_indented(loop, at)]
    loop = [
        Line("scope = scope.inner({})", at),
        Line(f"for scope['loop'], ({target}) in numbered(items):", at),
        *_indented(body, at),
        Line("scope = scope.outer", at),
    ]
    return [Line(f"if items := list({values}):", at), *_indented(loop, at)]


def _indented(lines: list[Line], at: SourceLocation) -> list[Line]:
    return [Line(f" {line.code}", line.location) for line in lines or [Line("pass", at)]]


# All that the code can name, beside its own variables: ``context``, ``scope``, ``pieces``, ``items``, ``value``, and
# those of loops, whose names end in a number. All else that a template says is in it as literals, so that no template
# runs code of its own.
_FUNCTIONS = (SourceLocation, attribute, dict, escape, item, iterator, list, numbered, type, unescaped)
_GLOBALS: dict[str, Any] = {"__builtins__": {}, **{function.__name__: function for function in _FUNCTIONS}}
_HEAD = ("def render(context, scope):", " pieces = context.pieces")


def _make_render(lines: list[Line]) -> Render:
    """Make a function of lines of code. What fails in one of them becomes a ``TemplateError`` at its tag."""
    namespace = dict(_GLOBALS)
    source = "\n".join([*_HEAD, *(f" {line.code}" for line in lines)])
    try:
        exec(compile(source, "<template>", "exec"), namespace)
    except (RecursionError, MemoryError):
        raise lines[0].location.error("an if behind this has too many branches for Python to compile") from None
    render = namespace["render"]

    def render_here(context: RenderContext, scope: Scope) -> None:
        try:
            render(context, scope)
        except TemplateError:  # in a file that is included
            raise
        except Exception as error:
            traceback = error.__traceback__ and error.__traceback__.tb_next
            if traceback is None:  # Python's stack was full before it began
                raise
            line = lines[traceback.tb_lineno - len(_HEAD) - 1]
            raise line.location.error(error) from error

    return render_here
