"""An unknown option raises a TypeError that suggests a known one."""

from __future__ import annotations

from typing import Any

import pytest

from miniexpress import compression, json, morgan, raw, text, urlencoded
from miniexpress.keyword_options import suggests_keywords


@suggests_keywords
def parser(first: int = 0, *, limit: int = 1, parameter_limit: int = 2) -> tuple[Any, ...]:
    """What it is for."""
    return first, limit, parameter_limit


def test_known_options_arrive() -> None:
    assert parser(5, limit=6) == (5, 6, 2)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("limits", "limit"), ("Limit", "limit"), ("parameterLimit", "parameter_limit")],
)
def test_an_unknown_option_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(TypeError, match=rf"parser\(\) has no option '{name}': did you mean '{meant}'\?"):
        parser(**{name: 1})


def test_an_option_like_none_of_them_is_refused_with_all_of_them() -> None:
    with pytest.raises(TypeError, match="no option 'colour': it has limit, parameter_limit"):
        parser(colour="red")  # type: ignore[call-arg]


def test_an_object_that_is_called_is_named_as_its_class_in_lower_case() -> None:
    with pytest.raises(TypeError, match=r"^morgan\(\) has no option 'strem': did you mean 'stream'\?"):
        morgan("tiny", strem=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^compression\(\) has no option 'memLevel': did you mean 'mem_level'\?"):
        compression(memLevel=1)  # type: ignore[call-arg]


def test_a_class_is_named_by_its_name() -> None:
    class Store:
        @suggests_keywords
        def __init__(self, *, uri: str) -> None: ...

    with pytest.raises(TypeError, match=r"Store\(\) has no option 'url': did you mean 'uri'"):
        Store(url="x")  # type: ignore[call-arg]


def test_the_function_keeps_its_name_and_its_docstring() -> None:
    assert (parser.__name__, parser.__doc__) == ("parser", "What it is for.")


@pytest.mark.parametrize("make", [json, urlencoded, text, raw])
def test_the_body_parsers_tell_the_option_that_was_meant(make: Any) -> None:
    with pytest.raises(TypeError, match=rf"{make.__name__}\(\) has no option 'limt': did you mean 'limit'\?"):
        make(limt="1mb")


def test_a_camel_case_option_of_express_is_led_to_its_name_here() -> None:
    with pytest.raises(TypeError, match="did you mean 'parameter_limit'"):
        urlencoded(parameterLimit=5)  # type: ignore[call-arg]
