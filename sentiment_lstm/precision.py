"""In which form the products of an LSTM's steps take their numbers.

Two forms: float32, on every processor, and bfloat16 with sums in float32, on one that has
instructions for it. Gates and cells are float32 in both. What differs is told here, so that the
steps themselves (`sentiment_lstm.bptt_kernels`) are written once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from sentiment_lstm import bfloat16_products, tiles
from sentiment_lstm.bfloat16 import bits_of, column_sums
from sentiment_lstm.bfloat16_panels import ROWS
from sentiment_lstm.compiled import OF_PARTS

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Form:
    """How the products take their numbers.

    Attributes:
        stored: type of the arrays that are multiplied.
        stored_as: a matrix of float32 as one of that type.
        panels_of: cuts a matrix into panels for `put_sum`.
        summed_outer: of A `(n, p)` and B `(n, q)`, Aᵀ·B in float32.
        column_sums: of a matrix, in float32.
        at_once: rows that `summed_outer` is given at once, where there are more. Each call adds a
            whole result to those before; far more rows do not fit the cache. That of bfloat16 cuts
            its rows itself, and so gains from more of them.
        spare: rows that must stand behind those of a product.
        depth: a row that is multiplied is as wide as a multiple of this.
        breadth: a result's row is as wide as a multiple of this.
    """

    stored: type[Any]
    stored_as: Callable[[Floats], Any]
    panels_of: Callable[[Any], Any]
    summed_outer: Callable[[Any, Any], Floats]
    column_sums: Callable[[Any], Floats]
    at_once: int
    spare: int = 0
    depth: int = 1
    breadth: int = 1


SINGLE = Form(
    np.float32,
    lambda matrix: matrix,
    tiles.panels_of,
    lambda a, b: a.T @ b,
    lambda m: m.sum(axis=0),
    at_once=1024,
)
NARROW = Form(
    np.uint16,
    bits_of,
    bfloat16_products.panels_of,
    bfloat16_products.summed_outer,
    column_sums,
    at_once=4096,
    spare=ROWS - 1,
    depth=bfloat16_products.STEP,
    breadth=bfloat16_products.STEP,
)


def form_of(matrix: NDArray[Any]) -> Form:
    """Return the form of products with a matrix, by its type."""
    return SINGLE if matrix.dtype == np.float32 else NARROW


def narrow_fits(units: int) -> bool:
    """Tell whether `NARROW` runs here, for a layer of so many units in each gate."""
    return 4 * units % NARROW.breadth == 0 and bfloat16_products.available()


def put_sum(n: int, a: Any, panels: Any, to: Floats, result: Floats) -> None:
    """Put n rows of A·B into a result, in the form of the panels; see `tiles.put_sum`.

    For compiled code only.
    """
    raise NotImplementedError  # each form's own stands in its place


# numba wants what stands in its place to have the same signature, annotations included; what it
# hands over here are the arrays' types. A function that only called `tiles.put_sum` would have its
# tiles compiled once more.
@overload(put_sum, jit_options=OF_PARTS)  # type: ignore[untyped-decorator]
def _put_sum(n: int, a: Floats, panels: Floats, to: Floats, result: Floats) -> Any:  # noqa: ARG001
    def narrow(n: int, a: Floats, panels: Floats, to: Floats, result: Floats) -> None:
        for k in range(n):
            start = to[min(k, to.shape[0] - 1)]
            for j in range(result.shape[1]):
                result[k, j] = start[j]
        bfloat16_products.add_product(n, a, panels, result)

    return narrow if a.dtype == types.uint16 else tiles.put_sum.py_func


def add_product(n: int, a: Any, panels: Any, result: Floats) -> None:
    """Add n rows of A·B to those of a result, in the form of the panels; see `tiles.add_product`.

    For compiled code only.
    """
    raise NotImplementedError  # each form's own stands in its place


@overload(add_product, jit_options=OF_PARTS)  # type: ignore[untyped-decorator]
def _add_product(n: int, a: Floats, panels: Floats, result: Floats) -> Any:  # noqa: ARG001
    def narrow(n: int, a: Floats, panels: Floats, result: Floats) -> None:
        bfloat16_products.add_product(n, a, panels, result)

    return narrow if a.dtype == types.uint16 else tiles.add_product.py_func
