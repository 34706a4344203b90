"""Words that are multiplied once, against the LSTM over their vectors laid out step by step."""

from dataclasses import replace

import numpy as np
import numpy_lstm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_batches import (
    CANCELLED,
    CASES,
    assert_close,
    bits_of,
    cut_into_pieces,
    narrowed,
    oracle,
    random_batch,
    rounded,
)
from ml_dtypes import bfloat16

from sentiment_lstm import bfloat16_products, bias_gradient, bptt, bptt_words

WORDS, THREADS = st.integers(1, 30), st.integers(1, 3)
ROWS = st.sampled_from([1, 9, 4096])  # at once
OF_WORDS = 3  # behind states, last h and last c: the gradient of the words' vectors


def of_words(case, count):
    """Return a batch that reads some words of so many, and what `random_batch` returns of it."""
    laid_out, weights, h, c, draw = random_batch(**case)
    rng = np.random.default_rng(case["seed"])
    words = rng.integers(0, count, laid_out.keep.shape).astype(np.int32)
    vectors = draw(count, case["features"])
    batch = replace(laid_out, sequences=vectors, words=words)
    return batch, replace(laid_out, sequences=vectors[words]), weights, h, c, draw


def deal(patch, threads, rows):
    """Have so many threads share the work, and each of them take so many rows at once back."""
    for module in (bptt, bptt_words, bias_gradient):
        patch.setattr(module, "cores", lambda: threads)
    cut_into_pieces(patch, rows)


def run_of(batch, weights, h, c, d_outputs):
    outputs, tape = bptt.forward(*bptt_words.started(batch, weights), h, c)
    return (*outputs, *bptt_words.backward(batch, weights, tape, d_outputs))


def expected_of(batch, laid_out, weights, h, c, d_outputs):
    """Return what the oracle makes of it, the gradients of a word's places added up.

    And, as `assert_close` takes it, the length of the longest way that these go on their own.
    """
    run, x = oracle(laid_out, weights, h, c)
    kernels = weights.kernel, weights.recurrent_kernel
    by_place, *others = numpy_lstm.backward(run, x, *kernels, *d_outputs)
    by_place = by_place[:, ::-1] if batch.backwards else by_place
    by_word, squares = np.zeros((2, *batch.sequences.shape))
    np.add.at(by_word, batch.words, by_place)
    np.add.at(squares, batch.words, by_place**2)
    return (run.h, run.h[:, -1], run.c[:, -1], by_word, *others), np.sqrt(squares.max(initial=0))


@given(CASES, WORDS, THREADS, ROWS)
@settings(max_examples=40)
def test_states_and_gradients_agree_with_backpropagation_step_by_step(case, count, threads, rows):
    batch, laid_out, weights, h, c, draw = of_words(case, count)
    states = (*batch.words.shape, case["units"])
    d_outputs = bptt.Outputs(draw(*states), draw(*h.shape), draw(*c.shape))
    with pytest.MonkeyPatch.context() as patch:
        deal(patch, threads, rows)
        found = run_of(batch, weights, h, c, d_outputs)
    expected, walk = expected_of(batch, laid_out, weights, h, c, d_outputs)
    for at, (actual, of_the_oracle) in enumerate(zip(found, expected, strict=True)):
        assert_close(actual, of_the_oracle, walk if at == OF_WORDS else 0)


@pytest.mark.skipif(not bfloat16_products.available(), reason="no products in bfloat16 here")
@given(CASES, WORDS, THREADS, ROWS)
@settings(max_examples=40)
def test_in_bfloat16_they_agree_as_nearly_as_its_digits_allow(case, count, threads, rows):
    case = {**case, "units": 16 * -(-case["units"] // 40)}  # of 16, 32, 48 and 64
    batch, laid_out, weights, h, c, draw = of_words(case, count)
    batch, laid_out, weights = map(rounded, (batch, laid_out, weights))
    d_states = draw(*batch.words.shape, case["units"]).astype(bfloat16).astype(np.float32)
    d_outputs = bptt.Outputs(d_states, draw(*h.shape), draw(*c.shape))
    d_narrow = d_outputs._replace(states=bits_of(d_states))
    with pytest.MonkeyPatch.context() as patch:
        deal(patch, threads, rows)
        found = run_of(narrowed(batch), narrowed(weights), h, c, d_narrow)
    expected, walk = expected_of(batch, laid_out, weights, h, c, d_outputs)
    for at, (actual, of_the_oracle) in enumerate(zip(found, expected, strict=True)):
        actual = actual.view(bfloat16) if actual.dtype == np.uint16 else actual
        walked = walk if at == OF_WORDS else 0
        allowed = 0.02 * max(np.abs(of_the_oracle).max(initial=0), CANCELLED, walked)
        np.testing.assert_allclose(actual.astype(float), of_the_oracle, rtol=0, atol=allowed)


@pytest.mark.parametrize(("rows", "time"), [(0, 4), (3, 0)])
def test_a_batch_without_rows_or_steps_is_no_error(rows, time):
    case = {"seed": 0, "rows": rows, "time": time, "features": 3, "units": 5, "mask": "none"}
    batch, _, weights, h, c, _ = of_words(case, 2)
    batch = replace(batch, sequences=batch.sequences[:0])
    d_outputs = bptt.Outputs(np.zeros((rows, time, 5), "float32"), h, c)
    states, *_, d_vectors, d_kernel, _, d_bias, _, _ = run_of(batch, weights, h, c, d_outputs)
    assert states.shape == (rows, time, 5)
    assert d_vectors.shape == (0, 3)
    assert not d_kernel.any()
    assert d_bias.shape == (20,)
