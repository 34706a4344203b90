"""The one number of a model that an explanation is about, and how it becomes an answer."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.errors import SettingsError, suggestion
from sentiment_lstm.predictions import sigmoid, softmax

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class ExplainedOutput:
    """A number that is linear in the network's outputs: logits[column] · factor + shift.

    For two labels it is the logit of one against the other, for more the logit of one label, for
    a regression the value itself, in the unit of the targets.

    Attributes:
        config: of the model.
        label: what a positive share speaks for; "" for a regression.
        column: of the outputs.
        factor: by which it is multiplied.
        shift: added.
    """

    config: BundleConfig
    label: str
    column: int = 0
    factor: float = 1.0
    shift: float = 0.0

    def of(self, logits: NDArray[Any]) -> Doubles:
        """Return the number for each row of logits `(n, outputs)`, `(n,)`."""
        return logits[:, self.column].astype(np.float64) * self.factor + self.shift

    def weights(self, kernel: NDArray[Any]) -> Doubles:
        """Return the number's weights from those of the head, `(width, outputs)` to `(width,)`."""
        return kernel[:, self.column].astype(np.float64) * self.factor

    def bias(self, bias: NDArray[Any]) -> float:
        """Return what the number is where every state is zero, from the head's `(outputs,)`."""
        return float(self.of(bias[np.newaxis])[0])

    def probabilities(self, logits: NDArray[Any]) -> Doubles:
        """Return P(`label`) for each row of logits, `(n,)`; NaN for a regression."""
        if self.config.task == "regression":
            return np.full(len(logits), math.nan)
        scaled = logits.astype(np.float64) / self.config.temperature
        if self.config.outputs == 1:
            return sigmoid(scaled[:, 0] * self.factor)
        return softmax(scaled)[:, self.column]


def explained_output(
    config: BundleConfig, label: str | None = None, predicted: str = ""
) -> ExplainedOutput:
    """Return the output that speaks for a label.

    Args:
        config: of the model.
        label: one of its labels; None is the second of two, as for a `Prediction`'s
            probability, and the likeliest of more.
        predicted: the label that is the likeliest.

    Raises:
        SettingsError: for a label that the model does not have.
    """
    if config.task == "regression":
        if label is not None:
            raise SettingsError(f"label is {label!r}, but the model gives a number: leave it out")
        return ExplainedOutput(config, "", 0, config.target_scale, config.target_mean)
    if label is not None and label not in config.labels:
        raise SettingsError(f"the model has no label {label!r}: {suggestion(label, config.labels)}")
    if len(config.labels) == 2:
        label = label or config.labels[1]
        return ExplainedOutput(config, label, 0, 1.0 if label == config.labels[1] else -1.0)
    label = label or predicted
    return ExplainedOutput(config, label, config.labels.index(label))
