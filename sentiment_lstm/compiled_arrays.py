"""Where the numbers of an array lie, for functions that are written in instructions."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

BYTE, INDEX = ir.IntType(8), ir.IntType(64)
POINTER = BYTE.as_pointer()


def index(value: int) -> Any:
    """Return a constant to reckon places with."""
    return ir.Constant(INDEX, value)


def stride_of(build: Any, array: Any) -> Any:
    """Return the bytes from one entry along an array's first axis to the next."""
    return cgutils.unpack_tuple(build, array.strides)[0]


def columns_of(build: Any, array: Any) -> Any:
    """Return an array's size along its second axis."""
    return cgutils.unpack_tuple(build, array.shape)[1]


def entry(build: Any, array: Any, first: Any, more: int) -> Any:
    """Return a pointer to entry `first + more` along an array's first axis."""
    offset = build.mul(stride_of(build, array), build.add(first, index(more)))
    return build.gep(build.bitcast(array.data, POINTER), [offset])


def past(build: Any, pointer: Any, offset: Any) -> Any:
    """Return a pointer so many bytes behind another."""
    return build.gep(pointer, [offset])
