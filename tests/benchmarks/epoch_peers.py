"""Training steps: ours, and those of a pipeline of stock Keras parts."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sentiment_lstm.losses import binary_cross_entropy
from sentiment_lstm.model import build_classifier
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.steps import forward, train_step
from tests.benchmarks.reviews import MAX_TOKENS, targets, texts, training_arrays, vocabulary

BATCH = 64
RATE, CLIP = 1e-3, 1.0


class Ours:
    """Batches of like length, the written-out backward pass.

    Args:
        source: see `Options`.
        units: of the LSTM, and the width of a word vector.
        precision: dtype policy of the LSTM.
        seed: of the initial weights.
    """

    def __init__(
        self, source: str, units: int, *, precision: str = "float32", seed: int = 0
    ) -> None:
        self._arrays = training_arrays(source)
        model = _ours(source, units, seed, precision)
        optimizer = keras.optimizers.Adam(RATE, global_clipnorm=CLIP)
        optimizer.build(model.trainable_variables)
        self._step = train_step(model, optimizer, binary_cross_entropy())
        self._forward = forward(model)

    def step(self, indices: NDArray[np.int64]) -> float:
        """Pad a batch and learn from it; return the loss."""
        weights = np.ones(len(indices), np.float32)
        return self._step(self._arrays.pad(indices), self._arrays.targets[indices], weights)

    def answers(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some reviews are held to be positive."""
        parts = np.array_split(indices, -(-len(indices) // BATCH))
        return np.concatenate([self._forward(self._arrays.pad(p))[:, 0] > 0 for p in parts])


def _ours(source: str, units: int, seed: int, precision: str) -> keras.Model:
    settings = ModelSettings(
        embedding=units, units=units, directions=1, pooling=("last",), dropout=0
    )
    return build_classifier(
        settings,
        len(vocabulary(source)),
        outputs=1,
        seed=seed,
        precision=precision,
        words_once=True,
    )


class Stock:
    """`TextVectorization`, padding to one length, masked `keras.layers.LSTM`, the step of `fit`.

    The ids are cached before the first step, and batches fetched ahead. It starts from our weights.

    Args:
        source: see `Options`.
        units: of the LSTM, and the width of a word vector.
        jit: compile with XLA.
        precision: dtype policy of the LSTM.
        chosen: which reviews of train to draw batches from.
        seed: of the initial weights, and shuffles the reviews anew for every epoch; None is 0, and
            leaves them in order.
    """

    def __init__(
        self,
        source: str,
        units: int,
        *,
        jit: bool,
        precision: str = "float32",
        chosen: NDArray[np.int64],
        seed: int | None = None,
    ) -> None:
        keras.utils.set_random_seed(seed or 0)
        self._reviews = _Reviews(source)
        data = self._reviews.batches(chosen, seed)
        model = keras.Sequential(
            [
                keras.layers.Embedding(len(vocabulary(source)), units, mask_zero=True),
                keras.layers.LSTM(units, dtype=precision),
                keras.layers.Dense(1, dtype="float32"),
            ]
        )
        model.build((None, MAX_TOKENS))
        model.set_weights(_ours(source, units, seed or 0, precision).get_weights())
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(RATE, global_clipnorm=CLIP), loss, jit_compile=jit)
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        before = [v.numpy() for v in variables]
        model.fit(data, steps_per_epoch=1, shuffle=False, verbose=0)  # compiles, and learns a batch
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        model.make_train_function()
        self._model, self._batches = model, iter(data)

    def step(self) -> Any:
        """Learn from the next batch, as `fit` does; return what it would show."""
        logs = self._model.train_function(self._batches)
        return {name: float(value) for name, value in logs.items()}

    def answers(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of some reviews are held to be positive."""
        ids = self._reviews.ids(indices).map(lambda ids, _: ids)
        return np.asarray(self._model.predict(ids, verbose=0))[:, 0] > 0


class _Reviews:
    """The reviews of train as `TextVectorization` gives them, padded to one length."""

    def __init__(self, source: str) -> None:
        self._texts, self._targets = texts(source, "train"), targets(source, "train")
        self._vectorize = keras.layers.TextVectorization(
            vocabulary=list(vocabulary(source).tokens[2:]), output_sequence_length=MAX_TOKENS
        )

    def ids(self, chosen: NDArray[np.int64]) -> Any:
        """Return a dataset of ids `(batch, MAX_TOKENS)` and targets."""
        pairs = (
            [self._texts[i] for i in chosen],
            np.array([self._targets[i] for i in chosen], np.float32),
        )
        batches = tf.data.Dataset.from_tensor_slices(pairs).batch(BATCH)
        return batches.map(lambda text, target: (self._vectorize(text), target))

    def batches(self, chosen: NDArray[np.int64], seed: int | None) -> Any:
        """Return an endless dataset of full batches, cached before the first."""
        cached = self.ids(chosen).unbatch().cache()
        for _ in cached.batch(BATCH):
            pass
        if seed is not None:
            cached = cached.shuffle(len(chosen), seed=seed)
        full = cached.batch(BATCH, drop_remainder=True)
        return full.repeat().prefetch(tf.data.AUTOTUNE)
