"""The pictures of an evaluation, one function each, drawn without pyplot's global state.

Colours are those of Okabe and Ito (2008), told apart by colour-blind readers; lines differ in
dashes or markers too. Label names are drawn as they are, never read as mathematics.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from sentiment_lstm.atomic import replaced_file
from sentiment_lstm.calibration import ReliabilityBins, reliability_bins
from sentiment_lstm.metrics import one_hot

Row = Mapping[str, Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY = "#A6D3EE"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#56B4E9", "#E69F00", "#000000", "#B8A800")
INK, PALE = "#333333", "#DDDDDD"
DASHES = ("-", "--", "-.", ":")
MOST_CURVES = len(COLOURS)
MOST_CELLS = 12  # labels to a side above which counts no longer fit into a confusion matrix
MOST_POINTS = 1000  # above which a cloud is drawn by density
LONGEST_NAME = 18  # characters of a label name


@dataclass(frozen=True)
class Plot:
    """A picture, its file name, and what it shows for a reader who cannot see it."""

    file: str
    figure: Figure
    description: str


def panel(figure: Figure, position: Any, title: str, x: str, y: str) -> Any:
    """Add axes to a figure, titled and labelled in the manner of all."""
    axes = figure.add_subplot(position)
    axes.set_title(title, fontsize=12, color=INK, loc="left")
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def legend(axes: Any, **options: Any) -> None:
    """Add a legend, its names drawn as they are."""
    for text in axes.legend(frameon=False, **options).get_texts():
        text.set_parse_math(False)


def _named(name: str) -> str:
    """Return a label name on one short line that matplotlib can draw and list in a legend."""
    flat = " ".join(name.split()).encode("utf-8", "replace").decode("utf-8")
    short = flat if len(flat) <= LONGEST_NAME else f"{flat[: LONGEST_NAME - 1]}…"
    return f" {short}" if short.startswith("_") else short  # a legend leaves out "_name"


def _series(axes: Any, history: Sequence[Row], key: str, **style: Any) -> None:
    points = [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
    axes.plot(*np.array(points, dtype=np.float64).reshape(-1, 2).T, markersize=5, **style)
    epochs = [row["epoch"] for row in history]
    axes.set_xlim(min(epochs) - 0.3, max(epochs) + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def learning_curves(history: Sequence[Row]) -> Figure:
    """Draw loss, and validation accuracy where there is one, against epoch.

    Args:
        history: a row an epoch with `epoch`, `loss`, `validation_loss`, `validation_accuracy`;
            a value that is absent or None is left out.
    """
    judged = any(row.get("validation_accuracy") is not None for row in history)
    figure = new_figure(8.4 if judged else 5.6, 3.6)
    grid = figure.add_gridspec(1, 2 if judged else 1)
    axes = panel(figure, grid[0, 0], "Loss", "Epoch", "Loss")
    _series(axes, history, "loss", color=BLUE, marker="o", label="train")
    _series(axes, history, "validation_loss", color=ORANGE, marker="s", ls="--", label="validation")
    legend(axes)
    if judged:
        right = panel(figure, grid[0, 1], "Validation accuracy", "Epoch", "Share correct")
        _series(right, history, "validation_accuracy", color=ORANGE, marker="s", ls="--")
    return figure


def _drawn_classes(targets: Integers, classes: int) -> list[int]:
    """Return the classes that get a curve: the positive one of two, else the most frequent."""
    if classes == 2:
        return [1]
    counts = np.bincount(targets, minlength=classes)
    return [int(c) for c in np.argsort(-counts, kind="stable")[:MOST_CURVES] if counts[c]]


def _curves(
    axes: Any,
    curve: Any,
    targets: Integers,
    probabilities: Floats,
    labels: Sequence[str],
    baseline: Floats | None,
) -> None:
    """Draw `curve(truth, score) -> (x, y)` of each label, and the baseline's if there are two."""
    truth, binary = one_hot(targets, len(labels)), len(labels) == 2
    for n, c in enumerate(_drawn_classes(targets, len(labels))):
        name = "LSTM" if binary else _named(labels[c])
        style = {"color": COLOURS[n], "ls": DASHES[n // 2 % len(DASHES)], "label": name}
        axes.plot(*curve(truth[:, c], probabilities[:, c]), linewidth=1.8, **style)
    if baseline is not None and binary:
        style = {"color": ORANGE, "ls": "--", "label": "TF-IDF baseline"}
        axes.plot(*curve(truth[:, 1], baseline[:, 1]), linewidth=1.4, **style)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")


def roc(
    targets: Integers,
    probabilities: Floats,
    labels: Sequence[str],
    baseline: Floats | None = None,
) -> Figure:
    """Draw the ROC curve of the second of two labels, or of each label against the rest.

    Args:
        targets: `(n,)` classes; both a label's own and other texts are needed.
        probabilities: `(n, C)`.
        labels: the C names.
        baseline: `(n, 2)` probabilities of the baseline, drawn where there are two labels.
    """
    figure = new_figure(4.8, 4.6)
    axes = panel(figure, 111, "ROC curve", "False positive rate", "True positive rate")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, ls=":", label="chance")

    def curve(truth: Integers, score: Floats) -> tuple[Floats, Floats]:
        false_positives, true_positives, _ = roc_curve(truth, score)
        return false_positives, true_positives

    _curves(axes, curve, targets, probabilities, labels, baseline)
    legend(axes, loc="lower right")
    return figure


def precision_recall(
    targets: Integers,
    probabilities: Floats,
    labels: Sequence[str],
    baseline: Floats | None = None,
) -> Figure:
    """Draw precision against recall; arguments are those of `roc`."""
    figure = new_figure(4.8, 4.6)
    axes = panel(figure, 111, "Precision and recall", "Recall", "Precision")

    def curve(truth: Integers, score: Floats) -> tuple[Floats, Floats]:
        precision, recall, _ = precision_recall_curve(truth, score)
        return recall, precision

    _curves(axes, curve, targets, probabilities, labels, baseline)
    legend(axes, loc="lower left")
    return figure


def reliability(targets: Integers, before: Floats, after: Floats) -> Figure:
    """Draw accuracy against confidence, before and after temperature scaling.

    Below stands how many texts have that confidence afterwards.

    Args:
        targets: `(n,)` classes.
        before: `(n, C)` probabilities at temperature 1.
        after: `(n, C)` probabilities at the fitted temperature.
    """
    figure = new_figure(4.8, 5.4)
    grid = figure.add_gridspec(2, 1, height_ratios=[3, 1])
    axes = panel(figure, grid[0], "Reliability", "", "Share correct")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, ls=":", label="perfect")
    bins = [reliability_bins(p, targets) for p in (before, after)]
    _reliability_line(axes, bins[0], color=ORANGE, marker="s", ls="--", label="before scaling")
    _reliability_line(axes, bins[1], color=BLUE, marker="o", ls="-", label="after scaling")
    legend(axes, loc="upper left")
    below = panel(figure, grid[1], "", "Confidence in the likeliest label", "Texts")
    edges = np.linspace(0, 1, len(bins[1].counts) + 1)
    below.bar(edges[:-1], bins[1].counts, np.diff(edges), align="edge", color=BLUE, ec="white")
    lowest = 1 / after.shape[1]
    axes.set(xlim=(lowest - 0.01, 1.01), ylim=(-0.01, 1.03))
    below.set_xlim(lowest - 0.01, 1.01)
    return figure


def _reliability_line(axes: Any, bins: ReliabilityBins, **style: Any) -> None:
    held = bins.counts > 0
    axes.plot(bins.confidence[held], bins.accuracy[held], markersize=4.5, **style)


def confusion(counts: Sequence[Sequence[int]], labels: Sequence[str]) -> Figure:
    """Draw the confusion matrix `(true, verdict)`, shaded by the share of each true label."""
    matrix = np.asarray(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(3.2 + 0.5 * len(labels), 9.0)
    figure = new_figure(side + 0.6, side)
    axes = panel(figure, 111, "Confusion matrix", "Verdict", "True label")
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    names = [_named(name) for name in labels]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", parse_math=False)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    bar = figure.colorbar(image, format=PercentFormatter(1), shrink=0.8)
    bar.set_label("Share of the true label", color=INK)
    if len(labels) <= MOST_CELLS:
        _write_cells(axes, matrix, shares)
    return figure


def _write_cells(axes: Any, matrix: NDArray[Any], shares: Floats) -> None:
    for (row, column), share in np.ndenumerate(shares):
        text = f"{matrix[row, column]:,}\n{share:.1%}"
        colour = "white" if share > 0.5 else INK
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)


def length_accuracy(quartiles: Sequence[Row]) -> Figure:
    """Draw accuracy with its interval in each quartile of length (see `accuracy_by_length`)."""
    held = [q for q in quartiles if q["count"]]
    middle = np.array([q["accuracy"] for q in held])
    ends = np.array([q["accuracy_interval"] for q in held]).reshape(-1, 2)
    figure = new_figure(5.6, 3.8)
    axes = panel(figure, 111, "Accuracy by length", "Tokens of the text", "Share correct")
    bars = np.abs(ends - middle[:, None]).T
    axes.errorbar(range(len(held)), middle, yerr=bars, fmt="o", color=BLUE, capsize=5, ms=7)
    axes.set_xticks(range(len(held)), [_quartile_name(q) for q in held])
    axes.set_xlim(-0.5, len(held) - 0.5)
    axes.grid(visible=False, axis="x")
    return figure


def _quartile_name(quartile: Row) -> str:
    shortest, longest = quartile["shortest"], quartile["longest"]
    span = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
    return f"{span}\n({quartile['count']:,} texts)"


def predicted_against_true(targets: Floats, predictions: Floats) -> Figure:
    """Draw predicted `(n,)` against true values `(n,)`, with the line of equality."""
    figure = new_figure(5.2, 4.4)
    axes = panel(figure, 111, "Predicted against true", "True value", "Predicted value")
    _cloud(figure, axes, targets, predictions)
    ends = [min(targets.min(), predictions.min()), max(targets.max(), predictions.max())]
    axes.plot(ends, ends, color=ORANGE, linewidth=1.2, ls="--", label="equal")
    legend(axes, loc="upper left")
    return figure


def residuals(targets: Floats, predictions: Floats) -> Figure:
    """Draw residuals, true minus predicted `(n,)`, against predicted values."""
    figure = new_figure(5.2, 4.4)
    axes = panel(figure, 111, "Residuals", "Predicted value", "True minus predicted")
    _cloud(figure, axes, predictions, targets - predictions)
    axes.axhline(0, color=ORANGE, linewidth=1.2, ls="--")
    return figure


def _cloud(figure: Figure, axes: Any, x: Floats, y: Floats) -> None:
    if len(x) <= MOST_POINTS:
        axes.scatter(x, y, s=14, color=BLUE, alpha=0.6, linewidths=0)
        return
    shades = LinearSegmentedColormap.from_list("texts", [SKY, BLUE, "#08306B"])
    image = axes.hexbin(x, y, gridsize=40, mincnt=1, bins="log", cmap=shades, linewidths=0.1)
    figure.colorbar(image, shrink=0.8).set_label("Texts", color=INK)


def classification_plots(
    metrics: Mapping[str, Any],
    *,
    targets: Integers,
    before: Floats,
    after: Floats,
    labels: Sequence[str],
    history: Sequence[Row] = (),
    baseline: Floats | None = None,
) -> list[Plot]:
    """Draw every picture that the data allow.

    Args:
        metrics: of `classification_metrics`, with `accuracy_by_length` under that key.
        targets: `(n,)` classes.
        before: `(n, C)` probabilities at temperature 1.
        after: `(n, C)` probabilities at the fitted temperature.
        labels: the C names.
        history: see `learning_curves`; none where it is empty.
        baseline: `(n, C)` probabilities of the baseline.
    """
    plots = _learning(history)
    if metrics["roc_auc"] is not None:
        plots += _ranking(metrics, targets, after, labels, baseline)
    quartiles = metrics["accuracy_by_length"]
    matrix = confusion(metrics["confusion_matrix"], labels)
    return [
        *plots,
        Plot("reliability.png", reliability(targets, before, after), _RELIABILITY),
        Plot("confusion_matrix.png", matrix, _CONFUSION),
        Plot("accuracy_by_length.png", length_accuracy(quartiles), _by_length(quartiles)),
    ]


_RELIABILITY = (
    "Reliability diagram: the share of right verdicts against the model's confidence, before and "
    "after temperature scaling. On the diagonal a probability means what it says."
)
_CONFUSION = "Confusion matrix as a picture: how the texts of each true label were judged."


def _by_length(quartiles: Sequence[Row]) -> str:
    parts = [
        f"{q['accuracy']:.1%} at {q['shortest']} to {q['longest']} tokens"
        for q in quartiles
        if q["count"]
    ]
    return f"Accuracy by length of text, with 95 % intervals: {', '.join(parts)}."


def _ranking(
    metrics: Mapping[str, Any],
    targets: Integers,
    after: Floats,
    labels: Sequence[str],
    baseline: Floats | None,
) -> list[Plot]:
    whose = f"of {labels[1]!r}" if len(labels) == 2 else "of each label against the rest"
    areas = [f"area {metrics[key]:.4f}" for key in ("roc_auc", "pr_auc")]
    return [
        Plot(
            "roc.png",
            roc(targets, after, labels, baseline),
            f"ROC curve {whose}: true positive rate against false positive rate, {areas[0]}.",
        ),
        Plot(
            "precision_recall.png",
            precision_recall(targets, after, labels, baseline),
            f"Precision against recall {whose}, {areas[1]}.",
        ),
    ]


def _learning(history: Sequence[Row]) -> list[Plot]:
    if not history:
        return []
    text = f"Learning curves: loss on train and on validation, epochs: {len(history)}."
    return [Plot("learning_curves.png", learning_curves(history), text)]


def regression_plots(
    targets: Floats, predictions: Floats, history: Sequence[Row] = ()
) -> list[Plot]:
    """Draw every picture of a regression from its `(n,)` targets and predictions."""
    return [
        *_learning(history),
        Plot(
            "predicted_against_true.png",
            predicted_against_true(targets, predictions),
            "Predicted against true values; on the dashed line the two are equal.",
        ),
        Plot(
            "residuals.png",
            residuals(targets, predictions),
            "Residuals, true minus predicted, against predicted values.",
        ),
    ]


def save_plots(directory: Path, plots: Sequence[Plot]) -> list[str]:
    """Write each picture into `directory` as PNG and return the file names."""
    with warnings.catch_warnings():
        # A label name in a script that matplotlib's font lacks shows as boxes; tables hold it too.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        for plot in plots:
            with replaced_file(directory / plot.file) as temporary:
                plot.figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})
    return [plot.file for plot in plots]
