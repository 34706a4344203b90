"""Texts of which the words ranked first, or all others, are replaced by the unknown token."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.text import UNKNOWN

Ids = NDArray[np.int32]
Scores = NDArray[np.float64]

# Shares of a text's words that count as its rationale, DeYoung et al. 2020, section 4.2.
BINS = (0.01, 0.05, 0.1, 0.2, 0.5)


def rationales(scores: Scores) -> Iterator[NDArray[np.bool_]]:
    """Yield for each bin which tokens are ranked first, one at least, `(T,)`."""
    order = np.argsort(-scores, kind="stable")
    for share in BINS:
        first = np.zeros(len(scores), np.bool_)
        first[order[: math.ceil(share * len(scores))]] = True
        yield first


def without(ids: Ids, tokens: NDArray[np.bool_]) -> Ids:
    """Return a text with these tokens unknown."""
    return np.where(tokens, np.int32(UNKNOWN), ids)


def variants(ids: Ids, scores: Scores) -> tuple[list[Ids], list[Ids]]:
    """Return, a bin each, the texts without their rationales, and the rationales alone."""
    first = list(rationales(scores))
    return [without(ids, r) for r in first], [without(ids, ~r) for r in first]
