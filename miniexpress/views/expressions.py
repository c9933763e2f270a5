"""The expressions of templates: names, literals, dots, items, comparisons, ``not and or``. Nothing is ever called.

What is taken means the same as in Jinja2 3.1, down to how an undefined name prints and compares.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope], Any]


class Problem(Exception):
    """Something that a template may not do, found when it is compiled or when it is rendered."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``evaluate`` gives the value from the names in scope, ``convert`` what its tag needs of that; ``asks_loop`` says
    whether ``loop`` is among the names."""

    evaluate: Evaluate
    convert: Callable[[Any], Any]
    asks_loop: bool


def compile_output(text: str) -> Expression:
    """What stands in ``{{ }}``: markup, escaped unless the text ends in ``|safe``. Raises ``Problem`` for what is
    outside of the language, as do the next two."""
    tree, markup = _parse(text), escape
    match tree:
        case ast.BinOp(op=ast.BitOr(), left=inner, right=ast.Name(id="safe")):
            tree, markup = inner, _unescaped
    return _expression(tree, markup)


def compile_test(text: str) -> Expression:
    """What stands behind ``if``: whether it is true."""
    return _expression(_parse(text), bool)


def compile_turns(names: list[str], text: str) -> Expression:
    """What stands around ``in``: for each turn of the loop, the names that it gives."""

    def turns(values: Any) -> list[dict[str, Any]]:
        if len(names) == 1:
            return [{names[0]: value} for value in values]
        return [dict(zip(names, value, strict=True)) for value in values]

    return _expression(_parse(text), turns)


def escape(value: Any) -> str:
    """A value as HTML, as markupsafe 3.0 has it: an object with ``__html__`` knows its own. ``None`` is nothing."""
    if type(value) is not str:
        if value is None or hasattr(value, "__html__"):
            return _unescaped(value)
        value = str(value)
    escaped: str = value.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
    return escaped.replace("'", "&#39;").replace('"', "&#34;")


def _unescaped(value: Any) -> str:
    if value is None:
        return ""
    return str(value.__html__() if hasattr(value, "__html__") else value)


class Undefined:
    """The value of a name that nobody gave: prints as nothing, is false and empty, equals only its like.

    To order it, or to ask for something in it, raises ``Problem``. What ``jinja2.Undefined`` is.
    """

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return "Undefined"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __eq__(self, other: object) -> bool:
        return type(other) is Undefined

    def __hash__(self) -> int:
        return hash(Undefined)

    def _refuse(self, other: object) -> NoReturn:
        raise Problem(self.why)

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def _expression(tree: ast.expr, convert: Callable[[Any], Any]) -> Expression:
    asks_loop = any(isinstance(node, ast.Name) and node.id == "loop" for node in ast.walk(tree))
    return Expression(_compile(tree), convert, asks_loop)


def _parse(text: str) -> ast.expr:
    if len(text) > _LENGTH:
        raise Problem(f"an expression may have {_LENGTH} characters, not {len(text)}")
    # One blank between tokens: what Python alone understands (comments, longer operators, prefixes) falls apart.
    tokens = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise Problem(f"an expression cannot have {text[position : position + 20]!r} in it")
        tokens.append(token[1])
        position = token.end()
    try:
        return ast.parse(" ".join(tokens), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Problem(f"{text!r} is no expression" if text else "an expression is missing") from None


def _compile(tree: ast.expr, depth: int = 1) -> Evaluate:
    if depth > _NESTING:
        raise Problem(f"an expression may be nested {_NESTING} deep, no deeper")

    def compiled(part: ast.expr) -> Evaluate:
        return _compile(part, depth + 1)

    match tree:
        case ast.Name(id=name) if name in _CONSTANTS:
            return lambda scope: _CONSTANTS[name]
        case ast.Name(id=name):
            return _name(name)
        case ast.Constant(value=value):
            return lambda scope: value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return lambda scope: -number
        case ast.Attribute(value=ast.Name(id="loop"), attr=name) if name in _LOOP:
            return _attribute(_look_up("loop"), name)
        case ast.Attribute(value=of, attr=name):
            return _attribute(compiled(of), name)
        case ast.Subscript(value=of, slice=key):
            return _item(compiled(of), compiled(key))
        case ast.List(elts=elements):
            parts = [compiled(element) for element in elements]
            return lambda scope: [part(scope) for part in parts]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            positive = compiled(operand)
            return lambda scope: not positive(scope)
        case ast.BoolOp(op=ast.And(), values=values):
            return _first([compiled(value) for value in values], truth=False)
        case ast.BoolOp(op=ast.Or(), values=values):
            return _first([compiled(value) for value in values], truth=True)
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(op) in _COMPARISONS for op in ops):
            rest = [(_COMPARISONS[type(op)], compiled(part)) for op, part in zip(ops, comparators, strict=True)]
            return _comparison(compiled(left), rest)
        case ast.Call():
            raise Problem("nothing is called in a template: give it the value")
        case ast.BinOp(op=ast.BitOr()):
            raise Problem("the only filter is |safe, at the end of {{ }}: {{ (a or b)|safe }}")
    raise Problem("an expression is made of names, literals, dots, [items], comparisons, not, and, or; nothing else")


def check_name(name: str) -> None:
    """Raises ``Problem`` for a name that no template may read or give."""
    if name in _TAKEN:
        raise Problem(f"{name!r} means something of its own in Jinja2: use another name")


def _name(name: str) -> Evaluate:
    if name == "loop":
        raise Problem(f"of a loop there is loop.{', loop.'.join(sorted(_LOOP))}")
    check_name(name)
    return _look_up(name)


def _look_up(name: str) -> Evaluate:
    undefined = Undefined(f"{name!r} is undefined")
    return lambda scope: scope.get(name, undefined)


def _attribute(of: Evaluate, name: str) -> Evaluate:
    private = name.startswith("_")
    plain = not hasattr(dict, name)  # most values are dicts, and to ask one for an attribute first takes twice as long

    def evaluate(scope: Scope) -> Any:
        value = of(scope)
        if plain and type(value) is dict:
            return value[name] if name in value else _nothing(value, name)
        if type(value) is Undefined:
            raise Problem(value.why)
        if private:
            _refuse_private(value, name)
        try:
            return _uncallable(getattr(value, name), value, name)
        except AttributeError:
            try:
                return value[name]
            except (TypeError, LookupError, AttributeError):
                return _nothing(value, name)

    return evaluate


def _item(of: Evaluate, key: Evaluate) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        value, name = of(scope), key(scope)
        if type(value) is Undefined:
            raise Problem(value.why)
        try:
            return value[name]
        except (TypeError, LookupError, AttributeError):
            if not isinstance(name, str):
                return _nothing(value, name)
        if name.startswith("_"):
            _refuse_private(value, name)
        try:
            return _uncallable(getattr(value, name), value, name)
        except AttributeError:
            return _nothing(value, name)

    return evaluate


def _refuse_private(value: Any, name: str) -> None:
    """No template reaches an attribute with a leading underscore. Where a mapping has none of that name, it is an item:
    the ``_id`` of a document."""
    if not isinstance(value, Mapping) or hasattr(type(value), name) or name in getattr(value, "__dict__", ()):
        raise Problem(f"no template reaches attributes with a leading underscore as {name!r}; an item is ['{name}']")


def _nothing(value: Any, name: Any) -> Undefined:
    return Undefined(f"{type(value).__name__} has no {name!r}")


def _uncallable(found: Any, value: Any, name: str) -> Any:
    if callable(found):
        raise Problem(f"{name!r} is a method of {type(value).__name__}, and nothing is called; an item is ['{name}']")
    return found


def _first(values: list[Evaluate], truth: bool) -> Evaluate:
    """The first value that is true, or false; or the last one."""

    def evaluate(scope: Scope) -> Any:
        result: Any = None
        for value in values:
            result = value(scope)
            if bool(result) is truth:
                break
        return result

    return evaluate


def _comparison(first: Evaluate, rest: list[tuple[Callable[[Any, Any], Any], Evaluate]]) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        left = first(scope)
        result: Any = True
        for compare, part in rest:
            right = part(scope)
            result = compare(left, right)
            if not result:
                break
            left = right
        return result

    return evaluate


# Jinja2 renders deeper ones too, but not without end: its own recursion gives out.
_NESTING = 16
_LENGTH = 2_000

_CONSTANTS = {"true": True, "false": False, "none": None}
# Besides the constants, Jinja2's own objects and functions: it finds them where the context has no such name.
_TAKEN = {*_CONSTANTS, "True", "False", "None", "loop", "self", "super"}
_TAKEN |= {"range", "dict", "lipsum", "cycler", "joiner", "namespace"}
_LOOP = {"index", "index0", "first", "last", "length"}

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}

# Where Python and Jinja2 read a literal differently (other escapes, 1_000, 1e9, 0x1f), it is not taken.
_TOKEN = re.compile(
    r"""\s*(
        '(?:[^'\\\n]|\\['"\\nrt])*+'
      | "(?:[^"\\\n]|\\['"\\nrt])*+"
      | (?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?
      | [A-Za-z_][A-Za-z0-9_]*+
      | [=!<>]= | [][<>().,|-]
    )\s*""",
    re.VERBOSE,
)
