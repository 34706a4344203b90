"""Pooling and head as one weighting of the states."""

import numpy as np
import pytest

from sentiment_lstm.readout import readout, selected

H = np.array([[[0.1, 0.9], [0.7, 0.2], [0.7, -0.3]]])  # one direction, three steps, two units


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("last", [[0, 0], [0, 0], [1, 1]]),
        ("max", [[0, 1], [1, 0], [0, 0]]),  # of two equal states the first
        ("mean", [[1 / 3, 1 / 3]] * 3),
    ],
)
def test_a_pooling_takes_its_states(kind, expected):
    np.testing.assert_allclose(selected(H, kind)[0], expected)


def test_poolings_are_weighted_by_their_own_rows_and_added():
    head = np.array([[[2.0, 3.0]], [[5.0, 7.0]]])
    weights = readout(H, head, ("max", "last"))
    np.testing.assert_allclose(weights[0], [[0, 3], [2, 0], [5, 7]])
    assert (weights * H).sum() == pytest.approx(2 * 0.7 + 3 * 0.9 + 5 * 0.7 - 7 * 0.3)


def test_a_text_without_tokens_has_no_weights():
    assert readout(np.zeros((2, 0, 3)), np.ones((1, 2, 3)), ("max",)).shape == (2, 0, 3)
