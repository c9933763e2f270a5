"""Compile the expressions of templates to Python: what stands in ``{{ user.name }}``, ``{% if a and not b %}``.

``"user[0] or 'you'"`` -> ``"(item(scope['user'], 0) or 'you')"``

An expression is parsed by Python's own ``ast``, checked, and written anew: names are looked up in ``scope``, but the
variables of loops are Python's; dots and items are read by the functions in ``values``. There are names, literals,
dots, items, comparisons, ``not``, ``and`` and ``or``; nothing that a template names is ever called. Whatever compiles
means the same as in Jinja2 3.1, down to how an undefined name prints and compares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .values import DICT_ATTRIBUTES, ExpressionError

MAX_LENGTH = 2_000  # characters
MAX_NESTING = 16  # Jinja2 renders deeper expressions too, until its own recursion fails

CONSTANTS = {"true": True, "false": False, "none": None}
LOOP_ATTRIBUTES = {"index", "index0", "first", "last", "length"}

# The constants, and the objects and functions that Jinja2 finds where the context has no such name.
RESERVED_NAMES = {
    *CONSTANTS, "True", "False", "None", "loop", "self", "super",
    "range", "dict", "lipsum", "cycler", "joiner", "namespace",
}  # fmt: skip

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
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


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: the ``code`` of a Python expression. ``uses_loop`` is true when ``loop`` is in it."""

    code: str
    uses_loop: bool


def compile_expression(text: str, loop_variables: Mapping[str, str]) -> Expression:
    """Compile the text of a condition, or of what a loop goes through.

    ``loop_variables`` has the Python variables of the loops around it, by their names in the template.
    Raises ``ExpressionError`` for what is not in the language.
    """
    return _expression(_parse(text), "{}", loop_variables)


def compile_output(text: str, loop_variables: Mapping[str, str]) -> Expression:
    """Compile the text of ``{{ … }}``: its value is HTML, escaped unless the text ends in ``|safe``.

    Raises as ``compile_expression``.
    """
    tree = _parse(text)
    match tree:
        case ast.BinOp(op=ast.BitOr(), left=inner, right=ast.Name(id="safe")):
            return _expression(inner, "unescaped({})", loop_variables)
    return _expression(tree, "escape({})", loop_variables)


def check_name(name: str) -> None:
    """Raise ``ExpressionError`` for a name that no template may read or assign."""
    if name in RESERVED_NAMES:
        raise ExpressionError(f"{name!r} means something of its own in Jinja2: use another name")


def _expression(tree: ast.expr, form: str, loop_variables: Mapping[str, str]) -> Expression:
    uses_loop = any(isinstance(node, ast.Name) and node.id == "loop" for node in ast.walk(tree))
    return Expression(form.format(_code(tree, loop_variables)), uses_loop)


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


def _code(tree: ast.expr, loop_variables: Mapping[str, str], depth: int = 1) -> str:
    """Return the Python code of an expression. All that comes from the template is a literal in it."""
    if depth > MAX_NESTING:
        raise ExpressionError(f"an expression may be nested {MAX_NESTING} deep, no deeper")

    def code(part: ast.expr) -> str:
        return _code(part, loop_variables, depth + 1)

    match tree:
        case ast.Name(id=name) if name in CONSTANTS:
            return repr(CONSTANTS[name])
        case ast.Name(id=name):
            _check_variable(name)
            return loop_variables.get(name, f"scope[{name!r}]")
        case ast.Constant(value=value):
            return repr(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return f"({-number!r})"
        case ast.Attribute(value=ast.Name(id="loop"), attr=name) if name in LOOP_ATTRIBUTES:
            return _attribute_code("scope['loop']", name)
        case ast.Attribute(value=owner, attr=name):
            return _attribute_code(code(owner), name)
        case ast.Subscript(value=owner, slice=key):
            return f"item({code(owner)}, {code(key)})"
        case ast.List(elts=elements):
            return f"[{', '.join(code(element) for element in elements)}]"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"(not {code(operand)})"
        case ast.BoolOp(op=ast.And(), values=values):
            return f"({' and '.join(code(value) for value in values)})"
        case ast.BoolOp(op=ast.Or(), values=values):
            return f"({' or '.join(code(value) for value in values)})"
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(op) in COMPARISONS for op in ops):
            rest = [f" {COMPARISONS[type(op)]} {code(part)}" for op, part in zip(ops, comparators, strict=True)]
            return f"({code(left)}{''.join(rest)})"
        case ast.Call():
            raise ExpressionError("nothing is called in a template: give it the value")
        case ast.BinOp(op=ast.BitOr()):
            raise ExpressionError("the only filter is |safe, at the end of {{ }}: {{ (a or b)|safe }}")
    raise ExpressionError(
        "an expression is made of names, literals, dots, [items], comparisons, not, and, or; nothing else"
    )


def _attribute_code(owner: str, name: str) -> str:
    """Return the code of ``owner.name``.

    Optimisation: most values are dicts, and to read an item in place takes half as long as to call ``attribute``.
    """
    if name in DICT_ATTRIBUTES:
        return f"attribute({owner}, {name!r})"
    return f"(value[{name!r}] if type(value := {owner}) is dict and {name!r} in value else attribute(value, {name!r}))"


def _check_variable(name: str) -> None:
    if name == "loop":
        raise ExpressionError(f"of a loop there is loop.{', loop.'.join(sorted(LOOP_ATTRIBUTES))}")
    check_name(name)
