"""A trace holds what the equations give, for every gate, layer and direction."""

import numpy as np
import numpy_lstm
import pytest
from random_networks import random_ids, random_network

from sentiment_lstm.gate_trace import GATES, trace, turned


def by_hand(config, weights, ids):
    """Return, for each layer and direction, gates `(T, H)` as read, from the oracle."""
    x = weights["embedding"][ids].astype(np.float64)
    layers = []
    for index in range(config.layers):
        runs = []
        for direction in ("forward", "backward")[: config.directions]:
            parts = ("kernel", "recurrent_kernel", "bias")
            arrays = [weights[f"lstm.{index}.{direction}.{part}"] for part in parts]
            read = x[::-1] if direction == "backward" else x
            run = numpy_lstm.forward(read[None], *arrays)
            _, _, i, f, g, o, *_ = (np.stack(part)[:, 0] for part in zip(*run.cache, strict=True))
            runs.append({"i": i, "f": f, "g": g, "o": o, "c": run.c[0], "h": run.h[0]})
        layers.append(runs)
        both = [runs[0]["h"], *(run["h"][::-1] for run in runs[1:])]
        x = np.concatenate(both, axis=1)
    return layers, x


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("directions", [1, 2])
def test_every_gate_is_that_of_the_equations(layers, directions):
    config, weights = random_network(layers=layers, directions=directions)
    ids = random_ids(7)
    expected, states = by_hand(config, weights, ids)
    found = trace(config, weights, ids)
    assert len(found) == layers
    for layer, runs in zip(found, expected, strict=True):
        for name in GATES:
            wanted = np.stack([run[name] for run in runs])
            np.testing.assert_allclose(getattr(layer, name), wanted, atol=2e-6)
    np.testing.assert_allclose(found[-1].states, states, atol=2e-6)


def test_a_text_without_tokens_has_an_empty_trace():
    config, weights = random_network(layers=2)
    (below, top) = trace(config, weights, random_ids(0))
    assert below.h.shape == top.h.shape == (2, 0, 3)
    assert top.states.shape == (0, 6)


def test_only_the_backward_direction_is_turned_and_twice_is_not_at_all():
    array = np.arange(12.0).reshape(2, 3, 2)
    assert turned(array)[:, :, 0].tolist() == [[0, 2, 4], [10, 8, 6]]
    np.testing.assert_array_equal(turned(turned(array)), array)
