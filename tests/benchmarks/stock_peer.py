"""A SavedModel of stock Keras parts that takes strings: what the Keras guides export."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from sentiment_lstm.text import Vocabulary
from tests.benchmarks.models import Weights, keras_weights
from tests.benchmarks.reviews import MAX_TOKENS
from tests.benchmarks.sorted_batches import Floats


@dataclass(frozen=True)
class StockModel:
    """A SavedModel, read back.

    Attributes:
        loaded: its `serve` takes strings `(batch,)` to probabilities `(batch, 1)`.
        sorts: run the longest texts first, so that texts of about the same length meet.
        form: which form it is, in words.
        batch: texts of a batch.
    """

    loaded: Any
    sorts: bool
    form: str = ""
    batch: int = 64

    @classmethod
    def of(
        cls,
        directory: Path,
        weights: Weights,
        vocabulary: Vocabulary,
        *,
        padded: bool,
        precision: str = "float32",
    ) -> "StockModel":
        """Export a model and load it; `padded` pads every text to the same length."""
        path = directory / f"stock-{weights['embedding'].shape[1]}-{padded}-{precision}"
        model = stock_model(weights, vocabulary, padded=padded, precision=precision)
        model.export(path, verbose=False)
        form = "" if precision == "float32" else f"LSTM in {precision},"
        return cls(tf.saved_model.load(path), not padded, form)

    def __str__(self) -> str:
        return f"{self.form} batch {self.batch}".strip()

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Return the probability of each text, `(n,)`."""
        order = np.argsort([-len(text) for text in texts]) if self.sorts else np.arange(len(texts))
        answers = np.empty(len(texts), np.float32)
        for start in range(0, len(order), self.batch):
            part = order[start : start + self.batch]
            answers[part] = self.loaded.serve(tf.constant([texts[i] for i in part])).numpy()[:, 0]
        return answers


def stock_model(
    weights: Weights, vocabulary: Vocabulary, *, padded: bool, precision: str = "float32"
) -> keras.Model:
    """Return `TextVectorization` → masked `Embedding` → `LSTM` → `Dense`."""
    texts = keras.Input((), dtype="string")
    vectorize = keras.layers.TextVectorization(
        vocabulary=list(vocabulary.tokens[2:]),
        output_sequence_length=MAX_TOKENS if padded else None,
    )
    ids = vectorize(texts)[:, :MAX_TOKENS]
    embedding, *lstm = keras_weights(weights)
    embedded = keras.layers.Embedding(*embedding.shape, mask_zero=True)(ids)
    last = keras.layers.LSTM(len(lstm[1]), dtype=precision)(embedded)
    model = keras.Model(texts, keras.layers.Dense(1, activation="sigmoid")(last))
    model.set_weights([embedding, *lstm])
    return model
