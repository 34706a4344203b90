"""How a matrix is laid out for products in bfloat16.

Processors that multiply such numbers take them by pairs: one step of a sum adds two products. So
the numbers of rows 2m and 2m + 1 stand side by side, and sixteen columns of them fill a register.
"""

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bfloat16 import Bits
from sentiment_lstm.compiled import kernel
from sentiment_lstm.loans import Loans

Words = NDArray[np.uint32]

ROWS = 16  # of a result that are added to together
COLUMNS = 16  # of a panel, and of a result's register
DEPTH = 32  # a sum is over a multiple of so many numbers
ABREAST = 4  # panels that are multiplied together

_loans = Loans()  # training lays its matrices out anew at every step


def padded(size: int, of: int) -> int:
    """Return the least multiple of a number that is not below a size."""
    return -(-size // of) * of


def panels_of(matrix: Bits) -> Bits:
    """Lay a matrix `(m, columns)` out in panels `(panels, m / 2, COLUMNS, 2)`.

    Zeros fill m up to a multiple of `DEPTH`, and the panels to one of `ABREAST`. No register's part
    lies across two lines of the cache.
    """
    whole = _filled_up(np.ascontiguousarray(matrix))
    pairs, panels = len(whole) // 2, whole.shape[1] // COLUMNS
    words = _loans.array(panels, pairs, COLUMNS).view(np.uint32)
    _lay_out(whole, words)
    return words.view(np.uint16).reshape(panels, pairs, COLUMNS, 2)


def _filled_up(matrix: Bits) -> Bits:
    """Return a matrix with zeros behind its rows and columns, where panels want more of them."""
    m, columns = matrix.shape
    shape = padded(m, DEPTH), padded(columns, ABREAST * COLUMNS)
    if matrix.shape == shape:
        return matrix
    whole = np.zeros(shape, np.uint16)
    whole[:m, :columns] = matrix
    return whole


# Two numbers are put down as one word, the first in its lower half, as these processors read it:
# so that the compiler makes vector instructions of the inner loop.
@kernel
def _lay_out(matrix: Bits, words: Words) -> None:
    for pair in range(words.shape[1]):
        first, second = matrix[2 * pair], matrix[2 * pair + 1]
        for p in range(words.shape[0]):
            for j in range(COLUMNS):
                low, high = first[p * COLUMNS + j], second[p * COLUMNS + j]
                words[p, pair, j] = np.uint32(low) | np.uint32(high) << np.uint32(16)
