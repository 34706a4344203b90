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

OPEN = 100.0  # σ of it is 1 to the last digit or two of float32


class HeldColumns(keras.constraints.Constraint):  # type: ignore[misc]  # untyped
    """Keeps some columns of a weight at a value; those of opened gates, whatever training does.

    Args:
        held: whether a column is kept, `(4 * units,)`.
        value: what it is kept at.
    """

    def __init__(self, held: Any, value: float) -> None:
        self.held, self.value = held, value

    def __call__(self, w: Any) -> Any:
        """Return the weight with those columns put back."""
        return keras.ops.where(self.held, keras.ops.cast(self.value, w.dtype), w)


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
    return kind(net.units, bias_initializer=bias, unit_forget_bias=False, **initial, **_held(net))


def _held(net: Net) -> dict[str, Any]:
    """Return what keeps opened gates open: their bias, and weights of 0."""
    if not net.opened:
        return {}
    held = np.repeat([gate in net.opened for gate in GATES], net.units)
    closed = HeldColumns(held, 0.0)
    return {
        "kernel_constraint": closed,
        "recurrent_constraint": closed,
        "bias_constraint": HeldColumns(held, OPEN),
    }


def _bias(net: Net) -> Any:
    biases = {"i": net.input_bias, "f": net.forget_bias} | dict.fromkeys(net.opened, OPEN)
    return np.repeat([biases.get(gate, 0.0) for gate in GATES], net.units).astype(np.float32)
