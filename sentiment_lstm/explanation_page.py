"""An explanation as one HTML page that stands alone (see `pages`)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from sentiment_lstm import __version__
from sentiment_lstm.detokenise import pieces
from sentiment_lstm.explain import Explanation
from sentiment_lstm.gate_summary import UnitTrace
from sentiment_lstm.gate_trace import GATES
from sentiment_lstm.pages import page

DEEPEST = 0.62  # opacity of the strongest shade, through which text stays readable
WIDTH, HEIGHT = 1000.0, 160.0  # of a plot, in its own units
MOST_DOTS = 400  # on a line, above which dots would only blur it; and the last one

# Where to point at, and what it says.
Dot = tuple[float, float, str]


@dataclass(frozen=True)
class Shaded:
    """A number as the page shows it: as text, and as a shade for or against."""

    text: str
    tone: str
    alpha: float

    @classmethod
    def of(cls, value: float, most: float, form: str) -> "Shaded":
        """Shade a number by what part it is of the largest."""
        strength = min(abs(value) / most, 1.0) if most else 0.0
        return cls(format(value, form), "plus" if value >= 0 else "minus", DEEPEST * strength)

    @property
    def attributes(self) -> Markup:
        """How an element shows it."""
        return Markup(self._attributes)

    @property
    def cell(self) -> str:
        """A cell of a table, as HTML."""
        return f"<td {self._attributes}>{self.text}</td>"

    @property
    def _attributes(self) -> str:
        return f'class="{self.tone}" style="--a:{self.alpha:.3f}"'


@dataclass(frozen=True)
class Word:
    """A token, the space before it in the text, its share, its gates in each direction.

    `running` is what the model answers for the text up to it, "" where that was not read.
    """

    number: int
    space: str
    text: str
    known: bool
    share: Shaded
    running: str
    gates: tuple[tuple[str, tuple[Shaded, ...]], ...]

    @property
    def hint(self) -> str:
        """What shows when the pointer rests on the word."""
        lines = [f"{self.number}: share {self.share.text}"]
        for direction, cells in self.gates:
            shown = zip(GATES, cells, strict=True)
            lines.append(f"{direction}: {' '.join(f'{gate} {cell.text}' for gate, cell in shown)}")
        return "\n".join(lines if self.known else [*lines, "unknown to the model"])

    @property
    def cells(self) -> Markup:
        """Its share, the running verdict and its gates as cells of a table.

        They are numbers, which want no escaping; through the template, the ten thousand cells of a
        long text took half of the page's time.
        """
        gates = (one.cell for _, cells in self.gates for one in cells)
        return Markup("".join([self.share.cell, f"<td>{self.running}</td>", *gates]))


def explanation_page(found: Explanation) -> str:
    """Return the page."""
    words = _words(found)
    gap = found.gap or len(words)
    return page(
        "explanation.html.j2",
        {"signed": lambda value: f"{value:+.4f}", "words_long": words_long},
        found=found,
        version=__version__,
        words=words,
        parts=[words[:gap], words[gap:]],
        gate_names=GATES,
        running=_running(found),
        units=_units(found),
        total=float(found.shares.sum()),
    )


def words_long(half_life: float) -> str:
    """Return a half-life in words."""
    return "unending" if math.isinf(half_life) else f"{half_life:.1f} words"


def _words(found: Explanation) -> list[Word]:
    most = max(map(abs, found.shares.tolist()), default=0.0)
    gates = [(d.name, _cells([d.mean[gate].tolist() for gate in GATES])) for d in found.gates]
    running = dict(zip(found.running.lengths, map("{:.4f}".format, _verdicts(found)), strict=True))
    return [
        Word(
            number=found.number(t),
            space=" " if piece.startswith(" ") else "",
            text=piece.lstrip(" "),
            known=found.known[t],
            share=Shaded.of(float(found.shares[t]), most, "+.4f"),
            running=running.get(t + 1, ""),
            gates=tuple((name, cells[t]) for name, cells in gates),
        )
        for t, piece in enumerate(pieces(found.tokens))
    ]


def _cells(gates: Sequence[Sequence[float]]) -> list[tuple[Shaded, ...]]:
    """Return a row of cells a word; a gate is shaded by itself, a cell by the largest one."""
    most = [max(1.0, *map(abs, values)) if values else 1.0 for values in gates]
    return [
        tuple(Shaded.of(value, m, ".3f") for value, m in zip(row, most, strict=True))
        for row in zip(*gates, strict=True)
    ]


@dataclass(frozen=True)
class Plot:
    """A line over the words, and the horizontal lines that help to read it.

    Attributes:
        points: of the line, as SVG writes them.
        dots: where to point at.
        levels: height and name of each horizontal line.
        marks: places on the x axis that are marked, likewise.
    """

    points: str
    dots: Sequence[Dot] = ()
    levels: Sequence[tuple[float, str]] = ()
    marks: Sequence[tuple[float, str]] = ()


def _running(found: Explanation) -> Plot:
    """Draw the running verdict: probabilities from 0 to 1, a regression's values to their ends."""
    values, regression = _verdicts(found), found.config.task == "regression"
    low, high = (min(values), max(values)) if regression else (0.0, 1.0)
    lengths, last = found.running.lengths, len(found.tokens)
    across, down = _x(lengths, last), _y(values, low, high)
    said = [_said(found, n, v) for n, v in zip(lengths, values, strict=True)]
    flip = found.running.flip
    return Plot(
        points=_points(across, down),
        dots=_thinned(list(zip(across, down, said, strict=True))),
        levels=[
            *_named(_levels(found, low, high), low, high),
            *((height, "") for height in _y(_band(found), low, high)),
        ],
        marks=[] if flip is None else [(_x([flip + 1], last)[0], found.tokens[flip])],
    )


def _verdicts(found: Explanation) -> list[float]:
    regression = found.config.task == "regression"
    values = found.running_values if regression else found.running_probabilities
    return [float(value) for value in values]


def _named(levels: Sequence[float], low: float, high: float) -> list[tuple[float, str]]:
    """Return the height of each level and what it is called."""
    names = (f"{level:.4g}" for level in levels)
    return list(zip(_y(levels, low, high), names, strict=True))


def _levels(found: Explanation, low: float, high: float) -> list[float]:
    """Return the ends and, where it decides between two labels, the threshold."""
    if len(found.config.labels) != 2:
        return [low, high]
    threshold = found.config.threshold
    return [low, threshold if found.label == found.config.labels[1] else 1 - threshold, high]


def _band(found: Explanation) -> list[float]:
    """Return between what probabilities a verdict between two labels is unsure, if it may be."""
    if len(found.config.labels) != 2 or not found.config.abstain:
        return []
    _, threshold, _ = _levels(found, 0.0, 1.0)
    edges = (threshold - found.config.abstain, threshold + found.config.abstain)
    return [edge for edge in edges if 0 < edge < 1]


def _said(found: Explanation, length: int, value: float) -> str:
    token = f" {found.tokens[length - 1]}" if length else ""
    return f"{length}{token}: {value:.4f}"


def _thinned(dots: Sequence[Dot]) -> list[Dot]:
    """Return the dots to draw: of many every second, third, … and the last."""
    *some, last = dots
    return [*some[:: -(-len(dots) // MOST_DOTS)], last]


def _x(places: ArrayLike, last: int) -> list[float]:
    """Return where places stand across a plot; a long text has thousands, hence numpy."""
    return _rounded(WIDTH * np.asarray(places, np.float64) / max(last, 1))


def _y(values: ArrayLike, low: float, high: float) -> list[float]:
    return _rounded(HEIGHT * (high - np.asarray(values, np.float64)) / (high - low or 1.0))


def _rounded(places: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(places, 2).tolist()
    return rounded


def _points(across: Sequence[float], down: Sequence[float]) -> str:
    return " ".join(map("{},{}".format, across, down))


@dataclass(frozen=True)
class Unit:
    """A unit of one direction: its forget gate, cell and state as lines on one scale."""

    direction: str
    number: int
    share: float
    half_life: float
    axes: Plot
    lines: Sequence[tuple[str, str]]


def _units(found: Explanation) -> list[Unit]:
    if not found.tokens:
        return []
    return [_unit(direction.name, unit) for direction in found.gates for unit in direction.units]


def _unit(direction: str, unit: UnitTrace) -> Unit:
    """Draw on a scale from -1 to 1, or as far as the cell goes."""
    series = {gate: unit.gates[gate] for gate in ("f", "c", "h")}
    most = max(1.0, float(np.abs(series["c"]).max()))
    across = _x(np.arange(len(series["c"])), len(series["c"]) - 1)
    return Unit(
        direction=direction,
        number=unit.unit,
        share=unit.share,
        half_life=unit.half_life,
        axes=Plot("", levels=_named((-most, 0.0, most), -most, most)),
        lines=[(gate, _points(across, _y(line, -most, most))) for gate, line in series.items()],
    )
