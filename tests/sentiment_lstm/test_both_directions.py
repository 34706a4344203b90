"""Two directions side by side, against `keras.layers.Bidirectional` of the same layers."""

import keras
import numpy as np
import pytest
from keras import ops

from sentiment_lstm.both_directions import BothDirections
from sentiment_lstm.lstm import LSTM


def lstm(*, go_backwards=False, return_sequences=True):
    return LSTM(
        4, go_backwards=go_backwards, return_sequences=return_sequences, return_state=True,
        bias_initializer="random_normal",
    )  # fmt: skip


def pair(*, return_sequences):
    """Return both kinds of layer over the same two LSTMs."""
    there = lstm(return_sequences=return_sequences)
    back = lstm(go_backwards=True, return_sequences=return_sequences)
    stock = keras.layers.Bidirectional(there, backward_layer=back)
    stock.build((None, 7, 3))
    return BothDirections(stock.forward_layer, stock.backward_layer), stock


@pytest.mark.parametrize("return_sequences", [True, False])
def test_states_are_those_of_the_stock_wrapper(return_sequences):
    ours, stock = pair(return_sequences=return_sequences)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 7, 3)).astype("float32")
    mask = np.arange(7)[None] < np.array([7, 3, 1, 5, 6])[:, None]
    states, last = map(ops.convert_to_numpy, ours(x, mask=mask))
    expected, forward_h, _, backward_h, _ = map(ops.convert_to_numpy, stock(x, mask=mask))
    np.testing.assert_allclose(states, expected, atol=1e-6)
    np.testing.assert_allclose(last, np.concatenate([forward_h, backward_h], -1), atol=1e-6)
    shapes = ours.compute_output_shape((5, 7, 3))
    assert [tuple(shape) for shape in shapes] == [states.shape, last.shape]


@pytest.mark.parametrize("return_sequences", [True, False])
def test_a_mask_goes_on_with_states_of_every_step_alone(return_sequences):
    ours, _ = pair(return_sequences=return_sequences)
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(5, 3, mask_zero=True)(tokens)
    states, last = ours(x)
    assert (getattr(states, "_keras_mask", None) is not None) == return_sequences
    assert getattr(last, "_keras_mask", None) is None


def test_a_configuration_makes_the_same_layer():
    ours, _ = pair(return_sequences=True)
    copy = BothDirections.from_config(ours.get_config())
    copy.build((None, 7, 3))
    copy.set_weights(ours.get_weights())
    x = np.random.default_rng(1).normal(size=(2, 7, 3)).astype("float32")
    for one, other in zip(ours(x), copy(x), strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (one, other)))


@pytest.mark.parametrize(
    "layers",
    [
        (lstm(), lstm()),
        (lstm(), lstm(go_backwards=True, return_sequences=False)),
        (LSTM(4), LSTM(4, go_backwards=True)),
    ],
)
def test_layers_that_are_no_pair_are_refused(layers):
    with pytest.raises(ValueError, match=r"go_backwards=True|return_state=True"):
        BothDirections(*layers)
