"""One text through the LSTM layers, nothing thrown away: every gate of every unit at every word.

Shapes are named by D directions, T tokens, H units. All numbers are float64: what is made of them
is to add up to the logit, whatever a float32 network has rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.inference import Layer, gates

Doubles = NDArray[np.float64]

GATES = ("i", "f", "o", "g", "c", "h")
"""What a trace shows, in the order in which people look at it."""


@dataclass(frozen=True)
class LayerWeights:
    """The weights of a layer of D directions, `halved` as `inference.gates` takes them.

    Attributes:
        kernel: `(4, D, in, H)`.
        recurrent_kernel: `(4, D, H, H)`.
        bias: `(4, D, 1, H)`.
    """

    kernel: Doubles
    recurrent_kernel: Doubles
    bias: Doubles

    @classmethod
    def of(
        cls, config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int
    ) -> "LayerWeights":
        """Take layer `index` from a bundle's arrays."""
        layer = Layer.of(config, weights, index)
        parts = (layer.kernel, layer.recurrent_kernel, layer.bias)
        return cls(*(part.astype(np.float64) for part in parts))


@dataclass(frozen=True)
class LayerTrace:
    """A layer's reading of one text, each direction in the order in which it reads.

    Attributes:
        weights: of the layer.
        x: inputs `(D, T, in)`.
        z: pre-activations `(4, D, T, H)`, halved for i, f and o, gates in the order i, f, g, o.
        i, f, g, o: the gates, `(D, T, H)`.
        c, h: cell and output after each step, likewise.
    """

    weights: LayerWeights
    x: Doubles
    z: Doubles
    i: Doubles
    f: Doubles
    g: Doubles
    o: Doubles
    c: Doubles
    h: Doubles

    @property
    def states(self) -> Doubles:
        """Return h in the order of the text, the directions side by side, `(T, D·H)`."""
        D, T, H = self.h.shape
        return turned(self.h).transpose(1, 0, 2).reshape(T, D * H)


def turned(array: Doubles) -> Doubles:
    """Return `(D, T, …)` with the backward direction turned round.

    That is from the order of the text to that of reading, and back again.
    """
    return np.stack([array[0], *(backward[::-1] for backward in array[1:])])


def trace(
    config: BundleConfig, weights: Mapping[str, NDArray[Any]], ids: NDArray[Any]
) -> list[LayerTrace]:
    """Read one text and keep what every layer did, the lowest first.

    Args:
        config: the shape.
        weights: arrays as `BundleConfig.weight_shapes` names them.
        ids: token ids `(T,)`, T from 0.
    """
    x = np.asarray(weights["embedding"])[ids].astype(np.float64)
    layers: list[LayerTrace] = []
    for index in range(config.layers):
        layers.append(read(LayerWeights.of(config, weights, index), x))
        x = layers[-1].states
    return layers


def read(weights: LayerWeights, x: Doubles) -> LayerTrace:
    """Have a layer read the inputs `(T, in)` of one text."""
    x = turned(np.stack([x] * weights.bias.shape[1]))
    z = x @ weights.kernel + weights.bias
    _, D, T, H = z.shape
    kept = np.empty((6, D, T, H))
    c, h = np.zeros((2, D, 1, H))
    for t in range(T):
        now = slice(t, t + 1)
        z[:, :, now] += h @ weights.recurrent_kernel
        i, f, g, o = gates(z[:, :, now].copy())
        c = f * c + i * g
        h = o * np.tanh(c)
        kept[:, :, now] = i, f, g, o, c, h
    return LayerTrace(weights, x, z, *kept)
