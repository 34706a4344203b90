"""What a run has to show: the lines that commands print on standard output."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines.config import Recipe
from pipelines.rundir import SAVED_MODEL, RunDirectory, export_record

TITLES = {SAVED_MODEL: "SavedModel", "onnx": "ONNX", "litert": "LiteRT", "keras": "Keras"}


def stage_results(stage: str, recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    """Yield the lines that tell what a finished stage has made."""
    tell: dict[str, Callable[[Recipe, RunDirectory], Iterator[str]]] = {
        "preprocess": _preprocessed,
        "pretrain": _pretrained,
        "teach": _taught,
        "train": _trained,
        "evaluate": _evaluated,
        "export": _exported,
        "tune": _searched,
    }
    return tell[stage](recipe, run)


def _preprocessed(_: Recipe, run: RunDirectory) -> Iterator[str]:
    from pipelines.summary import describe

    yield from describe(_json(run.summary))


def _pretrained(recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    if recipe.pretrain.epochs:
        figures = _json(run.pretrained_config)["perplexities"]
        told = ", ".join(f"{direction} {value:.1f}" for direction, value in figures.items())
        yield f"language    {run.pretrain}: perplexity {told}"


def _taught(recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    for name, figures in _json(run.teach_summary).items() if recipe.teaches else ():
        accuracy, loss = figures["validation_accuracy"], figures["validation_loss"]
        yield f"teacher     {name}: validation accuracy {accuracy:.4f}, loss {loss:.4f}"


def _trained(_: Recipe, run: RunDirectory) -> Iterator[str]:
    yield f"model       {run.bundle}"


def _evaluated(_: Recipe, run: RunDirectory) -> Iterator[str]:
    from pipelines.evaluate import metrics_table

    yield metrics_table(_json(run.metrics))
    yield f"report      {run.report}"


def _exported(recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    for form in recipe.export.formats:
        yield export_line(run.exported(form), form, recipe.export.version)


def export_line(base: Path, form: str, version: int) -> str:
    """Return what was exported and where: of a file, also its size and how it was verified."""
    where = f"{TITLES[form]:<12}{base / str(version)}"
    if form == SAVED_MODEL:
        return where
    record = _json(export_record(base))
    told = [
        f"{where}: {record['bytes'] / 1e6:.1f} MB",
        f"{record['texts']} texts answered in a fresh process",
        f"largest difference {max(record['largest_difference'].values()):.1e}",
    ]
    if "loss" in record:
        lost = record["loss"]
        told.append(
            f"its 8 bits change an answer by {lost['largest_difference']:.4f} at most and "
            f"{lost['other_labels']} of the labels"
        )
    return ", ".join(told)


def _searched(recipe: Recipe, run: RunDirectory) -> Iterator[str]:
    from pipelines.tuned import search_results

    yield from search_results(recipe, run)


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
