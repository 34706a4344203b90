"""The products of `sentiment_lstm.softmax_gradient`: in float32, or in bfloat16."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bfloat16 import Floats, bits_of
from sentiment_lstm.bfloat16_panels import ROWS, padded
from sentiment_lstm.bfloat16_products import (
    STEP,
    add_product,
    available,
    panels_of,
    summed_outer,
)


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
    whole = not any(size % STEP for size in rows.shape)
    fits = narrow and whole and available()
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
        self._there, self._back = (
            panels_of(bits.T),
            panels_of(bits),
        )

    def logits(self, states: Floats, out: Floats) -> None:
        _multiply(states, self._there, out)

    def back(self, chances: Floats, states: Floats, d_states: Floats, d_rows: Floats) -> None:
        _multiply(chances, self._back, d_states)
        d_rows += summed_outer(bits_of(chances), bits_of(states))


def _multiply(a: Floats, panels: NDArray[np.uint16], out: Floats) -> None:
    """Put A·B into an array; which takes rows by sixteens."""
    n = len(a)
    rows = padded(n, ROWS)
    result = out if rows == n else np.empty((rows, out.shape[1]), np.float32)
    result[...] = 0
    add_product(n, bits_of(np.pad(a, ((0, rows - n), (0, 0)))), panels, result)
    if result is not out:
        out[...] = result[:n]
