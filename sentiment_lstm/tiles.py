"""Products of few rows with one large matrix, compiled: what a step of an LSTM computes.

A product is made of tiles. A tile of the result, a few rows by a few vectors, stays in the
processor's registers while the sum over the inner dimension runs, so that each number loaded is
multiplied several times (Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
ACM TOMS 34(3), 2008). The matrix is laid out once in panels, as wide as a tile; BLAS lays it out
anew at every call, which at 32 rows takes about as long as the product. While a panel is worked
on, the next one is fetched into the second-level cache, a part with every tile: a matrix too large
for that cache (that of 512 units is) comes in as fast as it is needed, and not in fits.

The tile is written in the compiler's own vectors, which LLVM turns into the instructions of any
processor; only its size is chosen by the processor, so that it just fits into the registers.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numpy.typing import NDArray

from sentiment_lstm.compiled import kernel, part
from sentiment_lstm.loans import Loans

Floats = NDArray[np.float32]


class Shape(NamedTuple):
    """The size of a tile: rows by vectors of so many numbers."""

    rows: int
    vectors: int
    numbers: int

    @classmethod
    def of_processor(cls) -> "Shape":
        """Return a shape whose sums, with what is added to them, fit into the registers.

        And with enough sums that none waits for the one before it.
        """
        features = binding.get_host_cpu_features()
        if features.get("sse2") and not features.get("avx2"):
            return cls(3, 2, 4)  # 16 of 4
        if features.get("avx512f"):
            # 32 registers of 16 numbers. LLVM can hold 11 rows; 8 fit what a thread is dealt.
            return cls(8, 2, 16)
        return cls(6, 2, 8)  # 16 of 8, or 32 of 4


SHAPE = Shape.of_processor()
WIDTH = SHAPE.vectors * SHAPE.numbers

_loans = Loans()  # training lays its matrices out anew at every step

_INDEX = ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), SHAPE.numbers)
_BYTES, _FLAG = ir.IntType(8).as_pointer(), ir.IntType(32)


def panels_of(matrix: Floats) -> Floats:
    """Cut a matrix `(m, columns)` into panels `(panels, m, WIDTH)`; zeros fill up the last one.

    No vector of theirs lies across two lines of the cache.
    """
    m, columns = matrix.shape
    result = _loans.array(-(-columns // WIDTH), m, WIDTH)
    _lay_out(matrix, result)
    return result


@kernel
def _lay_out(matrix: Floats, panels: Floats) -> None:
    m, columns = matrix.shape
    for p in range(panels.shape[0]):
        there = min(WIDTH, columns - p * WIDTH)
        for k in range(m):
            for j in range(there):
                panels[p, k, j] = matrix[k, p * WIDTH + j]
            for j in range(there, WIDTH):
                panels[p, k, j] = 0


def _adder(rows: int, abreast: int = 1) -> Any:
    """Return a compiled function that puts down a tile of so many rows of a product and a sum.

    It takes a `(≥ n, m)`, the tile's first row, n, panels `(abreast, m, WIDTH)`, what the product
    is added to, `(≥ n, …)` or one row for all, where the sum is put, `(≥ n, …)`, and the tile's
    first column. Where the tile has more rows than are left, it does the last one again. Rows are
    found by the arrays' widths, so none may be a view with gaps.
    """

    @intrinsic
    def add_tile(
        _: Any, a: Any, first: Any, n: Any, panels: Any, to: Any, result: Any, column: Any
    ) -> Any:
        if any((of.layout, of.dtype) != ("C", types.float32) for of in (a, panels, to, result)):
            raise TypingError("a product takes float32 arrays without gaps")
        signature = types.void(a, first, n, panels, to, result, column)

        def generate(context: Any, build: Any, signature: Any, arguments: Any) -> Any:
            a, panels, to, result = (
                context.make_array(signature.args[i])(context, build, arguments[i])
                for i in (0, 3, 4, 5)
            )
            _, first, n, _, _, _, column = arguments
            places = [_not_past(build, build.add(first, _index(r)), n) for r in range(rows)]
            read, added_to, written = (
                [_row(build, of, place) for place in places] for of in (a, to, result)
            )
            added_to, written = (
                [build.gep(row, [column]) for row in of] for of in (added_to, written)
            )
            ahead = _ahead(build, panels, first, n, rows) if abreast == 1 else None
            _add(build, read, panels, abreast, ahead, (added_to, written))
            return context.get_dummy_value()

        return signature, generate

    return add_tile


def _not_past(build: Any, row: Any, rows: Any) -> Any:
    """Return which of so many rows one is, the last for those behind it."""
    last = build.sub(rows, _index(1))
    return build.select(build.icmp_signed("<", row, last), row, last)


def _row(build: Any, array: Any, row: Any) -> Any:
    """Return a pointer to a row of a matrix, or to its last one."""
    rows, width = cgutils.unpack_tuple(build, array.shape)
    return build.gep(array.data, [build.mul(_not_past(build, row, rows), width)])


def _ahead(build: Any, panels: Any, first: Any, n: Any, rows: int) -> tuple[Any, Any]:
    """Return where a tile finds its part of the panel behind its own, and its step through it.

    The tiles of n rows share that panel out between them. Behind the last panel is nothing of use,
    and to fetch it does no harm.
    """
    inner = cgutils.unpack_tuple(build, panels.shape)[1]
    done = build.sdiv(build.mul(first, _index(WIDTH)), n)
    start = build.mul(inner, build.add(_index(WIDTH), done))
    return build.gep(panels.data, [start]), build.sdiv(_index(WIDTH * rows), n)


def _add(
    build: Any,
    read: list[Any],
    panels: Any,
    abreast: int,
    ahead: tuple[Any, Any] | None,
    result: tuple[list[Any], list[Any]],
) -> None:
    """Add the product of some rows with panels to numbers, and put the sums down.

    Args:
        build: writes the instructions.
        read: pointers to the rows.
        panels: the panels.
        abreast: how many of them.
        ahead: what `_ahead` says of the next one, if that is to be fetched.
        result: for each row of the tile, where the numbers stand and where the sums are put.
    """
    added_to, written = result
    inner = cgutils.unpack_tuple(build, panels.shape)[1]
    size = build.mul(inner, _index(WIDTH))
    starts = [build.gep(panels.data, [build.mul(size, _index(p))]) for p in range(abreast)]
    sources, places = (
        [_vector_at(build, row, v) for row in of for v in range(abreast * SHAPE.vectors)]
        for of in (added_to, written)
    )
    before, loop = build.block, build.append_basic_block("tile")
    start = [build.load(source, align=4) for source in sources]
    build.branch(loop)
    build.position_at_end(loop)
    k = build.phi(_INDEX)
    sums = [build.phi(_VECTOR) for _ in start]
    lines = [build.gep(panel, [build.mul(k, _index(WIDTH))]) for panel in starts]
    parts = [_vector_at(build, line, v) for line in lines for v in range(SHAPE.vectors)]
    vectors = [build.load(part, align=4) for part in parts]
    if ahead:
        _fetch(build, build.gep(ahead[0], [build.mul(k, ahead[1])]))
    factors = [_everywhere(build, build.load(build.gep(row, [k]))) for row in read]
    products = [(factor, vector) for factor in factors for vector in vectors]
    added = [_multiply_add(build, *p, s) for p, s in zip(products, sums, strict=True)]
    following = build.add(k, _index(1))
    pairs = zip([k, *sums], [_index(0), *start], [following, *added], strict=True)
    for phi, at_first, then in pairs:
        phi.add_incoming(at_first, before)
        phi.add_incoming(then, loop)
    after = build.append_basic_block("tile.done")
    build.cbranch(build.icmp_signed("<", following, inner), loop, after)
    build.position_at_end(after)
    for place, value in zip(places, added, strict=True):
        build.store(value, place, align=4)


def _index(value: int) -> Any:
    return ir.Constant(_INDEX, value)


def _vector_at(build: Any, row: Any, v: int) -> Any:
    """Return a pointer to the v-th vector of what a pointer to a number points to."""
    return build.bitcast(build.gep(row, [_index(v * SHAPE.numbers)]), _VECTOR.as_pointer())


def _fetch(build: Any, place: Any) -> None:
    """Have the line of the cache that a place stands in brought to the second level."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTES, _FLAG, _FLAG, _FLAG])
    fetch = cgutils.get_or_insert_function(build.module, kind, "llvm.prefetch")
    to_read, second_level, data = (ir.Constant(_FLAG, flag) for flag in (0, 2, 1))
    build.call(fetch, [build.bitcast(place, _BYTES), to_read, second_level, data])


def _everywhere(build: Any, number: Any) -> Any:
    """Return a vector that holds a number at every place."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    held = build.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), SHAPE.numbers), [0] * SHAPE.numbers)
    return build.shuffle_vector(held, undefined, places)


def _multiply_add(build: Any, factor: Any, vector: Any, to: Any) -> Any:
    """Return factor ⊙ vector + to, in one instruction where the processor has it."""
    kind, name = ir.FunctionType(_VECTOR, [_VECTOR] * 3), f"llvm.fmuladd.v{SHAPE.numbers}f32"
    operation = cgutils.get_or_insert_function(build.module, kind, name)
    return build.call(operation, [factor, vector, to])


_add_whole, _add_half, _add_two, _add_one = (
    _adder(rows) for rows in (SHAPE.rows, SHAPE.rows // 2, 2, 1)
)
# One row has too few sums in one panel: each would wait for the one before it.
ABREAST = 4
_add_one_abreast = _adder(1, ABREAST)


@kernel
def add_product(n: int, a: Floats, panels: Floats, result: Floats) -> None:
    """Add the first n rows of A·B to those of a result.

    Args:
        n: how many rows.
        a: A, `(≥ n, m)`, m at least 1.
        panels: B `(m, columns)`, as `panels_of` cuts it.
        result: `(≥ n, columns)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    put_sum(n, a, panels, result, result)


@kernel
def put_affine(n: int, a: Floats, panels: Floats, bias: Floats, result: Floats) -> None:
    """Put the first n rows of A·B + b into those of a result.

    Args:
        n: how many rows.
        a: A, `(≥ n, m)`, m at least 1.
        panels: B `(m, columns)`, as `panels_of` cuts it.
        bias: b, `(columns,)`, added to every row.
        result: `(≥ n, columns)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    put_sum(n, a, panels, bias.reshape((1, -1)), result)


@part
def put_sum(n: int, a: Floats, panels: Floats, to: Floats, result: Floats) -> None:
    """Put the first n rows of A·B, added to as many rows or to one, into those of a result.

    Args:
        n: how many rows.
        a: A, `(≥ n, m)`, m at least 1.
        panels: B `(m, columns)`, as `panels_of` cuts it.
        to: what each row is added to, `(≥ n, columns)`, which may be the result, or `(1, columns)`.
        result: `(≥ n, columns)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    columns = result.shape[1]
    fits = panels.shape[1] == a.shape[1] and panels.shape[2] == WIDTH and a.shape[1] > 0
    fits = fits and to.shape[1] == columns
    if not fits or panels.shape[0] * WIDTH < columns or n > a.shape[0] or n > result.shape[0]:
        raise ValueError("the shapes of a product's arrays do not fit")
    done = 0
    while n == 1 and (done + ABREAST) * WIDTH <= columns:
        some = panels[done : done + ABREAST]
        _add_one_abreast(a, 0 * done, n, some, to, result, done * WIDTH)
        done += ABREAST
    edge, left = columns // WIDTH, columns % WIDTH  # the panel of whose columns some are left
    room = np.empty((n if left else 0, WIDTH), np.float32)
    for p in range(done, edge + (left > 0)):
        first, source, place = p * WIDTH, to, result
        if p == edge:
            _take_edge(room, to, first)
            first, source, place = 0 * first, room, room
        # Called in one place: whoever calls takes all tiles in whole, which takes long to compile.
        _put_panel(n, a, panels[p : p + 1], source, place, first)
    for k in range(room.shape[0]):
        for j in range(left):
            result[k, edge * WIDTH + j] = room[k, j]


@part
def _take_edge(room: Floats, to: Floats, column: int) -> None:
    """Put the columns from one on, or those of one row, into the first ones of a room."""
    for k in range(room.shape[0]):
        for j in range(to.shape[1] - column):
            room[k, j] = to[min(k, to.shape[0] - 1), column + j]


@part
def _put_panel(n: int, a: Floats, panel: Floats, to: Floats, result: Floats, column: int) -> None:
    """Put the sum for one panel `(1, m, WIDTH)` into a result's columns from one on; see `_put`."""
    row = 0
    while row < n:
        left = n - row
        if left > SHAPE.rows // 2:
            _add_whole(a, row, n, panel, to, result, column)
        elif left > 2:
            _add_half(a, row, n, panel, to, result, column)
        elif left == 2:
            _add_two(a, row, n, panel, to, result, column)
        else:
            _add_one(a, row, n, panel, to, result, column)
        row += SHAPE.rows if left > SHAPE.rows // 2 else left
