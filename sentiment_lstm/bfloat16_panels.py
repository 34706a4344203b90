"""How a matrix is laid out for products in bfloat16.

Processors that multiply such numbers take them by pairs: one step of a sum adds two products. So
the numbers of rows 2m and 2m + 1 stand side by side, and sixteen columns of them fill a register.
"""

import numpy as np

from sentiment_lstm.bfloat16 import Bits
from sentiment_lstm.compiled import kernel

ROWS = 16  # of a result that are added to together
COLUMNS = 16  # of a panel, and of a result's register
DEPTH = 32  # a sum is over a multiple of so many numbers
ABREAST = 4  # panels that are multiplied together


def padded(size: int, of: int) -> int:
    """Return the least multiple of a number that is not below a size."""
    return -(-size // of) * of


def panels_of(matrix: Bits) -> Bits:
    """Lay a matrix `(m, columns)` out in panels `(panels, m / 2, COLUMNS, 2)`.

    Zeros fill m up to a multiple of `DEPTH`, and the panels to one of `ABREAST`.
    """
    m, columns = matrix.shape
    panels = padded(columns, ABREAST * COLUMNS) // COLUMNS
    result = np.zeros((panels, padded(m, DEPTH) // 2, COLUMNS, 2), np.uint16)
    _lay_out(np.ascontiguousarray(matrix), result)
    return result


@kernel
def _lay_out(matrix: Bits, panels: Bits) -> None:
    m, columns = matrix.shape
    for row in range(m):
        for j in range(columns):
            panels[j // COLUMNS, row // 2, j % COLUMNS, row % 2] = matrix[row, j]
