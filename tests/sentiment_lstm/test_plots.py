import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from sklearn.metrics import precision_recall_curve, roc_curve

from sentiment_lstm.calibration import probabilities, reliability_bins
from sentiment_lstm.metrics import accuracy_by_length, classification_metrics
from sentiment_lstm.plots import (
    MOST_CURVES,
    Plot,
    classification_plots,
    confusion,
    learning_curves,
    length_accuracy,
    precision_recall,
    predicted_against_true,
    regression_plots,
    reliability,
    residuals,
    roc,
    save_plots,
)

HISTORY = [
    {"epoch": 1, "loss": 0.6, "validation_loss": 0.5, "validation_accuracy": 0.7},
    {"epoch": 2, "loss": 0.4, "validation_loss": 0.45, "validation_accuracy": None},
    {"epoch": 3, "loss": 0.3, "validation_loss": 0.47, "validation_accuracy": 0.8},
]


def answers(classes: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(classes)
    y = generator.integers(classes, size=n)
    return y, generator.normal(0, 1, (n, classes)) + 1.5 * np.eye(classes)[y]


def plots_of(labels: list[str], y: np.ndarray, z: np.ndarray, **more: object) -> list:
    p = probabilities(z, 1.7)
    metrics = classification_metrics(y, p)
    lengths = np.arange(len(y))
    metrics["accuracy_by_length"] = accuracy_by_length(lengths, p.argmax(axis=1) == y)
    return classification_plots(
        metrics, targets=y, before=probabilities(z), after=p, labels=labels, **more
    )


def lines(figure: object, axes: int = 0) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in figure.axes[axes].lines}


def test_every_picture_is_saved_as_a_light_png(tmp_path: Path) -> None:
    y, z = answers(2)
    plots = plots_of(["bad", "good"], y, z, history=HISTORY, baseline=probabilities(z / 3))
    names = save_plots(tmp_path, plots)
    assert names == [
        "learning_curves.png",
        "roc.png",
        "precision_recall.png",
        "reliability.png",
        "confusion_matrix.png",
        "accuracy_by_length.png",
    ]
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    for name in names:
        content = (tmp_path / name).read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        assert min(struct.unpack(">II", content[16:24])) > 300
        assert len(content) < 100_000


def test_pictures_of_a_regression(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(size=1500)
    plots = regression_plots(y, y * 0.8, HISTORY[:1])
    names = ["learning_curves.png", "predicted_against_true.png", "residuals.png"]
    assert save_plots(tmp_path, plots) == names
    assert all(plot.description for plot in plots)


@pytest.mark.parametrize(
    "hostile", ["$\\frac{$", "$x_$ $^", "\x00\n\t", "好评", "x" * 500, "_hid", "\ud800"]
)
def test_any_label_name_can_be_drawn(tmp_path: Path, hostile: str) -> None:
    y, z = answers(3)
    metrics = classification_metrics(y, probabilities(z))
    curves = roc(y, probabilities(z), [hostile, "b", "c"])
    matrix = confusion(metrics["confusion_matrix"], [hostile, "b", "c"])
    plots = [Plot("curves.png", curves, ""), Plot("matrix.png", matrix, "")]
    assert len(save_plots(tmp_path, plots)) == 2
    assert len(curves.axes[0].get_legend().get_texts()) == 4


def test_a_split_of_one_label_has_no_ranking_curves() -> None:
    _, z = answers(2)
    files = [plot.file for plot in plots_of(["bad", "good"], np.ones(200, dtype=int), z)]
    assert files == ["reliability.png", "confusion_matrix.png", "accuracy_by_length.png"]


def test_curves_are_those_of_the_second_label_and_the_baseline() -> None:
    y, z = answers(2)
    p, b = probabilities(z), probabilities(z * [1, -0.3])
    drawn = lines(roc(y, p, ["bad", "good"], b))
    np.testing.assert_allclose(drawn["LSTM"], np.stack(roc_curve(y, p[:, 1])[:2], axis=1))
    expected = np.stack(roc_curve(y, b[:, 1])[:2], axis=1)
    np.testing.assert_allclose(drawn["TF-IDF baseline"], expected)
    precision, recall, _ = precision_recall_curve(y, p[:, 1])
    drawn = lines(precision_recall(y, p, ["bad", "good"]))
    assert list(drawn) == ["LSTM"]
    np.testing.assert_allclose(drawn["LSTM"], np.stack([recall, precision], axis=1))


def test_of_very_many_labels_the_most_frequent_are_drawn() -> None:
    y, z = answers(12)
    y[:] = np.minimum(y, 9)  # the last two occur never, label 9 the most
    drawn = lines(roc(y, probabilities(z), [f"label {c}" for c in range(12)]))
    assert len(drawn) == MOST_CURVES + 1
    assert list(drawn)[1] == "label 9"
    assert not {"label 10", "label 11"} & set(drawn)


def test_a_label_without_texts_has_no_curve() -> None:
    y, z = answers(4)
    y[y == 2] = 1
    drawn = lines(roc(y, probabilities(z), ["a", "b", "c", "d"]))
    assert set(drawn) == {"chance", "a", "b", "d"}


def test_reliability_shows_both_temperatures() -> None:
    y, z = answers(3)
    before, after = probabilities(z * 4), probabilities(z)
    figure = reliability(y, before, after)
    drawn = lines(figure)
    for name, p in (("before scaling", before), ("after scaling", after)):
        bins = reliability_bins(p, y)
        expected = np.stack([bins.confidence, bins.accuracy], axis=1)[bins.counts > 0]
        np.testing.assert_allclose(drawn[name], expected)
    heights = [bar.get_height() for bar in figure.axes[1].patches]
    np.testing.assert_array_equal(heights, reliability_bins(after, y).counts)


def test_learning_curves_leave_out_what_was_not_measured() -> None:
    figure = learning_curves(HISTORY)
    np.testing.assert_array_equal(lines(figure)["train"], [[1, 0.6], [2, 0.4], [3, 0.3]])
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_xydata(), [[1, 0.7], [3, 0.8]])
    assert len(learning_curves([{"epoch": 1, "loss": 0.5}]).axes) == 1


def test_confusion_cells_hold_counts_and_row_shares() -> None:
    texts = [t.get_text() for t in confusion([[6, 2], [0, 0]], ["bad", "good"]).axes[0].texts]
    assert texts == ["6\n75.0%", "2\n25.0%", "0\n0.0%", "0\n0.0%"]
    assert not confusion(np.eye(20, dtype=int).tolist(), ["x"] * 20).axes[0].texts


def test_length_picture_leaves_out_empty_quartiles() -> None:
    quartiles = accuracy_by_length([4, 4, 4, 9], [True, True, False, True])
    ticks = [t.get_text() for t in length_accuracy(quartiles).axes[0].get_xticklabels()]
    assert ticks == ["4\n(3 texts)", "9\n(1 texts)"]


def test_residuals_are_true_minus_predicted() -> None:
    y, given = np.array([1.0, 5.0]), np.array([2.0, 3.5])
    points = residuals(y, given).axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(points, [[2.0, -1.0], [3.5, 1.5]])
    points = predicted_against_true(y, given).axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(points, [[1.0, 2.0], [5.0, 3.5]])


def test_drawing_leaves_no_figure_in_pyplots_state() -> None:
    confusion([[1]], ["only"])
    assert not Gcf.figs
