"""Products in bfloat16 by the processor's matrix unit: Intel's AMX, where there is one.

The unit has eight registers of 16 rows by 64 bytes. One instruction multiplies 16 rows of 32
numbers with 32 rows of 16, and adds the products in float32 to a third register (Intel,
"Architecture Instruction Set Extensions Programming Reference", chapter 3: TDPBF16PS): many times
the arithmetic of the widest vectors. For it a matrix is laid out anew, the numbers of rows 2m and
2m + 1 side by side.
"""

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from sentiment_lstm.bfloat16 import Bits
from sentiment_lstm.compiled import kernel

Floats = NDArray[np.float32]

ROWS = 16  # of a register
COLUMNS = 16  # of a product's
DEPTH = 32  # numbers that one instruction sums over
AT_ONCE = 1024  # rows of A: so many of its columns as rows, 768, fit into a second-level cache
ABREAST = 4  # panels that a block of one register's rows takes

# Linux gives the registers, 8 KiB for each thread, to those that ask: arch_prctl(2).
_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18

_BYTE, _INDEX = ir.IntType(8), ir.IntType(64)
_POINTER = _BYTE.as_pointer()
# Palette 1, then the bytes a row and the rows of each of eight registers.
_CONFIGURATION = bytes([1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[ROWS] * 8, *[0] * 8])


@cache
def available() -> bool:
    """Tell whether the processor has the unit, and this process may use it."""
    features = binding.get_host_cpu_features()
    if sys.platform != "linux" or not (features.get("amx-tile") and features.get("amx-bf16")):
        return False
    answer = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA)
    return int(answer) == 0


def padded(size: int, of: int) -> int:
    """Return the least multiple of a number that is not below a size."""
    return -(-size // of) * of


def panels_of(matrix: Bits) -> Bits:
    """Lay a matrix `(m, columns)` out in panels `(panels, m / 2, COLUMNS, 2)`.

    Zeros fill m up to a multiple of `DEPTH`, and the panels to one of `ABREAST`.

    Raises:
        RuntimeError: there is no unit to multiply them.
    """
    if not available():
        raise RuntimeError("this processor has no matrix unit for bfloat16 that may be used")
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


def summed_outer(a: Bits, b: Bits) -> Floats:
    """Return Aᵀ·B `(p, q)`, for A `(n, p)` and B `(n, q)`, p and q multiples of 64."""
    result = np.zeros((a.shape[1], b.shape[1]), np.float32)
    for start in range(0, len(a), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        across = np.zeros((a.shape[1], padded(len(a[some]), DEPTH)), np.uint16)
        _transpose(a[some], across)
        add_product(len(across), across, panels_of(b[some]), result)
    return result


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

    Rows are taken by `ROWS`: those behind the n-th up to a multiple of it must be there, hold
    anything, and in the result hold nothing of use afterwards.

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
    for panel in range(0, panels.shape[0], ABREAST):
        for row in range(0, rows - ROWS, 2 * ROWS):
            _add_square(a, row, panels, panel, result)
            _add_square(a, row, panels, panel + 2, result)
        if rows // ROWS % 2:
            _add_line(a, rows - ROWS, panels, panel, result)


def _adder(high: int, wide: int) -> Any:
    """Return a compiled function that adds a block of so many registers to a result.

    It takes a `(≥ n, m)`, the block's first row, the panels, the first of them and the result.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def add_block(_: Any, a: Any, row: Any, panels: Any, panel: Any, result: Any) -> Any:
        signature = types.void(a, row, panels, panel, result)

        def generate(context: Any, build: Any, signature: Any, arguments: Any) -> Any:
            a, panels, result = (
                context.make_array(signature.args[i])(context, build, arguments[i])
                for i in (0, 2, 4)
            )
            row, panel = arguments[1], arguments[3]
            depth = build.sdiv(cgutils.unpack_tuple(build, a.shape)[1], _index(DEPTH))
            a_row, c_row, panel_size = (_stride(build, of) for of in (a, result, panels))
            read = [_at(build, a, (a_row, row, r * ROWS)) for r in range(high)]
            read_panels = [_at(build, panels, (panel_size, panel, p)) for p in range(wide)]
            column = build.mul(panel, _index(4 * COLUMNS))
            written = [
                build.gep(
                    _at(build, result, (c_row, row, r * ROWS)), [build.add(column, _index(64 * p))]
                )
                for r in range(high)
                for p in range(wide)
            ]
            _add(build, depth, (read, a_row), read_panels, (written, c_row))
            return context.get_dummy_value()

        return signature, generate

    return add_block


def _stride(build: Any, array: Any) -> Any:
    """Return the bytes from one entry along an array's first axis to the next."""
    return cgutils.unpack_tuple(build, array.strides)[0]


def _at(build: Any, array: Any, place: tuple[Any, Any, int]) -> Any:
    """Return a pointer to entry `first + more` along an array's first axis, for a place
    `(stride, first, more)`.
    """
    stride, first, more = place
    offset = build.mul(stride, build.add(first, _index(more)))
    return build.gep(build.bitcast(array.data, _POINTER), [offset])


def _add(
    build: Any,
    depth: Any,
    a: tuple[list[Any], Any],
    panels: list[Any],
    result: tuple[list[Any], Any],
) -> None:
    """Add the product of registers' rows with panels to where it is written."""
    (read, a_row), (written, c_row) = a, result
    sums = range(len(written))
    factors = range(len(sums), len(sums) + len(read))
    free = range(factors.stop, 8)
    configuration = cgutils.global_constant(
        build.module, "matrix_unit", ir.Constant(ir.ArrayType(_BYTE, 64), bytearray(_CONFIGURATION))
    )
    _do(build, "ldtilecfg", build.bitcast(configuration, _POINTER))
    for register, place in zip(sums, written, strict=True):
        _do(build, "tileloadd64", _byte(register), place, c_row)
    with cgutils.for_range(build, depth) as loop:
        step = build.mul(loop.index, _index(64))
        for register, row in zip(factors, read, strict=True):
            _do(build, "tileloadd64", _byte(register), build.gep(row, [step]), a_row)
        for p, panel in enumerate(panels):
            register = free[p % len(free)]
            place = build.gep(panel, [build.mul(loop.index, _index(1024))])
            _do(build, "tileloadd64", _byte(register), place, _index(64))
            for r, factor in enumerate(factors):
                operands = (r * len(panels) + p, factor, register)
                _do(build, "tdpbf16ps", *map(_byte, operands))
    for register, place in zip(sums, written, strict=True):
        _do(build, "tilestored64", _byte(register), place, c_row)
    _do(build, "tilerelease")


def _do(build: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    build.call(cgutils.get_or_insert_function(build.module, kind, f"llvm.x86.{name}"), arguments)


def _byte(value: int) -> Any:
    return ir.Constant(_BYTE, value)


def _index(value: int) -> Any:
    return ir.Constant(_INDEX, value)


_add_square, _add_line = _adder(2, 2), _adder(1, ABREAST)
