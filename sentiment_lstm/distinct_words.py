"""The distinct words of a batch, so that each is looked up once, however often it is read.

An LSTM that is told so multiplies a word's vector by its kernel once as well (see
`sentiment_lstm.bptt_words`), and the gradient of the embedding has no more rows than that.
"""

from typing import Any

import keras

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
        The distinct ids `(words,)`, and which of them stands at each place, `(batch, time)`; int32.
    """

    def call(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Find them; see the class."""
        distinct = {"tensorflow": _tensorflow, "torch": _torch}[keras.backend.backend()]
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
