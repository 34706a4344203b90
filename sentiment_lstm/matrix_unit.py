"""Products in bfloat16 by the processor's matrix unit: Intel's AMX, where there is one.

The unit has eight registers of 16 rows by 64 bytes. One instruction multiplies 16 rows of 32
numbers with 32 rows of 16, and adds the products in float32 to a third register (Intel,
"Architecture Instruction Set Extensions Programming Reference", chapter 3: TDPBF16PS): many times
the arithmetic of the widest vectors.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sentiment_lstm.bfloat16 import Bits, Floats
from sentiment_lstm.bfloat16_panels import ABREAST, COLUMNS, DEPTH, ROWS
from sentiment_lstm.compiled import part
from sentiment_lstm.compiled_arrays import BYTE, POINTER, columns_of, entry, index, past, stride_of
from sentiment_lstm.processor import has_matrix_unit

# Palette 1, then the bytes a row and the rows of each of eight registers.
_CONFIGURATION = bytes([1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[ROWS] * 8, *[0] * 8])


def available() -> bool:
    """Tell whether the processor has the unit, and this process may use it."""
    return has_matrix_unit()


@part
def add_rows(rows: int, a: Bits, panels: Bits, result: Floats) -> None:
    """Add so many rows of A·B, a multiple of `ROWS`, to a result; shapes are not looked at."""
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
            depth = build.sdiv(columns_of(build, a), index(DEPTH))
            read = [entry(build, a, row, r * ROWS) for r in range(high)]
            read_panels = [entry(build, panels, panel, p) for p in range(wide)]
            column = build.mul(panel, index(4 * COLUMNS))
            written = [
                past(build, entry(build, result, row, r * ROWS), build.add(column, index(64 * p)))
                for r in range(high)
                for p in range(wide)
            ]
            strides = stride_of(build, a), stride_of(build, result)
            _add(build, depth, (read, strides[0]), read_panels, (written, strides[1]))
            return context.get_dummy_value()

        return signature, generate

    return add_block


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
        build.module, "matrix_unit", ir.Constant(ir.ArrayType(BYTE, 64), bytearray(_CONFIGURATION))
    )
    _do(build, "ldtilecfg", build.bitcast(configuration, POINTER))
    for register, place in zip(sums, written, strict=True):
        _do(build, "tileloadd64", _byte(register), place, c_row)
    with cgutils.for_range(build, depth) as loop:
        step = build.mul(loop.index, index(64))
        for register, row in zip(factors, read, strict=True):
            _do(build, "tileloadd64", _byte(register), build.gep(row, [step]), a_row)
        for p, panel in enumerate(panels):
            register = free[p % len(free)]
            place = build.gep(panel, [build.mul(loop.index, index(1024))])
            _do(build, "tileloadd64", _byte(register), place, index(64))
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
    return ir.Constant(BYTE, value)


_add_square, _add_line = _adder(2, 2), _adder(1, ABREAST)
