"""Products of matrices in bfloat16, sums in float32, where the processor has instructions for them.

By Intel's matrix unit if there is one (`sentiment_lstm.matrix_unit`), else by vectors
(`sentiment_lstm.bfloat16_vectors`). The two round alike but add in another order.
"""

import numpy as np

from sentiment_lstm import bfloat16_panels, bfloat16_vectors, matrix_unit
from sentiment_lstm.bfloat16 import Bits, Floats
from sentiment_lstm.bfloat16_panels import ABREAST, COLUMNS, DEPTH, ROWS, padded
from sentiment_lstm.compiled import kernel

AT_ONCE = 1024  # rows of A: so many of its columns as rows, 768, fit into a second-level cache
STEP = ABREAST * COLUMNS  # what the width of a result is a multiple of

_add_rows, _TOGETHER = (
    (matrix_unit.add_rows, ROWS)
    if matrix_unit.available()
    else (bfloat16_vectors.add_rows, bfloat16_vectors.TOGETHER)
)


def available() -> bool:
    """Tell whether this processor multiplies numbers in bfloat16, and this process may have it."""
    return matrix_unit.available() or bfloat16_vectors.available()


def means() -> str:
    """Say what multiplies here."""
    if matrix_unit.available():
        return "by the matrix unit"
    return "by vectors" if bfloat16_vectors.available() else "in float32, for want of instructions"


def panels_of(matrix: Bits) -> Bits:
    """Lay a matrix `(m, columns)` out in panels, as `add_product` takes it.

    Raises:
        RuntimeError: there is nothing to multiply them with.
    """
    if not available():
        raise RuntimeError("this processor has no products in bfloat16 that may be used")
    return bfloat16_panels.panels_of(matrix)


def summed_outer(a: Bits, b: Bits) -> Floats:
    """Return Aᵀ·B `(p, q)`, for A `(n, p)` and B `(n, q)`, p and q multiples of 64.

    Raises:
        ValueError: the shapes do not fit.
    """
    if len(a) != len(b) or a.shape[1] % STEP or b.shape[1] % STEP:
        raise ValueError("the shapes of summed_outer's arrays do not fit")
    add = _add_transposed if matrix_unit.available() else _add_across
    result = np.zeros((a.shape[1], b.shape[1]), np.float32)
    for start in range(0, len(a), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        add(a[some], panels_of(b[some]), result)
    return result


def _add_across(a: Bits, panels: Bits, result: Floats) -> None:
    bfloat16_vectors.add_outer(panels_of(a), panels, result)


def _add_transposed(a: Bits, panels: Bits, result: Floats) -> None:
    across = np.zeros((a.shape[1], padded(len(a), DEPTH)), np.uint16)
    _transpose(a, across)
    add_product(len(across), across, panels, result)


@kernel
def _transpose(a: Bits, across: Bits) -> None:
    """Put A's columns down as rows; squares of both are small enough to stay in the cache."""
    n, p = a.shape
    for first in range(0, n, DEPTH):
        for j in range(p):
            for row in range(first, min(first + DEPTH, n)):
                across[j, row] = a[row, j]


@kernel
def add_product(n: int, a: Bits, panels: Bits, result: Floats) -> None:
    """Add the first n rows of A·B to those of a result.

    Rows are taken by `ROWS`, by vectors by fewer: those behind the n-th up to a multiple of it must
    be there, hold anything, and in the result hold nothing of use afterwards.

    Args:
        n: how many rows.
        a: A, `(≥ n, m)`.
        panels: B `(m, columns)`, as `panels_of` lays it out.
        result: `(≥ n, columns)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    rows = (n + ROWS - 1) // ROWS * ROWS
    fits = panels.shape[1] * 2 == a.shape[1] and panels.shape[0] * COLUMNS == result.shape[1]
    whole = a.shape[1] % DEPTH == 0 and panels.shape[0] % ABREAST == 0 and a.shape[1] > 0
    if not fits or not whole or rows > a.shape[0] or rows > result.shape[0]:
        raise ValueError("the shapes of add_product's arrays do not fit")
    _add_rows((n + _TOGETHER - 1) // _TOGETHER * _TOGETHER, a, panels, result)
