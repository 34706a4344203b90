"""One output for one text, taken apart: the parts of its words, and of any phrases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.attribution import contributions
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.decomposition import Masks, relevant_states
from sentiment_lstm.explained_output import ExplainedOutput
from sentiment_lstm.gate_trace import Doubles, LayerTrace
from sentiment_lstm.readout import readout, selected

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Dissection:
    """An output as a weighted sum of the states of a text.

    Attributes:
        layers: the text's trace, the lowest layer first.
        weighed: the weight of each state of the top layer, `(D, T, H)` as read (see `readout`).
        bias: the head's part.
    """

    layers: Sequence[LayerTrace]
    weighed: Doubles
    bias: float

    @property
    def value(self) -> float:
        """The output."""
        return float((self.weighed * self.layers[-1].h).sum()) + self.bias

    def parts(self) -> Doubles:
        """Return the part of each word through each unit, `(D, T, H)`; see `attribution`."""
        return contributions(self.layers[-1], self.weighed)

    def shares(self) -> Doubles:
        """Return the part of each word, `(T,)`; with the bias they sum to the value."""
        return np.asarray(self.parts().sum(axis=(0, 2)))

    def relevant(self, phrases: Masks) -> Doubles:
        """Return the part of each phrase, `(n,)`; see `decomposition`.

        Args:
            phrases: true at the tokens of each, `(n, T)`.
        """
        states = relevant_states(self.layers, phrases)
        return np.asarray(np.einsum("dth,dtnh->n", self.weighed, states))


def dissect(weights: Weights, layers: Sequence[LayerTrace], output: ExplainedOutput) -> Dissection:
    """Return an output for a text that was traced."""
    top = layers[-1].h
    head = output.weights(weights["head.kernel"])
    head = head.reshape(len(output.config.pooling), top.shape[0], top.shape[2])
    weighed = readout(top, head, output.config.pooling)
    return Dissection(layers, weighed, output.bias(weights["head.bias"]))


def outputs_of(config: BundleConfig, weights: Weights, top: LayerTrace) -> Doubles:
    """Return every output of the network for a text that was traced, `(outputs,)`."""
    pools = [(selected(top.h, kind) * top.h).sum(axis=1) for kind in config.pooling]
    return np.asarray(np.ravel(pools) @ weights["head.kernel"] + weights["head.bias"])
