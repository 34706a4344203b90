"""Training of a network on token arrays: forward, loss, backpropagation through time, update.

It reads arrays and needs Keras alone, so it runs on each Keras backend. The order of the batches
is a function of (seed, epoch), and everything else that moves is in the checkpoint: a training that
was killed and resumed ends with the same weights, bit for bit, as one that was not.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.batching import (
    TokenArrays,
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from sentiment_lstm.checkpoints import Arrays, load_checkpoint, save_checkpoint
from sentiment_lstm.losses import loss_for
from sentiment_lstm.model import build_classifier, load_weights, weights_of
from sentiment_lstm.progress import Progress, silent
from sentiment_lstm.schedules import WarmedSchedule
from sentiment_lstm.settings import ModelSettings, TrainSettings
from sentiment_lstm.steps import Forward, deterministic, forward, train_step
from sentiment_lstm.text import PAD, UNKNOWN

EVALUATION_BATCH = 256

History = list[dict[str, Any]]
OnEpoch = Callable[[dict[str, Any]], None]


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
class Position:
    """Where a training stands between two steps."""

    epoch: int = 0
    step: int = 0  # of this epoch
    total: int = 0  # of all epochs
    loss_sum: float = 0.0  # over this epoch's steps so far
    best: float | None = None
    stale: int = 0  # epochs since the best
    seconds: float = 0.0
    history: History = field(default_factory=list)


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Attributes:
        weights: the best weights, by their names in a bundle.
        history: one row an epoch.
        validation_outputs: the best network's raw outputs on validation, `(texts, outputs)`.
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
    embeddings: NDArray[np.float32] | None = None,
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
        embeddings: word vectors to start from, `(vocabulary, embedding)`.
        progress: shows the steps of an epoch.
        on_epoch: called with each new row of the history.

    Returns:
        The best weights by validation, the history, and the outputs on validation.
    """
    with deterministic():
        network = build_classifier(model, vocabulary_size, task.outputs, settings.seed)
        if embeddings is not None:
            load_weights(network, {**weights_of(network), "embedding": embeddings})
        training = _Training(network, train, validation, task, settings, checkpoints)
        training.resume()
        while not training.ended:
            training.run_epoch(progress)
            on_epoch(training.position.history[-1])
        return training.result()


class _Training:
    """One training: the network, what moves it, and where it stands."""

    def __init__(
        self,
        network: keras.Model,
        train: TokenArrays,
        validation: TokenArrays,
        task: Task,
        settings: TrainSettings,
        checkpoints: Path | None,
    ) -> None:
        self.network, self.train, self.validation = network, train, validation
        self.task, self.settings, self.checkpoints = task, settings, checkpoints
        self.position = Position()
        self.best_weights = weights_of(network)
        self.optimizer = build_optimizer(settings, self.steps * settings.epochs)
        self.optimizer.build(network.trainable_variables)
        self.step = train_step(
            network, self.optimizer, loss_for(task.kind, task.outputs, settings.label_smoothing)
        )
        self.forward = forward(network)
        self.sample_weights = _sample_weights(train.targets, task, settings.class_weights)
        self._saved = time.monotonic()
        self._between_steps = True

    @property
    def steps(self) -> int:
        return steps_per_epoch(len(self.train), self.settings.batch_size)

    @property
    def ended(self) -> bool:
        p, s = self.position, self.settings
        return p.epoch >= s.epochs or p.stale >= s.patience

    def run_epoch(self, progress: Progress) -> None:
        """Take the steps that are left of an epoch; interrupted between two, save at once."""
        try:
            self._run_steps(progress)
        except KeyboardInterrupt:
            if self._between_steps:
                self.save()
            raise
        self._end_epoch()

    def _run_steps(self, progress: Progress) -> None:
        p, s = self.position, self.settings
        remaining = training_batches(self.train, s.batch_size, s.seed, p.epoch, p.step)
        label = f"epoch {p.epoch + 1}/{s.epochs}"
        for batch in progress(remaining, total=self.steps - p.step, label=label):
            started = time.monotonic()
            tokens = drop_tokens(batch.tokens, s.token_dropout, (s.seed, p.epoch, p.step))
            targets = self.task.standardised(batch.targets)
            self._between_steps = False
            p.loss_sum += self.step(tokens, targets, self.sample_weights[batch.indices])
            p.step += 1
            p.total += 1
            self._between_steps = True
            p.seconds += time.monotonic() - started
            self._save_now_and_then()

    def _end_epoch(self) -> None:
        p = self.position
        with _averaged(self.network, self.optimizer, self.settings.average > 0):
            figures = self._validate()
            self._keep_if_best(figures)
        p.history.append({"epoch": p.epoch + 1, "loss": p.loss_sum / self.steps, **figures})
        p.history[-1]["seconds"] = round(p.seconds, 3)
        p.epoch, p.step, p.loss_sum = p.epoch + 1, 0, 0.0
        self.save()

    def _validate(self) -> dict[str, float]:
        outputs = predict(self.forward, self.validation)
        return validation_figures(outputs, self.validation.targets, self.task)

    def _keep_if_best(self, figures: Mapping[str, float]) -> None:
        p = self.position
        value = monitored(figures, self.settings.monitor)
        if p.best is None or value < p.best:
            p.best, p.stale = value, 0
            self.best_weights = weights_of(self.network)
        else:
            p.stale += 1

    def result(self) -> Trained:
        load_weights(self.network, self.best_weights)
        outputs = predict(self.forward, self.validation)
        return Trained(self.best_weights, self.position.history, outputs)

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._saved > 60 * self.settings.checkpoint_minutes:
            self.save()

    def save(self) -> None:
        self._saved = time.monotonic()
        if self.checkpoints is not None:
            save_checkpoint(
                self.checkpoints, self.position.total, self._arrays(), asdict(self.position)
            )

    def resume(self) -> None:
        found = load_checkpoint(self.checkpoints) if self.checkpoints is not None else None
        if found is None:
            return
        arrays, position = found
        self.position = Position(**position)
        for name, variable in self._variables().items():
            variable.assign(arrays[name])
        self.best_weights = {k: arrays[f"best/{k}"] for k in self.best_weights}

    def _variables(self) -> dict[str, Any]:
        """Return everything that moves: `model.variables` holds the seeds of dropout too."""
        owners = {"model": self.network.variables, "optimizer": self.optimizer.variables}
        return {f"{owner}/{i}": v for owner, vs in owners.items() for i, v in enumerate(vs)}

    def _arrays(self) -> Arrays:
        moving = {
            name: np.asarray(keras.ops.convert_to_numpy(v.value))
            for name, v in self._variables().items()
        }
        return {**moving, **{f"best/{k}": v for k, v in self.best_weights.items()}}


class _averaged:  # noqa: N801 - used as a function, in a with statement
    """Puts the running average in the place of the weights, and the weights back at the end."""

    def __init__(self, network: keras.Model, optimizer: Any, active: bool) -> None:
        self.variables, self.optimizer, self.active = network.trainable_variables, optimizer, active

    def __enter__(self) -> None:
        if self.active:
            self.moving = [keras.ops.convert_to_numpy(v.value).copy() for v in self.variables]
            self.optimizer.finalize_variable_values(self.variables)

    def __exit__(self, *_: object) -> None:
        if self.active:
            for variable, value in zip(self.variables, self.moving, strict=True):
                variable.assign(value)


def build_optimizer(settings: TrainSettings, steps: int) -> Any:
    """Return the Keras optimizer that settings ask for, its schedule laid over so many steps."""
    schedule = WarmedSchedule(
        settings.learning_rate, steps, round(settings.warmup * steps), settings.schedule
    )
    common = {
        "learning_rate": schedule,
        "weight_decay": settings.weight_decay or None,
        "global_clipnorm": settings.clip_norm or None,
        "use_ema": settings.average > 0,
        "ema_momentum": settings.average,
        "ema_overwrite_frequency": None,
    }
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(momentum=settings.momentum, **common)
    return keras.optimizers.Adam(**common)


def drop_tokens(tokens: NDArray[np.int32], rate: float, seed: tuple[int, ...]) -> NDArray[np.int32]:
    """Return a batch in which a share of the real tokens, drawn by seed, became unknown."""
    if not rate:
        return tokens
    dropped = np.random.default_rng(seed).random(tokens.shape) < rate
    return np.where(dropped & (tokens != PAD), np.int32(UNKNOWN), tokens)


def predict(run: Forward, arrays: TokenArrays) -> NDArray[np.float32]:
    """Return the raw outputs of every text, `(texts, outputs)`, in the order of the arrays."""
    outputs: NDArray[np.float32] | None = None
    for batch in evaluation_batches(arrays, EVALUATION_BATCH):
        answers = run(batch.tokens)
        if outputs is None:
            outputs = np.empty((len(arrays), answers.shape[1]), np.float32)
        outputs[batch.indices] = answers
    assert outputs is not None, "a validation split is never empty"
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
    truth = np.asarray(targets, np.int64)
    counts = np.bincount(truth, minlength=len(task.labels))
    balanced = len(truth) / (len(task.labels) * np.maximum(counts, 1))
    return np.asarray(balanced[truth], np.float32)
