"""The train stage: token arrays in, a bundle out; killed and resumed exactly."""

import json
import logging
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sentiment_lstm
from pipelines.config import Recipe
from pipelines.rundir import RunDirectory
from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.progress import Progress

log = logging.getLogger(__name__)

# Keys of the data section that name places on the machine: no part of a model that travels.
PATHS = ("dir", "train", "validation", "test")


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Train the network of a recipe on the run's token arrays and leave the bundle.

    Raises:
        DataError: a split holds no text, or the word vectors cannot be used.
    """
    from sentiment_lstm.checkpoints import remove_checkpoints
    from sentiment_lstm.fitting import fit

    checkpoints = own_checkpoints(recipe, run)
    trained = fit(
        _splits(recipe, run),
        run.bundle,
        text=recipe.text,
        model=recipe.model,
        settings=recipe.train,
        checkpoints=checkpoints,
        progress=progress,
        on_epoch=_announce,
    )
    _write_history(run.history, trained.history)
    if recipe.train.tensorboard:
        _write_tensorboard(run.tensorboard, trained.history)
    remove_checkpoints(run.checkpoint)


def _splits(recipe: Recipe, run: RunDirectory) -> Any:
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.fitting import Splits
    from sentiment_lstm.text import Vocabulary

    summary = json.loads(run.summary.read_text("utf-8"))
    return Splits(
        train=TokenArrays.load(run.preprocess, "train"),
        validation=TokenArrays.load(run.preprocess, "validation"),
        vocabulary=Vocabulary.load(run.vocabulary),
        labels=tuple(summary["labels"]),
        task=summary["task"],
        origin={k: v for k, v in recipe.section("data").items() if k not in PATHS},
    )


def own_checkpoints(recipe: Recipe, run: RunDirectory) -> Path:
    """Return where this very training keeps its checkpoints; those of any other are removed.

    A checkpoint of other settings, other data or other versions of what trains would resume into
    something nobody asked for.
    """
    from pipelines.stages import stage_named
    from pipelines.stamp import text_digest
    from sentiment_lstm.checkpoints import remove_checkpoints

    stage = stage_named("train")
    told = {name: asdict(getattr(recipe, name)) for name in stage.sections}
    versions = [sentiment_lstm.__version__, version("keras")]
    identity = text_digest(json.dumps([told, stage.inputs(recipe, run), versions], sort_keys=True))[
        :16
    ]
    if run.checkpoint.is_dir():
        for other in run.checkpoint.iterdir():
            if other.name != identity:
                remove_checkpoints(other)
    return run.checkpoint / identity


def _announce(row: dict[str, Any]) -> None:
    figures = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in row.items()
               if name not in ("epoch", "seconds")]  # fmt: skip
    log.info("epoch %d: %s (%.0f s)", row["epoch"], ", ".join(figures), row["seconds"])


def _write_history(path: Path, history: list[dict[str, Any]]) -> None:
    with replaced_file(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history), "utf-8")


def _write_tensorboard(directory: Path, history: list[dict[str, Any]]) -> None:
    import tensorflow as tf

    shutil.rmtree(directory, ignore_errors=True)
    with tf.summary.create_file_writer(str(directory)).as_default():
        for row in history:
            for name, value in row.items():
                tf.summary.scalar(name, value, step=row["epoch"])
