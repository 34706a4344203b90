"""Figures of merit, as plain Python values that JSON can hold.

A figure that the data leave undefined is None, and `undefined` in the same dictionary says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sentiment_lstm.calibration import expected_calibration_error
from sentiment_lstm.errors import DataError

RESAMPLES = 2000
LEVEL = 0.95  # of every interval here
_CHUNK = 2_000_000  # entries drawn at once, which bounds the memory of a bootstrap


@dataclass(frozen=True)
class Measure:
    """A figure as tables show it: its key in the metrics, its title, which way is better."""

    key: str
    title: str
    better: str


MEASURES = {
    "classification": (
        Measure("accuracy", "Accuracy", "higher"),
        Measure("f1", "F1", "higher"),
        Measure("precision", "Precision", "higher"),
        Measure("recall", "Recall", "higher"),
        Measure("roc_auc", "ROC-AUC", "higher"),
        Measure("pr_auc", "PR-AUC", "higher"),
        Measure("log_loss", "Log-loss", "lower"),
        Measure("brier", "Brier", "lower"),
        Measure("ece", "ECE", "lower"),
    ),
    "regression": (
        Measure("rmse", "RMSE", "lower"),
        Measure("mse", "MSE", "lower"),
        Measure("mae", "MAE", "lower"),
        Measure("r2", "R²", "higher"),
        Measure("spearman", "Spearman", "higher"),
    ),
}


def formatted(metrics: Mapping[str, Any], key: str) -> str:
    """Return a figure and its interval as text, ``0.9012 [0.8975, 0.9048]``; ``n/a`` for None."""
    interval = metrics.get(f"{key}_interval")
    text = number(metrics[key])
    return text if interval is None else f"{text} [{number(interval[0])}, {number(interval[1])}]"


def number(value: float | None) -> str:
    """Return a value as text, with four decimals where it is neither large nor tiny."""
    if value is None:
        return "n/a"
    if abs(value) >= 100:
        return f"{value:.2f}"
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.2e}"


def verdicts(probabilities: ArrayLike, threshold: float = 0.5) -> NDArray[np.int64]:
    """Return the class `(n,)` that probabilities `(n, C)` speak for.

    Of two labels the second when its probability is at least `threshold`; of more the likeliest.
    """
    p = np.asarray(probabilities)
    chosen = p[:, 1] >= threshold if p.shape[1] == 2 else p.argmax(axis=1)
    return chosen.astype(np.int64)


def margins(probabilities: ArrayLike, threshold: float = 0.5) -> NDArray[np.float64]:
    """Return how far each verdict of `verdicts` is from another one, `(n,)`.

    Of two labels the distance of the second one's probability to `threshold`; of more that of the
    likeliest label's to the next. A text whose margin is less than a model's `abstain` is unsure.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape[1] == 2:
        return np.asarray(np.abs(p[:, 1] - threshold))
    ranked = np.partition(p, -2, axis=1)
    return np.asarray(ranked[:, -1] - ranked[:, -2])


def decided_metrics(
    margins: ArrayLike, correct: ArrayLike, abstain: float, seed: int = 0
) -> dict[str, Any]:
    """Return what a model that abstains decides: `abstain`, `count`, `coverage`, `accuracy`.

    `coverage` is the share of the texts that are decided, `accuracy` that of those decided rightly,
    None where there are none; `accuracy_interval` as in `classification_metrics`.

    Args:
        margins: `(n,)` as `margins` returns them.
        correct: `(n,)` whether each verdict is right.
        abstain: margin below which a text is left undecided.
        seed: of the bootstrap.
    """
    decided = np.asarray(margins) >= abstain
    right = np.asarray(correct, dtype=bool)[decided]
    return {
        "abstain": abstain,
        "count": len(right),
        "coverage": float(decided.mean()),
        "accuracy": float(right.mean()) if len(right) else None,
        "accuracy_interval": _percentiles(bootstrap_means(right, seed)) if len(right) else None,
    }


def bootstrap_means(values: ArrayLike, seed: int = 0) -> NDArray[np.float64]:
    """Return the means of `RESAMPLES` samples drawn from `values` `(n,)` with replacement.

    Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979.
    """
    x = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // len(x))
    means = [
        x[generator.integers(len(x), size=(min(rows, RESAMPLES - start), len(x)))].mean(axis=1)
        for start in range(0, RESAMPLES, rows)
    ]
    return np.concatenate(means)


def _percentiles(samples: NDArray[np.float64]) -> list[float]:
    """Return the percentile interval that holds `LEVEL` of the samples."""
    tail = (1 - LEVEL) / 2
    return [float(v) for v in np.quantile(samples, [tail, 1 - tail])]


def classification_metrics(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    threshold: float = 0.5,
    seed: int = 0,
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the figures of a classifier.

    Precision, recall and F1 are those of the second of two labels, and the macro average of
    more; ROC-AUC and PR-AUC (average precision) of more than two labels are the macro average of
    each against the rest. `accuracy_interval` is a 95 % bootstrap percentile interval.

    Args:
        labels: `(n,)` integer classes.
        probabilities: `(n, C)`, C at least 2, each row summing to 1.
        threshold: least probability of the second of two labels for that verdict.
        seed: of the bootstrap.
        names: the C labels, for the reasons in `undefined`; their numbers by default.

    Raises:
        DataError: when there is no text, or a probability is not finite.
    """
    y, p = np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    _check(y, p)
    chosen = verdicts(p, threshold)
    correct = chosen == y
    return {
        "count": len(y),
        "accuracy": float(correct.mean()),
        "accuracy_interval": _percentiles(bootstrap_means(correct, seed)),
        **_precision_recall(y, chosen, p.shape[1]),
        **_areas(y, p, names or [str(c) for c in range(p.shape[1])]),
        **probability_losses(y, p),
        "confusion_matrix": _confusion(y, chosen, p.shape[1]),
    }


def _check(expected: NDArray[Any], given: NDArray[np.float64]) -> None:
    if len(expected) != len(given):
        raise ValueError(f"{len(expected)} answers and {len(given)} predictions: give as many")
    if not len(expected):
        raise DataError("no labelled text to evaluate: the split is empty")
    finite = np.isfinite(given).reshape(len(given), -1).all(axis=1)
    if not finite.all():
        text = int(np.argmin(finite))
        raise DataError(f"the prediction for text {text + 1} is {given[text]}: it must be finite")


def _precision_recall(
    y: NDArray[np.int64], chosen: NDArray[np.int64], classes: int
) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support

    # The macro average over the positive label alone is the figure of that label.
    counted = [1] if classes == 2 else list(range(classes))
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, chosen, labels=counted, average="macro", zero_division=0
    )
    average = "binary" if classes == 2 else "macro"
    return {
        "average": average,
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }


def _areas(y: NDArray[np.int64], p: NDArray[np.float64], names: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import average_precision_score, roc_auc_score

    absent = [names[c] for c in range(p.shape[1]) if not (y == c).any()]
    if absent:
        reason = f"no text of the split is labelled {', '.join(map(repr, absent))}"
        undefined = {"roc_auc": reason, "pr_auc": reason}
        return {"roc_auc": None, "pr_auc": None, "undefined": undefined}
    first = 1 if p.shape[1] == 2 else 0
    truth = one_hot(y, p.shape[1])[:, first:]
    return {
        "roc_auc": float(roc_auc_score(truth, p[:, first:], average="macro")),
        "pr_auc": float(average_precision_score(truth, p[:, first:], average="macro")),
        "undefined": {},
    }


def one_hot(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return `(n, classes)`, 1 in the column of each label and 0 elsewhere."""
    return np.eye(classes, dtype=np.int64)[labels]


def probability_losses(labels: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Return `log_loss`, `brier` and `ece`: what wrong probabilities cost, 0 being perfect.

    The Brier score is the mean squared error of the second of two labels' probability, and of
    more the sum over labels (Brier 1950). Arguments are those of `classification_metrics`.
    """
    from sklearn.metrics import log_loss

    y, p = np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=np.float64)
    squares = (p - one_hot(y, p.shape[1])) ** 2
    whole = p / p.sum(axis=1, keepdims=True)  # rows of float32 sum to 1 but nearly
    brier = squares[:, 1] if p.shape[1] == 2 else squares.sum(axis=1)
    return {
        "log_loss": float(log_loss(y, whole, labels=list(range(p.shape[1])))),
        "brier": float(brier.mean()),
        "ece": expected_calibration_error(p, y),
    }


def _confusion(y: NDArray[np.int64], chosen: NDArray[np.int64], classes: int) -> list[list[int]]:
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(y, chosen, labels=list(range(classes)))
    return [[int(n) for n in row] for row in counts]


def accuracy_by_length(lengths: ArrayLike, correct: ArrayLike) -> list[dict[str, Any]]:
    """Return accuracy in each quartile of length, shortest texts first.

    Texts of equal length share a quartile, that of their mean rank, so the order of the texts
    plays no part; with many equal lengths a quartile may be larger than a quarter, or empty
    (count 0, the other values None). `accuracy_interval` is Wilson's 95 % interval (1927).

    Args:
        lengths: `(n,)` tokens of each text.
        correct: `(n,)` whether each verdict was right.
    """
    from scipy.stats import rankdata

    tokens, right = np.asarray(lengths), np.asarray(correct, dtype=bool)
    quartile = ((rankdata(tokens) - 0.5) * 4 / max(len(tokens), 1)).astype(np.int64)
    return [_quartile(q + 1, tokens[quartile == q], right[quartile == q]) for q in range(4)]


def _quartile(number: int, tokens: NDArray[Any], right: NDArray[np.bool_]) -> dict[str, Any]:
    from scipy.stats import binomtest

    entry: dict[str, Any] = dict.fromkeys(("shortest", "longest", "accuracy", "accuracy_interval"))
    if len(tokens):
        share = binomtest(int(right.sum()), len(right)).proportion_ci(LEVEL, method="wilson")
        entry = {
            "shortest": int(tokens.min()),
            "longest": int(tokens.max()),
            "accuracy": float(right.mean()),
            "accuracy_interval": [float(share.low), float(share.high)],
        }
    return {"quartile": number, "count": len(tokens), **entry}


def regression_metrics(targets: ArrayLike, predictions: ArrayLike, seed: int = 0) -> dict[str, Any]:
    """Return the figures of a regressor: MSE, RMSE, MAE, R² and Spearman's rank correlation.

    `rmse_interval` is a 95 % bootstrap percentile interval.

    Args:
        targets: `(n,)` true values.
        predictions: `(n,)` values of the model, in the same units.
        seed: of the bootstrap.

    Raises:
        DataError: when there is no text, or a prediction is not finite.
    """
    from sklearn.metrics import mean_absolute_error, mean_squared_error

    y, given = np.asarray(targets, dtype=np.float64), np.asarray(predictions, dtype=np.float64)
    _check(y, given)
    mse = float(mean_squared_error(y, given))
    return {
        "count": len(y),
        "mse": mse,
        "rmse": mse**0.5,
        "rmse_interval": _percentiles(np.sqrt(bootstrap_means((y - given) ** 2, seed))),
        "mae": float(mean_absolute_error(y, given)),
        **_correlations(y, given),
    }


def _correlations(y: NDArray[np.float64], given: NDArray[np.float64]) -> dict[str, Any]:
    from scipy.stats import spearmanr
    from sklearn.metrics import r2_score

    if np.ptp(y) == 0:
        reason = f"every target of the split is {y[0]:g}"
        undefined = {"r2": reason, "spearman": reason}
        return {"r2": None, "spearman": None, "undefined": undefined}
    r2 = float(r2_score(y, given))
    if np.ptp(given) == 0:
        undefined = {"spearman": f"every prediction is {given[0]:g}"}
        return {"r2": r2, "spearman": None, "undefined": undefined}
    return {"r2": r2, "spearman": float(spearmanr(y, given).statistic), "undefined": {}}
