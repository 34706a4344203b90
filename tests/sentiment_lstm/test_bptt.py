"""The LSTM written out, against the same in float64 numpy, step by step."""

import numpy as np
import pytest
from compiled_parts import called
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_batches import CASES, assert_close, oracle, random_batch

from sentiment_lstm import bptt, bptt_kernels


@given(CASES, st.integers(1, 3))
@settings(max_examples=40)
def test_states_agree_with_those_found_step_by_step(case, threads):
    batch, weights, h, c, _ = random_batch(**case)
    run, _ = oracle(batch, weights, h, c)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bptt, "cores", lambda: threads)
        outputs, _ = bptt.forward(batch, weights, h, c)
    for actual, expected in zip(outputs, (run.h, run.h[:, -1], run.c[:, -1]), strict=True):
        assert_close(actual, expected)


@given(CASES)
@settings(max_examples=20)
def test_inference_gives_the_states_of_training(case):
    batch, weights, h, c, _ = random_batch(**case)
    outputs, _ = bptt.forward(batch, weights, h, c)
    for one, other in zip(outputs, bptt.infer(batch, weights, h, c), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_states_only_the_last_is_returned():
    batch, weights, h, c, _ = random_batch(1, 9, 5, 4, 6, "ragged")
    run, _ = oracle(batch, weights, h, c)
    outputs, _ = bptt.forward(batch, weights, h, c, with_states=False)
    assert outputs.states.shape == (9, 0, 6)
    assert_close(outputs.h, run.h[:, -1])


def test_a_batch_without_rows_or_steps_is_no_error():
    for rows, time in ((0, 4), (3, 0)):
        batch, weights, h, c, _ = random_batch(2, rows, time, 4, 6, "none")
        outputs, _ = bptt.forward(batch, weights, h, c)
        np.testing.assert_array_equal(outputs.h, h)


def test_results_stay_what_they_are_when_memory_is_lent_again():
    batch, weights, h, c, _ = random_batch(3, 12, 7, 5, 8, "none")
    outputs, tape = bptt.forward(batch, weights, h, c)
    before = [part.copy() for part in (*outputs, *tape)]
    for seed in range(4):
        bptt.forward(*random_batch(seed, 12, 7, 5, 8, "none")[:4])
    for part, old in zip((*outputs, *tape), before, strict=True):
        np.testing.assert_array_equal(part, old)


def test_a_number_that_is_none_is_not_hidden():
    batch, weights, h, c, _ = random_batch(4, 2, 3, 5, 6, "none")
    batch.sequences[1, 1, 2] = np.nan
    outputs, _ = bptt.forward(batch, weights, h, c)
    assert np.isfinite(outputs.states[0]).all()
    assert np.isfinite(outputs.states[1, 0]).all()
    assert np.isnan(outputs.states[1, 1:]).all()


@given(st.integers(0, 40), st.integers(0, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_shares_hold_every_row_once_and_every_step_that_counts(rows, time, threads, seed):
    keep = np.random.default_rng(seed).random((rows, time)) < 0.5
    dealt = bptt.shares(keep, threads)
    assert len(dealt) <= threads
    assert sorted(np.concatenate([s.rows for s in dealt])) == list(range(rows))
    spare = int(rows % 3)
    dealt, end = bptt.shares(keep, threads, spare), 0
    for share in dealt:
        np.testing.assert_array_equal(share.keep, keep[share.rows].T)
        for t, count in enumerate(share.counts):
            assert not share.keep[t, count:].any()
        assert (share.packed.start, share.packed.stop) == (end, end + share.counts.sum() + spare)
        end = share.packed.stop


def test_tanh_and_sigmoid_are_right_everywhere():
    x = np.concatenate([np.linspace(-20, 20, 4001), [np.inf, -np.inf, 0, 1e-30]]).astype("float32")
    exact = x.astype("float64")
    for ours, expected in (
        (called(bptt_kernels.tanh), np.tanh(exact)),
        (called(bptt_kernels.sigmoid), 0.5 + 0.5 * np.tanh(exact / 2)),
    ):
        actual = np.array([ours(v) for v in x])
        np.testing.assert_allclose(actual, expected, rtol=0, atol=3e-7)
        assert np.isnan(ours(np.float32("nan")))
