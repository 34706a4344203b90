"""The train stage: token arrays in, a bundle out; killed and resumed exactly."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.config import Recipe
from pipelines.distributed.engine import LOCAL, Engine
from pipelines.rundir import TAUGHT, RunDirectory
from pipelines.training_stage import train_stage
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.resumable import History, OnEpoch
    from sentiment_lstm.training import Trained

# Keys of the data section that name places on the machine: no part of a model that travels.
PATHS = ("dir", "train", "validation", "test", "unlabelled")


def execute(
    recipe: Recipe,
    run: RunDirectory,
    progress: Progress,
    max_minutes: float | None = None,
    engine: Engine = LOCAL,
) -> None:
    """Train the network of a recipe on the run's token arrays and leave the bundle.

    Raises:
        DataError: a split holds no text, or the word vectors cannot be used.
        RunError: if what is to follow the training cannot begin.
        Paused: after `max_minutes`.
    """

    def here(checkpoints: Path, tell: "OnEpoch") -> "History":
        return train(recipe, run, checkpoints, progress, max_minutes, tell)

    train_stage("train", recipe, run, run.history, here, max_minutes=max_minutes, engine=engine)


def train(
    recipe: Recipe,
    run: RunDirectory,
    checkpoints: Path,
    progress: Progress,
    max_minutes: float | None,
    on_epoch: "OnEpoch",
) -> "History":
    """Train as `execute` does, and leave the bundle and the checkpoints.

    Args:
        recipe: what to train.
        run: where the token arrays are, and the bundle goes.
        checkpoints: of this very training.
        progress: shows the steps of an epoch.
        max_minutes: after which it stops.
        on_epoch: called with each new row of the history; what it raises ends the training.

    Returns:
        A row an epoch, those of before an interruption too.
    """
    how: dict[str, Any] = {"max_minutes": max_minutes, "progress": progress, "on_epoch": on_epoch}
    return fit_recipe(recipe, run, checkpoints, **how).history


def fit_recipe(
    recipe: Recipe,
    run: RunDirectory,
    checkpoints: Path,
    *,
    leaves_model: bool = True,
    **how: Any,
) -> "Trained":
    """Train the network of a recipe on the run's token arrays.

    Args:
        recipe: what to train.
        run: where the token arrays are, and the bundle goes.
        checkpoints: of this very training.
        leaves_model: whether it is this process that writes the bundle.
        how: what else `sentiment_lstm.fitting.fit` takes.
    """
    from sentiment_lstm.made_aside import made_aside

    compiled = recipe.train.backend != "jax"  # which makes its own code
    with made_aside(recipe.train.precision, recipe.model.units) if compiled else nullcontext():
        from sentiment_lstm.fitting import fit

        return fit(
            _splits(recipe, run),
            run.bundle if leaves_model else None,
            text=recipe.text,
            model=recipe.model,
            settings=recipe.train,
            pretrained=_pretrained(recipe, run),
            checkpoints=checkpoints,
            **how,
        )


def _splits(recipe: Recipe, run: RunDirectory) -> Any:
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.fitting import Splits
    from sentiment_lstm.text import Vocabulary

    summary = json.loads(run.summary.read_text("utf-8"))
    return Splits(
        train=_train(recipe, run),
        validation=TokenArrays.load(run.preprocess, "validation"),
        vocabulary=Vocabulary.load(run.vocabulary),
        labels=tuple(summary["labels"]),
        task=summary["task"],
        origin={k: v for k, v in recipe.section("data").items() if k not in PATHS},
        unlabelled=_unlabelled(recipe, run),
    )


def _train(recipe: Recipe, run: RunDirectory) -> "TokenArrays":
    """Return the texts of train and, where teachers labelled others, those."""
    from sentiment_lstm.batching import TokenArrays

    train = TokenArrays.load(run.preprocess, "train")
    if not recipe.teaches:
        return train
    return TokenArrays.joined([train, TokenArrays.load(run.teach, TAUGHT)])


def _unlabelled(recipe: Recipe, run: RunDirectory) -> "TokenArrays | None":
    from sentiment_lstm.batching import TokenArrays

    return TokenArrays.load(run.preprocess, UNLABELLED) if recipe.reads_unlabelled else None


def _pretrained(recipe: Recipe, run: RunDirectory) -> "Mapping[str, NDArray[np.float32]] | None":
    """Return the language model's weights, or None without one."""
    if not recipe.pretrain.epochs:
        return None
    from safetensors.numpy import load_file

    return load_file(run.pretrained_weights)
