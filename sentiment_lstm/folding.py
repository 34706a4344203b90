"""The first layer's projected inputs, W·x + b, worked out once for each distinct token.

A text of 230 tokens holds some 130 distinct ones, and a thousand texts hold fewer than ten each: so
the embedding is folded into the input kernel as a table of the tokens that occur, and a step takes
rows of it.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Project = Callable[[Floats], Floats]
# ids (tokens,) -> the table `(…, rows, …)`, and which of its rows each token takes, `(tokens,)`
Fold = Callable[[Indices], tuple[Floats, Indices]]


def folded_anew(embedding: Floats, project: Project) -> Fold:
    """Return what makes a table of the tokens it is given, and of no others.

    Args:
        embedding: `(V, in)`.
        project: from `(m, in)` to `(…, m, …)`, m the last axis but one.
    """

    def fold(ids: Indices) -> tuple[Floats, Indices]:
        seen = np.zeros(len(embedding), bool)
        seen[ids] = True
        distinct = np.flatnonzero(seen)
        row = np.empty(len(embedding), np.intp)
        row[distinct] = np.arange(len(distinct))
        return project(embedding[distinct]), row[ids]

    return fold


class KeptTable:
    """A table of the whole vocabulary that is filled as tokens come by.

    What a token's row holds must not hang on which others it is projected with, or answers would
    depend, in the last bit, on the texts before them. Safe to share between threads.

    Args:
        embedding: `(V, in)`.
        project: from `(m, in)` to `(…, m, …)`, m the last axis but one, row by row alike.
    """

    def __init__(self, embedding: Floats, project: Project) -> None:
        self._embedding, self._project, self._lock = embedding, project, Lock()
        self._known = np.zeros(len(embedding), bool)
        *leading, _, width = project(embedding[:1]).shape
        self._table = np.empty((*leading, len(embedding), width), np.float32)

    def __call__(self, ids: Indices) -> tuple[Any, Indices]:
        """Return the table, its rows of these tokens filled, and the rows, which are the ids."""
        if not self._known[ids].all():
            with self._lock:
                missing = np.unique(ids[~self._known[ids]])
                if len(missing):  # another thread may have been here between look and lock
                    self._fill(missing)
        return self._table, ids

    def _fill(self, missing: Indices) -> None:
        self._table[..., missing, :] = self._project(self._embedding[missing])
        self._known[missing] = True  # only now, for whoever looks without the lock
