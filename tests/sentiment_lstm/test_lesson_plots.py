"""What the figures of a comparison show."""

import numpy as np
import pytest

from sentiment_lstm.lesson_plan import SECTIONS, Scale, plan
from sentiment_lstm.lesson_plots import lesson_plot
from sentiment_lstm.plots import save_plots


def figures_of(measurement, number):
    """Return figures of the right kind, different for each measurement."""
    if measurement.kind == "cost":
        nets = (*measurement.settings["nets"], "keras.layers.LSTM")
        return {
            name: {"parameters": 10 * n, "multiply_adds": 9 * n, "ms": n + 0.5}
            for n, name in enumerate(nets, start=1)
        }
    if measurement.kind == "reading":
        span = {"count": 5, "shortest": 1, "longest": 9}
        quarters = [
            span | {"accuracy": 0.5 + 0.01 * number + 0.1 * q, "accuracy_interval": [0.4, 0.9]}
            for q in range(3)
        ]
        return {"accuracy": 0.6, "by_length": [*quarters, {"count": 0}]}
    norms = [1.0, 0.5 / (number + 1), 0.1]
    lstm = measurement.settings["net"]["kind"] == "lstm"
    flow = {"h": norms, "c": [1e-300, 0.3, 0.2] if lstm else []}
    curve = [0.5, 0.2 / (number + 1)]
    run = {"learnt_at": 7, "curve": curve, "before": flow, "after": flow}
    return {"runs": [run, run | {"learnt_at": None, "curve": curve[:1]}]}


def measured(section):
    planned = plan(section, Scale(lags=(10, 20), seeds=2, steps=9))
    return {name: figures_of(m, n) for n, (name, m) in enumerate(planned.items())}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_has_a_picture_that_can_be_saved(section, tmp_path):
    plot = lesson_plot(section, measured(section))
    assert save_plots(tmp_path, [plot]) == [f"{section}.png"]
    assert (tmp_path / plot.file).stat().st_size > 5000
    assert len(plot.description) > 40


def test_memory_shows_the_share_of_runs_at_each_lag():
    figure = lesson_plot("memory", measured("memory")).figure
    assert [axes.get_title("left") for axes in figure.axes] == ["Adding", "Temporal order"]
    for line in figure.axes[0].lines:
        np.testing.assert_allclose(line.get_ydata(), 0.5, atol=0.01)
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["10", "20"]


def test_gradients_show_the_norms_by_state_and_by_cell():
    figures = measured("gradients")
    figure = lesson_plot("gradients", figures).figure
    titles = [axes.get_title("left") for axes in figure.axes]
    by_cell = figure.axes[titles.index("By the cell, trained")]
    drawn = {line.get_label(): line.get_ydata().tolist() for line in by_cell.lines}
    assert drawn["LSTM, forget bias 1"] == pytest.approx([0.3, 0.2])
    assert drawn["plain RNN"] == pytest.approx(figures["plain RNN",]["runs"][0]["after"]["h"][1:])


def test_stability_shows_the_median_of_the_learning_curves():
    figures = measured("stability")
    figure = lesson_plot("stability", figures).figure
    lines = {line.get_label(): line for line in figure.axes[1].lines}
    expected = figures["LSTM", "not clipped"]["runs"][0]["curve"]
    np.testing.assert_allclose(lines["LSTM"].get_ydata(), expected)
    assert lines["LSTM"].get_xdata().tolist() == [50, 100]


def test_accuracy_shows_the_mean_over_seeds_at_the_better_rate():
    figures = measured("accuracy")
    for (net, rate, _), value in figures.items():
        value["accuracy"] = 0.9 if (net == "LSTM") == (rate == "0.001") else 0.1
    figure = lesson_plot("accuracy", figures).figure
    drawn = {bars.get_label(): bars.lines[0].get_ydata() for bars in figure.axes[0].containers}
    for net, rate in (("LSTM", "0.001"), ("RNN, equal units", "0.003")):
        read = [figures[net, rate, seed]["by_length"][:3] for seed in ("0", "1")]
        expected = np.mean([[q["accuracy"] for q in quarters] for quarters in read], axis=0)
        np.testing.assert_allclose(drawn[net].astype(float), expected)


def test_accuracy_leaves_out_quarters_without_texts():
    figure = lesson_plot("accuracy", measured("accuracy")).figure
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["1 to 9"] * 3
