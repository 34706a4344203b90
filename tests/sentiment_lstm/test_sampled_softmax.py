"""Samples of a vocabulary: distinct, as likely as asked, and the whole softmax at the limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from sentiment_lstm.sampled_softmax import POWER, Sampler, cross_entropies

COUNTS = np.array([900, 0, 300, 200, 100, 50, 40, 30, 20, 10, 5, 4, 3, 2, 1, 1, 1, 1])
counts_of_any_kind = st.lists(st.integers(0, 10**7), min_size=1, max_size=60).map(np.array)


@given(counts_of_any_kind, st.integers(0, 80), st.integers(0, 2**32))
def test_a_sample_is_of_distinct_tokens_in_order_and_of_the_size_asked_for(counts, size, seed):
    sampler = Sampler.of(counts, size)
    drawn = sampler.draw((seed, 3))
    assert len(drawn) == min(size or len(counts), len(counts))
    assert (np.diff(drawn) > 0).all()
    assert drawn[0] >= 0
    assert drawn[-1] < len(counts)
    assert (sampler.chances <= 1).all()
    np.testing.assert_array_equal(drawn, sampler.draw((seed, 3)))


def test_chances_follow_the_counts_to_a_power_but_for_tokens_that_are_sampled_surely():
    chances = Sampler.of(COUNTS, 6).chances
    assert chances.sum() == pytest.approx(6)
    unsure = (chances < 1) & (COUNTS > 0)
    ratio = chances[unsure] / COUNTS[unsure] ** POWER
    np.testing.assert_allclose(ratio, ratio[0])
    assert (COUNTS[~unsure & (COUNTS > 0)] ** POWER * ratio[0] >= 1).all()


def test_tokens_come_as_often_as_their_chances_say():
    sampler = Sampler.of(COUNTS, 6)
    drawn = np.zeros(len(COUNTS))
    for seed in range(4000):
        drawn[sampler.draw((seed,))] += 1
    np.testing.assert_allclose(drawn / 4000, sampler.chances, atol=0.03)


def test_other_seeds_give_other_samples():
    sampler = Sampler.of(COUNTS, 6)
    assert len({tuple(sampler.draw((0, 0, step))) for step in range(20)}) > 1


def problem(n=7, width=5, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(COUNTS), width)).astype("float32")
    bias = rng.normal(size=len(COUNTS)).astype("float32")
    states = rng.normal(size=(n, width)).astype("float32")
    return states, rng.integers(0, len(COUNTS), n).astype("int32"), rows, bias


def found(states, targets, rows, bias, sampler, seed):
    added, drawn = bias - sampler.log_chances, sampler.draw(seed)
    own = (states * rows[targets]).sum(axis=1) + added[targets]
    given = (states, own, rows[drawn], added[drawn], targets, drawn)
    losses = cross_entropies(*map(ops.convert_to_tensor, given))
    return ops.convert_to_numpy(losses).astype(float)


def whole_softmax(states, targets, rows, bias):
    logits = states.astype(float) @ rows.T + bias
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(targets)), targets]


@pytest.mark.parametrize("size", [0, len(COUNTS), 1000])
def test_a_sample_of_everything_gives_the_softmax_itself(size):
    given = problem()
    losses = found(*given, Sampler.of(COUNTS, size), (5,))
    np.testing.assert_allclose(losses, whole_softmax(*given), rtol=1e-5, atol=1e-6)


def test_large_logits_do_not_overflow():
    states, targets, rows, bias = problem()
    given = (states * 100, targets, rows * 10, bias)
    losses = found(*given, Sampler.of(COUNTS, 6), (0,))
    assert np.isfinite(losses).all()
    assert (losses >= 0).all()


def test_the_sum_over_the_vocabulary_is_estimated_without_bias():
    """As Horvitz & Thompson 1952 have it: each term divided by its chance to be there."""
    states, _, rows, bias = problem(n=3)
    sampler = Sampler.of(COUNTS, 6)
    terms = np.exp(states.astype(float) @ rows.T + bias)
    draws = [sampler.draw((seed,)) for seed in range(6000)]
    estimates = [(terms[:, d] / sampler.chances[d]).sum(axis=1) for d in draws]
    np.testing.assert_allclose(np.mean(estimates, axis=0), terms.sum(axis=1), rtol=0.05)


def test_a_larger_sample_comes_nearer_to_the_softmax():
    given = problem(n=200, seed=1)
    gaps = []
    for size in (3, 8, 15):
        losses = [found(*given, Sampler.of(COUNTS, size), (seed,)) for seed in range(20)]
        gaps.append(np.abs(np.mean(losses) - whole_softmax(*given).mean()))
    assert gaps[0] > gaps[1] > gaps[2]
