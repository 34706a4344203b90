"""Contenders timed in turn, so that a slow moment of the machine falls on all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from statistics import geometric_mean, median
from time import perf_counter, sleep
from typing import Any

__all__ = [
    "ahead_at_best",
    "geometric_mean",
    "medians",
    "nothing",
    "quantile",
    "round_robin",
    "seconds_of",
]

# Threads that one contender leaves spinning, as OpenBLAS's and ONNX Runtime's do for some 30 ms
# after their work, would take a core from the next.
PAUSE = 0.04  # seconds

Run = Callable[[], Any]
Seconds = dict[str, list[float]]


def nothing() -> None:
    """Do nothing between two rounds."""


def seconds_of(run: Run) -> float:
    """Return how long one call takes."""
    started = perf_counter()
    run()
    return perf_counter() - started


def round_robin(
    runs: Mapping[str, Run],
    *,
    rounds: int,
    seconds: float = 0.0,
    between: Run = nothing,
    burst: float = 0.0,
) -> Seconds:
    """Time each contender once a round: first, second, …, first, second, …

    Each is called once before the first round, untimed: what is set up at a first call, such as
    compiled programs, is measured elsewhere.
    Each turn comes after `PAUSE`, which also leaves caches cooler than a busy loop would.

    Args:
        runs: the contenders by name.
        rounds: rounds at least.
        seconds: go on with rounds until so many have passed.
        between: called after each round.
        burst: at each turn call once untimed, and then again and again, timed, for so many seconds:
            what comes before a call in a loop that does nothing else, such as a training's, is
            another call of the same.

    Returns:
        The seconds of every call, by contender.
    """
    for run in runs.values():
        run()
    taken: Seconds = {name: [] for name in runs}
    started, done = perf_counter(), 0
    while done < rounds or perf_counter() - started < seconds:
        for name, run in runs.items():
            sleep(PAUSE)
            if burst:
                run()
            taken[name] += _in_a_row(run, burst)
        between()
        done += 1
    return taken


def _in_a_row(run: Run, seconds: float) -> list[float]:
    """Return how long each of the calls takes that fill so many seconds; one at least."""
    taken = [seconds_of(run)]
    while sum(taken) < seconds:
        taken.append(seconds_of(run))
    return taken


def medians(taken: Seconds, scale: float = 1.0) -> dict[str, float]:
    """Return each contender's median, times a scale."""
    return {name: median(values) * scale for name, values in taken.items()}


def ahead_at_best(taken: Seconds) -> float:
    """Return how many times as long the fastest peer takes as "ours", each by its fastest call.

    On a machine that others use too, contenders whose threads wait for each other lose more of
    their time than the rest; their fastest calls lose the least.
    """
    fastest = {name: min(values) for name, values in taken.items()}
    ours = fastest.pop("ours")
    return min(fastest.values()) / ours


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all lies at or below, between two by linear measure."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
