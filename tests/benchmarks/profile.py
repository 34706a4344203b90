"""Where the time of a training step goes: products, gates and copies, everything around them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

from sentiment_lstm import bptt, bptt_back, bptt_words
from sentiment_lstm.batching import BatchSizes, training_order
from sentiment_lstm.parallel import cores, parallel_map
from sentiment_lstm.precision import SINGLE
from sentiment_lstm.tiles import add_product, panels_of
from tests.benchmarks.epoch import BATCH
from tests.benchmarks.layer import BURST
from tests.benchmarks.machine import Gemm
from tests.benchmarks.options import Options
from tests.benchmarks.reviews import training_arrays
from tests.benchmarks.table import Row
from tests.benchmarks.timing import medians, round_robin, seconds_of

# What a step runs of the LSTM over words, all of it.
OURS = ((bptt_words, "started"), (bptt, "forward"), (bptt_words, "backward"))


def run(options: Options, gemm: Gemm) -> Iterator[Row]:
    """Yield a row for each size of model: a step on a batch of middling length."""
    from tests.benchmarks.epoch_peers import Ours

    arrays = training_arrays(options.source)
    order = training_order(arrays.lengths, BatchSizes(BATCH), seed=0, epoch=0)
    batch = sorted(order, key=lambda of: arrays.lengths[of].sum())[len(order) // 2]
    tokens = arrays.pad(batch)
    for units in options.units:
        ours, products = Ours(options.source, units), _Products(tokens, units)
        inside: dict[str, list[float]] = {}
        with ExitStack() as stack:
            for module, name in OURS:
                stack.enter_context(_timed(module, name, inside.setdefault(name, [])))
            runs = {"step": partial(ours.step, batch), "products": products}
            ours.step(batch)  # traced, and compiled
            for seconds in inside.values():
                seconds.clear()
            taken = round_robin(runs, rounds=options.rounds, between=gemm, burst=BURST)
        found = medians(taken, 1e3)
        own = 1e3 * sum(median(seconds) for seconds in inside.values())
        parts = {
            "products": found["products"],
            "gates and copies": own - found["products"],
            "embedding, loss, optimizer, TensorFlow": found["step"] - own,
        }
        note = ", ".join(f"{n} {ms:.1f} ({ms / found['step']:.0%})" for n, ms in parts.items())
        case = f"step of {np.count_nonzero(tokens):,} tokens, {units} units"
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
    """The products of a step and nothing else, dealt out as the step deals them.

    A place's are two, forth and back, and its part of the gradient of the recurrent kernel; a
    word's, however often it is read, are three.
    """

    def __init__(self, tokens: Any, units: int) -> None:
        recurrent = np.ones((units, 4 * units), np.float32)
        self._kernel, self._there, self._back = recurrent, *map(panels_of, (recurrent, recurrent.T))
        shares = bptt.shares(tokens > 0, cores())
        self._shares = [(s.counts, *_both(int(s.counts.sum()), units)) for s in shares]
        self._words = _both(len(np.unique(tokens)), units)

    def __call__(self) -> None:
        parallel_map(self._of_words, range(cores()))
        parallel_map(self._of_places, self._shares)

    def _of_words(self, hand: int) -> None:
        vectors, gates = self._words
        some, every = (np.array_split(of, cores())[hand] for of in (vectors, gates))
        _ = some @ self._kernel, every @ self._kernel.T
        _ = vectors.T @ np.array_split(gates, cores(), axis=1)[hand]

    def _of_places(self, of: tuple[Any, Any, Any]) -> None:
        counts, read, gates = of
        at = 0
        for n in counts.tolist():
            now = slice(at, at + n)
            add_product(n, read[now], self._there, gates[now])
            add_product(n, gates[now], self._back, read[now])
            at += n
        for piece in bptt_back.pieces(counts, SINGLE.at_once):
            _ = read[piece.rows].T @ gates[piece.rows]


def _both(rows: int, units: int) -> tuple[Any, Any]:
    """Return so many rows as wide as a state, and as the gates."""
    return np.ones((rows, units), np.float32), np.ones((rows, 4 * units), np.float32)
