"""What a phrase says as a whole: contextual decomposition.

Source: Murdoch, Liu & Yu, "Beyond Word Importance: Contextual Decomposition to Extract
Interactions from LSTMs", ICLR 2018, section 3.

Every cell and state is parted in two, what is due to the phrase (relevant) and the rest, which add
up to it. Words of the phrase enter as relevant, and at each step

    c_rel ← (R_f + B_f) ⊙ c_rel + R_i ⊙ (R_g + B_g) + B_i ⊙ R_g   (+ B_i ⊙ B_g within the phrase)
    h_rel ← o ⊙ ½ [tanh(c_rel) + tanh(c) - tanh(c - c_rel)]

where a gate σ(a + rest + b), a the relevant part of its pre-activation and z all of it, is parted
into R = ½ [σ(a + b) - σ(b) + σ(z) - σ(z - a)], B = σ(b) and the rest (tanh likewise). So "not good"
gets what "not" does to "good", which no sum over single words can show. What gates do between
phrase and rest belongs to the rest.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.gate_trace import Doubles, LayerTrace, product, turned
from sentiment_lstm.inference import gates

Masks = NDArray[np.bool_]


def relevant_states(layers: Sequence[LayerTrace], phrases: Masks) -> Doubles:
    """Return the part of the top layer's states that is due to each phrase, `(D, T, n, H)`.

    Each direction stands in the order in which it reads.

    Args:
        layers: a text's trace, the lowest layer first.
        phrases: n phrases, true at the tokens of each, `(n, T)`.
    """
    within = phrases.T[:, :, np.newaxis].astype(np.float64)  # (T, n, 1)
    inputs = within * layers[0].x[0][:, np.newaxis]
    for layer in layers[:-1]:
        states = turned(_relevant(layer, inputs, within))
        inputs = states.transpose(1, 2, 0, 3).reshape(*inputs.shape[:2], -1)
    return _relevant(layers[-1], inputs, within)


def _relevant(layer: LayerTrace, inputs: Doubles, within: Doubles) -> Doubles:
    """Return the relevant part of a layer's states, `(D, T, n, H)`.

    Args:
        layer: its trace.
        inputs: the relevant part of its inputs, `(T, n, in)`.
        within: 1 at the tokens of each phrase, else 0, `(T, n, 1)`.
    """
    (D, T, H), n = layer.h.shape, inputs.shape[1]
    read, inside = (turned(np.stack([part] * D)) for part in (inputs, within))
    bias = layer.weights.bias.astype(np.float64)
    of_bias = gates(bias.copy())
    states = np.empty((D, T, n, H))
    c, h = np.zeros((2, D, n, H))
    for t in range(T):
        now = slice(t, t + 1)
        a = product(read[:, t], layer.weights.kernel) + product(h, layer.weights.recurrent_kernel)
        shares = shares_of_gates(a, layer.z[:, :, now], bias, of_bias)
        c = _cell(c, shares, of_bias, inside[:, t])
        h = _output(c, layer.c[:, now], layer.o[:, now])
        states[:, t] = h
    return states


def shares_of_gates(a: Doubles, z: Doubles, bias: Doubles, of_bias: Doubles) -> Doubles:
    """Return R, the part of each gate that is due to `a`.

    Args:
        a: relevant part of the pre-activations, `(4, D, n, H)`.
        z: the whole of them, `(4, D, 1, H)`.
        bias: `(4, D, 1, H)`.
        of_bias: the gates of the bias alone, B.
    """
    return np.asarray(gates(a + bias) - of_bias + gates(z.copy()) - gates(z - a)) / 2


def _cell(c: Doubles, shares: Doubles, of_bias: Doubles, inside: Doubles) -> Doubles:
    """Return the relevant part of the cells after one step; `inside` is 1 within the phrase."""
    (R_i, R_f, R_g, _), (B_i, B_f, B_g, _) = shares, of_bias
    return np.asarray((R_f + B_f) * c + R_i * (R_g + B_g) + B_i * R_g + inside * B_i * B_g)


def _output(c: Doubles, whole: Doubles, o: Doubles) -> Doubles:
    """Return the relevant part of the states, from that of the cells and from whole cells."""
    return np.asarray(o * (np.tanh(c) + np.tanh(whole) - np.tanh(whole - c)) / 2)
