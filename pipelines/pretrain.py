"""The pretrain stage: token arrays in, a language model out that the classifier starts from."""

from typing import TYPE_CHECKING, Any

from pipelines.config import Recipe
from pipelines.resuming import own_checkpoints, write_history
from pipelines.rundir import RunDirectory
from pipelines.stamp import file_digest
from pipelines.tracking.following import followed
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.progress import Progress

if TYPE_CHECKING:
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.pretraining import Pretrained


def execute(
    recipe: Recipe, run: RunDirectory, progress: Progress, max_minutes: float | None = None
) -> None:
    """Train the language model of a recipe on the run's token arrays, train and unlabelled.

    Raises:
        RunError: if what is to follow the training cannot begin.
        Paused: after `max_minutes`.
    """
    from sentiment_lstm.batching import TokenArrays
    from sentiment_lstm.checkpoints import remove_checkpoints
    from sentiment_lstm.language_models import write_language_model
    from sentiment_lstm.pretraining import pretrain_network
    from sentiment_lstm.text import Vocabulary

    vocabulary = Vocabulary.load(run.vocabulary)
    checkpoints = own_checkpoints("pretrain", recipe, run)
    with followed("pretrain", recipe, run, checkpoints) as tell:
        trained = pretrain_network(
            _texts(run),
            TokenArrays.load(run.preprocess, "validation"),
            vocabulary_size=len(vocabulary),
            model=recipe.model,
            settings=recipe.pretrain,
            checkpoints=checkpoints,
            max_minutes=max_minutes,
            progress=progress,
            on_epoch=tell,
        )
        write_history(run.pretrain_history, trained.history)
    write_language_model(run.pretrain, vocabulary, trained.weights, _config(recipe, run, trained))
    remove_checkpoints(run.pretrain_checkpoint)


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
