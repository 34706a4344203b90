"""Threads over pieces of work, with numpy's matrix products kept to one thread each.

numpy lets go of the interpreter's lock inside its loops and products, so threads over
batches use every core. OpenBLAS's own threads, in products as small as one time step's,
spend their time waiting for each other, and far more of it on a machine that is busy.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import cache
from threading import Lock
from typing import Any, Generic, TypeVar

_most = sys.maxsize  # cores that this process is to use

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed by as many threads as cores.

    The caller's thread is one of them; the others are there already. A new thread begins, more
    often than not, on the core that has just begun it, and waits there for some milliseconds.
    """
    with one_blas_thread():
        return _Deal(function, items).results(min(cores(), len(items)))


class _Deal(Generic[Item, Result]):
    """Items that threads take one after another; none is taken after one has failed."""

    def __init__(self, function: Callable[[Item], Result], items: Sequence[Item]) -> None:
        self._function, self._left = function, deque(enumerate(items))
        self._results: dict[int, Result] = {}

    def results(self, threads: int) -> list[Result]:
        """Return a result for each item, in order, computed by so many threads at most.

        The caller waits for none that has not begun: they may all be at work for someone else.
        """
        others = [_helpers(threads - 1).submit(self._work) for _ in range(threads - 1)]
        try:
            self._work()
        finally:
            begun = [other for other in others if not other.cancel()]
            _ = wait(begun)
        for other in begun:
            other.result()
        return [self._results[at] for at in sorted(self._results)]

    def _work(self) -> None:
        for at, item in iter(self._take, None):
            try:
                self._results[at] = self._function(item)
            except BaseException:
                self._left.clear()
                raise

    def _take(self) -> tuple[int, Item] | None:
        try:
            return self._left.popleft()  # no two threads get the same one
        except IndexError:
            return None


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    """Return so many threads that wait for work, as long as the process lives."""
    return ThreadPoolExecutor(count, thread_name_prefix="parallel_map")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), _most)
    return min(os.cpu_count() or 1, _most)


def use_cores(count: int) -> None:
    """Have this process use so many cores at most, from now on: others work beside it."""
    global _most
    _most = count


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
