"""Products in bfloat16 by the processor's vectors: AVX512_BF16, of AMD since Zen 4 and of Intel.

One instruction multiplies 32 numbers with 32 others and adds the products, by pairs, to sixteen
sums in float32 (Intel, "Architecture Instruction Set Extensions Programming Reference": VDPBF16PS):
twice the arithmetic of the same vectors in float32. Sixteen registers hold the sums of four rows
and four panels, so that a register of a panel is used four times once it is there.
"""

from functools import cache
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sentiment_lstm.bfloat16 import Bits, Floats
from sentiment_lstm.bfloat16_panels import ABREAST, COLUMNS
from sentiment_lstm.compiled import kernel, part
from sentiment_lstm.compiled_arrays import INDEX, columns_of, entry, index, past

TOGETHER = 4  # rows whose sums are held in registers


class _ThirtyTwoNumbers(ir.types.Type):  # type: ignore[misc]
    """A vector of bfloat16, a type that llvmlite has no name for."""

    def _to_string(self) -> str:
        return "<32 x bfloat>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ThirtyTwoNumbers)

    def __hash__(self) -> int:
        return hash(_ThirtyTwoNumbers)


_WORD = ir.IntType(32)
_SUMS, _WORDS, _NUMBERS = (
    ir.VectorType(ir.FloatType(), COLUMNS),
    ir.VectorType(_WORD, COLUMNS),
    _ThirtyTwoNumbers(),
)
_UNALIGNED = 4  # bytes: arrays are aligned as numpy aligns them


@cache
def available() -> bool:
    """Tell whether the processor has the instruction."""
    features = binding.get_host_cpu_features()
    return bool(features.get("avx512f") and features.get("avx512bf16"))


@part
def add_rows(rows: int, a: Bits, panels: Bits, result: Floats) -> None:
    """Add so many rows of A·B, a multiple of `TOGETHER`, to a result; shapes are not looked at."""
    for panel in range(0, panels.shape[0], ABREAST):
        for row in range(0, rows, TOGETHER):
            _add_block(a, row, panels, panel, result)


@kernel
def add_outer(across: Bits, panels: Bits, result: Floats) -> None:
    """Add Aᵀ·B to a result, A `(n, p)` and B `(n, q)` both in panels; shapes are not looked at."""
    for panel in range(0, panels.shape[0], ABREAST):
        for row in range(0, result.shape[0], TOGETHER):
            _add_block_across(across, row, panels, panel, result)


@intrinsic  # type: ignore[untyped-decorator]
def _add_block_across(_: Any, across: Any, row: Any, panels: Any, panel: Any, result: Any) -> Any:
    """Do as `_add_block` does, with rows that are columns of a matrix in panels."""
    signature = types.void(across, row, panels, panel, result)

    def generate(context: Any, build: Any, signature: Any, arguments: Any) -> Any:
        across, panels, result = _arrays(context, build, signature, arguments)
        row, panel = arguments[1], arguments[3]
        first = build.mul(build.srem(row, index(COLUMNS)), index(4))
        own = past(build, entry(build, across, build.sdiv(row, index(COLUMNS)), 0), first)
        read = [past(build, own, index(4 * r)) for r in range(TOGETHER)]
        pairs = columns_of(build, across)
        written = _written(build, result, row, panel)
        _add(build, pairs, (read, 4 * COLUMNS), _abreast(build, panels, panel), written)
        return context.get_dummy_value()

    return signature, generate


@intrinsic  # type: ignore[untyped-decorator]
def _add_block(_: Any, a: Any, row: Any, panels: Any, panel: Any, result: Any) -> Any:
    """Add the product of `TOGETHER` rows with `ABREAST` panels, each from a first one on."""
    signature = types.void(a, row, panels, panel, result)

    def generate(context: Any, build: Any, signature: Any, arguments: Any) -> Any:
        a, panels, result = _arrays(context, build, signature, arguments)
        row, panel = arguments[1], arguments[3]
        read = [entry(build, a, row, r) for r in range(TOGETHER)]
        pairs = build.sdiv(columns_of(build, a), index(2))
        written = _written(build, result, row, panel)
        _add(build, pairs, (read, 4), _abreast(build, panels, panel), written)
        return context.get_dummy_value()

    return signature, generate


def _arrays(context: Any, build: Any, signature: Any, arguments: Any) -> list[Any]:
    """Return what is multiplied, with what, and the result."""
    return [context.make_array(signature.args[i])(context, build, arguments[i]) for i in (0, 2, 4)]


def _abreast(build: Any, panels: Any, panel: Any) -> list[Any]:
    """Return pointers to `ABREAST` panels, from a first one on."""
    return [entry(build, panels, panel, p) for p in range(ABREAST)]


def _written(build: Any, result: Any, row: Any, panel: Any) -> list[Any]:
    """Return pointers to where a block's sums stand, row by row."""
    column = build.mul(panel, index(4 * COLUMNS))
    return [
        _cast(build, past(build, entry(build, result, row, r), _shifted(build, column, p)))
        for r in range(TOGETHER)
        for p in range(ABREAST)
    ]


def _shifted(build: Any, column: Any, panel: int) -> Any:
    return build.add(column, index(4 * COLUMNS * panel))


def _cast(build: Any, pointer: Any, to: Any = _SUMS) -> Any:
    return build.bitcast(pointer, to.as_pointer())


def _add(
    build: Any,
    pairs: Any,
    rows: tuple[list[Any], int],
    panels: list[Any],
    written: list[Any],
) -> None:
    """Load the sums, go through the pairs of numbers of each row, and store the sums.

    Args:
        build: writes the instructions.
        pairs: how many there are in a row.
        rows: pointers to the first pairs, and the bytes from there to the next.
        panels: pointers to the panels.
        written: pointers to the sums.
    """
    before, body = build.block, build.append_basic_block("pair")
    sums = [build.load(place, align=_UNALIGNED) for place in written]
    build.branch(body)
    build.position_at_end(body)
    pair, *held = (build.phi(kind) for kind in (INDEX, *(_SUMS for _ in sums)))
    at = build.mul(pair, index(rows[1]))
    numbers = [_everywhere(build, past(build, row, at)) for row in rows[0]]
    added = _with_pair(build, pair, held, numbers, panels)
    after = build.add(pair, index(1))
    for phi, first, then in zip((pair, *held), (index(0), *sums), (after, *added), strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(then, body)
    end = build.append_basic_block("pairs_end")
    build.cbranch(build.icmp_signed("<", after, pairs), body, end)
    build.position_at_end(end)
    for value, place in zip(added, written, strict=True):
        build.store(value, place, align=_UNALIGNED)


def _with_pair(
    build: Any, pair: Any, sums: list[Any], numbers: list[Any], panels: list[Any]
) -> list[Any]:
    """Return the sums with the products of one pair of each row's numbers added to each."""
    kind = ir.FunctionType(_SUMS, [_SUMS, _NUMBERS, _NUMBERS])
    multiply = cgutils.get_or_insert_function(
        build.module, kind, "llvm.x86.avx512bf16.dpbf16ps.512"
    )
    beside = [_columns(build, past(build, p, build.mul(pair, index(4 * COLUMNS)))) for p in panels]
    added = []
    for r, row in enumerate(numbers):
        some = sums[r * len(panels) : (r + 1) * len(panels)]
        added += [build.call(multiply, [s, row, b]) for s, b in zip(some, beside, strict=True)]
    return added


def _columns(build: Any, place: Any) -> Any:
    """Load the pairs of a panel's columns."""
    words = build.load(_cast(build, place, _WORDS), align=_UNALIGNED)
    return build.bitcast(words, _NUMBERS)


def _everywhere(build: Any, place: Any) -> Any:
    """Load one pair and put it beside every column."""
    none = ir.Constant(_WORDS, ir.Undefined)
    first = build.insert_element(
        none, build.load(_cast(build, place, _WORD), align=2), ir.Constant(_WORD, 0)
    )
    everywhere = build.shuffle_vector(first, none, ir.Constant(_WORDS, [0] * COLUMNS))
    return build.bitcast(everywhere, _NUMBERS)
