"""Numbers of 16 bits, against ml_dtypes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from ml_dtypes import bfloat16

from sentiment_lstm.bfloat16 import bits_of, column_sums, narrowed, widened
from sentiment_lstm.compiled import kernel

MATRICES = array_shapes(min_dims=2, max_dims=2)
FLOATS = st.integers(0, 2**32 - 1).map(lambda word: np.uint32(word).view(np.float32))


@kernel
def there_and_back(matrix, through):
    for row in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            through[row, j] = narrowed(matrix[row, j], through)
            matrix[row, j] = widened(through[row, j])


@given(arrays(np.float32, MATRICES, elements=FLOATS))
def test_a_number_is_rounded_as_ml_dtypes_rounds_it(matrix):
    with np.errstate(invalid="ignore"):  # of a NaN that is to be heard of
        expected = matrix.astype(bfloat16)
    found = bits_of(matrix).view(bfloat16)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    sure = ~np.isnan(expected)
    np.testing.assert_array_equal(found[sure].view(np.uint16), expected[sure].view(np.uint16))


def test_halves_and_their_neighbours_go_to_the_even():
    upper = np.arange(2**16, dtype=np.uint32) << 16
    words = upper[:, None] + np.array([0, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    matrix = words.view(np.float32)
    finite = matrix[np.isfinite(matrix)][None]
    np.testing.assert_array_equal(bits_of(finite), finite.astype(bfloat16).view(np.uint16))


def test_stored_numbers_are_loaded_as_they_are():
    every = np.arange(2**16, dtype=np.uint16).view(bfloat16).astype(np.float32).reshape(256, -1)
    found = every.copy()
    there_and_back(found, np.empty(every.shape, np.uint16))
    np.testing.assert_array_equal(found, every)


def test_what_is_float32_stays():
    matrix = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    found, through = matrix.copy(), np.empty_like(matrix)
    there_and_back(found, through)
    np.testing.assert_array_equal(through, matrix)
    np.testing.assert_array_equal(found, matrix)


def test_columns_are_summed_in_float32():
    matrix = np.random.default_rng(1).normal(size=(300, 7)).astype(bfloat16)
    expected = matrix.astype(np.float64).sum(axis=0)
    np.testing.assert_allclose(column_sums(matrix.view(np.uint16)), expected, rtol=1e-5, atol=1e-4)
