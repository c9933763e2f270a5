"""Random templates: whatever the built-in engine compiles, it renders as Jinja2 does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from miniexpress.views.parser import TemplateError
from tests.support.templates import jinja, render, write

NAMES = ("a", "b", "xs", "d")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("<&>\"'é x", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
CONTEXTS = st.fixed_dictionaries(
    {
        "xs": st.lists(VALUES, min_size=1, max_size=3) | st.just([]),
        "d": st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1),
        "loop": st.just({"index": "<o>"}),
    },
    optional={"a": VALUES, "b": VALUES},
)
LITERALS = ("true", "False", "none", "0", "1", "-2", "1.5", "'<a>'", '"b"', "[]", "'}}'", "'%}'")
OPERATORS = ("and", "or", "and", "or", "==", "!=", "==", "!=", "<", "in")
TEXTS = (" ", "\n", " t\n", "\n\n", "<p>", "} { ", "\r\n")
LOOPS = ("x in xs", "a in xs", "xs in xs", "x in d", "b in 'ab'", "a, b in ['xy', [1, 2]]", "a, b in xs", "x in a")
PARTS = ("", "{{ x }}", "{{ a }}\n", "{{ loop.index }}", "{% block one %}p{% endblock %}")


class Grammar:
    """Generate templates of every construct. ``below(n)`` returns the random choices: a number from 0 to n - 1."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def pick(self, choices: Sequence[Any]) -> Any:
        return choices[self.below(len(choices))]

    def files(self) -> dict[str, str]:
        return {
            "main.html": self.pick((self.page, lambda: self.child("mid.html"), lambda: self.child("base.html")))(),
            "mid.html": self.child("base.html"),
            "base.html": "\n".join((*self.blocks(("one", "two", "three")), "{{ xs }}")),
            "part.html": self.pick(PARTS),
        }

    def page(self) -> str:
        self.left, self.names = 10, ["two", "one", "three"]
        return self.body()

    def child(self, parent: str) -> str:
        extends = self.pick(("", " ", "p")) + self.tag(f"extends '{parent}'")
        return " {{ a }}".join((extends, *self.blocks(self.some(("one", "two", "three"))), "\n"))

    def blocks(self, names: Sequence[str]) -> list[str]:
        self.left, self.names = 10, ["deep"]
        return [self.around("block " + name, self.body(), "endblock") for name in names]

    def some(self, choices: Sequence[Any]) -> list[Any]:
        return [choice for choice in choices if self.pick((True, False))]

    def body(self, depth: int = 0) -> str:
        pieces = (self.text, self.output, self.output, self.include)
        self.left -= 1
        statements = (self.if_, self.for_, self.for_, self.block) if depth < 3 and self.left > 0 else ()
        return "".join(self.pick((*pieces, *statements))(depth + 1) for _ in range(self.pick((1, 2, 3))))

    def text(self, depth: int) -> str:
        return str(self.pick((*TEXTS, "{# x #}", "{#- x -#}")))

    def output(self, depth: int) -> str:
        inner = self.pick((self.expression, lambda: "loop.index", lambda: f"({self.expression()})|safe"))()
        return f"{{{{{self.sign()} {inner} {self.sign()}}}}}"

    def include(self, depth: int) -> str:
        return self.tag("include 'part.html'")

    def if_(self, depth: int) -> str:
        inner = self.body(depth)
        if self.pick((True, False)):
            inner += self.tag("elif " + self.expression()) + self.body(depth)
        if self.pick((True, False)):
            inner += self.tag("else") + self.body(depth)
        return self.around("if " + self.pick(("1", "xs", self.expression())), inner, "endif")

    def for_(self, depth: int) -> str:
        inner = self.body(depth)
        if self.pick((True, False)):
            inner += self.tag("else") + self.body(depth)
        header = self.pick(LOOPS)
        return self.around("for " + header, inner, "endfor")

    def block(self, depth: int) -> str:
        if not self.names:
            return self.text(depth)
        return self.around("block " + self.names.pop(), self.body(depth), "endblock")

    def around(self, opening: str, inner: str, closing: str) -> str:
        return self.tag(opening) + inner + self.tag(closing)

    def tag(self, inner: str) -> str:
        return f"{{%{self.sign()} {inner} {self.sign()}%}}"

    def sign(self) -> str:
        return str(self.pick(("", "", "-")))

    def expression(self, depth: int = 0) -> str:
        if depth == 2:
            return str(self.pick((*NAMES, *LITERALS)))

        def part() -> str:
            return self.expression(depth + 1)

        def right() -> str:
            # In `a == not b` Jinja2 takes `not` for a name.
            text = part()
            return f"({text})" if text.startswith("not") else text

        return str(
            self.pick(
                (
                    lambda: self.pick((*NAMES, *LITERALS)),
                    lambda: f"{self.pick(NAMES)}.{self.pick(NAMES)}",
                    lambda: f"{self.pick(NAMES)}[{part()}]",
                    lambda: self.pick(("d.a", "xs[0]", "d['a']", "x", "xs[0].a", "(d.b or d).xs")),
                    lambda: f"{part()} {self.pick(OPERATORS)} {right()}",
                    lambda: f"not {part()}",
                    lambda: f"[{part()}, {part()}]",
                )
            )()
        )


directories = count()


def both(root: Path, files: Mapping[str, str], context: dict[str, Any]) -> tuple[str | TemplateError, str | Exception]:
    """Render with both engines; return the text or the error of each."""
    root = root / str(next(directories))
    root.mkdir()
    write(root, files)
    ours: str | TemplateError
    theirs: str | Exception
    try:
        ours = render(root, files, **context)
    except TemplateError as error:
        ours = error
    try:
        theirs = jinja(root, **context)
    except Exception as error:
        theirs = error
    return ours, theirs


@settings(max_examples=200, deadline=None, derandomize=True, phases=[Phase.generate])
@given(seed=st.integers(0, 2**64), context=CONTEXTS)
def test_a_random_template_of_the_grammar_renders_as_in_jinja2(
    tmp_path_factory: pytest.TempPathFactory, seed: int, context: dict[str, Any]
) -> None:
    # One draw for all choices, or the choosing would take longer than the rendering; stirred, because draws repeat.
    files = Grammar(Random(f"{seed} {context}").randrange).files()
    note(files)
    ours, theirs = both(tmp_path_factory.getbasetemp(), files, context)
    if isinstance(theirs, Exception):
        assert isinstance(ours, TemplateError), (ours, theirs)
    else:
        assert ours == theirs


SOUP = (  # noqa: SIM905
    "{{ }} {% %} {# #} {{- -}} {%- -%} {%+ +%} {#- -#} { } % # - + ' \" \\ \\n . , | ( ) [ ] == != < > <= = : ~ * / ! "
    "if else elif endif for in endfor block endblock include extends not and or is safe true none x xs d a.b "
    "loop.index self super range recursive scoped raw endraw set lambda "
    "0 1 1.5 1. .5 1e3 1_0 0x1 007 u'x' 'x' \"y\" é _x ix"
).split()


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    pieces=st.lists(st.sampled_from((*SOUP, " ", " ", "\n")), max_size=6),
    wrapping=st.sampled_from(
        (
            "%s",
            "{{ %s }}",
            "{{%s}}",
            "{{ xs%s }}",
            "{{ 1 %s 1 }}",
            "{%% if %s %%}a{%% endif %%}",
            "{%%%s%%}",
            "{%% for x in %s %%}{{ x }}{%% endfor %%}",
            "{%% for %s in xs %%}{{ x }}{%% endfor %%}",
            "{%% block %s %%}{%% endblock %%}",
            " {%% block a %%}{%% endblock %s %%}",
            "{%% include %s %%}",
        )
    ),
    blank=st.sampled_from(("", " ")),
)
@example(pieces=["in"], wrapping="{%% for %s in xs %%}{{ x }}{%% endfor %%}", blank="")
def test_a_random_text_that_compiles_renders_as_in_jinja2(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], wrapping: str, blank: str
) -> None:
    context = {"x": "<x>", "xs": [1, 2], "d": {"a": 1}, "a": {"b": None}}
    files = {"main.html": wrapping % blank.join(pieces), "x": "included"}
    ours, theirs = both(tmp_path_factory.getbasetemp(), files, context)
    if isinstance(ours, str):
        assert ours == theirs
