"""What a row of the tables says: the median of the rounds' ratios, and the verdict."""

from __future__ import annotations

import pytest

from tests.benchmarks.figures import Figure, number, table
from tests.benchmarks.growth import Growth


def test_a_ratio_is_the_median_of_the_rounds_not_that_of_the_medians() -> None:
    figure = Figure("work", "peer", "requests a second", [100, 400, 90], [50, 100, 100])
    assert figure.ratios == [2, 4, 0.9]
    assert figure.ratio == 2
    assert figure.row() == "| work | peer | requests a second | 100 | 100 | 2.00 (0.90 to 4.00) |  |  |"


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        ({"least": 2}, "yes"),
        ({"least": 2.1}, "no"),
        ({"most": 2}, "yes"),
        ({"most": 1.9}, "no"),
        ({}, ""),
        ({"least": 2, "remark": "bound by itself"}, "yes; bound by itself"),
        ({"most": 1.9, "strangers": 0.25}, "no; unclear: others had 25% of the cores"),
        ({"most": 1.9, "strangers": 0.1}, "no"),
    ],
)
def test_a_verdict_compares_the_ratio_with_the_goal_and_tells_of_noise(goal: dict[str, float], verdict: str) -> None:
    assert Figure("work", "peer", "us", [2.0], [1.0], **goal).verdict == verdict  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (100, "100"), (99.94, "99.9"), (0.98765, "0.988")])
def test_a_number_has_three_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert number(value) == text


def test_a_table_has_a_cell_for_each_heading() -> None:
    heading, rule, row = table([Figure("work", "peer", "us", [1.0], [1.0])]).splitlines()
    assert heading.count("|") == rule.count("|") == row.count("|")


@pytest.mark.parametrize(
    ("work", "measured", "follows"),
    [
        ([1, 10, 100], [5, 50, 500], True),
        ([1, 10, 100], [5, 6, 7], True),
        ([1, 10, 100], [5, 20, 400], False),  # from 10 to 100 it takes twenty times as long
        ([1, 1, 1], [100, 120, 140], True),  # noise
        ([1, 1, 1], [100, 120, 180], False),
    ],
)
def test_a_cost_follows_the_work_if_no_step_of_it_is_greater(
    work: list[float], measured: list[float], follows: bool
) -> None:
    assert Growth("cost", "sizes", "us", work, measured).follows_the_work is follows


def test_a_growth_has_the_last_size_as_a_multiple_of_the_first() -> None:
    row = Growth("a call", "1 / 10 / 100 routers", "us", [1, 10, 100], [5, 12.4, 1500]).row()
    assert row == "| a call | 1 / 10 / 100 routers | 5 / 12 / 1,500 us | 300.00 | 100.00 | no |"
