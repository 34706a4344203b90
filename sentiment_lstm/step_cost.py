"""What a training step of a recurrent layer costs: its weights, its products, its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import keras
import numpy as np

from sentiment_lstm.compared_nets import build_layer
from sentiment_lstm.endless_training import compiled_step
from sentiment_lstm.losses import mean_squared_error
from sentiment_lstm.memory_tasks import Sequences
from sentiment_lstm.trials import STOCK, Net


@dataclass(frozen=True)
class Shape:
    """The batch that a step is timed on, and how often."""

    batch: int = 64
    time: int = 100
    features: int = 64
    repeats: int = 15


def step_costs(nets: dict[str, Net], shape: Shape) -> dict[str, dict[str, Any]]:
    """Return what a training step costs, for each layer by its name, and for Keras's own LSTM.

    Steps of the layers are timed in turn, so that what else the machine does falls on all alike.

    Returns:
        `units`, `parameters`, `multiply_adds` a step in time of one sequence, and `ms`, the median
        time of a training step over the whole batch. Keras's LSTM is as wide as the first layer.
    """
    first = next(iter(nets.values()))
    layers = {name: (build_layer(net, 0), net.kind == "rnn") for name, net in nets.items()}
    layers[STOCK] = (keras.layers.LSTM(first.units), True)
    steps = {name: _step(layer, shape, whole=whole) for name, (layer, whole) in layers.items()}
    times = _timed(list(steps.values()), _drawn(shape), shape.repeats)
    described = nets | {STOCK: first}
    return {
        name: {
            "units": net.units,
            "parameters": layers[name][0].count_params(),
            "multiply_adds": net.multiply_adds(shape.features),
            "ms": 1000 * median(taken),
        }
        for (name, net), taken in zip(described.items(), times, strict=True)
    }


def _step(layer: Any, shape: Shape, *, whole: bool) -> Callable[[Sequences], Any]:
    inputs = keras.Input((shape.time, shape.features))
    keep = keras.Input((shape.time,), dtype="bool")
    model = keras.Model([inputs, keep], keras.layers.Dense(1)(layer(inputs, mask=keep)))
    optimizer = keras.optimizers.Adam(global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    return compiled_step(model, optimizer, mean_squared_error, whole=whole)


def _drawn(shape: Shape) -> Sequences:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(shape.batch, shape.time, shape.features)).astype(np.float32)
    keep = np.ones((shape.batch, shape.time), bool)
    return Sequences(inputs, keep, random.normal(size=shape.batch).astype(np.float32))


def _timed(
    steps: Sequence[Callable[[Sequences], Any]], drawn: Sequences, repeats: int
) -> list[list[float]]:
    """Return the seconds of each step, `(steps, repeats)`; what compiles is left out."""
    for step in (*steps, *steps):
        step(drawn)
    taken: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats):
        for step, seconds in zip(steps, taken, strict=True):
            start = perf_counter()
            step(drawn)
            seconds.append(perf_counter() - start)
    return taken
