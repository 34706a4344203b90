"""The batches of unlabelled texts that a training reads beside those of labelled ones."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.batching import BatchSizes, TokenArrays, steps_per_epoch, training_order

Drawn = tuple[NDArray[np.int32], NDArray[np.float32]]


class Unlabelled:
    """Draws a batch for any step of a training, a function of the seed and the step alone.

    Args:
        texts: to draw from, each once before any comes again.
        batch_size: texts of a batch.
        width: of a word vector.
        seed: of the order and of the noise.
    """

    def __init__(self, texts: TokenArrays, batch_size: int, width: int, seed: int) -> None:
        self._texts, self._width, self._seed = texts, width, seed
        self._sizes = BatchSizes(batch_size)
        self._order = lru_cache(1)(self._order_of)
        self._thread = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[Drawn]] = {}

    def batch(self, step: int) -> Drawn:
        """Return tokens `(batch, time)` and noise `(batch, time, width)` for a step.

        That of the step after it is drawn meanwhile: so much noise takes as long as a step on a
        GPU.
        """
        drawn = self._ahead.pop(step, None)
        self._ahead = {step + 1: self._thread.submit(self._draw, step + 1)}
        return self._draw(step) if drawn is None else drawn.result()

    def _draw(self, step: int) -> Drawn:
        epoch, place = divmod(step, steps_per_epoch(self._texts.lengths, self._sizes))
        tokens = self._texts.pad(self._order(epoch)[place])
        # 2: a stream of its own beside those of batches and of dropped tokens.
        generator = np.random.default_rng((self._seed, 2, step))
        return tokens, generator.standard_normal((*tokens.shape, self._width), np.float32)

    def _order_of(self, epoch: int) -> list[NDArray[Any]]:
        return training_order(self._texts.lengths, self._sizes, self._seed, epoch)
