"""Contextual decomposition against the two-part form of its authors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_decomposition import decompose
from random_networks import THREE, random_ids, random_network

from sentiment_lstm.dissection import dissect
from sentiment_lstm.explained_output import explained_output
from sentiment_lstm.gate_trace import trace
from sentiment_lstm.inference import Network
from sentiment_lstm.phrases import masks

POOLINGS = (("last",), ("max",), ("mean",), ("mean", "last", "max"))
SPANS = [(0, 1), (2, 4), (1, 6), (5, 6), (0, 6)]


def relevant(config, weights, ids, spans, label):
    found = dissect(weights, trace(config, weights, ids), explained_output(config, label))
    return found.relevant(masks(spans, len(ids)))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_phrase_gets_what_the_two_part_form_gives_it(pooling, directions, layers):
    config, weights = random_network(
        pooling=pooling, directions=directions, layers=layers, labels=THREE
    )
    ids = random_ids(6)
    expected = [decompose(config, weights, ids, *span)[0] for span in SPANS]
    for column, label in enumerate(THREE):
        found = relevant(config, weights, ids, SPANS, label)
        np.testing.assert_allclose(found, np.array(expected)[:, column], atol=2e-6)


@given(
    st.sampled_from(POOLINGS), st.integers(1, 2), st.integers(1, 2), st.data(),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=30)
def test_both_parts_sum_to_the_logit_of_the_classifier(pooling, directions, layers, data, seed):
    config, weights = random_network(
        pooling=pooling, directions=directions, layers=layers, seed=seed
    )
    ids = random_ids(data.draw(st.integers(1, 9)), seed)
    start = data.draw(st.integers(0, len(ids) - 1))
    end = data.draw(st.integers(start + 1, len(ids)))
    (logit,) = Network(config, weights).logits([ids])[0]
    relevant_part, rest = decompose(config, weights, ids, start, end)
    (found,) = relevant(config, weights, ids, [(start, end)], None)
    assert found + rest[0] == pytest.approx(logit, abs=1e-4)
    assert found == pytest.approx(relevant_part[0], abs=1e-5)


def test_a_word_read_after_the_last_state_that_counts_has_no_part():
    """Forward and max: a phrase behind every unit's largest state cannot have moved it."""
    config, weights = random_network(directions=1, pooling=("max",), seed=2)
    ids = random_ids(12, 2)
    layers = trace(config, weights, ids)
    latest = int(layers[-1].h[0].argmax(axis=0).max())
    assert latest < 11
    (part,) = relevant(config, weights, ids, [(latest + 1, 12)], None)
    assert part == 0


def test_no_phrase_at_all_has_no_part():
    config, weights = random_network()
    assert relevant(config, weights, random_ids(4), [(0, 0)], None) == pytest.approx(0, abs=1e-6)
    assert relevant(config, weights, random_ids(4), [], None).shape == (0,)
