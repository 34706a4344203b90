"""Backpropagation through time, written out, in the memory of the processor.

The gradients of h and of the input are one product a step, with both kernels as one matrix, as on
the way forth (`sentiment_lstm.bptt`). What can wait for some steps does: the gradient of the
kernels is one product for a piece of them, and the gradient of the pre-activations is needed no
longer than that. So it is still in the last cache, at some hundred units; that of a whole batch
would go to memory and come back, twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm import bptt_kernels
from sentiment_lstm.bfloat16_panels import padded
from sentiment_lstm.bias_gradient import BiasGradient, gradient_of
from sentiment_lstm.bptt import Batch, Floats, Numbers, Outputs, Share, Tape, Weights, numbers
from sentiment_lstm.loans import Loans
from sentiment_lstm.parallel import parallel_map

_loans = Loans()


class Gradients(NamedTuple):
    """Of a loss: with respect to what `bptt.forward` was given, in the same shapes."""

    sequences: Numbers
    kernel: Floats
    recurrent_kernel: Floats
    bias: Floats
    h: Floats
    c: Floats


def backward(batch: Batch, weights: Weights, tape: Tape, d_outputs: Outputs) -> Gradients:
    """Return the gradients of a loss, given those of what `bptt.forward` returned.

    Args:
        batch: as given to `forward`.
        weights: as given to `forward`.
        tape: what `forward` left.
        d_outputs: gradients of states, last h and last c, in the shapes of `forward`'s outputs.
    """
    d_sequences = numbers(weights.form, *batch.sequences.shape)
    if not batch.keep.all():
        d_sequences[...] = 0
    d_outputs = Outputs(d_outputs.states, d_outputs.h.copy(), d_outputs.c.copy())
    _ = weights.backward_panels  # laid out once, before there are threads
    shares = batch.shares()
    bias = gradient_of(batch, weights, shares)

    def work(hand: int) -> Floats:
        share = shares[hand]
        own = tape.of_share(share)
        return _Way(batch, weights, share, own, d_outputs, d_sequences).back(bias, hand)

    d_kernels, *others = parallel_map(work, range(len(shares)))
    for other in others:
        d_kernels += other
    units, features = len(weights.recurrent_kernel), len(weights.kernel)
    d_recurrent, d_kernel = d_kernels[:units], d_kernels[units : units + features]
    return Gradients(d_sequences, d_kernel, d_recurrent, bias.total(), d_outputs.h, d_outputs.c)


class _Piece(NamedTuple):
    """Some steps of a share: the first, the one behind the last, and their rows in its tape."""

    first: int
    stop: int
    rows: slice


def pieces(counts: NDArray[np.intp], least: int) -> Iterator[_Piece]:
    """Yield the pieces of a share, those of its last steps first.

    Args:
        counts: how many rows each step works on, `(time,)`.
        least: rows of a piece at least; the last one has what is left.
    """
    at, behind, stop = int(counts.sum()), int(counts.sum()), len(counts)
    for t in range(len(counts) - 1, -1, -1):
        at -= int(counts[t])
        if behind - at >= least or t == 0:
            yield _Piece(t, stop, slice(at, behind))
            behind, stop = at, t


@dataclass(frozen=True)
class _Way:
    """The way back of the rows that one thread works on."""

    batch: Batch
    weights: Weights
    share: Share
    tape: Tape
    d_outputs: Outputs
    d_sequences: Numbers

    def back(self, bias: BiasGradient, hand: int) -> Floats:
        """Carry the rows of `d_outputs` back; return the gradient of both kernels.

        Args:
            bias: is told the gradient of the pre-activations.
            hand: which of the threads this is.
        """
        share, form = self.share, self.weights.form
        dh, dc = self.d_outputs.h[share.rows], self.d_outputs.c[share.rows]
        room = self._room()
        shape = self.tape.read.shape[1], self.tape.gates.shape[1]
        d_kernels = np.zeros(shape, np.float32)
        for piece in pieces(share.counts, form.at_once):
            dz = room[0][: piece.rows.stop - piece.rows.start]
            self._take(piece, dh, dc, *room)
            d_kernels += form.summed_outer(self.tape.read[piece.rows], dz)
            bias.add(hand, (piece.first, piece.stop), dz)
        self.d_outputs.h[share.rows], self.d_outputs.c[share.rows] = dh, dc
        return d_kernels

    def _room(self) -> tuple[Numbers, Floats, Floats]:
        """Return room for the gradients of a piece's pre-activations and of what a step read."""
        form, most = self.weights.form, int(self.share.counts.max(initial=0))
        rows = min(form.at_once + most, int(self.share.counts.sum()))
        dz = numbers(form, rows + form.spare, self.tape.gates.shape[1])
        breadth = padded(self.tape.read.shape[1], form.breadth)
        d_read = _loans.array(len(self.share.rows) + form.spare, breadth)
        return dz, np.zeros((1, breadth), np.float32), d_read

    def _take(
        self, piece: _Piece, dh: Floats, dc: Floats, dz: Numbers, zeros: Floats, d_read: Floats
    ) -> None:
        """Carry dh and dc back through a piece; put down the gradient of its pre-activations."""
        bptt_kernels.scan_backward(
            self.weights.backward_panels,
            (piece.first, piece.stop),
            self.share.counts,
            self.share.keep,
            self.share.rows,
            self.batch.backwards,
            self.batch.dropped[self.share.rows],
            tuple(part[piece.rows.start :] for part in self.tape),
            self.d_outputs.states,
            dh,
            dc,
            dz,
            zeros,
            d_read,
            self.d_sequences,
        )
