"""An epoch over the training reviews: ours beside the same model made of stock Keras parts."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from sentiment_lstm.batching import LENGTH_STEP, BatchSizes, training_order
from tests.benchmarks.children import run_child
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import training_arrays
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin, seconds_of

BATCH = 64
BLOCKS = 6  # of steps, spread over the lengths
ROUNDS = 3  # of each block
STARTS = 3  # of a process that compiles, and of one that need not


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each size of model."""
    measure = _sampled if options.steps else _whole
    for units in options.units:
        compiling = _compile_seconds(units, options.precision)
        found, how = measure(units, options, gemm)
        ours = found.pop("ours") + compiling
        note = f"{how}; ours with {compiling:.1f} s of waiting for what is compiled, peers without"
        case = f"{_texts(options):,} reviews, {units} units, {options.precision}"
        yield Row("epoch", case, "s", ours, found, note=note)


def _texts(options: Options) -> int:
    return len(training_arrays(options.source))


def _sampled(units: int, options: Options, gemm: Gemm) -> tuple[dict[str, float], str]:
    """Return seconds an epoch from some of its steps, and how they were got.

    The steps are timed in blocks, each a few steps without a pause, as an epoch is. Ours are spread
    evenly over the epoch's batches in order of length; those of the stock pipeline are all padded
    to the same length.
    """
    from tests.benchmarks.epoch_peers import Ours, Stock

    ours = Ours(options.source, units, precision=options.precision)
    stocks = _stocks(Stock, options, units)
    order = _by_length(options)
    chosen = [order[round(i)] for i in np.linspace(0, len(order) - 1, options.steps + 2)[1:-1]]
    blocks = [chosen[first::BLOCKS] for first in range(min(BLOCKS, len(chosen)))]
    taken: dict[str, list[float]] = {}
    for block in blocks:
        runs = {"ours": partial(_each, ours.step, block)}
        runs |= {name: partial(_times, stock.step, len(block)) for name, stock in stocks.items()}
        for name, values in round_robin(runs, rounds=ROUNDS, between=gemm).items():
            taken.setdefault(name, []).append(median(values))
    seconds = {name: sum(of) / len(chosen) * len(order) for name, of in taken.items()}
    how = f"{len(chosen)} of {len(order)} steps in {len(blocks)} blocks, each timed {ROUNDS} times"
    return seconds, how


def _each(step: Callable[[Any], Any], block: Sequence[Any]) -> None:
    for indices in block:
        step(indices)


def _times(step: Callable[[], Any], count: int) -> None:
    for _ in range(count):
        step()


def _by_length(options: Options) -> list[Any]:
    """Return the batches of our first epoch, the shortest first."""
    lengths = training_arrays(options.source).lengths
    batches = training_order(lengths, BatchSizes(BATCH), seed=0, epoch=0)
    return sorted(batches, key=lambda indices: -(-int(lengths[indices].max()) // LENGTH_STEP))


def _whole(units: int, options: Options, gemm: Gemm) -> tuple[dict[str, float], str]:
    """Return seconds of a whole epoch of each, the median of as many as are asked for, in turn."""
    from tests.benchmarks.epoch_peers import Ours, Stock

    ours = Ours(options.source, units, precision=options.precision)
    stocks = _stocks(Stock, options, units)
    lengths = training_arrays(options.source).lengths
    batches = training_order(lengths, BatchSizes(BATCH), seed=0, epoch=0)
    ours.step(batches[0])
    for stock in stocks.values():
        stock.step()
    runs = {"ours": partial(_each, ours.step, batches)}
    runs |= {name: partial(_times, stock.step, len(batches)) for name, stock in stocks.items()}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.times):
        for name, run in runs.items():
            taken[name].append(seconds_of(run))
        gemm()
    how = "whole epochs, once" if options.times == 1 else f"whole epochs, {options.times} times"
    return medians(taken), how


def _stocks(stock: Any, options: Options, units: int) -> dict[str, Any]:
    every = _texts(options)
    chosen = np.arange(every if options.steps == 0 else min(every, 10 * BATCH))  # all alike in time
    return {
        f"stock {form} in {precision}": stock(
            options.source, units, jit=form == "XLA", precision=precision, chosen=chosen
        )
        for precision in sorted({"float32", options.precision})
        for form in ("graph", "XLA")
        # XLA's own products of bfloat16 take 15 times as long on a processor as those of float32
        # (an epoch at 128 units 735 s and 50): nobody would train so.
        if (form, precision) != ("XLA", "mixed_bfloat16")
    }


def _compile_seconds(units: int, precision: str) -> float:
    """Return what compiling takes from an empty cache, as the one who trains waits for it.

    That is how much later the first step ends in a process that finds no machine code than in one
    that does, and what the first step of the latter takes more than the next ones: TensorFlow's
    tracing. Code is made beside the backend's import (`sentiment_lstm.made_aside`), as in a
    training.
    """
    waited = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as cache:
            empty, full = (_first_steps(units, precision, Path(cache)) for _ in range(2))
        waited.append(empty["until"] - full["until"] + full["first"] - full["later"])
    return median(waited)


def _first_steps(units: int, precision: str, cache: Path) -> dict[str, float]:
    """Return seconds from a process's start to the end of its first step, of it and of others."""
    file = cache / "steps.json"
    command = [sys.executable, "-m", "tests.benchmarks.first_steps", str(units), precision, file]
    started = time.time()
    run_child(command, {"NUMBA_CACHE_DIR": str(cache)})
    told: dict[str, float] = json.loads(file.read_text("utf-8"))
    return told | {"until": told["after_first"] - started}
