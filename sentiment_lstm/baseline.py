"""The bag of words that a person would otherwise use: TF-IDF and a linear model of scikit-learn.

Its figures stand beside those of the LSTM in every evaluation. Every setting is scikit-learn's
own default, but for iterations enough to converge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sentiment_lstm.errors import DataError

NAMES = {
    "classification": "TF-IDF + logistic regression",
    "regression": "TF-IDF + ridge regression",
}


@dataclass(frozen=True)
class Baseline:
    """A fitted `TfidfVectorizer` and `LogisticRegression`, or `Ridge` where `classes` is 0."""

    vectorizer: Any
    model: Any
    classes: int

    def probabilities(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """Return `(n, classes)`; a class that no training text had is 0 in every row.

        Raises:
            ValueError: for a regression, which has no probabilities.
        """
        if not self.classes:
            raise ValueError("a regression has no probabilities: call predict")
        known = self.model.predict_proba(self.vectorizer.transform(texts))
        aligned = np.zeros((len(known), self.classes))
        aligned[:, self.model.classes_] = known
        return aligned

    def predict(self, texts: Iterable[str]) -> NDArray[Any]:
        """Return `(n,)`: the likeliest class of each text as an integer, or its value."""
        return np.asarray(self.model.predict(self.vectorizer.transform(texts)))


def fit_baseline(
    texts: Iterable[str], targets: ArrayLike, task: str, *, classes: int | None = None
) -> Baseline:
    """Fit the baseline on the training texts, which are read once and not kept.

    Args:
        texts: n training texts.
        targets: `(n,)` integer classes, or values for a regression.
        task: "classification" or "regression".
        classes: columns of `Baseline.probabilities`; one more than the highest target by default.

    Raises:
        DataError: when no text holds a word, or all texts have the same label.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    y, vectorizer = np.asarray(targets), TfidfVectorizer()
    _check(y, task)
    rows = _vectors(vectorizer, texts)
    if task == "regression":
        return Baseline(vectorizer, Ridge().fit(rows, y), 0)
    model = LogisticRegression(max_iter=1000).fit(rows, y)
    return Baseline(vectorizer, model, classes or max(2, int(y.max()) + 1))


def _check(y: NDArray[Any], task: str) -> None:
    if not len(y):
        raise DataError("no text to fit the TF-IDF baseline on: the train split is empty")
    if task == "classification" and not np.ptp(y):
        raise DataError(
            f"every train text of the TF-IDF baseline has label number {y[0]}: "
            "give texts of at least two labels"
        )


def _vectors(vectorizer: Any, texts: Iterable[str]) -> Any:
    try:
        return vectorizer.fit_transform(texts)
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        raise DataError(
            "no train text holds a word of two letters or more, so the TF-IDF baseline has no "
            "vocabulary: check the text column"
        ) from error
