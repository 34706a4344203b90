"""From texts to probabilities through sorted batches, for implementations that know only arrays."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.text import Encoder

Floats = NDArray[np.float32]
# Ids (batch, time), zeros after each text's end, and lengths (batch,), falling -> (batch,)
Forward = Callable[[NDArray[np.int32], NDArray[np.int64]], Floats]


@dataclass(frozen=True)
class SortedBatches:
    """Tokenises by an `Encoder` of ours, runs the longest texts first, and gives answers in order.

    Attributes:
        encode: text to ids.
        forward: a batch to probabilities.
        batch: texts of a batch.
        workers: threads that take batches, each one at a time.
        form: which form of an implementation this is, in words.
    """

    encode: Encoder
    forward: Forward
    batch: int = 64
    workers: int = 1
    form: str = ""

    def __str__(self) -> str:
        return f"{self.form} batch {self.batch}".strip()

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each text, `(n,)`."""
        ids = self.encode.each(texts)
        order = np.argsort([-len(i) for i in ids], kind="stable")
        parts = [order[start : start + self.batch] for start in range(0, len(order), self.batch)]
        answers = np.empty(len(texts), np.float32)
        batches = [padded([ids[i] for i in part]) for part in parts]
        for part, answer in zip(parts, self._map(batches), strict=True):
            answers[part] = answer
        return answers

    def _map(self, batches: list[Any]) -> list[Floats]:
        if self.workers == 1:
            return [self.forward(*batch) for batch in batches]
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(lambda batch: self.forward(*batch), batches))


def padded(ids: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return ids `(batch, time)` with zeros after each text's end, and lengths `(batch,)`."""
    lengths = np.array([max(1, len(i)) for i in ids])  # a text without tokens reads one padding
    batch = np.zeros((len(ids), lengths.max()), np.int32)
    for row, i in zip(batch, ids, strict=True):
        row[: len(i)] = i
    return batch, lengths
