"""The network in Keras's own parts alone, so that its `.keras` file loads without this package.

The layer `keras.layers.LSTM` has the same three weights in the same order as ours: they move
unchanged. Probabilities come out, because a Keras model carries no temperature beside it: the
last layers divide by it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.model import BELOW_ALL
from sentiment_lstm.text import PAD

Tensor = Any


def write_keras(bundle: Bundle, path: Path) -> None:
    """Write a bundle's network as a `.keras` file."""
    stock_model(bundle.config, bundle.weights).save(path)


def stock_model(config: BundleConfig, weights: Mapping[str, NDArray[np.float32]]) -> keras.Model:
    """Build the network of a bundle.

    Args:
        config: its shape and how its output becomes an answer.
        weights: as `config.weight_shapes` names and shapes them.

    Returns:
        A model from ids `(batch, time)`, int32, 0 after each text's end and time at least 1, to
        `(batch, 1)` probability of the second of two labels, `(batch, labels)` probabilities of
        more, or a regression's `(batch, 1)` value, float32.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    real = ops.not_equal(tokens, PAD)
    x = keras.layers.Embedding(*weights["embedding"].shape, name="embedding")(tokens)
    for index in range(config.layers):
        x, last = _recurrent(config, index, x, real)
    pooled = _pooled(config.pooling, x, last, ops.expand_dims(real, -1))
    logits = keras.layers.Dense(config.outputs, name="head")(pooled)
    model = keras.Model(tokens, _answer(config, logits), name="sentiment")
    for name, arrays in _arrays(config, weights).items():
        model.get_layer(name).set_weights(arrays)
    return model


def _arrays(
    config: BundleConfig, weights: Mapping[str, NDArray[np.float32]]
) -> dict[str, list[NDArray[np.float32]]]:
    """Return the weights of each layer by its name, in Keras's order."""
    directions = ("forward", "backward")[: config.directions]
    ends = [f"{d}.{part}" for d in directions for part in ("kernel", "recurrent_kernel", "bias")]
    return {
        "embedding": [weights["embedding"]],
        **{
            f"lstm_{index}": [weights[f"lstm.{index}.{end}"] for end in ends]
            for index in range(config.layers)
        },
        "head": [weights["head.kernel"], weights["head.bias"]],
    }


def _recurrent(config: BundleConfig, index: int, x: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Return a layer's states `(batch, time, width)` and the last of each direction, `width`."""
    layer = keras.layers.LSTM(
        config.units,
        return_sequences=True,
        return_state=True,
        use_cudnn=False,  # it refuses a text without tokens
        name=f"lstm_{index}",
    )
    if config.directions == 1:
        states, h, _ = layer(x, mask=real)
        return states, h
    both = keras.layers.Bidirectional(layer, name=f"lstm_{index}")
    states, forward_h, _, backward_h, _ = both(x, mask=real)
    return states, ops.concatenate([forward_h, backward_h], axis=-1)


def _pooled(kinds: tuple[str, ...], states: Tensor, last: Tensor, real: Tensor) -> Tensor:
    """Return the pooled states `(batch, pools * width)`; zeros for a text without tokens."""
    count = ops.sum(ops.cast(real, "float32"), axis=1)

    def largest() -> Tensor:
        found = ops.max(ops.where(real, states, BELOW_ALL), axis=1)
        return ops.where(ops.greater(count, 0.0), found, 0.0)

    def mean() -> Tensor:
        total = ops.sum(ops.where(real, states, 0.0), axis=1)
        return ops.divide(total, ops.maximum(count, 1.0))

    pools = {"last": lambda: last, "max": largest, "mean": mean}
    pooled = [pools[kind]() for kind in kinds]
    return ops.concatenate(pooled, axis=-1) if len(pooled) > 1 else pooled[0]


def _answer(config: BundleConfig, logits: Tensor) -> Tensor:
    if config.task == "regression":
        scale, offset = config.target_scale, config.target_mean
        return keras.layers.Rescaling(scale, offset, name="value")(logits)
    scaled = keras.layers.Rescaling(1 / config.temperature, name="temperature")(logits)
    activation, name = (
        ("softmax", "probabilities") if config.outputs > 1 else ("sigmoid", "probability")
    )
    return keras.layers.Activation(activation, name=name)(scaled)
