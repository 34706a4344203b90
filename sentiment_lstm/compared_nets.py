"""The recurrent layers that a comparison sets side by side, built from their descriptions.

An LSTM of this package, whole or with a gate held open, and beside it a plain RNN, which is
`keras.layers.SimpleRNN`.
"""

from typing import Any

import keras
import numpy as np

from sentiment_lstm.lstm import LSTM
from sentiment_lstm.trials import GATES, Net
from sentiment_lstm.truncated_lstm import TruncatedLSTM

# σ(100) is 1 in float32, and so 1 - σ is 0: no gradient reaches the weights of such a gate, which
# therefore stays open for as long as it is trained.
OPEN = 100.0


def build_layer(net: Net, seed: int) -> Any:
    """Build a layer that returns its last state, its weights drawn by seed."""
    initial = {
        "kernel_initializer": keras.initializers.GlorotUniform(2 * seed),
        "recurrent_initializer": keras.initializers.Orthogonal(seed=2 * seed + 1),
    }
    if net.kind == "rnn":
        return keras.layers.SimpleRNN(net.units, **initial)
    kind = TruncatedLSTM if net.truncated else LSTM
    bias = keras.initializers.Constant(_bias(net))
    return kind(net.units, bias_initializer=bias, unit_forget_bias=False, **initial)


def _bias(net: Net) -> Any:
    biases = {"i": net.input_bias, "f": net.forget_bias} | dict.fromkeys(net.opened, OPEN)
    return np.repeat([biases.get(gate, 0.0) for gate in GATES], net.units).astype(np.float32)
