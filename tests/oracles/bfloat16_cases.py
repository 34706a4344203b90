"""Numbers in bfloat16, and a check of what a unit's products add to a result."""

import numpy as np
from compiled_parts import called
from ml_dtypes import bfloat16

from sentiment_lstm.bfloat16_panels import ABREAST, COLUMNS, DEPTH, ROWS, panels_of


def bits(seed, *shape):
    """Return numbers of a random matrix as bfloat16 holds them."""
    drawn = np.random.default_rng(seed).normal(size=shape)
    return drawn.astype(bfloat16).view(np.uint16)


def numbers(array):
    """Return what such bits stand for, in float64."""
    return array.view(bfloat16).astype(np.float64)


def check_added_rows(add_rows, blocks, depth):
    """Compare what is added to all rows but the last of a result, which is to stay as it is."""
    rows = blocks * ROWS
    a, b = bits(1, rows, depth * DEPTH), bits(2, depth * DEPTH, 2 * ABREAST * COLUMNS)
    result = np.random.default_rng(3).normal(size=(rows + 1, b.shape[1])).astype(np.float32)
    expected = result.astype(float)
    expected[:rows] += numbers(a) @ numbers(b)
    called(add_rows)(rows, a, panels_of(b), result)
    np.testing.assert_allclose(result, expected, atol=1e-4)
