"""Processes that train one network together: each reads a part of every batch, all move alike.

How they reach each other is for others to say. Here is what a training asks of them, and the
process that is a group by itself.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Group(Protocol):
    """What a training needs of the others; every process calls the same, in the same order.

    Attributes:
        rank: number of this process, from 0; that of rank 0 keeps the checkpoints.
        size: how many there are.
    """

    rank: int
    size: int

    def summed(self, arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return the sums, over all processes, of arrays of the same shapes; to all the same bits.

        The terms are added in the order of ranks.
        """
        ...  # pragma: no cover

    def gathered(self, value: Any) -> list[Any]:
        """Return what every process gave, in the order of ranks."""
        ...  # pragma: no cover


class Alone:
    """A group of one."""

    rank, size = 0, 1

    def summed(self, arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return the arrays."""
        return arrays

    def gathered(self, value: Any) -> list[Any]:
        """Return the one value."""
        return [value]


ALONE: Group = Alone()


def part_of(group: Group, count: int) -> tuple[NDArray[np.int64], float]:
    """Return which of so many texts a process takes, and what share of all they are.

    They are every `size`-th one, so that texts in the order of their lengths are shared out alike.
    Where there are fewer texts than processes, one takes the first text for a share of 0.
    """
    mine = np.arange(group.rank, count, group.size)
    return (mine, len(mine) / count) if len(mine) else (np.zeros(1, np.int64), 0.0)


def fingerprint(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays, every bit."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
