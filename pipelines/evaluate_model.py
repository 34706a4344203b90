"""Evaluation of a model: of a run's own, which is a stage, and of any on labelled texts."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.config import Recipe, load_section
from pipelines.evaluate import METRICS, PREDICTIONS, REPORT, Outcome, evaluate_predictions
from pipelines.json_lines import json_lines
from pipelines.labelled import Labelled, labelled_file, labelled_split
from pipelines.logs import native_messages_held_back
from pipelines.padding import padding_figures, padding_told
from pipelines.rundir import TAUGHT, RunDirectory
from pipelines.tracking.following import follow_evaluation
from pipelines.train import PATHS
from sentiment_lstm.atomic import replaced_directory
from sentiment_lstm.baseline import fit_baseline
from sentiment_lstm.batching import TokenArrays
from sentiment_lstm.bundle import model_card, read_card, update_card
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.card import decision_of, with_decision
from sentiment_lstm.classifier import SentimentClassifier
from sentiment_lstm.errors import DataError, SettingsError
from sentiment_lstm.progress import Progress
from sentiment_lstm.text import Encoder

# What the model's card tells of each set of figures that it shows.
CARD_FIGURES = ("accuracy", "f1", "roc_auc", "log_loss", "ece", "rmse", "mae", "r2", "spearman")

# What an evaluation leaves, beside pictures.
OUTPUTS = {METRICS, PREDICTIONS, REPORT}


def execute(recipe: Recipe, run: RunDirectory, progress: Progress) -> None:
    """Measure the run's model on its test split, and state the figures in the model's card.

    Raises:
        DataError: when the test split holds no text, or an answer is not finite.
    """
    classifier = SentimentClassifier.load(run.bundle)
    test = TokenArrays.load(run.preprocess, "test")
    outcome = replace(
        _outcome(classifier, test, _texts(run, "test"), progress),
        title=recipe.name,
        history=list(json_lines(run.history)),
        baseline=_baseline(run) if recipe.evaluate.baseline else None,
        padding=padding_figures(run),
    )
    with replaced_directory(run.evaluate) as directory:
        metrics = evaluate_predictions(directory, outcome)
    card = model_card(classifier.config, _card_figures(recipe, run, metrics))
    update_card(run.bundle, with_decision(card, decision_of(read_card(run.bundle))))
    follow_evaluation(recipe, run, outcome.history, metrics)


def evaluate_model(
    model: str,
    labelled: Path | None,
    *,
    overrides: Sequence[str],
    output: Path | None,
    progress: Progress,
) -> dict[str, Any]:
    """Measure any model and return its figures, as `evaluate_predictions` does.

    Args:
        model: as `sentiment_lstm.bundle.resolve_model` takes it.
        labelled: a file of labelled texts; by default the test split of the data set that the
            model was trained on.
        overrides: of the data section that the model was trained with.
        output: where to leave the report and what belongs to it; nowhere by default. What an
            earlier evaluation left there is replaced.
        progress: shows how far it is.

    Raises:
        BundleError: if there is no such model.
        DataError: if there are no labelled texts, or their labels are not the model's.
        SettingsError: if `output` holds anything but an earlier evaluation.
    """
    classifier = SentimentClassifier.load(model)
    config = classifier.config
    target = None if output is None else _free(output)
    if labelled is None:
        found = _own_split(model, config, overrides, progress)
    else:
        found = _of_file(labelled, config, overrides)
    encode = Encoder(classifier.vocabulary, config.max_tokens, config.head_tokens)
    encoded = [encode(t) for t in progress(found.texts, total=len(found.texts), label="encode")]
    outcome = _outcome(classifier, TokenArrays.of(encoded, found.targets), found.texts, progress)
    with _directory(target) as directory:
        return evaluate_predictions(Path(directory), replace(outcome, title=model))


def _of_file(path: Path, config: BundleConfig, overrides: Sequence[str]) -> Labelled:
    """Read a labelled file; of the data section, the names of the columns alone matter."""
    columns = {key: value for key, value in config.data.items() if key in ("text", "label")}
    stated = {"source": "files", "train": str(path), **columns}
    return labelled_file(path, load_section("data", stated, overrides), config)


def _own_split(
    model: str, config: BundleConfig, overrides: Sequence[str], progress: Progress
) -> Labelled:
    """Read the test split of the data that the model was trained on.

    Where on this machine its data stand is for whoever runs it to say, and not for the model:
    one that came from elsewhere would choose files to be read.
    """
    told = {key: value for key, value in config.data.items() if key not in PATHS}
    if not told:
        raise DataError(f"{model} does not say what data it came with: give --input FILE")
    changed = {override.partition("=")[0].strip() for override in overrides}
    own = told.get("source") == "files"
    if own and not {"data.train", "data.source"} & changed:
        raise DataError(
            "this model came from your own files: give --input FILE, or --set data.train=… "
            "(and data.test=… where there was a file for it)"
        )
    data = load_section("data", told, overrides)
    with native_messages_held_back():  # reading IMDB imports TensorFlow
        return labelled_split(data, config, progress)


def _free(output: Path) -> Path:
    """Return the absolute path of a directory that may be replaced.

    Raises:
        SettingsError: if it holds anything but an earlier evaluation.
    """
    target = output.resolve()
    found = {entry.name for entry in target.iterdir()} if target.exists() else set()
    foreign = {name for name in found - OUTPUTS if not name.endswith(".png")}
    if foreign or (found and METRICS not in found):
        raise SettingsError(f"{output} holds other files: name an empty or a new directory")
    return target


def _directory(output: Path | None) -> AbstractContextManager[Path | str]:
    return TemporaryDirectory() if output is None else replaced_directory(output)


def _outcome(
    classifier: SentimentClassifier, arrays: TokenArrays, texts: Sequence[str], progress: Progress
) -> Outcome:
    """Let the model answer for every text of the arrays."""
    config = classifier.config
    ids = (arrays[i] for i in range(len(arrays)))
    shown = progress(ids, total=len(arrays), label="evaluate")
    logits = np.asarray(classifier.logits_of_ids(shown), np.float64)
    if config.task == "regression":
        logits = logits * config.target_scale + config.target_mean
    return Outcome(
        task=config.task,
        labels=config.labels,
        targets=np.asarray(arrays.targets),
        logits=logits,
        lengths=arrays.lengths,
        texts=texts,
        temperature=config.temperature,
        threshold=config.threshold,
        abstain=config.abstain,
    )


def _baseline(run: RunDirectory) -> NDArray[np.float64]:
    """Fit the bag of words on train and return what it says of test."""
    train = TokenArrays.load(run.preprocess, "train")
    summary = json.loads(run.summary.read_text("utf-8"))
    task, classes = summary["task"], len(summary["labels"]) or None
    fitted = fit_baseline(
        json_lines(run.texts("train")), np.asarray(train.targets), task, classes=classes
    )
    test = json_lines(run.texts("test"))
    return fitted.predict(test) if task == "regression" else fitted.probabilities(test)


def _card_figures(recipe: Recipe, run: RunDirectory, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the card tells: sizes, validation at the epoch that was kept, test, baseline."""
    sizes = {
        f"texts of {split}": len(TokenArrays.load(run.preprocess, split))
        for split in ("train", "validation", "test")
    }
    if recipe.teaches:
        sizes["texts taught"] = len(TokenArrays.load(run.teach, TAUGHT))
    history = list(json_lines(run.history))
    figures = {**sizes, "epochs trained": len(history), **_best(recipe, history)}
    figures["test"] = _shown(metrics)
    if metrics["baseline"]:
        figures["test of a bag of words"] = _shown(metrics["baseline"])
    return figures | padding_told(metrics["padding"])


def _best(recipe: Recipe, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the validation figures of the epoch whose weights were kept, as training saw them."""

    def rank(row: Mapping[str, Any]) -> float:
        by_accuracy = recipe.train.monitor == "accuracy" and "validation_accuracy" in row
        return float(-row["validation_accuracy"] if by_accuracy else row["validation_loss"])

    best = min(history, key=rank)
    return {key: value for key, value in best.items() if key.startswith("validation_")}


def _shown(metrics: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: metrics[key] for key in CARD_FIGURES if metrics.get(key) is not None}
    if decided := metrics.get("decided"):
        shown["decided"] = {key: decided[key] for key in ("coverage", "accuracy")}
    return shown


def _texts(run: RunDirectory, split: str) -> list[str]:
    return list(json_lines(run.texts(split)))
