"""A figure for each section of a comparison (see `lesson_plan`), drawn as those of `plots`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sentiment_lstm.lesson_plan import Name
from sentiment_lstm.lesson_verdicts import (
    CERTAIN,
    best_readings,
    followed,
    learnt,
    mean_accuracy,
    standard_error,
)
from sentiment_lstm.plots import COLOURS, DASHES, Plot, legend, new_figure, panel
from sentiment_lstm.trials import CURVE

Measured = Mapping[Name, Any]
MARKERS = "osD^vP"
FLOOR = 1e-12  # of a norm as it is drawn


def lesson_plot(section: str, measured: Measured) -> Plot:
    """Draw what was measured in a section."""
    draw, description = _DRAWN[section]
    return Plot(f"{section}.png", draw(measured), description)


def _styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {
        name: {"color": COLOURS[n], "ls": DASHES[n % len(DASHES)], "marker": MARKERS[n]}
        for n, name in enumerate(names)
    }


def _distinct(names: Sequence[Name], part: int) -> list[str]:
    return list(dict.fromkeys(name[part] for name in names))


def _share(value: Mapping[str, Any]) -> float:
    return learnt(value) / len(value["runs"])


def _memory(measured: Measured) -> Figure:
    tasks, lags, nets = (_distinct(list(measured), part) for part in range(3))
    figure = new_figure(8.4, 3.6)
    grid = figure.add_gridspec(1, len(tasks))
    for n, task in enumerate(tasks):
        axes = panel(figure, grid[0, n], task.capitalize(), "Lag in steps", "Runs that learnt it")
        for shift, (net, style) in enumerate(_styles(nets).items()):
            shares = [_share(measured[task, lag, net]) + 0.008 * (shift - 1) for lag in lags]
            axes.plot(range(len(lags)), shares, markersize=6, label=net, **style)
        axes.set_xticks(range(len(lags)), lags)
        _as_shares(axes)
    legend(axes, loc="center right")
    return figure


def _as_shares(axes: Any) -> None:
    axes.set_ylim(-0.05, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _gates(measured: Measured) -> Figure:
    tasks, names = (_distinct(list(measured), part) for part in range(2))
    figure = new_figure(6.4, 3.6)
    axes = panel(figure, 111, "With a gate held open", "", "Runs that learnt it")
    width = 0.8 / len(tasks)
    for n, task in enumerate(tasks):
        places = np.arange(len(names)) + (n - (len(tasks) - 1) / 2) * width
        shares = [_share(measured[task, name]) for name in names]
        axes.bar(places, shares, width, color=COLOURS[n], label=task, hatch=["", "//"][n % 2])
    axes.set_xticks(range(len(names)), names)
    axes.axhline(0, color="black", linewidth=0.8)
    _as_shares(axes)
    legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure


def _gradients(measured: Measured) -> Figure:
    """Draw a row by state and one by cell; a plain RNN, which has none, stands by state in both."""
    figure = new_figure(8.8, 6.6)
    grid = figure.add_gridspec(2, 2)
    for n, (when, title) in enumerate((("before", "at the start"), ("after", "trained"))):
        for row, (of, name) in enumerate((("h", "state"), ("c", "cell"))):
            axes = panel(figure, grid[row, n], f"By the {name}, {title}", "Steps back, k", "Norm")
            _flows(axes, measured, when, of)
    legend(axes, fontsize=8)
    return figure


def _flows(axes: Any, measured: Measured, when: str, of: str) -> None:
    styles = _styles([name for (name,) in measured])
    for (name,), value in measured.items():
        norms = followed(value, when, of) or followed(value, when, "h")
        style = styles[name] | {"markevery": max(1, len(norms) // 8), "markersize": 4}
        axes.plot(range(1, len(norms)), np.maximum(norms[1:], FLOOR), label=name, **style)
    axes.set_yscale("log")


def _stability(measured: Measured) -> Figure:
    nets, clippings = (_distinct(list(measured), part) for part in range(2))
    figure = new_figure(8.4, 3.8)
    grid = figure.add_gridspec(1, len(clippings), width_ratios=[1] * len(clippings))
    for n, clipping in enumerate(clippings):
        axes = panel(figure, grid[0, n], f"Gradient {clipping}", "Step", "Loss")
        for net, style in _styles(nets).items():
            _band(axes, measured[net, clipping]["runs"], net, style["color"], style["ls"])
        axes.set_yscale("log")
    legend(axes, fontsize=8)
    return figure


def _band(axes: Any, runs: Sequence[Mapping[str, Any]], label: str, colour: str, ls: str) -> None:
    """Draw the median of some learning curves, and all between the least and the largest."""
    length = max(len(run["curve"]) for run in runs)
    curves = np.full((len(runs), length), np.nan)
    for row, run in zip(curves, runs, strict=True):
        row[: len(run["curve"])] = run["curve"]
    steps = CURVE * (np.arange(length) + 1)
    axes.plot(steps, np.nanmedian(curves, axis=0), color=colour, ls=ls, label=label)
    low, high = np.nanmin(curves, axis=0), np.nanmax(curves, axis=0)
    axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)


def _cost(measured: Measured) -> Figure:
    costs = measured[()]
    figure = new_figure(9.0, 3.2)
    grid = figure.add_gridspec(1, 3)
    titles = {"parameters": "Parameters", "multiply_adds": "Multiply-adds", "ms": "ms a step"}
    for n, (key, title) in enumerate(titles.items()):
        axes = panel(figure, grid[0, n], title, "", "")
        values = [cost[key] for cost in costs.values()]
        axes.barh(range(len(values)), values, color=COLOURS[: len(values)])
        axes.set_yticks(range(len(values)), list(costs) if n == 0 else [""] * len(values))
        axes.invert_yaxis()
        axes.ticklabel_format(axis="x", style="sci", scilimits=(-2, 4))
    return figure


def _accuracy(measured: Measured) -> Figure:
    figure = new_figure(6.4, 3.8)
    axes = panel(figure, 111, "Accuracy by length", "Tokens of the text", "Share correct")
    for shift, (name, style) in enumerate(_styles(_distinct(list(measured), 0)).items()):
        by_quarter = zip(*(of["by_length"] for of in best_readings(measured, name)), strict=True)
        held = [trainings for trainings in by_quarter if trainings[0]["count"]]
        middle = [mean_accuracy(trainings) for trainings in held]
        ends = [CERTAIN * standard_error(trainings) for trainings in held]
        places = np.arange(len(held)) + 0.06 * (shift - 1)
        axes.errorbar(places, middle, yerr=ends, label=name, capsize=4, **style)
        spans = [f"{q['shortest']} to {q['longest']}" for q, *_ in held]
        axes.set_xticks(range(len(held)), spans)
    legend(axes)
    return figure


_DRAWN: dict[str, tuple[Callable[[Measured], Figure], str]] = {
    "memory": (
        _memory,
        "Share of runs in which each network learnt the task, against the lag.",
    ),
    "gradients": (
        _gradients,
        "Norm of the gradient of the last state with respect to the state and to the cell k steps "
        "before, at the start and trained, of an LSTM with forget bias 0, 1 and 3; beside them "
        "that of a plain RNN by its state.",
    ),
    "stability": (
        _stability,
        "Learning curves with and without clipping of the gradient: the median over seeds, and all "
        "between the least and the largest loss.",
    ),
    "cost": (
        _cost,
        "Parameters, multiply-adds a step of one sequence, and time of a training step on one "
        "core.",
    ),
    "accuracy": (
        _accuracy,
        "Accuracy on validation in each quarter of length, the mean over seeds at each network's "
        "better rate, with 1.96 standard errors either way.",
    ),
    "gates": (
        _gates,
        "Share of runs that learnt each task at the shortest lag, by the whole LSTM and with a "
        "gate held at 1; 1997 is f = 1 with the gradient cut at the gates.",
    ),
}
