"""The table: each rung beside the one below it, paired text by text."""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from tests.ladder.kept import Result
from tests.ladder.rungs import Rung

HEADINGS = ("rung", "seeds", "validation", "test", "delta of test, points")
NORMAL = 1.96  # standard deviations of a 95 % interval


def render(rungs: Sequence[Rung], results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of a Markdown table, a row for each rung that has a result."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|{' --- |' * len(HEADINGS)}"
    below: list[Result] = []
    for rung in rungs:
        own = [r for r in results if r.rung == rung.name]
        if own:
            yield f"| {' | '.join(_cells(rung, own, below))} |"
            below = own


def _cells(rung: Rung, own: Sequence[Result], below: Sequence[Result]) -> Iterator[str]:
    yield rung.adds
    yield str(len(own))
    yield _mean([r.validation for r in own])
    yield _mean([r.test for r in own])
    yield delta(own, below) if below else ""


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{fmean(values):.4f}{spread}"


def delta(upper: Sequence[Result], lower: Sequence[Result]) -> str:
    """Return the difference of two rungs' accuracies with its 95 % interval, over texts.

    Each text has the share of seeds that tell it right, of each rung; the differences of these are
    what is averaged. Seeds that a rung has alone count too.
    """
    each = _share(upper) - _share(lower)
    half = NORMAL * each.std(ddof=1) / np.sqrt(len(each))
    return f"{100 * each.mean():+.2f} ± {100 * half:.2f}"


def _share(results: Sequence[Result]) -> NDArray[np.float64]:
    return np.mean([r.right for r in results], axis=0)
