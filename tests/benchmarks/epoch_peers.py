"""Training steps: ours, and those of a pipeline of stock Keras parts."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import train_step
from tests.benchmarks.reviews import MAX_TOKENS, targets, texts, training_arrays, vocabulary

BATCH = 64
RATE = 1e-3


class Ours:
    """Batches of like length, the written-out backward pass.

    Args:
        source: see `Options`.
        units: of the LSTM, and the width of a word vector.
    """

    def __init__(self, source: str, units: int) -> None:
        settings = ModelSettings(
            embedding=units, units=units, directions=1, pooling=("last",), dropout=0
        )
        self._arrays = training_arrays(source)
        model = build_classifier(settings, len(vocabulary(source)), outputs=1)
        optimizer = keras.optimizers.Adam(RATE)
        optimizer.build(model.trainable_variables)
        self._step = train_step(model, optimizer, binary_cross_entropy())

    def step(self, indices: NDArray[np.int64]) -> float:
        """Pad a batch and learn from it; return the loss."""
        weights = np.ones(len(indices), np.float32)
        return self._step(self._arrays.pad(indices), self._arrays.targets[indices], weights)


class Stock:
    """`TextVectorization`, padding to one length, masked `keras.layers.LSTM`, the step of `fit`.

    The ids are cached before the first step, and batches fetched ahead.

    Args:
        source: see `Options`.
        units: of the LSTM, and the width of a word vector.
        jit: compile with XLA.
        limit: reviews to draw batches from; 0 is all.
    """

    def __init__(self, source: str, units: int, *, jit: bool, limit: int) -> None:
        data = _dataset(source, limit)
        model = keras.Sequential(
            [
                keras.layers.Embedding(len(vocabulary(source)), units, mask_zero=True),
                keras.layers.LSTM(units),
                keras.layers.Dense(1),
            ]
        )
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(RATE), loss, jit_compile=jit)
        model.fit(data, steps_per_epoch=1, shuffle=False, verbose=0)
        model.make_train_function()
        self._model, self._batches = model, iter(data)

    def step(self) -> Any:
        """Learn from the next batch, as `fit` does; return what it would show."""
        logs = self._model.train_function(self._batches)
        return {name: float(value) for name, value in logs.items()}


def _dataset(source: str, limit: int) -> Any:
    """Return an endless dataset of ids `(batch, MAX_TOKENS)` and targets, already cached."""
    vectorize = keras.layers.TextVectorization(
        vocabulary=list(vocabulary(source).tokens[2:]), output_sequence_length=MAX_TOKENS
    )
    pairs = (texts(source, "train", limit), np.array(targets(source, "train", limit), np.float32))
    batches = tf.data.Dataset.from_tensor_slices(pairs).batch(BATCH, drop_remainder=True)
    cached = batches.map(lambda text, target: (vectorize(text), target)).cache()
    for _ in cached:
        pass
    return cached.repeat().prefetch(tf.data.AUTOTUNE)
