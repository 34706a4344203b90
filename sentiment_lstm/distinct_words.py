"""The distinct words of a batch, so that each is looked up once, however often it is read.

An LSTM that is told so multiplies a word's vector by its kernel once as well (see
`sentiment_lstm.bptt_words`), and the gradient of the embedding has no more rows than that.
"""

from typing import Any

import keras
from keras import ops

from sentiment_lstm.lstm import Tensor


def available() -> bool:
    """Tell whether the backend can find them; JAX wants to know beforehand how many there are."""
    return keras.backend.backend() in ("tensorflow", "torch")


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class DistinctWords(keras.layers.Layer):
    """Finds the distinct words of a batch.

    Call arguments:
        tokens: ids `(batch, time)`, int32.

    Returns:
        The distinct ids `(words,)` (on JAX those of every place), and which of them stands at each
        place, `(batch, time)`; int32.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_jit = keras.backend.backend() != "tensorflow"  # XLA has no `unique`

    def call(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Find them; see the class."""
        distinct = {"tensorflow": _tensorflow, "torch": _torch}.get(keras.backend.backend(), _all)
        return distinct(tokens)

    def compute_output_spec(self, tokens: Any) -> Any:
        """Return the shapes and types of both results."""
        return keras.KerasTensor((None,), "int32"), keras.KerasTensor(tokens.shape, "int32")


def _tensorflow(tokens: Tensor) -> tuple[Tensor, Tensor]:
    import tensorflow as tf

    found, places = tf.unique(tf.reshape(tokens, [-1]))
    return found, tf.reshape(places, tf.shape(tokens))


def _torch(tokens: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    found, places = torch.unique(tokens, return_inverse=True)
    return found.to(torch.int32), places.to(torch.int32)


def _all(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return every place as a word of its own."""
    found = ops.reshape(tokens, (-1,))
    return found, ops.reshape(ops.arange(found.shape[0], dtype="int32"), tokens.shape)
