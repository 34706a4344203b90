"""Probabilities that mean what they say: temperature scaling, and the measure of its worth.

Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sentiment_lstm.errors import DataError

BINS = 15
HIGHEST_TEMPERATURE = 100.0  # and its inverse is the lowest


def logit_columns(logits: ArrayLike) -> NDArray[np.float64]:
    """Return logits as `(n, C)`, one column a label.

    A single logit a text, `(n,)` or `(n, 1)`, is that of the second of two labels against a first
    one of 0: softmax([0, z]) = [1 - sigmoid(z), sigmoid(z)].

    Raises:
        DataError: when a logit is not a finite number.
    """
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim == 1 or z.shape[1] == 1:
        z = np.stack([np.zeros(z.size), z.reshape(-1)], axis=1)
    bad = np.flatnonzero(~np.isfinite(z).all(axis=1))
    if bad.size:
        raise DataError(
            f"the model's output for text {bad[0] + 1} is {z[bad[0]].tolist()}, not finite: "
            "training diverged, train again with a lower train.learning_rate"
        )
    return z


def log_probabilities(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return log softmax(logits / temperature), `(n, C)`, without overflow (see `logit_columns`).

    Raises:
        ValueError: when `temperature` is not above 0.
        DataError: when a logit is not finite.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: it must be above 0")
    z = logit_columns(logits) / temperature
    z -= z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def probabilities(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return softmax(logits / temperature), `(n, C)`; two columns for binary logits `(n,)`.

    Raises:
        ValueError: when `temperature` is not above 0.
        DataError: when a logit is not finite.
    """
    return np.exp(log_probabilities(logits, temperature))


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Return the temperature T that minimises the negative log-likelihood of the labels.

    One positive scalar, so no verdict changes (Guo et al. 2017, section 4.2). The likelihood is
    unimodal in log T, which is searched between 1/100 and 100. Where every text is answered
    rightly it only grows as T falls to 0, so it has no best T: then 1, the logits as they are.

    Args:
        logits: `(n,)` for two labels or `(n, C)`, of texts that the model was not trained on.
        labels: `(n,)` integer class of each text.

    Raises:
        DataError: when there is no text, or a logit is not finite.
    """
    from scipy.optimize import minimize_scalar

    z, y = logit_columns(logits), np.asarray(labels)
    if not len(z):
        raise DataError("no labelled text to fit the temperature on: the validation split is empty")
    if np.all(z[np.arange(len(z)), y] == z.max(axis=1)):
        return 1.0
    bound = float(np.log(HIGHEST_TEMPERATURE))

    def loss(log_temperature: float) -> float:
        return _negative_log_likelihood(z, y, float(np.exp(log_temperature)))

    found = minimize_scalar(loss, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-7})
    return float(np.exp(found.x))


def _negative_log_likelihood(z: NDArray[np.float64], y: NDArray[Any], temperature: float) -> float:
    return float(-log_probabilities(z, temperature)[np.arange(len(z)), y].mean())


@dataclass(frozen=True)
class ReliabilityBins:
    """Texts grouped by confidence, every array `(bins,)`; an empty bin holds zeros.

    `counts` are texts, `confidence` their mean confidence, `accuracy` the share answered rightly.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def reliability_bins(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> ReliabilityBins:
    """Group texts by the probability of their likeliest label (Guo et al. 2017, equation 1).

    Args:
        probabilities: `(n, C)`.
        labels: `(n,)` integer class of each text.
        bins: how many bins of equal width, bin m being ((m-1)/bins, m/bins].
    """
    p = np.asarray(probabilities, dtype=np.float64)
    confidence, correct = p.max(axis=1), p.argmax(axis=1) == np.asarray(labels)
    where = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    counts = np.bincount(where, minlength=bins)
    divisor = np.maximum(counts, 1)
    return ReliabilityBins(
        counts=counts,
        confidence=np.bincount(where, weights=confidence, minlength=bins) / divisor,
        accuracy=np.bincount(where, weights=correct, minlength=bins) / divisor,
    )


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy (Guo et al. 2017, equation 3).

    Confidence is the probability of the likeliest label, for two labels too, whatever threshold
    the verdicts use. Arguments are those of `reliability_bins`; 0 is perfect, 1 the worst.
    """
    groups = reliability_bins(probabilities, labels, bins)
    gaps = np.abs(groups.accuracy - groups.confidence)
    return float(np.sum(groups.counts * gaps) / max(groups.counts.sum(), 1))
