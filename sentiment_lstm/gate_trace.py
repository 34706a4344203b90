"""One text through the LSTM layers, nothing thrown away: every gate of every unit at every word.

Shapes are named by D directions, T tokens, H units. Products with weights are float32, as they are
in the network, which halves their time; all else is float64, so that parts add up to their whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.folding import Floats
from sentiment_lstm.inference import Layer, gates
from sentiment_lstm.parallel import parallel_map

Doubles = NDArray[np.float64]

GATES = ("i", "f", "o", "g", "c", "h")
"""What a trace shows, in the order in which people look at it."""


@dataclass(frozen=True)
class LayerTrace:
    """A layer's reading of one text, each direction in the order in which it reads.

    Attributes:
        weights: of the layer, `halved` as `inference.gates` takes them.
        x: inputs `(D, T, in)`.
        z: pre-activations `(4, D, T, H)`, halved for i, f and o, gates in the order i, f, g, o.
        i, f, g, o: the gates, `(D, T, H)`.
        c, h: cell and output after each step, likewise.
    """

    weights: Layer
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
        layers.append(read(Layer.of(config, weights, index), x))
        x = layers[-1].states
    return layers


def read(layer: Layer, x: Doubles) -> LayerTrace:
    """Have a layer read the inputs `(T, in)` of one text, its directions side by side."""
    x = turned(np.stack([x] * layer.width[0]))
    shape = (*x.shape[:2], layer.width[1])
    z, kept = np.empty((4, *shape)), np.empty((6, *shape))  # filled in place, being large
    parallel_map(lambda d: _read_one_way(layer, d, x[d], z[:, d], kept[:, d]), range(len(x)))
    return LayerTrace(layer, x, z, *kept)


def _read_one_way(layer: Layer, direction: int, x: Doubles, z: Doubles, kept: Doubles) -> None:
    """Fill in z `(4, T, H)` and i, f, g, o, c, h `(6, T, H)` of one direction."""
    recurrent_kernel, bias = (p[:, direction] for p in (layer.recurrent_kernel, layer.bias))
    np.add(product(x, layer.kernel[:, direction]), bias, out=z)
    c, h = np.zeros((2, 1, z.shape[2]))
    for t in range(len(x)):
        now = slice(t, t + 1)
        z[:, now] += product(h, recurrent_kernel)
        i, f, g, o = gates(z[:, now].copy())
        c = f * c + i * g
        h = o * np.tanh(c)
        kept[:, now] = i, f, g, o, c, h


def product(x: Doubles, weights: Floats) -> Doubles:
    """Return x @ weights, worked out in float32."""
    return np.asarray(x.astype(np.float32) @ weights, np.float64)
