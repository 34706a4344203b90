"""Shares are the terms of the unrolled cell, and nothing is left over but the bias."""

import numpy as np
import numpy_lstm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import THREE, random_ids, random_network

from sentiment_lstm.attribution import contributions, tanh_ratio
from sentiment_lstm.dissection import dissect, outputs_of
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.gate_trace import trace
from sentiment_lstm.inference import Network

POOLINGS = (("last",), ("max",), ("mean",), ("mean", "last", "max"))


def terms(weights, head, config, ids):
    """Return each word's term, by the sum as it is written: one word, step and unit at a time."""
    T, H, D = len(ids), config.units, config.directions
    x = weights["embedding"][ids]
    head = head.reshape(len(config.pooling), D, H)
    shares = np.zeros(T)
    for d, name in enumerate(("forward", "backward")[:D]):
        arrays = [weights[f"lstm.0.{name}.{p}"] for p in ("kernel", "recurrent_kernel", "bias")]
        order = list(range(T))[:: -1 if d else 1]
        run = numpy_lstm.forward(x[order][None], *arrays)
        gates = [np.stack(part)[:, 0] for part in zip(*run.cache, strict=True)]
        i, f, g, o, c = gates[2:7]
        for p, kind in enumerate(config.pooling):
            for u in range(H):
                ends = {"last": [T - 1], "max": [run.h[0, :, u].argmax()], "mean": range(T)}[kind]
                for end in ends:
                    shown = head[p, d, u] * o[end, u] * np.tanh(c[end, u]) / c[end, u] / len(ends)
                    for t in range(end + 1):
                        kept = np.prod(f[t + 1 : end + 1, u])
                        shares[order[t]] += shown * i[t, u] * g[t, u] * kept
    return shares


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("label", THREE)
def test_shares_are_the_terms_of_the_sum_as_it_is_written(pooling, directions, label):
    config, weights = random_network(directions=directions, pooling=pooling, labels=THREE)
    ids = random_ids(6)
    output = explained_output(config, label)
    expected = terms(weights, output.weights(weights["head.kernel"]), config, ids)
    shares = dissect(weights, trace(config, weights, ids), output).shares()
    np.testing.assert_allclose(shares, expected, atol=2e-6)


@given(
    st.sampled_from(POOLINGS), st.integers(1, 2), st.integers(1, 3), st.integers(0, 40),
    st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.8, 3.0]),
)  # fmt: skip
@settings(max_examples=60)
def test_shares_and_bias_sum_to_the_logit_of_the_classifier(
    pooling, directions, layers, length, seed, scale
):
    config, weights = random_network(
        pooling=pooling, directions=directions, layers=layers, labels=THREE, seed=seed, scale=scale
    )
    ids = random_ids(length, seed)
    logits = Network(config, weights).logits([ids])[0]
    layers_read = trace(config, weights, ids)
    np.testing.assert_allclose(outputs_of(config, weights, layers_read[-1]), logits, atol=1e-4)
    for label, logit in zip(THREE, logits, strict=True):
        found = dissect(weights, layers_read, explained_output(config, label))
        assert found.shares().shape == (length,)
        assert found.shares().sum() + found.bias == pytest.approx(logit, abs=1e-4)
        assert found.value == pytest.approx(logit, abs=1e-4)


def test_units_and_directions_add_up_to_the_words():
    config, weights = random_network(pooling=("max", "last"))
    found = dissect(weights, trace(config, weights, random_ids(5)), explained_output(config))
    assert found.parts().shape == (2, 5, 3)
    np.testing.assert_allclose(found.parts().sum(axis=(0, 2)), found.shares())


def test_a_word_after_which_all_is_forgotten_leaves_no_share_to_those_before_it():
    config, weights = random_network(directions=1, pooling=("last",))
    weights["lstm.0.forward.bias"][3:6] = -200  # f = 0
    layers = trace(config, weights, random_ids(5))
    shares = dissect(weights, layers, explained_output(config)).shares()
    np.testing.assert_allclose(shares[:4], 0, atol=2e-6)
    assert abs(shares[4]) > 1e-3


def test_the_ratio_is_one_where_the_cell_is_zero():
    c = np.array([0.0, -0.0, 1e-300, 0.5, -40.0])
    np.testing.assert_allclose(tanh_ratio(c), [1, 1, 1, np.tanh(0.5) / 0.5, 1 / 40])


def test_a_text_without_words_has_no_contributions():
    config, weights = random_network()
    (layer,) = trace(config, weights, random_ids(0))
    assert contributions(layer, np.zeros((2, 0, 3))).shape == (2, 0, 3)
