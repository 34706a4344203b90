"""The operation: differentiable on every backend, the same as the sum in `keras.ops`."""

import keras
import numpy as np
import pytest
from backend_gradients import gradients
from keras import ops

from sentiment_lstm import softmax_ops
from sentiment_lstm.softmax_ops import NO_GRADIENT, summed_cross_entropy

BACKEND = keras.backend.backend()


def problem(seed=0, n=17, width=5, k=8):
    rng = np.random.default_rng(seed)
    floats = [rng.normal(size=shape).astype("float32") for shape in ((n, width), n, (k, width), k)]
    candidates = np.sort(rng.permutation(30)[:k]).astype("int32")
    targets = rng.integers(0, 30, n).astype("int32")
    return floats, (targets, candidates, rng.random(n).astype("float32"))


def total(*floats, others, training=True):
    others = [ops.convert_to_tensor(a) for a in others]
    return 3 * summed_cross_entropy(*floats, *others, training=training)


def by_keras(monkeypatch):
    monkeypatch.setattr(softmax_ops.bptt_ops, "available", lambda *_, **__: False)


def test_gradients_are_those_of_the_sum_in_keras_ops(monkeypatch):
    floats, others = problem()
    found = gradients(lambda *given: total(*given, others=others), *floats)
    by_keras(monkeypatch)
    expected = gradients(lambda *given: total(*given, others=others), *floats)
    for name, a, b in zip(("states", "own", "rows", "added"), found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("training", [False, True])
def test_the_sum_is_that_in_keras_ops(monkeypatch, training):
    floats, others = problem(1)
    given = [ops.convert_to_tensor(a) for a in floats]
    found = float(ops.convert_to_numpy(total(*given, others=others, training=training)))
    by_keras(monkeypatch)
    expected = float(ops.convert_to_numpy(total(*given, others=others)))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(BACKEND == "jax", reason="the sum in keras.ops has a gradient always")
def test_a_gradient_that_nobody_was_to_ask_for_is_refused(monkeypatch):
    monkeypatch.setattr(softmax_ops.bptt_ops, "available", lambda *_, **__: True)
    floats, others = problem()
    with pytest.raises(NotImplementedError, match=NO_GRADIENT):
        gradients(lambda *given: total(*given, others=others, training=False), *floats)
