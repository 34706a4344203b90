"""Training on sequences that never come twice, until a task is learnt or the budget is spent.

Every network gets the same step: Adam (Kingma & Ba 2015), a cosine for its rate, the gradient
clipped by its norm (Pascanu, Mikolov & Bengio 2013) or not. A network is compiled once and trained
from several seeds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.compared_nets import build_layer
from sentiment_lstm.gradient_flow import Flow, lstm_flow, rnn_flow
from sentiment_lstm.losses import loss_for
from sentiment_lstm.memory_tasks import TASKS, Criterion, Sequences
from sentiment_lstm.steps import forward
from sentiment_lstm.trials import CURVE, Trial

TESTED = 2560  # fresh sequences at the end, as many as in the paper
TEST_BATCH = 256
# A step's gradient has exploded if its norm is so many times the median of so many steps before.
EXPLODES, WINDOW = 10.0, 50


@dataclass
class _Record:
    """What the steps of one run have shown."""

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def finite(self) -> bool:
        return math.isfinite(self.losses[-1]) and math.isfinite(self.norms[-1])

    def figures(self) -> dict[str, Any]:
        """Return the figures; of a run that ended in numbers that are none, up to there."""
        broke = not self.finite()
        losses, norms = (v[:-1] if broke else v for v in (self.losses, self.norms))
        return {
            "steps": len(self.losses),
            "broke": broke,
            "curve": [float(np.mean(losses[n : n + CURVE])) for n in range(0, len(losses), CURVE)],
            "loss": None if broke else float(np.mean(losses[-2 * CURVE :])),
            "largest_norm": max(norms, default=0.0),
            "exploded": exploded(norms) + broke,
        }


def exploded(norms: Sequence[float]) -> int:
    """Count the steps whose gradient's norm is 10 times the median of the 50 before, or more."""
    if len(norms) <= WINDOW:
        return 0
    medians = np.median(np.lib.stride_tricks.sliding_window_view(norms[:-1], WINDOW), axis=1)
    return int(np.sum(np.array(norms[WINDOW:]) >= EXPLODES * medians))


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train from every seed and return the figures, ready for JSON.

    Returns:
        `parameters` of the recurrent layer, and `runs`, for each seed:
        `learnt_at`, the step at which the task was learnt, or None; `wrong`, how many of `TESTED`
        fresh sequences are answered wrongly at the end; `steps` taken; `loss`, the mean over the
        last 100 steps, None where it `broke` (was infinite or no number); `curve`, means over 50
        steps; `largest_norm` of the gradient before it is clipped; how often it `exploded`, the
        break counted; and, with `flow`, `before` and `after`, each the norms by `h` and by `c`
        (see `gradient_flow`).
    """
    trained = _Trained(trial)
    runs = [trained.run(seed) for seed in range(trial.seeds)]
    return {"parameters": trial.net.parameters(TASKS[trial.task].features), "runs": runs}


class _Trained:
    """One network of a trial, compiled once."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.task = trial, TASKS[trial.task]
        self.model, self.layer = self._build(0)
        schedule = keras.optimizers.schedules.CosineDecay(trial.learning_rate, trial.steps)
        self.optimizer = keras.optimizers.Adam(schedule, global_clipnorm=trial.clip or None)
        self.optimizer.build(self.model.trainable_variables)
        loss = loss_for(self.task.kind, self.task.outputs, 0.0)
        whole = trial.net.kind == "rnn"
        self.step = compiled_step(self.model, self.optimizer, loss, whole=whole)
        self.answers = forward(self.model)

    def _build(self, seed: int) -> tuple[Any, Any]:
        time = self.task.longest(self.trial.lag)
        inputs = keras.Input((time, self.task.features))
        keep = keras.Input((time,), dtype="bool")
        layer = build_layer(self.trial.net, seed)
        initial = keras.initializers.GlorotUniform(seed + 1000)
        head = keras.layers.Dense(self.task.outputs, kernel_initializer=initial)
        return keras.Model([inputs, keep], head(layer(inputs, mask=keep))), layer

    def _restart(self, seed: int) -> None:
        self.model.set_weights(self._build(seed)[0].get_weights())
        for variable in self.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))

    def run(self, seed: int) -> dict[str, Any]:
        """Train from one seed; see `run_trial`."""
        self._restart(seed)
        random = np.random.default_rng(seed)
        shown = self.task.draw(random, self.trial.batch, self.trial.lag)
        before = self._flow(shown)
        record, learnt_at = self._learn(random)
        tested = {"learnt_at": learnt_at, "wrong": self._wrong(random), **record.figures()}
        return tested | ({"before": before, "after": self._flow(shown)} if before else {})

    def _learn(self, random: np.random.Generator) -> tuple[_Record, int | None]:
        record, criterion, learnt_at = _Record(), Criterion(self.task), None
        for step in range(1, self.trial.steps + 1):
            drawn = self.task.draw(random, self.trial.batch, self.trial.lag)
            loss, norm, outputs = self.step(drawn)
            record.losses.append(loss)
            record.norms.append(norm)
            if not record.finite():
                break
            if learnt_at is None and criterion.met(outputs, drawn.targets):
                learnt_at = step
            if learnt_at is not None and self.trial.stops:
                break
        return record, learnt_at

    def _wrong(self, random: np.random.Generator) -> int:
        """Count the fresh sequences that are answered wrongly."""
        wrong = 0
        for _ in range(TESTED // TEST_BATCH):
            drawn = self.task.draw(random, TEST_BATCH, self.trial.lag)
            outputs = self.answers([drawn.inputs, drawn.keep])
            right = self.task.right(self.task.errors(outputs, drawn.targets))
            wrong += int(np.count_nonzero(~right))
        return wrong

    def _flow(self, shown: Sequences) -> dict[str, list[float]]:
        """Return the norms of the gradient back in time, or nothing where it is not followed."""
        weights: Sequence[NDArray[Any]] = self.layer.get_weights()
        if not self.trial.flow or not all(np.isfinite(w).all() for w in weights):
            return {}
        follow: Callable[..., Flow] = rnn_flow if self.trial.net.kind == "rnn" else lstm_flow
        return follow(weights, shown.inputs, shown.keep, self.trial.lag)._asdict()


def compiled_step(
    model: Any, optimizer: Any, loss: Callable[..., Any], *, whole: bool
) -> Callable[[Sequences], tuple[float, float, NDArray[np.float32]]]:
    """Return a function that moves the weights by one batch.

    It returns the loss, the gradient's norm before it is clipped, and the outputs before the step.

    Args:
        model: takes inputs and what of them to keep.
        optimizer: built for its variables.
        loss: of `sentiment_lstm.losses`.
        whole: compile all of it by XLA, for layers that XLA can take up; else the LSTM runs as
            `sentiment_lstm.bptt` and XLA has the update.
    """
    import tensorflow as tf

    variables = model.trainable_variables
    update = compiled_update(optimizer, variables, whole=whole)

    def step(inputs: Any, keep: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = model([inputs, keep], training=True)
            value = loss(targets, outputs, tf.ones_like(targets))
        return value, update(tape.gradient(value, variables)), outputs

    graph = tf.function(step, jit_compile=whole)

    def run(drawn: Sequences) -> tuple[float, float, NDArray[np.float32]]:
        value, norm, outputs = graph(drawn.inputs, drawn.keep, drawn.targets)
        return float(value), float(norm), np.asarray(outputs)

    return run


def compiled_update(optimizer: Any, variables: Any, *, whole: bool) -> Callable[[Any], Any]:
    """Return a function that moves variables by their gradients and returns the gradients' norm.

    `whole` is for a caller that XLA compiles already.
    """
    import tensorflow as tf

    def update(gradients: Any) -> Any:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return tf.linalg.global_norm(gradients)

    moved = update if whole else tf.function(update, jit_compile=True)
    # Of an embedding they are sparse, which XLA does not take.
    return lambda gradients: moved([tf.convert_to_tensor(g) for g in gradients])
