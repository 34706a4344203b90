"""`torch.nn.LSTM` for inference, on packed and on padded batches."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.parallel import cores
from sentiment_lstm.text import Encoder
from sentiment_lstm.torch_weights import to_torch
from tests.benchmarks.models import Weights, keras_weights
from tests.benchmarks.sorted_batches import Floats, SortedBatches


def torch_forms(weights: Weights, encode: Encoder, precision: str) -> list[SortedBatches]:
    """Return all forms; which is faster depends on the lengths, and on the processor.

    A precision other than float32 adds forms whose LSTM is in bfloat16.
    """
    return [
        SortedBatches(encode, Module(weights, packed=packed, half=half), form=f"{name}, {numbers}")
        for packed, name in ((True, "packed"), (False, "padded"))
        for half, numbers in ((False, "float32,"), (True, "bfloat16,"))
        if not half or precision != "float32"
    ]


class Module:
    """Embedding → LSTM → linear in PyTorch.

    Args:
        weights: of a bundle.
        packed: run real tokens alone; else all of them, and look at the last real one.
        half: have the embedding's vectors and the LSTM in bfloat16.
    """

    def __init__(self, weights: Weights, *, packed: bool, half: bool = False) -> None:
        import torch

        torch.set_num_threads(cores())
        self._torch, self._packed = torch, packed
        embedding, *lstm, head, bias = keras_weights(weights)
        self._embedding = torch.nn.Embedding.from_pretrained(torch.from_numpy(embedding))
        self._lstm = torch.nn.LSTM(embedding.shape[1], len(lstm[1]), batch_first=True)
        state = {name: torch.from_numpy(array) for name, array in to_torch(lstm).items()}
        self._lstm.load_state_dict(state)
        if half:
            self._embedding, self._lstm = self._embedding.bfloat16(), self._lstm.bfloat16()
        self._head, self._bias = torch.from_numpy(head), torch.from_numpy(bias)

    def __call__(self, ids: NDArray[np.int32], lengths: NDArray[np.int64]) -> Floats:
        with self._torch.inference_mode():
            last = self._last(self._torch.from_numpy(ids), self._torch.from_numpy(lengths))
            return np.asarray((last.float() @ self._head + self._bias).sigmoid()[:, 0].numpy())

    def _last(self, ids: Any, lengths: Any) -> Any:
        if not self._packed:
            states, _ = self._lstm(self._embedding(ids))
            return states[self._torch.arange(len(states)), lengths - 1]
        packed = self._torch.nn.utils.rnn.pack_padded_sequence(ids, lengths, batch_first=True)
        return self._lstm(packed._replace(data=self._embedding(packed.data)))[1][0][0]
