"""`torch.nn.LSTM` for inference, on packed and on padded batches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.parallel import cores
from sentiment_lstm.text import Encoder
from sentiment_lstm.torch_weights import to_torch
from tests.benchmarks.models import Weights, keras_weights
from tests.benchmarks.sorted_batches import Floats, SortedBatches


def torch_forms(weights: Weights, encode: Encoder) -> list[SortedBatches]:
    """Return both forms; which is faster depends on the lengths."""
    return [
        SortedBatches(encode, Module(weights, packed=packed), form=name)
        for packed, name in ((True, "packed,"), (False, "padded,"))
    ]


class Module:
    """Embedding → LSTM → linear in PyTorch.

    Args:
        weights: of a bundle.
        packed: run real tokens alone; else all of them, and look at the last real one.
    """

    def __init__(self, weights: Weights, *, packed: bool) -> None:
        import torch

        torch.set_num_threads(cores())
        self._torch, self._packed = torch, packed
        embedding, *lstm, head, bias = keras_weights(weights)
        self._embedding = torch.nn.Embedding.from_pretrained(torch.from_numpy(embedding))
        self._lstm = torch.nn.LSTM(embedding.shape[1], len(lstm[1]), batch_first=True)
        state = {name: torch.from_numpy(array) for name, array in to_torch(lstm).items()}
        self._lstm.load_state_dict(state)
        self._head, self._bias = torch.from_numpy(head), torch.from_numpy(bias)

    def __call__(self, ids: NDArray[np.int32], lengths: NDArray[np.int64]) -> Floats:
        with self._torch.inference_mode():
            last = self._last(self._torch.from_numpy(ids), self._torch.from_numpy(lengths))
            return np.asarray((last @ self._head + self._bias).sigmoid()[:, 0].numpy())

    def _last(self, ids: Any, lengths: Any) -> Any:
        if not self._packed:
            states, _ = self._lstm(self._embedding(ids))
            return states[self._torch.arange(len(states)), lengths - 1]
        packed = self._torch.nn.utils.rnn.pack_padded_sequence(ids, lengths, batch_first=True)
        return self._lstm(packed._replace(data=self._embedding(packed.data)))[1][0][0]
