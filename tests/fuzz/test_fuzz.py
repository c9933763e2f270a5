"""A short run of every fuzz target, the same each time. For a long one at random: `python -m tests.fuzz MINUTES`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from .targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks_a_parser(target: str) -> None:
    inputs, check = TARGETS[target]

    @settings(max_examples=250, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(inputs)
    def run(values: tuple[object, ...]) -> None:
        check(*values)

    run()
