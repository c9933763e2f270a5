"""Compile the expressions of templates: what stands in ``{{ user.name }}``, ``{% if a and not b %}``, ``{% for %}``.

An expression is parsed by Python's own ``ast`` and compiled to nested closures that take the names in scope. There are
names, literals, dots, items, comparisons, ``not``, ``and`` and ``or``; nothing is ever called. Whatever compiles means
the same as in Jinja2 3.1, down to how an undefined name prints and compares.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

MAX_LENGTH = 2_000  # characters
MAX_NESTING = 16  # Jinja2 renders deeper expressions too, until its own recursion fails

CONSTANTS = {"true": True, "false": False, "none": None}
LOOP_ATTRIBUTES = {"index", "index0", "first", "last", "length"}

# The constants, and the objects and functions that Jinja2 finds where the context has no such name.
RESERVED_NAMES = {
    *CONSTANTS, "True", "False", "None", "loop", "self", "super",
    "range", "dict", "lipsum", "cycler", "joiner", "namespace",
}  # fmt: skip

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}

# Literals that Python and Jinja2 read differently are left out: other escapes, 1_000, 1e9, 0x1f.
TOKEN = re.compile(
    r"""\s*(
        '(?:[^'\\\n]|\\['"\\nrt])*+'
      | "(?:[^"\\\n]|\\['"\\nrt])*+"
      | (?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?
      | [A-Za-z_][A-Za-z0-9_]*+
      | [=!<>]= | [][<>().,|-]
    )\s*""",
    re.VERBOSE,
)

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope], Any]


class ExpressionError(Exception):
    """Something that a template may not do, found when it is compiled or when it is rendered."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: ``convert(evaluate(scope))`` is the value that its tag needs.

    ``uses_loop`` is true when ``loop`` is among its names.
    """

    evaluate: Evaluate
    convert: Callable[[Any], Any]
    uses_loop: bool


def compile_output(text: str) -> Expression:
    """Compile the text of ``{{ … }}``: its value is HTML, escaped unless the text ends in ``|safe``.

    Raises ``ExpressionError`` for what is not in the language, as do ``compile_test`` and ``compile_for``.
    """
    tree, to_html = _parse(text), escape
    match tree:
        case ast.BinOp(op=ast.BitOr(), left=inner, right=ast.Name(id="safe")):
            tree, to_html = inner, _unescaped
    return _expression(tree, to_html)


def compile_test(text: str) -> Expression:
    """Compile the condition of ``{% if … %}``: its value is a bool."""
    return _expression(_parse(text), bool)


def compile_for(names: list[str], text: str) -> Expression:
    """Compile the iterable of ``{% for names in … %}``: its value is a list with the variables of each iteration.

    ``["key", "value"]`` in ``[("a", 1), ("b", 2)]`` -> ``[{"key": "a", "value": 1}, {"key": "b", "value": 2}]``.
    """

    def items(values: Any) -> list[dict[str, Any]]:
        if len(names) == 1:
            return [{names[0]: value} for value in values]
        return [dict(zip(names, value, strict=True)) for value in values]

    return _expression(_parse(text), items)


def check_name(name: str) -> None:
    """Raise ``ExpressionError`` for a name that no template may read or assign."""
    if name in RESERVED_NAMES:
        raise ExpressionError(f"{name!r} means something of its own in Jinja2: use another name")


def escape(value: Any) -> str:
    """Return a value as HTML text, escaped as markupsafe 3.0 does: ``"<a>"`` -> ``"&lt;a&gt;"``.

    An object with ``__html__`` is written by that, unescaped; ``None`` is written as nothing.
    """
    if type(value) is not str:
        if value is None or hasattr(value, "__html__"):
            return _unescaped(value)
        value = str(value)
    escaped: str = value.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
    return escaped.replace("'", "&#39;").replace('"', "&#34;")


class Undefined:
    """The value of an undefined name, as ``jinja2.Undefined``: prints as nothing, is false, empty, equal to its kind.

    To order it, or to read an attribute or item of it, raises ``ExpressionError`` with ``reason``.
    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

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
        raise ExpressionError(self.reason)

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def _unescaped(value: Any) -> str:
    if value is None:
        return ""
    return str(value.__html__() if hasattr(value, "__html__") else value)


def _expression(tree: ast.expr, convert: Callable[[Any], Any]) -> Expression:
    uses_loop = any(isinstance(node, ast.Name) and node.id == "loop" for node in ast.walk(tree))
    return Expression(_compile(tree), convert, uses_loop)


def _parse(text: str) -> ast.expr:
    """Return Python's syntax tree of ``text``. Raises ``ExpressionError`` for a token that the language does not have.

    The tokens are joined by blanks, so that what only Python understands (comments, ``**``, string prefixes) falls
    apart and is a syntax error.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have {MAX_LENGTH} characters, not {len(text)}")
    tokens = []
    position = 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None:
            raise ExpressionError(f"an expression cannot have {text[position : position + 20]!r} in it")
        tokens.append(token[1])
        position = token.end()
    try:
        return ast.parse(" ".join(tokens), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"{text!r} is no expression" if text else "an expression is missing") from None


def _compile(tree: ast.expr, depth: int = 1) -> Evaluate:
    if depth > MAX_NESTING:
        raise ExpressionError(f"an expression may be nested {MAX_NESTING} deep, no deeper")

    def compiled(part: ast.expr) -> Evaluate:
        return _compile(part, depth + 1)

    match tree:
        case ast.Name(id=name) if name in CONSTANTS:
            return lambda scope: CONSTANTS[name]
        case ast.Name(id=name):
            return _name(name)
        case ast.Constant(value=value):
            return lambda scope: value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return lambda scope: -number
        case ast.Attribute(value=ast.Name(id="loop"), attr=name) if name in LOOP_ATTRIBUTES:
            return _attribute(_variable("loop"), name)
        case ast.Attribute(value=owner, attr=name):
            return _attribute(compiled(owner), name)
        case ast.Subscript(value=owner, slice=key):
            return _item(compiled(owner), compiled(key))
        case ast.List(elts=elements):
            parts = [compiled(element) for element in elements]
            return lambda scope: [part(scope) for part in parts]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            negated = compiled(operand)
            return lambda scope: not negated(scope)
        case ast.BoolOp(op=ast.And(), values=values):
            return _and_or([compiled(value) for value in values], stop_at=False)
        case ast.BoolOp(op=ast.Or(), values=values):
            return _and_or([compiled(value) for value in values], stop_at=True)
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(op) in COMPARISONS for op in ops):
            rest = [(COMPARISONS[type(op)], compiled(part)) for op, part in zip(ops, comparators, strict=True)]
            return _comparison(compiled(left), rest)
        case ast.Call():
            raise ExpressionError("nothing is called in a template: give it the value")
        case ast.BinOp(op=ast.BitOr()):
            raise ExpressionError("the only filter is |safe, at the end of {{ }}: {{ (a or b)|safe }}")
    raise ExpressionError(
        "an expression is made of names, literals, dots, [items], comparisons, not, and, or; nothing else"
    )


def _name(name: str) -> Evaluate:
    if name == "loop":
        raise ExpressionError(f"of a loop there is loop.{', loop.'.join(sorted(LOOP_ATTRIBUTES))}")
    check_name(name)
    return _variable(name)


def _variable(name: str) -> Evaluate:
    undefined = Undefined(f"{name!r} is undefined")
    return lambda scope: scope.get(name, undefined)


def _attribute(owner: Evaluate, name: str) -> Evaluate:
    """Compile ``owner.name``: the attribute, or else the item of that name."""
    is_private = name.startswith("_")
    is_no_dict_attribute = not hasattr(dict, name)

    def evaluate(scope: Scope) -> Any:
        value = owner(scope)
        # Optimisation: most values are dicts, and trying an attribute of a dict first takes twice as long.
        if is_no_dict_attribute and type(value) is dict:
            return value[name] if name in value else _undefined_attribute(value, name)
        if type(value) is Undefined:
            raise ExpressionError(value.reason)
        if is_private:
            _reject_private(value, name)
        try:
            return _reject_callable(getattr(value, name), value, name)
        except AttributeError:
            try:
                return value[name]
            except (TypeError, LookupError, AttributeError):
                return _undefined_attribute(value, name)

    return evaluate


def _item(owner: Evaluate, key: Evaluate) -> Evaluate:
    """Compile ``owner[key]``: the item, or else, for a str, the attribute of that name."""

    def evaluate(scope: Scope) -> Any:
        value, name = owner(scope), key(scope)
        if type(value) is Undefined:
            raise ExpressionError(value.reason)
        try:
            return value[name]
        except (TypeError, LookupError, AttributeError):
            if not isinstance(name, str):
                return _undefined_attribute(value, name)
        if name.startswith("_"):
            _reject_private(value, name)
        try:
            return _reject_callable(getattr(value, name), value, name)
        except AttributeError:
            return _undefined_attribute(value, name)

    return evaluate


def _reject_private(value: Any, name: str) -> None:
    """Raise ``ExpressionError`` for an attribute with a leading underscore.

    A mapping without such an attribute is let through: there the name is an item, as the ``_id`` of a document.
    """
    if not isinstance(value, Mapping) or hasattr(type(value), name) or name in getattr(value, "__dict__", ()):
        raise ExpressionError(
            f"no template reaches attributes with a leading underscore as {name!r}; an item is ['{name}']"
        )


def _reject_callable(attribute: Any, owner: Any, name: str) -> Any:
    """Return ``attribute``, or raise ``ExpressionError`` where it can be called."""
    if callable(attribute):
        raise ExpressionError(
            f"{name!r} is a method of {type(owner).__name__}, and nothing is called; an item is ['{name}']"
        )
    return attribute


def _undefined_attribute(value: Any, name: Any) -> Undefined:
    return Undefined(f"{type(value).__name__} has no {name!r}")


def _and_or(operands: list[Evaluate], stop_at: bool) -> Evaluate:
    """Compile ``and`` (stops at the first false operand) or ``or`` (at the first true one): its value is the last
    operand that was evaluated."""

    def evaluate(scope: Scope) -> Any:
        result: Any = None
        for operand in operands:
            result = operand(scope)
            if bool(result) is stop_at:
                break
        return result

    return evaluate


def _comparison(first: Evaluate, rest: list[tuple[Callable[[Any, Any], Any], Evaluate]]) -> Evaluate:
    """Compile ``a < b < c``: each operand is evaluated once, up to the first comparison that is false."""

    def evaluate(scope: Scope) -> Any:
        left = first(scope)
        result: Any = True
        for compare, operand in rest:
            right = operand(scope)
            result = compare(left, right)
            if not result:
                break
            left = right
        return result

    return evaluate
