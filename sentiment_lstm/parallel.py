"""Threads over pieces of work, with numpy's matrix products kept to one thread each.

numpy lets go of the interpreter's lock inside its loops and products, so threads over
batches use every core. OpenBLAS's own threads, in products as small as one time step's,
spend their time waiting for each other, and far more of it on a machine that is busy.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed by as many threads as cores."""
    workers = min(cores(), len(items))
    with one_blas_thread():
        if workers <= 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(function, items))


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Limit:
    """One BLAS thread from the first to enter until the last to leave, whoever comes between."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._restore: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                _take_control(_blas())
                self._restore = _blas().limit(limits=1).restore_original_limits
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _take_control(_blas())
                self._restore()


def _take_control(blas: Any) -> None:
    """Let this thread set the number of OpenBLAS's threads.

    threadpoolctl 3.8 lets nobody do so but the thread that did it first, for as long as it lives;
    what others ask for is passed over in silence.
    """
    for library in blas.lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


_limit = _Limit()


def one_blas_thread() -> AbstractContextManager[None]:
    """Hold numpy's BLAS to one thread, in the whole process, until the block ends.

    Blocks may overlap, in as many threads as there are: how a product is computed, and so its last
    bit, must not hang on who else computes one.
    """
    return _limit


@cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController().select(user_api="blas")
