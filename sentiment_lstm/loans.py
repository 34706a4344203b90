"""Large arrays on loan: memory that goes from one training step to the next.

A step of training needs the same hundred megabytes as the step before it. Memory fresh from the
operating system is cleared page by page as it is first touched, which was a third of a step's time
at 128 units (112 ms against 77); memory that was used before is there at once.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ALIGNMENT = 64  # bytes


class Loans:
    """Lends float32 arrays, and takes their memory back when nothing refers to them any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: dict[int, Floats] = {}

    def array(self, *shape: int) -> Floats:
        """Return an array of a shape, with whatever the memory held before."""
        size = int(np.prod(shape))
        with self._lock:
            buffer = self._fitting(size)
        return np.asarray(_Loan(self._free, buffer, shape))

    def _fitting(self, size: int) -> Floats:
        """Take the smallest free buffer that is large enough, or give up one for a new one."""
        # To list the items may set off the garbage collector, and so end a loan, which adds one.
        sizes = {len(buffer): key for key, buffer in self._free.copy().items()}
        enough = [s for s in sizes if s >= size]
        if enough:
            return self._free.pop(sizes[min(enough)])
        if sizes:
            self._free.pop(sizes[max(sizes)])
        return _aligned(max(size, 1))


def _aligned(size: int) -> Floats:
    """Return memory of so many numbers that starts at a multiple of 64 bytes.

    Other memory TensorFlow would copy, and vectors in it may lie across two lines of a cache.
    """
    room = np.empty(size + ALIGNMENT // 4, np.float32)
    start = -room.ctypes.data % ALIGNMENT // 4
    return room[start : start + size]


class _Loan:
    """The owner of an array's memory, as numpy sees it; every view of the array refers to it."""

    def __init__(self, free: dict[int, Floats], buffer: Floats, shape: tuple[int, ...]) -> None:
        self._free, self._buffer = free, buffer
        self.__array_interface__: dict[str, Any] = {
            **buffer.__array_interface__,
            "shape": shape,
            "strides": None,
        }

    def __del__(self) -> None:
        # No lock: this may run in the middle of anything. One assignment cannot be interrupted.
        self._free[id(self._buffer)] = self._buffer
