"""From token arrays to a bundle: train, calibrate on validation, write."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sentiment_lstm
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import (
    BundleConfig,
    check_target,
    model_card,
    read_bundle,
    resolve_model,
    write_bundle,
)
from sentiment_lstm.calibration import fit_temperature
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.groups import ALONE, Group
from sentiment_lstm.language_models import read_language_model, resolve_language_model
from sentiment_lstm.model import build_classifier, weights_of
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.resumable import OnEpoch
from sentiment_lstm.settings import (
    ModelSettings,
    TextSettings,
    TrainSettings,
    check_start_share,
)
from sentiment_lstm.starting import from_classifier, from_language_model
from sentiment_lstm.text import Vocabulary
from sentiment_lstm.training import Task, Trained, train_network, validation_figures
from sentiment_lstm.word_vectors import read_word_vectors


@dataclass(frozen=True)
class Splits:
    """What a model is fitted to.

    Attributes:
        train: texts to learn from.
        validation: texts that every choice is made on.
        vocabulary: of the training texts.
        labels: names of the labels, none for regression.
        task: "classification" or "regression".
        origin: where the texts came from, kept in the bundle as it is.
        unlabelled: texts beside them that the settings may ask for; see `train_network`.
    """

    train: TokenArrays
    validation: TokenArrays
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    task: str = "classification"
    origin: Mapping[str, Any] = field(default_factory=dict)
    unlabelled: TokenArrays | None = None


def fit(
    splits: Splits,
    output: Path | None,
    *,
    text: TextSettings,
    model: ModelSettings,
    settings: TrainSettings,
    pretrained: Mapping[str, NDArray[np.float32]] | None = None,
    checkpoints: Path | None = None,
    max_minutes: float | None = None,
    group: Group = ALONE,
    progress: Progress = silent,
    on_epoch: OnEpoch = lambda _: None,
) -> Trained:
    """Train a network and leave it as a bundle in `output`; without one it is left to others.

    The temperature is fitted on validation (Guo et al. 2017), so probabilities are calibrated.
    Where `pretrained` has weights of a language model, embedding and LSTM start from them.

    Raises:
        DataError: a split holds no text, or `model.embeddings` cannot be used.
        BundleError: `output` holds other files, no bundle can hold such labels or targets,
            `model.start` is no language model, or `model.from_model` no classifier.
        SettingsError: what the weights are to start from has other sizes, or nothing that
            `train.start_share` could be a share of.
        Paused: after `max_minutes`; the checkpoint is kept.
    """
    check_start_share(model, settings)
    if output is not None:
        check_target(output)
    _require_texts(splits)
    task = Task.of(splits.task, splits.labels, np.asarray(splits.train.targets))
    config = _config(splits, task, text, model)  # now, as it may refuse
    trained = train_network(
        splits.train,
        splits.validation,
        vocabulary_size=len(splits.vocabulary),
        task=task,
        model=model,
        settings=settings,
        checkpoints=checkpoints,
        max_minutes=max_minutes,
        initial=_start(splits.vocabulary, task, model, settings, pretrained or {}),
        unlabelled=splits.unlabelled,
        group=group,
        progress=progress,
        on_epoch=on_epoch,
    )
    if output is not None:
        config = replace(config, temperature=_temperature(splits, task, trained))
        card = model_card(config, _figures(splits, task, trained))
        stored = {name: w.astype(settings.stored) for name, w in trained.weights.items()}
        write_bundle(output, config, stored, splits.vocabulary, card)
    return trained


def _require_texts(splits: Splits) -> None:
    for name, arrays in (("train", splits.train), ("validation", splits.validation)):
        if not len(arrays):
            raise DataError(f"the {name} split holds 0 texts: give more, or another split of them")


def _start(
    vocabulary: Vocabulary,
    task: Task,
    model: ModelSettings,
    settings: TrainSettings,
    pretrained: Mapping[str, NDArray[np.float32]],
) -> dict[str, NDArray[np.float32]]:
    """Return the weights that are not to start at random, by their names in a bundle."""
    start = {k: v for k, v in pretrained.items() if k.startswith(("embedding", "lstm."))}
    if not (model.embeddings or model.start or model.from_model):
        return start
    fresh = weights_of(build_classifier(model, len(vocabulary), task.outputs, settings.seed))
    if model.start:
        found = read_language_model(resolve_language_model(model.start))
        return from_language_model(found, vocabulary, fresh)
    if model.from_model:
        bundle = read_bundle(resolve_model(model.from_model))
        start = from_classifier(bundle, task.labels, vocabulary, fresh)
        _require_head(start, bundle.config, model, settings)
        return start
    vectors = read_word_vectors(Path(model.embeddings), vocabulary, model.embedding)
    return {"embedding": vectors.placed_in(fresh["embedding"])}


def _require_head(
    start: Mapping[str, NDArray[np.float32]],
    other: BundleConfig,
    model: ModelSettings,
    settings: TrainSettings,
) -> None:
    """See that a head to be averaged was the start of the new one: means of others say nothing."""
    if settings.start_share and "head.kernel" not in start:
        told = ", ".join(other.labels) or "numbers"
        raise SettingsError(
            f"train.start_share is {settings.start_share}, and model.from_model is "
            f"{model.from_model!r}, which tells {told} from states pooled by "
            f"{', '.join(other.pooling)}: a head is averaged with one of the same labels and "
            "pooling, set train.start_share to 0 or give another model"
        )


def _config(splits: Splits, task: Task, text: TextSettings, model: ModelSettings) -> BundleConfig:
    return BundleConfig(
        version=sentiment_lstm.__version__,
        task=task.kind,
        labels=task.labels,
        max_tokens=text.max_tokens,
        head_tokens=text.head_tokens,
        embedding=model.embedding,
        units=model.units,
        directions=model.directions,
        layers=model.layers,
        pooling=model.pooling,
        target_mean=task.target_mean,
        target_scale=task.target_scale,
        data=dict(splits.origin),
    )


def _temperature(splits: Splits, task: Task, trained: Trained) -> float:
    if task.kind == "regression":
        return 1.0
    targets = np.asarray(splits.validation.targets, np.int64)
    return fit_temperature(_logits(trained), targets)


def _logits(trained: Trained) -> NDArray[np.float32]:
    outputs = trained.validation_outputs
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def _figures(splits: Splits, task: Task, trained: Trained) -> dict[str, Any]:
    figures = validation_figures(trained.validation_outputs, splits.validation.targets, task)
    counts = {"texts of train": len(splits.train), "texts of validation": len(splits.validation)}
    return {**counts, "epochs trained": len(trained.history), **figures}
