"""The teach stage: what teachers say of the unlabelled texts becomes more to train on.

A student that learns a mean of teachers' probabilities on many texts comes near the mean in one
small network (Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015).
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipelines.config import Recipe, TeachSettings
from pipelines.json_lines import json_lines
from pipelines.rundir import TAUGHT, RunDirectory
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.batching import TokenArrays, TokenWriter
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.errors import DataError
from sentiment_lstm.ngrams import fit_ngrams
from sentiment_lstm.progress import Progress
from sentiment_lstm.sentences import sentences
from sentiment_lstm.text import Encoder, Vocabulary

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
# Texts -> the probability of the second label for each, `(n,)`.
Teacher = Callable[[Sequence[str]], Floats]

NGRAMS = "n-grams"


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Have the teachers of a recipe label the run's unlabelled texts.

    Raises:
        BundleError: a teacher is no sound model.
        DataError: the task is not one of two labels, or a teacher's labels are others.
    """
    labels = _labels(run)
    teachers = dict(_teachers(recipe.teach, run, labels, progress))
    figures = _figures(run, teachers)
    texts = _taught_texts(recipe.teach, run)
    targets = _mean([teacher(texts) for teacher in teachers.values()])
    encode = Encoder(
        Vocabulary.load(run.vocabulary), recipe.text.max_tokens, recipe.text.head_tokens
    )
    with replaced_directory(run.teach) as directory:
        _write(directory, encode, progress(texts, total=len(texts), label="teach"), targets)
        (directory / run.teach_summary.name).write_text(json.dumps(figures, indent=1) + "\n")
    log.info("taught: %s texts; more in %s", f"{len(texts):,}", run.teach_summary)


def _labels(run: RunDirectory) -> tuple[str, ...]:
    summary = json.loads(run.summary.read_text("utf-8"))
    labels = tuple(summary["labels"])
    if len(labels) != 2:
        what = f"{len(labels)} labels" if labels else "a regression"
        raise DataError(
            f"teachers teach tasks of two labels, and this is {what}: leave the section teach empty"
        )
    return labels


def _teachers(
    settings: TeachSettings, run: RunDirectory, labels: tuple[str, ...], progress: Progress
) -> Iterator[tuple[str, Teacher]]:
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


def _mean(chances: Sequence[Floats]) -> Floats:
    mean: Floats = np.mean(chances, axis=0)
    return mean


def _figures(run: RunDirectory, teachers: dict[str, Teacher]) -> dict[str, Any]:
    """Return how right each teacher is on validation, and their mean."""
    from sklearn.metrics import log_loss

    truth = np.asarray(TokenArrays.load(run.preprocess, "validation").targets)
    texts = list(json_lines(run.texts("validation")))
    chances = {name: teacher(texts) for name, teacher in teachers.items()}
    chances["mean"] = _mean(list(chances.values()))
    return {
        name: {
            "validation_accuracy": float(np.mean((p > 0.5) == truth)),
            "validation_loss": float(log_loss(truth, p, labels=(0, 1))),
        }
        for name, p in chances.items()
    }


def _taught_texts(settings: TeachSettings, run: RunDirectory) -> list[str]:
    """Return the unlabelled texts, and one sentence each of a share of them."""
    texts = list(json_lines(run.texts(UNLABELLED)))
    random = np.random.default_rng(settings.seed)
    chosen = random.random(len(texts)) < settings.sentences
    cut = (sentences(text) for text, is_chosen in zip(texts, chosen, strict=True) if is_chosen)
    return [*texts, *(str(random.choice(parts)) for parts in cut if parts)]


def _write(directory: Path, encode: Encoder, texts: Iterable[str], targets: Floats) -> None:
    with TokenWriter(directory, TAUGHT, len(encode.vocabulary)) as writer:
        for text, target in zip(texts, targets, strict=True):
            writer.append(encode(text), float(target))
