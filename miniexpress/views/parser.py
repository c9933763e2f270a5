"""The built-in template engine, a strict subset of Jinja2: from a template's text to the functions that write it.

What is taken renders the same under Jinja2 3.1 with ``autoescape=True``. Where its files are is none of its business:
it is given their text, and a function that includes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from .expressions import Evaluate, Expression, Problem, Scope, check_name, compile_output, compile_test, compile_turns


class TemplateError(Exception):
    """What is wrong with a template, and where: ``views/account.html, line 3: 'user' is undefined``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tag begins; lines count from 1."""

    path: str
    line: int

    def error(self, problem: str | Exception) -> TemplateError:
        if isinstance(problem, Exception) and not isinstance(problem, Problem):
            problem = f"{type(problem).__name__}: {problem}"
        return TemplateError(f"{self.path}, line {self.line}: {problem}")


@dataclass(slots=True)
class Rendering:
    """What every node of one template needs: ``context`` has the template's own names, without those of loops."""

    write: Callable[[str], None]
    context: Scope
    blocks: Mapping[str, Node]
    include: Callable[[str, Place, Scope], None]


Node = Callable[[Rendering, Scope], None]


@dataclass(frozen=True, slots=True)
class Template:
    """``body`` writes it. ``parent`` is what it extends and where it says so; ``prefix`` the text before that tag."""

    path: str
    body: Node
    blocks: Mapping[str, Node]
    parent: tuple[str, Place] | None
    prefix: str


def compile_template(path: str, source: bytes) -> Template:
    """Raises ``TemplateError`` for what is no template, or one beyond this subset."""
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        place = Place(path, source.count(b"\n", 0, error.start) + 1)
        raise place.error("the file is not UTF-8") from error
    # One newline at the end of the file is not part of the template: Jinja2's keep_trailing_newline=False.
    parser = _Parser(_tags(path, text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")))
    body, _ = parser.body("the file", Place(path, 1))
    return Template(path, body, parser.blocks, parser.parent, parser.prefix)


@dataclass(slots=True)
class _Tag:
    """A piece of a template: ``kind`` is ``{{``, ``{%``, or nothing for plain text.

    What stands in ``{% %}`` is a ``word``, and the ``rest``.
    """

    kind: str
    text: str
    place: Place

    @property
    def word(self) -> str:
        return re.split(r"\W", self.text, maxsplit=1)[0]

    @property
    def rest(self) -> str:
        return self.text[len(self.word) :].strip()

    def alone(self) -> None:
        if self.rest:
            raise self.place.error(f"{self.word} stands alone, without {self.rest!r}")

    def file_name(self) -> str:
        quoted = _QUOTED.fullmatch(self.rest)
        if quoted is None:
            raise self.place.error(f'{self.word} takes a file name in quotes and no more: {self.word} "layout.html"')
        return quoted[0][1:-1]


def _tags(path: str, source: str) -> Iterator[_Tag]:
    position = counted = 0
    line = 1
    while (opening := _OPENING.search(source, position)) is not None:
        start, kind = opening.start(), opening.group()
        line, counted = line + source.count("\n", counted, start), start
        place = Place(path, line)
        tag = _CONTENT[kind].match(source, opening.end())
        if tag is None:
            raise place.error(f"this {kind} is never closed, or a string in it is not")
        left, content = tag.groups()
        text = source[position:start]
        yield _Tag("", text.rstrip() if left else text, place)
        yield _Tag(kind, content.removesuffix("-").strip(), place)
        position = tag.end()
        if content.endswith("-") and (blank := _BLANK.match(source, position)):
            position = blank.end()
    yield _Tag("", source[position:], Place(path, line))


# What follows an opening: a minus, and all up to the closing that stands in no string. That is (?>(…)*), which means
# (…)*+, since Python before 3.11.5 finds nothing with a possessive repeat of what has one in itself.
_STRING = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_OPENING = re.compile(r"\{[{%#]")
_CONTENT = {
    "{{": re.compile(rf"(-?+)((?>(?:[^'\"}}]|{_STRING}|\}}(?!\}}))*))\}}\}}", re.DOTALL),
    "{%": re.compile(rf"(-?+)((?>(?:[^'\"%]|{_STRING}|%(?!\}}))*))%\}}", re.DOTALL),
    "{#": re.compile(r"(-?+)(.*?)#\}", re.DOTALL),
}
_BLANK = re.compile(r"\s+")


class _Parser:
    """Goes through the tags of one template once; ``blocks``, ``parent`` and ``prefix`` are what it met on the way."""

    def __init__(self, tags: Iterator[_Tag]) -> None:
        self.blocks: dict[str, Node] = {}
        self.parent: tuple[str, Place] | None = None
        self.prefix = ""
        self._tags = tags
        self._depth = 0
        # For each loop around the tag at hand: does its body ask for `loop`?
        self._loops: list[bool] = []

    def body(self, opener: str, opened: Place, *ends: str) -> tuple[Node, _Tag]:
        """The nodes up to a statement that is one of ``ends``, and that statement."""
        self._depth += 1
        if self._depth > _NESTING:
            raise opened.error(f"tags may be nested {_NESTING} deep, no deeper")
        nodes: list[str | Node] = []
        for tag in self._tags:
            if tag.kind == "{{":
                nodes.append(_output(self._compiled(compile_output, tag.text, tag.place)))
            elif tag.kind == "{%":
                if tag.word in ends:
                    self._depth -= 1
                    return _sequence(nodes), tag
                nodes += self._nodes(tag, nodes)
            elif not tag.kind:
                nodes.append(tag.text)
        if ends:
            raise opened.error(f"this {opener} is never closed: {ends[-1]} is missing")
        return _sequence(nodes), _Tag("", "", opened)

    def _nodes(self, tag: _Tag, before: list[str | Node]) -> list[Node]:
        outermost = self._depth == 1
        if tag.word == "block":
            return [self._block(tag)]
        if tag.word == "extends":
            if not outermost or self.parent or not all(isinstance(node, str) for node in before):
                raise tag.place.error("extends must be the first tag of a file, and the only one")
            self.parent = (tag.file_name(), tag.place)
            self.prefix = "".join(str(node) for node in before)
            return []
        if tag.word not in ("if", "for", "include"):
            raise tag.place.error(f"{tag.word!r} is not expected here; there are if, for, include, extends and block")
        if outermost and self.parent:
            raise tag.place.error(f"a file that extends another has no {tag.word} outside of its blocks")
        if tag.word == "include":
            return [_include(tag.file_name(), tag.place)]
        return [self._if(tag) if tag.word == "if" else self._for(tag)]

    def _if(self, opened: _Tag) -> Node:
        branches = []
        tag = opened
        while tag.word in ("if", "elif"):
            test = self._compiled(compile_test, tag.rest, tag.place)
            body, tag = self.body("if", opened.place, "elif", "else", "endif")
            branches.append((test, body))
        return _if(branches, self._otherwise(tag, "endif"))

    def _for(self, opened: _Tag) -> Node:
        header, place = _FOR.fullmatch(opened.rest), opened.place
        if header is None:
            raise place.error(f"write {{% for x in xs %}} or {{% for a, b in pairs %}}, not 'for {opened.rest}'")
        names = re.split(r"\s*,\s*", header[1])
        for name in names:
            try:
                check_name(name)
            except Problem as problem:
                raise place.error(problem) from None
        turns = self._compiled(partial(compile_turns, names), header[2], place)
        self._loops.append(False)
        body, tag = self.body("for", place, "else", "endfor")
        asks_loop = self._loops.pop()
        return _for(turns, body, self._otherwise(tag, "endfor"), asks_loop)

    def _otherwise(self, tag: _Tag, end: str) -> Node:
        body = _sequence([])
        if tag.word == "else":
            tag.alone()
            body, tag = self.body("else", tag.place, end)
        tag.alone()
        return body

    def _block(self, opened: _Tag) -> Node:
        name, place = opened.rest, opened.place
        if not _NAME.fullmatch(name):
            raise place.error(f"a block has one name of letters, digits and underscores, not {name!r}")
        if name in self.blocks:
            raise place.error(f"this file has a block {name!r} already")
        self.blocks[name] = node = _block(name)
        # A block sees nothing of the loops that it stands in.
        around, self._loops = self._loops, []
        self.blocks[name], end = self.body(f"block {name}", place, "endblock")
        self._loops = around
        if end.rest != name:
            end.alone()
        return node

    def _compiled(self, compile_it: Callable[[str], Expression], text: str, place: Place) -> Evaluate:
        try:
            expression = compile_it(text)
        except Problem as problem:
            raise place.error(problem) from None
        if expression.asks_loop:
            self._loops = [True] * len(self._loops)
        return _told(expression, place)


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r""""[^"\\\0\n]+"|'[^'\\\0\n]+'""")
_FOR = re.compile(rf"({_NAME.pattern}(?:\s*,\s*{_NAME.pattern})*)\s+in\b(.*)", re.DOTALL)

# Python, and so Jinja2, compiles about 20 loops within one another and no more.
_NESTING = 16


def _sequence(nodes: list[str | Node]) -> Node:
    pieces = tuple(node for node in nodes if node != "")

    def render(run: Rendering, scope: Scope) -> None:
        write = run.write
        for piece in pieces:
            if isinstance(piece, str):
                write(piece)
            else:
                piece(run, scope)

    return render


def _told(expression: Expression, place: Place) -> Evaluate:
    """What an expression gives its tag, with whatever goes wrong told as an error of that."""
    evaluate, convert = expression.evaluate, expression.convert

    def told(scope: Scope) -> Any:
        try:
            return convert(evaluate(scope))
        except Exception as error:
            raise place.error(error) from error

    return told


def _output(evaluate: Evaluate) -> Node:
    return lambda run, scope: run.write(evaluate(scope))


def _if(branches: list[tuple[Evaluate, Node]], otherwise: Node) -> Node:
    def render(run: Rendering, scope: Scope) -> None:
        for test, body in branches:
            if test(scope):
                body(run, scope)
                return
        otherwise(run, scope)

    return render


def _for(turns: Evaluate, body: Node, otherwise: Node, asks_loop: bool) -> Node:
    def render(run: Rendering, scope: Scope) -> None:
        given, inner = turns(scope), dict(scope)
        if not given:
            otherwise(run, scope)
        for index, names in enumerate(given):
            inner.update(names)
            if asks_loop:
                inner["loop"] = _loop(index, len(given))
            body(run, inner)

    return render


def _loop(index0: int, length: int) -> dict[str, Any]:
    """What a template sees as ``loop``. Jinja2 gives it to a loop, and to what the loop includes, only if asked for."""
    index = index0 + 1
    return {"index": index, "index0": index0, "first": index0 == 0, "last": index == length, "length": length}


def _include(name: str, place: Place) -> Node:
    return lambda run, scope: run.include(name, place, scope)


def _block(name: str) -> Node:
    return lambda run, scope: run.blocks[name](run, run.context)
