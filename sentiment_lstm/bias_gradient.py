"""The gradient of the bias: a sum over all steps, or over those that read a word, for each word."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np

from sentiment_lstm import bptt_kernels
from sentiment_lstm.bptt import Batch, Floats, Numbers, Share, Weights
from sentiment_lstm.loans import Loans
from sentiment_lstm.parallel import cores, parallel_map
from sentiment_lstm.precision import Form

_loans = Loans()


class BiasGradient(Protocol):
    """Sums the gradient of the pre-activations, each thread apart, a piece after the other."""

    def add(self, hand: int, steps: tuple[int, int], dz: Numbers) -> None:
        """Add a piece.

        Args:
            hand: which thread.
            steps: the first step of the piece, and the one behind its last.
            dz: the gradient of its pre-activations, packed `(P, 4 * units)`.
        """

    def total(self) -> Floats:
        """Return the gradient, in the shape of the bias, once all threads are done."""


def gradient_of(batch: Batch, weights: Weights, shares: Sequence[Share]) -> BiasGradient:
    """Return what sums the gradient of the bias that weights have.

    Args:
        batch: what is read.
        weights: their bias is `(4 * units,)`, or has a row for each word.
        shares: the rows of each thread.
    """
    if weights.bias.ndim == 1:
        return _OneBias(weights.form, len(shares), len(weights.bias))
    return _BiasOfWords(batch, weights.bias.shape, shares)


class _OneBias:
    """The gradient of a bias `(4 * units,)`."""

    def __init__(self, form: Form, hands: int, width: int) -> None:
        self._form, self._sums = form, np.zeros((hands, width), np.float32)

    def add(self, hand: int, _: tuple[int, int], dz: Numbers) -> None:
        self._sums[hand] += self._form.column_sums(dz)

    def total(self) -> Floats:
        total: Floats = self._sums.sum(axis=0)
        return total


class _BiasOfWords:
    """The gradient of a bias with a row for each word, `(words, 4 * units)`.

    A thread has rows for the words that it comes to read, and room for as many as it could: all
    words or all its steps, whichever are fewer. The rooms together are never larger than the gates
    on the tape.
    """

    def __init__(self, batch: Batch, shape: tuple[int, int], shares: Sequence[Share]) -> None:
        self._batch, self._shape, self._shares = batch, shape, shares
        most = [min(shape[0], int(share.counts.sum())) for share in shares]
        self._free = [sum(most[:hand]) for hand in range(len(most))]
        self._sums = _loans.array(sum(most), shape[1])
        self._places = np.full((len(shares), shape[0]), -1, np.int32)

    def add(self, hand: int, steps: tuple[int, int], dz: Numbers) -> None:
        batch, share = self._batch, self._shares[hand]
        self._free[hand] = bptt_kernels.add_by_word(
            batch.words,
            steps,
            share.counts,
            share.rows,
            batch.backwards,
            dz,
            self._places[hand],
            self._free[hand],
            self._sums,
        )

    def total(self) -> Floats:
        result = _loans.array(*self._shape)

        def work(words: tuple[int, int]) -> None:
            bptt_kernels.put_together(self._places, self._sums, *words, result)

        edges = np.linspace(0, self._shape[0], cores() + 1).astype(int).tolist()
        _ = parallel_map(work, list(pairwise(edges)))
        return result
