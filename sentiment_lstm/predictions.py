"""From the network's output to an answer: temperature, threshold, margin, labels, target scale."""

import heapq
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import UNSURE, BundleConfig, why_not_abstain
from sentiment_lstm.errors import SettingsError


@dataclass(frozen=True)
class Prediction:
    """The answer for one text.

    Attributes:
        label: the verdict: one of the model's labels, or "unsure" where the answer is too near to
            another one (no model that abstains has a label of that name); "" for a regression.
        probability: with two labels P(``labels[1]``), with more that of the likeliest label,
            whether the verdict is that label or "unsure"; NaN for a regression.
        probabilities: of every label, in the order of the model's labels; () for a regression.
        value: a regression's number, else None.
        unsure: whether the verdict is "unsure"; `label` alone does not tell where a model that
            never abstains has a label of that name.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]
    value: float | None = None
    unsure: bool = False


class Answers:
    """Turns logits into predictions.

    Args:
        config: labels, temperature, threshold, margin, target scale.
        threshold: least P(``labels[1]``) for ``labels[1]``; None takes the configuration's. Of
            two labels only.
        abstain: margin below which the verdict is "unsure": of two labels the distance of
            P(``labels[1]``) to the threshold, of more that of the likeliest to the next. None
            takes the configuration's, 0 decides every text.

    Raises:
        SettingsError: for a threshold outside [0, 1], or where there are not two labels; for a
            margin outside [0, 0.5), or above 0 for a regression or a model that has a label
            "unsure" of its own.
    """

    def __init__(
        self,
        config: BundleConfig,
        threshold: float | None = None,
        abstain: float | None = None,
    ) -> None:
        if threshold is not None and len(config.labels) != 2:
            raise SettingsError(
                f"threshold is {threshold}, but the model has {len(config.labels)} labels: "
                "leave it out, it decides between two"
            )
        if threshold is not None and not 0 <= threshold <= 1:
            raise SettingsError(f"threshold is {threshold}: give a probability from 0 to 1")
        why_not = None if abstain is None else why_not_abstain(config.task, config.labels, abstain)
        if why_not:
            raise SettingsError(f"abstain is {abstain}: {why_not}")
        self._config = config
        self._abstain = config.abstain if abstain is None else abstain
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

    def again(self, prediction: Prediction) -> Prediction:
        """Decide anew, by this threshold and margin, what was decided by others."""
        if prediction.value is not None:
            return prediction
        if len(self._config.labels) == 2:
            return self.of_two(prediction.probability)
        return self.of_many(list(prediction.probabilities))

    def of_two(self, probability: float) -> Prediction:
        """Decide between two labels by P(``labels[1]``)."""
        label = self._config.labels[probability >= self._threshold]
        margin = abs(probability - self._threshold)
        return self._decided(label, probability, (1 - probability, probability), margin)

    def of_many(self, probabilities: list[float]) -> Prediction:
        """Decide for the most probable label, the first of equal ones."""
        largest, next_largest = heapq.nlargest(2, probabilities)
        label = self._config.labels[probabilities.index(largest)]
        return self._decided(label, largest, tuple(probabilities), largest - next_largest)

    def _decided(
        self, label: str, probability: float, each: tuple[float, ...], margin: float
    ) -> Prediction:
        if margin < self._abstain:
            return Prediction(UNSURE, probability, each, unsure=True)
        return Prediction(label, probability, each)


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
