"""The teach stage: what teachers say of the unlabelled texts becomes more to train on.

Short texts may be taught beside them: sentences of all texts, labelled as the text that they stand
in, and sentences turned round by rule (`pipelines.contrasts`).

A student that learns a mean of teachers' probabilities on many texts comes near the mean in one
small network (Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015).
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.claims import Taught
from pipelines.config import Recipe
from pipelines.json_lines import json_lines
from pipelines.rundir import TAUGHT, RunDirectory
from pipelines.taught import short_texts
from pipelines.teacher import Teacher
from pipelines.teachers import teachers_of
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.batching import TokenArrays, TokenWriter
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.errors import DataError
from sentiment_lstm.progress import Progress
from sentiment_lstm.text import Encoder, Vocabulary

log = logging.getLogger(__name__)


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Have the teachers of a recipe label the run's unlabelled texts.

    Raises:
        BundleError: a teacher is no sound model.
        DataError: the task is not one of two labels, a teacher's labels are others, or the texts
            to leave out cannot be read.
    """
    teachers = teachers_of(recipe.teach, run, _labels(run), progress)
    figures = _figures(run, teachers.of_whole)
    whole = _unlabelled(run, teachers.together)
    labelled = [*_labelled(run), *whole]
    short = short_texts(recipe.teach, labelled, teachers.of_sentences, progress)
    texts = [*whole, *short]
    encode = Encoder(
        Vocabulary.load(run.vocabulary), recipe.text.max_tokens, recipe.text.head_tokens
    )
    with replaced_directory(run.teach) as directory:
        _write(directory, encode, progress(texts, total=len(texts), label="teach"))
        (directory / run.teach_summary.name).write_text(json.dumps(figures, indent=1) + "\n")
    log.info(
        "taught: %s texts and %s short ones; more in %s",
        f"{len(whole):,}", f"{len(short):,}", run.teach_summary,
    )  # fmt: skip


def _labels(run: RunDirectory) -> tuple[str, ...]:
    summary = json.loads(run.summary.read_text("utf-8"))
    labels = tuple(summary["labels"])
    if len(labels) != 2:
        what = f"{len(labels)} labels" if labels else "a regression"
        raise DataError(
            f"teachers teach tasks of two labels, and this is {what}: leave the section teach empty"
        )
    return labels


def _figures(run: RunDirectory, teachers: dict[str, Teacher]) -> dict[str, Any]:
    """Return how right each teacher is on validation, and their mean."""
    from sklearn.metrics import log_loss

    truth = np.asarray(TokenArrays.load(run.preprocess, "validation").targets)
    texts = list(json_lines(run.texts("validation")))
    chances = {name: teacher(texts) for name, teacher in teachers.items()}
    return {
        name: {
            "validation_accuracy": float(np.mean((p > 0.5) == truth)),
            "validation_loss": float(log_loss(truth, p, labels=(0, 1))),
        }
        for name, p in chances.items()
    }


def _unlabelled(run: RunDirectory, teacher: Teacher) -> list[Taught]:
    texts = list(json_lines(run.texts(UNLABELLED)))
    return [Taught(*pair) for pair in zip(texts, map(float, teacher(texts)), strict=True)]


def _labelled(run: RunDirectory) -> list[Taught]:
    targets = map(float, np.asarray(TokenArrays.load(run.preprocess, "train").targets))
    return [Taught(*pair) for pair in zip(json_lines(run.texts("train")), targets, strict=True)]


def _write(directory: Path, encode: Encoder, texts: Iterable[Taught]) -> None:
    with TokenWriter(directory, TAUGHT, len(encode.vocabulary)) as writer:
        for text, target in texts:
            writer.append(encode(text), target)
