"""Compile a template: from its text to tokens, to nodes, which are functions that write the text.

``"Hi {{ name }}"`` -> tokens ``"Hi "``, ``{{ name`` -> nodes that write ``"Hi "`` and the escaped value of ``name``.

The language is a strict subset of Jinja2 3.1 with ``autoescape=True``: a template that compiles renders the same there.
The parser reads no files: it is given a template's text, and ``engine`` follows ``extends`` and ``include``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .expressions import (
    Evaluate,
    Expression,
    ExpressionError,
    Scope,
    check_name,
    compile_for,
    compile_output,
    compile_test,
)

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
            problem = f"{type(problem).__name__}: {problem}"
        return TemplateError(f"{self.path}, line {self.line}: {problem}")


@dataclass(slots=True)
class RenderContext:
    """The values that all nodes of a template share while it is rendered.

    ``variables`` are those that the template was rendered with, without the variables of its loops.
    """

    write: Callable[[str], None]
    variables: Scope
    blocks: Mapping[str, Node]
    include: Callable[[str, SourceLocation, Scope], None]


Node = Callable[[RenderContext, Scope], None]  # writes a part of the template, with the variables in scope


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template: ``body`` writes it, ``blocks`` are its blocks by name.

    ``parent`` is the name of the template that it extends, and where it says so; ``prefix`` is the text before that.
    """

    path: str
    body: Node
    blocks: Mapping[str, Node]
    parent: tuple[str, SourceLocation] | None
    prefix: str


def compile_template(path: str, source: bytes) -> Template:
    """Compile the bytes of the file ``path``. Raises ``TemplateError`` for what is not in the language."""
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        location = SourceLocation(path, source.count(b"\n", 0, error.start) + 1)
        raise location.error("the file is not UTF-8") from error
    # One newline at the end of the file is not part of the template: Jinja2's keep_trailing_newline=False.
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    parser = _Parser(_tokenize(path, text))
    body, _ = parser.parse_body("the file", SourceLocation(path, 1))
    return Template(path, body, parser.blocks, parser.parent, parser.prefix)


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
        self.blocks: dict[str, Node] = {}
        self.parent: tuple[str, SourceLocation] | None = None
        self.prefix = ""
        self._tokens = tokens
        self._depth = 0
        self._loop_is_used: list[bool] = []  # for each loop around the current token: does its body use `loop`?

    def parse_body(self, opener: str, opened_at: SourceLocation, *ends: str) -> tuple[Node, Token]:
        """Parse up to a statement whose keyword is one of ``ends``; return the node of it all, and that statement.

        Without ``ends``, parse up to the end of the file. ``opener`` is named by the error for a missing end.
        """
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise opened_at.error(f"tags may be nested {MAX_NESTING} deep, no deeper")
        nodes: list[str | Node] = []
        for token in self._tokens:
            if token.kind == "{{":
                nodes.append(_output_node(self._compile(compile_output, token.text, token.location)))
            elif token.kind == "{%":
                if token.keyword in ends:
                    self._depth -= 1
                    return _sequence_node(nodes), token
                nodes += self._parse_statement(token, nodes)
            elif not token.kind:
                nodes.append(token.text)
        if ends:
            raise opened_at.error(f"this {opener} is never closed: {ends[-1]} is missing")
        return _sequence_node(nodes), Token("", "", opened_at)

    def _parse_statement(self, token: Token, nodes_before: list[str | Node]) -> list[Node]:
        """Parse a statement, up to its end; return its node, or none for ``extends``."""
        keyword, location = token.keyword, token.location
        is_outermost = self._depth == 1
        if keyword == "block":
            return [self._parse_block(token)]
        if keyword == "extends":
            if not is_outermost or self.parent or not all(isinstance(node, str) for node in nodes_before):
                raise location.error("extends must be the first tag of a file, and the only one")
            self.parent = (token.file_name(), location)
            self.prefix = "".join(str(node) for node in nodes_before)
            return []
        if keyword not in ("if", "for", "include"):
            raise location.error(f"{keyword!r} is not expected here; there are if, for, include, extends and block")
        if is_outermost and self.parent:
            raise location.error(f"a file that extends another has no {keyword} outside of its blocks")
        if keyword == "include":
            return [_include_node(token.file_name(), location)]
        return [self._parse_if(token) if keyword == "if" else self._parse_for(token)]

    def _parse_if(self, opening: Token) -> Node:
        branches = []
        token = opening
        while token.keyword in ("if", "elif"):
            test = self._compile(compile_test, token.arguments, token.location)
            body, token = self.parse_body("if", opening.location, "elif", "else", "endif")
            branches.append((test, body))
        return _if_node(branches, self._parse_else(token, "endif"))

    def _parse_for(self, opening: Token) -> Node:
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
        items = self._compile(partial(compile_for, names), header[2], location)
        self._loop_is_used.append(False)
        body, token = self.parse_body("for", location, "else", "endfor")
        uses_loop = self._loop_is_used.pop()
        return _for_node(items, body, self._parse_else(token, "endfor"), uses_loop)

    def _parse_else(self, token: Token, end: str) -> Node:
        """Parse what is left of an ``if`` or ``for``: from its ``else``, where ``token`` is one, to its ``end``."""
        body = _sequence_node([])
        if token.keyword == "else":
            token.expect_no_arguments()
            body, token = self.parse_body("else", token.location, end)
        token.expect_no_arguments()
        return body

    def _parse_block(self, opening: Token) -> Node:
        name, location = opening.arguments, opening.location
        if not NAME.fullmatch(name):
            raise location.error(f"a block has one name of letters, digits and underscores, not {name!r}")
        if name in self.blocks:
            raise location.error(f"this file has a block {name!r} already")
        node = _block_node(name)
        self.blocks[name] = node  # takes the name, also for the blocks inside
        # A block sees nothing of the loops that it stands in.
        loops_around, self._loop_is_used = self._loop_is_used, []
        self.blocks[name], end = self.parse_body(f"block {name}", location, "endblock")
        self._loop_is_used = loops_around
        if end.arguments != name:
            end.expect_no_arguments()
        return node

    def _compile(self, compile_it: Callable[[str], Expression], text: str, location: SourceLocation) -> Evaluate:
        try:
            expression = compile_it(text)
        except ExpressionError as error:
            raise location.error(error) from None
        if expression.uses_loop:
            self._loop_is_used = [True] * len(self._loop_is_used)
        return _with_location(expression, location)


def _with_location(expression: Expression, location: SourceLocation) -> Evaluate:
    """Return a function for the value of ``expression``; what that raises becomes a ``TemplateError`` at the tag."""
    evaluate, convert = expression.evaluate, expression.convert

    def evaluate_here(scope: Scope) -> Any:
        try:
            return convert(evaluate(scope))
        except Exception as error:
            raise location.error(error) from error

    return evaluate_here


# Nodes


def _sequence_node(nodes: list[str | Node]) -> Node:
    pieces = tuple(node for node in nodes if node != "")

    def render(context: RenderContext, scope: Scope) -> None:
        write = context.write
        for piece in pieces:
            if isinstance(piece, str):
                write(piece)
            else:
                piece(context, scope)

    return render


def _output_node(evaluate: Evaluate) -> Node:
    return lambda context, scope: context.write(evaluate(scope))


def _if_node(branches: list[tuple[Evaluate, Node]], else_body: Node) -> Node:
    def render(context: RenderContext, scope: Scope) -> None:
        for test, body in branches:
            if test(scope):
                body(context, scope)
                return
        else_body(context, scope)

    return render


def _for_node(items: Evaluate, body: Node, else_body: Node, uses_loop: bool) -> Node:
    # As in Jinja2, a loop sets ``loop`` only where its body uses it; what the body includes sees it only then.
    def render(context: RenderContext, scope: Scope) -> None:
        iterations = items(scope)
        if not iterations:
            else_body(context, scope)
        inner = dict(scope)
        for index, variables in enumerate(iterations):
            inner.update(variables)
            if uses_loop:
                inner["loop"] = _loop_variable(index, len(iterations))
            body(context, inner)

    return render


def _loop_variable(index0: int, length: int) -> dict[str, Any]:
    index = index0 + 1
    return {"index": index, "index0": index0, "first": index0 == 0, "last": index == length, "length": length}


def _include_node(name: str, location: SourceLocation) -> Node:
    return lambda context, scope: context.include(name, location, scope)


def _block_node(name: str) -> Node:
    """Return a node that writes the block of that name: this file's own, or that of a file which extends it."""
    return lambda context, scope: context.blocks[name](context, context.variables)
