"""What is learnt: ours and the model of stock Keras parts, of equal size, after equal epochs."""

from collections.abc import Iterator
from statistics import fmean, stdev
from typing import Any

import numpy as np

from sentiment_lstm.batching import BatchSizes, training_order
from tests.benchmarks.epoch import BATCH
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import targets, training_arrays
from tests.benchmarks.table import Row


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each seed, then one of means, with the first size of model."""
    found: dict[str, list[float]] = {"ours": [], "stock": []}
    for seed in range(options.seeds):
        accuracies = {name: _learn(name, seed, options) for name in found}
        for name, accuracy in accuracies.items():
            found[name].append(accuracy)
        yield _row(f"seed {seed}", options, **accuracies)
    means = {name: fmean(values) for name, values in found.items()}
    spread = {n: stdev(v) if len(v) > 1 else 0.0 for n, v in found.items()}
    note = ", ".join(f"{name} ± {value:.2f}" for name, value in spread.items())
    yield _row(f"mean of {options.seeds} seeds", options, **means, note=note)


def _row(case: str, options: Options, ours: float, stock: float, note: str = "") -> Row:
    size = f"{options.units[0]} units, {options.precision}, best of {options.epochs} epochs, {case}"
    return Row("accuracy", size, "%", ours, {}, {"stock": stock}, note)


def _learn(name: str, seed: int, options: Options) -> float:
    """Return the best accuracy on validation of any epoch, in percent."""
    from tests.benchmarks.epoch_peers import Ours, Stock

    train, validation = _divided(options)
    expected = np.array(targets(options.source, "train"))[validation] == 1
    lengths = training_arrays(options.source).lengths[train]
    units = options.units[0]
    learner: Any = (
        Ours(options.source, units, precision=options.precision, seed=seed)
        if name == "ours"
        else Stock(options.source, units, jit=True, chosen=train, seed=seed)
    )
    best = 0.0
    for epoch in range(options.epochs):
        for indices in training_order(lengths, BatchSizes(BATCH), seed, epoch):
            learner.step(train[indices]) if name == "ours" else learner.step()
        best = max(best, 100 * float(np.mean(learner.answers(validation) == expected)))
    return best


def _divided(options: Options) -> tuple[Any, Any]:
    """Return which reviews of train are learnt from, and which, a tenth, are held out."""
    order = np.random.default_rng(0).permutation(len(training_arrays(options.source)))
    held = len(order) // 10
    return order[held:], order[:held]
