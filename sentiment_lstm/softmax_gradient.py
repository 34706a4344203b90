"""The cross-entropies of `sampled_softmax` and their gradient in one go, in numpy.

The loss is a sum, so its gradient is known, but for a factor, as soon as the logits are. A few
rows of logits are made, told, and multiplied back while the processor's cache still holds them; all
of them together, a hundred megabytes, never exist. The rows are dealt out to as many threads as
there are cores.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.parallel import cores, parallel_map
from sentiment_lstm.softmax_products import Products, products

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]

# Rows of logits at once: products gain nothing from more, and the cache holds no more.
ROWS = 256


class Problem(NamedTuple):
    """What a sum of cross-entropies is taken of; see `sampled_softmax.cross_entropy`.

    Attributes:
        states: `(n, width)`.
        own: logit of each state's target, `(n,)`.
        rows: those of the candidates, `(k, width)`.
        added: to their logits, `(k,)`.
        targets: `(n,)`.
        candidates: ascending, `(k,)`.
        weights: of each state in the sum, `(n,)`.
    """

    states: Floats
    own: Floats
    rows: Floats
    added: Floats
    targets: Indices
    candidates: Indices
    weights: Floats

    def share(self, part: slice) -> "Problem":
        """Return the problem of some states alone."""
        return self._replace(
            states=self.states[part],
            own=self.own[part],
            targets=self.targets[part],
            weights=self.weights[part],
        )

    def hits(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the states whose target is a candidate, and which one it is."""
        place = np.searchsorted(self.candidates, self.targets)
        place = np.minimum(place, len(self.candidates) - 1)
        states = np.flatnonzero(self.candidates[place] == self.targets)
        return states, place[states]


class Solution(NamedTuple):
    """The weighted sum `()`, and its gradient with respect to the parts of the same names."""

    total: Floats
    states: Floats
    own: Floats
    rows: Floats
    added: Floats


def solve(problem: Problem, *, with_gradient: bool = True, narrow: bool = False) -> Solution:
    """Return the sum and, if asked for, its gradient; else zeros stand for it.

    States behind the last one that has a weight cost nothing. Products are those of bfloat16 if
    they are to be `narrow` and the processor has a unit for them.
    """
    count = int(np.max(np.flatnonzero(problem.weights), initial=-1)) + 1
    parts = Solution(np.zeros((), np.float32), *map(np.zeros_like, problem[:4]))
    bounds = np.linspace(0, count, cores() + 1).astype(int).tolist()
    shares = [slice(*ends) for ends in pairwise(bounds)]
    by = products(problem.rows, narrow=narrow)

    def work(share: slice) -> tuple[float, Floats, Floats]:
        into = (parts.states[share], parts.own[share])
        return _solve_share(problem.share(share), by, *into, with_gradient=with_gradient)

    totals, rows, added = zip(*parallel_map(work, shares), strict=True)
    return parts._replace(
        total=np.asarray(sum(totals), np.float32), rows=sum(rows), added=sum(added)
    )


def _solve_share(
    problem: Problem, by: Products, d_states: Floats, d_own: Floats, *, with_gradient: bool
) -> tuple[float, Floats, Floats]:
    """Fill in two gradients of a share; return its sum and the two others."""
    total = 0.0
    d_rows, d_added = np.zeros_like(problem.rows), np.zeros_like(problem.added)
    logits = np.empty((ROWS, len(problem.rows)), np.float32)
    for start in range(0, len(problem.states), ROWS):
        part = slice(start, start + ROWS)
        some = problem.share(part)
        chances = logits[: len(some.states)]
        by.logits(some.states, chances)
        total += _tell(some, chances, d_own[part])
        if with_gradient:
            by.back(chances, some.states, d_states[part], d_rows)
            d_added += chances.sum(axis=0)
    return total, d_rows, d_added


def _tell(problem: Problem, logits: Floats, d_own: Floats) -> float:
    """Return the sum over some states.

    `logits` holds their products with the rows, and afterwards the gradient of the candidates'
    logits.
    """
    logits += problem.added
    logits[problem.hits()] = -np.inf
    top = np.maximum(logits.max(axis=1), problem.own)
    logits -= top[:, None]
    np.exp(logits, out=logits)
    own = np.exp(problem.own - top)
    whole = logits.sum(axis=1) + own
    logits *= (problem.weights / whole)[:, None]
    d_own[...] = problem.weights * (own / whole - 1)
    losses = top + np.log(whole) - problem.own
    return float(np.sum(losses * problem.weights, dtype=np.float64))
