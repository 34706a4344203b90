"""A series as one line of text."""

import pytest

from pipelines.sparkline import BARS, WIDEST, sparkline, spread


def test_bars_rise_with_the_values():
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == BARS


def test_the_scale_can_be_given():
    assert sparkline([0.25, 0.25], 0.0, 1.0) == "▃▃"
    assert sparkline([-1.0, 2.0], 0.0, 1.0) == "▁█"


def test_equal_values_have_a_line():
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([7.0]) == "▁"


@pytest.mark.parametrize("count", [1, 2, WIDEST - 1, WIDEST, WIDEST + 1, 1000])
def test_a_line_is_never_too_wide_and_keeps_both_ends(count):
    values = spread(range(count), WIDEST)
    assert len(values) == min(count, WIDEST)
    assert (values[0], values[-1]) == (0, count - 1)
    assert values == sorted(set(values))
