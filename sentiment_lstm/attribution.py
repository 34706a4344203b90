"""An output as an exact sum over the words of a text.

Unrolling c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t from c_0 = 0 gives

    c_T = Σ_t (i_t ⊙ g_t) ⊙ Π_{s>t} f_s

so a cell is a sum with one term for each word: what the word wrote, times what the forget gates
have kept of it since. The state that is shown, h = o ⊙ tanh(c), is c times o ⊙ tanh(c)/c, and the
head is linear, so an output is such a sum too, with nothing left over but the head's bias.

The sum is exact; that a word's term is the word's alone is not claimed. Gates depend on context:
i, f, g and o at a word have read all words before it, so a term says what was written at this
place and survived, given everything around it, and not what the word would do elsewhere.
"""

import numpy as np

from sentiment_lstm.gate_trace import Doubles, LayerTrace, turned


def contributions(layer: LayerTrace, weights: Doubles) -> Doubles:
    """Return each word's part of an output through each unit, `(D, T, H)`, in the text's order.

    Summed over everything they are the output without the head's bias.

    Args:
        layer: the top layer's trace.
        weights: of its states in the output, `(D, T, H)`, as `readout` gives them.
    """
    shown = weights * layer.o * tanh_ratio(layer.c)  # what a cell counts for at each step
    written = layer.i * layer.g
    parts = np.empty_like(written)
    D, T, H = written.shape
    counts = np.zeros((D, H))
    for t in reversed(range(T)):
        counts = counts + shown[:, t]  # at this step and, through the forget gates, all later ones
        parts[:, t] = counts * written[:, t]
        counts = counts * layer.f[:, t]
    return turned(parts)


def tanh_ratio(c: Doubles) -> Doubles:
    """Return tanh(c)/c, which is 1 at c = 0."""
    return np.divide(np.tanh(c), c, out=np.ones_like(c), where=c != 0)
