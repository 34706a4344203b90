"""Training of a network on token arrays: forward, loss, backpropagation through time, update.

It reads arrays and needs Keras alone, so it runs on each Keras backend. The order of the batches
is a function of (seed, epoch), and everything else that moves is in the checkpoint: a training that
was killed and resumed ends with the same weights, bit for bit, as one that was not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.adversarial import adversarial_step, moves_words, reads_unlabelled
from sentiment_lstm.batching import (
    Batch,
    BatchSizes,
    TokenArrays,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from sentiment_lstm.checkpoints import Arrays
from sentiment_lstm.errors import SettingsError
from sentiment_lstm.groups import ALONE, Group, part_of
from sentiment_lstm.losses import divergence_for, loss_for
from sentiment_lstm.model import build_classifier, depths, load_weights, weights_of
from sentiment_lstm.optimizers import build_optimizer
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.resumable import History, Keeping, OnEpoch, Position, Resumable
from sentiment_lstm.settings import ModelSettings, TrainSettings
from sentiment_lstm.steps import Forward, deterministic, forward, train_step
from sentiment_lstm.text import PAD, UNKNOWN
from sentiment_lstm.unlabelled import Unlabelled

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class Task:
    """What the network answers.

    Attributes:
        kind: "classification" or "regression".
        labels: names of the labels, none for regression.
        target_mean: mean of the training targets of a regression, else 0.
        target_scale: their standard deviation, else 1; the network learns standardised targets.
    """

    kind: str
    labels: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_scale: float = 1.0

    @classmethod
    def of(cls, kind: str, labels: tuple[str, ...], targets: NDArray[Any]) -> "Task":
        """Describe a task from the targets of the training split."""
        if kind != "regression":
            return cls(kind, labels)
        scale = float(np.std(targets))
        return cls(kind, (), float(np.mean(targets)), scale if scale > 0 else 1.0)

    @property
    def outputs(self) -> int:
        """Width of the head: 1 for two labels and for regression, else one a label."""
        return 1 if self.kind == "regression" or len(self.labels) == 2 else len(self.labels)

    def standardised(self, targets: NDArray[Any]) -> NDArray[np.float32]:
        """Return targets as the network learns them."""
        return np.asarray((targets - self.target_mean) / self.target_scale, np.float32)


@dataclass
class ClassifierPosition(Position):
    """Where the training of a classifier stands between two steps."""

    best: float | None = None
    stale: int = 0  # epochs since the best


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Attributes:
        weights: the best weights, by their names in a bundle, averaged with those of the start
            where the settings ask for it.
        history: one row an epoch, of the network before that.
        validation_outputs: raw outputs on validation of the network of these weights,
            `(texts, outputs)`.
    """

    weights: dict[str, NDArray[np.float32]]
    history: History
    validation_outputs: NDArray[np.float32]


def train_network(
    train: TokenArrays,
    validation: TokenArrays,
    *,
    vocabulary_size: int,
    task: Task,
    model: ModelSettings,
    settings: TrainSettings,
    checkpoints: Path | None = None,
    max_minutes: float | None = None,
    initial: Mapping[str, NDArray[np.float32]] | None = None,
    unlabelled: TokenArrays | None = None,
    group: Group = ALONE,
    progress: Progress = silent,
    on_epoch: OnEpoch = lambda _: None,
) -> Trained:
    """Train from seeded initial weights, or go on from a checkpoint.

    Args:
        train: texts to learn from.
        validation: texts that early stopping looks at.
        vocabulary_size: number of token ids.
        task: what the network answers.
        model: its sizes and dropouts.
        settings: how it learns.
        checkpoints: directory of checkpoints, or None to keep none. Whoever calls makes sure that
            they belong to the same data and settings.
        max_minutes: after which it saves a checkpoint and raises `Paused`, or None.
        initial: weights to start from, by their names in a bundle; the others are random. Of
            those, `settings.start_share` of each is in what the training ends with.
        unlabelled: texts whose labels are not read, where the settings ask for some; without
            them those of `train` take their place.
        group: processes that train this network together, each with a call like this one.
        progress: shows the steps of an epoch.
        on_epoch: called with each new row of the history.

    Returns:
        The best weights by validation, the history, and the outputs on validation.

    Raises:
        Paused: after `max_minutes`.
        SettingsError: for texts without labels where a group trains.
        GroupError: if the processes of a group do not stand alike.
    """
    if group.size > 1 and reads_unlabelled(settings):
        raise SettingsError(
            f"train.virtual_adversarial is {settings.virtual_adversarial} and train.entropy "
            f"{settings.entropy}: {group.size} processes do not share out texts without labels, "
            "train in one"
        )
    with deterministic():
        network = build_classifier(
            model,
            vocabulary_size,
            task.outputs,
            settings.seed,
            settings.precision,
            words_once=not moves_words(settings),
        )
        if initial is not None:
            load_weights(network, {**weights_of(network), **initial})
        keeping = Keeping(checkpoints, settings.checkpoint_minutes, max_minutes)
        others = None
        if reads_unlabelled(settings):
            texts = train if unlabelled is None else unlabelled
            others = Unlabelled(texts, settings.unlabelled_batch, model.embedding, settings.seed)
        training = _Training(network, train, validation, task, settings, keeping, others, group)
        training.run(progress, on_epoch)
        return training.result(initial or {})


class _Training(Resumable[Batch, ClassifierPosition]):
    """The training of a classifier, which keeps its best weights and stops early."""

    def __init__(
        self,
        network: keras.Model,
        train: TokenArrays,
        validation: TokenArrays,
        task: Task,
        settings: TrainSettings,
        keeping: Keeping,
        unlabelled: Unlabelled | None,
        group: Group,
    ) -> None:
        self.sizes = BatchSizes(settings.batch_size, settings.short_batch)
        steps = steps_per_epoch(train.lengths, self.sizes)
        optimizer = build_optimizer(settings, steps * settings.epochs, depths(network))
        optimizer.build(network.trainable_variables)
        super().__init__(
            network,
            optimizer,
            ClassifierPosition(),
            steps=steps,
            epochs=settings.epochs,
            keeping=keeping,
            group=group,
        )
        self.train, self.validation, self.task, self.settings = train, validation, task, settings
        self.best_weights = weights_of(network)
        loss = loss_for(task.kind, task.outputs, settings.label_smoothing)
        self.step = (
            adversarial_step(network, optimizer, loss, divergence_for(task.kind), settings, group)
            if moves_words(settings)
            else train_step(network, optimizer, loss, group)
        )
        self.unlabelled = unlabelled
        self.forward = forward(network)
        self.sample_weights = _sample_weights(train.targets, task, settings.class_weights)

    @property
    def ended(self) -> bool:
        return super().ended or self.position.stale >= self.settings.patience

    def remaining(self) -> Iterator[Batch]:
        p, s = self.position, self.settings
        return training_batches(self.train, self.sizes, s.seed, p.epoch, p.step)

    def take(self, item: Batch) -> float:
        p, s = self.position, self.settings
        tokens = drop_tokens(item.tokens, s.token_dropout, (s.seed, p.epoch, p.step))
        targets = self.task.standardised(item.targets)
        others = self.unlabelled.batch(p.total) if self.unlabelled else ()
        mine, share = part_of(self.group, len(targets))
        # A loss is a mean over texts: by its share, a part's is what it adds to that of the batch.
        weights = self.sample_weights[item.indices[mine]] * np.float32(share)
        return self.step(tokens[mine], targets[mine], weights, *others)

    def figures(self) -> dict[str, float]:
        outputs = predict(self.forward, self.validation, self.group)
        return validation_figures(outputs, self.validation.targets, self.task)

    def judge(self, figures: Mapping[str, float]) -> None:
        """Keep the weights if they are the best so far."""
        p = self.position
        value = monitored(figures, self.settings.monitor)
        if p.best is None or value < p.best:
            p.best, p.stale = value, 0
            self.best_weights = weights_of(self.network)
        else:
            p.stale += 1

    def kept(self) -> Arrays:
        return {f"best/{k}": v for k, v in self.best_weights.items()}

    def restore(self, arrays: Arrays) -> None:
        self.best_weights = {k: arrays[f"best/{k}"] for k in self.best_weights}

    def result(self, start: Mapping[str, NDArray[np.float32]]) -> Trained:
        """Return the best weights, averaged with those of the start if the settings ask for it."""
        weights = averaged_with(start, self.settings.start_share, self.best_weights)
        load_weights(self.network, weights)
        outputs = predict(self.forward, self.validation, self.group)
        return Trained(weights, self.position.history, outputs)


def averaged_with(
    start: Mapping[str, NDArray[np.float32]],
    share: float,
    weights: Mapping[str, NDArray[np.float32]],
) -> dict[str, NDArray[np.float32]]:
    """Return share * start + (1 - share) * weights; those that have no start as they are.

    On the line between a network and what it was fine-tuned from lie networks that keep what the
    first knew and know what the second learnt (WiSE-FT: Wortsman et al., "Robust fine-tuning of
    zero-shot models", CVPR 2022, section 3).
    """
    old, new = np.float32(share), np.float32(1 - share)
    shared = {k: old * start[k] + new * weights[k] for k in weights if share and k in start}
    return {**weights, **shared}


def drop_tokens(tokens: NDArray[np.int32], rate: float, seed: tuple[int, ...]) -> NDArray[np.int32]:
    """Return a batch in which a share of the real tokens, drawn by seed, became unknown."""
    if not rate:
        return tokens
    dropped = np.random.default_rng(seed).random(tokens.shape) < rate
    return np.where(dropped & (tokens != PAD), np.int32(UNKNOWN), tokens)


def predict(run: Forward, arrays: TokenArrays, group: Group = ALONE) -> NDArray[np.float32]:
    """Return the raw outputs of every text, `(texts, outputs)`, in the order of the arrays.

    The processes of a group share out the batches, and each gets all outputs.
    """
    batches = evaluation_batches(arrays, EVALUATION_BATCH, group.rank, group.size)
    mine = [(batch.indices, run(batch.tokens)) for batch in batches]
    all_parts = [part for parts in group.gathered(mine) for part in parts]
    assert all_parts, "a validation split is never empty"
    outputs = np.empty((len(arrays), all_parts[0][1].shape[1]), np.float32)
    for indices, answers in all_parts:
        outputs[indices] = answers
    return outputs


def validation_figures(
    outputs: NDArray[np.float32], targets: NDArray[Any], task: Task
) -> dict[str, float]:
    """Return the loss and the accuracy, or the mean absolute error of a regression."""
    if task.kind == "regression":
        errors = outputs[:, 0].astype(np.float64) - task.standardised(targets)
        return {
            "validation_loss": float(np.mean(errors**2)),
            "validation_mae": float(np.mean(np.abs(errors)) * task.target_scale),
        }
    scores = outputs.astype(np.float64)
    if task.outputs == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    truth = np.asarray(targets, np.int64)
    top = scores.max(axis=1, keepdims=True)
    log_sum = top[:, 0] + np.log(np.exp(scores - top).sum(axis=1))
    losses = log_sum - scores[np.arange(len(truth)), truth]
    accuracy = float(np.mean(scores.argmax(axis=1) == truth))
    return {"validation_loss": float(np.mean(losses)), "validation_accuracy": accuracy}


def monitored(figures: Mapping[str, float], monitor: str) -> float:
    """Return what early stopping makes small: the loss, or the share of errors."""
    if monitor == "accuracy" and "validation_accuracy" in figures:
        return 1 - figures["validation_accuracy"]
    return figures["validation_loss"]


def _sample_weights(targets: NDArray[Any], task: Task, kind: str) -> NDArray[np.float32]:
    """Return a weight a text: 1, or so that every label counts the same in all."""
    if kind == "none" or task.kind == "regression":
        return np.ones(len(targets), np.float32)
    truth = np.rint(targets).astype(np.int64)  # a teacher's probability counts as its label
    counts = np.bincount(truth, minlength=len(task.labels))
    balanced = len(truth) / (len(task.labels) * np.maximum(counts, 1))
    return np.asarray(balanced[truth], np.float32)
