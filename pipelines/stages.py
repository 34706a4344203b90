"""What the stages are: what each reads, what it leaves behind, and the module that does it.

The modules are named, not imported: whether a stage is up to date is found out without TensorFlow.
"""

import importlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipelines.config import Recipe
from pipelines.rundir import RunDirectory
from pipelines.stamp import digests, file_digest, text_digest
from sentiment_lstm.progress import Progress


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    Attributes:
        name: also the name of its command and of its directory.
        sections: of the recipe, which its outputs depend on.
        after: stages whose outputs it reads.
        module: holds `execute(recipe, run, progress)`; imported when the stage runs.
        inputs: digest of each thing it reads, by a name that a person understands.
        outputs: the files that it must leave as they are to be up to date.
        backend: the Keras backend it needs; none where it does not use Keras.
        resumes: what an interrupted run of it goes on from, and `--force` removes.
    """

    name: str
    sections: tuple[str, ...]
    after: tuple[str, ...]
    module: str
    inputs: Callable[[Recipe, RunDirectory], dict[str, str]]
    outputs: Callable[[Recipe, RunDirectory], Iterable[Path]]
    backend: Callable[[Recipe], str | None] = lambda _: None
    resumes: Callable[[RunDirectory], Path | None] = lambda _: None

    def execute(self, recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
        """Do the work in this process."""
        importlib.import_module(self.module).execute(recipe, run, progress)


def _preprocess_inputs(recipe: Recipe, _: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.datasets import open_dataset

    return open_dataset(recipe.data).inputs()


def _train_inputs(recipe: Recipe, run: RunDirectory) -> dict[str, str]:
    """Nothing of test: a change there must not train the model again."""
    arrays = chain.from_iterable(_arrays(run, split) for split in ("train", "validation"))
    summary = json.loads(run.summary.read_text("utf-8"))
    labels = text_digest(json.dumps([summary["task"], summary["labels"]]))
    read = digests(run.path, [run.vocabulary, *arrays]) | {"task and labels": labels}
    vectors = recipe.model.embeddings
    return read | ({vectors: _file_or_none(Path(vectors))} if vectors else {})


def _evaluate_inputs(recipe: Recipe, run: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.bundle import payload_digest

    splits = ["validation", "test", *(["train"] if recipe.evaluate.baseline else [])]
    read = chain.from_iterable([*_arrays(run, split), run.texts(split)] for split in splits)
    return digests(run.path, read) | {"bundle": payload_digest(run.bundle)}


def _export_inputs(_: Recipe, run: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.bundle import payload_digest

    return {"bundle": payload_digest(run.bundle)}


def _file_or_none(path: Path) -> str:
    return file_digest(path) if path.is_file() else "none"


def _arrays(run: RunDirectory, split: str) -> list[Path]:
    from sentiment_lstm.batching import PARTS, part_path

    return [part_path(run.preprocess, split, part) for part in PARTS]


def _tree(directory: Path) -> list[Path]:
    """Return every file below a directory except the stage's own record."""
    return [p for p in directory.rglob("*") if p != directory / "stage.json"]


def _model_files(_: Recipe, run: RunDirectory) -> list[Path]:
    """The model without its card, which the evaluation writes its figures into."""
    card = ("README.md", "manifest.json")
    return [run.history, *(p for p in run.bundle.iterdir() if p.name not in card)]


def _exported(recipe: Recipe, run: RunDirectory) -> list[Path]:
    """One version: others that stand beside it are nobody's business here."""
    return [run.export_summary, *_tree(run.saved_model(recipe.export.version))]


STAGES = (
    Stage(
        name="preprocess",
        sections=("data", "text"),
        after=(),
        module="pipelines.preprocess",
        inputs=_preprocess_inputs,
        outputs=lambda _, run: _tree(run.preprocess),
    ),
    Stage(
        name="train",
        sections=("text", "model", "train"),
        after=("preprocess",),
        module="pipelines.train",
        inputs=_train_inputs,
        outputs=_model_files,
        backend=lambda recipe: recipe.train.backend,
        resumes=lambda run: run.checkpoint,
    ),
    Stage(
        name="evaluate",
        sections=("evaluate",),
        after=("preprocess", "train"),
        module="pipelines.evaluate_model",
        inputs=_evaluate_inputs,
        outputs=lambda _, run: [*_tree(run.evaluate), run.bundle / "README.md"],
    ),
    Stage(
        name="export",
        sections=("export",),
        after=("train",),
        module="pipelines.export",
        inputs=_export_inputs,
        outputs=_exported,
        backend=lambda _: "tensorflow",
    ),
)


def stage_named(name: str) -> Stage:
    """Return the stage of a name.

    Raises:
        KeyError: if there is none.
    """
    return {stage.name: stage for stage in STAGES}[name]
