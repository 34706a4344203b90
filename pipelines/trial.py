"""One trial of a search: a training as any other, judged after every epoch."""

import math
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.config import Recipe
from pipelines.resuming import own_checkpoints
from pipelines.rundir import TrialDirectory
from pipelines.train import train
from sentiment_lstm.progress import Progress

if TYPE_CHECKING:
    from optuna import Trial

T = TypeVar("T")
FIGURES = "figures"  # name under which a trial keeps what its training left


@dataclass(frozen=True)
class Judge:
    """Reports each epoch of a training to the study, and stops one that has no prospect.

    Attributes:
        trial: of the study.
        objective: the figure that counts.
        epochs: of the training; after the last there is nothing left to stop.
        rows: of the history so far.
    """

    trial: "Trial"
    objective: str
    epochs: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, row: dict[str, Any]) -> None:
        """Take the row of an epoch.

        Raises:
            optuna.TrialPruned: if the training is to end here.
        """
        from optuna import TrialPruned

        self.rows.append(row)
        self.trial.report(row[self.objective], row["epoch"])
        diverged = not math.isfinite(row[self.objective])
        if diverged or (row["epoch"] < self.epochs and self.trial.should_prune()):
            raise TrialPruned


def run_trial(
    trial: "Trial",
    recipe: Recipe,
    run: TrialDirectory,
    objective: str,
    progress: Progress,
    max_minutes: float | None,
) -> float | None:
    """Train a recipe, or go on with its training, and keep its figures in the trial.

    Args:
        trial: of the study.
        recipe: with the values that the trial tries.
        run: where it is trained; nothing of it is left there once it has ended.
        objective: the figure that counts.
        progress: shows the steps of an epoch.
        max_minutes: after which it stops, or None.

    Returns:
        The objective of the weights that the training would leave; None if it was stopped early.

    Raises:
        Paused: after `max_minutes`.
    """
    from optuna import TrialPruned

    judge = Judge(trial, objective, recipe.train.epochs)
    try:
        best = _trained(judge, recipe, run, progress, max_minutes)
    except TrialPruned:
        best = None
    _forget(run)
    trial.set_user_attr(FIGURES, _figures(best or judge.rows[-1], judge.rows))
    return None if best is None else float(best[objective])


def _trained(
    judge: Judge,
    recipe: Recipe,
    run: TrialDirectory,
    progress: Progress,
    max_minutes: float | None,
) -> dict[str, Any]:
    """Train, and return the row of the epoch whose weights are kept."""
    from sentiment_lstm.checkpoints import saved_history
    from sentiment_lstm.training import monitored

    checkpoints = own_checkpoints("train", recipe, run)
    for row in saved_history(checkpoints):
        judge(row)
    history = train(recipe, run, checkpoints, progress, max_minutes, judge)
    return min(history, key=lambda row: monitored(row, recipe.train.monitor))


def _figures(row: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of an epoch, and what all of them took."""
    validation = {k: v for k, v in row.items() if k.startswith("validation_")}
    return {**validation, "epochs": len(rows), "seconds": rows[-1]["seconds"]}


def _forget(run: TrialDirectory) -> None:
    """Leave neither files nor graphs of a training: there are many to come."""
    import keras

    shutil.rmtree(run.train, ignore_errors=True)
    keras.utils.clear_session()


def labelled(progress: Progress, prefix: str) -> Progress:
    """Return a progress whose labels begin with a prefix."""

    def show(items: Iterable[T], *, total: int | None, label: str) -> Iterator[T]:
        return progress(items, total=total, label=f"{prefix}, {label}")

    return show
