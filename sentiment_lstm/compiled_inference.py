"""The LSTM layers of `sentiment_lstm.inference`, compiled: for more texts than a few.

The same equations as in numpy, on sorted batches likewise, in fewer passes over memory.
Loading the compiler takes longer than numpy takes for some hundred texts, so nothing imports this
module before there are more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sentiment_lstm.bptt_kernels import gates_forward
from sentiment_lstm.bundle_config import BundleConfig
from sentiment_lstm.compiled import kernel
from sentiment_lstm.inference import Batch, Floats, Indices, Network, side_by_side
from sentiment_lstm.text import UNKNOWN
from sentiment_lstm.tiles import add_product, panels_of

# As many as keep a step's states and pre-activations in a core's second-level cache.
BATCH_TEXTS = 48


def compiled_network(config: BundleConfig, weights: Mapping[str, NDArray[Any]]) -> Network:
    """Return the network of a bundle's arrays, its layers compiled and ready to run."""
    network = Network(config, weights, CompiledLayer, BATCH_TEXTS)
    network.logits([np.array([UNKNOWN])])
    return network


@dataclass(frozen=True)
class CompiledLayer:
    """An LSTM layer of D directions and H units.

    Attributes:
        kernel: `(D, in, 4H)`.
        panels: the recurrent kernel of each direction, `(H, 4H)`, as `panels_of` cuts it.
        bias: `(D, 1, 4H)`.
    """

    kernel: Floats
    panels: list[Floats]
    bias: Floats

    @classmethod
    def of(cls, config: BundleConfig, weights: Mapping[str, NDArray[Any]], index: int) -> Self:
        """Take layer `index` from a bundle's arrays."""
        names = [f"lstm.{index}.{d}" for d in ("forward", "backward")[: config.directions]]
        kernel, recurrent_kernel, bias = (
            np.stack([np.atleast_2d(weights[f"{name}.{part}"]) for name in names])
            for part in ("kernel", "recurrent_kernel", "bias")
        )
        return cls(kernel, [panels_of(of) for of in recurrent_kernel], bias)

    def project(self, x: Floats) -> Floats:
        """Return the inputs' part of the pre-activations, `(D, m, 4H)`, for x `(m, in)`."""
        table: Floats = np.matmul(x, self.kernel)
        table += self.bias
        return table

    def states(self, table: Floats, rows: Indices, batch: Batch) -> Floats:
        """Return h at every token of a batch, the directions side by side, `(tokens, D·H)`."""
        D, _, width = table.shape
        states = np.empty((len(batch.ids), D * width // 4), np.float32)
        self._scan(table, rows, batch, (), states)
        return states

    def pooled(self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...]) -> Floats:
        """Return the states of each text pooled over time, `(n, P·D·H)`; zeros for no tokens."""
        nothing = np.empty((0, 0), np.float32)
        pools = self._scan(table, rows, batch, kinds, nothing)
        return side_by_side(kinds, batch.lengths, *pools)

    def _scan(
        self, table: Floats, rows: Indices, batch: Batch, kinds: tuple[str, ...], states: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Read every text; return last, largest and total h, those not asked for of no texts."""
        (D, _, width), n = table.shape, len(batch.lengths)
        last = np.zeros((D, n, width // 4), np.float32)
        largest = np.full((D, n if "max" in kinds else 0, width // 4), -np.inf, np.float32)
        total = np.zeros((D, n if "mean" in kinds else 0, width // 4), np.float32)
        for d, panels in enumerate(self.panels):
            scan(
                table[d], rows, batch.first, batch.lengths, d, panels,
                last[d], largest[d], total[d], states,
            )  # fmt: skip
        return last, largest, total


@kernel
def scan(
    table: Floats,
    rows: Indices,
    first: Indices,
    lengths: Indices,
    direction: int,
    panels: Floats,
    h: Floats,
    largest: Floats,
    total: Floats,
    states: Floats,
) -> None:
    """Read every text of a batch in one direction.

    Args:
        table: projected inputs, `(m, 4H)`.
        rows: which of the m each token of the batch takes, `(tokens,)`.
        first: where each text starts, `(n,)`.
        lengths: tokens of each text, `(n,)`, falling.
        direction: 0 forward, 1 backward, from each text's end.
        panels: the recurrent kernel.
        h: zeros, `(n, H)`; afterwards h after each text's last step.
        largest: minus infinity, `(n, H)`; afterwards h's largest values. Or `(0, H)`.
        total: zeros, `(n, H)`; afterwards h's sum. Or `(0, H)`.
        states: takes h at every token, `(tokens, D·H)`. Or `(0, …)`.
    """
    n, units = h.shape
    z = np.empty((n, 4 * units), np.float32)
    c, before = np.zeros((n, units), np.float32), np.empty((n, units), np.float32)
    keep, at = np.ones(n, np.bool_), np.empty(n, np.intp)
    for t in range(lengths[0] if n else 0):
        while lengths[n - 1] <= t:
            n -= 1
        for k in range(n):
            at[k] = first[k] + (lengths[k] - 1 - t if direction else t)
        take_inputs(n, table, rows, at, c, z, before)
        add_product(n, h, panels, z)
        gates_forward(n, keep, z, before, c, h)
        pool(n, h, largest, total)
        for k in range(n if states.shape[0] else 0):
            for j in range(units):
                states[at[k], direction * units + j] = h[k, j]


@kernel
def take_inputs(
    n: int, table: Floats, rows: Indices, at: Indices, c: Floats, z: Floats, before: Floats
) -> None:
    """Put down what a step starts from: the inputs' part of n texts' pre-activations, and c."""
    for k in range(n):
        row = rows[at[k]]
        for j in range(table.shape[1]):
            z[k, j] = table[row, j]
        for j in range(c.shape[1]):
            before[k, j] = c[k, j]


@kernel
def pool(n: int, h: Floats, largest: Floats, total: Floats) -> None:
    """Take the states of n texts into their largest values and their sum, where asked for."""
    for k in range(n if largest.shape[0] else 0):
        for j in range(h.shape[1]):
            largest[k, j] = max(largest[k, j], h[k, j])
    for k in range(n if total.shape[0] else 0):
        for j in range(h.shape[1]):
            total[k, j] += h[k, j]
