"""Texts in, answers out, row by row: whatever the length of the input, memory stays bounded."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from pipelines.logs import native_messages_held_back
from sentiment_lstm.bundle import resolve_model, shipped
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.classifier import Prediction, SentimentClassifier
from sentiment_lstm.errors import BundleError, DataError, SettingsError
from sentiment_lstm.records import Rejection, Row
from sentiment_lstm.saved_model import SavedModelClassifier, find_saved_model
from sentiment_lstm.settings import PRECISIONS

DEFAULT_MODEL = "imdb"
WITHOUT = "bfloat16 takes a processor with AVX512_BF16 or AMX and units in multiples of 16"

PART_BYTES = 2**24  # of rows that wait for their answers: far more would be held as objects

log = logging.getLogger(__name__)


class Classifier(Protocol):
    """What answers: a bundle read by numpy, or a SavedModel run by TensorFlow."""

    config: BundleConfig

    def stream(
        self,
        texts: Iterable[str | bytes],
        *,
        threshold: float | None = None,
        abstain: float | None = None,
    ) -> Iterator[Prediction]:
        """Yield one prediction a text, in order, reading a bounded number of texts ahead."""
        ...  # pragma: no cover


def open_classifier(model: str | None, precision: str = PRECISIONS[0]) -> Classifier:
    """Return the classifier that a name or directory means; None is the model that ships.

    A bundle comes before a SavedModel, which is a program: none is run where a bundle stands.

    Args:
        model: the name or directory.
        precision: numbers that recurrent products take (see `SentimentClassifier`).

    Raises:
        BundleError: if there is none, or it is not sound.
        SettingsError: for a SavedModel in another precision than float32, or where there is no
            compiler for that.
    """
    name = model_or_default(model)
    try:
        bundle = resolve_model(name)
    except BundleError:
        directory = None if model is None else find_saved_model(Path(model))
        if directory is None:
            raise
        if precision != PRECISIONS[0]:
            raise SettingsError(
                f"{directory} is a SavedModel, which runs in float32: give a bundle or a run "
                f"directory, or leave --precision {precision} out"
            ) from None
        return _saved_model(directory)
    if precision == PRECISIONS[0]:
        return SentimentClassifier.load(bundle)
    return _narrow(bundle, precision)


def _narrow(bundle: Path, precision: str) -> SentimentClassifier:
    """Return a classifier in a precision that only compiled code has; say where it has another."""
    try:
        classifier = SentimentClassifier.load(bundle, precision=precision)
        runs_in = classifier.runs_in
    except ImportError as error:
        raise SettingsError(
            f"--precision {precision} needs the compiler, which cannot be loaded ({error}): "
            "install numba, or leave the option out"
        ) from error
    if precision != runs_in:
        log.warning("texts are classified in %s: %s", runs_in, WITHOUT)
    return classifier


def model_or_default(model: str | None) -> str:
    """Return what was given, or the name of the model that ships.

    Raises:
        BundleError: if nothing was given and none ships.
    """
    if model is None and DEFAULT_MODEL not in shipped():
        raise BundleError(
            "no model ships with this package: train one with `sentiment-lstm run quickstart`, "
            "then give --model runs/quickstart"
        )
    return DEFAULT_MODEL if model is None else model


def _saved_model(directory: Path) -> Classifier:
    log.warning(
        "%s is a SavedModel, which is a program: run it only if you trust who made it", directory
    )
    with native_messages_held_back():
        classifier = SavedModelClassifier.load(directory)
        classifier.classify([""])  # what TensorFlow sets up, it sets up at the first text
    return classifier


def typed_rows(texts: Sequence[str]) -> Iterator[Row]:
    """Yield the texts of a command line as rows, numbered from 1."""
    for number, argument in enumerate(texts, start=1):
        text = typed_text(argument)
        yield Row(number, text, {"text": text}, len(argument))


def typed_text(argument: str) -> str:
    """Return an argument of the command line as UTF-8, whatever the locale.

    Python decodes a command line by the locale, which in "C" is ASCII.
    """
    return os.fsencode(argument).decode("utf-8", "surrogateescape")


def classify_rows(
    rows: Iterable[Row | Rejection],
    classifier: Classifier,
    *,
    threshold: float | None = None,
    abstain: float | None = None,
    rejected: Callable[[Rejection], None],
) -> Iterator[tuple[Row, Prediction]]:
    """Yield each usable row with its prediction, in order; tell of each row that is not.

    The classifier reads ahead by so many texts, and knows nothing of the rows' other columns,
    which wait here: it gets no more than `PART_BYTES` of rows, and a row, before it must answer.

    Raises:
        SettingsError: for a threshold or a margin that the model cannot use.
    """
    answers = partial(classifier.stream, threshold=threshold, abstain=abstain)
    answers(())  # tells of a threshold at once, before any row is read
    usable = _usable(rows, rejected)
    parts = (chain((first,), _until_full(usable, first.size)) for first in usable)
    return chain.from_iterable(_answered(part, answers) for part in parts)


def _usable(
    rows: Iterable[Row | Rejection], rejected: Callable[[Rejection], None]
) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Rejection):
            rejected(row)
        else:
            yield row


def _until_full(rows: Iterator[Row], size: int) -> Iterator[Row]:
    """Yield rows until those taken are `PART_BYTES` together, of which there are `size` already."""
    while size < PART_BYTES and (row := next(rows, None)):
        size += row.size
        yield row


def _answered(
    rows: Iterable[Row], answers: Callable[[Iterable[str]], Iterator[Prediction]]
) -> Iterator[tuple[Row, Prediction]]:
    """Yield rows, each with its prediction; as many wait here as the classifier reads ahead."""
    waiting: deque[Row] = deque()

    def texts() -> Iterator[str]:
        for row in rows:
            waiting.append(row)
            yield row.text

    for prediction in answers(texts()):
        yield waiting.popleft(), prediction


class Rejections:
    """Tells of rows that cannot be used, one line each, and counts them; if strict, takes none."""

    def __init__(self, note: Callable[[str], None], *, strict: bool = False) -> None:
        self._note, self._strict = note, strict
        self._count = 0

    def __call__(self, rejection: Rejection) -> None:
        """Tell of one row.

        Raises:
            DataError: if strict.
        """
        if self._strict:
            raise DataError(
                f"line {rejection.line}: {rejection.reason}: mend the row, or leave out --strict"
            )
        self._count += 1
        self._note(f"line {rejection.line}: {rejection.reason}")

    def conclude(self, used: int) -> None:
        """Tell how many rows were left out, of which none is nothing to tell.

        Raises:
            DataError: if no row at all could be used.
        """
        if not self._count:
            return
        if not used:
            raise DataError(f"none of the {self._count} rows can be used: see the reasons above")
        self._note(f"{self._count} rows left out, {used} answered")
