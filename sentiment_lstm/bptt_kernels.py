"""The LSTM's steps forth and back through time, compiled.

Forth, with the gates of `sentiment_lstm.lstm`; back, for a loss L, writing d for ∂L/∂:

    dh_t ← dh_t + what L sees of h_t       dc_t ← dc_t + dh_t ⊙ o ⊙ (1 - tanh²(c_t))
    dz_i = dc_t ⊙ g ⊙ i ⊙ (1 - i)          dz_f = dc_t ⊙ c_{t-1} ⊙ f ⊙ (1 - f)
    dz_g = dc_t ⊙ i ⊙ (1 - g²)             dz_o = dh_t ⊙ tanh(c_t) ⊙ o ⊙ (1 - o)
    dc_{t-1} = dc_t ⊙ f                    dh_{t-1} = dz·Uᵀ    dx_t = dz·Wᵀ

What can wait is not in the loops: the gradient of the weights is one matrix product for many steps
(see `sentiment_lstm.bptt_back`).

Arrays are packed: the rows of a batch stand in order of falling length, step t works on the first
`counts[t]` of them, and what a step leaves for the way back stands behind what the step before it
left, P rows in all. Padding at either end of a sequence costs nothing that way; a masked step
amid a sequence is computed and thrown away.

What products read may be float32 or the bits of bfloat16 (see `sentiment_lstm.precision`): the
sequences, the states as the layer tells them, `read`, `dz` and the gradients of the first two.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bfloat16 import narrowed, widened
from sentiment_lstm.compiled import kernel, part
from sentiment_lstm.precision import NARROW, put_sum

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Words = NDArray[np.int32]
Flags = NDArray[np.bool_]


# tanh(x) = x·P(x²)/Q(x²), a minimax fit on [-L, L] with an error below 3e-7; beyond, ±1 to as many
# digits. The coefficients are those of Eigen's float32 tanh.
_L = np.float32(7.90531110763549805)
_P = tuple(
    np.float32(p)
    for p in (
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    )
)
_Q = tuple(
    np.float32(q)
    for q in (
        1.19825839466702e-06,
        1.18534705686654e-04,
        2.26843463243900e-03,
        4.89352518554385e-03,
    )
)
_HALF, _ONE = np.float32(0.5), np.float32(1)

# Rows behind a step's that a product may take along, where the arrays have them.
SPARE = NARROW.spare


@part
def tanh(x: Any) -> Any:
    """Return tanh(x) in a form that becomes vector instructions; NaN stays NaN."""
    p, q = tanh_parts(x)
    return p / q


@part
def tanh_parts(x: Any) -> Any:
    """Return two numbers of which the first by the second is tanh(x); the second is in [0.004, 1].

    Whoever needs several has one division for them all: it takes as long as many multiplications.
    """
    x = _L if x > _L else x
    x = -_L if x < -_L else x
    y = x * x
    p = _P[0] * y + _P[1]
    p = p * y + _P[2]
    p = p * y + _P[3]
    p = p * y + _P[4]
    p = p * y + _P[5]
    p = p * y + _P[6]
    q = _Q[0] * y + _Q[1]
    q = q * y + _Q[2]
    q = q * y + _Q[3]
    return x * p, q


@part
def sigmoid(x: Any) -> Any:
    """Return the logistic function, as ½ + ½ tanh(½x)."""
    return _HALF + _HALF * tanh(_HALF * x)


@part
def gates_forward(n: int, keep: Flags, z: Floats, before: Floats, c: Floats, h: Floats) -> None:
    """Take one step, given the pre-activations.

    Args:
        n: how many sequences run.
        keep: whether the step counts, for each of them.
        z: pre-activations of the gates, `(n, 4 * units)`; afterwards i, f, g, o.
        before: takes the cell before the step, `(n, units)`, where it counts.
        c: cell before the step, afterwards after it.
        h: takes the state after it.
    """
    for k in range(n):
        if keep[k]:
            _row_forward(z[k], before[k], c[k], h[k])


# One row at a time, and each gate an array of its own: so that the compiler sees few enough
# pointers to prove apart, and makes vector instructions of the loop.
@part
def _row_forward(z: Floats, before: Floats, c: Floats, h: Floats) -> None:
    units = h.shape[0]
    z_i, z_f, z_g, z_o = z[:units], z[units : 2 * units], z[2 * units : 3 * units], z[3 * units :]
    for j in range(units):  # on its own: below, c as both read and written is a pointer too many
        before[j] = c[j]
    for j in range(units):
        i = sigmoid(z_i[j])
        f = sigmoid(z_f[j])
        g = tanh(z_g[j])
        o = sigmoid(z_o[j])
        z_i[j], z_f[j], z_g[j], z_o[j] = i, f, g, o
        c[j] = f * before[j] + i * g
        h[j] = o * tanh(c[j])


@part
def gates_backward(
    n: int,
    keep: Flags,
    gates: Floats,
    before: Floats,
    dh: Floats,
    dc: Floats,
    dz: Floats,
) -> None:
    """Take one step back, as far as the pre-activations.

    Args:
        n: how many sequences run.
        keep: whether the step counts, for each of them.
        gates: i, f, g, o of the step, `(n, 4 * units)`.
        before: cell before the step, `(n, units)`.
        dh: gradient of the state after the step; afterwards zeros where the step counts.
        dc: gradient of the cell after the step; afterwards of the one before it.
        dz: takes the gradient of the pre-activations, `(n, 4 * units)`.
    """
    for k in range(n):
        if keep[k]:
            _row_backward(gates[k], before[k], dh[k], dc[k], dz[k])
        else:
            for j in range(dz.shape[1]):
                dz[k, j] = 0


@part
def _row_backward(gates: Floats, before: Floats, dh: Floats, dc: Floats, dz: Floats) -> None:
    units = dh.shape[0]
    a_i, a_f = gates[:units], gates[units : 2 * units]
    a_g, a_o = gates[2 * units : 3 * units], gates[3 * units :]
    d_i, d_f = dz[:units], dz[units : 2 * units]
    d_g, d_o = dz[2 * units : 3 * units], dz[3 * units :]
    for j in range(units):
        i, f, g, o = a_i[j], a_f[j], a_g[j], a_o[j]
        s = tanh(f * before[j] + i * g)
        e = dc[j] + dh[j] * o * (_ONE - s * s)
        d_i[j] = narrowed(e * g * i * (_ONE - i), dz)
        d_f[j] = narrowed(e * before[j] * f * (_ONE - f), dz)
        d_g[j] = narrowed(e * i * (_ONE - g * g), dz)
        d_o[j] = narrowed(dh[j] * s * o * (_ONE - o), dz)
        dc[j] = e * f
        dh[j] = 0


@part
def gather(
    n: int,
    h: Floats,
    dropped: Floats,
    sequences: Floats,
    rows: Indices,
    t: int,
    read: Floats,
) -> None:
    """Put down what a step reads, for the n rows that run.

    Args:
        n: how many.
        h: state before the step, `(≥ n, units)`.
        dropped: dropout factors on h, `(≥ n, units)`, or of width 0 for none.
        sequences: `(batch, time, features)`.
        rows: where each row stands in them.
        t: which of their steps is read.
        read: takes h as the gates see it and the input, `(n, units + features)`, and zeros behind.
    """
    units, features = h.shape[1], sequences.shape[2]
    for k in range(n):
        for j in range(units):
            read[k, j] = narrowed(h[k, j], read)
        for j in range(dropped.shape[1]):
            read[k, j] = narrowed(h[k, j] * dropped[k, j], read)
        for j in range(features):
            read[k, units + j] = sequences[rows[k], t, j]
        for j in range(units + features, read.shape[1]):
            read[k, j] = 0


@part
def take(n: int, starts: Floats, words: Words, rows: Indices, t: int, z: Floats) -> None:
    """Put down what the words of a step bring to the pre-activations, for the n rows that run.

    Args:
        n: how many.
        starts: a row for each word, `(words, 4 * units)`.
        words: `(batch, time)`.
        rows: where each row stands in them.
        t: which of their steps is read.
        z: takes the words' rows, `(≥ n, 4 * units)`.
    """
    for k in range(n):
        start = starts[words[rows[k], t]]
        for j in range(z.shape[1]):
            z[k, j] = start[j]


@kernel
def scan_forward(
    sequences: Floats,
    panels: Floats,
    starts: Floats,
    words: Words,
    counts: Indices,
    keep: Flags,
    rows: Indices,
    backwards: bool,
    dropped: Floats,
    h: Floats,
    c: Floats,
    tape: tuple[Floats, Floats, Floats],
    remembers: bool,
    states: Floats,
) -> None:
    """Carry h and c of some rows through all steps.

    Args:
        sequences: `(batch, time, features)`.
        panels: recurrent kernel and, below it, kernel, `(units + features, 4 * units)`, as
            `tiles.panels_of` cuts it.
        starts: what the products are added to, `(≥ 1, 4 * units)`: the bias, or a row for each word
            with its own product in it.
        words: which row of `starts` each step takes, `(batch, time)`, or of time 0 for the first.
        counts: how many rows each step works on, `(time,)`.
        keep: whether a step counts, `(time, n)`.
        rows: where each row stands in `sequences` and `states`, `(n,)`.
        backwards: whether step 0 reads the end of the sequences.
        dropped: dropout factors on h on its way into the gates, `(n, units)`, or of width 0.
        h: state before the first step, `(n, units)`; afterwards after the last.
        c: cell, likewise.
        tape: takes what each step leaves: gates `(P, 4 * units)`, what they read
            `(P, units + features)` and the cell before the step `(P, units)`.
        remembers: whether it takes those of all steps, or has n rows in place of P, and each step
            writes over the one before it.
        states: takes h after every step, `(batch, time, units)`, or nothing if of time 0.
    """
    gates, read, before = tape
    everyone, units = h.shape
    at, last = 0, counts.shape[0] - 1
    for t in range(counts.shape[0]):
        n = counts[t]
        now = slice(at, at + n + SPARE)
        z = gates[now]
        place, to = last - t if backwards else t, starts
        gather(n, h, dropped, sequences, rows, place, read[now])
        if words.shape[1]:
            take(n, starts, words, rows, place, z)
            to = z
        put_sum(n, read[now], panels, to, z)
        gates_forward(n, keep[t], z, before[now], c, h)
        for k in range(everyone if states.shape[1] else 0):
            for j in range(units):
                states[rows[k], t, j] = narrowed(h[k, j], states)
        at += n if remembers else 0


@kernel
def scan_backward(
    panels: Floats,
    steps: tuple[int, int],
    counts: Indices,
    keep: Flags,
    rows: Indices,
    backwards: bool,
    dropped: Floats,
    tape: tuple[Floats, Floats, Floats],
    d_states: Floats,
    dh: Floats,
    dc: Floats,
    dz: Floats,
    zeros: Floats,
    d_read: Floats,
    d_sequences: Floats,
) -> None:
    """Carry the gradients of h and c of some rows back through some steps.

    Args:
        panels: recurrent kernel and kernel as in `scan_forward`, transposed,
            `(4 * units, units + features)`, as `tiles.panels_of` cuts it.
        steps: the first of them, and the one behind the last.
        counts: as for `scan_forward`.
        keep: as for `scan_forward`.
        rows: where each row stands in `d_states` and `d_sequences`, `(n,)`.
        backwards: as for `scan_forward`.
        dropped: as for `scan_forward`.
        tape: what `scan_forward` left of these steps and those behind them.
        d_states: gradient of h after every step, `(batch, time, units)`, or nothing if of time 0.
        dh: gradient of h after these steps, `(n, units)`; afterwards before them.
        dc: gradient of the cell, likewise.
        dz: takes the gradient of these steps' pre-activations, packed, `(P, 4 * units)`.
        zeros: as many as a row of d_read, `(1, ≥ units + features)`.
        d_read: room for a step's, `(n, ≥ units + features)`.
        d_sequences: takes the gradient of what the steps read, `(batch, time, features)`, and
            keeps what it holds at those that no step reads.
    """
    gates, _, before = tape
    everyone, units = dh.shape
    at, last = 0, counts.shape[0] - 1
    for t in range(steps[0], steps[1]):  # counts.sum() and np.zeros take long to compile
        at += counts[t]
    for t in range(steps[1] - 1, steps[0] - 1, -1):
        n = counts[t]
        at -= n
        for k in range(everyone if d_states.shape[1] else 0):
            for j in range(units):
                dh[k, j] += widened(d_states[rows[k], t, j])
        now = slice(at, at + n + SPARE)
        gates_backward(n, keep[t], gates[now], before[now], dh, dc, dz[now])
        put_sum(n, dz[now], panels, zeros, d_read)
        spread(n, d_read, dropped, rows, last - t if backwards else t, dh, d_sequences)


@part
def spread(
    n: int,
    d_read: Floats,
    dropped: Floats,
    rows: Indices,
    t: int,
    dh: Floats,
    d_sequences: Floats,
) -> None:
    """Hand the gradient of what a step read on to h and to the sequences.

    Args:
        n: how many rows run.
        d_read: `(≥ n, ≥ units + features)`.
        dropped: dropout factors on h, `(≥ n, units)`, or of width 0 for none.
        rows: where each row stands in the sequences.
        t: which of their steps was read.
        dh: gradient of h before the step, `(≥ n, units)`, to which its part is added.
        d_sequences: `(batch, time, features)`.
    """
    units = dh.shape[1]
    for k in range(n):
        for j in range(dropped.shape[1]):
            d_read[k, j] *= dropped[k, j]
        for j in range(units):
            dh[k, j] += d_read[k, j]
        for j in range(d_sequences.shape[2]):
            d_sequences[rows[k], t, j] = narrowed(d_read[k, units + j], d_sequences)


@kernel
def add_by_word(
    words: Words,
    steps: tuple[int, int],
    counts: Indices,
    rows: Indices,
    backwards: bool,
    dz: Any,
    places: Words,
    free: int,
    sums: Floats,
) -> int:
    """Add the gradient of some steps' pre-activations to the sums of the words that were read.

    Args:
        words: as for `scan_forward`.
        steps: as for `scan_backward`.
        counts: as for `scan_forward`.
        rows: where each row stands in `words`.
        backwards: as for `scan_forward`.
        dz: what `scan_backward` made of these steps.
        places: which row of `sums` is a word's, or -1 for none yet, `(words,)`.
        free: the first of the rows that no word has.
        sums: a row for each word that was read, `(≥ words read, 4 * units)`.

    Returns:
        The first row that no word has afterwards.
    """
    at, last = 0, counts.shape[0] - 1
    for t in range(steps[0], steps[1]):
        for k in range(counts[t]):
            row, word = dz[at + k], words[rows[k], last - t if backwards else t]
            if places[word] < 0:
                places[word] = free
                free += 1
                for j in range(sums.shape[1]):
                    sums[places[word], j] = widened(row[j])
            else:
                for j in range(sums.shape[1]):
                    sums[places[word], j] += widened(row[j])
        at += counts[t]
    return free


@kernel
def put_together(places: Words, sums: Floats, first: int, stop: int, result: Floats) -> None:
    """Add up what several threads have summed of some words.

    Args:
        places: which row of `sums` is a word's, for each thread, or -1, `(threads, words)`.
        sums: all their rows, `(rows, 4 * units)`.
        first: the first of the words.
        stop: the one behind the last.
        result: takes a row for each word, `(words, 4 * units)`, zeros where no thread has one.
    """
    for word in range(first, stop):
        total = result[word]
        for j in range(total.shape[0]):
            total[j] = 0
        for thread in range(places.shape[0]):
            if places[thread, word] >= 0:
                row = sums[places[thread, word]]
                for j in range(total.shape[0]):
                    total[j] += row[j]
