"""The language of expressions: what each means, the same as in Jinja2, and what each fault says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from miniexpress.attrdict import AttrDict
from miniexpress.views.expressions import compile_expression, compile_output
from tests.support.templates import fault, jinja, render, write


@dataclass
class User:
    name: str
    tags: tuple[str, ...] = ()

    @property
    def initial(self) -> str:
        return self.name[0]

    def delete(self) -> None:
        raise AssertionError("a template called a method")


class Html:
    def __html__(self) -> str:
        return "<hr>"


class Secretive(dict[str, str]):
    def __init__(self, **items: str) -> None:
        super().__init__(items)
        self._own = "an attribute"

    @property
    def _name(self) -> str:
        raise AssertionError("a template reached an attribute with a leading underscore")


class Broken:
    def __str__(self) -> str:
        raise ZeroDivisionError("no text")

    @property
    def value(self) -> str:
        raise ZeroDivisionError("no value")


CONTEXT: dict[str, Any] = {
    "none": "the literal wins",
    "title": "<b>&\"'",
    "user": User("Ann <a>", ("x", "y")),
    "body": AttrDict(email="a@b", items=[1]),
    "row": {"_id": 7, "__v": 0, "name": "r", "items": "I", "a": {"b": [10, 20]}, 3: "three"},
    "pairs": [("k", 1), ("l", 2)],
    "xs": [1, 2, 3],
    "empty": [],
    "nothing": None,
    "_id": 8,
    "markup": Markup("<i>"),
    "html": Html(),
    "zero": 0,
    "key": "__class__",
    "broken": Broken(),
    "secretive": Secretive(_name="item"),
}

# Each with what it renders to: first held against Jinja2, so that the table cannot be wrong.
RENDERED = [
    ("{{ title }}", "&lt;b&gt;&amp;&#34;&#39;"),
    ("{{ title|safe }}{{ (nope or title) | safe }}", "<b>&\"'<b>&\"'"),
    ("{{ markup }}{{ html }}{{ html|safe }}{{ user.name }}", "<i><hr><hr>Ann &lt;a&gt;"),
    ("{{ none }}{{ None }}{{ true }}{{ False }}{{ 1 }}{{ -2 }}{{ 1.50 }}", "TrueFalse1-21.5"),
    ("{{ 'it\\'s' }}{{ \"a\\n\\\\\" }}{{ 'a' \"b\" }}{{ '}}' }}{{ '{{' }}", "it&#39;sa\n\\ab}}{{"),
    ("{{ [1, 'a', [nope], ] }}", "[1, &#39;a&#39;, [Undefined]]"),
    ("{{ row.a.b[1] }}{{ row['a'].b[-1] }}{{ row['name'] }}{{ row[3] }}{{ row['_id'] }}", "2020rthree7"),
    ("{{ row['items'] }}{{ body['items'] }}{{ row.a['b'][zero] }}", "I[1]10"),
    ("{{ user.name }}{{ user['name'] }}{{ user.initial }}{{ user.tags[0] }}", "Ann &lt;a&gt;Ann &lt;a&gt;Ax"),
    ("{{ body.email }}{{ body.phone }}{{ body.phone|safe }}{{ body['phone'] }}{{ body.address.city }}", "a@b"),
    ("{{ nothing }}{{ nothing|safe }}{{ zero and nothing }}{% for x in [none, 1] %}{{ x }},{% endfor %}", "0,1,"),
    (
        "{{ row._id }}{{ row['_id'] }}{{ body._id }}{{ body['_id'] }}{{ row._none }}{{ row['_none'] }}{{ row.__v }}",
        "770",
    ),
    ("{{ body._id == none }}{{ row._none == none }}{{ body._id.x }}{{ body.__v }}", "TrueFalse"),
    ("{{ _id }}{{ _none }}{% for _, x in pairs %}{{ _ }}{{ x }}{% endfor %}", "8k1l2"),
    ("{{ nope }}{{ row.nope }}{{ row['nope'] }}{{ xs[9] }}{{ xs['a'] }}{{ user.nope }}", ""),
    ("{{ nope == nix }}{{ nope == none }}{{ nope != '' }}{{ 1 in nope }}{{ not nope }}", "TrueFalseTrueFalseTrue"),
    ("{{ nope in row }}{{ row[nope] }}{{ nope in [nix] }}", "FalseTrue"),
    ("{{ 1 < 2 <= 2 == 2 }}{{ 3 > 2 >= 3 }}{{ 2 in xs }}{{ 2 not in xs }}{{ 'b' in row.a }}", "TrueFalseTrueFalseTrue"),
    ("{{ zero or 'x' }}{{ zero and 'x' }}{{ not zero and not not 1 }}{{ 1 and 2 or 3 }}", "x0True2"),
    ("{{\n  xs\n  [ 0 ]\n}}", "1"),
]


@pytest.mark.parametrize(("text", "rendered"), RENDERED)
def test_an_expression_renders_as_in_jinja2(tmp_path: Path, text: str, rendered: str) -> None:
    write(tmp_path, {"main.html": text})
    assert jinja(tmp_path, **CONTEXT) == rendered
    assert render(tmp_path, text, **CONTEXT) == rendered


# The text, the line that is at fault, and a part of the message.
FAULTS = [
    ("{{ a b }}", 1, "no expression"),
    ("{{ a # b\n }}", 1, "cannot have '# b"),
    ("{{ a) or (b }}", 1, "no expression"),
    ("{{ class }}", 1, "no expression"),
    ("{{ f() }}", 1, "nothing is called"),
    ("{{ row.items() }}", 1, "nothing is called"),
    ("\n{{ row.items }}", 2, "'items' is a method of dict, and nothing is called; an item is ['items']"),
    ("{{ user.delete }}", 1, "'delete' is a method of User"),
    ("{{ user['delete'] }}", 1, "'delete' is a method of User"),
    ("{{ body.keys }}", 1, "'keys' is a method of AttrDict"),
    ("{{ title.upper }}", 1, "'upper' is a method of str"),
    ("{{ xs['append'] }}", 1, "'append' is a method of list"),
    ("{{ user.__class__ }}", 1, "leading underscore as '__class__'; an item is ['__class__']"),
    ("{{ row.__class__ }}", 1, "leading underscore as '__class__'"),
    ("{{ body.__class__ }}", 1, "leading underscore as '__class__'"),
    ("{{ user._name }}", 1, "no template reaches attributes with a leading underscore as '_name'"),
    ("{{ user['_name'] }}", 1, "leading underscore"),
    ("{{ secretive._name }}", 1, "an item is ['_name']"),
    ("{{ secretive._own }}", 1, "an item is ['_own']"),
    ("{{ nope._id }}", 1, "'nope' is undefined"),
    ("{{ user['__class__'] }}", 1, "leading underscore"),
    ("{{ ''['__cl' 'ass__'] }}", 1, "leading underscore"),
    ("{{ user[key] }}", 1, "leading underscore"),
    ("{{ x|upper }}", 1, "the only filter is |safe"),
    ("{% if x|safe %}{% endif %}", 1, "the only filter is |safe"),
    ("{{ x|safe or y }}", 1, "the only filter is |safe"),
    ("{{ 1 + 2 }}", 1, "cannot have '+ 2'"),
    ("{{ 2 - 1 }}", 1, "nothing else"),
    ("{{ a, b }}", 1, "nothing else"),
    ("{{ a if b else c }}", 1, "nothing else"),
    ("{{ a is none }}", 1, "nothing else"),
    ("{{ [x for x in xs] }}", 1, "nothing else"),
    ("{{ xs[0:1] }}", 1, "cannot have ':1]"),
    ("{{ 1_000 }}", 1, "no expression"),
    ("{{ 0x1f }}", 1, "no expression"),
    ("{{ 1e999 }}", 1, "no expression"),
    ("{{ '\\x41' }}", 1, "cannot have"),
    ("{{ b'x' }}", 1, "no expression"),
    ("{{ é }}", 1, "cannot have 'é'"),
    ("{{ range }}", 1, "'range' means something of its own in Jinja2"),
    ("{{ nope.x }}", 1, "'nope' is undefined"),
    ("{{ nope['x'] }}", 1, "'nope' is undefined"),
    ("{{ row.nope.x }}", 1, "dict has no 'nope'"),
    ("\n{% if nope < 1 %}{% endif %}", 2, "'nope' is undefined"),
    ("{% if zero %}\n{% elif 1 < 'a' %}{% endif %}", 2, "TypeError: '<' not supported"),
    ("{{ broken }}", 1, "ZeroDivisionError: no text"),
    ("{{ broken.value }}", 1, "ZeroDivisionError: no value"),
]


@pytest.mark.parametrize(("text", "line", "words"), FAULTS)
def test_a_fault_in_an_expression_is_named_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    error = fault(tmp_path, text, **CONTEXT)
    assert str(error).startswith(f"{tmp_path / 'main.html'}, line {line}: ")
    assert words in str(error)


def test_a_name_with_a_leading_underscore_never_reaches_getattr(tmp_path: Path) -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was reached")

    assert "leading underscore" in str(fault(tmp_path, "{{ x['__secret'] }}", x=Proxy()))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("user['name'] or 'you'", "(item(scope['user'], 'name') or 'you')"),
        ("not xs[-1] and 1 < a <= 2.50", "((not item(scope['xs'], (-1))) and (1 < scope['a'] <= 2.5))"),
        ("x.y", "(value['y'] if type(value := x_1) is dict and 'y' in value else attribute(value, 'y'))"),
        (
            "loop.first == true",
            "((value['first'] if type(value := scope['loop']) is dict and 'first' in value"
            " else attribute(value, 'first')) == True)",
        ),
        ("x.items or items", "(attribute(x_1, 'items') or scope['items'])"),
        ("[a, none] not in x", "([scope['a'], None] not in x_1)"),
        ("['{}']", "['{}']"),
    ],
)
def test_an_expression_is_compiled_to_python_with_names_as_literals_but_for_loop_variables(
    text: str, code: str
) -> None:
    assert compile_expression(text, {"x": "x_1"}).code == code
    assert compile_output(text, {"x": "x_1"}).code == f"escape({code})"
    assert compile_output(f"({text}) | safe", {"x": "x_1"}).code == f"unescaped({code})"


def test_an_expression_knows_whether_it_uses_loop() -> None:
    assert compile_output("loop.index", {}).uses_loop
    assert not compile_output("x.loop", {}).uses_loop
