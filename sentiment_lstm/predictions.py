"""From the network's output to an answer: temperature, threshold, labels, target scale."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.errors import SettingsError


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: the predicted label; "" for a regression.
        probability: with two labels P(``labels[1]``), with more that of the predicted label;
            NaN for a regression.
        probabilities: of every label, in the order of the model's labels; () for a regression.
        value: a regression's number, else None.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    value: float | None = None


class Answers:
    """Turns logits into predictions.

    Args:
        config: labels, temperature, threshold, target scale.
        threshold: least P(``labels[1]``) for ``labels[1]``; None takes the configuration's. Of
            two labels only.

    Raises:
        SettingsError: for a threshold outside [0, 1], or where there are not two labels.
    """

    def __init__(self, config: BundleConfig, threshold: float | None = None) -> None:
        if threshold is not None and len(config.labels) != 2:
            raise SettingsError(
                f"threshold is {threshold}, but the model has {len(config.labels)} labels: "
                "leave it out, it decides between two"
            )
        if threshold is not None and not 0 <= threshold <= 1:
            raise SettingsError(f"threshold is {threshold}: give a probability from 0 to 1")
        self._config = config
        self._threshold = config.threshold if threshold is None else threshold

    def __call__(self, logits: NDArray[Any]) -> list[Prediction]:
        """Return one prediction for each row of logits `(n, outputs)`."""
        config = self._config
        scaled = logits.astype(np.float64)
        if config.task == "regression":
            values = scaled[:, 0] * config.target_scale + config.target_mean
            return [of_value(value) for value in values.tolist()]
        scaled /= config.temperature
        if config.outputs == 1:
            return [self.of_two(p) for p in sigmoid(scaled[:, 0]).tolist()]
        return [self.of_many(row) for row in softmax(scaled).tolist()]

    def of_two(self, probability: float) -> Prediction:
        """Decide between two labels by P(``labels[1]``)."""
        label = self._config.labels[probability >= self._threshold]
        return Prediction(label, probability, (1 - probability, probability))

    def of_many(self, probabilities: list[float]) -> Prediction:
        """Decide for the most probable label, the first of equal ones."""
        largest = max(probabilities)
        label = self._config.labels[probabilities.index(largest)]
        return Prediction(label, largest, tuple(probabilities))


def of_value(value: float) -> Prediction:
    """Return a regression's answer."""
    return Prediction("", math.nan, (), value)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without overflow, and without rounding small values to 0."""
    e = np.exp(-np.abs(x))
    probability: NDArray[np.float64] = np.where(x >= 0, 1, e) / (1 + e)
    return probability


def softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(x) over its sum along the last axis, `(n, labels)`."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = e / e.sum(axis=-1, keepdims=True)
    return probabilities
