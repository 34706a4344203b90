"""The network as a LiteRT (TensorFlow Lite) file, of built-in operators alone.

The converter takes Keras's LSTM for a batch of one known size only: it keeps its states in a list
of tensors ("'tf.TensorListReserve' op requires element_shape to be static"). So the loop over the
tokens is written here from plain tensors, and pools while it reads: only a layer below another
keeps its states.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from sentiment_lstm.bundle import Bundle
from sentiment_lstm.bundle_config import BundleConfig

BELOW_ALL = -3e4  # far below any state, which lies in (-1, 1)

Weights = Mapping[str, NDArray[np.float32]]
Tensor = Any


def write_litert(bundle: Bundle, path: Path) -> None:
    """Write a bundle's network as a `.tflite` file."""
    path.write_bytes(litert_model(bundle.config, bundle.weights))


def litert_model(config: BundleConfig, weights: Weights) -> bytes:
    """Return the network of a bundle as a LiteRT model of one signature.

    It takes `tokens` `(batch, time)`, time at least 1, with anything after each text's end, and
    `lengths` `(batch,)`, both int32, of any batch and time. It gives, float32, `probability`
    `(batch,)` of the second of two labels, `probabilities` `(batch, labels)` of more, or a
    regression's `value` `(batch,)`.

    Args:
        config: its shape and how its output becomes an answer.
        weights: as `config.weight_shapes` names and shapes them.
    """
    tokens = tf.TensorSpec([None, None], tf.int32, "tokens")
    lengths = tf.TensorSpec([None], tf.int32, "lengths")
    module = tf.Module(name="sentiment")
    module.serve = tf.function(
        lambda tokens, lengths: _answer(config, weights, tokens, lengths),
        input_signature=[tokens, lengths],
        autograph=False,
    )
    concrete = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return bytes(converter.convert())


def _answer(
    config: BundleConfig, weights: Weights, tokens: Tensor, lengths: Tensor
) -> dict[str, Tensor]:
    x = tf.gather(weights["embedding"], tf.transpose(tokens))
    for index in range(config.layers):
        x, pools = _layer(config, weights, index, x, lengths)
    pooled = tf.concat([pools[kind] for kind in config.pooling], axis=1)
    logits = tf.matmul(pooled, weights["head.kernel"]) + weights["head.bias"]
    if config.task == "regression":
        return {"value": logits[:, 0] * config.target_scale + config.target_mean}
    if config.outputs > 1:
        return {"probabilities": tf.nn.softmax(logits / config.temperature)}
    return {"probability": tf.sigmoid(logits[:, 0] / config.temperature)}


def _layer(
    config: BundleConfig, weights: Weights, index: int, x: Tensor, lengths: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return a layer's states `(time, batch, width)`, none of the last, and its pools."""
    keeps = index < config.layers - 1
    parts = ("kernel", "recurrent_kernel", "bias")
    sides = []
    for direction in ("forward", "backward")[: config.directions]:
        arrays = [weights[f"lstm.{index}.{direction}.{part}"] for part in parts]
        sides.append(_read(x, lengths, *arrays, backwards=direction == "backward", keeps=keeps))
    states, pools = zip(*sides, strict=True)
    joined = {kind: tf.concat([pool[kind] for pool in pools], axis=-1) for kind in pools[0]}
    return tf.concat(states, axis=-1) if keeps else None, joined


def _read(
    x: Tensor,
    lengths: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    *,
    backwards: bool,
    keeps: bool,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Read x `(time, batch, features)` in one direction; see `_layer`."""
    features, units = kernel.shape[0], recurrent_kernel.shape[0]
    time, batch = tf.shape(x)[0], tf.shape(x)[1]
    z = tf.matmul(tf.reshape(x, [-1, features]), kernel) + bias
    z = tf.reshape(z, tf.stack([time, batch, 4 * units]))
    zeros = tf.zeros(tf.stack([batch, units]))
    states = [tf.zeros(tf.stack([time, batch, units]))] if keeps else []

    def step(t: Tensor, h: Tensor, c: Tensor, largest: Tensor, total: Tensor, *kept: Tensor) -> Any:
        place = time - 1 - t if backwards else t
        new_h, new_c = _step(z[place] + tf.matmul(h, recurrent_kernel), c)
        real = tf.expand_dims(place < lengths, 1)
        largest = tf.where(real, tf.maximum(largest, new_h), largest)
        total = tf.where(real, total + new_h, total)
        h, c = tf.where(real, new_h, h), tf.where(real, new_c, c)
        written = [tf.tensor_scatter_nd_update(hs, [[place]], h[tf.newaxis]) for hs in kept]
        return t + 1, h, c, largest, total, *written

    per_text, per_token = tf.TensorShape([None, units]), tf.TensorShape([None, None, units])
    _, h, _, largest, total, *states = tf.while_loop(
        lambda t, *_: t < time,
        step,
        (0, zeros, zeros, zeros + BELOW_ALL, zeros, *states),
        (tf.TensorShape([]), *[per_text] * 4, *[per_token] * len(states)),
    )
    some = tf.expand_dims(lengths > 0, 1)
    count = tf.cast(tf.expand_dims(tf.maximum(lengths, 1), 1), tf.float32)
    pools = {"last": h, "max": tf.where(some, largest, zeros), "mean": total / count}
    return states[0] if keeps else None, pools


def _step(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return h and c after a token, from what its gates are given, `(batch, 4 * units)`."""
    i, f, g, o = tf.split(z, 4, axis=1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c
