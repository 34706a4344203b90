"""Counts of the networks against Keras's, and against a step that counts its multiplications."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_lstm.lstm import LSTM
from sentiment_lstm.trials import Net, Reading, Trial

sizes = st.integers(1, 300)


@given(st.integers(1, 12), st.integers(1, 9))
def test_parameters_are_those_that_keras_counts(units, features):
    for kind, layer in (("lstm", LSTM(units)), ("rnn", keras.layers.SimpleRNN(units))):
        layer.build((None, 3, features))
        assert Net(kind, units).parameters(features) == layer.count_params()


class Counted:
    """A number that counts the multiplications it takes part in."""

    count = 0

    def __mul__(self, other):
        Counted.count += 1
        return self

    def __add__(self, other):
        return self

    __rmul__, __radd__ = __mul__, __add__


def counted(*shape):
    return np.full(shape, Counted(), dtype=object)


@pytest.mark.parametrize(("units", "features"), [(3, 2), (5, 7)])
def test_multiply_adds_are_the_multiplications_of_the_equations(units, features):
    x, h, c = counted(features), counted(units), counted(units)
    Counted.count = 0
    _ = x @ counted(features, units) + h @ counted(units, units) + counted(units)
    assert Net("rnn", units).multiply_adds(features) == Counted.count
    Counted.count = 0
    z = x @ counted(features, 4 * units) + h @ counted(units, 4 * units) + counted(4 * units)
    i, f, g, o = np.split(z, 4)  # σ and tanh would change no count
    c = f * c + i * g
    _ = o * c
    assert Net("lstm", units).multiply_adds(features) == Counted.count


@given(sizes, sizes)
def test_no_other_plain_rnn_has_a_more_equal_number_of_weights(units, features):
    net = Net("lstm", units)
    found = net.of_equal_parameters(features)

    def away(units):
        return abs(Net("rnn", units).parameters(features) - net.parameters(features))

    assert found.kind == "rnn"
    assert away(found.units) <= min(away(found.units + 1), away(max(found.units - 1, 1)))


def test_equal_units_are_equal():
    assert Net("lstm", 7, forget_bias=3.0).of_equal_units() == Net("rnn", 7)


def test_settings_go_through_json():
    net = Net("lstm", 4, forget_bias=3.0, opened="f", truncated=True)
    trial = Trial("adding", 20, net, steps=5, learning_rate=0.1, flow=True)
    assert Trial.of(json.loads(json.dumps(trial.settings()))) == trial
    reading = Reading(net, epochs=2)
    assert Reading.of(json.loads(json.dumps(reading.settings()))) == reading
