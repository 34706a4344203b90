import numpy as np
from random_networks import random_network

from sentiment_lstm.int8_rows import Int8Rows, int8_rows, restored_weights


def test_a_row_is_off_by_half_of_its_own_step_at_most():
    matrix = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    matrix *= np.array([[1e-3], [1.0], [50.0], [1e-6], [3.0], [0.2]], np.float32)
    rows = Int8Rows.of(matrix)
    step = np.abs(matrix).max(axis=1, keepdims=True) / 127
    assert (np.abs(rows.restored() - matrix) <= 0.5001 * step).all()
    assert rows.values.dtype == np.int8
    assert (np.abs(rows.values.astype(int)).max(axis=1) == 127).all()


def test_what_can_be_stored_comes_back_unchanged():
    rows = Int8Rows.of(np.array([[0.0, 0.0], [-127.0, 3.0], [0.0, 254.0]], np.float32))
    np.testing.assert_array_equal(rows.restored(), [[0, 0], [-127, 3], [0, 254]])


def test_matrices_of_embedding_and_lstm_are_stored_and_no_others():
    _, weights = random_network(layers=2)
    stored = int8_rows(weights)
    kernels = {n for n in weights if n.startswith("lstm.") and not n.endswith("bias")}
    assert stored.keys() == {"embedding", *kernels}
    restored = restored_weights(weights, stored)
    assert restored.keys() == weights.keys()
    for name, weight in weights.items():
        assert restored[name].shape == weight.shape
        same = np.array_equal(restored[name], weight)
        assert same == (name not in stored)
        np.testing.assert_allclose(restored[name], weight, atol=0.02)


def test_each_unit_of_a_gate_has_a_scale_of_its_own():
    _, weights = random_network()
    kernel = weights["lstm.0.forward.kernel"]
    kernel[:, 5] *= 1e-4
    restored = restored_weights(weights, int8_rows(weights))["lstm.0.forward.kernel"]
    np.testing.assert_allclose(restored[:, 5], kernel[:, 5], atol=1e-6)
