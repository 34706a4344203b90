"""The LSTM as it learnt in 1997: the gradient goes back through the cell alone.

Hochreiter & Schmidhuber (1997) cut the errors that reach a gate or the candidate from the state
before: dz_t is used for the weights and goes no further back. What an LSTM computes is not changed.

With h_{t-1} known for every step, W·x_t + U·h_{t-1} is the product of one kernel, W above U, with
x_t and h_{t-1} as one input, and nothing is left to recur but the cell. So the sequence is read
twice: once for h, which counts as a constant, and once with it as input and a recurrent kernel of
zeros, through which no gradient passes.
"""

from typing import Any

import keras
from keras import ops

from sentiment_lstm import bptt_ops
from sentiment_lstm.lstm import LSTM, Tensor


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class TruncatedLSTM(LSTM):
    """An `LSTM` whose gradient is truncated as in 1997; in training on a processor only."""

    def _run(
        self, x: Tensor, state: list[Tensor], keep: Tensor | None, *, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        weights: tuple[Any, ...] = (self.kernel, self.recurrent_kernel, self.bias)
        kernel, recurrent, bias = (ops.convert_to_tensor(w) for w in weights)
        options: dict[str, Any] = {"keep": keep, "dropped": None, "backwards": False}
        start = (state[0], state[1])
        hs, _, _ = bptt_ops.lstm_bptt(
            x, (kernel, recurrent, bias), start, **options, with_states=True, training=False
        )
        before = ops.stop_gradient(ops.concatenate([state[0][:, None], hs[:, :-1]], axis=1))
        both = (ops.concatenate([kernel, recurrent], axis=0), ops.zeros_like(recurrent), bias)
        return bptt_ops.lstm_bptt(
            ops.concatenate([x, before], axis=-1),
            both,
            start,
            **options,
            with_states=self.return_sequences,
            training=training,
        )
