"""What a stage that trains does, whatever it trains: resumed, followed, here or on a cluster."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.config import Recipe
from pipelines.distributed.engine import Engine
from pipelines.resuming import own_checkpoints, write_history
from pipelines.rundir import RunDirectory
from pipelines.stages import stage_named
from pipelines.tracking.following import followed

if TYPE_CHECKING:
    from sentiment_lstm.resumable import History, OnEpoch

    # Trains in this process, given where its checkpoints are and whom it tells of an epoch.
    TrainHere = Callable[[Path, OnEpoch], History]


def train_stage(
    name: str,
    recipe: Recipe,
    run: RunDirectory,
    history: Path,
    train_here: "TrainHere",
    *,
    max_minutes: float | None,
    engine: Engine,
) -> None:
    """Train, leave a row an epoch, and take the checkpoints away.

    Args:
        name: of the stage.
        recipe: its settings.
        run: its inputs.
        history: where the rows go.
        train_here: called where one process trains.
        max_minutes: after which a cluster stops.
        engine: where to train.

    Raises:
        RunError: if what is to follow the training cannot begin.
        Paused: after `max_minutes`.
    """
    from sentiment_lstm.checkpoints import remove_checkpoints

    checkpoints = own_checkpoints(name, recipe, run)
    with followed(name, recipe, run, checkpoints) as tell:
        if engine.distributed:
            from pipelines.distributed.training import train_on

            rows = train_on(engine, name, recipe, run, checkpoints, max_minutes, tell)
        else:
            rows = train_here(checkpoints, tell)
        write_history(history, rows)
    everyones = stage_named(name).resumes(run)
    assert everyones is not None, "a stage that trains resumes"
    remove_checkpoints(everyones)
