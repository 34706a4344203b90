"""The layers that are compared: initial biases, seeds, and gates that stay open."""

import keras
import numpy as np
import numpy_lstm
import pytest

from sentiment_lstm.compared_nets import build_layer
from sentiment_lstm.lstm import LSTM
from sentiment_lstm.trials import GATES, Net
from sentiment_lstm.truncated_lstm import TruncatedLSTM


def built(net, features=3, seed=0):
    layer = build_layer(net, seed)
    layer.build((None, 7, features))
    return layer


def test_the_layer_is_the_one_that_is_named():
    assert type(built(Net("lstm", 2))) is LSTM
    assert type(built(Net("lstm", 2, truncated=True))) is TruncatedLSTM
    assert type(built(Net("rnn", 2))) is keras.layers.SimpleRNN


def test_biases_start_where_they_are_asked_to():
    bias = built(Net("lstm", 2, forget_bias=3.0, input_bias=-2.0)).get_weights()[2]
    assert bias.tolist() == [-2, -2, 3, 3, 0, 0, 0, 0]


def test_weights_are_a_function_of_the_seed():
    for kind in ("lstm", "rnn"):
        one, same, other = (built(Net(kind, 4), seed=s).get_weights() for s in (1, 1, 2))
        for a, b, c in zip(one[:2], same[:2], other[:2], strict=True):
            assert (a == b).all()
            assert (a != c).any()


@pytest.mark.parametrize("gate", "ifo")
def test_an_opened_gate_is_one_and_stays_so_in_training(gate, monkeypatch):
    random = np.random.default_rng(2)
    layer = built(Net("lstm", 4, opened=gate))
    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    x = random.normal(size=(16, 7, 3)).astype(np.float32)
    before = layer.get_weights()
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=False)
    model.fit(x, x[:, 0, 0], epochs=3, verbose=0)
    after = layer.get_weights()
    own = slice(4 * GATES.index(gate), 4 * GATES.index(gate) + 4)
    for old, new in zip(before, after, strict=True):
        assert (new[..., own] == (100 if new.ndim == 1 else 0)).all()
        assert (old != new).any()
    # What it computes is the equations with the gate's letter replaced by 1.
    W, U, b = after
    opened = numpy_lstm.forward(x, W, U, b).h[:, -1]
    real = numpy_lstm.sigmoid
    calls = []

    def sigmoid(z):
        calls.append(z)
        return np.ones_like(z) if "ifo"[(len(calls) - 1) % 3] == gate else real(z)

    monkeypatch.setattr(numpy_lstm, "sigmoid", sigmoid)
    expected = numpy_lstm.forward(x, W, U, b).h[:, -1]
    np.testing.assert_array_equal(opened, expected)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
