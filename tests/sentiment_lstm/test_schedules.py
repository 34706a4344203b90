"""Learning-rate schedules against their formulas."""

import math

import pytest
from keras import ops

from sentiment_lstm.schedules import WarmedSchedule


def rate(schedule, step):
    return float(ops.convert_to_numpy(schedule(step)))


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ("constant", lambda x: 1.0),
        ("cosine", lambda x: (1 + math.cos(math.pi * x)) / 2),
        ("linear", lambda x: 1 - x),
        ("exponential", lambda x: 0.01**x),
    ],
)
def test_the_rate_follows_its_curve_after_the_rise(curve, expected):
    schedule = WarmedSchedule(0.3, 110, 10, curve)
    for step in (10, 35, 60, 110):
        assert rate(schedule, step) == pytest.approx(0.3 * expected((step - 10) / 100), abs=1e-7)


def test_the_rise_is_linear_and_never_starts_at_zero():
    schedule = WarmedSchedule(0.3, 110, 10, "constant")
    assert [rate(schedule, s) for s in range(3)] == pytest.approx([0.03, 0.06, 0.09])


def test_no_rise_starts_at_the_peak_and_the_end_holds():
    schedule = WarmedSchedule(2.0, 100, 0, "cosine")
    assert rate(schedule, 0) == pytest.approx(2.0)
    assert rate(schedule, 100_000) == pytest.approx(0.0, abs=1e-6)


def test_config_makes_an_equal_schedule():
    schedule = WarmedSchedule(0.3, 110, 10, "linear")
    assert WarmedSchedule(**schedule.get_config()).get_config() == schedule.get_config()
