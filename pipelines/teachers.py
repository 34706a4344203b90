"""The teachers of a recipe: models, and n-grams fitted to the texts of train."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipelines.config import TeachSettings
from pipelines.json_lines import json_lines
from pipelines.remembered import remembering
from pipelines.rundir import RunDirectory
from pipelines.teacher import Floats, Teacher, mean_of
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import payload_digest, resolve_model
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import DataError
from sentiment_lstm.ngrams import fit_ngrams
from sentiment_lstm.progress import Progress

NGRAMS, MEAN = "n-grams", "mean"


@dataclass(frozen=True)
class Teachers:
    """Who teaches, each by its name.

    Attributes:
        of_whole: those who label whole texts; the last is the mean of the others.
        of_sentences: the mean of those who are asked about sentences.
    """

    of_whole: dict[str, Teacher]
    of_sentences: Teacher

    @property
    def together(self) -> Teacher:
        """What all together say of whole texts."""
        return self.of_whole[MEAN]


def teachers_of(
    settings: TeachSettings, run: RunDirectory, labels: tuple[str, ...], progress: Progress
) -> Teachers:
    """Return the teachers that settings name.

    Raises:
        BundleError: a model is no sound one.
        DataError: a model's labels are others.
    """
    names = dict.fromkeys((*settings.models, *settings.whole))
    models = {name: _of_model(name, run, labels, progress) for name in names}
    whole = {name: models[name] for name in settings.whole or settings.models}
    weights = [1.0] * len(whole)
    if settings.ngrams:
        whole[NGRAMS] = _of_ngrams(run, progress)
        weights.append(settings.ngrams)
    together = mean_of(list(whole.values()), weights)
    # Of one sentence n-grams know little more than its words.
    asked = [models[name] for name in settings.models]
    of_sentences = mean_of(asked, [1.0] * len(asked)) if asked else together
    return Teachers({**whole, MEAN: together}, of_sentences)


def _of_model(name: str, run: RunDirectory, labels: tuple[str, ...], progress: Progress) -> Teacher:
    classifier = SentimentClassifier.load(name)
    if classifier.config.labels != labels:
        raise DataError(
            f"the teacher {name} knows the labels {', '.join(classifier.config.labels)}, and "
            f"the texts have {', '.join(labels)}: name a model of the same"
        )
    model = payload_digest(resolve_model(name))
    return remembering(_of_classifier(classifier, progress), model, run.answers)


def _of_classifier(classifier: SentimentClassifier, progress: Progress) -> Teacher:
    def teach(texts: Sequence[str]) -> Floats:
        logits = np.asarray(classifier.logits(texts, progress), np.float64)
        chances: Floats = expit(logits / classifier.config.temperature)
        return chances

    return teach


def _of_ngrams(run: RunDirectory, progress: Progress) -> Teacher:
    targets = np.asarray(TokenArrays.load(run.preprocess, "train").targets)
    shown = progress(json_lines(run.texts("train")), total=len(targets), label=NGRAMS)
    return fit_ngrams(shown, targets).probabilities
