"""A training that trackers follow, whatever becomes of them.

What cannot be tracked at all is told before anything is trained. Later on a tracker that fails
costs a warning: its figures wait, and are offered again after the next epoch.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sentiment_lstm
from pipelines.config import SECTIONS, Recipe
from pipelines.resuming import announce_epoch
from pipelines.rundir import RunDirectory, RunError
from pipelines.tracking.mlflow import MlflowTracker, shown
from pipelines.tracking.tensorboard import TensorBoardTracker
from pipelines.tracking.tracker import Subject, Tracker
from sentiment_lstm.errors import SettingsError

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

KINDS: dict[str, Callable[[Subject], Tracker]] = {
    "tensorboard": TensorBoardTracker,
    "mlflow": MlflowTracker,
}
FOLLOWED = ("pretrain", "train", "evaluate")  # stages that have something to track
RECORD = "tracked.json"  # below the checkpoints: with them it goes, and is found again
UNTOLD = ("track", "tune")  # sections that say nothing of a training
REASON = 200  # characters of what a library says


def require_trackers(recipe: Recipe) -> None:
    """See that the packages of the trackers that a recipe asks for are there.

    Raises:
        SettingsError: naming the one that is not, and how to get it.
    """
    for name in recipe.trackers:
        if find_spec(name) is None:
            raise SettingsError(
                f"--track {name} needs {name}, which is not installed: "
                f"pip install 'sentiment-lstm[{name}]'"
            )


@contextmanager
def followed(
    stage: str, recipe: Recipe, run: RunDirectory, checkpoints: Path
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield what is to be called with each new row of a training's history.

    It tells people of the row, and every tracker of the recipe. One that is new to a training
    which goes on is told of the earlier epochs first.

    Args:
        stage: that trains.
        recipe: its settings.
        run: where it is done.
        checkpoints: of this very training.

    Raises:
        RunError: if a tracker cannot begin.
    """
    record, ended = checkpoints / RECORD, run.tracked(stage)
    ended.unlink(missing_ok=True)  # that of an earlier training
    followers = _followers(stage, recipe, run, record)
    rows = _saved_rows(checkpoints) if followers else []
    begun: list[_Follower] = []
    finished = False
    try:
        for follower in followers:
            follower.begin(rows)
            begun.append(follower)
        yield lambda row: _tell(begun, row)
        finished = True
    finally:
        for follower in begun:
            follower.end(finished=finished)
    if record.is_file():
        record.replace(ended)


def follow_evaluation(
    recipe: Recipe, run: RunDirectory, rows: Sequence[Row], metrics: Mapping[str, Any]
) -> None:
    """Tell the trackers of a recipe what a model reaches on test; one that fails is a warning.

    Args:
        recipe: its settings.
        run: where the model was trained.
        rows: the history of its training, for a tracker that has not followed it.
        metrics: of the evaluation.
    """
    from sentiment_lstm.metrics import MEASURES

    named = {measure.key: metrics.get(measure.key) for measure in MEASURES[metrics["task"]]}
    figures = {f"test_{key}": v for key, v in named.items() if v is not None}
    for follower in _followers("train", recipe, run, run.tracked("train")):
        follower.add(rows, figures)


def _followers(stage: str, recipe: Recipe, run: RunDirectory, record: Path) -> "list[_Follower]":
    subject = Subject(
        title=recipe.name if stage == "train" else f"{recipe.name} {stage}",
        parameters=_parameters(recipe),
        notes={
            "run_directory": str(run.path.resolve()),
            "stage": stage,
            "sentiment_lstm": sentiment_lstm.__version__,
        },
        record=record,
        events=run.events(stage),
    )
    return [_Follower(name, KINDS[name](subject)) for name in recipe.trackers]


def _parameters(recipe: Recipe) -> dict[str, Any]:
    told = {name: recipe.section(name) for name in SECTIONS if name not in UNTOLD}
    return {f"{name}.{key}": v for name, section in told.items() for key, v in section.items()}


def _saved_rows(checkpoints: Path) -> list[dict[str, Any]]:
    from sentiment_lstm.checkpoints import saved_history

    return saved_history(checkpoints)


def _tell(followers: "Sequence[_Follower]", row: dict[str, Any]) -> None:
    announce_epoch(row)
    for follower in followers:
        follower.tell([row])


class _Follower:
    """Keeps a tracker up to date, and its failures from the training."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self._name, self._tracker = name, tracker
        self._waiting: list[Row] = []
        self._warned = False

    def begin(self, rows: Sequence[Row]) -> None:
        """Open the tracker and tell it what is behind the training.

        Raises:
            RunError: if it does not take that.
        """
        try:
            self._tracker.open()
            self._waiting += rows
            self._hand_over()
        except Exception as error:  # a library's own, of which there are many kinds
            raise RunError(
                f"{self._name} does not take the figures ({_reason(error)}): make it reachable, "
                f"or leave --track {self._name} out"
            ) from error

    def tell(self, rows: Sequence[Row]) -> None:
        """Hand on new rows, and those before them that it has not taken."""
        self._waiting += rows
        self._safely(self._hand_over)

    def end(self, *, finished: bool) -> None:
        """Let the tracker go."""
        self._safely(lambda: self._tracker.close(finished=finished))

    def add(self, rows: Sequence[Row], figures: Mapping[str, float]) -> None:
        """Open the tracker, have it hold a whole history, and log figures of its end."""

        def work() -> None:
            self._tracker.open()
            self._waiting += rows
            self._hand_over()
            self._tracker.log(figures, rows[-1]["epoch"])
            self._tracker.close(finished=True)

        self._safely(work)

    def _hand_over(self) -> None:
        there = self._tracker.steps()
        for row in self._waiting:
            if row["epoch"] not in there:
                figures = {name: value for name, value in row.items() if name != "epoch"}
                self._tracker.log(figures, row["epoch"])
        self._waiting.clear()

    def _safely(self, work: Callable[[], None]) -> None:
        """Do what may fail: a training that took hours must not end with its tracker."""
        try:
            work()
        except Exception as error:
            if not self._warned:
                log.warning(
                    "%s does not take the figures (%s): the work goes on without, and they stand "
                    "in the run directory",
                    self._name,
                    _reason(error),
                )
            self._warned = True


def _reason(error: Exception) -> str:
    lines = shown(str(error)).splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= REASON else f"{lines[0][:REASON]}…"
