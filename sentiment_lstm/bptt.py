"""The LSTM, written out, in the memory of the processor; back goes `sentiment_lstm.bptt_back`.

A step reads its input and h as one vector, so that the gates take one product. The rows of a batch
are dealt out to as many threads as there are cores; each takes its rows through all steps, so that
no thread waits for another at any step.

Sequences and both kernels are float32 or the bits of bfloat16, all three alike; so are the states
as they are told and, on the way back, the gradient of both. All else is float32.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm import bptt_kernels
from sentiment_lstm.bfloat16_panels import padded
from sentiment_lstm.loans import Loans
from sentiment_lstm.parallel import cores, parallel_map
from sentiment_lstm.precision import Form, form_of

Floats = NDArray[np.float32]
Numbers = NDArray[Any]  # float32, or bfloat16 as its bits
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
Words = NDArray[np.int32]

# Fewer rows than this a thread, and the products of a step are too thin to gain from another.
ROWS_OF_A_THREAD = 8

_loans = Loans()


@dataclass(frozen=True)
class Weights:
    """What the layer learns.

    Attributes:
        kernel: `(features, 4 * units)`.
        recurrent_kernel: `(units, 4 * units)`.
        bias: `(4 * units,)`, or a row for each word that a batch reads, `(words, 4 * units)`.
    """

    kernel: Numbers
    recurrent_kernel: Numbers
    bias: Floats

    @property
    def form(self) -> Form:
        """How the products take their numbers."""
        return form_of(self.kernel)

    @cached_property
    def both(self) -> Numbers:
        """Recurrent kernel and, below it, kernel: a step reads h and its input as one vector.

        Rows of zeros fill it up to what `form` takes.
        """
        parts = [self.recurrent_kernel, self.kernel]
        rows, width = sum(map(len, parts)), self.kernel.shape[1]
        rest = padded(rows, self.form.depth) - rows
        both = numbers(self.form, rows + rest, width)
        zeros = np.zeros((rest, width), self.form.stored)
        return np.concatenate([*parts, zeros], out=both)

    @cached_property
    def forward_panels(self) -> Numbers:
        """Both kernels as `bptt_kernels.scan_forward` takes them."""
        panels: Numbers = self.form.panels_of(self.both)
        return panels

    @cached_property
    def backward_panels(self) -> Numbers:
        """Both kernels as `bptt_kernels.scan_backward` takes them."""
        panels: Numbers = self.form.panels_of(self.both.T)
        return panels


class Tape(NamedTuple):
    """What the way back needs of the way forth; see `bptt_kernels.scan_forward`.

    Each part has a row for every step of the batch, `batch * time`, of which the steps that were
    taken fill the first.
    """

    gates: Floats
    read: Numbers
    before: Floats

    @classmethod
    def of(cls, rows: int, weights: Weights, threads: int = 1) -> "Tape":
        """Return room for so many rows, and behind those of each thread for the spare ones."""
        rows += threads * weights.form.spare
        read_width, width = weights.both.shape
        read = numbers(weights.form, rows, read_width)
        return cls(_loans.array(rows, width), read, _loans.array(rows, width // 4))

    def of_share(self, share: "Share") -> "Tape":
        """Return the rows of a share."""
        return Tape(*(part[share.packed] for part in self))


def numbers(form: Form, *shape: int) -> Numbers:
    """Return room for what products read, with whatever the memory held before."""
    size = np.dtype(form.stored).itemsize
    words = _loans.array(-(-int(np.prod(shape)) * size // 4))
    room: Numbers = words.view(form.stored)[: int(np.prod(shape))].reshape(shape)
    return room


class Outputs(NamedTuple):
    """States `(batch, time, units)` (time 0 if not asked for), last h and last c."""

    states: Numbers
    h: Floats
    c: Floats


@dataclass(frozen=True)
class Share:
    """The rows that one thread works on.

    Attributes:
        rows: which rows of the batch, in order of falling length, `(n,)`.
        counts: how many of them each step works on, `(time,)`.
        keep: whether a step counts, in reading order, `(time, n)`.
        packed: where its packed rows stand in a tape, the spare ones behind them included.
    """

    rows: Indices
    counts: Indices
    keep: Flags
    packed: slice


def shares(keep: Flags, threads: int, spare: int = 0) -> list[Share]:
    """Deal out the rows of a batch `(batch, time)`, the long ones evenly.

    Args:
        keep: whether a step counts, in reading order.
        threads: for how many.
        spare: rows that stay free in a tape behind each share's.
    """
    order = np.argsort(-keep.sum(axis=1), kind="stable")
    hands = max(1, min(threads, len(keep) // ROWS_OF_A_THREAD))
    result, start = [], 0
    for hand in range(hands):
        rows = order[hand::hands].copy()  # without gaps, for which code would be compiled apart
        own = np.ascontiguousarray(keep[rows].T)
        counts = (own * np.arange(1, len(rows) + 1)).max(axis=1, initial=0)
        stop = start + int(counts.sum()) + spare
        result.append(Share(rows, counts, own, slice(start, stop)))
        start = stop
    return result


@dataclass(frozen=True)
class Batch:
    """What the layer reads, and how.

    Attributes:
        sequences: `(batch, time, features)`.
        keep: whether a step counts, `(batch, time)`; h and c stay as they were where it does not.
        dropped: dropout factors on h on its way into the gates, `(batch, units)`, or of width 0.
        backwards: read from the end of the sequences; states come in the order read.
        words: which row of the bias each step takes, `(batch, time)`, or of time 0 where there is
            but one.
    """

    sequences: Numbers
    keep: Flags
    dropped: Floats
    backwards: bool = False
    words: Words = field(default_factory=lambda: np.zeros((0, 0), np.int32))

    def shares(self) -> list[Share]:
        """Deal out the rows to the threads there are."""
        keep = self.keep[:, ::-1] if self.backwards else self.keep
        return shares(keep, cores(), form_of(self.sequences).spare)


def forward(
    batch: Batch, weights: Weights, h: Floats, c: Floats, *, with_states: bool = True
) -> tuple[Outputs, Tape]:
    """Run the layer and remember what the way back needs.

    Args:
        batch: the sequences.
        weights: kernel, recurrent kernel and bias.
        h: state before the first step, `(batch, units)`.
        c: cell before the first step, `(batch, units)`.
        with_states: return the state after every step, not of the last one only.
    """
    outputs = _outputs(batch, h, c, with_states=with_states)
    shares = batch.shares()
    tape = Tape.of(batch.keep.size, weights, len(shares))
    _ = weights.forward_panels  # laid out once, before there are threads

    def work(share: Share) -> None:
        _scan(batch, weights, share, outputs, tape.of_share(share), remembers=True)

    _ = parallel_map(work, shares)
    return outputs, tape


def infer(
    batch: Batch, weights: Weights, h: Floats, c: Floats, *, with_states: bool = True
) -> Outputs:
    """Run the layer and remember nothing; see `forward`."""
    outputs = _outputs(batch, h, c, with_states=with_states)
    _ = weights.forward_panels  # laid out once, before there are threads

    def work(share: Share) -> None:
        own = Tape.of(len(share.rows), weights)
        _scan(batch, weights, share, outputs, own, remembers=False)

    _ = parallel_map(work, batch.shares())
    return outputs


def _scan(
    batch: Batch,
    weights: Weights,
    share: Share,
    outputs: Outputs,
    tape: Tape,
    *,
    remembers: bool,
) -> None:
    """Carry a share's rows of `outputs` through all steps."""
    h, c = outputs.h[share.rows], outputs.c[share.rows]
    bptt_kernels.scan_forward(
        batch.sequences,
        weights.forward_panels,
        np.atleast_2d(weights.bias),
        batch.words,
        share.counts,
        share.keep,
        share.rows,
        batch.backwards,
        batch.dropped[share.rows],
        h,
        c,
        tuple(tape),
        remembers,
        outputs.states,
    )
    outputs.h[share.rows], outputs.c[share.rows] = h, c


def _outputs(batch: Batch, h: Floats, c: Floats, *, with_states: bool) -> Outputs:
    rows, time = batch.keep.shape
    shape = (rows, time if with_states else 0, h.shape[1])
    return Outputs(numbers(form_of(batch.sequences), *shape), h.copy(), c.copy())
