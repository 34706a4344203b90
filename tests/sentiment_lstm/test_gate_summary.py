"""Means, half-lives and the units that are shown."""

import math

import numpy as np
import pytest
from random_networks import random_ids, random_network

from sentiment_lstm.dissection import dissect
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.gate_summary import MOST_UNITS, half_lives, summarise
from sentiment_lstm.gate_trace import GATES, trace


def summary(units=(), length=6, **settings):
    config, weights = random_network(units=5, **settings)
    (layer,) = trace(config, weights, random_ids(length))
    parts = dissect(weights, [layer], explained_output(config)).parts()
    return layer, parts, summarise(layer, parts, units)


def test_means_are_over_units_and_in_the_order_of_the_text():
    layer, _, (forward, backward) = summary()
    assert (forward.name, backward.name) == ("forward", "backward")
    for gate in GATES:
        values = getattr(layer, gate)
        np.testing.assert_allclose(forward.mean[gate], values[0].mean(axis=1))
        np.testing.assert_allclose(backward.mean[gate], values[1, ::-1].mean(axis=1))


def test_shown_are_the_units_that_most_of_the_output_passes_through():
    _, parts, found = summary()
    for d, direction in enumerate(found):
        through = np.abs(parts[d].sum(axis=0))
        assert [unit.unit for unit in direction.units] == np.argsort(-through)[:MOST_UNITS].tolist()
        for unit in direction.units:
            assert unit.share == pytest.approx(parts[d, :, unit.unit].sum())


def test_shown_are_the_units_that_are_asked_for_in_their_order_and_once():
    layer, _, (forward, backward) = summary([4, 1, 4])
    assert [unit.unit for unit in forward.units] == [unit.unit for unit in backward.units] == [4, 1]
    np.testing.assert_allclose(backward.units[0].gates["c"], layer.c[1, ::-1, 4])
    np.testing.assert_allclose(forward.units[1].gates["f"], layer.f[0, :, 1])


@pytest.mark.parametrize("unit", [-1, 5])
def test_a_unit_that_the_model_lacks_is_an_error(unit):
    with pytest.raises(SettingsError, match=f"unit is {unit}: the model has units 0 to 4"):
        summary([unit])


def test_a_half_life_is_after_how_many_words_half_is_left():
    f = np.array([[[0.5, 0.9, 1.0, 0.0], [0.5, 0.9, 1.0, 1.0]]])
    half, nine, whole, shut = half_lives(f)[0]
    assert half == pytest.approx(1)
    assert 0.9**nine == pytest.approx(0.5)
    assert whole == math.inf
    assert shut == 0


def test_the_half_life_of_a_direction_is_the_median_of_its_units():
    layer, _, (forward, backward) = summary()
    lives = half_lives(layer.f)
    assert [forward.half_life, backward.half_life] == np.median(lives, axis=1).tolist()
    assert forward.units[0].half_life == lives[0, forward.units[0].unit]


def test_a_text_without_words_has_empty_traces_and_no_half_life():
    _, _, (forward, _) = summary(length=0)
    assert forward.mean["f"].shape == (0,)
    assert math.isnan(forward.half_life)
