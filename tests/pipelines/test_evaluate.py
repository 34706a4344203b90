import json
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, mean_squared_error

from pipelines.evaluate import (
    METRICS,
    MISTAKES,
    PREDICTIONS,
    REPORT,
    Outcome,
    evaluate_predictions,
    metrics_table,
)
from sentiment_lstm.calibration import expected_calibration_error, fit_temperature
from sentiment_lstm.errors import DataError

HISTORY = [{"epoch": 1, "loss": 0.5, "validation_loss": 0.4, "validation_accuracy": 0.8}]


def binary(**more: Any) -> Outcome:
    generator = np.random.default_rng(21)
    y = generator.integers(2, size=300)
    z = (2.5 * (2 * y - 1) + generator.normal(0, 3.0, 300)).astype(np.float32)
    weak = expit(z / 5 + generator.normal(0, 1, 300))
    fields: dict[str, Any] = {
        "task": "classification",
        "labels": ("negative", "positive"),
        "targets": y,
        "logits": z,
        "lengths": generator.integers(1, 50, 300),
        "texts": [f"text {n} <b>" for n in range(300)],
        "temperature": fit_temperature(z, y),
        "threshold": 0.6,
        "history": HISTORY,
        "baseline": np.stack([1 - weak, weak], axis=1),
    }
    return Outcome(**fields | more)


def many() -> Outcome:
    generator = np.random.default_rng(22)
    y = generator.integers(3, size=200)
    z = generator.normal(0, 1, (200, 3)) + 1.5 * np.eye(3)[y]
    lengths = generator.integers(1, 9, 200)
    return Outcome("classification", ("a", "b", "é \ud800"), y, z, lengths, ["t"] * 200, 0.8)


def regression() -> Outcome:
    generator = np.random.default_rng(23)
    y = generator.integers(1, 11, 80).astype(np.float32)
    given = (y + generator.normal(0, 1, 80)).astype(np.float32)
    texts = [f"text {n}" for n in range(80)]
    base = np.full(80, y.mean(), dtype=np.float64)
    return Outcome("regression", (), y, given, np.arange(80), texts, baseline=base)


def rows(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / PREDICTIONS).read_text("utf-8").splitlines()]


class Quotes(HTMLParser):
    """The quoted texts of a report."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside, self.texts = False, list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.inside = tag == "blockquote"

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts.append(data)


@dataclass(frozen=True)
class Evaluated:
    directory: Path
    outcome: Outcome
    metrics: dict[str, Any]
    p: np.ndarray  # (n,) scaled probabilities of the second label, by scipy


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    directory, outcome = tmp_path_factory.mktemp("evaluated"), binary()
    metrics = evaluate_predictions(directory, outcome)
    p = expit(outcome.logits.astype(np.float64) / outcome.temperature)
    return Evaluated(directory, outcome, metrics, p)


def test_an_evaluation_leaves_these_files(done: Evaluated) -> None:
    assert {path.name for path in done.directory.iterdir()} == {
        METRICS,
        PREDICTIONS,
        REPORT,
        "learning_curves.png",
        "roc.png",
        "precision_recall.png",
        "reliability.png",
        "confusion_matrix.png",
        "accuracy_by_length.png",
    }
    assert json.loads((done.directory / METRICS).read_text("utf-8")) == done.metrics


def test_binary_predictions_give_the_probability_of_the_second_label(done: Evaluated) -> None:
    outcome, p, found = done.outcome, done.p, rows(done.directory)
    np.testing.assert_allclose([row["probability"] for row in found], p, rtol=1e-9)
    assert [row["target"] for row in found] == [outcome.labels[t] for t in outcome.targets]
    assert [row["label"] for row in found] == [outcome.labels[int(v >= 0.6)] for v in p]
    right = np.mean([row["target"] == row["label"] for row in found])
    assert done.metrics["accuracy"] == pytest.approx(right)


def test_calibration_is_told_before_and_after(done: Evaluated) -> None:
    outcome, found = done.outcome, done.metrics
    for when, t in (("before", 1.0), ("after", outcome.temperature)):
        p = expit(outcome.logits.astype(np.float64) / t)
        expected = expected_calibration_error(np.stack([1 - p, p], axis=1), outcome.targets)
        assert found["calibration"][when]["ece"] == pytest.approx(expected)
    assert found["ece"] == found["calibration"]["after"]["ece"]
    assert found["calibration"]["temperature"] == outcome.temperature != 1


def test_what_is_decided_is_told_beside_figures_of_all_texts(
    done: Evaluated, tmp_path: Path
) -> None:
    outcome = replace(done.outcome, abstain=0.15)
    metrics, p = evaluate_predictions(tmp_path, outcome), done.p
    sure = np.abs(p - 0.6) >= 0.15
    right = (p >= 0.6) == outcome.targets
    decided = metrics.pop("decided")
    assert metrics == {key: value for key, value in done.metrics.items() if key != "decided"}
    assert (decided["abstain"], decided["count"]) == (0.15, sure.sum())
    assert decided["coverage"] == pytest.approx(sure.mean())
    assert decided["accuracy"] == pytest.approx(right[sure].mean())
    verdicts = np.where(sure, np.where(p >= 0.6, "positive", "negative"), "unsure")
    assert [row["label"] for row in rows(tmp_path)] == verdicts.tolist()
    report = (tmp_path / REPORT).read_text("utf-8")
    assert f"It decides {100 * sure.mean():.2f} % of the texts, {sure.sum()} of 300" in report
    quotes = Quotes(report).texts
    wrong = {outcome.texts[n] for n in np.flatnonzero(sure & ~right)}
    assert {*quotes} <= wrong
    assert len(quotes) == min(MISTAKES, len(wrong))
    line = metrics_table(metrics | {"decided": decided}).split("\n")[-1]
    assert line.startswith(
        f"decided {sure.mean():.2%} of the texts, {sure.sum()} of 300; accuracy of those "
        f"{right[sure].mean():.4f} ["
    )


def test_a_model_that_decides_nothing_is_measured_too(tmp_path: Path) -> None:
    metrics = evaluate_predictions(tmp_path, binary(logits=np.full(300, 0.5), abstain=0.4))
    assert metrics["decided"]["accuracy"] is None
    assert "It decides 0.00 % of the texts, 0 of 300." in (tmp_path / REPORT).read_text("utf-8")
    assert metrics_table(metrics).endswith("0 of 300; accuracy of those n/a")


def test_a_model_that_decides_all_says_nothing_of_it(done: Evaluated) -> None:
    assert "decided" not in done.metrics
    assert "unsure" not in (done.directory / REPORT).read_text("utf-8")


def test_baseline_is_judged_at_one_half_on_the_same_texts(done: Evaluated) -> None:
    outcome, found = done.outcome, done.metrics["baseline"]
    assert outcome.baseline is not None
    chosen = outcome.baseline.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(accuracy_score(outcome.targets, chosen))


def test_accuracy_by_length_counts_verdicts_at_the_threshold(done: Evaluated) -> None:
    quartiles = done.metrics["accuracy_by_length"]
    right = sum(q["count"] * q["accuracy"] for q in quartiles)
    assert right / 300 == pytest.approx(done.metrics["accuracy"])


def test_report_quotes_the_most_confident_mistakes_first(done: Evaluated) -> None:
    outcome, p = done.outcome, done.p
    verdict = p >= 0.6
    wrong = [n for n in range(300) if verdict[n] != outcome.targets[n]]
    assert len(wrong) > MISTAKES
    wrong.sort(key=lambda n: -(p[n] if verdict[n] else 1 - p[n]))
    quotes = Quotes((done.directory / REPORT).read_text("utf-8")).texts
    assert quotes == [outcome.texts[n] for n in wrong[:MISTAKES]]


def test_a_faultless_model_has_no_mistakes_to_show(tmp_path: Path) -> None:
    outcome = binary(logits=np.where(binary().targets == 1, 9.0, -9.0))
    assert evaluate_predictions(tmp_path, outcome)["accuracy"] == 1
    assert Quotes((tmp_path / REPORT).read_text("utf-8")).texts == []


def test_many_labels_give_the_probability_of_the_verdict(tmp_path: Path) -> None:
    outcome = many()
    metrics = evaluate_predictions(tmp_path, outcome)
    p, found = softmax(outcome.logits / 0.8, axis=1), rows(tmp_path)
    np.testing.assert_allclose([row["probability"] for row in found], p.max(axis=1))
    assert [row["label"] for row in found] == [outcome.labels[c] for c in p.argmax(axis=1)]
    assert metrics["baseline"] is None
    assert metrics["average"] == "macro"


def test_regression_writes_values(tmp_path: Path) -> None:
    outcome = regression()
    metrics = evaluate_predictions(tmp_path, outcome)
    found = rows(tmp_path)
    np.testing.assert_allclose([row["value"] for row in found], outcome.logits)
    np.testing.assert_allclose([row["target"] for row in found], outcome.targets)
    assert metrics["mse"] == pytest.approx(mean_squared_error(outcome.targets, outcome.logits))
    assert metrics["baseline"]["spearman"] is None
    assert (tmp_path / "residuals.png").is_file()
    errors = np.abs(outcome.targets - outcome.logits)
    worst = [f"text {n}" for n in np.argsort(-errors)[:MISTAKES]]
    assert Quotes((tmp_path / REPORT).read_text("utf-8")).texts == worst


def test_the_same_outcome_gives_the_same_bytes(done: Evaluated, tmp_path: Path) -> None:
    evaluate_predictions(tmp_path, binary())
    for path in done.directory.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    empty = Outcome("classification", ("a", "b"), np.array([]), np.array([]), np.array([]), [])
    with pytest.raises(DataError, match="empty"):
        evaluate_predictions(tmp_path, empty)


def test_a_diverged_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="diverged"):
        evaluate_predictions(tmp_path, binary(logits=np.full(300, np.nan)))


def test_table_aligns_the_model_with_the_baseline(done: Evaluated) -> None:
    metrics = done.metrics
    heading, model, baseline = metrics_table(metrics).split("\n")
    assert model.startswith("LSTM ")
    assert baseline.startswith("TF-IDF + logistic regression  ")
    low, high = metrics["accuracy_interval"]
    where = heading.index("Accuracy")
    assert model[where:].startswith(f"{metrics['accuracy']:.4f} [{low:.4f}, {high:.4f}]")
    for title, key in (("F1", "f1"), ("ROC-AUC", "roc_auc"), ("ECE", "ece")):
        where = heading.index(title)
        assert model[where:].startswith(f"{metrics[key]:.4f}")
        assert baseline[where:].startswith(f"{metrics['baseline'][key]:.4f}")


def test_table_without_a_baseline_has_the_model_alone(done: Evaluated) -> None:
    table = metrics_table(done.metrics | {"baseline": None})
    assert [line.split()[0] for line in table.split("\n")] == ["Accuracy", "LSTM"]


def test_table_of_a_regression(tmp_path: Path) -> None:
    lines = metrics_table(evaluate_predictions(tmp_path, regression())).split("\n")
    assert lines[0].split() == ["RMSE", "MSE", "MAE", "R²", "Spearman"]
    assert lines[2].startswith("TF-IDF + ridge regression")
    assert lines[2].endswith("n/a")
