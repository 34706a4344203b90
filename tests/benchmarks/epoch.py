"""An epoch over the training reviews: ours beside the same model made of stock Keras parts."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from sentiment_lstm.batching import LENGTH_STEP, training_order
from tests.benchmarks.children import run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import training_arrays
from tests.benchmarks.table import Row
from tests.benchmarks.timing import round_robin, seconds_of

BATCH = 64
ROUNDS = 3  # of each step that is timed


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each size of model."""
    measure = _sampled if options.steps else _whole
    for units in options.units:
        compiling = _compile_seconds(units)
        found, how = measure(units, options, gemm)
        ours = found.pop("ours") + compiling
        note = f"{how}; ours with {compiling:.1f} s of compiling from an empty cache, peers without"
        yield Row(
            "epoch", f"{_texts(options):,} reviews, {units} units", "s", ours, found, note=note
        )


def _texts(options: Options) -> int:
    return len(training_arrays(options.source))


def _sampled(units: int, options: Options, gemm: Gemm) -> tuple[dict[str, float], str]:
    """Return seconds an epoch from some of its steps, and how they were got.

    Ours are steps spread evenly over the epoch's batches in order of length; those of the stock
    pipeline are all padded to the same length.
    """
    from tests.benchmarks.epoch_peers import Ours, Stock

    ours, stocks = Ours(options.source, units), _stocks(Stock, options, units)
    order = _by_length(options)
    chosen = [order[round(i)] for i in np.linspace(0, len(order) - 1, options.steps + 2)[1:-1]]
    own: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in stocks}
    for indices in chosen:
        runs = {"ours": lambda indices=indices: ours.step(indices)}
        runs |= {name: stock.step for name, stock in stocks.items()}
        taken = round_robin(runs, rounds=ROUNDS, between=gemm)
        own.append(median(taken.pop("ours")))
        for name, values in taken.items():
            theirs[name] += values
    seconds = {name: median(values) * len(order) for name, values in theirs.items()}
    how = f"{len(chosen)} of {len(order)} steps, each timed {ROUNDS} times"
    return {"ours": fmean(own) * len(order), **seconds}, how


def _by_length(options: Options) -> list[Any]:
    """Return the batches of our first epoch, the shortest first."""
    lengths = training_arrays(options.source).lengths
    batches = training_order(lengths, BATCH, seed=0, epoch=0)
    return sorted(batches, key=lambda indices: -(-int(lengths[indices].max()) // LENGTH_STEP))


def _whole(units: int, options: Options, gemm: Gemm) -> tuple[dict[str, float], str]:
    """Return seconds of a whole epoch of each, once."""
    from tests.benchmarks.epoch_peers import Ours, Stock

    ours, stocks = Ours(options.source, units), _stocks(Stock, options, units)
    batches = training_order(training_arrays(options.source).lengths, BATCH, seed=0, epoch=0)
    ours.step(batches[0])
    found = {"ours": seconds_of(lambda: [ours.step(indices) for indices in batches])}
    for name, stock in stocks.items():
        stock.step()
        found[name] = seconds_of(lambda stock=stock: [stock.step() for _ in batches])
        gemm()
    return found, "whole epochs, once"


def _stocks(stock: Any, options: Options, units: int) -> dict[str, Any]:
    limit = 0 if options.steps == 0 else 10 * BATCH  # all batches take the same time
    return {
        name: stock(options.source, units, jit=jit, limit=limit)
        for name, jit in (("stock graph", False), ("stock XLA", True))
    }


def _compile_seconds(units: int) -> float:
    """Return what our first step takes more than the next ones, in a process new to everything."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "tests.benchmarks.first_steps", str(units), cache]
        run_child(command, {"NUMBA_CACHE_DIR": cache})
        return float((Path(cache) / "seconds").read_text("utf-8"))
