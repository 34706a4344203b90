"""The pretrain stage: token arrays in, a language model out that the classifier starts from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.config import Recipe
from pipelines.distributed.engine import LOCAL, Engine
from pipelines.rundir import RunDirectory
from pipelines.stamp import file_digest
from pipelines.training_stage import train_stage
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.progress import Progress

if TYPE_CHECKING:
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.pretraining import Pretrained
    from sentiment_lstm.resumable import History, OnEpoch


def execute(
    recipe: Recipe,
    run: RunDirectory,
    progress: Progress,
    max_minutes: float | None = None,
    engine: Engine = LOCAL,
) -> None:
    """Train the language model of a recipe on the run's token arrays, train and unlabelled.

    Raises:
        RunError: if what is to follow the training cannot begin.
        Paused: after `max_minutes`.
    """

    def here(checkpoints: Path, tell: "OnEpoch") -> "History":
        how: dict[str, Any] = {"max_minutes": max_minutes, "progress": progress}
        return pretrain_recipe(recipe, run, checkpoints, on_epoch=tell, **how).history

    train_stage(
        "pretrain", recipe, run, run.pretrain_history, here, max_minutes=max_minutes, engine=engine
    )


def pretrain_recipe(
    recipe: Recipe,
    run: RunDirectory,
    checkpoints: Path,
    *,
    leaves_model: bool = True,
    **how: Any,
) -> "Pretrained":
    """Train the language model of a recipe on the run's token arrays, and leave it.

    Args:
        recipe: what to train.
        run: where the token arrays are, and the model goes.
        checkpoints: of this very training.
        leaves_model: whether it is this process that writes the model.
        how: what else `sentiment_lstm.pretraining.pretrain_network` takes.
    """
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.language_models import write_language_model
    from sentiment_lstm.pretraining import pretrain_network
    from sentiment_lstm.text import Vocabulary

    vocabulary = Vocabulary.load(run.vocabulary)
    trained = pretrain_network(
        _texts(run),
        TokenArrays.load(run.preprocess, "validation"),
        vocabulary_size=len(vocabulary),
        model=recipe.model,
        settings=recipe.pretrain,
        checkpoints=checkpoints,
        **how,
    )
    if leaves_model:
        config = _config(recipe, run, trained)
        write_language_model(run.pretrain, vocabulary, trained.weights, config)
    return trained


def _texts(run: RunDirectory) -> "TokenArrays":
    """Return the texts of train and, where there are some, the unlabelled ones."""
    from sentiment_lstm.batching import TokenArrays, part_path

    splits = ["train", UNLABELLED]
    there = [s for s in splits if part_path(run.preprocess, s, "tokens").exists()]
    return TokenArrays.joined([TokenArrays.load(run.preprocess, split) for split in there])


def _config(recipe: Recipe, run: RunDirectory, trained: "Pretrained") -> dict[str, Any]:
    model, suffix = recipe.section("model"), "_perplexity"
    return {
        **{key: model[key] for key in ("embedding", "units", "directions")},
        "vocabulary": file_digest(run.vocabulary),
        "epochs": len(trained.history),
        "perplexities": {
            key.removesuffix(suffix): value
            for key, value in trained.history[-1].items()
            if key.endswith(suffix)
        },
    }
