"""What both stages that train share: whose checkpoints are whose, and what is told of an epoch."""

import json
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sentiment_lstm
from pipelines.config import Recipe
from pipelines.rundir import RunDirectory
from pipelines.stages import stage_named
from pipelines.stamp import text_digest
from sentiment_lstm.atomic import replaced_file

log = logging.getLogger(__name__)


def own_checkpoints(name: str, recipe: Recipe, run: RunDirectory) -> Path:
    """Return where this very training keeps its checkpoints, beside those of others.

    A checkpoint of other settings, other data or other versions of what trains would resume into
    something nobody asked for. It may hold many hours of work all the same, and whoever takes the
    settings back finds it; the stage that ends removes all.

    Args:
        name: of the stage that trains.
        recipe: its settings.
        run: its inputs.
    """
    directory = stage_named(name).resumes(run)
    assert directory is not None, "a stage that trains resumes"
    own = directory / identity(name, recipe, run)
    if directory.is_dir() and not own.is_dir() and any(directory.iterdir()):
        log.warning(
            "%s starts anew: what was begun in %s is of other settings, data or versions",
            name,
            directory,
        )
    return own


def identity(name: str, recipe: Recipe, run: RunDirectory) -> str:
    """Return what tells the work of a stage from that of other settings, data or versions."""
    stage = stage_named(name)
    versions = [sentiment_lstm.__version__, version("keras")]
    told = [stage.settings(recipe), stage.inputs(recipe, run), versions]
    return text_digest(json.dumps(told, sort_keys=True))[:16]


def announce_epoch(row: dict[str, Any]) -> None:
    """Tell of an epoch in one line."""
    figures = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in row.items()
               if name not in ("epoch", "seconds")]  # fmt: skip
    log.info("epoch %d: %s (%.0f s)", row["epoch"], ", ".join(figures), row["seconds"])


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the rows of a history, one JSON object a line."""
    with replaced_file(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history), "utf-8")
