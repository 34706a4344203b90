"""How much each state of a text counts in one output: pooling and head as a single weighting.

For a given text every pooling is linear in the states. The last state is one of them, the mean is
all of them in equal parts, and the maximum takes each unit's state from the step where it was
largest. So an output is Σ_t r_t·h_t + bias, with the weights r_t of this module.
"""

import numpy as np

from sentiment_lstm.gate_trace import Doubles


def readout(h: Doubles, head: Doubles, kinds: tuple[str, ...]) -> Doubles:
    """Return the weight r of each state in an output, `(D, T, H)`, in the order of reading.

    Args:
        h: the states of one text `(D, T, H)`, each direction in the order in which it reads.
        head: the output's weights `(P, D, H)`, one row a pooling.
        kinds: the P poolings, any of "last", "max", "mean".
    """
    weights = np.zeros_like(h)
    for kind, row in zip(kinds, head, strict=True):
        weights += selected(h, kind) * row[:, np.newaxis]
    return weights


def selected(h: Doubles, kind: str) -> Doubles:
    """Return what share of each state `(D, T, H)` goes into a pooling.

    Of equally large states the first that is read counts. A text without tokens has no states,
    and its pools are zero.
    """
    T = h.shape[1]
    steps = np.arange(T)[:, np.newaxis]
    if kind == "mean" and T:
        return np.full_like(h, 1 / T)
    if kind == "max" and T:
        return np.where(steps == h.argmax(axis=1, keepdims=True), np.ones_like(h), 0)
    return np.where(steps == T - 1, np.ones_like(h), 0)
