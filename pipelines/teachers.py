"""The teachers of a recipe: models, and n-grams fitted to the texts of train."""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipelines.config import TeachSettings
from pipelines.json_lines import json_lines
from pipelines.rundir import RunDirectory
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import DataError
from sentiment_lstm.ngrams import fit_ngrams
from sentiment_lstm.progress import Progress

Floats = NDArray[np.float64]
# Texts -> the probability of the second label for each, `(n,)`.
Teacher = Callable[[Sequence[str]], Floats]

NGRAMS = "n-grams"


def teachers_of(
    settings: TeachSettings, run: RunDirectory, labels: tuple[str, ...], progress: Progress
) -> Iterator[tuple[str, Teacher]]:
    """Yield each teacher by its name.

    Raises:
        BundleError: a model is no sound one.
        DataError: a model's labels are others.
    """
    for model in settings.models:
        classifier = SentimentClassifier.load(model)
        if classifier.config.labels != labels:
            raise DataError(
                f"the teacher {model} knows the labels {', '.join(classifier.config.labels)}, and "
                f"the texts have {', '.join(labels)}: name a model of the same"
            )
        yield model, _of_classifier(classifier, progress)
    if settings.ngrams:
        targets = np.asarray(TokenArrays.load(run.preprocess, "train").targets)
        shown = progress(json_lines(run.texts("train")), total=len(targets), label=NGRAMS)
        yield NGRAMS, fit_ngrams(shown, targets).probabilities


def _of_classifier(classifier: SentimentClassifier, progress: Progress) -> Teacher:
    def teach(texts: Sequence[str]) -> Floats:
        logits = np.asarray(classifier.logits(texts, progress), np.float64)
        chances: Floats = expit(logits / classifier.config.temperature)
        return chances

    return teach


def mean_of(teachers: Sequence[Teacher], weights: Sequence[float]) -> Teacher:
    """Return the teacher that says the weighted mean of what others say."""

    def teach(texts: Sequence[str]) -> Floats:
        said = [teacher(texts) for teacher in teachers]
        return cast(Floats, np.average(said, axis=0, weights=weights))

    return teach
