"""The tags of the template language: what each renders to, the same as in Jinja2, and what each fault says."""

from __future__ import annotations

import inspect
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from miniexpress.views.engine import template_engine
from miniexpress.views.parser import TemplateError
from tests.support.templates import fault, jinja, render, write

CONTEXT: dict[str, Any] = {
    "row": {"a": {"b": [10, 20]}},
    "pairs": [("k", 1), ("l", 2)],
    "xs": [1, 2, 3],
    "empty": [],
    "zero": 0,
    "loop": {"index": "outer"},
}

# Each with what it renders to: first held against Jinja2, so that the table cannot be wrong.
RENDERED = [
    ("plain } }} %} #} text {", "plain } }} %} #} text {"),
    ("one\n", "one"),
    ("two\n\n", "two\n"),
    ("a\r\nb\rc\r\n", "a\nb\nc"),
    ("", ""),
    ("\ufeffé", "\ufeffé"),
    ("{# a {{ x }} {% if %} #}b{# -#} c {#- #}d", "bcd"),
    ("a {{- 1 -}} b {%- if 1 -%} c {%- endif -%} d", "a1bcd"),
    ("a \n\t{{- 1 }} b{{ 1 -}}\n\n c", "a1 b1c"),
    ("{% if zero %}a{% elif xs %}b{% elif 1 %}c{% else %}d{% endif %}", "b"),
    ("{% if zero %}a{% else %}{% if xs == [1, 2, 3] %}yes{% endif %}{% endif %}{% if nope %}x{% endif %}", "yes"),
    ("{%if(zero)%}a{%elif'x'%}b{%endif%}", "b"),
    ("{% for x in xs %}{{ x }},{% endfor %}{{ x }}", "1,2,3,"),
    ("{% for x in empty %}x{% else %}none{% endfor %}{% for x in nope %}x{% else %}none{% endfor %}", "nonenone"),
    ("{% for k, v in pairs %}{{ k }}={{ v }};{% endfor %}{% for k in row.a %}{{ k }}{% endfor %}", "k=1;l=2;b"),
    ("{% for c in 'ab' %}{{ c }}.{% endfor %}{% for x in[1]%}{{x}}{%endfor%}", "a.b.1"),
    (
        "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{loop.length}},{% endfor %}",
        "10TrueFalse3,21FalseFalse3,32FalseTrue3,",
    ),
    ("{% for x in xs %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}", "121 122 123 "),
    ("{{ loop.index }}{% for x in xs %}{{ x }}{% endfor %}{{ loop.index }}", "outer123outer"),
    ("{% for xs in xs %}{{ xs }}{% endfor %}{{ xs }}", "123[1, 2, 3]"),
    ("{% for x in ['ab', 'c'] %}{% for x in x %}{{ x }}{% else %}{% endfor %}{{ x }},{% endfor %}{{ x }}", "abab,cc,"),
    ("{% for x in xs %}{% for x in empty %}{% else %}{{ x }}{% endfor %}{% endfor %}", "123"),
    ("{% for x, x_2 in pairs %}{% for x in [0] %}{{ x }}{{ x_2 }}{% endfor %}{{ x }}{% endfor %}", "01k02l"),
    ("{% for x in xs %}{% block b %}[{{ x }}{{ loop.index }}]{% endblock b %}{% endfor %}", "[outer]" * 3),
    ("{% block a %}1{% block b %}2{% endblock %}3{% endblock a %}", "123"),
]


@pytest.mark.parametrize(("text", "rendered"), RENDERED)
def test_a_tag_renders_as_in_jinja2(tmp_path: Path, text: str, rendered: str) -> None:
    write(tmp_path, {"main.html": text})
    assert jinja(tmp_path, **CONTEXT) == rendered
    assert render(tmp_path, text, **CONTEXT) == rendered


@pytest.mark.parametrize("text", ["'", '"', "\\", "\\'", "'''\n)", "\0\f\v\u2028", "{x}", "%s", "\ud7ff\uffff"])
def test_a_text_and_the_name_of_a_file_are_literals_in_the_code(tmp_path: Path, text: str) -> None:
    files = {"main.html": f'{text}{{% include "it\'s{{0}}.html" %}}{text}', "it's{0}.html": text}
    write(tmp_path, files)
    assert render(tmp_path, files) == text * 3 == jinja(tmp_path)


BASE = "<{% block head %}H{% block title %}T{% endblock %}{% endblock %}|{% block body %}B{{ x }}{% endblock %}>"
LINKED = [
    ({"main.html": '{% extends "base.html" %}', "base.html": BASE}, "<HT|B1>"),
    (
        {
            "main.html": '{% extends "base.html" %}no{{ x }}{% block body %}M{{ x }}{% endblock %}no\n',
            "base.html": BASE,
        },
        "<HT|M1>",
    ),
    ({"main.html": '{% extends "base.html" %}{% block title %}t{% endblock %}', "base.html": BASE}, "<Ht|B1>"),
    (
        {
            "main.html": "{% extends 'mid.html' %}{% block title %}t{% endblock %}{% block inner %}i{% endblock %}",
            "mid.html": "{% extends 'base.html' %}{% block body %}({% block inner %}{% endblock %}){% endblock %}",
            "base.html": BASE,
        },
        "<Ht|(i)>",
    ),
    (
        {
            "main.html": 'pre {# c #}{% extends "mid.html" %}',
            "mid.html": '-{% extends "base.html" %}',
            "base.html": "b",
        },
        "pre -b",
    ),
    (
        {
            "main.html": "[{% include 'sub/part.html' %}]",
            "sub/part.html": "{{ x }}{% include 'end.html' %}\n",
            "end.html": ".",
        },
        "[1.]",
    ),
    (
        {
            "main.html": "{% for y in [1, 2] %}{{ loop.index }}{% include 'p.html' %}{% endfor %}",
            "p.html": "{{ loop.last }}",
        },
        "1False2True",
    ),
    (
        {
            "main.html": "{% for y in [1, 2] %}{% for x, z in ['ab', 'cd'] %}{% include 'p.html' %}{% endfor %}"
            "{% include 'p.html' %}{% endfor %}{% include 'p.html' %}",
            "p.html": "{{ x }}{{ y }}{{ z }},",
        },
        "a1b,c1d,11,a2b,c2d,12,1,",
    ),
    (
        {
            "main.html": "{% block body %}main{% endblock %}{% include 'p.html' %}",
            "p.html": '{% extends "base.html" %}{% block title %}{{ x }}{% endblock %}',
            "base.html": BASE,
        },
        "main<H1|B1>",
    ),
    (
        {
            "main.html": "{% extends 'base.html' %}{% block b %}{{ y }}.{% endblock %}",
            "base.html": "{% for y in [1, 2] %}{% block b %}{% endblock %}{% endfor %}",
        },
        "..",
    ),
]


@pytest.mark.parametrize(("files", "rendered"), LINKED)
def test_files_extend_and_include_one_another_as_in_jinja2(
    tmp_path: Path, files: dict[str, str], rendered: str
) -> None:
    write(tmp_path, files)
    assert jinja(tmp_path, x=1) == rendered
    assert render(tmp_path, files, x=1) == rendered
    assert render(tmp_path, files, x=1, cache=True) == rendered


def test_a_tree_may_include_its_own_file(tmp_path: Path) -> None:
    text = "{{ node.name }}{% for node in node.children %}({% include 'main.html' %}){% endfor %}"
    tree = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}, {"name": "d"}]}
    assert render(tmp_path, text, node=tree) == "a(b(c))(d)" == jinja(tmp_path, node=tree)


# The text, the line that is at fault, and a part of the message.
FAULTS = [
    ("\n{{ x", 2, "never closed"),
    ("{% if x", 1, "never closed"),
    ("a\nb{# x", 2, "never closed"),
    ("{{ 'x }}", 1, "a string in it is not"),
    ("\n\n{% if x %}\n\n", 3, "this if is never closed: endif is missing"),
    ("{% for x in xs %}{% endif %}", 1, "'endif' is not expected here"),
    ("{% if x %}{% else %}\n{% elif y %}{% endif %}", 2, "'elif' is not expected"),
    ("{% if x %}{% else if y %}{% endif %}", 1, "else stands alone"),
    ("{% if x %}{% endif x %}", 1, "endif stands alone"),
    ("{% block a %}{% endblock b %}", 1, "endblock stands alone"),
    ("{% block a-b %}{% endblock %}", 1, "a block has one name"),
    ("{% block a %}{% endblock %}\n{% block a %}{% endblock %}", 2, "a block 'a' already"),
    ("{% set x = 1 %}", 1, "'set' is not expected here"),
    ("{% raw %}{% endraw %}", 1, "'raw' is not expected here"),
    ("{% %}", 1, "'' is not expected here"),
    ("{% if %}{% endif %}", 1, "an expression is missing"),
    ("{{ }}", 1, "an expression is missing"),
    ("{% block a %}{{ super }}{% endblock %}", 1, "'super' means something of its own"),
    ("{% for loop in xs %}{% endfor %}", 1, "'loop' means something of its own"),
    ("{% for true in xs %}{% endfor %}", 1, "'true' means something of its own"),
    ("{% for x in xs %}\n{{ loop }}{% endfor %}", 2, "of a loop there is loop.first"),
    ("{% for x in xs %}{{ loop.cycle }}{% endfor %}", 1, "of a loop there is loop.first"),
    ("{% for x %}{% endfor %}", 1, "write {% for x in xs %}"),
    ("{% for x in xs if x %}{% endfor %}", 1, "no expression"),
    ("{% for x in zero %}{% endfor %}", 1, "TypeError: 'int' object is not iterable"),
    ("{% for a, b in xs %}{% endfor %}", 1, "TypeError"),
    ("{% for a, b, c in pairs %}{% endfor %}", 1, "ValueError"),
    ("{% include file %}", 1, "takes a file name in quotes"),
    ("{% include 'a.html' ignore missing %}", 1, "takes a file name in quotes"),
    ("\n{% include 'nope.html' %}", 2, 'there is no "nope.html" in the views directory'),
    ("{% extends 'nope.html' %}", 1, 'there is no "nope.html" in the views directory'),
    ("{% include '../main.html' %}", 1, '"../main.html" leads out of the views directory'),
    ("{% include '/etc/passwd' %}", 1, 'there is no "/etc/passwd" in the views directory'),
    ("{% if 1 %}{% extends 'a.html' %}{% endif %}", 1, "extends must be the first tag"),
    ("{{ x }}\n{% extends 'a.html' %}", 2, "extends must be the first tag"),
    ("{% extends 'a.html' %}{% extends 'a.html' %}", 1, "extends must be the first tag"),
    ("{% extends 'a.html' %}{% if 1 %}{% endif %}", 1, "has no if outside of its blocks"),
    ("{% extends 'main.html' %}", 1, 'extends "main.html", which extends this file in turn'),
    ("\n{% include 'main.html' %}", 2, "does one include itself?"),
    ("{% include 'main.html' %}{% include 'main.html' %}", 1, "does one include itself?"),
    ("{% if 1 %}" * 14 + "{% include 'main.html' %}" + "{% endif %}" * 14, 1, "does one include itself?"),
]


@pytest.mark.parametrize(("text", "line", "words"), FAULTS)
def test_a_fault_names_the_file_and_the_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    error = fault(tmp_path, text, **CONTEXT)
    assert str(error).startswith(f"{tmp_path / 'main.html'}, line {line}: ")
    assert words in str(error)


@pytest.mark.parametrize(
    ("files", "where", "line"),
    [
        ({"main.html": "\n{% include 'p.html' %}", "p.html": "\n\n{{ nope.x }}"}, "p.html", 3),
        ({"main.html": "\n{% include 'p.html' %}", "p.html": "\n\n{% if %}"}, "p.html", 3),
        ({"main.html": "{% extends 'p.html' %}", "p.html": "\n{{ nope.x }}{% block b %}{% endblock %}"}, "p.html", 2),
        (
            {
                "main.html": "{% extends 'p.html' %}\n{% block b %}{{ nope.x }}{% endblock %}",
                "p.html": "\n\n\n{% block b %}{% endblock %}",
            },
            "main.html",
            2,
        ),
        ({"main.html": "{% extends 'p.html' %}", "p.html": "\n{% extends 'main.html' %}"}, "p.html", 2),
    ],
)
def test_a_fault_in_another_file_names_that_file(tmp_path: Path, files: dict[str, str], where: str, line: int) -> None:
    error = fault(tmp_path, files)
    assert str(error).startswith(f"{tmp_path / where}, line {line}: ")


def test_a_loop_asks_for_each_value_in_its_turn_as_in_jinja2(tmp_path: Path) -> None:
    text = "{% for key, group in groups %}{{ key }}:{% for x in group %}{{ x }}{% endfor %} {% else %}none{% endfor %}"
    write(tmp_path, {"main.html": text})
    for values, rendered in ((["a", "a", "b"], "a:aa b:b "), ([], "none")):
        assert jinja(tmp_path, groups=groupby(values)) == rendered
        assert render(tmp_path, text, groups=groupby(values)) == rendered


class NoMessage(Exception):
    def __str__(self) -> str:
        raise ValueError("no message")


class Faulty:
    @property
    def name(self) -> str:
        raise NoMessage


def test_a_fault_whose_own_message_fails_names_its_file_and_line(tmp_path: Path) -> None:
    error = fault(tmp_path, {"main.html": "{% include 'p.html' %}", "p.html": "\n{{ user.name }}"}, user=Faulty())
    assert str(error) == f"{tmp_path / 'p.html'}, line 2: NoMessage: <exception str() failed>"


def test_files_that_include_one_another_to_the_end_of_pythons_stack_are_a_fault(tmp_path: Path) -> None:
    def fault_within(frames: int) -> TemplateError:
        return fault_within(frames - 1) if frames else fault(tmp_path, "{% include 'main.html' %}")

    error = fault_within(sys.getrecursionlimit() - len(inspect.stack()) - 200)
    assert str(error).startswith(f"{tmp_path / 'main.html'}, line 1: ")
    assert "too deep" in str(error)


def test_an_if_has_a_thousand_branches_and_no_hundred_thousand(tmp_path: Path) -> None:
    def branches(count: int) -> str:
        return "\n{% if x == 0 %}0" + "".join(f"{{% elif x == {n} %}}{n}" for n in range(1, count)) + "{% endif %}"

    assert render(tmp_path, branches(1_000), x=999) == "\n999"
    assert "too many branches" in str(fault(tmp_path, branches(100_000), x=999))


def test_a_file_that_is_not_utf_8_says_on_which_line(tmp_path: Path) -> None:
    (tmp_path / "main.html").write_bytes(b"a\nb\xff")
    with pytest.raises(TemplateError, match="line 2: the file is not UTF-8"):
        template_engine(tmp_path)(str(tmp_path / "main.html"), {})


HOSTILE = {
    "openings": "{{" * 50_000,
    "statements": "{%" * 50_000,
    "comments": "{#" * 50_000,
    "quotes": "{{ '" + "\\'" * 50_000,
    "parentheses": "{{ " + "(" * 50_000 + ")" * 50_000 + " }}",
    "lists": "{{ " + "[" * 900 + "]" * 900 + " }}",
    "nots": "{{ " + "not " * 490 + "1 }}",
    "dots": "{{ a" + ".b" * 900 + " }}",
    "ifs": "{% if 1 %}" * 10_000,
    "blanks": "{% for x" + " " * 100_000 + "}%}",
    "commas": "{% for x" + ", x" * 30_000 + " }}%}",
    "signs": "{{" + "-" * 100_000 + "}}",
    "braces": "{{" + "} " * 50_000 + "}}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_is_refused_soon(tmp_path: Path, text: str) -> None:
    began = time.process_time()
    error = fault(tmp_path, text)
    assert time.process_time() - began < 0.5
    assert ", line 1: " in str(error)


def test_long_templates_compile_in_linear_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert render(tmp_path, "{#- -#}\n \n" * 20_000) == ""
    assert render(tmp_path, "\n {{- 1 -}} \n" * 5_000) == "1" * 5_000
    assert time.process_time() - began < 3
