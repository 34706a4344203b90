"""bfloat16, float32 without its last 16 bits, in compiled code: there it is the bits, as uint16.

Functions that are compiled for float32 arrays and for such ones say `narrowed` where they store a
number and `widened` where they load one; of float32 both make nothing.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from sentiment_lstm.compiled import kernel

Bits = NDArray[np.uint16]
Floats = NDArray[np.float32]

_WORD, _HALF, _FLOAT = ir.IntType(32), ir.IntType(16), ir.FloatType()


@intrinsic  # type: ignore[untyped-decorator]
def narrowed(_: Any, value: Any, array: Any) -> Any:  # noqa: ARG001
    """Return a float32 as it is stored in an array: rounded to the nearest, of two to the even."""
    kept = array.dtype == types.float32

    def generate(_: Any, build: Any, __: Any, arguments: Any) -> Any:
        return arguments[0] if kept else _rounded(build, arguments[0])

    return array.dtype(types.float32, array), generate


def _rounded(build: Any, value: Any) -> Any:
    bits = build.bitcast(value, _WORD)
    odd = build.and_(build.lshr(bits, _word(16)), _word(1))
    rounded = build.add(build.add(bits, _word(0x7FFF)), odd)
    # Of NaN the sum might carry into the sign; one bit of it set is NaN still.
    none = build.or_(bits, _word(0x400000))
    chosen = build.select(build.fcmp_unordered("uno", value, value), none, rounded)
    return build.trunc(build.lshr(chosen, _word(16)), _HALF)


@intrinsic  # type: ignore[untyped-decorator]
def widened(_: Any, value: Any) -> Any:
    """Return what was stored as float32."""
    kept = value == types.float32

    def generate(_: Any, build: Any, __: Any, arguments: Any) -> Any:
        if kept:
            return arguments[0]
        word = build.zext(arguments[0], _WORD)
        return build.bitcast(build.shl(word, _word(16)), _FLOAT)

    return types.float32(value), generate


def _word(value: int) -> Any:
    return ir.Constant(_WORD, value)


@kernel
def column_sums(matrix: Bits) -> Floats:
    """Return the sum of each column, `(columns,)`."""
    sums = np.zeros(matrix.shape[1], np.float32)
    for row in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[j] += widened(matrix[row, j])
    return sums


def bits_of(matrix: Floats) -> Bits:
    """Return a matrix rounded to bfloat16."""
    bits = np.empty(matrix.shape, np.uint16)
    _narrow(np.ascontiguousarray(matrix), bits)
    return bits


@kernel
def _narrow(matrix: Floats, bits: Bits) -> None:
    for row in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            bits[row, j] = narrowed(matrix[row, j], bits)
