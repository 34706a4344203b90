"""The way back through time written out, against the same in float64 numpy, step by step."""

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
    through_bits,
)
from ml_dtypes import bfloat16

from sentiment_lstm import bfloat16_products, bptt, bptt_back

ROWS = st.sampled_from([1, 5, 40, 4096])  # of a piece, at least


@given(CASES, st.integers(1, 3), ROWS)
@settings(max_examples=40)
def test_gradients_agree_with_backpropagation_step_by_step(case, threads, rows):
    batch, weights, h, c, draw = random_batch(**case)
    run, x = oracle(batch, weights, h, c)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bptt, "cores", lambda: threads)
        cut_into_pieces(patch, rows)
        _, tape = bptt.forward(batch, weights, h, c)
        d_outputs = bptt.Outputs(draw(*run.h.shape), draw(*h.shape), draw(*c.shape))
        gradients = bptt_back.backward(batch, weights, tape, d_outputs)
    expected = list(
        numpy_lstm.backward(run, x, weights.kernel, weights.recurrent_kernel, *d_outputs)
    )
    if batch.backwards:
        expected[0] = expected[0][:, ::-1]
    for actual, of_the_oracle in zip(gradients, expected, strict=True):
        assert_close(actual, of_the_oracle)


@pytest.mark.skipif(not bfloat16_products.available(), reason="no products in bfloat16 here")
@given(CASES, st.integers(1, 3), ROWS)
@settings(max_examples=40)
def test_in_bfloat16_they_agree_as_nearly_as_its_digits_allow(case, threads, rows):
    case = {**case, "units": 16 * -(-case["units"] // 40)}  # of 16, 32, 48 and 64
    batch, weights, h, c, draw = random_batch(**case)
    batch, weights = map(rounded, (batch, weights))
    run, x = oracle(batch, weights, h, c)
    d_outputs = bptt.Outputs(through_bits(draw(*run.h.shape)), draw(*h.shape), draw(*c.shape))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bptt, "cores", lambda: threads)
        cut_into_pieces(patch, rows)
        outputs, tape = bptt.forward(narrowed(batch), narrowed(weights), h, c)
        d_narrow = d_outputs._replace(states=bits_of(d_outputs.states))
        gradients = bptt_back.backward(narrowed(batch), narrowed(weights), tape, d_narrow)
    expected = list(
        numpy_lstm.backward(run, x, weights.kernel, weights.recurrent_kernel, *d_outputs)
    )
    if batch.backwards:
        expected[0] = expected[0][:, ::-1]
    both = zip((*outputs, *gradients), (run.h, run.h[:, -1], run.c[:, -1], *expected), strict=True)
    for actual, of_the_oracle in both:
        actual = actual.view(bfloat16) if actual.dtype == np.uint16 else actual
        allowed = 0.02 * max(np.abs(of_the_oracle).max(initial=0), CANCELLED)
        np.testing.assert_allclose(actual.astype(float), of_the_oracle, rtol=0, atol=allowed)


def test_without_states_the_gradient_is_that_of_the_last():
    batch, weights, h, c, draw = random_batch(1, 9, 5, 4, 6, "ragged")
    run, x = oracle(batch, weights, h, c)
    outputs, tape = bptt.forward(batch, weights, h, c, with_states=False)
    assert outputs.states.shape == (9, 0, 6)
    assert_close(outputs.h, run.h[:, -1])
    d_outputs = bptt.Outputs(outputs.states, draw(9, 6), draw(9, 6))
    gradients = bptt_back.backward(batch, weights, tape, d_outputs)
    expected = numpy_lstm.backward(
        run, x, weights.kernel, weights.recurrent_kernel, np.zeros_like(run.h), *d_outputs[1:]
    )
    for actual, of_the_oracle in zip(gradients, expected, strict=True):
        assert_close(actual, of_the_oracle)


def test_a_batch_without_rows_or_steps_is_no_error():
    for rows, time in ((0, 4), (3, 0)):
        batch, weights, h, c, _ = random_batch(2, rows, time, 4, 6, "none")
        outputs, tape = bptt.forward(batch, weights, h, c)
        np.testing.assert_array_equal(outputs.h, h)
        d_outputs = bptt.Outputs(np.zeros((rows, time, 6), "float32"), h, c)
        gradients = bptt_back.backward(batch, weights, tape, d_outputs)
        np.testing.assert_array_equal(gradients.h, h)
        assert not gradients.kernel.any()


@given(st.lists(st.integers(0, 9), max_size=30), ROWS)
def test_pieces_hold_every_step_once_and_as_many_rows_as_they_should(counts, rows):
    counts = np.array(sorted(counts, reverse=True), np.intp)
    found = list(bptt_back.pieces(counts, rows))[::-1]
    steps = [t for piece in found for t in range(piece.first, piece.stop)]
    assert steps == list(range(len(counts)))
    starts = np.concatenate([[0], np.cumsum(counts)])
    for at, piece in enumerate(found):
        assert piece.rows == slice(starts[piece.first], starts[piece.stop])
        taken = counts[piece.first : piece.stop].sum()
        assert taken < rows + max(counts, default=0)
        assert at == 0 or taken >= rows
