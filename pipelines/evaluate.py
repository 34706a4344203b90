"""The evaluate stage: from what the model said of the test split to figures, pictures, report."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.baseline import NAMES
from sentiment_lstm.bundle_config import UNSURE
from sentiment_lstm.calibration import probabilities
from sentiment_lstm.metrics import (
    MEASURES,
    accuracy_by_length,
    classification_metrics,
    decided_metrics,
    formatted,
    margins,
    number,
    probability_losses,
    regression_metrics,
    verdicts,
)
from sentiment_lstm.report import Mistake, Picture, write_report

METRICS, PREDICTIONS, REPORT = "metrics.json", "predictions.jsonl", "report.html"
MISTAKES = 20  # shown in the report
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """What a model, and the baseline where there is one, said of the n texts of a test split.

    Attributes:
        task: "classification" or "regression".
        labels: the C label names; empty for a regression.
        targets: `(n,)` integer classes, or true values.
        logits: `(n,)` for two labels or `(n, C)`, before temperature scaling; for a regression
            the predicted values `(n,)` in the units of the targets.
        lengths: `(n,)` tokens of each text.
        texts: the n texts.
        temperature: what logits are divided by, fitted on validation.
        threshold: least probability of the second of two labels for that verdict.
        abstain: margin below which a text is left undecided.
        history: a row an epoch of training (see `plots.learning_curves`).
        baseline: `(n, C)` probabilities of the baseline, or its values `(n,)`.
        seed: of the bootstrap.
        title: heading of the report.
        padding: what padding changes of answers, where that was measured (`padding_figures`).
    """

    task: str
    labels: tuple[str, ...]
    targets: NDArray[Any]
    logits: NDArray[Any]
    lengths: NDArray[Any]
    texts: Sequence[str]
    temperature: float = 1.0
    threshold: float = 0.5
    abstain: float = 0.0
    history: Sequence[Mapping[str, Any]] = ()
    baseline: NDArray[Any] | None = None
    seed: int = 0
    title: str = "Evaluation"
    padding: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Judged:
    """One task's part of an evaluation, ready to be written."""

    metrics: dict[str, Any]
    rows: Iterable[Mapping[str, Any]]
    plots: Sequence[Any]
    mistakes: Sequence[Mistake]


def evaluate_predictions(directory: Path, outcome: Outcome) -> dict[str, Any]:
    """Write metrics.json, predictions.jsonl, the pictures and report.html; return the metrics.

    Args:
        directory: an existing directory, which a caller may yet rename or throw away.
        outcome: the model's answers and what they are held against.

    Raises:
        DataError: when there is no text, or an answer is not finite.
    """
    judge = _classification if outcome.task == "classification" else _regression
    judged = judge(outcome)
    if outcome.padding is not None:
        judged.metrics["padding"] = dict(outcome.padding)
    _write(directory / METRICS, [_json(judged.metrics, indent=2)])
    _write(directory / PREDICTIONS, map(_json, judged.rows))
    write_report(
        directory / REPORT,
        metrics=judged.metrics,
        labels=outcome.labels,
        pictures=_save_pictures(directory, judged.plots),
        mistakes=judged.mistakes,
        history=outcome.history,
        title=outcome.title,
    )
    return judged.metrics


def _classification(outcome: Outcome) -> _Judged:
    from sentiment_lstm.plots import classification_plots

    targets = np.asarray(outcome.targets, dtype=np.int64)
    before = probabilities(outcome.logits)
    after = probabilities(outcome.logits, outcome.temperature)
    metrics = _classification_figures(outcome, targets, before, after)
    plots = classification_plots(
        metrics,
        targets=targets,
        before=before,
        after=after,
        labels=outcome.labels,
        history=outcome.history,
        baseline=outcome.baseline,
    )
    chosen = verdicts(after, outcome.threshold)
    unsure = margins(after, outcome.threshold) < outcome.abstain
    rows = _classified_rows(outcome.labels, targets, chosen, unsure, after)
    mistaken = (chosen != targets) & ~unsure
    return _Judged(
        metrics, rows, plots, _confident_mistakes(outcome, targets, chosen, mistaken, after)
    )


def _classification_figures(
    outcome: Outcome, targets: Integers, before: Floats, after: Floats
) -> dict[str, Any]:
    def figures(given: Floats, threshold: float) -> dict[str, Any]:
        return classification_metrics(
            targets, given, threshold=threshold, seed=outcome.seed, names=outcome.labels
        )

    correct = verdicts(after, outcome.threshold) == targets
    return {
        "task": outcome.task,
        "labels": list(outcome.labels),
        "threshold": outcome.threshold,
        **figures(after, outcome.threshold),
        **_decided(outcome, after, correct),
        "calibration": _calibration(outcome.temperature, targets, before, after),
        "accuracy_by_length": accuracy_by_length(outcome.lengths, correct),
        "baseline": None if outcome.baseline is None else figures(outcome.baseline, 0.5),
    }


def _decided(outcome: Outcome, after: Floats, correct: NDArray[np.bool_]) -> dict[str, Any]:
    """Return what is decided, of a model that abstains; the other figures count every text."""
    if not outcome.abstain:
        return {}
    each = margins(after, outcome.threshold)
    return {"decided": decided_metrics(each, correct, outcome.abstain, outcome.seed)}


def _calibration(
    temperature: float, targets: Integers, before: Floats, after: Floats
) -> dict[str, Any]:
    return {
        "temperature": temperature,
        "before": probability_losses(targets, before),
        "after": probability_losses(targets, after),
    }


def _classified_rows(
    labels: Sequence[str],
    targets: Integers,
    chosen: Integers,
    unsure: NDArray[np.bool_],
    after: Floats,
) -> Iterator[dict[str, Any]]:
    """Yield a row a text, with the probability of the second of two labels, or of the likeliest."""
    shown = np.ones_like(chosen) if len(labels) == 2 else chosen
    each = zip(targets, chosen, unsure, after, shown, strict=True)
    for target, label, undecided, row, column in each:
        yield {
            "target": labels[target],
            "label": UNSURE if undecided else labels[label],
            "probability": float(row[column]),
        }


def _confident_mistakes(
    outcome: Outcome,
    targets: Integers,
    chosen: Integers,
    mistaken: NDArray[np.bool_],
    after: Floats,
) -> list[Mistake]:
    confidence = after[np.arange(len(chosen)), chosen]
    return [
        Mistake(
            text=outcome.texts[n],
            label=outcome.labels[targets[n]],
            verdict=outcome.labels[chosen[n]],
            score=float(confidence[n]),
        )
        for n in _highest(np.where(mistaken, confidence, -1.0))
    ]


def _highest(scores: Floats) -> list[int]:
    """Return the positions of the highest scores above 0, at most `MISTAKES`, highest first."""
    first = np.argsort(-scores, kind="stable")[:MISTAKES]
    return [int(n) for n in first if scores[n] > 0]


def _regression(outcome: Outcome) -> _Judged:
    from sentiment_lstm.plots import regression_plots

    targets = np.asarray(outcome.targets, dtype=np.float64)
    values = np.asarray(outcome.logits, dtype=np.float64).reshape(-1)
    baseline = outcome.baseline
    metrics = {
        "task": outcome.task,
        **regression_metrics(targets, values, outcome.seed),
        "baseline": None
        if baseline is None
        else regression_metrics(targets, baseline, outcome.seed),
    }
    rows = (
        {"target": float(target), "value": float(value)}
        for target, value in zip(targets, values, strict=True)
    )
    plots = regression_plots(targets, values, outcome.history)
    return _Judged(metrics, rows, plots, _largest_errors(outcome.texts, targets, values))


def _largest_errors(texts: Sequence[str], targets: Floats, values: Floats) -> list[Mistake]:
    errors = np.abs(targets - values)
    return [
        Mistake(texts[n], number(targets[n]), number(values[n]), float(errors[n]))
        for n in _highest(errors)
    ]


def _save_pictures(directory: Path, plots: Sequence[Any]) -> list[Picture]:
    from sentiment_lstm.plots import save_plots

    names = save_plots(directory, plots)
    return [
        Picture.load(directory / name, plot.description)
        for name, plot in zip(names, plots, strict=True)
    ]


def _write(path: Path, lines: Iterable[str]) -> None:
    # A label may hold half of a surrogate pair, which UTF-8 lacks; "\\ud800" is JSON for it.
    with (
        replaced_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.writelines(f"{line}\n" for line in lines)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def metrics_table(metrics: Mapping[str, Any]) -> str:
    """Return the figures as lines of text: a heading, the model, the baseline where there is one.

    Columns are aligned; square brackets hold 95 % intervals. Of a model that abstains one line more
    tells what it decides.
    """
    measures = MEASURES[metrics["task"]]
    models = {"LSTM": metrics, NAMES[metrics["task"]]: metrics["baseline"]}
    lines = [["", *(measure.title for measure in measures)]]
    for name, figures in models.items():
        if figures:
            lines.append([name, *(formatted(figures, measure.key) for measure in measures)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*rows, *_decided_line(metrics)])


def _decided_line(metrics: Mapping[str, Any]) -> Iterator[str]:
    if decided := metrics.get("decided"):
        yield (
            f"decided {decided['coverage']:.2%} of the texts, {decided['count']:,} of "
            f"{metrics['count']:,}; accuracy of those {formatted(decided, 'accuracy')}"
        )
