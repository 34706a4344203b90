"""The pictures of a search show every trial and every key."""

import numpy as np
import pytest

from sentiment_lstm.search_plots import Tried, history_plot, importances_plot

TRIALS = [
    Tried(1, 0.7, False),
    Tried(2, 0.9, True),
    Tried(3, 0.2, False),
    Tried(4, 0.4, False),
    Tried(5, 0.65, True),
]


def drawn(axes):
    """Return the points of each cloud, and those of the line."""
    clouds = {c.get_label(): np.asarray(c.get_offsets()).tolist() for c in axes.collections}
    return clouds, np.asarray(axes.lines[0].get_xydata()).tolist()


def test_a_history_shows_each_trial_and_the_best_so_far():
    plot = history_plot(TRIALS, "validation_loss", maximizes=False)
    (axes,) = plot.figure.axes
    clouds, line = drawn(axes)
    assert clouds == {
        "ended": [[1, 0.7], [3, 0.2], [4, 0.4]],
        "pruned, at its last epoch": [[2, 0.9], [5, 0.65]],
    }
    assert line == [[1, 0.7], [3, 0.2], [4, 0.2], [5, 0.2]]
    assert axes.get_ylabel() == "Validation loss"
    assert axes.get_yscale() == "log"
    assert "3 that ended and 2 that were pruned: the best is 0.2000" in plot.description


def test_more_accuracy_is_better_and_is_drawn_as_it_is():
    plot = history_plot(TRIALS, "validation_accuracy", maximizes=True)
    (axes,) = plot.figure.axes
    assert drawn(axes)[1] == [[1, 0.7], [3, 0.7], [4, 0.7], [5, 0.7]]
    assert axes.get_yscale() == "linear"


def test_a_loss_of_zero_can_be_drawn():
    plot = history_plot([Tried(1, 0.0, False)], "validation_loss", maximizes=False)
    assert plot.figure.axes[0].get_yscale() == "linear"


def test_importances_show_a_bar_a_key_the_largest_on_top():
    shares = {"train.learning_rate": 0.7, "model.units": 0.2, "model.dropout": 0.1}
    plot = importances_plot(shares, "validation_loss", 12)
    (axes,) = plot.figure.axes
    bars = {
        name.get_text(): bar.get_width()
        for name, bar in zip(axes.get_yticklabels(), axes.patches, strict=True)
    }
    assert bars == pytest.approx(shares)
    assert next(iter(bars)) == "model.dropout"  # at the bottom
    assert "12 trials" in axes.get_xlabel()
    assert "train.learning_rate 70%, model.units 20%" in plot.description
