"""A series of numbers as one line of text."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
WIDEST = 60


def sparkline(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """Return a bar for each value, or for some of them evenly spread, the ends among them.

    Args:
        values: at least one.
        low: value of the lowest bar; by default the least of them.
        high: value of the highest one; by default the largest.
    """
    low = min(values) if low is None else low
    high = max(values) if high is None else high
    span = high - low or 1.0
    return "".join(_bar((value - low) / span) for value in spread(values, WIDEST))


def spread(values: Sequence[float], most: int) -> list[float]:
    """Return so many of the values at most, evenly spread from the first to the last."""
    last = len(values) - 1
    if last < most:
        return list(values)
    return [values[round(n * last / (most - 1))] for n in range(most)]


def _bar(height: float) -> str:
    return BARS[min(int(max(height, 0.0) * len(BARS)), len(BARS) - 1)]
