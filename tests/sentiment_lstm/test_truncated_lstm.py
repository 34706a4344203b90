"""The truncated LSTM against backpropagation in numpy with what passes through h left out."""

import keras
import numpy as np
import numpy_lstm
import pytest
import tensorflow as tf

from sentiment_lstm.lstm import LSTM
from sentiment_lstm.truncated_lstm import TruncatedLSTM


@pytest.fixture
def random():
    return np.random.default_rng(3)


def drawn(random, masked):
    x = random.normal(size=(5, 9, 3)).astype(np.float32)
    lengths = random.integers(3, 10, size=5)
    mask = np.arange(9) < lengths[:, None] if masked else np.ones((5, 9), bool)
    W, U = random.normal(size=(3, 16)), random.normal(size=(4, 16))
    return x, mask, [w.astype(np.float32) for w in (W, U, random.normal(size=16))]


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_are_those_through_the_cell_alone(random, masked):
    x, mask, weights = drawn(random, masked)
    layer = TruncatedLSTM(4)
    layer.build(x.shape)
    layer.set_weights(weights)
    d_last = random.normal(size=(5, 4)).astype(np.float32)
    inputs = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = tf.reduce_sum(layer(inputs, mask=mask, training=True) * d_last)
    found = tape.gradient(value, [inputs, *layer.trainable_variables])
    run = numpy_lstm.forward(x, *weights, mask=mask)
    # Backward with a recurrent kernel of zeros: dz reaches the weights and not the h before.
    W, U, _ = weights
    nothing = np.zeros_like(U)
    dx, dW, dU, db, _, _ = numpy_lstm.backward(run, x, W, nothing, np.zeros((5, 9, 4)), d_last)
    for ours, expected in zip(found, (dx, dW, dU, db), strict=True):
        np.testing.assert_allclose(ours, expected, atol=2e-5)
    whole = numpy_lstm.backward(run, x, W, U, np.zeros((5, 9, 4)), d_last)
    assert np.abs(whole[2] - dU).max() > 1e-2  # the truncation does something


def test_what_it_computes_is_an_lstm(random):
    x, mask, weights = drawn(random, masked=True)
    layers = [TruncatedLSTM(4, return_sequences=True), LSTM(4, return_sequences=True)]
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(weights)
    ours, whole = (layer(x, mask=mask, training=True) for layer in layers)
    np.testing.assert_allclose(ours, whole, atol=1e-6)


def test_it_trains_inside_a_model(random):
    x, mask, _ = drawn(random, masked=True)
    inputs, keep = keras.Input((9, 3)), keras.Input((9,), dtype="bool")
    model = keras.Model([inputs, keep], keras.layers.Dense(1)(TruncatedLSTM(4)(inputs, mask=keep)))
    model.compile("adam", "mse", jit_compile=False)
    before = model.get_weights()
    model.fit([x, mask], x[:, 0, 0], epochs=1, verbose=0)
    assert all((new != old).any() for new, old in zip(model.get_weights(), before, strict=True))
