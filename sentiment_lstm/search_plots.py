"""The pictures of a search for settings: how it went, and what mattered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sentiment_lstm.plots import BLUE, ORANGE, Plot, legend, new_figure, panel


@dataclass(frozen=True)
class Tried:
    """One trial as it is drawn.

    Attributes:
        number: counted from 1.
        value: its objective; where it was stopped early, that of its last epoch.
        pruned: whether it was.
    """

    number: int
    value: float
    pruned: bool


def history_plot(trials: Sequence[Tried], objective: str, *, maximizes: bool) -> Plot:
    """Draw the objective of each trial, and the best so far; one trial at least has ended."""
    name = objective.replace("_", " ")
    figure = new_figure(6.4, 3.8)
    axes = panel(figure, 111, "Trials", "Trial", name.capitalize())
    ended, pruned = ([t for t in trials if t.pruned is p] for p in (False, True))
    for kind, style in ((ended, ENDED), (pruned, STOPPED)):
        if kind:
            axes.scatter([t.number for t in kind], [t.value for t in kind], **style)
    values = np.array([t.value for t in ended])
    leading = (np.maximum if maximizes else np.minimum).accumulate(values)
    numbers = [*(t.number for t in ended), trials[-1].number]
    axes.step(numbers, [*leading, leading[-1]], where="post", color=BLUE, label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if not maximizes and min(t.value for t in trials) > 0:
        axes.set_yscale("log")  # a search begins far from where it ends
    legend(axes)
    return Plot("history.png", figure, _history(name, leading[-1], len(ended), len(pruned)))


def importances_plot(shares: Mapping[str, float], objective: str, trials: int) -> Plot:
    """Draw the share of each key in how the trials differ.

    Args:
        shares: by key; they sum to 1.
        objective: the figure by which the trials differ.
        trials: how many.
    """
    name = objective.replace("_", " ")
    figure = new_figure(6.4, 1.4 + 0.4 * len(shares))
    title = f"What mattered for {name}"
    axes = panel(figure, 111, title, f"Share of the variance over {trials} trials (fANOVA)", "")
    keys = list(shares)[::-1]
    axes.barh(range(len(keys)), [shares[key] for key in keys], color=BLUE, height=0.6)
    axes.set_yticks(range(len(keys)), keys)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(visible=False, axis="y")
    told = ", ".join(f"{key} {share:.0%}" for key, share in shares.items())
    return Plot("importances.png", figure, f"Share of each key in how {name} differs: {told}.")


ENDED = {"color": BLUE, "marker": "o", "s": 28, "label": "ended"}
STOPPED = {"color": ORANGE, "marker": "x", "s": 34, "label": "pruned, at its last epoch"}


def _history(name: str, best: float, ended: int, pruned: int) -> str:
    return (
        f"The {name} of each trial, {ended} that ended and {pruned} that were pruned: "
        f"the best is {best:.4f}."
    )
