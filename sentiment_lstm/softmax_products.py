"""The products of `sentiment_lstm.softmax_gradient`: in float32, or bfloat16 by a matrix unit."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm import matrix_unit
from sentiment_lstm.bfloat16 import bits_of

Floats = NDArray[np.float32]


class Products(Protocol):
    """Products with the candidates' rows; safe to share between threads."""

    def logits(self, states: Floats, out: Floats) -> None:
        """Put states `(n, width)` times the rows, transposed, into an array `(n, k)`."""
        ...  # pragma: no cover

    def back(self, chances: Floats, states: Floats, d_states: Floats, d_rows: Floats) -> None:
        """Put chances `(n, k)` times the rows into one array, add chancesᵀ·states to another."""
        ...  # pragma: no cover


def products(rows: Floats, *, narrow: bool) -> Products:
    """Return the products with rows `(k, width)`, in bfloat16 if asked for and possible."""
    step = matrix_unit.ABREAST * matrix_unit.COLUMNS
    fits = narrow and not any(size % step for size in rows.shape) and matrix_unit.available()
    return _Narrow(rows) if fits else _Single(rows)


class _Single:
    def __init__(self, rows: Floats) -> None:
        self._rows = rows

    def logits(self, states: Floats, out: Floats) -> None:
        np.matmul(states, self._rows.T, out=out)

    def back(self, chances: Floats, states: Floats, d_states: Floats, d_rows: Floats) -> None:
        np.matmul(chances, self._rows, out=d_states)
        d_rows += chances.T @ states


class _Narrow:
    def __init__(self, rows: Floats) -> None:
        bits = bits_of(rows)
        self._there, self._back = matrix_unit.panels_of(bits.T), matrix_unit.panels_of(bits)

    def logits(self, states: Floats, out: Floats) -> None:
        _multiply(states, self._there, out)

    def back(self, chances: Floats, states: Floats, d_states: Floats, d_rows: Floats) -> None:
        _multiply(chances, self._back, d_states)
        d_rows += matrix_unit.summed_outer(bits_of(chances), bits_of(states))


def _multiply(a: Floats, panels: NDArray[np.uint16], out: Floats) -> None:
    """Put A·B into an array; the unit takes rows by sixteens."""
    n = len(a)
    rows = matrix_unit.padded(n, matrix_unit.ROWS)
    result = out if rows == n else np.empty((rows, out.shape[1]), np.float32)
    result[...] = 0
    matrix_unit.add_product(n, bits_of(np.pad(a, ((0, rows - n), (0, 0)))), panels, result)
    if result is not out:
        out[...] = result[:n]
