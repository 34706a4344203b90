"""The network: embedding → LSTM layers → pooling over time → linear head.

The head is linear and nothing but dropout stands before it, so that a verdict is a sum over the
units of the LSTM and can be taken apart exactly.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sentiment_lstm import distinct_words
from sentiment_lstm.both_directions import BothDirections
from sentiment_lstm.bundle import Bundle
from sentiment_lstm.lstm import LSTM, Tensor
from sentiment_lstm.settings import ModelSettings
from sentiment_lstm.text import PAD

# Far below any state (a state lies in (-1, 1)) and still a number in half precision.
BELOW_ALL = -3e4
EMBEDDING_SCALE = 0.1


@keras.saving.register_keras_serializable(package="sentiment_lstm")
class Pooling(keras.layers.Layer):
    """Turns the states over time into one vector, from real tokens only.

    Args:
        kinds: any of "last", "max" and "mean"; their results stand side by side in this order.

    Call arguments:
        states: h at every token, `(batch, time, width)`; not looked at for "last".
        real: true at tokens that are not padding, `(batch, time)`.
        last: h after the last token of each direction's reading, `(batch, width)`.

    A text without tokens gives zeros, whatever the kind.
    """

    def __init__(self, kinds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = tuple(kinds)
        self.supports_masking = True

    def call(self, states: Tensor, real: Tensor, last: Tensor) -> Tensor:
        """Pool; see the class."""
        mask = ops.expand_dims(real, -1)
        count = ops.sum(ops.cast(mask, states.dtype), axis=1)
        pooled = {
            "last": lambda: last,
            "max": lambda: _masked_max(states, mask, count),
            "mean": lambda: _masked_sum(states, mask) / ops.maximum(count, 1),
        }
        return ops.concatenate([pooled[kind]() for kind in self.kinds], axis=-1)

    def compute_mask(self, *_: Any) -> None:
        """Hand no mask on: time is gone."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "kinds": list(self.kinds)}


def _masked_sum(states: Tensor, mask: Tensor) -> Tensor:
    return ops.sum(ops.where(mask, states, ops.zeros_like(states)), axis=1)


def _masked_max(states: Tensor, mask: Tensor, count: Tensor) -> Tensor:
    below = ops.full_like(states, BELOW_ALL)
    largest = ops.max(ops.where(mask, states, below), axis=1)
    return ops.where(count > 0, largest, ops.zeros_like(largest))


def build_classifier(
    settings: ModelSettings,
    vocabulary_size: int,
    outputs: int,
    seed: int = 0,
    precision: str = "float32",
    *,
    words_once: bool = False,
) -> keras.Model:
    """Build the network with seeded initial weights.

    Args:
        settings: sizes, pooling and dropouts.
        vocabulary_size: number of token ids; 0 is padding.
        outputs: 1 for two labels and for regression, else the number of labels.
        seed: of initial weights and of dropout.
        precision: dtype policy of the LSTM layers; all else is float32.
        words_once: read each distinct word of a batch once, where that can be: without dropout on
            the vectors, and not on JAX. Not for `adversarial.movable`, which moves each by itself.

    Returns:
        A model from ids `(batch, time)`, integers, time at least 1, to logits
        `(batch, outputs)`, float32. Ids of 0 may only stand at a text's end.
    """
    seeds = _Seeds(seed)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    mask = ops.not_equal(tokens, PAD)
    embedding = keras.layers.Embedding(
        vocabulary_size,
        settings.embedding,
        embeddings_initializer=keras.initializers.RandomNormal(
            stddev=EMBEDDING_SCALE, seed=seeds.next()
        ),
        name="embedding",
    )
    x, looked_up = embedding(tokens), {}
    if words_once and not settings.embedding_dropout:
        looked_up = _once(embedding, tokens)
    if settings.embedding_dropout:
        x = keras.layers.SpatialDropout1D(settings.embedding_dropout, seed=seeds.next())(x)
    for index in range(settings.layers):
        # The last state alone takes no room for the others, forth or back.
        told = index < settings.layers - 1 or settings.pooling != ("last",)
        read = _recurrent(settings, index, seeds, precision, return_sequences=told)
        x, last = read(x, mask, **(looked_up if index == 0 else {}))
    pooled = Pooling(settings.pooling, name="pooling")(x, mask, last)
    if settings.dropout:
        pooled = keras.layers.Dropout(settings.dropout, seed=seeds.next())(pooled)
    head = keras.layers.Dense(
        outputs,
        kernel_initializer=keras.initializers.GlorotUniform(seeds.next()),
        dtype="float32",
        name="head",
    )
    return keras.Model(tokens, head(pooled), name="sentiment")


def _once(embedding: Any, tokens: Tensor) -> dict[str, Tensor]:
    """Return what an LSTM is told of the words it reads, where the backend can find it."""
    if not distinct_words.available():
        return {}
    distinct, words = distinct_words.DistinctWords(name="words")(tokens)
    return {"vectors": embedding(distinct), "words": words}


class _Seeds:
    """Hands out a different seed at each call, all of them a function of the first."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def next(self) -> int:
        return int(self._generator.integers(2**31))


def _recurrent(
    settings: ModelSettings, index: int, seeds: _Seeds, precision: str, *, return_sequences: bool
) -> Any:
    """Return a function from (states, mask) to (states at every token, last states), float32.

    It takes the words that were looked up as well. Without `return_sequences` the last states stand
    in the place of both.
    """
    how: dict[str, Any] = {"precision": precision, "return_sequences": return_sequences}

    layer: Any = _lstm(settings, f"lstm_{index}", seeds, go_backwards=False, **how)
    if settings.directions == 2:
        backward = _lstm(settings, f"backward_lstm_{index}", seeds, go_backwards=True, **how)
        layer = BothDirections(layer, backward, dtype=precision, name=f"lstm_{index}")

    def read(x: Tensor, mask: Tensor, **words: Tensor) -> tuple[Tensor, ...]:
        states, last = layer(x, mask=mask, **words)[:2]
        return ops.cast(states, "float32"), ops.cast(last, "float32")

    return read


def _lstm(
    settings: ModelSettings,
    name: str,
    seeds: _Seeds,
    *,
    precision: str,
    go_backwards: bool,
    return_sequences: bool,
) -> LSTM:
    return LSTM(
        settings.units,
        kernel_initializer=keras.initializers.GlorotUniform(seeds.next()),
        recurrent_initializer=keras.initializers.Orthogonal(seed=seeds.next()),
        recurrent_dropout=settings.recurrent_dropout,
        seed=seeds.next(),
        return_sequences=return_sequences,
        return_state=True,
        go_backwards=go_backwards,
        dtype=precision,
        name=name,
    )


def named_variables(model: keras.Model) -> dict[str, Any]:
    """Return each trained variable of a network under its name in a bundle."""
    named = {"embedding": model.get_layer("embedding").embeddings}
    layers = [layer for layer in model.layers if layer.name.startswith("lstm_")]
    for index, layer in enumerate(layers):
        for direction, cell in _directions(layer).items():
            for part in ("kernel", "recurrent_kernel", "bias"):
                named[f"lstm.{index}.{direction}.{part}"] = getattr(cell, part)
    head = model.get_layer("head")
    return {**named, "head.kernel": head.kernel, "head.bias": head.bias}


def depths(model: keras.Model) -> dict[str, int]:
    """Return how many layers lie above that of each trained variable, by the variable's path."""
    named = named_variables(model)
    lstm_layers = {name.split(".")[1] for name in named if name.startswith("lstm.")}

    def depth(name: str) -> int:
        kind, *rest = name.split(".")
        below = {"embedding": -1, "head": len(lstm_layers)}
        return len(lstm_layers) - (below[kind] if kind in below else int(rest[0]))

    return {variable.path: depth(name) for name, variable in named.items()}


def _directions(layer: Any) -> dict[str, Any]:
    if isinstance(layer, LSTM):
        return {"forward": layer}
    return {"forward": layer.forward_layer, "backward": layer.backward_layer}


def weights_of(model: keras.Model) -> dict[str, NDArray[np.float32]]:
    """Return a copy of every trained weight, by its name in a bundle."""
    return {
        name: np.array(ops.convert_to_numpy(v.value), np.float32)
        for name, v in named_variables(model).items()
    }


def load_weights(model: keras.Model, weights: Mapping[str, NDArray[Any]]) -> None:
    """Set every trained weight from its name in a bundle.

    Raises:
        KeyError: a weight of the network is not among those given.
        ValueError: a weight has another shape.
    """
    for name, variable in named_variables(model).items():
        variable.assign(weights[name])


def keras_model(bundle: Bundle) -> keras.Model:
    """Return a bundle's network in Keras: ids `(n, time)` to logits `(n, outputs)`."""
    config = bundle.config
    settings = ModelSettings(
        embedding=config.embedding,
        units=config.units,
        directions=config.directions,
        layers=config.layers,
        pooling=config.pooling,
        dropout=0.0,
    )
    model = build_classifier(settings, len(bundle.vocabulary), config.outputs)
    load_weights(model, bundle.weights)
    return model
