"""Where the time of a training step goes: products, gates and copies, everything around them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from sentiment_lstm import bptt, bptt_back
from sentiment_lstm.batching import BatchSizes, training_order
from sentiment_lstm.parallel import cores, parallel_map
from sentiment_lstm.tiles import add_product, panels_of
from tests.benchmarks.epoch import BATCH
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import training_arrays
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin, seconds_of


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each size of model: a step on a batch of middling length."""
    from tests.benchmarks.epoch_peers import Ours

    lengths = training_arrays(options.source).lengths
    order = training_order(lengths, BatchSizes(BATCH), seed=0, epoch=0)
    batches = sorted(order, key=lambda of: lengths[of].sum())
    batch = batches[len(batches) // 2]
    for units in options.units:
        ours, products = Ours(options.source, units), _Products(lengths[batch], units)
        inside: list[float] = []
        with _timed(bptt, "forward", inside), _timed(bptt_back, "backward", inside):
            runs = {
                "step": partial(ours.step, batch),
                "products": products,
            }
            found = medians(round_robin(runs, rounds=options.rounds, between=gemm), 1e3)
        own = 1e3 * sum(np.median(inside[2 + way :: 2]) for way in (0, 1))
        parts = {
            "products": found["products"],
            "gates and copies": own - found["products"],
            "embedding, loss, optimizer, TensorFlow": found["step"] - own,
        }
        note = ", ".join(f"{n} {ms:.1f} ({ms / found['step']:.0%})" for n, ms in parts.items())
        case = f"step of {lengths[batch].sum():,} tokens, {units} units"
        yield Row("profile", case, "ms", found["step"], note=note)


def _timed(module: Any, name: str, seconds: list[float]) -> Any:
    """Have a function of a module add to a list how long each call takes."""
    function: Callable[..., Any] = getattr(module, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        results: list[Any] = []
        seconds.append(seconds_of(lambda: results.append(function(*arguments, **options))))
        return results[0]

    return patch.object(module, name, timed)


class _Products:
    """The products of a step and nothing else, dealt out as the step deals them."""

    def __init__(self, lengths: Any, units: int) -> None:
        keep = np.arange(lengths.max()) < lengths[:, np.newaxis]
        both = np.ones((2 * units, 4 * units), np.float32)
        self._there, self._back = panels_of(both), panels_of(both.T)
        self._shares = [(s, *self._arrays(s, units)) for s in bptt.shares(keep, cores())]

    def _arrays(self, share: bptt.Share, units: int) -> list[Any]:
        rows = int(share.counts.sum())
        return [np.ones((rows, width), np.float32) for width in (2 * units, 4 * units)]

    def __call__(self) -> None:
        parallel_map(self._work, self._shares)

    def _work(self, of: tuple[bptt.Share, Any, Any]) -> None:
        share, read, gates = of
        at = 0
        for n in share.counts.tolist():
            now = slice(at, at + n)
            add_product(n, read[now], self._there, gates[now])
            add_product(n, gates[now], self._back, read[now])
            at += n
        _ = read.T @ gates
