"""What the stages are: what each reads, what it leaves behind, and the module that does it.

The modules are named, not imported: whether a stage is up to date is found out without TensorFlow.
"""

import importlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pipelines.config import Recipe, left_out_file, recipe_names
from pipelines.distributed.engine import LOCAL, Engine
from pipelines.rundir import TAUGHT, RunDirectory, export_record
from pipelines.stamp import digests, file_digest, text_digest
from sentiment_lstm.datasets import UNLABELLED
from sentiment_lstm.errors import BundleError
from sentiment_lstm.progress import Progress

# Inputs that are no files: what a stage reads of what another one left.
BUNDLE, TASK = "bundle", "task and labels"
DERIVED = (BUNDLE, TASK)


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    Attributes:
        name: also the name of its command and of its directory.
        sections: of the recipe, which its outputs depend on; `section.key` where it is one key.
        after: stages whose outputs it reads.
        module: holds `execute(recipe, run, progress)`, with `max_minutes` too if it `pauses`;
            imported when the stage runs.
        inputs: digest of each thing it reads, by a name that a person understands.
        outputs: the files that it must leave as they are to be up to date.
        backend: the Keras backend it needs; none where it does not use Keras.
        resumes: what an interrupted run of it goes on from, and `--force` removes.
        pauses: whether it can stop after some minutes, to go on from there.
        distributes: whether a cluster can do it; its module's `execute` then takes an `engine`.
        wanted: whether a recipe has it at all.
        varies: patterns of outputs that no two runs of it leave alike, byte for byte.
    """

    name: str
    sections: tuple[str, ...]
    after: tuple[str, ...]
    module: str
    inputs: Callable[[Recipe, RunDirectory], dict[str, str]]
    outputs: Callable[[Recipe, RunDirectory], Iterable[Path]]
    backend: Callable[[Recipe], str | None] = lambda _: None
    resumes: Callable[[RunDirectory], Path | None] = lambda _: None
    pauses: bool = False
    distributes: bool = False
    wanted: Callable[[Recipe], bool] = lambda _: True
    varies: tuple[str, ...] = ()

    def settings(self, recipe: Recipe) -> dict[str, dict[str, Any]]:
        """Return what the recipe says that the outputs depend on, by section and key."""
        told: dict[str, dict[str, Any]] = {}
        for name in self.sections:
            section, _, key = name.partition(".")
            values = recipe.section(section)
            told.setdefault(section, {}).update({key: values[key]} if key else values)
        return told

    def execute(
        self,
        recipe: Recipe,
        run: RunDirectory,
        progress: Progress,
        max_minutes: float | None = None,
        engine: Engine = LOCAL,
    ) -> None:
        """Do the work in this process, or have a cluster do it if the stage can be distributed.

        Raises:
            Paused: if the stage can, after so many minutes.
        """
        how: dict[str, Any] = {"max_minutes": max_minutes} if self.pauses else {}
        how |= {"engine": engine} if self.distributes else {}
        importlib.import_module(self.module).execute(recipe, run, progress, **how)


def _preprocess_inputs(recipe: Recipe, _: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.datasets import open_dataset

    return open_dataset(recipe.data).inputs()


def _pretrain_inputs(_: Recipe, run: RunDirectory) -> dict[str, str]:
    splits = ("train", "validation", UNLABELLED)
    arrays = chain.from_iterable(_arrays(run, split) for split in splits)
    return digests(run.path, [run.vocabulary, *arrays])


def _pretrains(recipe: Recipe) -> bool:
    return recipe.pretrain.epochs > 0


def _teach_inputs(recipe: Recipe, run: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.batching import part_path
    from sentiment_lstm.bundle import payload_digest

    told = [part_path(run.preprocess, s, "targets") for s in ("train", "validation")]
    texts = map(run.texts, ("train", "validation", UNLABELLED))
    read = digests(run.path, [run.vocabulary, *texts, *told])
    named = {"teach.models": recipe.teach.models, "teach.whole": recipe.teach.whole}
    teachers = {m: _earlier(m, key) for key, models in named.items() for m in models}
    read |= {model: payload_digest(directory) for model, directory in teachers.items()}
    leave_out = recipe.teach.leave_out
    return read | ({leave_out: _file_or_none(left_out_file(leave_out))} if leave_out else {})


def _earlier(name: str, key: str) -> Path:
    """Return the bundle of a model that a key of the recipe names."""
    from sentiment_lstm.bundle import resolve_model

    try:
        return resolve_model(name)
    except BundleError as error:
        recipe = Path(name).name
        if recipe not in recipe_names():
            raise
        raise BundleError(
            f"{key}: {name} is not there: run `sentiment-lstm run {recipe}` first, or name another "
            "model"
        ) from error


def _taught(run: RunDirectory) -> list[Path]:
    from sentiment_lstm.batching import PARTS, part_path

    return [part_path(run.teach, TAUGHT, part) for part in PARTS]


def _train_inputs(recipe: Recipe, run: RunDirectory) -> dict[str, str]:
    """Nothing of test: a change there must not train the model again."""
    splits = ["train", "validation", *([UNLABELLED] if recipe.reads_unlabelled else [])]
    arrays = chain.from_iterable(_arrays(run, split) for split in splits)
    summary = json.loads(run.summary.read_text("utf-8"))
    labels = text_digest(json.dumps([summary["task"], summary["labels"]]))
    start = [run.pretrained_weights] if _pretrains(recipe) else []
    start += _taught(run) if recipe.teaches else []
    read = digests(run.path, [run.vocabulary, *arrays, *start]) | {TASK: labels}
    vectors, language_model = recipe.model.embeddings, recipe.model.start
    read |= {vectors: _file_or_none(Path(vectors))} if vectors else {}
    read |= _classifier(recipe.model.from_model) if recipe.model.from_model else {}
    return read | (_language_model(language_model) if language_model else {})


def _classifier(name: str) -> dict[str, str]:
    """Return the digest of a classifier to start from."""
    from sentiment_lstm.bundle import payload_digest

    return {f"{name} to start from": payload_digest(_earlier(name, "model.from_model"))}


def _language_model(name: str) -> dict[str, str]:
    """Return the digest of a language model to start from."""
    from sentiment_lstm.language_models import ANSWERS, resolve_language_model

    directory = resolve_language_model(name)
    parts = {part: file_digest(directory / part) for part in ANSWERS}
    return {f"{name} {part}": digest for part, digest in parts.items()}


def _evaluate_inputs(recipe: Recipe, run: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.bundle import payload_digest

    splits = ["validation", "test", *(["train"] if recipe.evaluate.baseline else [])]
    read = chain.from_iterable([*_arrays(run, split), run.texts(split)] for split in splits)
    return digests(run.path, read) | {BUNDLE: payload_digest(run.bundle)}


def _export_inputs(_: Recipe, run: RunDirectory) -> dict[str, str]:
    from sentiment_lstm.bundle import payload_digest

    return {BUNDLE: payload_digest(run.bundle)}


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
    """One version of each format: others that stand beside it are nobody's business here."""
    bases = [run.exported(form) for form in recipe.export.formats]
    version = str(recipe.export.version)
    return [path for b in bases for path in (export_record(b), *_tree(b / version))]


STAGES = (
    Stage(
        name="preprocess",
        sections=("data", "text"),
        after=(),
        module="pipelines.preprocess",
        inputs=_preprocess_inputs,
        outputs=lambda _, run: _tree(run.preprocess),
        distributes=True,
    ),
    Stage(
        name="pretrain",
        sections=(
            "pretrain",
            "model.embedding",
            "model.units",
            "model.directions",
            "train.backend",
        ),
        after=("preprocess",),
        module="pipelines.pretrain",
        inputs=_pretrain_inputs,
        outputs=lambda _, run: [
            run.pretrained_weights,
            run.pretrained_config,
            run.pretrained_vocabulary,
            run.pretrained_manifest,
            run.pretrain_history,
        ],
        backend=lambda recipe: recipe.train.backend,
        resumes=lambda run: run.pretrain_checkpoint,
        pauses=True,
        distributes=True,
        wanted=_pretrains,
        varies=("pretrain/history.jsonl",),  # it tells seconds
    ),
    Stage(
        name="teach",
        sections=("teach", "text"),
        after=("preprocess",),
        module="pipelines.teach",
        inputs=_teach_inputs,
        outputs=lambda _, run: [*_taught(run), run.teach_summary],
        wanted=lambda recipe: recipe.teaches,
    ),
    Stage(
        name="train",
        sections=("text", "model", "train"),
        after=("preprocess", "pretrain", "teach"),
        module="pipelines.train",
        inputs=_train_inputs,
        outputs=_model_files,
        backend=lambda recipe: recipe.train.backend,
        resumes=lambda run: run.checkpoint,
        pauses=True,
        distributes=True,
        varies=("train/history.jsonl",),  # it tells seconds
    ),
    Stage(
        name="evaluate",
        sections=("evaluate",),
        after=("preprocess", "train"),
        module="pipelines.evaluate_model",
        inputs=_evaluate_inputs,
        outputs=lambda _, run: [*_tree(run.evaluate), run.bundle / "README.md"],
        backend=lambda recipe: recipe.train.backend,
    ),
    Stage(
        name="export",
        sections=("export",),
        after=("train",),
        module="pipelines.export",
        inputs=_export_inputs,
        outputs=_exported,
        backend=lambda _: "tensorflow",
        # TensorFlow numbers the names of a graph anew, and gives each file of one an identity.
        varies=("*/saved_model.pb", "*/fingerprint.pb", "*/assets.extra/manifest.json"),
    ),
)


# No part of a run: a search for settings, which reads what a training reads.
TUNE = Stage(
    name="tune",
    sections=("text", "model", "train", "tune"),
    after=("preprocess", "pretrain", "teach"),
    module="pipelines.tune",
    inputs=_train_inputs,
    outputs=lambda _, run: [run.best_recipe, run.trials, *run.tune.glob("*.png")],
    backend=lambda recipe: recipe.train.backend,
    resumes=lambda run: run.tune,
    pauses=True,
)


def stage_named(name: str) -> Stage:
    """Return the stage of a name.

    Raises:
        KeyError: if there is none.
    """
    return {stage.name: stage for stage in (*STAGES, TUNE)}[name]
